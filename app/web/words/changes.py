"""What happens after a decided change."""

from dataclasses import dataclass
from typing import assert_never

from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import timed
from app.models.identity_change import IdentityChange
from app.web.times import moment, told


def what_follows(change: IdentityChange) -> str:
    """What a decision has led to, in words for the person who decided."""
    name, what = change.user.name, change.kind.heading
    if change.state is ChangeState.NEEDS_SECOND:
        return f"{what} {name} menunggu konfirmasi admin kedua."
    if change.state is ChangeState.SCHEDULED and change.effective_at:
        sentence = timed(
            f"{what} {name} akan diganti pada ", change.effective_at, "; pemiliknya sudah diberi tahu."
        )
        return told(sentence)
    if change.kind is ChangeKind.EMAIL:
        return f"Email {name} sudah diganti, dan token dikirim ke alamat baru."
    return f"{what} {name} sudah diganti, dan pemiliknya diberi tahu."


@dataclass(frozen=True)
class Effect:
    """Whether and when a change has effect, as a term and its value."""

    term: str
    value: str


def effect_of(change: IdentityChange) -> Effect:
    """A change that was stopped or cancelled does not take effect at the moment that was once set for it."""
    zone = change.user.instansi.zone
    begins = moment(change.effective_at, zone) if change.effective_at else None
    match change.state:
        case ChangeState.NEEDS_SECOND:
            return Effect("Mulai berlaku", "Setelah dikonfirmasi admin kedua")
        case ChangeState.SCHEDULED:
            return Effect("Mulai berlaku", begins or "Belum ditetapkan")
        case ChangeState.DONE:
            return Effect("Berlaku sejak", begins or "Belum ditetapkan")
        case ChangeState.FROZEN | ChangeState.CANCELLED:
            return _effect_of_ended(change)
        case _:
            assert_never(change.state)


def _effect_of_ended(change: IdentityChange) -> Effect:
    began, ended, zone = change.effective_at, change.ended_at, change.user.instansi.zone
    if began is None or ended is None or began > ended:
        return Effect("Mulai berlaku", "Tidak berlaku")
    if change.kind in (ChangeKind.INSTANSI, ChangeKind.CATEGORY):  # to stop these takes nothing away
        return Effect("Berlaku sejak", moment(began, zone))
    return Effect("Sempat berlaku", moment(began, zone) + " sampai " + moment(ended, zone))
