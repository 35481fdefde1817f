"""Whether two spellings of a name can belong to the same person, without titles, and with the mistakes that
people make in names."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import Enum, auto

from app.domain.spoken_name import TITLES, beginnings_of, folded, spoken_words

_ALMOST = 0.8  # of difflib's ratio: wulandari and wulandary, soeharto and suharto
_SHORTEST_ALONE = 2  # letters


class Likeness(Enum):
    """How similar a typed name is to the one on record."""

    SAME = auto()
    IN_PART = auto()  # one name of several
    OTHER = auto()  # a word of it belongs to no name on record


def compare_names(typed: str, on_record: str) -> Likeness:
    """A first name alone proves little, and a name that many people share proves nothing: every typed word
    counts."""
    wanted, there = _words(typed), _words(on_record)
    if not wanted:
        return Likeness.OTHER
    # "siti nur aini" and "siti nuraini"
    if SequenceMatcher(None, "".join(wanted), "".join(there)).ratio() >= 0.9:
        return Likeness.SAME
    said = (*there, *beginnings_of(on_record))  # nuraini and aini are words of nur'aini, and of nur aini
    if not all(any(_is_same(word, one) for one in said) for word in wanted):
        return Likeness.OTHER
    return Likeness.IN_PART if len(wanted) == 1 < len(there) else Likeness.SAME


def greeted_as(name: str) -> str:
    """The word by which a page greets somebody: the first one that is neither a title nor an initial. A very
    short one (I Made, Ni Luh) is no name alone, so then it is the whole name. Capitals only are how files
    write names, not how people do."""
    words = [word for word in name.split(",")[0].split() if not _is_title(word)]
    shown = [word.capitalize() if word.isupper() else word for word in words]
    if not shown:
        return name
    return shown[0] if len(shown[0]) > _SHORTEST_ALONE else " ".join(shown)


def _is_title(word: str) -> bool:
    return word.endswith(".") or folded(word).replace(".", "") in TITLES


def _is_same(typed: str, on_record: str) -> bool:
    return on_record.startswith(typed) or SequenceMatcher(None, typed, on_record).ratio() >= _ALMOST


def _words(name: str) -> Sequence[str]:
    """The words of a name, without titles and initials. What stands after a comma counts as titles, unless
    nothing else is there."""
    every = spoken_words(name)
    before = [word for word in spoken_words(name.split(",")[0]) if len(word) > 1 and word not in TITLES]
    return before or every
