"""Pusat appoints an admin by a letter of appointment (SK), or extends a mandate by a new one."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.flows.identity.change_identity import ProposedChange, UnderWay, begin_change
from app.models.admin_mandate import AdminMandate, Role
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi, UnknownInstansi
from app.models.mandate_handover import MandateHandover
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch

LONGEST_YEARS = 5
ONESELF = NotToTouch("Admin tidak dapat mengatur mandatnya sendiri. Minta admin pusat lain.")
_NO_LONGER = NotToTouch("Mandat pusat Anda baru saja berakhir atau dicabut.")


@dataclass(frozen=True)
class UnknownPerson:
    pass


@dataclass(frozen=True)
class AlreadyOver:
    """The last day is in the past."""


@dataclass(frozen=True)
class TooLong:
    """The last day is later than a page may set it. The command line may set it."""


@dataclass(frozen=True)
class MayNotEnter:
    """The account is deactivated, or a CPNS waits for approval: the mandate would help nobody."""

    activation: Activation

    @property
    def sentence(self) -> str:
        if self.activation is Activation.DEACTIVATED:
            return "Akun pegawai ini dinonaktifkan. Aktifkan kembali dahulu, atau pilih pegawai lain."
        return "Akun CPNS ini menunggu persetujuan instansi. Setujui dahulu, atau pilih pegawai lain."


GrantRefused = UnknownPerson | MayNotEnter | UnknownInstansi | AlreadyOver | TooLong | UnderWay | NotToTouch


def grant_mandate(
    session: Session,
    nip: Nip,
    instansi_code: str | None,
    sk_number: str,
    until: date,
    act: Act[Authority | None],
) -> AdminMandate | GrantRefused:
    """Give the right over one instansi, from today until `until`, both days included. If `instansi_code` is
    None, the right is over all instansi.

    If `act.by` is None, the command line acts. A mandate over all instansi needs a second admin of pusat: the
    mandate then `awaits_second`. It replaces the mandate that the person held over the same instansi. If SK
    and last day are the same as before, nothing changes.
    """
    by, today = audit.actor_of(act), today_in_jakarta(act.at)
    if objection_to_day := check_last_day(until, today, is_by_page=by is not None):
        return objection_to_day
    person = User.with_nip(session, nip)
    if person is None:
        return UnknownPerson()
    if objection := lock_for_mandate(session, by, person, today):
        return objection
    if may_not := objection_to_account(person):
        return may_not
    instansi = Instansi.one_or_all(session, instansi_code)
    if isinstance(instansi, UnknownInstansi):
        return instansi

    held = AdminMandate.held_over(session, person.id, instansi.id if instansi else None, today)
    for mandate in held:
        if (mandate.sk_number, mandate.ends_on) == (sk_number, until):
            return mandate
    if earlier := IdentityChange.under_way_for(session, person.id):
        same = earlier.mandate
        if same is not None and (same.instansi_id, same.sk_number, same.ends_on) == (None, sk_number, until):
            return same
        return UnderWay(earlier)
    return appoint(
        session, person, Appointment(instansi, sk_number, until, needs_second=instansi is None), act
    )


@dataclass(frozen=True)
class Appointment:
    """What a mandate will be. `instead_of` is the mandate whose place it takes, with its last day: None if it
    ends at that moment."""

    instansi: Instansi | None
    sk_number: str
    until: date
    needs_second: bool
    instead_of: tuple[AdminMandate, date | None] | None = None


def appoint(session: Session, person: User, wanted: Appointment, act: Act[Authority | None]) -> AdminMandate:
    """Take the mandate through the gate. The person is locked, and nothing about them is under way."""
    by, today = audit.actor_of(act), today_in_jakarta(act.at)
    mandate = AdminMandate(
        user_id=person.id,
        user=person,
        role=Role.ADMIN_INSTANSI if wanted.instansi else Role.ADMIN_PUSAT,
        instansi=wanted.instansi,
        sk_number=wanted.sk_number,
        starts_on=today,
        ends_on=wanted.until,
        granted_by_id=by.id if by else None,
        awaits_second=True,  # it waits until it has passed the gate
    )
    session.add(mandate)
    session.flush()
    if wanted.instead_of is not None:
        former, former_until = wanted.instead_of
        session.add(
            MandateHandover(mandate=mandate, former=former, former_until=former_until, asked_on=today)
        )
        session.flush()
    proposed = ProposedChange(
        ChangeKind.MANDATE,
        None,
        mandate.scope[:254],
        wanted.sk_number,
        mandate=mandate,
        needs_second=wanted.needs_second,
    )
    change = begin_change(session, person, proposed, timedelta(), act)
    assert isinstance(change, IdentityChange), "nothing is under way, and no address or NIP is taken"
    return mandate


def check_last_day(until: date, today: date, *, is_by_page: bool) -> AlreadyOver | TooLong | None:
    if until < today:
        return AlreadyOver()
    return TooLong() if is_by_page and until > _years_after(today, LONGEST_YEARS) else None


def objection_to_account(person: User) -> MayNotEnter | None:
    """Who has not activated the account yet may get a mandate: a new admin often logs in for the first time
    because of it. The person is locked."""
    return None if person.may_enter else MayNotEnter(person.activation)


def lock_for_mandate(session: Session, by: User | None, person: User, today: date) -> NotToTouch | None:
    """Lock both people until the transaction ends, always in the same order, and check again that `by` is
    still an admin of pusat. So two admins who revoke each other at the same moment do not both succeed."""
    if by is not None and by.id == person.id:
        return ONESELF
    for person_id in sorted({person.id} | ({by.id} if by else set())):
        User.with_id(session, person_id, lock=True)
    return _NO_LONGER if by is not None and not AdminMandate.is_of_pusat(session, by.id, today) else None


def _years_after(day: date, years: int) -> date:
    """The same day some years later; 29 February becomes 28 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
