"""Form fields that read what people type into the values that rules work with, and keep what was typed."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from wtforms import DateField, Field, PasswordField, StringField, ValidationError

from app.domain.email_address import EmailAddress, NotAnEmail, read_email
from app.domain.email_warnings import EmailWarning
from app.domain.letter_words import why_not_in_a_letter
from app.domain.nip import Nip, NotANip, read_nip
from app.domain.password_policy import LONGEST_PASSWORD
from app.domain.phone_number import NotAPhone
from app.domain.reset_secret import Code, Link, read_secret
from app.domain.typed_text import about_others, one_line

NO_TOKEN = (
    "Isian ini tidak berisi token, atau berisi lebih dari satu. Token terdiri dari 8 huruf tanpa angka, "
    "misalnya WDJB-MJHT. Salin delapan huruf itu saja dari email terbaru."
)
# Years that make sense here. Others are typing errors, and Python's calendar ends near them
_YEARS = range(1900, 2200)


class NipField(StringField):
    value: Nip

    def pre_validate(self, _form: object) -> None:
        match read_nip(self.data or ""):
            case Nip() as nip:
                self.value = nip
            case NotANip(sentence):
                raise ValidationError(sentence)


class NipOfAnotherField(NipField):
    """A NIP typed by an admin, so the sentences do not speak to its owner."""

    def pre_validate(self, _form: object) -> None:
        try:
            super().pre_validate(_form)
        except ValidationError as refusal:
            raise ValidationError(about_others(str(refusal))) from refusal


class EmailField(StringField):
    value: EmailAddress

    def likely_meant(self, insisted_on: str | None) -> str | None:
        """Another address, if the typed one looks mistyped. None if the person was asked about this address
        before and insisted on it."""
        return None if insisted_on == self.value.key else self.value.likely_meant

    def pre_validate(self, _form: object) -> None:
        match read_email(self.data or "", self.label.text.lower()):
            case EmailAddress() as address:
                self.value = address
            case NotAnEmail(sentence):
                raise ValidationError(sentence)


class TokenField(StringField):
    """A text that cannot be a token gets a sentence that says so, and does not count as a try: the answer
    says nothing about any account."""

    value: Code | Link

    def pre_validate(self, _form: object) -> None:
        if not (self.data or "").strip():
            raise ValidationError("Isi token dari email, misalnya WDJB-MJHT.")
        match read_secret(self.data or ""):
            case None:
                raise ValidationError(NO_TOKEN)
            case secret:
                self.value = secret


class OwnPasswordField(PasswordField):
    """The password that somebody already has. It is only compared, so the field refuses only what cannot be a
    password."""

    def pre_validate(self, _form: object) -> None:
        if not self.data:
            raise ValidationError("Isi password Anda.")
        if len(self.data) > LONGEST_PASSWORD:
            raise ValidationError(
                f"Password terlalu panjang: tidak ada password di atas {LONGEST_PASSWORD} karakter."
            )


class DayField(DateField):
    """A day from the browser's calendar, or typed as 2026-12-31 or 31-12-2026."""

    value: date

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = "".join(valuelist).strip()
        turned = re.sub(
            r"^(\d\d?)-(\d\d?)-(\d{4})$", lambda parts: f"{parts[3]}-{parts[2]:0>2}-{parts[1]:0>2}", typed
        )
        self.data = None
        with suppress(ValueError):
            self.data = self.value = date.fromisoformat(turned)
        if self.data is None or self.data.year not in _YEARS:
            raise ValueError(self._how)

    def pre_validate(self, _form: object) -> None:
        # The body came without the field
        if self.data is None and not self.process_errors and not self.flags.optional:
            raise ValidationError(self._how)

    @property
    def _how(self) -> str:
        return f"Isi {self.label.text[:1].lower()}{self.label.text[1:]}, misalnya 31-12-2026."


class LineField(StringField):
    """One line of words; doubled blanks and characters that nobody can see are left out. The field may be
    missing if `empty` is no sentence."""

    value: str

    def __init__(
        self, label: str, empty: str, longest: int, **bound: Any
    ) -> None:  # WTForms's own, when it makes the form
        super().__init__(label, **bound)
        self._empty, self._longest = empty, longest

    def pre_validate(self, _form: object) -> None:
        self.value = one_line(self.data or "")
        if not self.value and self._empty:
            raise ValidationError(self._empty)
        if len(self.value) > self._longest:
            raise ValidationError(f"Isian ini terlalu panjang. Tulis paling banyak {self._longest} huruf.")


class LetterField(LineField):
    """One line in an admin's words that some letter carries, so it leads nowhere.
    `tests/unit/test_letter_forms` names every other field, and why it may hold anything."""

    def pre_validate(self, _form: object) -> None:
        super().pre_validate(_form)
        if refusal := why_not_in_a_letter(self.value):
            raise ValidationError(refusal)


class OfficeField(StringField):
    """How an office is reached, in words that `read` turns into what is kept, or refuses with a sentence. The
    field may be empty."""

    value: str

    def __init__(self, label: str, read: Callable[[str], str | NotAPhone | NotAnEmail], **bound: Any) -> None:
        super().__init__(label, **bound)
        self._read = read

    def pre_validate(self, _form: object) -> None:
        self.value = ""
        if typed := one_line(self.data or ""):
            read = self._read(typed)
            if not isinstance(read, str):
                raise ValidationError(about_others(read.sentence))
            self.value = read


class ChoiceField(StringField):
    """One choice of a few, given as (value, words)."""

    value: str

    def __init__(self, label: str, empty: str, choices: Sequence[tuple[str, str]], **bound: Any) -> None:
        super().__init__(label, **bound)
        self._empty, self.choices = empty, choices

    def pre_validate(self, _form: object) -> None:
        if self.data not in [value for value, _ in self.choices]:
            raise ValidationError(self._empty)
        self.value = self.data or ""


class MarksField(Field):
    """The marks of boxes that were ticked. The act decides which of them mean anything."""

    data: frozenset[str]

    def process_data(self, _value: object) -> None:
        self.data = frozenset()

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = frozenset(valuelist)


def refuse(field: Field, sentence: str) -> None:
    """Put an act's refusal at the field it belongs to."""
    field.errors = [*field.errors, sentence]


def refuse_unacknowledged(field: MarksField, warnings: Sequence[EmailWarning]) -> None:
    """Say which heavy warnings the admin has not ticked."""
    for warning in warnings:
        refuse(field, f"Periksa peringatan ini, lalu centang di bawah: {warning}")
