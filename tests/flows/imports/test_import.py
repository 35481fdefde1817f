"""An operator hands over files: first of instansi, then of their staff."""

import csv
import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from threading import Thread
from time import sleep

import bcrypt
import pytest
import xlsxwriter
from click.testing import Result
from flask import Flask
from passlib.hash import pbkdf2_sha256, sha512_crypt
from sqlalchemy import Engine, create_engine, func, select, text

from app.cli import imports
from app.domain.categories import Activation, Category
from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.models import AuditEvent, Base, Instansi, LoginSession, OutboxMail, User
from app.models.outbox_mail import Letter
from app.runtime.db import reading, unit_of_work
from app.security import passwords
from tests import spreadsheets
from tests.unit.domain.test_guarded_cells import EVIL, formulas_in
from tests.visitor import Visitor

HEADER = "nip,nama,email,kategori,kode_instansi,unit_kerja"
SARI = "198503122010012001,Sari Wulandari,sari@nusajaya.example,PNS,7301,Dinas Kesehatan"
BUDI = "199007152015051002,Budi Santoso,budi@nusajaya.example,PNS,7301,Dinas Pendidikan"
CINTA = "200001172025042005,Cinta Maharani,cinta@nusajaya.example,CPNS,7301,Dinas Perhubungan"
HADI = "196801252021001007,Hadi Nugroho,hadi@contoh.example,PPT Non ASN,3402,Staf Khusus Menteri"
LESTARI = "199210052018012008,Lestari Ayu,,PPPK,3402,Biro Hukum"
INSTANSI = (
    "kode,nama,kontak",
    "7301,Kabupaten Nusa Jaya,BKPSDM loket 3",
    "3402,Kementerian Contoh,Biro Kepegawaian",
)
NIP_OF_SARI, NIP_OF_BUDI, NIP_OF_CINTA = SARI[:18], BUDI[:18], CINTA[:18]
PASSWORD = "Kopi-Tubruk-2021"

Rows = Callable[..., Path]


@pytest.fixture
def instansi_known(app: Flask) -> None:
    with app.app_context(), unit_of_work() as session:
        session.add(Instansi(code="7301", name="Kabupaten Nusa Jaya", helpdesk_contact="BKPSDM loket 3"))
        session.add(Instansi(code="3402", name="Kementerian Contoh", helpdesk_contact="Biro Kepegawaian"))


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    """Write a CSV file of staff: rows(SARI, BUDI)."""

    def write(*lines: str, header: str = HEADER) -> Path:
        file = tmp_path / "pegawai.csv"
        file.write_text("\n".join((header, *lines, "")), encoding="utf-8")
        return file

    return write


def imported(app: Flask, file: Path, *options: str, command: str = "import-pegawai") -> Result:
    result = app.test_cli_runner().invoke(args=[command, str(file), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def person(app: Flask, nip: str) -> User:
    with app.app_context(), reading() as session:
        found = User.with_nip(session, Nip(nip))
        assert found is not None
        return found


def everything(app: Flask) -> dict[str, list[str]]:
    """All rows of all tables."""
    with app.app_context(), reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table)).all()))
            for table in Base.metadata.sorted_tables
        }


def change(app: Flask, nip: str, **fields: object) -> None:
    """Change somebody's record, as other acts would have done in the meantime."""
    with app.app_context(), unit_of_work() as session:
        found = User.with_nip(session, Nip(nip))
        assert found is not None
        for field, value in fields.items():
            setattr(found, field, value)


def trail_of(app: Flask, nip: str) -> list[tuple[str, dict[str, str | int | None]]]:
    with app.app_context(), reading() as session:
        found = (
            select(AuditEvent)
            .join(User, AuditEvent.account_id == User.id)
            .where(User.nip == nip)
            .order_by(AuditEvent.id)
        )
        return [(str(event.tag), event.detail) for event in session.scalars(found)]


def letters(app: Flask) -> list[tuple[Letter, str]]:
    with app.app_context(), reading() as session:
        return [
            (mail.letter, mail.to_address)
            for mail in session.scalars(select(OutboxMail).order_by(OutboxMail.id))
        ]


def refused_rows(file: Path) -> list[dict[str, str]]:
    with file.with_name(f"{file.name}.ditolak.csv").open(encoding="utf-8-sig", newline="") as report:
        return list(csv.DictReader(report))


# -- instansi
def test_a_list_of_instansi_is_taken_over_and_corrected(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "instansi.csv"
    file.write_text("\n".join(INSTANSI), encoding="utf-8")
    first = imported(app, file, command="import-instansi")
    assert (first.exit_code, first.stdout) == (0, "Baru 2, berubah 0, tetap 0, ditolak 0.\n")

    file.write_text("\n".join(INSTANSI).replace("loket 3", "loket 5"), encoding="utf-8")
    second = imported(app, file, command="import-instansi")

    assert second.stdout == "Baru 0, berubah 1, tetap 1, ditolak 0.\n"
    with app.app_context(), reading() as session:
        nusa_jaya = Instansi.with_code(session, "7301")
        assert nusa_jaya is not None
        assert nusa_jaya.helpdesk_contact == "BKPSDM loket 5"


def test_the_same_list_of_instansi_twice_writes_nothing(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "instansi.csv"
    file.write_text("\n".join(INSTANSI), encoding="utf-8")
    imported(app, file, command="import-instansi")
    before = everything(app)

    again = imported(app, file, command="import-instansi")

    assert again.stdout == "Baru 0, berubah 0, tetap 2, ditolak 0.\n"
    assert everything(app) == before


def test_a_code_named_twice_is_refused_the_second_time(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "instansi.csv"
    file.write_text("\n".join((*INSTANSI, "7301,Lain,Lain", ",Tanpa kode,Lain")), encoding="utf-8")

    result = imported(app, file, command="import-instansi")

    assert (result.exit_code, result.stdout) == (1, "Baru 2, berubah 0, tetap 0, ditolak 2.\n")
    assert "baris 4, kolom kode: Kode ini sudah ada pada baris 2." in result.stderr
    assert "baris 5, kolom kode: Isi kode instansi." in result.stderr


# -- new people
@pytest.mark.usefixtures("instansi_known")
def test_new_people_arrive_in_the_state_of_their_category(app: Flask, rows: Rows) -> None:
    result = imported(app, rows(SARI, CINTA, HADI, LESTARI))

    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        "Baru 4, berubah 0, tetap 0, ditolak 0.\n",
        "",
    )
    sari, cinta, lestari = person(app, NIP_OF_SARI), person(app, NIP_OF_CINTA), person(app, LESTARI[:18])
    assert (sari.name, sari.email, sari.work_unit) == (
        "Sari Wulandari",
        "sari@nusajaya.example",
        "Dinas Kesehatan",
    )
    assert (sari.instansi.code, sari.password_hash, sari.credential_version) == ("7301", None, 1)
    assert sari.activation is Activation.NOT_ACTIVATED
    assert cinta.activation is Activation.WAITING_APPROVAL
    assert (lestari.email, lestari.email_key) == (None, None)
    assert [tag for tag, _ in trail_of(app, NIP_OF_SARI)] == ["imported_new"]
    assert letters(app) == []


@pytest.mark.usefixtures("instansi_known")
def test_the_same_file_twice_writes_nothing(app: Flask, rows: Rows) -> None:
    file = rows(SARI, CINTA, HADI, LESTARI)
    imported(app, file)
    before = everything(app)

    again = imported(app, file)

    assert (again.exit_code, again.stdout) == (0, "Baru 0, berubah 0, tetap 4, ditolak 0.\n")
    assert everything(app) == before


@pytest.mark.usefixtures("instansi_known")
def test_a_dry_run_says_the_same_and_writes_nothing(app: Flask, rows: Rows) -> None:
    imported(app, rows(SARI))
    file = rows(SARI.replace("Kesehatan", "Pertanian"), BUDI, CINTA.replace("7301", "9999"))
    before = everything(app)

    tried = imported(app, file, "--dry-run")
    assert everything(app) == before
    tried_rows = refused_rows(file)
    done = imported(app, file)

    changes = "Unit kerja berubah untuk 1 pegawai (100%).\n"
    assert tried.stdout == f"Uji coba: tidak ada yang disimpan.\n{changes}{done.stdout}"
    assert done.stdout == "Baru 1, berubah 1, tetap 0, ditolak 1.\n"
    assert tried.stderr.startswith(done.stderr)
    assert tried.exit_code == done.exit_code
    assert tried.stderr.removeprefix(done.stderr).startswith(
        "PERINGATAN: Unit kerja berubah untuk 1 dari 1 pegawai"
    )
    assert tried_rows == refused_rows(file)


@pytest.mark.usefixtures("instansi_known")
def test_many_batches_are_one_import(app: Flask, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "ROWS_A_BATCH", 2)
    people = [
        f"{198001012005011001 + number},Pegawai {number},p{number}@contoh.example,PNS,3402,Biro"
        for number in range(7)
    ]

    result = imported(app, rows(*people, people[0]))

    assert result.stdout == "Baru 7, berubah 0, tetap 0, ditolak 1.\n"
    assert "baris 9, kolom nip: NIP ini sudah ada pada baris 2." in result.stderr


# -- refusals
@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (BUDI.replace("199007152015051002", "130123456"), "baris 3, kolom nip: Ini tampaknya NIP lama"),
        (
            BUDI.replace("199007152015051002", "1.99007152015051E+17"),
            "baris 3, kolom nip: NIP tersimpan sebagai angka",
        ),
        (BUDI.replace("Budi Santoso", ""), "baris 3, kolom nama: Isi nama lengkap pegawai."),
        (BUDI.replace("@", ""), "baris 3, kolom email: Alamat email perlu tanda @"),
        (BUDI.replace(",PNS,", ",Honorer,"), "baris 3, kolom kategori: Kategori ini tidak dikenal."),
        (BUDI.replace("7301", "9999"), "baris 3, kolom kode_instansi: Kode instansi ini tidak dikenal."),
        (BUDI.replace(NIP_OF_BUDI, NIP_OF_SARI), "baris 3, kolom nip: NIP ini sudah ada pada baris 2."),
        (
            BUDI.replace("budi@", "SARI@"),
            "baris 3, kolom email: Alamat email ini sudah dipakai pada baris 2.",
        ),
        (BUDI + ",lebih", "baris 3: Baris ini berisi 7 sel, seharusnya 6."),
        ("199007152015051002,Budi Santoso", "baris 3: Baris ini hanya berisi 2 sel, seharusnya 6."),
        (BUDI.replace("Budi", '"Budi'), 'baris 3: Tanda kutip (") tidak berpasangan.'),
        (BUDI.replace("Budi", "B" * 20_000), "baris 3: Baris ini lebih panjang dari 16000 karakter."),
    ],
)
def test_a_bad_row_is_refused_and_the_good_ones_stay(app: Flask, rows: Rows, wrong: str, said: str) -> None:
    file = rows(SARI, wrong, HADI)

    result = imported(app, file)

    assert (result.exit_code, result.stdout) == (1, "Baru 2, berubah 0, tetap 0, ditolak 1.\n")
    assert result.stderr.startswith(said), result.stderr
    (refused,) = refused_rows(file)
    assert refused["baris"] == "3"
    assert refused["kesalahan"] in result.stderr


@pytest.mark.usefixtures("instansi_known")
def test_an_address_of_somebody_else_is_refused_without_telling_whose(app: Flask, rows: Rows) -> None:
    imported(app, rows(SARI))

    file = rows(BUDI.replace("budi@nusajaya.example", "Sari@NusaJaya.example"))
    result = imported(app, file)

    assert result.exit_code == 1
    assert "baris 2, kolom email: Alamat email ini sudah terdaftar untuk pegawai lain." in result.stderr
    assert NIP_OF_SARI not in result.stderr + str(refused_rows(file))
    assert "Sari W" not in result.stderr


@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize("batch", [1, 500])
def test_an_address_that_changes_hands_needs_a_second_run(
    app: Flask, rows: Rows, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ROWS_A_BATCH", batch)
    imported(app, rows(SARI))
    file = rows(SARI.replace("sari@", "sari.baru@"), BUDI.replace("budi@", "sari@"))

    first, second = imported(app, file), imported(app, file)

    assert first.stdout == "Baru 0, berubah 1, tetap 0, ditolak 1.\n"
    assert "baris 3, kolom email" in first.stderr
    assert "jalankan impor sekali lagi" in first.stderr
    assert second.stdout == "Baru 1, berubah 0, tetap 1, ditolak 0.\n"


@pytest.mark.usefixtures("instansi_known")
def test_only_the_first_faults_are_shown_and_all_are_in_the_list(app: Flask, rows: Rows) -> None:
    file = rows(*[f"{number},Pegawai,,PNS,7301,Biro" for number in range(50)])

    result = imported(app, file)

    shown = [line for line in result.stderr.splitlines() if re.match(r"baris \d+, kolom nip: ", line)]
    assert len(shown) == 20
    assert "... dan 30 kesalahan lain." in result.stderr
    assert "pegawai.csv.ditolak.csv" in result.stderr
    assert len(refused_rows(file)) == 50


@pytest.mark.usefixtures("instansi_known")
def test_the_list_of_refused_rows_is_private_and_runs_no_formula(app: Flask, rows: Rows) -> None:
    header = f"{HEADER},telepon,password_hash"
    file = rows("1,=HYPERLINK(0),@x,-,+,\t=1,+62812,secret-hash", header=header)

    imported(app, file)

    (refused,) = refused_rows(file)
    assert refused["nama"] == "'=HYPERLINK(0)"
    assert (refused["email"], refused["kategori"], refused["telepon"]) == ("'@x", "'-", "'+62812")
    report = file.with_name("pegawai.csv.ditolak.csv")
    assert "secret-hash" not in report.read_text(encoding="utf-8")
    assert "password_hash" not in refused
    assert report.read_bytes().startswith(b"\xef\xbb\xbf")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


@pytest.mark.usefixtures("instansi_known")
def test_the_corrected_list_of_refused_rows_can_be_imported(app: Flask, rows: Rows, tmp_path: Path) -> None:
    header = f"{HEADER},telepon"
    imported(app, rows(BUDI.replace("7301", "9999") + ",+62812555", header=header))
    report = tmp_path / "pegawai.csv.ditolak.csv"
    report.write_text(report.read_text(encoding="utf-8").replace("9999", "7301"), encoding="utf-8")

    result = imported(app, report)

    assert result.stdout == "Baru 1, berubah 0, tetap 0, ditolak 0.\n"
    assert person(app, NIP_OF_BUDI).phone == "+62812555"


@pytest.mark.usefixtures("instansi_known")
def test_the_list_of_refused_rows_is_a_workbook_of_text_too(app: Flask, rows: Rows, tmp_path: Path) -> None:
    header = f"{HEADER},telepon,password_hash"
    file = rows(f"{BUDI.replace('7301', '9999')},081234567890,secret-hash", header=header)

    result = imported(app, file)

    report = tmp_path / "pegawai.csv.ditolak.xlsx"
    assert "pegawai.csv.ditolak.xlsx dan" in result.stderr
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    book = spreadsheets.opened(report.read_bytes())
    assert book.is_text
    assert book.kinds == {"inlineStr"}
    assert book.rows[1][0] == NIP_OF_BUDI
    assert "password_hash" not in book.rows[0]
    assert "secret-hash" not in str(book.rows)

    right = {"9999": "7301"}
    report.write_bytes(
        spreadsheets.saved_again(report.read_bytes(), lambda row: [right.get(cell, cell) for cell in row])
    )
    again = imported(app, report)

    assert again.stdout == "Baru 1, berubah 0, tetap 0, ditolak 0.\n"
    assert person(app, NIP_OF_BUDI).phone == "081234567890"


@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize("command", ["import-pegawai", "import-instansi"])
def test_no_list_of_refused_rows_makes_a_spreadsheet_calculate(
    app: Flask, tmp_path: Path, command: str
) -> None:
    header = [*HEADER.split(","), "telepon"] if command == "import-pegawai" else ["kode", "nama", "kontak"]
    file = tmp_path / "jahat.csv"
    with file.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([header, *([cell] * len(header) for cell in EVIL if "\x00" not in cell)])

    imported(app, file, command=command)

    assert formulas_in((tmp_path / "jahat.csv.ditolak.csv").read_text(encoding="utf-8-sig")) == []
    book = spreadsheets.opened((tmp_path / "jahat.csv.ditolak.xlsx").read_bytes())
    assert book.is_text
    assert not book.has_formulas
    assert book.kinds == {"inlineStr"}


@pytest.mark.usefixtures("instansi_known")
def test_a_dry_run_counts_by_column_and_warns_of_columns_that_changed_places(app: Flask, rows: Rows) -> None:
    imported(app, rows(SARI, BUDI, CINTA))
    nip, name, email, category, instansi, unit = SARI.split(",")
    file = rows(",".join((nip, unit, email, category, instansi, name)), BUDI, CINTA, LESTARI)

    tried = imported(app, file, "--dry-run")

    assert tried.exit_code == 0
    assert tried.stdout == (
        "Uji coba: tidak ada yang disimpan.\n"
        "Nama berubah untuk 1 pegawai (33,3%).\n"
        "Unit kerja berubah untuk 1 pegawai (33,3%).\n"
        "Baru 1, berubah 1, tetap 2, ditolak 0.\n"
    )
    assert (
        "PERINGATAN: Nama berubah untuk 1 dari 3 pegawai dalam file yang sudah terdaftar (33,3%)."
        in tried.stderr
    )
    assert "PERINGATAN: Unit kerja berubah untuk 1 dari 3" in tried.stderr


@pytest.mark.usefixtures("instansi_known")
def test_an_old_list_of_refused_rows_goes_away(app: Flask, rows: Rows, tmp_path: Path) -> None:
    imported(app, rows("x,,,,,"))
    assert (tmp_path / "pegawai.csv.ditolak.csv").exists()
    assert (tmp_path / "pegawai.csv.ditolak.xlsx").exists()

    imported(app, rows(SARI))

    assert not (tmp_path / "pegawai.csv.ditolak.csv").exists()
    assert [file.name for file in tmp_path.iterdir() if "ditolak" in file.name] == []


# -- changes
@pytest.mark.usefixtures("instansi_known")
def test_a_changed_email_ends_all_access_and_is_told_to_the_old_address(app: Flask, rows: Rows) -> None:
    imported(app, rows(SARI, BUDI))
    change(app, NIP_OF_SARI, password_hash=passwords.hashed(PASSWORD), activation=Activation.ACTIVE)
    sari = Visitor(app)
    sari.log_in(NIP_OF_SARI, PASSWORD)
    assert sari.is_logged_in()

    result = imported(app, rows(SARI.replace("sari@", "sari.baru@"), BUDI))

    assert result.stdout == "Baru 0, berubah 1, tetap 1, ditolak 0.\n"
    assert not sari.is_logged_in()
    assert person(app, NIP_OF_SARI).email == "sari.baru@nusajaya.example"
    assert person(app, NIP_OF_SARI).credential_version > 1
    assert letters(app) == [
        (Letter.EMAIL_CHANGED, "sari@nusajaya.example"), (Letter.TOKEN, "sari.baru@nusajaya.example"),
    ]  # fmt: skip
    tag, facts = trail_of(app, NIP_OF_SARI)[-1]
    assert (tag, facts["columns"]) == ("imported_change", "email")
    assert str(facts["old_email"]).startswith("s***@n***.example (")
    assert facts["old_email"] != facts["new_email"]


@pytest.mark.usefixtures("instansi_known")
def test_a_first_email_gets_a_token_and_no_other_address_hears_of_it(app: Flask, rows: Rows) -> None:
    imported(app, rows(LESTARI))

    imported(app, rows(LESTARI.replace(",,", ",lestari@contoh.example,")))

    assert person(app, LESTARI[:18]).email == "lestari@contoh.example"
    assert letters(app) == [(Letter.TOKEN, "lestari@contoh.example")]


@pytest.mark.usefixtures("instansi_known")
def test_who_moves_to_another_instansi_has_to_log_in_again(app: Flask, rows: Rows) -> None:
    imported(app, rows(SARI))
    change(app, NIP_OF_SARI, password_hash=passwords.hashed(PASSWORD))
    sari = Visitor(app)
    sari.log_in(NIP_OF_SARI, PASSWORD)

    imported(app, rows(SARI.replace("7301,Dinas Kesehatan", "3402,Biro Umum")))

    assert not sari.is_logged_in()
    assert person(app, NIP_OF_SARI).instansi.code == "3402"
    tag, facts = trail_of(app, NIP_OF_SARI)[-1]
    assert (tag, facts["columns"]) == ("imported_change", "instansi,work_unit")
    assert (facts["old_instansi"], facts["new_instansi"], facts["new_work_unit"]) == (
        "7301",
        "3402",
        "Biro Umum",
    )


@pytest.mark.usefixtures("instansi_known")
def test_a_corrected_name_ends_no_session(app: Flask, rows: Rows) -> None:
    imported(app, rows(SARI))
    change(app, NIP_OF_SARI, password_hash=passwords.hashed(PASSWORD))
    sari = Visitor(app)
    sari.log_in(NIP_OF_SARI, PASSWORD)

    imported(app, rows(SARI.replace("Sari Wulandari", "Sari Wulandari S.Kep.")))

    assert sari.is_logged_in()
    assert person(app, NIP_OF_SARI).name == "Sari Wulandari S.Kep."
    with app.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1


@pytest.mark.usefixtures("instansi_known")
def test_what_a_file_does_not_say_stays(app: Flask, rows: Rows) -> None:
    imported(app, rows(f"{SARI},081234567890", header=f"{HEADER},telepon"))

    without_email = imported(app, rows(SARI.replace("sari@nusajaya.example", "")))
    empty_phone = imported(app, rows(f"{SARI},", header=f"{HEADER},telepon"))
    other_capitals = imported(app, rows(SARI.replace("sari@", "Sari@")))

    for result in (without_email, empty_phone, other_capitals):
        assert result.stdout == "Baru 0, berubah 0, tetap 1, ditolak 0.\n"
    sari = person(app, NIP_OF_SARI)
    assert (sari.email, sari.phone) == ("sari@nusajaya.example", "081234567890")


@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize(
    ("setting", "activation"),
    [("admin", Activation.WAITING_APPROVAL), ("otomatis", Activation.NOT_ACTIVATED)],
)
def test_a_cpns_who_became_pns_is_opened_where_the_setting_says_so(
    make_app: Callable[..., Flask], rows: Rows, setting: str, activation: Activation
) -> None:
    app = make_app(CPNS_ACTIVATION=setting)
    imported(app, rows(CINTA))

    imported(app, rows(CINTA.replace("CPNS", "PNS")))

    cinta = person(app, NIP_OF_CINTA)
    assert (cinta.category, cinta.activation) == (Category.PNS, activation)


@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Activation.ACTIVE, Activation.ACTIVE),
        (Activation.DEACTIVATED, Activation.DEACTIVATED),
        (Activation.NOT_ACTIVATED, Activation.WAITING_APPROVAL),
    ],
)
def test_who_turns_out_to_be_a_cpns_waits_unless_active(
    app: Flask, rows: Rows, before: Activation, after: Activation
) -> None:
    imported(app, rows(BUDI))
    change(app, NIP_OF_BUDI, activation=before)

    imported(app, rows(BUDI.replace(",PNS,", ",CPNS,")))

    budi = person(app, NIP_OF_BUDI)
    assert (budi.category, budi.activation) == (Category.CPNS, after)


@pytest.mark.usefixtures("instansi_known")
def test_a_cpns_whom_the_instansi_has_opened_stays_open(app: Flask, rows: Rows) -> None:
    imported(app, rows(CINTA))
    change(app, NIP_OF_CINTA, activation=Activation.NOT_ACTIVATED)

    imported(app, rows(CINTA.replace("Perhubungan", "Kesehatan")))

    assert person(app, NIP_OF_CINTA).activation is Activation.NOT_ACTIVATED


# -- password hashes
@pytest.mark.usefixtures("instansi_known")
def test_a_hash_of_an_older_system_lets_its_owner_in(app: Flask, rows: Rows) -> None:
    header = f"{HEADER},password_hash"
    file = rows(f'{SARI},"{passwords.hashed(PASSWORD)}"', header=header)

    result = imported(app, file)

    assert result.stdout == "Baru 1, berubah 0, tetap 0, ditolak 0.\n"
    sari = Visitor(app)
    sari.log_in(NIP_OF_SARI, PASSWORD)
    assert sari.is_logged_in()


def old_hashes(password: str) -> dict[str, str]:
    """Old hashes of a password, by the kind under which the portal counts them."""
    return {
        "bcrypt": bcrypt.hashpw(password.encode(), bcrypt.gensalt(5)).decode().replace("$2b$", "$2y$"),
        "pbkdf2_sha256": pbkdf2_sha256.using(rounds=2000).hash(password),
        "sha512_crypt_16": sha512_crypt.using(rounds=5000).hash(password),
    }


def old_costs(app: Flask) -> dict[str, int]:
    with app.app_context(), reading() as session:
        return User.old_costs(session)


@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize("kind", old_hashes(""))
def test_a_hash_of_another_scheme_lets_its_owner_in_and_is_replaced_then(
    app: Flask, rows: Rows, kind: str
) -> None:
    old = old_hashes(PASSWORD)[kind]
    file = rows(f'{SARI},"{old}"', BUDI + ",", header=f"{HEADER},password_hash")

    assert imported(app, file).stdout == "Baru 2, berubah 0, tetap 0, ditolak 0.\n"

    kept = person(app, NIP_OF_SARI).password_hash
    assert kept is not None
    assert old.rpartition("$")[2][-20:] not in kept
    assert list(old_costs(app)) == [kind]
    assert Visitor(app).log_in(NIP_OF_SARI, "Salah-Sekali-1").status_code == 422
    assert Visitor(app).log_in(NIP_OF_BUDI, PASSWORD).status_code == 422
    sari = Visitor(app)
    sari.log_in(NIP_OF_SARI, PASSWORD)
    assert sari.is_logged_in()
    replaced = person(app, NIP_OF_SARI).password_hash
    assert replaced is not None
    assert replaced.startswith("$argon2id$")
    assert old_costs(app) == {}, "nobody pays any more"
    assert Visitor(app).log_in(NIP_OF_SARI, PASSWORD).status_code == 303
    assert imported(app, file).stdout == "Baru 0, berubah 0, tetap 2, ditolak 0.\n"


@pytest.mark.usefixtures("instansi_known")
def test_everybody_pays_for_the_dearest_of_each_kind(app: Flask, rows: Rows) -> None:
    cheap, dear = (bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(cost)).decode() for cost in (4, 6))
    django = "pbkdf2_sha256$1000$salt$" + "A" * 43 + "="

    imported(
        app, rows(f"{SARI},{cheap}", f"{BUDI},{dear}", f"{CINTA},{django}", header=f"{HEADER},password_hash")
    )

    assert old_costs(app) == {"bcrypt": 6, "pbkdf2_sha256": 1000}


@pytest.mark.usefixtures("instansi_known")
def test_a_reset_replaces_an_old_hash_too(app: Flask, rows: Rows) -> None:
    imported(app, rows(f"{SARI},{old_hashes(PASSWORD)['bcrypt']}", header=f"{HEADER},password_hash"))

    with app.app_context(), unit_of_work() as session:
        sari = User.with_nip(session, Nip(NIP_OF_SARI))
        assert sari is not None
        sari.set_password(passwords.hashed("Kuda-Laut7"), now())

    assert old_costs(app) == {}
    assert Visitor(app).log_in(NIP_OF_SARI, "Kuda-Laut7").status_code == 303


@pytest.mark.usefixtures("instansi_known")
def test_a_dry_run_hashes_nothing_and_says_the_same(
    app: Flask, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_password: str) -> str:
        raise AssertionError

    monkeypatch.setattr(passwords, "hashed", never)
    file = rows(f"{SARI},{old_hashes(PASSWORD)['bcrypt']}", header=f"{HEADER},password_hash")

    assert "Baru 1, berubah 0, tetap 0, ditolak 0." in imported(app, file, "--dry-run").stdout


@pytest.mark.usefixtures("instansi_known")
def test_a_hash_for_which_everybody_would_wait_is_refused_at_its_line(app: Flask, rows: Rows) -> None:
    dear = "$2b$13$" + "a" * 21 + "." + "a" * 31

    result = imported(app, rows(BUDI + ",", f"{SARI},{dear}", header=f"{HEADER},password_hash"))

    assert "baris 3, kolom password_hash: Hash password ini terlalu berat" in result.stderr
    assert dear not in result.stderr
    assert result.stdout == "Baru 1, berubah 0, tetap 0, ditolak 1.\n"


@pytest.mark.usefixtures("instansi_known")
def test_a_hash_never_replaces_a_password_that_is_set(app: Flask, rows: Rows) -> None:
    header = f"{HEADER},password_hash"
    imported(app, rows(SARI, BUDI))
    change(app, NIP_OF_SARI, password_hash=passwords.hashed(PASSWORD))
    own = person(app, NIP_OF_SARI).password_hash
    other = passwords.hashed("Milik-Orang-Lain-1")

    result = imported(app, rows(f'{SARI},"{other}"', f'{BUDI},"{other}"', header=header))

    assert result.stdout == "Baru 0, berubah 1, tetap 1, ditolak 0.\n"
    assert person(app, NIP_OF_SARI).password_hash == own
    assert person(app, NIP_OF_BUDI).password_hash == other
    tag, facts = trail_of(app, NIP_OF_BUDI)[-1]
    assert (tag, set(facts)) == ("imported_change", {"columns", "reason"}), "never a hash"
    assert letters(app) == [(Letter.PASSWORD_CHANGED, "budi@nusajaya.example")]


@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize(
    "foreign",
    [
        "$2b$12$" + "a" * 53,
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$argon2id$v=19$m=65536,t=3,p=4$" + "A" * 22 + "$" + "B" * 43,
        "$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 22,
    ],
)
def test_a_hash_that_the_portal_cannot_verify_is_refused(app: Flask, rows: Rows, foreign: str) -> None:
    result = imported(app, rows(f'{SARI},"{foreign}"', header=f"{HEADER},password_hash"))

    assert result.exit_code == 1
    assert "baris 2, kolom password_hash: Hash password ini tidak dapat dipakai portal" in result.stderr
    assert foreign not in result.stderr


# -- files as programs write them
@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{SARI}\n{BUDI}\n".encode(),
        f"{HEADER}\r\n{SARI}\r\n{BUDI}\r\n".encode("utf-8-sig"),
        f"{HEADER}\n{SARI}\n{BUDI}".replace(",", ";").encode("utf-8-sig"),
        f"\n\n{HEADER},,\n{SARI},,\n,,,,,,,\n\n{BUDI},,\n".encode(),
        f"NIP;NAMA;Email;Kategori;Kode Instansi;Unit Kerja\n{SARI}\n{BUDI}".replace(",", ";").encode(),
        "\n".join('"' + line.replace(",", '", "') + '"' for line in (HEADER, SARI, BUDI)).encode(),
        f"{HEADER}\r{SARI}\r{BUDI}\r".encode(),
    ],
    ids=["plain", "excel", "semicolons", "empty rows and cells", "other spelling", "all quoted", "old mac"],
)
def test_a_csv_is_read_from_whatever_program_wrote_it(app: Flask, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "pegawai.txt"
    file.write_bytes(content)

    result = imported(app, file)

    assert result.stdout == "Baru 2, berubah 0, tetap 0, ditolak 0.\n", result.stderr
    assert person(app, NIP_OF_BUDI).work_unit == "Dinas Pendidikan"


@pytest.mark.usefixtures("instansi_known")
def test_a_quote_that_is_never_closed_costs_one_row(app: Flask, rows: Rows) -> None:
    people = [f"{198001012005011001 + number},Pegawai {number},,PNS,3402,Biro" for number in range(400)]
    people[100] = people[100].replace("Pegawai", '"Pegawai')

    result = imported(app, rows(*people))

    assert result.stdout == "Baru 399, berubah 0, tetap 0, ditolak 1.\n"
    assert result.stderr.startswith("baris 102: Tanda kutip")


@pytest.mark.usefixtures("instansi_known")
def test_lines_are_counted_as_an_editor_counts_them(app: Flask, rows: Rows) -> None:
    result = imported(app, rows(SARI.replace("Dinas Kesehatan", '"Dinas\nKesehatan"'), "", "x,,,,,"))

    assert "baris 2, kolom unit_kerja: Sel ini berisi baris baru." in result.stderr
    assert "baris 5, kolom nip: " in result.stderr


@pytest.mark.usefixtures("instansi_known")
def test_a_spreadsheet_is_read_by_its_content(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "pegawai.csv"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(1, 0, [*HEADER.split(","), "telepon"])
        sheet.write_row(2, 0, SARI.split(","))
        sheet.write_number(2, 4, 7301)
        sheet.write_number(2, 6, 6281234567890)
        sheet.write_row(4, 0, BUDI.split(","))
        book.add_worksheet().write(0, 0, "catatan lain")

    result = imported(app, file)

    assert result.stdout == "Baru 2, berubah 0, tetap 0, ditolak 0.\n", result.stderr
    sari = person(app, NIP_OF_SARI)
    assert (sari.instansi.code, sari.phone) == ("7301", "6281234567890")


@pytest.mark.usefixtures("instansi_known")
def test_a_nip_in_a_number_cell_is_refused_because_it_is_already_another_one(
    app: Flask, tmp_path: Path
) -> None:
    file = tmp_path / "pegawai.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER.split(","))
        sheet.write_row(1, 0, SARI.split(","))
        sheet.write_number(1, 0, int(NIP_OF_SARI))
        sheet.write_row(2, 0, BUDI.split(","))

    result = imported(app, file)

    assert (result.exit_code, result.stdout) == (1, "Baru 1, berubah 0, tetap 0, ditolak 1.\n")
    assert "baris 2, kolom nip: NIP tersimpan sebagai angka" in result.stderr


@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "File ini kosong."),
        (b"\xef\xbb\xbf\n\n", "tidak berisi apa-apa"),
        (f"{HEADER}\n{SARI}\n".encode("utf-16"), "UTF-16"),
        (f"{HEADER}\n{SARI}\n".encode() + b"x,Andr\xe9,,,,\n", "bukan UTF-8 (mulai baris 3)"),
        (f"{HEADER}\n{SARI}\n{BUDI}\n".encode() + b"a\0b\n", "Baris 4 berisi karakter kosong (NUL)."),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "bukan tabel"),
        (bytes(range(256)) * 20, "bukan tabel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "Excel lama (.xls) atau dikunci password"),
        (b"PK\x03\x04" + b"\0" * 100, "rusak"),
        (b"n" * 20_000, "Baris judul lebih panjang"),
        (f"{HEADER},role\n{SARI},admin\n".encode(), 'Kolom "role" tidak boleh ada'),
        (b"nip,nama\n1,2\n", "Kolom email, kategori, kode_instansi, unit_kerja tidak ada."),
    ],
    ids=[
        "empty",
        "no lines",
        "utf-16",
        "latin-1",
        "nul",
        "png",
        "binary",
        "xls",
        "zip",
        "endless",
        "role",
        "missing",
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(
    app: Flask, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "pegawai.csv"
    file.write_bytes(content)
    before = everything(app)

    result = imported(app, file)

    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert str(file) in result.stderr
    assert everything(app) == before
    assert not (tmp_path / "pegawai.csv.ditolak.csv").exists()


@pytest.mark.usefixtures("instansi_known")
def test_what_is_no_file_is_named_as_such(app: Flask, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    missing, folder = imported(app, tmp_path / "tidak-ada.csv"), imported(app, tmp_path)
    pipe = imported(app, tmp_path / "pipe")

    assert (missing.exit_code, folder.exit_code, pipe.exit_code) == (1, 1, 1)
    assert "File tidak ditemukan." in missing.stderr
    assert "Ini folder" in folder.stderr
    assert "bukan file biasa" in pipe.stderr


@pytest.mark.usefixtures("instansi_known")
def test_a_stray_cell_at_the_far_end_of_a_sheet_does_not_take_all_memory(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "pegawai.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER.split(","))
        sheet.write_string(1_048_575, 16_383, "x")

    result = imported(app, file)

    assert result.exit_code == 1
    assert "ada sel terisi yang jauh dari tabel" in result.stderr


# -- interruptions and races
@pytest.mark.usefixtures("instansi_known")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_imported_before_a_signal_stays_and_the_next_run_goes_on(
    app: Flask, rows: Rows, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = rows(SARI, BUDI, CINTA, HADI)
    moments = iter([now(), now()])
    monkeypatch.setattr(imports, "ROWS_A_BATCH", 1)
    monkeypatch.setattr("app.cli.acts.now", lambda: _next_or_signal(moments, number))
    stopped = imported(app, file)
    monkeypatch.undo()

    continued = imported(app, file)

    assert (stopped.exit_code, stopped.stdout) == (130, "Baru 2, berubah 0, tetap 0, ditolak 0.\n")
    assert "jalankan perintah yang sama sekali lagi" in stopped.stderr
    assert continued.stdout == "Baru 2, berubah 0, tetap 2, ditolak 0.\n"


# SQLite has only one writer at a time, so nobody is faster than a batch that has begun.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("instansi_known")
def test_an_address_taken_by_somebody_faster_costs_one_row(app: Flask, rows: Rows, database_url: str) -> None:
    imported(app, rows(CINTA))
    engine = create_engine(database_url)
    with engine.begin() as faster:
        faster.execute(
            text(
                "UPDATE user_account SET email = 'budi@nusajaya.example', email_key = 'budi@nusajaya.example'"
            )
        )
        results: list[Result] = []
        thread = Thread(target=lambda: results.append(imported(app, rows(SARI, BUDI, HADI))))
        thread.start()
        while not _somebody_waits(engine):
            sleep(0.02)
    thread.join(timeout=30)
    engine.dispose()

    assert results[0].stdout == "Baru 2, berubah 0, tetap 0, ditolak 1.\n"
    assert "baris 3, kolom email: Alamat email ini sudah terdaftar untuk pegawai lain." in results[0].stderr


def _next_or_signal(moments: Iterator[datetime], number: signal.Signals) -> datetime:
    for moment in moments:
        return moment
    os.kill(os.getpid(), number)
    raise AssertionError("the signal was not heard")


def _somebody_waits(engine: Engine) -> bool:
    with engine.connect() as look:
        return bool(look.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
