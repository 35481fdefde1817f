"""/bantuan answers the questions that other pages and mails send people there with."""

import re

import pytest

from tests.conftest import MakeApp
from tests.test_templates import ROOT, TEMPLATES
from tests.visitor import Visitor

# As templates and code write an address of an answer, and as mails do
_ASKED = re.compile(
    r"""(?:information\.help['"]\) }}#|/bantuan#|information\.help['"], _anchor=['"])([a-z-]+)"""
)


def _ids(page: str) -> list[str]:
    return re.findall(r' id="([^"]+)"', page)


def test_every_answer_that_others_lead_to_is_there(visitor: Visitor) -> None:
    files = [*TEMPLATES.rglob("*.*"), *(ROOT / "app").rglob("*.py")]
    asked = {name for file in files for name in _ASKED.findall(file.read_text())}
    page = visitor.open("/bantuan").text

    assert len(asked) >= 3
    assert asked <= set(_ids(page))
    assert set(re.findall(r'href="#([^"]+)"', page.partition("<main")[2])) <= set(_ids(page))


def test_every_question_has_an_address_of_its_own(visitor: Visitor) -> None:
    page = visitor.open("/bantuan").text

    assert re.findall(r"<h3(?! id=)[^>]*>", page) == []
    assert len(set(_ids(page))) == len(_ids(page))
    topics = page.split('<details class="topic"')[1:]
    assert len(topics) == 11
    assert all(re.search(r'</h2></summary>\s+<div class="topic__body" id="', topic) for topic in topics)


@pytest.mark.parametrize("setting", ["admin", "otomatis"])
def test_no_topic_is_open_at_first(make_app: MakeApp, setting: str) -> None:
    page = Visitor(make_app(CPNS_ACTIVATION=setting)).open("/bantuan").text

    assert re.findall(r"<details[^>]* open", page) == []
