"""A person with a browser who opens a page, fills in its form and sends it, over HTTP."""

import re
from html import unescape

from flask import Flask
from werkzeug.test import TestResponse

from tests.cast import PASSWORD, Person

_CSRF = re.compile(r'name="csrf_token" type="hidden" value="([^"]+)"|name="csrf_token" value="([^"]+)"')


class Visitor:
    """One browser with its cookies. `address` is the address that the portal sees."""

    def __init__(self, app: Flask, address: str = "203.0.113.7") -> None:
        self.client = app.test_client()
        self._address = address

    def open(self, path: str) -> TestResponse:
        return self.client.get(path, environ_base={"REMOTE_ADDR": self._address})

    def post(self, path: str, **fields: str | list[str]) -> TestResponse:
        """Send a form as it is, with nothing added."""
        return self.client.post(path, data=fields, environ_base={"REMOTE_ADDR": self._address})

    def submit(self, page: str, path: str | None = None, /, **fields: str | list[str]) -> TestResponse:
        """Open a page and send its form with these fields. `path` is given if the form goes to another
        address than the page."""
        return self.post(path or page, csrf_token=self.csrf_token(page), **fields)

    def csrf_token(self, page: str) -> str:
        found = _CSRF.search(self.open(page).text)
        assert found, f"no form on {page}"
        return unescape(found[1] or found[2])

    def ask_for_token(self, nip: str, email: str) -> TestResponse:
        return self.submit("/lupa-password", nip=nip, email=email)

    def reset_password(self, token: str, password: str, nip: str = "") -> TestResponse:
        return self.submit(
            "/konfirmasi-reset-password", "/reset-password", nip=nip, token=token, password=password
        )

    def log_in(self, nip: str, password: str = PASSWORD, page: str = "/login") -> TestResponse:
        return self.submit(page, nip=nip, password=password)

    def is_logged_in(self) -> bool:
        return self.open("/beranda").status_code == 200


def words_of(response: TestResponse) -> str:
    """The text of a page as people read it, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def logged_in(app: Flask, person: Person) -> Visitor:
    visitor = Visitor(app)
    assert visitor.log_in(person.nip).status_code == 303
    return visitor
