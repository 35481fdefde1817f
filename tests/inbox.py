"""Mail as its readers see it. The real worker code delivers it, and the tests read the files that the demo's
postman writes."""

import email
import re
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message

from flask import Flask
from sqlalchemy import select

from app.models.outbox_mail import MailState, OutboxMail
from app.runtime.db import reading
from app.runtime.portal import portal
from app.worker.bell import Bell
from app.worker.hand import Hand
from app.worker.mails import send_some

_BOUNDARY = re.compile(rb'boundary="([^"]+)"')
_TO_SEND = (MailState.WAITING, MailState.SENDING, MailState.DEFERRED)
_ANY_TO_SEND = select(OutboxMail.id).where(OutboxMail.state.in_(_TO_SEND)).limit(1)


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str
    html: str
    message_id: str

    @property
    def code(self) -> str:
        """The token that stands alone on its line."""
        found = re.search(r"^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", self.text, re.MULTILINE)
        assert found, self.text
        return found[0]

    @property
    def link(self) -> str:
        """The link that stands alone on its line."""
        found = re.search(r"^https?://\S+$", self.text, re.MULTILINE)
        assert found, self.text
        return found[0]


class Inbox:
    """All mailboxes at once."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._hand = Hand(Bell())
        self._read: set[str] = set()

    def fetch(self) -> list[Mail]:
        """Let the worker deliver what is due. Returns the mails that are new since the last call, in the
        order in which they were posted."""
        with self._app.app_context():
            postman = portal().postman()
            folder = portal().settings.mail_folder
        with postman:
            while self._has_mail_to_send() and send_some(self._app, postman, self._hand):
                pass
        unread = [file for file in folder.glob("*.eml") if file.name not in self._read]
        if not unread:
            return []
        with self._app.app_context(), reading() as session:
            found = select(OutboxMail.id, OutboxMail.message_id).where(
                OutboxMail.message_id.in_(file.stem for file in unread)
            )
            posted = {f"{name}.eml": number for number, name in session.execute(found)}
        new = sorted(unread, key=lambda file: posted.get(file.name, 0))
        self._read |= {file.name for file in new}
        return [_parsed(file.read_bytes()) for file in new]

    def _has_mail_to_send(self) -> bool:
        """Whether a mail waits. Asking this is cheaper than starting the worker, which looks in a dozen
        places before it knows that there is none."""
        with self._app.app_context(), reading() as session:
            return session.scalar(_ANY_TO_SEND) is not None

    def fetch_one(self, to: str | None = None) -> Mail:
        """The only new mail, which must have gone to `to`."""
        mails = self.fetch()
        assert len(mails) == 1, [(mail.to, mail.subject) for mail in mails]
        assert to is None or mails[0].to == to, mails[0].to
        return mails[0]


def _parsed(content: bytes) -> Mail:
    """Read a mail without the policy that turns each header into an object: there are thousands of mails. The
    boundary is made the same in all of them, because the parser compiles an expression for each."""
    boundary = _BOUNDARY.search(content)
    assert boundary, content
    message = email.message_from_bytes(content.replace(boundary[1], b"same-boundary"))
    bodies = {part.get_content_subtype(): part for part in message.walk()}
    return Mail(
        _header(message, "To"),
        _header(message, "Subject"),
        _text(bodies["plain"]),
        _text(bodies["html"]),
        _header(message, "Message-ID"),
    )


def _header(message: Message, name: str) -> str:
    return str(make_header(decode_header(message[name])))


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode(part.get_content_charset() or "ascii")
