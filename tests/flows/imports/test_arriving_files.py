"""Files as they really arrive, by the command and by the page. What is certain is read, the rest is refused
cell by cell."""

import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.models import Instansi, User
from app.models.import_batch import ImportRefusal
from app.runtime.db import reading, unit_of_work
from tests.cast import WATI
from tests.flows.imports.importing import batch_of, checked, imported
from tests.flows.imports.test_import import imported as by_command
from tests.visitor import Visitor, logged_in

CASES = Path(__file__).parents[2] / "spreadsheet_cases"
# The line number in b1.csv, its column, and words of the sentence about the fault. Every other line is a new
# person.
FAULTS_OF_B1 = {
    9: ("email", "tanpa nama"),
    10: ("email", "hanya berisi tanda"),
    11: ("email", "diakhiri tanda titik"),
    16: ("nama", "tidak terlihat"),  # the invisible character that also joins several emojis to one
    17: ("email", "koma sesudah"),
}


def people(app: Flask) -> dict[str, tuple[str, str | None, str, str, str]]:
    with app.app_context(), reading() as session:
        return {
            user.nip: (user.name, user.email, user.category.value, user.instansi.code, user.work_unit)
            for user in session.scalars(select(User))
        }


@pytest.fixture
def nusa_jaya(app: Flask) -> Flask:
    with app.app_context(), unit_of_work() as session:
        session.add(Instansi(code="7301", name="Kabupaten Nusa Jaya", helpdesk_contact="BKPSDM loket 3"))
    return app


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CASES, tmp_path / "cases"))


def test_a_rounded_nip_makes_no_ghost_and_the_true_one_is_new(nusa_jaya: Flask, case: Path) -> None:
    rounded = by_command(nusa_jaya, case / "a1.csv")
    assert rounded.exit_code == 1
    assert "Baru 0, berubah 0, tetap 0, ditolak 2." in rounded.stdout
    for line in (2, 3):
        assert (
            f"baris {line}, kolom nip: NIP ini berakhir dengan 000: Excel telah membulatkannya."
            in rounded.stderr
        )
    assert "format kolom NIP menjadi Teks" in rounded.stderr
    assert people(nusa_jaya) == {}

    assert by_command(nusa_jaya, case / "a2.csv").stdout == "Baru 2, berubah 0, tetap 0, ditolak 0.\n"


def test_of_an_export_what_is_certain_is_read_and_each_fault_named(nusa_jaya: Flask, case: Path) -> None:
    told = by_command(nusa_jaya, case / "b1.csv")

    assert "Baru 12, berubah 0, tetap 0, ditolak 5." in told.stdout
    faults = [line for line in told.stderr.splitlines() if line.startswith("baris ")]
    assert len(faults) == 5
    for (line, (column, said)), fault in zip(FAULTS_OF_B1.items(), faults, strict=True):
        assert fault.startswith(f"baris {line}, kolom {column}: ")
        assert said in fault
    there = people(nusa_jaya)
    assert [there[f"19860926201505100{number}"][0] for number in range(1, 5)] == [
        "Apostrof Satu", "Rumus Dua", "Rumus Tiga", "Tik Empat",
    ]  # fmt: skip
    assert there["198609262015051005"][2] == there["198609262015051006"][2] == "PPPK"
    assert there["198609262015051007"][1] == "a7@nusajaya.example"
    assert there["198609262015051012"][0::4] == ("Dr. H. Sjafri, S.Pd., M.M.", 'Dinas "A"')
    assert there["198609262015051013"][0] == "Ma'ruf Nur’aini"
    assert there["198609262015051017"] == ("X", "a17@nusajaya.example", "PNS", "7301", "Dinas")


@pytest.mark.parametrize(
    ("name", "nip"),
    [("e1", "198609262015054001"), ("e2", "198609262015054002"), ("e3", "198609262015054003")],
)
def test_a_file_of_another_locale_is_read_on_both_ways(
    nusa_jaya: Flask, case: Path, name: str, nip: str
) -> None:
    assert by_command(nusa_jaya, case / f"{name}.csv").stdout == "Baru 1, berubah 0, tetap 0, ditolak 0.\n"
    assert people(nusa_jaya)[nip] == ("Siti", f"{name}@nusajaya.example", "PNS", "7301", "Dinas")


def test_a_code_without_its_zeros_makes_no_second_instansi(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "instansi.csv"

    def told(*lines: str) -> str:
        file.write_text("\n".join(("kode,nama,kontak", *lines, "")), encoding="utf-8")
        result = by_command(app, file, command="import-instansi")
        return result.stdout.splitlines()[-1] + result.stderr

    assert told("0012,Nusa Jaya,loket 3", "7301,Contoh,loket 1").startswith("Baru 2")
    again = told(
        "12,Nusa Jaya,loket 3",
        "0012,Nusa Jaya,loket 3",
        "013,Lain,loket 2",
        "13,Lain,loket 2",
        "120,Lain,loket 2",
    )
    assert again.startswith("Baru 2, berubah 0, tetap 1, ditolak 2.")
    assert all(
        f"baris {line}, kolom kode: Kode ini hanya berbeda angka 0 di depannya" in again for line in (2, 5)
    )

    staff = tmp_path / "pegawai.csv"
    staff.write_bytes((CASES / "a2.csv").read_bytes().replace(b"7301", b"12", 1).replace(b"7301", b"99", 1))
    said = by_command(app, staff, "--dry-run").stderr
    assert (
        "baris 2, kolom kode_instansi: Kode instansi ini hanya berbeda angka 0 di depannya dari kode yang "
        "terdaftar" in said
    )
    assert "baris 3, kolom kode_instansi: Kode instansi ini tidak dikenal." in said


# -- the page
@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a1", {"refused": 2}), ("a2", {"new": 2}), ("b1", {"new": 12, "refused": 5}), ("e1", {"new": 1}),
        ("e2", {"new": 1}),
        ("e3", {"new": 1}),
    ],
)  # fmt: skip
def test_the_dry_run_of_the_page_says_the_same(
    peopled: Flask, wati: Visitor, name: str, found: dict[str, int]
) -> None:
    page = checked(peopled, wati, (CASES / f"{name}.csv").read_bytes(), f"{name}.csv")

    assert batch_of(peopled, page).dry_run == found
    with peopled.app_context(), reading() as session:
        refused = {one.line: one.sentences for one in session.scalars(select(ImportRefusal))}
    if name == "b1":
        assert refused.keys() == FAULTS_OF_B1.keys()
        for line, (column, said) in FAULTS_OF_B1.items():
            assert refused[line].startswith(f"kolom {column}: ")
            assert said in refused[line]


def test_refused_rows_of_a_file_with_tabs_have_tabs_and_are_taken_again(
    peopled: Flask, wati: Visitor
) -> None:
    file = (CASES / "e3.csv").read_bytes().replace(b"198609262015054003", b"198609262015054000")
    page = checked(peopled, wati, file)
    assert batch_of(peopled, page).delimiter == "\t"

    answer = wati.open(f"{page}/ditolak.csv").data

    assert answer.decode("utf-8-sig").splitlines()[0].startswith("nip\tnama\temail")
    again = imported(peopled, wati, answer.replace(b"198609262015054000", b"198609262015054003"))
    assert batch_of(peopled, again).result == {"new": 1}


def test_refused_rows_that_nobody_corrected_are_refused_again(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, (CASES / "a1.csv").read_bytes())

    for kind in ("xlsx", "csv"):
        again = checked(peopled, wati, wati.open(f"{page}/ditolak.{kind}").data)
        assert batch_of(peopled, again).dry_run == {"refused": 2}
