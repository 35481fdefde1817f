from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import JSON, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, upsert

OF_ALL = 0


class DeskFigures(Base):
    """What a worker has last counted for the overview of one desk, so that the page reads a row and counts
    nothing. There is no row before the first count."""

    __tablename__ = "desk_figures"

    # The id of the instansi; 0 means all of them together
    scope: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # As app/flows/reports/count_desks.py writes it. A release reads what another one has written.
    content: Mapped[dict[str, Any]] = mapped_column(JSON)

    @classmethod
    def of(cls, session: Session, scopes: Collection[int]) -> dict[int, dict[str, Any]]:
        """The contents of these rows, by scope. A scope that was never counted is left out."""
        found = select(cls.scope, cls.content).where(cls.scope.in_(sorted(scopes)))
        return dict(session.execute(found).all())

    @classmethod
    def write(cls, session: Session, contents: Mapping[int, Mapping[str, Any]]) -> None:
        """Write these rows where they differ. Two workers that count at the same time write the same, in the
        same order."""
        known = cls.of(session, contents.keys())
        for scope, content in sorted(contents.items()):
            if known.get(scope) != content:
                first = upsert(session, cls).values(scope=scope, content=dict(content))
                session.execute(
                    first.on_conflict_do_update(
                        index_elements=[cls.scope], set_={"content": first.excluded.content}
                    )
                )
