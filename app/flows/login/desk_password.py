"""An admin whose password is older than the mandate, and too weak for it, learns this at the next login.

The portal can judge the password only at a login. It judges everybody's password and keeps the result with
the session. So a person who is appointed while logged in is an admin with the next click, or learns that the
password is too weak.
"""

from app.domain.password_policy import ASN_2025, faults, personal_faults
from app.models.account import ProvenOwner


def opens_desk(owner: ProvenOwner, password: str) -> bool:
    """Whether somebody with a mandate may act with this password, which they have just typed and which is
    right."""
    return not (faults(password, ASN_2025) or personal_faults(password, owner.as_password_owner))
