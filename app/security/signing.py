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
from functools import cached_property

from itsdangerous import BadSignature, Signer, URLSafeSerializer, URLSafeTimedSerializer

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
        return Signer(self.oldest_first, salt=_LINK_SALT, key_derivation="hmac", digest_method=hashlib.sha256)

    def _code_under(self, key: str, reference: str, row_key: bytes) -> Code:
        derived = hmac.digest(key.encode(), _CODE_SALT, "sha256")
        return code_from(hmac.digest(derived, _over(reference, row_key), "sha256"))

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

    def stop_link(self, reference: str) -> str:
        """The link "bukan saya" of a change. It names the change, and stops it."""
        return self._timed(_STOP_SALT).dumps(reference)

    def open_stop_link(self, link: str, seconds: int) -> str | None:
        """The change's reference in a link that is at most `seconds` old."""
        try:
            return str(self._timed(_STOP_SALT).loads(link, max_age=seconds))
        except BadSignature:
            return None

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
        derived = hmac.digest(key.encode(), _RETURN_PATH_SALT, "sha256")
        return ReturnPathMark.of(message_id, hmac.digest(derived, message_id.encode(), "sha256"))

    @property
    def oldest_first(self) -> list[str]:
        """The keys in the order in which itsdangerous wants them: the last one signs."""
        return list(reversed(self.keys))

    # -- what `mysapk check` asks the running portal
    # -----------------------------------------------------------------
    def check_question(self, number: str) -> str:
        return self._timed(_CHECK_SALT).dumps(number)

    def open_check_question(self, signed: str, seconds: int) -> str | None:
        """The number in a question that is at most `seconds` old."""
        try:
            return str(self._timed(_CHECK_SALT).loads(signed, max_age=seconds))
        except BadSignature:
            return None

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
        return hmac.digest(self._fingerprint_key, json.dumps(parts).encode(), "sha256").hex()

    @cached_property
    def _fingerprint_key(self) -> bytes:
        return hmac.digest(self.keys[-1].encode(), _FINGERPRINT_SALT, "sha256")

    def trail_keys(self) -> tuple[bytes, ...]:
        """The keys that seal the trail, newest first. A key that has sealed rows must stay among the
        fallbacks for as long as those rows are to be verified."""
        return tuple(hmac.digest(key.encode(), _TRAIL_SALT, "sha256") for key in self.keys)

    def _serializer(self, salt: str) -> URLSafeSerializer:
        return URLSafeSerializer(self.oldest_first, salt=salt, signer_kwargs=_SHA256)

    def _timed(self, salt: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.oldest_first, salt=salt, signer_kwargs=_SHA256)


_SHA256 = {"key_derivation": "hmac", "digest_method": hashlib.sha256}


def _over(reference: str, row_key: bytes) -> bytes:
    return reference.encode() + b"." + row_key.hex().encode()
