"""The forms of somebody who has opened the mailed link of a correction: the request itself, and the answer
to a question of the desk."""

from io import SEEK_END

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import StringField, TextAreaField, ValidationError

from app.domain.attachment import (
    LONGEST_FILE,
    TOO_LARGE,
    Attachment,
    NotAnAttachment,
    Photo,
    read_attachment,
)
from app.domain.corrections import LONGEST_ANSWER
from app.domain.nip import Nip, NotANip, read_nip
from app.domain.typed_text import few_lines, one_line
from app.flows.correction.request_correction import Typed


class CorrectionForm(FlaskForm):
    nip = StringField("NIP Anda")
    name = StringField("Nama lengkap")
    work_unit = StringField("Unit kerja")
    reason = TextAreaField("Alasan")
    phone = StringField("Nomor telepon")
    attachment = FileField("Foto atau PDF")
    other_nip: Nip | None = None
    file: Photo | Attachment | None = None

    def validate_nip(self, field: StringField) -> None:
        match read_nip(field.data) if field.data and field.data.strip() else None:
            case NotANip(sentence):
                raise ValidationError(sentence)
            case read:
                self.other_nip = read

    def validate_name(self, field: StringField) -> None:
        fits(one_line(field.data or ""), 200, "Isi nama lengkap Anda, seperti pada SK terakhir.")

    def validate_work_unit(self, field: StringField) -> None:
        fits(one_line(field.data or ""), 200)

    def validate_reason(self, field: TextAreaField) -> None:
        fits(few_lines(field.data or ""), 1000, "Tulis mengapa email di data kepegawaian perlu diganti.")

    def validate_phone(self, field: StringField) -> None:
        phone = one_line(field.data or "")
        fits(phone, 30)
        if phone and (
            not set(phone) <= set("0123456789+ ().-") or not any(digit.isdigit() for digit in phone)
        ):
            raise ValidationError(
                "Tulis nomor telepon dengan angka saja, misalnya 081234567890, atau kosongkan."
            )

    def validate_attachment(self, field: FileField) -> None:
        self.file = read_file(field)

    def typed(self, attachment: Attachment | None) -> Typed:
        return Typed(
            name=one_line(self.name.data or ""),
            work_unit=one_line(self.work_unit.data or ""),
            reason=few_lines(self.reason.data or ""),
            phone=one_line(self.phone.data or ""),
            attachment=attachment,
            nip=self.other_nip,
        )


class AnswerForm(FlaskForm):
    answer = TextAreaField("Jawaban Anda")
    attachment = FileField("Foto atau PDF")
    file: Photo | Attachment | None = None

    @property
    def words(self) -> str:
        return few_lines(self.answer.data or "")

    def validate_answer(self, _field: TextAreaField) -> None:
        fits(self.words, LONGEST_ANSWER, "Tulis jawaban Anda atas pertanyaan di atas.")

    def validate_attachment(self, field: FileField) -> None:
        self.file = read_file(field)


def read_file(field: FileField) -> Photo | Attachment | None:
    """What was sent with the form, if anything was."""
    if not field.data:
        return None
    size = field.data.stream.seek(0, SEEK_END)
    field.data.stream.seek(0)
    match TOO_LARGE if size > LONGEST_FILE else read_attachment(field.data.stream.read()):
        case NotAnAttachment(sentence):
            raise ValidationError(sentence)
        case file:
            return file


def fits(text: str, longest: int, if_empty: str | None = None) -> None:
    if if_empty and not text:
        raise ValidationError(if_empty)
    if len(text) > longest:
        raise ValidationError(
            f"Isian ini {len(text)} huruf. Singkatkan menjadi paling banyak {longest} huruf."
        )
