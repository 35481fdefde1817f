"""/admin/instansi: how people reach an instansi, and when it fills in its data."""

from typing import Any

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

from app.domain.contact import (
    LONGEST_LINE,
    LONGEST_WORDS,
    Contact,
    kept_chat_number,
    kept_email,
    kept_phone,
)
from app.domain.indonesian_time import Zone, shown_date
from app.domain.paging import TALL_ROWS_A_PAGE, cut
from app.domain.typed_text import one_line
from app.flows.instansi.set_contact import set_contact
from app.flows.instansi.set_pdm_window import (
    ClosesBeforeOpening,
    follow_national_window,
    set_pdm_window,
)
from app.models.instansi import Instansi, UnknownInstansi
from app.models.pdm_window import PdmWindow
from app.runtime.db import reading, unit_of_work
from app.security.authority import OutOfReach
from app.web import kept_form
from app.web.admins import (
    authority,
    desk_act,
    of_one_instansi,
    only_pusat,
    password_confirmed,
    stopped,
)
from app.web.fields import ChoiceField, DayField, LineField, OfficeField, refuse
from app.web.row_ids import row_id

blueprint = Blueprint("instansi", __name__, url_prefix="/instansi")
_ONE = "/<row:instansi_id>"
_LEADS_NOWHERE = (
    "Isi kontak bantuan: minimal satu dari telepon, WhatsApp, email, loket, atau keterangan lain. Tanpa itu "
    "tidak ada yang tahu harus bertanya ke mana."
)


class ContactForm(FlaskForm):
    phone = OfficeField("Telepon", kept_phone)
    whatsapp = OfficeField("WhatsApp", kept_chat_number)
    email = OfficeField("Email", kept_email)
    place = LineField("Loket", "", LONGEST_LINE)
    hours = LineField("Jam layanan", "", LONGEST_LINE)
    contact = LineField("Keterangan lain", "", LONGEST_WORDS)
    zone = ChoiceField("Zona waktu", "Pilih zona waktu.", [(one.value, one.label) for one in Zone])

    @classmethod
    def of(cls, instansi: Instansi) -> "ContactForm":
        """The form of this instansi. What a POST does not send stays as it is: the page of an earlier release
        has only one of the fields."""
        kept = instansi.contact
        return cls(
            phone=kept.phone, whatsapp=kept.whatsapp, email=kept.email, place=kept.place, hours=kept.hours,
            contact=kept.words, zone=instansi.zone.value,
        )  # fmt: skip

    def validate(self, extra_validators: Any = None) -> bool:
        if not super().validate(extra_validators):
            return False
        if not self.value.helps:
            refuse(self.contact, _LEADS_NOWHERE)
        return self.value.helps

    @property
    def value(self) -> Contact:
        return Contact(
            phone=self.phone.value, whatsapp=self.whatsapp.value, email=self.email.value,
            place=self.place.value, hours=self.hours.value, words=self.contact.value,
        )  # fmt: skip


class WindowForm(FlaskForm):
    opens_on = DayField("Tanggal buka")
    closes_on = DayField("Tanggal tutup")


@blueprint.get("")
def page() -> ResponseReturnValue:
    held, words = authority(), one_line(request.args.get("cari", ""))
    with reading() as db:
        last = Instansi.with_id(db, request.args.get("setelah", 0, type=row_id))
        after = last if last and held.covers(last.id) else None
        found = Instansi.found(db, held.within(Instansi.id), words, after, TALL_ROWS_A_PAGE + 1)
        windows = PdmWindow.in_force_for_all(db, [instansi.id for instansi in found])
        national = PdmWindow.of(db, None)
    page = cut(found, TALL_ROWS_A_PAGE, lambda instansi: instansi.id)
    return render_template(
        "admin/instansi/list.html", found=page.rows, windows=windows, national=national, words=words,
        is_first=after is None,
        next_after=page.next,
    )  # fmt: skip


@blueprint.get(f"{_ONE}/kontak")
@of_one_instansi
def contact(instansi: Instansi) -> ResponseReturnValue:
    return _contact_page(ContactForm.of(instansi), instansi)


@of_one_instansi
def _contact_again(instansi: Instansi) -> ResponseReturnValue:
    return _contact_page(kept_form.filled(ContactForm.of(instansi)), instansi)


@blueprint.post(f"{_ONE}/kontak")
@kept_form.keeps_form(_contact_again)
@of_one_instansi
@password_confirmed
def change_contact(instansi: Instansi) -> ResponseReturnValue:
    form = ContactForm.of(instansi)
    if not form.validate():
        return _contact_page(form, instansi, 422)
    with unit_of_work() as db:
        changed = set_contact(db, instansi.id, form.value, Zone(form.zone.value), desk_act())
    if isinstance(changed, OutOfReach):
        raise stopped(changed)
    flash(
        f"Kontak bantuan {changed.name} disimpan. Semua halaman dan email memakainya mulai sekarang.",
        "success",
    )
    return redirect(url_for("admin.instansi.page"), 303)


@blueprint.get(f"{_ONE}/jadwal")
@of_one_instansi
@only_pusat
def window(instansi: Instansi) -> ResponseReturnValue:
    with reading() as db:
        own = PdmWindow.of(db, instansi.id)
    form = WindowForm(obj=own)
    return _window_page(form, instansi)


@of_one_instansi
@only_pusat
def _window_again(instansi: Instansi) -> ResponseReturnValue:
    return _window_page(kept_form.filled(WindowForm()), instansi)


@blueprint.post(f"{_ONE}/jadwal")
@kept_form.keeps_form(_window_again)
@of_one_instansi
@only_pusat
@password_confirmed
def set_window(instansi: Instansi) -> ResponseReturnValue:
    return _set_window(instansi)


@blueprint.post(f"{_ONE}/jadwal/ikut-nasional")
@of_one_instansi
@only_pusat
@password_confirmed
def follow_national(instansi: Instansi) -> ResponseReturnValue:
    with unit_of_work() as db:
        follow_national_window(db, instansi, desk_act())
    flash(f"{instansi.name} sekarang mengikuti jadwal nasional.", "success")
    return redirect(url_for("admin.instansi.page"), 303)


@blueprint.get("/jadwal-nasional")
@only_pusat
def national_window() -> ResponseReturnValue:
    with reading() as db:
        held = PdmWindow.of(db, None)
    form = WindowForm(obj=held)
    return _window_page(form, None)


@only_pusat
def _national_window_again() -> ResponseReturnValue:
    return _window_page(kept_form.filled(WindowForm()), None)


@blueprint.post("/jadwal-nasional")
@kept_form.keeps_form(_national_window_again)
@only_pusat
@password_confirmed
def set_national_window() -> ResponseReturnValue:
    return _set_window(None)


def _set_window(instansi: Instansi | None) -> ResponseReturnValue:
    form = WindowForm()
    if not form.validate():
        return _window_page(form, instansi, 422)
    opens_on, closes_on, code = form.opens_on.value, form.closes_on.value, instansi.code if instansi else None
    with unit_of_work() as db:
        written = set_pdm_window(db, opens_on, closes_on, code, desk_act())
    match written:
        case ClosesBeforeOpening():
            refuse(
                form.closes_on,
                "Tanggal tutup lebih awal daripada tanggal buka. Isi hari terakhir yang masih dibuka.",
            )
            return _window_page(form, instansi, 422)
        case UnknownInstansi():
            abort(404)
        case PdmWindow():
            whose = instansi.name if instansi else "nasional"
            flash(f"Jadwal PDM {whose}: {shown_date(opens_on)} sampai {shown_date(closes_on)}.", "success")
    return redirect(url_for("admin.instansi.page"), 303)


def _contact_page(form: ContactForm, instansi: Instansi, status: int = 200) -> Response:
    page = render_template(
        "admin/instansi/contact.html", form=form, instansi=instansi, has_errors=bool(form.errors)
    )
    return make_response(page, status)


def _window_page(form: WindowForm, instansi: Instansi | None, status: int = 200) -> Response:
    with reading() as db:
        own = PdmWindow.of(db, instansi.id) if instansi else None
        national = PdmWindow.of(db, None)
    page = render_template(
        "admin/instansi/pdm_window.html",
        form=form,
        instansi=instansi,
        own=own,
        national=national,
        has_errors=bool(form.errors),
    )
    return make_response(page, status)
