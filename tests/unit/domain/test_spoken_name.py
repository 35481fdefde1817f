"""People who look for a name write it as it is spoken. The records have it as somebody has spelled it."""

import pytest

from app.domain.password_policy import Owner, personal_faults
from app.domain.person_name import Likeness, compare_names
from app.domain.spoken_name import LONGEST_BEGINNING, asked_for, beginnings_of, folded

APOSTROPHES = "'’‘‛`´ʼʻʽʾʿ′＇"
HYPHENS = "-‐‑‒–—―"


def _finds(typed: str, name: str) -> bool:
    own, asked = beginnings_of(name), asked_for(typed)
    return bool(asked) and all(any(one.startswith(word) for one in own) for word in asked)


@pytest.mark.parametrize("mark", APOSTROPHES)
def test_an_apostrophe_of_any_kind_is_not_heard(mark: str) -> None:
    for typed in ("maruf", f"ma{mark}ruf", "MARUF", f"Ma{mark} Ruf", "ahmad maruf", "ma ruf", "mar"):
        assert _finds(typed, f"H. Ahmad Ma{mark}ruf, S.Pd."), typed
    assert _finds(f"ma{mark}ruf", "Maruf")
    assert _finds(f"ma{mark}ruf", "Ma'ruf")
    assert _finds(f"ma{mark}ruf", "Ma ruf")


@pytest.mark.parametrize("mark", HYPHENS)
def test_nor_is_a_hyphen(mark: str) -> None:
    for typed in ("alamin", "al amin", f"al{mark}amin", "amin", "al"):
        assert _finds(typed, f"Muhammad Al{mark}Amin"), typed
    assert _finds(f"al{mark}amin", "Alamin")
    assert _finds(f"al{mark}amin", "Al Amin")


FOUND = [
    ("nuraini", "Siti Nur'aini"), ("nur aini", "Siti Nur'aini"), ("nuraini", "Siti Nur Aini"), ("aini",
    "Nur'aini"),
    ("spd", "Budi, S.Pd."), ("s.pd", "Budi, S.Pd."), ("s.pd.", "Budi S. Pd"), ("spd", "Budi, S. Pd."),
    ("s. pd", "Budi, S.Pd"),
    ("s.pd", "Budi SPd"), ("mhum", "Dr. Sari, S.S., M.Hum."), ("m.hum", "Sari M.Hum"),
    ("mpd", "Budi, S.Pd.M.Pd"),
    ("jose", "José Pérez"), ("josé perez", "Jose Pe\u0301rez"), ("nur  aini", "Nur   Aini"), ("abdul",
    "H. Abdul Rahman"),
    ("h. abdul", "H. Abdul Rahman"), ("h.abdul", "Haji Abdul Rahman"), ("abdulrahman", "H. Abdul Rahman"),
    ("m.yusuf", "M. Yusuf"), ("m.yusuf", "Muhammad Yusuf"), ("m yusuf", "M.Yusuf"), ("yusuf m", "M. Yusuf"),
    ("sar wul", "Sari Wulandari"), ("wulandari, sari", "Sari Wulandari"), ("dian", "Di\u00adan"), ("dian",
    "Di\u200ban"),
    ("sari/wulan", "Sari Wulandari"), ("sitinurainipurwaningrum", "Siti Nur'aini Purwaningrum"),
    ("sitinurainipurwaningrumwulandari", "Siti Nur'aini Purwaningrum Wulandari"),
]  # fmt: skip
NOT_FOUND = [
    ("ulandari", "Sari Wulandari"), ("sari budi", "Sari Wulandari"), ("moh", "Muhammad Yusuf"), ("ruf x",
    "Ma'ruf"),
    ("wulansari", "Sari Wulan"), ("'", "Sari"), ("-", "Sari"), ("", "Sari"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "name"), FOUND)
def test_found(typed: str, name: str) -> None:
    assert _finds(typed, name)


@pytest.mark.parametrize(("typed", "name"), NOT_FOUND)
def test_not_found(typed: str, name: str) -> None:
    assert not _finds(typed, name)


@pytest.mark.parametrize(
    "name", ["Siti Nur'aini Putri, S.Pd.", "A" * 300, "a " * 2000, "a'" * 2000, "", "''", "M. Hum"]
)
def test_no_more_is_kept_of_a_name_than_it_has_pieces(name: str) -> None:
    kept = beginnings_of(name)

    assert len(kept) <= max(1, len(name.replace("'", " ").replace(".", " ").split()))
    assert all(len(word) <= LONGEST_BEGINNING for word in kept)


@pytest.mark.parametrize(
    ("typed", "on_record", "likeness"),
    [
        ("Maruf Hidayat", "Ma’ruf Hidayat", Likeness.SAME),
        ("Ma'ruf Hidayat", "Maruf Hidayat, S.Pd.", Likeness.SAME),
        ("Nuraini", "Siti Nur'aini", Likeness.IN_PART),
        ("Aini", "Siti Nur'aini", Likeness.IN_PART),
        ("Nuraini", "Siti Nur Aini", Likeness.IN_PART),
        ("José Perez", "Jose Pérez", Likeness.SAME),
        ("Al Amin Yusuf", "Al-Amin Yusuf", Likeness.SAME),
        ("Budi Santoso", "Ma'ruf Hidayat", Likeness.OTHER),
    ],
)
def test_a_name_at_the_desk_is_compared_as_it_is_spoken(
    typed: str, on_record: str, likeness: Likeness
) -> None:
    assert compare_names(typed, on_record) is likeness


@pytest.mark.parametrize(
    ("name", "password"), [("Ma'ruf", "Maruf2024!"), ("Maruf", "Ma'ruf2024!"), ("José", "Jose1990!x")]
)
def test_a_password_may_not_hold_the_name_as_it_is_spoken(name: str, password: str) -> None:
    assert personal_faults(password, Owner("198001012005011001", name, None, None))
    assert not personal_faults("Kuda-Laut7", Owner("198001012005011001", name, None, None))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Andr\u00e9a", "andrea"),
        ("Andre\u0301a", "andrea"),
        ("Sa\u200bri", "sari"),
        ("S\u20ddari", "sari"),
        ("Ma\u2019ruf", "ma'ruf"),
    ],
)
def test_marks_on_letters_are_not_heard(written: str, spoken: str) -> None:
    assert folded(written) == spoken


def test_a_name_may_be_said_from_each_of_its_pieces() -> None:
    assert beginnings_of("Nur'aini, S.Pd") == ["ainispd", "nurainispd", "pd", "spd"]
    assert beginnings_of("a" * 30) == ["a" * LONGEST_BEGINNING]
