"""With millions of people and events, the desk's figures and its trail do not read whole tables."""

import sqlite3
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from app.domain.indonesian_time import now
from app.flows.reports.count_desks import HOURS_OF_MAILS, count_desks
from app.models import Tag
from app.models.outbox_mail import MailState
from app.runtime.db import engine, reading, unit_of_work
from app.worker.duties import count_everybody
from app.worker.sealing import seal_what_is_new
from tests.cast import BUDI, RATNA, SARI, WATI
from tests.flows.reports.test_overview import ask_correction, refuse_mail, set_stuck
from tests.flows.reports.test_trail_pages import note
from tests.visitor import logged_in

_LARGE = ("user_account", "audit_event", "outbox_mail", "email_correction", "reset_request", "login_session")
# These indexes are over the few rows that matter, and no more rows are read than are shown or counted.
_OF_FEW = (
    "ix_audit_event_unsealed",
    "ix_user_account_stuck_since",
    "ix_user_account_mail_failed_at",
    "ix_user_account_waiting_since",
    "ix_user_account_without_email",
    "ix_user_account_stuck_with_password",
)


# The plans of SQLite do not depend on how much is in a table
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_page_of_figures_or_trail_scans_a_large_table(peopled: Flask, database_url: str) -> None:
    with peopled.app_context():
        count_everybody()
    ask_correction(peopled, 1, BUDI, timedelta(hours=3))
    refuse_mail(peopled, BUDI, "budi@penuh.example", MailState.FAILED, "552", timedelta(days=1))
    set_stuck(peopled, BUDI, now())
    for tag in (Tag.DEACTIVATED, Tag.PERSON_OPENED):
        note(peopled, tag, BUDI, WATI)
    admins = [logged_in(peopled, person) for person in (WATI, RATNA)]
    assert peopled.test_cli_runner().invoke(
        args=["admin", "grant", SARI.nip, "--instansi", "3402", "--sk", "1", "--until", "2999-12-31"]
    ).exit_code == 0  # fmt: skip
    assert peopled.test_cli_runner().invoke(
        args=["admin", "grant", SARI.nip, "--instansi", "7301", "--sk", "1", "--until", "2999-12-31"]
    ).exit_code == 0  # fmt: skip
    admins.append(logged_in(peopled, SARI))
    asked: list[tuple[str, object]] = []
    with peopled.app_context():
        listened = engine()
    event.listen(
        listened,
        "before_cursor_execute",
        lambda _c, _k, statement, values, *_: asked.append((statement, values)),
    )

    for admin in admins:
        for path in ("/admin/", "/admin/?instansi=7301&hal=2", "/admin/?cari=x", "/akun", "/admin/audit"):
            admin.open(path)
        for query in (
            f"nip={BUDI.nip}",
            f"oleh={WATI.nip}",
            f"nip={BUDI.nip}&oleh={WATI.nip}",
            "jenis=email",
            "lanjut=99",
            "dari=2026-01-01&sampai=2026-12-31",
            f"jenis=reset&dari=2026-01-01&oleh={WATI.nip}&lanjut=99",
        ):
            assert admin.open(f"/admin/audit?{query}").status_code == 200
        admin.post_with_token("/admin/audit", "/admin/audit/ekspor", bentuk="csv")
        admin.post_with_token("/admin/", "/admin/ekspor", bentuk="csv")
    with peopled.app_context():
        while seal_what_is_new():
            pass
    peopled.test_cli_runner().invoke(args=["audit", "verify"])

    assert len(asked) > 200
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        for statement, values in asked:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")) and isinstance(values, tuple):
                steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
                scans = [step for step in steps if step.startswith("SCAN") and step.split()[1] in _LARGE]
                assert not [step for step in scans if not any(index in step for index in _OF_FEW)], (
                    steps,
                    statement,
                    values,
                )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_the_worker_counts_for_the_desks_is_read_through_indexes(
    peopled: Flask, database_url: str
) -> None:
    refuse_mail(peopled, BUDI, "budi@penuh.example", MailState.FAILED, "552", timedelta(hours=3))
    set_stuck(peopled, BUDI, now())
    asked: list[tuple[str, tuple[object, ...]]] = []
    with peopled.app_context():
        event.listen(
            engine(),
            "before_cursor_execute",
            lambda _c, _k, statement, values, *_: asked.append((statement, values)),
        )
        with reading() as session:
            count_desks(session, now())

    assert len(asked) > HOURS_OF_MAILS
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        for statement, values in asked:
            steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            scans = [step for step in steps if step.startswith("SCAN") and step.split()[1] in _LARGE]
            assert not [step for step in scans if not any(index in step for index in _OF_FEW)], steps


def test_the_worker_writes_nothing_where_nothing_is_new(peopled: Flask) -> None:
    note(peopled, Tag.LOGIN, BUDI)
    with peopled.app_context():
        assert seal_what_is_new() == 1
        with unit_of_work():  # a writer is at work; on SQLite, it would stop any other writer
            pass
        assert seal_what_is_new() == 0
