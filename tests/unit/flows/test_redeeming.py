"""A token is proven, and spent once. Who has proven nothing learns nothing; the trail keeps the reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.nip import Nip
from app.domain.password_policy import ASN_2025, MYSAPK_2021, policy_named
from app.domain.reset_secret import Code, Link
from app.flows.reset.redeem_token import (
    Claim,
    Proven,
    TokenNotLive,
    TooWeak,
    check,
    redeem,
    request_behind,
)
from app.models.account import ProvenOwner
from app.models.audit_event import AuditEvent, Tag
from app.models.outbox_mail import Letter, OutboxMail
from app.models.reset_request import ResetRequest, WhyRefused
from app.models.user import User
from app.security import guesses, throttle
from app.security.throttle import LOGIN_IN_KNOWN_BROWSERS, LOGIN_IN_NEW_BROWSERS, Counted, TooManyTries
from tests.unit.rows import KEYS, NOBODY, NOW, TODAY, a_mandate, a_person, a_token, an_instansi

PASSWORD, POLICY = "Kuda-Laut7", "mysapk2021"
WRONG_CODE, SECOND = Code("ZZZZZZZZ"), timedelta(seconds=1)
LATER = replace(NOBODY, at=NOW + timedelta(hours=1))


@pytest.fixture
def budi(session: Session) -> User:
    return a_person(session, an_instansi(session, "1"), "Budi", 1)


def code_of(request: ResetRequest) -> Code:
    return KEYS.reset_code(request.reference, request.key)


def link_of(request: ResetRequest) -> Link:
    return KEYS.reset_link(request.reference, request.key)


PROOFS = pytest.mark.parametrize("proof_of", [code_of, link_of], ids=["code", "link"])
ProofOf = Callable[[ResetRequest], Code | Link]


def claimed(
    session: Session, nip: str, proof: Code | Link, password: str = PASSWORD, seconds: int = 0
) -> Proven | TokenNotLive | TooWeak | TooManyTries:
    act = replace(NOBODY, at=NOW + seconds * SECOND)
    return check(session, Claim(Nip(nip), proof, password), POLICY, KEYS, act)


def proven(session: Session, request: ResetRequest) -> Proven:
    """What the first step finds where the token of this request is live."""
    owner, _ = ResetRequest.mailed_tokens_for(session, Nip(request.nip), NOW, TODAY)
    return Proven(request.reference, owner)


def trail(session: Session) -> list[tuple[Tag, int | None, int | None, dict[str, str | int | bool | None]]]:
    session.flush()
    events = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
    return [(event.tag, event.account_id, event.actor_id, event.detail) for event in events]


# -- the first step
@PROOFS
def test_a_live_token_is_proven_and_not_spent(session: Session, budi: User, proof_of: ProofOf) -> None:
    token = a_token(session, budi)

    assert claimed(session, budi.nip, proof_of(token)) == proven(session, token)
    assert claimed(session, budi.nip, proof_of(token)) == proven(session, token)
    assert trail(session) == []


def test_the_code_of_every_mail_opens_its_own_request(session: Session, budi: User) -> None:
    tokens = [a_token(session, budi, number) for number in (1, 2, 3)]

    for token in tokens:
        assert claimed(session, budi.nip, code_of(token)) == proven(session, token)


ENDED: dict[WhyRefused, dict[str, Any]] = {
    WhyRefused.EXPIRED: {"expires_at": NOW},
    WhyRefused.USED: {"used_at": NOW},
    WhyRefused.OVERTAKEN: {"credential_version": 99},
}


@PROOFS
@pytest.mark.parametrize("why", ENDED)
def test_a_token_that_ended_is_refused_and_the_trail_says_why(
    session: Session, budi: User, why: WhyRefused, proof_of: ProofOf
) -> None:
    a_token(session, budi, 1)
    ended = a_token(session, budi, 2, **ENDED[why])

    assert claimed(session, budi.nip, proof_of(ended)) == TokenNotLive()
    assert trail(session) == [
        (Tag.TOKEN_REFUSED, budi.id, None, {"typed": proof_of is code_of, "reason": why.value})
    ]


def test_a_wrong_code_is_told_from_a_code_where_none_is_open(session: Session, budi: User) -> None:
    assert claimed(session, budi.nip, WRONG_CODE) == TokenNotLive()
    a_token(session, budi, expires_at=NOW)
    assert claimed(session, budi.nip, WRONG_CODE) == TokenNotLive()
    a_token(session, budi, 2)
    assert claimed(session, budi.nip, WRONG_CODE) == TokenNotLive()
    assert claimed(session, "1" * 18, WRONG_CODE) == TokenNotLive()

    assert [(account, detail["reason"]) for _, account, _, detail in trail(session)] == [
        (budi.id, "nothing_open"),
        (budi.id, "nothing_open"),
        (budi.id, "wrong"),
        (None, "nothing_open"),
    ]


@PROOFS
def test_a_token_opens_nothing_under_another_nip(session: Session, budi: User, proof_of: ProofOf) -> None:
    wati = a_person(session, budi.instansi, "Wati", 2)
    a_token(session, wati, 1)
    token = a_token(session, budi, 2)

    assert claimed(session, wati.nip, proof_of(token)) == TokenNotLive()
    assert trail(session)[0][1:] == (wati.id, None, {"typed": proof_of is code_of, "reason": "wrong"})


def test_a_request_without_an_owner_has_no_token(session: Session) -> None:
    request = a_token(session, None)

    assert claimed(session, request.nip, link_of(request)) == TokenNotLive()
    assert claimed(session, request.nip, code_of(request)) == TokenNotLive()
    assert [detail["reason"] for *_, detail in trail(session)] == ["wrong", "nothing_open"]


def test_five_codes_may_be_wrong_and_links_are_not_counted(session: Session, budi: User) -> None:
    token = a_token(session, budi)
    for _ in range(5):
        assert claimed(session, budi.nip, WRONG_CODE) == TokenNotLive()

    assert claimed(session, budi.nip, code_of(token)) == TooManyTries(900)
    assert claimed(session, budi.nip, link_of(token)) == proven(session, token)
    assert claimed(session, "1" * 18, WRONG_CODE) == TokenNotLive(), "another NIP"
    assert claimed(session, budi.nip, code_of(token), seconds=900) == proven(session, token)


def test_a_right_code_forgets_the_wrong_ones_and_a_link_does_not(session: Session, budi: User) -> None:
    token = a_token(session, budi)
    for _ in range(4):
        claimed(session, budi.nip, WRONG_CODE)
    assert claimed(session, budi.nip, code_of(token)) == proven(session, token)
    for _ in range(5):
        assert claimed(session, budi.nip, WRONG_CODE) == TokenNotLive()

    claimed(session, budi.nip, link_of(token))
    assert claimed(session, budi.nip, WRONG_CODE) == TooManyTries(900)


def test_tries_that_are_refused_become_one_row_a_minute_for_each_nip(session: Session, budi: User) -> None:
    for nip in (budi.nip, "1" * 18):
        for _ in range(8):
            claimed(session, nip, WRONG_CODE)

    refused = [row for row in trail(session) if row[0] is Tag.TOKEN_THROTTLED]
    assert refused == [(Tag.TOKEN_THROTTLED, budi.id, None, {}), (Tag.TOKEN_THROTTLED, None, None, {})]


def test_links_that_do_not_open_become_one_row_a_minute_for_each_reason_and_nip(
    session: Session, budi: User
) -> None:
    wati = a_person(session, budi.instansi, "Wati", 2)
    expired, used = a_token(session, budi, 1, expires_at=NOW), a_token(session, budi, 2, used_at=NOW)
    for _ in range(3):
        claimed(session, budi.nip, link_of(expired))
        claimed(session, budi.nip, link_of(used))
        claimed(session, wati.nip, Link("reference-000003.no-signature"))
        claimed(session, budi.nip, Link("reference-000003.no-signature"))

    assert [(account, detail["reason"]) for _, account, _, detail in trail(session)] == [
        (budi.id, "expired"),
        (budi.id, "used"),
        (wati.id, "wrong"),
        (budi.id, "wrong"),
    ]


@PROOFS
def test_only_a_right_token_is_told_what_is_wrong_with_the_password(
    session: Session, budi: User, proof_of: ProofOf
) -> None:
    token = a_token(session, budi)

    assert claimed(session, budi.nip, WRONG_CODE, "abc") == TokenNotLive()
    weak = claimed(session, budi.nip, proof_of(token), "abc")
    personal = claimed(session, budi.nip, proof_of(token), f"X{budi.nip}x")

    assert isinstance(weak, TooWeak)
    assert "6 karakter" in weak.sentences[0]
    assert isinstance(personal, TooWeak)
    assert "NIP" in personal.sentences[0]
    assert claimed(session, budi.nip, proof_of(token)) == proven(session, token), "it stays live"


def test_a_weak_password_is_an_act_of_the_owner_noted_once_a_minute(session: Session, budi: User) -> None:
    wati = a_person(session, budi.instansi, "Wati", 2)
    for user, number in ((budi, 1), (wati, 2)):
        token = a_token(session, user, number)
        for _ in range(3):
            claimed(session, user.nip, link_of(token), "abc")

    assert trail(session) == [
        (Tag.PASSWORD_REFUSED, budi.id, budi.id, {}),
        (Tag.PASSWORD_REFUSED, wati.id, wati.id, {}),
    ]


def test_an_admin_has_the_strict_rules(session: Session, budi: User) -> None:
    assert policy_named(POLICY, is_admin=False) is MYSAPK_2021
    assert policy_named("asn2025", is_admin=False) is ASN_2025
    assert policy_named(POLICY, is_admin=True) is ASN_2025
    token = a_token(session, budi)
    assert not proven(session, token).owner.is_admin

    a_mandate(session, budi, None)

    assert proven(session, token).owner.is_admin
    day = timedelta(days=1)
    assert not ResetRequest.mailed_tokens_for(session, Nip(budi.nip), NOW + day, TODAY + day)[0].is_admin
    assert isinstance(claimed(session, budi.nip, code_of(token)), TooWeak)
    assert NOW.date() == TODAY


def test_a_link_proves_its_mailbox_after_its_end_too(session: Session, budi: User) -> None:
    used = a_token(session, budi, 1, used_at=NOW)
    other = a_token(session, budi, 2)

    found = request_behind(session, link_of(used), KEYS, NOW)
    assert found is not None
    assert found.reference == used.reference
    signature = link_of(other).text.partition(".")[2]
    assert request_behind(session, Link(f"{used.reference}.{signature}"), KEYS, NOW) is None
    assert request_behind(session, KEYS.reset_link("reference-999999", b"k" * 32), KEYS, NOW) is None


# -- the second step
def test_a_token_writes_the_password_and_is_spent(session: Session, budi: User) -> None:
    token = a_token(session, budi)
    version = budi.credential_version
    budi.mail_failed_at = NOW
    for limit in (LOGIN_IN_NEW_BROWSERS, LOGIN_IN_KNOWN_BROWSERS):
        for _ in range(5):
            guesses.take(session, limit, budi.nip, NOW)

    redeemed = redeem(session, proven(session, token), "the hash", NOBODY)

    session.expire_all()
    assert redeemed == ProvenOwner.of(budi)
    assert (budi.password_hash, budi.password_changed_at) == ("the hash", NOW)
    assert budi.mail_failed_at is None
    assert budi.credential_version == version + 1
    assert token.used_at == NOW
    assert trail(session) == [(Tag.PASSWORD_SET, budi.id, budi.id, {})]
    mail = session.scalars(select(OutboxMail)).one()
    assert (mail.letter, mail.to_address, mail.client_address) == (
        Letter.PASSWORD_CHANGED, budi.email, NOBODY.client.address
    )  # fmt: skip
    for limit in (LOGIN_IN_NEW_BROWSERS, LOGIN_IN_KNOWN_BROWSERS):
        assert guesses.take(session, limit, budi.nip, NOW) == Counted()


def test_a_token_is_spent_once(session: Session, budi: User) -> None:
    token = a_token(session, budi)
    redeem(session, proven(session, token), "the hash", NOBODY)

    assert redeem(session, proven(session, token), "another hash", NOBODY) == TokenNotLive()

    session.expire_all()
    assert budi.password_hash == "the hash"
    assert trail(session)[1:] == [(Tag.TOKEN_REFUSED, budi.id, None, {"reason": "used"})]


@pytest.mark.parametrize("why", ENDED)
def test_what_ended_meanwhile_writes_nothing(session: Session, budi: User, why: WhyRefused) -> None:
    token = a_token(session, budi, **ENDED[why])

    assert redeem(session, proven(session, token), "the hash", NOBODY) == TokenNotLive()

    assert budi.password_hash is None
    assert trail(session) == [(Tag.TOKEN_REFUSED, budi.id, None, {"reason": why.value})]


def test_a_token_ends_to_the_second(session: Session, budi: User) -> None:
    token = a_token(session, budi)

    assert redeem(session, proven(session, token), "the hash", LATER) == TokenNotLive()
    before = replace(LATER, at=LATER.at - SECOND)
    assert isinstance(redeem(session, proven(session, token), "the hash", before), ProvenOwner)


def test_nothing_is_written_for_a_request_that_is_gone_or_was_nobodys(session: Session) -> None:
    nobodys = a_token(session, None)

    assert (
        redeem(session, Proven("reference-999999", proven(session, nobodys).owner), "the hash", NOBODY)
        == TokenNotLive()
    )
    assert redeem(session, proven(session, nobodys), "the hash", NOBODY) == TokenNotLive()
    assert trail(session) == []


def test_a_token_that_somebody_else_spends_at_this_moment_writes_nothing(
    session: Session, budi: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = a_token(session, budi)
    monkeypatch.setattr(ResetRequest, "redeem", lambda *_: None)

    assert redeem(session, proven(session, token), "the hash", NOBODY) == TokenNotLive()
    assert trail(session) == [(Tag.TOKEN_REFUSED, budi.id, None, {"reason": "used"})]


def test_a_try_at_a_code_is_counted_where_the_table_of_limits_says(session: Session, budi: User) -> None:
    claimed(session, budi.nip, WRONG_CODE)

    for _ in range(4):
        assert throttle.take(session, throttle.TOKEN_PER_NIP, budi.nip, NOW) == Counted()
    assert throttle.take(session, throttle.TOKEN_PER_NIP, budi.nip, NOW) == TooManyTries(900)
