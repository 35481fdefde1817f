"""The place where a list goes on, as an address says it. The place gives no right: who may see what is
decided again each time. A text that is no place leads to the first page.

Lists in the order of ids go on after an id, which `row_ids.py` reads; this module is for all others.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from app.domain.paging import Cursor, Key
from app.web.row_ids import big_row_id, row_id

KeyReader = Callable[[object], Key]
KeysOf = Mapping[str, tuple[KeyReader, ...]]


def page_number(typed: str) -> int:
    """Counted from 1."""
    return max(1, int(typed)) if re.fullmatch("[0-9]{1,5}", typed) else 1


def written(cursor: Cursor) -> str:
    """A cursor for the address of the next page."""
    keys = [key.isoformat() if isinstance(key, datetime) else key for key in cursor.keys]
    text = json.dumps([cursor.index, cursor.instansi_id, *keys], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, keys_of: KeysOf, keys_over_all: KeysOf | None = None) -> Cursor | None:
    """The cursor in an address. `keys_of` names the indexes of the list and how to read the keys of each;
    `keys_over_all` is used instead when the list covers all instansi, if the keys differ there."""
    try:
        index, instansi_id, *keys = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        readers = (keys_over_all or keys_of if instansi_id is None else keys_of)[index]
        read = tuple(reader(key) for reader, key in zip(readers, keys, strict=True))
        return Cursor(index, read, None if instansi_id is None else an_id(instansi_id))
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return None


def digits(key: object) -> str:
    if not (isinstance(key, str) and key.isascii() and key.isdigit()):
        raise ValueError("not digits")
    return key


def word(key: object) -> str:
    if not (isinstance(key, str) and key.isalnum()):
        raise ValueError("not a word")
    return key


def moment(key: object) -> datetime:
    read = datetime.fromisoformat(str(key))
    if read.tzinfo is None:
        raise ValueError("a moment without a zone")
    return read.astimezone(UTC)


def an_id(key: object) -> int:
    return row_id(str(key))


def a_big_id(key: object) -> int:
    return big_row_id(str(key))
