"""Logins that come at a given rate, whether or not the earlier ones are answered: a process of its own.

`python -m bench.offered PORT RATE SECONDS PEOPLE` prints one line of JSON for each answer. Every login comes
from another address of this machine, over a connection of its own. RATE 0 means: CLIENTS people who each log
in again as soon as they are answered.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import count
from urllib.parse import urlencode

from bench.browser import Browser, expect
from bench.people import PASSWORD, nip_of

CLIENTS = 6
SECONDS_TO_WAIT = 15.0  # then people leave
_ADDRESSES = 200


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


async def _at_a_rate(port: int, rate: float, seconds: float, forms: "Forms") -> list[Login]:
    start, logins = time.monotonic(), []
    for number in range(int(rate * seconds)):
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        logins.append(asyncio.create_task(_log_in(port, number, forms, due, start)))
    return await asyncio.gather(*logins)


async def _one_after_the_other(port: int, seconds: float, forms: "Forms") -> list[Login]:
    start, numbers, logins = time.monotonic(), count(), list[Login]()

    async def client() -> None:
        while time.monotonic() < start + seconds:
            logins.append(await _log_in(port, next(numbers), forms, time.monotonic(), start))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return logins


class Forms:
    """Login forms that were opened before, one for each of some browsers."""

    def __init__(self, port: int, people: int) -> None:
        browsers = [Browser(port) for _ in range(20)]
        for browser in browsers:
            expect(browser.open("/login"))
        self._opened = [(browser.cookie, browser.csrf_token) for browser in browsers]
        self._port, self._people = port, people

    def request(self, number: int) -> bytes:
        cookie, token = self._opened[number % len(self._opened)]
        fields = {"csrf_token": token, "nip": nip_of(number % self._people), "password": PASSWORD}
        body = urlencode(fields)
        return (
            f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nCookie: {cookie}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


async def _log_in(port: int, number: int, forms: Forms, due: float, start: float) -> Login:
    address = f"127.0.1.{1 + number % _ADDRESSES}"
    try:
        async with asyncio.timeout(SECONDS_TO_WAIT):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            try:
                writer.write(forms.request(number))
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.read()
            finally:
                writer.close()
        status, says_when = int(head.split()[1]), "\r\nretry-after:" in head
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        status, says_when = 0, False
    return Login(status, due - start, time.monotonic() - due, says_when)


def _print(logins: Iterable[Login]) -> None:
    for login in logins:
        print(json.dumps(asdict(login)))


if __name__ == "__main__":
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))  # one for each who waits
    at, often, long, known = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    opened = Forms(at, known)
    work = _at_a_rate(at, often, long, opened) if often else _one_after_the_other(at, long, opened)
    _print(asyncio.run(work))
