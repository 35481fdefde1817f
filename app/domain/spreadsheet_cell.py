"""What programs do to a cell before a file arrives here, and which of it can surely be undone.

A spreadsheet keeps 15 digits of a number, turns what looks like a date into one, and writes errors in the
place of a value. An export of another program protects its numbers against the first of these, and writes
marks as codes of HTML. This module tells these cases apart and guesses nothing: either it is certain what the
cell held before, or the cell is refused.
"""

import re
from html import unescape
from html.entities import html5

# Stands in the place of a formula whose result the file does not hold. It is refused like any error, also
# when it comes back in a corrected file.
NO_RESULT = "#FORMULA!"
MOST_DIGITS = 15  # a spreadsheet keeps this many of a number

_A_FORMULA = (
    "Sel ini berisi rumus yang hasilnya tidak tersimpan. Buka file di Excel, salin lalu tempel "
    "sebagai nilai (Values)."
)

_ERROR = re.compile(r"#+|#(?![0-9])[\w/¡¿]+[!?]?|(?:err|galat|kesalahan):\s?[0-9]{1,4}", re.IGNORECASE)
_TRUTH = frozenset(("TRUE", "FALSE", "True", "False", "true", "false"))
# A formula that takes its result from other cells. A formula that does not may be meant as text.
_REFERRING = re.compile(r"[=+@].*?(?<![A-Za-z0-9])\$?[A-Z]{1,3}\$?[1-9][0-9]*(?![A-Za-z0-9(])")
_NOTHING = frozenset((
    "NULL", "null", "(null)", "(NULL)", "<null>", "<NULL>", "[NULL]", "\\N", "NaN", "nan", "<NA>", "NaT",
    "None", "none",
    "undefined", "N/A", "n/a",
))  # fmt: skip
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,\u00a0\u202f ]*%?")
_SIGNED = re.compile(r"[+\-\u2212][0-9]")
_SCIENTIFIC = re.compile(
    r"[+-]?[0-9]+(?:[.,][0-9]*)*\s*(?:[eE]\s*[+-]?[0-9]{1,3}|[x×*]\s*10\s*\^?\s*[0-9]{1,3})"
)
_WITH_ZERO_DECIMALS = re.compile(r"([0-9]+)[.,]0+")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[,'’][0-9]{3})+(?:[.,][0-9]+)?")
_IN_THREES = re.compile(r"[0-9]{1,3}([.,'’`´\u066c\s])[0-9]{3}(?:\1[0-9]{3})+(?:[.,][0-9]+)?")
_MONTH = (
    "(?:jan(?:uari|uary)?|feb(?:ruari|ruary)?|mar(?:et|ch)?|apr(?:il)?|mei|may|jun[ei]?|jul[iy]?|agu(?:stus)?|agt|ags|"
    r"aug(?:ust)?|sept?(?:ember)?|okt(?:ober)?|oct(?:ober)?|no[vp](?:ember)?|des(?:ember)?|dec(?:ember)?)\.?"
)
_ZONE = r"(?:Z|[+-][0-9]{2}:?[0-9]{2}|WIB|WITA|WIT)"
_CLOCK = rf"[0-9]{{1,3}}[:.][0-9]{{2}}(?:[:.][0-9]{{2}}(?:[.,][0-9]+)?)?(?:\s?[ap]m)?\s?{_ZONE}?"
_DATE = re.compile(
    rf"(?!0[0-9]{{2}})(?:[a-z']+,\s*)?"
    rf"(?:[0-9]{{1,4}}[/\-][0-9]{{1,2}}[/\-][0-9]{{1,4}}|[0-9]{{1,2}}\.[0-9]{{1,2}}\.[0-9]{{4}}"
    rf"|[0-9]{{1,2}}[/\- ]{_MONTH}(?:[/\- ][0-9]{{2,4}})?|{_MONTH}[/\- "
    rf"][0-9]{{1,4}}(?:,?\s*[0-9]{{4}})?)(?:[T,\s]\s?{_CLOCK})?"
    rf"|(?=[0-9]+:){_CLOCK}|-?[0-9]+ days?,.*",
    re.IGNORECASE,
)
_QUOTES = "'\"`´‘’‚‛“”„‟«»′‵ʼ＇"
_BLANKS = " \t\r\n\u00a0\u2007\u2009\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u202f\u2060\u3000\ufeff"
_AROUND = _QUOTES + _BLANKS
_TEXT_FORMULA = re.compile(r'=\s*(?:"((?:[^"]|"")*)"|T\(\s*"((?:[^"]|"")*)"\s*\))', re.IGNORECASE)
_ANY_HTML = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|([A-Za-z][A-Za-z0-9]*));")
_LONGEST_HTML = 33  # the longest name of a code; a number with that many zeros is no real code
_MARKS = frozenset("'\"&`´‘’“”–")
# UTF-8 that was read as another encoding: an é as Ã©, a ’ as â€™. Also letters for which the other encoding
# had no sign.
_OF_TWO = "[\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_BROKEN = re.compile(f"[\xc2-\xdf]{_OF_TWO}|[\xe0-\xef]{_OF_TWO}{{2}}|[\xf0-\xf4]{_OF_TWO}{{3}}|\ufffd|[?]")
_UNSEEN = re.compile("_x[0-9A-Fa-f]{4}_")  # a workbook writes this for what XML has no sign for
_MOBILE = re.compile(r"8[1-9][0-9]{7,10}")  # 0812-3456-789 and longer, without its zero
_WITH_COUNTRY = re.compile(r"62[0-9]{9,13}")  # a shorter one may be 0622-123456 without its zero
_AS_DIALLED = re.compile(r"[1-9][0-9 .()\-]*")


def number_unguarded(cell: str) -> str:
    """A number, or a code, without what another program put around it to make a spreadsheet take it for text:
    `'1986...`, `="1986..."`, `=1986...`, a back-tick. Quotes at either end and invisible characters can go,
    because they hold no digit."""
    bare = text_unguarded(cell).strip(_AROUND)
    counted = bare.removeprefix("=").strip(_AROUND)
    return counted if re.fullmatch(r"\+?[0-9]+", counted) else bare


def text_unguarded(cell: str) -> str:
    """Text without `="..."` around it, and with the letters and marks that HTML writes as codes. An
    apostrophe at the beginning stays, because it may be a part of a name."""
    bare = _ANY_HTML.sub(_as_letter, cell.strip()) if "&" in cell else cell.strip()
    formula = _TEXT_FORMULA.fullmatch(bare)
    return (formula[1] or formula[2] or "").replace('""', '"').strip() if formula else bare


def without_zero_decimals(cell: str) -> str:
    """`12.0` becomes 12: a program that knows no whole numbers has written it."""
    found = _WITH_ZERO_DECIMALS.fullmatch(cell)
    return found[1] if found else cell


def with_leading_zero(phone: str) -> str | None:
    """A telephone number that a spreadsheet has taken for a number, with its zero again. Returned only if
    that is certain, or if no zero can be missing. None: nobody can know."""
    if not _AS_DIALLED.fullmatch(phone):
        return phone
    digits = re.sub("[^0-9]", "", phone)
    if _MOBILE.fullmatch(digits):
        return f"0{phone}"
    # Short ones are dialled within a town
    return phone if len(digits) <= 8 or _WITH_COUNTRY.fullmatch(digits) else None


def objection(cell: str) -> str | None:
    """What the program wrote in the place of a value, as a sentence that says what to do. It is the same for
    every column."""
    if cell == NO_RESULT or _REFERRING.match(cell):
        return _A_FORMULA
    if _ERROR.fullmatch(cell):
        return (
            "Sel ini berisi pesan kesalahan dari Excel, bukan isinya. Perbaiki rumusnya, atau ketik isinya."
        )
    if cell in _TRUTH:
        return "Sel ini berisi nilai benar/salah (TRUE atau FALSE), bukan isinya. Ketik isinya."
    if cell in _NOTHING:
        return (
            "Sel ini berisi tanda kosong dari program lain (misalnya NULL). Kosongkan sel ini, atau "
            "ketik isinya."
        )
    if is_scientific(cell):
        return (
            "Excel menyimpan sel ini sebagai angka yang dibulatkan. Ubah format kolomnya menjadi Teks, "
            "lalu ketik lagi isinya."
        )
    if is_date(cell):
        return "Sel ini berisi tanggal atau jam. Ubah format kolomnya menjadi Teks, lalu ketik isinya."
    return None


def objection_to_value(cell: str) -> str | None:
    """The same for a column of numbers, codes or addresses: none of these begins like a formula."""
    return objection(cell) or (_A_FORMULA if cell.startswith("=") else None)


def objection_to_text(cell: str) -> str | None:
    """The same, for a column of words."""
    if said := objection(cell):
        return said
    if is_number(cell):
        return "Sel ini hanya berisi angka. Periksa apakah isi kolom-kolomnya tertukar, lalu ketik isinya."
    if cell and cell[0] != "=" and not any(map(str.isalpha, cell)):
        return "Sel ini hanya berisi angka atau tanda, tanpa huruf. Ketik isinya."
    if holds_html(cell):
        return "Sel ini berisi kode HTML (tanda & sampai titik koma). Ketik huruf atau tanda yang dimaksud."
    return None


def is_scientific(cell: str) -> bool:
    """`1.98609E+17`, with the decimal mark of any locale."""
    return _SCIENTIFIC.fullmatch(cell) is not None


def is_date(cell: str) -> bool:
    return _DATE.fullmatch(cell) is not None


def is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def has_thousands(cell: str) -> bool:
    """`198,609,262` or `198'609'262`. A number with dots may be the code of a place."""
    return _THOUSANDS.fullmatch(cell) is not None


def is_in_threes(cell: str) -> bool:
    """`198.609.262` with the mark of any locale. Only a number that is shown in groups looks like this at
    that length."""
    return _IN_THREES.fullmatch(cell) is not None


def has_decimals(cell: str) -> bool:
    """One mark with one or two digits after it at the end, or a comma: nobody groups a number like that."""
    return re.fullmatch(r"[0-9]+(?:[.,](?:[0-9]{1,2}|0+)|,[0-9]+)", cell) is not None


def is_signed(cell: str) -> bool:
    return _SIGNED.match(cell) is not None


def has_broken_letters(cell: str) -> bool:
    return _BROKEN.search(cell) is not None


def holds_unseen(cell: str) -> bool:
    """A workbook's sign for a character that cannot be written: `_x000D_`."""
    return _UNSEEN.search(cell) is not None


def holds_html(cell: str) -> bool:
    """A code that was not decoded: one that was encoded twice, or one of another mark."""
    return any(not found[1] or f"{found[1]};" in html5 for found in _ANY_HTML.finditer(cell))


def _as_letter(found: re.Match[str]) -> str:
    """A letter, a mark of names or a blank, and nothing else, so that no result can control a terminal or a
    page."""
    meant = unescape(found[0]) if len(found[0]) <= _LONGEST_HTML else ""
    return (
        " "
        if meant == "\u00a0"
        else meant
        if meant in _MARKS or (len(meant) == 1 and meant.isalpha())
        else found[0]
    )
