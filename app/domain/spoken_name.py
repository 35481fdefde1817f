"""Names as they are spoken: Ma'ruf and Maruf, Nur'aini and Nur Aini, S.Pd. and SPd, José and Jose sound the
same.

A name is kept as the beginnings from which somebody may start to say it: from each of its pieces to its end,
written together. One look-up of a beginning then finds the name, with or without the marks and blanks between
the pieces.
"""

import re
import unicodedata

LONGEST_BEGINNING = 24  # characters; anything typed after them is not compared

# fmt: off
TITLES = frozenset((
    "dr", "drs", "dra", "ir", "prof", "hj", "kh", "rr", "spd", "mpd", "ssi", "msi", "sh", "mh", "se", "mm",
    "st", "mt",
    "skom", "mkom", "skm", "mkes", "sip", "map", "sap", "skep", "ns", "ners", "apt", "amd", "sag", "mag",
    "ssos", "sp",
    "mp", "spt", "drg", "bpk", "bapak", "ibu", "sdr", "sdri", "shum", "mhum", "spdi", "mpdi", "spsi", "mpsi",
    "sstp",
))
# fmt: on
_APOSTROPHES = "'’‘‛′`´ʼʻʽʾʿˈ＇｀"
_TO_ONE_APOSTROPHE = str.maketrans(_APOSTROPHES, "'" * len(_APOSTROPHES))
_PIECE = re.compile(r"[^\W_]+")
_APART = re.compile(r"[\s,;/()&+]+")
_JOINED = re.compile(r"['\-‐‑‒–—―_]+")


def folded(text: str) -> str:
    """The text in small letters, without accents and invisible characters, and with one kind of
    apostrophe."""
    small = text.translate(_TO_ONE_APOSTROPHE).casefold()
    if small.isascii():  # most names: there is nothing to take away
        return small
    plain = unicodedata.normalize("NFKD", small)
    return "".join(letter for letter in plain if unicodedata.category(letter) not in ("Mn", "Me", "Cf"))


def beginnings_of(name: str) -> list[str]:
    """The places from which one may begin to say the name, each once and cut to LONGEST_BEGINNING: nur'aini
    s.pd, aini s.pd, s.pd and pd, as letters and digits only."""
    pieces = _PIECE.findall(folded(name))
    found, rest = set(), ""
    for piece in reversed(pieces):
        rest = (piece + rest)[:LONGEST_BEGINNING]
        found.add(rest)
    return sorted(found)


def asked_for(typed: str) -> list[str]:
    """What somebody who typed this looks for: each is the beginning of something in the name. An apostrophe
    or a hyphen joins two parts. A dot joins only in a title, because another name begins after an initial:
    m.yusuf can also be Muhammad Yusuf."""
    asked: set[str] = set()
    for word in _APART.split(folded(typed)):
        pieces = _PIECE.findall(_JOINED.sub("", word))
        together = "".join(pieces)
        asked.update([together] if together in TITLES else pieces)
    return sorted(word[:LONGEST_BEGINNING] for word in asked)


def spoken_words(name: str) -> list[str]:
    """The words of a name in their order, without marks. Parts that an apostrophe or a hyphen joins are one
    word."""
    return [piece for word in _APART.split(folded(name)) for piece in _PIECE.findall(_JOINED.sub("", word))]
