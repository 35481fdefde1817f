"""/admin/mandat: who may do what. Pusat appoints admins, prolongs mandates and takes them back."""

from datetime import timedelta

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
from sqlalchemy import true
from wtforms import StringField, ValidationError

from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.domain.paging import ROWS_A_PAGE, cut
from app.flows.identity.change_identity import UnderWay
from app.flows.instansi import grant_mandate as granting
from app.flows.instansi.revoke_mandate import revoke_mandate
from app.models.admin_mandate import AdminMandate
from app.models.instansi import Instansi, UnknownInstansi
from app.runtime.db import reading, unit_of_work
from app.security.authority import NotToTouch, OutOfReach
from app.web import kept_form
from app.web.admins import authority, chosen_instansi, desk_act, only_pusat, password_confirmed, stopped
from app.web.fields import ChoiceField, DayField, LineField, NipOfAnotherField, refuse
from app.web.row_ids import row_id

blueprint = Blueprint("mandates", __name__, url_prefix="/mandat")
_ENDS_SOON = timedelta(days=30)


class GrantForm(FlaskForm):
    nip = NipOfAnotherField("NIP")
    scope = ChoiceField(
        "Lingkup",
        "Pilih satu instansi atau pusat.",
        [("instansi", "Satu instansi"), ("pusat", "Pusat: semua instansi")],
    )
    instansi = StringField("Instansi")
    sk_number = LineField("Nomor SK", "Isi nomor SK penunjukan, misalnya SK-12/2026.", 100)
    until = DayField("Hari terakhir")

    @property
    def code(self) -> str | None:
        """The code of the one instansi; None for pusat."""
        return self.instansi.data if self.scope.data == "instansi" else None

    def validate_instansi(self, field: StringField) -> None:
        if self.scope.data == "instansi" and not field.data:
            raise ValidationError("Pilih instansinya.")


class RevocationForm(FlaskForm):
    reason = LineField("Alasan", "Isi alasannya. Orang yang bersangkutan akan membacanya.", 300)


@blueprint.get("")
def page() -> ResponseReturnValue:
    held, code, which = authority(), request.args.get("instansi", ""), request.args.get("keadaan", "berlaku")
    today = today_in_jakarta(now())
    before = request.args.get("sebelum", type=row_id)
    with reading() as db:
        instansi = chosen_instansi(db, held, code)
        reach = AdminMandate.instansi_id == instansi.id if instansi else held.within(AdminMandate.instansi_id)
        found = AdminMandate.listed(db, reach, today if which == "berlaku" else None, before, ROWS_A_PAGE + 1)
        choices = Instansi.choices(db, held.within(Instansi.id))
    page = cut(found, ROWS_A_PAGE, lambda mandate: mandate.id)
    return render_template(
        "admin/instansi/mandates.html", found=page.rows, today=today, soon=_ENDS_SOON.days, code=code,
        which=which, choices=choices,
        is_first=before is None, next_before=page.next,
    )  # fmt: skip


@blueprint.get("/baru")
@only_pusat
def new() -> ResponseReturnValue:
    return _grant_page(GrantForm(scope="instansi"))


@only_pusat
def _grant_again() -> ResponseReturnValue:
    return _grant_page(kept_form.filled(GrantForm()))


@blueprint.post("/baru")
@kept_form.keeps_form(_grant_again)
@only_pusat
@password_confirmed
def grant() -> ResponseReturnValue:
    form = GrantForm()
    if not form.validate():
        return _grant_page(form, 422)
    with unit_of_work() as db:
        granted = granting.grant_mandate(
            db, form.nip.value, form.code, form.sk_number.value, form.until.value, desk_act()
        )
    match granted:
        case AdminMandate(awaits_second=True):
            flash(
                f"Mandat {granted.scope} untuk {granted.user.name} menunggu konfirmasi admin pusat kedua.",
                "success",
            )
            return redirect(url_for("admin.mandates.page"), 303)
        case AdminMandate():
            flash(
                f"Mandat {granted.scope} untuk {granted.user.name} berlaku sampai "
                f"{shown_date(granted.ends_on)}.",
                "success",
            )
            return redirect(url_for("admin.mandates.page"), 303)
        case granting.UnknownPerson():
            refuse(form.nip, "NIP ini tidak ada di portal. Periksa lagi, atau impor dulu data pegawainya.")
        case UnknownInstansi():
            refuse(form.instansi, "Instansi ini tidak ada. Pilih dari daftar.")
        case granting.AlreadyOver():
            refuse(form.until, "Tanggal ini sudah lewat. Isi hari ini atau sesudahnya.")
        case granting.TooLong():
            refuse(
                form.until,
                f"Mandat berlaku paling lama {granting.LONGEST_YEARS} tahun. Isi tanggal yang lebih dekat.",
            )
        case UnderWay():
            form.form_errors = [
                "Untuk pegawai ini masih ada perubahan lain yang belum selesai. Selesaikan dahulu, lalu "
                "tunjuk lagi."
            ]
        case NotToTouch():
            raise stopped(granted)
    return _grant_page(form, 422)


@blueprint.get("/<row:mandate_id>/cabut")
@only_pusat
def revocation(mandate_id: int) -> ResponseReturnValue:
    return _revocation_page(RevocationForm(), mandate_id)


@only_pusat
def _revocation_again(mandate_id: int) -> ResponseReturnValue:
    return _revocation_page(kept_form.filled(RevocationForm()), mandate_id)


@blueprint.post("/<row:mandate_id>/cabut")
@kept_form.keeps_form(_revocation_again)
@only_pusat
@password_confirmed
def revoke(mandate_id: int) -> ResponseReturnValue:
    form = RevocationForm()
    if not form.validate():
        return _revocation_page(form, mandate_id, 422)
    with unit_of_work() as db:
        revoked = revoke_mandate(db, mandate_id, form.reason.value, desk_act())
    match revoked:
        case AdminMandate():
            flash(f"Mandat {revoked.scope} milik {revoked.user.name} tidak berlaku lagi.", "success")
        case OutOfReach() | NotToTouch():
            raise stopped(revoked)
    return redirect(url_for("admin.mandates.page"), 303)


def _grant_page(form: GrantForm, status: int = 200) -> Response:
    with reading() as db:
        choices = Instansi.choices(db, true())
    page = render_template(
        "admin/instansi/grant_mandate.html",
        form=form,
        choices=choices,
        years=granting.LONGEST_YEARS,
        has_errors=bool(form.errors),
    )
    return make_response(page, status)


def _revocation_page(form: RevocationForm, mandate_id: int, status: int = 200) -> Response:
    with reading() as db:
        mandate = db.get(AdminMandate, mandate_id)
    if mandate is None or not mandate.is_in_force(today_in_jakarta(now())):
        abort(404)
    if mandate.user_id == authority().admin.id:
        raise stopped(granting.ONESELF)
    page = render_template(
        "admin/instansi/revoke_mandate.html", form=form, mandate=mandate, has_errors=bool(form.errors)
    )
    return make_response(page, status)
