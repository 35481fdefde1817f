"""An admin corrects what is on record about a person: NIP, name, category, work unit, phone. The address has its own way."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.categories import Category
from app.domain.client import Client
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.flows.change_email import cancel_under_way
from app.flows.recategorise import recategorise
from app.mail import letters
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

# As any other category the address of the account would need one admin, and no second.
_PPT = NotToTouch("Kategori PPT Non ASN hanya diubah oleh admin pusat. Minta admin pusat mengubahnya.")
_WORDS = {"nip": "NIP", "name": "nama", "category": "kategori", "work_unit": "unit kerja", "phone": "telepon"}


@dataclass(frozen=True)
class Record:
    """What may be corrected here, all of it: what is not named cannot be changed."""

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
        """Names this state of the record in a form, so that nobody overwrites what he has not seen."""
        state = json.dumps((self.nip.digits, self.name, self.category, self.work_unit, self.phone))
        return hashlib.sha256(state.encode()).hexdigest()[:16]

    def differences(self, other: "Record") -> tuple[str, ...]:
        return tuple(column for column in _WORDS if getattr(self, column) != getattr(other, column))


@dataclass(frozen=True)
class Stale:
    """The record has changed since it was shown."""


@dataclass(frozen=True)
class NipTaken:
    """Somebody has this NIP; who, and where, is not said."""


@dataclass(frozen=True)
class Corrected:
    """`columns` are what has changed; none where the record was like that already."""

    person: User
    columns: tuple[str, ...]

    @property
    def words(self) -> str:
        return ", ".join(_WORDS[column] for column in self.columns)


def correct_record(
    session: Session,
    authority: Authority,
    person_id: int,
    seen_version: str,
    wanted: Record,
    reason: str,
    cpns_open_by_themselves: bool,
    client: Client,
    now: datetime,
) -> Corrected | Stale | NipTaken | OutOfReach | NotToTouch:
    """Write the record as wanted. A new NIP or category ends all tokens and sessions: they were given to somebody else."""
    person = authority.person_to_act_on(session, person_id, today_in_jakarta(now))
    if not isinstance(person, User):
        return person
    columns = wanted.differences(Record.of(person))
    if not columns:
        return Corrected(person, ())
    if seen_version != Record.of(person).version:
        return Stale()
    if "category" in columns and person.category is Category.PPT_NON_ASN and not authority.is_pusat:
        return _PPT
    if "nip" in columns and not _took_nip(session, person, wanted.nip):
        # Who tries NIPs one after the other learns which are taken, and leaves this trace.
        audit.record(session, Tag.ADMIN_REFUSED, person, client, now, actor=authority.admin, reason="NIP taken")
        return NipTaken()

    if "nip" in columns:
        cancel_under_way(session, person, "NIP dibetulkan.", authority.admin, client, now)
    if "name" in columns:
        person.rename(wanted.name)
    if "category" in columns:
        recategorise(session, person, wanted.category, cpns_open_by_themselves, client, now, authority.admin)
        person.end_all_access()
    person.work_unit = wanted.work_unit
    person.phone = wanted.phone
    done = Corrected(person, columns)
    audit.record(
        session, Tag.RECORD_CORRECTED, person, client, now, actor=authority.admin, columns=",".join(columns), reason=reason
    )
    what = f"Data Anda dibetulkan oleh {authority.office}: {done.words}."
    letters.account_changed(session, person, what, reason, client, now)
    return done


def _took_nip(session: Session, person: User, nip: Nip) -> bool:
    if User.with_nip(session, nip) is not None:
        return False
    try:
        with session.begin_nested():
            person.renumber(nip)
    except IntegrityError:  # somebody else was faster by a moment
        session.refresh(person)
        return False
    return True
