"""How the portal starts and ends, and goes on when one of its parts dies, with real processes."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.command_line import mysapk as mysapk_in_process
from app.models.outbox_mail import MailState
from app.runtime import logs
from tests.cast import PASSWORD, SARI
from tests.conftest import SECRET_KEY, MakeApp, people
from tests.faults.post_office import PostOffice
from tests.faults.processes import Browser, Portal, command_of, mysapk
from tests.faults.smtp_server import Fault, MailServer, Step, eventually, free_port
from tests.flows.operation.test_metrics import read as read_metrics

StartPortal = Callable[..., Portal]
PRODUCTION = {
    "PORTAL_ENV": "production",
    "SECRET_KEY": "vN2x-honest-7Qd0pJr4_key-Zt9LmW3cYbA",
    "MAIL_SERVER": "mail.invalid",
    "PUBLIC_URL": "https://mysapk.example",
}


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite only, because processes are slow, and PostgreSQL does not matter for how they end."""
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'portal.db')}"


@pytest.fixture
def outbox(make_app: MakeApp, password_hash: str) -> PostOffice:
    """A post office on the same database, with the cast."""
    app = make_app()
    people(app, password_hash)
    return PostOffice(app)


@pytest.fixture
def serve(outbox: PostOffice, tmp_path: Path) -> StartPortal:  # noqa: ARG001 (the cast is there before)
    """with serve(MAIL_SERVER="..."): the portal runs on the test's database."""
    return lambda **environ: Portal(tmp_path, "serve", **{"SECRET_KEY": SECRET_KEY, **environ})


# -- at work
def test_serve_answers_and_mails_what_was_asked_for(serve: StartPortal, tmp_path: Path) -> None:
    with serve() as running:
        browser = running.wait_until_it_answers()
        running.wait_for_worker()

        assert browser.ask_for_token().status == 303
        eventually(lambda: list((tmp_path / "instance" / "mail").glob("*.eml")))

        lines = running.said.splitlines()
    assert all(line.startswith('{"at": ') for line in lines), "log lines are JSON"


def test_a_worker_that_was_killed_is_replaced_and_delivers_what_waits(
    serve: StartPortal, outbox: PostOffice
) -> None:
    with serve() as running:
        browser = running.wait_until_it_answers()
        killed = running.wait_for_worker()

        os.kill(killed, signal.SIGKILL)
        assert browser.ask_for_token().status == 303

        running.wait_for_worker(other_than=killed)
        outbox.wait_until_all_are(MailState.SENT)


@pytest.mark.parametrize(("step", "arrivals"), [(Step.RCPT, 1), (Step.END, 2)])
def test_a_token_in_the_hand_of_a_killed_worker_is_delivered_soon(
    serve: StartPortal, outbox: PostOffice, server: MailServer, step: Step, arrivals: int
) -> None:
    server.reacts(step, Fault.HOLDS, times=1)
    with serve(**server.settings) as running:
        browser = running.wait_until_it_answers()
        killed = running.wait_for_worker()
        browser.ask_for_token()
        assert server.is_holding.wait(10)

        os.kill(killed, signal.SIGKILL)
        outbox.let_leases_run_out()
        running.wait_for_worker(other_than=killed)
        outbox.wait_until_all_are(MailState.SENT)

    assert len(server.taken) == arrivals
    assert len({arrival.message_id for arrival in server.taken}) == 1


# -- the end
@pytest.mark.parametrize(
    ("number", "to_all"),
    [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False)],
    ids=["Ctrl-C", "SIGINT", "SIGTERM"],
)
def test_a_signal_ends_web_and_worker_without_a_word(
    serve: StartPortal, number: signal.Signals, *, to_all: bool
) -> None:
    with serve() as running:
        running.wait_until_it_answers()
        running.wait_for_worker()

        (os.killpg if to_all else os.kill)(running.process.pid, number)

        running.wait_until_all_are_gone()
        assert running.process.returncode == 0
        assert "worker stopped" in running.said
        assert "Traceback" not in running.said
        assert "Fatal" not in running.said


def test_no_worker_outlives_a_web_that_was_killed(serve: StartPortal) -> None:
    with serve() as running:
        running.wait_until_it_answers()
        running.wait_for_worker()

        running.process.kill()

        running.wait_until_all_are_gone()
        assert "Fatal" not in running.said


def test_a_worker_ended_by_hand_leaves_without_a_word(serve: StartPortal) -> None:
    with serve() as running:
        worker = running.wait_for_worker()

        os.kill(worker, signal.SIGTERM)

        running.wait_for_worker(other_than=worker)
        assert "Fatal" not in running.said
        assert "Traceback" not in running.said


def test_forty_logins_in_flight_are_answered_after_the_signal(serve: StartPortal) -> None:
    with serve(DRAIN_SECONDS="1", ADDRESS_LIMITS="off") as running:
        running.wait_until_it_answers()
        browsers = [Browser(running.port) for _ in range(40)]
        asked = [
            (browser, browser.begin_to_submit("/login", nip=SARI.nip, password=PASSWORD))
            for browser in browsers
        ]
        running.process.terminate()

        eventually(lambda: Browser(running.port).open("/readyz").status == 503)
        answers = [browser.answer_to(connection).status for browser, connection in asked]
        assert set(answers) <= {303, 503}  # the queue may be full, as at any other time
        assert 303 in answers
        running.wait_until_all_are_gone()
        assert running.process.returncode == 0


def test_the_letter_in_hand_is_finished_before_the_end(
    serve: StartPortal, outbox: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.END, Fault.HOLDS)
    with serve(**server.settings) as running:
        browser = running.wait_until_it_answers()
        running.wait_for_worker()
        browser.ask_for_token()
        outbox.post("berikutnya@nusajaya.example")
        assert server.is_holding.wait(10)

        running.process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(0.5)
        server.behaves()
        running.wait_until_all_are_gone()

    assert [mail.state for mail in outbox.mails()] == [MailState.SENT, MailState.WAITING]
    assert len(server.taken) == 1


def test_the_demo_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    start_and_wait = f"import subprocess; subprocess.run({mysapk('demo', '--serve')!r})"
    with Portal(tmp_path, sys.executable, "-c", start_and_wait) as make:
        browser = make.wait_until_it_answers()
        make.wait_for_worker()
        assert len(make.group()) == 3
        assert "Kotak surat demo" in make.said

        assert browser.open("/kotak-surat").status == 200
        make.process.kill()

        make.wait_until_all_are_gone()


# -- several web processes
@pytest.fixture
def serve_two(outbox: PostOffice, tmp_path: Path) -> StartPortal:  # noqa: ARG001 (the cast is there before)
    """The portal with two web processes. Without limits per address it needs no Redis."""
    settings = {"SECRET_KEY": SECRET_KEY, "ADDRESS_LIMITS": "off"}
    return lambda: Portal(tmp_path, "serve", "--processes", "2", **settings)


def _web_processes(running: Portal) -> set[int]:
    return {pid for pid in running.group() if pid != running.process.pid and "--processes" in command_of(pid)}


def _told(running: Portal) -> dict[str, float]:
    """The metrics, asked over a new connection: now one process answers, now the other."""
    return read_metrics(Browser(running.port).open("/metrics").text)


def _counters(told: dict[str, float]) -> dict[str, float]:
    return {
        series: value for series, value in told.items() if re.match(r"\w+_(total|count|bucket)\b", series)
    }


def test_two_processes_serve_one_address_and_a_dead_one_is_replaced(serve_two: StartPortal) -> None:
    with serve_two() as running:
        browser = running.wait_until_it_answers()
        running.wait_for_worker()
        first = _web_processes(running)
        assert len(first) == 2

        assert browser.submit("/login", nip=SARI.nip, password="Salah-Sekali-1").status == 422
        eventually(lambda: _told(running).get('portal_trail_events_total{event="login_refused"}') == 1)
        eventually(lambda: _told(running).get('portal_processes{part="web"}') == 2)
        eventually(lambda: _told(running).get('portal_processes{part="worker"}') == 1)
        before = _counters(_told(running))

        killed = first.pop()
        os.kill(killed, signal.SIGKILL)
        after = _counters(_told(running))
        assert not {series for series, value in before.items() if after[series] < value}
        assert browser.submit("/login", nip=SARI.nip, password=PASSWORD).status == 303
        assert browser.open("/beranda").status == 200

        eventually(lambda: len(_web_processes(running)) == 2)
        assert killed not in _web_processes(running)
        eventually(lambda: _told(running).get('portal_trail_events_total{event="login"}') == 1)
        eventually(lambda: _told(running).get('portal_processes{part="web"}') == 2)
        assert "web ended, starting another" in running.said
        assert running.said.count('"worker started"') == 1, "there is one worker beside all of them"

        running.process.terminate()
        running.wait_until_all_are_gone()
        assert running.process.returncode == 0
        assert "worker stopped" in running.said
        assert "Traceback" not in running.said


def test_no_process_outlives_the_one_that_keeps_them_running(serve_two: StartPortal) -> None:
    with serve_two() as running:
        running.wait_until_it_answers()
        running.wait_for_worker()

        running.process.kill()

        running.wait_until_all_are_gone()
        assert "Fatal" not in running.said


# -- the start
@pytest.mark.usefixtures("outbox")
def test_in_production_several_processes_do_not_count_addresses_each_for_itself(tmp_path: Path) -> None:
    done = _run("serve", tmp_path, "--processes", "2", PORT=str(free_port()), **PRODUCTION)

    assert done.returncode == 1
    assert re.fullmatch(r"Error: several processes need RATELIMIT_STORAGE_URI=redis:.*\n", done.stderr)


def test_a_second_portal_on_the_same_port_says_so_and_ends(serve: StartPortal, tmp_path: Path) -> None:
    with serve() as first:
        first.wait_until_it_answers()

        second = _run("serve", tmp_path, PORT=str(first.port))

    assert second.returncode == 1
    assert re.fullmatch(rf"Error: 127\.0\.0\.1:{first.port} cannot be opened: .*\n", second.stderr)


@pytest.mark.usefixtures("outbox")
def test_a_host_that_is_not_here_is_said_in_one_line(tmp_path: Path) -> None:
    elsewhere = {"HOST": "tiada.invalid", "PUBLIC_URL": "http://localhost", "DEMO_OPEN_TO_THE_WORLD": "yes"}
    done = _run("serve", tmp_path, PORT=str(free_port()), **elsewhere)

    assert done.returncode == 1
    assert re.fullmatch(r"Error: tiada\.invalid:\d+ cannot be opened: .*\n", done.stderr)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command as `_run` runs it, but in this process, which keeps its log and the rights of its files."""
    monkeypatch.setattr(logs, "configure", lambda: None)
    monkeypatch.setattr(os, "umask", lambda _mask: 0)

    def in_this_process(command: str, **environ: str) -> Result:
        monkeypatch.setattr(os, "environ", _settings(tmp_path, environ))
        return CliRunner().invoke(mysapk_in_process, [command], prog_name="mysapk")

    return in_this_process


def test_a_bad_setting_ends_the_process(tmp_path: Path) -> None:
    done, looked = (_run(command, tmp_path, PORT="abc") for command in ("serve", "check"))

    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"mysapk: PORT: [^\n]+ Example: PORT=\S[^\n]*\n", done.stderr), done.stderr
    assert looked.returncode == 1
    assert _without_examples(looked.stderr, "fault: ") == _without_examples(done.stderr, "mysapk: ")


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        ("PORT", {"PORT": "abc"}),
        ("PUBLIC_URL", {"PUBLIC_URL": "https://mysapk.example/portal"}),
        ("DATABASE_URL", {"DATABASE_URL": "junk"}),
        ("SECRET_KEY", {**PRODUCTION, "SECRET_KEY": ""}),
        ("MAIL_SERVER", {**PRODUCTION, "MAIL_SERVER": ""}),
        ("ADDRESS_LIMITS", {**PRODUCTION, "ADDRESS_LIMITS": "off"}),
        ("SECRET_KEY_FILE", {"SECRET_KEY_FILE": "/nowhere/at/all"}),
        ("PORTAL_ENV", {"PUBLIC_URL": "https://mysapk.contoh.go.id"}),
        ("HOST", {"HOST": "0.0.0.0", "PUBLIC_URL": "http://localhost:5000"}),
        ("PUBLIC_URL", {**PRODUCTION, "PUBLIC_URL": "http://mysapk.example"}),
        ("FLASK_DEBUG", {**PRODUCTION, "FLASK_DEBUG": "1"}),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_bad_setting_stops_the_start_with_its_name_and_an_example(
    run: Callable[..., Result], name: str, environ: dict[str, str]
) -> None:
    done = run("serve", **environ)

    assert done.exit_code == 2
    assert done.stdout == ""
    assert re.fullmatch(rf"mysapk: {name}: [^\n]+ Example: {name}=\S[^\n]*\n", done.stderr), done.stderr
    looked = run("check", **environ)
    assert looked.exit_code == 1
    assert _without_examples(looked.stderr, "fault: ") == _without_examples(done.stderr, "mysapk: ")


def test_what_is_only_unwise_is_a_line_of_the_log(serve: StartPortal) -> None:
    with serve(MAIL_SEVER="smtp.example") as running:
        running.wait_until_it_answers()

        warned = [line for line in running.said.splitlines() if '"WARNING"' in line]
    assert len(warned) == 1
    assert "MAIL_SEVER: is no setting; did you mean MAIL_SERVER?" in warned[0]


def test_production_with_its_secrets_in_files_is_strict_and_has_no_demo_mailbox(
    serve: StartPortal, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("a key of forty letters, kept in a file..\n")
    settings = PRODUCTION | {"SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "key")}
    with serve(**settings) as running:
        running.wait_until_it_answers()
        browser = Browser(running.port, "mysapk.example")

        page = browser.open("/lupa-password")
        assert page.status == 200
        assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        entered = browser.submit("/login", nip=SARI.nip, password=PASSWORD)

        assert (entered.status, entered.headers["Location"]) == (303, "/beranda")
        cookies = [*page.headers.get_all("Set-Cookie", []), *entered.headers.get_all("Set-Cookie", [])]
        assert {cookie.split("=")[0] for cookie in cookies} == {
            "__Host-formulir",
            "__Host-masuk",
            "__Host-perangkat",
        }
        assert all("Secure" in cookie and "HttpOnly" in cookie and "Path=/" in cookie for cookie in cookies)
        assert browser.open("/beranda").status == 200
        assert browser.open("/kotak-surat").status == 404
        assert Browser(running.port, "other.example").open("/login").status == 400


def _without_examples(told: str, start: str) -> list[str]:
    """The sentences without their examples, because an example that is a secret is a new one each time."""
    return [line.removeprefix(start).split(" Example: ")[0] for line in told.splitlines()]


def _run(command: str, folder: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        mysapk(command, *options), env=_settings(folder, environ), capture_output=True, text=True, timeout=30
    )


def _settings(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    usual = {
        "PATH": os.environ["PATH"],
        "INSTANCE_PATH": str(folder / "instance"),
        "DATABASE_URL": f"sqlite:///{folder}/portal.db",
    }
    return {name: value for name, value in {**usual, **environ}.items() if value}
