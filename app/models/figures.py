from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, UtcDateTime, upsert


class Figures(Base):
    """The one row with what a worker has last counted in the database, so that whoever asks how the portal is
    doing reads a row, and counts nothing. There is no row before a worker has counted for the first time."""

    __tablename__ = "figures"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # As app/flows/reports/count_figures.py writes it. A release reads what another one has written.
    content: Mapped[dict[str, Any]] = mapped_column(JSON)

    @classmethod
    def newest(cls, session: Session) -> "Figures | None":
        found = select(cls).where(cls.id == 1).execution_options(populate_existing=True)
        return session.scalars(found).one_or_none()

    @classmethod
    def renew(
        cls, session: Session, content: Mapping[str, Any], now: datetime, instead_of: "Figures | None"
    ) -> None:
        """Write the row, unless another worker has written it meanwhile."""
        values = {"made_at": now, "content": dict(content)}
        first = upsert(session, cls).values(id=1, **values)
        if instead_of is None:
            session.execute(first.on_conflict_do_nothing(index_elements=[cls.id]))
            return
        is_same = cls.made_at == instead_of.made_at
        session.execute(first.on_conflict_do_update(index_elements=[cls.id], set_=values, where=is_same))
