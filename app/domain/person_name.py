"""Whether two spellings of a name can be the same person's: titles aside, and with the slips that people make in names."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import Enum, auto

# fmt: off
_TITLES = frozenset((
    "dr", "drs", "dra", "ir", "prof", "hj", "kh", "rr", "spd", "mpd", "ssi", "msi", "sh", "mh", "se", "mm", "st", "mt",
    "skom", "mkom", "skm", "mkes", "sip", "map", "sap", "skep", "ns", "ners", "apt", "amd", "sag", "mag", "ssos", "sp",
    "mp", "spt", "drg", "bpk", "bapak", "ibu", "sdr", "sdri",
))
# fmt: on
_ALMOST = 0.8  # of difflib's ratio: wulandari and wulandary, soeharto and suharto


class Likeness(Enum):
    """How a typed name stands to the one on record."""

    SAME = auto()
    IN_PART = auto()  # one name of several
    OTHER = auto()  # a word of it belongs to no name on record


def compare_names(typed: str, on_record: str) -> Likeness:
    """A first name alone proves little, and one that many share proves nothing: every word that was typed counts."""
    wanted, there = _words(typed), _words(on_record)
    if not wanted:
        return Likeness.OTHER
    if SequenceMatcher(None, "".join(wanted), "".join(there)).ratio() >= 0.9:  # siti nur aini and siti nuraini
        return Likeness.SAME
    if not all(any(_is_same(word, one) for one in there) for word in wanted):
        return Likeness.OTHER
    return Likeness.IN_PART if len(wanted) == 1 < len(there) else Likeness.SAME


def _is_same(typed: str, on_record: str) -> bool:
    return on_record.startswith(typed) or SequenceMatcher(None, typed, on_record).ratio() >= _ALMOST


def _words(name: str) -> Sequence[str]:
    """Without titles and initials. What stands behind a comma is titles, unless it is all there is."""
    every = _split(name)
    before = [word for word in _split(name.split(",")[0]) if len(word) > 1 and word not in _TITLES]
    return before or every


def _split(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", re.sub(r"['’.`]", " ", name.casefold()))
