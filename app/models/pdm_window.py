from collections.abc import Collection
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, bindparam, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, upsert

NATIONAL = 0


class PdmWindow(Base):
    """When the Pemutakhiran Data Mandiri is open: nationally, or for one instansi. The window of an instansi
    overrides the national one."""

    __tablename__ = "pdm_window"
    __table_args__ = (
        CheckConstraint("opens_on <= closes_on", name="closes_after_opening"),
        CheckConstraint("scope = coalesce(instansi_id, 0)", name="scope_is_instansi"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))
    # The id of the instansi; 0 means national, because a unique column does not compare NULL
    scope: Mapped[int] = mapped_column(unique=True)
    opens_on: Mapped[date]  # both days in Jakarta, both included
    closes_on: Mapped[date]

    @classmethod
    def between(cls, instansi_id: int | None, opens_on: date, closes_on: date) -> "PdmWindow":
        return cls(
            instansi_id=instansi_id, scope=instansi_id or NATIONAL, opens_on=opens_on, closes_on=closes_on
        )

    @classmethod
    def of(cls, session: Session, instansi_id: int | None) -> "PdmWindow | None":
        """The row kept for exactly this instansi, or the national one for None."""
        return session.scalars(select(cls).where(cls.scope == (instansi_id or NATIONAL))).one_or_none()

    @classmethod
    def in_force_for(cls, session: Session, instansi_id: int) -> "PdmWindow | None":
        """The instansi's own window if there is one, otherwise the national one."""
        return session.scalars(_IN_FORCE, {"instansi": instansi_id}).one_or_none()

    @classmethod
    def in_force_for_all(cls, session: Session, instansi_ids: Collection[int]) -> "dict[int, PdmWindow]":
        """The same for several instansi at once. An instansi without a window is left out."""
        found = session.scalars(select(cls).where(cls.scope.in_((*instansi_ids, NATIONAL))))
        windows = {window.scope: window for window in found}
        in_force = {one: windows.get(one) or windows.get(NATIONAL) for one in instansi_ids}
        return {one: window for one, window in in_force.items() if window}

    @classmethod
    def write(cls, session: Session, instansi_id: int | None, opens_on: date, closes_on: date) -> "PdmWindow":
        """Set the days of the row. The row is made if there is none; this is safe while others do the
        same."""
        days = {"opens_on": opens_on, "closes_on": closes_on}
        first = upsert(session, cls).values(instansi_id=instansi_id, scope=instansi_id or NATIONAL, **days)
        session.execute(first.on_conflict_do_update(index_elements=[cls.scope], set_=days))
        statement = (
            select(cls)
            .where(cls.scope == (instansi_id or NATIONAL))
            .execution_options(populate_existing=True)
        )
        return session.scalars(statement).one()

    @classmethod
    def drop(cls, session: Session, instansi_id: int) -> bool:
        """Let the instansi follow the national window again. False if it already did."""
        dropped = session.execute(delete(cls).where(cls.scope == instansi_id).returning(cls.id))
        return dropped.first() is not None


_IN_FORCE = (
    select(PdmWindow)
    .where(or_(PdmWindow.scope == bindparam("instansi"), PdmWindow.scope == NATIONAL))
    .order_by(PdmWindow.scope.desc())
    .limit(1)
)
