"""A list of NIPs is read as offices have it, and nobody on it is lost without a word."""

import re

import pytest

from app.domain import nip_list
from app.domain.nip import BETWEEN_DIGITS
from app.domain.nip_list import Line, NipList, read_nip_list

ONE, TWO, THREE = "198609262015051001", "199001012020121002", "197504092000031003"
SIGNER = "196501011990031009"


def read(text: str, delimiter: str = "\t") -> NipList:
    lines = [
        Line(number, line.split(delimiter)) for number, line in enumerate(text.split("\n"), 1) if line.strip()
    ]
    return read_nip_list(lines)


def nips_of(found: NipList) -> list[str]:
    return [nip.digits for nip in found.nips]


def faults_of(found: NipList) -> list[tuple[int, str]]:
    return [(fault.number, fault.sentence) for fault in found.faults]


@pytest.mark.parametrize(
    "spelled",
    [
        f"{ONE}\n{TWO}\n{THREE}",
        f"{ONE} {TWO} {THREE}",
        f"{ONE}, {TWO}; {THREE}",
        "19860926 201505 1 001\n19900101 202012 1 002\n19750409 200003 1 003",
        "19860926.201505.1.001 19900101-202012-1-002\n19750409\u00a0200003\u00a01\u00a0003",
        f"NIP\n{ONE}\n\n{TWO}\n{THREE}\n",
        f"Daftar pegawai\n{ONE}\n{TWO}\n{THREE}",
        f"'{ONE}\nNIP. {TWO}\nNIP: {THREE}",
        f"1. {ONE} Budi\n2. {TWO} Siti\n3. {THREE} Ani",
        f"1\tBudi\t{ONE}\t081234567890\n2\tSiti\t{TWO}\t3201234567890123\n3\tAni\t{THREE}\t131234567",
        f'="{ONE}"\n="{TWO}"\n="{THREE}"',
        "198609 262015 051001\n199001 012020 121002\n197504 092000 031003",
    ],
)
def test_nips_are_found_however_they_stand_there(spelled: str) -> None:
    found = read(spelled)

    assert nips_of(found) == [ONE, TWO, THREE]
    assert found.faults == []


def test_the_attachment_of_a_letter_is_read_by_its_heading() -> None:
    """With a title, a row that numbers the columns, old NIPs beside the new ones, and the signature below."""
    found = read(
        "LAMPIRAN KEPUTUSAN BUPATI\n"
        "NOMOR 813/1204/BKPSDM/2026\n"
        "No\tNama\tNIP Lama\tNIP (18 angka)\tNIP Atasan\n"
        "1\t2\t3\t4\t5\n"
        f"1\tBudi\t131234567\t{ONE}\t{SIGNER}\n"
        f"2\tSiti\t131234568\t{TWO}\t{SIGNER}\n"
        f"\tKepala BKPSDM, NIP {SIGNER}\t\t\t"
    )

    assert nips_of(found) == [ONE, TWO]
    assert faults_of(found) == [(7, "Kolom NIP pada baris ini kosong. Isi NIP-nya, atau hapus baris ini.")]
    assert found.faults[0].shown.startswith("Kepala BKPSDM")


def test_the_new_nip_counts_where_both_have_a_column() -> None:
    assert nips_of(read(f"NIP\tNIP Baru\n{SIGNER}\t{ONE}")) == [ONE]


def test_somebody_who_stands_there_twice_is_one_person() -> None:
    found = read(f"{ONE}\n{TWO}\n19860926 201505 1 001\n{ONE}")

    assert nips_of(found) == [ONE, TWO]
    assert found.repeated == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("131234567", "Ini tampaknya NIP lama (9 angka)."),
        ("4. 131234567", "Ini tampaknya NIP lama (9 angka)."),
        ("3201234567890123", "Ini tampaknya NIK (16 angka pada KTP)."),
        ("7 19860926201505100 Siti", "Baru 17 angka yang terisi."),
        (ONE + TWO, "Terisi 36 angka"),
        ("198609262015051000", "NIP ini berakhir dengan 000"),
        ("1,98609E+17", "NIP tersimpan sebagai angka"),
        ("1.98609262015051E+17", "NIP tersimpan sebagai angka"),
        (f"{ONE}.00", "NIP tersimpan sebagai angka"),
        ("198.609.262.015.051.001", "NIP ini ditulis dengan pemisah ribuan"),
        ("=A1", "rumus"),
        ("١٩٨٦٠٩٢٦٢٠١٥٠٥١٠٠١", "Baris ini tidak berisi NIP."),
        ("Siti Aminah", "Baris ini tidak berisi NIP."),
    ],
)
def test_a_line_that_is_no_nip_is_named_with_what_to_do(line: str, told: str) -> None:
    found = read(f"{TWO}\n{line}\n{THREE}")

    assert nips_of(found) == [TWO, THREE]
    [(number, sentence)] = faults_of(found)
    assert number == 2
    assert told in sentence


def test_a_mistyped_nip_beside_a_good_one_is_not_overlooked() -> None:
    found = read(f"{ONE}, 19900101202012100", ",")

    assert nips_of(found) == [ONE]
    assert faults_of(found) == [
        (1, 'Pada baris ini ada juga "19900101202012100": 17 angka, padahal NIP terdiri dari 18 angka. '
            "Periksa lagi.")
    ]  # fmt: skip


def test_nips_that_a_program_has_rounded_give_the_list_away() -> None:
    rounded = [f"{float(f'19860926201505{number}'):.0f}" for number in range(1001, 1009)]

    found = read("\n".join(rounded))

    assert found.nips == []
    assert len(found.faults) == len(rounded)
    assert all("dibulatkan" in sentence or "000" in sentence for _, sentence in faults_of(found))


def test_nothing_gives_nothing() -> None:
    assert read("") == NipList([])
    assert nips_of(read("NIP")) == []


def test_the_list_alone_can_be_put_right_in_a_box() -> None:
    text = f"Judul\nNama\tNIP\nBudi\t{ONE}\nSiti\t131234567\nAni\t{THREE}"

    box = read(text).text

    assert box == f"\n\n{ONE}\n131234567\n{THREE}"
    assert nips_of(read(box)) == [ONE, THREE]
    assert [fault.number for fault in read(box).faults] == [4]
    assert [fault.shown for fault in read("\n\nSiti Aminah\n" + ONE).faults] == ["Siti Aminah"]


@pytest.mark.parametrize("column", ["", "131234567", "-"])
def test_the_nip_of_somebody_else_in_a_bad_line_is_never_taken(column: str) -> None:
    """A superior's in another column, or that of whoever has signed, also when the list is sent once more."""
    found = read(f"NIP\tNama\tNIP Atasan\n{ONE}\tBudi\t{SIGNER}\n{column}\tKepala, NIP\t{SIGNER}")

    assert nips_of(found) == [ONE]
    assert len(found.faults) == 1
    for delimiter in ("\t", ","):
        again = read(found.text, delimiter)
        assert nips_of(again) == [ONE]
        assert [fault.number for fault in again.faults] == [3]


def test_a_number_below_the_heading_is_a_line_like_any_other() -> None:
    """The result of a formula, for example."""
    assert [fault.number for fault in read(f"NIP\n0\n{ONE}").faults] == [2]
    assert [fault.number for fault in read(f"No\tNIP\n1\t\n2\t{ONE}").faults] == [2]


def test_a_heading_below_a_nip_is_no_heading() -> None:
    assert nips_of(read(f"{ONE}\nNIP\n{TWO}")) == [ONE, TWO]


def test_a_long_line_is_cut_where_it_is_shown() -> None:
    [fault] = read("x" * 500).faults

    assert len(fault.shown) < 50


def test_between_the_groups_of_a_nip_stands_all_that_stands_there_in_a_field_but_no_tab_or_line_break() -> (
    None
):
    in_a_field = {chr(code) for code in range(0x10000) if re.fullmatch(BETWEEN_DIGITS, chr(code))}
    on_a_line = {chr(code) for code in range(0x10000) if re.fullmatch(nip_list._ON_A_LINE, chr(code))}

    assert on_a_line == in_a_field - set("\t\r\n")
