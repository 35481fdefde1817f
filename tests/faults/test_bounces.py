"""Mails that come back, through the mail server's pipe or a mailbox. The page of the person shows them, and
nobody else's page does."""

import logging
import re
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.engine import make_url

from app.domain.bounce import read_bounce
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import now
from app.mail import bounce_mailbox
from app.mail.bounce_mailbox import MailboxFault
from app.models import AuditEvent, OutboxMail, Tag, User
from app.models.outbox_mail import MailState
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.worker import bounces
from app.worker.bounces import look_into_mailbox
from app.worker.duties import count_everybody
from tests.cast import BUDI, NEW_PASSWORD, RAKA, SARI, STRANGERS_NIP, WATI
from tests.conftest import MakeApp
from tests.desk import person_id, user
from tests.faults.conftest import MakeOffice
from tests.faults.imap_server import ImapServer
from tests.faults.post_office import PostOffice
from tests.faults.smtp_server import MailServer, eventually
from tests.reports import POSTFIX, SAMPLES, VACATION, Sample, dsn, failed
from tests.visitor import Visitor, logged_in, words_of

HARD, FULL = dsn(POSTFIX), dsn(failed("5.2.2", "552 5.2.2 mailbox full"))
BUDIS = BUDI.email or ""
MARKED, UNMARKED = "the person's page says so", "nobody is marked"
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(make_office: MakeOffice, server: MailServer) -> PostOffice:
    return make_office(server, MAIL_RETURN_PATH="bounce@mail.example")


def _pipe(app: Flask, report: str, recipient: str = "", to: str = "bounce@mail.example") -> Result:
    arguments = ["--recipient", recipient] if recipient else []
    return app.test_cli_runner().invoke(
        args=["bounce", *arguments], input=report.replace("{to}", to).encode()
    )


def _return_path(office: PostOffice, server: MailServer) -> str:
    """The return path of the last mail that was handed over."""
    office.deliver()
    return server.taken[-1].sender


def _events(app: Flask) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.MAIL_BOUNCED)))


def _page(app: Flask) -> str:
    return words_of(logged_in(app, WATI).open(f"/admin/pegawai/{person_id(app, BUDI)}"))


# -- what leaves
def test_each_letter_leaves_with_a_return_path_of_its_own(office: PostOffice, server: MailServer) -> None:
    office.post("satu@nusajaya.example", "dua@nusajaya.example")
    office.deliver()

    senders = {arrival.sender for arrival in server.taken}
    assert len(senders) == 2
    for arrival in server.taken:
        assert re.fullmatch(r"bounce\+[a-z2-7]{20}-[a-z2-7]{20}@mail\.example", arrival.sender)
        assert "mysapk.example" in str(arrival.message["From"]), "people see who it is from as before"


@only_sqlite
def test_without_the_setting_the_sender_is_who_it_is_from(
    make_office: MakeOffice, server: MailServer
) -> None:
    office = make_office(server)
    office.post(BUDIS)

    assert _return_path(office, server) == "no-reply@mysapk.example"


# -- what comes back
def test_a_hard_bounce_shows_at_the_desk(office: PostOffice, server: MailServer) -> None:
    office.budi_asks()
    address = _return_path(office, server)

    piped = _pipe(office.app, HARD, address.upper())

    assert piped.exit_code == 0
    assert MARKED in piped.output
    assert office.mail().state is MailState.SENT
    assert office.mail().bounced_at
    with office.app.app_context():
        count_everybody()
    page, overview = _page(office.app), words_of(logged_in(office.app, WATI).open("/admin/"))
    assert "Email ke alamat yang tercatat dipantulkan" in page
    assert "Token terakhir dipantulkan" in page
    assert "User unknown in virtual mailbox table" in page
    assert "Email dipantulkan: kotak suratnya" in page
    assert "Email ditolak atau dipantulkan server 1" in overview
    assert re.search(r"nusajaya\.example 1 .{10,30} 5\.1\.1 550 5\.1\.1", overview)
    assert BUDIS not in overview
    assert "dipantulkan server 0" in words_of(logged_in(office.app, RAKA).open("/admin/"))
    (event,) = _events(office.app)
    assert event.detail == {"mail": office.mail().id, "status": "5.1.1"}
    assert event.user_agent == "worker"


@pytest.mark.parametrize("header", ["To", "Delivered-To", "X-Original-To", "Envelope-To"])
@only_sqlite
def test_the_signed_address_may_stand_in_any_header_that_tells_where_it_went(
    office: PostOffice, server: MailServer, header: str
) -> None:
    office.post(BUDIS)
    address = _return_path(office, server)

    assert MARKED in _pipe(office.app, f"{header}: <{address}>\n{HARD}").output


@pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if not one.means.startswith("hard")], ids=lambda sample: sample.name
)
@only_sqlite
def test_what_is_not_hard_shows_nowhere(office: PostOffice, server: MailServer, sample: Sample) -> None:
    office.budi_asks()
    address = _return_path(office, server)

    piped = _pipe(office.app, sample.message, to=address)

    assert piped.exit_code == 0
    assert MARKED not in piped.output
    assert user(office.app, BUDI).mail_failed_at is None
    assert _events(office.app) == []
    assert "dipantulkan" not in _page(office.app)


def test_a_letter_comes_back_once(office: PostOffice, server: MailServer) -> None:
    office.budi_asks()
    address = _return_path(office, server)

    said = [_pipe(office.app, report, address).output for report in (FULL, FULL, HARD, HARD, FULL)]

    assert ["taken" in one for one in said] == [True, False, True, False, False]
    assert len(_events(office.app)) == 1
    assert office.mail().is_bounced_hard


def test_two_copies_at_once_mark_once(office: PostOffice, server: MailServer) -> None:
    office.budi_asks()
    address = _return_path(office, server)

    threads = [
        threading.Thread(target=bounces_taken, args=(office.app, HARD.replace("{to}", address)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(_events(office.app)) == 1


def bounces_taken(app: Flask, message: str) -> None:
    with app.app_context():
        bounces.take(message.encode(), "")


# -- what a forger can do
def test_whoever_has_no_letter_marks_nobody(office: PostOffice, server: MailServer) -> None:
    office.budi_asks()
    address = _return_path(office, server)
    forged = re.sub(r"-[a-z2-7]{20}@", f"-{'a' * 20}@", address)

    for to in ("bounce@mail.example", BUDIS, forged):
        piped = _pipe(office.app, HARD, to=to)
        assert piped.exit_code == 0
        assert "not sent to a signed address" in piped.output
    assert user(office.app, BUDI).mail_failed_at is None
    assert office.mail().bounced_at is None


def test_whoever_is_told_that_his_address_is_not_registered_cannot_mark_the_owner(
    office: PostOffice, server: MailServer
) -> None:
    for nip in (BUDI.nip, STRANGERS_NIP):
        Visitor(office.app).ask_for_token(nip, "penyerang@lain.example")
        piped = _pipe(office.app, dsn(failed("5.1.1", "", recipient=BUDIS)), _return_path(office, server))
        own = _pipe(
            office.app, dsn(failed("5.1.1", "", recipient="penyerang@lain.example")), server.taken[-1].sender
        )
        assert MARKED not in piped.output
        assert UNMARKED in own.output
    assert user(office.app, BUDI).mail_failed_at is None
    assert "dipantulkan" not in _page(office.app)


def test_a_letter_to_an_address_that_is_not_on_record_any_more_marks_nobody(
    office: PostOffice, server: MailServer
) -> None:
    office.post(BUDIS)
    address = _return_path(office, server)
    with office.app.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == BUDI.nip)).one().set_email(
            EmailAddress("budi.baru@nusajaya.example")
        )

    piped = _pipe(office.app, dsn(failed("5.1.1", "550 5.1.1 telepon 0812-555-0199")), address)

    assert UNMARKED in piped.output
    assert user(office.app, BUDI).mail_failed_at is None
    assert "0812-555-0199" not in _page(office.app), (
        "whoever reads the other mailbox writes nothing onto the page"
    )
    with office.app.app_context():
        count_everybody()
    overview = words_of(logged_in(office.app, WATI).open("/admin/"))
    assert "dipantulkan server 0" in overview
    assert "5.1.1" not in overview


def test_one_persons_letter_marks_no_other(office: PostOffice, server: MailServer) -> None:
    office.post(BUDIS)
    sari = failed("5.1.1", "", recipient=SARI.email or "")

    for report in (HARD, dsn(sari)):
        _pipe(office.app, report, _return_path(office, server))

    assert user(office.app, BUDI).mail_failed_at
    assert user(office.app, SARI).mail_failed_at is None


# -- what ends it, and what it takes away
def test_a_marked_person_loses_nothing_and_a_used_token_ends_the_mark(
    office: PostOffice, server: MailServer
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(3):
            office.budi_asks()
            assert "taken" in _pipe(office.app, HARD, _return_path(office, server)).output
            clock.shift(timedelta(seconds=5))
        assert user(office.app, BUDI).mail_failed_at

        browser = Visitor(office.app)
        browser.ask_for_token(BUDI.nip, BUDIS)
        old = _return_path(office, server)
        clock.shift(timedelta(seconds=5))
        assert browser.reset_password(server.taken[-1].code, NEW_PASSWORD).status_code == 303
        assert user(office.app, BUDI).mail_failed_at is None

        assert UNMARKED in _pipe(office.app, HARD, old).output, (
            "an older letter says less than a token that was used"
        )
    assert user(office.app, BUDI).mail_failed_at is None
    assert "alamat yang tercatat dipantulkan" not in _page(office.app)


@pytest.mark.parametrize("report", [HARD, FULL], ids=["hard", "full"])
def test_a_token_that_came_back_holds_back_no_other(
    office: PostOffice, server: MailServer, report: str
) -> None:
    for _ in range(3):
        office.budi_asks()
    office.deliver()
    office.budi_asks()
    assert [mail.state for mail in office.mails()].count(MailState.HELD) == 1
    for arrival in server.taken:
        _pipe(office.app, report, arrival.sender)

    office.budi_asks()
    office.deliver()

    assert [mail.state for mail in office.mails()].count(MailState.HELD) == 1
    assert len(server.taken) == 4


def test_a_letter_that_is_sent_again_has_not_come_back_yet(office: PostOffice, server: MailServer) -> None:
    office.post(BUDIS)
    _pipe(office.app, HARD, _return_path(office, server))
    with office.app.app_context(), unit_of_work() as session:
        session.execute(update(OutboxMail).values(state=MailState.WAITING))

    office.deliver()

    assert office.mail().bounced_at is None
    assert not office.mail().is_bounced_hard


# -- the pipe
@pytest.mark.parametrize(
    "message",
    [b"", b"\xff\xfe\x00", b"From: x\n\nhalo", b"x" * 3_000_000],
    ids=["nothing", "bytes", "mail", "long"],
)
@only_sqlite
def test_the_pipe_takes_whatever_comes(office: PostOffice, message: bytes) -> None:
    piped = office.app.test_cli_runner().invoke(args=["bounce"], input=message)

    assert piped.exit_code == 0
    assert piped.output.startswith("ignored: ")


@only_sqlite
def test_while_the_database_is_away_the_mail_server_keeps_it(
    office: PostOffice, server: MailServer, database_url: str
) -> None:
    office.budi_asks()
    address = _return_path(office, server)
    with closing(sqlite3.connect(make_url(database_url).database or "", isolation_level=None)) as other:
        other.execute("ALTER TABLE outbox_mail RENAME TO elsewhere")
        away = _pipe(office.app, HARD, address)
        other.execute("ALTER TABLE elsewhere RENAME TO outbox_mail")

    assert away.exit_code == 75
    assert "kept for later" in away.output
    assert BUDIS not in away.output
    assert MARKED in _pipe(office.app, HARD, address).output


@only_sqlite
def test_an_accident_keeps_it_too(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounces, "read_bounce", lambda _message: 1 / 0)

    assert _pipe(office.app, HARD).exit_code == 75


# -- the mailbox
def _look(app: Flask) -> int:
    with app.app_context():
        where = portal().settings.bounce_mailbox
    assert where is not None
    return look_into_mailbox(app, where, threading.Event())


@pytest.mark.parametrize("has_uidplus", [True, False])
def test_the_worker_reads_the_mailbox(
    make_office: MakeOffice, server: MailServer, *, has_uidplus: bool
) -> None:
    with ImapServer(has_uidplus=has_uidplus) as imap:
        office = make_office(server, **imap.settings)
        office.budi_asks()
        address = _return_path(office, server)
        report = imap.arrives(HARD.replace("{to}", address))
        answer = imap.arrives(VACATION.replace("{to}", address))
        other = imap.arrives("Subject: surat orang\n\nhalo\n")
        imap.folder[99] = bounced_by_hand = type(imap.folder[other])(b"x", {"\\Deleted"})

        assert _look(office.app) == 3
        assert _look(office.app) == 0

        assert user(office.app, BUDI).mail_failed_at
        if has_uidplus:
            assert report not in imap.folder
        else:
            assert "\\Deleted" in imap.folder[report].flags
        assert imap.folder[answer].flags == imap.folder[other].flags == {"\\Seen"}
        assert imap.folder[99] is bounced_by_hand, "what somebody else has marked is not ours"


@only_sqlite
def test_a_message_stays_unread_until_what_it_says_is_committed(
    make_office: MakeOffice, server: MailServer, database_url: str
) -> None:
    with ImapServer() as imap:
        office = make_office(server, **imap.settings)
        office.budi_asks()
        number = imap.arrives(HARD.replace("{to}", _return_path(office, server)))
        with closing(sqlite3.connect(make_url(database_url).database or "", isolation_level=None)) as other:
            other.execute("ALTER TABLE outbox_mail RENAME TO elsewhere")
            with pytest.raises(Exception, match="no such table"):
                _look(office.app)
            other.execute("ALTER TABLE elsewhere RENAME TO outbox_mail")
        assert imap.folder[number].flags == set()

        _look(office.app)

        assert number not in imap.folder
        assert user(office.app, BUDI).mail_failed_at


@only_sqlite
def test_a_message_that_cannot_be_taken_stands_before_no_other(
    make_office: MakeOffice, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(message: bytes) -> object:
        assert b"racun" not in message
        return original(message)

    original = read_bounce
    monkeypatch.setattr(bounces, "read_bounce", read)
    monkeypatch.setattr(bounces, "MESSAGES_A_ROUND", 2)
    with ImapServer() as imap:
        office = make_office(server, **imap.settings)
        office.budi_asks()
        poison = [imap.arrives("Subject: racun\n\n") for _ in range(2)]
        imap.arrives(HARD.replace("{to}", _return_path(office, server)))

        assert [_look(office.app) for _ in range(3)] == [2, 1, 0]

        assert list(imap.folder) == poison
        assert user(office.app, BUDI).mail_failed_at


@pytest.mark.parametrize("mood", ["hangs", "hangs up", "refuses"])
@only_sqlite
def test_a_mailbox_that_is_away_holds_up_no_letter_and_is_said_once(
    make_office: MakeOffice,
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    mood: str,
) -> None:
    monkeypatch.setattr(bounce_mailbox, "SECONDS_FOR_EACH_ANSWER", 0.3)
    monkeypatch.setattr(bounces, "SECONDS_BETWEEN_LOOKS", 0.05)
    caplog.set_level(logging.INFO, "portal.worker")
    with ImapServer() as imap:
        imap.mood = mood
        office = make_office(server, **imap.settings)
        with office.working():
            eventually(lambda: len(imap.commands) >= 4)
            office.budi_asks()
            office.wait_until_all_are(MailState.SENT, seconds=10)
            imap.mood = ""
            imap.arrives(HARD.replace("{to}", server.taken[-1].sender))
            eventually(lambda: "bounce mailbox is back" in caplog.messages)

        assert user(office.app, BUDI).mail_failed_at
        said = [record.message for record in caplog.records if record.message.startswith("bounce mailbox")]
        assert said == ["bounce mailbox", "bounce mailbox is back"]


@only_sqlite
def test_a_server_without_a_certificate_that_fits_is_not_logged_in_to(
    make_office: MakeOffice, server: MailServer
) -> None:
    with ImapServer() as imap:
        settings = {
            **imap.settings,
            "BOUNCE_IMAP_URL": imap.settings["BOUNCE_IMAP_URL"].replace("imap:", "imaps:"),
        }
        office = make_office(server, **settings)

        with pytest.raises(MailboxFault):
            _look(office.app)

        assert not [command for command in imap.commands if "LOGIN" in command]


# -- the operator
@only_sqlite
def test_check_looks_into_the_mailbox(make_office: MakeOffice, server: MailServer) -> None:
    def line(app: Flask) -> str:
        looked = app.test_cli_runner().invoke(args=["check"])
        return "\n".join(line for line in looked.output.splitlines() if "bounces: " in line)

    with ImapServer() as imap:
        office = make_office(server, MAIL_DEFAULT_SENDER="no-reply@mail.example", **imap.settings)
        assert line(office.app) == "ok: bounces: read from Pantulan surat at 127.0.0.1"
        imap.mood = "refuses"
        assert line(office.app).startswith("fault: bounces: 127.0.0.1: error:")
        assert "mend BOUNCE_IMAP_URL" in line(office.app)


@only_sqlite
def test_check_says_how_bounces_come_and_whether_the_domains_fit(make_app: MakeApp) -> None:
    def lines(**environ: str) -> list[str]:
        looked = make_app(**environ).test_cli_runner().invoke(args=["check"])
        return [line for line in looked.output.splitlines() if "bounces: " in line]

    path = {"MAIL_RETURN_PATH": "Bounce@mail.contoh.example"}
    assert lines() == ["ok: bounces: not read, MAIL_RETURN_PATH is not set"]
    (fits,) = lines(**path, MAIL_DEFAULT_SENDER="Portal <a@contoh.example>")
    assert fits.startswith("ok: ")
    assert "`mysapk bounce`" in fits
    assert lines(**path, MAIL_DEFAULT_SENDER="a@tuscontoh.example")[0].startswith("warning: bounces: ")
