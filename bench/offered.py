"""Logins that come at a given rate, whether or not the earlier ones are answered: a process of its own.

`python -m bench.offered PORT RATE SECONDS PEOPLE` prints one line of JSON for each answer. Every login comes
from another address of this machine, over a connection of its own. RATE 0 means: CLIENTS people who each log
in again as soon as they are answered.

This process shares the machine with the portal, so it does as little as it can for each login.
"""

import json
import resource
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from bench.browser import Browser, expect
from bench.people import PASSWORD, nip_of

CLIENTS = 6
SECONDS_TO_WAIT = 15.0  # then people leave
_ADDRESSES = 200
_BIND_ADDRESS_NO_PORT = 24  # ip(7): the port is chosen when the connection is made, which is cheaper
_SECONDS_BETWEEN_LOOKS = 0.25  # for those who have waited too long


@dataclass(frozen=True)
class Login:
    status: int  # 0: no answer
    asked_at: float  # seconds since the first one
    seconds: float
    says_when: bool  # Retry-After

    @property
    def answered_at(self) -> float:
        return self.asked_at + self.seconds


def offer(port: int, rate: float, seconds: float, people: int) -> list[Login]:
    """Run the process to its end."""
    words = [str(one) for one in (port, rate, seconds, people)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.offered", *words], check=True, stdout=subprocess.PIPE, text=True
    )
    return [Login(**json.loads(line)) for line in done.stdout.splitlines()]


class Line:
    """The connection of one login."""

    def __init__(self, port: int, number: int, due: float, request: bytes) -> None:
        self.due, self._request, self._said = due, request, b""
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        self.socket.bind((f"127.0.1.{1 + number % _ADDRESSES}", 0))
        self.socket.connect_ex(("127.0.0.1", port))

    def is_sent(self) -> bool:
        """Send the request if the connection is there."""
        try:
            return self.socket.send(self._request) == len(self._request)
        except BlockingIOError:
            return False

    def is_answered(self) -> bool:
        """Read what has come. The answer ends with the connection."""
        try:
            while more := self.socket.recv(64 * 1024):
                self._said += more
        except BlockingIOError:
            return False
        return True

    def login(self, start: float) -> Login:
        head = self._said.partition(b"\r\n\r\n")[0]
        status = int(head.split(maxsplit=2)[1]) if head else 0
        seconds = time.monotonic() - self.due
        return Login(status, self.due - start, seconds, b"\r\nretry-after:" in head.lower())


class Crowd:
    """Everybody who waits for an answer."""

    def __init__(self, port: int, forms: "Forms") -> None:
        self.logins: list[Login] = []
        self.start = time.monotonic()
        self._port, self._forms = port, forms
        self._begun, self._next_look = 0, 0.0
        self._waiting: dict[int, Line] = {}  # by file
        self._events = select.epoll()

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, due: float) -> None:
        line = Line(self._port, self._begun, due, self._forms.request(self._begun))
        self._begun += 1
        file = line.socket.fileno()
        self._waiting[file] = line
        self._events.register(file, select.EPOLLIN if self._is_sent(file) else select.EPOLLOUT)

    def wait(self, seconds: float) -> None:
        """Let those go on for whom something has come, and those leave who have waited too long."""
        for file, event in self._events.poll(seconds):
            if event == select.EPOLLOUT and self._is_sent(file):
                self._events.modify(file, select.EPOLLIN)
            elif event != select.EPOLLOUT:
                self._read(file)
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _SECONDS_BETWEEN_LOOKS
        last_arrival = time.monotonic() - SECONDS_TO_WAIT
        for file in [file for file, line in self._waiting.items() if line.due < last_arrival]:
            self._end(file)

    def _is_sent(self, file: int) -> bool:
        try:
            return self._waiting[file].is_sent()
        except OSError:
            return True  # reading tells

    def _read(self, file: int) -> None:
        try:
            if not self._waiting[file].is_answered():
                return
        except OSError:
            pass  # what has come before counts
        self._end(file)

    def _end(self, file: int) -> None:
        line = self._waiting.pop(file)
        self.logins.append(line.login(self.start))
        line.socket.close()


def _at_a_rate(crowd: Crowd, rate: float, seconds: float) -> None:
    due = deque(crowd.start + number / rate for number in range(int(rate * seconds)))
    while due or len(crowd):
        while due and due[0] <= time.monotonic():
            crowd.begin(due.popleft())
        crowd.wait(max(0.0, min(due[0] - time.monotonic(), 1.0)) if due else 1.0)


def _one_after_the_other(crowd: Crowd, seconds: float) -> None:
    while (goes_on := time.monotonic() < crowd.start + seconds) or len(crowd):
        while goes_on and len(crowd) < CLIENTS:
            crowd.begin(time.monotonic())
        crowd.wait(1.0)


class Forms:
    """Login forms that were opened before, one for each of some browsers."""

    def __init__(self, port: int, people: int) -> None:
        browsers = [Browser(port) for _ in range(20)]
        for browser in browsers:
            expect(browser.open("/login"))
        self._requests = [_login_without_nip(port, browser) for browser in browsers]
        self._people = people

    def request(self, number: int) -> bytes:
        return self._requests[number % len(self._requests)] + nip_of(number % self._people).encode()


def _login_without_nip(port: int, browser: Browser) -> bytes:
    body = urlencode({"csrf_token": browser.csrf_token, "password": PASSWORD, "nip": ""})
    return (
        f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {browser.cookie}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
        f"Content-Length: {len(body) + len(nip_of(0))}\r\n\r\n{body}"
    ).encode()


def _print(logins: Iterable[Login]) -> None:
    for login in logins:
        print(json.dumps(asdict(login)))


if __name__ == "__main__":
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))  # one for each who waits
    at, often, long, known = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    people = Crowd(at, Forms(at, known))
    if often:
        _at_a_rate(people, often, long)
    else:
        _one_after_the_other(people, long)
    _print(people.logins)
