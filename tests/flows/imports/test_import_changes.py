"""Wati reads what a file would change before importing it: how much it changes, some old and new values, and
all of them as a list."""

import csv
import io
import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.domain.act import Act
from app.domain.client import WORKER
from app.domain.file_changes import column_counts
from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.models import AuditEvent, BatchState, ImportChange, Instansi, Tag, User
from app.runtime.db import reading, unit_of_work
from app.web import exports
from app.worker.cleaning import clean_up
from tests.cast import BUDI, CINTA, DEWI, JOKO, RAKA, RATNA, SARI, TONO, WATI, Person, email_of
from tests.flows.imports.importing import batch_of, checked, imported, newcomer, run, staff_file, work
from tests.visitor import Visitor, logged_in, words_of

OWN = (SARI, BUDI, JOKO, DEWI, CINTA, TONO)
WARNED = "Perhatian: file ini mengubah data banyak orang sekaligus."


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


def row(person: Person, **cells: str) -> str:
    """The row of a person as on record, except for the cells that are given. It has no email, so that no
    email changes."""
    found = {
        "nip": person.nip, "nama": person.name, "email": "", "kategori": person.category.label,
        "kode_instansi": person.instansi, "unit_kerja": person.unit,
    }  # fmt: skip
    return ",".join({**found, **cells}.values())


def swapped(*people: Person) -> list[str]:
    """Rows in which names and units are swapped."""
    return [row(person, nama=person.unit, unit_kerja=person.name) for person in people]


def unchanged(app: Flask, how_many: int) -> list[str]:
    """Add so many people. Returns rows that say the same as their records."""
    rows = [newcomer(number, email="") for number in range(how_many)]
    imported(app, logged_in(app, RATNA), staff_file(*rows))
    return rows


def changes(app: Flask, page: str, *, is_dry_run: bool) -> list[tuple[int, str, str | None, str | None]]:
    """The changes of a batch: line number, column, old value, new value."""
    kept = select(ImportChange).where(
        ImportChange.batch_id == batch_of(app, page).id, ImportChange.is_dry_run == is_dry_run
    )
    with app.app_context(), reading() as session:
        found = session.scalars(kept.order_by(ImportChange.id))
        return [(one.line, one.column, one.old_value, one.new_value) for one in found]


def listed(answer: TestResponse) -> list[dict[str, str]]:
    if answer.data.startswith(b"PK"):
        header, *rows = (
            CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
        )
        return [dict(zip(map(str, header), map(str, one), strict=True)) for one in rows]
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def refused_without_tick(visitor: Visitor, page: str, **fields: str) -> TestResponse:
    answer = visitor.submit(page, f"{page}/jalankan", **fields)
    assert answer.status_code == 422
    assert "Impor belum dijalankan." in words_of(answer)
    return answer


# -- what a file does
def test_names_and_units_that_changed_places_are_said_loudly_and_asked_about(
    peopled: Flask, wati: Visitor
) -> None:
    page = checked(peopled, wati, staff_file(*swapped(BUDI, JOKO), row(SARI), newcomer(1)))

    told = words_of(wati.open(page))
    assert WARNED in told
    assert "Nama berubah untuk 2 dari 3 pegawai dalam file yang sudah terdaftar (66,7%)." in told
    assert "Unit kerja berubah untuk 2 dari 3 pegawai dalam file yang sudah terdaftar (66,7%)." in told
    assert "Budi Santoso nama Budi Santoso Dinas Pendidikan" in told
    assert "Budi Santoso unit kerja Dinas Pendidikan Budi Santoso" in told

    again = refused_without_tick(wati, page)
    assert WARNED in words_of(again)
    assert batch_of(peopled, page).state is BatchState.CHECKED
    work(peopled)
    assert batch_of(peopled, page).state is BatchState.CHECKED

    assert run(wati, page).status_code == 303
    work(peopled)
    assert batch_of(peopled, page).result == {"changed": 2, "unchanged": 1, "new": 1}


@pytest.mark.parametrize("mark", ["", "on", "1", "0" * 16])
def test_a_tick_that_is_not_of_this_warning_is_none(peopled: Flask, wati: Visitor, mark: str) -> None:
    page = checked(peopled, wati, staff_file(*swapped(BUDI)))

    refused_without_tick(wati, page, acknowledged=mark)


def test_the_tick_of_another_file_does_not_open_this_one(peopled: Flask, wati: Visitor) -> None:
    one = checked(peopled, wati, staff_file(*swapped(BUDI), row(SARI)))
    mark = re.search(r'name="acknowledged" value="(\w+)"', wati.open(one).text)
    assert mark
    wati.submit(one, f"{one}/batalkan")
    other = checked(peopled, wati, staff_file(*swapped(BUDI, JOKO), row(SARI)))

    refused_without_tick(wati, other, acknowledged=mark[1])


def test_a_tenth_is_not_yet_much_and_more_is(peopled: Flask, wati: Visitor) -> None:
    others = unchanged(peopled, 18)

    page = checked(peopled, wati, staff_file(*swapped(BUDI, JOKO), *others))
    assert WARNED not in words_of(wati.open(page))
    assert "Nama 2 pegawai (10%)" in words_of(wati.open(page))
    assert wati.submit(page, f"{page}/jalankan").status_code == 303, "nothing to tick"
    work(peopled)

    page = checked(peopled, wati, staff_file(row(BUDI), row(JOKO), *others[1:]))
    assert WARNED in words_of(wati.open(page))
    refused_without_tick(wati, page)


def test_rows_that_are_new_or_refused_do_not_thin_the_warning(peopled: Flask, wati: Visitor) -> None:
    padding = [newcomer(number) for number in range(30)] + ["1,rusak,,PNS,7301,x"] * 30
    page = checked(peopled, wati, staff_file(*swapped(BUDI), row(SARI), *padding))

    assert "1 dari 2 pegawai dalam file yang sudah terdaftar (50%)" in words_of(wati.open(page))


def test_a_file_that_adds_people_only_warns_of_nothing(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1), newcomer(2)))

    told = words_of(wati.open(page))
    assert WARNED not in told
    assert "per kolom" not in told
    assert wati.submit(page, f"{page}/jalankan").status_code == 303


def test_what_became_much_after_the_check_is_said_after_the_run(peopled: Flask, wati: Visitor) -> None:
    """The people were new when the file was checked. Then another file added them first."""
    rows = [newcomer(number, email="") for number in range(3)]
    page = checked(
        peopled,
        wati,
        staff_file(*(one.replace("Dinas Pasar", "Orang").replace("Orang Ke", "Dinas") for one in rows)),
    )
    assert WARNED not in words_of(wati.open(page))
    imported(peopled, logged_in(peopled, RATNA), staff_file(*rows))

    assert run(wati, page).status_code == 303
    work(peopled)

    told = words_of(wati.open(page))
    assert WARNED in told
    assert "Yang diubah, per kolom" in told
    assert "Nama berubah untuk 3 dari 3" in told


def test_every_column_is_counted_by_people(peopled: Flask, wati: Visitor) -> None:
    header = "nip,nama,email,kategori,kode_instansi,unit_kerja,telepon"
    file = staff_file(
        f"{row(BUDI, nama='Budi Baru', email='budi.baru@nusajaya.example')},081234567890",
        f"{row(JOKO, kategori='PPPK', unit_kerja='Dinas Pasar')},",
        f"{row(SARI)},0812",
        header=header,
    )
    page = checked(peopled, wati, file)

    assert batch_of(peopled, page).column_counts == {
        "name": 1,
        "email": 1,
        "category": 1,
        "work_unit": 1,
        "phone": 2,
    }
    told = words_of(wati.open(page))
    assert "Nama 1 pegawai (33,3%) Email 1 pegawai (33,3%) Kategori 1 pegawai (33,3%)" in told
    assert "Telepon 2 pegawai (66,7%)" in told
    assert "kategori PNS PPPK" in told


def test_the_centre_is_told_how_many_people_move(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)
    page = checked(peopled, ratna, staff_file(row(BUDI, kode_instansi="3402")))

    assert "Kode instansi 1 pegawai (100%)" in words_of(ratna.open(page))
    assert "kode instansi 7301 3402" in words_of(ratna.open(page))


def test_twenty_examples_have_a_share_of_every_column(peopled: Flask, wati: Visitor) -> None:
    others = unchanged(peopled, 30)
    file = staff_file(
        *(other.replace("Dinas Pasar", "Dinas Baru") for other in others), row(BUDI, nama="Budi Baru")
    )
    page = checked(peopled, wati, file)

    table = wati.open(page).text.split("Contoh perubahan</h3>")[1].split("</table>")[0]
    assert table.count("<tr>") == 1 + 20
    assert table.count(">nama</td>") == 1
    assert table.count(">unit kerja</td>") == 19


# -- the rows behind it
def test_what_was_done_is_kept_beside_what_was_shown(peopled: Flask, wati: Visitor) -> None:
    page = imported(
        peopled, wati, staff_file(row(BUDI, nama="Budi Baru", unit_kerja="Dinas Pasar"), newcomer(1))
    )

    both = [(2, "name", BUDI.name, "Budi Baru"), (2, "work_unit", BUDI.unit, "Dinas Pasar")]
    assert changes(peopled, page, is_dry_run=True) == both
    assert sorted(changes(peopled, page, is_dry_run=False)) == [*both, (3, "nip", None, newcomer(1)[:18])]
    with peopled.app_context(), reading() as session:
        added = User.with_nip(session, Nip(newcomer(1)[:18]))
        assert added is not None
        assert session.scalars(select(ImportChange.user_id).where(ImportChange.column == "nip")).all() == [
            added.id
        ]


def test_who_was_faster_leaves_nothing_to_be_counted(peopled: Flask, wati: Visitor) -> None:
    page = checked(
        peopled, wati, staff_file(row(BUDI, nama="Budi Baru", unit_kerja="Dinas Pasar"), row(SARI))
    )
    with peopled.app_context(), unit_of_work() as session:
        budi = User.with_nip(session, Nip(BUDI.nip))
        assert budi is not None
        budi.rename("Budi Baru")

    assert run(wati, page).status_code == 303
    work(peopled)

    assert changes(peopled, page, is_dry_run=False) == [(2, "work_unit", BUDI.unit, "Dinas Pasar")]
    assert batch_of(peopled, page).column_counts == {"work_unit": 1}


def test_they_go_with_the_refused_rows(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(row(BUDI, nama="Budi Baru")))
    for days, left in ((29, 2), (31, 0)):
        with peopled.app_context():
            clean_up(Act(WORKER, now() + timedelta(days=days), None))
        with peopled.app_context(), reading() as session:
            assert session.scalar(select(func.count()).select_from(ImportChange)) == left

    wati = logged_in(peopled, WATI)
    assert "Daftar perubahan sudah dihapus" in words_of(wati.open(page))
    assert listed(wati.open(f"{page}/perubahan.csv")) == []


# -- the list to take along
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_all_changes_can_be_taken_along(peopled: Flask, wati: Visitor, kind: str) -> None:
    rows = [row(BUDI, nama="Budi Baru", email="budi.baru@nusajaya.example"), row(JOKO, unit_kerja="=1+1")]
    page = checked(peopled, wati, staff_file(*rows))

    answer = wati.open(f"{page}/perubahan.{kind}")

    batch = batch_of(peopled, page)
    assert answer.headers["Content-Disposition"] == f"attachment; filename=impor-{batch.id}-perubahan.{kind}"
    guard = "'" if kind == "csv" else ""
    assert listed(answer) == [
        {"baris": "2", "nip": BUDI.nip, "nama": BUDI.name, "kolom": "nama", "sebelumnya": BUDI.name,
        "menjadi": "Budi Baru"},
        {"baris": "2", "nip": BUDI.nip, "nama": BUDI.name, "kolom": "email",
        "sebelumnya": "b***@n***.example",
         "menjadi": "budi.baru@nusajaya.example"},
        {"baris": "3", "nip": JOKO.nip, "nama": JOKO.name, "kolom": "unit kerja", "sebelumnya": JOKO.unit,
         "menjadi": f"{guard}=1+1"},
    ]  # fmt: skip
    with peopled.app_context(), reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.EXPORTED)).one()
        assert event.detail == {"what": "import_changes", "file": kind, "batch": batch.id}
        assert event.instansi_id == batch.instansi_id
        assert event.actor is not None
        assert event.actor.nip == WATI.nip


@pytest.mark.parametrize("after_the_run", [False, True])
def test_a_file_of_invented_addresses_fetches_nobodys_own(
    peopled: Flask, wati: Visitor, *, after_the_run: bool
) -> None:
    with peopled.app_context(), unit_of_work() as session:
        budi = User.with_nip(session, Nip(BUDI.nip))
        assert budi is not None
        budi.phone = "081277778888"
    header = "nip,nama,email,kategori,kode_instansi,unit_kerja,telepon"
    file = staff_file(f"{row(BUDI, email='lain@nusajaya.example')},0899", header=header)
    page = (imported if after_the_run else checked)(peopled, wati, file)

    for path in (page, f"{page}/perubahan.csv", f"{page}/perubahan.xlsx"):
        shown = wati.open(path)
        text = str(listed(shown)) if "perubahan" in path else shown.text
        assert "lain@nusajaya.example" in text
        assert "0812***" in text
        assert email_of(BUDI) not in text
        assert "7777" not in text


def test_nobody_else_gets_the_list_and_who_has_moved_away_is_left_out(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(row(BUDI, nama="Budi Baru"), row(JOKO, nama="Joko Baru")))
    raka, ratna = logged_in(peopled, RAKA), logged_in(peopled, RATNA)
    assert (
        raka.open(f"{page}/perubahan.csv").status_code
        == raka.open(f"{page}/perubahan.xlsx").status_code
        == 404
    )
    assert logged_in(peopled, SARI).open(f"{page}/perubahan.csv").status_code == 403

    with peopled.app_context(), unit_of_work() as session:
        budi, contoh = User.with_nip(session, Nip(BUDI.nip)), Instansi.with_code(session, "3402")
        assert budi is not None
        assert contoh is not None
        budi.move_to(contoh)

    assert [one["nip"] for one in listed(wati.open(f"{page}/perubahan.csv"))] == [JOKO.nip]
    assert "Budi Santoso" not in words_of(wati.open(page))
    assert len(listed(ratna.open(f"{page}/perubahan.csv"))) == 2


def test_a_long_list_is_cut_as_xlsx_and_whole_as_csv(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_XLSX_ROWS", 2)
    page = checked(peopled, wati, staff_file(*(row(one, nama="Lain") for one in (BUDI, JOKO, DEWI))))

    assert len(listed(wati.open(f"{page}/perubahan.csv"))) == 3
    rows = listed(wati.open(f"{page}/perubahan.xlsx"))
    assert len(rows) == 3
    assert "terpotong" in rows[2]["baris"]


# -- in the trail, and with the password again
def test_the_trail_says_what_was_warned_of_and_that_it_was_run_all_the_same(
    peopled: Flask, wati: Visitor
) -> None:
    page = checked(peopled, wati, staff_file(*swapped(BUDI)))
    refused_without_tick(wati, page)
    run(wati, page)

    with peopled.app_context(), reading() as session:
        tags = (Tag.ADMIN_REFUSED, Tag.IMPORT_CONFIRMED)
        events = session.scalars(
            select(AuditEvent).where(AuditEvent.tag.in_(tags)).order_by(AuditEvent.id)
        ).all()
    assert [(event.tag, event.detail["wide_columns"]) for event in events] == [
        (tag, "name,work_unit") for tag in tags
    ]
    told = words_of(wati.open("/admin/audit"))
    assert "Kolom yang berubah untuk banyak pegawai nama, unit kerja" in told.replace(":", "")


def test_the_tick_is_kept_where_the_password_is_asked_for_again(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(*swapped(BUDI)))

    with time_machine.travel(now() + timedelta(minutes=11)):
        answer = run(wati, page)

    assert answer.status_code == 403
    assert re.search(r'name="acknowledged"[^>]*value="\w{16}"', answer.text)


@pytest.mark.parametrize(
    ("people", "on_record", "is_wide", "percent"),
    [(0, 0, None, ""), (1, 1, True, "100%"), (1, 10, False, "10%"), (2, 19, True, "10,5%"), (1, 9, True,
    "11,1%"),
     (100, 1000, False, "10%"), (101, 1000, True, "10,1%")],
)  # fmt: skip
def test_more_than_a_tenth_is_wide(
    people: int, on_record: int, *, is_wide: bool | None, percent: str
) -> None:
    counts = column_counts({"name": people}, {"changed": people, "unchanged": on_record - people})

    assert [(one.is_wide, one.percent) for one in counts] == ([] if is_wide is None else [(is_wide, percent)])
