from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, assert_never

from sqlalchemy import (
    CheckConstraint,
    Date,
    Executable,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import (
    Mapped,
    Session,
    aliased,
    make_transient_to_detached,
    mapped_column,
    relationship,
)
from sqlalchemy.orm.attributes import set_committed_value

from app.domain.labelled import Labelled
from app.domain.nip import Nip
from app.domain.password_policy import Owner
from app.models.account import OWNER_COLUMNS, AccountBehind, ProvenOwner
from app.models.admin_mandate import AdminMandate
from app.models.base import (
    Base,
    BigId,
    UtcDateTime,
    dialect_of,
    note_written,
    table_of,
    upsert_in,
    without_records,
)
from app.models.guess_bucket import GuessBucket
from app.models.login_session import LoginSession
from app.models.user import NEW_PASSWORD, User

# With Kirim ulang, a code lives no longer than this after the request, or one lifetime if that is longer.
LONGEST_BY_RESENDS = timedelta(hours=3)
_WORTH_A_MAIL = timedelta(minutes=15)  # a token must have this much life left to be mailed again
CODES_TRIED = 20  # of the requests of one NIP; more than a mailbox can hold at one time
_NO_REFERENCE, _NO_KEY = "-" * 16, bytes(32)  # of a stand-in, which opens nothing
_LIVE, _NOTHING = "live", ""


class WhyRefused(Labelled):
    """Why a token opened nothing, for the trail. A stranger is never told."""

    # The token is none of those that are open
    WRONG = "wrong", "salah ketik, atau bukan token yang sedang berlaku"
    NOTHING_OPEN = "nothing_open", "tidak ada token yang sedang berlaku"  # and no token is open for this NIP
    EXPIRED = "expired", "masa berlakunya sudah habis"
    USED = "used", "sudah dipakai"
    OVERTAKEN = "overtaken", "tidak berlaku lagi karena akunnya berubah"  # because the account changed

    @property
    def told(self) -> str:
        """The sentence for an admin who helps the owner: what has happened to the token."""
        match self:
            case WhyRefused.EXPIRED:
                return "dipakai terlambat, masa berlakunya sudah habis"
            case WhyRefused.USED:
                return "sudah dipakai sebelumnya"
            case WhyRefused.OVERTAKEN:
                return "data akun berubah sesudah token dikirim"
            case WhyRefused.WRONG | WhyRefused.NOTHING_OPEN:
                return self.label
            case _:
                assert_never(self)


@dataclass(frozen=True)
class TokenOwner(AccountBehind):
    """What a try with a token needs to know about the person; nothing, if there is none. It is read for every
    NIP and every link, as the same few columns."""

    credential_version: int | None
    nip: str | None
    name: str | None
    email: str | None
    is_admin: bool

    @property
    def as_password_owner(self) -> Owner:
        assert self.nip is not None
        assert self.name is not None
        return Owner(self.nip, self.name, Nip(self.nip).birth_date, self.email)


@dataclass(frozen=True)
class MailedToken:
    """The parts of a reset request that a typed code needs, or a stand-in if there is no such request."""

    reference: str
    key: bytes
    why: str  # why the token opens nothing (a `WhyRefused`), or that it opens

    @property
    def is_there(self) -> bool:
        return self.why != _NOTHING

    @property
    def is_live(self) -> bool:
        return self.why == _LIVE

    @property
    def why_not_live(self) -> WhyRefused:
        return WhyRefused(self.why)


@dataclass(frozen=True)
class LinkedRequest:
    """The request that a mailed link names; without the link's signature it proves nothing. If there is no
    such request, `key` is a stand-in and all else is empty."""

    reference: str
    key: bytes
    nip: str | None
    credential_version: int | None
    expires_at: datetime | None
    used_at: datetime | None
    owner: TokenOwner

    def why_not_live(self, now: datetime) -> WhyRefused | None:
        is_of_today = self.credential_version == self.owner.credential_version
        return _why_not_live(self.used_at, self.expires_at, now, is_of_today=is_of_today)

    def is_live(self, now: datetime) -> bool:
        return self.why_not_live(now) is None


@dataclass(frozen=True)
class Redeemed:
    """Whose password was written, and what there is to forget besides."""

    owner: ProvenOwner
    has_sessions: bool
    was_guessed_at: bool


def _why_not_live(
    used_at: datetime | None, expires_at: datetime | None, now: datetime, *, is_of_today: bool
) -> WhyRefused | None:
    """None while the token opens. A used token has changed the account itself, so use is checked first.
    Only a token with an owner was handed over and expires."""
    if used_at is not None:
        return WhyRefused.USED
    if expires_at is None:
        return WhyRefused.WRONG
    if not is_of_today:
        return WhyRefused.OVERTAKEN
    return WhyRefused.EXPIRED if expires_at <= now else None


class ResetRequest(Base):
    """One request for a token, with or without an owner: a request for a NIP that nobody has is a row like
    any other.

    `key` is random and opens nothing without the signing key: link and code are derived from both.
    """

    __tablename__ = "reset_request"
    __table_args__ = (
        CheckConstraint("user_id IS NOT NULL OR expires_at IS NULL", name="only_an_owner_gets_a_token"),
        Index("ix_reset_request_nip", "nip"),
        Index("ix_reset_request_asked_at", "asked_at"),
        Index("ix_reset_request_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    # The form that was sent: a double click makes one request
    submission: Mapped[str] = mapped_column(String(64), unique=True)
    nip: Mapped[str] = mapped_column(String(18))
    typed_email: Mapped[str] = mapped_column(String(254))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    credential_version: Mapped[int]
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    mailed_at: Mapped[datetime] = mapped_column(UtcDateTime)  # when a mail was last put into the outbox
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # NULL until a token was handed over
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    client_address: Mapped[str] = mapped_column(String(45))

    user: Mapped[User | None] = relationship(lazy="joined")

    def add(self, session: Session) -> bool:
        """Insert the row unless there is one of the same form. If several send the form at the same time, one
        gets True."""
        columns = {name: getattr(self, name) for name in _WITHOUT_ID}
        row_id = without_records(session, _adding(dialect_of(session)), columns).scalar()
        if row_id is None:
            return False
        self.id = row_id
        make_transient_to_detached(self)
        session.add(self)
        return True

    def belongs_to(self, owner: User | None) -> None:
        """The person of `user_id`, who is loaded already."""
        set_committed_value(self, "user", owner)

    @classmethod
    def with_reference(cls, session: Session, reference: str) -> "ResetRequest | None":
        found = select(cls).where(cls.reference == reference).execution_options(populate_existing=True)
        return session.scalars(found).one_or_none()

    @classmethod
    def with_submission(cls, session: Session, submission: str) -> "ResetRequest | None":
        """The request that belongs to a form, as now stored and locked until the transaction ends."""
        found = select(cls).where(cls.submission == submission).with_for_update(of=cls)
        return session.scalars(found.execution_options(populate_existing=True)).one_or_none()

    @classmethod
    def of_link(cls, session: Session, reference: str, today: date) -> LinkedRequest:
        """The request of this reference, or a stand-in. A signature is checked over either, so the time is
        the same."""
        row = without_records(session, _OF_LINK, {"reference": reference, "today": today}).one()
        key, nip, version, expires_at, used_at, *owner = row
        return LinkedRequest(reference, key, nip, version, expires_at, used_at, TokenOwner(*owner))

    @classmethod
    def mailed_tokens_for(
        cls, session: Session, nip: Nip, now: datetime, today: date
    ) -> tuple[TokenOwner, list[MailedToken]]:
        """Who has the NIP, and its requests whose token was handed over: first those that can still be used,
        then the others, the newest first.

        Every NIP gets CODES_TRIED rows, filled up with stand-ins, and every row has the same few columns: the
        time to look for a wrong code must not tell whether somebody has asked.
        """
        values = {"nip": nip.digits, "now": now, "today": today}
        rows = without_records(session, _MAILED_TOKENS, values).all()
        return TokenOwner(*rows[0][3:]), [MailedToken(*row[:3]) for row in rows]

    @classmethod
    def redeem(
        cls,
        session: Session,
        reference: str,
        owner: TokenOwner,
        password_hash: str,
        guessed_at: Sequence[str],
        now: datetime,
    ) -> Redeemed | None:
        """Spend a token: write the password of its owner if the token is live, in one statement, which locks
        the person first. If several people use it at the same time, one gets the person: the new password
        ends all tokens. It never becomes usable again. `guessed_at`: the buckets of guesses at the old
        password."""
        values = {
            "owner": owner.id,
            "reference": reference,
            "now": now,
            "guessed_at": guessed_at,
            **User.values_of_new_password(password_hash),
        }
        redeemed = without_records(session, _REDEEM, values).one_or_none()
        if redeemed is None:
            return None
        without_records(session, _SPEND, {"reference_of_token": reference, "now": now})
        *columns, has_sessions, was_guessed_at = redeemed
        return Redeemed(ProvenOwner(*columns), has_sessions, was_guessed_at)

    @property
    def mailbox(self) -> str:
        """The mailbox that its mails go to: the email on record if it was the one typed, otherwise the one
        typed."""
        return self.user.email if self.user and self.user.email else self.typed_email

    def lives_until(self, posted_at: datetime, handed_over_at: datetime, lifetime: timedelta) -> datetime:
        """When its token ends, once a mail that was posted at `posted_at` is handed over.

        The first mail gives it a whole lifetime, however long the mail server was away. A mail that is sent
        again extends the life to the longest life at most, and never shortens it: all mails of a request
        carry the same token.
        """
        until = handed_over_at + lifetime
        if posted_at > self.asked_at:
            until = min(until, self.asked_at + max(LONGEST_BY_RESENDS, lifetime))
        return max(until, self.expires_at) if self.expires_at else until

    @classmethod
    def let_live(cls, session: Session, ends: "Mapping[ResetRequest, datetime]") -> None:
        """The tokens of these requests end at these moments."""
        if ends:
            session.execute(_LET_LIVE, [{"request": one.id, "end": end} for one, end in ends.items()])
        for request, end in ends.items():
            note_written(request, expires_at=end)

    def may_be_mailed_at(self, now: datetime, lifetime: timedelta) -> bool:
        """Whether *Kirim ulang* still mails the token. Only the clock decides, not the person who asks."""
        is_recent = self.mailed_at > now - lifetime
        return is_recent and now < self.asked_at + max(LONGEST_BY_RESENDS, lifetime) - _WORTH_A_MAIL

    @property
    def is_spent(self) -> bool:
        """The token was used, or a change of the account made it worthless. No mail of this request would
        help anybody."""
        return self.used_at is not None or (
            self.user is not None and self.credential_version != self.user.credential_version
        )

    def why_not_live(self, now: datetime) -> WhyRefused | None:
        is_of_today = self.user is not None and self.credential_version == self.user.credential_version
        return _why_not_live(self.used_at, self.expires_at, now, is_of_today=is_of_today)

    def claim_mail(self, session: Session, now: datetime, cooldown: timedelta) -> bool:
        """Take the right to one more mail. If several ask at the same time, one gets True. False until the
        cooldown has passed."""
        taken = session.execute(
            update(ResetRequest)
            .where(ResetRequest.id == self.id, ResetRequest.mailed_at <= now - cooldown)
            .values(mailed_at=now)
            .execution_options(synchronize_session=False)
            .returning(ResetRequest.id)
        )
        return taken.first() is not None


_REQUESTS = table_of(ResetRequest)
_LET_LIVE = (
    update(_REQUESTS)
    .where(_REQUESTS.c.id == bindparam("request"))
    .values(expires_at=bindparam("end", type_=UtcDateTime))
)
_WITHOUT_ID = tuple(column.key for column in table_of(ResetRequest).c if column.key != "id")


@cache
def _adding(dialect: str) -> Executable:
    table = table_of(ResetRequest)
    return (
        upsert_in(dialect, table)
        .on_conflict_do_nothing(index_elements=[table.c.submission])
        .returning(table.c.id)
    )


def _owner_columns(*, only: Any = True) -> tuple[Any, ...]:
    """The columns of a `TokenOwner`. For nobody the mandates are asked too: those of a person 0."""
    is_admin = exists().where(
        AdminMandate.user_id == func.coalesce(User.id, 0),
        AdminMandate.holds_on(bindparam("today", type_=Date)),
    )
    person = (User.id, User.instansi_id, User.credential_version, User.nip, User.name, User.email)
    return (*person, and_(only, is_admin).label("is_admin"))


def _of_link() -> Select[Any]:
    always = select(literal(1).label("row")).subquery("always")
    request = (
        func.coalesce(ResetRequest.key, _NO_KEY),
        ResetRequest.nip,
        ResetRequest.credential_version,
        ResetRequest.expires_at,
        ResetRequest.used_at,
    )
    found = select(*request, *_owner_columns()).select_from(always)
    found = found.join(ResetRequest, ResetRequest.reference == bindparam("reference"), isouter=True)
    return found.join(User, User.id == func.coalesce(ResetRequest.user_id, 0), isouter=True)


def _mailed_tokens() -> Select[Any]:
    nip, now = bindparam("nip", type_=String), bindparam("now", type_=UtcDateTime)
    numbers = select(literal(1).label("place")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.place + 1).where(numbers.c.place < CODES_TRIED))
    holder = aliased(User, name="holder")
    is_anothers = or_(
        ResetRequest.user_id != func.coalesce(holder.id, 0),
        ResetRequest.credential_version != func.coalesce(holder.credential_version, 0),
    )
    why = case(
        (ResetRequest.used_at.is_not(None), WhyRefused.USED.value),
        (is_anothers, WhyRefused.OVERTAKEN.value),
        (ResetRequest.expires_at <= now, WhyRefused.EXPIRED.value),
        else_=_LIVE,
    ).label("why")
    order = ((why == _LIVE).desc(), ResetRequest.id.desc())
    there = (
        select(
            ResetRequest.reference,
            ResetRequest.key,
            why,
            func.row_number().over(order_by=order).label("place"),
        )
        .join(holder, holder.nip == ResetRequest.nip, isouter=True)
        .where(ResetRequest.nip == nip, ResetRequest.expires_at.is_not(None))
        .order_by(*order)
        .limit(CODES_TRIED)
        .subquery("there")
    )
    columns = (
        func.coalesce(there.c.reference, _NO_REFERENCE),
        func.coalesce(there.c.key, _NO_KEY),
        func.coalesce(there.c.why, _NOTHING),
    )
    is_first = numbers.c.place == 1  # one row is enough to tell who has the NIP
    found = select(*columns, *_owner_columns(only=is_first)).select_from(numbers)
    found = found.join(there, there.c.place == numbers.c.place, isouter=True)
    found = found.join(User, and_(User.nip == nip, is_first), isouter=True)
    return found.order_by(numbers.c.place)


def _redeem() -> Executable:
    is_live = exists().where(
        ResetRequest.reference == bindparam("reference"),
        ResetRequest.user_id == User.id,
        ResetRequest.credential_version == User.credential_version,
        ResetRequest.used_at.is_(None),
        ResetRequest.expires_at > bindparam("now", type_=UtcDateTime),
    )
    has_sessions = exists().where(LoginSession.user_id == bindparam("owner"))
    was_guessed_at = exists().where(GuessBucket.key.in_(bindparam("guessed_at", expanding=True)))
    redeemed = update(table_of(User)).where(User.id == bindparam("owner"), is_live).values(NEW_PASSWORD)
    return redeemed.returning(*OWNER_COLUMNS, has_sessions, was_guessed_at)


def _spend() -> Executable:
    request = table_of(ResetRequest)
    spent = update(request).where(request.c.reference == bindparam("reference_of_token"))
    return spent.values(used_at=bindparam("now", type_=UtcDateTime))


_SPEND = _spend()
_OF_LINK, _MAILED_TOKENS, _REDEEM = _of_link(), _mailed_tokens(), _redeem()
