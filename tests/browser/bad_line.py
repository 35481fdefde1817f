"""A line between a phone and the portal that can go bad: it is dead, or it loses the answers to requests that
have arrived."""

import enum
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BYTES_AT_ONCE = 65536
_REQUEST = re.compile(rb"[A-Z]+ (/\S*) HTTP/1\.1\r\n")


class Line(enum.Enum):
    GOOD = enum.auto()
    DEAD = enum.auto()  # nothing gets through
    MUTE = enum.auto()  # requests arrive, but no answer comes back


class BadLine:
    """`url` is the address that the browser knows. The line leads from there to the portal at `portal_url`,
    which may change."""

    def __init__(self, door: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{door.getsockname()[1]}"
        self.bytes_carried = 0  # both ways, with all headers
        self.requests_carried: list[str] = []  # their paths
        self._portal_port = 0
        self._state = Line.GOOD
        self._open: list[socket.socket] = []
        self._door = door
        threading.Thread(target=self._take_calls, daemon=True).start()

    def lead_to(self, portal_url: str) -> None:
        self._portal_port = int(portal_url.rsplit(":", 1)[1])
        self._cut()

    def become(self, state: Line) -> None:
        self._state = state
        self._cut()

    def _cut(self) -> None:
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _take_calls(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._door.accept()
                if self._state is Line.DEAD:
                    caller.close()
                    continue
                portal = socket.create_connection(("127.0.0.1", self._portal_port))
                self._open += [caller, portal]
                for source, target, is_answer in ((caller, portal, False), (portal, caller, True)):
                    way = {"is_answer": is_answer}
                    threading.Thread(
                        target=self._carry, args=(source, target), kwargs=way, daemon=True
                    ).start()

    def _carry(self, source: socket.socket, target: socket.socket, *, is_answer: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(_BYTES_AT_ONCE):
                if is_answer and self._state is Line.MUTE:
                    break
                self.bytes_carried += len(chunk)
                if not is_answer and (asked := _REQUEST.match(chunk)):
                    self.requests_carried.append(asked[1].decode())
                target.sendall(chunk)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def bad_line() -> Iterator[BadLine]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield BadLine(door)
