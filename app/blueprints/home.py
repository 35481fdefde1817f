"""/ and /beranda: the home page Pemutakhiran Data Mandiri, and what its owner can do there."""

from typing import assert_never

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import TextAreaField, ValidationError

from app.domain.corrections import CorrectionField
from app.domain.pdm_groups import as_bits, pdm_groups
from app.domain.staff_file import LONGEST_PHONE, CellFault, read_phone
from app.domain.typed_text import few_lines
from app.flows.people.ask_to_correct_record import (
    AskedBefore,
    NoAddressOnRecord,
    NothingToCorrect,
    SessionIsOver,
    Wish,
    ask_to_correct_record,
)
from app.flows.people.correct_record import Record
from app.models.email_correction import EmailCorrection
from app.models.user import User
from app.runtime.db import unit_of_work
from app.runtime.portal import portal
from app.security.throttle import TooManyTries
from app.web import kept_form, limits, sessions
from app.web.acts import own_act
from app.web.admins import password_confirmed
from app.web.fields import LineField, NipField, refuse
from app.web.headers import takes
from app.web.home_page import FIELDS, home
from app.web.sessions import login_required
from app.web.template_filters import whole

blueprint = Blueprint("home", __name__)

_LONGEST_REASON = 500


class WishForm(FlaskForm):
    """Every subclass has the field `wanted`, in the shape of one part of the record, and then the reason: the
    summary names the faults in the order of the fields."""

    wanted: LineField | NipField
    reason: TextAreaField

    def validate_reason(self, field: TextAreaField) -> None:
        reason = few_lines(field.data or "")
        if not reason:
            raise ValidationError("Tulis apa yang keliru, dan dokumen yang membuktikannya.")
        if len(reason) > _LONGEST_REASON:
            raise ValidationError(f"Isian ini terlalu panjang. Tulis paling banyak {_LONGEST_REASON} huruf.")

    @property
    def value(self) -> str:
        """As the record writes it."""
        return self.wanted.value.digits if isinstance(self.wanted, NipField) else self.wanted.value


class NameForm(WishForm):
    wanted = LineField("Nama yang benar", "Isi nama lengkap Anda, seperti pada SK terakhir.", 200)
    reason = TextAreaField("Alasan")


class WorkUnitForm(WishForm):
    wanted = LineField("Unit kerja yang benar", "Isi unit kerja Anda, misalnya Dinas Kesehatan.", 200)
    reason = TextAreaField("Alasan")


class PhoneForm(WishForm):
    wanted = LineField(
        "Nomor telepon yang benar", "Isi nomor telepon Anda, misalnya 081234567890.", LONGEST_PHONE
    )
    reason = TextAreaField("Alasan")

    def validate_wanted(self, field: LineField) -> None:
        if not field.errors and isinstance(read_phone(field.value), CellFault):
            raise ValidationError("Tulis nomor telepon lengkap dengan angka saja, misalnya 081234567890.")


class NipForm(WishForm):
    wanted = NipField("NIP yang benar")
    reason = TextAreaField("Alasan")


_FORMS = {
    "nama": NameForm,
    "nip": NipForm,
    "unit-kerja": WorkUnitForm,
    "telepon": PhoneForm,
}


@blueprint.get("/")
def index() -> ResponseReturnValue:
    return redirect(url_for("home.beranda" if sessions.visitor() else "login.page"), 303)


@blueprint.get("/beranda")
@login_required
def beranda() -> ResponseReturnValue:
    return home(sessions.require_visitor())


@blueprint.post("/beranda/persiapan")
@takes(many=("siap",))
@login_required
def prepare() -> ResponseReturnValue:
    """Write down which boxes were ticked and unticked on this page. What another tab has ticked meanwhile
    stays as it is."""
    user = sessions.require_visitor().user
    groups = pdm_groups(user.category)
    ticked = as_bits(request.form.getlist("siap"), groups)
    shown = as_bits(request.form.get("tadi", "").split(), groups)
    with unit_of_work() as db:
        User.note_prepared(db, user.id, ticked & ~shown, shown & ~ticked)
    flash("Daftar persiapan Anda sudah disimpan.", "success")
    return redirect(url_for("home.beranda", _anchor="persiapan"), 303)


@blueprint.get("/beranda/perbaikan/nama", defaults={"part": "nama"})
@blueprint.get("/beranda/perbaikan/nip", defaults={"part": "nip"})
@blueprint.get("/beranda/perbaikan/unit-kerja", defaults={"part": "unit-kerja"})
@blueprint.get("/beranda/perbaikan/telepon", defaults={"part": "telepon"})
@login_required
def ask(part: str) -> ResponseReturnValue:
    return _ask_page(part, _FORMS[part]())


@login_required
def _ask_again(part: str) -> ResponseReturnValue:
    return _ask_page(part, kept_form.filled(_FORMS[part]()))


@blueprint.post("/beranda/perbaikan/nama", defaults={"part": "nama"})
@blueprint.post("/beranda/perbaikan/nip", defaults={"part": "nip"})
@blueprint.post("/beranda/perbaikan/unit-kerja", defaults={"part": "unit-kerja"})
@blueprint.post("/beranda/perbaikan/telepon", defaults={"part": "telepon"})
@login_required
@kept_form.keeps_form(_ask_again)
@password_confirmed
def send(part: str) -> ResponseReturnValue:
    form = _FORMS[part]()
    if not form.validate():
        return _ask_page(part, form, 422)
    wish = Wish(FIELDS[part], form.value, few_lines(form.reason.data or ""))
    with unit_of_work() as db:
        outcome = ask_to_correct_record(db, wish, own_act())
    match outcome:
        case EmailCorrection(ticket=ticket):
            flash(
                Markup("Permintaan Anda sudah dikirim. Nomor tiket: {}").format(whole(ticket, ".")), "success"
            )
            return redirect(url_for("home.beranda"), 303)
        case SessionIsOver():
            return sessions.redirect_to_login()
        case NoAddressOnRecord():
            form.form_errors = [_NO_ADDRESS]
        case NothingToCorrect():
            refuse(form.wanted, "Di data kepegawaian sudah tertulis begitu. Periksa lagi yang Anda ketik.")
        case AskedBefore():
            form.form_errors = [_ASKED_BEFORE]
        case TooManyTries(seconds):
            form.form_errors = [_ENOUGH_FOR_TODAY]
            return limits.too_many(_ask_page(part, form, 429), seconds)
        case _:
            assert_never(outcome)
    return _ask_page(part, form, 422)


_NO_ADDRESS = (
    "Di data kepegawaian belum ada email Anda, jadi jawabannya tidak dapat dikirim. Minta email Anda dicatat "
    "dahulu lewat halaman Perbaikan email."
)
_ENOUGH_FOR_TODAY = (
    "Anda sudah beberapa kali meminta perbaikan hari ini. Coba lagi besok, atau hubungi kepegawaian instansi "
    "Anda."
)
_ASKED_BEFORE = (
    "Permintaan Anda yang sebelumnya tentang hal ini belum selesai. Tunggu jawabannya; statusnya ada di "
    "Beranda."
)


def _ask_page(part: str, form: WishForm, status: int = 200) -> Response:
    user, field = sessions.require_visitor().user, FIELDS[part]
    on_record = Record.of(user).written(field)
    page = render_template(
        "home/ask_to_correct.html",
        form=form,
        field=field,
        part=part,
        is_nip=field is CorrectionField.NIP,
        on_record=user.shown_nip.grouped if field is CorrectionField.NIP else on_record,
        delay_hours=portal().settings.email_change_delay_hours,
        user=user,
        has_errors=bool(form.errors),
    )
    return make_response(page, status)
