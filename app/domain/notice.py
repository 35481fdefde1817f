"""What an office writes to its people in its own words, in a letter of the portal.

Like everything that an admin writes into a letter, it leads nowhere. How the office is reached stands below
the words, as it is on record.
"""

from dataclasses import dataclass

from app.domain.letter_words import why_not_in_a_letter
from app.domain.typed_text import few_lines

LONGEST_NOTICE = 600


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
    if refusal := why_not_in_a_letter(words):
        return NotANotice(refusal)
    return Notice(words)
