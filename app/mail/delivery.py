"""Mails are handed to the mail server over Flask-Mail's connection. Flask-Mail has no time-out and does not
verify the certificate at STARTTLS, so the connection is made here. Without a mail server (demo), mails become
files."""

import os
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import cache
from select import select
from time import monotonic
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

from flask import Flask
from flask_mail import Connection, Mail, sanitize_address

from app.mail.message import subject_in_ascii, written
from app.mail.outcomes import (
    ConnectionFault,
    Delivery,
    HandedOver,
    Phase,
    SessionFault,
)
from app.mail.rendering import RenderedLetter
from app.mail.verdict import judged
from config import Settings

# How long a server may take at each place in the talk (RFC 5321 4.5.3.2). The first silence ends the round,
# so a server that hangs costs one of these times, not one for each mail. A second connection goes on with the
# other mails meanwhile (app/worker/mails.py).
PATIENCE = {
    Phase.CONNECT: 300.0,
    Phase.HELLO: 300.0,
    Phase.TLS: 300.0,
    Phase.LOGIN: 300.0,
    Phase.MAIL: 300.0,
    Phase.RCPT: 300.0,
    Phase.DATA: 120.0,
    Phase.CONTENT: 180.0,
    Phase.END: 600.0,
}
SECONDS_FOR_A_COURTESY = 20.0  # NOOP, RSET and QUIT; no mail depends on these
# After the server has taken a mail: for so long the connection stays open for the next one, and the server is
# not asked whether it is still there.
SECONDS_OF_TRUST = 10.0
SECONDS_OF_A_CONNECTION = 60.0  # some servers take only so many mails over one
# Faults of smtplib and TLS are OSErrors too; a UnicodeError is a host name that cannot be sent.
_FAULTS_OF_THE_LINE = (OSError, UnicodeError)
_YES = {Phase.MAIL: (250,), Phase.RCPT: (250, 251), Phase.DATA: (354,)}
_PLAIN_ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:\"@]+@[^\s<>()\[\]\\,;:\"@]+")
_DOT_AT_THE_START = re.compile(rb"^\.", re.MULTILINE)


class Postman(Protocol):
    """Carries mails for as long as the `with` block lasts. The connection stays open between two mails that
    come soon after each other; whoever has no mail for a while calls `rest`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def deliver(self, letter: RenderedLetter, to_address: str, message_id: str) -> Delivery: ...

    def rest(self) -> None: ...


class ReturnPaths(Protocol):
    """Signs the address where one mail comes back to; app/security/signing.py can do that."""

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
    # Read once, because reading the authorities costs as much as fifty mails; and only for a server with TLS
    trusted = cache(ssl.create_default_context)
    return lambda: SmtpPostman(mail, settings, keys, trusted)


def reach_server(postman: Callable[[], Postman], seconds: float) -> None:
    """Connect, with TLS and login as configured, and hang up. Raises the reason if that fails, or if an
    answer took longer than `seconds`. Files need no server."""
    with postman() as carrier:
        if isinstance(carrier, SmtpPostman):
            carrier.patience = dict.fromkeys(Phase, seconds)
            carrier.connect()


class SmtpPostman:
    """One connection for many mails. Each message has one recipient, because with two, smtplib raises nothing
    when only one is refused."""

    def __init__(
        self, mail: Mail, settings: Settings, keys: ReturnPaths, trusted: Callable[[], ssl.SSLContext]
    ) -> None:
        self._mail = mail
        self._settings = settings
        self._keys = keys
        self._trusted = trusted
        self._connection: VerifiedConnection | None = None
        self._until = 0.0
        self.patience = PATIENCE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()

    def deliver(self, letter: RenderedLetter, to_address: str, message_id: str) -> Delivery:
        """Hand over one mail. Every fault on the way becomes an outcome that says whose fault it is."""
        kept = self._connection
        try:
            connection = self.connect()
        except _FAULTS_OF_THE_LINE as fault:
            return _at_the_door(fault)
        talk = connection.talk
        talk.letter_is_out = False
        try:
            content = _content(letter, to_address, message_id, self._settings)
            code, words = talk.hand_over(self._return_path(message_id), _in_brackets(to_address), content)
        except _FAULTS_OF_THE_LINE as fault:
            self._hang_up()
            if connection is kept and talk.was_gone(fault):
                return self.deliver(letter, to_address, message_id)  # over a new connection
            return ConnectionFault(_words_of(fault), talk.may_know_recipient, talk.letter_is_out)
        except BaseException:
            self._hang_up()  # nobody knows how far the talk has come
            raise
        answer = words.decode(errors="replace")
        if talk.phase is Phase.END and code == 250:
            return HandedOver(f"{code} {answer}")
        return self._refused(talk, code, answer)

    def rest(self) -> None:
        """Hang up if the server has taken no mail for a while, or has listened for long."""
        if self._connection is not None and not self._is_still_good(self._connection):
            self._hang_up()

    def connect(self) -> "VerifiedConnection":
        """The open connection if the server still answers on it, otherwise a new one."""
        if self._connection is not None:
            if monotonic() < self._until and self._connection.talk.is_heard():
                return self._connection
            self._hang_up()
        connection = VerifiedConnection(self._mail, self._settings.ehlo_name, self.patience, self._trusted)
        connection.__enter__()
        self._connection, self._until = connection, monotonic() + SECONDS_OF_A_CONNECTION
        return connection

    def _is_still_good(self, connection: "VerifiedConnection") -> bool:
        moment = monotonic()
        return moment < min(self._until, connection.talk.taken_at + SECONDS_OF_TRUST)

    def _return_path(self, message_id: str) -> str:
        """The MAIL FROM of this mail."""
        address = self._settings.mail_return_path
        if not address:
            return _sender_in_brackets(self._settings.mail_sender)
        return _in_brackets(self._keys.return_path(address, message_id))

    def _refused(self, talk: "_Talk", code: int, words: str) -> Delivery:
        delivery = judged(talk.phase, code, words)
        if isinstance(delivery, ConnectionFault):
            self._hang_up()
        return delivery

    def _hang_up(self) -> None:
        """Close politely. A fault here says nothing about the mails that were handed over before."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.talk.quit()
            except _FAULTS_OF_THE_LINE:
                connection.talk.close()


def _at_the_door(fault: OSError | UnicodeError) -> Delivery:
    """No talk began: the connection is broken, or the server refuses us."""
    match fault:
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=words):
            text = words.decode(errors="replace") if isinstance(words, bytes) else words
            delivery = judged(Phase.LOGIN, code, text)
            return (
                delivery
                if isinstance(delivery, SessionFault)
                else ConnectionFault(f"no connection: {code} {text}")
            )
        case smtplib.SMTPServerDisconnected():
            return ConnectionFault(f"no connection: {_words_of(fault)}")
        case smtplib.SMTPException():  # the server offers no TLS, or no way to log in that we know
            return SessionFault(_words_of(fault))
    return ConnectionFault(f"no connection: {_words_of(fault)}")


class VerifiedConnection(Connection):
    """Flask-Mail's connection with three changes: it says its own name, waits as long as the standard asks,
    and accepts only a certificate that fits the server's name."""

    talk: "_Talk"

    def __init__(
        self,
        mail: Mail,
        ehlo_name: str,
        patience: Mapping[Phase, float],
        trusted: Callable[[], ssl.SSLContext],
    ) -> None:
        super().__init__(mail)
        self._ehlo_name, self._patience, self._trusted = ehlo_name, patience, trusted

    def configure_host(self) -> smtplib.SMTP:
        mail = self.mail
        first = self._patience[Phase.CONNECT]
        if mail.use_ssl:
            self.talk = _TalkInTls(
                mail.server, mail.port, self._ehlo_name, timeout=first, context=self._trusted()
            )
        else:
            self.talk = _Talk(mail.server, mail.port, self._ehlo_name, timeout=first)
        self.talk.patience = self._patience
        try:
            # A server that refuses this refuses us, not only the next mail
            self.talk.ehlo_or_helo_if_needed()
            if mail.use_tls:
                self.talk.enter(Phase.TLS)
                self.talk.starttls(context=self._trusted())
                self.talk.ehlo_or_helo_if_needed()
            if mail.username and mail.password:
                self._log_in(mail.username, mail.password)
        except BaseException:
            self.talk.close()
            raise
        return self.talk

    def _log_in(self, username: str, password: str) -> None:
        self.talk.enter(Phase.LOGIN)
        try:
            self.talk.login(username, password)
        except UnicodeError as fault:  # a name or password that cannot be sent
            raise smtplib.SMTPException(_words_of(fault)) from fault


class _Talk(smtplib.SMTP):
    """Knows its place in the talk, how long the server may take there, from when on the server may hold the
    mail, and the server's last answer about it."""

    phase = Phase.CONNECT
    patience: Mapping[Phase, float] = PATIENCE
    letter_is_out = False
    taken_at = float("-inf")  # by the monotonic clock

    def enter(self, phase: Phase) -> None:
        self.phase = phase
        self._wait_at_most(self.patience[phase])

    def _wait_at_most(self, seconds: float) -> None:
        if self.sock is not None and self.sock.gettimeout() != seconds:  # setting it costs a system call
            self.sock.settimeout(seconds)

    def ehlo(self, name: str = "") -> tuple[int, bytes]:
        self.enter(Phase.HELLO)
        return super().ehlo(name)

    def noop(self) -> tuple[int, bytes]:
        self._wait_at_most(SECONDS_FOR_A_COURTESY)
        return super().noop()

    def rset(self) -> tuple[int, bytes]:
        self._wait_at_most(SECONDS_FOR_A_COURTESY)
        return super().rset()

    def quit(self) -> tuple[int, bytes]:
        self._wait_at_most(SECONDS_FOR_A_COURTESY)
        return super().quit()

    def is_heard(self) -> bool:
        """Whether the server still listens. Many servers say 421 before they close an idle connection, so not
        every answer is a yes. A server that has just taken a mail is not asked: if it has said something
        since, that is its farewell."""
        try:
            if self.sock is not None and monotonic() - self.taken_at < SECONDS_OF_TRUST:
                return not select([self.sock], [], [], 0)[0]
            return self.noop()[0] == 250
        except _FAULTS_OF_THE_LINE:
            return False

    def hand_over(self, sender: str, recipient: str, content: bytes) -> tuple[int, bytes]:
        """Hand over one mail to one recipient, both in angle brackets. Returns the answer to the whole mail,
        or the first answer before it that is a no; `phase` says where it was.

        A server that offers it gets the commands at once (RFC 2920). Each of its answers is heard, and the
        mail itself leaves only after all of them."""
        size = f" size={len(content)}" if self.has_extn("size") else ""
        commands = {
            Phase.MAIL: f"mail FROM:{sender}{size}\r\n",
            Phase.RCPT: f"rcpt TO:{recipient}\r\n",
            Phase.DATA: "data\r\n",
        }
        self.enter(Phase.MAIL)
        if self._takes_all_at_once:
            self.send("".join(commands.values()))
        for phase, command in commands.items():
            self.enter(phase)
            if not self._takes_all_at_once:
                self.send(command)
            code, words = self.getreply()
            if code not in _YES[phase]:
                self._break_off(phase, code)
                return code, words
        self.enter(Phase.CONTENT)
        self.letter_is_out = True
        self.send(_DOT_AT_THE_START.sub(b"..", content) + b".\r\n")
        self.enter(Phase.END)
        code, words = self.getreply()
        if code == 250:
            self.taken_at = monotonic()
        else:
            self._break_off(Phase.END, code)
        return code, words

    def _break_off(self, refused_at: Phase, code: int) -> None:
        """After a no, bring the talk back to where the next mail can begin. A server that closes, or says
        what nobody understands, is left; so is one that asks for the mail in spite of its no, because
        whatever it got might reach the recipient."""
        try:
            if code == 421 or not 400 <= code < 600:
                self.close()
                return
            if self._takes_all_at_once:
                for phase in (Phase.RCPT, Phase.DATA):
                    if refused_at.value < phase.value:
                        self.enter(phase)
                        if self.getreply()[0] == 354:
                            self.close()
                            return
            if self.rset()[0] != 250:
                self.close()
        except _FAULTS_OF_THE_LINE:
            self.close()
        finally:
            self.phase = refused_at

    @property
    def _takes_all_at_once(self) -> bool:
        return self.has_extn("pipelining")

    @property
    def may_know_recipient(self) -> bool:
        """Whether the server may have read who the mail is for, so that the mail itself may be what it broke
        off at."""
        return self.phase.is_about_a_letter or (self.phase is Phase.MAIL and self._takes_all_at_once)

    def was_gone(self, fault: BaseException) -> bool:
        """Whether the server had closed before it heard of this mail, as it may at any time while it has
        nothing to do. A server that only says nothing is still there."""
        return self.phase is Phase.MAIL and not isinstance(fault.__context__, TimeoutError)


class _TalkInTls(_Talk, smtplib.SMTP_SSL):
    """The same talk, inside TLS from the first byte."""


class FilePostman:
    """The demo's mail server: each mail becomes a file that the page /kotak-surat shows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def deliver(self, letter: RenderedLetter, to_address: str, message_id: str) -> Delivery:
        content = _content(letter, to_address, message_id, self._settings)
        file = self._settings.mail_folder / f"{message_id}.eml"
        half_written = file.with_suffix(f".{os.getpid()}")
        try:
            self._settings.mail_folder.mkdir(parents=True, exist_ok=True)
            # With the line ends that files have on this side
            half_written.write_bytes(content.replace(b"\r\n", b"\n"))
            half_written.rename(file)
        except OSError as fault:
            return ConnectionFault(_words_of(fault))
        return HandedOver(f"file {file.name}")

    def rest(self) -> None:
        pass


def _content(letter: RenderedLetter, to_address: str, message_id: str, settings: Settings) -> bytes:
    return written(
        (
            ("Subject", subject_in_ascii(letter.subject)),
            ("From", _sender_in_ascii(settings.mail_sender)),
            ("To", _address_in_ascii(to_address)),
            ("Date", formatdate(localtime=True)),
            ("Message-ID", f"<{message_id}@{urlsplit(settings.public_url).hostname}>"),
            # Tells programs that answer by themselves that nobody reads their answer (RFC 3834)
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "All"),
        ),
        letter.text,
        letter.html,
    )


_sender_in_ascii = cache(sanitize_address)


def _address_in_ascii(address: str) -> str:
    return address if address.isascii() else sanitize_address(address)


def _in_brackets(address: str) -> str:
    """As it stands in MAIL FROM and RCPT TO. Raises ValueError if it would begin a command of its own."""
    ascii_address = _address_in_ascii(address)
    if _PLAIN_ADDRESS.fullmatch(ascii_address):
        return f"<{ascii_address}>"
    in_brackets = smtplib.quoteaddr(ascii_address)
    if "\r" in in_brackets or "\n" in in_brackets:
        raise ValueError("a line end in an address")
    return in_brackets


_sender_in_brackets = cache(_in_brackets)


def _words_of(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}"
