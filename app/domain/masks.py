"""What a log must not say, however it is written: secrets of people and of the portal, whole NIPs and
addresses.

Many programs write lines of the log (the portal, the web server, libraries), and some repeat what a stranger
has sent. So every text is cut first, and each mask looks at a character a bounded number of times: no text
makes a line of the log expensive.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

from app.domain.nip import BETWEEN_DIGITS, NIP_LENGTH, Nip
from app.domain.reset_secret import ALPHABET

HIDDEN = "***"
KEPT_OF_HEAD, KEPT_OF_TAIL = 4_000, 8_000  # characters; the end of a traceback says the most
_LONGEST_BROKEN_WORD = 300
_NAMES_KEPT = 200
_TIMES_ENCODED = 3  # %2540 is an @ that was encoded twice

# Cookies and credentials in headers are hidden up to the end of their line.
_HEADER = re.compile(r"((?:authorization|cookie)[\"']?\s{0,3}[:=])[^\r\n]+", re.IGNORECASE)
_CREDENTIALS = re.compile(
    r"\b(bearer|basic|auth\s{1,3}(?:plain|login|xoauth2|cram-md5))(\s{1,3})\S+", re.IGNORECASE
)
_USER_IN_URL = re.compile(r"(?<=://)(?:[^\s/@]{0,256}+@)++")  # a database's URL, with its password
_NAMED = re.compile(
    r"(password|passwd|secret|token|masuk|perangkat|formulir)(\w{0,30}+\\?[\"']?\s{0,3}[=:]\s{0,3}\\?)"
    r"(?:\"[^\"\r\n]{0,500}\"|'[^'\r\n]{0,500}'|[^\s&;,\"'<>]+)",
    re.IGNORECASE,
)
# Signatures and session ids are base64url of 32 bytes: 43 letters of both cases. Digests in hex are no
# secrets.
_SIGNATURE = re.compile(r"(?<![\w-])(?=[a-z0-9_-]*+[A-Z])[\w-]{40,}+", re.ASCII)
_BETWEEN = rf"(?:{BETWEEN_DIGITS}|\+|\\[nrt]|\\x[0-9a-f]{{2}}|\\u[0-9a-f]{{4}})"  # also as repr() writes it
# A NIP, a NIK, or one of them with a digit too many
_DIGITS = re.compile(rf"\d(?:{_BETWEEN}{{0,80}}+\d){{15,}}+")
_ADDRESS = re.compile(r"(?<![\w.%+-])([\w.%+-])[\w.%+-]*+@([\w.%+-]++)")
_CODE = re.compile(
    rf"(?<![A-Za-z])[{ALPHABET}]{{4}}[\s\-\u2010-\u2015\u2212]{{0,3}}[{ALPHABET}]{{4}}(?![A-Za-z])|[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_NEVER = re.compile(r"(?!)()")


class Masks:
    """`beginnings` are paths with a secret after them (`/konfirmasi-reset-password/`); `secrets` are those of
    the portal itself."""

    def __init__(self, beginnings: Iterable[str] = (), secrets: Iterable[str] = ()) -> None:
        self.beginnings = frozenset(beginnings)
        self.secrets = frozenset(secrets)
        behind = "|".join(re.escape(one.strip("/")) for one in sorted(self.beginnings))
        self._paths = (
            re.compile(rf"((?:{behind})[/\\]+)[\"'<>]{{0,3}}[^\s\"'<>?#]+", re.IGNORECASE)
            if behind
            else _NEVER
        )
        self.masked_name = lru_cache(_NAMES_KEPT)(self.masked)  # for words of the code itself, which are few

    def masked(self, text: str) -> str:
        """The text, cut, without what must not be said. Percent-encoded parts are decoded on the way."""
        text = self._hidden(cut(text))
        for _ in range(_TIMES_ENCODED):
            if not _ENCODED.search(text):
                break
            text = self._hidden(unquote(text))
        return cut(text)  # a mask may be longer than what it hides

    def _hidden(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        text = _HEADER.sub(rf"\1 {HIDDEN}", text)
        text = _CREDENTIALS.sub(rf"\1\2{HIDDEN}", text)
        text = _USER_IN_URL.sub(f"{HIDDEN}@", text)
        text = self._paths.sub(rf"\1{HIDDEN}", text)
        text = _NAMED.sub(rf"\1\2{HIDDEN}", text)
        text = _SIGNATURE.sub(HIDDEN, text)
        text = _DIGITS.sub(_masked_number, text)
        text = _ADDRESS.sub(_masked_address, text)
        return _CODE.sub(HIDDEN, text)


def cut(text: str) -> str:
    """Head and tail of a text of any length. If the cut would break a word in two, that word goes, and digits
    beside it go too: half a NIP must not be shown either."""
    if len(text) <= KEPT_OF_HEAD + KEPT_OF_TAIL:
        return text
    head, tail = text[:KEPT_OF_HEAD], text[-KEPT_OF_TAIL:]
    whole = head[:-_LONGEST_BROKEN_WORD] + _up_to_last_blank(head[-_LONGEST_BROKEN_WORD:])
    rest = _up_to_last_blank(tail[:_LONGEST_BROKEN_WORD][::-1])[::-1] + tail[_LONGEST_BROKEN_WORD:]
    return f"{whole.rstrip(_OF_NUMBERS)} [... {len(text)} ...] {rest.lstrip(_OF_NUMBERS)}"


_OF_NUMBERS = "0123456789 .-_+\u00a0"


def _up_to_last_blank(text: str) -> str:
    parts = text.rsplit(None, 1)
    return parts[0] if len(parts) == 2 else text


def _masked_number(found: re.Match[str]) -> str:
    digits = re.sub(rf"{_BETWEEN}+", "", found[0])
    return Nip(digits).masked if len(digits) == NIP_LENGTH else f"{digits[:8]}{HIDDEN}"


def _masked_address(found: re.Match[str]) -> str:
    domain = found[2].strip(".-")
    top = domain.rpartition(".")
    return f"{found[1]}{HIDDEN}@{domain[:1]}{HIDDEN}{f'.{top[2]}' if top[1] else ''}"
