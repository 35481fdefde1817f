"""With many thousands of people, no search and no person's page reads a whole table, for any question."""

import re
import sqlite3
from datetime import timedelta
from itertools import product

from flask import Flask
from sqlalchemy import Connection, event, insert, select, text

from app.domain.categories import Activation, Category
from app.domain.indonesian_time import now
from app.domain.spoken_name import beginnings_of
from app.models import ActivationUnit, Instansi, NameWord, User
from app.runtime.db import engine, reading, unit_of_work
from tests.cast import RATNA, SARI, WATI
from tests.flows.people.test_people import the_next_page
from tests.visitor import Visitor, logged_in

HOW_MANY = 15_000
Values = tuple[str | int | None, ...]
_LARGE = (
    "user_account", "name_word", "reset_request", "outbox_mail", "audit_event", "login_session",
    "email_correction",
    "identity_change", "throttle_bucket", "guess_bucket",
)  # fmt: skip
# These indexes are read in order up to a limit, and hold nobody else.
_OF_A_FEW = (
    "ix_user_account_stuck_since",
    "ix_user_account_mail_failed_at",
    "ix_user_account_has_old_words",
    "ix_user_account_without_email",
    "ix_user_account_stuck_with_password",
)
_FIRST = ("Agus", "Bayu", "Citra", "Dian", "Eka", "Fitri", "Gita", "Hendra", "Indah", "Kartika")
_LAST = ("Saputra", "Lestari", "Wibowo", "Anggraini", "Setiawan", "Puspita", "Hidayat")
_FIELDS: dict[str, tuple[str, ...]] = {
    "nip": ("", "19800315"),
    "nama": ("", "citra-wib"),
    "status": ("", "active"),
    "kategori": ("", "CPNS"),
    "macet": ("", "token", "tanpa-email"),
    "unit": ("", "Unit 7"),
}


def test_no_combination_of_conditions_reads_through_a_table(peopled: Flask) -> None:
    _add_many(peopled)
    asked = _statements_of(peopled)
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)
    asked.clear()

    for visitor, instansi in ((wati, ""), (ratna, ""), (ratna, "3402")):
        for values in product(*_FIELDS.values()):
            query = "&".join(f"{name}={value}" for name, value in zip(_FIELDS, values, strict=True) if value)
            _open_with_the_next(visitor, f"/admin/pegawai?{query}&instansi={instansi}")
        _open_with_the_next(visitor, "/admin/pegawai?email=sari%40nusajaya.example")
    with peopled.app_context(), reading() as session:
        sari = session.scalars(select(User.id).where(User.nip == SARI.nip)).one()
    wati.open(f"/admin/pegawai/{sari}")
    with peopled.app_context(), reading() as session:
        session.scalars(select(User).where(text("has_old_words")).order_by(User.id).limit(1000)).all()

    assert len(asked) > 30
    _no_plan_scans(peopled, asked)


def test_no_search_for_mandates_walks_through_all_people(peopled: Flask) -> None:
    _add_many(peopled)
    asked = _statements_of(peopled)
    admins = logged_in(peopled, RATNA), logged_in(peopled, WATI)
    asked.clear()

    for admin in admins:
        for query in ("", "cari=19", f"cari={WATI.nip}", "cari=199912312020011999", "cari=zzz", "cari=a+s"):
            for state in ("berlaku", "semua"):
                assert admin.open(f"/admin/mandat?keadaan={state}&{query}").status_code == 200

    assert len(asked) > 5
    _no_plan_scans(peopled, asked)
    with peopled.app_context():
        made = engine()
    if made.dialect.name == "sqlite":
        return
    with made.connect() as connection:
        for statement, values in asked.values():
            if statement.startswith("SELECT"):
                steps = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", values)
                plan = "\n".join(row[0] for row in steps)
                read = re.findall(r"(?:actual rows=|Rows Removed by Filter: )(\d+)", plan)
                assert max(map(int, read)) < 1000, (plan, statement)


def _open_with_the_next(visitor: Visitor, path: str) -> None:
    page = visitor.open(path)
    assert page.status_code == 200, path
    if following := the_next_page(page.text):
        assert visitor.open(following).status_code == 200


def _statements_of(app: Flask) -> dict[str, tuple[str, Values]]:
    """The statements that go to the database from now on. If statements differ only in their values, the last
    one is kept."""
    asked: dict[str, tuple[str, Values]] = {}

    def note(_connection: Connection, _cursor: object, statement: str, values: Values, *_: object) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            asked[statement] = (statement, values)

    with app.app_context():
        event.listen(engine(), "before_cursor_execute", note)
    return asked


def _no_plan_scans(app: Flask, asked: dict[str, tuple[str, Values]]) -> None:
    statements = list(asked.values())
    with app.app_context():
        made = engine()
    if made.dialect.name == "sqlite":
        with sqlite3.connect(made.url.database or "") as connection:
            for statement, values in statements:
                plan = " | ".join(
                    row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
                )
                in_order = any(
                    f"SCAN user_account USING {kind} {index}" in plan
                    for index in _OF_A_FEW
                    for kind in ("INDEX", "COVERING INDEX")
                )
                assert in_order or not [table for table in _LARGE if f"SCAN {table}" in plan], (
                    plan,
                    statement,
                )
                assert "user_account" not in plan or "TEMP B-TREE" not in plan, (plan, statement)
        return
    with made.connect() as connection:
        for statement, values in statements:
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values)
            plan = "\n".join(row[0] for row in rows)
            # Of an EXISTS beside each row PostgreSQL may make a hash of millions
            assert not ("AS fits" in statement and "EXISTS" in statement), statement
            assert not [table for table in ("user_account", "name_word") if f"Seq Scan on {table}" in plan], (
                plan,
                statement,
            )


def _add_many(app: Flask) -> None:
    """Add invented people to both instansi, with every state, unit and category. A few of them are stuck."""
    with app.app_context(), unit_of_work() as session:
        desks = [desk.id for desk in Instansi.all(session)]
        for desk, unit in product(desks, range(20)):
            counts = {"not_activated": 1, "waiting_approval": 1, "active": 1, "deactivated": 1}
            session.add(ActivationUnit(instansi_id=desk, work_unit=f"Unit {unit}", **counts))
        session.flush()
        for start in range(0, HOW_MANY, 10_000):
            people = [_person(number, desks) for number in range(start, start + 10_000)]
            session.execute(insert(User), people)
            words = [
                {"instansi_id": person["instansi_id"], "word": word, "user_id": person["id"]}
                for person in people
                for word in beginnings_of(str(person["name"]))
            ]
            session.execute(insert(NameWord), words)
    with app.app_context():
        made = engine()
        with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if made.dialect.name == "postgresql":
                connection.exec_driver_sql("ANALYZE")


def _person(number: int, desks: list[int]) -> dict[str, object]:
    is_new = number % 50 == 0
    return {
        "id": 1000 + number,
        "nip": f"19{70 + number % 30}{number % 12 + 1:02}{number % 28 + 1:02}200501" + f"{number:06}"[-4:],
        "name": f"{_FIRST[number % 10]} {_LAST[number % 7]} {number}",
        "email": f"p{number}@contoh.example",
        "email_key": f"p{number}@contoh.example",
        "category": Category.CPNS if is_new else Category.PNS,
        "instansi_id": desks[number % len(desks)],
        "work_unit": f"Unit {number % 20}",
        "activation": Activation.WAITING_APPROVAL
        if is_new
        else (Activation.ACTIVE, Activation.NOT_ACTIVATED)[number // 3 % 2],
        "activation_changed_at": now(),
        "credential_version": 1,
        "stuck_since": now() - timedelta(minutes=number) if number % 40 == 1 else None,
        "mail_failed_at": now() - timedelta(minutes=number) if number % 400 == 2 else None,
    }
