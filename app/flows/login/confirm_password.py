"""An admin who is logged in types the password once more, before something that matters."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.flows.login import log_in
from app.models.audit_event import Tag
from app.models.login_session import LoginSession
from app.models.user import User
from app.security import audit, guesses
from app.security.throttle import TooManyTries


def begin(session: Session, marks: Collection[str], act: Act[User]) -> log_in.LoginTry | TooManyTries:
    """Count the try like one at the login. Otherwise somebody with a stolen session could guess the password
    here."""
    return log_in.begin(session, act.by.shown_nip, marks, act.done_by(None))


def finish(
    session: Session, attempt: log_in.LoginTry, login: LoginSession, act: Act[User], *, is_right: bool
) -> bool:
    """Note the proof in this login, if the password is still the one that was compared."""
    user = User.with_nip(session, attempt.nip, lock=True)
    if user is None or not is_right or user.password_hash != attempt.password_hash:
        audit.record(session, Tag.LOGIN_REFUSED, user, act.done_by(None))
        return False
    guesses.give_back(session, attempt.limit, attempt.nip.digits)
    login.note_password_confirmed(session, act.at)
    audit.record(session, Tag.PASSWORD_CONFIRMED, user, act.done_by(user))
    return True
