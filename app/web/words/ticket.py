"""A correction as four dated steps, for its sender. Nothing here tells whether anybody has the NIP: each
moment is one that the sender has caused or was mailed."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.corrections import CorrectionState
from app.domain.identity import ChangeState
from app.domain.indonesian_time import timed
from app.flows.correction.request_correction import Ticket
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.web.times import moment, told


@dataclass(frozen=True)
class Step:
    name: str
    when: str
    is_done: bool


def steps_of(ticket: Ticket, now: datetime) -> list[Step]:
    correction = ticket.correction
    return [
        Step("Permintaan diterima", moment(correction.asked_at), is_done=True),
        Step("Email dikonfirmasi", moment(correction.submitted_at or correction.asked_at), is_done=True),
        *(_asked(question) for question in ticket.questions),
        _decided(ticket, now),
        _in_effect(correction, ticket.change),
    ]


def _asked(question: CorrectionQuestion) -> Step:
    if question.answered_at is None:
        return Step("Pertanyaan admin", told(timed("Dikirim ", question.asked_at)), is_done=False)
    then = ", dijawab " if question.was_answered else ", ditutup tanpa jawaban "
    when = told(timed("Dikirim ", question.asked_at, then, question.answered_at))
    return Step("Pertanyaan admin", when, is_done=True)


def _decided(ticket: Ticket, now: datetime) -> Step:
    correction, change = ticket.correction, ticket.change
    if correction.decided_at:
        return Step(
            "Keputusan",
            told(timed(f"{correction.state.label.capitalize()}, ", correction.decided_at)),
            is_done=True,
        )
    if ticket.awaits_second:
        return Step("Keputusan", "Disetujui satu admin, menunggu admin kedua", is_done=False)
    if change and change.was_stopped:
        return Step("Keputusan", "Diperiksa lagi, karena keputusan sebelumnya dihentikan", is_done=False)
    if ticket.open_question:
        return Step("Keputusan", "Setelah Anda menjawab", is_done=False)
    is_late = "; waktunya sudah lewat" if now > correction.promised_by else ""
    by = told(timed("Paling lambat ", correction.promised_by, is_late))
    return Step("Keputusan", by, is_done=False)


def _in_effect(correction: EmailCorrection, change: IdentityChange | None) -> Step:
    if correction.state is CorrectionState.REJECTED:
        return Step("Mulai berlaku", "Tidak: permintaan ditolak", is_done=True)
    if change is None or not correction.decided_at:
        return Step("Mulai berlaku", "Setelah disetujui", is_done=False)
    begins = moment(change.effective_at) if change.effective_at else "Belum ditetapkan"
    if change.state in (ChangeState.FROZEN, ChangeState.CANCELLED):
        ended = (", ", change.ended_at) if change.ended_at else ()
        words = told(timed(f"Tidak: {change.state.label.lower()}", *ended))
        return Step("Mulai berlaku", words, is_done=True)
    if change.state is ChangeState.SCHEDULED:
        return Step("Mulai berlaku", begins, is_done=False)
    return Step("Mulai berlaku", begins, is_done=change.state is ChangeState.DONE)
