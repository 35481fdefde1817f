"""How many SQL statements each request of an activation takes. This is asked within the process; BEGIN and
COMMIT do not count."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import event

from app.runtime.db import engine
from app.wiring import create_app
from bench.people import NEW_PASSWORD, email_of, nip_of
from bench.portal import Portal
from bench.sink import Sink
from config import Settings

_NO_WORK = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def per_request(portal: Portal, sink: Sink, person: int) -> dict[str, int]:
    """The seven requests of one person, each with its statements. A worker must be running for the token."""
    app = create_app(Settings.from_env({**portal.environ, "PUBLIC_URL": "http://localhost"}))
    client, counts, token = app.test_client(), dict[str, int](), [""]

    def ask(method: str, path: str, **fields: str) -> str:
        form = {"csrf_token": token[-1], **fields} if fields else None
        with _counted(app) as statements:
            answer = client.open(path, method=method, data=form)
        assert answer.status_code in (200, 303), (path, answer.status_code)
        counts[f"{method} {path}"] = len(statements)
        if 'name="csrf_token"' in answer.text:
            token.append(
                answer.text.partition('name="csrf_token" type="hidden" value="')[2].partition('"')[0]
            )
        return answer.text

    nip, email = nip_of(person), email_of(person)
    ask("GET", "/lupa-password")
    ask("POST", "/lupa-password", nip=nip, email=email)
    ask("GET", "/konfirmasi-reset-password")
    ask("POST", "/reset-password", token=sink.token_for(email), password=NEW_PASSWORD)
    ask("GET", "/login")
    ask("POST", "/login", nip=nip, password=NEW_PASSWORD)
    ask("GET", "/beranda")
    return counts


@contextmanager
def _counted(app: Flask) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(_NO_WORK):
            found.append(statement)

    with app.app_context():
        listened = engine()
    event.listen(listened, "before_cursor_execute", note)
    yield found
    event.remove(listened, "before_cursor_execute", note)
