"""Every limit of the portal, in one table, each with its reason; and the one statement that counts.

A bucket is one row, changed by one atomic upsert, so twenty parallel tries are counted one after the other.
Tries are counted before the expensive work, also for NIPs that do not exist. The key of a bucket ignores
spelling, because flows give values that were already read (`Nip`, `EmailAddress`). Limits per client address
are kept in memory or Redis (app/web/limits.py applies them), because a flood should not write SQL rows.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    String,
    and_,
    bindparam,
    case,
    delete,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from app.domain.waits import whole_seconds
from app.models.base import UtcDateTime, dialect_of, table_of, upsert, upsert_in, without_records
from app.models.noted import Noted, note
from app.models.throttle_bucket import ThrottleBucket
from app.security.fingerprints import fingerprint


@dataclass(frozen=True)
class Limit:
    """At most `most` tries in `window`."""

    name: str
    most: int
    window: timedelta


@dataclass(frozen=True)
class GuessLimit:
    """`most` tries at once, and each further one only after the next of the `delays`. One try is forgotten in
    each period of `forgets_one_in`, which is at least as long as the last delay. guesses.py counts the
    tries."""

    name: str
    most: int
    delays: tuple[timedelta, ...]
    forgets_one_in: timedelta


def _minutes(*counts: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=count) for count in counts)


# fmt: off
# Guessing one person's password. The limit slows down guesses and never locks for good, because otherwise a
# stranger could lock an owner out: after five wrong tries one waits a minute, and never longer than a quarter
# of an hour. At most 9 tries are ever remembered, and one is forgotten in a quarter of an hour, so that no
# schedule gets more than 9 + 96 = 105 guesses in any 24 hours. A right password takes back its own try and no
# other: an owner who comes every day does not make room for somebody who guesses.
LOGIN_IN_NEW_BROWSERS = GuessLimit("login-new", 5, _minutes(1, 2, 4, 8, 15), timedelta(minutes=15))
# The same once more, for all browsers together in which this person has proven to be the owner: strangers who
# guess cannot use it up, and thirty such browsers guess no faster than one. Somebody who sits at one of these
# browsers can slow down the others. The owner then still has new browsers, and the mailed link, which makes
# one browser the only known one.
LOGIN_IN_KNOWN_BROWSERS = GuessLimit("login-known", 5, _minutes(1, 2, 4, 8, 15), timedelta(minutes=15))
# Guessing a typed code (25.6 thousand million). The mailed link is not counted, so a stranger cannot block a
# reset.
TOKEN_PER_NIP = Limit("token", 5, timedelta(minutes=15))
# Flooding an owner's mailbox with tokens. There is no bucket, because strangers could fill it: the mails in
# the mailbox are counted instead. While a token that can still be used is in the mailbox, this many mails
# leave for it, within the hour or for as long as they live. When there is no such token, the next reset
# request always sends one. A person who knows NIP and address makes one more mail leave with each token that
# has run out.
TOKENS_IN_A_MAILBOX = 3
# The same when the desk sends a token: strangers cannot keep the desk from helping. The two limits together
# allow fewer tokens than CODES_TRIED, so a typed code is compared with all of them.
TOKENS_IN_A_MAILBOX_BY_DESK = 6
# Flooding a mailbox with what anybody can make the portal send there, with any NIP: "this address is not
# registered for that NIP", and links to ask for a correction. These mails are counted apart from tokens,
# because otherwise strangers would use up what the owner gets. Each of these mails proves the mailbox for any
# NIP: a person who gets no more of them goes on with one that came.
OTHER_MAILS_PER_MAILBOX = Limit("mail-other", 3, timedelta(hours=1))
# Mails of this kind that failed for good, and so are not counted. A mailbox that refuses gets at most this
# many more.
GIVEN_BACK_PER_MAILBOX = Limit("mail-given-back", 3, timedelta(hours=1))
# Flooding the desk with requests to correct one person's address: it costs nothing to prove a mailbox at
# one's own domain. The first limit is for one NIP from one line, the second for one NIP from all lines
# together. A request beyond either limit is stored and answered like any other, but it keeps no attachment,
# and it waits in front of the queue until the turn of its line comes. So nobody is refused because a stranger
# was faster.
CORRECTIONS_PER_LINE = Limit("correction-line", 5, timedelta(days=1))
CORRECTIONS_PER_NIP = Limit("correction-nip", 20, timedelta(days=1))
# Flooding the desk from a session, one's own or a stolen one. There is only one open request for each part of
# the record, so this limit is for somebody who asks again after each answer.
RECORD_CORRECTIONS_PER_PERSON = Limit("correction-record", 6, timedelta(days=1))
# Filling the disk with attachments of up to 2 MB. The limits are the same for every NIP: from one line, which
# may be a large office; for one NIP, where an owner sends one or two; and for all attachments that are kept
# at one time, 10 GB at most, which a nightly backup can bear. A request beyond any of these limits is taken
# without its file, and its sender is told so.
ATTACHMENTS_PER_LINE = Limit("attachment-line", 50, timedelta(days=1))
ATTACHMENTS_PER_NIP = Limit("attachment-nip", 10, timedelta(days=1))
# Attachments for one NIP from one line: otherwise the first sender could take all places of somebody else's
# NIP.
ATTACHMENTS_PER_NIP_AND_LINE = Limit("attachment-nip-line", 2, timedelta(days=1))
ATTACHMENTS_IN_ALL = 5000
# Per client address, in the notation of Flask-Limiter. Hundreds of people share one office address: these
# limits stop floods and guessing over many NIPs, never a normal morning. The first limit counts only wrong
# tries.
WRONG_TRIES_PER_CLIENT = "100 per 10 minutes"
# A setting says how many mails an office of hundreds may ask for in an hour, each person once or twice:
# ASKS_PER_ADDRESS_PER_HOUR. The allowance comes back one ask at a time. Known browsers of a person have a
# separate limit, of one person's size: a guesser in the office uses up only what new browsers have there.
MAILS_IN_KNOWN_BROWSERS = "20 per hour"
# The same NIP and address, asked again and again.
SAME_ASK_PER_CLIENT = "30 per 10 minutes"
# After this many asks from one line, mails to addresses that are not on record for the NIP are held back in
# silence, because a refusal would tell which address is on record. Tokens still leave. All asks count alike:
# nobody must be able to use the portal to write to thousands, and the allowance of a line must not tell which
# guess was right.
OTHER_MAILS_PER_CLIENT = "400 per hour"
# A form with a file takes more work to read than others. Each form whose link is genuine counts, whatever
# becomes of it.
UPLOADS_PER_LINK = "10 per hour"
UPLOADS_PER_CLIENT = "300 per hour"
# An owner of 48 bits of IPv6 has 65,536 lines. Together they get what ten lines get: a site of ten full
# offices is large, and the phones of a phone company are spread over many more bits.
SITE_IS_WORTH = 10
# fmt: on

KEPT_FOR = timedelta(days=2)  # longer than any window; after that, housekeeping removes the row


def of_a_site(per_line: str) -> str:
    """The limit for all lines of one site."""
    most, rest = per_line.split(" ", 1)
    return f"{int(most) * SITE_IS_WORTH} {rest}"


@dataclass(frozen=True)
class TooManyTries:
    """The limit's answer: ask again after so many seconds."""

    retry_after: int


@dataclass(frozen=True)
class Counted:
    """One try of the allowance, taken. `others` are those that are counted beside it."""

    others: int = field(default=0, compare=False)


CountedBy = str | tuple[str, ...]  # what the tries of one bucket share: a NIP, say, or a NIP and a line
Bucket = tuple[Limit, CountedBy]


def bucket_of(session: Session, limit: Limit | GuessLimit, counted: CountedBy) -> str:
    """The key of a bucket. The table shows neither what is counted nor whose tries these are."""
    return fingerprint(session, limit.name, *([counted] if isinstance(counted, str) else counted))


def take(
    session: Session, limit: Limit, counted: CountedBy, now: datetime, *, is_wanted: bool = True
) -> Counted | TooManyTries:
    """Count one try, or refuse it. A refused try is not counted and prolongs nothing. A try that is not
    wanted is not counted either: the bucket is only held until the transaction ends."""
    mark = secrets.token_hex(16)
    values = {
        "bucket": bucket_of(session, limit, counted),
        "tries": int(is_wanted),
        "most": limit.most,
        "mark": mark,
        "now": now,
        "over_since": now - limit.window,
    }
    count, started_at, last_try = without_records(session, _counting(dialect_of(session)), values).one()
    if last_try == mark:
        return Counted(others=count - int(is_wanted))
    note(session, Noted.LIMIT, limit.name)
    return TooManyTries(whole_seconds(started_at + limit.window - now))


@cache
def _counting(dialect: str) -> Executable:
    bucket = table_of(ThrottleBucket).c
    now = bindparam("now", type_=UtcDateTime)
    mark, tries = bindparam("mark", type_=String), bindparam("tries", type_=Integer)
    over = bucket.started_at <= bindparam("over_since", type_=UtcDateTime)
    refused = bucket.count >= bindparam("most")
    first = upsert_in(dialect, table_of(ThrottleBucket)).values(
        key=bindparam("bucket"), count=tries, started_at=now, last_at=now, last_try=mark
    )
    return first.on_conflict_do_update(
        index_elements=[bucket.key],
        set_={
            "count": case((over, tries), (refused, bucket.count), else_=bucket.count + tries),
            "started_at": case((over, now), else_=bucket.started_at),
            "last_at": case((and_(~over, refused), bucket.last_at), else_=now),
            "last_try": case((and_(~over, refused), bucket.last_try), else_=mark),
        },
    ).returning(bucket.count, bucket.started_at, bucket.last_try)


def take_all(session: Session, wanted: Sequence[Bucket], now: datetime) -> bool:
    """Where limits meet: count one try under each of them, or, when any refuses, under none. The statements
    are the same either way. Buckets are held in the order given."""
    rooms = [lock_bucket(session, limit, counted, now) for limit, counted in wanted]
    charge(session, wanted, now, is_charged=all(rooms))
    return all(rooms)


def lock_bucket(session: Session, limit: Limit, counted: CountedBy, now: datetime) -> bool:
    """Hold a bucket until the transaction ends, and count no try. True when one more is free. Who asks
    meanwhile waits, and sees what was charged."""
    key = bucket_of(session, limit, counted)
    first = upsert(session, ThrottleBucket).values(key=key, count=0, started_at=now, last_at=now, last_try="")
    window_passed = ThrottleBucket.started_at <= _moment(now - limit.window)
    held = first.on_conflict_do_update(
        index_elements=[ThrottleBucket.key],
        set_={
            "count": case((window_passed, 0), else_=ThrottleBucket.count),
            "started_at": case((window_passed, _moment(now)), else_=ThrottleBucket.started_at),
        },
    )
    has_room = session.scalars(held.returning(ThrottleBucket.count)).one() < limit.most
    if not has_room:
        note(session, Noted.LIMIT, limit.name)
    return has_room


def charge(session: Session, held: Sequence[Bucket], now: datetime, *, is_charged: bool) -> None:
    """Count one try in each of the buckets that are `held`; the same statement when there is nothing to
    count."""
    keys = [bucket_of(session, limit, counted) for limit, counted in held]
    more = update(ThrottleBucket).where(ThrottleBucket.key.in_(keys))
    counted = more.values(count=ThrottleBucket.count + int(is_charged), last_at=now)
    session.execute(counted.execution_options(synchronize_session=False))


def refused_until(session: Session, limit: Limit, counted: CountedBy, now: datetime) -> datetime | None:
    """When the next try will be let through; None when one would be now. Counts nothing."""
    key = bucket_of(session, limit, counted)
    is_refused = (ThrottleBucket.count >= limit.most, ~_is_over(limit, now))
    started_at = session.scalar(
        select(ThrottleBucket.started_at).where(ThrottleBucket.key == key, *is_refused)
    )
    return started_at + limit.window if started_at else None


def forget(session: Session, limit: Limit, counted: CountedBy) -> None:
    """Forget all these tries: their owner has proven to be one."""
    session.execute(delete(ThrottleBucket).where(ThrottleBucket.key == bucket_of(session, limit, counted)))


def give_back(session: Session, limit: Limit, counted: CountedBy, taken_at: datetime | None = None) -> None:
    """Undo one try that was counted and never made. With `taken_at`, only if it is among the tries that are
    counted now."""
    key = bucket_of(session, limit, counted)
    one_less = update(ThrottleBucket).where(ThrottleBucket.key == key, ThrottleBucket.count > 0)
    if taken_at is not None:
        one_less = one_less.where(ThrottleBucket.started_at <= _moment(taken_at))
    session.execute(
        one_less.values(count=ThrottleBucket.count - 1).execution_options(synchronize_session=False)
    )


def _is_over(limit: Limit, now: datetime) -> ColumnElement[bool]:
    """The window has passed, so the count starts anew."""
    return ThrottleBucket.started_at <= _moment(now - limit.window)


def _moment(moment: datetime) -> ColumnElement[datetime]:
    return literal(moment, UtcDateTime)
