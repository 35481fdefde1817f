"""One dishonest admin, of an instansi or of pusat, does what the desk allows in any order, with every account
that they control.

They must not get an account that is in use unless a second person agrees, or the waiting time with its letter
is over. Nobody honest acts in these tests, so nothing that needs a second admin may happen. The people who
are told have not read the mail yet.
"""

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from flask import Flask
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from hypothesis.strategies import booleans, integers, sampled_from
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli import demo
from app.domain.act import Act
from app.domain.categories import Activation, Category
from app.domain.client import Client
from app.domain.corrections import IdentityCheck
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now, today_in_jakarta
from app.domain.nip import Nip
from app.files.seen_values import SeenValues
from app.files.table import Row
from app.flows.correction.change_email import EmailDecision, change_email
from app.flows.identity.change_identity import cancel_change, confirm_change, take_effect
from app.flows.imports.file_rights import Uploader
from app.flows.imports.import_staff import ImportTerms, import_staff, vet
from app.flows.instansi.grant_mandate import grant_mandate
from app.flows.instansi.revoke_mandate import revoke_mandate
from app.flows.people.correct_record import Decision as RecordDecision
from app.flows.people.correct_record import Record, correct_record
from app.flows.people.deactivate import deactivate, reactivate
from app.flows.people.move_person import move_person
from app.models import AdminMandate, IdentityChange, Instansi, OutboxMail, User
from app.runtime import migrations
from app.runtime.db import unit_of_work
from app.security.authority import Authority
from app.wiring import create_app
from config import Settings
from tests.cast import BUDI, HADI, RAKA, RATNA, SARI, WATI, Person
from tests.conftest import SECRET_KEY

DELAY = timedelta(hours=24)
FROM = Client("203.0.113.66", "a dishonest admin", "-")
OWN_DOMAIN = "maling.example"
VICTIMS = (SARI, RAKA, RATNA, WATI, HADI)  # in use, holders of mandates, PPT Non ASN
NIPS = tuple(f"1990010120150110{number:02}" for number in range(10, 16))
# Hypothesis does not look for the smallest example here, because this may take minutes. `make machines`
# does it.
SHORT = settings(max_examples=15, stateful_step_count=20, deadline=None, phases=[Phase.generate])
PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43


class DishonestAdmin(RuleBasedStateMachine):
    """The acts are those of the flows, with the authority of the account that the dishonest admin is logged
    in to at that moment."""

    chief: Person

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory(prefix="machine-")
        self._app = _portal(Path(self._folder.name))
        self._at: datetime = now()
        self._numbers = itertools.count(1)
        self._entered: dict[int, datetime] = {}

    @initialize()
    def people(self) -> None:
        with self._app.app_context(), unit_of_work() as session:
            demo.load(session, PASSWORD_HASH, self._at)
            hadi = _person(session, HADI)
            hadi.activation, hadi.last_login_at = Activation.ACTIVE, self._at
            for mandate in session.scalars(select(AdminMandate)):
                mandate.starts_on = mandate.starts_on - timedelta(days=200)
            session.flush()
            self._in_hands: set[int] = {_person(session, self.chief).id}
            self._ratna = _person(session, RATNA).id
            self._entered[min(self._in_hands)] = self._at - timedelta(days=200)
            ids = {person.nip: _person(session, person).id for person in VICTIMS if person is not self.chief}
            self._victims = set(ids.values()) | {
                user.id
                for user in session.scalars(select(User))
                if user.is_in_use and user.id not in self._in_hands
            }

    def teardown(self) -> None:
        self._folder.cleanup()

    # -- what they can do

    @rule(whom=integers(0, 20), who=integers(0, 5))
    def gives_a_mailbox_of_his_own(self, whom: int, who: int) -> None:
        def act(session: Session, held: Authority, person: User) -> None:
            address = EmailAddress(f"kotak{next(self._numbers)}@{OWN_DOMAIN}")
            decision = EmailDecision(
                address, IdentityCheck.IN_PERSON, "Datang ke loket", person.credential_version
            )
            change_email(session, person.id, decision, DELAY, self._act(held))

        self._with(who, whom, act)

    @rule(whom=integers(0, 20), who=integers(0, 5), nip=sampled_from(NIPS), category=sampled_from(Category))
    def corrects_nip_or_category(self, whom: int, who: int, nip: str, category: Category) -> None:
        def act(session: Session, held: Authority, person: User) -> None:
            is_nip = next(self._numbers) % 2
            before = Record.of(person)
            wanted = Record(
                Nip(nip) if is_nip else before.nip,
                before.name,
                before.category if is_nip else category,
                before.work_unit,
                None,
            )
            correct_record(
                session, person.id, RecordDecision(wanted, "x", before.version), DELAY, self._act(held),
                cpns_open_by_themselves=True,
            )  # fmt: skip

        self._with(who, whom, act)

    @rule(whom=integers(0, 20), who=integers(0, 5), code=sampled_from(("7301", "3402")))
    def moves(self, whom: int, who: int, code: str) -> None:
        self._with(
            who,
            whom,
            lambda session, held, person: move_person(session, person.id, code, "x", self._act(held)),
        )

    @rule(whom=integers(0, 20), who=integers(0, 5), closes=booleans())
    def closes_or_opens(self, whom: int, who: int, *, closes: bool) -> None:
        act = deactivate if closes else reactivate
        self._with(who, whom, lambda session, held, person: act(session, person.id, "x", self._act(held)))

    @rule(whom=integers(0, 20), who=integers(0, 5), code=sampled_from(("7301", "3402", None)))
    def appoints(self, whom: int, who: int, code: str | None) -> None:
        def act(session: Session, held: Authority, person: User) -> None:
            if held.is_pusat:
                until = (self._at + timedelta(days=300)).date()
                grant_mandate(
                    session,
                    person.shown_nip,
                    code,
                    f"SK-{next(self._numbers)}",
                    until,
                    self._act(held),
                )

        self._with(who, whom, act)

    @rule(who=integers(0, 5), which=integers(0, 9))
    def dismisses(self, who: int, which: int) -> None:
        def act(session: Session, held: Authority, _person: User) -> None:
            mandates = session.scalars(select(AdminMandate).order_by(AdminMandate.id)).all()
            if held.is_pusat:
                revoke_mandate(session, mandates[which % len(mandates)].id, "x", self._act(held))

        self._with(who, 0, act)

    @rule(who=integers(0, 5), which=integers(0, 9), confirms=booleans())
    def speaks_as_the_second(self, who: int, which: int, *, confirms: bool) -> None:
        def act(session: Session, held: Authority, _person: User) -> None:
            changes = session.scalars(
                select(IdentityChange.id).order_by(IdentityChange.id.desc()).limit(10)
            ).all()
            if changes and confirms:
                done = confirm_change(session, changes[which % len(changes)], DELAY, self._act(held))
                if isinstance(done, IdentityChange) and done.decided_by_id in self._in_hands:
                    assert self._has_long_stood_alone(session, held.admin), "one admin was his own second"
            elif changes:
                cancel_change(session, changes[which % len(changes)], "x", None, self._act(held))

        self._with(who, 0, act)

    @rule(
        who=integers(0, 5),
        whom=integers(0, 20),
        is_new=booleans(),
        nip=sampled_from((*NIPS, SARI.nip, RAKA.nip, BUDI.nip)),
    )
    def imports_a_row(self, who: int, whom: int, *, is_new: bool, nip: str) -> None:
        def act(session: Session, held: Authority, person: User) -> None:
            only = held.only_instansi_id
            instansi = None if held.is_pusat else session.get(Instansi, only) if only else person.instansi
            cells = {
                "nip": nip if is_new else person.nip, "nama": person.name,
                "email": f"kotak{next(self._numbers)}@{OWN_DOMAIN}",
                "kategori": "PNS" if is_new else person.category.value,
                "kode_instansi": instansi.code if instansi else person.instansi.code, "unit_kerja": "x",
            }  # fmt: skip
            with SeenValues() as seen:
                uploader = Uploader(held, instansi, next(self._numbers), "alasan")
                terms = ImportTerms(seen, True, self._act(held), uploader=uploader)
                import_staff(session, vet([Row(2, cells, None)], seen), terms)

        self._with(who, whom, act)

    @rule(hours=sampled_from((1, 25, 24 * 32)))
    def time_passes(self, hours: int) -> None:
        """Nobody stops anything. Changes that have waited long enough take effect, and the hearers were told
        of them."""
        self._at += timedelta(hours=hours)
        with self._app.app_context():
            with unit_of_work() as session:
                due = IdentityChange.due(session, self._at, 50)
            for change_id in due:
                with unit_of_work() as session:
                    take_effect(session, change_id, Act(FROM, self._at, None))

    def _act(self, held: Authority) -> Act[Authority]:
        return Act(FROM, self._at, held)

    # -- what must not come of it

    @invariant()
    def nobody_in_use_is_in_his_hands_by_one_word(self) -> None:
        if not hasattr(self, "_in_hands"):
            return
        with self._app.app_context(), unit_of_work() as session:
            for person in session.scalars(select(User).order_by(User.id)):
                if person.id in self._in_hands or not (person.email or "").endswith(OWN_DOMAIN):
                    continue
                if person.id in self._victims:
                    assert _came_with_its_wait(session, person), f"{person.name} was taken over"
                self._enter(person)

    @invariant()
    def nobody_becomes_an_admin_of_the_centre_by_one_word(self) -> None:
        with self._app.app_context(), unit_of_work() as session:
            pusat = [
                one
                for one in session.scalars(select(AdminMandate))
                if one.instansi_id is None and not one.awaits_second
            ]
            assert {one.user_id for one in pusat} <= {self._ratna}, "one admin has made an admin of pusat"

    # -- how

    def _has_long_stood_alone(self, session: Session, second: User) -> bool:
        """Whether this second admin is independent: for thirty days, no account that the dishonest admin
        controls has appointed them, and the dishonest admin has not got their account since."""
        since = self._at - timedelta(days=30)
        by_hands = select(AdminMandate.id).where(
            AdminMandate.user_id == second.id,
            AdminMandate.granted_by_id.in_(self._in_hands),
            AdminMandate.starts_on > since.date(),
        )
        return self._entered[second.id] < since and session.scalar(by_hands.limit(1)) is None

    def _enter(self, person: User) -> None:
        """The dishonest admin reads the mailbox, takes a token, sets a password and logs in."""
        self._in_hands.add(person.id)
        self._entered[person.id] = self._at
        if person.may_enter:
            person.password_hash, person.password_changed_at = PASSWORD_HASH, self._at
            person.note_login(self._at)

    def _with(self, who: int, whom: int, act) -> None:  # type: ignore[no-untyped-def]
        with self._app.app_context(), unit_of_work() as session:
            today = today_in_jakarta(self._at)
            mine = session.scalars(select(User).where(User.id.in_(self._in_hands)).order_by(User.id)).all()
            desks = [held for one in mine if one.may_enter and (held := Authority.of(session, one, today))]
            people = session.scalars(select(User).order_by(User.id)).all()
            if desks:
                act(session, desks[who % len(desks)], people[whom % len(people)])


class OfAnInstansi(DishonestAdmin):
    chief = WATI


class OfPusat(DishonestAdmin):
    chief = RATNA


def _came_with_its_wait(session: Session, person: User) -> bool:
    """Whether the address came on record by a change that waited its time, and of which a letter with a live
    link was written."""
    changes = session.scalars(
        select(IdentityChange)
        .where(IdentityChange.user_id == person.id, IdentityChange.kind == ChangeKind.EMAIL)
        .where(IdentityChange.new_value == person.email, IdentityChange.state == ChangeState.DONE)
    ).all()
    for change in changes:
        letters = session.scalars(
            select(OutboxMail.to_address).where(OutboxMail.identity_change_id == change.id)
        ).all()
        waited = change.effective_at is not None and change.effective_at - change.decided_at >= DELAY
        if (
            waited
            and set(change.told) <= set(letters)
            and any(not to.endswith(OWN_DOMAIN) for to in change.told)
        ):
            return True
    return False


def _portal(folder: Path) -> Flask:
    url = f"sqlite:///{folder}/portal.db"
    if not (template := _template()).exists():
        migrations.upgrade(f"sqlite:///{template}")
    (folder / "portal.db").write_bytes(template.read_bytes())
    environ = {
        "PORTAL_ENV": "test", "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "PUBLIC_URL": "http://localhost",
        "INSTANCE_PATH": str(folder / "instance"),
    }  # fmt: skip
    return create_app(Settings.from_env(environ))


_kept = TemporaryDirectory(prefix="machine-template-")


def _template() -> Path:
    return Path(_kept.name) / "template.db"


def _person(session: Session, person: Person) -> User:
    return session.scalars(select(User).where(User.name == person.name)).one()


@pytest.mark.parametrize("machine", [OfAnInstansi, OfPusat], ids=["of an instansi", "of pusat"])
def test_no_sequence_of_acts_of_one_admin_reaches_what_needs_two(machine: type[DishonestAdmin]) -> None:
    how_long = (
        SHORT if settings.get_current_profile_name() != "machines" else settings(stateful_step_count=40)
    )
    run_state_machine_as_test(machine, settings=how_long)
