from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.domain.nip import Nip
from app.models.base import Base, UtcDateTime
from app.models.many_rows import one_of


class FormerNip(Base):
    """A NIP that a person has held. It stays reserved, because others still know that person by it."""

    __tablename__ = "former_nip"
    __table_args__ = (Index("ix_former_nip_nip", "nip"), Index("ix_former_nip_user_id", "user_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    nip: Mapped[str] = mapped_column(String(18))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    given_up_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @classmethod
    def among(cls, session: Session, nips: Collection[str]) -> frozenset[str]:
        """The ones among `nips` that somebody once held."""
        if not nips:
            return frozenset()
        return frozenset(session.scalars(select(cls.nip).where(one_of(session, cls.nip, nips))))

    @classmethod
    def is_reserved(cls, session: Session, nip: Nip, user_id: int) -> bool:
        """Whether somebody other than this person has held it."""
        held = select(cls.id).where(cls.nip == nip.digits, cls.user_id != user_id).limit(1)
        return session.scalar(held) is not None
