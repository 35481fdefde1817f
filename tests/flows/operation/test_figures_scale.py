"""However many people, old mails and rows of the trail there are, no figure reads through a table."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import timedelta

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.domain.indonesian_time import now
from app.flows.reports import count_figures
from app.models.audit_event import AuditEvent, Tag
from app.models.base import Base
from app.models.login_session import LoginSession
from app.models.many_rows import insert_many
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.models.user import User
from app.runtime.db import engine, reading, unit_of_work
from tests.flows.people.test_people_scale import _statements_of

HOW_MANY = 15_000


def test_no_figure_reads_through_a_table(peopled: Flask) -> None:
    _add_many(peopled)
    asked = _statements_of(peopled)

    with peopled.app_context(), reading() as session:
        counted = count_figures.count_figures(session, now())

    assert [(one["state"], one["how_many"]) for one in counted.unsent] == [("ditunda", 3), ("menunggu", 3)]
    assert counted.sessions == HOW_MANY // 100
    assert counted.unsealed == 5
    assert counted.answers_typical == 2.0
    assert len(asked) == 7
    for statement, values in asked.values():
        plan = _plan(peopled, statement, values)
        for table in ("outbox_mail", "login_session", "audit_event"):
            assert not _scans(plan, table), (plan, statement)
        # In this order all sealed rows come first, and the oldest unsealed one after them
        assert "ix_audit_event_at " not in f"{plan} ", (plan, statement)


def test_a_backlog_is_counted_up_to_a_limit(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        _insert(session, OutboxMail, [_mail(one, MailState.WAITING) for one in range(50)])

    few = count_figures._oldest_in(MailState.WAITING).limit(20)
    with peopled.app_context(), reading() as session:
        assert len(session.execute(few).all()) == 20


def _scans(plan: str, table: str) -> bool:
    return f"SCAN {table}" in plan or f"Seq Scan on {table}" in plan


def _plan(app: Flask, statement: str, values: tuple[str | int | None, ...]) -> str:
    with app.app_context():
        made = engine()
    if made.dialect.name == "sqlite":
        with sqlite3.connect(made.url.database or "") as connection:
            found = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            return " | ".join(row[3] for row in found)
    with made.connect() as connection:
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values))


def _add_many(app: Flask) -> None:
    """Old mails, sealed rows and sessions that are over; and a few of each that matter."""
    moment = now()
    with app.app_context(), unit_of_work() as session:
        person = session.scalars(select(User.id)).first()
        old = [_mail(one, MailState.SENT, days=1 + one % 80) for one in range(HOW_MANY)]
        late = [_mail(HOW_MANY + one, MailState.SENT) for one in range(9)]
        unsent = [
            _mail(2 * HOW_MANY + one, state)
            for one, state in enumerate([MailState.WAITING, MailState.DEFERRED] * 3)
        ]
        _insert(session, OutboxMail, [*old, *late, *unsent])
        events: list[dict[str, object]] = [
            {
                "at": moment - timedelta(minutes=one), "tag": Tag.LOGIN, "actor_id": None, "account_id": None,
                "client_address": "-", "user_agent": "-", "request_id": "-", "detail": {},
                "instansi_id": None, "seal_no": one if one >= 5 else None,
            }
            for one in range(HOW_MANY)
        ]  # fmt: skip
        _insert(session, AuditEvent, events)
        sessions = [
            {
                "id_hash": f"{one:064}", "user_id": person, "credential_version": 1, "started_at": moment,
                "seen_at": moment, "proven_at": moment, "opens_desk": False, "previous_login_at": None,
                "client_address": "-", "user_agent": "-", "form": "",
                "ends_at": moment + timedelta(hours=1 if one % 100 == 0 else -1),
            }
            for one in range(HOW_MANY)
        ]  # fmt: skip
        _insert(session, LoginSession, sessions)
    with app.app_context(), engine().begin() as connection:
        connection.execute(text("ANALYZE"))


def _insert(session: Session, record: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    insert_many(session, record, tuple(rows[0]), [tuple(row.values()) for row in rows])


def _mail(number: int, state: MailState, days: int = 0) -> dict[str, object]:
    at = now() - timedelta(days=days, seconds=30)
    return {
        "letter": Letter.TOKEN, "to_address": f"{number}@contoh.example", "message_id": f"m{number}",
        "user_id": None, "reset_request_id": None, "email_correction_id": None, "identity_change_id": None,
        "about": {}, "client_address": "-", "state": state, "posted_at": at, "due_at": at, "urgency": 0,
        "domain": "contoh.example", "is_parked": False, "attempts": 1, "breaks": 0,
        "settled_at": at + timedelta(seconds=2) if state is MailState.SENT else None,
    }  # fmt: skip
