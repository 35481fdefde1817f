"""Files of staff and of instansi, row by row: which columns they have, what each cell must hold, and what to
do if it does not.

The sentences are for the person who prepared the file. They never repeat what a cell holds, so a report can
be shown anywhere.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeVar

from app.domain.categories import Category, read_category
from app.domain.contact import LONGEST_LINE, LONGEST_WORDS, Contact, kept_chat_number, kept_phone
from app.domain.email_address import EmailAddress, NotAnEmail, read_email
from app.domain.indonesian_time import Zone
from app.domain.nip import Nip, NotANip, read_nip
from app.domain.old_hash import OldHash, TooDear, read_old_hash
from app.domain.phone_number import (
    NotAPhone,
    is_of_the_whole_country,
)
from app.domain.spreadsheet_cell import (
    has_broken_letters,
    has_decimals,
    has_thousands,
    holds_unseen,
    is_in_threes,
    is_scientific,
    is_signed,
    number_unguarded,
    objection,
    objection_to_text,
    objection_to_value,
    text_unguarded,
    with_leading_zero,
    without_zero_decimals,
)
from app.domain.typed_text import about_others


@dataclass(frozen=True)
class Columns:
    """The columns that a kind of file must have, and those that it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


INSTANSI_COLUMNS = Columns(
    ("kode", "nama", "kontak"), ("telepon", "whatsapp", "email", "loket", "jam_layanan", "zona")
)
STAFF_COLUMNS = Columns(("nip", "nama", "email", "kategori", "kode_instansi", "unit_kerja"), ("telepon",))
# Only the operator brings hashes of an older system, never an admin's upload.
COMMAND_LINE_STAFF_COLUMNS = Columns(STAFF_COLUMNS.required, (*STAFF_COLUMNS.optional, "password_hash"))
# The columns that the list of refused rows adds. They are ignored in a file, so that a corrected list can be
# imported as it is.
REPORT_COLUMNS = ("baris", "kesalahan")

# Rights and access are never read from a file. These columns are named, so that nobody thinks they were read.
_NEVER_FROM_A_FILE = frozenset((
    "id", "user_id", "instansi_id", "role", "peran", "hak", "akses", "admin", "is_admin", "mandat",
    "status", "status_akun", "aktif", "is_active", "aktivasi", "activation",
    "password", "sandi", "kata_sandi", "credential_version", "token", "otp", "totp",
))  # fmt: skip

_DIGITS_OF_AN_OLD_NIP = 9  # an old NIP is printed in groups of three
_RESULTS_OF_NOTHING = ("0", "00", "000")  # the result of a formula that refers to an empty cell
_LONGEST_TEXT = 200
_LONGEST_CODE = 20
LONGEST_PHONE = 30
_LONGEST_HASH = 200
_UNWANTED_CHARACTERS = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_PHONE = re.compile(r"\+?[0-9(][0-9 ().\-]*")
# Cells as most files have them. Such a cell is what its column asks for, and says nothing else: no look below
# would find anything in it or change it. A test compares both ways.
_PLAIN_NIP = re.compile(r"[0-9]{15}(?!000)[0-9]{3}")
_PLAIN_NAME = re.compile(r"[A-Za-z]+\.?(?: [A-Za-z][A-Za-z.,'-]*)+(?: [0-9]+)?")
_PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,}"
)
_PLAIN_PHONE = re.compile(r"08[0-9]{8,11}")
_LONGEST_PLAIN = 60  # characters of an address or a name: no limit of any part of it is above that
# Digits; a shorter one is an extension, or a date that a spreadsheet keeps as a number of days
_FEWEST_OF_A_PHONE = 6
_WRITTEN_APART = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_THOUSANDS_OR_DECIMALS = re.compile(r"[1-9][0-9]{0,2}[.,]000")  # nobody can know which
# The hash has its salt and digest.
_HASH = re.compile(r"\$[a-z0-9-]+\$v=[0-9]+\$[a-z0-9=,]+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}")
# The signs of a formula in every width, together with the guards that already stand before them.
_FORMULA_SIGN = re.compile("'*[=+\\-@\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20\u2212]")
_GUARDS_OF_A_BLANK = re.compile(r"'*(?=[\t\r\n])")
# Signs at which a spreadsheet of another locale, or one that takes a quote for the beginning of a cell, would
# begin a new cell.
_BEGINS_A_CELL = frozenset(',;|"\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029')
_NOT_SEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Me", "Mn", "Zl", "Zp", "Zs"))
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that are invisible


@dataclass(frozen=True)
class CellFault:
    """What is wrong with one cell, as a sentence that says what to do. Without a column it is about the whole
    row. If the sentence names a number of one row, `in_general` is the sentence for all rows with this
    fault."""

    column: str | None
    sentence: str
    in_general: str | None = None

    @classmethod
    def of_row(cls, column: str | None, sentence: str, number: int, in_general: str) -> "CellFault":
        """A sentence with a number of this row in the place of its braces; for all rows, `in_general` takes
        that place."""
        return cls(column, sentence.format(number), sentence.format(in_general))

    @property
    def told(self) -> str:
        """The sentence with the column that "this cell" is in, for places where the sentence stands alone."""
        return self._with_column(self.sentence)

    @property
    def reason(self) -> str:
        """The sentence that is the same for all rows with this fault."""
        return self._with_column(self.in_general or self.sentence)

    def _with_column(self, sentence: str) -> str:
        return f"kolom {self.column}: {sentence}" if self.column else sentence


@dataclass(frozen=True)
class RowFaults:
    """Why a row cannot be taken over."""

    faults: tuple[CellFault, ...]


@dataclass(frozen=True)
class HeaderFaults:
    """Why the file's columns cannot be used, as sentences."""

    sentences: tuple[str, ...]


class StaffRow(NamedTuple):
    """One person as a file describes them. None: the file says nothing, so what is on record stays."""

    nip: Nip
    name: str
    email: EmailAddress | None
    category: Category
    instansi_code: str
    work_unit: str
    phone: str | None
    password_hash: str | None


@dataclass(frozen=True)
class InstansiRow:
    """One instansi as a file describes it."""

    code: str
    name: str
    contact: Contact  # an empty field: the file says nothing, so what is on record stays
    zone: Zone | None


NIP_AS_NUMBER = CellFault(
    "nip",
    "NIP tersimpan sebagai angka sehingga digit terakhir rusak. Ubah format kolom NIP menjadi Teks, "
    "lalu isi lagi NIP dari data asalnya.",
)

NIP_ROUNDED = CellFault(
    "nip",
    "NIP ini berakhir dengan 000: Excel telah membulatkannya. Ubah format kolom NIP menjadi Teks, "
    "lalu isi lagi NIP dari data asalnya.",
)

NIPS_ROUNDED = CellFault(
    "nip",
    "NIP dalam file ini sudah dibulatkan oleh program pengolah data, jadi digit terakhirnya bukan yang asli. "
    "Ubah format kolom NIP menjadi Teks, lalu isi lagi NIP dari data asalnya.",
)

NIP_WITH_THOUSANDS = CellFault(
    "nip",
    "NIP ini ditulis dengan pemisah ribuan, seperti angka. Ubah format kolom NIP menjadi Teks, "
    "lalu isi lagi NIP dari data asalnya.",
)

CODE_WITHOUT_ITS_ZEROS = CellFault(
    "kode_instansi",
    "Kode instansi ini hanya berbeda angka 0 di depannya dari kode yang terdaftar: Excel menghilangkan "
    "angka 0 itu. Ubah format kolomnya menjadi Teks, lalu ketik lagi kodenya dengan lengkap.",
)

HASH_NOT_USABLE = CellFault(
    "password_hash",
    "Hash password ini tidak dapat dipakai portal (hanya bcrypt, pbkdf2_sha256, sha512_crypt, dan argon2id "
    "dengan m=19456,t=2,p=1). Kosongkan sel ini; pegawai mengaktifkan akun dengan Lupa Password.",
)

HASH_TOO_DEAR = CellFault(
    "password_hash",
    "Hash password ini terlalu berat: setiap login di portal akan menunggu karenanya (paling berat bcrypt "
    "12, pbkdf2_sha256 1.200.000 putaran, sha512_crypt 700.000 putaran). Kosongkan sel ini; pegawai "
    "mengaktifkan akun dengan Lupa Password.",
)


def read_header(cells: Sequence[str], columns: Columns) -> tuple[str, ...] | HeaderFaults:
    """The names of the columns in the order of the file. Case, spaces and empty cells at the end do not
    matter."""
    names = [_column_name(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    known = (*columns.required, *columns.optional, *REPORT_COLUMNS)
    missing = [name for name in columns.required if name not in names]
    sentences = []
    if missing:
        sentences.append(
            f"Kolom {', '.join(missing)} tidak ada. Tambahkan pada baris judul: {_wanted(columns)}."
        )
    for position, name in enumerate(names, start=1):
        if not name:
            sentences.append(f"Kolom ke-{position} tidak berjudul. Isi judulnya, atau hapus kolom itu.")
        elif name in names[: position - 1]:
            sentences.append(f"Kolom {_shown(name)} ada lebih dari satu kali. Sisakan satu saja.")
        elif name in _NEVER_FROM_A_FILE:
            sentences.append(
                f"Kolom {_shown(name)} tidak boleh ada: hak, status, dan akses akun tidak diatur lewat "
                "file. Hapus kolom itu."
            )
        elif name not in known:
            sentences.append(f"Kolom {_shown(name)} tidak dikenal. Hapus kolom itu, atau perbaiki judulnya.")
    return HeaderFaults(tuple(sentences)) if sentences else tuple(names)


def read_staff_row(cells: Mapping[str, str]) -> StaffRow | RowFaults:
    """Read one person. Every cell is looked at, so that one pass shows everything that is wrong."""
    nip = _nip(cells["nip"])
    name = _words(cells["nama"], "nama", "nama lengkap pegawai")
    email = _email(cells["email"])
    category = _category(cells["kategori"])
    code = _instansi_code(cells["kode_instansi"])
    unit = _unit(cells["unit_kerja"])
    phone = _phone(cells.get("telepon", ""))
    password_hash = _password_hash(cells.get("password_hash", ""))
    if (
        isinstance(nip, CellFault)
        or isinstance(name, CellFault)
        or isinstance(email, CellFault)
        or isinstance(category, CellFault)
        or isinstance(code, CellFault)
        or isinstance(unit, CellFault)
        or isinstance(phone, CellFault)
        or isinstance(password_hash, CellFault)
    ):
        return _faults_among(nip, name, email, category, code, unit, phone, password_hash)
    return StaffRow(nip, name, email, category, code, unit, phone, password_hash)


def read_instansi_row(cells: Mapping[str, str]) -> InstansiRow | RowFaults:
    """Read one instansi."""
    code = _code(cells["kode"], "kode")
    name = _words(cells["nama"], "nama", "nama instansi")
    phone = _number_of_office(cells.get("telepon", ""), "telepon", kept_phone)
    whatsapp = _number_of_office(cells.get("whatsapp", ""), "whatsapp", kept_chat_number)
    email = _email_of_office(cells.get("email", ""))
    place = _line(cells.get("loket", ""), "loket")
    hours = _line(cells.get("jam_layanan", ""), "jam_layanan")
    zone = _zone(cells.get("zona", ""))
    # People who wait or are refused are told to ask there, so they cannot go on if nothing leads there.
    leads_there = bool(phone or whatsapp or email or place)
    words = "" if leads_there and not cells["kontak"].strip() else _contact(cells["kontak"])
    if (
        isinstance(code, CellFault)
        or isinstance(name, CellFault)
        or isinstance(words, CellFault)
        or isinstance(phone, CellFault)
        or isinstance(whatsapp, CellFault)
        or isinstance(email, CellFault)
        or isinstance(place, CellFault)
        or isinstance(hours, CellFault)
        or isinstance(zone, CellFault)
    ):
        return _faults_among(code, name, words, phone, whatsapp, email, place, hours, zone)
    return InstansiRow(code, name, Contact(phone, whatsapp, email, place, hours, words), zone)


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, whatever it takes for the end of a cell (OWASP, CSV
    Injection). An apostrophe stands before each sign that could come first in a cell, after blanks and
    invisible characters. Every such place gets one apostrophe more than it has, so that `unguarded` gives
    back the cell exactly."""
    for place in reversed(_places_of_guards(cell)):
        cell = f"{cell[:place]}'{cell[place:]}"
    return cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`, because a corrected list of refused rows is imported again."""
    if "'" not in cell:
        return cell
    for place in reversed(_places_of_guards(cell)):
        if cell[place] == "'":
            cell = cell[:place] + cell[place + 1 :]
    return cell


def _places_of_guards(cell: str) -> list[int]:
    """The places in their order; each stands before the guards that are already there."""
    first = _GUARDS_OF_A_BLANK.match(cell)
    signs = (sign.start() for sign in _FORMULA_SIGN.finditer(cell))
    return [0] * (first is not None) + [place for place in signs if _may_begin_a_cell(cell, place)]


def _may_begin_a_cell(cell: str, place: int) -> bool:
    while place and cell[place - 1] not in _BEGINS_A_CELL:
        place -= 1
        if cell[place] not in _FILLERS and unicodedata.category(cell[place]) not in _NOT_SEEN:
            return False
    return True


def _column_name(cell: str) -> str:
    """`Kode  Instansi` becomes `kode_instansi`."""
    return re.sub(r"[\s_\-]+", "_", cell.strip("\ufeff \t\r\n\u00a0").casefold())


def _wanted(columns: Columns) -> str:
    optional = f" (boleh ditambah {', '.join(columns.optional)})" if columns.optional else ""
    return ", ".join(columns.required) + optional


def _shown(name: str) -> str:
    """A column's name for a terminal or a page: short, and without characters that could control either."""
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return f'"{printable[:40]}"'


def _faults_among(*cells: object) -> RowFaults:
    return RowFaults(tuple(cell for cell in cells if isinstance(cell, CellFault)))


_Read = TypeVar("_Read")


def _remembering(read: Callable[[str], _Read]) -> Callable[[str], _Read]:
    """The same for a column that repeats a few values in row after row. Long cells are not kept: a file of
    them would fill the memory."""
    remembered = lru_cache(maxsize=4096)(read)
    return lambda cell: remembered(cell) if len(cell) <= _LONGEST_TEXT else read(cell)


def _nip(cell: str) -> Nip | CellFault:
    """Never another NIP than the one that the maker of the file had: a NIP that a spreadsheet has rounded
    belongs to nobody, or to somebody else."""
    if _PLAIN_NIP.fullmatch(cell):
        return Nip(cell)
    bare = number_unguarded(cell).rstrip(".,; ")
    if is_scientific(bare) or has_decimals(bare) or is_signed(bare):
        return NIP_AS_NUMBER
    if said := objection_to_value(bare):
        return CellFault("nip", said)
    if is_in_threes(bare) and sum(map(str.isdigit, bare)) > _DIGITS_OF_AN_OLD_NIP:
        return NIP_WITH_THOUSANDS
    nip = read_nip(bare)
    if isinstance(nip, NotANip):
        return CellFault("nip", about_others(nip.sentence))
    return nip if nip.has_sequence else NIP_ROUNDED


def _email(cell: str) -> EmailAddress | CellFault | None:
    if len(cell) <= _LONGEST_PLAIN and _PLAIN_EMAIL.fullmatch(cell):
        return EmailAddress(cell)
    bare = text_unguarded(cell)
    if not bare:
        return None
    if bare.strip("-\u2010\u2011\u2012\u2013\u2014_. ") == "":
        return CellFault(
            "email", "Sel ini hanya berisi tanda. Kosongkan sel ini bila pegawai belum punya email."
        )
    if said := objection_to_value(bare) or objection_to_text(bare):
        return CellFault("email", said)
    address = read_email(bare)
    if not isinstance(address, NotAnEmail):
        return address
    without = "" if "@" in bare else " Bila emailnya belum ada, kosongkan sel ini."
    return CellFault("email", f"{about_others(address.sentence)}{without}")


@_remembering
def _category(cell: str) -> Category | CellFault:
    bare = number_unguarded(cell)
    choices = ", ".join(category.label for category in Category)
    if not bare:
        return CellFault("kategori", f"Isi kategori: {choices}.")
    if said := objection_to_value(bare):
        return CellFault("kategori", said)
    return read_category(bare) or CellFault(
        "kategori", f"Kategori ini tidak dikenal. Isi salah satu: {choices}."
    )


def _words(cell: str, column: str, what: str) -> str | CellFault:
    """A name, of a person or an office."""
    if len(cell) <= _LONGEST_PLAIN and _PLAIN_NAME.fullmatch(cell):
        return cell
    bare = text_unguarded(cell)
    if said := objection_to_text(bare):
        return CellFault(column, said)
    if has_broken_letters(bare):
        return CellFault(
            column, "Ada huruf yang rusak dalam sel ini, misalnya menjadi tanda tanya. Ketik ulang isinya."
        )
    if "@" in bare and isinstance(read_email(bare), EmailAddress):
        return CellFault(
            column,
            f"Sel ini berisi alamat email. Periksa apakah isi kolom-kolomnya tertukar, lalu ketik {what}.",
        )
    return _text(bare, column, what, _LONGEST_TEXT)


def _code(cell: str, column: str) -> str | CellFault:
    written = number_unguarded(cell)
    bare = without_zero_decimals(written)
    if said := objection_to_value(bare):
        return CellFault(column, said)
    if has_thousands(written) or _THOUSANDS_OR_DECIMALS.fullmatch(written):
        return CellFault(
            column,
            "Kode ini ditulis dengan pemisah ribuan. Ubah format kolomnya menjadi Teks, lalu ketik lagi.",
        )
    if bare == "0" or is_signed(bare) or re.fullmatch(r"[0-9]+,[0-9]+|[0-9.,]+\s?%", bare):
        return CellFault(
            column,
            "Kode ini tersimpan sebagai angka. Ubah format kolomnya menjadi Teks, lalu ketik lagi kodenya.",
        )
    if any(character.isdigit() and not character.isascii() for character in bare):
        return CellFault(
            column, "Ada angka dengan huruf lain dalam kode ini. Ketik ulang dengan angka 0 sampai 9."
        )
    return _text(bare if any(map(str.isalnum, bare)) else "", column, "kode instansi", _LONGEST_CODE)


@_remembering
def _instansi_code(cell: str) -> str | CellFault:
    return _code(cell, "kode_instansi")


@_remembering
def _unit(cell: str) -> str | CellFault:
    return _words(cell, "unit_kerja", "nama unit kerja")


def _contact(cell: str) -> str | CellFault:
    """A sentence, an address or a telephone number."""
    bare = text_unguarded(cell)
    if said := objection(bare):
        return CellFault("kontak", said)
    if re.fullmatch(r"[1-9][0-9.,]*", bare):
        phone = _dialled("kontak", bare)
        if isinstance(phone, CellFault):
            return phone
        bare = phone
    bare = "" if bare in _RESULTS_OF_NOTHING else bare
    return _text(bare, "kontak", "kontak bantuan yang dapat dihubungi pegawai", LONGEST_WORDS)


def _number_of_office(cell: str, column: str, kept: Callable[[str], str | NotAPhone]) -> str | CellFault:
    """A number that people will tap, so it must be one that can be dialled."""
    bare = number_unguarded(cell).translate(_WRITTEN_APART)
    if not bare:
        return ""
    if said := objection_to_value(bare):
        return CellFault(column, said)
    if re.fullmatch(r"[1-9][0-9.,]*", bare) and not is_of_the_whole_country(bare):
        whole = _dialled(column, bare)
        if isinstance(whole, CellFault):
            return whole
        bare = whole
    read = kept(bare)
    return CellFault(column, read.sentence) if isinstance(read, NotAPhone) else read


def _email_of_office(cell: str) -> str | CellFault:
    email = _email(cell)
    if email is None:
        return ""
    return email if isinstance(email, CellFault) else email.text


def _line(cell: str, column: str) -> str | CellFault:
    """A place, or hours: words and figures in any order."""
    bare = text_unguarded(cell)
    if not bare:
        return ""
    if said := objection(bare):
        return CellFault(column, said)
    return _text(bare, column, "sel ini", LONGEST_LINE)


def _zone(cell: str) -> Zone | CellFault | None:
    bare = text_unguarded(cell).upper()
    if not bare:
        return None
    if bare not in list(Zone):
        return CellFault("zona", "Isi WIB, WITA, atau WIT, atau kosongkan.")
    return Zone(bare)


def _phone(cell: str) -> str | CellFault | None:
    if not cell or _PLAIN_PHONE.fullmatch(cell):
        return cell or None
    bare = number_unguarded(cell).translate(_WRITTEN_APART)
    if said := objection_to_value(bare):
        return CellFault("telepon", said)
    if bare in _RESULTS_OF_NOTHING:
        return CellFault("telepon", "Sel ini hanya berisi angka 0. Isi nomor teleponnya, atau kosongkan.")
    dialled = _dialled("telepon", bare)
    phone = dialled if isinstance(dialled, CellFault) else read_phone(dialled)
    if isinstance(phone, str) and _is_no_telephone(phone):
        return CellFault(
            "telepon",
            "Nomor telepon ini terlalu pendek. Tulis lengkap, misalnya 081234567890, atau kosongkan.",
        )
    return phone


def _is_no_telephone(phone: str) -> bool:
    digits = re.sub("[^0-9]", "", phone)
    return not digits.strip("0") or (len(digits) < _FEWEST_OF_A_PHONE and not phone.startswith(("0", "+")))


def _dialled(column: str, bare: str) -> str | CellFault:
    """A telephone number as it is dialled, even if a spreadsheet has treated it as a number."""
    whole = without_zero_decimals(bare)
    if has_decimals(whole):
        return CellFault(
            column,
            "Nomor telepon ini tersimpan sebagai angka. Ubah format kolomnya menjadi Teks, lalu ketik lagi.",
        )
    if is_in_threes(whole) and not whole.startswith("0"):
        whole = re.sub("[^0-9]", "", whole)
    phone = with_leading_zero(whole)
    if phone is None:
        return CellFault(
            column,
            "Nomor telepon ini tidak diawali 0, +, atau 62. Tulis lengkap dengan kode area, sebagai teks.",
        )
    return phone


def _text(cell: str, column: str, what: str, longest: int) -> str | CellFault:
    """Text in one spelling: composed characters, single spaces."""
    text = unicodedata.normalize("NFC", cell.strip())
    if not text:
        return CellFault(column, f"Isi {what}.")
    if "\n" in text or "\r" in text:
        return CellFault(column, "Sel ini berisi baris baru. Tulis dalam satu baris.")
    # What is printable holds no unwanted character; the long way is for blanks of other kinds
    if holds_unseen(text) or not (text.isprintable() or _is_wanted(text)):
        return CellFault(column, "Sel ini berisi karakter yang tidak terlihat. Ketik ulang isinya.")
    text = " ".join(text.split())
    if len(text) > longest:
        sentence = f"Isi sel ini {{}} karakter. Singkatkan menjadi paling banyak {longest} karakter."
        return CellFault.of_row(column, sentence, len(text), "beberapa")
    return text


def _is_wanted(text: str) -> bool:
    return all(unicodedata.category(character) not in _UNWANTED_CHARACTERS for character in text)


def read_phone(cell: str) -> str | CellFault | None:
    """A number as people write it, with single spaces. None for an empty cell."""
    phone = " ".join(cell.split())
    if not phone:
        return None
    if not _PHONE.fullmatch(phone):
        return CellFault(
            "telepon", "Tulis nomor telepon dengan angka saja, misalnya 081234567890, atau kosongkan."
        )
    if len(phone) > LONGEST_PHONE:
        return CellFault(
            "telepon",
            f"Nomor telepon terlalu panjang. Isi satu nomor saja, paling banyak {LONGEST_PHONE} karakter.",
        )
    return phone


def _password_hash(cell: str) -> str | CellFault | None:
    """Checks only the shape. The module that hashes passwords knows whether the portal can verify the
    hash."""
    password_hash = cell.strip()
    if not password_hash:
        return None
    match read_old_hash(password_hash):
        case TooDear():
            return HASH_TOO_DEAR
        case OldHash():
            return password_hash
    if len(password_hash) > _LONGEST_HASH or not _HASH.fullmatch(password_hash):
        return HASH_NOT_USABLE
    return password_hash
