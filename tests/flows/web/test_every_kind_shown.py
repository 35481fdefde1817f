"""The desk can open the page about a person with every kind of letter, event, request and change."""

import re
import secrets
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from app.domain.corrections import CorrectionState, IdentityCheck, new_ticket
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now, today_in_jakarta
from app.domain.reset_secret import new_reference
from app.models import (
    AdminMandate,
    AuditEvent,
    EmailCorrection,
    IdentityChange,
    OutboxMail,
    ResetRequest,
    Tag,
    User,
)
from app.models.outbox_mail import Letter, MailState
from app.models.reset_request import WhyRefused
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.web.words import trail as trail_words
from config import ROOT
from tests.cast import RATNA, SARI
from tests.desk import person_id
from tests.visitor import Visitor, logged_in, words_of

GRANT = {
    "nip": SARI.nip, "scope": "instansi", "instansi": "7301", "sk_number": "SK-7/2026",
    "until": (today_in_jakarta(now()) + timedelta(days=100)).isoformat(),
}  # fmt: skip
NEW = {
    ChangeKind.EMAIL: "baru@contoh.example", ChangeKind.NIP: "198503122010012777",
    ChangeKind.INSTANSI: "3402",
    ChangeKind.CATEGORY: "PPPK", ChangeKind.MANDATE: "admin_pusat",
}  # fmt: skip
VALUES = {
    "reason": WhyRefused.USED, "check": IdentityCheck.VIDEO, "kind": ChangeKind.MANDATE,
    "letter": Letter.TOKEN,
    "mail": MailState.HELD, "columns": "name,nip,lain", "acknowledged": "rejected_before,lain",
    "until": "2026-12-31",
    "opens": "bukan tanggal", "left_out": 3,
}  # fmt: skip


_LETTERS_ON_A_PAGE = 20
# What letters tell in more than words
_LISTS = {"sections": [{"heading": "x", "lines": ["x"], "path": "/x"}]}


@pytest.fixture
def ratna(peopled: Flask) -> Visitor:
    return logged_in(peopled, RATNA)


def _mail(user: User, letter: Letter, state: MailState, request: ResetRequest | None = None) -> OutboxMail:
    moment = now()
    return OutboxMail(
        letter=letter, to_address=user.email or "", message_id=secrets.token_hex(), user=user,
        reset_request=request, state=state,
        client_address="203.0.113.7", posted_at=moment, due_at=moment, settled_at=moment,
        server_answer="451 nanti <a@b.example>",
    )  # fmt: skip


def _request(user: User) -> ResetRequest:
    moment = now()
    return ResetRequest(
        reference=new_reference(), key=secrets.token_bytes(32), submission=secrets.token_hex(32),
        nip=user.nip,
        typed_email=user.email or "", user=user, credential_version=user.credential_version, asked_at=moment,
        mailed_at=moment,
        expires_at=moment + timedelta(hours=1), client_address="203.0.113.7",
    )  # fmt: skip


def test_who_has_been_appointed_has_a_page(peopled: Flask, ratna: Visitor) -> None:
    page = f"/admin/pegawai/{person_id(peopled, SARI)}"
    assert ratna.post_with_token("/admin/mandat/baru", **GRANT).status_code == 303

    appointed = ratna.open(page)
    assert appointed.status_code == 200
    assert "mandat admin diberikan" in words_of(appointed)

    (revoke,) = {
        path for path in ratna.open("/admin/mandat").text.split('"') if path.endswith("/cabut")
    } - _others(peopled)
    assert ratna.post_with_token(revoke, reason="Tugas selesai").status_code == 303
    revoked = ratna.open(page)
    assert revoked.status_code == 200
    assert "mandat admin dicabut" in words_of(revoked)


def _others(app: Flask) -> set[str]:
    """The buttons of the mandates that were there before."""
    with app.app_context(), reading() as session:
        ids = session.scalars(
            select(AdminMandate.id).where(AdminMandate.user_id != person_id(app, SARI))
        ).all()
    return {f"/admin/mandat/{one}/cabut" for one in ids}


@pytest.mark.parametrize("state", MailState)
def test_every_letter_in_every_state_is_shown(peopled: Flask, ratna: Visitor, state: MailState) -> None:
    letters = list(Letter)
    for part in (letters[start : start + _LETTERS_ON_A_PAGE] for start in (0, _LETTERS_ON_A_PAGE)):
        with peopled.app_context(), unit_of_work() as session:
            sari = session.get_one(User, person_id(peopled, SARI))
            session.execute(delete(OutboxMail))
            for letter in part:
                request = _request(sari) if letter is Letter.TOKEN else None
                session.add(_mail(sari, letter, state, request))

        page = ratna.open(f"/admin/pegawai/{person_id(peopled, SARI)}")

        assert page.status_code == 200
        assert all(letter.label in words_of(page) for letter in part if letter is not Letter.TOKEN)
        assert all(f"{letter}" not in words_of(page) for letter in part if "_" in letter), "each in words"
    assert len(letters) <= 2 * _LETTERS_ON_A_PAGE


def test_every_event_with_everything_noted_is_shown(peopled: Flask, ratna: Visitor) -> None:
    detail = {
        key: VALUES.get(key, "7")
        for key in (*trail_words._TERMS, *(f"new_{kind.column}" for kind in ChangeKind))
    }
    with peopled.app_context(), unit_of_work() as session:
        session.add(
            _mail(
                sari := session.get_one(User, person_id(peopled, SARI)),
                Letter.TOKEN,
                MailState.SENT,
                _request(sari),
            )
        )

    not_shown = [
        f"{tag} on {page.split('?')[0]}"
        for tag in Tag
        for page in _pages_with(peopled, tag, detail, {**detail, "reason": "sebab yang tidak dikenal"}, {})
        if (shown := ratna.open(page)).status_code != 200 or tag.label not in words_of(shown)
    ]

    assert not not_shown


def _pages_with(app: Flask, tag: Tag, *details: dict[str, object]) -> list[str]:
    """Let this event happen to Sari, once with each of these details. Returns the pages that show it."""
    with app.app_context(), unit_of_work() as session:
        sari = session.get_one(User, person_id(app, SARI))
        session.add_all(
            AuditEvent(
                at=now(), tag=tag, account_id=sari.id, client_address="203.0.113.7", user_agent="-",
                request_id="-",
                detail=noted, instansi_id=sari.instansi_id,
            )
            for noted in details
        )  # fmt: skip
        return [f"/admin/pegawai/{sari.id}", f"/admin/audit?jenis={tag}", f"/admin/audit?nip={SARI.nip}"]


def test_every_request_and_change_is_shown(peopled: Flask, ratna: Visitor) -> None:
    moment = now()
    with peopled.app_context(), unit_of_work() as session:
        sari = session.get_one(User, person_id(peopled, SARI))
        for state in CorrectionState:
            session.add(
                EmailCorrection(
                    reference=new_reference(), ticket=new_ticket(), nip=sari.nip,
                    new_email=f"{state}@contoh.example",
                    new_email_key=f"{state}@contoh.example", user_id=sari.id, instansi_id=sari.instansi_id,
                    state=state,
                    asked_at=moment, submitted_at=None if state is CorrectionState.ASKED else moment,
                    client_address="-",
                    decided_at=moment if state.is_decided else None,
                )
            )  # fmt: skip
        for kind in ChangeKind:
            if kind is not ChangeKind.MANDATE:
                for reached in (ChangeState.DONE, ChangeState.FROZEN, ChangeState.CANCELLED):
                    session.add(_change(sari, kind, reached))
        session.add(_change(sari, ChangeKind.EMAIL, ChangeState.NEEDS_SECOND))

    page = ratna.open(f"/admin/pegawai/{person_id(peopled, SARI)}")
    assert page.status_code == 200
    linked = {
        path
        for path in page.text.split('"')
        if path.startswith(("/admin/perbaikan-email/", "/admin/perubahan/"))
    }
    linked |= {path for path in page.text.split('"') if "change_id" in path or "/perubahan" in path}
    assert len(linked) > len(CorrectionState)
    assert {path: ratna.open(path).status_code for path in linked} == dict.fromkeys(linked, 200)


def _change(user: User, kind: ChangeKind, state: ChangeState) -> IdentityChange:
    is_over = state in (ChangeState.FROZEN, ChangeState.CANCELLED)
    return IdentityChange(
        reference=new_reference(), kind=kind, user_id=user.id, instansi_id=user.instansi_id,
        old_value=NEW[kind],
        new_value=NEW[kind], state=state, reason="-", decided_at=now(),
        ended_because="-" if is_over else None,
        effective_at=now() if state is ChangeState.DONE else None, ended_at=now() if is_over else None,
    )  # fmt: skip


def test_every_letter_can_be_written(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        sari = session.get_one(User, person_id(peopled, SARI))
        correction = EmailCorrection(
            reference=new_reference(), ticket=new_ticket(), nip=sari.nip, new_email="s@contoh.example",
            state=CorrectionState.NEW,
            new_email_key="s@contoh.example", asked_at=now(), submitted_at=now(), client_address="-",
            decision="-",
        )  # fmt: skip
        change = _change(sari, ChangeKind.EMAIL, ChangeState.CANCELLED)
        for letter in Letter:
            mail = _mail(sari, letter, MailState.WAITING, _request(sari))
            mail.email_correction, mail.identity_change = correction, change
            words = "".join(file.read_text() for file in (ROOT / "templates" / "emails" / letter).iterdir())
            mail.about = {name: _LISTS.get(name, "x") for name in re.findall(r"\babout\.(\w+)", words)}
            session.add(mail)
            session.flush()
            written = portal().renderer.render(mail, now())
            assert written.subject, letter
            assert written.text, letter
            assert written.html, letter
