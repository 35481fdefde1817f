"""Counters outlive a release, so the key of a bucket stays what it was."""

from sqlalchemy.orm import Session

from app.security import throttle
from app.security.signing import SigningKeys

KEYS = SigningKeys(("a key for tests only, of no use elsewhere",))
NIP, LINE = "196804111990031002", "203.0.113.*"


def test_a_bucket_is_named_by_its_limit_and_by_what_is_counted_and_shows_neither() -> None:
    session = Session(info={"fingerprint": KEYS.fingerprint})

    of_nip = throttle.bucket_of(session, throttle.TOKEN_PER_NIP, NIP)
    of_both = throttle.bucket_of(session, throttle.ATTACHMENTS_PER_NIP_AND_LINE, (NIP, LINE))
    at_login = throttle.bucket_of(session, throttle.LOGIN_IN_NEW_BROWSERS, NIP)

    assert of_nip == KEYS.fingerprint("token", NIP)
    assert of_both == KEYS.fingerprint("attachment-nip-line", NIP, LINE)
    assert at_login == KEYS.fingerprint("login-new", NIP)
    assert NIP not in of_nip
