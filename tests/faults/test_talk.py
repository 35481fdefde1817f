"""How the portal talks with a mail server: what goes in one packet, and how long a connection stays open."""

from collections.abc import Iterator

import pytest

from app.mail import delivery
from app.mail.delivery import Postman
from app.mail.outcomes import ConnectionFault, Delivery, HandedOver, PutOff, RefusedForGood, SenderFault
from app.mail.rendering import RenderedLetter
from app.runtime.portal import portal
from tests.conftest import MakeApp
from tests.faults.smtp_server import Fault, MailServer, Step, eventually

FIRST, SECOND = "satu@nusajaya.example", "dua@nusajaya.example"
# How a server talks has nothing to do with the database
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(params=[True, False], ids=["all_at_once", "one_by_one"])
def server(request: pytest.FixtureRequest) -> Iterator[MailServer]:
    with MailServer(takes_all_at_once=request.param) as server:
        yield server


@pytest.fixture
def postman(make_app: MakeApp, server: MailServer) -> Iterator[Postman]:
    with make_app(**server.settings).app_context():
        postman = portal().postman()
    with postman:
        yield postman


def carry(postman: Postman, address: str) -> Delivery:
    letter = RenderedLetter("Surat", "Isi\n.titik di awal baris\n", "<p>Isi</p>")
    return postman.deliver(letter, address, f"surat-{address.partition('@')[0]}")


def test_a_server_that_offers_it_gets_the_commands_in_one_packet_and_the_mail_after_its_answers(
    postman: Postman, server: MailServer
) -> None:
    carry(postman, FIRST)

    first, *later = [packet for packet in server.packets if not packet.startswith((b"ehlo", b"EHLO"))]
    commands = [line.split(b":")[0] for line in first.splitlines()]
    assert commands == ([b"mail FROM", b"rcpt TO", b"data"] if server.takes_all_at_once else [b"mail FROM"])
    assert b"Message-ID" in b"".join(later)
    assert server.taken[0].recipients == [FIRST]
    assert ".titik di awal baris" in server.taken[0].text.splitlines()


@pytest.mark.parametrize(
    ("step", "answer", "outcome"),
    [
        (Step.MAIL, "451 4.3.0 later", SenderFault),
        (Step.MAIL, "421 4.3.2 shutting down", ConnectionFault),
        (Step.RCPT, "550 5.1.1 no such mailbox", RefusedForGood),
        (Step.RCPT, "450 4.2.1 mailbox busy", PutOff),
        (Step.RCPT, "421 4.3.2 shutting down", ConnectionFault),
        (Step.DATA, "451 4.3.0 later", SenderFault),
        (Step.DATA, "421 4.3.2 shutting down", ConnectionFault),
        (Step.END, "554 5.7.1 looks like spam", SenderFault),
    ],
    ids=lambda part: part.name if isinstance(part, Step) else part[:3] if isinstance(part, str) else "",
)
def test_after_a_no_the_next_mail_finds_the_talk_where_it_should_be(
    postman: Postman, server: MailServer, step: Step, answer: str, outcome: type[Delivery]
) -> None:
    server.reacts(step, answer, times=1)

    refused = carry(postman, FIRST)
    taken = carry(postman, SECOND)

    assert isinstance(refused, outcome)
    assert refused.answer == answer
    assert isinstance(taken, HandedOver)
    assert server.connections == (2 if answer.startswith("421") else 1)
    assert [arrival.recipients for arrival in server.taken] == [[SECOND]]


def test_a_server_that_does_not_forget_a_refused_mail_is_left(postman: Postman, server: MailServer) -> None:
    """It would refuse the next mail too, and say that this is our fault: then no mail leaves for a while."""
    server.reacts(Step.RCPT, "550 5.1.1 no such mailbox", to=FIRST)
    server.reacts(Step.RSET, "451 4.3.0 later", times=1)

    assert isinstance(carry(postman, FIRST), RefusedForGood)
    assert isinstance(carry(postman, SECOND), HandedOver)
    assert server.connections == 2


def test_a_server_that_wants_the_mail_of_a_refused_recipient_does_not_get_it(
    postman: Postman, server: MailServer
) -> None:
    server.reacts(Step.RCPT, "550 5.1.1 no such mailbox", to=FIRST)
    server.reacts(Step.DATA, "354 go on", times=1)

    refused = carry(postman, FIRST)

    assert isinstance(refused, RefusedForGood)
    assert b"surat-satu" not in b"".join(server.packets)
    if server.takes_all_at_once:  # otherwise it was never asked for the mail
        assert isinstance(carry(postman, SECOND), HandedOver)
        assert server.connections == 2


def test_two_mails_soon_after_each_other_need_one_connection(postman: Postman, server: MailServer) -> None:
    for address in FIRST, SECOND:
        carry(postman, address)
        postman.rest()

    assert server.connections == 1
    assert [arrival.recipients for arrival in server.taken] == [[FIRST], [SECOND]]


@pytest.mark.parametrize("limit", ["SECONDS_OF_TRUST", "SECONDS_OF_A_CONNECTION"])
def test_a_connection_that_nobody_needs_or_that_is_old_is_closed(
    postman: Postman, server: MailServer, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(delivery, limit, 0.0)
    carry(postman, FIRST)

    postman.rest()

    eventually(lambda: server.is_left_alone)


def test_a_mail_that_finds_a_closed_line_goes_over_a_new_one_at_once(
    postman: Postman, server: MailServer
) -> None:
    carry(postman, FIRST)
    server.reacts(Step.MAIL, Fault.HANGS_UP, times=1)

    assert isinstance(carry(postman, SECOND), HandedOver)
    assert server.connections == 2
    assert [arrival.recipients for arrival in server.taken] == [[FIRST], [SECOND]]


@pytest.mark.usefixtures("impatient")
def test_a_server_that_says_nothing_is_not_asked_again_over_a_new_line(
    make_app: MakeApp, server: MailServer
) -> None:
    with make_app(**server.settings).app_context(), portal().postman() as postman:
        carry(postman, FIRST)
        server.reacts(Step.MAIL, Fault.FALLS_SILENT, times=1)

        assert isinstance(carry(postman, SECOND), ConnectionFault)
    assert server.connections == 1


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT], ids=lambda step: step.name)
def test_a_mail_that_the_server_may_have_known_counts_as_tried_when_the_line_breaks(
    postman: Postman, server: MailServer, step: Step
) -> None:
    server.reacts(step, Fault.HANGS_UP, times=1)

    broken = carry(postman, FIRST)

    assert isinstance(broken, ConnectionFault)
    assert broken.at_letter is (server.takes_all_at_once or step is Step.RCPT)
    assert not broken.letter_is_out
