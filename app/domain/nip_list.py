"""A list of NIPs as an office has it: pasted from a spreadsheet or a chat, or the attachment of a letter of
appointment (SK) with its title, its numbers of rows and the names beside the NIPs.

Nobody on a list is lost without a word: a line either gives its NIPs, or is named with what is wrong.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from app.domain.nip import BETWEEN_DIGITS, Nip
from app.domain.rounded_nips import NipsOfFile, may_be_rounded
from app.domain.spreadsheet_cell import is_scientific
from app.domain.staff_file import NIP_ROUNDED, NIPS_ROUNDED, CellFault, read_nip_cell
from app.domain.typed_text import one_line

# The same on one line of a cell. One class without a group takes no memory, however long the text is.
_ON_A_LINE = BETWEEN_DIGITS.replace(
    r"\s", r" \x0b\x0c\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
)
_BETWEEN = f"{_ON_A_LINE}*"
# As one number or in the groups of a letter. What has decimals was a number in a spreadsheet, and is rounded.
_NIP = re.compile(
    rf"(?<![0-9])([0-9]{{8}}){_BETWEEN}([0-9]{{6}}){_BETWEEN}([0-9]){_BETWEEN}([0-9]{{3}})"
    r"(?![0-9]|[.,]0+(?![0-9]))"
)
_DIGIT = re.compile("[0-9]")
_DIGITS = re.compile(rf"[0-9](?:[0-9{_ON_A_LINE[1:-1]}]*[0-9])?")
_ROW_NUMBER = re.compile(r"^\s*[0-9]{1,4}[.)]?\s+(?=\D{0,3}[0-9]{5})")
_COLUMN_NUMBER = re.compile(r"\(?([0-9]{1,2})\)?\.?")
_TITLES_ABOVE = 20  # lines in which the heading of the table is looked for
_DIGITS_OF_A_HEADING = 2  # NIP (18 angka)
_WORDS_OF_A_TITLE = frozenset(("daftar", "lampiran", "nama", "nip", "no", "nomor", "pegawai"))
_NOT_THE_OWN_NIP = ("lama", "atasan", "pejabat", "penilai")
# Digits of what was meant as a NIP, beside another one. 16 would be a NIK, and fewer a phone number.
_MEANT_AS_NIP = (15, 17, 19, 20)
_FEWEST_OF_A_NUMBER = 5  # digits; fewer are part of a name or a formula
_LONGEST_SHOWN = 40
_NO_NIP = "Baris ini tidak berisi NIP. Isi NIP-nya, atau hapus baris ini."
_NO_NIP_IN_COLUMN = "Kolom NIP pada baris ini kosong. Isi NIP-nya, atau hapus baris ini."
_ANOTHER_NIP = 'Pada baris ini ada juga "{}": {} angka, padahal NIP terdiri dari 18 angka. Periksa lagi.'


@dataclass(frozen=True)
class Line:
    """One line with something in it, and its number as an editor or a spreadsheet counts."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True)
class LineFault:
    """A line that gives no NIP, or not all that it seems to hold, and what to do about it."""

    number: int
    shown: str  # the beginning of the line, for whoever has sent the list
    sentence: str
    bare: str  # letters and digits of what counts in the line: the same once it stands in the box


@dataclass(frozen=True)
class ReadLine:
    """What one line gives."""

    number: int
    text: str
    counted: str  # the part of it that counts
    nips: Sequence[Nip]
    sentences: Sequence[str]  # what is wrong with it


@dataclass(frozen=True)
class NipList:
    """What a list says, line by line."""

    lines: Sequence[ReadLine]

    @property
    def nips(self) -> list[Nip]:
        """Every NIP once, in the order of the list."""
        return list(dict.fromkeys(nip for line in self.lines for nip in line.nips))

    @property
    def repeated(self) -> int:
        """How often a NIP stands there that had been there before."""
        return sum(len(line.nips) for line in self.lines) - len(self.nips)

    @property
    def faults(self) -> list[LineFault]:
        return [
            LineFault(line.number, _cut(line.text), sentence, "".join(filter(str.isalnum, line.counted)))
            for line in self.lines
            for sentence in line.sentences
        ]

    @property
    def text(self) -> str:
        """The NIPs, and the lines with a fault as they are, each at its place: to be put right in a box."""
        at = {line.number: line for line in self.lines}
        places = range(1, max(at, default=0) + 1)
        return "\n".join(_put_right(at[number]) if number in at else "" for number in places)


def read_nip_list(lines: Sequence[Line]) -> NipList:
    """Read all lines. If the list has a heading for the NIPs, only its column counts: the letter's signature
    below the table holds a NIP too."""
    place, column = _heading_of(lines[:_TITLES_ABOVE]) or (-1, None)
    below = lines[place + 1 :]
    if below and _is_no_row(below[0], column):
        below = below[1:]
    found = [(line, list(_read(line, column))) for line in below]
    are_rounded = _are_rounded(one for _, ones in found for one in ones if isinstance(one, Nip))
    return NipList([_judged(line, column, ones, are_rounded=are_rounded) for line, ones in found])


def _judged(
    line: Line, column: int | None, found: Sequence[Nip | CellFault], *, are_rounded: bool
) -> ReadLine:
    judged = [
        _fault_of(one, are_rounded=are_rounded) or one if isinstance(one, Nip) else one for one in found
    ]
    return ReadLine(
        line.number,
        one_line(" ".join(line.cells)),
        _counted(line, column),
        [one for one in judged if isinstance(one, Nip)],
        [one.sentence for one in judged if isinstance(one, CellFault)],
    )


def _put_right(line: ReadLine) -> str:
    return line.counted if line.sentences else " ".join(nip.digits for nip in line.nips)


def _counted(line: Line, column: int | None) -> str:
    """Of a table only the cell with the NIP: other cells may hold the NIP of somebody else, such as a
    superior. If that cell is empty, the words of the line say whose line it is."""
    whole = one_line(" ".join(line.cells))
    if column is None:
        return whole
    return one_line(_cell_in(line, column)) or _DIGIT.sub("", whole).strip() or "?"


def _cell_in(line: Line, column: int) -> str:
    return line.cells[column] if column < len(line.cells) else ""


def _heading_of(lines: Sequence[Line]) -> tuple[int, int] | None:
    """The place of the line that names the columns, and of the column with the NIPs. There is no NIP above
    it."""
    for place, line in enumerate(lines):
        if any(map(_NIP.search, line.cells)):
            return None
        named = [(len(cell), column) for column, cell in enumerate(line.cells) if _is_heading(cell)]
        if named:
            return place, max(named)[1]  # `NIP Baru` rather than `NIP`
    return None


def _is_heading(cell: str) -> bool:
    name = "".join(filter(str.isalpha, cell.casefold()))
    if len(name) > _LONGEST_SHOWN or _digits_in(cell) > _DIGITS_OF_A_HEADING:
        return False
    is_about_nips = name.startswith("nip") or "indukpegawai" in name
    return is_about_nips and not any(word in name for word in _NOT_THE_OWN_NIP)


def _read(line: Line, column: int | None) -> Iterator[Nip | CellFault]:
    if column is None:
        yield from _read_all(line.cells)
        return
    if (cell := _cell_in(line, column)).strip():
        yield from _read_all([cell])
    else:
        yield CellFault(None, _NO_NIP_IN_COLUMN)


def _read_all(cells: Sequence[str]) -> Iterator[Nip | CellFault]:
    nips = [Nip("".join(parts)) for parts in chain.from_iterable(map(_NIP.findall, cells))]
    if not nips:
        yield _read_alone(max(cells, key=_digits_in))
        return
    yield from nips
    for cell in cells:
        rest = _NIP.sub(" ", cell)
        if (count := _digits_in(rest)) in _MEANT_AS_NIP:
            yield CellFault(None, _ANOTHER_NIP.format(_cut(rest), count))


def _read_alone(cell: str) -> Nip | CellFault:
    """A cell that does not hold a NIP as it is usually written."""
    if not _digits_in(cell):
        return CellFault(None, _NO_NIP)
    bare = _ROW_NUMBER.sub("", cell)
    number = max(_DIGITS.findall(bare), key=len)
    has_words = any(map(str.isalpha, bare)) and not is_scientific(bare.strip())
    return read_nip_cell(number if has_words and len(number) >= _FEWEST_OF_A_NUMBER else bare)


def _is_no_row(line: Line, column: int | None) -> bool:
    """The line below the heading that numbers the columns; or a heading that does not speak of NIPs."""
    if column is None:
        words = re.findall("[a-z]+", " ".join(line.cells).casefold())
        return not any(map(_digits_in, line.cells)) and not _WORDS_OF_A_TITLE.isdisjoint(words)
    numbers = [_COLUMN_NUMBER.fullmatch(cell.strip()) for cell in line.cells if cell.strip()]
    counted = [int(number[1]) for number in numbers if number]
    return len(counted) == len(numbers) > 1 and counted == sorted(set(counted))


def _digits_in(text: str) -> int:
    return len(_DIGIT.findall(text))


def _are_rounded(nips: Iterable[Nip]) -> bool:
    seen = NipsOfFile()
    for nip in nips:
        seen.look_at(nip.digits)
    return seen.are_rounded


def _fault_of(nip: Nip, *, are_rounded: bool) -> CellFault | None:
    if not nip.has_sequence:
        return NIP_ROUNDED
    return NIPS_ROUNDED if are_rounded and may_be_rounded(nip.digits) else None


def _cut(text: str) -> str:
    whole = one_line(text)
    return whole if len(whole) <= _LONGEST_SHOWN else f"{whole[:_LONGEST_SHOWN]}..."
