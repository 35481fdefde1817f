"""An admin corrects what is on record about a person: NIP, name, category, work unit, phone. The email has a
flow of its own (app/flows/correction).

A NIP, and a category that protects the account, go through the gate and may take effect later. All other
corrections take effect at once.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Category
from app.domain.corrections import CorrectionField
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.flows.identity.change_identity import (
    ProposedChange,
    UnderWay,
    begin_change,
    cancel_under_way,
    same_under_way,
)
from app.flows.identity.put_on_record import AddressTaken, NipTaken, change_category
from app.mail import letters
from app.models.audit_event import Tag
from app.models.email_correction import EmailCorrection
from app.models.former_nip import FormerNip
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

# With any other category, the address of the account could be changed without a second admin.
_PPT = NotToTouch("Kategori PPT Non ASN hanya diubah oleh admin pusat. Minta admin pusat mengubahnya.")
_WORDS = {"nip": "NIP", "name": "nama", "category": "kategori", "work_unit": "unit kerja", "phone": "telepon"}


@dataclass(frozen=True)
class Record:
    """Everything that may be corrected here. What is not named cannot be changed."""

    nip: Nip
    name: str
    category: Category
    work_unit: str
    phone: str | None

    @classmethod
    def of(cls, person: User) -> "Record":
        return cls(person.shown_nip, person.name, person.category, person.work_unit, person.phone)

    @property
    def version(self) -> str:
        """Names this state of the record in a form, so that nobody overwrites a state that they have not
        seen."""
        state = json.dumps((self.nip.digits, self.name, self.category, self.work_unit, self.phone))
        return hashlib.sha256(state.encode()).hexdigest()[:16]

    def differences(self, other: "Record") -> tuple[str, ...]:
        return tuple(column for column in _WORDS if getattr(self, column) != getattr(other, column))

    def with_value(self, field: CorrectionField, value: str) -> "Record":
        """The same record with another value in one place, written as in the trail."""
        match field:
            case CorrectionField.NAME:
                return replace(self, name=value)
            case CorrectionField.WORK_UNIT:
                return replace(self, work_unit=value)
            case CorrectionField.PHONE:
                return replace(self, phone=value)
            case CorrectionField.NIP:
                return replace(self, nip=Nip(value))
            case CorrectionField.EMAIL:
                raise AssertionError("the email has a flow of its own")

    def written(self, column: str) -> str | None:
        """The value of a column, as the trail keeps it."""
        value = getattr(self, column)
        return value.digits if isinstance(value, Nip) else value


@dataclass(frozen=True)
class Decision:
    """How a record is to be, by an admin's word. `seen` names the state of it that was on the screen.
    `correction` is the person's request, if the decision answers one."""

    wanted: Record
    reason: str
    seen: str
    correction: EmailCorrection | None = None


@dataclass(frozen=True)
class Stale:
    """The record has changed since it was shown."""


@dataclass(frozen=True)
class OneAtATime:
    """A protected account was given a new NIP and a new category at once. Each needs a decision of its
    own."""


@dataclass(frozen=True)
class Corrected:
    """`columns` are what has changed. There are none if the record was like that already. `change` is what
    went through the gate, and says whether it is in effect."""

    person: User
    columns: tuple[str, ...]
    change: IdentityChange | None = None

    @property
    def words(self) -> str:
        return ", ".join(_WORDS[column] for column in self.columns)


def correct_record(
    session: Session,
    person_id: int,
    decision: Decision,
    delay: timedelta,
    act: Act[Authority],
    *,
    cpns_open_by_themselves: bool,
) -> Corrected | Stale | OneAtATime | NipTaken | OutOfReach | NotToTouch:
    """Write the record as wanted, except what has to wait or needs a second admin."""
    person = act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    before, wanted = Record.of(person), decision.wanted
    columns = wanted.differences(before)
    if not columns:
        return Corrected(person, ())
    if decision.seen != before.version:
        return Stale()
    leaves_ppt = "category" in columns and before.category is Category.PPT_NON_ASN
    if leaves_ppt and not act.by.is_pusat:
        return _PPT
    if leaves_ppt and "nip" in columns:
        return OneAtATime()
    gated = "nip" if "nip" in columns else "category" if leaves_ppt else None
    change = _pass_the_gate(session, person, decision, gated, delay, act) if gated else None
    if change is not None and not isinstance(change, IdentityChange):
        return change

    at_once = tuple(column for column in columns if column != gated)
    if at_once:
        _write(session, person, wanted, at_once, act, cpns_open_by_themselves=cpns_open_by_themselves)
        facts = {
            name: value for column in at_once
            for name, value in audit.before_and_after(
                session, column, before.written(column), wanted.written(column)
            ).items()
        }  # fmt: skip
        event = audit.record(
            session, Tag.RECORD_CORRECTED, person, act, columns=",".join(at_once), reason=decision.reason
        )
        event.add(facts)
        done = Corrected(person, at_once)
        what = f"Data Anda dibetulkan oleh {act.by.office}: {done.words}."
        letters.account_changed(session, person, what, decision.reason, act)
        letters.act_on_holder(session, act.by.admin, person, f"membetulkan {done.words}", act)
    return Corrected(person, columns, change)


def _pass_the_gate(
    session: Session,
    person: User,
    decision: Decision,
    column: str,
    delay: timedelta,
    act: Act[Authority],
) -> IdentityChange | NipTaken:
    wanted, reason = decision.wanted, decision.reason
    if column == "category":
        proposed = ProposedChange(ChangeKind.CATEGORY, person.category, wanted.category, reason)
    else:
        is_reserved = FormerNip.is_reserved(session, wanted.nip, person.id) and not act.by.is_pusat
        if is_reserved or User.with_nip(session, wanted.nip) is not None:
            # Somebody who tries one NIP after the other learns which ones are taken, and leaves this trace.
            audit.record(session, Tag.ADMIN_REFUSED, person, act, reason="NIP taken")
            return NipTaken()
        proposed = ProposedChange(
            ChangeKind.NIP, person.nip, wanted.nip.digits, reason, correction=decision.correction
        )
    if same := same_under_way(session, act.by.admin, person, proposed.kind, proposed.new_value):
        return same
    cancel_under_way(session, person, f"{proposed.kind.heading} dibetulkan.", act)
    change = begin_change(session, person, proposed, delay, act)
    assert not isinstance(change, AddressTaken | UnderWay), "no address was changed, and nothing is under way"
    return change


def _write(
    session: Session,
    person: User,
    wanted: Record,
    columns: tuple[str, ...],
    act: Act[Authority],
    *,
    cpns_open_by_themselves: bool,
) -> None:
    if "name" in columns:
        person.rename(wanted.name)
    if "category" in columns:
        change_category(
            session, person, wanted.category, act, cpns_open_by_themselves=cpns_open_by_themselves
        )
        person.end_all_access()
    person.work_unit = wanted.work_unit
    person.phone = wanted.phone
