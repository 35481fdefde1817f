"""What the rows of a file must contain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.categories import Category
from app.domain.contact import Contact
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import Zone
from app.domain.nip import Nip
from app.domain.staff_file import (
    COMMAND_LINE_STAFF_COLUMNS,
    INSTANSI_COLUMNS,
    NIP_AS_NUMBER,
    STAFF_COLUMNS,
    HeaderFaults,
    InstansiRow,
    RowFaults,
    StaffRow,
    guarded,
    read_header,
    read_instansi_row,
    read_staff_row,
    unguarded,
)

SARI = {
    "nip": "19850312 201001 2 001",
    "nama": "Sari Wulandari",
    "email": "sari@nusajaya.example",
    "kategori": "PNS",
    "kode_instansi": "7301",
    "unit_kerja": "Dinas Kesehatan",
}
HEADER = list(SARI)
A_HASH = "$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "B" * 43


def fault_of(**cells: str) -> tuple[str | None, str]:
    """Column and sentence of the one fault that Sari's row has with these cells."""
    row = read_staff_row({**SARI, **cells})
    assert isinstance(row, RowFaults)
    (fault,) = row.faults
    return fault.column, fault.sentence


def test_a_row_of_the_six_columns_tells_of_one_person() -> None:
    row = read_staff_row(SARI)

    assert row == StaffRow(
        nip=Nip("198503122010012001"),
        name="Sari Wulandari",
        email=EmailAddress("sari@nusajaya.example"),
        category=Category.PNS,
        instansi_code="7301",
        work_unit="Dinas Kesehatan",
        phone=None,
        password_hash=None,
    )


def test_what_a_file_leaves_empty_it_says_nothing_about() -> None:
    row = read_staff_row({**SARI, "email": "  ", "telepon": "", "password_hash": " "})

    assert isinstance(row, StaffRow)
    assert (row.email, row.phone, row.password_hash) == (None, None, None)


@pytest.mark.parametrize(
    ("spelling", "category"),
    [
        ("pns", Category.PNS),
        (" PPPK ", Category.PPPK),
        ("C.P.N.S", Category.CPNS),
        ("PPT Non ASN", Category.PPT_NON_ASN),
        ("ppt_non_asn", Category.PPT_NON_ASN),
        ("PPT-NON-ASN", Category.PPT_NON_ASN),
    ],
)
def test_a_category_is_known_in_any_spelling(spelling: str, category: Category) -> None:
    row = read_staff_row({**SARI, "kategori": spelling})

    assert isinstance(row, StaffRow)
    assert row.category is category


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("nip", "", "Isi NIP"),
        ("nip", "3174031203850001", "NIK"),
        ("nip", "130123456", "NIP lama"),
        ("nip", "19850312201001200", "Baru 17 angka"),
        ("nip", "19850312201001200l", "hanya berisi angka"),
        ("nip", "1.98503122010012E+17", "format kolom NIP menjadi Teks"),
        ("nip", "1,98503E+17", "format kolom NIP menjadi Teks"),
        ("nama", "", "Isi nama lengkap pegawai"),
        ("nama", "\u00a0 ", "Isi nama lengkap pegawai"),
        ("nama", "S" * 201, "201 karakter"),
        ("nama", "Sari\x00", "tidak terlihat"),
        ("nama", "Sari\u202enadnaluW", "tidak terlihat"),
        ("nama", "Sari\nWulandari", "satu baris"),
        ("email", "sari.nusajaya.example", "tanda @"),
        ("email", "sari@nusajaya.example;s@x.example", "satu alamat email"),
        ("email", "sari@nusajaya.example\nBcc: x@x.example", "satu"),
        ("kategori", "", "Isi kategori"),
        ("kategori", "Honorer", "PNS, PPPK, CPNS, PPT Non ASN"),
        ("kode_instansi", "", "Isi kode instansi"),
        ("kode_instansi", "7" * 21, "paling banyak 20 karakter"),
        ("unit_kerja", "", "Isi nama unit kerja"),
        ("unit_kerja", "U" * 201, "paling banyak 200 karakter"),
        ("telepon", "lihat WA", "dengan angka saja"),
        ("telepon", "0" * 31, "terlalu panjang"),
        ("password_hash", "rahasia", "tidak dapat dipakai"),
        ("password_hash", A_HASH[:53], "tidak dapat dipakai"),
        ("password_hash", A_HASH + "B" * 200, "tidak dapat dipakai"),
    ],
)
def test_a_wrong_cell_is_named_with_what_to_do(column: str, cell: str, said: str) -> None:
    at, sentence = fault_of(**{column: cell})

    assert at == column
    assert said in sentence
    assert " Anda" not in sentence, "the reader prepares a file about others"


def test_all_faults_of_a_row_are_told_at_once() -> None:
    row = read_staff_row(dict.fromkeys(SARI, ""))

    assert isinstance(row, RowFaults)
    assert [fault.column for fault in row.faults] == [
        "nip",
        "nama",
        "kategori",
        "kode_instansi",
        "unit_kerja",
    ]


def test_no_sentence_repeats_what_a_cell_holds() -> None:
    row = read_staff_row(dict.fromkeys(SARI, "\x1b[31mrahasia\n"))

    assert isinstance(row, RowFaults)
    assert not any("rahasia" in fault.sentence or "\x1b" in fault.sentence for fault in row.faults)


@given(st.dictionaries(st.sampled_from([*HEADER, "telepon", "password_hash"]), st.text(max_size=300)))
def test_any_row_is_a_person_that_fits_the_table_or_faults(cells: dict[str, str]) -> None:
    row = read_staff_row({**SARI, **cells})

    if isinstance(row, RowFaults):
        assert row.faults
    else:
        assert len(row.nip.digits) == 18
        assert 0 < len(row.name) <= 200
        assert 0 < len(row.work_unit) <= 200
        assert 0 < len(row.instansi_code) <= 20
        assert row.name.isprintable()
        assert row.work_unit.isprintable()
        assert len(row.phone or "") <= 30
        assert len(row.password_hash or "") <= 200


@given(st.text(alphabet="Sari Wé\u0301\u00a0\t", min_size=1, max_size=40))
def test_text_that_was_read_once_reads_the_same_again(typed: str) -> None:
    """Otherwise the same file would change something at every import."""
    first = read_staff_row({**SARI, "nama": f"S{typed}"})

    if isinstance(first, StaffRow):
        assert read_staff_row({**SARI, "nama": first.name}) == first


@pytest.mark.parametrize("cell", ["=1+1", "+62812", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_formula_is_guarded_in_a_report_and_comes_back_as_it_was(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["", "Sari", "'", "'Aisyah", "O'Brien"])
def test_other_cells_are_left_alone(cell: str) -> None:
    assert guarded(cell) == unguarded(cell) == cell


@pytest.mark.parametrize(
    "cells",
    [
        HEADER,
        [name.upper() for name in HEADER],
        [" NIP ", "Nama", "E\u006dail", "kategori", "Kode Instansi", "unit-kerja", "", ""],
        ["\ufeffnip", *HEADER[1:]],
    ],
)
def test_a_header_is_known_in_any_spelling(cells: list[str]) -> None:
    assert read_header(cells, STAFF_COLUMNS) == tuple(HEADER)


def test_columns_may_stand_in_any_order() -> None:
    cells = ["telepon", *reversed(HEADER)]

    assert read_header(cells, STAFF_COLUMNS) == tuple(cells)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["nip", "nama"], "Kolom email, kategori, kode_instansi, unit_kerja tidak ada."),
        ([*HEADER, "NIP"], 'Kolom "nip" ada lebih dari satu kali.'),
        (
            [*HEADER, "Role"],
            'Kolom "role" tidak boleh ada: hak, status, dan akses akun tidak diatur lewat file.',
        ),
        ([*HEADER, "status"], 'Kolom "status" tidak boleh ada'),
        ([*HEADER, "instansi_id"], 'Kolom "instansi_id" tidak boleh ada'),
        ([*HEADER, "credential_version"], 'Kolom "credential_version" tidak boleh ada'),
        ([*HEADER, "golongan"], 'Kolom "golongan" tidak dikenal.'),
        ([*HEADER, "", "telepon"], "Kolom ke-7 tidak berjudul."),
        ([], "Kolom nip, nama, email, kategori, kode_instansi, unit_kerja tidak ada."),
    ],
)
def test_a_wrong_header_is_named_with_what_to_do(cells: list[str], said: str) -> None:
    faults = read_header(cells, STAFF_COLUMNS)

    assert isinstance(faults, HeaderFaults)
    assert any(said in sentence for sentence in faults.sentences)


def test_hashes_come_from_the_command_line_only() -> None:
    cells = [*HEADER, "password_hash"]

    assert isinstance(read_header(cells, STAFF_COLUMNS), HeaderFaults)
    assert read_header(cells, COMMAND_LINE_STAFF_COLUMNS) == tuple(cells)


def test_a_columns_name_cannot_steer_a_terminal() -> None:
    faults = read_header([*HEADER, "\x1b[31m" + "x" * 500], STAFF_COLUMNS)

    assert isinstance(faults, HeaderFaults)
    assert all(sentence.isprintable() and len(sentence) < 300 for sentence in faults.sentences)


def test_an_instansi_has_code_name_and_contact() -> None:
    row = read_instansi_row({"kode": " 7301 ", "nama": "Kabupaten  Nusa Jaya", "kontak": "BKPSDM, loket 3"})

    assert row == InstansiRow("7301", "Kabupaten Nusa Jaya", Contact(words="BKPSDM, loket 3"), None)
    assert read_header(["Kode", "Nama", "Kontak"], INSTANSI_COLUMNS) == ("kode", "nama", "kontak")


def test_an_instansi_has_a_column_for_each_way_to_reach_it() -> None:
    cells = {
        "kode": "7301", "nama": "Kabupaten Nusa Jaya", "kontak": "", "telepon": "(0411) 555-017 ext. 12",
        "whatsapp": "81234567890", "email": "helpdesk@nusajaya.example", "loket": "BKPSDM, loket 3",
        "jam_layanan": "Senin-Jumat 08.00-15.00", "zona": "wita",
    }  # fmt: skip

    row = read_instansi_row(cells)

    assert row == InstansiRow(
        "7301",
        "Kabupaten Nusa Jaya",
        Contact(
            phone="(0411) 555-017 ext. 12", whatsapp="081234567890", email="helpdesk@nusajaya.example",
            place="BKPSDM, loket 3", hours="Senin-Jumat 08.00-15.00",
        ),
        Zone.WITA,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("telepon", "555017", "Awali nomor ini dengan kode wilayah atau 08"),
        ("telepon", "loket 3", "Tulis satu nomor dengan angka"),
        ("telepon", "0411-555017 / 0411-555018", "Tulis satu nomor dengan angka"),
        ("whatsapp", "1500123", "Isi nomor WhatsApp yang lengkap"),
        ("email", "helpdesk", "Alamat email perlu tanda @"),
        ("loket", "x" * 201, "paling banyak 200 karakter"),
        ("jam_layanan", "NULL", "tanda kosong dari program lain"),
        ("loket", "loket\u200b3", "karakter yang tidak terlihat"),
        ("zona", "GMT+8", "Isi WIB, WITA, atau WIT"),
    ],
)
def test_a_wrong_way_to_reach_an_instansi_is_named(column: str, cell: str, said: str) -> None:
    row = read_instansi_row({"kode": "7301", "nama": "Nusa Jaya", "kontak": "BKPSDM", column: cell})

    assert isinstance(row, RowFaults)
    assert [(fault.column, said in fault.sentence) for fault in row.faults] == [(column, True)], row


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("kode", "", "Isi kode instansi"),
        ("kode", "7" * 21, "paling banyak 20 karakter"),
        ("nama", "", "Isi nama instansi"),
        ("kontak", "", "Isi kontak bantuan"),
        ("kontak", "k" * 301, "paling banyak 300 karakter"),
    ],
)
def test_a_wrong_cell_of_an_instansi_is_named(column: str, cell: str, said: str) -> None:
    row = read_instansi_row({"kode": "7301", "nama": "Nusa Jaya", "kontak": "BKPSDM", column: cell})

    assert isinstance(row, RowFaults)
    assert [(fault.column, said in fault.sentence) for fault in row.faults] == [(column, True)]


def test_a_nip_from_a_number_cell_says_how_to_mend_the_file() -> None:
    assert NIP_AS_NUMBER.column == "nip"
    assert "format kolom NIP menjadi Teks" in NIP_AS_NUMBER.sentence


def test_a_fault_that_names_a_number_of_its_row_is_one_reason_for_all_rows() -> None:
    longer, longest = (read_staff_row({**SARI, "unit_kerja": "U" * length}) for length in (201, 250))

    assert isinstance(longer, RowFaults)
    assert isinstance(longest, RowFaults)
    told = [row.faults[0].told for row in (longer, longest)]
    assert "Isi sel ini 201 karakter." in told[0]
    assert "Isi sel ini 250 karakter." in told[1]
    assert {row.faults[0].reason for row in (longer, longest)} == {
        "kolom unit_kerja: Isi sel ini beberapa karakter. Singkatkan menjadi paling banyak 200 karakter."
    }
