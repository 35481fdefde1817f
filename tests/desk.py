"""What waits at the desk, for tests that begin there."""

import re
import secrets
from datetime import datetime, timedelta

import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.act import Act
from app.domain.client import Client
from app.domain.corrections import CorrectionState, new_ticket
from app.domain.indonesian_time import now, today_in_jakarta
from app.domain.pusat_reports import digest_due_at
from app.flows.identity.change_identity import confirm_change
from app.models import EmailCorrection, IdentityChange, User
from app.runtime.db import reading, unit_of_work
from app.security.authority import Authority
from app.worker.acts import act
from app.worker.cleaning import all_chores, one_step
from app.worker.duties import let_changes_take_effect
from tests.cast import DEWI, Person
from tests.inbox import Inbox, Mail


def person_id(app: Flask, person: Person) -> int:
    with app.app_context(), reading() as session:
        return session.scalars(select(User.id).where(User.nip == person.nip)).one()


def user(app: Flask, person: Person) -> User:
    with app.app_context(), reading() as session:
        return session.scalars(select(User).where(User.nip == person.nip)).one()


def asked(
    app: Flask,
    person: Person,
    address: str,
    ago: timedelta = timedelta(),
    name: str | None = None,
    phone: str = "0812-555-0100",
) -> int:
    """A request of this person that has come in and waits; returns its id."""
    moment: datetime = now() - ago
    with app.app_context(), unit_of_work() as session:
        found = session.scalars(select(User).where(User.nip == person.nip)).one()
        correction = EmailCorrection(
            reference=secrets.token_hex(8),
            ticket=new_ticket(),
            nip=person.nip,
            new_email=address,
            new_email_key=address.lower(),
            user_id=found.id,
            instansi_id=found.instansi_id,
            state=CorrectionState.NEW,
            asked_at=moment,
            submitted_at=moment,
            answer_at=moment + timedelta(hours=5),
            name=name or person.name,
            work_unit=person.unit,
            reason="Email di data salah ketik.",
            phone=phone,
            client_address="203.0.113.9",
        )
        session.add(correction)
        session.flush()
        return correction.id


def correction(app: Flask, correction_id: int) -> EmailCorrection:
    with app.app_context(), reading() as session:
        return session.get_one(EmailCorrection, correction_id, populate_existing=True)


def latest_change(app: Flask, person: Person) -> IdentityChange | None:
    with app.app_context(), reading() as session:
        found = (
            select(IdentityChange).join(User, IdentityChange.user_id == User.id).where(User.nip == person.nip)
        )
        return session.scalars(found.order_by(IdentityChange.id.desc()).limit(1)).one_or_none()


def make_pusat(app: Flask, person: Person) -> None:
    """Make somebody an admin of pusat at the command line."""
    until = (now() + timedelta(days=300)).date().isoformat()
    granted = app.test_cli_runner().invoke(
        args=["admin", "grant", person.nip, "--pusat", "--sk", "SK-2/PUSAT", "--until", until]
    )
    assert granted.exit_code == 0, granted.output


def confirm_as_second(app: Flask, person: Person) -> None:
    """Another admin of pusat confirms the change of this person that waits for a second admin."""
    make_pusat(app, DEWI)
    with app.app_context(), unit_of_work() as session:
        admin = session.scalars(select(User).where(User.nip == DEWI.nip)).one()
        held = Authority.of(session, admin, today_in_jakarta(now()))
        change = latest_change(app, person)
        assert held is not None
        assert change is not None
        confirmed = confirm_change(
            session, change.id, timedelta(hours=24), Act(Client("-", "-", "-"), now(), held)
        )
        assert isinstance(confirmed, IdentityChange), confirmed


def marks_on(page: TestResponse) -> list[str]:
    """The marks of the warnings that the page asks to acknowledge, as its form has them."""
    return re.findall('name="acknowledged" value="([^"]+)"', page.text)


def read_next_morning(app: Flask, inbox: Inbox) -> list[Mail]:
    """The digests that the admins of pusat get. Mails of today are read before, and not returned."""
    inbox.fetch()
    with time_machine.travel(digest_due_at(now() + timedelta(days=1)), tick=False):
        with app.app_context():
            one_step(all_chores()["digest"], act())
        return inbox.fetch()


def changes_take_effect(app: Flask) -> None:
    """The worker has done its work: the mails have left, and changes whose waiting time is over have taken
    effect."""
    Inbox(app).fetch()
    let_changes_take_effect(app)
