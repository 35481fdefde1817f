"""Who may act as an admin, and on whom. This is the only place that decides; every page of the desk asks
here.

An admin of an instansi reaches the people of that instansi and nobody else: for this admin, all others do not
exist. Pusat reaches everybody. Nobody acts on their own account, or on somebody whose mandates reach further
than their own: a rank is a set of instansi.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models.admin_mandate import AdminMandate, Role
from app.models.user import User


@dataclass(frozen=True)
class OutOfReach:
    """There is no such person, or this admin may not know of them: the answer is the same for both."""


@dataclass(frozen=True)
class NotToTouch:
    """This admin may see the person, but not act on them. The sentence says why."""

    sentence: str


_ONESELF = NotToTouch(
    "Admin tidak dapat memutuskan tentang akunnya sendiri. Minta admin lain, atau admin pusat."
)
_HIGHER_RANK = NotToTouch("Akun ini milik admin pusat, jadi hanya dapat diubah oleh admin pusat lain.")
_WIDER_MANDATE = NotToTouch(
    "Pegawai ini juga admin instansi di luar mandat Anda, jadi hanya dapat diubah oleh admin pusat."
)
_NO_LONGER = NotToTouch("Mandat Anda untuk pegawai ini baru saja berakhir atau dicabut.")


@dataclass(frozen=True)
class Authority:
    """What one admin may do today, by all mandates that hold today."""

    admin: User
    is_pusat: bool
    instansi_ids: frozenset[int]  # empty for pusat, which is not bound to any

    @classmethod
    def of(cls, session: Session, admin: User, today: date) -> "Authority | None":
        """None for a person who holds no mandate today."""
        mandates = AdminMandate.held_by(session, admin.id, today)
        if not mandates:
            return None
        if any(mandate.role is Role.ADMIN_PUSAT for mandate in mandates):
            return cls(admin, True, frozenset())
        return cls(
            admin, False, frozenset(mandate.instansi_id for mandate in mandates if mandate.instansi_id)
        )

    @classmethod
    def in_office(cls, session: Session, admin: User | None, today: date) -> "Authority | None":
        """The same for an admin who is not logged in here. Also None for nobody, and for an account that may
        not be entered."""
        return cls.of(session, admin, today) if admin is not None and admin.may_enter else None

    def covers(self, instansi_id: int | None) -> bool:
        return self.is_pusat or instansi_id in self.instansi_ids

    def within(
        self, instansi_id: "InstrumentedAttribute[int] | InstrumentedAttribute[int | None]"
    ) -> ColumnElement[bool]:
        """The condition that keeps a query within reach. Every list, count, search and export uses it."""
        return true() if self.is_pusat else instansi_id.in_(self.instansi_ids)

    @property
    def only_instansi_id(self) -> int | None:
        """The one instansi of this admin, whose desk an act on several people concerns. None for pusat, and
        if there are several instansi."""
        return min(self.instansi_ids) if len(self.instansi_ids) == 1 else None

    def parts(self, counts: Mapping[int, int]) -> dict[int | None, int]:
        """Counts by instansi, as the trail records them: each desk of this admin has its own part, even if
        that is zero. Pusat has one count for all."""
        if self.is_pusat:
            return {None: sum(counts.values())}
        return {instansi_id: counts.get(instansi_id, 0) for instansi_id in sorted(self.instansi_ids)}

    @property
    def office(self) -> str:
        """How others are told who acted: by an office, not by a person's name."""
        return "admin pusat" if self.is_pusat else f"admin {self.admin.instansi.name}"

    def name_of(self, actor: User | None) -> str:
        """The person who acted, named as this admin may know them."""
        if actor is None:
            return "portal"
        return actor.name if self.covers(actor.instansi_id) else "admin di luar instansi ini"

    def person(self, session: Session, person_id: int) -> User | OutOfReach:
        """A person to look at."""
        person = User.with_id(session, person_id)
        return person if person is not None and self.covers(person.instansi_id) else OutOfReach()

    def person_to_act_on(
        self, session: Session, person_id: int, today: date
    ) -> User | OutOfReach | NotToTouch:
        """A person to change, as now stored and locked until the transaction ends."""
        if isinstance(self.person(session, person_id), OutOfReach):
            return OutOfReach()  # decided before locking a row that does not concern this admin
        person = User.with_id(session, person_id, lock=True)
        if person is None or not self.covers(person.instansi_id):
            return OutOfReach()
        as_of_now = self._as_of_now(session, today)
        if as_of_now is None or not as_of_now.covers(person.instansi_id):
            return _NO_LONGER
        return as_of_now.objection(session, person, today) or person

    def objection(self, session: Session, person: User, today: date) -> NotToTouch | None:
        """Why this admin may not act on a person within reach."""
        if person.id == self.admin.id:
            return _ONESELF
        if self.is_pusat:
            return None
        for mandate in AdminMandate.held_by(session, person.id, today):
            if mandate.instansi_id is None:
                return _HIGHER_RANK
            if mandate.instansi_id not in self.instansi_ids:
                return _WIDER_MANDATE
        return None

    def _as_of_now(self, session: Session, today: date) -> "Authority | None":
        """Read once more, because this act may have waited for a lock: since then, the mandate may have been
        revoked, or the admin's account closed."""
        version = session.scalar(select(User.credential_version).where(User.id == self.admin.id))
        return Authority.of(session, self.admin, today) if version == self.admin.credential_version else None
