"""Each fault of a file in its own words, and the longest that each cell may be."""

import pytest

from app.domain.contact import Contact
from app.domain.staff_file import (
    COMMAND_LINE_STAFF_COLUMNS,
    HASH_NOT_USABLE,
    HASH_TOO_DEAR,
    INSTANSI_COLUMNS,
    NIP_AS_NUMBER,
    NIP_ROUNDED,
    NIP_WITH_THOUSANDS,
    STAFF_COLUMNS,
    CellFault,
    Columns,
    HeaderFaults,
    InstansiRow,
    RowFaults,
    StaffRow,
    read_header,
    read_instansi_row,
    read_phone,
    read_staff_row,
)
from tests.unit.domain.test_staff_file import A_HASH, HEADER, SARI

FORMULA = (
    "Sel ini berisi rumus yang hasilnya tidak tersimpan. Buka file di Excel, salin lalu tempel sebagai nilai "
    "(Values)."
)
NULL = "Sel ini berisi tanda kosong dari program lain (misalnya NULL). Kosongkan sel ini, atau ketik isinya."
ERROR = "Sel ini berisi pesan kesalahan dari Excel, bukan isinya. Perbaiki rumusnya, atau ketik isinya."
TRUTH = "Sel ini berisi nilai benar/salah (TRUE atau FALSE), bukan isinya. Ketik isinya."
ROUNDED = (
    "Excel menyimpan sel ini sebagai angka yang dibulatkan. Ubah format kolomnya menjadi Teks, lalu ketik "
    "lagi isinya."
)
DATE = "Sel ini berisi tanggal atau jam. Ubah format kolomnya menjadi Teks, lalu ketik isinya."
DIGITS = "Sel ini hanya berisi angka. Periksa apakah isi kolom-kolomnya tertukar, lalu ketik isinya."
NO_LETTERS = "Sel ini hanya berisi angka atau tanda, tanpa huruf. Ketik isinya."
HTML = "Sel ini berisi kode HTML (tanda & sampai titik koma). Ketik huruf atau tanda yang dimaksud."
BROKEN = "Ada huruf yang rusak dalam sel ini, misalnya menjadi tanda tanya. Ketik ulang isinya."
LINES = "Sel ini berisi baris baru. Tulis dalam satu baris."
UNSEEN = "Sel ini berisi karakter yang tidak terlihat. Ketik ulang isinya."
THOUSANDS = "Kode ini ditulis dengan pemisah ribuan. Ubah format kolomnya menjadi Teks, lalu ketik lagi."
OTHER_DIGITS = "Ada angka dengan huruf lain dalam kode ini. Ketik ulang dengan angka 0 sampai 9."
PHONE_LONG = "Nomor telepon terlalu panjang. Isi satu nomor saja, paling banyak 30 karakter."
CODE_AS_NUMBER = (
    "Kode ini tersimpan sebagai angka. Ubah format kolomnya menjadi Teks, lalu ketik lagi kodenya."
)
PHONE_WRONG = "Tulis nomor telepon dengan angka saja, misalnya 081234567890, atau kosongkan."
PHONE_SHORT = "Nomor telepon ini terlalu pendek. Tulis lengkap, misalnya 081234567890, atau kosongkan."
PHONE_NO_ZERO = "Nomor telepon ini tidak diawali 0, +, atau 62. Tulis lengkap dengan kode area, sebagai teks."
PHONE_AS_NUMBER = (
    "Nomor telepon ini tersimpan sebagai angka. Ubah format kolomnya menjadi Teks, lalu ketik lagi."
)
ONLY_DIGITS = "NIP hanya berisi angka 0 sampai 9. Hapus huruf atau tanda lain, atau ketik ulang angkanya."
OF_BCRYPT = "$2b$12$" + "a" * 21 + "." + "a" * 31
EMPTY_EMAIL = " Bila emailnya belum ada, kosongkan sel ini."


def swapped(what: str) -> str:
    return f"Sel ini berisi alamat email. Periksa apakah isi kolom-kolomnya tertukar, lalu ketik {what}."


def too_long(count: int, most: int) -> str:
    return f"Isi sel ini {count} karakter. Singkatkan menjadi paling banyak {most} karakter."


FAULTS = [
    ("nip", "1.98E+17", NIP_AS_NUMBER.sentence),
    ("nip", "198609262015051001.0", NIP_AS_NUMBER.sentence),
    ("nip", "-198609262015051001", NIP_AS_NUMBER.sentence),
    ("nip", "198609262015051000", NIP_ROUNDED.sentence),
    ("nip", "198.609.262.015.051.001", NIP_WITH_THOUSANDS.sentence),
    ("nip", "1 234 567 890", NIP_WITH_THOUSANDS.sentence),
    ("nip", "131 234 567", "Ini tampaknya NIP lama (9 angka). Isi NIP, 18 angka pada SK terakhir."),
    ("nip", "", "Isi NIP, 18 angka."),
    ("nip", "NULL", NULL),
    ("nip", "198609262015051001X", ONLY_DIGITS),
    ("email", "--", "Sel ini hanya berisi tanda. Kosongkan sel ini bila pegawai belum punya email."),
    ("email", "\u2013 _.", "Sel ini hanya berisi tanda. Kosongkan sel ini bila pegawai belum punya email."),
    ("email", "TRUE", TRUTH),
    ("email", "=x", FORMULA),
    ("email", "12345", DIGITS),
    ("email", "X", f"Alamat email perlu tanda @, misalnya nama@contoh.go.id.{EMPTY_EMAIL}"),
    ("email", "a@b.id, c@d.id", "Isi satu alamat email saja, dengan satu tanda @."),
    ("kategori", "", "Isi kategori: PNS, PPPK, CPNS, PPT Non ASN."),
    ("kategori", "X", "Kategori ini tidak dikenal. Isi salah satu: PNS, PPPK, CPNS, PPT Non ASN."),
    ("kategori", "#N/A", ERROR),
    ("nama", "12", DIGITS),
    ("nama", "#1!", NO_LETTERS),
    ("nama", "Sari &amp;eacute;", HTML),
    ("nama", "Sari &copy; Wulandari", HTML),
    ("nama", "Sar? Wulandari", BROKEN),
    ("nama", "budi@contoh.go.id", swapped("nama lengkap pegawai")),
    ("nama", "Sari\nWulandari", LINES),
    ("nama", "Sari\rWulandari", LINES),
    ("nama", "Sari\u200bWulandari", UNSEEN),
    ("nama", "Sari_x0007_", UNSEEN),
    ("nama", "", "Isi nama lengkap pegawai."),
    ("nama", '=""', "Isi nama lengkap pegawai."),
    ("nama", "S" * 201, too_long(201, 200)),
    ("nama", "1.5E+10", ROUNDED),
    ("unit_kerja", "budi@contoh.go.id", swapped("nama unit kerja")),
    ("unit_kerja", "", "Isi nama unit kerja."),
    ("unit_kerja", "26/09/1986", DATE),
    ("unit_kerja", "U" * 250, too_long(250, 200)),
    ("kode_instansi", "1,234", THOUSANDS),
    ("kode_instansi", "7'301", THOUSANDS),
    ("kode_instansi", "1,000", THOUSANDS),
    ("kode_instansi", "1.000", THOUSANDS),
    ("kode_instansi", "0", CODE_AS_NUMBER),
    ("kode_instansi", "-7", CODE_AS_NUMBER),
    ("kode_instansi", "7,5", CODE_AS_NUMBER),
    ("kode_instansi", "73 %", CODE_AS_NUMBER),
    ("kode_instansi", "73\u0661", OTHER_DIGITS),
    ("kode_instansi", "--", "Isi kode instansi."),
    ("kode_instansi", "", "Isi kode instansi."),
    ("kode_instansi", "7" * 21, too_long(21, 20)),
    ("kode_instansi", "NULL", NULL),
    ("telepon", "00", "Sel ini hanya berisi angka 0. Isi nomor teleponnya, atau kosongkan."),
    ("telepon", "0", "Sel ini hanya berisi angka 0. Isi nomor teleponnya, atau kosongkan."),
    ("telepon", "NULL", NULL),
    ("telepon", "0000", PHONE_SHORT),
    ("telepon", "12345", PHONE_SHORT),
    ("telepon", "1-2-3-4-5", PHONE_SHORT),
    ("telepon", "lihat WA", PHONE_WRONG),
    ("telepon", "0" * 29 + "11", PHONE_LONG),
    ("telepon", "217654321,5", PHONE_AS_NUMBER),
    ("telepon", "217654321", PHONE_NO_ZERO),
    ("password_hash", "rahasia", HASH_NOT_USABLE.sentence),
    ("password_hash", A_HASH + "B" * 120, HASH_NOT_USABLE.sentence),
    ("password_hash", "$2b$13$" + "a" * 21 + "." + "a" * 31, HASH_TOO_DEAR.sentence),
]  # fmt: skip


@pytest.mark.parametrize(("column", "cell", "said"), FAULTS)
def test_a_fault_of_a_person_is_said_in_its_own_words(column: str, cell: str, said: str) -> None:
    row = read_staff_row({**SARI, column: cell})

    assert isinstance(row, RowFaults)
    assert [(fault.column, fault.sentence) for fault in row.faults] == [(column, said)]


OF_INSTANSI = [
    ("kode", "0", CODE_AS_NUMBER),
    ("kode", "", "Isi kode instansi."),
    ("nama", "budi@contoh.go.id", swapped("nama instansi")),
    ("nama", "", "Isi nama instansi."),
    ("nama", "N" * 201, too_long(201, 200)),
    ("kontak", "", "Isi kontak bantuan yang dapat dihubungi pegawai."),
    ("kontak", "000", "Isi kontak bantuan yang dapat dihubungi pegawai."),
    ("kontak", "NULL", NULL),
    ("kontak", "k" * 301, too_long(301, 300)),
    ("kontak", "217654321", PHONE_NO_ZERO),
    ("kontak", "217654321,5", PHONE_AS_NUMBER),
]


@pytest.mark.parametrize(("column", "cell", "said"), OF_INSTANSI)
def test_a_fault_of_an_instansi_is_said_in_its_own_words(column: str, cell: str, said: str) -> None:
    row = read_instansi_row({"kode": "7301", "nama": "Nusa Jaya", "kontak": "BKPSDM", column: cell})

    assert isinstance(row, RowFaults)
    assert [(fault.column, fault.sentence) for fault in row.faults] == [(column, said)]


def test_a_fault_of_many_rows_is_told_without_their_numbers() -> None:
    fault = CellFault.of_row("nama", "Isi {} karakter.", 201, "beberapa")

    assert (fault.told, fault.reason) == (
        "kolom nama: Isi 201 karakter.",
        "kolom nama: Isi beberapa karakter.",
    )
    of_a_row = CellFault(None, "Baris ini kosong.")
    assert of_a_row.told == of_a_row.reason == "Baris ini kosong."


# -- what is read
READ = [
    ("nama", "S" * 200, "S" * 200),
    ("nama", " Sari   Wulandari\u00a0", "Sari Wulandari"),
    ("nama", "Jose\u0301", "Jos\u00e9"),
    ("nama", "=1+1", "=1+1"),
    ("unit_kerja", "U" * 200, "U" * 200),
    ("unit_kerja", "budi@", "budi@"),
    ("kode_instansi", "7" * 20, "7" * 20),
    ("kode_instansi", "0730", "0730"),
    ("kode_instansi", "7301.0", "7301"),
    ("kode_instansi", "7301.000", "7301"),
    ("kode_instansi", "73.00", "73"),
    ("kode_instansi", "73.01", "73.01"),
    ("telepon", "0812-3456-7890", "0812-3456-7890"),
    ("telepon", "0812\u20113456\u22127890", "0812-3456-7890"),
    ("telepon", "81234567890.0", "081234567890"),
    ("telepon", "812.345.678.90", "081234567890"),
    ("telepon", "812 345 678", "0812345678"),
    ("telepon", "081 234 567", "081 234 567"),
    ("telepon", "6281234567890", "6281234567890"),
    ("telepon", "+1", "+1"),
    ("telepon", "0123", "0123"),
    ("telepon", "123456", "123456"),
    ("telepon", "76543210", "76543210"),
    ("telepon", "0" * 29 + "1", "0" * 29 + "1"),
    ("telepon", " (021)  765 ", "(021) 765"),
    ("telepon", "", None),
    ("password_hash", A_HASH, A_HASH),
    ("password_hash", f" {A_HASH} ", A_HASH),
    ("password_hash", OF_BCRYPT, OF_BCRYPT),
    ("password_hash", A_HASH + "B" * (200 - len(A_HASH)), A_HASH + "B" * (200 - len(A_HASH))),
]  # fmt: skip
FIELDS = {
    "nama": "name", "unit_kerja": "work_unit", "kode_instansi": "instansi_code", "telepon": "phone",
    "password_hash": "password_hash",
}  # fmt: skip


@pytest.mark.parametrize(("column", "cell", "kept"), READ)
def test_a_cell_is_kept_in_one_spelling(column: str, cell: str, kept: str | None) -> None:
    row = read_staff_row({**SARI, column: cell})

    assert isinstance(row, StaffRow), row
    assert getattr(row, FIELDS[column]) == kept


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("k" * 300, "k" * 300),
        ("0811 222 333 (WA)", "0811 222 333 (WA)"),
        ("81234567890", "081234567890"),
        ("812.345.678", "0812345678"),
        ("0812", "0812"),
        ("bantuan@contoh.go.id", "bantuan@contoh.go.id"),
    ],
)
def test_a_contact_is_a_sentence_an_address_or_a_number(cell: str, kept: str) -> None:
    row = read_instansi_row({"kode": "7301", "nama": "Nusa Jaya", "kontak": cell})

    assert row == InstansiRow("7301", "Nusa Jaya", Contact(words=kept), None)


def test_a_phone_that_somebody_types_is_read_alike() -> None:
    assert read_phone("  0812  345 ") == "0812 345"
    assert read_phone(" ") is None
    assert read_phone("x") == CellFault("telepon", PHONE_WRONG)


# -- the first line
SIX = "Tambahkan pada baris judul: nip, nama, email, kategori, kode_instansi, unit_kerja"
HEADERS: list[tuple[Columns, list[str], list[str]]] = [
    (STAFF_COLUMNS, HEADER[:4],
        [f"Kolom kode_instansi, unit_kerja tidak ada. {SIX} (boleh ditambah telepon)."]),
    (COMMAND_LINE_STAFF_COLUMNS, HEADER[1:],
        [f"Kolom nip tidak ada. {SIX} (boleh ditambah telepon, password_hash)."]),
    (INSTANSI_COLUMNS, ["kode", "nama"],
        ["Kolom kontak tidak ada. Tambahkan pada baris judul: kode, nama, kontak (boleh ditambah telepon, "
         "whatsapp, email, loket, jam_layanan, zona)."]),
    (STAFF_COLUMNS, [*HEADER, "", "telepon"],
        ["Kolom ke-7 tidak berjudul. Isi judulnya, atau hapus kolom itu."]),
    (STAFF_COLUMNS, [*HEADER, "XteleponX"],
        ['Kolom "xteleponx" tidak dikenal. Hapus kolom itu, atau perbaiki judulnya.']),
    (STAFF_COLUMNS, [*HEADER, "NIP"], ['Kolom "nip" ada lebih dari satu kali. Sisakan satu saja.']),
    (STAFF_COLUMNS, [*HEADER, "role", "x"], [
        'Kolom "role" tidak boleh ada: hak, status, dan akses akun tidak diatur lewat file. Hapus kolom itu.',
        'Kolom "x" tidak dikenal. Hapus kolom itu, atau perbaiki judulnya.',
    ]),
    (STAFF_COLUMNS, [*HEADER, "\x07" + "y" * 50],
        [f'Kolom "?{"y" * 39}" tidak dikenal. Hapus kolom itu, atau perbaiki judulnya.']),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "cells", "said"), HEADERS)
def test_a_fault_of_the_first_line_is_said_in_its_own_words(
    columns: Columns, cells: list[str], said: list[str]
) -> None:
    assert read_header(cells, columns) == HeaderFaults(tuple(said))


def test_the_columns_of_a_list_of_refused_rows_may_stay() -> None:
    cells = ["baris", *HEADER, "kesalahan", "", " "]

    assert read_header(cells, STAFF_COLUMNS) == tuple(cells[:-2])


@pytest.mark.parametrize("cell", ["Kode  Instansi", "kode-_instansi", "\ufeff\u00a0KODE\u00a0INSTANSI\r\n"])
def test_a_title_is_known_with_any_blanks_and_dashes(cell: str) -> None:
    cells = [*HEADER[:4], cell, HEADER[5]]

    assert read_header(cells, STAFF_COLUMNS) == tuple(HEADER)
