"""Every field in which somebody writes words. What an admin writes and a letter carries refuses a link and a
phone number; of each other field this table says why it may hold anything. A new field is in neither."""

from importlib import import_module
from pkgutil import walk_packages

import pytest
from flask import Flask
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, StringField
from wtforms.fields.core import UnboundField

import app.blueprints
import app.web
from app.models.bulk_act import BulkKind
from app.web.fields import ChoiceField, EmailField, LetterField, NipField, OfficeField, TokenField

# These read one value, and no words
READ = (ChoiceField, EmailField, HiddenField, NipField, OfficeField, TokenField)
LOOKED_UP = "it names one instansi, and letters have the name on record"
LOOKED_FOR = "what an admin looks for; nothing keeps it"
LIST = "only the NIPs in it are read"
AT_THE_DESK = "only admins read it; no letter carries it"
CONTACT = "it is the contact itself: how the office is reached, as letters say below all words"
OWN = "the person wrote it, and no letter to others carries it"
NO_WORDS = "a number, a password or a mark of the page"
MAY_HOLD_ANYTHING = {
    "AnswerForm.answer": OWN,
    "AskForm.email_checked": NO_WORDS,
    "AskForm.form_id": NO_WORDS,
    "CampaignDayForm.title": AT_THE_DESK,
    "ConfirmationForm.nip": NO_WORDS,
    "ConfirmationForm.password": NO_WORDS,
    "ContactForm.contact": CONTACT,
    "ContactForm.hours": CONTACT,
    "ContactForm.place": CONTACT,
    "CorrectionForm.name": OWN,
    "CorrectionForm.nip": NO_WORDS,
    "CorrectionForm.phone": NO_WORDS,
    "CorrectionForm.reason": OWN,
    "CorrectionForm.work_unit": OWN,
    "DecreeListForm.nips": LIST,
    "ForgotPasswordForm.email_checked": NO_WORDS,
    "ForgotPasswordForm.form_id": NO_WORDS,
    "GrantForm.instansi": LOOKED_UP,
    "ListForm.nips": LIST,
    "LoginForm.password": NO_WORDS,
    "LoginInPlaceForm.password_masuk": NO_WORDS,
    "MoveForm.code": LOOKED_UP,
    "MoveListForm.code": LOOKED_UP,
    "MoveListForm.nips": LIST,
    "NameForm.reason": OWN,
    "NameForm.wanted": OWN,
    "NewTokenForm.form_id": NO_WORDS,
    "NipForm.reason": OWN,
    "NoteForm.words": AT_THE_DESK,
    "NoticeListForm.nips": LIST,
    "PeopleForm.email": LOOKED_FOR,
    "PeopleForm.instansi": LOOKED_FOR,
    "PeopleForm.nama": LOOKED_FOR,
    "PeopleForm.nip": LOOKED_FOR,
    "PeopleForm.unit": LOOKED_FOR,
    "PhoneForm.reason": OWN,
    "PhoneForm.wanted": NO_WORDS,
    "ReasonListForm.nips": LIST,
    "RecordForm.phone": NO_WORDS,
    "SearchForm.cari": LOOKED_FOR,
    "SearchForm.instansi": LOOKED_FOR,
    "TrailForm.jenis": LOOKED_FOR,
    "TrailForm.nip": LOOKED_FOR,
    "TrailForm.oleh": LOOKED_FOR,
    "WorkUnitForm.reason": OWN,
    "WorkUnitForm.wanted": OWN,
}
NOTICES = {"NewActForm.notice", "NoticeListForm.notice"}


def forms() -> list[type[FlaskForm]]:
    for package in (app.blueprints, app.web):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    found, left = set[type[FlaskForm]](), [FlaskForm]
    while left:
        for form in left.pop().__subclasses__():
            left.append(form)
            found |= {form} if form.__module__.startswith("app.") else set()
    return sorted(found, key=lambda form: (form.__module__, form.__name__))


def words_of(form: type[FlaskForm]) -> dict[str, type[StringField]]:
    """The fields of this form for words, by the name of the attribute."""
    fields = {name: getattr(form, name) for name in dir(form) if not name.startswith("_")}
    return {
        name: field.field_class
        for name, field in fields.items()
        if isinstance(field, UnboundField)
        and issubclass(field.field_class, StringField)
        and not issubclass(field.field_class, READ)
    }


WORDS = {f"{form.__name__}.{name}": (form, name) for form in forms() for name in words_of(form)}
LETTERS = sorted(key for key, (form, name) in WORDS.items() if issubclass(words_of(form)[name], LetterField))


def test_every_other_field_has_its_reason() -> None:
    assert set(WORDS) - set(LETTERS) - NOTICES == set(MAY_HOLD_ANYTHING)


@pytest.mark.parametrize("key", sorted(NOTICES | set(LETTERS)))
@pytest.mark.parametrize(
    ("typed", "because"),
    [
        ("Buka s.id/bkn-7301", "tautan"),
        ("WA 08.12 34.56 78.90", "nomor panjang"),
        ("Surat Sekda 800/123", ""),
    ],
)
def test_what_a_letter_carries_leads_nowhere(app: Flask, key: str, typed: str, because: str) -> None:
    kind, name = WORDS[key]
    with app.test_request_context():
        empty = kind(meta={"csrf": False})
        sent = {empty[name].name: typed, "tindakan": BulkKind.NOTICE.value}

        form = kind(MultiDict(sent), meta={"csrf": False})
        form.validate()

    refusals = " ".join(map(str, form[name].errors))
    assert because in refusals
    assert bool(refusals) is bool(because)
