from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.domain.labelled import Labelled
from app.domain.nip import Nip
from app.models.account import TriedAccount
from app.models.base import AddedOnce, Base, BigId, UtcDateTime, note_written
from app.models.user import User

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
    EXPIRED = "expired", "sudah lewat waktunya"
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


class ResetRequest(AddedOnce, Base):
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
    def key_of(cls, session: Session, reference: str) -> bytes:
        """The row key of this request, or a stand-in. A signature is checked over either, so the time is the
        same."""
        always = select(literal(1).label("row")).subquery("always")
        found = select(func.coalesce(cls.key, _NO_KEY)).select_from(always)
        return session.execute(found.join(cls, cls.reference == reference, isouter=True)).scalar_one()

    @classmethod
    def mailed_tokens_for(
        cls, session: Session, nip: Nip, account: TriedAccount, now: datetime
    ) -> list[MailedToken]:
        """The NIP's requests whose token was handed over: first those that can still be used, then the
        others, the newest first.

        Every NIP gets CODES_TRIED rows, filled up with stand-ins, and every row has the same few columns: the
        time to look for a wrong code must not tell whether somebody has asked.
        """
        numbers = select(literal(1).label("place")).cte("numbers", recursive=True)
        numbers = numbers.union_all(select(numbers.c.place + 1).where(numbers.c.place < CODES_TRIED))
        is_anothers = or_(
            cls.user_id != (account.id or 0), cls.credential_version != (account.credential_version or 0)
        )
        why = case(
            (cls.used_at.is_not(None), WhyRefused.USED.value),
            (is_anothers, WhyRefused.OVERTAKEN.value),
            (cls.expires_at <= now, WhyRefused.EXPIRED.value),
            else_=_LIVE,
        ).label("why")
        order = ((why == _LIVE).desc(), cls.id.desc())
        there = (
            select(cls.reference, cls.key, why, func.row_number().over(order_by=order).label("place"))
            .where(cls.nip == nip.digits, cls.expires_at.is_not(None))
            .order_by(*order)
            .limit(CODES_TRIED)
            .subquery("there")
        )
        columns = (
            func.coalesce(there.c.reference, _NO_REFERENCE),
            func.coalesce(there.c.key, _NO_KEY),
            func.coalesce(there.c.why, _NOTHING),
        )
        found = (
            select(*columns).select_from(numbers).join(there, there.c.place == numbers.c.place, isouter=True)
        )
        return [MailedToken(*row) for row in session.execute(found.order_by(numbers.c.place))]

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
            written = update(cls).where(cls.id == bindparam("request")).values(expires_at=bindparam("end"))
            session.connection().execute(
                written, [{"request": request.id, "end": end} for request, end in ends.items()]
            )
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
        """None while the token opens. A used token has changed the account itself, so use is checked
        first."""
        if self.used_at is not None:
            return WhyRefused.USED
        if self.user is None or self.expires_at is None:
            return WhyRefused.WRONG
        if self.credential_version != self.user.credential_version:
            return WhyRefused.OVERTAKEN
        return WhyRefused.EXPIRED if self.expires_at <= now else None

    def is_live(self, now: datetime) -> bool:
        return self.why_not_live(now) is None

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

    def use(self, session: Session, now: datetime) -> bool:
        """Spend the token. If several use it at the same time, one gets True. It never becomes usable
        again."""
        spent = session.execute(
            update(ResetRequest)
            .where(ResetRequest.id == self.id, ResetRequest.used_at.is_(None), ResetRequest.expires_at > now)
            .values(used_at=now)
            .execution_options(synchronize_session=False)
            .returning(ResetRequest.id)
        )
        return spent.first() is not None
