from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, Integer, func, or_
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from app.models.base import Base, UtcDateTime, upsert

_OF_PUSAT = 0


def without_lease(
    leased_until: "InstrumentedAttribute[datetime | None]", now: datetime | BindParameter[datetime]
) -> ColumnElement[bool]:
    """No worker has the lease, or its worker has not renewed it for a while."""
    return or_(leased_until.is_(None), leased_until <= now)


class ImportTurn(Base):
    """When a worker last worked on the files of one party: an instansi, or pusat."""

    __tablename__ = "import_turn"

    # The id of an instansi; 0 means pusat
    party: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    served_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @classmethod
    def party_of(cls, instansi_id: int | None) -> int:
        return _OF_PUSAT if instansi_id is None else instansi_id

    @classmethod
    def is_of(cls, instansi_id: "InstrumentedAttribute[int | None]") -> ColumnElement[bool]:
        """The condition that joins the turn of a row's party."""
        return cls.party == func.coalesce(instansi_id, _OF_PUSAT)

    @classmethod
    def note(cls, session: Session, instansi_id: int | None, now: datetime) -> None:
        served = upsert(session, cls).values(party=cls.party_of(instansi_id), served_at=now)
        session.execute(served.on_conflict_do_update(index_elements=[cls.party], set_={"served_at": now}))
