"""Everything that is derived from the secret keys: mailed links and codes, cookies that only the portal can
write, and fingerprints for tables that must not show what was typed.

Each purpose has its own salt, so that no signature is valid for another purpose. The newest key signs, and
all keys verify. Only fingerprints are made with the oldest key: a row must be found again under the name that
it got, so a key that is added in front renames nothing. The counters begin anew only once, when the oldest
key is removed.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from itsdangerous import (
    BadSignature,
    SignatureExpired,
    Signer,
    TimestampSigner,
    URLSafeSerializer,
    URLSafeTimedSerializer,
)

from app.domain.reset_secret import Code, Link, code_from
from app.domain.return_path import ReturnPathMark

_LINK_SALT = "mysapk.reset.link"
_CODE_SALT = b"mysapk.reset.code"
_DEVICE_SALT = "mysapk.device"
_CORRECTION_SALT = "mysapk.email-correction"
_STOP_SALT = "mysapk.email-change.stop"
_RETURN_PATH_SALT = b"mysapk.return-path"
_CHECK_SALT = "mysapk.check.question"
_CHECK_ANSWER_SALT = "mysapk.check.answer"
_FINGERPRINT_SALT = b"mysapk.fingerprint"
_TRAIL_SALT = b"mysapk.trail"


@cache
def _derived(key: str, salt: bytes) -> bytes:
    """The key for one purpose. It is kept, because a request needs such keys dozens of times."""
    return hmac.digest(key.encode(), salt, "sha256")


@cache
def _signer_of_links(oldest_first: tuple[str, ...]) -> Signer:
    """It changes nothing of its own, so several threads may use it."""
    return Signer(oldest_first, salt=_LINK_SALT, key_derivation="hmac", digest_method=hashlib.sha256)


class KeptSigner(TimestampSigner):
    """Signs and verifies as itsdangerous does, with two differences. Keys are derived once, not for each
    signature. And a signature from a moment that has not come yet is as good as a new one: only a machine of
    the portal can have made it, whose clock is a little ahead of this one, or was put back since."""

    def __init__(self, *keys_and_salt: Any, **kinds: Any) -> None:
        super().__init__(*keys_and_salt, **kinds)
        self._kept: dict[str | bytes, bytes] = {}

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        key = self.secret_keys[-1] if secret_key is None else secret_key
        if key not in self._kept:
            self._kept[key] = super().derive_key(key)
        return self._kept[key]

    def unsign(
        self,
        signed_value: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,  # noqa: FBT001  (as itsdangerous has it)
    ) -> Any:
        value, signed_at = super().unsign(signed_value, return_timestamp=True)
        if max_age is not None and self.get_timestamp() - signed_at.timestamp() > max_age:
            raise SignatureExpired("too old", payload=value, date_signed=signed_at)
        return (value, signed_at) if return_timestamp else value


class KeptSerializer(URLSafeTimedSerializer):
    """A serializer that may be kept, and used by several threads: it makes its signer once."""

    default_signer = KeptSigner

    def __init__(self, *keys_and_salt: Any, **kinds: Any) -> None:
        super().__init__(*keys_and_salt, **kinds)
        self._signer = super().make_signer()

    def make_signer(self, salt: str | bytes | None = None) -> Signer:
        return self._signer if salt in (None, self.salt) else super().make_signer(salt)


@dataclass(frozen=True)
class SigningKeys:
    """The secret keys, newest first."""

    keys: tuple[str, ...]

    # -- the two forms of one reset secret
    # -------------------------------------------------------------------------
    def reset_link(self, reference: str, row_key: bytes) -> Link:
        """The mailed link: the request's reference, and a signature over reference and row key."""
        signature = self._link_signer().get_signature(_over(reference, row_key)).decode()
        return Link(f"{reference}.{signature}")

    def opens_link(self, link: Link, reference: str, row_key: bytes) -> bool:
        signature = link.text.removeprefix(f"{reference}.").encode()
        return self._link_signer().verify_signature(_over(reference, row_key), signature)

    def reset_code(self, reference: str, row_key: bytes) -> Code:
        """The typed code, under the newest key."""
        return self.reset_codes(reference, row_key)[0]

    def opens_code(self, code: Code, reference: str, row_key: bytes) -> bool:
        """Every key is tried, also after one has fitted, so that the time says nothing."""
        matches = [
            hmac.compare_digest(code.letters, self._code_under(key, reference, row_key).letters)
            for key in self.keys
        ]
        return any(matches)

    def reset_codes(self, reference: str, row_key: bytes) -> tuple[Code, ...]:
        """The typed code under every key, newest first, because a page that was opened before a rotation
        shows an older code."""
        return tuple(self._code_under(key, reference, row_key) for key in self.keys)

    def _link_signer(self) -> Signer:
        return _signer_of_links(tuple(self.oldest_first))

    def _code_under(self, key: str, reference: str, row_key: bytes) -> Code:
        return code_from(hmac.digest(_derived(key, _CODE_SALT), _over(reference, row_key), "sha256"))

    # -- what a browser keeps for us
    # ---------------------------------------------------------------------------------
    def seal_devices(self, marks: dict[str, tuple[str, int]]) -> str:
        return self._serializer(_DEVICE_SALT).dumps(marks)

    def open_devices(self, sealed: str) -> dict[str, tuple[str, int]]:
        """What a device cookie keeps for each person: the mark, and when it was given (seconds since 1970).
        Empty when the cookie is not one of ours."""
        try:
            kept = self._serializer(_DEVICE_SALT).loads(sealed)
        except BadSignature:
            return {}
        of_today = kept.items() if isinstance(kept, dict) else ()
        return {person: (entry[0], entry[1]) for person, entry in of_today if isinstance(entry, list)}

    def correction_link(self, reference: str) -> str:
        """A link that proves the mailbox to which a request was answered. It names the request and nothing
        else."""
        return self._timed(_CORRECTION_SALT).dumps(reference)

    def open_correction_link(self, link: str, seconds: int) -> str | None:
        """The request's reference in a correction link that is at most `seconds` old."""
        try:
            return str(self._timed(_CORRECTION_SALT).loads(link, max_age=seconds))
        except BadSignature:
            return None

    def correction_link_made_at(self, link: str) -> datetime | None:
        """When a correction link was signed, however long ago. None if it is not one of ours."""
        return self._signed_at(_CORRECTION_SALT, link)

    def stop_link(self, reference: str) -> str:
        """The link "bukan saya" of a change. It names the change, and stops it."""
        return self._timed(_STOP_SALT).dumps(reference)

    def open_stop_link(self, link: str, seconds: int) -> str | None:
        """The change's reference in a link that is at most `seconds` old."""
        try:
            return str(self._timed(_STOP_SALT).loads(link, max_age=seconds))
        except BadSignature:
            return None

    def stop_link_made_at(self, link: str) -> datetime | None:
        return self._signed_at(_STOP_SALT, link)

    def _signed_at(self, salt: str, link: str) -> datetime | None:
        try:
            _, signed_at = self._timed(salt).loads(link, return_timestamp=True)
        except BadSignature:
            return None
        return cast(datetime, signed_at)

    # -- where a letter that does not arrive comes back to
    # ---------------------------------------------------------------
    def return_path(self, address: str, message_id: str) -> str:
        """The address that receives the reports on this one mail, made from `address`."""
        return self._mark_under(self.keys[0], message_id).put_on(address)

    def open_mark(self, mark: ReturnPathMark) -> str | None:
        """The message id of the mail that was sent with this mark. Every key is tried."""
        message_id = mark.reference
        if message_id is None:
            return None
        matches = [
            hmac.compare_digest(mark.signature, self._mark_under(key, message_id).signature)
            for key in self.keys
        ]
        return message_id if any(matches) else None

    def _mark_under(self, key: str, message_id: str) -> ReturnPathMark:
        signature = hmac.digest(_derived(key, _RETURN_PATH_SALT), message_id.encode(), "sha256")
        return ReturnPathMark.of(message_id, signature)

    @property
    def oldest_first(self) -> list[str]:
        """The keys in the order in which itsdangerous wants them: the last one signs."""
        return list(reversed(self.keys))

    # -- what `mysapk check` asks the running portal
    # -----------------------------------------------------------------
    def check_question(self, number: str) -> str:
        return self._timed(_CHECK_SALT).dumps(number)

    def open_check_question(self, signed: str, seconds: int) -> str | None:
        """The number in a question that is at most `seconds` old, or ahead by a clock that differs."""
        try:
            number, signed_at = self._timed(_CHECK_SALT).loads(signed, return_timestamp=True)
        except BadSignature:
            return None
        age = (datetime.now(UTC) - signed_at).total_seconds()
        return str(number) if abs(age) <= seconds else None

    def check_answer(self, number: str, seen: dict[str, str]) -> str:
        return self._serializer(_CHECK_ANSWER_SALT).dumps({**seen, "number": number})

    def open_check_answer(self, signed: str, number: str) -> dict[str, str] | None:
        """What the portal saw; None if this is not the answer of a portal with our key to our question."""
        try:
            seen: dict[str, str] = self._serializer(_CHECK_ANSWER_SALT).loads(signed)
        except BadSignature:
            return None
        return seen if seen.get("number") == number else None

    # -- names for rows
    # --------------------------------------------------------------------------------------------
    def fingerprint(self, *parts: str) -> str:
        """A keyed hash (64 hex digits) for a table that must not show the value itself. Rotation does not
        change it."""
        derived = _derived(self.keys[-1], _FINGERPRINT_SALT)
        return hmac.digest(derived, json.dumps(parts).encode(), "sha256").hex()

    def trail_keys(self) -> tuple[bytes, ...]:
        """The keys that seal the trail, newest first. A key that has sealed rows must stay among the
        fallbacks for as long as those rows are to be verified."""
        return tuple(_derived(key, _TRAIL_SALT) for key in self.keys)

    def _serializer(self, salt: str) -> URLSafeSerializer:
        return _serializer_of(self.keys, salt)

    def _timed(self, salt: str) -> URLSafeTimedSerializer:
        return KeptSerializer(self.oldest_first, salt=salt, signer_kwargs=_SHA256)


_SHA256 = {"key_derivation": "hmac", "digest_method": hashlib.sha256}


@cache
def _serializer_of(keys: tuple[str, ...], salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(keys[::-1], salt=salt, signer_kwargs=_SHA256)


def _over(reference: str, row_key: bytes) -> bytes:
    return reference.encode() + b"." + row_key.hex().encode()
