"""With six million people in the table, nothing that one person does may read the whole table."""

import sqlite3

import pytest
from flask import Flask
from sqlalchemy import event

from app.runtime.db import engine
from tests.cast import BUDI
from tests.inbox import Inbox
from tests.visitor import Visitor

_LARGE = (
    "user_account",
    "reset_request",
    "outbox_mail",
    "audit_event",
    "login_session",
    "throttle_bucket",
    "guess_bucket",
)


# The plans of SQLite do not depend on how much is in a table
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_step_of_the_flow_scans_a_large_table(peopled: Flask, inbox: Inbox, database_url: str) -> None:
    asked: list[tuple[str, tuple[str | int | None, ...]]] = []
    with peopled.app_context():
        listened = engine()
    event.listen(
        listened,
        "before_cursor_execute",
        lambda _c, _k, statement, values, *_: asked.append((statement, values)),
    )

    visitor = Visitor(peopled)
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()
    visitor.open(mail.link)
    visitor.open("/konfirmasi-reset-password")
    visitor.reset_password("WDJB-MJHT", "Kuda-Laut7")
    visitor.reset_password(mail.code, "Kuda-Laut7")
    visitor.log_in(BUDI.nip, "Kuda-Laut7")
    visitor.open("/beranda")
    visitor.open("/akun")
    inbox.fetch_one()

    assert len(asked) > 40
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        for statement, values in asked:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                plan = " | ".join(
                    row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
                )
                assert not [table for table in _LARGE if f"SCAN {table}" in plan], (plan, statement)
