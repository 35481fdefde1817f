"""With millions of sessions, mails and requests, no chore of the worker reads through a table to find the few
rows that are due."""

from flask import Flask
from sqlalchemy import Connection, event

from app.runtime.db import engine
from app.worker.acts import act
from app.worker.cleaning import all_chores, one_step

# Tables that grow with every act
LARGE = (
    "user_account", "name_word", "reset_request", "outbox_mail", "audit_event", "login_session",
    "email_correction", "identity_change", "throttle_bucket", "guess_bucket", "import_change",
    "bulk_act_row",
)  # fmt: skip
# The index that tells which rows are due, where another one would give all rows of a state
OF_DUE_ROWS = {
    "sessions": "ix_login_session_ends_at",
    "throttles": "ix_throttle_bucket_last_at",
    "guesses": "ix_guess_bucket_last_at",
    "mails": "ix_outbox_mail_posted_at",
    "requests": "ix_reset_request_asked_at",
    "bulk_rows": "ix_bulk_act_kept_until",
    "corrections_blanked": "ix_email_correction_still_typed",
}
_IN_ORDER_OF_A_FEW = "SCAN user_account USING INDEX ix_user_account_has_old_words"


def test_no_chore_scans_a_large_table(peopled: Flask) -> None:
    plans = _plans(peopled)
    with peopled.app_context():
        dialect = engine().dialect.name

    assert set(plans) >= set(OF_DUE_ROWS)
    for chore, found in plans.items():
        for plan in found:
            scans = [
                step for step in plan for table in LARGE
                if step.startswith(f"SCAN {table}") or f"Seq Scan on {table} " in step
            ]  # fmt: skip
            assert all(step.startswith(_IN_ORDER_OF_A_FEW) for step in scans), (chore, plan)
    if dialect != "sqlite":
        return  # PostgreSQL chooses its indexes by how much is in a table, and here is almost nothing
    for chore, index in OF_DUE_ROWS.items():
        assert any(index in step for plan in plans[chore] for step in plan), (chore, plans[chore])


def _plans(app: Flask) -> dict[str, list[list[str]]]:
    """The plans of what each chore asks when nothing is due."""
    asked = statements_of(app)
    plans: dict[str, list[list[str]]] = {}
    with app.app_context():
        made = engine()
        for name, chore in all_chores().items():
            asked.clear()
            one_step(chore, act())
            found = [one for one in asked if one[0].startswith(("SELECT", "UPDATE", "DELETE"))]
            with made.connect() as connection:
                plans[name] = [plan_of(connection, said, values) for said, values in found]
    return plans


def statements_of(app: Flask) -> list[tuple[str, object]]:
    """What the database is asked from now on, with the values."""
    asked: list[tuple[str, object]] = []
    with app.app_context():
        event.listen(
            engine(), "before_cursor_execute", lambda _c, _k, said, values, *_: asked.append((said, values))
        )
    return asked


def plan_of(connection: Connection, statement: str, values: object) -> list[str]:
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
        return [row[3] for row in rows]
    # A table of a few rows is read at once, unless there is a price on that
    for way in ("seqscan", "bitmapscan", "sort"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)]  # type: ignore[arg-type]
