"""What an office writes to its people in its own words, in a letter of the portal.

The letter leaves under the portal's name, and its readers have learned to trust that. So it leads nowhere: no
links, no addresses, no long numbers, and nothing that looks like a token. How the office is reached stands
below the words, as it is on record.
"""

import re
from dataclasses import dataclass

from app.domain.reset_secret import holds_secret
from app.domain.typed_text import few_lines

LONGEST_NOTICE = 600
_ADDRESS = re.compile(r"\S*(?:@|://|\bwww\.)\S*|[\w-]{2,}(?:\.[\w-]{2,})*\.[a-z]{2,}\S*", re.IGNORECASE)
_DAY_OR_HOUR = re.compile(r"\b\d{1,2}[-./]\d{1,2}[-./]\d{4}\b|\b\d{1,2}[.:]\d{2}\b")
_LONG_NUMBER = re.compile(r"\d(?:[\s().+-]{0,2}\d){7,}")


@dataclass(frozen=True)
class Notice:
    """Some lines in an admin's words."""

    words: str


@dataclass(frozen=True)
class NotANotice:
    """The sentence says what has to be written otherwise."""

    sentence: str


def read_notice(typed: str) -> Notice | NotANotice:
    words = few_lines(typed)
    if not words:
        return NotANotice("Tulis isi pemberitahuannya.")
    if len(words) > LONGEST_NOTICE:
        return NotANotice(f"Isi terlalu panjang. Tulis paling banyak {LONGEST_NOTICE} huruf.")
    if found := _ADDRESS.search(words):
        return NotANotice(
            f"Tulis tanpa tautan, alamat situs, atau alamat email: {found[0][:40]}. Bila itu bukan alamat, "
            "beri spasi sesudah titik."
        )
    if found := _LONG_NUMBER.search(_DAY_OR_HOUR.sub(" / ", words)):
        return NotANotice(
            f"Tulis tanpa nomor panjang: {found[0][:40]}. Kontak bantuan instansi sudah tercantum di bawah "
            "isi pemberitahuan."
        )
    if holds_secret(words):
        return NotANotice("Isi ini memuat sesuatu yang mirip token. Token hanya dikirim oleh portal sendiri.")
    return Notice(words)
