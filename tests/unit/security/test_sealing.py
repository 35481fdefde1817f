"""The sealed trail: what is sealed and when, what a check finds, and what the operator may decide."""

import hmac
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.models.audit_event import AuditEvent, Tag
from app.models.audit_head import AuditHead
from app.security import audit, sealing
from app.security.kept_head import Anchor, Unreadable
from app.security.sealing import (
    FURTHEST_AHEAD,
    OLDEST_TO_SEAL,
    Accepted,
    Findings,
    HeadMoved,
    HeadNotGenuine,
    Kept,
    Resealed,
    TrailFault,
    TrailFaultKind,
    Why,
)
from app.security.signing import SigningKeys
from tests.unit.rows import HERE, KEYS, NOBODY, NOW

ZEROS = "0" * 64
NOTHING_YET = Anchor(0, ZEROS)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NEW, OLD = "a newer key of this test, of no use elsewhere", "an older key of this test, of no use elsewhere"
BOTH_KEYS, OLD_KEYS, NEW_KEYS = SigningKeys((NEW, OLD)), SigningKeys((OLD,)), SigningKeys((NEW,))
HEAD, OUTSIDE = HeadNotGenuine(Why.HEAD), HeadNotGenuine(Why.OUTSIDE)
Kind = TrailFaultKind


@pytest.fixture
def trail(session: Session) -> Session:
    """A trail that nobody has sealed yet, as the migrations leave it."""
    session.add(AuditHead(id=1, seal_no=0, seal=ZEROS, mark=""))
    session.flush()
    return session


@pytest.fixture
def five(trail: Session) -> Session:
    """Five sealed rows, a second apart. The last one is of this moment."""
    acts(trail, *(NOW - number * SECOND for number in (4, 3, 2, 1, 0)))
    assert seal(trail) == 5
    return trail


def acts(session: Session, *moments: datetime) -> list[AuditEvent]:
    made = [
        audit.record(session, Tag.LOGIN_REFUSED, None, Act(HERE, moment, None), number=number)
        for number, moment in enumerate(moments)
    ]
    session.flush()
    return made


def seal(
    session: Session, keys: SigningKeys = KEYS, kept: Kept = None, now: datetime = NOW
) -> int | HeadNotGenuine:
    sealed = sealing.seal_next(session, keys, kept, now)
    session.flush()
    return sealed


def check(
    session: Session,
    keys: SigningKeys = KEYS,
    kept: Kept = None,
    anchors: dict[int, str] | None = None,
    now: datetime = NOW,
) -> Findings:
    session.flush()
    session.expire_all()
    return sealing.verify(session, keys, now, kept, anchors)


def head_of(session: Session) -> AuditHead:
    head = AuditHead.now(session)
    assert head is not None
    return head


def anchor_of(session: Session) -> Anchor:
    return Anchor(head_of(session).seal_no, head_of(session).seal)


def row(session: Session, seal_no: int) -> AuditEvent:
    return session.scalars(
        select(AuditEvent).where(AuditEvent.seal_no == seal_no).execution_options(populate_existing=True)
    ).one()


def anchor_at(session: Session, seal_no: int) -> Anchor:
    return Anchor(seal_no, str(row(session, seal_no).seal))


def tamper(session: Session, *statements: str) -> None:
    session.flush()
    for statement in statements:
        session.execute(text(statement))
    session.expire_all()


def of_earlier_release(session: Session, keys: SigningKeys = KEYS) -> None:
    """The head as an earlier release has left it."""
    tamper(session, "UPDATE audit_head SET newest_at = NULL")
    head = head_of(session)
    message = json.dumps(["head", head.seal_no, head.seal], separators=(",", ":"))
    head.mark = hmac.digest(keys.trail_keys()[0], message.encode(), "sha256").hex()
    session.flush()


def faults(found: Findings) -> list[TrailFault]:
    assert found.faults == len(found.named)
    assert found.kinds == {fault.kind for fault in found.named}
    return found.named


# -- sealing
def test_rows_are_sealed_in_the_order_of_their_moments(trail: Session) -> None:
    later, sooner, same = acts(trail, NOW, NOW - SECOND, NOW)

    assert seal(trail) == 3
    assert seal(trail) == 0

    assert [row(trail, number).id for number in (1, 2, 3)] == [sooner.id, later.id, same.id]
    assert [row(trail, number).previous_seal for number in (1, 2, 3)] == [
        ZEROS, row(trail, 1).seal, row(trail, 2).seal
    ]  # fmt: skip
    assert {row(trail, number).replaced_seal for number in (1, 2, 3)} == {None}
    assert anchor_of(trail) == anchor_at(trail, 3)
    found = check(trail)
    assert (found.rows, found.seal_no, found.seal) == (3, 3, row(trail, 3).seal)
    assert faults(found) == []
    assert (found.under_older_keys, found.is_being_resealed) == (0, False)


def test_a_trail_goes_on_where_it_ended(five: Session) -> None:
    acts(five, NOW + MINUTE)

    assert seal(five, now=NOW + MINUTE) == 1
    assert row(five, 6).previous_seal == row(five, 5).seal
    assert faults(check(five)) == []


def test_so_many_rows_are_sealed_at_once(trail: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ROWS_AT_ONCE", 3)
    acts(trail, *[NOW] * 7)

    assert [seal(trail) for _ in range(4)] == [3, 3, 1, 0]
    assert faults(check(trail)) == []


def test_a_seal_and_a_mark_stay_what_they_are_from_release_to_release(trail: Session) -> None:
    (event,) = acts(trail, datetime(2026, 11, 22, 7, 5, 1, 250_000, tzinfo=UTC))
    event.id, event.detail = 7, {"b": "\u00e9", "a": 1, "typed": True, "none": None}
    seal(trail, BOTH_KEYS)

    head = head_of(trail)
    assert row(trail, 1).seal == head.seal
    assert head.seal == "1f8cd980cae7caec9c3a70d70878b83661ac63a26116b0435308de8159b2f07d"
    assert head.mark == "38605cf7257696528c729531698f65c381aca3413b996858dc6064e4f6453615"
    assert head.newest_at == "2026-11-22T07:05:01.250000+00:00"


@pytest.mark.parametrize(
    ("moment", "is_sealed"),
    [
        (NOW - OLDEST_TO_SEAL, True),
        (NOW - OLDEST_TO_SEAL - SECOND, False),
        (NOW + FURTHEST_AHEAD, True),
        (NOW + FURTHEST_AHEAD + SECOND, False),
    ],
)
def test_a_row_from_too_long_ago_or_from_the_future_is_not_sealed(
    five: Session, moment: datetime, *, is_sealed: bool
) -> None:
    (event,) = acts(five, moment)
    number = 1 if is_sealed else 0

    assert sealing.is_any_to_seal(five, NOW) is is_sealed
    assert sealing.count_out_of_reach(five, NOW) == 1 - number
    assert seal(five) == number
    assert sealing.count_out_of_reach(five, NOW) == 1 - number
    assert sealing.out_of_reach(five, NOW, 10) == (
        [] if is_sealed else [(event.id, moment.strftime("%Y-%m-%d %H:%M:%S.%f"), "login_refused")]
    )
    assert not sealing.is_any_to_seal(five, NOW)


def test_a_row_is_too_old_by_the_newest_sealed_row_and_not_by_the_clock(five: Session) -> None:
    """A worker that was away for a day still seals what was written meanwhile."""
    acts(five, NOW - OLDEST_TO_SEAL, NOW + timedelta(hours=5), NOW + timedelta(hours=20))

    assert seal(five, now=NOW + timedelta(hours=24)) == 3
    assert head_of(five).newest_at == "2026-11-23T03:05:00.000000+00:00"
    acts(five, NOW + timedelta(hours=18))
    assert seal(five, now=NOW + timedelta(hours=24)) == 0


def test_a_clock_that_was_ahead_for_a_while_keeps_nothing_back(five: Session) -> None:
    acts(five, NOW + FURTHEST_AHEAD)
    assert seal(five) == 1
    assert head_of(five).newest_at == "2026-11-22T07:15:00.000000+00:00"

    acts(five, NOW - OLDEST_TO_SEAL)
    assert seal(five) == 1
    assert head_of(five).newest_at == "2026-11-22T07:05:00.000000+00:00", "what is ahead does not count"


def test_a_head_of_an_earlier_release_goes_by_the_newest_sealed_row(five: Session) -> None:
    """Such a head does not hold the moment, and its mark is over number and seal alone."""
    of_earlier_release(five)
    hours_later = NOW + timedelta(hours=5)
    late, in_time, _ = acts(five, NOW - OLDEST_TO_SEAL - SECOND, NOW - OLDEST_TO_SEAL, hours_later)

    assert sealing.is_any_to_seal(five, hours_later)
    assert sealing.count_out_of_reach(five, hours_later) == 1
    assert [found[0] for found in sealing.out_of_reach(five, hours_later, 10)] == [late.id]
    assert faults(check(five, now=hours_later)) == [TrailFault(Kind.LATE, None, late.id)]
    assert seal(five, now=hours_later) == 2
    assert row(five, 6).id == in_time.id
    assert head_of(five).newest_at == "2026-11-22T12:05:00.000000+00:00"


def test_the_first_row_of_all_says_from_when_on_rows_are_sealed(trail: Session) -> None:
    acts(trail, NOW - 30 * MINUTE)
    seal(trail)
    acts(trail, NOW - 91 * MINUTE)

    assert head_of(trail).newest_at == "2026-11-22T06:35:00.000000+00:00"
    assert seal(trail) == 0


def test_moments_are_written_alike_wherever_the_machine_stands(
    trail: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Jakarta")
    time.tzset()
    try:
        acts(trail, NOW)
        seal(trail)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert head_of(trail).newest_at == "2026-11-22T07:05:00.000000+00:00"
    assert faults(check(trail)) == []


def test_nothing_is_to_be_sealed_without_rows_or_without_a_head(session: Session, trail: Session) -> None:
    assert not sealing.is_any_to_seal(trail, NOW)
    acts(trail, NOW)
    assert sealing.is_any_to_seal(trail, NOW)

    tamper(session, "DELETE FROM audit_head")

    assert not sealing.is_any_to_seal(session, NOW)
    assert seal(session) == HEAD
    assert sealing.why_not(session, KEYS, None) is Why.HEAD
    assert sealing.count_out_of_reach(session, NOW) == 0
    assert sealing.out_of_reach(session, NOW, 10) == []
    assert not sealing.begin(session, KEYS, None, NOW)
    assert faults(sealing.verify(session, KEYS, NOW)) == [TrailFault(Kind.HEAD, 0)]


FALSE_HEADS = {
    "the mark": "UPDATE audit_head SET mark = 'x'",
    "the mark of a head without rows": "UPDATE audit_head SET mark = '', newest_at = NULL",
    "the number": "UPDATE audit_head SET seal_no = 4",
    "the seal": "UPDATE audit_head SET seal = (SELECT seal FROM audit_event WHERE seal_no = 4)",
    "the moment": "UPDATE audit_head SET newest_at = '2026-11-22T07:05:01.000000+00:00'",
    "a step of sealing anew": "UPDATE audit_head SET resealed_no = 1",
    "a negative number": "UPDATE audit_head SET seal_no = -5",
    "the last row": "DELETE FROM audit_event WHERE seal_no = 5",
    "the seal of the last row": "UPDATE audit_event SET seal = 'x' WHERE seal_no = 5",
    "what the last row says": "UPDATE audit_event SET tag = 'login' WHERE seal_no = 5",
    "a row beyond it": "UPDATE audit_event SET seal_no = 6 WHERE seal_no = 1",
    "back to the beginning": f"UPDATE audit_head SET seal_no=0, seal='{ZEROS}', mark='', newest_at=NULL",
}


@pytest.mark.parametrize("change", FALSE_HEADS.values(), ids=FALSE_HEADS)
def test_nothing_is_sealed_at_a_head_that_is_not_genuine(five: Session, change: str) -> None:
    acts(five, NOW)
    tamper(five, change)

    assert seal(five) == HEAD
    assert sealing.why_not(five, KEYS, None) is Why.HEAD
    assert five.scalars(select(AuditEvent.id).where(AuditEvent.seal_no.is_(None))).all()


def test_a_key_that_sealed_must_stay_and_may_be_the_older_one(trail: Session) -> None:
    acts(trail, NOW)
    seal(trail, OLD_KEYS)
    acts(trail, NOW)

    assert sealing.why_not(trail, NEW_KEYS, None) is Why.HEAD
    assert sealing.why_not(trail, BOTH_KEYS, None) is None
    assert seal(trail, BOTH_KEYS) == 1
    found = check(trail, BOTH_KEYS)
    assert (faults(found), found.under_older_keys) == ([], 1)
    assert {fault.kind for fault in faults(check(trail, NEW_KEYS))} == {Kind.CHANGED}
    assert sealing.why_not(trail, OLD_KEYS, None) is Why.HEAD


def test_the_trail_must_hold_what_this_machine_has_seen(five: Session) -> None:
    acts(five, NOW)
    seen = [None, NOTHING_YET, anchor_at(five, 3), anchor_at(five, 5), Unreadable("x")]
    unseen = [Anchor(3, "x"), Anchor(6, anchor_of(five).seal), Anchor(0, "x")]

    assert [sealing.why_not(five, KEYS, kept) for kept in seen] == [None] * 5
    assert [sealing.why_not(five, KEYS, kept) for kept in unseen] == [Why.OUTSIDE] * 3
    assert seal(five, kept=Anchor(3, "x")) == OUTSIDE
    assert seal(five, kept=anchor_at(five, 3)) == 1


def test_what_this_machine_has_seen_must_still_be_sealed_by_us(five: Session) -> None:
    kept = anchor_at(five, 3)
    tamper(five, "UPDATE audit_event SET tag = 'login' WHERE seal_no = 3")

    assert sealing.why_not(five, KEYS, kept) is Why.OUTSIDE
    assert sealing.why_not(five, KEYS, None) is None, "a check of all rows finds it"


def test_a_trail_without_seals_is_believed_only_where_nothing_is_known_of_it(trail: Session) -> None:
    assert sealing.why_not(trail, KEYS, None) is None
    for kept in (NOTHING_YET, Unreadable("x")):
        assert sealing.why_not(trail, KEYS, kept) is Why.HEAD

    assert sealing.why_not(trail, KEYS, Anchor(1, "x")) is Why.OUTSIDE


@pytest.mark.parametrize(
    "change",
    ["seal = 'x'", "newest_at = 'x'", "resealed_no = 0", "resealed_seal = 'x'", "replaced_seal = 'x'",
     "mark = 'x'"],
)  # fmt: skip
def test_a_head_of_zero_is_as_the_migrations_left_it(trail: Session, change: str) -> None:
    tamper(trail, f"UPDATE audit_head SET {change}")

    assert sealing.why_not(trail, KEYS, None) is Why.HEAD


@pytest.mark.parametrize("number", [0, -1])
def test_no_row_is_sealed_below_the_first_number(trail: Session, number: int) -> None:
    acts(trail, NOW)
    tamper(trail, f"UPDATE audit_event SET seal_no = {number}")

    assert sealing.why_not(trail, KEYS, None) is Why.HEAD
    sealed = check(trail)
    assert Kind.CHANGED in sealed.kinds


# -- the beginning
def test_a_trail_begins_with_all_that_is_there(trail: Session) -> None:
    acts(trail, NOW, NOW - timedelta(days=400), NOW)

    assert sealing.begin(trail, KEYS, None, NOW)
    assert head_of(trail).newest_at == "2025-10-18T07:05:00.000000+00:00"
    assert not sealing.begin(trail, KEYS, None, NOW), "it has begun"
    assert sealing.why_not(trail, KEYS, NOTHING_YET) is None
    assert seal(trail) == 3
    assert not sealing.begin(trail, KEYS, None, NOW)
    assert faults(check(trail)) == []


def test_a_trail_that_has_begun_begins_with_zeros(trail: Session) -> None:
    sealing.begin(trail, KEYS, None, NOW)
    tamper(trail, "UPDATE audit_head SET seal = 'x'")

    assert sealing.why_not(trail, KEYS, None) is Why.HEAD


def test_a_trail_without_rows_begins_now(trail: Session) -> None:
    assert sealing.begin(trail, KEYS, NOTHING_YET, NOW)
    assert head_of(trail).newest_at == "2026-11-22T07:05:00.000000+00:00"

    acts(trail, NOW - OLDEST_TO_SEAL, NOW - OLDEST_TO_SEAL - SECOND)
    assert seal(trail) == 1


def test_a_row_of_the_future_does_not_move_the_beginning(trail: Session) -> None:
    acts(trail, NOW + timedelta(days=1))

    assert sealing.begin(trail, KEYS, None, NOW)
    assert head_of(trail).newest_at == "2026-11-22T07:05:00.000000+00:00"


@pytest.mark.parametrize("kept", [Anchor(3, "x"), Unreadable("x")], ids=["seen", "unreadable"])
def test_a_machine_that_has_seen_more_does_not_begin(trail: Session, kept: Kept) -> None:
    assert not sealing.begin(trail, KEYS, kept, NOW)
    assert head_of(trail).mark == ""


# -- a check of all rows
COLUMNS = {
    "at": "'2026-11-22 07:05:30.000000'", "tag": "'login'", "actor_id": "7", "account_id": "7",
    "instansi_id": "7", "client_address": "'x'", "user_agent": "'x'", "request_id": "'x'", "detail": "'[]'",
    "seal": "'x'", "replaced_seal": "'x'",
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_row_is_found_and_not_blamed_on_the_next(five: Session, column: str) -> None:
    row_id = row(five, 3).id
    tamper(five, "PRAGMA ignore_check_constraints = ON", "PRAGMA defer_foreign_keys = ON")
    tamper(five, f"UPDATE audit_event SET {column} = {COLUMNS[column]} WHERE seal_no = 3")

    assert faults(check(five)) == [TrailFault(Kind.CHANGED, 3, row_id)]


def test_a_moment_that_is_none_is_a_changed_row(five: Session) -> None:
    row_id = row(five, 3).id
    tamper(five, "UPDATE audit_event SET at = 'nonsense' WHERE seal_no = 3")

    assert faults(sealing.verify(five, KEYS, NOW)) == [TrailFault(Kind.CHANGED, 3, row_id)]


def test_a_row_whose_link_to_the_one_before_was_changed_is_changed(five: Session) -> None:
    row_id = row(five, 3).id
    tamper(five, "UPDATE audit_event SET previous_seal = 'x' WHERE seal_no = 3")

    assert faults(check(five)) == [TrailFault(Kind.CHANGED, 3, row_id)]


def test_a_number_that_is_none_is_a_changed_row_each(five: Session) -> None:
    """SQLite keeps any value that somebody puts there."""
    ids = [row(five, number).id for number in (2, 3)]
    tamper(
        five,
        "UPDATE audit_event SET seal_no = 'x' WHERE seal_no = 2",
        "UPDATE audit_event SET seal_no = 'y' WHERE seal_no = 3",
    )

    assert faults(check(five)) == [
        TrailFault(Kind.MISSING, 2, None, 3),
        TrailFault(Kind.CHANGED, None, ids[0]),
        TrailFault(Kind.CHANGED, None, ids[1]),
    ]


def test_missing_rows_are_named_from_the_first_to_the_last(five: Session) -> None:
    tamper(five, "DELETE FROM audit_event WHERE seal_no IN (1, 3, 4)")

    assert faults(check(five)) == [
        TrailFault(Kind.MISSING, 1, None, 1),
        TrailFault(Kind.MISSING, 3, None, 4),
    ]


def test_missing_rows_at_the_end_are_found_by_the_head(five: Session) -> None:
    tamper(five, "DELETE FROM audit_event WHERE seal_no > 3")

    found = check(five)

    assert faults(found) == [TrailFault(Kind.MISSING, 4, None, 5)]
    assert (found.rows, found.seal_no) == (3, 3)


def grown_twice(session: Session, keys: SigningKeys) -> None:
    """Row 4 of one state of the tables, under row 5 of another one, both sealed by us."""
    acts(session, NOW, NOW, NOW)
    seal(session, keys)
    tamper(session, "CREATE TEMP TABLE head_then AS SELECT * FROM audit_head")
    acts(session, NOW)
    seal(session, keys)
    tamper(
        session,
        "CREATE TEMP TABLE row_then AS SELECT * FROM audit_event WHERE seal_no = 4",
        "DELETE FROM audit_event WHERE seal_no = 4",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head SELECT * FROM head_then",
    )
    acts(session, NOW + SECOND, NOW + SECOND)
    assert seal(session, keys) == 2
    tamper(
        session,
        "DELETE FROM audit_event WHERE seal_no = 4",
        "INSERT INTO audit_event SELECT * FROM row_then",
        "DROP TABLE head_then",
        "DROP TABLE row_then",
    )


def test_a_row_that_does_not_join_the_one_before_is_found(trail: Session) -> None:
    grown_twice(trail, KEYS)

    assert faults(check(trail)) == [TrailFault(Kind.ORDER, 5, row(trail, 5).id)]


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ("mark = 'x'", 5),
        ("newest_at = NULL", 5),
        ("seal_no = 4", 4),
        ("seal = 'x'", 5),
        ("resealed_no = 1", 5),
    ],
)
def test_a_head_that_was_moved_is_found(five: Session, change: str, number: int) -> None:
    tamper(five, f"UPDATE audit_head SET {change}")

    found = check(five)

    assert faults(found) == [TrailFault(Kind.HEAD, number)]
    assert not found.is_being_resealed


def test_a_head_without_its_row_is_found(five: Session) -> None:
    row_id = row(five, 5).id
    tamper(five, "UPDATE audit_event SET seal = 'x' WHERE seal_no = 5")

    assert faults(check(five)) == [TrailFault(Kind.CHANGED, 5, row_id), TrailFault(Kind.HEAD, 5)]


def test_seals_that_are_known_from_elsewhere_are_compared(five: Session) -> None:
    right = {number: anchor_at(five, number).seal for number in (1, 5)}

    assert faults(check(five, anchors={**right, 0: ZEROS})) == []
    assert faults(check(five, anchors={**right, 3: "x", 7: "y", 6: ZEROS, 0: "z"})) == [
        TrailFault(Kind.ANCHOR, 3, row(five, 3).id),
        TrailFault(Kind.ANCHOR, 0),
        TrailFault(Kind.ANCHOR, 6),
        TrailFault(Kind.ANCHOR, 7),
    ]


def test_what_this_machine_has_seen_is_compared(five: Session) -> None:
    for kept in (NOTHING_YET, anchor_at(five, 3), anchor_at(five, 5)):
        assert faults(check(five, kept=kept)) == []

    assert faults(check(five, kept=Anchor(3, "x"))) == [TrailFault(Kind.OUTSIDE, 3, row(five, 3).id)]
    assert faults(check(five, kept=Anchor(6, "x"))) == [TrailFault(Kind.OUTSIDE, 6)]
    assert faults(check(five, kept=Anchor(0, "x"))) == [TrailFault(Kind.OUTSIDE, 0)]
    assert faults(check(five, kept=Unreadable("x"))) == [TrailFault(Kind.UNREADABLE, None)]


def test_a_trail_without_seals_is_whole_until_something_is_known_of_it(trail: Session) -> None:
    acts(trail, NOW)

    found = check(trail)

    assert (faults(found), found.rows, found.seal_no, found.seal) == ([], 0, 0, ZEROS)
    assert faults(check(trail, kept=NOTHING_YET)) == [TrailFault(Kind.HEAD, 0)]


def test_rows_that_must_not_be_sealed_are_named(five: Session) -> None:
    late, older, future = acts(
        five, NOW - timedelta(days=2), NOW - timedelta(days=3), NOW + timedelta(days=2)
    )

    assert faults(check(five)) == [
        TrailFault(Kind.LATE, None, older.id),
        TrailFault(Kind.LATE, None, late.id),
        TrailFault(Kind.FUTURE, None, future.id),
    ]
    assert [found[0] for found in sealing.out_of_reach(five, NOW, 10)] == [older.id, late.id, future.id]
    assert [found[0] for found in sealing.out_of_reach(five, NOW, 1)] == [older.id]
    assert sealing.count_out_of_reach(five, NOW) == 3


def test_a_row_that_is_sealed_may_be_as_old_as_it_is(five: Session) -> None:
    acts(five, NOW + timedelta(hours=5))
    hours_later = NOW + timedelta(hours=5)
    assert seal(five, now=hours_later) == 1

    assert sealing.count_out_of_reach(five, hours_later) == 0
    assert faults(check(five, now=hours_later)) == []


def test_a_decision_is_the_newest_row(five: Session) -> None:
    later = replace(NOBODY, at=NOW + timedelta(hours=5))

    sealing.accept_restored(five, KEYS, Anchor(9, "x"), anchor_of(five), "x", later)

    assert head_of(five).newest_at == "2026-11-22T12:05:00.000000+00:00"


def test_of_very_many_faults_the_first_fifty_are_named(five: Session) -> None:
    late = acts(five, *[NOW - timedelta(days=2)] * 60)
    acts(five, *[NOW + timedelta(days=2)] * 3)

    found = check(five)

    assert [fault.row_id for fault in found.named] == [event.id for event in late[:50]]
    assert found.faults == 63
    assert found.kinds == {Kind.LATE, Kind.FUTURE}
    assert sealing.count_out_of_reach(five, NOW) == 63


def test_a_check_goes_through_all_rows_in_pieces(five: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_ROWS_A_LOOK", 2)

    found = check(five)

    assert (faults(found), found.rows) == ([], 5)


# -- what the operator decides
def noted(session: Session, seal_no: int) -> tuple[Tag, datetime, dict[str, str | int | bool | None]]:
    event = row(session, seal_no)
    return event.tag, event.at, event.detail


def test_an_older_state_is_accepted_with_both_heads_in_the_trail(five: Session) -> None:
    before = anchor_of(five)

    accepted = sealing.accept_restored(five, KEYS, Anchor(9, "lost"), before, "a broken disk", NOBODY)

    assert accepted == Accepted(0, before, anchor_of(five))
    assert anchor_of(five).seal_no == 6
    assert noted(five, 6) == (
        Tag.TRAIL_RESTORED,
        NOW,
        {"head_before": "9:lost", "head_after": str(before), "because": "a broken disk"},
    )
    assert faults(check(five)) == []


def test_a_lost_head_that_nobody_can_read_is_a_dash(trail: Session) -> None:
    accepted = sealing.accept_restored(trail, KEYS, Unreadable("x"), NOTHING_YET, "new tables", NOBODY)

    assert isinstance(accepted, Accepted)
    assert noted(trail, 1)[2]["head_before"] == "-"
    assert faults(check(trail)) == []


def test_a_head_that_moved_meanwhile_is_not_accepted(five: Session) -> None:
    before = anchor_of(five)
    acts(five, NOW)
    seal(five)

    moved = sealing.accept_restored(five, KEYS, Anchor(9, "x"), before, "a broken disk", NOBODY)
    assert moved == HeadMoved(anchor_of(five))
    tamper(five, "UPDATE audit_head SET mark = 'x'")
    assert sealing.accept_restored(five, KEYS, Anchor(9, "x"), before, "a broken disk", NOBODY) == HEAD


def test_rows_that_were_late_are_accepted_the_oldest_first(five: Session) -> None:
    late, older, future = acts(
        five, NOW - timedelta(days=2), NOW - timedelta(days=3), NOW + timedelta(days=2)
    )
    before = anchor_of(five)

    accepted = sealing.accept_late(five, KEYS, before, None, "a worker was away", NOBODY)

    assert accepted == Accepted(3, before, anchor_of(five))
    assert [row(five, number).id for number in (6, 7, 8)] == [older.id, late.id, future.id]
    assert noted(five, 9) == (
        Tag.TRAIL_LATE_ACCEPTED,
        NOW,
        {
            "how_many": 3, "first_row": late.id, "last_row": future.id, "head_before": str(before),
            "head_after": str(anchor_at(five, 8)), "because": "a worker was away",
        },
    )  # fmt: skip
    assert head_of(five).newest_at == "2026-11-22T07:05:00.000000+00:00", "neither moves what may be sealed"
    assert faults(check(five)) == []


def test_only_the_named_rows_are_accepted(five: Session) -> None:
    first, second, third = acts(five, *[NOW - timedelta(days=2)] * 3)

    accepted = sealing.accept_late(five, KEYS, None, [second.id, third.id], "honest", NOBODY)

    assert isinstance(accepted, Accepted)
    assert accepted.rows == 2
    assert first.seal_no is None
    assert [found[0] for found in sealing.out_of_reach(five, NOW, 10)] == [first.id]


def test_without_late_rows_nothing_is_noted(five: Session) -> None:
    acts(five, NOW)
    before = anchor_of(five)

    assert sealing.accept_late(five, KEYS, None, None, "x", NOBODY) == Accepted(0, before, before)
    assert anchor_of(five) == before
    assert sealing.accept_late(five, KEYS, Anchor(9, "x"), None, "x", NOBODY) == OUTSIDE


def test_so_many_late_rows_are_accepted_at_once(five: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ROWS_AT_ONCE", 3)
    acts(five, *[NOW - timedelta(days=2)] * 2, *[NOW + timedelta(days=2)] * 2)

    accepted = [sealing.accept_late(five, KEYS, None, None, "x", NOBODY) for _ in range(2)]

    assert [one.rows for one in accepted if isinstance(one, Accepted)] == [3, 1]
    assert faults(check(five)) == []


def test_the_operator_may_decide_with_a_head_of_an_earlier_release(five: Session) -> None:
    (late,) = acts(five, NOW - timedelta(days=2))
    of_earlier_release(five)
    assert isinstance(
        sealing.accept_restored(five, KEYS, Anchor(9, "x"), anchor_of(five), "x", NOBODY), Accepted
    )
    assert head_of(five).newest_at == "2026-11-22T07:05:00.000000+00:00"

    of_earlier_release(five)
    accepted = sealing.accept_late(five, KEYS, None, None, "x", NOBODY)
    assert isinstance(accepted, Accepted)
    assert accepted.rows == 1
    assert row(five, 7).id == late.id
    assert head_of(five).newest_at == "2026-11-22T07:05:00.000000+00:00"
    assert faults(check(five)) == []


# -- sealing anew
@pytest.fixture
def old(trail: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Five rows under the older key, which are to be sealed anew two at a time."""
    acts(trail, *(NOW - number * SECOND for number in (4, 3, 2, 1, 0)))
    assert seal(trail, OLD_KEYS) == 5
    monkeypatch.setattr(sealing, "ROWS_AT_ONCE", 2)
    return trail


def anew(session: Session, kept: Kept = None) -> Resealed | TrailFault | HeadNotGenuine:
    step = sealing.reseal_next(session, BOTH_KEYS, kept, replace(NOBODY, at=NOW + SECOND))
    session.flush()
    session.expire_all()
    return step


def test_all_rows_are_sealed_anew_in_steps_and_the_old_key_can_go(old: Session) -> None:
    before, third = anchor_of(old), anchor_at(old, 3)

    assert anew(old) == anew(old, kept=before) == Resealed(2, None)
    step = anew(old, kept=before)

    after = anchor_at(old, 5)
    assert step == Resealed(1, (before, after))
    assert noted(old, 6) == (
        Tag.TRAIL_RESEALED,
        NOW + SECOND,
        {"how_many": 5, "head_before": str(before), "head_after": str(after)},
    )
    for kept in (before, third, after):
        assert faults(check(old, NEW_KEYS, kept, {third.seal_no: third.seal, 5: before.seal})) == []
    assert sealing.why_not(old, NEW_KEYS, before) is None
    head = head_of(old)
    assert (head.resealed_no, head.resealed_seal, head.replaced_seal) == (None, None, None)
    assert row(old, 3).replaced_seal == third.seal
    assert row(old, 3).previous_seal == row(old, 2).seal


def test_between_the_steps_the_trail_is_whole_and_goes_on(old: Session) -> None:
    anew(old)
    head = head_of(old)
    assert (head.resealed_no, head.resealed_seal) == (2, row(old, 2).seal)
    assert head.replaced_seal == row(old, 2).replaced_seal == row(old, 3).previous_seal

    found = check(old, BOTH_KEYS)
    assert (faults(found), found.is_being_resealed, found.under_older_keys) == ([], True, 3)

    acts(old, NOW)
    assert seal(old, BOTH_KEYS) == 1
    assert faults(check(old, BOTH_KEYS)) == []
    steps = [anew(old), anew(old)]
    assert [step.rows for step in steps if isinstance(step, Resealed)] == [2, 2]
    assert faults(check(old, NEW_KEYS)) == []


def test_a_head_of_an_earlier_release_is_sealed_anew(old: Session) -> None:
    of_earlier_release(old, OLD_KEYS)

    assert anew(old) == Resealed(2, None)
    assert head_of(old).newest_at == "2026-11-22T07:05:00.000000+00:00"
    anew(old)
    last = anew(old)
    assert isinstance(last, Resealed)
    assert last.heads is not None
    assert faults(check(old, NEW_KEYS)) == []


def test_a_short_trail_of_an_earlier_release_is_sealed_anew_at_once(trail: Session) -> None:
    acts(trail, NOW - MINUTE)
    seal(trail, OLD_KEYS)
    of_earlier_release(trail, OLD_KEYS)

    last = anew(trail)

    assert isinstance(last, Resealed)
    assert last.rows == 1
    assert head_of(trail).newest_at == "2026-11-22T07:05:01.000000+00:00"
    assert faults(check(trail, NEW_KEYS)) == []


def test_a_trail_without_rows_may_be_sealed_anew(trail: Session) -> None:
    assert anew(trail) == Resealed(0, (NOTHING_YET, NOTHING_YET))
    assert noted(trail, 1)[2]["how_many"] == 0


def test_between_the_steps_a_row_that_is_put_back_is_found(old: Session) -> None:
    tamper(old, "CREATE TEMP TABLE row_then AS SELECT * FROM audit_event WHERE seal_no = 2")
    anew(old)
    tamper(
        old,
        "DELETE FROM audit_event WHERE seal_no = 2",
        "INSERT INTO audit_event SELECT * FROM row_then",
        "DROP TABLE row_then",
    )

    assert faults(check(old, BOTH_KEYS)) == [TrailFault(Kind.ORDER, 2, row(old, 2).id)] * 2


def test_between_the_steps_the_first_row_with_an_old_seal_joins_the_last_old_seal(
    trail: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown_twice(trail, OLD_KEYS)
    monkeypatch.setattr(sealing, "ROWS_AT_ONCE", 4)
    assert anew(trail) == Resealed(4, None)

    assert faults(check(trail, BOTH_KEYS)) == [TrailFault(Kind.ORDER, 5, row(trail, 5).id)]


def test_a_whole_step_of_rows_is_not_the_last_one_if_more_follow(old: Session) -> None:
    tamper(old, "DELETE FROM audit_event WHERE seal_no = 5", "UPDATE audit_head SET seal_no = 4")
    head = head_of(old)
    head.seal = str(row(old, 4).seal)
    head.mark = sealing._mark(OLD_KEYS.trail_keys()[0], head)
    old.flush()

    assert anew(old) == Resealed(2, None)
    last = anew(old)
    assert isinstance(last, Resealed)
    assert last.rows == 2
    assert last.heads is not None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("DELETE FROM audit_event WHERE seal_no = 1", (Kind.MISSING, 1, None, 1)),
        ("DELETE FROM audit_event WHERE seal_no = 2", (Kind.MISSING, 2, None, 2)),
        ("UPDATE audit_event SET tag = 'login' WHERE seal_no = 2", (Kind.CHANGED, 2, 2, None)),
        ("UPDATE audit_event SET seal = NULL WHERE seal_no = 2", (Kind.CHANGED, 2, 2, None)),
    ],
)
def test_a_fault_stops_sealing_anew_and_nothing_is_written(
    old: Session, change: str, fault: tuple[TrailFaultKind, int, int | None, int | None]
) -> None:
    kind, seal_no, place, last = fault
    row_id = row(old, place).id if place else None
    tamper(old, change)

    assert anew(old) == TrailFault(kind, seal_no, row_id, last)
    assert head_of(old).resealed_no is None


def test_rows_that_do_not_join_are_not_sealed_anew(trail: Session) -> None:
    grown_twice(trail, OLD_KEYS)

    assert anew(trail) == TrailFault(Kind.ORDER, 5, row(trail, 5).id)


def test_sealing_anew_begins_with_a_genuine_head(old: Session) -> None:
    assert anew(old, kept=Anchor(3, "x")) == OUTSIDE
    tamper(old, "UPDATE audit_head SET mark = 'x'")
    assert anew(old) == HEAD
