"""What happens after a decided change."""

from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import shown_moment
from app.models.identity_change import IdentityChange


def what_follows(change: IdentityChange) -> str:
    """What a decision has led to, in words for the person who decided."""
    name, what = change.user.name, change.kind.heading
    if change.state is ChangeState.NEEDS_SECOND:
        return f"{what} {name} menunggu konfirmasi admin kedua."
    if change.state is ChangeState.SCHEDULED and change.effective_at:
        return (
            f"{what} {name} akan diganti pada {shown_moment(change.effective_at)}; pemiliknya sudah "
            "diberi tahu."
        )
    if change.kind is ChangeKind.EMAIL:
        return f"Email {name} sudah diganti, dan token dikirim ke alamat baru."
    return f"{what} {name} sudah diganti, dan pemiliknya diberi tahu."
