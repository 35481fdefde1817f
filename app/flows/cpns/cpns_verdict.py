"""What a verdict over several CPNS led to, person by person. It is kept in the trail, so a reload tells the
same."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.domain.categories import Activation
from app.domain.client import Client
from app.domain.indonesian_time import today_in_jakarta
from app.mail import letters
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

MOST_AT_ONCE = 100
_DECISIONS = (Tag.CPNS_APPROVED, Tag.CPNS_REJECTED, Tag.CPNS_OPENED_BY_CATEGORY)


class Verdict(StrEnum):
    APPROVED = "disetujui"
    REJECTED = "ditolak"


class Ending(StrEnum):
    DONE = "selesai"
    NOT_WAITING = "tidak_menunggu"  # somebody else was faster, or the person never waited
    REFUSED = "bukan_wewenang"  # the own account, or one of higher rank


@dataclass(frozen=True)
class Decision:
    """What somebody else, who was faster, has decided. `by` is a name only where the reader knows of that
    person."""

    verdict: Verdict
    by: str
    at: datetime


@dataclass(frozen=True)
class Told:
    """One person of the list, and how it ended."""

    person: User
    ending: Ending
    decision: Decision | None


@dataclass(frozen=True)
class Result:
    verdict: Verdict
    rows: list[Told]

    @property
    def done(self) -> int:
        return sum(row.ending is Ending.DONE for row in self.rows)


def passed_on(
    session: Session,
    authority: Authority,
    people: Collection[int],
    act: Callable[[User], None],
    now: datetime,
) -> dict[int, Ending]:
    """Do the act to all who still wait, in one transaction: what the result says is what has happened.

    Who is out of reach is left out without a word. The rows are locked in the order of their ids, so that two
    admins with the same list wait and never deadlock.
    """
    endings: dict[int, Ending] = {}
    for person_id in sorted(set(people)):
        match authority.person_to_act_on(session, person_id, today_in_jakarta(now)):
            case OutOfReach():
                continue
            case NotToTouch():
                endings[person_id] = Ending.REFUSED
            case User() as person if person.activation is Activation.WAITING_APPROVAL:
                act(person)
                endings[person_id] = Ending.DONE
            case User():
                endings[person_id] = Ending.NOT_WAITING
    return endings


def record_verdict(
    session: Session,
    authority: Authority,
    verdict: Verdict,
    endings: dict[int, Ending],
    client: Client,
    now: datetime,
    **why: str,
) -> AuditEvent:
    """Write down how each ended, for each desk its own people, and tell the centre where it was more than
    one. Returns one of the events; `told_result` finds the others."""
    done = sum(ending is Ending.DONE for ending in endings.values())
    events = [
        audit.record(
            session, Tag.BULK_ACT, None, client, now, actor=authority.admin, instansi_id=desk,
            act="cpns", verdict=verdict, how_many=sum(ending is Ending.DONE for ending in part.values()),
            people=" ".join(f"{one}:{ending}" for one, ending in part.items()), **why,
        )
        for desk, part in _by_desk(session, authority, endings).items()
    ]  # fmt: skip
    session.flush()
    if done > 1:
        letters.bulk_act(session, authority.admin, f"akun CPNS {verdict}", done, client, now)
    return events[0]


def told_result(session: Session, authority: Authority, event_id: int) -> Result | None:
    """To whom gave the verdict, and of people who are still within reach; None for everybody else."""
    event = session.get(AuditEvent, event_id)
    if (
        event is None
        or event.tag is not Tag.BULK_ACT
        or event.actor_id != authority.admin.id
        or event.detail.get("act") != "cpns"
    ):
        return None
    parts = session.scalars(
        select(AuditEvent)
        .where(AuditEvent.at == event.at, AuditEvent.actor_id == event.actor_id)
        .where(AuditEvent.tag == event.tag, AuditEvent.request_id == event.request_id)
    )
    pairs = [pair.split(":") for part in parts for pair in str(part.detail["people"]).split()]
    endings = {int(one): Ending(ending) for one, ending in pairs}
    found = session.scalars(
        select(User).where(User.id.in_(endings), authority.within(User.instansi_id)).order_by(User.nip)
    )
    rows = [
        Told(
            person,
            endings[person.id],
            _decision_about(session, authority, person) if endings[person.id] is Ending.NOT_WAITING else None,
        )
        for person in found
    ]
    return Result(Verdict(str(event.detail["verdict"])), rows)


def _by_desk(
    session: Session, authority: Authority, endings: dict[int, Ending]
) -> dict[int | None, dict[int, Ending]]:
    """The centre has them all in one; and so has a list of nobody."""
    if authority.is_pusat or not endings:
        return {authority.only_instansi_id: endings}
    desks = dict(session.execute(select(User.id, User.instansi_id).where(User.id.in_(endings))).all())
    parts: dict[int | None, dict[int, Ending]] = {}
    for person_id, ending in endings.items():
        parts.setdefault(desks[person_id], {})[person_id] = ending
    return parts


def _decision_about(session: Session, authority: Authority, person: User) -> Decision | None:
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
    return Decision(verdict, event.actor.name if event.actor and knows else "pihak lain", event.at)
