"""One try to log in, on any page that has the two fields. The hash is computed between two transactions."""

from time import time

from flask import session
from wtforms import PasswordField

from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.domain.password_policy import has_blank_end
from app.domain.waits import whole_minutes
from app.flows.login import desk_password, log_in
from app.models.user import User
from app.runtime.db import unit_of_work
from app.security import passwords
from app.security.throttle import TooManyTries
from app.web import limits, sessions
from app.web.acts import act
from app.web.fields import refuse
from app.web.hash_wait import hash_wait

_BLANK_END = (
    "Password yang dikirim diawali atau diakhiri spasi. Bila spasi itu ikut tersalin, ketik ulang "
    "tanpa spasi."
)
_WRONG = (
    "NIP dan password tidak cocok. Periksa keduanya, atau pakai Lupa Password untuk membuat password baru."
)
_NOTE_SECONDS = 30 * 60


def try_login(
    nip: Nip, password: str
) -> TooManyTries | log_in.WrongPassword | log_in.NotOpen | tuple[log_in.Entered, str]:
    """If the person has entered, the result also has the id of the new session, to be given to the
    browser."""
    with unit_of_work() as db:
        attempt = log_in.begin(db, nip, sessions.browser_marks(), act(), sessions.form())
    if isinstance(attempt, TooManyTries):
        return attempt
    is_right, better_hash = compare(password, attempt)
    with unit_of_work() as db:
        outcome = log_in.finish(db, attempt, better_hash, act(), is_right=is_right)
        if isinstance(outcome, log_in.Entered):
            opens_desk = desk_password.opens_desk(outcome.owner, password)
            raw_id = sessions.start(db, outcome, now(), opens_desk=opens_desk)
            return outcome, raw_id
        return outcome


def compare(password: str, attempt: log_in.LoginTry) -> tuple[bool, str | None]:
    """Whether this is the password of the account, and a better hash of it where there is one. If the portal
    is too busy to compare, the try does not count."""
    try:
        return passwords.verified(password, attempt.password_hash, attempt.old_costs, hash_wait())
    except passwords.Busy:
        with unit_of_work() as db:
            log_in.abandon(db, attempt)
        raise


def refuse_entry(field: PasswordField, refusal: TooManyTries | log_in.WrongPassword) -> None:
    """Count the wrong try for this line, and say at the password why nobody has entered."""
    limits.count_wrong_try()
    if isinstance(refusal, TooManyTries):
        refuse(field, _slow_down(refusal.retry_after))
        return
    refuse(field, _WRONG)
    if has_blank_end(field.data or ""):
        refuse(field, _BLANK_END)


def note_not_open(user: User) -> None:
    """Let the browser show for a while why this account cannot be entered: the password was right."""
    session["not_open"] = {"user": user.id, "password_of": password_of(user), "until": time() + _NOTE_SECONDS}


def password_of(user: User) -> str | None:
    """When the password that somebody has shown was set. A newer password ends what the old one opened."""
    return user.password_changed_at.isoformat() if user.password_changed_at else None


def _slow_down(seconds: int) -> str:
    minutes = whole_minutes(seconds)
    return (
        f"Terlalu banyak percobaan untuk NIP ini. Tunggu sekitar {minutes} menit, lalu coba lagi; atau "
        "buat password baru lewat Lupa Password."
    )
