"""A file is opened as a table: CSV or XLSX, recognised by its content and not by its name."""

import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path

from app.domain.staff_file import Columns
from app.files.csv_table import CsvSheet
from app.files.table import Sheet, UnreadableFile

_LOOK_AT = 4096  # bytes; the beginning of a file shows what it is
_OTHER_FORMATS = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x7fELF",
)


@contextmanager
def opened(path: Path, columns: Columns) -> Iterator[Sheet]:
    """Open a CSV or an XLSX, recognised by its content and not by its name; raises UnreadableFile."""
    with ExitStack() as stack:
        try:
            sheet = sheet_in(stack.enter_context(_regular_file(path)), columns)
        except OSError as error:
            raise UnreadableFile(_sentence_about(error)) from error
        yield sheet


def sheet_in(file: BufferedReader, columns: Columns) -> Sheet:
    """The table in a file that is already open; raises UnreadableFile."""
    start = file.read(_LOOK_AT)
    file.seek(0)
    refuse_other_formats(start)
    if not is_workbook(start):
        return CsvSheet(file, columns)
    # Here, so that the library that unpacks workbooks is loaded only where one is unpacked
    from app.files.xlsx_table import XlsxSheet

    return XlsxSheet(file, columns)


def refuse_other_formats(start: bytes) -> None:
    """Recognise by a file's first bytes that it cannot be a table; raises UnreadableFile."""
    if not start:
        raise UnreadableFile("File ini kosong. Simpan ulang dari program asalnya, lalu coba lagi.")
    if start.startswith(_OLD_EXCEL):
        raise UnreadableFile(
            "File ini berformat Excel lama (.xls) atau dikunci password. "
            "Simpan ulang sebagai .xlsx tanpa password, atau CSV UTF-8."
        )
    if start.startswith(_UTF_16):
        raise UnreadableFile('File ini berupa teks UTF-16. Simpan ulang di Excel sebagai "CSV UTF-8".')
    if start.startswith(_OTHER_FORMATS):
        raise UnreadableFile("File ini bukan tabel. Pakai file CSV (UTF-8) atau XLSX.")


def is_workbook(start: bytes) -> bool:
    return start.startswith(_XLSX)


def _regular_file(path: Path) -> BufferedReader:
    """Opens regular files only: a directory has no lines, and a pipe can be read only once and may wait for
    ever."""
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise UnreadableFile("Ini folder, bukan file. Sebutkan satu file CSV atau XLSX.")
    if not stat.S_ISREG(kind):
        raise UnreadableFile("Ini bukan file biasa. Simpan dahulu isinya sebagai file CSV atau XLSX.")
    return path.open("rb")


def _sentence_about(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "File tidak ditemukan. Periksa nama dan foldernya."
        case PermissionError():
            return "File tidak boleh dibaca oleh pengguna ini. Beri izin baca, lalu coba lagi."
        case _:
            return (
                f"File tidak dapat dibaca ({error.strerror or 'kesalahan disk'}). Salin ke tempat lain, "
                "lalu coba lagi."
            )


_XLSX, _OLD_EXCEL, _UTF_16 = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", (b"\xff\xfe", b"\xfe\xff")
