"""The trail shows every detail that the portal notes about an event under an Indonesian term."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from app.domain.identity import ChangeKind
from app.models.audit_event import AuditEvent, Tag
from app.web.words import trail as trail_words
from app.web.words.trail import facts_of

_WRITERS = ("record", "record_once_a_minute", "record_parts", "_record", "_record_refusal")
_NO_DETAIL = {"about", "actor", "instansi_id"}


def _noted() -> set[str]:
    """The names of all details that some code of the portal notes."""
    return {keyword.arg for call in _calls() for keyword in call.keywords if keyword.arg} - _NO_DETAIL


def _calls() -> Iterator[ast.Call]:
    """All places that write an event."""
    for path in Path(app.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _WRITERS:
                yield node


def test_every_detail_has_a_term() -> None:
    noted = _noted()

    assert {"ticket", "reason", "because", "change"} <= noted
    assert noted <= trail_words._TERMS.keys() | trail_words._NOT_SHOWN


@pytest.mark.parametrize("kind", ChangeKind)
def test_what_identifies_a_person_has_a_term_before_and_after(kind: ChangeKind) -> None:
    noted = {f"old_{kind.column}": "x", f"new_{kind.column}": "y"}

    terms = [term for term, _ in facts_of(AuditEvent(tag=Tag.CHANGE_DECIDED, detail=noted))]

    word = kind.label.lower()
    assert [term.lower() for term in terms] == [f"{word} sekarang", f"{word} sebelumnya"]


@pytest.mark.parametrize(
    ("key", "yes", "no"),
    [
        ("typed", "diketik", "lewat tautan"),
        ("waits", "ya", "tidak"),
        ("address_is_back", "ya", "tidak"),
    ],
)
def test_a_truth_value_has_words_as_rows_of_all_releases_hold_it(key: str, yes: str, no: str) -> None:
    for so, not_so in ((True, False), (1, 0), ("True", "False")):
        said = [
            facts_of(AuditEvent(tag=Tag.TOKEN_REFUSED, detail={key: value}))[0][1] for value in (so, not_so)
        ]
        assert said == [yes, no]


def test_a_truth_value_is_noted_as_one() -> None:
    """It is not noted as its name or as a number."""
    disguised = [
        ast.unparse(keyword)
        for call in _calls()
        for keyword in call.keywords
        if re.search(r"^(str|int)\((is|has|was|may|needs)_", ast.unparse(keyword.value))
    ]

    assert not disguised
