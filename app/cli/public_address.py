"""One request through the public address, like a visitor's: what did the proxies on the way make of it?"""

import secrets
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from app.security.signing import SigningKeys
from config import Settings

SECONDS_FOR_AN_ANSWER = 10


@dataclass(frozen=True)
class Seen:
    """What the portal saw of the request."""

    client: str  # the address that the portal takes for the visitor's
    forwarded: int  # the number of addresses in X-Forwarded-For


@dataclass(frozen=True)
class NoAnswer:
    why: str  # continues a sentence that begins with the address
    is_fault: bool = False


def ask_through_public_address(settings: Settings, keys: SigningKeys, forged: str = "") -> Seen | NoAnswer:
    """Ask the running portal. With `forged`, ask like somebody who writes their own X-Forwarded-For."""
    number = secrets.token_hex(16)
    headers = {"X-Portal-Check": keys.check_question(number)}
    if forged:
        headers["X-Forwarded-For"] = forged
    try:
        status, text = _get(settings.public_url, "/proxyz", headers)
    except (OSError, HTTPException, UnicodeError) as fault:
        return NoAnswer(
            f"cannot be reached from here ({type(fault).__name__}: {fault}); start the portal and check again"
        )
    if status == 400:
        return NoAnswer("answers 400: the proxy must pass the Host header on as it came", is_fault=True)
    if status != 200:
        return NoAnswer(
            f"answers {status}: the portal there is not running, of another release, "
            "has another SECRET_KEY, or a clock that differs by more than a minute"
        )
    seen = keys.open_check_answer(text, number)
    if seen is None:
        return NoAnswer("answers with what this portal did not write: it leads elsewhere")
    return Seen(seen["client"], int(seen["forwarded"]))


def _get(public_url: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    parts = urlsplit(public_url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS_FOR_AN_ANSWER)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(10_000).decode("utf-8", "replace")
    finally:
        connection.close()
