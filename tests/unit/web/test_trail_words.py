"""Whatever the portal notes about an event, the trail shows it under an Indonesian term."""

import ast
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
    found: set[str] = set()
    for path in Path(app.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _WRITERS:
                found |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return found - _NO_DETAIL


def test_every_detail_has_a_term() -> None:
    noted = _noted()

    assert {"ticket", "reason", "because", "change"} <= noted
    assert noted <= trail_words._TERMS.keys() | trail_words._NOT_SHOWN


@pytest.mark.parametrize("kind", ChangeKind)
def test_what_identifies_a_person_has_a_term_before_and_after(kind: ChangeKind) -> None:
    noted = {f"old_{kind.column}": "x", f"new_{kind.column}": "y"}

    terms = [term for term, _ in facts_of(AuditEvent(tag=Tag.EMAIL_CHANGE_DECIDED, detail=noted))]

    word = kind.label.lower()
    assert [term.lower() for term in terms] == [f"{word} sekarang", f"{word} sebelumnya"]
