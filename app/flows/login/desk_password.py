"""An admin whose password is older than the mandate, and too weak for it, meets that at the next login.

Only at a login is the password there to be judged. It is judged for everybody, and kept with the session:
whoever is appointed while logged in is an admin with the next click, or meets the same.
"""

from app.domain.password_policy import ASN_2025, faults, personal_faults
from app.models.user import User


def opens_desk(user: User, password: str) -> bool:
    """Whether somebody with a mandate may act with this password, which has just been shown and is right."""
    return not (faults(password, ASN_2025) or personal_faults(password, user.as_password_owner))
