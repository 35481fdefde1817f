"""How far a message that came back is read, and what the operator is told of it."""

from base64 import b64encode

import pytest

from app.domain.bounce import CameBack, Failure, NoFailure, read_bounce
from tests.reports import TO_WHOM, dsn, failed

NO_END = NoFailure("has no end of its headers where one is looked for")
NO_REPORT = NoFailure("is no report on a delivery")
NO_PART = NoFailure("is a report without a part that says how the delivery went")
KIND = "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
GROUP = failed("5.1.1", "")
HARD = Failure("5.1.1", "", True, (TO_WHOM,))


def status(groups: str, kind: str = "message/delivery-status") -> str:
    return f"Content-Type: {kind}\n\nReporting-MTA: dns; mx.example\n\n{groups}\n"


def report(*parts: str, end: str = "--b--\n") -> bytes:
    return "".join((f"{KIND}\n\n", *(f"--b\n{part}\n" for part in parts), end)).encode()


# -- the head of the message
def test_headers_that_go_on_and_on_are_not_read() -> None:
    for message in (b"X: y\n" * 30_000, b"X: y\n" * 30_000 + b"\n" + report(status(GROUP))):
        assert read_bounce(message) == CameBack((), NO_END)


def test_a_message_may_be_its_headers_alone_as_long_as_they_may_be() -> None:
    short = b"To: bounce@mail.example\nX: "

    for message in (short, short + b"y" * (64 * 1024 - len(short))):
        assert read_bounce(message) == CameBack(("bounce@mail.example",), NO_REPORT)


@pytest.mark.parametrize("front", [b"", b"\n", b"\r\n\r\n"])
def test_empty_lines_in_front_are_left_out_and_nothing_else(front: bytes) -> None:
    message = front + b"X-Original-To: bounce@mail.example\n" + report(status(GROUP))

    assert read_bounce(message) == CameBack(("bounce@mail.example",), HARD)


def test_of_many_lines_that_say_where_it_went_the_first_twenty_are_read() -> None:
    came_back = read_bounce(b"".join(b"To: bounce+%d@mail.example\n" % number for number in range(25)))

    assert came_back.sent_to == tuple(f"bounce+{number}@mail.example" for number in range(20))


def test_a_kind_of_content_may_have_2000_characters() -> None:
    kind = KIND.removeprefix("Content-Type: ")
    longest = kind.replace("boundary", f"x={'y' * (2000 - len(kind) - 4)}; boundary")

    assert len(longest) == 2000
    assert read_bounce(report(status(GROUP)).replace(kind.encode(), longest.encode())).says == HARD
    assert read_bounce(
        report(status(GROUP)).replace(kind.encode(), f"{longest};".encode())
    ).says == NoFailure("names a kind of content that is too long")


def test_a_message_that_no_program_writes_cannot_be_read() -> None:
    message = report(status(GROUP)).replace(b"boundary=b", b"boundary*=nope'x'%ff%00")

    assert read_bounce(message) == CameBack((), NoFailure("cannot be read"))


# -- its parts
@pytest.mark.parametrize("kind", ["message/delivery-status", "message/global-delivery-status"])
def test_a_status_may_be_written_in_every_script(kind: str) -> None:
    assert read_bounce(report(status(GROUP, kind))).says == HARD


def test_a_boundary_beyond_ascii_is_none_that_can_be_read() -> None:
    message = report(status(GROUP)).replace(b"boundary=b", b"boundary=b\xff").replace(b"--b", b"--b\xff")

    assert read_bounce(message) == CameBack((), NoFailure("cannot be read"))


@pytest.mark.parametrize("line", ["--", "--None"])
def test_without_a_boundary_there_are_no_parts(line: str) -> None:
    message = report(status(GROUP)).replace(b"boundary=b", b"x=b").replace(b"--b\n", f"{line}\n".encode())

    assert read_bounce(message).says == NO_PART


def test_a_status_is_looked_for_among_the_first_twenty_parts() -> None:
    text = "Content-Type: text/plain\n\nhere"

    assert read_bounce(report(*[text] * 19, status(GROUP))).says == HARD
    assert read_bounce(report(*[text] * 21, status(GROUP))).says == NO_PART


def test_a_report_that_was_cut_off_in_its_status_is_read() -> None:
    assert read_bounce(report(status(GROUP), end="")).says == HARD


def test_nothing_is_read_behind_the_end() -> None:
    assert read_bounce(report("Content-Type: text/plain\n\nhere") + status(GROUP).encode()).says == NO_PART


@pytest.mark.parametrize("end_of_line", ["\n", "\r\n"])
def test_a_status_in_base64_is_read(end_of_line: str) -> None:
    kind, _, content = status(GROUP).partition("\n\n")
    encoded = b64encode(content.replace("\n", end_of_line).encode()).decode()

    message = report(f"{kind}\nContent-Transfer-Encoding: base64\n\n{encoded}")

    assert read_bounce(message).says == HARD


# -- what the status says
def test_of_many_recipients_the_first_forty_nine_are_read() -> None:
    delivered = failed("2.0.0", "", action="delivered")

    assert read_bounce(report(status("\n\n".join([GROUP] * 49)))).says == HARD
    assert read_bounce(report(status("\n\n".join([GROUP] * 49 + [delivered])))).says == HARD


def test_a_report_of_no_failure_is_one_that_nobody_has_to_read() -> None:
    both = f"{failed('4.4.1', '', action='delayed')}\n\n{failed('2.0.0', '', action='Delivered')}"

    assert read_bounce(report(status("X-Nothing: here"))).says == NoFailure(
        "is a report that names no recipient", is_report=True
    )
    assert read_bounce(report(status(both))).says == NoFailure(
        "reports a letter that is delayed and delivered", is_report=True
    )


@pytest.mark.parametrize(
    "written", ["Xaver@contoh.go.id", "<Xaver@contoh.go.id>", " < Xaver@contoh.go.id > "]
)
def test_a_recipient_may_stand_in_angle_brackets(written: str) -> None:
    says = read_bounce(report(status(failed("5.1.1", "", recipient=written)))).says

    assert says == Failure("5.1.1", "", True, ("Xaver@contoh.go.id",))


@pytest.mark.parametrize(
    ("told", "words", "number"),
    [
        ("5.1.0", "550 5.5.2 something", "5.1.0"),
        ("5.0.1", "550 5.5.2 something", "5.0.1"),
        ("5.0.0", "550 5.5.2 something", "5.5.2"),
        ("5.0.0", "something", "5.0.0"),
        ("no number", "something", "5.0.0"),
    ],
)
def test_the_number_of_the_report_counts_unless_it_says_only_that_it_failed(
    told: str, words: str, number: str
) -> None:
    says = read_bounce(dsn(failed(told, words)).encode()).says

    assert isinstance(says, Failure)
    assert says.status == number


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("smtp; 550 5.1.1 unknown; sorry", "550 5.1.1 unknown; sorry"),
        ("550 5.1.1 unknown; sorry", "550 5.1.1 unknown; sorry"),
        ("X-Postfix; unknown", "unknown"),
        ("unknown", "unknown"),
    ],
)
def test_the_words_are_what_stands_behind_their_kind(written: str, words: str) -> None:
    says = read_bounce(report(status(f"{GROUP}\nDiagnostic-Code: {written}"))).says

    assert isinstance(says, Failure)
    assert says.words == words


@pytest.mark.parametrize("action", ["failed", "Failed;", "failed (for good)"])
def test_a_failure_is_told_by_its_first_word(action: str) -> None:
    assert read_bounce(report(status(failed("5.1.1", "", action=action)))).says == HARD


@pytest.mark.parametrize("action", ["exploded", ""])
def test_an_action_that_nobody_knows_is_no_failure(action: str) -> None:
    says = read_bounce(report(status(failed("5.1.1", "", action=action)))).says

    assert says == NoFailure("reports a letter that is of unknown fate", is_report=True)
