"""The forms by which an admin approves or rejects a request for a correction, alone or with others."""

from flask_wtf import FlaskForm
from wtforms import HiddenField

from app.domain.corrections import LONGEST_NOTE, LONGEST_QUESTION, IdentityCheck
from app.flows.correction.decide_correction import Grounds
from app.models.user import User
from app.web.fields import ChoiceField, LetterField, LineField, MarksField
from app.web.row_ids import row_id

CHECKS = [(check.value, check.label) for check in IdentityCheck if check is not IdentityCheck.BY_FILE]
NO_CHECK = "Pilih cara identitas diperiksa. Isian pemohon saja tidak membuktikan apa-apa."


class ApprovalForm(FlaskForm):
    identity_check = ChoiceField("Bagaimana identitas pemohon diperiksa?", NO_CHECK, CHECKS)
    note = LetterField(
        "Catatan pemeriksaan",
        "Isi catatan singkat: siapa yang memeriksa, kapan, dan apa yang dicocokkan.",
        500,
    )
    acknowledged = MarksField("Peringatan yang sudah diperiksa")
    seen = HiddenField()

    def grounds(self, seen: int) -> Grounds:
        return Grounds(
            IdentityCheck(self.identity_check.data or ""), self.note.value, seen, self.acknowledged.data
        )


class RecordApprovalForm(FlaskForm):
    """For a request about the record itself. The owner reads the note."""

    note = LetterField(
        "Catatan pemeriksaan", "Isi catatan singkat: dokumen apa yang dicocokkan, dan oleh siapa.", 500
    )
    seen = HiddenField()


class RejectionForm(FlaskForm):
    reason = LetterField(
        "Alasan penolakan", "Isi alasannya. Pemohon membacanya lewat email dan di halaman tiketnya.", 500
    )


class NoteForm(FlaskForm):
    """For the colleagues at the desk."""

    words = LineField(
        "Catatan internal", "Isi catatannya, misalnya: sudah ditelepon, belum diangkat.", LONGEST_NOTE
    )


class QuestionForm(FlaskForm):
    """For the person who sent the request. They cannot tell a link in it from one of a stranger."""

    question = LetterField(
        "Pertanyaan untuk pemohon", "Isi pertanyaannya. Pemohon membacanya lewat email.", LONGEST_QUESTION
    )


def offer_possible(field: ChoiceField, person: User) -> None:
    """Offer only the ways to check an identity for which the record has the data, and say why the others are
    missing."""
    field.choices = [
        (value, label) for value, label in CHECKS if IdentityCheck(value).is_possible(person.phone)
    ]
    if len(field.choices) < len(CHECKS):
        field.description = (
            "Cara yang memerlukan telepon tidak ditawarkan, karena tidak ada nomor telepon "
            "di data kepegawaian."
        )


def number_in(text: str | None) -> int:
    """The version in a form. If the field is missing or broken: a version that no account has."""
    try:
        return row_id(text or "")
    except ValueError:
        return -1
