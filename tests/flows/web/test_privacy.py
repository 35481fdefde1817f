"""/privasi says what the portal keeps, and the code and the operator's book say the same."""

import re
from pathlib import Path

import pytest

from app.blueprints.information import KEPT_FOR
from tests.conftest import MakeApp
from tests.visitor import Visitor, words_of

BOOK = (Path(__file__).parents[3] / "docs" / "operation.md").read_text()
# The rows of "What is kept how long", and what KEPT_FOR calls the spans in each, in their order
ROWS = {
    "counters of tries": ["counters"],
    "mails in the outbox, and requests for tokens": ["mails"],
    "what admins did to many at once, as pusat is told": ["pusat_reports"],
    "requests of corrections whose form nobody sent": ["unsent_corrections"],
    "what was typed into a correction, its attachment": ["typed", "undecided_attachment"],
    "tickets for a NIP that nobody has": ["tickets_of_nobody"],
    "uploaded files of staff": ["files"],
    "files that nobody confirmed": ["unconfirmed_files"],
    "reports of an import: refused rows, changes": ["reports"],
    "who was in an act on many people": ["bulk_rows", "bulk_previews"],
}
_IN_DAYS = re.compile(r"\b(a|two|\d+) days?\b")
_NUMBERS = {"a": 1, "two": 2}


@pytest.mark.parametrize("what", ROWS)
def test_the_operators_book_says_how_long_the_code_keeps_it(what: str) -> None:
    (row,) = re.findall(rf"^\| {re.escape(what)} \| (.*?) \|", BOOK, re.MULTILINE)

    said = [_NUMBERS.get(number) or int(number) for number in _IN_DAYS.findall(row)]

    assert said == [KEPT_FOR[span].days for span in ROWS[what]]


def test_the_page_says_every_span(visitor: Visitor) -> None:
    words = words_of(visitor.open("/privasi"))

    assert sorted(span for spans in ROWS.values() for span in spans) == sorted(KEPT_FOR)
    for what, span in KEPT_FOR.items():
        assert f"{span.days} hari" in words, what


def test_the_page_is_honest_while_no_office_runs_the_portal(make_app: MakeApp, visitor: Visitor) -> None:
    of_an_office = Visitor(make_app(PORTAL_OPERATOR="BKPSDM Nusa Jaya")).open("/privasi")

    assert "Portal ini hanya simulasi" in words_of(visitor.open("/privasi"))
    assert "simulasi" not in words_of(of_an_office)
    assert "BKPSDM Nusa Jaya" in words_of(of_an_office)


@pytest.mark.parametrize("path", ["/login", "/status", "/privasi", "/tidak-ada"])
def test_every_footer_leads_to_privacy_and_status(visitor: Visitor, path: str) -> None:
    footer = visitor.open(path).text.partition("<footer")[2]

    assert 'href="/privasi">Privasi</a>' in footer
    assert 'href="/status">Status layanan</a>' in footer
