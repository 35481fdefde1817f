"""How an act becomes a row of the trail: who, on whom, from where, and what was left out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.nip import Nip
from app.models.account import TriedAccount
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority
from app.security.fingerprints import fingerprint
from tests.unit.rows import HERE, NOBODY, NOW, a_person, an_instansi


@pytest.fixture
def budi(session: Session) -> User:
    return a_person(session, an_instansi(session, "1"), "Budi", 1)


@pytest.fixture
def wati(session: Session, budi: User) -> User:
    return a_person(session, budi.instansi, "Wati", 2)


def rows(session: Session) -> list[AuditEvent]:
    session.flush()
    return list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))


def test_a_row_says_who_did_what_to_whom_from_where(session: Session, budi: User, wati: User) -> None:
    desk = Authority(wati, True, frozenset())

    event = audit.record(session, Tag.UNLOCKED, budi, Act(HERE, NOW, desk), instansi_id=77, reason="lupa")

    assert rows(session) == [event]
    assert (event.at, event.tag, event.detail) == (NOW, Tag.UNLOCKED, {"reason": "lupa"})
    assert (event.actor_id, event.account_id, event.instansi_id) == (wati.id, budi.id, budi.instansi_id)
    assert (event.client_address, event.user_agent, event.request_id) == (
        HERE.address, HERE.user_agent, HERE.request_id
    )  # fmt: skip


def test_an_owner_is_the_actor_once_they_are_proven(session: Session, budi: User) -> None:
    assert audit.record(session, Tag.LOGIN, budi, Act(HERE, NOW, budi)).actor_id == budi.id
    assert audit.record(session, Tag.LOGIN_REFUSED, budi, NOBODY).actor_id is None


def test_a_try_at_a_nip_is_kept_with_its_account_if_there_is_one(session: Session, budi: User) -> None:
    tried = TriedAccount.of(session, Nip(budi.nip))
    nobody = TriedAccount.of(session, Nip("1" * 18))

    of_budi, of_nobody = (audit.record(session, Tag.LOGIN_REFUSED, one, NOBODY) for one in (tried, nobody))

    assert (of_budi.account_id, of_budi.instansi_id) == (budi.id, budi.instansi_id)
    assert (of_nobody.account_id, of_nobody.instansi_id) == (None, None)


def test_an_act_without_an_account_may_concern_an_instansi(session: Session, budi: User) -> None:
    event = audit.record(session, Tag.CONTACT_CHANGED, None, NOBODY, instansi_id=budi.instansi_id)

    assert (event.account_id, event.instansi_id) == (None, budi.instansi_id)
    assert audit.record(session, Tag.CONTACT_CHANGED, None, NOBODY).instansi_id is None


def test_a_browser_that_says_much_is_cut(session: Session) -> None:
    act = Act(replace(HERE, user_agent="x" * 299 + "yz"), NOW, None)

    assert audit.record(session, Tag.LOGIN_REFUSED, None, act).user_agent == "x" * 299 + "y"


def test_an_address_before_and_after_is_masked_and_can_be_found_again(session: Session) -> None:
    mark = fingerprint(session, "trail-address", "budi@contoh.go.id")[:16]

    facts = audit.before_and_after(session, "email", "Budi@Contoh.go.id", None)

    assert facts == {"old_email": f"B***@C***.go.id ({mark})"}
    assert audit.before_and_after(session, "email", None, "budi@contoh.go.id") == {
        "new_email": f"b***@c***.go.id ({mark})"
    }
    assert set(audit.before_and_after(session, "email", "a@b.id", "c@d.id")) == {"old_email", "new_email"}


def test_anything_else_is_kept_whole(session: Session) -> None:
    assert audit.before_and_after(session, "nip", "1" * 18, None) == {"old_nip": "1" * 18, "new_nip": None}


def test_the_same_refusal_becomes_one_row_a_minute_and_the_next_row_counts_the_others(
    session: Session, budi: User
) -> None:
    for seconds in (0, 1, 2, 60, 61):
        act = replace(NOBODY, at=NOW + timedelta(seconds=seconds))
        audit.record_once_a_minute(session, Tag.LOGIN_THROTTLED, budi, act, about=budi.nip, why="wait")
    audit.record_once_a_minute(session, Tag.LOGIN_THROTTLED, None, NOBODY, about="another NIP")
    audit.record_once_a_minute(session, Tag.TOKEN_THROTTLED, None, NOBODY, about=budi.nip)

    assert [(event.tag, event.account_id, event.at, event.detail) for event in rows(session)] == [
        (Tag.LOGIN_THROTTLED, budi.id, NOW, {"why": "wait"}),
        (Tag.LOGIN_THROTTLED, budi.id, NOW + timedelta(minutes=1), {"why": "wait", "left_out": 2}),
        (Tag.LOGIN_THROTTLED, None, NOW, {}),
        (Tag.TOKEN_THROTTLED, None, NOW, {}),
    ]


def test_what_was_done_to_many_is_a_row_for_each_desk(session: Session, budi: User, wati: User) -> None:
    act = Act(HERE, NOW, Authority(wati, False, frozenset({budi.instansi_id})))

    events = audit.record_parts(session, Tag.EXPORTED, {budi.instansi_id: 3, None: 4}, act, what="pegawai")

    assert rows(session) == events
    assert [(event.instansi_id, event.account_id, event.actor_id) for event in events] == [
        (budi.instansi_id, None, wati.id),
        (None, None, wati.id),
    ]
    assert [event.detail for event in events] == [
        {"how_many": 3, "what": "pegawai"},
        {"how_many": 4, "what": "pegawai"},
    ]
    assert {event.tag for event in events} == {Tag.EXPORTED}
