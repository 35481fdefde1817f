"""The portal notices if somebody changes, removes or adds an event of the trail without it."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select, text

from app.domain.act import Act
from app.domain.client import Client
from app.domain.indonesian_time import now
from app.models import ActivationDay, AuditEvent, AuditHead, Tag, User
from app.runtime.db import engine, reading, unit_of_work
from app.security import audit
from app.worker.loop import work
from app.worker.sealing import log_head, seal_what_is_new
from tests.cast import BUDI, WATI
from tests.conftest import MakeApp, people

FROM_HERE = Client("203.0.113.7", "Firefox", "0123456789ab")


def act(app: Flask, count: int = 1, **detail: str | int | bool) -> None:
    with app.app_context(), unit_of_work() as session:
        budi = session.scalars(select(User).where(User.nip == BUDI.nip)).one()
        wati = session.scalars(select(User).where(User.nip == WATI.nip)).one()
        for number in range(count):
            event = audit.record(session, Tag.PERSON_OPENED, budi, Act(FROM_HERE, now(), wati), number=number)
            event.add(detail)


def _with_typed(detail: str, value: str) -> str:
    return json.dumps({**json.loads(detail), "typed": json.loads(value)})


def seal_all(app: Flask) -> None:
    with app.app_context():
        while seal_what_is_new():
            pass


def tamper(app: Flask, *statements: str) -> None:
    with app.app_context(), unit_of_work() as session:
        for statement in statements:
            session.execute(text(statement))


def verify(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["audit", "verify", *arguments])


def head(app: Flask) -> tuple[int, str]:
    with app.app_context(), reading() as session:
        found = AuditHead.now(session)
        assert found is not None
        return found.seal_no, found.seal


def kept_file(app: Flask) -> Path:
    (file,) = Path(app.instance_path).glob("trail-head-*")
    return file


@pytest.fixture
def sealed(peopled: Flask) -> Flask:
    """A portal with twelve sealed events."""
    act(peopled, 12)
    seal_all(peopled)
    return peopled


def test_an_untouched_trail_is_whole_and_its_end_is_told(sealed: Flask) -> None:
    act(sealed, 3)

    answer = verify(sealed)

    assert answer.exit_code == 0, answer.output
    assert "Baru disegel: 3. Diperiksa: 15 baris" in answer.output
    assert "utuh" in answer.output
    number, seal = head(sealed)
    assert number == 15
    assert f"15:{seal}" in answer.output


# -- only what is new
def test_a_check_goes_on_where_the_last_one_found_nothing(sealed: Flask) -> None:
    assert "Diperiksa: 12 baris" in verify(sealed, "--resume").output, "there was no check before"
    act(sealed, 3)

    answer = verify(sealed, "--resume")

    assert answer.exit_code == 0, answer.output
    assert "Dilanjutkan dari segel 12." in answer.output
    assert "Diperiksa: 3 baris" in answer.output
    assert "Diperiksa: 0 baris" in verify(sealed, "--resume").output
    assert "Diperiksa: 15 baris" in verify(sealed).output


@pytest.mark.parametrize(
    ("statement", "is_found"),
    [
        ("UPDATE audit_event SET tag = 'login' WHERE seal_no = 14", True),
        ("DELETE FROM audit_event WHERE seal_no = 13", True),
        ("DELETE FROM audit_event WHERE seal_no = 15", True),
        ("UPDATE audit_event SET tag = 'login' WHERE seal_no = 12", True),
        ("UPDATE audit_event SET seal = previous_seal WHERE seal_no = 12", True),
        ("DELETE FROM audit_event WHERE seal_no <= 12", True),
        ("UPDATE audit_event SET tag = 'login' WHERE seal_no = 11", False),
        ("DELETE FROM audit_event WHERE seal_no = 2", False),
    ],
)
def test_a_resumed_check_finds_what_was_done_since_and_a_whole_one_everything(
    sealed: Flask, statement: str, *, is_found: bool
) -> None:
    verify(sealed)
    act(sealed, 3)
    seal_all(sealed)
    tamper(sealed, statement)

    assert verify(sealed, "--resume").exit_code == int(is_found)
    assert verify(sealed).exit_code == 1
    assert verify(sealed, "--resume").exit_code == int(is_found), (
        "a check with findings is no place to go on from"
    )


def test_a_resumed_check_compares_seals_that_are_known_from_elsewhere(sealed: Flask) -> None:
    number, seal = head(sealed)
    verify(sealed)
    act(sealed, 3)

    assert verify(sealed, "--resume", "--anchor", f"{number}:{seal}").exit_code == 0
    assert verify(sealed, "--resume", "--anchor", f"7:{'a' * 64}").exit_code == 1


def test_what_a_check_keeps_without_the_key_is_not_believed(sealed: Flask) -> None:
    verify(sealed)
    (file,) = Path(sealed.instance_path).glob("trail-verified-*")
    file.write_text(file.read_text().replace('"seal_no": 12', '"seal_no": 3'))

    assert "Diperiksa: 12 baris" in verify(sealed, "--resume").output


def test_an_empty_trail_is_whole(peopled: Flask) -> None:
    assert verify(peopled).exit_code == 0


@pytest.mark.parametrize(
    "change",
    [
        "at = '2020-01-01 00:00:00'",
        "at = '9999-12-31 00:00:00'",
        "tag = 'login'",
        "tag = 'of nobody'",
        "actor_id = NULL",
        "account_id = actor_id",
        "instansi_id = NULL",
        "client_address = '192.0.2.1'",
        "user_agent = ''",
        "request_id = 'ffffffffffff'",
        "detail = '{\"number\": 99}'",
        "detail = '[]'",
        "seal = 'ffff'",
        "previous_seal = NULL",
        "seal_no = -seal_no",
        "seal_no = 99",
    ],
)
def test_a_changed_column_is_found(sealed: Flask, change: str) -> None:
    tamper(sealed, f"UPDATE audit_event SET {change} WHERE seal_no = 7")

    answer = verify(sealed)

    assert answer.exit_code == 1
    assert "segel 7" in answer.output or "segel -7" in answer.output or "segel 8 s.d. 98" in answer.output


def test_a_truth_value_is_sealed_as_what_it_is(peopled: Flask) -> None:
    """Events of earlier releases hold the name of a truth value or a number. They stay whole, and none can be
    taken for another."""
    for typed in (True, "True", 1):
        act(peopled, typed=typed)
    seal_all(peopled)
    assert verify(peopled).exit_code == 0

    for seal_no, other in ((1, '"True"'), (1, "1"), (1, "false"), (2, "true"), (3, "true")):
        with peopled.app_context(), reading() as session:
            row = session.scalars(select(AuditEvent).where(AuditEvent.seal_no == seal_no)).one()
            before = json.dumps(row.detail)
        changed = _with_typed(before, other)
        tamper(peopled, f"UPDATE audit_event SET detail = '{changed}' WHERE seal_no = {seal_no}")
        assert f"segel {seal_no} (id" in verify(peopled).output
        tamper(peopled, f"UPDATE audit_event SET detail = '{before}' WHERE seal_no = {seal_no}")
        assert verify(peopled).exit_code == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL itself refuses these
@pytest.mark.parametrize("change", ["at = 'kapan'", "detail = '{'", "client_address = x'00ff'"])
def test_what_cannot_be_read_any_more_is_a_changed_row(sealed: Flask, change: str) -> None:
    tamper(sealed, f"UPDATE audit_event SET {change} WHERE seal_no = 7")

    answer = verify(sealed)

    assert answer.exit_code == 1
    assert "segel 7 (id" in answer.output


@pytest.mark.parametrize(
    ("number", "words"), [(1, "segel 1: baris hilang"), (6, "segel 6: baris hilang"), (12, "segel 12: baris")]
)
def test_a_removed_row_is_found_wherever_it_was(sealed: Flask, number: int, words: str) -> None:
    tamper(sealed, f"DELETE FROM audit_event WHERE seal_no = {number}")

    answer = verify(sealed)

    assert answer.exit_code == 1
    assert words in answer.output


def test_all_rows_gone_is_found(sealed: Flask) -> None:
    tamper(sealed, "DELETE FROM audit_event")

    assert "segel 1 s.d. 12: baris hilang" in verify(sealed).output


def test_two_rows_that_changed_places_are_found(sealed: Flask) -> None:
    tamper(
        sealed,
        "UPDATE audit_event SET seal_no = 1000 WHERE seal_no = 4",
        "UPDATE audit_event SET seal_no = 4 WHERE seal_no = 5",
        "UPDATE audit_event SET seal_no = 5 WHERE seal_no = 1000",
    )

    answer = verify(sealed)

    assert answer.exit_code == 1
    assert "segel 4 (id" in answer.output
    assert "segel 5 (id" in answer.output


def test_a_row_that_was_put_in_with_a_made_up_seal_is_found(sealed: Flask) -> None:
    columns = (
        "at, tag, actor_id, account_id, client_address, user_agent, request_id, detail, instansi_id, "
        "previous_seal, seal"
    )
    tamper(
        sealed,
        f"INSERT INTO audit_event (seal_no, {columns}) SELECT 13, {columns} FROM audit_event WHERE seal_no "
        "= 12",
        "UPDATE audit_head SET seal_no = 13",
    )

    answer = verify(sealed)

    assert answer.exit_code == 1
    assert "segel 13" in answer.output
    assert "kepala" in answer.output


@pytest.mark.parametrize("number", [0, -3])
def test_a_row_put_in_below_the_first_number_is_found(sealed: Flask, number: int) -> None:
    columns = "at, tag, client_address, user_agent, request_id, detail, previous_seal, seal"
    tamper(
        sealed,
        f"INSERT INTO audit_event (seal_no, {columns}) SELECT {number}, {columns} FROM audit_event WHERE "
        "seal_no = 1",
    )

    assert verify(sealed).exit_code == 1


def test_the_last_rows_cannot_be_unsealed_changed_and_sealed_again(sealed: Flask) -> None:
    tamper(
        sealed,
        "UPDATE audit_event SET seal_no = NULL, seal = NULL, previous_seal = NULL, tag = 'login' WHERE "
        "seal_no > 9",
    )
    seal_all(sealed)

    answer = verify(sealed)

    assert answer.exit_code == 1
    assert "segel 10 s.d. 12: baris hilang" in answer.output


def test_the_end_cannot_be_moved_back(sealed: Flask) -> None:
    tamper(
        sealed,
        "UPDATE audit_head SET seal_no = 9, seal = (SELECT seal FROM audit_event WHERE seal_no = 9)",
        "DELETE FROM audit_event WHERE seal_no > 9",
    )
    act(sealed)
    seal_all(sealed)

    answer = verify(sealed)

    assert answer.exit_code == 1
    assert "kepala jejak" in answer.output
    with sealed.app_context(), reading() as session:
        assert session.scalar(select(func.count()).where(AuditEvent.seal_no.is_(None))) == 1, (
            "nothing hides the fault"
        )


def test_a_head_that_is_gone_is_told(sealed: Flask, caplog: pytest.LogCaptureFixture) -> None:
    tamper(sealed, "DELETE FROM audit_head")

    assert "kepala jejak" in verify(sealed).output
    with sealed.app_context():
        log_head()
    assert "not genuine" in caplog.text


def test_an_older_state_put_back_as_a_whole_is_found_with_a_line_of_the_log(
    sealed: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with sealed.app_context(), reading() as session:
        old = AuditHead.now(session)
        assert old is not None
        number, seal, mark, newest_at = old.seal_no, old.seal, old.mark, old.newest_at
    act(sealed, 2)
    seal_all(sealed)
    with sealed.app_context(), caplog.at_level("INFO"):
        log_head()
    fields = caplog.records[-1].fields  # type: ignore[attr-defined]
    anchor = f"{fields['seal_no']}:{fields['seal']}"
    assert verify(sealed, "--anchor", anchor, "--anchor", f"{number}:{seal}").exit_code == 0

    tamper(
        sealed,
        "DELETE FROM audit_event WHERE seal_no > 12",
        f"UPDATE audit_head SET seal_no = {number}, seal = '{seal}', mark = '{mark}', newest_at = "
        f"'{newest_at}'",
    )
    assert "disimpan mesin ini di luar database" in verify(sealed).output
    kept_file(sealed).unlink()
    assert verify(sealed, "--anchor", anchor).exit_code == 1
    assert verify(sealed).exit_code == 0, "the database alone cannot know"
    act(sealed, 2)

    answer = verify(sealed, "--anchor", anchor)

    assert answer.exit_code == 1
    assert "di luar database" in answer.output
    assert verify(sealed, "--anchor", "x").exit_code == 2


def test_rows_sealed_under_an_old_key_are_verified_with_it_and_not_without(
    make_app: MakeApp, password_hash: str
) -> None:
    old, new = (
        "one key for tests only and no use elsewhere",
        "another key for tests only and no use elsewhere",
    )
    before = make_app(SECRET_KEY=old)
    people(before, password_hash)
    act(before, 3)
    seal_all(before)
    after = make_app(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old)
    act(after, 3)

    assert verify(after).exit_code == 0
    assert head(after)[0] == 6
    assert verify(make_app(SECRET_KEY=new)).exit_code == 1
    assert verify(make_app(SECRET_KEY="a guess of somebody who has the database")).exit_code == 1


def test_parallel_writers_and_sealers_leave_one_whole_chain(peopled: Flask) -> None:
    def write(number: int) -> None:
        for _ in range(15):
            act(peopled, 2, writer=number)

    def seal(_number: int) -> None:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            with peopled.app_context():
                seal_what_is_new()

    with ThreadPoolExecutor(7) as crowd:
        started = [crowd.submit(write, number) for number in range(4)] + [
            crowd.submit(seal, number) for number in range(3)
        ]
        for one in started:
            one.result()

    answer = verify(peopled)
    assert answer.exit_code == 0, answer.output
    assert "Diperiksa: 120 baris" in answer.output


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_smaller_id_may_come_after_larger_ones_were_sealed(peopled: Flask) -> None:
    with peopled.app_context():
        slow = engine().connect()
        slow.execute(text("SELECT nextval(pg_get_serial_sequence('audit_event', 'id'))"))
        act(peopled, 3)
        seal_all(peopled)
        slow.execute(
            text(
                "INSERT INTO audit_event (id, at, tag, client_address, user_agent, request_id, detail) "
                "VALUES (1, now(), 'login', '-', '-', '-', '{}')"
            )
        )
        slow.commit()
        slow.close()
    seal_all(peopled)

    with peopled.app_context(), reading() as session:
        assert session.scalar(select(AuditEvent.seal_no).where(AuditEvent.id == 1)) == 4
    assert verify(peopled).exit_code == 0


# SQLite has only one writer at a time
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_done_waits_for_no_seal(peopled: Flask) -> None:
    """An act only adds its event: while one transaction has locked the head, another one writes."""
    with peopled.app_context(), unit_of_work() as session:
        AuditHead.now(session, lock=True)
        with ThreadPoolExecutor(1) as other:
            other.submit(act, peopled).result(timeout=5)


def test_the_worker_seals_counts_and_leaves_the_head_in_its_log(
    peopled: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    act(peopled, 3)
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(peopled, stop))

    with caplog.at_level("INFO"):
        worker.start()
        until = time.monotonic() + 10
        while time.monotonic() < until and not any(record.message == "trail" for record in caplog.records):
            time.sleep(0.05)
        stop.set()
        worker.join()

    assert head(peopled)[0] == 3
    assert [record.fields["seal_no"] for record in caplog.records if record.message == "trail"] == [3]  # type: ignore[attr-defined]
    with peopled.app_context(), reading() as session:
        assert len(session.scalars(select(ActivationDay)).all()) == 2
