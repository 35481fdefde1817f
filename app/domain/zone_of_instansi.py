"""The time zone in which an instansi most likely works, from its name and code. It is a guess: the desk can
say otherwise.

A name that holds the name of a province decides. The code decides only for a province, regency or city, and
only if it begins like the code of a region (the first two digits are the province, in the list of the
Ministry of Home Affairs). Whether all codes of instansi are made like that was not found. Everything else
counts as WIB.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from app.domain.indonesian_time import Zone

_OF_A_REGION = re.compile(r"\b(?:pemprov|pemkab|pemkot|provinsi|kabupaten|kota)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _East:
    """One of the two zones that are not WIB: its provinces, and how the codes of their regions begin."""

    zone: Zone
    provinces: re.Pattern[str]
    codes: tuple[str, ...]


_EAST = (
    _East(
        Zone.WITA,
        re.compile(
            r"\b(?:bali|nusa tenggara|kalimantan (?:selatan|timur|utara)|sulawesi|gorontalo)\b", re.IGNORECASE
        ),
        ("51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"),
    ),
    _East(
        Zone.WIT,
        re.compile(r"\b(?:maluku|papua)\b", re.IGNORECASE),
        ("81", "82", "91", "92", "93", "94", "95", "96", "97"),
    ),
)


@lru_cache(maxsize=4096)
def guessed_zone(name: str, code: str) -> Zone:
    by_name = next((east.zone for east in _EAST if east.provinces.search(name)), None)
    if by_name or not _OF_A_REGION.search(name):
        return by_name or Zone.WIB
    return next((east.zone for east in _EAST if code.startswith(east.codes)), Zone.WIB)
