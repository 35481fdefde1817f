"""The worker counts the people by activation, so that the desk's pages need not.

It counts all people in one transaction that only reads. Then it writes the counts that have changed, for a
few instansi at a time, so that no other writer waits long. Two workers that count at the same time write the
same.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.categories import Activation
from app.domain.indonesian_time import today_in_jakarta
from app.models.activation_count import ActivationDay, ActivationUnit
from app.models.instansi import Instansi
from app.models.user import User

INSTANSI_AT_ONCE = 20


@dataclass(frozen=True)
class InstansiCount:
    """How many people of one instansi have which activation, by work unit."""

    instansi_id: int
    units: dict[str, Counter[Activation]]

    @property
    def total(self) -> Counter[Activation]:
        return sum(self.units.values(), Counter())


def count_people(session: Session) -> list[InstansiCount]:
    """Count everybody, by instansi, unit and activation."""
    units: dict[int, dict[str, Counter[Activation]]] = defaultdict(lambda: defaultdict(Counter))
    group = (User.instansi_id, User.work_unit, User.activation)
    for instansi_id, unit, activation, count in session.execute(
        select(*group, func.count()).group_by(*group)
    ):
        units[instansi_id][unit][activation] = count
    return [
        InstansiCount(found, dict(units[found]))
        for found in session.scalars(select(Instansi.id).order_by(Instansi.id))
    ]


def note_counts(session: Session, counts: Sequence[InstansiCount], now: datetime) -> None:
    """Write down what was counted at `now`. Only rows that differ are written."""
    ids = [count.instansi_id for count in counts]
    # If there are two workers, one waits. People may be added to the instansi meanwhile (FOR NO KEY UPDATE).
    session.scalars(
        select(Instansi.id).where(Instansi.id.in_(ids)).order_by(Instansi.id).with_for_update(key_share=True)
    ).all()
    _note_day(session, counts, now)
    known = {
        (unit.instansi_id, unit.work_unit): unit
        for unit in session.scalars(select(ActivationUnit).where(ActivationUnit.instansi_id.in_(ids)))
    }
    for count in counts:
        for name, states in count.units.items():
            unit = known.pop((count.instansi_id, name), None) or ActivationUnit(
                instansi_id=count.instansi_id, work_unit=name
            )
            _set(unit, states)
            session.add(unit)
    for gone in known.values():
        session.delete(gone)


def _note_day(session: Session, counts: Sequence[InstansiCount], now: datetime) -> None:
    today = today_in_jakarta(now)
    todays = select(ActivationDay).where(
        ActivationDay.day == today, ActivationDay.instansi_id.in_([count.instansi_id for count in counts])
    )
    known = {day.instansi_id: day for day in session.scalars(todays)}
    for count in counts:
        day = known.get(count.instansi_id) or ActivationDay(day=today, instansi_id=count.instansi_id)
        _set(day, count.total)
        day.counted_at = now
        session.add(day)


def _set(row: ActivationDay | ActivationUnit, states: Counter[Activation]) -> None:
    row.not_activated = states[Activation.NOT_ACTIVATED]
    row.waiting_approval = states[Activation.WAITING_APPROVAL]
    row.active = states[Activation.ACTIVE]
    row.deactivated = states[Activation.DEACTIVATED]
