"""The mailbox that the return path leads to, over IMAP. Every problem with it is a `MailboxFault`."""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from app.domain.bounce import LONGEST_MESSAGE
from config import BounceMailbox

SECONDS_FOR_EACH_ANSWER = 15
# Faults of TLS and time-outs are OSErrors; a broken answer causes a ValueError
_FAULTS = (
    imaplib.IMAP4.error,
    OSError,
    ValueError,
)


class MailboxFault(Exception):
    """The server cannot be reached, hangs, or refuses. The text holds the server's words."""


@contextmanager
def _as_mailbox_faults() -> Iterator[None]:
    try:
        yield
    except _FAULTS as fault:
        raise MailboxFault(f"{type(fault).__name__}: {fault}") from fault


class OpenMailbox:
    """`with OpenMailbox(settings) as mailbox:` logs in and opens the folder."""

    def __init__(self, where: BounceMailbox) -> None:
        self._where = where

    def __enter__(self) -> Self:
        with _as_mailbox_faults():
            self._imap = _connect(self._where)
            try:
                self._imap.login(_quoted(self._where.username), self._where.password)
                _succeeded(self._imap.select(_quoted(self._where.folder)))
                self._can_remove_by_number = (
                    b"UIDPLUS" in b" ".join(_succeeded(self._imap.capability())).upper().split()
                )
            except BaseException:
                self._imap.shutdown()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._imap.logout()
        except _FAULTS:
            self._imap.shutdown()

    def unread(self, most: int) -> list[str]:
        """The numbers (UID) of messages that nobody has read, the oldest first."""
        with _as_mailbox_faults():
            found = _succeeded(self._imap.uid("SEARCH", "UNSEEN", "UNDELETED"))
        return [number.decode() for number in (found[0] or b"").split() if number.isdigit()][:most]

    def message(self, number: str) -> bytes:
        """The beginning of the message, up to the length that is read of any message. It stays unread. Empty
        if the message is gone."""
        with _as_mailbox_faults():
            parts = _succeeded(self._imap.uid("FETCH", number, f"(BODY.PEEK[]<0.{LONGEST_MESSAGE}>)"))
        return next((part[1] for part in parts if isinstance(part, tuple)), b"")

    def keep_as_read(self, number: str) -> None:
        with _as_mailbox_faults():
            _succeeded(self._imap.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)"))

    def remove(self, number: str) -> None:
        """Removes only this message: a message that somebody else has marked for removal is not ours. A
        server that cannot remove by number (RFC 4315) keeps the message, marked."""
        with _as_mailbox_faults():
            _succeeded(self._imap.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen \Deleted)"))
            if self._can_remove_by_number:
                _succeeded(self._imap.uid("EXPUNGE", number))


def _connect(where: BounceMailbox) -> imaplib.IMAP4:
    if where.use_ssl:
        trusted = ssl.create_default_context()
        return imaplib.IMAP4_SSL(where.host, where.port, ssl_context=trusted, timeout=SECONDS_FOR_EACH_ANSWER)
    return imaplib.IMAP4(where.host, where.port, timeout=SECONDS_FOR_EACH_ANSWER)


def _succeeded(answer: tuple[str, list[Any]]) -> list[Any]:
    state, data = answer
    if state != "OK":
        said = next((part.decode(errors="replace") for part in data if isinstance(part, bytes)), "")
        raise imaplib.IMAP4.error(f"{state} {said}")
    return data


def _quoted(text: str) -> str:
    """The text in quotes, because imaplib itself quotes only passwords."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
