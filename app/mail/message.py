"""A letter as the bytes of a mail: text and HTML side by side.

Python's own writer understands every mail there is, and costs more than all the rest of a letter. All letters
of the portal have one shape, so they are written here.
"""

import re
import secrets
from collections.abc import Iterable
from email.header import Header
from functools import lru_cache

_ANY_LINE_END = re.compile(r"\r\n|\r|\n")
_NEXT_HEADER = re.compile(
    r"\r(?!\n[ \t])|(?<!\r)\n"
)  # a long value goes on in a line that begins with a space


def written(headers: Iterable[tuple[str, str]], text: str, html: str) -> bytes:
    """The mail with these headers, whose values are ASCII already. Raises ValueError if one of them would
    begin a header of its own."""
    # Nobody whose words stand in a letter can guess it, so nobody can end a part
    boundary = f"=_{secrets.token_hex(16)}"
    lines = [
        *(_header(name, value) for name, value in headers),
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
        *_part(boundary, "plain", text),
        *_part(boundary, "html", html),
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode()


def _header(name: str, value: str) -> str:
    if _NEXT_HEADER.search(value):
        raise ValueError(f"a line end in {name}")
    return f"{name}: {value}"


def _part(boundary: str, kind: str, text: str) -> Iterable[str]:
    yield f"--{boundary}"
    yield f'Content-Type: text/{kind}; charset="utf-8"'
    yield "Content-Transfer-Encoding: 8bit"
    yield ""
    yield _ANY_LINE_END.sub("\r\n", text)


@lru_cache(maxsize=256)
def subject_in_ascii(words: str) -> str:
    """In short lines. Most letters of a kind have the same subject."""
    charset = "us-ascii" if words.isascii() else "utf-8"
    return Header(words, charset, header_name="Subject").encode(linesep="\r\n")
