"""People who set up a portal copy .env.example. It is complete, has the true defaults, and says what is
missing."""

import re
from dataclasses import replace
from io import StringIO
from itertools import pairwise

import pytest
from dotenv import dotenv_values

from config import EXAMPLES, ROOT, BadSetting, Settings

TEXT = (ROOT / ".env.example").read_text()
_SETTING = re.compile(r"(# )?([A-Z_]+)=(.*)")
_OF_FLASK = {"FLASK_DEBUG"}  # the portal reads it, but does not recommend it
KEY = "vN2x-honest-7Qd0pJr4_key-Zt9LmW3cYbA"


def _read(text: str) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(text)).items()}


def _filled(text: str) -> dict[str, str]:
    return {**_read(text), "SECRET_KEY": KEY, "MAIL_PASSWORD": "x"}


def test_every_setting_stands_in_the_example_once_and_nothing_else_does() -> None:
    names = [found[2] for found in map(_SETTING.fullmatch, TEXT.splitlines()) if found]

    assert sorted(names) == sorted(EXAMPLES.keys() - _OF_FLASK)
    assert not [
        line for line in TEXT.splitlines() if line and line[0] != "#" and not _SETTING.fullmatch(line)
    ]


def test_each_setting_has_a_line_of_words_above_it() -> None:
    lines = TEXT.splitlines()
    for above, line in pairwise(lines):
        if _SETTING.fullmatch(line):
            assert re.match(r"# .*[.:)]|# .*'$", above), line
            assert not _SETTING.fullmatch(above), line


def test_as_it_stands_the_example_says_what_is_to_be_filled_in() -> None:
    with pytest.raises(BadSetting) as refused:
        Settings.from_env(_read(TEXT))

    assert {fault.name for fault in refused.value.faults} == {"SECRET_KEY", "MAIL_USERNAME"}


def test_filled_in_it_is_a_portal_in_production() -> None:
    settings = Settings.from_env(_filled(TEXT))

    assert settings.env == "production"
    assert settings.mail_server is not None
    assert settings.mail_server.port == 587


def test_what_is_commented_out_is_the_default() -> None:
    whole = "\n".join(_SETTING.sub(r"\2=\3", line) for line in TEXT.splitlines() if _SETTING.fullmatch(line))
    assert _read(whole).keys() == EXAMPLES.keys() - _OF_FLASK

    as_it_is, with_all = Settings.from_env(_filled(TEXT)), Settings.from_env(_filled(whole))

    assert replace(with_all, remarks=()) == replace(as_it_is, remarks=())
