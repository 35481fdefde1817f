"""A PostgreSQL that hangs is noticed, and nobody waits for it.

A dead server refuses a connection. A server that hangs keeps its connections open, and libpq would wait for
its answer for ever. On its own connection it looks like a server that works on a long statement. So after
some silence the server is asked over another line whether it is there. If it is, the statement goes on. If
it is not, the connection is given up, and everybody else is refused at once, until a new connection succeeds.
"""

import logging
import os
import socket
import struct
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import inf
from time import monotonic, sleep
from typing import Any, Self, TypeVar
from weakref import WeakSet

import psycopg
from flask import has_request_context
from psycopg.abc import RV, PQGen, PQGenConn
from psycopg.errors import ConnectionTimeout, QueryCanceled
from sqlalchemy import Dialect
from sqlalchemy.pool import ConnectionPoolEntry

log = logging.getLogger("portal")

# The question with which a talk may begin; every server answers it with one byte, before any login:
# https://www.postgresql.org/docs/current/protocol-message-formats.html
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_SECONDS_BETWEEN_TRIES = 0.5
_SECONDS_TO_CANCEL = 1.0
# For a machine that is gone without a word, as libpq names them. `connect_timeout`: its least is 2 s.
TIME_OUTS = {
    "connect_timeout": 2,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
Wait = TypeVar("Wait")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Patience:
    """How many seconds may pass: in silence before the server is asked whether it is there, until it has
    answered that, and for one statement in all."""

    in_silence: float
    for_a_sign: float
    for_a_statement: float


IN_A_REQUEST = Patience(0.5, 0.75, 30.0)  # together well below the 2 s in which a form is answered
ELSEWHERE = Patience(3.0, 5.0, inf)  # imports, exports on the command line and the trail take their time


def _patience() -> Patience:
    return IN_A_REQUEST if has_request_context() else ELSEWHERE


class ServerIsSilent(psycopg.OperationalError):
    """The server hangs, or the line to it is broken."""


_watches: "WeakSet[Watch]" = WeakSet()


def _begin_anew() -> None:
    """In a copy of the process: the thread that asked whether the server is back did not come along."""
    for watch in _watches:
        watch.begin_anew()


os.register_at_fork(after_in_child=_begin_anew)


class Watch:
    """What this process knows of one server. `connect` is for SQLAlchemy's event `do_connect`."""

    def __init__(self) -> None:
        self.begin_anew()
        self.signed_at = -inf  # when the server last gave a sign of life, over any connection
        _watches.add(self)
        self._how_to_connect: tuple[tuple[Any, ...], dict[str, Any]] = (), {}

    def begin_anew(self) -> None:
        self._asking = threading.Lock()
        self._is_away = False

    def connect(
        self,
        _dialect: Dialect,
        _record: ConnectionPoolEntry,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
    ) -> "WatchedConnection":
        self._how_to_connect = arguments, options
        if self._is_away:
            raise ServerIsSilent("PostgreSQL has not answered, and is asked again and again")
        try:
            connection = WatchedConnection.connect(*arguments, **options)
        except (ServerIsSilent, ConnectionTimeout):
            with self._asking:
                self._note_silence()
            raise
        connection.watch = self
        return connection

    def is_silent(self, connection: psycopg.Connection[Any], seconds: float) -> bool:
        """Ask the server for a sign of life. Of several threads one asks, and the others take its answer."""
        since = monotonic()
        with self._asking:
            if not self._is_away and self.signed_at < since:
                if _gives_a_sign(connection.info, seconds):
                    self.signed_at = monotonic()
                elif self.signed_at < since:
                    self._note_silence()
            return self._is_away

    def _note_silence(self) -> None:
        if not self._is_away:
            self._is_away = True
            log.error("PostgreSQL does not answer")
            threading.Thread(target=self._wait_until_it_is_back, daemon=True).start()

    def _wait_until_it_is_back(self) -> None:
        arguments, options = self._how_to_connect
        while self._is_away:
            try:
                psycopg.connect(*arguments, **options).close()
                self._is_away = False
            except ConnectionTimeout:
                sleep(_SECONDS_BETWEEN_TRIES)
            except psycopg.Error:  # it refuses, so whoever needs it is told so without a wait
                self._is_away = False
        log.warning("PostgreSQL answers again")


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that asks the watch when an answer takes long."""

    watch: Watch | None = None  # None until the server has let us in

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        """The usual steps to connect, broken off in a request before libpq would do so: its shortest time-out
        is 2 s."""
        patience, start = _patience(), monotonic()

        def look() -> None:
            if monotonic() - start > patience.in_silence + patience.for_a_sign:
                raise ServerIsSilent("PostgreSQL has not let anybody in")

        return _with_a_look(super()._connect_gen(conninfo), look)

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """A caller with a time-out of its own waits for what may never come, such as a notification."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        answer = super().wait(_with_a_look(gen, self._look()), interval)
        if self.watch is not None:
            self.watch.signed_at = monotonic()
        return answer

    def _look(self) -> Callable[[], None]:
        patience, start = _patience(), monotonic()
        ask_after = patience.in_silence

        def look() -> None:
            nonlocal ask_after
            waited = monotonic() - start
            if waited > patience.for_a_statement:
                self.cancel_safe(timeout=_SECONDS_TO_CANCEL)
                self.close()
                raise QueryCanceled(f"a statement of a request ran for {waited:.0f} s")
            if waited > ask_after:
                if self.watch is not None and self.watch.is_silent(self, patience.for_a_sign):
                    self.close()
                    raise ServerIsSilent(f"PostgreSQL has not answered for {monotonic() - start:.1f} s")
                ask_after = 2 * waited

        return look


def _with_a_look(
    steps: Generator[Wait, int, Result], look: Callable[[], None]
) -> Generator[Wait, int, Result]:
    """The same steps, with a look each time that nothing has come for a moment."""
    try:
        wait = next(steps)
        while True:
            ready = yield wait
            if not ready:
                look()
            wait = steps.send(ready)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _gives_a_sign(server: psycopg.ConnectionInfo, seconds: float) -> bool:
    """Whether the server answers within so many seconds. One that refuses is not silent: whoever waits for it
    will be told by the connection itself."""
    try:
        with _line_to(server, seconds) as line:
            line.sendall(_SSL_REQUEST)
            line.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def _line_to(server: psycopg.ConnectionInfo, seconds: float) -> socket.socket:
    if not server.host.startswith("/"):
        return socket.create_connection((server.hostaddr or server.host, server.port), seconds)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(seconds)
    try:
        line.connect(f"{server.host}/.s.PGSQL.{server.port}")
    except OSError:
        line.close()
        raise
    return line
