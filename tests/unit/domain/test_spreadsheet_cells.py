"""What programs do to a cell. It is read with certainty or refused, never read as something else. Each report
from practice gets a row here."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.categories import Category
from app.domain.email_address import EmailAddress, NotAnEmail, read_email
from app.domain.spreadsheet_cell import NO_RESULT
from app.domain.staff_file import (
    InstansiRow,
    RowFaults,
    StaffRow,
    guarded,
    read_instansi_row,
    read_staff_row,
    unguarded,
)
from tests.unit.domain.test_staff_file import SARI, fault_of

TRUE_NIP = "198609262015051001"
TRUE_NIP_IN_THREES = "198 609 262 015 051 001"
ERRORS = (
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA",
    "#NAMA?", "#NV",
    "#¡DIV/0!", "Galat:522", "#n/a", "Err:508", "err:502", "########", NO_RESULT,
)  # fmt: skip
PLACES = ("nip", "nama", "email", "kategori", "kode_instansi", "unit_kerja", "telepon")


def read(**cells: str) -> StaffRow:
    row = read_staff_row({**SARI, **cells})
    assert isinstance(row, StaffRow), row
    return row


@pytest.mark.parametrize(
    "cell",
    [
        TRUE_NIP, f"'{TRUE_NIP}", f"''{TRUE_NIP}", f'="{TRUE_NIP}"', f"={TRUE_NIP}", f"`{TRUE_NIP}",
        f"´{TRUE_NIP}",
        f"’{TRUE_NIP}",
        f'"{TRUE_NIP}"', f"'{TRUE_NIP}'", f"&#039;{TRUE_NIP}", f"&quot;{TRUE_NIP}&quot;", f" '{TRUE_NIP} ",
        f"\t{TRUE_NIP}",
        f"\u200e{TRUE_NIP}", f'=T("{TRUE_NIP}")', f'= T( "{TRUE_NIP}" )', f"'=\"{TRUE_NIP}\"",
        f'"=""{TRUE_NIP}"""',
        f"„{TRUE_NIP}‟", f"«{TRUE_NIP}»", f"‛{TRUE_NIP}", f"′{TRUE_NIP}", f"ʼ{TRUE_NIP}", f"＇{TRUE_NIP}",
        f"&lsquo;{TRUE_NIP}",
        f"&nbsp;{TRUE_NIP}", f"\ufeff'{TRUE_NIP}", f"{TRUE_NIP},", f"{TRUE_NIP};", "19860926.201505.1.001",
        "19860926 201505 1 001",
    ],
)  # fmt: skip
def test_all_digits_of_a_nip_are_there_and_it_is_read(cell: str) -> None:
    assert read(nip=cell).nip.digits == TRUE_NIP


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("198609262015051000", "berakhir dengan 000"),
        ("'198609262015051000", "berakhir dengan 000"),
        ('="198609262015051000"', "berakhir dengan 000"),
        ("198609000000000000", "berakhir dengan 000"),
        *(
            (TRUE_NIP_IN_THREES.replace(" ", mark), "pemisah ribuan")
            for mark in ".,'’`´\u066c \u00a0\u202f\u2009"
        ),
        ("198.609.262.015.051.000", "pemisah ribuan"),
        ("198 609 262 015 051 000", "pemisah ribuan"),
        ("198.609.262.015.051.001,00", "pemisah ribuan"),
        ("1.986,09E+14", "sebagai angka"),
        ("198609262015051,001", "sebagai angka"),
        ("-198609262015051001", "sebagai angka"),
        ("+198609262015051001", "sebagai angka"),
        ("\u2212198609262015051001", "sebagai angka"),
        ("1.98609E+17", "sebagai angka"),
        ("1,98609E+17", "sebagai angka"),
        ("1.98609262015051e17", "sebagai angka"),
        ("2E+17", "sebagai angka"),
        ("1,99 E+17", "sebagai angka"),
        ("1.98609×10^17", "sebagai angka"),
        ("'1.98609E+17", "sebagai angka"),
        ("198609262015051001.0", "sebagai angka"),
        ("198609262015051000,00", "sebagai angka"),
        ("1986092620150510.01", "sebagai angka"),
        ("198,609,262,015,051,000.00", "pemisah ribuan"),
        ("26/09/1986", "tanggal"),
        ("1986-09-26 00:00:00", "tanggal"),
        ("TRUE", "benar/salah"),
        ("NULL", "tanda kosong"),
        ("=A1", "rumus"),
        ("=Pegawai!$B$2", "rumus"),
        ('=VALUE("198609262015051001")', "rumus"),
        ("=A1&B1", "rumus"),
        ("131 234 567", "NIP lama"),
        ("１９８６０９２６２０１５０５１００１", "angka 0 sampai 9"),
        ("\u0661\u0669\u0668", "angka 0 sampai 9"),
    ],
)
def test_a_nip_that_is_not_certain_is_refused(cell: str, said: str) -> None:
    column, sentence = fault_of(nip=cell)

    assert column == "nip"
    assert said in sentence


@pytest.mark.parametrize("column", PLACES)
@pytest.mark.parametrize(
    "cell", [*ERRORS, "TRUE", "False", "true", "NULL", "#N/A ", "=A1", "=Pegawai!B2", "@SUM(A1)", '="#N/A"']
)
def test_an_error_is_refused_in_every_column_with_a_sentence_of_its_own(column: str, cell: str) -> None:
    at, sentence = fault_of(**{column: cell})

    assert at == column, "not what an empty or a mistyped cell is told"
    assert sentence.startswith("Sel ini berisi"), "not what an empty or a mistyped cell is told"


@pytest.mark.parametrize("column", ["nama", "email", "unit_kerja"])
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("31681", "angka"), ("31.681", "angka"), ("0", "angka"), ("1.98609E+17", "dibulatkan"),
        ("26/09/1986", "tanggal"),
        ("1986-09-26", "tanggal"), ("26.09.1986", "tanggal"), ("26-Sep-86", "tanggal"), ("Mei-86", "tanggal"),
        ("12:00:00", "tanggal"), ("9/26/86 0:00", "tanggal"), ("Siti &#10; Aminah", "HTML"),
        ("Ma&amp;#039;ruf", "HTML"),
        ("&lt;b&gt;Siti", "HTML"), ("Siti&#0;", "HTML"), (f"Siti&#{'9' * 5000};", "HTML"), ("5%", "angka"),
        ("1986-09-26T00:00:00.000Z", "tanggal"), ("1986-09-26 00:00:00+07:00", "tanggal"), ("1:30 PM",
        "tanggal"),
        ("Kamis, 1 Mei 2025", "tanggal"), ("May 1, 2025", "tanggal"), ("Mei 2025", "tanggal"), ("1/2",
        "angka atau tanda"),
    ],
)  # fmt: skip
def test_what_is_no_word_is_refused_where_words_belong(column: str, cell: str, said: str) -> None:
    at, sentence = fault_of(**{column: cell})

    assert at == column
    assert said in sentence


@pytest.mark.parametrize("column", ["nama", "unit_kerja"])
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("Ma?ruf", "huruf yang rusak"), ("Nurâ€™aini", "huruf yang rusak"), ("AndrÃ©", "huruf yang rusak"),
        ("Andr\ufffd", "huruf yang rusak"), ("-", "tanpa huruf"), ("...", "tanpa huruf"),
        ("siti@nusajaya.example", "alamat email"),
        ("Siti_x000D_", "tidak terlihat"), ("=PROPER(B2)", "rumus"), ("=B2&\" \"&C2", "rumus"),
    ],
)  # fmt: skip
def test_what_is_no_name_any_more_is_refused(column: str, cell: str, said: str) -> None:
    at, sentence = fault_of(**{column: cell})

    assert at == column
    assert said in sentence


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Dr. H. Sjafri, S.Pd., "
            "M.M.", "Dr. H. Sjafri, S.Pd., M.M."), ("Ma'ruf Nur’aini", "Ma'ruf Nur’aini"), ("X", "X"),
        ("Emoji 🙂 Nama", "Emoji 🙂 Nama"), ("Ma&#039;ruf", "Ma'ruf"), ("Ma&#39;ruf", "Ma'ruf"),
        ("Ma&apos;ruf", "Ma'ruf"),
        ("Ma&#x27;ruf", "Ma'ruf"), ("Siti &quot;Ami&quot;", 'Siti "Ami"'), ("A &amp; B", "A & B"),
        ("R&D; Tim", "R&D; Tim"),
        ('="Siti ""Ami"""', 'Siti "Ami"'), ("'Aisyah", "'Aisyah"), ("Mei", "Mei"), ("Agus", "Agus"), ("Nan",
        "Nan"),
        ("Nur&rsquo;aini", "Nur’aini"), ("Nur&#8217;aini", "Nur’aini"), ("Siti&nbsp;Aminah", "Siti Aminah"),
        ("Andr&eacute;", "André"),
        ('=T("Siti")', "Siti"), ("José’s", "José’s"), ("Salah", "Salah"), ("SDN 1/2", "SDN 1/2"),
        ("Maria 1986", "Maria 1986"),
    ],
)  # fmt: skip
def test_a_name_is_read_as_it_was_meant(cell: str, name: str) -> None:
    assert read(nama=cell).name == name
    assert read(nama=name).name == name, "and so is the name that was read"


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("81234567890", "081234567890"), ("81234567890.0", "081234567890"), ("81234567890,0", "081234567890"),
        ("6281234567890", "6281234567890"), ("'081234567890", "081234567890"), ('="081234567890"',
        "081234567890"),
        ("+62 812-3456-7890", "+62 812-3456-7890"), ("(0411) 123456", "(0411) 123456"), ("021-12-34",
        "021-12-34"),
        ("5551234", "5551234"), ("", None), ("81.234.567.890", "081234567890"), ("81,234,567,890",
        "081234567890"),
        ("81 234 567 890", "081234567890"), ("812-3456-7890", "0812-3456-7890"), ("812 3456 7890",
        "0812 3456 7890"),
        ("0812\u20113456\u20137890", "0812-3456-7890"), ("\u200b081234567890", "081234567890"),
        ('=T("081234567890")', "081234567890"),
        ("81234567890,00", "081234567890"),
    ],
)  # fmt: skip
def test_a_telephone_number_gets_its_zero_back_where_that_is_certain(cell: str, phone: str | None) -> None:
    assert read(telepon=cell).phone == phone


@pytest.mark.parametrize(
    "cell",
    ["6.28123E+12", "8,12346E+10", "411123456789", "2112345678", "0", "622123456", "411-872345", "21 5551234",
     "31681", "110", "000000000000", "1234.5", "12,5", "=A1"],
)  # fmt: skip
def test_a_telephone_number_that_is_not_certain_is_refused(cell: str) -> None:
    assert fault_of(telepon=cell)[0] == "telepon"


@pytest.mark.parametrize(
    "cell", ["7301", "7301 ", "'7301", '="7301"', "7301.0", "7301,0", "`7301", '=T("7301")', "\u200b7301"]
)
def test_a_code_is_read_without_what_was_put_around_it(cell: str) -> None:
    assert read(kode_instansi=cell).instansi_code == "7301"
    row = read_instansi_row({"kode": cell, "nama": "Kabupaten", "kontak": "loket 3"})
    assert isinstance(row, InstansiRow)
    assert row.code == "7301"


@pytest.mark.parametrize(
    "cell",
    [
        "7.3E+05", "1986-03-01", "3-Apr", "7,301", "TRUE", "#REF!", "73,01", "-7301", "+7301", "7301%", "0",
        "=A1", "=BKN", "-",
        "７３０１", "\u0667301",
    ],
)  # fmt: skip
def test_a_code_that_was_changed_is_refused(cell: str) -> None:
    assert fault_of(kode_instansi=cell)[0] == "kode_instansi"
    row = read_instansi_row({"kode": cell, "nama": "Kabupaten", "kontak": "loket 3"})
    assert isinstance(row, RowFaults)
    assert [fault.column for fault in row.faults] == ["kode"]


@pytest.mark.parametrize(
    ("cell", "contact"),
    [
        ("81234567890", "081234567890"),
        ("81.234.567.890", "081234567890"),
        ("150", "150"),
        ("loket 81234567890", "loket 81234567890"),
    ],
)
def test_a_contact_of_digits_is_a_telephone_number(cell: str, contact: str) -> None:
    row = read_instansi_row({"kode": "7301", "nama": "Kabupaten", "kontak": cell})
    assert isinstance(row, InstansiRow)
    assert row.contact.words == contact

    for lost in ("411872345", "7301.5", "=A1"):
        row = read_instansi_row({"kode": "7301", "nama": "Kabupaten", "kontak": lost})
        assert isinstance(row, RowFaults)
        assert [fault.column for fault in row.faults] == ["kontak"]


@pytest.mark.parametrize("column", ["nama", "kontak"])
@pytest.mark.parametrize("cell", ["#N/A", "1.2E+10", "TRUE", NO_RESULT])
def test_an_instansi_is_read_by_the_same_rules(column: str, cell: str) -> None:
    row = read_instansi_row({"kode": "7301", "nama": "Kabupaten", "kontak": "loket 3", column: cell})

    assert isinstance(row, RowFaults)
    assert [fault.column for fault in row.faults] == [column]


@pytest.mark.parametrize(
    "cell",
    [
        "P3K", "p3k", "PPPK Paruh Waktu", "PPPK-PW", "P3K Paruh Waktu", "PPPK Penuh Waktu",
        "PPPK (Paruh Waktu)", "PPPK – Paruh Waktu",
        "Pegawai Pemerintah dengan Perjanjian Kerja", "pppk_paruh_waktu", "Pegawai Pemerintah dengan "
            "Perjanjian Kerja (PPPK)",
    ],
)  # fmt: skip
def test_who_works_under_contract_is_pppk_however_it_is_written(cell: str) -> None:
    assert read(kategori=cell).category is Category.PPPK


@pytest.mark.parametrize(
    "cell",
    [
        "pns",
        "PNS.",
        " Pegawai Negeri Sipil ",
        "'PNS",
        '"PNS"',
        "`PNS",
        '=T("PNS")',
        "PNS\u200b",
        "Pegawai Negeri Sipil (PNS)",
    ],
)
def test_the_other_categories_are_known_in_full(cell: str) -> None:
    assert read(kategori=cell).category is Category.PNS


@pytest.mark.parametrize(
    "typed", ["mailto:a7@nusajaya.example", "MAILTO: a7@nusajaya.example", "a7@nusajaya.example"]
)
def test_a_link_to_write_to_an_address_is_the_address(typed: str) -> None:
    assert read_email(typed) == EmailAddress("a7@nusajaya.example")
    assert read(email=typed).email == EmailAddress("a7@nusajaya.example")


def test_an_apostrophe_in_an_address_is_a_part_of_it() -> None:
    assert read(email="o'neil+sapk@NUSAJAYA.example").email == EmailAddress("o'neil+sapk@NUSAJAYA.example")
    assert read(email="o&#039;neil@nusajaya.example").email == EmailAddress("o'neil@nusajaya.example")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Nama <a8@nusajaya.example>", "tanpa nama"), ("<a8@nusajaya.example>", "tanpa tanda <"), ("-",
        "anda"),
        ("a10@nusajaya.example.", "diakhiri tanda titik."), ("a10@nusajaya.example,", "diakhiri tanda koma."),
        ("a10@nusajaya.example;", "titik koma"), ("a16@nusajaya.go,id", "koma sesudah"),
        ("a,16@nusajaya.go.id", "koma sebelum"),
        ("a@gmail", "belum lengkap"), ("@gmail.com", "sebelum tanda @"), ("a@", "sesudah tanda @"),
        ("a..b@gmail.com", "berlebih"),
        (".a@gmail.com", "berlebih"), ("a@.gmail.com", "berlebih"), ('"a@gmail.com"', "kutip"),
        ("'a@gmail.com", "kutip"),
        ("a b@gmail.com", "spasi"), ("a@gmail.com, b@gmail.com", "satu alamat"), ("a@gmail.com; b",
        "satu alamat"),
        ("a@gmail.com-", "diakhiri tanda hubung"), ("a@gmail.com)", "diakhiri tanda )"),
        ("a@gmail.com\u2026", "diakhiri tanda \u2026"), ("a@gmail.c", "belum lengkap"), ("a@gmail.com (b)",
        "spasi"),
        ("a@@gmail.com", "dua tanda @"), ("(a@gmail.com", "Ada ( pada"), ("\u00e1@gmail.com", "Ada \u00e1"),
        ("a@b\u00fccher.example", "Ada \u00fc"), ("a@gmail/com", "Ada / pada"), ("a" * 65 + "@gmail.com",
        "terlalu panjang"),
        ("mailto:", "Isi email"), ("mailto:a@x.id?cc=b@x.id", "satu alamat"),
    ],
)  # fmt: skip
def test_each_fault_of_an_address_is_named(typed: str, said: str) -> None:
    wrong = read_email(typed)

    assert isinstance(wrong, NotAnEmail)
    assert said in wrong.sentence
    if typed == "-":
        assert "Kosongkan" in fault_of(email=typed)[1]
    elif typed != "mailto:":
        assert fault_of(email=typed)[0] == "email"


# -- whatever a program does
_NIPS = st.builds(
    "{:%Y%m%d}{:%Y%m}{}{:03}".format,
    st.dates(min_value=date(1950, 1, 1), max_value=date(2009, 1, 1)),
    st.dates(min_value=date(1980, 1, 1), max_value=date(2026, 1, 1)),
    st.sampled_from("12"),
    st.integers(1, 999),
)
_MARKS = st.sampled_from([".", ",", "'", "’", " ", "\u00a0", "\u202f"])


def _rounded(nip: str) -> str:
    return f"{round(int(nip), -3):d}"


def _in_groups(digits: str, mark: str) -> str:
    return f"{int(digits):,}".replace(",", mark)


@st.composite
def _changed(draw: st.DrawFn) -> tuple[str, str]:
    """A real NIP, and what some program has made of it."""
    nip = draw(_NIPS)
    digits = draw(st.sampled_from([nip, _rounded(nip)]))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        mantissa = f"{int(nip):.{draw(st.integers(0, 14))}{draw(st.sampled_from('eE'))}}"
        cell = mantissa.replace(".", draw(st.sampled_from(".,")))
    elif kind == 1:
        cell = _in_groups(digits, draw(_MARKS)) + draw(st.sampled_from(["", ",00", ".0", ".00"]))
    elif kind == 2:
        cell = digits + draw(st.sampled_from(["", ".0", ",0", ".00", ",000", ".000000"]))
    else:
        cell = draw(st.sampled_from(["#N/A", "#####", "TRUE", "", NO_RESULT, nip[:15], nip[:8], nip[3:]]))
    for around in draw(
        st.lists(
            st.sampled_from(["'{}", '="{}"', "={}", "`{}", '"{}"', "&#039;{}", " {} ", "\t{}"]), max_size=2
        )
    ):
        cell = around.format(cell)
    return nip, cell


@given(_changed())
def test_a_nip_that_a_program_has_changed_is_the_true_one_or_refused(changed: tuple[str, str]) -> None:
    nip, cell = changed

    for arrived in (cell, unguarded(guarded(cell))):
        row = read_staff_row({**SARI, "nip": arrived})
        assert isinstance(row, RowFaults) or row.nip.digits == nip


_PIECES = st.sampled_from(
    [
        TRUE_NIP, "19860926", "201505", "1", "001", "000", *".,'’`\"=+-−%#?@ \n\t\u00a0\u200b١１",
        '="', '")', "T(", "&#039;", "&amp;",
        "E+17", "NIP. ", "_x000D_", "é", "Ã©", "62", "812", "0", "x.id", "&lt;", "#N/A",
    ]
)  # fmt: skip


@given(st.sampled_from(PLACES), st.lists(_PIECES, max_size=8).map("".join))
def test_whatever_stands_in_a_cell_what_is_stored_stood_there_and_reads_the_same_again(
    column: str, cell: str
) -> None:
    row = read_staff_row({**SARI, column: cell})
    if isinstance(row, RowFaults):
        assert {fault.column for fault in row.faults} == {column}
        return

    assert column != "nip" or row.nip.digits == re.sub("[^0-9]", "", cell.replace("&#039;", ""))
    again = {
        "nip": row.nip.digits, "nama": row.name, "email": row.email.text if row.email else "",
        "kategori": row.category.label,
        "kode_instansi": row.instansi_code, "unit_kerja": row.work_unit, "telepon": row.phone or "",
    }  # fmt: skip
    assert read_staff_row(again) == row


@given(st.text(alphabet="abc&#039;quotamp\x00\x1b\n", max_size=30))
def test_codes_of_html_never_make_a_sign_that_steers(cell: str) -> None:
    row = read_staff_row({**SARI, "nama": cell})

    assert isinstance(row, RowFaults) or row.name.isprintable()
