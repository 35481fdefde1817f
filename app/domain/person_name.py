"""Whether two spellings of a name can belong to the same person, without titles, and with the mistakes that
people make in names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum, auto

from app.domain.spoken_name import TITLES, beginnings_of, folded, spoken_words

_ALMOST = 0.8  # of difflib's ratio: wulandari and wulandary, soeharto and suharto
_ALMOST_WHOLE = 0.9
_BEGINNING = 0.1  # less like a word than any spelling of it
_SHORTEST_PART = 4  # letters; fewer are guessed too easily
_SHORTEST_ALONE = 2  # letters
_IN_FULL = dict.fromkeys(("muh", "moh", "muhd", "mohd", "mhd", "moch", "much"), "muhammad") | {"abd": "abdul"}


class Likeness(Enum):
    """How similar a typed name is to the one on record."""

    SAME = auto()
    IN_PART = auto()  # one name of several
    OTHER = auto()  # a word of it belongs to no name on record


def compare_names(typed: str, on_record: str) -> Likeness:
    """A first name alone proves little, and a name that many people share proves nothing: every typed word
    counts, each for another word on record. Guessed letters prove nothing either: the beginning of a word
    counts only beside a word that is there in full."""
    wanted, there = _words(typed), _words(on_record)
    if not wanted:
        return Likeness.OTHER
    if _is_whole(wanted, there):
        return Likeness.SAME
    if not _are_different_words(wanted, _Said(there, beginnings_of(on_record))):
        return Likeness.OTHER
    return Likeness.IN_PART if len(wanted) == 1 < len(there) else Likeness.SAME


def is_whole_name(typed: str, on_record: str) -> bool:
    """Whether every word of the name was typed, apart from titles and small mistakes. Who does not know the
    name cannot meet this."""
    wanted = _words(typed)
    return bool(wanted) and _is_whole(wanted, _words(on_record))


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


def _is_whole(wanted: Sequence[str], there: Sequence[str]) -> bool:
    """The words written together, because of "siti nur aini" and "siti nuraini"."""
    return _ratio("".join(wanted), "".join(there)) >= _ALMOST_WHOLE


@dataclass(frozen=True)
class _Said:
    """The words of the name on record, and the places from which one may begin to say it."""

    words: Sequence[str]
    beginnings: Sequence[str]

    def among(self, free: frozenset[int], typed: str) -> "_Found | None":
        """What this word most likely means, among those words on record that mean nothing else yet."""
        found = [_Found(self._likeness(typed, word), meant) for word, meant in self._one_or_two(free)]
        best = max(found, key=lambda one: one.likeness, default=None)
        return best if best and best.likeness else None

    def _one_or_two(self, free: frozenset[int]) -> Iterator[tuple[str, frozenset[int]]]:
        """Each free word, and two that follow each other written as one: nur aini, nuraini."""
        for place in sorted(free):
            yield self.words[place], frozenset({place})
            if place + 1 in free:
                yield self.words[place] + self.words[place + 1], frozenset({place, place + 1})

    def _likeness(self, typed: str, word: str) -> float:
        """0 for another word."""
        likeness = _ratio(typed, word)
        if likeness >= _ALMOST or len(typed) < _SHORTEST_PART:
            return likeness if likeness >= _ALMOST else 0
        if word.endswith(typed) and any(one.startswith(typed) for one in self.beginnings):
            return _ALMOST  # the last part of nur'aini is a name too
        return _BEGINNING if word.startswith(typed) else 0


@dataclass(frozen=True)
class _Found:
    likeness: float
    meant: frozenset[int]


def _are_different_words(wanted: Sequence[str], said: _Said) -> bool:
    """Whether each word means another word on record, at least one of them in full."""
    if len(wanted) > len(said.words):
        return False
    free, in_full = frozenset(range(len(said.words))), False
    for word in sorted(wanted, key=len, reverse=True):
        found = said.among(free, word)
        if found is None:
            return False
        free, in_full = free - found.meant, in_full or found.likeness > _BEGINNING
    return in_full


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _words(name: str) -> Sequence[str]:
    """The words of a name, without titles and initials. What stands after a comma counts as titles, unless
    nothing else is there. Usual short forms are written in full."""
    every = spoken_words(name)
    before = [word for word in spoken_words(name.split(",")[0]) if len(word) > 1 and word not in TITLES]
    return [_IN_FULL.get(word, word) for word in before or every]
