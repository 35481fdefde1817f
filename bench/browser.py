"""A browser of a person: one connection that stays open, with its cookies."""

import http.client
import re
import ssl
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.people import NEW_PASSWORD, email_of, nip_of

_CSRF = re.compile(r'name="csrf_token" type="hidden" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


class Browser:
    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: whom to trust, where the portal is behind nginx."""
        self._connection = (
            http.client.HTTPSConnection("localhost", port, timeout=60, context=tls)
            if tls
            else http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        )
        self._cookies: dict[str, str] = {}
        self.csrf_token = ""  # of the form that was opened last

    def close(self) -> None:
        self._connection.close()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def open(self, path: str) -> Answer:
        answer = self._ask("GET", path)
        if found := _CSRF.search(answer.text):
            self.csrf_token = found[1]
        return answer

    def send(self, path: str, **fields: str) -> Answer:
        """Send the form that is open."""
        return self._ask("POST", path, urlencode({"csrf_token": self.csrf_token, **fields}))

    def ask_for_token(self, person: int) -> None:
        """Send the form of /lupa-password, which must be open."""
        expect(self.send("/lupa-password", nip=nip_of(person), email=email_of(person)), 303)

    def reset_password(self, token: str) -> None:
        expect(self.send("/reset-password", token=token, password=NEW_PASSWORD), 303)

    def log_in(self, person: int, password: str) -> None:
        expect(self.send("/login", nip=nip_of(person), password=password), 303)

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        headers = {"Cookie": self.cookie}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";")[0].partition("=")
            self._cookies[name] = value
        return Answer(answer.status, answer.read().decode())


def expect(answer: Answer, status: int = 200) -> Answer:
    """What is measured must have worked."""
    if answer.status != status:
        raise AssertionError(f"{answer.status} instead of {status}: {answer.text[:300]}")
    return answer
