"""What programs do to a cell before a file arrives here, and what of it can be taken back for certain.

A spreadsheet keeps 15 digits of a number, turns what looks like a date into one and writes errors where a value was. An
export of another program guards its numbers against the first, and writes marks as codes of HTML. Here stands which is
which; nothing is guessed. What a cell held before is either certain, or the cell is refused.
"""

import re
from html.entities import html5

# Stands in the place of a formula whose result the file does not hold. Refused as any error is, also when it comes back.
NO_RESULT = "#FORMULA!"
MOST_DIGITS = 15  # that a spreadsheet keeps of a number

_ERROR = re.compile(r"#+|#[\w/]+[!?]?|err:\s?[0-9]{1,4}", re.IGNORECASE)
_TRUTH = frozenset(("TRUE", "FALSE", "True", "False"))
_NOTHING = frozenset((
    "NULL", "null", "(null)", "(NULL)", "<null>", "<NULL>", "[NULL]", "\\N", "NaN", "nan", "<NA>", "NaT", "None", "none",
    "undefined", "N/A", "n/a",
))  # fmt: skip
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,\u00a0\u202f ]*")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?\s*(?:[eE]\s*[+-]?[0-9]{1,3}|[x×*]\s*10\s*\^?\s*[0-9]{1,3})")
_WITH_ZERO_DECIMALS = re.compile(r"([0-9]+)[.,]0+")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[,'’][0-9]{3})+(?:[.,][0-9]+)?")
_MONTH = r"(?:jan|feb|mar|apr|mei|may|jun|jul|agu|agt|ags|aug|sep|okt|oct|nov|nop|des|dec)[a-z]*\.?"
_TIME = r"(?:[ T][0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2}(?:\.[0-9]+)?)?(?:\s?[ap]m)?)?"
_DATE = re.compile(
    rf"(?!0[0-9]{{2}})(?:[0-9]{{1,4}}[/\-][0-9]{{1,2}}[/\-][0-9]{{1,4}}|[0-9]{{1,2}}\.[0-9]{{1,2}}\.[0-9]{{4}}"
    rf"|[0-9]{{1,2}}[/\- ]{_MONTH}(?:[/\- ][0-9]{{2,4}})?|{_MONTH}[/\-][0-9]{{2,4}}){_TIME}"
    r"|[0-9]{1,3}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?|-?[0-9]+ days?,.*",
    re.IGNORECASE,
)
_QUOTES = "'\"`´‘’“”"
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
_HTML = re.compile(r"&(#0*39|#[xX]0*27|apos|#0*34|#[xX]0*22|quot|#0*38|#[xX]0*26|amp);")
_MARKS = {"39": "'", "x27": "'", "apos": "'", "34": '"', "x22": '"', "quot": '"', "38": "&", "x26": "&", "amp": "&"}
_ANY_HTML = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|([A-Za-z][A-Za-z0-9]*));")
_MOBILE = re.compile(r"8[1-9][0-9]{7,10}")  # 0812-3456-789 and longer, without its zero


def number_unguarded(cell: str) -> str:
    """A number, or a code, without what another program put around it, so that a spreadsheet takes it for text:
    `'1986...`, `="1986..."`, `=1986...`, a back-tick. Quotes at either end hold no digit."""
    bare = text_unguarded(cell)
    return bare.removeprefix("=").strip().strip(_QUOTES).strip()


def text_unguarded(cell: str) -> str:
    """Text without `="..."` around it, and with the marks that HTML writes as codes. An apostrophe at its beginning may be
    a part of a name."""
    bare = _HTML.sub(_as_mark, cell.strip())
    formula = _TEXT_FORMULA.fullmatch(bare)
    return formula[1].replace('""', '"').strip() if formula else bare


def without_zero_decimals(cell: str) -> str:
    """`12.0` is 12: a program that knows no whole numbers has written it."""
    found = _WITH_ZERO_DECIMALS.fullmatch(cell)
    return found[1] if found else cell


def with_leading_zero(phone: str) -> str | None:
    """A telephone number that a spreadsheet has taken for a number: its zero again where that is certain, as it is where no
    zero can be missing. None: nobody can say."""
    if not (phone.isascii() and phone.isdigit()) or phone.startswith(("0", "62")):
        return phone
    if _MOBILE.fullmatch(phone):
        return f"0{phone}"
    return phone if len(phone) <= 8 else None  # as dialled within a town


def objection(cell: str) -> str | None:
    """What the program wrote in the place of a value, as a sentence that says what to do. Holds for every column."""
    if cell == NO_RESULT:
        return "Sel ini berisi rumus yang hasilnya tidak tersimpan. Buka file di Excel, salin lalu tempel sebagai nilai (Values)."
    if _ERROR.fullmatch(cell):
        return "Sel ini berisi pesan kesalahan dari Excel, bukan isinya. Perbaiki rumusnya, atau ketik isinya."
    if cell in _TRUTH:
        return "Sel ini berisi nilai benar/salah (TRUE atau FALSE), bukan isinya. Ketik isinya."
    if cell in _NOTHING:
        return "Sel ini berisi tanda kosong dari program lain (misalnya NULL). Kosongkan sel ini, atau ketik isinya."
    if is_scientific(cell):
        return "Excel menyimpan sel ini sebagai angka yang dibulatkan. Ubah format kolomnya menjadi Teks, lalu ketik lagi isinya."
    if is_date(cell):
        return "Sel ini berisi tanggal atau jam. Ubah format kolomnya menjadi Teks, lalu ketik isinya."
    return None


def objection_to_text(cell: str) -> str | None:
    """The same, for a column of words."""
    if said := objection(cell):
        return said
    if is_number(cell):
        return "Sel ini hanya berisi angka. Periksa apakah isi kolom-kolomnya tertukar, lalu ketik isinya."
    if holds_html(cell):
        return "Sel ini berisi kode HTML (tanda & sampai titik koma). Ketik huruf atau tanda yang dimaksud."
    return None


def is_scientific(cell: str) -> bool:
    """`1.98609E+17`, in any locale."""
    return _SCIENTIFIC.fullmatch(cell) is not None


def is_date(cell: str) -> bool:
    return _DATE.fullmatch(cell) is not None


def is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def has_thousands(cell: str) -> bool:
    """`198,609,262` or `198'609'262`. With dots it may be the code of a place."""
    return _THOUSANDS.fullmatch(cell) is not None


def has_decimals(cell: str) -> bool:
    """One mark, and one or two digits behind it at the end: nobody groups a number like that."""
    return re.fullmatch(r"[0-9]+[.,](?:[0-9]{1,2}|0+)", cell) is not None


def holds_html(cell: str) -> bool:
    """A code that was not read: written twice over, or one of another mark."""
    return any(not found[1] or f"{found[1]};" in html5 for found in _ANY_HTML.finditer(cell))


def _as_mark(found: re.Match[str]) -> str:
    """One of three marks, so that nothing that steers a terminal or a page can come of it."""
    return _MARKS[re.sub("#(x?)0*", r"\1", found[1].lower())]
