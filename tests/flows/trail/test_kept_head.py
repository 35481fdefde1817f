"""The kept head, outside the database: several machines, crashes, restored backups, late rows, and a key that
is removed."""

import logging
import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text

from app.cli import acts
from app.domain.indonesian_time import now
from app.models import AuditEvent, AuditHead, Tag
from app.runtime import migrations
from app.runtime.db import engine, reading, unit_of_work
from app.security import sealing
from app.security.kept_head import Anchor, KeptHead
from app.worker.sealing import log_head, seal_what_is_new
from config import ROOT
from tests.conftest import SECRET_KEY, MakeApp, people
from tests.flows.trail.test_sealed_trail import act, head, kept_file, seal_all, tamper, verify

OLD_KEY, NEW_KEY = (
    "an old key for tests only and no use elsewhere",
    "a new key for tests only and no use elsewhere",
)
COLUMNS = "tag, actor_id, account_id, client_address, user_agent, request_id, detail, instansi_id"


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["audit", *arguments])


def put_in(app: Flask, at: str, count: int = 1) -> None:
    one = (
        f"INSERT INTO audit_event (at, {COLUMNS}) SELECT '{at}', {COLUMNS} FROM audit_event ORDER BY id "
        "LIMIT 1"
    )
    tamper(app, *[one] * count)


def unsealed(app: Flask) -> list[int]:
    with app.app_context(), reading() as session:
        return list(
            session.scalars(select(AuditEvent.id).where(AuditEvent.seal_no.is_(None)).order_by(AuditEvent.id))
        )


def noted(app: Flask, tag: Tag) -> list[dict[str, str | int | None]]:
    with app.app_context(), reading() as session:
        return list(
            session.scalars(select(AuditEvent.detail).where(AuditEvent.tag == tag).order_by(AuditEvent.id))
        )


def state_of(app: Flask) -> Callable[[], None]:
    """Returns a function that restores the trail as it is now."""
    with app.app_context(), reading() as session:
        last = (
            session.scalars(select(AuditEvent.id).order_by(AuditEvent.id.desc()).limit(1)).one_or_none() or 0
        )
        row = session.execute(
            select(AuditHead.seal_no, AuditHead.seal, AuditHead.mark, AuditHead.newest_at)
        ).one()
    newest = f"'{row[3]}'" if row[3] else "NULL"

    def put_back() -> None:
        tamper(
            app,
            f"DELETE FROM audit_event WHERE id > {last}",
            f"UPDATE audit_head SET seal_no = {row[0]}, seal = '{row[1]}', mark = '{row[2]}', newest_at = "
            f"{newest}",
        )

    return put_back


@pytest.fixture
def sealed(peopled: Flask) -> Flask:
    act(peopled, 5)
    seal_all(peopled)
    return peopled


# -- the file
def test_the_file_is_small_and_for_nobody_else(sealed: Flask) -> None:
    file = kept_file(sealed)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_size < 300
    assert f'"seal_no": {head(sealed)[0]}' in file.read_text()
    assert SECRET_KEY not in file.read_text()
    assert [found.name for found in file.parent.iterdir()] == [file.name], "no draft is left"


def test_a_new_machine_is_told_that_it_has_seen_nothing_and_goes_on(
    sealed: Flask, make_app: MakeApp, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    new = make_app(INSTANCE_PATH=str(tmp_path / "new machine"))

    first, second = verify(new), verify(new)

    assert first.exit_code == second.exit_code == 0
    assert "tidak ada kepala di luar database di mesin ini" in first.output
    assert "Peringatan" not in second.output
    assert kept_file(new).read_bytes() == kept_file(sealed).read_bytes()
    kept_file(new).unlink()
    with new.app_context():
        log_head()
    assert "had no head outside" in caplog.text
    assert kept_file(new).exists()


def test_databases_that_share_a_folder_have_a_file_each(sealed: Flask, tmp_path: Path) -> None:
    keys = sealed.extensions["portal"].keys
    urls = (
        "sqlite:///a.db",
        "sqlite:///b.db",
        "postgresql+psycopg://u:one@host/portal",
        "postgresql+psycopg://u@host/other",
    )
    files = {KeptHead.of(tmp_path, url, keys).path for url in urls}

    assert len(files) == 4
    same = KeptHead.of(tmp_path, "postgresql+psycopg://v:another@host/portal", keys).path
    assert same in files, "a new password is not another database"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"seal_no": 1, "seal": "x", "mark": "y"}', b"x" * 10_000]
)
def test_a_file_that_is_not_ours_is_told_and_kept_and_does_not_stop_the_worker(
    sealed: Flask, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file = kept_file(sealed)
    file.write_bytes(content)
    act(sealed)

    seal_all(sealed)
    answer = verify(sealed)
    with sealed.app_context():
        log_head()

    assert unsealed(sealed) == []
    assert answer.exit_code == 1
    assert "tidak dapat dipakai" in answer.output
    assert "accept-restored --head 6:" in answer.output
    assert file.read_bytes() == content
    assert "cannot be kept" in caplog.text
    number, seal = head(sealed)
    assert (
        run(sealed, "accept-restored", "--head", f"{number}:{seal}", "--because", "Disk rusak.").exit_code
        == 0
    )
    assert verify(sealed).exit_code == 0


@pytest.mark.usefixtures("peopled")
def test_a_folder_that_cannot_be_written_stops_nothing_and_is_told(
    make_app: MakeApp, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    app = make_app(INSTANCE_PATH=str(blocked))
    act(app, 3)

    seal_all(app)
    with app.app_context():
        log_head()
    answer, check = verify(app), app.test_cli_runner().invoke(args=["check"])

    assert unsealed(app) == []
    assert "cannot be kept" in caplog.text
    assert "warning: trail: the head of the trail cannot be kept" in check.output
    assert answer.exit_code == 0
    assert "Peringatan: kepala jejak tidak dapat disimpan" in answer.output


# -- restored
def test_a_restored_backup_is_accepted_by_command_and_never_by_itself(
    sealed: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    put_back = state_of(sealed)
    number, seal = head(sealed)
    act(sealed, 3)
    seal_all(sealed)
    lost = "{}:{}".format(*head(sealed))
    put_back()
    act(sealed, 2)
    seal_all(sealed)
    assert head(sealed) == (number, seal)
    assert len(unsealed(sealed)) == 2
    assert f"accept-restored --head {number}:{seal}" in verify(sealed).output
    check = sealed.test_cli_runner().invoke(args=["check"])
    assert check.exit_code == 1
    assert "audit verify" in check.output
    with sealed.app_context():
        log_head()
    assert "nothing is sealed" in caplog.text

    assert run(sealed, "accept-restored", "--head", f"{number}:{seal}").exit_code == 2, "a reason is needed"
    assert run(sealed, "accept-restored", "--head", f"4:{seal}", "--because", "Cadangan.").exit_code == 1
    accepted = run(sealed, "accept-restored", "--head", f"{number}:{seal}", "--because", "Disk rusak.")

    assert accepted.exit_code == 0
    assert lost in accepted.output
    assert noted(sealed, Tag.TRAIL_RESTORED) == [
        {"head_before": lost, "head_after": f"{number}:{seal}", "because": "Disk rusak."}
    ]
    record = next(record for record in caplog.records if "restored state" in record.message)
    assert fields_of(record)["head_before"] == lost
    assert fields_of(record)["head_accepted"] == f"{number}:{seal}"
    assert verify(sealed).exit_code == 0
    assert unsealed(sealed) == []
    assert (
        "Tidak ada yang perlu"
        in run(sealed, "accept-restored", "--head", f"{number}:{seal}", "--because", "Lagi.").output
    )


def test_a_forged_trail_is_not_accepted_as_a_restored_one(sealed: Flask) -> None:
    put_back = state_of(sealed)
    number, seal = head(sealed)
    act(sealed, 3)
    seal_all(sealed)
    put_back()
    tamper(sealed, "UPDATE audit_event SET tag = 'login' WHERE seal_no = 3")

    answer = run(sealed, "accept-restored", "--head", f"{number}:{seal}", "--because", "Disk rusak.")

    assert answer.exit_code == 1
    assert "segel 3" in answer.output
    assert noted(sealed, Tag.TRAIL_RESTORED) == []
    assert verify(sealed).exit_code == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_deleted_database_is_told_with_the_way_on(
    sealed: Flask, database_url: str, password_hash: str
) -> None:
    with sealed.app_context():
        engine().dispose()
    file = Path(database_url.removeprefix("sqlite:///"))
    for one in file.parent.glob(f"{file.name}*"):
        one.unlink()

    made = sealed.test_cli_runner().invoke(args=["db", "upgrade"])
    people(sealed, password_hash)
    act(sealed, 2)
    seal_all(sealed)

    assert made.exit_code == 0
    assert "accept-restored --head 0:0000" in made.output
    assert len(unsealed(sealed)) == 2
    assert verify(sealed).exit_code == 1
    zero = "0:" + "0" * 64
    assert run(sealed, "accept-restored", "--head", zero, "--because", "Database dibuat baru.").exit_code == 0
    assert verify(sealed).exit_code == 0
    assert unsealed(sealed) == []
    assert head(sealed)[0] == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_demo_that_is_made_anew_goes_on_and_says_so(make_app: MakeApp, database_url: str) -> None:
    app = make_app(PORTAL_ENV="demo")
    file = Path(database_url.removeprefix("sqlite:///"))
    first = app.test_cli_runner().invoke(args=["demo"])
    seal_all(app)
    lost = "{}:{}".format(*head(app))
    assert first.exit_code == 0, "also what happened before today"
    assert verify(app).exit_code == 0, "also what happened before today"
    assert unsealed(app) == [], "also what happened before today"
    with app.app_context():
        engine().dispose()
    for one in file.parent.glob(f"{file.name}*"):
        one.unlink()

    second = app.test_cli_runner().invoke(args=["demo"])

    assert second.exit_code == 0
    assert lost in second.output
    answer = verify(app)
    assert answer.exit_code == 0, answer.output
    assert [detail["head_before"] for detail in noted(app, Tag.TRAIL_RESTORED)] == [lost]
    assert unsealed(app) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_tables_made_twice_before_anything_was_sealed_need_no_decision(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")
    for _ in range(2):
        for one in tmp_path.glob("new.db*"):
            one.unlink()
        answer = app.test_cli_runner().invoke(args=["db", "upgrade"])
        assert answer.exit_code == 0
        assert "accept-restored" not in answer.output
        assert verify(app).exit_code == 0
        with app.app_context():
            engine().dispose()


# -- late rows
def test_a_late_row_waits_for_the_operator_and_holds_up_no_other(
    sealed: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    put_in(sealed, "2020-05-05 05:05:05", 30)
    put_in(sealed, "2999-05-05 05:05:05")
    late = unsealed(sealed)
    act(sealed, 2)

    seal_all(sealed)
    with sealed.app_context():
        log_head()
    answer = verify(sealed)

    assert unsealed(sealed) == late
    assert head(sealed)[0] == 7
    assert [fields_of(record) for record in caplog.records if "too old" in record.message] == [{"rows": 31}]
    assert answer.exit_code == 1
    assert f"baris id {late[0]}: belum disegel" in answer.output
    assert "masa depan" in answer.output
    assert run(sealed, "accept-late", "--because", "Jam salah.").exit_code == 2
    assert run(sealed, "accept-late", "--because", "Jam salah.", "1").exit_code == 1, "one that is sealed"
    some = run(sealed, "accept-late", "--because", "Jam salah.", str(late[0]), str(late[1]))
    assert some.exit_code == 0
    assert unsealed(sealed) == late[2:]
    assert verify(sealed).exit_code == 1
    assert run(sealed, "accept-late", "--all", "--because", "Jam salah.").exit_code == 0
    assert unsealed(sealed) == []
    assert verify(sealed).exit_code == 0
    told = noted(sealed, Tag.TRAIL_LATE_ACCEPTED)
    assert [detail["how_many"] for detail in told] == [2, 29]
    assert told[0]["first_row"] == late[0]
    assert str(told[0]["head_before"]).startswith("7:")
    assert told[0]["because"] == "Jam salah."
    act(sealed, 2)
    seal_all(sealed)
    assert unsealed(sealed) == [], "what was accepted moves no limit"


def test_what_was_done_while_no_worker_ran_is_sealed(sealed: Flask) -> None:
    with sealed.app_context(), unit_of_work() as session:
        found = AuditHead.now(session)
        assert found is not None
        found.newest_at = sealing._spelled(now() - timedelta(days=8))  # the moment when the worker stopped
        found.mark = sealing._mark(sealed.extensions["portal"].keys.trail_keys()[0], found)
    for hours in (7 * 24, 100, 3, 0):
        put_in(sealed, f"{now() - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}")

    assert verify(sealed).exit_code == 0
    assert unsealed(sealed) == []


def test_a_transaction_that_took_long_is_sealed(sealed: Flask) -> None:
    put_in(sealed, f"{now() - sealing.OLDEST_TO_SEAL + timedelta(minutes=1):%Y-%m-%d %H:%M:%S}")
    put_in(sealed, f"{now() + sealing.FURTHEST_AHEAD - timedelta(minutes=1):%Y-%m-%d %H:%M:%S}")

    assert verify(sealed).exit_code == 0
    assert unsealed(sealed) == []


def test_a_clock_that_was_ahead_shuts_no_door(sealed: Flask) -> None:
    with sealed.app_context(), unit_of_work() as session:
        found = AuditHead.now(session)
        assert found is not None
        found.newest_at = sealing._spelled(now() + timedelta(days=400))
        found.mark = sealing._mark(sealed.extensions["portal"].keys.trail_keys()[0], found)
    act(sealed, 2)

    assert verify(sealed).exit_code == 0
    assert unsealed(sealed) == []


# The test counts SQLite's own steps
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("database_url")
def test_thousands_of_late_rows_cost_the_worker_nothing(sealed: Flask) -> None:
    put_in(sealed, "2020-05-05 05:05:05", 100)
    for _ in range(5):
        tamper(
            sealed,
            f"INSERT INTO audit_event (at, {COLUMNS}) SELECT at, {COLUMNS} FROM audit_event WHERE at < "
            "'2021-01-01'",
        )
    act(sealed, 2)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with sealed.app_context():
        with engine().connect() as connection:
            connection.connection.set_progress_handler(count, 100)
        sealed_now = seal_what_is_new()
        nothing = seal_what_is_new()

    assert (sealed_now, nothing) == (2, 0)
    assert steps < 50, "in hundreds of SQLite's own steps"
    assert len(unsealed(sealed)) == 3200


# -- an earlier release
def test_a_head_of_an_earlier_release_is_taken_over(sealed: Flask) -> None:
    kept_file(sealed).unlink()
    with sealed.app_context(), unit_of_work() as session:
        found = AuditHead.now(session)
        assert found is not None
        found.newest_at = None
        found.mark = sealing._mark(sealed.extensions["portal"].keys.trail_keys()[0], found)
    put_in(sealed, "2020-05-05 05:05:05")
    late = unsealed(sealed)
    act(sealed, 2)
    seal_all(sealed)

    assert head(sealed)[0] == 7
    assert unsealed(sealed) == late
    assert kept_file(sealed).exists()
    with sealed.app_context(), reading() as session:
        found = AuditHead.now(session)
    assert found is not None
    assert found.newest_at is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_trail_that_nobody_has_sealed_yet_is_taken_over_once_with_its_history(
    make_app: MakeApp, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    migrations.upgrade(url, "0006")
    app = make_app(DATABASE_URL=url)
    columns = "at, tag, client_address, user_agent, request_id, detail"
    row = f"INSERT INTO audit_event ({columns}) VALUES ('{{}}', 'login', '-', '-', '-', '[]')"
    tamper(app, *(row.format(f"{year}-01-01 00:00:00") for year in (2024, 2025, 2026)))

    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    seal_all(app)

    assert head(app)[0] == 3
    assert verify(app).exit_code == 0
    tamper(
        app,
        "UPDATE audit_event SET seal_no = NULL, seal = NULL, previous_seal = NULL",
        f"UPDATE audit_head SET seal_no = 0, seal = '{'0' * 64}', mark = '', newest_at = NULL",
    )
    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
    seal_all(app)
    assert head(app)[0] == 0
    assert verify(app).exit_code == 1


# -- honest days
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.usefixtures("peopled")
def test_no_honest_day_gives_an_alarm(
    make_app: MakeApp, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are two machines, workers that are killed at bad moments, and keys that change. Every check still
    finds the trail whole."""
    chance = random.Random(seed)
    keys = [OLD_KEY]
    monkeypatch.setattr(sealing, "ROWS_AT_ONCE", 4)

    def machines() -> list[Flask]:
        fallbacks = ",".join(reversed(keys[:-1]))
        return [
            make_app(SECRET_KEY=keys[-1], SECRET_KEY_FALLBACKS=fallbacks, INSTANCE_PATH=str(tmp_path / name))
            for name in "ab"
        ]

    both = machines()
    for step in range(25):
        app = chance.choice(both)
        deed = chance.choice(
            ["act", "act", "seal", "seal", "killed before", "killed after", "look", "verify", "key", "reseal"]
        )
        with app.app_context():
            if deed == "act":
                act(app, chance.randrange(1, 8))
            elif deed == "seal":
                seal_what_is_new()
            elif deed == "killed before":  # nobody writes the file before the commit
                with pytest.raises(KeyboardInterrupt):
                    seal_and_be_killed(app)
            elif deed == "killed after":
                with unit_of_work() as session:
                    sealing.seal_next(session, app.extensions["portal"].keys, None, now())
            elif deed == "look":
                log_head()
            elif deed == "verify":
                assert verify(app).exit_code == 0, (seed, step)
            elif deed == "key" and len(keys) < 4:
                keys.append(f"key number {step} for tests only and no use elsewhere")
                both = machines()
            elif deed == "reseal":
                assert run(app, "reseal").exit_code == 0, (seed, step)
    for app in both:
        answer = verify(app)
        assert answer.exit_code == 0, (seed, answer.output)


def test_the_file_is_written_after_the_commit_and_never_before(
    sealed: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    replace = KeptHead.replace

    def looking(self: KeptHead, anchor: Anchor) -> str | None:
        with engine().connect().execution_options(portal_read_only=True) as connection:
            committed = connection.execute(text("SELECT seal_no FROM audit_head")).scalar_one()
        seen.append((committed, anchor.seal_no))
        return replace(self, anchor)

    monkeypatch.setattr(KeptHead, "replace", looking)
    act(sealed, 3)
    seal_all(sealed)

    assert seen == [(8, 8)]


# -- a key that goes
@pytest.fixture
def two_keys(make_app: MakeApp, password_hash: str) -> Flask:
    """Seven events under an old key, three under the new one."""
    before = make_app(SECRET_KEY=OLD_KEY)
    people(before, password_hash)
    act(before, 7)
    seal_all(before)
    after = make_app(SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=OLD_KEY)
    act(after, 3)
    seal_all(after)
    return after


def test_after_sealing_anew_the_old_key_may_go(
    two_keys: Flask, make_app: MakeApp, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = make_app(
        SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=OLD_KEY, INSTANCE_PATH=str(tmp_path / "elsewhere")
    )
    assert verify(elsewhere).exit_code == 0
    assert "7 baris masih bersegel kunci lama" in verify(elsewhere).output
    old = "{}:{}".format(*head(two_keys))

    answer = run(two_keys, "reseal")

    assert answer.exit_code == 0, answer.output
    (detail,) = noted(two_keys, Tag.TRAIL_RESEALED)
    assert detail["head_before"] == old
    assert f"Kepala lama: {old}" in answer.output
    assert str(detail["head_after"]) in answer.output
    record = next(record for record in caplog.records if "sealed anew" in record.message)
    assert fields_of(record) == {"head_before": old, "head_after": detail["head_after"]}
    with elsewhere.app_context():
        log_head()
    assert verify(elsewhere).exit_code == 0, "what another machine has kept is still known"
    for folder in (two_keys.instance_path, elsewhere.instance_path, str(tmp_path / "third")):
        without = make_app(SECRET_KEY=NEW_KEY, INSTANCE_PATH=folder)
        intact = verify(without, "--anchor", old, "--anchor", str(detail["head_after"]))
        assert intact.exit_code == 0, intact.output
    assert "Tidak ada yang perlu" in run(two_keys, "reseal").output
    assert verify(make_app(SECRET_KEY=OLD_KEY)).exit_code == 1


def test_nothing_is_sealed_anew_while_anything_is_wrong(two_keys: Flask) -> None:
    tamper(two_keys, "UPDATE audit_event SET tag = 'login' WHERE seal_no = 5")
    before = head(two_keys)

    answer = run(two_keys, "reseal")

    assert answer.exit_code == 1
    assert "segel 5" in answer.output
    assert head(two_keys) == before


def start_resealing(app: Flask, steps: int) -> None:
    for _ in range(steps):
        with app.app_context(), unit_of_work() as session:
            outcome = sealing.reseal_next(session, app.extensions["portal"].keys, None, acts.act())
            assert isinstance(outcome, sealing.Resealed)
            assert outcome.heads is None


def seal_and_be_killed(app: Flask) -> None:
    with unit_of_work() as session:
        sealing.seal_next(session, app.extensions["portal"].keys, None, now())
        raise KeyboardInterrupt


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """The fields of a log line beside its sentence."""
    fields: dict[str, object] = record.__dict__["fields"]
    return fields


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE audit_event SET tag = 'login' WHERE seal_no = 9", "segel 9"),
        ("UPDATE audit_event SET tag = 'login' WHERE seal_no = 2", "segel 2"),
        ("DELETE FROM audit_event WHERE seal_no = 7", "segel 7"),
        ("DELETE FROM audit_event WHERE seal_no = 6", "segel 6"),
        ("UPDATE audit_head SET resealed_no = 8", "kepala"),
        ("UPDATE audit_head SET resealed_no = NULL, resealed_seal = NULL, replaced_seal = NULL", "kepala"),
        ("UPDATE audit_event SET replaced_seal = NULL WHERE seal_no = 3", "segel 3"),
    ],
)
def test_what_is_put_in_between_two_steps_is_found_and_not_made_good(
    two_keys: Flask, monkeypatch: pytest.MonkeyPatch, change: str, words: str
) -> None:
    monkeypatch.setattr(sealing, "ROWS_AT_ONCE", 3)
    start_resealing(two_keys, 2)
    between = verify(two_keys)
    assert between.exit_code == 0
    assert "belum selesai" in between.output
    tamper(two_keys, change)

    again = run(two_keys, "reseal")
    with two_keys.app_context(), pytest.raises(AssertionError):
        start_resealing(two_keys, 9)

    assert again.exit_code == 1
    assert words in again.output
    assert verify(two_keys).exit_code == 1


def test_acts_are_sealed_while_all_is_sealed_anew(
    two_keys: Flask, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "ROWS_AT_ONCE", 3)
    start_resealing(two_keys, 2)
    act(two_keys, 5)
    seal_all(two_keys)
    assert unsealed(two_keys) == []
    assert verify(two_keys).exit_code == 0

    assert run(two_keys, "reseal").exit_code == 0

    assert verify(make_app(SECRET_KEY=NEW_KEY)).exit_code == 0
    assert head(two_keys)[0] == 16


KILLED = """
import os, signal, sys
from app.wiring import create_app
from app.cli import trail
from app.security import sealing
from config import Settings
sealing.ROWS_AT_ONCE = 3
reseal_next, steps = sealing.reseal_next, [int(sys.argv[1])]
def counted(*arguments):
    outcome = reseal_next(*arguments)
    arguments[0].flush()
    steps[0] -= 1
    if steps[0] == 0 and sys.argv[2] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    return outcome
def pause(_seconds):
    if steps[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
sealing.reseal_next, trail.sleep = counted, pause
create_app(Settings.from_env()).test_cli_runner().invoke(args=["audit", "reseal"])
"""


@pytest.mark.parametrize(("step", "moment"), [(2, "before"), (2, "after"), (4, "before")])
def test_a_killed_command_is_gone_on_with(
    two_keys: Flask, make_app: MakeApp, database_url: str, step: int, moment: str
) -> None:
    environ = {
        **os.environ, "PORTAL_ENV": "test", "DATABASE_URL": database_url, "SECRET_KEY": NEW_KEY,
        "SECRET_KEY_FALLBACKS": OLD_KEY,
        "INSTANCE_PATH": two_keys.instance_path,
    }  # fmt: skip
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(step), moment], cwd=ROOT, env=environ, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert verify(two_keys).exit_code == 0
    assert verify(make_app(SECRET_KEY=NEW_KEY)).exit_code == (1 if step == 2 else 0)

    assert run(two_keys, "reseal").exit_code == 0

    assert verify(make_app(SECRET_KEY=NEW_KEY)).exit_code == 0
    assert head(two_keys)[0] == 11
    assert len(noted(two_keys, Tag.TRAIL_RESEALED)) == 1
