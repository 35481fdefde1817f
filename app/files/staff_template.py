"""An empty file of staff to fill in. Its columns are text: as numbers, a NIP loses its last digits and a
telephone number its first zero."""

from io import BytesIO

from app.domain.categories import Category
from app.domain.staff_file import STAFF_COLUMNS
from app.files.text_workbook import TEXT_FORMAT

_COLUMNS = (*STAFF_COLUMNS.required, *STAFF_COLUMNS.optional)
_WIDTHS = {"nip": 24, "nama": 32, "email": 32, "unit_kerja": 32}
_USUAL_WIDTH = 16
_ROWS_WITH_A_CHOICE = 20_000
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def as_xlsx() -> bytes:
    """One sheet with its header; every cell below is text, and the category is chosen from a list."""
    # Here, because it loads forty modules, and most processes never write a workbook
    from xlsxwriter import Workbook

    file = BytesIO()
    with Workbook(file, _OPTIONS) as book:
        sheet = book.add_worksheet("Pegawai")
        text, heading = (
            book.add_format({"num_format": TEXT_FORMAT}),
            book.add_format({"num_format": TEXT_FORMAT, "bold": True}),
        )
        for position, column in enumerate(_COLUMNS):
            sheet.set_column(position, position, _WIDTHS.get(column, _USUAL_WIDTH), text)
            sheet.write_string(0, position, column, heading)
        choices = {"validate": "list", "source": [category.label for category in Category]}
        category = _COLUMNS.index("kategori")
        sheet.data_validation(1, category, _ROWS_WITH_A_CHOICE, category, choices)
        sheet.freeze_panes(1, 0)
    return file.getvalue()


def as_csv() -> bytes:
    """The header alone, with the mark by which Excel recognises UTF-8."""
    return f"{','.join(_COLUMNS)}\r\n".encode("utf-8-sig")
