from dataclasses import dataclass

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.domain.nip import Nip
from app.models.user import User


@dataclass(frozen=True)
class TriedAccount:
    """What a try by a stranger needs to know about the person behind a NIP; nothing, if nobody has the NIP.

    A whole `User` takes longer to load when it holds more, and a stranger can measure that time. So one row
    of these few columns is fetched for every NIP.
    """

    id: int | None
    instansi_id: int | None
    password_hash: str | None
    credential_version: int | None
    browser_mark: str | None

    @classmethod
    def of(cls, session: Session, nip: Nip) -> "TriedAccount":
        always = select(literal(1).label("row")).subquery("always")
        columns = select(
            User.id, User.instansi_id, User.password_hash, User.credential_version, User.browser_mark
        )
        found = columns.select_from(always).join(User, User.nip == nip.digits, isouter=True)
        return cls(*session.execute(found).one())
