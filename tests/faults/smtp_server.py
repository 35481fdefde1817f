"""A real SMTP server on this machine. A test sets how it behaves: it takes mails, refuses them, falls silent
or hangs up."""

import asyncio
import email
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from enum import Enum, auto
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

SECONDS_TO_WAIT = 10


class Step(Enum):
    """The steps of a talk at which the server can misbehave."""

    GREETING = auto()
    EHLO = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()  # the command
    CONTENT = auto()  # in the middle of the mail
    END = auto()  # the whole mail has arrived
    RSET = auto()


class Fault(Enum):
    """Ways in which a server gives no answer."""

    HANGS_UP = auto()
    FALLS_SILENT = auto()
    HOLDS = auto()  # it waits until `release`, then goes on as usual


@dataclass
class _Mood:
    step: Step
    reaction: str | Fault
    to: str | None
    times: int | None


@dataclass(frozen=True)
class Arrival:
    """One whole mail as the server got it. The server may have taken or refused it."""

    sender: str
    recipients: list[str]
    content: bytes
    in_tls: bool
    login: str | None

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.content, _class=EmailMessage, policy=policy.default)

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def code(self) -> str:
        """The token that stands alone on its line."""
        return self._line(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}")

    @property
    def link(self) -> str:
        """The link that stands alone on its line."""
        return self._line(r"https?://\S+")

    def _line(self, pattern: str) -> str:
        found = re.search(f"^{pattern}$", self.text, re.MULTILINE)
        assert found, self.text
        return found[0]

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, f"no {kind} part"
        return str(part.get_content()).replace("\r\n", "\n")


class MailServer:
    """`with MailServer() as server:` listens on a free port. `taken` are the mails for which the server is
    now responsible."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        from_the_first_byte: bool = False,
        login: tuple[str, str] | None = None,
        takes_all_at_once: bool = False,
    ) -> None:
        """`takes_all_at_once`: it offers PIPELINING."""
        self.port = free_port()
        self.packets: list[bytes] = []
        self.taken: list[Arrival] = []
        self.refused: list[Arrival] = []
        self.commands: list[str] = []
        self.names: list[str] = []  # that clients gave at EHLO
        self.connections = 0
        self.is_holding = threading.Event()
        self._released = threading.Event()
        self._moods: list[_Mood] = []
        self._talks: set[_Talk] = set()
        self._tls, self._tls_first, self._login = tls, from_the_first_byte, login
        self.takes_all_at_once = takes_all_at_once
        self._controller: Controller | None = None

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which a portal sends through this server."""
        reach = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(self.port)}
        if self._tls:
            reach["MAIL_USE_SSL" if self._tls_first else "MAIL_USE_TLS"] = "true"
        if self._login:
            reach |= {"MAIL_USERNAME": self._login[0], "MAIL_PASSWORD": self._login[1]}
        return reach

    def reacts(
        self, step: Step, reaction: str | Fault, *, to: str | None = None, times: int | None = None
    ) -> None:
        """From now on, give this answer or fault at this step. `to` limits it to one recipient, `times` to so
        many times."""
        self._moods.append(_Mood(step, reaction, to, times))

    def behaves(self) -> None:
        """Behave well again. A talk that waits goes on."""
        self._moods.clear()
        self.release()

    def release(self) -> None:
        self._released.set()

    def start(self) -> None:
        self._controller = _Controller(self, self._tls, self._login, tls_first=self._tls_first)
        self._controller.start()
        eventually(lambda: not self._talks)  # the controller itself tries a connection
        self.connections = 0
        self.commands.clear()
        self.packets.clear()

    def stop(self) -> None:
        self.release()
        if self._controller:
            self._controller.loop.call_soon_threadsafe(self._abort_all)
            eventually(lambda: not self._talks)
            self._controller.stop()
            self._controller = None

    def close_idle_talks(self, last_word: str | None) -> None:
        """Close idle talks, as servers do after some minutes of silence, with or without a last word."""
        assert self._controller
        self._controller.loop.call_soon_threadsafe(self._close_all, last_word)
        eventually(lambda: not self._talks)

    @property
    def is_left_alone(self) -> bool:
        """Whether nobody is connected."""
        return not self._talks

    def taken_for(self, address: str) -> list[Arrival]:
        return [arrival for arrival in self.taken if arrival.recipients == [address]]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _close_all(self, last_word: str | None) -> None:
        for talk in list(self._talks):
            if talk.transport is not None:
                if last_word:
                    talk.transport.write(f"{last_word}\r\n".encode())
                talk.transport.close()

    def _abort_all(self) -> None:
        for talk in list(self._talks):
            if talk.transport is not None:
                talk.transport.abort()

    def reaction_at(self, step: Step, recipients: Iterable[str]) -> str | Fault | None:
        for mood in self._moods:
            if mood.step is step and (mood.to is None or mood.to in recipients) and mood.times != 0:
                if mood.times is not None:
                    mood.times -= 1
                return mood.reaction
        return None

    async def hold(self) -> None:
        self._released.clear()
        self.is_holding.set()
        while not self._released.is_set():
            await asyncio.sleep(0.01)
        self.is_holding.clear()


class _Talk(SMTP):
    """One connection."""

    transport: Any

    def __init__(self, server: MailServer, **options: Any) -> None:
        super().__init__(self, hostname="mail.test", **options)
        self._server = server

    # -- connection
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self not in self._server._talks:
            self._server.connections += 1
            self._server._talks.add(self)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._server.packets.append(data)
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._server._talks.discard(self)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        if not await self._misbehaves(Step.GREETING):
            await super()._handle_client()

    # -- commands
    async def smtp_EHLO(self, arg: str) -> None:
        self._server.names.append(arg)
        if not await self._misbehaves(Step.EHLO):
            await super().smtp_EHLO(arg)

    async def handle_EHLO(
        self, _talk: SMTP, session: Session, _envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*answers[:1], *(["250-PIPELINING"] * self._server.takes_all_at_once), *answers[1:]]

    async def smtp_HELO(self, arg: str) -> None:
        if not await self._misbehaves(Step.EHLO):
            await super().smtp_HELO(arg)

    async def smtp_AUTH(self, arg: str) -> None:
        self._server.commands.append("AUTH")
        await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self._misbehaves(Step.MAIL):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self._misbehaves(Step.RCPT, [re.sub(r"(?i)to:\s*<(.*)>", r"\1", arg or "")]):
            await super().smtp_RCPT(arg)

    async def smtp_RSET(self, arg: str) -> None:
        if not await self._misbehaves(Step.RSET):
            await super().smtp_RSET(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if await self._misbehaves(Step.DATA, self._recipients):
            return
        if self._server.reaction_at(Step.CONTENT, self._recipients):
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
            return
        await super().smtp_DATA(arg)

    # -- the letter
    async def handle_DATA(self, _talk: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        login = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else None
        in_tls = self._tls_protocol is not None or self._server._tls_first
        arrival = Arrival(envelope.mail_from or "", list(envelope.rcpt_tos), content, in_tls, login)
        reaction = self._server.reaction_at(Step.END, arrival.recipients)
        if isinstance(reaction, str):
            (self._server.taken if reaction.startswith("2") else self._server.refused).append(arrival)
            return reaction
        self._server.taken.append(arrival)
        await self._carry_out(reaction)
        return "250 2.0.0 Ok: queued as 4XyZ"

    @property
    def _recipients(self) -> list[str]:
        return list(self.envelope.rcpt_tos) if self.envelope else []

    async def _misbehaves(self, step: Step, recipients: Iterable[str] = ()) -> bool:
        """Whether the reaction set by the test has answered this command already."""
        self._server.commands.append(step.name)
        reaction = self._server.reaction_at(step, recipients)
        if isinstance(reaction, str):
            await self.push(reaction)
            if reaction.startswith("421"):
                self.transport.close()
            return True
        await self._carry_out(reaction)
        return reaction in (Fault.HANGS_UP, Fault.FALLS_SILENT)

    async def _carry_out(self, fault: Fault | None) -> None:
        if fault is Fault.HANGS_UP:
            self.transport.abort()
        elif fault is Fault.FALLS_SILENT:
            await asyncio.Event().wait()
        elif fault is Fault.HOLDS:
            await self._server.hold()


class _Controller(Controller):
    def __init__(
        self,
        server: MailServer,
        tls: ssl.SSLContext | None,
        login: tuple[str, str] | None,
        *,
        tls_first: bool,
    ) -> None:
        super().__init__(None, hostname="127.0.0.1", port=server.port, ssl_context=tls if tls_first else None)
        self._server = server
        self._options: dict[str, Any] = {"loop": self.loop}
        if tls and not tls_first:
            self._options["tls_context"] = tls
        if login:
            expected = LoginPassword(login[0].encode(), login[1].encode())
            self._options |= {
                # If TLS is used from the first byte, aiosmtpd thinks that there is no TLS, and warns
                "auth_required": not tls_first,
                "auth_require_tls": not tls_first,
                "authenticator": lambda *talk: AuthResult(
                    success=talk[-1] == expected, auth_data=talk[-1], handled=False
                ),
            }

    def factory(self) -> SMTP:
        return _Talk(self._server, **self._options)


def eventually(holds: Any, seconds: float = SECONDS_TO_WAIT) -> None:
    """Wait until `holds()` is true. Raises AssertionError when the time is over."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
