"""A person with a browser who opens a page, fills in its form and sends it, over HTTP."""

import re
from html import unescape
from io import BytesIO

from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from tests.cast import PASSWORD, Person
from tests.forms import form_in

File = tuple[bytes, str]  # the content and its name

_CSRF = re.compile(r'name="csrf_token" type="hidden" value="([^"]+)"|name="csrf_token" value="([^"]+)"')


class Visitor:
    """One browser with its cookies. `address` is the address that the portal sees."""

    def __init__(self, app: Flask, address: str = "203.0.113.7") -> None:
        self.client = app.test_client()
        self._address = address

    def open(self, path: str) -> TestResponse:
        return self.client.get(path, environ_base={"REMOTE_ADDR": self._address})

    def post(self, path: str, **fields: str | list[str]) -> TestResponse:
        """Send a form as it is, with nothing added. The answer is read to its end: a file that nobody reads
        would be closed in the middle of another request."""
        return self.client.post(path, data=fields, environ_base={"REMOTE_ADDR": self._address}, buffered=True)

    def submit(
        self, page: str | TestResponse, action: str | None = None, /, **changes: str | list[str] | File
    ) -> TestResponse:
        """Fill in the form of this page that goes to `action`, of itself or by one of its buttons, and send
        it: what stands in it, with these changes. Without `action` it is the form that goes to where the
        page lies. A page that is open already is not opened again.

        Refuses names that the form does not have, unless nothing is to be ticked under them (`[]`). What no
        page offers is sent by `post`, or by `post_with_token`."""
        opened = self.open(page) if isinstance(page, str) else page
        path = page if isinstance(page, str) else page.request.path
        form = form_in(
            opened.text, path, action or path, {name for name, value in changes.items() if value != []}
        )
        data: dict[str, object] = {**form.values}
        for name, value in changes.items():
            data[name] = FileStorage(BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value
        where, environ = action or path, {"REMOTE_ADDR": self._address}
        if form.method == "get":
            return self.client.get(where, query_string=data, environ_base=environ)
        if not form.is_multipart:
            return self.client.post(where, data=data, environ_base=environ, buffered=True)
        boundary, body = encode_multipart(data)  # in memory: the client's own would leave a file open
        kind = f"multipart/form-data; boundary={boundary}"
        return self.client.post(where, data=body, content_type=kind, environ_base=environ, buffered=True)

    def post_with_token(
        self, page: str, path: str | None = None, /, **fields: str | list[str]
    ) -> TestResponse:
        """Send these fields and nothing else to `path`, with the token of any form of `page`: what somebody
        sends who has written the form, or has kept it from another day."""
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
    """The text of a page as people read it, on one line and without soft hyphens."""
    within_lines = re.sub(r"</?(time|bdi)\b[^>]*>", "", response.text)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", within_lines)).replace("\xad", "").split())


def logged_in(app: Flask, person: Person) -> Visitor:
    visitor = Visitor(app)
    assert visitor.log_in(person.nip).status_code == 303
    return visitor
