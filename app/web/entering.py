"""One try to log in, wherever the two fields stand: the hash is computed between two transactions."""

from time import time

from flask import session

from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.flows.login import desk_password, log_in
from app.models.user import User
from app.runtime.db import unit_of_work
from app.runtime.portal import client, portal
from app.security import passwords
from app.security.throttle import TooManyTries
from app.web import limits, sessions

BLANK_END = (
    "Password yang dikirim diawali atau diakhiri spasi. Bila spasi itu ikut tersalin, ketik ulang "
    "tanpa spasi."
)
WRONG = (
    "NIP dan password tidak cocok. Periksa keduanya, atau pakai Lupa Password untuk membuat password baru."
)
_NOTE_SECONDS = 30 * 60


def try_to_enter(
    nip: Nip, password: str
) -> TooManyTries | log_in.WrongPassword | log_in.NotOpen | tuple[log_in.Entered, str]:
    """With the person who has entered comes the id of the new session, to be given to the browser."""
    with unit_of_work() as db:
        attempt = log_in.begin(db, nip, sessions.browser_marks(), portal().keys, client(), now())
    if isinstance(attempt, TooManyTries):
        return attempt
    try:
        is_right, better_hash = passwords.verified(password, attempt.password_hash, attempt.old_costs)
    except passwords.Busy:
        with unit_of_work() as db:
            log_in.abandon(db, attempt)
        raise
    with unit_of_work() as db:
        outcome = log_in.finish(db, attempt, is_right, better_hash, client(), now())
        if isinstance(outcome, log_in.Entered):
            opens_desk = desk_password.opens_desk(outcome.user, password)
            return outcome, sessions.start(db, outcome.user, outcome.previous_login_at, opens_desk, now())
        return outcome


def note_not_open(user: User) -> None:
    """Let the browser see for a while why this account cannot be entered: the password was right."""
    session["not_open"] = {"user": user.id, "password_of": password_of(user), "until": time() + _NOTE_SECONDS}


def password_of(user: User) -> str | None:
    """When the password was set that somebody has shown: a newer one ends what the old one opened."""
    return user.password_changed_at.isoformat() if user.password_changed_at else None


def slow_down(seconds: int) -> str:
    minutes = limits.in_minutes(seconds)
    return (
        f"Terlalu banyak percobaan untuk NIP ini. Coba lagi sekitar {minutes} menit lagi, "
        "atau buat password baru lewat Lupa Password."
    )
