"""Twenty at once: one wins, the others are told so, and nothing breaks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from flask import Flask
from sqlalchemy import func, select

from app.db import reading
from app.models import AuditEvent, OutboxMail, ResetRequest, Tag, User
from tests.cast import BUDI, PASSWORD, SARI
from tests.inbox import Inbox
from tests.visitor import Visitor

CROWD = 20


def _all_at_once(acts: list[Callable[[], int]]) -> list[int]:
    start = Barrier(len(acts))

    def run(act: Callable[[], int]) -> int:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as crowd:
        return sorted(crowd.map(run, acts))


def test_of_twenty_parallel_redemptions_one_wins(peopled: Flask, inbox: Inbox) -> None:
    Visitor(peopled).ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()
    visitors = [Visitor(peopled) for _ in range(CROWD)]
    for visitor in visitors[::2]:
        visitor.open(mail.link)
    passwords = [f"Kuda-Laut{number}" for number in range(CROWD)]
    tokens = [visitor.csrf_token("/konfirmasi-reset-password") for visitor in visitors]

    def redeem(number: int) -> int:
        return visitors[number].post(
            "/reset-password", csrf_token=tokens[number], nip=BUDI.nip, token=mail.code, password=passwords[number]
        ).status_code  # fmt: skip

    answers = _all_at_once([lambda number=number: redeem(number) for number in range(CROWD)])  # type: ignore[misc]

    assert answers.count(303) == 1 and set(answers) <= {303, 422, 429, 503}
    with peopled.app_context(), reading() as session:
        assert session.scalar(select(func.count()).where(AuditEvent.tag == Tag.PASSWORD_SET)) == 1
        assert session.scalars(select(User.credential_version).where(User.nip == BUDI.nip)).one() == 2
    assert sum(Visitor(peopled, f"198.51.100.{n}").log_in(BUDI.nip, passwords[n]).status_code == 303 for n in range(4)) <= 1
    assert len(inbox.fetch()) == 1, "one notice"


def test_twenty_parallel_sends_of_one_form_are_one_wish(peopled: Flask, inbox: Inbox) -> None:
    visitor = Visitor(peopled)
    token = visitor.csrf_token("/lupa-password")
    cookie = visitor.client.get_cookie("formulir", "localhost")
    assert cookie is not None

    def ask() -> int:
        another = Visitor(peopled)
        another.client.set_cookie("formulir", cookie.value, domain="localhost")
        fields = {"csrf_token": token, "form_id": "one-form", "nip": BUDI.nip, "email": "budi@nusajaya.example"}
        return another.post("/lupa-password", **fields).status_code

    assert _all_at_once([ask] * CROWD) == [303] * CROWD

    assert inbox.fetch_one()


def test_twenty_people_asking_for_one_nip_at_once_cause_three_mails(peopled: Flask, inbox: Inbox) -> None:
    visitors = [Visitor(peopled) for _ in range(CROWD)]
    tokens = [visitor.csrf_token("/lupa-password") for visitor in visitors]

    def ask(number: int) -> int:
        fields = {"csrf_token": tokens[number], "nip": BUDI.nip, "email": "budi@nusajaya.example"}
        return visitors[number].post("/lupa-password", **fields).status_code

    answers = _all_at_once([lambda number=number: ask(number) for number in range(CROWD)])  # type: ignore[misc]

    assert answers == [303] * CROWD
    assert len(inbox.fetch()) == 3
    with peopled.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(ResetRequest)) == CROWD
        assert session.scalar(select(func.count()).select_from(OutboxMail)) == CROWD


def test_twenty_parallel_guesses_are_five_tries(peopled: Flask) -> None:
    visitors = [Visitor(peopled) for _ in range(CROWD)]
    tokens = [visitor.csrf_token("/login") for visitor in visitors]

    def guess(number: int) -> int:
        fields = {"csrf_token": tokens[number], "nip": SARI.nip, "password": "Salah-Sekali-1"}
        return visitors[number].post("/login", **fields).status_code

    answers = _all_at_once([lambda number=number: guess(number) for number in range(CROWD)])  # type: ignore[misc]

    assert answers == [422] * 5 + [429] * 15


def test_a_login_that_races_a_reset_leaves_no_session_behind(peopled: Flask, inbox: Inbox) -> None:
    owner, intruder = Visitor(peopled), Visitor(peopled)
    owner.ask_for_token(SARI.nip, SARI.email or "")
    code = inbox.fetch_one().code

    answers = _all_at_once(
        [
            lambda: owner.reset_password(code, "Kuda-Laut7").status_code,
            lambda: intruder.log_in(SARI.nip, PASSWORD).status_code,
        ]
    )

    assert 303 in answers
    assert not intruder.is_logged_in()
