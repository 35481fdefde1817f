"""What happens after a decided change."""

from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import timed
from app.models.identity_change import IdentityChange
from app.web.times import told


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
