"""What the portal reads in a message that came back, and that nonsense does no harm."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.bounce import LONGEST_MESSAGE, CameBack, Failure, NoFailure, read_bounce
from app.domain.email_address import EmailAddress
from app.domain.reset_secret import new_reference
from app.domain.return_path import LONGEST_BOX, ReturnPathMark, marks_in
from app.security.signing import SigningKeys
from config import LONGEST_RETURN_BOX
from tests.reports import POSTFIX, SAMPLES, TO_WHOM, Sample, dsn, failed

BOX = "bounce+x@mail.example"


def _meaning(came_back: CameBack) -> str:
    match came_back.says:
        case Failure(status, _, is_hard):
            return f"{'hard' if is_hard else 'soft'} {status}"
        case NoFailure(why):
            return why


@pytest.mark.parametrize("end_of_line", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_report_is_read_for_what_it_says(sample: Sample, end_of_line: str) -> None:
    message = sample.message.replace("{to}", BOX).replace("\n", end_of_line).encode()

    for framed in (message, b"From MAILER-DAEMON Tue Aug  3 09:00:00 2021\n" + message):
        came_back = read_bounce(framed)
        assert sample.means in _meaning(came_back)
        assert BOX in came_back.sent_to


def test_the_servers_words_come_on_one_line_without_what_cannot_be_shown() -> None:
    says = read_bounce(dsn(POSTFIX).encode()).says
    odd = read_bounce(
        dsn(failed("5.1.1", "550 a\x00b\x1b[31m\ud800 \u202e")).encode("utf-8", "surrogatepass")
    ).says

    assert isinstance(says, Failure)
    assert says.words.endswith("rejected: User unknown in virtual mailbox table")
    assert isinstance(odd, Failure)
    assert odd.words.isprintable()
    assert "\n" not in odd.words


@pytest.mark.parametrize(
    ("recipient", "is_of"), [(TO_WHOM, True), ("BUDI+x@nusajaya.example", True), ("anak@lain.example", False)]
)
def test_a_forward_that_is_dead_is_not_the_mailbox_before_it(recipient: str, *, is_of: bool) -> None:
    says = read_bounce(dsn(failed("5.1.1", "", recipient=recipient)).encode()).says

    assert isinstance(says, Failure)
    assert says.is_of(EmailAddress(TO_WHOM)) is is_of


def test_a_server_that_rewrites_the_address_names_the_original() -> None:
    rewritten = (
        failed("5.1.1", "", recipient="budi@intern.nusajaya.example")
        + f"\nOriginal-Recipient: rfc822;{TO_WHOM}"
    )
    says = read_bounce(dsn(rewritten).encode()).says

    assert isinstance(says, Failure)
    assert says.is_of(EmailAddress(TO_WHOM))


REPORT = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n"
HOSTILE = {
    "empty": b"",
    "no end of the head": b"X: y\n" * 30_000,
    "one huge field": REPORT + b"X: " + b"a" * 900_000 + b"\n\n",
    "thousands of parts": REPORT + b"\n" + b"--b\nA: b\n\n" * 90_000,
    "thousands of groups": REPORT + b"\n--b\nContent-Type: "
        b"message/delivery-status\n\n" + b"Action: x\n\n" * 80_000,
    "thousands of parameters": b"Content-Type: multipart/report" + b"; a=b" * 10_000 + b"\n\n",
    "an open quote": b'Content-Type: multipart/report; a="' + b";" * 1900 + b"\n\n",
    "deep nesting": b"".join(b"Content-Type: multipart/report; report-type=delivery-status; "
        b"boundary=b%d\n\n--b%d\n" % (n, n)
                             for n in range(9000)),
    "a message in a message": b"Content-Type: message/rfc822\n\n" * 30_000,
    "a boundary of nothing": REPORT.replace(b"boundary=b", b'boundary=""') + b"\n--\n" * 1000,
    "a wrong charset": REPORT.replace(b"boundary=b", b"boundary*=nope'x'%ff%00") + b"\n--b\n\n",
    "blank lines": REPORT + b"\n--b\nContent-Type: message/delivery-status\n\n" + b"\n \t" * 300_000,
    "base64 that is none": REPORT + b"\n--b\nContent-Type: "
        b"message/delivery-status\nContent-Transfer-Encoding: base64\n\n=@@\n",
    "a number of a thousand digits": dsn(failed("5." + "1" * 1000 + ".1", "")).encode(),
    "longer than is read": dsn(failed("5.2.2", "")).encode() + b"x" * LONGEST_MESSAGE,
}  # fmt: skip


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_message_marks_nobody_and_costs_little(message: bytes) -> None:
    begun = time.process_time()

    came_back = read_bounce(message)

    assert not _meaning(came_back).startswith("hard")
    assert time.process_time() - begun < 2


@given(st.binary(max_size=4000), st.integers(0, 3000))
def test_nonsense_is_borne(noise: bytes, place: int) -> None:
    whole = dsn(POSTFIX).encode()

    for message in (
        noise,
        REPORT + b"\n--b\nContent-Type: message/delivery-status\n\n" + noise,
        whole[:place] + noise + whole[place:],
    ):
        assert isinstance(read_bounce(message), CameBack)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_field_is_borne(kind: str, value: str) -> None:
    message = (
        f"Content-Type: multipart/report; report-type=delivery-status; boundary={kind}\nTo: "
        f"{value}\n\n--{kind}\n"
    )

    assert isinstance(read_bounce(message.encode("utf-8", "surrogatepass")), CameBack)


# -- the address that a letter comes back to
OLD, NEW = "an older key of these tests alone", "a newer key of these tests alone"


def test_each_letter_has_an_address_that_survives_gateways() -> None:
    keys = SigningKeys((NEW,))
    box = "b" * LONGEST_BOX

    assert LONGEST_BOX == LONGEST_RETURN_BOX
    for reference in [new_reference() for _ in range(200)]:
        address = keys.return_path(f"{box}@mail.example", reference)
        local = address.split("@")[0]
        assert len(local) <= 64
        assert local.replace("+", "").replace("-", "").isalnum()
        for spelled in (
            address,
            address.upper(),
            f"Penerima <{address.title()}>, lain@x.example",
            local.partition("+")[2],
        ):
            assert [keys.open_mark(mark) for mark in marks_in(spelled)] == [reference]


def test_only_our_signature_opens_it_and_keys_rotate() -> None:
    reference, other = new_reference(), new_reference()
    address = SigningKeys((OLD,)).return_path("bounce@mail.example", reference)
    (mark,) = marks_in(address)
    (of_other,) = marks_in(SigningKeys((OLD,)).return_path("bounce@mail.example", other))

    assert SigningKeys((NEW, OLD)).open_mark(mark) == reference
    assert SigningKeys((NEW,)).open_mark(mark) is None
    assert SigningKeys((OLD,)).open_mark(ReturnPathMark(of_other.letter, mark.signature)) is None
    assert SigningKeys((OLD,)).open_mark(ReturnPathMark(mark.letter, "a" * 20)) is None


@given(st.text(max_size=200))
def test_any_address_is_borne(text: str) -> None:
    for mark in marks_in(text):
        SigningKeys((NEW,)).open_mark(mark)
