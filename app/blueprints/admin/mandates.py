"""/admin/mandat: who may do what. Pusat appoints admins, prolongs mandates and takes them back."""

from collections.abc import Sequence
from typing import Any, assert_never

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
from wtforms import StringField, ValidationError
from wtforms.validators import Optional

from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.domain.nip import read_nip_beginning
from app.domain.paging import ROWS_A_PAGE, cut
from app.domain.spoken_name import asked_for
from app.flows.identity.change_identity import UnderWay
from app.flows.instansi import grant_mandate as granting
from app.flows.instansi import hand_over_mandate as handing
from app.flows.instansi.find_mandates import (
    ENDS_SOON,
    MandateFilter,
    MandateState,
    decisions_about,
    find_mandates,
)
from app.flows.instansi.revoke_mandate import revoke_mandate
from app.models.admin_mandate import AdminMandate
from app.models.instansi import Instansi, UnknownInstansi
from app.runtime.db import reading, unit_of_work
from app.security.authority import NotToTouch, OutOfReach
from app.web import kept_form
from app.web.admins import authority, desk_act, only_pusat, password_confirmed, stopped
from app.web.fields import ChoiceField, DayField, LetterField, NipOfAnotherField, refuse
from app.web.row_ids import row_id

blueprint = Blueprint("mandates", __name__, url_prefix="/mandat")
_MOST_WORDS = 5
_MOST_MEANT = 5  # instansi that a sentence names
_NO_INSTANSI = "Instansi ini tidak ada. Periksa lagi kode atau namanya."
_UNKNOWN = "NIP ini tidak ada di portal. Periksa lagi, atau impor dulu data pegawainya."
_UNKNOWN_HERE = "NIP ini tidak ada di instansi Anda. Periksa lagi, atau minta admin pusat."
_OVER = "Tanggal ini sudah lewat. Isi hari ini atau sesudahnya."
_TOO_LONG = f"Mandat berlaku paling lama {granting.LONGEST_YEARS} tahun. Isi tanggal yang lebih dekat."
_UNDER_WAY = (
    "Untuk pegawai ini masih ada perubahan lain yang belum selesai. Selesaikan dahulu, lalu tunjuk lagi."
)


class GrantForm(FlaskForm):
    nip = NipOfAnotherField("NIP")
    scope = ChoiceField(
        "Lingkup",
        "Pilih satu instansi atau pusat.",
        [("instansi", "Satu instansi"), ("pusat", "Pusat: semua instansi")],
    )
    instansi = StringField("Instansi")
    sk_number = LetterField("Nomor SK", "Isi nomor SK penunjukan, misalnya SK-12/2026.", 100)
    until = DayField("Hari terakhir")

    code: str | None = None  # of the one instansi; None for pusat

    def validate_instansi(self, field: StringField) -> None:
        if self.scope.data != "instansi":
            return
        if not (field.data or "").strip():
            raise ValidationError("Isi kode atau nama instansinya.")
        with reading() as db:
            meant = Instansi.meant_by(db, field.data or "", _MOST_MEANT + 1)
        if not meant:
            raise ValidationError(_NO_INSTANSI)
        if len(meant) > 1:
            named = "; ".join(f"{one.name} ({one.code})" for one in meant[:_MOST_MEANT])
            more = ", dan lainnya" if len(meant) > _MOST_MEANT else ""
            raise ValidationError(f"Lebih dari satu instansi cocok. Isi kodenya: {named}{more}.")
        self.code = meant[0].code


class RevocationForm(FlaskForm):
    reason = LetterField("Alasan", "Isi alasannya. Orang yang bersangkutan akan membacanya.", 300)


class HandoverForm(FlaskForm):
    nip = NipOfAnotherField("NIP penggantinya")
    sk_number = LetterField("Nomor SK", "Isi nomor SK penunjukan, misalnya SK-12/2026.", 100)
    until = DayField("Hari terakhir mandat pengganti")
    former_until = DayField("Hari terakhir mandat lama (opsional)", validators=[Optional()])

    @property
    def successor(self) -> handing.Successor:
        return handing.Successor(
            self.nip.value, self.sk_number.value, self.until.value, self.former_until.data
        )


class SearchForm(FlaskForm):
    """What the admin looks for. Every field may stay empty."""

    class Meta:
        csrf = False  # looking changes nothing

    cari = StringField("Nama atau NIP")
    instansi = StringField("Instansi")
    keadaan = ChoiceField(
        "Status",
        "Pilih salah satu dari daftar.",
        [(state.value, state.label) for state in MandateState],
        filters=[lambda typed: typed or MandateState.IN_FORCE.value],
    )

    digits: str = ""
    words: tuple[str, ...] = ()

    def validate_cari(self, field: StringField) -> None:
        typed = (field.data or "").strip()
        if any(letter.isdigit() for letter in typed):
            beginning = read_nip_beginning(typed)
            if not isinstance(beginning, str):
                raise ValidationError(beginning.sentence)
            self.digits = beginning
        elif typed:
            self.words = tuple(asked_for(typed))[:_MOST_WORDS]
            if not self.words:
                raise ValidationError("Isi nama dengan huruf, misalnya sari wulan, atau NIP dengan angka.")

    def validate_instansi(self, field: StringField) -> None:
        if not (field.data or "").isprintable():
            raise ValidationError("Isi kode atau nama instansi.")

    @property
    def wanted(self) -> MandateFilter:
        return MandateFilter(
            MandateState(self.keadaan.data or ""), self.digits, self.words, (self.instansi.data or "").strip()
        )

    @property
    def asked(self) -> dict[str, Any]:
        return {name: self[name].data for name in ("cari", "instansi", "keadaan") if self[name].data}


@blueprint.get("")
def page() -> ResponseReturnValue:
    form, before = SearchForm(request.args), request.args.get("sebelum", type=row_id)
    if not form.validate():
        return _list(form, [], {}, status=422)
    with reading() as db:
        today = today_in_jakarta(now())
        found = find_mandates(db, authority(), form.wanted, today, before, ROWS_A_PAGE + 1)
        decisions = decisions_about(db, found)
    page = cut(found, ROWS_A_PAGE, lambda mandate: mandate.id)
    return _list(form, page.rows, decisions, next_before=page.next)


def _list(
    form: SearchForm,
    found: Sequence[AdminMandate],
    decisions: dict[int, int],
    *,
    next_before: int | None = None,
    status: int = 200,
) -> Response:
    page = render_template(
        "admin/instansi/mandates.html", form=form, has_errors=bool(form.errors), found=found,
        decisions=decisions, today=today_in_jakarta(now()), soon=ENDS_SOON.days,
        is_over_many=authority().only_instansi_id is None, is_first="sebelum" not in request.args,
        first_url=url_for("admin.mandates.page", **form.asked),
        next_url=url_for("admin.mandates.page", **form.asked, sebelum=next_before) if next_before else None,
    )  # fmt: skip
    return make_response(page, status)


@blueprint.get("/baru")
@only_pusat
def new() -> ResponseReturnValue:
    """An empty form; or, to prolong a mandate, one that lacks only the new SK and the new last day."""
    with reading() as db:
        prolonged = db.get(AdminMandate, request.args.get("perpanjang", 0, type=row_id))
    if prolonged is None:
        return _grant_page(GrantForm(scope="instansi"))
    instansi = prolonged.instansi
    return _grant_page(
        GrantForm(
            nip=prolonged.user.nip,
            scope="instansi" if instansi else "pusat",
            instansi=instansi.code if instansi else "",
        )
    )


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
            refuse(form.nip, _UNKNOWN)
        case granting.MayNotEnter():
            refuse(form.nip, granted.sentence)
        case UnknownInstansi():
            refuse(form.instansi, _NO_INSTANSI)
        case granting.AlreadyOver():
            refuse(form.until, _OVER)
        case granting.TooLong():
            refuse(form.until, _TOO_LONG)
        case UnderWay():
            form.form_errors = [_UNDER_WAY]
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


@blueprint.get("/<row:mandate_id>/serahkan")
def handover(mandate_id: int) -> ResponseReturnValue:
    return _handover_page(HandoverForm(), mandate_id)


def _handover_again(mandate_id: int) -> ResponseReturnValue:
    return _handover_page(kept_form.filled(HandoverForm()), mandate_id)


@blueprint.post("/<row:mandate_id>/serahkan")
@kept_form.keeps_form(_handover_again)
@password_confirmed
def hand_over(mandate_id: int) -> ResponseReturnValue:
    form = HandoverForm()
    if not form.validate():
        return _handover_page(form, mandate_id, 422)
    with unit_of_work() as db:
        outcome = handing.hand_over_mandate(db, mandate_id, form.successor, desk_act())
    match outcome:
        case AdminMandate(awaits_second=True):
            flash(
                f"{outcome.user.name} memegang mandat ini setelah admin pusat lain mengonfirmasinya. Sampai "
                "saat itu mandat yang lama tetap berlaku.",
                "success",
            )
            return redirect(url_for("admin.mandates.page"), 303)
        case AdminMandate():
            flash(
                f"Mandat {outcome.scope} sekarang dipegang {outcome.user.name}, sampai "
                f"{shown_date(outcome.ends_on)}.",
                "success",
            )
            return redirect(url_for("admin.mandates.page"), 303)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case handing.NotInForce():
            flash("Mandat itu tidak berlaku lagi, jadi tidak ada yang dapat diserahkan.", "info")
            return redirect(url_for("admin.mandates.page"), 303)
        case _:
            _refuse_handover(form, outcome)
            return _handover_page(form, mandate_id, 422)


def _refuse_handover(
    form: HandoverForm,
    refusal: (
        granting.UnknownPerson
        | granting.MayNotEnter
        | granting.AlreadyOver
        | granting.TooLong
        | handing.SamePerson
        | handing.HandoverWaits
        | handing.NotThatDay
        | handing.TooManyProposals
        | UnderWay
    ),
) -> None:
    match refusal:
        case granting.UnknownPerson():
            sentence = _UNKNOWN if authority().is_pusat else _UNKNOWN_HERE
            refuse(form.nip, sentence)
        case granting.MayNotEnter():
            refuse(form.nip, refusal.sentence)
        case granting.AlreadyOver():
            refuse(form.until, _OVER)
        case granting.TooLong():
            refuse(form.until, _TOO_LONG)
        case handing.SamePerson():
            refuse(form.nip, "Ini pemegang mandat yang sekarang. Isi NIP penggantinya.")
        case handing.NotThatDay():
            refuse(
                form.former_until,
                f"Isi hari ini, atau hari lain dalam {handing.LONGEST_TOGETHER.days} hari ke depan.",
            )
        case handing.HandoverWaits():
            form.form_errors = [
                "Sudah ada pengganti yang menunggu konfirmasi admin pusat. Bila keliru, batalkan dahulu "
                "lewat Perbaikan email > Menunggu admin kedua."
            ]
        case handing.TooManyProposals():
            form.form_errors = ["Hari ini sudah terlalu banyak usulan untuk mandat ini. Coba lagi besok."]
        case UnderWay():
            form.form_errors = [_UNDER_WAY]
        case _:
            assert_never(refusal)


def _handover_page(form: HandoverForm, mandate_id: int, status: int = 200) -> Response:
    with reading() as db:
        mandate = handing.mandate_within_reach(db, mandate_id, authority())
        if not isinstance(mandate, AdminMandate):
            raise stopped(mandate)
        if not mandate.is_in_force(today_in_jakarta(now())):
            abort(404)
    is_proposal = (
        not authority().is_pusat or mandate.instansi_id is None or mandate.user_id == authority().admin.id
    )
    page = render_template(
        "admin/instansi/hand_over.html",
        form=form,
        mandate=mandate,
        is_proposal=is_proposal,
        years=granting.LONGEST_YEARS,
        together=handing.LONGEST_TOGETHER.days,
        has_errors=bool(form.errors),
    )
    return make_response(page, status)


def _grant_page(form: GrantForm, status: int = 200) -> Response:
    page = render_template(
        "admin/instansi/grant_mandate.html",
        form=form,
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
