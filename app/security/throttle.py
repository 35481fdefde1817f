"""Every limit of the portal, in one table, each with its reason; and the one statement that counts.

A bucket is one row, changed by one atomic upsert, so twenty parallel tries are counted one after the other. It is
counted before the expensive work and for NIPs that do not exist, and its key ignores spelling because flows hand in
values already read (`Nip`, `EmailAddress`). Limits per client address live in memory or Redis (app/web/limits.py
applies them) because no SQL row should be written for a flood.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, and_, case, delete, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models.base import UtcDateTime
from app.models.throttle_bucket import ThrottleBucket


@dataclass(frozen=True)
class Limit:
    """At most `most` tries in `window`."""

    name: str
    most: int
    window: timedelta


@dataclass(frozen=True)
class GuessLimit:
    """`most` tries at once, each further one only after the next of the `delays`; one try is forgotten in each time
    `forgets_one_in`, which is no shorter than the last delay. guesses.py counts them."""

    name: str
    most: int
    delays: tuple[timedelta, ...]
    forgets_one_in: timedelta


def _minutes(*counts: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=count) for count in counts)


# fmt: off
# Guessing one person's password. It slows down and never locks for good, or a stranger could lock an owner out: who errs
# five times waits a minute, and nobody longer than a quarter of an hour. At most 9 tries are ever remembered, and one is
# forgotten in a quarter of an hour, so that no schedule gets more than 9 + 96 = 105 guesses in any 24 hours. A right
# password takes its own try back and no other: an owner who comes every day does not clear the way for who guesses.
LOGIN_IN_NEW_BROWSERS = GuessLimit("login-new", 5, _minutes(1, 2, 4, 8, 15), timedelta(minutes=15))
# The same once more, for all browsers together in which this person has shown to be the owner: strangers who guess cannot
# use it up, and thirty such browsers guess no faster than one. Who sits at one of them can slow down the others; then
# there are still the new browsers and the mailed link, which makes one browser the only known one.
LOGIN_IN_KNOWN_BROWSERS = GuessLimit("login-known", 5, _minutes(1, 2, 4, 8, 15), timedelta(minutes=15))
# Guessing a typed code (25.6 thousand million). The mailed link is not counted, so a stranger cannot block a reset.
TOKEN_PER_NIP = Limit("token", 5, timedelta(minutes=15))
# Flooding one person's mailbox. Counted for the NIP together with the typed address: a token only goes to the one on
# record, so these are the token mails of a NIP, and nobody can use them up by typing other addresses. A bucket that
# knew which address is on record would tell strangers.
MAIL_PER_NIP = Limit("mail-nip", 5, timedelta(days=1))
# Flooding the mailbox of somebody who has nothing to do with the portal.
MAIL_PER_ADDRESS = Limit("mail-address", 3, timedelta(hours=1))
# Flooding the desk with requests to correct one person's address: a mailbox at a domain of one's own is proven at no cost.
# From one line of one NIP, and from all lines together. What comes beyond either is stored and answered like any other,
# and waits in front of the queue until the desk has decided some: nobody is refused because a stranger was faster.
CORRECTIONS_PER_LINE = Limit("correction-line", 5, timedelta(days=1))
CORRECTIONS_PER_NIP = Limit("correction-nip", 20, timedelta(days=1))
# Per client address, in the notation of Flask-Limiter. Hundreds of people sit behind one office address: these stop
# floods and guessing over many NIPs, never a normal morning. Only wrong tries count for the first.
WRONG_TRIES_PER_CLIENT = "100 per 10 minutes"
MAILS_PER_CLIENT = "100 per hour"
# A form with a file costs more to read than others. Each one counts whose link is real, whatever becomes of it.
UPLOADS_PER_CLIENT = "100 per hour"
# fmt: on

KEPT_FOR = timedelta(days=2)  # longer than any window; then housekeeping removes the row


@dataclass(frozen=True)
class TooManyTries:
    """The limit's answer: ask again after so many seconds."""

    retry_after: int


@dataclass(frozen=True)
class Taken:
    """One try of the allowance, taken."""


def take(session: Session, limit: Limit, key: str, now: datetime) -> Taken | TooManyTries:
    """Count one try under `key` (a fingerprint), or refuse it. A refused try is not counted and prolongs nothing."""
    mark = secrets.token_hex(16)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    first = insert(ThrottleBucket).values(key=key, count=1, started_at=now, last_at=now, last_try=mark)
    over, refused = _is_over(limit, now), ThrottleBucket.count >= limit.most
    counted = first.on_conflict_do_update(
        index_elements=[ThrottleBucket.key],
        set_={
            "count": case((over, 1), (refused, ThrottleBucket.count), else_=ThrottleBucket.count + 1),
            "started_at": case((over, _moment(now)), else_=ThrottleBucket.started_at),
            "last_at": case((and_(~over, refused), ThrottleBucket.last_at), else_=_moment(now)),
            "last_try": case((and_(~over, refused), ThrottleBucket.last_try), else_=mark),
        },
    ).returning(ThrottleBucket.started_at, ThrottleBucket.last_try)
    started_at, last_try = session.execute(counted).one()
    if last_try == mark:
        return Taken()
    return TooManyTries(ceil((started_at + limit.window - now).total_seconds()))


def refused_until(session: Session, limit: Limit, key: str, now: datetime) -> datetime | None:
    """When the next try under `key` will be let through; None when one would be now. Counts nothing."""
    is_refused = (ThrottleBucket.count >= limit.most, ~_is_over(limit, now))
    started_at = session.scalar(select(ThrottleBucket.started_at).where(ThrottleBucket.key == key, *is_refused))
    return started_at + limit.window if started_at else None


def forget(session: Session, key: str) -> None:
    """Forget all tries under `key`: their owner has proven to be one."""
    session.execute(delete(ThrottleBucket).where(ThrottleBucket.key == key))


def give_back(session: Session, key: str) -> None:
    """Undo one try that was counted and never made."""
    one_less = update(ThrottleBucket).where(ThrottleBucket.key == key, ThrottleBucket.count > 0)
    session.execute(one_less.values(count=ThrottleBucket.count - 1).execution_options(synchronize_session=False))


def _is_over(limit: Limit, now: datetime) -> ColumnElement[bool]:
    """The window has passed, so counting starts anew."""
    return ThrottleBucket.started_at <= _moment(now - limit.window)


def _moment(moment: datetime) -> ColumnElement[datetime]:
    return literal(moment, UtcDateTime)
