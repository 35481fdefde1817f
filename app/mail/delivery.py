"""Handing letters to the mail server with Flask-Mail, which has no time-out and does not verify the certificate at
STARTTLS, so the connection is made here. Without a mail server (demo) letters become files."""

import os
import smtplib
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urlsplit

from flask import Flask
from flask_mail import Connection, Mail, Message

from app.mail.outbox import BrokenOff, Delivery, HandedOver, RefusedForGood, RefusedForNow
from app.mail.rendering import RenderedLetter
from config import Settings

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SECONDS_FOR_EACH_ANSWER = 20
# smtplib's and TLS's faults are OSErrors too; a UnicodeError is a host name or mail password that cannot be sent.
_FAULTS_OF_THE_LINE = (OSError, UnicodeError)


class Postman(Protocol):
    """Whoever carries letters for as long as the `with` lasts."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None: ...

    def deliver(self, letter: RenderedLetter, to_address: str, message_id: str) -> Delivery: ...


class ReturnPaths(Protocol):
    """Whoever can sign where one letter comes back to; app/security/signing.py can."""

    def return_path(self, address: str, message_id: str) -> str: ...


def init_app(app: Flask, settings: Settings, keys: ReturnPaths) -> Callable[[], Postman]:
    """Configure Flask-Mail; returns how to get a postman."""
    server = settings.mail_server
    app.config["MAIL_DEFAULT_SENDER"] = settings.mail_sender
    app.config["MAIL_SUPPRESS_SEND"] = False
    if server is None:
        mail = Mail(app)
        return lambda: FilePostman(settings)
    app.config.update(
        MAIL_SERVER=server.host,
        MAIL_PORT=server.port,
        MAIL_USERNAME=server.username,
        MAIL_PASSWORD=server.password,
        MAIL_USE_TLS=server.use_tls,
        MAIL_USE_SSL=server.use_ssl,
    )
    mail = Mail(app)
    return lambda: SmtpPostman(mail, settings, keys)


def reach_server(postman: Callable[[], Postman]) -> None:
    """Connect, with TLS and login as configured, and hang up; raises what stands in the way. Files need no server."""
    with postman() as carrier:
        if isinstance(carrier, SmtpPostman):
            carrier.connect()


class SmtpPostman:
    """One connection for many letters; one recipient a message, because with two a refusal of one raises nothing."""

    def __init__(self, mail: Mail, settings: Settings, keys: ReturnPaths) -> None:
        self._mail = mail
        self._settings = settings
        self._keys = keys
        self._connection: VerifiedConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self._hang_up()

    def deliver(self, letter: RenderedLetter, to_address: str, message_id: str) -> Delivery:
        """Hand over one letter; every fault of the line becomes an outcome that says whether it may be sent again."""
        try:
            connection = self.connect()
        except _FAULTS_OF_THE_LINE as fault:
            return RefusedForNow(f"no connection: {_words_of(fault)}")
        message = _message(letter, to_address, message_id, self._settings)
        connection.talk.letter_is_out = False
        try:
            connection.send(message, envelope_from=self._return_path(message_id))
        except smtplib.SMTPRecipientsRefused as refusal:
            return self._refused(connection.talk, *next(iter(refusal.recipients.values())))
        except smtplib.SMTPResponseException as refusal:
            return self._refused(connection.talk, refusal.smtp_code, refusal.smtp_error)
        except smtplib.SMTPNotSupportedError as refusal:
            return RefusedForGood(_words_of(refusal))
        except _FAULTS_OF_THE_LINE as fault:
            return self._broken_off(connection.talk, _words_of(fault))
        return HandedOver(connection.talk.last_word)

    def connect(self) -> "VerifiedConnection":
        """The open connection if the server still answers on it, else a new one."""
        if self._connection is not None:
            if self._connection.talk.is_heard():
                return self._connection
            self._hang_up()
        connection = VerifiedConnection(self._mail)
        connection.__enter__()
        self._connection = connection
        return connection

    def _return_path(self, message_id: str) -> str | None:
        """MAIL FROM of this letter; None for the address in its From."""
        address = self._settings.mail_return_path
        return self._keys.return_path(address, message_id) if address else None

    def _refused(self, talk: "_Talk", code: int, words: bytes | str) -> Delivery:
        answer = f"{code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"
        if code == 421:  # "closing the channel": it will not listen on this connection any more
            self._hang_up()
        if 400 <= code < 500:
            return RefusedForNow(answer)
        if 500 <= code < 600:
            return RefusedForGood(answer)
        return self._broken_off(talk, answer)  # nobody knows what the server meant

    def _broken_off(self, talk: "_Talk", words: str) -> Delivery:
        self._hang_up()
        return BrokenOff(words) if talk.letter_is_out else RefusedForNow(words)

    def _hang_up(self) -> None:
        """Close politely; how that ends says nothing about the letters that were handed over before."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.talk.quit()
            except _FAULTS_OF_THE_LINE:
                connection.talk.close()


class VerifiedConnection(Connection):
    """Flask-Mail's connection with a time-out on every answer and a certificate that must fit the server's name."""

    talk: "_Talk"

    def configure_host(self) -> smtplib.SMTP:
        mail, trusted = self.mail, ssl.create_default_context()
        if mail.use_ssl:
            self.talk = _TalkInTls(mail.server, mail.port, timeout=SECONDS_FOR_EACH_ANSWER, context=trusted)
        else:
            self.talk = _Talk(mail.server, mail.port, timeout=SECONDS_FOR_EACH_ANSWER)
        try:
            if mail.use_tls:
                self.talk.starttls(context=trusted)
            if mail.username and mail.password:
                self.talk.login(mail.username, mail.password)
            self.talk.ehlo_or_helo_if_needed()  # a server that refuses this refuses us, not the next letter
        except BaseException:
            self.talk.close()
            raise
        return self.talk


class _Talk(smtplib.SMTP):
    """Notes the moment from which the server may hold the letter, and its last word on it."""

    letter_is_out = False
    last_word = ""

    def is_heard(self) -> bool:
        """Whether the server still listens. Many say 421 before they close an idle line, so not every answer is a yes."""
        try:
            return self.noop()[0] == 250
        except _FAULTS_OF_THE_LINE:
            return False

    def send(self, s: "ReadableBuffer | str") -> None:
        """Commands are sent as str; bytes are the letter, which smtplib sends when the server has asked for it."""
        if not isinstance(s, str):
            self.letter_is_out = True
        super().send(s)

    def data(self, msg: "ReadableBuffer | str") -> tuple[int, bytes]:
        code, words = super().data(msg)
        self.last_word = f"{code} {words.decode(errors='replace')}"
        return code, words


class _TalkInTls(_Talk, smtplib.SMTP_SSL):
    """The same inside TLS from the first byte."""


class FilePostman:
    """The demo's mail server: each letter a file that the page /kotak-surat shows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        self._settings.mail_folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def deliver(self, letter: RenderedLetter, to_address: str, message_id: str) -> Delivery:
        content = _message(letter, to_address, message_id, self._settings).as_bytes()
        file = self._settings.mail_folder / f"{message_id}.eml"
        half_written = file.with_suffix(f".{os.getpid()}")
        try:
            half_written.write_bytes(content.replace(b"\r\n", b"\n"))  # as files are kept on this side of the wire
            half_written.rename(file)
        except OSError as fault:
            return RefusedForNow(_words_of(fault))
        return HandedOver(f"file {file.name}")


def _message(letter: RenderedLetter, to_address: str, message_id: str, settings: Settings) -> Message:
    message = Message(
        subject=letter.subject,
        recipients=[to_address],
        body=letter.text,
        html=letter.html,
        sender=settings.mail_sender,  # as one string: from a pair Flask-Mail forgets the quotes that a comma needs
        # Told to auto-responders: nobody reads an answer (RFC 3834).
        extra_headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.msgId = f"<{message_id}@{urlsplit(settings.public_url).hostname}>"
    return message


def _words_of(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}"
