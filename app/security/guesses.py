"""How wrong passwords are counted: each guess is remembered for a while and then forgotten, one after the
other.

Spreading guesses over the day gains nothing, because there is no window whose end one could wait for. A
bucket is one row, changed by one atomic upsert, as in throttle.py, where the limits themselves stand.
"""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    String,
    and_,
    bindparam,
    case,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from app.domain.waits import whole_seconds
from app.models.base import UtcDateTime, dialect_of, table_of, upsert_in, without_records
from app.models.guess_bucket import GuessBucket
from app.models.noted import Noted, note
from app.security.throttle import Counted, CountedBy, GuessLimit, TooManyTries, bucket_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOW_AS_NUMBER = bindparam("now_as_number", type_=BigInteger)  # microseconds since 1970


def take(session: Session, limit: GuessLimit, counted: CountedBy, now: datetime) -> Counted | TooManyTries:
    """Count one try, or refuse it. A refused try is not counted and prolongs nothing."""
    mark = secrets.token_hex(16)
    values = _seen_at(limit, now) | {
        "bucket": bucket_of(session, limit, counted),
        "mark": mark,
        "now": now,
        "long_ago": now - 2 * limit.delays[-1],
    }
    counting = _counting(dialect_of(session), limit)
    forgotten_at, last_at, last_try = without_records(session, counting, values).one()
    if last_try == mark:
        return Counted()
    note(session, Noted.LIMIT, limit.name)
    return TooManyTries(whole_seconds(_free_at(limit, forgotten_at, last_at) - now))


@cache
def _counting(dialect: str, limit: GuessLimit) -> Executable:
    bucket, remembered = table_of(GuessBucket).c, limit.forgets_one_in // _MICROSECOND
    now, mark = bindparam("now", type_=UtcDateTime), bindparam("mark", type_=String)
    first = upsert_in(dialect, table_of(GuessBucket)).values(
        key=bindparam("bucket"),
        forgotten_at=_NOW_AS_NUMBER + remembered,
        last_at=now,
        previous_at=bindparam("long_ago", type_=UtcDateTime),
        last_try=mark,
    )
    refused = _is_refused(limit)
    from_now = case((bucket.forgotten_at > _NOW_AS_NUMBER, bucket.forgotten_at), else_=_NOW_AS_NUMBER)
    return first.on_conflict_do_update(
        index_elements=[bucket.key],
        set_={
            "forgotten_at": case((refused, bucket.forgotten_at), else_=from_now + remembered),
            "previous_at": case((refused, bucket.previous_at), else_=bucket.last_at),
            "last_at": case((refused, bucket.last_at), else_=now),
            "last_try": case((refused, bucket.last_try), else_=mark),
        },
    ).returning(bucket.forgotten_at, bucket.last_at, bucket.last_try)


def give_back(session: Session, limit: GuessLimit, counted: CountedBy) -> None:
    """Undo the last try: it was never made, or was no guess. The row is as before, and all other tries
    stay."""
    without_records(session, _giving_back(limit), {"bucket": bucket_of(session, limit, counted)})


@cache
def _giving_back(limit: GuessLimit) -> Executable:
    bucket = table_of(GuessBucket).c
    undone = update(table_of(GuessBucket)).where(bucket.key == bindparam("bucket"))
    return undone.values(
        forgotten_at=bucket.forgotten_at - limit.forgets_one_in // _MICROSECOND, last_at=bucket.previous_at
    )


def forget(session: Session, limits: Collection[GuessLimit], counted: CountedBy) -> None:
    """Forget all tries under these limits: what they guessed at is no longer the password, or an admin has
    looked."""
    forgotten = delete(GuessBucket).where(GuessBucket.key.in_(buckets_of(session, limits, counted)))
    session.execute(forgotten.execution_options(synchronize_session=False))


def buckets_of(session: Session, limits: Collection[GuessLimit], counted: CountedBy) -> list[str]:
    """The keys of the buckets in which guesses are counted under these limits."""
    return [bucket_of(session, limit, counted) for limit in limits]


def refused_until(session: Session, limit: GuessLimit, counted: CountedBy, now: datetime) -> datetime | None:
    """When the next try will be let through; None when one would be now. Counts nothing."""
    key = bucket_of(session, limit, counted)
    bucket = table_of(GuessBucket).c
    refused = select(bucket.forgotten_at, bucket.last_at).where(bucket.key == key, _is_refused(limit))
    found = session.execute(refused, _seen_at(limit, now)).one_or_none()
    return _free_at(limit, *found) if found else None


def _is_refused(limit: GuessLimit) -> ColumnElement[bool]:
    """If more than `most - 1` tries are remembered, the first delay holds; with one more try, the second
    delay, and so on. `_seen_at` has the values."""
    bucket = table_of(GuessBucket).c
    return or_(
        *(
            and_(
                bucket.forgotten_at
                > _NOW_AS_NUMBER + (limit.most + step - 1) * (limit.forgets_one_in // _MICROSECOND),
                bucket.last_at > bindparam(f"delay_{step}_ago", type_=UtcDateTime),
            )
            for step in range(len(limit.delays))
        )
    )


def _seen_at(limit: GuessLimit, now: datetime) -> dict[str, object]:
    delays = {f"delay_{step}_ago": now - delay for step, delay in enumerate(limit.delays)}
    return {**delays, "now_as_number": _number(now)}


def _free_at(limit: GuessLimit, forgotten_at: int, last_at: datetime) -> datetime:
    """The moment when the delay ends, or when so many tries are forgotten that a shorter delay holds:
    whichever comes first."""
    quiet_at = _EPOCH + forgotten_at * _MICROSECOND
    waits = (timedelta(), *limit.delays)
    return min(
        max(last_at + wait, quiet_at - (limit.most - 1 + step) * limit.forgets_one_in)
        for step, wait in enumerate(waits)
    )


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
