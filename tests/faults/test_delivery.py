"""What happens to mails when the mail server, the line or the worker fails."""

import json
import logging
import re
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from app.domain.act import Act
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import now, shown_moment
from app.domain.nip import Nip
from app.flows.reset.request_reset import request_reset
from app.mail import outbox
from app.mail.outbox import GIVE_UP_AFTER
from app.models.mail_fault import CONNECTION_RESTS, DOMAIN_RESTS
from app.models.outbox_mail import LEASE, MOST_BREAKS, Letter, MailState
from app.models.user import User
from app.runtime.db import engine, reading, unit_of_work
from app.runtime.logs import JsonLines
from app.runtime.portal import portal
from app.worker import hand, mails
from app.worker.mails import send_all_due, send_some
from config import BadSetting, Settings
from tests.cast import BUDI, CINTA, JOKO, NEW_PASSWORD, SARI, STRANGERS_NIP, TONO, email_of
from tests.conftest import MakeApp, people
from tests.faults.certificates import Certificates
from tests.faults.conftest import MakeOffice
from tests.faults.post_office import SOMEBODY, PostOffice
from tests.faults.smtp_server import Fault, MailServer, Step, eventually
from tests.visitor import Visitor, words_of

BUSY, NO_SUCH_BOX = "450 4.2.1 mailbox busy", "550 5.1.1 no such mailbox"
ADDRESS = "pegawai@nusajaya.example"
# For tests in which the kind of database does not matter
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


# -- what the server says
def test_a_letter_that_the_server_takes_is_sent_and_its_word_is_kept(
    office: PostOffice, server: MailServer
) -> None:
    office.post(ADDRESS)

    office.deliver()

    assert (office.mail().state, office.mail().server_answer) == (
        MailState.SENT,
        "250 2.0.0 Ok: queued as 4XyZ",
    )
    assert office.mail().settled_at
    assert office.mail().attempts == 1
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("step", "answer", "state"),
    [
        (Step.GREETING, "421 4.3.2 shutting down", MailState.WAITING),
        (Step.GREETING, "554 5.3.2 not today", MailState.WAITING),
        (Step.EHLO, "550 5.7.1 who are you", MailState.WAITING),
        (Step.MAIL, "451 4.3.0 later", MailState.WAITING),
        (Step.MAIL, "553 5.7.1 sender not allowed", MailState.WAITING),
        (Step.MAIL, "421 4.3.2 shutting down", MailState.WAITING),
        (Step.RCPT, BUSY, MailState.DEFERRED),
        (Step.RCPT, NO_SUCH_BOX, MailState.FAILED),
        (Step.RCPT, "421 4.3.2 shutting down", MailState.WAITING),
        (Step.DATA, "451 4.3.0 later", MailState.DEFERRED),
        (Step.DATA, "554 5.5.1 no valid recipients", MailState.DEFERRED),
        (Step.DATA, "421 4.3.2 shutting down", MailState.WAITING),
        (Step.END, "452 4.3.1 queue is full", MailState.DEFERRED),
        (Step.END, "554 5.7.1 looks like spam", MailState.DEFERRED),
        (Step.END, "421 4.3.2 shutting down", MailState.WAITING),
    ],
    ids=lambda part: part.name if isinstance(part, Step) else part[:3] if part[0].isdigit() else part,
)
def test_a_refusal_is_kept_in_the_servers_words(
    office: PostOffice, server: MailServer, step: Step, answer: str, state: MailState
) -> None:
    server.reacts(step, answer)
    office.post(ADDRESS)

    office.deliver()

    assert office.mail().state is state
    words = office.mail().server_answer or ""
    assert answer[:3] in words
    assert answer[4:] in words
    assert server.taken == []


def test_a_letter_whose_last_answer_nobody_understands_is_not_sent_again(
    office: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.END, "OK, got it", times=1)
    office.post(ADDRESS)

    with time_machine.travel(now(), tick=False) as clock:
        office.deliver()
        clock.shift(timedelta(days=2))
        office.deliver()

    assert office.mail().state is MailState.UNCERTAIN
    assert server.taken == []
    assert len(server.refused) == 1


# -- what the line does
@pytest.mark.parametrize(
    ("step", "fault", "state"),
    [
        (Step.GREETING, Fault.HANGS_UP, MailState.WAITING),
        (Step.GREETING, Fault.FALLS_SILENT, MailState.WAITING),
        (Step.EHLO, Fault.HANGS_UP, MailState.WAITING),
        (Step.MAIL, Fault.HANGS_UP, MailState.WAITING),
        (Step.RCPT, Fault.HANGS_UP, MailState.WAITING),
        (Step.RCPT, Fault.FALLS_SILENT, MailState.WAITING),
        (Step.DATA, Fault.HANGS_UP, MailState.WAITING),
        (Step.DATA, Fault.FALLS_SILENT, MailState.WAITING),
        (Step.CONTENT, Fault.HANGS_UP, MailState.UNCERTAIN),
        (Step.END, Fault.HANGS_UP, MailState.UNCERTAIN),
        (Step.END, Fault.FALLS_SILENT, MailState.UNCERTAIN),
    ],
    ids=lambda part: part.name if isinstance(part, Step | Fault) else part,
)
@pytest.mark.usefixtures("impatient")
def test_a_letter_is_sent_again_only_where_it_cannot_have_arrived(
    office: PostOffice, server: MailServer, step: Step, fault: Fault, state: MailState
) -> None:
    server.reacts(step, fault, times=1)
    office.post(ADDRESS)

    with time_machine.travel(now(), tick=False) as clock:
        office.deliver()
        assert office.mail().state is state
        assert office.mail().server_answer
        clock.shift(timedelta(days=1) - timedelta(minutes=1))
        office.deliver()

    assert office.mail().state is (MailState.SENT if state is MailState.WAITING else MailState.UNCERTAIN)
    assert len(server.taken) <= 1, "nobody gets it twice"


def test_a_server_that_is_away_gets_the_letter_when_it_is_back(
    office: PostOffice, server: MailServer
) -> None:
    server.stop()
    office.post(ADDRESS)

    with time_machine.travel(now(), tick=False) as clock:
        office.deliver()
        assert office.mail().state is MailState.WAITING
        assert "no connection: ConnectionRefusedError" in (office.mail().server_answer or "")

        server.start()
        clock.shift(CONNECTION_RESTS[0])
        office.deliver()

    assert office.mail().state is MailState.SENT
    assert len(server.taken) == 1


@pytest.mark.parametrize("last_word", ["421 4.4.2 mail.test Error: timeout exceeded", None])
def test_a_talk_that_the_server_ended_while_idle_is_begun_anew(
    office: PostOffice, server: MailServer, last_word: str | None
) -> None:
    office.post("satu@nusajaya.example", "dua@nusajaya.example")
    with office.app.app_context():
        postman = portal().postman()

    office.hand.room = 1
    with postman:
        for _ in range(2):
            send_some(office.app, postman, office.hand)
            office.hand.room = 1
            server.close_idle_talks(last_word)

    assert [(mail.state, mail.attempts) for mail in office.mails()] == [(MailState.SENT, 1)] * 2
    assert server.connections == 2


# -- trying again
def test_each_wait_is_longer_and_the_letter_stays_the_same(office: PostOffice, server: MailServer) -> None:
    server.reacts(Step.END, "451 4.7.1 greylisted", times=len(DOMAIN_RESTS) - 2)
    office.post(ADDRESS)

    with time_machine.travel(now(), tick=False) as clock:
        for attempt, wait in enumerate(DOMAIN_RESTS[:-2], start=1):
            office.deliver()
            mail = office.mail()
            assert (mail.state, mail.attempts, mail.due_at) == (MailState.DEFERRED, attempt, now() + wait)
            clock.shift(wait - timedelta(seconds=1))
            assert office.deliver() == [], "not before its time"
            clock.shift(timedelta(seconds=1))
        office.deliver()

    assert office.mail().state is MailState.SENT
    assert len(server.refused) == len(DOMAIN_RESTS) - 2
    assert {arrival.message_id for arrival in server.refused} == {server.taken[0].message_id}


def test_after_a_day_of_refusals_the_letter_is_given_up_and_says_why(
    office: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.RCPT, BUSY)
    office.post(ADDRESS)

    with time_machine.travel(now(), tick=False) as clock:
        clock.shift(GIVE_UP_AFTER - timedelta(seconds=1))
        office.deliver()
        assert office.mail().state is MailState.DEFERRED
        clock.shift(DOMAIN_RESTS[0])
        office.deliver()

    assert (office.mail().state, office.mail().server_answer) == (MailState.FAILED, f"given up: {BUSY}")
    assert office.marked() is None, "a full or busy mailbox is no dead one"


def test_one_bad_address_does_not_stop_the_letters_behind_it(office: PostOffice, server: MailServer) -> None:
    server.reacts(Step.RCPT, NO_SUCH_BOX, to="tiada@nusajaya.example")
    server.reacts(Step.RCPT, BUSY, to="penuh@nusajaya.example")
    server.reacts(Step.END, Fault.HANGS_UP, to="putus@nusajaya.example")
    good = [f"baik{number}@nusajaya.example" for number in range(3)]
    office.post(
        "tiada@nusajaya.example",
        good[0],
        "penuh@nusajaya.example",
        good[1],
        "putus@nusajaya.example",
        good[2],
    )

    with office.working():
        eventually(lambda: all(server.taken_for(address) for address in good))
        office.wait_until_all_are(MailState.SENT, MailState.FAILED, MailState.DEFERRED, MailState.UNCERTAIN)

    states = {mail.to_address.split("@")[0]: mail.state for mail in office.mails()}
    assert states == {
        "tiada": MailState.FAILED,
        "penuh": MailState.DEFERRED,
        "putus": MailState.UNCERTAIN,
        "baik0": MailState.SENT,
        "baik1": MailState.SENT,
        "baik2": MailState.SENT,
    }


@pytest.mark.usefixtures("server")
def test_a_letter_that_cannot_be_written_waits_and_lets_the_others_pass(office: PostOffice) -> None:
    with office.app.app_context(), unit_of_work() as session:
        # Its words name a person
        outbox.post(
            session,
            Letter.PASSWORD_CHANGED,
            "siapa@nusajaya.example",
            outbox.About(),
            Act(SOMEBODY, now(), None),
        )
    office.post(ADDRESS)

    office.deliver()

    assert [mail.state for mail in office.mails()] == [MailState.DEFERRED, MailState.SENT]
    assert office.mails()[0].server_answer == "cannot be written: UndefinedError"


def test_letters_of_an_outage_all_arrive_in_the_order_in_which_they_were_posted(
    office: PostOffice, server: MailServer
) -> None:
    old = [f"lama{number}@nusajaya.example" for number in range(5)]
    with time_machine.travel(now(), tick=False) as clock:
        server.stop()
        office.post(*old)
        assert len(office.deliver()) == 1, "the line is at fault, so nobody else loses a turn"

        server.start()
        office.post("baru@nusajaya.example")
        clock.shift(CONNECTION_RESTS[0])
        office.deliver()

    assert [arrival.recipients[0] for arrival in server.taken] == [*old, "baru@nusajaya.example"]
    assert {mail.state for mail in office.mails()} == {MailState.SENT}


def test_two_hundred_letters_need_few_connections(office: PostOffice, server: MailServer) -> None:
    office.post(*(f"pegawai{number}@nusajaya.example" for number in range(200)))

    with office.working():
        office.wait_until_all_are(MailState.SENT, seconds=60)

    assert len(server.taken) == 200
    assert server.connections <= 3


def test_two_workers_send_each_of_fifty_letters_once(
    make_office: MakeOffice, make_app: MakeApp, server: MailServer
) -> None:
    office = make_office(server)
    office.post(*(f"pegawai{number}@nusajaya.example" for number in range(50)))
    colleague = PostOffice(make_app(**server.settings))

    with office.working(), colleague.working():
        office.wait_until_all_are(MailState.SENT, seconds=60)

    assert sorted(arrival.recipients[0] for arrival in server.taken) == sorted(
        mail.to_address for mail in office.mails()
    )
    assert len({arrival.message_id for arrival in server.taken}) == len(server.taken) == 50


# -- tokens
def test_a_token_lives_from_its_hand_over_for_its_lifetime(
    make_office: MakeOffice, server: MailServer
) -> None:
    office = make_office(server, TOKEN_LIFETIME_MINUTES="5")
    with time_machine.travel(now(), tick=False) as clock:
        server.reacts(Step.RCPT, BUSY, times=1)
        office.budi_asks()
        office.deliver()
        clock.shift(DOMAIN_RESTS[0])
        office.deliver()
        handed_over = now()

        code, elsewhere = server.taken[0].code, Visitor(office.app)
        assert shown_moment(handed_over + timedelta(minutes=5)) in server.taken[0].text
        clock.move_to(handed_over + timedelta(minutes=4, seconds=59))
        assert "6 karakter" in words_of(elsewhere.reset_password(code, "abc", nip=BUDI.nip))
        clock.move_to(handed_over + timedelta(minutes=5))
        late = elsewhere.reset_password(code, NEW_PASSWORD, nip=BUDI.nip)

    assert late.status_code == 422
    assert "sudah tidak berlaku" in words_of(late)


def test_a_token_of_uncertain_fate_is_sent_again_some_times_and_each_of_its_letters_works(
    office: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.END, Fault.HANGS_UP)
    office.budi_asks()
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(MOST_BREAKS + 3):
            office.deliver()
            clock.shift(CONNECTION_RESTS[-1])

        assert office.mail().state is MailState.UNCERTAIN
        assert len(server.taken) == MOST_BREAKS + 1
        assert {arrival.message_id for arrival in server.taken} == {server.taken[0].message_id}
        reset = Visitor(office.app).reset_password(server.taken[0].code, NEW_PASSWORD, nip=BUDI.nip)

    assert reset.status_code == 303


def test_a_token_whose_worker_died_is_sent_again_as_soon_as_its_lease_is_over(
    office: PostOffice, server: MailServer
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        office.budi_asks()
        office.begin_and_die()
        clock.shift(LEASE)
        office.keep_house()
        assert office.mail().state is MailState.SENDING, "its worker may still be at it"

        clock.shift(timedelta(seconds=1))
        office.keep_house()
        assert (office.mail().state, office.mail().server_answer) == (
            MailState.DEFERRED,
            "worker ended during delivery",
        )
        office.deliver()

    assert office.mail().state is MailState.SENT
    assert len(server.taken) == 2
    assert server.taken[0].message_id == server.taken[1].message_id


def test_a_letter_whose_worker_died_is_sent_again_and_waits_for_the_operator_only_after_many_deaths(
    office: PostOffice, server: MailServer
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        office.post(ADDRESS)
        for _ in range(MOST_BREAKS):
            office.begin_and_die()
            clock.shift(LEASE + timedelta(seconds=1))
            office.keep_house()
            assert office.mail().state is MailState.DEFERRED
        office.begin_and_die()
        clock.shift(LEASE + timedelta(seconds=1))
        office.keep_house()

        assert office.mail().state is MailState.UNCERTAIN, "perhaps the letter is the cause"
        assert office.deliver() == []
        assert f"{office.mail().id}\ttidak pasti\tpassword_changed\tp***@n***.example" in office.command(
            "outbox", "list"
        )
        assert "1 surat dikirim lagi" in office.command("outbox", "retry", str(office.mail().id))
        office.deliver()

    assert office.mail().state is MailState.SENT
    assert len(server.taken) == MOST_BREAKS + 2
    assert {arrival.message_id for arrival in server.taken} == {server.taken[0].message_id}


def test_a_letter_that_a_worker_died_with_takes_no_other_with_it(
    office: PostOffice, server: MailServer
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        office.post("mungkin@nusajaya.example", *(f"pegawai{number}@nusajaya.example" for number in range(3)))
        office.begin_and_die()
        clock.shift(LEASE + timedelta(seconds=1))
        office.keep_house()
        with office.app.app_context(), portal().postman() as postman:
            tried = [len(send_some(office.app, postman, office.hand)) for _ in range(3)]

    assert tried == [3, 1, 0]
    assert len(server.taken) == 1 + 4


# -- several in one hand
def test_letters_are_claimed_and_settled_together_at_the_price_of_one(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "SECONDS_AT_ONCE", 60.0)
    costs = []
    for how_many in 1, 30:
        office.post(*(f"pegawai{number}@desa{number}.example" for number in range(how_many)))
        office.hand.room = how_many
        with office.statements() as seen:
            office.deliver()
        costs.append(len(seen))

    assert {mail.state for mail in office.mails()} == {MailState.SENT}
    assert costs[1] == costs[0]


# BEGIN is one of them; with a mail of two kinds there is one more
STATEMENTS_OF_A_TOKEN = 14


@only_sqlite
@pytest.mark.usefixtures("server")
def test_a_token_that_comes_alone_costs_few_statements(office: PostOffice) -> None:
    office.budi_asks()
    with office.app.app_context():
        postman = portal().postman()

    with postman, office.statements() as seen:
        send_some(office.app, postman, office.hand)

    assert office.mail().state is MailState.SENT
    assert len(seen) <= STATEMENTS_OF_A_TOKEN, "\n".join(statement for statement, _ in seen)


def test_what_was_handed_over_while_the_database_went_away_is_not_sent_again(
    office: PostOffice, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reacts(Step.RCPT, NO_SUCH_BOX, to="tiada@nusajaya.example")
    office.post("satu@nusajaya.example", "dua@nusajaya.example", "tiada@nusajaya.example", ADDRESS)
    settle = outbox.settle

    def settle_in_vain(*asked: Any) -> None:
        settle(*asked)
        raise OperationalError("COMMIT", {}, Exception("the server has gone"))

    with monkeypatch.context() as away:
        away.setattr(outbox, "settle", settle_in_vain)
        with pytest.raises(OperationalError):
            office.deliver()
    assert {mail.state for mail in office.mails()} == {MailState.SENDING}

    with office.app.app_context(), portal().postman() as postman:
        send_all_due(office.app, postman, office.hand, lambda: True)

    assert [mail.state for mail in office.mails()] == [
        MailState.SENT,
        MailState.SENT,
        MailState.FAILED,
        MailState.SENT,
    ]
    assert len(server.taken) == 3


def test_while_a_server_is_silent_over_one_letter_those_before_and_behind_it_leave_the_hand(
    office: PostOffice, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mails, "SECONDS_UNTIL_OTHERS_GO", 0.1)
    server.reacts(Step.END, Fault.HOLDS, to="macet@nusajaya.example")
    office.post("dulu@nusajaya.example", "macet@nusajaya.example", ADDRESS)

    with office.working():
        assert server.is_holding.wait(20)
        eventually(
            lambda: (
                [mail.state for mail in office.mails()]
                == [MailState.SENT, MailState.SENDING, MailState.WAITING]
            )
        )
        server.behaves()
        office.wait_until_all_are(MailState.SENT)

    assert len(server.taken) == 3


# -- the letter itself
def test_the_token_letter_goes_to_one_person_in_text_and_html(
    make_office: MakeOffice, server: MailServer
) -> None:
    office = make_office(server, MAIL_DEFAULT_SENDER="MySAPK <surat@mysapk.example>")
    office.budi_asks()
    office.deliver()

    (letter,) = server.taken
    assert (letter.sender, letter.recipients) == ("surat@mysapk.example", [BUDI.email])
    assert sorted(letter.message.keys()) == [
        "Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To",
        "X-Auto-Response-Suppress",
    ]  # fmt: skip
    assert letter.message["From"] == "MySAPK <surat@mysapk.example>"
    assert letter.message["To"] == BUDI.email
    assert letter.message["Auto-Submitted"] == "auto-generated"
    assert letter.message_id == f"<{office.mail().message_id}@localhost>"

    assert letter.code in letter.html
    assert letter.link in letter.html
    assert letter.link.startswith("http://localhost/konfirmasi-reset-password/")
    assert BUDI.nip not in letter.text + letter.html


@only_sqlite
@pytest.mark.parametrize(
    "sender",
    [
        "surat@mysapk.example",
        "MySAPK <surat@mysapk.example>",
        '"MySAPK, BKN" <surat@mysapk.example>',
        '"MySAPK (Simulasi): Akun" <surat@mysapk.example>',
        "Portal Pélayanan <surat@mysapk.example>",
    ],
)
def test_the_operators_name_reaches_the_reader_whole(
    make_office: MakeOffice, server: MailServer, sender: str
) -> None:
    office = make_office(server, MAIL_DEFAULT_SENDER=sender)
    office.post(ADDRESS)

    office.deliver()

    assert server.taken[0].sender == "surat@mysapk.example"
    (shown,) = server.taken[0].message["From"].addresses
    assert (shown.display_name, shown.addr_spec) == parseaddr(sender)


@only_sqlite
def test_no_name_of_portal_or_person_becomes_a_header(make_office: MakeOffice, server: MailServer) -> None:
    office = make_office(server, PORTAL_NAME='Portal: "Ænd" <b@x.example>, Bcc: c@x.example')
    with office.app.app_context(), unit_of_work() as session:
        budi = User.with_nip(session, Nip(BUDI.nip))
        assert budi
        budi.name = "Budi\r\nBcc: d@x.example\r\n\r\nABCD"
    office.budi_asks()

    office.deliver()

    (letter,) = server.taken
    assert letter.recipients == [BUDI.email]
    assert "Bcc" not in letter.message
    assert letter.message["Subject"] == 'Token Reset Password Portal: "Ænd" <b@x.example>, Bcc: c@x.example'


@pytest.mark.parametrize("name", ["PORTAL_NAME", "PORTAL_OPERATOR"])
def test_a_name_of_two_lines_stops_the_start(name: str) -> None:
    with pytest.raises(BadSetting, match=name):
        Settings.from_env({name: "MySAPK\r\nBcc: semua@x.example", "SECRET_KEY": "x"})


@only_sqlite
def test_the_longest_names_and_addresses_still_fit_in_lines_of_mail(
    make_office: MakeOffice, server: MailServer
) -> None:
    office = make_office(server, PUBLIC_URL="https://layanan-kepegawaian.kabupaten-nusa-jaya.contoh.example")
    longest = "a" * 64 + "@" + ".".join(["b" * 63, "c" * 63, "d" * 53]) + ".example"
    assert len(longest) == 254
    with office.app.app_context(), unit_of_work() as session:
        budi = User.with_nip(session, Nip(BUDI.nip))
        assert budi
        budi.name, budi.email, budi.email_key = "N" * 200, longest, EmailAddress(longest).key
        budi.instansi.name, budi.instansi.helpdesk_contact = "I" * 200, "K" * 300
        for nip in BUDI.nip, STRANGERS_NIP:
            request_reset(session, Nip(nip), EmailAddress(longest), nip, Act(SOMEBODY, now(), None))

    office.deliver()

    assert [(mail.state, mail.server_answer) for mail in office.mails()] == [
        (MailState.SENT, "250 2.0.0 Ok: queued as 4XyZ")
    ] * 2
    longest_line = max(len(line) for arrival in server.taken for line in arrival.content.split(b"\r\n"))
    assert longest_line <= 998, "RFC 5322 2.1.1"


# -- TLS and login
LOGIN = ("portal", "Rahasia-Surat-1")


@only_sqlite
@pytest.mark.parametrize("from_the_first_byte", [False, True], ids=["starttls", "tls"])
def test_a_server_with_a_trusted_certificate_gets_login_and_letter_inside_tls(
    make_office: MakeOffice,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    *,
    from_the_first_byte: bool,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    with MailServer(certificates.fitting, from_the_first_byte=from_the_first_byte, login=LOGIN) as server:
        office = make_office(server)
        office.post(ADDRESS)
        office.deliver()

    assert office.mail().state is MailState.SENT
    assert (server.taken[0].in_tls, server.taken[0].login) == (True, "portal")


@only_sqlite
@pytest.mark.parametrize("from_the_first_byte", [False, True], ids=["starttls", "tls"])
@pytest.mark.parametrize("certificate", ["self_signed", "of_another_name"])
def test_a_server_that_cannot_prove_its_name_gets_nothing(
    make_office: MakeOffice,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    *,
    from_the_first_byte: bool,
    certificate: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    shown: ssl.SSLContext = getattr(certificates, certificate)
    with MailServer(shown, from_the_first_byte=from_the_first_byte, login=LOGIN) as server:
        office = make_office(server)
        office.post(ADDRESS)
        office.deliver()

    assert office.mail().state is MailState.WAITING
    assert "CERTIFICATE_VERIFY_FAILED" in (office.mail().server_answer or "")
    assert server.taken == []
    assert set(server.commands) <= {"GREETING", "EHLO"}


@only_sqlite
def test_a_server_without_the_tls_that_was_ordered_gets_nothing(
    make_office: MakeOffice, server: MailServer
) -> None:
    office = make_office(server, MAIL_USE_TLS="true", MAIL_USERNAME=LOGIN[0], MAIL_PASSWORD=LOGIN[1])
    office.post(ADDRESS)

    office.deliver()

    assert office.mail().state is MailState.WAITING
    assert "STARTTLS" in (office.mail().server_answer or "")
    assert set(server.commands) <= {"GREETING", "EHLO"}


@only_sqlite
def test_a_plain_server_costs_no_reading_of_authorities(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(ssl, "create_default_context")
    office.post(ADDRESS)

    office.deliver()

    assert office.mail().state is MailState.SENT


@only_sqlite
@pytest.mark.parametrize("password", ["Salah-1", "Räter-Unsinn-1"])
def test_a_wrong_mail_password_defers_letters_and_is_not_repeated_in_the_table(
    make_office: MakeOffice, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    with MailServer(certificates.fitting, login=LOGIN) as server:
        office = make_office(server, MAIL_PASSWORD=password)
        office.post(ADDRESS)
        office.deliver()

    assert office.mail().state is MailState.WAITING
    assert password not in (office.mail().server_answer or "")
    assert server.taken == []


@only_sqlite
@pytest.mark.parametrize("host", ["tiada.invalid", "mail..example", "." + "m" * 70 + ".example"])
def test_a_mail_server_whose_name_leads_nowhere_defers_letters(
    make_app: MakeApp, password_hash: str, host: str
) -> None:
    app = make_app(MAIL_SERVER=host)
    people(app, password_hash)
    office = PostOffice(app)
    office.post(ADDRESS)

    office.deliver()

    assert office.mail().state is MailState.WAITING
    assert "no connection" in (office.mail().server_answer or "")


# -- secrets
@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """What the portal writes to its log, as JSON lines."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, kept = logging.getLogger(), Kept()
    kept.setFormatter(JsonLines())
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.INFO)
    yield lines
    root.removeHandler(kept)
    root.setLevel(level)


def test_no_secret_and_no_whole_nip_stays_in_tables_or_logs(
    office: PostOffice, server: MailServer, log_lines: list[str]
) -> None:
    visitor, wrong = Visitor(office.app), "Salah-Ketik-9"
    office.budi_asks()
    server.reacts(Step.RCPT, f"550 5.1.1 <{TONO.email}>: no such user", to=TONO.email)
    server.reacts(Step.END, Fault.HANGS_UP, to=CINTA.email)
    for person in JOKO, TONO, CINTA:
        visitor.ask_for_token(person.nip, person.email or "")
    visitor.ask_for_token(STRANGERS_NIP, "orang@lain.example")
    office.deliver()
    letter = server.taken_for(BUDI.email or "")[0]
    visitor.open(letter.link)
    visitor.open(letter.link[:-1] + "?" + letter.code)
    visitor.reset_password("WDJB-MJHT", NEW_PASSWORD, nip=BUDI.nip)
    assert visitor.reset_password(letter.code, NEW_PASSWORD, nip=BUDI.nip).status_code == 303
    visitor.log_in(BUDI.nip, wrong)
    assert visitor.log_in(BUDI.nip, NEW_PASSWORD).status_code == 303
    office.deliver()

    secrets = [NEW_PASSWORD, wrong, str(office.app.secret_key)]
    for arrival in server.taken:
        secrets += re.findall(r"/(?:konfirmasi-reset-password|perbaikan-email)/(\S+)", arrival.text)
        secrets += re.findall(r"^[A-Z]{4}-[A-Z]{4}$", arrival.text, re.MULTILINE)
    secrets += [secret.replace("-", "") for secret in secrets if len(secret) == 9]
    assert len(secrets) >= 10
    log = "\n".join(line for line in log_lines if json.loads(line)["logger"].startswith("portal"))
    tables = _everything_stored(office.app)
    for secret in secrets:
        assert secret not in log
        assert secret not in tables

    assert not re.search(r"(?<![0-9a-f])\d{18}(?![0-9a-f])", log)
    for person in BUDI, JOKO, TONO, CINTA, SARI:
        assert email_of(person) not in log


def _everything_stored(app: Flask) -> str:
    with app.app_context(), reading() as session:
        return "\n".join(
            repr(row)
            for table in inspect(engine()).get_table_names()
            for row in session.execute(text(f'SELECT * FROM "{table}"'))
        )


# -- files instead of a server
@only_sqlite
def test_letters_to_files_are_whole_when_they_appear(make_app: MakeApp, password_hash: str) -> None:
    app = make_app()
    people(app, password_hash)
    office = PostOffice(app)
    office.post(*(f"pegawai{number}@nusajaya.example" for number in range(10)))

    with ExitStack() as workers:
        workers.enter_context(office.working())
        workers.enter_context(PostOffice(app).working())
        office.wait_until_all_are(MailState.SENT)

    with app.app_context():
        files = sorted(file.name for file in portal().settings.mail_folder.iterdir())
    assert files == sorted(f"{mail.message_id}.eml" for mail in office.mails())


@only_sqlite
def test_a_letter_that_finds_no_room_on_the_disk_waits(make_app: MakeApp, password_hash: str) -> None:
    app = make_app()
    people(app, password_hash)
    office = PostOffice(app)
    office.post(ADDRESS)
    with app.app_context():
        in_the_way = portal().settings.mail_folder / f"{office.mail().message_id}.eml"
    in_the_way.mkdir(parents=True)

    with time_machine.travel(now(), tick=False) as clock:
        office.deliver()
        assert office.mail().state is MailState.WAITING
        in_the_way.rmdir()
        clock.shift(CONNECTION_RESTS[0])
        office.deliver()

    assert office.mail().state is MailState.SENT
    assert in_the_way.is_file()
