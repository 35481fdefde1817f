"""How wrong passwords are counted: each guess is remembered for a while and then forgotten, one after the
other.

Spreading guesses over the day gains nothing, because there is no window whose end one could wait for. A
bucket is one row, changed by one atomic upsert, as in throttle.py, where the limits themselves stand.
"""

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, delete, literal, or_, select, update
from sqlalchemy.orm import Session

from app.domain.waits import whole_seconds
from app.models.base import UtcDateTime, upsert
from app.models.guess_bucket import GuessBucket
from app.security.throttle import Counted, CountedBy, GuessLimit, TooManyTries, bucket_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def take(session: Session, limit: GuessLimit, counted: CountedBy, now: datetime) -> Counted | TooManyTries:
    """Count one try, or refuse it. A refused try is not counted and prolongs nothing."""
    key, mark = bucket_of(session, limit, counted), secrets.token_hex(16)
    remembered = limit.forgets_one_in // _MICROSECOND
    first = upsert(session, GuessBucket).values(
        key=key,
        forgotten_at=_number(now) + remembered,
        last_at=now,
        previous_at=now - 2 * limit.delays[-1],
        last_try=mark,
    )
    refused = _is_refused(limit, now)
    from_now = case((GuessBucket.forgotten_at > _number(now), GuessBucket.forgotten_at), else_=_number(now))
    counting = first.on_conflict_do_update(
        index_elements=[GuessBucket.key],
        set_={
            "forgotten_at": case((refused, GuessBucket.forgotten_at), else_=from_now + remembered),
            "previous_at": case((refused, GuessBucket.previous_at), else_=GuessBucket.last_at),
            "last_at": case((refused, GuessBucket.last_at), else_=literal(now, UtcDateTime)),
            "last_try": case((refused, GuessBucket.last_try), else_=mark),
        },
    ).returning(GuessBucket.forgotten_at, GuessBucket.last_at, GuessBucket.last_try)
    forgotten_at, last_at, last_try = session.execute(counting).one()
    if last_try == mark:
        return Counted()
    return TooManyTries(whole_seconds(_free_at(limit, forgotten_at, last_at) - now))


def give_back(session: Session, limit: GuessLimit, counted: CountedBy) -> None:
    """Undo the last try: it was never made, or was no guess. The row is as before, and all other tries
    stay."""
    undone = update(GuessBucket).where(GuessBucket.key == bucket_of(session, limit, counted))
    session.execute(
        undone.values(
            forgotten_at=GuessBucket.forgotten_at - limit.forgets_one_in // _MICROSECOND,
            last_at=GuessBucket.previous_at,
        ).execution_options(synchronize_session=False)
    )


def forget(session: Session, limit: GuessLimit, counted: CountedBy) -> None:
    """Forget all these tries: what they guessed at is no longer the password, or an admin has
    looked."""
    session.execute(delete(GuessBucket).where(GuessBucket.key == bucket_of(session, limit, counted)))


def refused_until(session: Session, limit: GuessLimit, counted: CountedBy, now: datetime) -> datetime | None:
    """When the next try will be let through; None when one would be now. Counts nothing."""
    key = bucket_of(session, limit, counted)
    refused = select(GuessBucket).where(GuessBucket.key == key, _is_refused(limit, now))
    bucket = session.scalars(refused.execution_options(populate_existing=True)).one_or_none()
    return _free_at(limit, bucket.forgotten_at, bucket.last_at) if bucket else None


def _is_refused(limit: GuessLimit, now: datetime) -> ColumnElement[bool]:
    """If more than `most - 1` tries are remembered, the first delay holds; with one more try, the second
    delay, and so on."""
    return or_(
        *(
            and_(
                GuessBucket.forgotten_at > _number(now + (limit.most + step - 1) * limit.forgets_one_in),
                GuessBucket.last_at > literal(now - delay, UtcDateTime),
            )
            for step, delay in enumerate(limit.delays)
        )
    )


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
