"""The server: waitress, with a lane for each kind of request and an end to every wait.

One thread reads all requests as they come in, and writes the answers that need no work. The threads of the
lanes do the rest. A slow client holds no thread. It holds a connection, of which each address has a share.
"""

import logging
import math
import re
import resource
import select
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask
from waitress.utilities import build_http_date

from app.domain.client import line_of
from app.runtime.lanes import ARRIVED_AT, HAS_LEFT, Known, Lane, LaneSize

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

log = logging.getLogger("portal")

MOST_CONNECTIONS = 2000
MOST_OF_ONE_LINE = 500
_OTHER_FILES = 200  # that the process has open beside its connections
SECONDS_OF_SILENCE = 30
SECONDS_FOR_HEADERS = 10
SECONDS_FOR_A_BODY = 30  # and one more for each LEAST_BYTES_A_SECOND that have come
LEAST_BYTES_A_SECOND = 8 * 1024
SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_BETWEEN_REPORTS = 10
SECONDS_BETWEEN_LOOKS_AT_THE_END = 0.02
SECONDS_TO_FINISH = 10  # what is in work when nobody new may come in any more; a hash and its form take 4
SECONDS_TO_BEGIN = 1  # for who had just connected then
_ACCEPTED_AT_ONCE = 16  # the rest is for the next round, or for another process at the same address
# For which a thread keeps the interpreter to itself. The thread that reads gives it away with each system
# call, and a thread that has made a hash needs it before it can begin the next one.
_SECONDS_OF_A_TURN = 0.001

# Of one request. Browsers send thirty. To read 64 KiB of short lines kept all others waiting for 30 ms.
MOST_HEADERS = 100
_IN_CHUNKS = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)

# The bytes that waitress accepts before the portal answers 413; files of staff are long
LARGEST_BODY_TO_READ = 40 * 1024 * 1024
_BUFFERS = {
    # Of these sizes up to MOST_CONNECTIONS may be in memory; the rest of a body or an answer is in a file
    "inbuf_overflow": 64 * 1024,
    "outbuf_overflow": 128 * 1024,
    "max_request_header_size": 64 * 1024,
    "recv_bytes": 64 * 1024,
    "max_request_body_size": LARGEST_BODY_TO_READ,
}


_SENT_TOGETHER = 128 * 1024  # header and body of most answers go out in one piece, when the answer is whole


@dataclass(frozen=True)
class ReadyAnswer:
    """An answer that was made before it was asked for."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def written_for(self, request: "Request") -> bytes:
        """The answer as it goes over the line."""
        lines = f"HTTP/{request.spoken} {self.status}\r\n{self._lines}Date: {_date_of(int(time()))}\r\n"
        if request.ends_connection:
            lines += "Connection: close\r\n"
        elif request.spoken == "1.0":
            lines += "Connection: Keep-Alive\r\n"
        return f"{lines}\r\n".encode("latin-1") + (b"" if request.command == "HEAD" else self.body)

    @cached_property
    def _lines(self) -> str:
        others = (one for one in self.headers if one[0] != "Content-Length")
        headers = (*others, ("Content-Length", str(len(self.body))))
        return "".join(f"{name}: {value}\r\n" for name, value in headers)


@dataclass(frozen=True)
class Reception:
    """How requests are received. `lane_of` is given method and path, and `known` the Cookie header."""

    lanes: Mapping[str, LaneSize]
    lane_of: Callable[[str, str], str]
    known: Callable[[str], Known | None]
    at_once: Mapping[str, ReadyAnswer]  # by path
    at_once_while_leaving: Mapping[str, ReadyAnswer]  # the same, since the process was told to end
    busy: Callable[[], ReadyAnswer]
    has_proxy: bool  # which holds the connections of all its clients


class Request(HTTPRequestParser):
    ready: ReadyAnswer | None = None
    arrived_at = 0.0

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began_at = monotonic()

    def parse_header(self, header_plus: bytes) -> None:
        """Refuse too many headers, and a body in chunks. Browsers send none, and a proxy can send the length.
        To read 64 KiB of small chunks kept all others waiting for 280 ms. With a length beside the chunks, a
        proxy may take the rest for the next request, which may be somebody else's (RFC 9112, 6.1)."""
        if header_plus.count(b"\n") > MOST_HEADERS:
            raise ParsingError("Too many headers")
        if _IN_CHUNKS.search(header_plus):
            raise ParsingError("A body must have a Content-Length")
        super().parse_header(header_plus)

    def received(self, data: bytes) -> int:
        taken: int = super().received(data)
        if self.completed:
            self.arrived_at = monotonic()
        return taken

    @property
    def spoken(self) -> str:
        """The version of HTTP in which the answer is."""
        return "1.1" if self.version == "1.1" else "1.0"

    @property
    def ends_connection(self) -> bool:
        wanted = self.headers.get("CONNECTION", "").lower()
        return bool(wanted == "close" if self.spoken == "1.1" else wanted != "keep-alive")

    @property
    def is_too_slow(self) -> bool:
        """The total time counts, because one byte now and then is not silence."""
        seconds = monotonic() - self.began_at
        if not self.headers_finished:
            return seconds > SECONDS_FOR_HEADERS
        return bool(seconds > SECONDS_FOR_A_BODY + self.body_bytes_received / LEAST_BYTES_A_SECOND)


class PageTask(WSGITask):
    def get_environment(self) -> "WSGIEnvironment":
        environ: WSGIEnvironment = super().get_environment()
        environ[ARRIVED_AT], environ[HAS_LEFT] = self.request.arrived_at, self.channel.has_left
        return environ

    def finish(self) -> None:
        super().finish()
        self.channel.send_now()


class Channel(HTTPChannel):
    """One connection. It is the waiter of a lane, for the first of its requests.

    The kernel tells one event of a connection, and the next one only after `watch`. So whoever has the
    connection in hand, the thread that reads or one of a lane, calls `watch` when done, and wakes nobody.
    """

    parser_class = Request
    task_class = PageTask
    requests: list[Request]
    close_when_flushed: bool
    line = ""
    is_new = True  # until a first request is here as a whole
    is_registered = False

    @property
    def arrived_at(self) -> float:
        return self.requests[0].arrived_at

    def has_left(self) -> bool:
        """Whether the other end has closed the connection, as a browser does that somebody has left."""
        if not self.connected:
            return True
        try:
            return not self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def serve(self) -> None:
        self.service()
        self.watch()

    def refuse(self) -> None:
        self.requests[0].ready = self.server.front.reception.busy()
        self.serve()

    def let_go(self) -> None:
        for request in self.requests:
            request.close()
        self.cancel()
        self.watch()

    def service(self) -> None:
        if self.server.front.is_leaving:
            self.requests[0].headers["CONNECTION"] = "close"  # the next request finds a process that stays
        if self.requests[0].ready and not self.requests[0].error:
            self._send_ready(self.requests[0])
        else:
            super().service()

    def answer_at_once(self) -> None:
        """The same in the thread that reads. It closes the connection itself, and it never waits: who goes on
        asking and reads no answer is cut off."""
        if self.total_outbufs_len > _SENT_TOGETHER:
            self.handle_close()
            return
        self.service()
        if self.close_when_flushed and not self.total_outbufs_len:
            self.handle_close()
        else:
            self.watch()

    def _send_ready(self, request: Request) -> None:
        """In one piece and without a task, because under overload each step of this keeps all others
        waiting."""
        with suppress(ClientDisconnected), self.outbuf_lock:
            answer = request.ready.written_for(request) if request.ready else b""
            sent = self._sent_at_once(answer)
            if sent < len(answer):
                self.write_soon(answer[sent:])
        with self.requests_lock:
            for done in self.requests if request.ends_connection else [request]:
                done.close()
            self.close_when_flushed = self.close_when_flushed or request.ends_connection
            self.requests = [] if request.ends_connection else self.requests[1:]
            if self.requests:
                self.server.add_task(self)

    def _sent_at_once(self, answer: bytes) -> int:
        if self.total_outbufs_len or not self.connected:
            return 0
        try:
            sent: int = self.send(answer, do_close=False)
        except OSError:
            self.will_close = True
            return len(answer)
        return sent

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: ARG002, FBT001  # waitress
        """Close nothing, because only the thread that reads may do that. The kernel tells it that the other
        end has gone."""
        sent: int = super().send(data, do_close=False)
        return sent

    def send_now(self) -> None:
        with self.outbuf_lock:
            self._flush_exception(self._flush_some, do_close=False)

    def write_soon(self, data: Any) -> int:
        written: int = super().write_soon(data)
        if self.total_outbufs_len >= self.adj.send_bytes:
            self.watch()  # the socket is full, and the thread that reads sends the rest
        return written

    def _flush_outbufs_below_high_watermark(self) -> None:
        if self.total_outbufs_len > self.adj.outbuf_high_watermark:
            self.watch()
        super()._flush_outbufs_below_high_watermark()

    def handle_read(self) -> None:
        try:
            data = self.socket.recv(self.adj.recv_bytes)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.last_activity = time()
            self.received(data)
        else:
            self.handle_close()

    def watch(self) -> None:
        """Let the kernel tell what this connection waits for. Any thread may call this."""
        with self.outbuf_lock, suppress(OSError):  # closed meanwhile
            wanted = select.EPOLLIN if self.readable() else 0
            wanted |= select.EPOLLOUT if self.writable() else 0
            if not wanted or self._fileno is None:
                return
            events = self.server.front.events
            change = events.modify if self.is_registered else events.register
            self.is_registered = True
            change(self._fileno, wanted | select.EPOLLONESHOT)

    def is_idle(self) -> bool:
        """Whether it has nothing that is being answered."""
        return not self.requests and not self.total_outbufs_len

    def is_needed(self) -> bool:
        """Whether somebody would miss an answer if it closed now."""
        if self.request is not None or not self.is_idle():
            return True
        return self.is_new and bool(time() < self.creation_time + SECONDS_TO_BEGIN)

    def has_body_coming(self) -> bool:
        return self.request is not None and self.request.headers_finished

    def is_over(self) -> bool:
        """Whether the client has had its time."""
        if self.requests:
            return False
        is_silent: bool = time() > self.last_activity + SECONDS_OF_SILENCE
        return is_silent or (self.request is not None and self.request.is_too_slow)

    def del_channel(self, map: Any = None) -> None:
        with self.outbuf_lock:  # a thread of a lane may be about to watch it
            if self.is_registered:
                self.is_registered = False
                self.server.front.events.unregister(self._fileno)
            super().del_channel(map)
        self.server.front.went(self)


class Listener(TcpWSGIServer):
    """One listening socket."""

    channel_class = Channel

    def __init__(self, front: "Front", listening: socket.socket, adj: Adjustments) -> None:
        self.front = front
        sockinfo = (listening.family, listening.type, listening.proto, listening.getsockname())
        super().__init__(
            front.application,
            front.map,
            _sock=listening,
            dispatcher=front,
            adj=adj,
            sockinfo=sockinfo,
            bind_socket=False,
        )

    def handle_accept(self) -> None:
        self.accept_waiting()

    def accept_waiting(self) -> bool:
        """Let some of those in who wait for it. False if there are no more."""
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted = self.accept()
                if accepted is None:
                    return False
                connection, address = accepted
                self.set_socket_options(connection)
            except OSError:  # the client has gone again, or the process has no more files to open
                return False
            line = _line_of(address[0])
            if self.front.has_room(line):
                channel = Channel(self, connection, address, self.adj, map=self._map)
                self.front.came(channel, line)
                wasyncore.read(channel)  # most who connect have asked already
                channel.watch()
            else:
                connection.close()
        return True

    def add_task(self, channel: Channel) -> None:
        self.front.receive(channel)

    def pull_trigger(self) -> None:
        """Connections are watched one by one, so the thread that reads need not look at all of them."""

    def wake(self) -> None:
        super().pull_trigger()


class Front:
    """All connections of this process, and its lanes."""

    def __init__(
        self, application: "WSGIApplication", sockets: list[socket.socket], reception: Reception
    ) -> None:
        self.application, self.reception = application, reception
        self.own_thread = threading.get_ident()
        self.events = select.epoll()
        self.map: dict[int, Any] = {}
        self.lanes = {name: Lane(name, size) for name, size in reception.lanes.items()}
        self._at_once: deque[Channel] = deque()
        self._by_line: dict[str, dict[Channel, None]] = {}
        self._connections = 0
        self._most = _as_many_as_files_allow(MOST_CONNECTIONS)
        self._next_look = self._next_report = 0.0
        self._reported = 0
        self._closes_at = math.inf
        settings = Adjustments(ident=None, clear_untrusted_proxy_headers=False, **_BUFFERS)
        settings.send_bytes = _SENT_TOGETHER
        self._listeners = [Listener(self, one, settings) for one in sockets]
        for file in self.map:
            self.events.register(file, select.EPOLLIN)

    @property
    def connections(self) -> int:
        return self._connections

    @property
    def is_leaving(self) -> bool:
        """Whether the process was told to end."""
        return self._closes_at < math.inf

    def run(self) -> None:
        """Serve until `stop`, or until SystemExit; then finish what was accepted."""
        self.own_thread = threading.get_ident()
        sys.setswitchinterval(_SECONDS_OF_A_TURN)
        for lane in self.lanes.values():
            lane.start()
        with suppress(SystemExit, KeyboardInterrupt):
            while (left := self._closes_at - monotonic()) > 0:
                self._go_round(min(left, SECONDS_BETWEEN_LOOKS))
        self._finish()

    def stop(self, notice: float = 0.0) -> None:
        """Tell at once, by the answers of `at_once_while_leaving`, that this process leaves; so many seconds
        later let nobody new in, and let `run` finish. Any thread and any signal may ask for this."""
        self._closes_at = min(self._closes_at, monotonic() + notice)

    def _go_round(self, seconds: float) -> None:
        self._handle_events(0 if self._at_once else seconds)
        self._answer_at_once()
        if monotonic() > self._next_look:
            self._next_look = monotonic() + SECONDS_BETWEEN_LOOKS
            self._look_around()

    def _handle_events(self, seconds: float) -> None:
        # Looked up first: a new connection may get the number of a file that is closed meanwhile
        told = [(self.map.get(file), event) for file, event in self.events.poll(seconds)]
        for one, event in told:
            if one is not None:
                wasyncore.readwrite(one, event)
                if isinstance(one, Channel):
                    one.watch()

    def receive(self, channel: Channel) -> None:
        """A request is here as a whole. The channel is locked meanwhile, so nothing is answered from here."""
        request = channel.requests[0]
        channel.is_new = False
        if request.error is None:
            ready = self._ready_answer(request)
            if ready is None and self._lane_of(request).takes(channel, lambda: self._sender_of(request)):
                return  # a thread may have it by now
            request.ready = ready or self.reception.busy()
        self._at_once.append(channel)
        if threading.get_ident() != self.own_thread:
            self._listeners[0].wake()

    def _ready_answer(self, request: Request) -> ReadyAnswer | None:
        if request.command not in ("GET", "HEAD"):
            return None
        path = request.path.rstrip("/")
        while_leaving = self.reception.at_once_while_leaving.get(path) if self.is_leaving else None
        return while_leaving or self.reception.at_once.get(path)

    def _lane_of(self, request: Request) -> Lane:
        return self.lanes[self.reception.lane_of(request.command, request.path)]

    def _sender_of(self, request: Request) -> Known | None:
        return self.reception.known(request.headers.get("COOKIE", ""))

    def has_room(self, line: str) -> bool:
        """Whether this line may have one more connection. Those that have been idle longest make room."""
        of_line = self._by_line.get(line, {})
        if not self.reception.has_proxy and len(of_line) >= MOST_OF_ONE_LINE:
            return _close_one_of(of_line)
        if self._connections >= self._most:
            return _close_one_of(max(self._by_line.values(), key=len))
        return True

    def came(self, channel: Channel, line: str) -> None:
        channel.line = line
        self._by_line.setdefault(line, {})[channel] = None
        self._connections += 1

    def went(self, channel: Channel) -> None:
        of_line = self._by_line.get(channel.line, {})
        if channel in of_line:
            del of_line[channel]
            self._connections -= 1
            if not of_line:
                del self._by_line[channel.line]

    def _answer_at_once(self) -> None:
        for _ in range(len(self._at_once)):  # a client may send many requests at once; others come in between
            channel = self._at_once.popleft()
            if channel.requests:  # otherwise its connection was closed meanwhile
                channel.answer_at_once()

    def _look_around(self) -> None:
        for lane in self.lanes.values():
            lane.refuse_late()
        for channel in [one for of_line in self._by_line.values() for one in of_line if one.is_over()]:
            channel.handle_close()
        refused = {name: lane.refused for name, lane in self.lanes.items()}
        if monotonic() > self._next_report and sum(refused.values()) > self._reported:
            self._next_report, self._reported = monotonic() + SECONDS_BETWEEN_REPORTS, sum(refused.values())
            log.warning("too busy, requests refused since the start", extra={"fields": refused})

    def _finish(self) -> None:
        """Nobody new may come in. Who is in can go on until the answer, within SECONDS_TO_FINISH."""
        self.stop()
        while any(listener.accept_waiting() for listener in self._listeners):
            pass
        for listener in self._listeners:
            self.events.unregister(listener.socket)  # other copies of this process may have it open
            wasyncore.dispatcher.close(listener)  # but not its trigger, which is still needed
        last_moment = monotonic() + SECONDS_TO_FINISH
        while monotonic() < last_moment and self._is_needed():
            self._go_round(SECONDS_BETWEEN_LOOKS_AT_THE_END)
        for lane in self.lanes.values():
            lane.end()
        for lane in self.lanes.values():
            lane.join(last_moment)
        for channel in [one for one in self.map.values() if isinstance(one, Channel)]:
            channel.handle_close()
        wasyncore.close_all(self.map, ignore_all=True)
        self.events.close()

    def _is_needed(self) -> bool:
        return any(channel.is_needed() for of_line in self._by_line.values() for channel in of_line)


@lru_cache(maxsize=1)
def _date_of(second: int) -> str:
    return str(build_http_date(second))


@lru_cache(maxsize=MOST_CONNECTIONS)
def _line_of(address: str) -> str:
    return line_of(address)


def _close_one_of(channels: Mapping[Channel, None]) -> bool:
    """Close the oldest connection that nobody would miss: one without a request, otherwise one with a part of
    a request."""
    idle = (channel for channel in channels if channel.is_idle())
    unused = (channel for channel in channels if channel.is_idle() and not channel.has_body_coming())
    channel = next(unused, None) or next(idle, None)
    if channel is None:
        return False
    channel.handle_close()
    return True


def _as_many_as_files_allow(wanted: int) -> int:
    """Let the process open as many files as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < enough:
        soft = enough if hard == resource.RLIM_INFINITY else min(enough, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, min(wanted, soft - _OTHER_FILES))
    return wanted


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """A listening socket for each address that the host has; raises OSError."""
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )
    sockets = []
    for family, _, _, _, address in dict.fromkeys(found):
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(1024)
        sockets.append(opened)
    return sockets
