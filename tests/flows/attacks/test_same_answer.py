"""People who have proven nothing learn nothing: they get the same page, the same statements and the same
number of mails."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, func, select

from app.domain.indonesian_time import now
from app.models import OutboxMail, ResetRequest
from app.runtime.db import engine, reading
from app.web import limits
from tests.cast import BUDI, CINTA, HADI, JOKO, LESTARI, SARI, STRANGERS_NIP, TONO
from tests.inbox import Inbox
from tests.visitor import Visitor

MATCH = (BUDI.nip, "budi@nusajaya.example")
CASES = {
    "match": MATCH,
    "active": (SARI.nip, "sari@nusajaya.example"),
    "ppt": (HADI.nip, "hadi@contoh.example"),
    "wrong email": (JOKO.nip, "joko@nusajaya.example"),
    "somebody else's email": (BUDI.nip, "sari@nusajaya.example"),
    "no email on record": (LESTARI.nip, "lestari@contoh.example"),
    "cpns": (CINTA.nip, "cinta@nusajaya.example"),
    "deactivated": (TONO.nip, "tono@nusajaya.example"),
    "unknown nip": (STRANGERS_NIP, "orang@contoh.example"),
}
_TIME = r'\d\d\.\d\d (?:WIB|WITA|WIT)|datetime="[^"]+"| title="[^"]*(?:WIB|WITA|WIT)"'
_CHANGES_EACH_TIME = re.compile(r'(name="csrf_token"[^>]*value=)"[^"]+"')


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The statements that the portal sends to the database meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    with app.app_context():
        listened = engine()
    event.listen(listened, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(listened, "before_cursor_execute", note)


def _asked(app: Flask, nip: str, email: str) -> tuple[list[str], str, dict[str, str]]:
    """The statements, the page and the headers of one request. What differs for every asker is made equal."""
    visitor = Visitor(app)
    token = visitor.csrf_token("/lupa-password")
    with statements(app) as seen:
        answer = visitor.post("/lupa-password", csrf_token=token, nip=nip, email=email)
        page = visitor.open(answer.location)
    text = _CHANGES_EACH_TIME.sub(r'\1"..."', page.text).replace(email, "EMAIL").replace(nip, "NIP")
    text = re.sub(rf"{_TIME}|dalam \d+ detik|data-seconds=\"\d+\"", "TIME", text)
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("Set-Cookie", "X-Request-ID")
    }
    return seen, text, headers | {"status": str(answer.status_code)}


@pytest.mark.parametrize("case", CASES)
def test_a_stranger_gets_the_same_answer_as_budi(peopled: Flask, case: str) -> None:
    asked_by_budi = _asked(peopled, *MATCH)

    asked_by_another = _asked(peopled, *CASES[case])

    assert asked_by_another == asked_by_budi


@pytest.mark.parametrize("case", CASES)
def test_exactly_one_mail_leaves_for_every_request(visitor: Visitor, inbox: Inbox, case: str) -> None:
    nip, email = CASES[case]

    visitor.ask_for_token(nip, email)

    assert inbox.fetch_one(email)


@pytest.mark.parametrize("case", CASES)
def test_sending_again_looks_the_same_for_everybody(peopled: Flask, case: str) -> None:
    def resent(nip: str, email: str) -> tuple[list[str], int, str]:
        visitor = Visitor(peopled)
        visitor.ask_for_token(nip, email)
        token = visitor.csrf_token("/konfirmasi-reset-password")
        with statements(peopled) as seen:
            answer = visitor.post("/konfirmasi-reset-password/kirim-ulang", csrf_token=token)
        return seen, answer.status_code, answer.location or ""

    assert resent(*CASES[case]) == resent(*MATCH)


def _used(app: Flask, inbox: Inbox, nip: str, email: str) -> None:
    """The owner of the NIP uses a token, if there is an owner."""
    Visitor(app).ask_for_token(nip, email)
    for mail in inbox.fetch():
        if mail.subject.startswith("Token"):
            assert Visitor(app).reset_password(mail.code, "Kuda-Laut7", nip).status_code == 303
    inbox.fetch()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "before",
    [
        "nothing",
        "three mails lie there",
        "used",
        "a late second time",
        "used, and a late second time",
        "others got theirs",
        "the line has written to many",
    ],
)
def test_whatever_was_before_asking_looks_the_same_for_everybody(
    peopled: Flask, inbox: Inbox, case: str, before: str
) -> None:
    def asked(nip: str, email: str, number: int) -> tuple[list[str], int, str, int]:
        visitor, form_id = Visitor(peopled, f"198.51.100.{number}"), f"formulir-{number}"
        fields = {"form_id": form_id, "nip": nip, "email": email}
        with time_machine.travel(now() + timedelta(hours=4 * number), tick=False) as clock:
            limits.limiter.reset()
            if "second time" in before:
                visitor.post_with_token("/lupa-password", **fields)
                inbox.fetch()
            if before.startswith("used"):
                _used(peopled, inbox, nip, email)
            if "second time" in before:
                clock.shift(timedelta(minutes=2))
            for other in range(4):
                if before == "three mails lie there":
                    Visitor(peopled, f"203.0.113.{other}").ask_for_token(nip, email)
                if before == "others got theirs":
                    Visitor(peopled, f"203.0.113.{other}").ask_for_token(f"19700101199501{other:04}", email)
            with peopled.test_request_context(environ_base={"REMOTE_ADDR": f"198.51.100.{number}"}):
                while before == "the line has written to many" and limits.may_mail_others():
                    limits.count_ask()
            inbox.fetch()
            token = visitor.csrf_token("/lupa-password")
            with statements(peopled) as seen:
                answer = visitor.post("/lupa-password", csrf_token=token, **fields)
                page = visitor.open(answer.location)
            text = _CHANGES_EACH_TIME.sub(r'\1"..."', page.text).replace(email, "EMAIL").replace(nip, "NIP")
            text = re.sub(_TIME, "TIME", text)
            with peopled.app_context(), reading() as session:
                rows = sum(
                    session.scalar(select(func.count()).select_from(kind)) or 0
                    for kind in (ResetRequest, OutboxMail)
                )
            inbox.fetch()
            return seen, answer.status_code, text, rows

    with_match = asked(*MATCH, 1)
    with_another = asked(*CASES[case], 2)

    assert with_another[:3] == with_match[:3]
    if before == "nothing":
        assert with_another[3] == with_match[3] + 2


@pytest.mark.parametrize("nip", [SARI.nip, BUDI.nip, CINTA.nip, TONO.nip, STRANGERS_NIP])
def test_a_wrong_login_runs_the_same_statements_for_everybody(peopled: Flask, nip: str) -> None:
    def refused(nip: str) -> tuple[list[str], str]:
        visitor = Visitor(peopled)
        token = visitor.csrf_token("/login")
        with statements(peopled) as seen:
            page = visitor.post("/login", csrf_token=token, nip=nip, password="Salah-Sekali-1")
        return seen, _CHANGES_EACH_TIME.sub("", page.text).replace(nip, "NIP")

    assert refused(nip) == refused(SARI.nip)


@pytest.mark.parametrize("nip", [BUDI.nip, CINTA.nip, TONO.nip, STRANGERS_NIP])
def test_a_wrong_token_runs_the_same_statements_for_everybody(peopled: Flask, nip: str) -> None:
    def refused(nip: str) -> tuple[list[str], str]:
        visitor = Visitor(peopled)
        token = visitor.csrf_token("/konfirmasi-reset-password")
        with statements(peopled) as seen:
            page = visitor.post(
                "/reset-password", csrf_token=token, nip=nip, token="WDJB-MJHT", password="Kuda-Laut7"
            )
        return seen, _CHANGES_EACH_TIME.sub("", page.text).replace(nip, "NIP")

    assert refused(nip) == refused(SARI.nip)


def _asked_for_correction(app: Flask, nip: str, email: str) -> tuple[list[str], str, int]:
    visitor = Visitor(app)
    token = visitor.csrf_token("/perbaikan-email")
    with statements(app) as seen:
        answer = visitor.post("/perbaikan-email", csrf_token=token, nip=nip, email=email)
        page = visitor.open(answer.location)
    text = _CHANGES_EACH_TIME.sub(r'\1"..."', page.text).replace(email, "EMAIL")
    text = re.sub(rf"{_TIME}|dalam \d+ detik|data-seconds=\"\d+\"", "TIME", text)
    return seen, text, answer.status_code


@pytest.mark.parametrize("case", CASES)
def test_a_request_for_another_address_looks_up_nobody_and_is_the_same_for_all(
    peopled: Flask, inbox: Inbox, case: str
) -> None:
    nip, email = CASES[case]

    asked = _asked_for_correction(peopled, nip, email)

    assert inbox.fetch_one(email).subject.startswith("Lanjutkan perbaikan email")
    assert asked == _asked_for_correction(peopled, *MATCH)
    assert not any(
        "user_account" in statement and "email_correction" not in statement for statement in asked[0]
    )


@pytest.mark.parametrize(
    "nip", [SARI.nip, BUDI.nip, HADI.nip, LESTARI.nip, CINTA.nip, TONO.nip, STRANGERS_NIP]
)
@pytest.mark.parametrize("origin", ["/perbaikan-email", "/lupa-password"])
def test_a_request_and_its_ticket_are_the_same_for_every_nip(
    peopled: Flask, inbox: Inbox, origin: str, nip: str
) -> None:
    def submitted(nip: str, address: str) -> tuple[list[str], str, list[str]]:
        visitor = Visitor(peopled)
        visitor.post_with_token(origin, nip=nip, email=address)
        link = inbox.fetch_one(address).link
        with statements(peopled) as seen:
            form = visitor.open(link)
            token = visitor.csrf_token(link)
            sent = visitor.post(link, csrf_token=token, name="Orang", work_unit="Unit", reason="Lama")
            ticket = visitor.open(sent.location)
        mails = [_alike(f"{mail.to} {mail.subject} {mail.text}") for mail in inbox.fetch()]
        pages = f"{form.status_code} {sent.status_code} {_alike(form.text)} {_alike(ticket.text)}"
        return seen, pages.replace(address, "EMAIL"), [mail.replace(address, "EMAIL") for mail in mails]

    assert submitted(nip, "orang.satu@contoh.example") == submitted(JOKO.nip, "orang.dua@contoh.example")


def _alike(text: str) -> str:
    """The text, with links, tickets, NIPs and times made equal."""
    text = _CHANGES_EACH_TIME.sub(r'\1"..."', text)
    text = re.sub(r"/perbaikan-email/[\w.-]+", "LINK", text)
    return re.sub(rf"PE-\w{{4}}-\w{{4}}|\d{{8}}\*{{6}}\d\*{{3}}|{_TIME}|\d+ \w+ \d{{4}},", "...", text)


def test_a_held_mail_changes_nothing_that_the_asker_sees(peopled: Flask, inbox: Inbox) -> None:
    first = _asked(peopled, *MATCH)
    for _ in range(2):
        _asked(peopled, *MATCH)
    assert len(inbox.fetch()) == 3

    held = _asked(peopled, *MATCH)

    assert held == first
    assert inbox.fetch() == []


@pytest.mark.parametrize("guess", ["budi@nusajaya.example", "bukan.budi@nusajaya.example"])
def test_a_strangers_own_mailbox_does_not_tell_whether_a_guess_was_right(
    peopled: Flask, inbox: Inbox, guess: str
) -> None:
    for _ in range(5):
        Visitor(peopled).ask_for_token(BUDI.nip, guess)
    inbox.fetch()

    Visitor(peopled).ask_for_token(BUDI.nip, "orang@contoh.example")

    assert inbox.fetch_one("orang@contoh.example")
