"""An address that takes only forms leads whoever opens it to the page with its form: a restored tab goes
on."""

import re

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from tests.cast import RATNA, SARI
from tests.forms import form_in
from tests.visitor import Visitor, logged_in


def _takers(app: Flask) -> list[str]:
    """The addresses that take a form, with invented rows."""
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    return sorted({re.sub(r"<[^>]*>", "7", rule.rule) for rule in rules})


def _is_page(app: Flask, path: str, method: str = "GET") -> bool:
    try:
        app.url_map.bind("localhost").match(path, method=method)
    except HTTPException:
        return False
    return True


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_address_of_a_form_is_an_end(peopled: Flask, method: str) -> None:
    for who in (Visitor(peopled), logged_in(peopled, SARI), logged_in(peopled, RATNA)):
        for path in _takers(peopled):
            answer = who.client.open(path, method=method)

            assert answer.status_code != 405, path
            if not _is_page(peopled, path):
                assert answer.status_code == 303, path
                assert _is_page(peopled, answer.location), path
                assert answer.location != path


def test_the_page_has_the_form(peopled: Flask, visitor: Visitor) -> None:
    sari = logged_in(peopled, SARI)
    asked = Visitor(peopled)
    asked.ask_for_token(SARI.nip, SARI.email or "")
    for who, path in (
        (visitor, "/reset-password"),
        (asked, "/konfirmasi-reset-password/kirim-ulang"),
        (sari, "/akun/tetap-masuk"),
        (sari, "/akun/lupakan-browser"),
    ):
        page = who.open(path)
        assert page.status_code == 303, path
        assert form_in(who.open(page.location).text, page.location, path, set()), path


def test_a_tab_that_was_at_the_logout_comes_to_the_login_or_home(peopled: Flask, visitor: Visitor) -> None:
    assert visitor.open("/logout").location == "/login"
    assert logged_in(peopled, SARI).client.get("/logout", follow_redirects=True).request.path == "/beranda"


def test_a_row_that_nobody_may_see_is_not_told_by_where_it_leads(visitor: Visitor) -> None:
    assert visitor.open("/admin/perbaikan-email/7/setujui").location == "/admin/perbaikan-email/7"
    assert visitor.open("/admin/perbaikan-email/7").location == "/login?next=/admin/perbaikan-email/7"


@pytest.mark.parametrize("path", ["/reset-password/", "/admin/ekspor/", "/logout/"])
def test_a_slash_at_the_end_changes_nothing(visitor: Visitor, path: str) -> None:
    answer = visitor.client.get(path, follow_redirects=True)

    assert answer.status_code == 200


def test_other_methods_are_still_refused(visitor: Visitor) -> None:
    assert visitor.client.put("/logout").status_code == 405
    assert visitor.client.delete("/admin/ekspor").status_code == 405
    assert visitor.client.get("/metrics/x").status_code == 404
