"""The newest head of the trail that this machine has seen, in a file outside the database.

A person who can write all tables can put back an older state of them, or begin the trail anew, and no row
would show it. This file would: the row that it names must stay in the trail for ever. It is written after
each sealing, never before the sealing is committed, so it may be behind the trail but never ahead of it.
Every machine keeps what it has seen itself, for each database that it is used with. A machine that has seen
nothing yet knows nothing.
"""

import hashlib
import hmac
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from app.security.signing import SigningKeys

_MOST_BYTES = 1000
# What a URL may say in its query about the place; not who connects, or how
_OF_A_PLACE = ("host", "port", "dbname", "service")


@dataclass(frozen=True)
class Anchor:
    """A number of the trail, and the seal at that number."""

    seal_no: int
    seal: str

    def __str__(self) -> str:
        return f"{self.seal_no}:{self.seal}"


@dataclass(frozen=True)
class Unreadable:
    """The file exists, but its content cannot be used. It stays as it is until the operator has decided."""

    why: str


@dataclass(frozen=True)
class KeptHead:
    path: Path
    keys: SigningKeys

    @classmethod
    def of(cls, folder: Path, database_url: str, keys: SigningKeys, what: str = "head") -> "KeptHead":
        """The file is named after the place of the database, which nobody can change in the database
        itself. `what` is another seal than the newest one that this machine keeps in the same way."""
        url = make_url(database_url)
        place = [
            url.get_backend_name(),
            url.host,
            url.port,
            url.database,
            *(url.query.get(name) for name in _OF_A_PLACE),
        ]
        return cls(
            folder / f"trail-{what}-{hashlib.sha256(json.dumps(place).encode()).hexdigest()[:16]}", keys
        )

    def read(self) -> Anchor | Unreadable | None:
        """None if this machine has not yet seen the trail of this database."""
        try:
            with self.path.open("rb") as file:
                text = file.read(_MOST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as fault:
            return Unreadable(fault.strerror or type(fault).__name__)
        return self._parsed(text) or Unreadable(
            "isinya bukan tulisan portal ini dengan SECRET_KEY yang sekarang"
        )

    def keep(self, anchor: Anchor) -> str | None:
        """Remember a head that was checked together with what is remembered so far. Returns the reason if
        that is not possible. Another process of this machine may have seen more by now."""
        now_kept = self.read()
        if isinstance(now_kept, Unreadable):
            return now_kept.why
        if now_kept is not None and now_kept.seal_no > anchor.seal_no:
            return None
        return self.replace(anchor)

    def replace(self, anchor: Anchor) -> str | None:
        """Write the head, whatever was there before: completely or not at all, also when the power fails."""
        draft = None
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Mode 0600
            descriptor, draft = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._written(anchor))
                file.flush()
                os.fsync(file.fileno())
            if os.geteuid() == 0:  # a command that root runs must not keep the worker out
                folder = self.path.parent.stat()
                os.chown(draft, folder.st_uid, folder.st_gid)
            Path(draft).replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as fault:
            if draft is not None:
                with suppress(OSError):
                    Path(draft).unlink(missing_ok=True)
            return fault.strerror or type(fault).__name__
        return None

    def _written(self, anchor: Anchor) -> bytes:
        mark = self._mark(self.keys.trail_keys()[0], anchor)
        return json.dumps({"seal_no": anchor.seal_no, "seal": anchor.seal, "mark": mark}).encode() + b"\n"

    def _parsed(self, text: bytes) -> Anchor | None:
        try:
            said = json.loads(text)
            anchor = Anchor(int(said["seal_no"]), str(said["seal"]))
            mark = str(said["mark"])
        except (ValueError, TypeError, KeyError):
            return None
        is_ours = any(hmac.compare_digest(mark, self._mark(key, anchor)) for key in self.keys.trail_keys())
        return anchor if is_ours else None

    def _mark(self, key: bytes, anchor: Anchor) -> str:
        message = json.dumps(["kept head", self.path.name, anchor.seal_no, anchor.seal])
        return hmac.digest(key, message.encode(), "sha256").hex()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
