"""/admin/pegawai: an admin finds people, page by page, and takes the list along as a file."""

from collections import Counter
from dataclasses import dataclass

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import StringField, ValidationError

from app.domain.categories import Activation, Category
from app.domain.email_address import EmailAddress, read_email
from app.domain.nip import read_nip_beginning
from app.domain.spoken_name import asked_for
from app.flows.people.find_people import (
    MOST_EXPORTED,
    PeopleFilter,
    PeoplePage,
    all_found,
    export_people,
    find_people,
    scope_of,
    stuck_since,
    units_of,
)
from app.models.instansi import Instansi
from app.models.stuck import Stuck
from app.models.user import User
from app.runtime.db import reading, unit_of_work
from app.web import exports, kept_form
from app.web.admins import authority, desk_act, password_confirmed
from app.web.fields import ChoiceField, refuse
from app.web.paging import an_id, digits, moment, read_cursor, word, written

blueprint = Blueprint("people", __name__, url_prefix="/pegawai")

_FILTERS = ("nip", "nama", "email", "status", "kategori", "unit", "macet", "instansi")
_HEADER = ["NIP", "Nama", "Kategori", "Kode instansi", "Unit kerja", "Status", "Email", "Macet sejak"]
_ALL = ("", "Semua")
_CHOOSE = "Pilih salah satu dari daftar."
_MOST_WORDS = 5
# The keys of the indexes of `find_people`. Over all instansi, the index of stuck people is in the order of
# instansi
_KEYS_OF_STUCK = {f"macet-{stuck}": (digits if stuck is Stuck.NO_EMAIL else moment, an_id) for stuck in Stuck}
_KEYS_OF = {"nip": (digits,), "nama": (word, an_id), **_KEYS_OF_STUCK}
_KEYS_OVER_ALL = _KEYS_OF | {index: (an_id, *keys) for index, keys in _KEYS_OF_STUCK.items()}
_CUT = f"Daftar ini terpotong: paling banyak {MOST_EXPORTED} baris. Persempit pencarian, lalu ekspor lagi."


def _or_nothing(typed: str | None) -> str:
    return typed or ""


class PeopleForm(FlaskForm):
    """What the admin looks for. Every field may stay empty; a text that its field cannot mean is refused with
    a sentence."""

    class Meta:
        csrf = False  # looking changes nothing; the export has a token of its own

    nip = StringField("NIP, atau angka depannya")
    nama = StringField("Nama")
    email = StringField("Email")
    status = ChoiceField(
        "Status",
        _CHOOSE,
        [_ALL, *((state.value, state.label) for state in Activation)],
        filters=[_or_nothing],
    )
    kategori = ChoiceField(
        "Kategori", _CHOOSE, [_ALL, *((kind.value, kind.label) for kind in Category)], filters=[_or_nothing]
    )
    unit = StringField("Unit kerja")
    macet = ChoiceField(
        "Macet", _CHOOSE, [_ALL, *((place.value, place.label) for place in Stuck)], filters=[_or_nothing]
    )
    instansi = StringField("Kode instansi")

    nip_prefix: str = ""
    address: EmailAddress | None = None

    def validate_nip(self, field: StringField) -> None:
        beginning = read_nip_beginning(field.data or "")
        if not isinstance(beginning, str):
            raise ValidationError(beginning.sentence)
        self.nip_prefix = beginning

    def validate_nama(self, field: StringField) -> None:
        if (field.data or "").strip() and not asked_for(field.data or ""):
            raise ValidationError("Isi nama dengan huruf, misalnya sari wulan.")

    def validate_email(self, field: StringField) -> None:
        if not (field.data or "").strip():
            return
        address = read_email(field.data or "")
        if not isinstance(address, EmailAddress):
            raise ValidationError("Isi alamat email seutuhnya, misalnya nama@contoh.go.id.")
        self.address = address


@dataclass(frozen=True)
class Search:
    """What a form looks for, after it was read."""

    form: PeopleForm
    wanted: PeopleFilter | None  # None where the form makes no sense
    units: list[str]


@blueprint.get("")
def page() -> ResponseReturnValue:
    with reading() as db:
        search = _read(db, PeopleForm(request.args))
        if search.wanted is None:
            return _page(search, PeoplePage([], None), 422)
        after = read_cursor(request.args.get("lanjut", ""), _KEYS_OF, _KEYS_OVER_ALL)
        return _page(search, find_people(db, authority(), search.wanted, after))


def _export_again() -> ResponseReturnValue:
    """The list with the same filters: its buttons are the form of the export."""
    flash(kept_form.why(), "info")
    with reading() as db:
        search = _read(db, PeopleForm(request.form))
        return _page(
            search,
            find_people(db, authority(), search.wanted, None) if search.wanted else PeoplePage([], None),
        )


@blueprint.post("/ekspor")
@kept_form.keeps_form(_export_again)
@password_confirmed
def export() -> ResponseReturnValue:
    """The same people as a file. The email addresses stay masked, because a list is passed on easily."""
    with reading() as db:
        search = _read(db, PeopleForm(request.form))
        if search.wanted is None:
            return _page(search, PeoplePage([], None), 422)
        counts: Counter[int] = Counter()
        rows = []
        for person in all_found(db, authority(), search.wanted):
            counts.update([person.instansi_id] if person else [])
            rows.append(_row(person, search.wanted))
    file_kind = exports.kind_asked_for()
    with unit_of_work() as db:
        export_people(db, search.wanted, counts, file_kind, desk_act())
    return exports.as_file(file_kind, "pegawai", _HEADER, rows)


def _read(db: Session, form: PeopleForm) -> Search:
    """The form with its instansi and unit looked up; only pusat may name an instansi."""
    is_sound = form.validate()
    instansi = _instansi(db, form) if authority().is_pusat else None
    wanted = PeopleFilter(
        nip=form.nip_prefix,
        words=tuple(asked_for(form.nama.data or ""))[:_MOST_WORDS],
        email=form.address,
        activation=Activation(form.status.data) if form.status.data and not form.status.errors else None,
        category=Category(form.kategori.data) if form.kategori.data and not form.kategori.errors else None,
        stuck=Stuck(form.macet.data) if form.macet.data and not form.macet.errors else None,
        instansi_id=instansi.id if instansi else None,
    )
    scope = scope_of(authority(), wanted)
    units = units_of(db, scope) if scope is not None else []
    if form.unit.data in units:
        wanted = PeopleFilter(**{**vars(wanted), "work_unit": form.unit.data})
    is_sound = is_sound and not form.instansi.errors
    return Search(form, wanted if is_sound else None, units)


def _instansi(db: Session, form: PeopleForm) -> Instansi | None:
    code = (form.instansi.data or "").strip()
    instansi = Instansi.with_code(db, code) if code and code.isprintable() else None
    if code and instansi is None:
        refuse(form.instansi, "Kode instansi ini tidak dikenal. Periksa lagi kodenya, atau kosongkan.")
    return instansi


def _page(search: Search, found: PeoplePage, status: int = 200) -> Response:
    asked = {name: search.form[name].data for name in _FILTERS if search.form[name].data}
    page = render_template(
        "admin/people/find.html",
        form=search.form,
        has_errors=bool(search.form.errors),
        asked=asked,
        units=search.units,
        found=found,
        masked_email=masked_email,
        stuck=search.wanted.stuck if search.wanted else None,
        stuck_since=stuck_since,
        is_first="lanjut" not in request.args,
        first_url=url_for("admin.people.page", **asked),
        next_url=url_for("admin.people.page", **asked, lanjut=written(found.next)) if found.next else None,
    )
    return make_response(page, status)


def _row(person: User | None, wanted: PeopleFilter) -> list[str]:
    if person is None:
        return [_CUT]
    return [
        person.nip, person.name, person.category.label, person.instansi.code, person.work_unit,
        person.activation.label,
        masked_email(person), _since(person, wanted.stuck),
    ]  # fmt: skip


def masked_email(person: User) -> str:
    return EmailAddress(person.email).masked if person.email else ""


def _since(person: User, stuck: Stuck | None) -> str:
    since = stuck_since(stuck, person)
    return since.date().isoformat() if since else ""
