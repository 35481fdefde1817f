"""What waits at the desk, for tests that begin there."""

import re
import secrets
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.db import reading, unit_of_work
from app.domain.corrections import CorrectionState, new_ticket
from app.domain.indonesian_time import now
from app.models import EmailChange, EmailCorrection, User
from tests.cast import Person


def person_id(app: Flask, person: Person) -> int:
    with app.app_context(), reading() as session:
        return session.scalars(select(User.id).where(User.nip == person.nip)).one()


def user(app: Flask, person: Person) -> User:
    with app.app_context(), reading() as session:
        return session.scalars(select(User).where(User.nip == person.nip)).one()


def asked(
    app: Flask, person: Person, address: str, ago: timedelta = timedelta(), name: str | None = None, phone: str = "0812-555-0100"
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


def latest_change(app: Flask, person: Person) -> EmailChange | None:
    with app.app_context(), reading() as session:
        found = select(EmailChange).join(User, EmailChange.user_id == User.id).where(User.nip == person.nip)
        return session.scalars(found.order_by(EmailChange.id.desc()).limit(1)).one_or_none()


def marks_on(page: TestResponse) -> list[str]:
    """The warnings that the page asks to acknowledge, as its form carries them."""
    return re.findall('name="acknowledged" value="([^"]+)"', page.text)
