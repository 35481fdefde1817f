"""What an admin looks for among the people: the fields of the search, wherever a page takes them."""

from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import StringField, ValidationError

from app.domain.categories import Activation, Category
from app.domain.email_address import EmailAddress, read_email
from app.domain.nip import read_nip_beginning
from app.domain.spoken_name import asked_for
from app.flows.people.find_people import PeopleFilter, scope_of, units_of
from app.models.instansi import Instansi
from app.models.stuck import Stuck
from app.web.admins import authority
from app.web.fields import ChoiceField, refuse

FILTERS = ("nip", "nama", "email", "status", "kategori", "unit", "macet", "instansi")
_ALL = ("", "Semua")
_CHOOSE = "Pilih salah satu dari daftar."
_MOST_WORDS = 5


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

    @property
    def asked_in_words(self) -> dict[str, str]:
        """The same as they are read: the label of each field, and the label of what was chosen."""
        chosen = {
            name: dict(field.choices).get(field.data or "", "")
            for name in FILTERS
            if isinstance(field := self.form[name], ChoiceField)
        }
        return {self.form[name].label.text: chosen.get(name, typed) for name, typed in self.asked.items()}

    @property
    def asked(self) -> dict[str, Any]:
        """The fields that hold something, as `url_for` takes them."""
        return {name: self.form[name].data for name in FILTERS if self.form[name].data}


def read_search(db: Session, form: PeopleForm) -> Search:
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
