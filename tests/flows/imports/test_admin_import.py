"""Wati hands over the file of an instansi on a page. A worker checks it, and takes it over when Wati confirms
this."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier, Event

import pytest
import time_machine
import xlsxwriter
from flask import Flask
from sqlalchemy import func, select

from app.domain.act import Act
from app.domain.categories import Activation
from app.domain.client import WORKER
from app.domain.indonesian_time import now, today_in_jakarta
from app.domain.nip import Nip
from app.flows.imports import run_batch
from app.flows.imports.run_batch import LEASE_LASTS
from app.models import (
    AdminMandate,
    AuditEvent,
    BatchState,
    ImportBatch,
    ImportFile,
    ImportRefusal,
    Instansi,
    Tag,
    User,
)
from app.models.admin_mandate import Role
from app.runtime.db import reading, unit_of_work
from app.worker import imports, jobs
from app.worker.cleaning import clean_up
from tests import spreadsheets
from tests.cast import BUDI, CINTA, HADI, JOKO, LESTARI, RAKA, RATNA, SARI, TONO, WATI, Person
from tests.conftest import MakeApp, people
from tests.desk import read_next_morning
from tests.flows.imports.importing import (
    CONTOH,
    HEADER,
    NUSA_JAYA,
    batch_of,
    cancel,
    checked,
    imported,
    lying_there,
    newcomer,
    page_behind,
    run,
    send,
    staff_file,
    upload,
    uploaded,
    work,
)
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

OUT_OF_REACH = (
    "NIP atau email pada baris ini tidak dapat dipakai oleh instansi Anda. Periksa keduanya; "
    "bila sudah benar, minta bantuan admin pusat."
)


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


@pytest.fixture
def ratna(peopled: Flask) -> Visitor:
    return logged_in(peopled, RATNA)


@pytest.fixture
def raka(peopled: Flask) -> Visitor:
    return logged_in(peopled, RAKA)


def row(
    person: Person,
    *,
    name: str | None = None,
    email: str | None = None,
    category: str | None = None,
    instansi: str | None = None,
    unit: str | None = None,
) -> str:
    """The row of somebody on record, as the record has it, except for the values that are given."""
    cells = (
        person.nip,
        name or person.name,
        person.email or "" if email is None else email,
        category or person.category.label,
        instansi or person.instansi,
        unit or person.unit,
    )
    return ",".join(cells)


def on_record(app: Flask, nip: str) -> User | None:
    with app.app_context(), reading() as session:
        return User.with_nip(session, Nip(nip))


def refusals(app: Flask, page: str) -> dict[int, str]:
    """The sentences of the last pass, by line number."""
    batch = batch_of(app, page)
    of_the_last = (
        ImportRefusal.batch_id == batch.id,
        ImportRefusal.is_dry_run == (batch.confirmed_at is None),
    )
    with app.app_context(), reading() as session:
        return {one.line: one.sentences for one in session.scalars(select(ImportRefusal).where(*of_the_last))}


def trail(app: Flask, *tags: Tag) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        return list(
            session.scalars(select(AuditEvent).where(AuditEvent.tag.in_(tags)).order_by(AuditEvent.id))
        )


def end_mandate(app: Flask, person: Person) -> None:
    with app.app_context(), unit_of_work() as session:
        mandate = session.scalars(
            select(AdminMandate).join(AdminMandate.user).where(User.nip == person.nip)
        ).one()
        mandate.revoked_at = now()


# -- the way of a file
def test_wati_looks_first_and_then_imports(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    file = staff_file(
        newcomer(1), newcomer(2), row(BUDI, unit="Dinas Kearsipan"), row(SARI), "1,tidak,lengkap,PNS,7301,x"
    )
    page = uploaded(wati, file)
    assert "Menunggu giliran" in words_of(wati.open(page))

    work(peopled)
    report = words_of(wati.open(page))
    assert (
        "Akan ditambahkan 2 baris Akan diubah 1 baris Tetap, tidak berubah 1 baris Ditolak 1 baris" in report
    )
    assert on_record(peopled, newcomer(1)[:18]) is None, "nothing is changed by looking"

    assert run(wati, page).status_code == 303
    work(peopled)

    assert "Ditambahkan 2 baris Diubah 1 baris Tetap 1 baris Ditolak 1 baris" in words_of(wati.open(page))
    somebody, budi = on_record(peopled, newcomer(1)[:18]), on_record(peopled, BUDI.nip)
    assert somebody is not None
    assert somebody.activation is Activation.NOT_ACTIVATED
    assert budi is not None
    assert budi.work_unit == "Dinas Kearsipan"
    (told,) = inbox.fetch()
    assert told.to == BUDI.email
    assert "Data Anda dibetulkan" in told.text
    assert "unit kerja" in told.text
    (letter,) = read_next_morning(peopled, inbox)
    assert letter.to == RATNA.email
    assert "Wati Kusuma (admin Pemerintah Kabupaten Nusa Jaya): 1 kali, jumlah 3" in letter.text


def test_the_trail_says_who_imported_whom(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(newcomer(1), row(BUDI, unit="Dinas Kearsipan")))

    batch = batch_of(peopled, page)
    events = trail(
        peopled,
        Tag.IMPORT_UPLOADED,
        Tag.IMPORT_CONFIRMED,
        Tag.IMPORT_DONE,
        Tag.IMPORTED_NEW,
        Tag.IMPORTED_CHANGE,
    )
    assert [event.tag for event in events] == [
        Tag.IMPORT_UPLOADED, Tag.IMPORT_CONFIRMED, Tag.IMPORTED_NEW, Tag.IMPORTED_CHANGE, Tag.IMPORT_DONE,
    ]  # fmt: skip
    assert {event.actor_id for event in events} == {batch.uploaded_by_id}
    assert {event.detail["batch"] for event in events} == {batch.id}
    assert {event.instansi_id for event in events} == {batch.instansi_id}
    assert events[-1].detail["new"] == 1
    assert events[-1].detail["changed"] == 1


def test_a_workbook_is_read_by_a_process_of_its_own(peopled: Flask, wati: Visitor) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate((HEADER, newcomer(1), newcomer(2))):
            for position, cell in enumerate(line.split(",")):
                sheet.write_string(number, position, cell)
        sheet.write_row(3, 0, [199001012010011009, "Salah Format", "", "PNS", "7301", "Dinas Pasar"])

    page = imported(peopled, wati, file.getvalue(), "pegawai.xlsx")

    assert batch_of(peopled, page).result == {"new": 2, "refused": 1}
    assert "NIP tersimpan sebagai angka" in refusals(peopled, page)[4]


def test_a_cpns_who_became_pns_by_a_file_is_let_in_where_the_setting_says_so(
    make_app: MakeApp, password_hash: str
) -> None:
    app = make_app(CPNS_ACTIVATION="otomatis")
    people(app, password_hash)

    imported(app, logged_in(app, WATI), staff_file(row(CINTA, category="PNS")))

    cinta = on_record(app, CINTA.nip)
    assert cinta is not None
    assert cinta.activation is Activation.NOT_ACTIVATED


def test_wati_cancels_after_reading_the_report(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1)))

    assert cancel(wati, page).status_code == 303
    work(peopled)

    assert "Tidak ada data yang diubah" in words_of(wati.open(page))
    assert "tidak mengubah apa-apa: impor ini sudah berstatus dibatalkan" in words_of(
        wati.open(wati.post(f"{page}/jalankan", csrf_token=wati.csrf_token("/admin/impor")).location)
    )
    assert on_record(peopled, newcomer(1)[:18]) is None
    assert len(trail(peopled, Tag.IMPORT_CANCELLED)) == 1
    assert not trail(peopled, Tag.IMPORT_CONFIRMED)


def test_pressing_run_twice_runs_once(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1)))
    token = wati.csrf_token(page)

    answers = [wati.post(f"{page}/jalankan", csrf_token=token).status_code for _ in range(2)]
    work(peopled)

    assert answers == [303, 303]
    assert len(trail(peopled, Tag.IMPORT_CONFIRMED)) == len(trail(peopled, Tag.IMPORT_DONE)) == 1
    assert batch_of(peopled, page).result == {"new": 1}


def test_running_needs_the_password_again_after_ten_minutes(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1)))

    with time_machine.travel(now() + timedelta(minutes=11)):
        answer = run(wati, page)

    assert answer.status_code == 403
    assert "Password sekali lagi" in words_of(answer)
    assert batch_of(peopled, page).state is BatchState.CHECKED


def test_the_page_renews_itself_while_the_worker_works(peopled: Flask, wati: Visitor) -> None:
    page = uploaded(wati, staff_file(newcomer(1)))

    assert '<noscript><meta http-equiv="refresh"' in wati.open(page).text
    told = wati.open(f"{page}/kemajuan").json
    assert told == {"state": "diunggah", "words": "Menunggu giliran untuk diperiksa.", "percent": None}

    work(peopled)
    assert 'http-equiv="refresh"' not in wati.open(page).text
    with time_machine.travel(now() + timedelta(hours=1)):
        assert Visitor(peopled).open(page).status_code == 303, "nobody watches without logging in"


# -- what is refused at once
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "File ini kosong"),
        (b"%PDF-1.7 ...", "bukan tabel"),
        (b"\x89PNG\r\n\x1a\n....", "bukan tabel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "Excel lama"),
        (b"RIFF\x00\x00\x00\x00WEBP", "bukan tabel"),
    ],
)
def test_what_is_no_table_is_refused_at_once(
    peopled: Flask, wati: Visitor, content: bytes, sentence: str
) -> None:
    answer = upload(wati, content, "pegawai.csv")

    assert answer.status_code == 422
    assert sentence in words_of(answer)
    with peopled.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportBatch)) == 0


def test_no_file_at_all_is_refused(wati: Visitor) -> None:
    answer = wati.submit("/admin/impor")

    assert answer.status_code == 422
    assert "Pilih satu file" in words_of(answer)


def test_a_file_beyond_the_limit_is_refused(wati: Visitor) -> None:
    assert upload(wati, b"x" * (33 * 1024 * 1024)).status_code == 413


def test_somebody_who_is_no_admin_cannot_upload(peopled: Flask) -> None:
    sari = logged_in(peopled, SARI)

    assert send(sari, sari.csrf_token("/akun"), staff_file(newcomer(1))).status_code == 403
    assert send(sari, sari.csrf_token("/akun"), b"x" * 100_000).status_code == 413, (
        "a long body is not even read"
    )
    with peopled.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportBatch)) == 0


# -- files that cannot be used
def test_a_file_without_a_row_says_so(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file())

    assert batch_of(peopled, page).state is BatchState.UNREADABLE
    assert "hanya berisi baris judul" in words_of(wati.open(page))


@pytest.mark.parametrize("column", ["password_hash", "role", "status", "instansi_id"])
def test_a_column_that_decides_over_access_refuses_the_file(
    peopled: Flask, wati: Visitor, column: str
) -> None:
    page = checked(peopled, wati, staff_file(f"{newcomer(1)},x", header=f"{HEADER},{column}"))

    assert batch_of(peopled, page).state is BatchState.UNREADABLE
    assert column in words_of(wati.open(page))


def test_a_broken_workbook_ends_the_batch_and_not_the_worker(peopled: Flask, wati: Visitor) -> None:
    broken = uploaded(wati, b"PK\x03\x04 and then nothing", "pegawai.xlsx")
    good = uploaded(logged_in(peopled, RAKA), staff_file(newcomer(1, CONTOH)))

    work(peopled)

    assert batch_of(peopled, broken).state is BatchState.UNREADABLE
    assert "rusak" in words_of(wati.open(broken))
    assert batch_of(peopled, good).state is BatchState.CHECKED


def test_a_workbook_that_takes_all_memory_ends_the_batch_and_not_the_worker(
    peopled: Flask, wati: Visitor, bomb: bytes
) -> None:
    page = checked(peopled, wati, bomb, "pegawai.xlsx")

    assert batch_of(peopled, page).state is BatchState.UNREADABLE
    assert "terlalu besar" in words_of(wati.open(page))


# -- whom a file may touch
def test_rows_of_another_instansi_are_refused(peopled: Flask, wati: Visitor) -> None:
    page = checked(
        peopled, wati, staff_file(newcomer(1, instansi=CONTOH), row(BUDI, instansi=CONTOH), row(LESTARI))
    )

    assert batch_of(peopled, page).dry_run == {"refused": 3}
    assert all("bukan instansi impor ini" in sentence for sentence in refusals(peopled, page).values())


def test_a_nip_and_an_email_from_elsewhere_get_one_and_the_same_sentence(
    peopled: Flask, wati: Visitor
) -> None:
    """Somebody who tries NIPs and emails with a file does not learn which of the two is known, or where."""
    page = checked(
        peopled,
        wati,
        staff_file(
            row(LESTARI, instansi=NUSA_JAYA),  # the NIP
            newcomer(1, email=RAKA.email),  # the email
            row(BUDI, email=HADI.email),  # the email, for a person of this instansi
            row(HADI, instansi=NUSA_JAYA, email=SARI.email),  # the NIP, with an email of this instansi
        ),
    )

    assert batch_of(peopled, page).dry_run == {"refused": 4}
    assert set(refusals(peopled, page).values()) == {OUT_OF_REACH}
    assert list(batch_of(peopled, page).reasons) == [OUT_OF_REACH]
    with peopled.app_context(), reading() as session:
        assert set(session.scalars(select(ImportRefusal.columns))) == {""}


def test_an_email_of_a_colleague_is_named_as_such(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1, email=SARI.email)))

    assert "sudah terdaftar untuk pegawai lain" in refusals(peopled, page)[2]


def test_rows_about_the_admin_and_about_admins_are_for_their_pages(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    page = checked(peopled, wati, staff_file(row(WATI, name="Wati Berubah")))
    assert "data Anda sendiri" in refusals(peopled, page)[2]

    page = checked(peopled, ratna, staff_file(row(WATI, name="Wati Berubah"), row(RATNA, unit="Lain")))
    assert "memegang mandat admin" in refusals(peopled, page)[2]
    assert "data Anda sendiri" in refusals(peopled, page)[3]


def test_an_admin_of_the_centre_in_the_same_instansi_is_not_touched(peopled: Flask, raka: Visitor) -> None:
    page = checked(peopled, raka, staff_file(row(RATNA, unit="Gudang"), row(LESTARI)))

    assert batch_of(peopled, page).dry_run == {"refused": 1, "unchanged": 1}
    assert "memegang mandat admin" in refusals(peopled, page)[2]


def test_unchanged_rows_about_admins_are_no_refusals(peopled: Flask, wati: Visitor) -> None:
    """The file of a whole instansi names its admins too."""
    page = checked(peopled, wati, staff_file(row(WATI), row(SARI)))

    assert batch_of(peopled, page).dry_run == {"unchanged": 2}


@pytest.mark.parametrize("person", [SARI, TONO], ids=["active", "deactivated"])
def test_a_file_does_not_change_the_email_of_an_account_in_use(
    peopled: Flask, wati: Visitor, person: Person
) -> None:
    page = imported(peopled, wati, staff_file(row(person, email="penyusup@contoh.example"), newcomer(1)))

    assert batch_of(peopled, page).result == {"refused": 1, "new": 1}
    assert "halaman pegawai tersebut" in refusals(peopled, page)[2]
    found = on_record(peopled, person.nip)
    assert found is not None
    assert found.email == person.email


def test_everything_else_of_an_account_in_use_may_come_by_file(peopled: Flask, wati: Visitor) -> None:
    imported(peopled, wati, staff_file(row(SARI, email="", unit="Dinas Kearsipan")))

    sari = on_record(peopled, SARI.nip)
    assert sari is not None
    assert (sari.work_unit, sari.email) == ("Dinas Kearsipan", SARI.email)


def test_an_email_that_nobody_has_used_yet_may_come_by_file(peopled: Flask, wati: Visitor) -> None:
    imported(peopled, wati, staff_file(row(JOKO, email="joko@nusajaya.example")))

    joko = on_record(peopled, JOKO.nip)
    assert joko is not None
    assert joko.email == "joko@nusajaya.example"


def test_email_and_category_of_a_ppt_are_for_the_page(peopled: Flask, raka: Visitor) -> None:
    page = checked(peopled, raka, staff_file(row(HADI, email="lain@contoh.example")))
    assert "PPT Non ASN" in refusals(peopled, page)[2]

    page = checked(peopled, raka, staff_file(row(HADI, category="PNS")))
    assert "Kategori PPT Non ASN" in refusals(peopled, page)[2]


def test_the_centre_moves_people_by_file_and_nobody_else(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    page = checked(peopled, wati, staff_file(row(BUDI, instansi=CONTOH)))
    assert batch_of(peopled, page).dry_run == {"refused": 1}

    imported(peopled, ratna, staff_file(row(BUDI, instansi=CONTOH)))

    budi = on_record(peopled, BUDI.nip)
    assert budi is not None
    assert budi.instansi.code == CONTOH


def test_an_admin_of_two_instansi_says_for_which_the_file_is(peopled: Flask, wati: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        admin, contoh = User.with_nip(session, Nip(WATI.nip)), Instansi.with_code(session, CONTOH)
        assert admin is not None
        assert contoh is not None
        today = today_in_jakarta(now())
        session.add(
            AdminMandate(user_id=admin.id, role=Role.ADMIN_INSTANSI, instansi_id=contoh.id, sk_number="SK-2",
                         starts_on=today - timedelta(days=2), ends_on=today + timedelta(days=9))
        )  # fmt: skip
        contoh_id = str(contoh.id)

    assert upload(wati, staff_file(newcomer(1))).status_code == 422, "none chosen"
    page = checked(peopled, wati, staff_file(newcomer(1), newcomer(2, CONTOH, "")), instansi=contoh_id)

    assert batch_of(peopled, page).dry_run == {"refused": 1, "new": 1}


def test_wati_cannot_upload_for_another_instansi(peopled: Flask, wati: Visitor) -> None:
    with peopled.app_context(), reading() as session:
        contoh = Instansi.with_code(session, CONTOH)
    assert contoh is not None

    file, token = staff_file(newcomer(1, CONTOH)), wati.csrf_token("/admin/impor")
    page = page_behind(send(wati, token, file, instansi=str(contoh.id)))
    work(peopled)

    assert batch_of(peopled, page).instansi_id != contoh.id
    assert batch_of(peopled, page).dry_run == {"refused": 1}


# -- rights at the moment of the run
def test_a_mandate_that_ends_after_the_click_stops_the_import(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1)))
    run(wati, page)

    end_mandate(peopled, WATI)
    work(peopled)

    batch = batch_of(peopled, page)
    assert batch.state is BatchState.CANCELLED
    assert "tidak berlaku lagi" in (batch.problem or "")
    assert on_record(peopled, newcomer(1)[:18]) is None


def test_a_mandate_that_ends_before_the_dry_run_stops_it(peopled: Flask, wati: Visitor) -> None:
    page = uploaded(wati, staff_file(newcomer(1)))

    end_mandate(peopled, WATI)
    work(peopled)

    assert batch_of(peopled, page).state is BatchState.CANCELLED


def test_who_became_an_admin_between_report_and_run_is_not_touched(peopled: Flask, ratna: Visitor) -> None:
    page = checked(peopled, ratna, staff_file(row(BUDI, unit="Gudang")))
    assert batch_of(peopled, page).dry_run == {"changed": 1}
    run(ratna, page)

    with peopled.app_context(), unit_of_work() as session:
        mandate = session.scalars(
            select(AdminMandate).join(AdminMandate.user).where(User.nip == WATI.nip)
        ).one()
        budi = User.with_nip(session, Nip(BUDI.nip))
        assert budi is not None
        mandate.user_id = budi.id
    work(peopled)

    assert batch_of(peopled, page).result == {"refused": 1}


# -- who sees a batch
def test_raka_does_not_find_watis_batch(peopled: Flask, wati: Visitor, raka: Visitor, ratna: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1), "rusak"), "rahasia-wati.csv")
    token = raka.csrf_token("/admin/impor")

    for path in ("", "/kemajuan", "/ditolak.csv", "/ditolak.xlsx", "/perubahan.csv", "/perubahan.xlsx"):
        assert (
            raka.open(f"{page}{path}").status_code == raka.open(f"/admin/impor/999{path}").status_code == 404
        )
    for act in ("jalankan", "batalkan"):
        assert raka.post(f"{page}/{act}", csrf_token=token).status_code == 404
    assert "rahasia-wati" not in raka.open("/admin/impor").text
    assert "rahasia-wati" in ratna.open("/admin/impor").text
    assert ratna.open(page).status_code == 200
    assert batch_of(peopled, page).state is BatchState.CHECKED


def test_the_batches_of_the_centre_are_for_the_centre(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    page = checked(peopled, ratna, staff_file(newcomer(1)), "pusat.csv")

    assert wati.open(page).status_code == 404
    assert "pusat.csv" not in wati.open("/admin/impor").text


def test_a_long_list_goes_on_by_pages(peopled: Flask, wati: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        admin = User.with_nip(session, Nip(WATI.nip))
        assert admin is not None
        for number in range(30):
            session.add(
                ImportBatch(instansi_id=admin.instansi_id, uploaded_by_id=admin.id, uploaded_at=now(),
                state=BatchState.DONE,
                            file_name=f"file-{number:02}.csv", file_size=1, sha256="0" * 64)
            )  # fmt: skip

    first = wati.open("/admin/impor").text
    further = re.search(r'rel="next" href="([^"]+)"', first)
    assert further
    assert "file-29.csv" in first
    assert "file-04.csv" not in first
    assert "file-04.csv" in wati.open(further[1]).text


# -- the refused rows, and templates
def test_refused_rows_come_as_a_file_without_formulas_and_go_in_again(peopled: Flask, wati: Visitor) -> None:
    bad = '199001012010011001,"=HYPERLINK(""http://x"")",@sum,PNS,7301,-Gudang'
    page = imported(peopled, wati, staff_file(bad, newcomer(2), header=HEADER))

    answer = wati.open(f"{page}/ditolak.csv")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    [refused] = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert refused["nama"] == '\'=HYPERLINK("http://x")'
    assert refused["email"] == "'@sum"
    assert refused["unit_kerja"] == "'-Gudang"
    assert refused["baris"] == "2"
    assert refused["kesalahan"]
    assert [event.detail["what"] for event in trail(peopled, Tag.EXPORTED)] == ["import_refusals"]

    corrected = answer.get_data().decode("utf-8-sig").replace("'@sum", "benar@nusajaya.example")
    again = imported(peopled, wati, corrected.encode())
    assert batch_of(peopled, again).result == {"new": 1}
    found = on_record(peopled, "199001012010011001")
    assert found is not None
    assert found.work_unit == "-Gudang"


def as_saved(content: bytes, cells: dict[str, str]) -> bytes:
    """The list as the portal gave it, with some cells overwritten and nothing else changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            text = old.read(part).decode()
            for wrong, right in cells.items():
                text = text.replace(f"<t>{wrong}</t>", f"<t>{right}</t>")
            new.writestr(part, text)
    return file.getvalue()


def corrected_in_place(content: bytes) -> bytes:
    return as_saved(
        content, {"199001012010011": "199001012010011001", "surel": "dua@nusajaya.example", "9999": "7301"}
    )


def saved_by_a_spreadsheet(content: bytes) -> bytes:
    right = {"199001012010011": "199001012010011001", "surel": "dua@nusajaya.example", "9999": "7301"}
    return spreadsheets.saved_again(content, lambda row: [right.get(cell, cell) for cell in row])


@pytest.mark.parametrize("corrected", [corrected_in_place, saved_by_a_spreadsheet])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_refused_rows_as_xlsx_are_corrected_and_all_new(
    peopled: Flask, wati: Visitor, corrected: Callable[[bytes], bytes], delimiter: str
) -> None:
    header = f"{HEADER},telepon"
    rows = (
        "199001012010011,Orang Satu,,PNS,7301,Dinas Pasar,081234567890",
        "199001012010011002,Orang Dua,surel,PNS,7301,Dinas Pasar,0021",
        "199001012010011003,Orang Tiga,,PNS,9999,Dinas Pasar,+62812",
    )
    page = checked(peopled, wati, staff_file(*rows, header=header).replace(b",", delimiter.encode()))
    assert batch_of(peopled, page).dry_run == {"refused": 3}

    answer = wati.open(f"{page}/ditolak.xlsx")
    book = spreadsheets.opened(answer.data)
    assert (
        answer.headers["Content-Disposition"]
        == f"attachment; filename=impor-{batch_of(peopled, page).id}-ditolak.xlsx"
    )
    assert book.rows[1][0] == "199001012010011"
    assert book.rows[3][6:8] == ["+62812", "4"]
    assert book.is_text, "every column, the numbers of lines too"
    assert book.kinds == {"inlineStr"}, "every column, the numbers of lines too"

    again = imported(peopled, wati, corrected(answer.data), "impor-ditolak.xlsx")

    assert batch_of(peopled, again).result == {"new": 3}
    people = [on_record(peopled, f"19900101201001100{number}") for number in (1, 2, 3)]
    assert [person and person.phone for person in people] == ["081234567890", "0021", "+62812"]
    assert [event.detail["file"] for event in trail(peopled, Tag.EXPORTED)] == ["xlsx"]


def test_a_refused_row_is_typed_anew_below_the_others(peopled: Flask, wati: Visitor) -> None:
    """Cells that were empty and rows that were not there have the text format too."""
    page = checked(peopled, wati, staff_file("1,,,PNS,7301,Dinas Pasar"))

    book = spreadsheets.opened(wati.open(f"{page}/ditolak.xlsx").data)

    assert book.is_text, "the columns, too"


def test_the_columns_of_the_template_are_text(wati: Visitor) -> None:
    book = spreadsheets.opened(wati.open("/admin/impor/template.xlsx").data)

    assert book.is_text
    assert book.rows == [[*HEADER.split(","), "telepon"]]


def test_refused_rows_keep_the_delimiter_of_the_file(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file("1,a,b,c,d,e").replace(b",", b";"))

    assert (
        wati.open(f"{page}/ditolak.csv").text.splitlines()[0].endswith("unit_kerja;telepon;baris;kesalahan")
    )


def test_reasons_are_told_once_with_how_often_and_where(peopled: Flask, wati: Visitor) -> None:
    page = checked(
        peopled,
        wati,
        staff_file(newcomer(1), newcomer(1), newcomer(1), *["1,a,,PNS,7301,b"] * 7, "1,,,PNS,7301,"),
    )

    told = words_of(wati.open(page))
    assert told.index("kolom nama: Isi nama lengkap pegawai.") < told.index(
        "kolom unit_kerja: Isi nama unit kerja."
    )
    assert "NIP ini sudah ada pada baris lain. Hapus salah satu barisnya. 2 3, 4" in told
    assert "8 5, 6, 7, 8, 9, ..." in told


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_template_that_is_filled_in_is_taken(peopled: Flask, wati: Visitor, kind: str) -> None:
    template = wati.open(f"/admin/impor/template.{kind}")
    assert template.status_code == 200

    page = checked(peopled, wati, template.data, f"template.{kind}")

    assert "hanya berisi baris judul" in words_of(wati.open(page)), "its header is right, and it holds nobody"


# -- twice, at once, and in the middle
def test_the_same_file_twice_is_one_batch_until_it_has_ended(peopled: Flask, wati: Visitor) -> None:
    file = staff_file(newcomer(1))
    first, second = uploaded(wati, file), uploaded(wati, file)
    assert first == second

    work(peopled)
    cancel(wati, first)
    assert uploaded(wati, file) != first


def all_at_once(acts: list[tuple[Visitor, str, str]]) -> list[int]:
    """Send each form to its path at the same moment."""
    start = Barrier(len(acts))

    def post(act: tuple[Visitor, str, str]) -> int:
        visitor, path, token = act
        start.wait()
        return visitor.post(path, csrf_token=token).status_code

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(post, acts))


def test_of_confirm_and_cancel_at_once_one_holds(peopled: Flask, wati: Visitor) -> None:
    for number in range(3):
        page = checked(peopled, wati, staff_file(newcomer(number)))
        other = logged_in(peopled, WATI)
        token, others = wati.csrf_token(page), other.csrf_token(page)

        assert all_at_once([(wati, f"{page}/jalankan", token), (other, f"{page}/batalkan", others)]) == [
            303,
            303,
        ]
        work(peopled)

        batch = batch_of(peopled, page)
        assert batch.state is (BatchState.CANCELLED if batch.confirmed_at is None else BatchState.DONE)
    ended = trail(peopled, Tag.IMPORT_CONFIRMED, Tag.IMPORT_CANCELLED)
    assert len(ended) == 3


@pytest.mark.usefixtures("wati")
def test_eight_uploads_of_one_file_at_once_are_one_batch(peopled: Flask) -> None:
    file, visitors = staff_file(newcomer(1)), [logged_in(peopled, WATI) for _ in range(8)]
    tokens = [visitor.csrf_token("/admin/impor") for visitor in visitors]
    start = Barrier(8)

    def click(number: int) -> str:
        start.wait()
        return send(visitors[number], tokens[number], file).location

    with ThreadPoolExecutor(8) as crowd:
        assert len(set(crowd.map(click, range(8)))) == 1


def begun(app: Flask) -> imports.ImportJob:
    """The pass of a worker that has the lease of the next batch."""
    with app.app_context(), unit_of_work() as session:
        lease = run_batch.claim(session, now())
    assert lease is not None
    return imports.ImportJob(app, lease)


def _chunks(app: Flask) -> Generator[float]:
    """The chunks of a worker that can die between two of them."""
    chunks = begun(app).chunks()
    assert isinstance(chunks, Generator)
    return chunks


@pytest.fixture
def long_file() -> bytes:
    """A file of four chunks. The last row names a person of the first chunk once more."""
    rows = [newcomer(number) for number in range(3 * imports.ROWS_A_CHUNK + 10)]
    return staff_file(*rows, newcomer(5))


def test_a_worker_that_dies_in_the_middle_loses_no_row_and_counts_none_twice(
    peopled: Flask, wati: Visitor, long_file: bytes
) -> None:
    page = uploaded(wati, long_file)
    with closing(_chunks(peopled)) as dead:
        next(dead)
    work(peopled)
    assert batch_of(peopled, page).state is BatchState.CHECKING, "somebody may still have it in hand"

    with time_machine.travel(now() + LEASE_LASTS, tick=True):
        work(peopled)
    assert batch_of(peopled, page).dry_run == {"new": 760, "refused": 1}

    run(wati, page)
    with closing(_chunks(peopled)) as dead:
        next(dead)
        next(dead)
    assert batch_of(peopled, page).rows_done == 2 * imports.ROWS_A_CHUNK
    with time_machine.travel(now() + LEASE_LASTS, tick=True):
        work(peopled)

    batch = batch_of(peopled, page)
    assert batch.state is BatchState.DONE
    assert batch.result == {"new": 760, "refused": 1}
    assert len(trail(peopled, Tag.IMPORTED_NEW)) == 760
    assert len(trail(peopled, Tag.IMPORT_DONE)) == 1
    assert list(refusals(peopled, page)) == [762]


def test_a_worker_that_was_thought_dead_does_nothing_more(
    peopled: Flask, wati: Visitor, long_file: bytes
) -> None:
    page = checked(peopled, wati, long_file)
    run(wati, page)
    slow = begun(peopled)
    chunks = slow.chunks()
    next(chunks)

    with time_machine.travel(now() + LEASE_LASTS, tick=True):
        work(peopled)
    with pytest.raises(run_batch.LeaseLost):
        next(chunks)

    assert batch_of(peopled, page).result == {"new": 760, "refused": 1}
    assert len(trail(peopled, Tag.IMPORTED_NEW)) == 760


def test_a_worker_that_is_told_to_stop_hands_the_rest_to_the_next(
    peopled: Flask, wati: Visitor, long_file: bytes
) -> None:
    page, stop = uploaded(wati, long_file), Event()
    stop.set()

    jobs.do_next(peopled, stop)
    assert batch_of(peopled, page).rows_done == imports.ROWS_A_CHUNK

    work(peopled)
    assert batch_of(peopled, page).dry_run == {"new": 760, "refused": 1}


def test_four_workers_at_once_do_every_batch_once(peopled: Flask, wati: Visitor) -> None:
    pages = [
        lying_there(peopled, WATI, staff_file(*(newcomer(10 * one + two) for two in range(9))))
        for one in range(4)
    ]
    work(peopled)
    for page in pages:
        run(wati, page)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: work(peopled), range(4)))

    assert [batch_of(peopled, page).result for page in pages] == [{"new": 9}] * 4
    assert len(trail(peopled, Tag.IMPORTED_NEW)) == 36
    assert len(trail(peopled, Tag.IMPORT_DONE)) == 4


# -- what is forgotten
def left(app: Flask) -> tuple[int, int, int]:
    """How many batches, files and refused rows there are."""
    with app.app_context(), reading() as session:
        batches, files, refused = (
            session.scalar(select(func.count()).select_from(kind)) or 0
            for kind in (ImportBatch, ImportFile, ImportRefusal)
        )
    return batches, files, refused


def house_kept(app: Flask, after: timedelta) -> None:
    with app.app_context():
        clean_up(Act(WORKER, now() + after, None))


def test_the_bytes_go_after_a_day_the_refused_rows_after_a_month_and_the_batch_stays(
    peopled: Flask, wati: Visitor
) -> None:
    page = imported(peopled, wati, staff_file(newcomer(1), "rusak"))
    house_kept(peopled, timedelta(hours=23))
    assert left(peopled) == (1, 1, 2)

    house_kept(peopled, timedelta(hours=25))
    assert left(peopled) == (1, 0, 2)

    house_kept(peopled, timedelta(days=31))
    assert left(peopled) == (1, 0, 0)
    assert "sudah dihapus" in words_of(logged_in(peopled, WATI).open(page))


def test_what_nobody_confirms_in_a_week_is_cancelled(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1)))
    house_kept(peopled, timedelta(days=6))
    assert batch_of(peopled, page).state is BatchState.CHECKED

    house_kept(peopled, timedelta(days=8))
    house_kept(peopled, timedelta(days=10))

    assert batch_of(peopled, page).state is BatchState.CANCELLED
    assert left(peopled) == (1, 0, 0)


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A small workbook that has almost a gigabyte when it is unpacked."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.add_worksheet().write_row(0, 0, HEADER.split(","))
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(file) as honest,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as evil,
    ):
        for part in honest.infolist():
            if part.filename != "xl/sharedStrings.xml":
                evil.writestr(part, honest.read(part))
        with evil.open("xl/sharedStrings.xml", "w") as strings:
            strings.write(b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>')
            for _ in range(900):
                strings.write(b"A" * (1 << 20))
            strings.write(b"</t></si></sst>")
    return packed.getvalue()
