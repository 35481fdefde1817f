"""/admin/cpns: the people who wait to be let in, and the answer of the instansi about one or many of them."""

from dataclasses import dataclass

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import ValidationError

from app.domain.categories import Activation
from app.domain.indonesian_time import now, today_in_jakarta
from app.domain.nip import read_nip_beginning
from app.flows.cpns.approve_cpns import Decree, approve_several_cpns
from app.flows.cpns.cpns_queue import chosen_cpns, waiting_cpns
from app.flows.cpns.cpns_verdict import MOST_AT_ONCE, result_for
from app.flows.cpns.reject_cpns import reject_several_cpns
from app.models.instansi import Instansi
from app.models.user import User
from app.runtime.db import reading, unit_of_work
from app.security.authority import NotToTouch
from app.web import kept_form
from app.web.admins import authority, chosen_instansi, desk_act, password_confirmed
from app.web.fields import DayField, LetterField
from app.web.headers import takes
from app.web.row_ids import row_id, row_ids

blueprint = Blueprint("cpns", __name__, url_prefix="/cpns")


class CpnsApprovalForm(FlaskForm):
    sk_number = LetterField("Nomor SK", "Isi nomor SK, misalnya 813/1204/BKPSDM/2026.", 100)
    sk_date = DayField("Tanggal SK")

    def validate_sk_date(self, field: DayField) -> None:
        if not field.errors and field.value > today_in_jakarta(now()):
            raise ValidationError("Tanggal SK belum tiba. Isi tanggal pada SK itu, paling lambat hari ini.")


class CpnsRejectionForm(FlaskForm):
    reason = LetterField("Alasan", "Isi alasannya. Orang yang bersangkutan akan membacanya.", 500)


@dataclass(frozen=True)
class PreviewRow:
    """One of the chosen people, and why nothing will happen to them; None if the answer will apply to
    them."""

    person: User
    why_not: str | None


@blueprint.get("")
def page() -> ResponseReturnValue:
    held, code, typed = authority(), request.args.get("instansi", ""), request.args.get("nip", "")
    beginning = read_nip_beginning(typed)
    after = request.args.get("setelah", type=row_id)
    with reading() as db:
        instansi = chosen_instansi(db, held, code)
        queue = None
        if isinstance(beginning, str):
            queue = waiting_cpns(db, held, beginning, instansi.id if instansi else None, after)
        choices = Instansi.choices(db, held.within(Instansi.id))
    return render_template(
        "admin/cpns/queue.html", queue=queue, nip=beginning if isinstance(beginning, str) else typed,
        code=code, choices=choices,
        is_first=after is None,
    )  # fmt: skip


@blueprint.get("/setujui")
def approval() -> ResponseReturnValue:
    """What an approval of the chosen people would do."""
    return _preview(CpnsApprovalForm(), "admin/cpns/approve.html")


def _approval_again() -> ResponseReturnValue:
    return _preview(kept_form.filled(CpnsApprovalForm()), "admin/cpns/approve.html")


def _rejection_again() -> ResponseReturnValue:
    return _preview(kept_form.filled(CpnsRejectionForm()), "admin/cpns/reject.html")


@blueprint.post("/setujui")
@kept_form.keeps_form(_approval_again)
@takes(many=("person",))
@password_confirmed
def approve() -> ResponseReturnValue:
    form, people = CpnsApprovalForm(), _chosen()
    if not form.validate() or not 0 < len(people) <= MOST_AT_ONCE:
        return _preview(form, "admin/cpns/approve.html", 422)
    decree = Decree(form.sk_number.value, form.sk_date.value)
    with unit_of_work() as db:
        event = approve_several_cpns(db, people, decree, desk_act())
    return redirect(url_for("admin.cpns.result", event_id=event.id, person=people), 303)


@blueprint.get("/tolak")
def rejection() -> ResponseReturnValue:
    """What a rejection of the chosen people would do."""
    return _preview(CpnsRejectionForm(), "admin/cpns/reject.html")


@blueprint.post("/tolak")
@kept_form.keeps_form(_rejection_again)
@takes(many=("person",))
@password_confirmed
def reject() -> ResponseReturnValue:
    form, people = CpnsRejectionForm(), _chosen()
    if not form.validate() or not 0 < len(people) <= MOST_AT_ONCE:
        return _preview(form, "admin/cpns/reject.html", 422)
    with unit_of_work() as db:
        event = reject_several_cpns(db, people, form.reason.value, desk_act())
    return redirect(url_for("admin.cpns.result", event_id=event.id, person=people), 303)


@blueprint.get("/hasil/<big_row:event_id>")
def result(event_id: int) -> ResponseReturnValue:
    """What an answer led to, row by row, for the admin who gave it. The address carries the chosen people."""
    with reading() as db:
        told = result_for(db, authority(), event_id, _chosen()[:MOST_AT_ONCE], now())
    if told is None:
        abort(404)
    return render_template("admin/cpns/result.html", result=told)


def _preview(form: CpnsApprovalForm | CpnsRejectionForm, template: str, status: int = 200) -> Response:
    people = _chosen()
    if not 0 < len(people) <= MOST_AT_ONCE:
        flash(
            f"Centang dulu siapa yang dimaksud, minimal satu dan paling banyak {MOST_AT_ONCE} orang.",
            "info",
        )
        return make_response(redirect(url_for("admin.cpns.page"), 303))
    held, today = authority(), today_in_jakarta(now())
    with reading() as db:
        rows = [
            PreviewRow(person, _hindrance(person, held.objection(db, person, today)))
            for person in chosen_cpns(db, held, people)
        ]
    if not rows:
        abort(404)
    return make_response(
        render_template(template, form=form, rows=rows, has_errors=bool(form.errors)), status
    )


def _hindrance(person: User, objection: NotToTouch | None) -> str | None:
    if objection:
        return objection.sentence
    if person.activation is not Activation.WAITING_APPROVAL:
        return f"Tidak sedang menunggu: {person.activation.label.lower()}."
    return None


def _chosen() -> list[int]:
    return row_ids(request.values.getlist("person"))
