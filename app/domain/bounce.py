"""What a mail server says later about a mail that it had taken: a report in the form of RFC 3464. Strangers
may forge such a report.

The message is read with bounds and without recursion: only its own parts are looked at, never those of a
message inside it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser, HeaderParser
from itertools import islice

from app.domain.email_address import EmailAddress, read_email

LONGEST_MESSAGE = 1024 * 1024  # bytes that are read; the important part of a report is at its beginning
_LONGEST_HEAD = 64 * 1024
_LONGEST_FIELD = 2000  # characters
_MOST_PARTS = 20
_MOST_GROUPS = 50  # of fields in a report: one for the message, one for each recipient
_LONGEST_WORDS = 400
_DELIVERED_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")

# RFC 3463. These numbers are hard: they say that there is no such mailbox, no such domain, or that it was
# shut down.
_HARD = frozenset(
    ("5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.2.1", "5.4.4", "5.4.310")
)
# These numbers are hard only together with certain words after them.
_WORDS_TELL = ("5.0.", "5.3.0", "5.4.1", "5.5.", "5.7.1")
# Words with which servers use the same numbers for a complaint about the portal, or for a mailbox that is
# only busy.
_NOT_THE_MAILBOX = re.compile(
    r"\b(senders?|spam\w*|block(ed|list\w*)|black ?list\w*|policy|reputation|rate|quota|(over|mailbox|is) "
    r"?full)\b",
    re.IGNORECASE,
)
# For servers that give no number of RFC 3463, or a number about protocol, network or policy.
_NO_SUCH_MAILBOX = re.compile(
    r"(user|mailbox|recipient|address|account|addressee)\W+(is |was )?(unknown|not found|does(n.t| not) "
    r"exist|disabled|inactive)"
    r"|(unknown|no such|invalid|non-?existent) (user|mailbox|recipient|address|account|local part)"
    r"|recipient address rejected: access denied"  # Exchange, about somebody who is not in its directory
    r"|(does(n.t| not)|not) have an? [\w.-]{1,60} account|no mailbox (here )?by that name|host or domain "
    r"name not found",
    re.IGNORECASE,
)
_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?!\d)")
_STATUS_IN_WORDS = re.compile(r"(?:^|[\s(;#-])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")


@dataclass(frozen=True)
class Failure:
    """One recipient whom the mail did not reach."""

    status: str
    words: str  # the mail server's words, on one line; empty if it gave none
    is_hard: bool
    recipients: tuple[str, ...]  # as the report names them

    def is_of(self, address: EmailAddress) -> bool:
        """Whether the report is about the address that the mail went to, or at least about no other address.
        A forward may be dead although the mailbox before it works."""
        named = [one.mailbox for one in map(read_email, self.recipients) if isinstance(one, EmailAddress)]
        return not named or address.mailbox in named


@dataclass(frozen=True)
class NoFailure:
    """A message that does not say that a mail failed to arrive. It holds the reason, in words for the
    operator."""

    why: str
    is_report: bool = False  # a mail server's report, which nobody has to read


@dataclass(frozen=True)
class CameBack:
    """A message that has come to the return path: where it was sent, and what it says."""

    sent_to: tuple[str, ...]
    says: Failure | NoFailure


def read_bounce(message: bytes) -> CameBack:
    """Read what came, whatever it is. A message without meaning is no failure."""
    try:
        return _read(message[:LONGEST_MESSAGE].replace(b"\r\n", b"\n"))
    # What the email package raises for some messages without meaning
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ):
        return CameBack((), NoFailure("cannot be read"))


def _read(message: bytes) -> CameBack:
    head, body = _split(message)
    if head is None:
        return CameBack((), NoFailure("has no end of its headers where one is looked for"))
    return CameBack(tuple(_sent_to(head)), _said(head, body))


def _split(raw: bytes) -> tuple[Message | None, bytes]:
    """The fields at the beginning, and what follows the first empty line."""
    raw = raw.lstrip(b"\n")
    end = raw.find(b"\n\n", 0, _LONGEST_HEAD)
    if end < 0:
        return (None, b"") if len(raw) > _LONGEST_HEAD else (BytesHeaderParser().parsebytes(raw), b"")
    return BytesHeaderParser().parsebytes(raw[: end + 1]), raw[end + 2 :]


def _sent_to(head: Message) -> Iterator[str]:
    for name in _DELIVERED_TO:
        yield from (_text(value) for value in islice(head.get_all(name, []), _MOST_PARTS))


def _said(head: Message, body: bytes) -> Failure | NoFailure:
    kind = str(head.get("Content-Type", ""))
    if len(kind) > _LONGEST_FIELD:
        return NoFailure("names a kind of content that is too long")
    if (
        head.get_content_type() != "multipart/report"
        or str(head.get_param("report-type", "")).lower() != "delivery-status"
    ):
        return NoFailure("is no report on a delivery")
    boundary = str(head.get_boundary("")).encode("ascii")
    for part in _parts(body, boundary) if boundary else ():
        fields, content = _split(part)
        if fields is not None and fields.get_content_type() in (
            "message/delivery-status",
            "message/global-delivery-status",
        ):
            return _what_became_of(list(_groups(fields, content)))
    return NoFailure("is a report without a part that says how the delivery went")


def _parts(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """The parts one after the other, without looking at what is nested in them."""
    lines = re.finditer(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*$\n?", body, re.MULTILINE)
    begin = None
    for line in islice(lines, _MOST_PARTS + 1):
        if begin is not None:
            yield body[begin : line.start()]
        begin = line.end() if line[1] is None else None
    if begin is not None:  # the part was cut off, or never closed
        yield body[begin:]


def _groups(fields: Message, content: bytes) -> Iterator[Message]:
    fields.set_payload(content[:_LONGEST_HEAD].decode("ascii", "surrogateescape"))
    decoded = fields.get_payload(decode=True)
    text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
    for group in islice(re.split(r"\n[ \t]*(?:\n[ \t]*)+", text.replace("\r\n", "\n").strip()), _MOST_GROUPS):
        yield HeaderParser().parsestr(f"{group}\n\n")


def _what_became_of(groups: list[Message]) -> Failure | NoFailure:
    """A mail has one recipient. A report has several when forwards were involved; then one recipient that was
    reached is enough."""
    told = [(_word(group["Action"]), group) for group in groups if group["Action"] is not None]
    actions = {action for action, _ in told}
    if not actions:
        return NoFailure("is a report that names no recipient", is_report=True)
    if actions != {"failed"}:
        return NoFailure(f"reports a letter that is {' and '.join(sorted(actions))}", is_report=True)
    failures = [_failure(group) for _, group in told]
    return next((one for one in failures if not one.is_hard), failures[0])


def _failure(group: Message) -> Failure:
    words = _after_type(group["Diagnostic-Code"])[:_LONGEST_WORDS]
    status = _status(_text(group["Status"]), words)
    recipients = tuple(
        _after_type(group[name]).strip("<> ")
        for name in ("Original-Recipient", "Final-Recipient")
        if group[name] is not None
    )
    return Failure(status, words, _is_hard(status, words), recipients)


def _status(told: str, words: str) -> str:
    """The number of the report. If that says only "failed", the number in the server's own words."""
    numbers = [found for found in (_STATUS.match(told), _STATUS_IN_WORDS.search(words)) if found]
    telling = next(
        (found for found in numbers if found.group(2, 3) != ("0", "0")), numbers[0] if numbers else None
    )
    return ".".join(str(int(part)) for part in telling.groups()) if telling else "5.0.0"


def _is_hard(status: str, words: str) -> bool:
    if _NOT_THE_MAILBOX.search(words):
        return False
    return status in _HARD or (status.startswith(_WORDS_TELL) and bool(_NO_SUCH_MAILBOX.search(words)))


def _word(value: object) -> str:
    """The first word of a field, if it is one that RFC 3464 knows."""
    word = (_text(value).lower().split() or [""])[0].strip(";")
    return word if word in ("failed", "delayed", "delivered", "relayed", "expanded") else "of unknown fate"


def _after_type(value: object) -> str:
    """`smtp; 550 ...` and `rfc822; nama@contoh.go.id` without what stands before the semicolon."""
    kind, semicolon, rest = _text(value).partition(";")
    return (
        rest if semicolon and re.fullmatch(r"[\w.-]+", kind.strip()) else f"{kind}{semicolon}{rest}"
    ).strip()


def _text(value: object) -> str:
    """A field on one line, in characters that can be shown."""
    seen = "".join(letter if letter.isprintable() else " " for letter in str(value or "")[:_LONGEST_FIELD])
    return " ".join(seen.encode("utf-8", "replace").decode().split())
