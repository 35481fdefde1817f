"""What must not stand in a table stands there as a keyed hash, by which the same thing is known again."""

from collections.abc import Callable

from sqlalchemy.orm import Session


def fingerprint(session: Session, *parts: str) -> str:
    """64 hex digits, made with the keys of this portal, which its sessions carry (app/runtime/db.py)."""
    make: Callable[..., str] = session.info["fingerprint"]
    return make(*parts)
