"""A wrong token and a wrong password cost the same for every NIP: the same number of statements, rows and
keyed hashes. `make bench` measures the time itself."""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.domain.old_hash import OldHash, Recipe, Scheme
from app.domain.reset_secret import new_reference, new_row_key
from app.models import AuditEvent, ResetRequest, User
from app.models.account import TriedAccount
from app.models.reset_request import CODES_TRIED
from app.runtime.db import engine, reading, unit_of_work
from app.security import old_schemes, passwords
from tests.cast import BUDI, CINTA, DEWI, HADI, LESTARI, NEW_PASSWORD, SARI, STRANGERS_NIP, TONO, Person
from tests.inbox import Inbox
from tests.visitor import Visitor

WRONG_CODE, WRONG_PASSWORD = "WDJB-MJHT", "Salah-Sekali-1"
LINK_OF = "{}." + "A" * 43


OLD_HASHES = {SARI: Recipe(Scheme.BCRYPT, 4, "." * 22), DEWI: Recipe(Scheme.BCRYPT, 6, "." * 22)}


@dataclass
class Work:
    """The cost of one answer, without the time."""

    statements: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)  # the rows of each SELECT
    hashes: int = 0
    old_schemes: int = 0  # counted in rounds


@contextmanager
def measured(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    work, asked = Work(), list[tuple[str, Any]]()
    digest, made = hmac.digest, old_schemes._made

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        work.statements.append(statement)
        asked.append((statement, parameters))

    def count(*arguments: Any) -> bytes:
        work.hashes += 1
        return digest(*arguments)

    def count_rounds(recipe: Recipe, password: str) -> str:
        work.old_schemes += 2**recipe.cost
        return made(recipe, password)

    with app.app_context():
        listened = engine()
    event.listen(listened, "before_cursor_execute", note)
    with monkeypatch.context() as patch:
        patch.setattr(hmac, "digest", count)
        patch.setattr(old_schemes, "_made", count_rounds)
        yield work
    event.remove(listened, "before_cursor_execute", note)
    with listened.connect() as connection:
        for statement, parameters in asked:
            if statement.startswith(("SELECT", "WITH")):
                work.rows.append(len(connection.exec_driver_sql(statement, parameters).fetchall()))


def requests_of(app: Flask, person: Person, count: int, **columns: Any) -> None:
    """Make so many requests of this person whose token was handed over."""
    with app.app_context(), unit_of_work() as db:
        owner = db.scalars(select(User).where(User.nip == person.nip)).one()
        for number in range(count):
            usual: dict[str, Any] = {
                "reference": new_reference(), "key": new_row_key(), "submission": f"{person.nip}-{number}",
                "nip": person.nip,
                "typed_email": owner.email, "user_id": owner.id,
                "credential_version": owner.credential_version,
                "asked_at": now(), "mailed_at": now(), "expires_at": now() + timedelta(minutes=30),
                "client_address": "-",
            }  # fmt: skip
            db.add(ResetRequest(**{**usual, **columns}))


@pytest.fixture
def asked(peopled: Flask) -> dict[str, str]:
    """NIPs, by what the portal knows about each."""
    requests_of(peopled, BUDI, 1)
    requests_of(peopled, DEWI, 5, used_at=now())
    requests_of(peopled, HADI, CODES_TRIED + 5, expires_at=now() - timedelta(hours=1))
    requests_of(peopled, CINTA, 3, credential_version=99)
    return {
        "nobody": STRANGERS_NIP,
        "never asked": SARI.nip,
        "one live": BUDI.nip,
        "five used": DEWI.nip,
        "more than are tried": HADI.nip,
        "overtaken, cpns": CINTA.nip,
        "deactivated": TONO.nip,
        "no email": LESTARI.nip,
    }


def _works(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    nips: dict[str, str],
    act: Callable[[Visitor, str, str], None],
    page: str,
) -> list[Work]:
    found = []
    for number, nip in enumerate(nips.values()):
        # Each has a line of its own, because the same refusal twice within a minute is only one row
        visitor = Visitor(app, f"203.0.113.{number}")
        token = visitor.csrf_token(page)
        with measured(app, monkeypatch) as work:
            act(visitor, nip, token)
        found.append(work)
    return found


@pytest.mark.parametrize("password", [NEW_PASSWORD, "abc", "", f" {NEW_PASSWORD}"])
def test_a_wrong_code_is_the_same_work_for_everybody(
    peopled: Flask, asked: dict[str, str], monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """Whatever is wrong with the password beside it: a token is tried in any case."""

    def guess(visitor: Visitor, nip: str, token: str) -> None:
        answer = visitor.post(
            "/reset-password", csrf_token=token, nip=nip, token=WRONG_CODE, password=password
        )
        assert answer.status_code == 422

    first, *others = _works(peopled, monkeypatch, asked, guess, "/konfirmasi-reset-password")

    assert first.hashes > CODES_TRIED
    assert max(first.rows) == CODES_TRIED
    assert all(work == first for work in others)


def test_a_wrong_password_is_the_same_work_for_everybody(
    peopled: Flask, asked: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def guess(visitor: Visitor, nip: str, token: str) -> None:
        assert visitor.post("/login", csrf_token=token, nip=nip, password=WRONG_PASSWORD).status_code == 422

    first, *others = _works(peopled, monkeypatch, asked, guess, "/login")

    assert all(work == first for work in others)
    assert not any("FOR UPDATE" in statement for statement in first.statements)


def test_with_imported_hashes_a_wrong_password_is_the_same_work_for_everybody_too(
    peopled: Flask, asked: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def guess(visitor: Visitor, nip: str, token: str) -> None:
        assert visitor.post("/login", csrf_token=token, nip=nip, password=WRONG_PASSWORD).status_code == 422

    with peopled.app_context(), unit_of_work() as db:
        for person, recipe in OLD_HASHES.items():
            kept = OldHash(recipe, "x" * 31).kept_as(passwords.hashed("x" * 31))
            db.scalars(select(User).where(User.nip == person.nip)).one().keep_hash(kept)

    first, *others = _works(peopled, monkeypatch, asked, guess, "/login")

    assert first.old_schemes == 2**6
    assert all(work == first for work in others)


def test_a_wrong_signature_is_the_same_work_whether_the_request_has_an_owner_or_is_none(
    peopled: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person who has asked knows the reference of the request. The time of the answer must not tell
    whether it has an owner."""
    for nip, email in (
        (SARI.nip, SARI.email or ""),
        (SARI.nip, "orang@contoh.example"),
        (STRANGERS_NIP, "orang@contoh.example"),
    ):
        Visitor(peopled).ask_for_token(nip, email)
    with peopled.app_context(), reading() as db:
        references = list(db.scalars(select(ResetRequest.reference)))
    links = {reference: LINK_OF.format(reference) for reference in [*references, "B" * 16]}
    assert len(links) == 4

    def post(visitor: Visitor, link: str, token: str) -> None:
        fields = {"csrf_token": token, "nip": SARI.nip, "token": link, "password": NEW_PASSWORD}
        assert visitor.post("/reset-password", **fields).status_code == 422

    def follow(visitor: Visitor, link: str, _token: str) -> None:
        assert visitor.open(f"/konfirmasi-reset-password/{link}").status_code == 404

    for act in post, follow:
        first, *others = _works(peopled, monkeypatch, links, act, "/konfirmasi-reset-password")
        assert all(work == first for work in others)


def test_every_living_code_opens_however_many_are_over(peopled: Flask, inbox: Inbox) -> None:
    budi = Visitor(peopled)
    budi.ask_for_token(BUDI.nip, BUDI.email or "")
    code = inbox.fetch_one(BUDI.email).code
    requests_of(peopled, BUDI, CODES_TRIED + 5, expires_at=now() - timedelta(hours=1))

    assert budi.reset_password(code, NEW_PASSWORD).status_code == 303


def test_nobodys_stand_ins_open_nothing(peopled: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """This holds even for a code that would fit one of them."""
    monkeypatch.setattr("app.security.signing.SigningKeys.opens_code", lambda *_: True)

    assert Visitor(peopled).reset_password(WRONG_CODE, NEW_PASSWORD, nip=STRANGERS_NIP).status_code == 422
    assert Visitor(peopled).reset_password(WRONG_CODE, NEW_PASSWORD, nip=SARI.nip).status_code == 422


@pytest.mark.parametrize("person", [SARI, TONO, None])
def test_the_trail_knows_whose_account_was_tried(peopled: Flask, person: Person | None) -> None:
    nip = person.nip if person else STRANGERS_NIP
    with peopled.app_context(), reading() as db:
        account = TriedAccount.of(db, Nip(nip))
        before = db.query(AuditEvent).count()
    Visitor(peopled).log_in(nip, WRONG_PASSWORD)
    Visitor(peopled).reset_password(WRONG_CODE, NEW_PASSWORD, nip=nip)

    with peopled.app_context(), reading() as db:
        events = db.scalars(select(AuditEvent).order_by(AuditEvent.id).offset(before)).all()
    assert [(event.account_id, event.instansi_id) for event in events] == [
        (account.id, account.instansi_id)
    ] * 2
    assert (account.id is None) == (person is None)
