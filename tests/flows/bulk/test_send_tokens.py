"""An admin sends tokens to many people at once, and reads before what will happen and after what has
happened."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.models import AuditEvent, BulkState, OutboxMail, Tag
from app.models.outbox_mail import Letter, Urgency
from app.runtime.db import reading
from app.worker import bulk_acts
from tests.cast import BUDI, DEWI, RATNA, SARI, TONO, WATI, email_of
from tests.flows.bulk.at_once import (
    act_of,
    add_people,
    choose,
    choose_all,
    outcomes_of,
    prepare,
    start,
    work,
)
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


def test_the_chosen_get_a_token_and_the_others_are_told_of(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    page = prepare(wati, choose(peopled, wati, SARI, BUDI, TONO, WATI))
    preview = words_of(wati.open(page))
    assert "2 pegawai akan dikirimi token, 2 dilewati." in preview
    assert "Dilewati. Akunnya dinonaktifkan" in preview
    assert "Dilewati. Memegang mandat admin" in preview
    assert inbox.fetch() == []

    started = start(wati, page)
    work(peopled)
    mails = inbox.fetch()

    assert "Sedang dikerjakan" in started
    tokens = {mail.to for mail in mails if mail.subject.startswith("Token")}
    assert tokens == {email_of(SARI), email_of(BUDI)}, [(mail.to, mail.subject) for mail in mails]
    result = words_of(wati.open(page))
    assert "2 pegawai dikirimi token, 2 dilewati." in result
    assert outcomes_of(peopled, page) == {
        SARI.name: "selesai", BUDI.name: "selesai", TONO.name: "nonaktif", WATI.name: "admin",
    }  # fmt: skip


def test_2000_people_get_one_token_each_and_pusat_one_mail(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_acts, "PEOPLE_A_CHUNK", 500)  # fewer rests
    add_people(peopled, 2100)

    page = prepare(wati, choose_all(wati, "status=not_activated&unit=&nip=1981"))
    assert "Yang cocok lebih banyak" in words_of(wati.open(page))
    start(wati, page)
    work(peopled)

    bulk = act_of(peopled, page)
    assert (bulk.state, bulk.total, bulk.result) == (BulkState.DONE, 2000, {"selesai": 2000})
    with peopled.app_context(), reading() as session:
        tokens = select(func.count(), func.count(OutboxMail.user_id.distinct())).where(
            OutboxMail.letter == Letter.TOKEN, OutboxMail.urgency == Urgency.CAN_WAIT
        )
        assert session.execute(tokens).one() == (2000, 2000)
        events = select(func.count()).where(AuditEvent.tag == Tag.TOKEN_SENT_BY_ADMIN)
        assert session.scalar(events) == 2000
        told = session.scalars(select(OutboxMail).where(OutboxMail.letter == Letter.BULK_ACT)).all()
        assert [(mail.to_address, mail.about["how_many"]) for mail in told] == [(RATNA.email, "2000")]
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.BULK_ACT)).one()
        assert (event.detail["how_many"], event.detail["left"]) == (2000, 0)
        assert event.actor is not None
        assert event.actor.nip == WATI.nip


def test_the_token_that_somebody_waits_for_leaves_before_those_of_a_bulk_act(
    peopled: Flask, wati: Visitor
) -> None:
    add_people(peopled, 30)
    start(wati, prepare(wati, choose_all(wati, "nip=1981")))
    work(peopled)

    Visitor(peopled).ask_for_token(DEWI.nip, email_of(DEWI))

    with peopled.app_context(), reading() as session:
        first, *others = OutboxMail._ids_due(session, session.scalars(_NEWEST_MOMENT).one(), 100)
        newest = session.scalar(select(func.max(OutboxMail.id)))
    assert first == newest
    assert len(others) >= 30


_NEWEST_MOMENT = select(func.max(OutboxMail.due_at, type_=OutboxMail.due_at.type))
