"""Every moment on a page stands in <time>. After proof it is in one zone, that of the reader's instansi."""

import ast
import re
from datetime import date, datetime, timedelta
from html.parser import HTMLParser

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from app.domain.indonesian_time import Zone, now
from app.models import Instansi
from app.runtime.db import unit_of_work
from config import ROOT
from tests.cast import CINTA, RATNA, SARI, WATI, Person
from tests.flows.web.test_typed_words import Desk
from tests.visitor import Visitor, logged_in, words_of

CLOCK = re.compile(r"\d\d\.\d\d (?:WIB|WITA|WIT)\b")
ZONES = re.compile(r"\b(?:WIB|WITA|WIT)\b")
OWN_PAGES = ("/beranda", "/akun", "/akun/hentikan-ganti-email", "/status")


class Times(HTMLParser):
    """The texts of a page inside <time>, with what machines read of them, and all other texts. What an
    instansi says of its own hours is not the portal's."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.times: list[tuple[str, str]] = []
        self.rest = ""
        self._of_machine: str | None = None
        self._inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "time":
            self._of_machine = found.get("datetime") or "missing"
        if tag in ("div", "script", "style", "option"):
            self._inside.append(found.get("class") or tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "time":
            self._of_machine = None
        if tag in ("div", "script", "style", "option"):
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if self._of_machine is not None:
            self.times.append((self._of_machine, data))
        elif not {"contact", "script", "style", "option"} & set(self._inside):
            self.rest += data


def pages_of(desk: Desk, person: Person) -> dict[str, str]:
    """Each page that this person may read, by its address."""
    visitor = logged_in(desk.app, person)
    urls = desk.app.url_map.bind("localhost")
    ids = {
        "person_id": desk.sari, "correction_id": desk.correction, "change_id": desk.change,
        "batch_id": desk.batch, "instansi_id": desk.instansi, "mandate_id": desk.mandate,
    }  # fmt: skip
    found = dict.fromkeys(OWN_PAGES, "")
    for rule in desk.app.url_map.iter_rules():
        if (
            "GET" in (rule.methods or ())
            and rule.endpoint.startswith("admin.")
            and rule.arguments <= set(ids)
        ):
            found[urls.build(rule.endpoint, {name: ids[name] for name in rule.arguments})] = ""
    answers = {path: visitor.open(path) for path in found}
    return {
        path: answer.text
        for path, answer in answers.items()
        if answer.status_code == 200 and answer.mimetype == "text/html"
    }


@pytest.mark.parametrize(("reader", "zone"), [(SARI, Zone.WITA), (WATI, Zone.WIT), (RATNA, Zone.WIB)])
def test_after_proof_each_moment_is_in_the_zone_of_the_instansi(
    peopled: Flask, reader: Person, zone: Zone
) -> None:
    desk = Desk(peopled)
    with peopled.app_context(), unit_of_work() as db:
        db.execute(update(Instansi).where(Instansi.code == "7301").values(chosen_zone=zone))

    pages = pages_of(desk, reader)

    assert len(pages) > (3 if reader is SARI else 20)
    for path, page in pages.items():
        seen = Times(page)
        assert not CLOCK.findall(seen.rest), path
        for of_machine, words in seen.times:
            assert date.fromisoformat(of_machine[:10]), (path, of_machine)
            if len(of_machine) > 10:
                assert datetime.fromisoformat(of_machine).utcoffset() == zone.clock.utcoffset(None), path
                assert ZONES.findall(words) == [zone], (path, words)


def test_before_proof_and_in_mails_each_moment_is_in_all_zones(peopled: Flask) -> None:
    stranger = Visitor(peopled)
    stranger.submit("/lupa-password", nip=SARI.nip, email="siapa@contoh.example")

    for path in ("/konfirmasi-reset-password", "/status"):
        seen = Times(stranger.open(path).text)
        clocks = [words for of_machine, words in seen.times if len(of_machine) > 10]
        assert clocks, path
        assert all(ZONES.findall(words) == ["WIB", "WITA", "WIT"] for words in clocks), clocks
        assert not ZONES.search(seen.rest), path


def test_who_waits_for_the_instansi_reads_its_zone_with_the_right_password_alone(peopled: Flask) -> None:
    cinta = Visitor(peopled)
    cinta.log_in(CINTA.nip)

    seen = Times(cinta.open("/status-akun").text)

    assert [ZONES.findall(words) for of_machine, words in seen.times if len(of_machine) > 10] == [["WITA"]]


def test_a_login_before_midnight_was_yesterday_where_sari_works(peopled: Flask) -> None:
    evening = now().astimezone(Zone.WITA.clock).replace(hour=23, minute=50, second=0) + timedelta(days=1)
    with time_machine.travel(evening, tick=False) as clock:
        logged_in(peopled, SARI)
        clock.shift(timedelta(minutes=15))
        home = logged_in(peopled, SARI).open("/beranda")

    assert "Kemarin 23.50 WITA" in words_of(home)
    assert f'datetime="{evening.isoformat(timespec="seconds")}"' in home.text


def test_one_module_writes_the_moments_of_pages() -> None:
    """Elsewhere in the web, only what a script fills in is written as text."""
    makers = {"shown_clock", "shown_moment", "shown_lately", "strftime"}
    found = set()
    for file in (*(ROOT / "app/web").rglob("*.py"), *(ROOT / "app/blueprints").rglob("*.py")):
        names = {
            node.id if isinstance(node, ast.Name) else node.attr
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Name | ast.Attribute)
        }
        if makers & names:
            found.add(file.relative_to(ROOT).as_posix())

    assert found == {"app/web/times.py", "app/web/sessions.py"}


def test_no_template_spells_a_moment_itself() -> None:
    for_machines = {"_session_end.html", "_desk.html"}
    for file in (ROOT / "templates").rglob("*.html"):
        spelled = set(re.findall(r"strftime|isoformat|WITA", file.read_text()))
        assert spelled <= ({"isoformat"} if file.name in for_machines else set()), file
