"""Which mails wait because of which fault, in which order they leave, and who is told. The test moves the
clock."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
import time_machine

from app.domain.act import Act
from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.mail import outbox
from app.mail.outbox import GIVE_UP_AFTER
from app.models.mail_fault import CONNECTION_RESTS, DOMAIN_RESTS, NEW_ONE_AFTER, MailFault, MailFaultKind
from app.models.outbox_mail import Letter, MailState
from app.models.user import User
from app.runtime.db import engine, reading, unit_of_work
from app.runtime.portal import portal
from app.worker import mails
from app.worker.figures import renew_figures
from app.worker.mails import send_some
from tests.cast import BUDI, RATNA, STRANGERS_NIP, WATI
from tests.faults.conftest import MakeOffice
from tests.faults.post_office import SOMEBODY, PostOffice
from tests.faults.smtp_server import Fault, MailServer, Step, eventually
from tests.visitor import Visitor, logged_in, words_of

BUSY_DOMAIN = "450 4.4.1 try again later"
SLOW, HEALTHY = "lambat.example", "pegawai@sehat.example"


def slow(how_many: int, first: int = 0) -> list[str]:
    return [f"p{number}@{SLOW}" for number in range(first, first + how_many)]


def for_slow(server: MailServer, answer: str, how_many: int = 300) -> None:
    for address in slow(how_many):
        server.reacts(Step.RCPT, answer, to=address)


def tries(server: MailServer) -> int:
    return server.commands.count("RCPT")


# -- a domain that takes nothing
@pytest.mark.parametrize(
    ("answer", "at_first", "how_many"),
    [("450 later", 1, 250), ("450 4.2.1 mailbox busy", 2, 40), ("554 5.7.1 no", 1, 40)],
)
def test_many_letters_to_a_domain_cost_one_try_a_step_and_a_healthy_one_leaves_at_once(
    office: PostOffice, server: MailServer, answer: str, at_first: int, how_many: int
) -> None:
    for_slow(server, answer, how_many)
    office.post(*slow(how_many))
    with time_machine.travel(now(), tick=False) as clock:
        office.post(HEALTHY)
        office.deliver()
        assert len(server.taken_for(HEALTHY)) == 1
        assert tries(server) == at_first + 1

        for step in range(at_first, 4):
            clock.shift(DOMAIN_RESTS[step - 1] - timedelta(seconds=1))
            office.deliver()
            assert tries(server) == step + 1, "not before its time"
            clock.shift(timedelta(seconds=1))
            office.deliver()
            assert tries(server) == step + 2

        server.behaves()
        clock.shift(NEW_ONE_AFTER)
        office.deliver()
    assert {mail.state for mail in office.mails()} == {MailState.SENT, MailState.DEFERRED} or len(
        server.taken
    ) == how_many + 1
    assert len(server.taken) >= how_many - 1, "all leave with the first that is taken"


def test_a_letter_that_nobody_has_tried_waits_only_minutes_for_its_domain(
    office: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.RCPT, "452 4.2.2 full", to=f"penuh1@{SLOW}")
    server.reacts(Step.RCPT, "452 4.2.2 full", to=f"penuh2@{SLOW}")
    with time_machine.travel(now(), tick=False) as clock:
        office.post(f"penuh1@{SLOW}", f"penuh2@{SLOW}")
        for rest in DOMAIN_RESTS:
            office.deliver()
            clock.shift(rest)
        office.post(f"sehat@{SLOW}")
        office.deliver()
        clock.shift(NEW_ONE_AFTER)
        office.deliver()

    assert len(server.taken_for(f"sehat@{SLOW}")) == 1


def test_one_full_mailbox_keeps_nobody_else_in_its_domain_waiting(
    office: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.RCPT, "552 5.2.2 mailbox full", to=f"penuh@{SLOW}")
    office.post(f"penuh@{SLOW}", *slow(5))

    office.deliver()

    assert len(server.taken) == 5
    assert office.mails()[0].state is MailState.DEFERRED
    assert office.marked() is None


@pytest.mark.parametrize(
    ("answer", "longest"), [("450 4.2.0 Greylisted", 10), ("451 4.7.1 try again later", 60)]
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_domain_that_lets_everything_new_wait_gets_all_soon(
    office: PostOffice, server: MailServer, monkeypatch: pytest.MonkeyPatch, answer: str, longest: int
) -> None:
    """The server takes a mail five minutes after it has first seen it, whether its answer says so or not."""
    seen: dict[str, datetime] = {}

    def greylists(step: Step, recipients: Iterable[str]) -> str | None:
        is_new = step is Step.RCPT and any(
            now() < seen.setdefault(one, now()) + timedelta(minutes=5) for one in recipients
        )
        return answer if is_new else None

    monkeypatch.setattr(server, "reaction_at", greylists)
    office.post(*slow(8))
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(longest):
            office.deliver()
            clock.shift(timedelta(minutes=1))

    assert len(server.taken) == 8


def test_a_letter_to_an_address_of_before_marks_nobody(office: PostOffice, server: MailServer) -> None:
    server.reacts(Step.RCPT, "550 5.1.1 no such mailbox")
    office.post("lama@nusajaya.example")
    office.deliver()
    assert office.mail().state is MailState.FAILED
    assert office.marked() is None

    office.post(BUDI.email or "")
    office.deliver()
    assert office.marked() is not None


def test_a_strangers_servers_do_not_stop_the_letters_of_others(
    office: PostOffice, server: MailServer
) -> None:
    """A server that hangs up at each mail delays others by seconds only. If three servers give the same
    refusal, this is not a fault on our side."""
    for number in range(4):
        server.reacts(Step.RCPT, Fault.HANGS_UP, to=f"p@putus{number}.example")
        server.reacts(Step.RCPT, "554 5.7.1 no", to=f"p@tolak{number}.example")
        _post_of_strangers(office, f"p@putus{number}.example", f"p@tolak{number}.example")
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(8):
            office.deliver()
            clock.shift(CONNECTION_RESTS[1])
        office.post(HEALTHY)
        office.deliver()

    assert len(server.taken_for(HEALTHY)) == 1
    assert {fault.way for fault in office.faults() if fault.kind is MailFaultKind.SENDER} == {
        f"tolak{number}.example" for number in range(4)
    }


# -- who goes first
def test_a_token_goes_before_1500_notices_and_before_a_strangers_letters(
    office: PostOffice, server: MailServer
) -> None:
    _post_many(office, Letter.PASSWORD_CHANGED, 1500)
    _post_many(office, Letter.ADDRESS_NOT_REGISTERED, 100)
    office.budi_asks()

    with office.app.app_context(), portal().postman() as postman:
        send_some(office.app, postman, office.hand)

    assert server.taken[0].recipients == [BUDI.email]


def test_a_claim_asks_as_much_of_a_long_queue_as_of_a_short_one(office: PostOffice) -> None:
    _post_many(office, Letter.PASSWORD_CHANGED, 3)
    few = _statements_of_a_claim(office)
    _post_many(office, Letter.PASSWORD_CHANGED, 2000)
    many = _statements_of_a_claim(office)

    assert len(many) == len(few)
    if engine_of(office) == "sqlite":
        with office.app.app_context(), reading() as session:
            for statement, parameters in many:
                if statement.startswith("SELECT outbox_mail.id, outbox_mail.domain"):
                    plan = (
                        session.connection()
                        .exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                        .all()
                    )
                    assert "INDEX ix_outbox_mail_queue" in str(plan[0])
                    assert "SCAN" not in str(plan)
                    assert "TEMP B-TREE" not in str(plan)


def test_new_letters_go_before_those_that_were_put_off(office: PostOffice, server: MailServer) -> None:
    server.reacts(Step.RCPT, "450 4.2.1 busy", to="lama@a.example", times=1)
    with time_machine.travel(now(), tick=False) as clock:
        office.post("lama@a.example")
        office.deliver()
        clock.shift(DOMAIN_RESTS[0])
        office.post("baru@b.example")
        office.deliver()

    assert [arrival.recipients for arrival in server.taken] == [["baru@b.example"], ["lama@a.example"]]


# -- faults of our side
OURS = [
    (Step.GREETING, "554 5.3.2 no", MailFaultKind.SESSION),
    (Step.EHLO, "550 5.7.1 no", MailFaultKind.SESSION),
    (Step.MAIL, "530 5.7.0 must log in", MailFaultKind.SESSION),
    (Step.MAIL, "550 5.7.1 no", MailFaultKind.SENDER),
    (Step.MAIL, "421 4.3.2 later", MailFaultKind.LINE),
    (Step.RCPT, "550 5.4.5 daily quota", MailFaultKind.SENDER),
    (Step.RCPT, "554 5.7.1 relay access denied", MailFaultKind.SENDER),
    (Step.RCPT, "550 relaying denied", MailFaultKind.SENDER),
    (Step.RCPT, "421 4.7.0 later", MailFaultKind.LINE),
    (Step.END, "554 5.7.1 spam", MailFaultKind.SENDER),
]


@pytest.mark.parametrize(
    ("step", "answer", "kind"), OURS, ids=lambda part: part.name if isinstance(part, Step) else str(part)
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_fault_of_our_side_waits_marks_nobody_and_raises_an_alarm_that_the_first_success_ends(
    office: PostOffice,
    server: MailServer,
    caplog: pytest.LogCaptureFixture,
    step: Step,
    answer: str,
    kind: MailFaultKind,
) -> None:
    server.reacts(step, answer)
    with time_machine.travel(now(), tick=False) as clock:
        office.post(*slow(20))
        with caplog.at_level(logging.WARNING, "portal.worker"):
            for rest in CONNECTION_RESTS:
                office.deliver()
                clock.shift(rest)
        assert [record.message for record in caplog.records].count("mail fault") == 1, (
            "once a fault, not once a letter"
        )
        assert {mail.state for mail in office.mails()} <= {
            MailState.WAITING,
            MailState.DEFERRED,
        }
        assert office.marked() is None
        (fault,) = office.faults()
        assert fault.kind is kind
        assert answer[4:] in fault.answer
        with office.app.app_context():
            renew_figures()
        assert f'portal_mail_fault{{kind="{kind}"}} 1.0' in Visitor(office.app, "127.0.0.1").open(
            "/metrics"
        ).get_data(as_text=True)
        looked = office.app.test_cli_runner().invoke(args=["check"])
        assert looked.exit_code == 1
        assert f"mails: {kind} fault" in looked.output
        assert "20 letters" in looked.output
        pusat = words_of(logged_in(office.app, RATNA).open("/admin/"))
        assert answer[4:] in pusat
        assert "20 email" in pusat
        assert answer[4:] not in words_of(logged_in(office.app, WATI).open("/admin/")), (
            "no admin of an instansi can mend it"
        )

        server.behaves()
        for rest in DOMAIN_RESTS[:6]:
            clock.shift(rest)
            office.deliver()
        assert {mail.state for mail in office.mails()} == {MailState.SENT}
        assert office.faults() == []


def test_nobody_is_given_up_for_our_own_fault_but_an_old_token(
    office: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.MAIL, "550 5.7.1 no")
    with time_machine.travel(now(), tick=False) as clock:
        office.budi_asks()
        office.post(HEALTHY)
        office.deliver()
        clock.shift(3 * GIVE_UP_AFTER)
        office.deliver()
        server.behaves()
        clock.shift(CONNECTION_RESTS[-1])
        office.deliver()

    token, notice = office.mails()
    assert (token.state, notice.state) == (MailState.FAILED, MailState.SENT)
    assert "given up" in (token.server_answer or "")
    assert office.marked() is None


def test_a_bare_refusal_is_a_persons_until_a_third_domain_says_the_same(
    office: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.RCPT, "550 refused")
    with time_machine.travel(now(), tick=False) as clock:
        office.post(BUDI.email or "")
        office.deliver()
        assert office.mail().state is MailState.FAILED
        assert office.marked() is not None

        office.post("b@b.example", "c@c.example", "d@d.example")
        office.deliver()
        assert MailState.FAILED not in {mail.state for mail in office.mails()}
        assert office.marked() is None
        assert [fault.kind for fault in office.faults()] == [MailFaultKind.SENDER]

        server.behaves()
        clock.shift(CONNECTION_RESTS[-1])
        office.deliver()
    assert {mail.state for mail in office.mails()} == {MailState.SENT}


def test_a_letter_that_breaks_the_line_each_time_lets_the_others_pass(
    office: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.RCPT, Fault.HANGS_UP, to=f"racun@{SLOW}")
    with time_machine.travel(now(), tick=False) as clock:
        office.post(f"racun@{SLOW}", *(f"p{number}@sehat.example" for number in range(5)))
        for _ in range(4):
            office.deliver()
            clock.shift(CONNECTION_RESTS[1])

    assert len(server.taken) == 5


# -- allowances
def test_a_letter_that_failed_does_not_count_but_not_without_bound(
    office: PostOffice, server: MailServer
) -> None:
    server.reacts(Step.RCPT, "550 5.1.1 no such mailbox", to="salah@contoh.example")
    with time_machine.travel(now(), tick=False):
        for number in range(12):
            Visitor(office.app, f"203.0.113.{number + 10}").ask_for_token(
                STRANGERS_NIP, "salah@contoh.example"
            )
            office.deliver()

    states = [mail.state for mail in office.mails()]
    assert states.count(MailState.FAILED) == 6
    assert states.count(MailState.HELD) == 6


# -- the name, and patience
@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "localhost"),
        ({"MAIL_EHLO_NAME": "surat.example"}, "surat.example"),
        ({"PUBLIC_URL": "http://127.0.0.1:5000"}, "mysapk.example"),
        (
            {"PUBLIC_URL": "http://[::1]:5000", "MAIL_DEFAULT_SENDER": "a@pengirim.example"},
            "pengirim.example",
        ),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_portal_says_a_name_to_the_mail_server_and_never_an_address(
    make_office: MakeOffice, server: MailServer, environ: dict[str, str], name: str
) -> None:
    office = make_office(server, **environ)
    office.post(HEALTHY)
    office.deliver()

    assert server.names == [name]


def test_while_a_server_is_silent_over_one_letter_the_others_leave(
    office: PostOffice, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mails, "SECONDS_UNTIL_RELIEF", 0.3)
    server.reacts(Step.END, Fault.HOLDS, to=f"macet@{SLOW}", times=1)
    office.post(f"macet@{SLOW}")
    with office.working():
        assert server.is_holding.wait(20)
        office.post(HEALTHY)
        eventually(lambda: bool(server.taken_for(HEALTHY)), 20)
        server.release()
        office.wait_until_all_are(MailState.SENT)


# -- how
def engine_of(office: PostOffice) -> str:
    with office.app.app_context():
        return engine().dialect.name


def _post_of_strangers(office: PostOffice, *addresses: str) -> None:
    """Post mails that belong to nobody on record."""
    with office.app.app_context(), unit_of_work() as session:
        for address in addresses:
            outbox.post(
                session,
                Letter.DESK_NOTICE,
                address,
                outbox.About(words={"what": "-", "path": "/"}),
                Act(SOMEBODY, now(), None),
            )


def _post_many(office: PostOffice, letter: Letter, how_many: int) -> None:
    with office.app.app_context(), unit_of_work() as session:
        budi = User.with_nip(session, Nip(BUDI.nip))
        for number in range(how_many):
            outbox.post(
                session,
                letter,
                f"p{number}@{letter.replace('_', '-')}.example",
                outbox.About(budi),
                Act(SOMEBODY, now(), None),
            )


def _statements_of_a_claim(office: PostOffice) -> list[tuple[str, tuple[object, ...]]]:
    with office.statements() as seen, office.app.app_context(), unit_of_work() as session:
        assert outbox.claim(session, now(), timedelta(hours=1), most=3)
    return seen


# -- several workers
def test_workers_that_meet_one_outage_make_nobody_wait_longer(office: PostOffice) -> None:
    def meet_it() -> MailFault:
        with office.app.app_context(), unit_of_work() as session:
            return MailFault.note_everywhere(session, MailFaultKind.LINE, "refused", now(), is_short=False)

    with time_machine.travel(now(), tick=False) as clock:
        for rest in CONNECTION_RESTS[:2]:
            found = [meet_it() for _ in range(5)]
            assert {fault.rests_until for fault in found} == {now() + rest}
            clock.shift(rest)
