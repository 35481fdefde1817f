from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.domain.categories import Category
from app.domain.corrections import IdentityCheck
from app.domain.identity import ChangeKind, ChangeState
from app.domain.nip import Nip
from app.models.admin_mandate import AdminMandate
from app.models.base import Base, BigId, PartialIndex, UtcDateTime, text_enum
from app.models.email_correction import EmailCorrection
from app.models.many_rows import one_of
from app.models.user import User

_UNDER_WAY = text("state IN ('menunggu_konfirmasi', 'dijadwalkan')")
_CONTESTED = text("state = 'dibekukan' AND settled_at IS NULL")


class IdentityChange(Base):
    """A decision to change what identifies a person, and what became of it.

    `told` are the addresses that got a mail about it, each with the link that stops it.
    """

    __tablename__ = "identity_change"
    __table_args__ = (
        CheckConstraint("confirmed_by_id IS NULL OR confirmed_by_id != "
            "decided_by_id", name="second_is_another"),
        CheckConstraint("(kind = 'mandat') = (mandate_id IS NOT NULL)", name="mandate_fits_kind"),
        PartialIndex("uq_identity_change_under_way", "user_id", unique=True, only=_UNDER_WAY),
        PartialIndex("ix_identity_change_contested", "instansi_id", "ended_at", "id", only=_CONTESTED),
        Index("ix_identity_change_user_id", "user_id", "id"),
        Index("ix_identity_change_instansi_id_state", "instansi_id", "state", "decided_at", "id"),
        Index("ix_identity_change_state_decided_at", "state", "decided_at", "id"),
        Index("ix_identity_change_state_effective_at", "state", "effective_at"),
        Index("ix_identity_change_correction_id", "correction_id"),
        Index("ix_identity_change_ever_decided_by_id", "decided_by_id"),
        Index("ix_identity_change_ever_confirmed_by_id", "confirmed_by_id"),
        Index("ix_identity_change_settled_by_id", "settled_by_id"),
        PartialIndex("ix_identity_change_decided_by_id", "decided_by_id", only=_UNDER_WAY),
        PartialIndex("ix_identity_change_confirmed_by_id", "confirmed_by_id", only=_UNDER_WAY),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # The link "bukan saya" is signed over this
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    kind: Mapped[ChangeKind] = mapped_column(text_enum(ChangeKind, "change_kind"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    # The instansi whose desk the change concerns
    instansi_id: Mapped[int] = mapped_column(ForeignKey("instansi.id"))
    correction_id: Mapped[int | None] = mapped_column(ForeignKey("email_correction.id"))
    # The mandate that will hold
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("admin_mandate.id"))
    # An address, a NIP, the code of an instansi, a category
    old_value: Mapped[str | None] = mapped_column(String(254))
    new_value: Mapped[str] = mapped_column(String(254))  # the same; empty for no address
    state: Mapped[ChangeState] = mapped_column(text_enum(ChangeState, "change_state"))
    identity_check: Mapped[IdentityCheck | None] = mapped_column(
        text_enum(IdentityCheck, "identity_check", closed=False)
    )
    reason: Mapped[str] = mapped_column(String(500))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))  # NULL: the operator
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    effective_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it takes, or took, effect
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it was stopped or cancelled
    ended_because: Mapped[str | None] = mapped_column(String(300))
    told: Mapped[list[str]] = mapped_column(JSON, default=list)
    # If the change was frozen: when a second admin settled it
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # Why a decision that was already made must be confirmed by another admin
    look_again_because: Mapped[str | None] = mapped_column(String(300))

    user: Mapped[User] = relationship(lazy="joined", foreign_keys=[user_id])
    correction: Mapped[EmailCorrection | None] = relationship(foreign_keys=[correction_id])
    mandate: Mapped[AdminMandate | None] = relationship(foreign_keys=[mandate_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])

    @classmethod
    def with_id(cls, session: Session, change_id: int, *, lock: bool = False) -> "IdentityChange | None":
        """Lock the person first (`User.with_id`), then this row: the same order everywhere."""
        found = select(cls).where(cls.id == change_id).execution_options(populate_existing=True)
        if lock:
            found = found.with_for_update(of=cls)
        return session.scalars(found).one_or_none()

    @classmethod
    def with_reference(cls, session: Session, reference: str) -> "IdentityChange | None":
        found = select(cls).where(cls.reference == reference).execution_options(populate_existing=True)
        return session.scalars(found).one_or_none()

    @staticmethod
    def is_on_its_way() -> ColumnElement[bool]:
        """Neither in effect nor ended."""
        return and_(_UNDER_WAY)

    @classmethod
    def under_way_for(cls, session: Session, user_id: int) -> "IdentityChange | None":
        """The one change of this person that is neither in effect nor ended."""
        return session.scalars(select(cls).where(cls.user_id == user_id, _UNDER_WAY)).one_or_none()

    @classmethod
    def recheck_those_by(cls, session: Session, admin_id: int, because: str) -> list[tuple[int, int]]:
        """The person who decided or confirmed these changes may not decide any more: another admin must
        confirm each change, or it does not hold. Returns ids of change and person. This is one statement and
        does not use the people's rows, so it never waits for a transaction that has locked one of those."""
        by_admin = or_(cls.decided_by_id == admin_id, cls.confirmed_by_id == admin_id)
        held = (
            update(cls)
            .where(by_admin, _UNDER_WAY)
            .values(
                state=ChangeState.NEEDS_SECOND,
                effective_at=None,
                confirmed_by_id=None,
                look_again_because=because,
            )
            .returning(cls.id, cls.user_id)
        )
        return sorted((change_id, user_id) for change_id, user_id in session.execute(held))

    @classmethod
    def contesting(cls, session: Session, user_id: int) -> "list[IdentityChange]":
        """The changes of this person that somebody has stopped and that no second admin has settled since."""
        return list(session.scalars(select(cls).where(cls.user_id == user_id, _CONTESTED).order_by(cls.id)))

    @classmethod
    def contested_among(cls, session: Session, user_ids: Collection[int]) -> frozenset[int]:
        """The ones among these people whose accounts are contested."""
        if not user_ids:
            return frozenset()
        return frozenset(session.scalars(select(cls.user_id).where(cls.user_id.in_(user_ids), _CONTESTED)))

    @classmethod
    def contested_addresses(cls, session: Session, keys: Collection[str]) -> frozenset[str]:
        """The ones among these addresses (in lower case) that a contested account may get back: nobody else
        may have them meanwhile."""
        if not keys:
            return frozenset()
        held = func.lower(cls.old_value)
        is_of_them = one_of(session, held, keys)
        wanted = select(held).where(_CONTESTED, cls.kind == ChangeKind.EMAIL, is_of_them)
        return frozenset(key for key in session.scalars(wanted) if key)

    @classmethod
    def next_with_same_aim(cls, session: Session, change: "IdentityChange") -> "IdentityChange | None":
        """A later decision with exactly the same aim that is not ended: a person who stops the one means the
        other too."""
        same = (
            cls.user_id == change.user_id,
            cls.kind == change.kind,
            cls.new_value == change.new_value,
            cls.id > change.id,
        )
        alive = cls.state.in_((ChangeState.NEEDS_SECOND, ChangeState.SCHEDULED, ChangeState.DONE))
        return session.scalars(select(cls).where(*same, alive).order_by(cls.id).limit(1)).one_or_none()

    @classmethod
    def all_of(cls, session: Session, user_id: int) -> "list[IdentityChange]":
        """The person's changes, the newest first."""
        return list(session.scalars(select(cls).where(cls.user_id == user_id).order_by(cls.id.desc())))

    @classmethod
    def count_settled(cls, session: Session, user_id: int, since: datetime) -> int:
        """How many times second admins have settled changes of this person that somebody had stopped."""
        settled = select(func.count(func.distinct(cls.settled_at))).where(
            cls.user_id == user_id, cls.settled_at >= since
        )
        return session.scalar(settled) or 0

    @classmethod
    def in_effect_by_one(cls, session: Session, user_id: int, since: datetime) -> "list[int]":
        """The admins who, without a second admin, have changed what identifies this person since then."""
        by_one = (cls.user_id == user_id, cls.state == ChangeState.DONE, cls.effective_at >= since,
        cls.confirmed_by_id.is_(None),
                  cls.kind.in_((ChangeKind.EMAIL, ChangeKind.NIP)))  # fmt: skip
        return [one for one in session.scalars(select(cls.decided_by_id).where(*by_one)) if one is not None]

    @classmethod
    def left_category(
        cls, session: Session, user_ids: Collection[int], category: str, since: datetime
    ) -> frozenset[int]:
        """The ones among these people who were of this category within that time."""
        if not user_ids:
            return frozenset()
        left = (cls.kind == ChangeKind.CATEGORY, cls.state == ChangeState.DONE, cls.old_value == category)
        return frozenset(
            session.scalars(
                select(cls.user_id).where(cls.user_id.in_(user_ids), *left, cls.effective_at >= since)
            )
        )

    @classmethod
    def awaits_second_for(cls, session: Session, correction_id: int) -> bool:
        """Whether a first admin has approved the request, and a second one has not answered yet."""
        waits = select(cls.id).where(
            cls.correction_id == correction_id, cls.state == ChangeState.NEEDS_SECOND
        )
        return session.scalar(waits.limit(1)) is not None

    @classmethod
    def latest_of_correction(cls, session: Session, correction_id: int) -> "IdentityChange | None":
        """The last change that a request has led to."""
        led_to = select(cls).where(cls.correction_id == correction_id).order_by(cls.id.desc()).limit(1)
        return session.scalars(led_to).one_or_none()

    @classmethod
    def due(cls, session: Session, now: datetime, most: int) -> list[int]:
        """The ids of the changes whose waiting time is over. Only the ids, because a change that cannot be
        read must not hide the others."""
        return list(session.scalars(_DUE, {"now": now, "most": most}))

    @classmethod
    def done_after(cls, session: Session, change: "IdentityChange") -> "list[IdentityChange]":
        """The changes of the same kind and account that took effect after this one, and that nobody has
        stopped."""
        later = (
            cls.user_id == change.user_id,
            cls.kind == change.kind,
            cls.id > change.id,
            cls.state == ChangeState.DONE,
        )
        return list(session.scalars(select(cls).where(*later).order_by(cls.id)))

    @property
    def old_shown(self) -> str | None:
        return self._shown(self.old_value) if self.old_value else None

    @property
    def new_shown(self) -> str:
        """The value as the desk and the logged-in person read it."""
        return self._shown(self.new_value)

    def _shown(self, value: str) -> str:
        match self.kind:
            case ChangeKind.NIP:
                return Nip(value).grouped
            case ChangeKind.CATEGORY:
                return Category(value).label
            case _:
                return value or "tanpa email"

    @property
    def value_on_record(self) -> str | None:
        """What the account now has in the place that this change is about. A mandate has a row of its own."""
        match self.kind:
            case ChangeKind.EMAIL:
                return self.user.email
            case ChangeKind.NIP:
                return self.user.nip
            case ChangeKind.INSTANSI:
                return self.user.instansi.code
            case ChangeKind.CATEGORY:
                return self.user.category
            case ChangeKind.MANDATE:
                return None

    @property
    def is_under_way(self) -> bool:
        return self.state in (ChangeState.NEEDS_SECOND, ChangeState.SCHEDULED)

    @property
    def is_contesting(self) -> bool:
        return self.state is ChangeState.FROZEN and self.settled_at is None

    @property
    def was_stopped(self) -> bool:
        """Somebody has said that it was not them. This stays true after a second admin has settled it."""
        return self.state is ChangeState.FROZEN or self.settled_at is not None

    def end(self, state: ChangeState, because: str, now: datetime) -> None:
        self.state = state
        self.ended_at, self.ended_because = now, because

    def ask_recheck(self, because: str) -> None:
        """Another admin must confirm the change, or it does not hold."""
        self.state = ChangeState.NEEDS_SECOND
        self.effective_at = self.confirmed_by_id = None
        self.look_again_because = because

    def settle(self, by_id: int | None, now: datetime) -> None:
        self.settled_at, self.settled_by_id = now, by_id


_DUE = (
    select(IdentityChange.id)
    .where(
        IdentityChange.state == ChangeState.SCHEDULED,
        IdentityChange.effective_at <= bindparam("now", type_=UtcDateTime),
    )
    .order_by(IdentityChange.effective_at, IdentityChange.id)
    .limit(bindparam("most"))
)
