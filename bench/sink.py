"""A mail server that takes everything, in a process of its own: `python -m bench.sink PORT FOLDER [--all]`.

It keeps the newest letter to each address as a file, and with `--all` also every letter, in the folder `all`,
in their order. A letter is kept before it is answered. VRFY tells how many letters have come, and when the
first and the last one did.
"""

import asyncio
import hashlib
import re
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

from bench.portal import free_port

_ALL = "all"
_TOKEN = re.compile(r"^\s*([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})\s*$", re.MULTILINE)


class Sink:
    """The running process, as the bench sees it."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self._folder = port, folder
        self.settings = {
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(port),
            "MAIL_DEFAULT_SENDER": "MySAPK <no-reply@contoh.example>",
        }

    def arrived(self) -> tuple[int, float]:
        """How many letters have come, and the seconds between the first and the last one."""
        with smtplib.SMTP("127.0.0.1", self.port) as talk:
            _, said = talk.docmd("VRFY", "all")
        count, first, last = said.split()
        return int(count), float(last) - float(first)

    def forget(self) -> None:
        with smtplib.SMTP("127.0.0.1", self.port) as talk:
            talk.docmd("VRFY", "forget")

    def take(self, address: str, seconds: float = 60.0) -> bytes:
        """The newest letter to this address, as soon as it is there. It is not kept."""
        file = _file_of(self._folder, address)
        last_moment = time.monotonic() + seconds
        while time.monotonic() < last_moment:
            if file.exists():
                letter = file.read_bytes()
                file.unlink()
                return letter
            time.sleep(0.005)
        raise TimeoutError(f"no letter to {address}")

    def token_for(self, address: str) -> str:
        body = message_from_bytes(self.take(address), policy=policy.default).get_body(("plain",))
        found = _TOKEN.search(body.get_content()) if body else None
        assert found, "a letter without a token"
        return found[1]


@contextmanager
def running_sink(folder: Path) -> Iterator[Sink]:
    port, letters = free_port(), folder / "letters"
    letters.mkdir()
    process = subprocess.Popen([sys.executable, "-m", "bench.sink", str(port), str(letters)])
    try:
        _wait_for(port)
        yield Sink(port, letters)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    last_moment = time.monotonic() + 10
    while time.monotonic() < last_moment:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError("the sink has not started")


def _file_of(folder: Path, address: str) -> Path:
    return folder / hashlib.sha256(address.lower().encode()).hexdigest()


# -- the process itself
class _Counts:
    letters, first, last = 0, 0.0, 0.0

    def note(self) -> None:
        self.last = time.monotonic()
        self.first = self.first if self.letters else self.last
        self.letters += 1


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, folder: Path, counts: _Counts
) -> None:
    recipients: list[str] = []
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        match verb.upper():
            case "EHLO":
                answer = "250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING"
            case "MAIL":
                recipients, answer = [], "250 ok"
            case "RCPT":
                recipients.append(rest[rest.index("<") + 1 : rest.index(">")])
                answer = "250 ok"
            case "DATA":
                writer.write(b"354 go on\r\n")
                letter = await reader.readuntil(b"\r\n.\r\n")
                counts.note()
                content = letter[:-3].replace(b"\r\n..", b"\r\n.")
                if (folder / _ALL).exists():
                    _keep(folder / _ALL / f"{time.time_ns()}.eml", content)
                for recipient in recipients:
                    _keep(_file_of(folder, recipient), content)
                answer = "250 taken"
            case "VRFY":
                if rest == "forget":
                    counts.letters = 0
                answer = f"252 {counts.letters} {counts.first} {counts.last}"
            case "QUIT":
                writer.write(b"221 bye\r\n")
                break
            case _:
                answer = "250 ok"
        writer.write(answer.encode() + b"\r\n")
    writer.close()


def _keep(file: Path, letter: bytes) -> None:
    """Whoever waits for the file must never find half of it."""
    partial = file.with_suffix(".partial")
    partial.write_bytes(letter)
    partial.rename(file)


async def _serve(port: int, folder: Path) -> None:
    counts = _Counts()
    server = await asyncio.start_server(
        lambda reader, writer: _talk(reader, writer, folder, counts), "127.0.0.1", port, limit=1 << 20
    )
    await server.serve_forever()


if __name__ == "__main__":
    if "--all" in sys.argv:
        (Path(sys.argv[2]) / _ALL).mkdir(exist_ok=True)
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
