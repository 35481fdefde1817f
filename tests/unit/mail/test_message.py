"""A letter as the bytes of a mail."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from app.mail.message import subject_in_ascii, written


def read(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=policy.default)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_both_parts_arrive_as_they_were_written() -> None:
    message = read(written([("Subject", "Token")], "Yth. Budi Ærø,\nbaris\r\nakhir", "<p>Ærø</p>\r"))

    assert (message.get_content_type(), message["Subject"]) == ("multipart/alternative", "Token")
    assert part(message, "plain").splitlines() == ["Yth. Budi Ærø,", "baris", "akhir"]
    assert part(message, "html").strip() == "<p>Ærø</p>"


def test_every_line_ends_as_mail_wants_it() -> None:
    content = written([("Subject", "Token")], "satu\ndua\rtiga\n.\nempat", "<p>\n.\r</p>")

    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")


def test_no_words_of_a_letter_end_a_part() -> None:
    first = written([("Subject", "x")], "halo", "")
    boundary = first.split(b'boundary="')[1].split(b'"')[0].decode()

    message = read(written([("Subject", "x")], f"halo\n--{boundary}--\nsesudahnya", "<p></p>"))

    assert "sesudahnya" in part(message, "plain")


@pytest.mark.parametrize(
    "value", ["a\r\nBcc: b@x.example", "a\nBcc: b@x.example", "a\rBcc: b@x.example", "a\r\n\r\nb"]
)
def test_no_value_begins_a_header_of_its_own(value: str) -> None:
    with pytest.raises(ValueError, match="Subject"):
        written([("Subject", value)], "", "")


@pytest.mark.parametrize("words", ["Token Reset Password MySAPK", "Ærø " * 60, "kata " * 60])
def test_a_subject_arrives_whole_in_short_lines(words: str) -> None:
    subject = subject_in_ascii(words.strip())

    assert read(written([("Subject", subject)], "", ""))["Subject"] == words.strip()
    assert max(len(line) for line in subject.split("\r\n")) <= 78
