"""What a verdict over several CPNS led to, person by person.

Everybody whom the verdict has changed has an event of their own in the trail. The page sends the others who
were chosen with its question. So a reload shows the same result.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain.act import Act
from app.domain.categories import Activation
from app.domain.indonesian_time import today_in_jakarta
from app.domain.labelled import Labelled
from app.domain.pusat_reports import ReportKind
from app.mail.report_to_pusat import report_to_pusat
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

MOST_AT_ONCE = 100
_DECISIONS = (Tag.CPNS_APPROVED, Tag.CPNS_REJECTED, Tag.CPNS_OPENED_BY_CATEGORY)


class Verdict(Labelled):
    APPROVED = "disetujui", "disetujui"
    REJECTED = "ditolak", "ditolak"


class Ending(StrEnum):
    DONE = "selesai"
    NOT_WAITING = "tidak_menunggu"  # somebody else was faster, or the person never waited
    REFUSED = "bukan_wewenang"  # the admin's own account, or one of higher rank


@dataclass(frozen=True)
class EarlierVerdict:
    """What somebody else, who was faster, has decided. `by` is a name only if the reader may know of that
    person."""

    verdict: Verdict
    by: str
    at: datetime


@dataclass(frozen=True)
class VerdictRow:
    """One person of the list, and how it ended."""

    person: User
    ending: Ending
    decision: EarlierVerdict | None


@dataclass(frozen=True)
class VerdictResult:
    verdict: Verdict
    rows: list[VerdictRow]

    @property
    def done(self) -> int:
        return sum(row.ending is Ending.DONE for row in self.rows)


def decide_each(
    session: Session, people: Collection[int], decide: Callable[[User], None], act: Act[Authority]
) -> dict[int, Ending]:
    """Decide about all who still wait, in one transaction, so that the result says what has really happened.

    People out of reach are left out, and nothing is said about them. The rows are locked in the order of
    their ids, so that two admins with the same list wait for each other and never deadlock.
    """
    endings: dict[int, Ending] = {}
    for person_id in sorted(set(people)):
        match act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at)):
            case OutOfReach():
                continue
            case NotToTouch():
                endings[person_id] = Ending.REFUSED
            case User() as person if person.activation is Activation.WAITING_APPROVAL:
                decide(person)
                endings[person_id] = Ending.DONE
            case User():
                endings[person_id] = Ending.NOT_WAITING
    return endings


def record_verdict(
    session: Session, verdict: Verdict, endings: dict[int, Ending], act: Act[Authority], **why: str
) -> AuditEvent:
    """Write down how it ended for each person, one event for each desk, and tell pusat if there was more than
    one person. Returns one of the events, by which `result_for` finds what was decided."""
    done = sum(ending is Ending.DONE for ending in endings.values())
    events = [
        audit.record(
            session, Tag.BULK_ACT, None, act, instansi_id=desk,
            act="cpns", verdict=verdict, how_many=sum(ending is Ending.DONE for ending in part.values()),
            **why
        )
        for desk, part in _by_desk(session, act.by, endings).items()
    ]  # fmt: skip
    session.flush()
    if done > 1:
        words = f"akun CPNS {verdict.label}"
        report_to_pusat(session, ReportKind.CPNS, act.by.admin, words, done, act)
    return events[0]


def result_for(
    session: Session, authority: Authority, event_id: int, chosen: Collection[int], now: datetime
) -> VerdictResult | None:
    """What the admin who gave the verdict sees, about people who are still within reach. None for everybody
    else.

    `chosen` are the people for whom the verdict was meant, as far as the page knows them.
    """
    event = session.get(AuditEvent, event_id)
    if (
        event is None
        or event.tag is not Tag.BULK_ACT
        or event.actor_id != authority.admin.id
        or event.detail.get("act") != "cpns"
    ):
        return None
    decided = session.scalars(
        select(AuditEvent.account_id)
        .where(AuditEvent.at == event.at, AuditEvent.actor_id == event.actor_id)
        .where(AuditEvent.tag.in_(_DECISIONS), AuditEvent.request_id == event.request_id)
    )
    changed = {person_id for person_id in decided if person_id is not None}
    found = session.scalars(
        select(User)
        .where(User.id.in_(changed.union(chosen)), authority.within(User.instansi_id))
        .order_by(User.nip)
    )
    rows = [
        VerdictRow(person, Ending.DONE, None)
        if person.id in changed
        else _left(session, authority, person, today_in_jakarta(now))
        for person in found
    ]
    return VerdictResult(Verdict(str(event.detail["verdict"])), rows)


def _left(session: Session, authority: Authority, person: User, today: date) -> VerdictRow:
    """Somebody whom the verdict has not changed."""
    if authority.objection(session, person, today):
        return VerdictRow(person, Ending.REFUSED, None)
    return VerdictRow(person, Ending.NOT_WAITING, _decision_about(session, authority, person))


def _by_desk(
    session: Session, authority: Authority, endings: dict[int, Ending]
) -> dict[int | None, dict[int, Ending]]:
    """The endings of each desk. For pusat all are in one part, and so is an empty list."""
    if authority.is_pusat or not endings:
        return {authority.only_instansi_id: endings}
    desks = dict(session.execute(select(User.id, User.instansi_id).where(User.id.in_(endings))).all())
    parts: dict[int | None, dict[int, Ending]] = {}
    for person_id, ending in endings.items():
        parts.setdefault(desks[person_id], {})[person_id] = ending
    return parts


def _decision_about(session: Session, authority: Authority, person: User) -> EarlierVerdict | None:
    newest = (
        select(AuditEvent)
        .options(joinedload(AuditEvent.actor))
        .where(AuditEvent.account_id == person.id, AuditEvent.tag.in_(_DECISIONS))
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(1)
    )
    event = session.scalars(newest).one_or_none()
    if event is None:
        return None
    verdict = Verdict.REJECTED if event.tag is Tag.CPNS_REJECTED else Verdict.APPROVED
    knows = event.actor is not None and authority.covers(event.actor.instansi_id)
    return EarlierVerdict(verdict, event.actor.name if event.actor and knows else "pihak lain", event.at)
