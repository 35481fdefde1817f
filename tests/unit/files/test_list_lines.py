"""A list as text or file becomes lines. What no table is gets one sentence."""

import io
import tracemalloc
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
import xlsxwriter

from app.domain.nip_list import read_nip_list
from app.files import list_lines, sandbox
from app.files.list_lines import MOST_LINES, lines_of_file, lines_of_text, one_file_at_a_time
from app.files.table import UnreadableFile

NIPS = [f"19990101202401{number // 1000 + 1}{number % 1000:03}" for number in range(1, 900)]


def workbook(rows: Iterable[Iterable[object]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return file.getvalue()


def nips_in(content: bytes) -> list[str]:
    return [nip.digits for nip in read_nip_list(lines_of_file(content)).nips]


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(NIPS).encode(),
        ("\ufeff" + "\r\n".join(["NIP;Nama", *(f"{nip};Ayu" for nip in NIPS)])).encode(),
        ("sep=,\n" + "\n".join(f'{nip},"Dinas Kesehatan, Nusa Jaya"' for nip in NIPS)).encode(),
        ", ".join(NIPS).encode(),
        workbook([["Daftar CPNS"], ["No", "NIP"], *([place, nip] for place, nip in enumerate(NIPS))]),
    ],
)
def test_every_kind_of_file_gives_its_nips(content: bytes) -> None:
    assert nips_in(content) == NIPS


def test_lines_are_counted_as_the_spreadsheet_counts() -> None:
    [above, first, last] = lines_of_file(workbook([["NIP"], [], [NIPS[0]], [], [198609262015051001]]))

    assert (above.number, first.number, last.number) == (1, 3, 5)
    [fault] = read_nip_list([above, first, last]).faults
    assert (fault.number, "tersimpan sebagai angka" in fault.sentence) == (5, True)


def test_a_quote_that_is_never_closed_takes_no_other_line_with_it() -> None:
    found = read_nip_list(lines_of_text(f'{NIPS[0]},"Dinas\n{NIPS[1]},"Badan"\n{NIPS[2]}'))

    assert [nip.digits for nip in found.nips] == NIPS[:3]


def _packed(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * size)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "File ini kosong"),
        (b"%PDF-1.7 ...", "bukan tabel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel lama"),
        ("NIP;Nama\n1;Andr\u00e9\n".encode("latin-1"), "bukan UTF-8 (mulai baris 2)"),
        ("\n".join(NIPS).encode("utf-16"), "UTF-16"),
        (b"199\x00\x00", "karakter kosong"),
        (b"1" * (list_lines.MOST_BYTES + 1), "lebih besar dari 5 MB"),
        (b"1\n" * (MOST_LINES + 1), "lebih dari 5.000 baris"),
        (workbook([["1"]] * (MOST_LINES + 1)), "lebih dari 5.000 baris"),
        (_packed(1 << 30), "terlalu besar"),
        (_packed(10 << 20), "rusak"),
        (b"PK\x03\x04 nothing else", "rusak"),
    ],
)  # fmt: skip
def test_what_is_no_list_gets_one_sentence(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told.replace("(", r"\(").replace(")", r"\)")):
        lines_of_file(content)


_FIVE_MB = list_lines.MOST_BYTES


@pytest.mark.parametrize(
    ("repeated", "told"),
    [
        ("1\n", "lebih dari 5.000 baris"),
        ("\n", "lebih dari 5.000 baris"),
        (" \r", "lebih dari 5.000 baris"),
        ("x\x1d", "Baris 1 terlalu panjang"),
        ("12345678 123456 1 ", "Baris 1 terlalu panjang"),
        ("1.", "Baris 1 terlalu panjang"),
        ("1,", "terlalu banyak kolom|Baris 1 terlalu panjang"),
        (",".join(["12"] * 30_000) + "\n", "terlalu banyak kolom"),
        (",".join(["1"] * 1000) + "\n", "terlalu banyak kolom"),
    ],
)
def test_nonsense_of_five_megabytes_is_refused_before_it_is_cut(repeated: str, told: str) -> None:
    content = (repeated * (_FIVE_MB // len(repeated) + 1))[:_FIVE_MB].encode()

    with peak_memory_below(40 << 20), pytest.raises(UnreadableFile, match=told):
        lines_of_file(content)


@pytest.mark.parametrize("repeated", ["12345678 123456 1 ", "1.", "1 ", "12345678.", f"{NIPS[0]} ", "1" * 17])
def test_lines_that_are_as_long_as_may_be_take_little_memory(repeated: str) -> None:
    line = (repeated * 100_000)[: list_lines._LONGEST_LINE]

    with peak_memory_below(8 << 20):
        read_nip_list(lines_of_text("\n".join([line] * 2)))


@contextmanager
def peak_memory_below(most: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most


def test_one_file_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_lines, "_SECONDS_FOR_A_PLACE", 0.01)
    with one_file_at_a_time(), pytest.raises(UnreadableFile, match="Coba lagi"), one_file_at_a_time():
        pass
    with one_file_at_a_time():
        pass


def test_a_workbook_waits_for_the_one_that_is_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_SECONDS_FOR_A_PLACE", 0.01)
    with sandbox._ONE_READER, pytest.raises(UnreadableFile, match="Coba lagi"):
        lines_of_file(workbook([[NIPS[0]]]))

    assert nips_in(workbook([[NIPS[0]]])) == NIPS[:1]


def test_a_workbook_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_MOST_SECONDS_AT_A_PAGE", 0.01)

    with pytest.raises(UnreadableFile, match="tidak dapat dibaca"):
        lines_of_file(workbook([[nip] for nip in NIPS]))
