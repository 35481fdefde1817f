"""Who has shown a password enters the account that has it now."""

from dataclasses import replace

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.domain.nip import Nip
from app.flows.login import log_in
from app.flows.login.log_in import Entered, LoginTry, WrongPassword
from app.models.user import User
from tests.unit.rows import NOBODY, NOW, a_person, an_instansi

ACT = replace(NOBODY, at=NOW)


@pytest.fixture
def budi(session: Session) -> User:
    person = a_person(session, an_instansi(session, "1"), "Budi", 1)
    person.set_password("$argon2id$of-budi", NOW)
    session.flush()
    return person


def begun(session: Session, nip: str) -> LoginTry:
    attempt = log_in.begin(session, Nip(nip), (), ACT)
    assert isinstance(attempt, LoginTry)
    return attempt


def test_the_right_password_opens_the_account_at_once(session: Session, budi: User) -> None:
    entered = log_in.finish(session, begun(session, budi.nip), None, ACT, is_right=True)

    assert isinstance(entered, Entered)
    assert not entered.is_again, "nothing had changed, so nobody was looked up again"


def test_a_nip_that_was_corrected_meanwhile_opens_nothing(session: Session, budi: User) -> None:
    """What was given under the old NIP has ended, so no session may begin under it."""
    attempt = begun(session, budi.nip)
    corrected = {"nip": "198503122010012999", "credential_version": User.credential_version + 1}
    session.execute(update(User).where(User.id == budi.id).values(corrected))

    assert log_in.finish(session, attempt, None, ACT, is_right=True) == WrongPassword()
