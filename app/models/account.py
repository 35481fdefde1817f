from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Executable, bindparam, exists, func, literal, select, update
from sqlalchemy.orm import Session, aliased

from app.domain.categories import Activation
from app.domain.nip import Nip
from app.domain.password_policy import Owner
from app.models.base import UtcDateTime, table_of, without_records
from app.models.login_session import LoginSession
from app.models.user import LOGIN, MAY_ENTER, User


@dataclass(frozen=True)
class AccountBehind:
    """Whose account somebody tries to reach, as the trail notes it; empty if nobody has the NIP."""

    id: int | None
    instansi_id: int | None


@dataclass(frozen=True)
class ProvenOwner(AccountBehind):
    """The owner of an account, who has just shown its password or a token, with the few columns that this act
    needs: a whole `User` costs several times as much."""

    id: int
    instansi_id: int
    nip: str
    name: str
    email: str | None
    activation: Activation
    credential_version: int
    browser_mark: str | None

    @classmethod
    def of(cls, user: User) -> "ProvenOwner":
        return cls(*(getattr(user, column.key) for column in OWNER_COLUMNS))

    @property
    def as_password_owner(self) -> Owner:
        return Owner(self.nip, self.name, Nip(self.nip).birth_date, self.email)


# Those of a `ProvenOwner`, in the same order
OWNER_COLUMNS = tuple(table_of(User).c[one.name] for one in fields(ProvenOwner))


@dataclass(frozen=True)
class TriedAccount(AccountBehind):
    """What a try by a stranger needs to know about the person behind a NIP; nothing, if nobody has the NIP.

    A whole `User` takes longer to load when it holds more, and a stranger can measure that time. So one row
    of these few columns is fetched for every NIP.
    """

    password_hash: str | None
    credential_version: int | None
    browser_mark: str | None
    activation: Activation | None
    last_login_at: datetime | None
    form_has_opened: bool  # the form that was sent has opened a session before, which still stands
    are_hashes_old: bool  # of anybody: then every try pays for the older schemes

    @classmethod
    def of(cls, session: Session, nip: Nip, form: str = "") -> "TriedAccount":
        return cls(*without_records(session, _TRIED, {"nip": nip.digits, "form": form}).one())

    def enter(self, session: Session, now: datetime) -> ProvenOwner | None:
        """Note the login of a person who has shown the password, in one statement. None if the account may
        not be entered, or if anything that was seen has changed since."""
        seen = {
            "person": self.id,
            "seen_hash": self.password_hash,
            "seen_version": self.credential_version,
            "seen_activation": self.activation,
            "seen_login": self.last_login_at,
        }
        row = without_records(session, _ENTER, {**seen, **User.values_of_login(), "now": now}).one_or_none()
        return ProvenOwner(*row) if row else None


def _tried() -> Executable:
    always = select(literal(1).label("row")).subquery("always")
    form_has_opened = exists().where(
        LoginSession.user_id == func.coalesce(User.id, 0), LoginSession.form == bindparam("form")
    )
    others = aliased(User, name="others")
    are_hashes_old = select(func.min(others.old_scheme)).where(others.old_scheme > "").scalar_subquery()
    columns = select(
        User.id,
        User.instansi_id,
        User.password_hash,
        User.credential_version,
        User.browser_mark,
        User.activation,
        User.last_login_at,
        form_has_opened,
        are_hashes_old.is_not(None),
    )
    return columns.select_from(always).join(User, User.nip == bindparam("nip"), isouter=True)


def _enter() -> Executable:
    as_seen = (
        User.id == bindparam("person"),
        User.password_hash == bindparam("seen_hash"),
        User.credential_version == bindparam("seen_version"),
        User.activation == bindparam("seen_activation"),
        User.last_login_at.is_not_distinct_from(bindparam("seen_login", type_=UtcDateTime)),
    )
    entered = update(table_of(User)).where(*as_seen, User.activation.in_(MAY_ENTER)).values(LOGIN)
    return entered.returning(*OWNER_COLUMNS)


_TRIED, _ENTER = _tried(), _enter()
