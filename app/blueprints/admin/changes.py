"""/admin/perbaikan-email/perubahan/<change>: a decided change of what identifies somebody, and the answer of
the second admin."""

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField

from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now, today_in_jakarta
from app.flows.correction.confirm_at_desk import confirm_at_desk
from app.flows.correction.review_correction import WarningsNotAcknowledged, about_address
from app.flows.identity import change_identity
from app.flows.identity.change_identity import NotThatState
from app.flows.identity.identity_gate import objection_to_cancel, objection_to_second
from app.flows.identity.put_on_record import AddressTaken, NipTaken
from app.models.identity_change import IdentityChange
from app.models.mandate_handover import MandateHandover
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security.authority import NotToTouch, OutOfReach
from app.web import kept_form
from app.web.admins import authority, desk_act, password_confirmed, stopped
from app.web.fields import LetterField, MarksField, refuse_unacknowledged
from app.web.headers import takes
from app.web.words.changes import what_follows

blueprint = Blueprint("changes", __name__, url_prefix="/perbaikan-email/perubahan/<big_row:change_id>")


_TAKEN = (
    "Email atau NIP yang baru ini sudah dipakai akun lain. Batalkan perubahan ini, lalu putuskan yang lain."
)


class BecauseForm(FlaskForm):
    because = LetterField("Alasan", "Isi alasannya, supaya dapat dijelaskan kemudian.", 300)
    # The state of the change as the page showed it: since then, a change that could be cancelled may have
    # been stopped by its owner
    state = HiddenField()


class ConfirmForm(FlaskForm):
    acknowledged = MarksField("Peringatan yang sudah diperiksa")


@blueprint.get("")
def page(change_id: int) -> ResponseReturnValue:
    return _page(change_id, BecauseForm())


def _confirmation_again(change_id: int) -> ResponseReturnValue:
    return _page(change_id, BecauseForm(formdata=None), confirmation=kept_form.filled(ConfirmForm()))


def _cancellation_again(change_id: int) -> ResponseReturnValue:
    return _page(change_id, kept_form.filled(BecauseForm()))


@blueprint.post("/konfirmasi")
@kept_form.keeps_form(_confirmation_again)
@takes(many=("acknowledged",))
@password_confirmed
def confirm(change_id: int) -> ResponseReturnValue:
    form = ConfirmForm()
    delay = portal().settings.email_change_delay
    with unit_of_work() as db:
        outcome = confirm_at_desk(db, change_id, form.acknowledged.data, delay, desk_act())
    match outcome:
        case IdentityChange():
            flash(what_follows(outcome), "success")
            return redirect(url_for("admin.corrections.page", lihat="kedua"), 303)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case NotThatState():
            return _page(change_id, BecauseForm(formdata=None), 422, _no_longer(outcome))
        case WarningsNotAcknowledged(warnings):
            refuse_unacknowledged(form.acknowledged, warnings)
            return _page(change_id, BecauseForm(formdata=None), 422, confirmation=form)
        case AddressTaken() | NipTaken():
            return _page(change_id, BecauseForm(formdata=None), 422, _TAKEN)


@blueprint.post("/batalkan")
@kept_form.keeps_form(_cancellation_again)
@password_confirmed
def cancel(change_id: int) -> ResponseReturnValue:
    form = BecauseForm()
    if not form.validate():
        return _page(change_id, form, 422)
    with unit_of_work() as db:
        outcome = change_identity.cancel_change(
            db, change_id, form.because.value, form.state.data or None, desk_act()
        )
    match outcome:
        case IdentityChange(state=ChangeState.FROZEN):
            flash("Sengketa ditutup: pemilik akun benar.", "success")
            return redirect(url_for("admin.person.page", person_id=outcome.user_id), 303)
        case IdentityChange():
            flash(f"Perubahan {outcome.kind.label} dibatalkan. Data tetap seperti sekarang.", "success")
            return redirect(url_for("admin.corrections.page"), 303)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case NotThatState():
            return _page(change_id, form, 422, _no_longer(outcome))


def _page(
    change_id: int,
    form: BecauseForm,
    status: int = 200,
    problem: str | None = None,
    confirmation: ConfirmForm | None = None,
) -> Response:
    with reading() as db:
        change = IdentityChange.with_id(db, change_id)
        if change is None or isinstance(authority().person(db, change.user_id), OutOfReach):
            abort(404)
        is_email = change.kind is ChangeKind.EMAIL and change.is_under_way
        warnings = (
            about_address(db, authority(), change.user, EmailAddress(change.new_value), now())
            if is_email
            else []
        )
        objection = authority().objection(db, change.user, today_in_jakarta(now())) or (
            objection_to_second(db, authority(), change, now())
            if change.is_contesting or change.is_under_way
            else None
        )
        first = authority().name_of(change.decided_by) if change.decided_by else "operator portal"
        handover = MandateHandover.to(db, change.mandate_id)
        last_day = change.mandate.ends_on if change.mandate else None
        stopped_before = [one for one in IdentityChange.contesting(db, change.user_id) if one.id != change.id]
    if problem:
        form.form_errors = [problem]
    page = render_template(
        "admin/correction/change.html", change=change, first=first, warnings=warnings, form=form,
        objection=objection,
        confirmation=confirmation or ConfirmForm(formdata=None),
        may_cancel=change.is_under_way and objection_to_cancel(authority(), change) is None,
        handover=handover, last_day=last_day, stopped_before=stopped_before,
        has_errors=bool(form.errors or (confirmation and confirmation.errors)),
    )  # fmt: skip
    return make_response(page, status)


def _no_longer(refusal: NotThatState) -> str:
    return f"Perubahan ini sudah tidak menunggu lagi: {refusal.change.state.label.lower()}."
