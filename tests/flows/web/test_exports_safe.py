"""No text in the records can make a spreadsheet of any locale calculate, in no file that leaves the
portal."""

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.domain.act import Act
from app.domain.client import Client
from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.domain.staff_file import STAFF_COLUMNS
from app.files.open_table import opened
from app.flows.reports.count_activation import count_people, note_counts
from app.models import (
    BulkAct,
    BulkActRow,
    BulkKind,
    BulkState,
    ImportBatch,
    ImportChange,
    ImportRefusal,
    Instansi,
    RowOutcome,
    Tag,
    User,
)
from app.runtime.db import reading, unit_of_work
from app.security import audit
from tests import spreadsheets
from tests.cast import BUDI, RATNA, WATI
from tests.flows.imports.importing import checked, newcomer, staff_file
from tests.unit.domain.test_guarded_cells import EVIL, formulas_in
from tests.visitor import Visitor, logged_in

BATCH = "/admin/impor/<big_row:batch_id>"
# Every address whose answer is a table, with the kind of file put in.
TABLES = {
    "/admin/ekspor": ("/admin/", "/admin/ekspor"),
    "/admin/pegawai/ekspor": ("/admin/pegawai", "/admin/pegawai/ekspor"),
    "/admin/audit/ekspor": ("/admin/audit", "/admin/audit/ekspor"),
    f"{BATCH}/ditolak.<any(xlsx, csv):kind>": ("", "/admin/impor/1/ditolak.{kind}"),
    f"{BATCH}/perubahan.<any(xlsx, csv):kind>": ("", "/admin/impor/1/perubahan.{kind}"),
    "/admin/sekaligus/<big_row:bulk_id>/ekspor": ("/admin/sekaligus/1", "/admin/sekaligus/1/ekspor"),
    "/admin/impor/template.csv": ("", "/admin/impor/template.{kind}"),
    "/admin/impor/template.xlsx": ("", "/admin/impor/template.{kind}"),
}
EVIL_CELLS = [cell for cell in EVIL if "\x00" not in cell]  # no database stores NUL


@pytest.fixture
def poisoned(peopled: Flask) -> Flask:
    """A portal in which every text that an export may repeat is a formula for some person."""
    checked(peopled, logged_in(peopled, WATI), staff_file(newcomer(1), "1,rusak,,PNS,7301,x"))
    with peopled.app_context(), unit_of_work() as session:
        batch = session.scalars(select(ImportBatch)).one()
        budi = User.with_nip(session, Nip(BUDI.nip))
        assert budi is not None
        batch.column_counts = {"name": len(EVIL_CELLS)}
        bulk = BulkAct(
            kind=BulkKind.TOKEN, state=BulkState.DONE, instansi_id=budi.instansi_id, prepared_by_id=budi.id,
            prepared_at=now(),
        )  # fmt: skip
        session.add(bulk)
        session.flush()
        for number, cell in enumerate(EVIL_CELLS):
            instansi = Instansi(code=f"E{number}", name=cell, helpdesk_contact=cell)
            session.add(instansi)
            session.flush()
            evil = User(
                nip=newcomer(number)[:18], name=cell, work_unit=cell, phone=cell[:30], category=budi.category,
                instansi_id=budi.instansi_id, activation=budi.activation, activation_changed_at=now(),
            )  # fmt: skip
            session.add(evil)
            session.flush()
            session.add(
                BulkActRow(
                    bulk_act_id=bulk.id, position=number + 1, person_id=evil.id, typed=cell[:40],
                    expected=RowOutcome.DONE, outcome=RowOutcome.DONE,
                )
            )  # fmt: skip
            names = ("nip", "nama", "email", "kategori", "kode_instansi", "unit_kerja", "telepon")
            session.add(
                ImportRefusal(batch_id=batch.id, is_dry_run=True, line=number, cells=dict.fromkeys(names,
                cell), columns="",
                              sentences=cell)
            )  # fmt: skip
            session.add(
                ImportChange(batch_id=batch.id, is_dry_run=True, line=number, user_id=evil.id, column="name",
                old_value=cell,
                             new_value=cell)
            )  # fmt: skip
            audit.record(
                session,
                Tag.DEACTIVATED,
                evil,
                Act(Client("203.0.113.1", cell, "x"), now(), None),
                reason=cell,
            )
        session.execute(update(ImportBatch).values(delimiter=";"))
    with peopled.app_context(), unit_of_work() as session:
        note_counts(session, count_people(session), now())
    return peopled


def table(visitor: Visitor, rule: str, kind: str) -> bytes:
    page, path = TABLES[rule]
    answer = (
        visitor.post_with_token(page, path, bentuk=kind) if page else visitor.open(path.format(kind=kind))
    )
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store"), rule
    return answer.get_data()


def test_every_table_that_the_portal_answers_is_looked_at(peopled: Flask) -> None:
    rules = {
        rule.rule for rule in peopled.url_map.iter_rules() if re.search(r"ekspor|csv|xlsx|unduh", rule.rule)
    }

    assert rules == set(TABLES)


def test_tables_are_written_in_few_places() -> None:
    """Nothing else writes a CSV or a workbook, so what is safe here is safe everywhere."""
    writes = re.compile(r"csv\.writer|DictWriter|import Workbook|xlsxwriter\.Workbook")
    found = {
        str(file) for file in Path("app").rglob("*.py") if writes.search(file.read_text(encoding="utf-8"))
    }

    assert found == {
        "app/web/exports.py",
        "app/cli/imports.py",
        "app/files/text_workbook.py",
        "app/files/staff_template.py",
        "app/files/sandbox_main.py",  # only to the process that has started it
    }


def test_no_table_holds_a_formula(poisoned: Flask) -> None:
    for visitor in (logged_in(poisoned, WATI), logged_in(poisoned, RATNA)):
        for rule in TABLES:
            text = table(visitor, rule, "csv").decode("utf-8-sig")
            assert formulas_in(text) == [], rule
            book = spreadsheets.opened(table(visitor, rule, "xlsx"))
            assert not book.has_formulas, rule
            assert book.kinds <= {"inlineStr", "s", "n"}, rule
            assert book.is_text, rule


def test_nothing_is_lost_in_the_list_of_refused_rows(poisoned: Flask, tmp_path: Path) -> None:
    """The portal's own reader gets each cell as it came, without the blanks that it skips at the
    beginning."""
    wati = logged_in(poisoned, WATI)
    with poisoned.app_context(), reading() as session:
        came = session.scalars(select(ImportRefusal).order_by(ImportRefusal.id)).all()
        names = [one.cells["nama"].lstrip(" ") for one in came]
    for kind in ("csv", "xlsx"):
        file = tmp_path / f"ditolak.{kind}"
        file.write_bytes(wati.open(f"/admin/impor/1/ditolak.{kind}").data)
        with opened(file, STAFF_COLUMNS) as sheet:
            assert [line.cells["nama"].lstrip(" ") for line in sheet.lines()] == names, kind
