"""/admin/pegawai/<person>: the state of one person's account and the reason for it, and what an admin can do
about it. Each dangerous act has its own page."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, ValidationError

from app.domain.categories import Category
from app.domain.identity import ChangeState
from app.domain.indonesian_time import now, timed, today_in_jakarta
from app.domain.staff_file import CellFault, read_phone
from app.flows.identity.put_on_record import NipTaken
from app.flows.people.correct_record import Corrected, Decision, OneAtATime, Record, Stale, correct_record
from app.flows.people.deactivate import AlreadySo, deactivate, reactivate
from app.flows.people.end_sessions import NothingOpen, SessionsEnded, end_sessions
from app.flows.people.move_person import AlreadyThere, Moved, move_person
from app.flows.people.send_token import Held, IsDeactivated, NoAddress, OnItsWay, send_token
from app.flows.people.unlock import unlock_person
from app.flows.people.view_person import open_record, view_person
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi, UnknownInstansi
from app.models.login_session import LoginSession
from app.models.user import User
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security.authority import NotToTouch, OutOfReach
from app.web import kept_form
from app.web.admins import authority, desk_act, password_confirmed, stopped
from app.web.fields import ChoiceField, LetterField, LineField, NipOfAnotherField, refuse
from app.web.form_ids import new_form_id, submission
from app.web.times import told
from app.web.words.trail import words_for

blueprint = Blueprint("person", __name__, url_prefix="/pegawai/<row:person_id>")

_LONGEST_REASON = 500
_ASK_FOR_REASON = "Isi alasannya, misalnya nomor surat atau siapa yang meminta."


class ReasonForm(FlaskForm):
    reason = LetterField("Alasan", _ASK_FOR_REASON, _LONGEST_REASON)


class RecordForm(FlaskForm):
    seen = HiddenField()
    nip = NipOfAnotherField("NIP")
    name = LetterField("Nama", "Isi nama lengkap pegawai.", 200)
    category = ChoiceField("Kategori", "Pilih kategorinya.", [(kind.value, kind.label) for kind in Category])
    work_unit = LetterField("Unit kerja", "Isi nama unit kerja.", 200)
    phone = StringField("Telepon")
    reason = LetterField("Alasan", _ASK_FOR_REASON, _LONGEST_REASON)

    def validate_phone(self, field: StringField) -> None:
        if isinstance(fault := read_phone(field.data or ""), CellFault):
            raise ValidationError(fault.sentence)

    @property
    def record(self) -> Record:
        phone = read_phone(self.phone.data or "")
        assert not isinstance(phone, CellFault), "read before it was validated"
        return Record(
            self.nip.value, self.name.value, Category(self.category.data or ""), self.work_unit.value, phone
        )


class MoveForm(FlaskForm):
    code = LineField("Instansi tujuan", "Pilih instansi tujuan.", 20)
    reason = LetterField("Alasan", "Isi alasannya, misalnya nomor SK mutasi.", _LONGEST_REASON)


@blueprint.get("")
def page(person_id: int) -> ResponseReturnValue:
    with unit_of_work() as db:
        view = view_person(db, person_id, desk_act())
    if isinstance(view, OutOfReach):
        raise stopped(view)
    return render_template(
        "admin/people/person.html",
        view=view,
        person=view.person,
        held=authority(),
        words_for=words_for,
        form_id=new_form_id(),
    )


@blueprint.get("/ubah")
def edit(person_id: int) -> ResponseReturnValue:
    person = _on_screen(person_id)
    record = Record.of(person)
    return _edit_page(
        person, RecordForm(formdata=None, data={**vars(record), "nip": record.nip.grouped}), record.version
    )


def _record_again(person_id: int) -> ResponseReturnValue:
    form = kept_form.filled(RecordForm())
    return _edit_page(_on_screen(person_id), form, form.seen.data or "")


@blueprint.post("/ubah")
@kept_form.keeps_form(_record_again)
@password_confirmed
def save(person_id: int) -> ResponseReturnValue:
    form = RecordForm()
    person, seen = _whom(person_id), form.seen.data or ""
    if not form.validate():
        return _edit_page(person, form, seen, 422)
    with unit_of_work() as db:
        opens_cpns = portal().settings.cpns_activation == "otomatis"
        decision = Decision(form.record, form.reason.value, seen)
        outcome = correct_record(
            db, person_id, decision, portal().settings.email_change_delay, desk_act(),
            cpns_open_by_themselves=opens_cpns,
        )  # fmt: skip
    match outcome:
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case Corrected(columns=()):
            return _back(person_id, "Data sudah seperti itu, jadi tidak ada yang diubah.", "info")
        case Corrected(change=IdentityChange() as change) if change.state is not ChangeState.DONE:
            return _back(person_id, _waits(change))
        case Corrected():
            return _back(person_id, f"Data sudah dibetulkan: {outcome.words}.")
        case OneAtATime():
            form.form_errors = [
                "NIP dan kategori PPT Non ASN diputuskan satu per satu. Simpan dahulu yang satu, lalu yang "
                "lain."
            ]
            return _edit_page(person, form, seen, 422)
        case Stale():
            form.form_errors = [
                "Data berubah sejak halaman ini dibuka. Bandingkan isian Anda dengan data sekarang, lalu "
                "simpan lagi."
            ]
            person = _whom(person_id)
            return _edit_page(person, form, Record.of(person).version, 422, is_stale=True)
        case NipTaken():
            refuse(
                form.nip,
                "NIP ini tidak dapat dipakai. Periksa lagi angkanya; bila sudah benar, hubungi admin pusat.",
            )
            return _edit_page(person, form, seen, 422)


@blueprint.post("/kirim-token")
def resend(person_id: int) -> ResponseReturnValue:
    with unit_of_work() as db:
        outcome = send_token(db, person_id, _submission(person_id), desk_act())
    match outcome:
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case OnItsWay(masked_address):
            return _back(person_id, f"Token sedang dikirim ke {masked_address}.")
        case Held():
            return _back(
                person_id,
                "Token tidak dikirim: di kotak suratnya sudah ada token yang masih berlaku. Minta ia "
                "memakai salah satunya.",
                "info",
            )
        case NoAddress():
            return _back(
                person_id, "Token tidak dikirim: belum ada email di data. Isi dahulu emailnya.", "info"
            )
        case IsDeactivated():
            return _back(
                person_id,
                "Token tidak dikirim: akun ini dinonaktifkan, jadi token tidak membuka apa pun.",
                "info",
            )


@blueprint.post("/buka-batas")
@password_confirmed
def unlock(person_id: int) -> ResponseReturnValue:
    with unit_of_work() as db:
        outcome = unlock_person(db, person_id, desk_act())
    if not isinstance(outcome, User):
        raise stopped(outcome)
    return _back(person_id, "Batas percobaan sudah dibuka. Pegawai dapat mencoba lagi sekarang.")


@blueprint.get("/nonaktifkan")
def ask_to_deactivate(person_id: int) -> ResponseReturnValue:
    return _reason_page("admin/people/deactivate.html", _on_screen(person_id), ReasonForm())


def _deactivation_again(person_id: int) -> ResponseReturnValue:
    return _reason_page("admin/people/deactivate.html", _on_screen(person_id), kept_form.filled(ReasonForm()))


@blueprint.post("/nonaktifkan")
@kept_form.keeps_form(_deactivation_again)
@password_confirmed
def close(person_id: int) -> ResponseReturnValue:
    form, person = ReasonForm(), _whom(person_id)
    if not form.validate():
        return _reason_page("admin/people/deactivate.html", person, form, 422)
    with unit_of_work() as db:
        outcome = deactivate(db, person_id, form.reason.value, desk_act())
    match outcome:
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case User():
            return _back(
                person_id,
                "Akun sudah dinonaktifkan. Semua sesi dan token berakhir, dan pemiliknya diberi tahu.",
            )
        case AlreadySo():
            return _back(person_id, "Akun ini sudah dinonaktifkan sebelumnya.", "info")


@blueprint.get("/aktifkan")
def ask_to_reactivate(person_id: int) -> ResponseReturnValue:
    return _reason_page("admin/people/reactivate.html", _on_screen(person_id), ReasonForm())


def _reactivation_again(person_id: int) -> ResponseReturnValue:
    return _reason_page("admin/people/reactivate.html", _on_screen(person_id), kept_form.filled(ReasonForm()))


@blueprint.post("/aktifkan")
@kept_form.keeps_form(_reactivation_again)
@password_confirmed
def open_again(person_id: int) -> ResponseReturnValue:
    form, person = ReasonForm(), _whom(person_id)
    if not form.validate():
        return _reason_page("admin/people/reactivate.html", person, form, 422)
    with unit_of_work() as db:
        outcome = reactivate(db, person_id, form.reason.value, desk_act())
    match outcome:
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case User():
            return _back(
                person_id, f"Akun sudah diaktifkan kembali. Statusnya sekarang: {outcome.activation.label}."
            )
        case AlreadySo():
            return _back(person_id, "Akun ini tidak sedang dinonaktifkan.", "info")


@blueprint.get("/akhiri-sesi")
def ask_to_end_sessions(person_id: int) -> ResponseReturnValue:
    return _sessions_page(_on_screen(person_id), ReasonForm())


def _end_of_sessions_again(person_id: int) -> ResponseReturnValue:
    return _sessions_page(_on_screen(person_id), kept_form.filled(ReasonForm()))


@blueprint.post("/akhiri-sesi")
@kept_form.keeps_form(_end_of_sessions_again)
@password_confirmed
def end_all_sessions(person_id: int) -> ResponseReturnValue:
    form, person = ReasonForm(), _whom(person_id)
    if not form.validate():
        return _sessions_page(person, form, 422)
    with unit_of_work() as db:
        outcome = end_sessions(db, person_id, form.reason.value, desk_act())
    match outcome:
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case SessionsEnded(how_many):
            return _back(
                person_id, f"{how_many} sesi sudah diakhiri, dan pemiliknya diberi tahu lewat email."
            )
        case NothingOpen():
            return _back(person_id, "Tidak ada sesi yang terbuka, jadi tidak ada yang diubah.", "info")


@blueprint.get("/mutasi")
def ask_to_move(person_id: int) -> ResponseReturnValue:
    return _move_page(_on_screen(person_id), MoveForm())


def _move_again(person_id: int) -> ResponseReturnValue:
    return _move_page(_on_screen(person_id), kept_form.filled(MoveForm()))


@blueprint.post("/mutasi")
@kept_form.keeps_form(_move_again)
@password_confirmed
def move(person_id: int) -> ResponseReturnValue:
    form, person = MoveForm(), _whom(person_id)
    if not form.validate():
        return _move_page(person, form, 422)
    with unit_of_work() as db:
        outcome = move_person(db, person_id, form.code.value, form.reason.value, desk_act())
    match outcome:
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case Moved(change=change) if change.state is not ChangeState.DONE:
            return _back(person_id, _waits(change))
        case Moved(to=target):
            flash(
                f"Pegawai sudah pindah ke {target.name}, dan admin di sana yang mengurusnya sekarang.",
                "success",
            )
            return redirect(url_for("admin.people.page"), 303)
        case AlreadyThere():
            refuse(form.code, "Pegawai ini sudah di instansi itu. Pilih instansi tujuan yang lain.")
        case UnknownInstansi():
            refuse(form.code, "Instansi tujuan tidak dikenal. Pilih salah satu dari daftar.")
    return _move_page(person, form, 422)


def _on_screen(person_id: int) -> User:
    """The person to act on. Their record is shown on the screen, so the look is recorded."""
    _whom(person_id)
    with unit_of_work() as db:
        person = open_record(db, person_id, desk_act())
    if isinstance(person, OutOfReach):
        raise stopped(person)
    return person


def _whom(person_id: int) -> User:
    """The person to act on, as things are now; the act itself checks once more, under its lock."""
    with reading() as db:
        person = authority().person(db, person_id)
        objection = (
            authority().objection(db, person, today_in_jakarta(now())) if isinstance(person, User) else None
        )
    if isinstance(person, OutOfReach) or objection:
        raise stopped(objection or OutOfReach())
    return person


def _edit_page(
    person: User, form: RecordForm, seen: str, status: int = 200, *, is_stale: bool = False
) -> Response:
    page = render_template(
        "admin/people/edit.html",
        person=person,
        form=form,
        seen=seen,
        is_stale=is_stale,
        has_errors=bool(form.errors),
    )
    return make_response(page, status)


def _reason_page(template: str, person: User, form: ReasonForm, status: int = 200) -> Response:
    return make_response(
        render_template(template, person=person, form=form, has_errors=bool(form.errors)), status
    )


def _sessions_page(person: User, form: ReasonForm, status: int = 200) -> Response:
    with reading() as db:
        sessions = LoginSession.all_of(db, person.id, person.credential_version, now())
    page = render_template(
        "admin/people/end_sessions.html",
        person=person,
        form=form,
        sessions=len(sessions),
        has_errors=bool(form.errors),
    )
    return make_response(page, status)


def _move_page(person: User, form: MoveForm, status: int = 200) -> Response:
    with reading() as db:
        others = Instansi.choices(db, Instansi.id != person.instansi_id)
    page = render_template(
        "admin/people/move.html", person=person, form=form, others=others, has_errors=bool(form.errors)
    )
    return make_response(page, status)


def _back(person_id: int, words: str, kind: str = "success") -> ResponseReturnValue:
    flash(words, kind)
    return redirect(url_for("admin.person.page", person_id=person_id), 303)


def _waits(change: IdentityChange) -> str:
    if change.state is ChangeState.SCHEDULED and change.effective_at:
        return told(
            timed(
                f"{change.kind.heading} baru berlaku pada ",
                change.effective_at,
                "; pemilik akun sudah diberi tahu.",
            )
        )
    return f"Perubahan {change.kind.label} menunggu konfirmasi admin kedua."


def _submission(person_id: int) -> str:
    """One page sends at most one mail: a double click sends the same form."""
    return submission(request.form.get("form_id"), "kirim-token", str(person_id))
