"""Form fields that read what people type into the values that rules work with, and keep what was typed."""

from wtforms import Field, StringField, ValidationError

from app.domain.email_address import EmailAddress, NotAnEmail, read_email
from app.domain.nip import Nip, NotANip, read_nip
from app.domain.reset_secret import Code, Link, read_secret


class NipField(StringField):
    value: Nip

    def pre_validate(self, form: object) -> None:
        match read_nip(self.data or ""):
            case Nip() as nip:
                self.value = nip
            case NotANip(sentence):
                raise ValidationError(sentence)


class EmailField(StringField):
    value: EmailAddress

    def pre_validate(self, form: object) -> None:
        match read_email(self.data or ""):
            case EmailAddress() as address:
                self.value = address
            case NotAnEmail(sentence):
                raise ValidationError(sentence)


class TokenField(StringField):
    """What cannot be a token is None and refused by the act, with the sentence for every wrong token."""

    value: Code | Link | None

    def pre_validate(self, form: object) -> None:
        if not (self.data or "").strip():
            raise ValidationError("Isi token dari email, misalnya WDJB-MJHT.")
        self.value = read_secret(self.data or "")


def refuse(field: Field, sentence: str) -> None:
    """Put an act's refusal at the field it belongs to."""
    field.errors = [*field.errors, sentence]
