"""Twenty people do the same at once: one wins, the others are told so, and nothing breaks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.domain.act import Act
from app.domain.client import Client
from app.domain.indonesian_time import now
from app.flows.login.log_out import end_other_sessions
from app.models import AuditEvent, OutboxMail, ResetRequest, Tag, User
from app.runtime.db import reading, unit_of_work
from tests.cast import BUDI, JOKO, PASSWORD, RATNA, SARI, WATI
from tests.desk import asked
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in

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
            "/reset-password", csrf_token=tokens[number], nip=BUDI.nip, token=mail.code,
            password=passwords[number]
        ).status_code  # fmt: skip

    answers = _all_at_once([lambda number=number: redeem(number) for number in range(CROWD)])  # type: ignore[misc]

    assert answers.count(303) == 1
    assert set(answers) <= {303, 422, 429, 503}
    with peopled.app_context(), reading() as session:
        assert session.scalar(select(func.count()).where(AuditEvent.tag == Tag.PASSWORD_SET)) == 1
        assert session.scalars(select(User.credential_version).where(User.nip == BUDI.nip)).one() == 2
    assert (
        sum(
            Visitor(peopled, f"198.51.100.{n}").log_in(BUDI.nip, passwords[n]).status_code == 303
            for n in range(4)
        )
        <= 1
    )
    assert len(inbox.fetch()) == 1, "one notice"


def test_twenty_parallel_sends_of_one_form_are_one_request(peopled: Flask, inbox: Inbox) -> None:
    visitor = Visitor(peopled)
    token = visitor.csrf_token("/lupa-password")
    cookie = visitor.client.get_cookie("formulir", "localhost")
    assert cookie is not None

    def ask() -> int:
        another = Visitor(peopled)
        another.client.set_cookie("formulir", cookie.value, domain="localhost")
        fields = {
            "csrf_token": token,
            "form_id": "one-form",
            "nip": BUDI.nip,
            "email": "budi@nusajaya.example",
        }
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


@pytest.mark.parametrize("are_known", [False, True])
def test_twenty_parallel_guesses_are_five_tries(peopled: Flask, *, are_known: bool) -> None:
    visitors = [Visitor(peopled) for _ in range(CROWD)]
    for visitor in visitors if are_known else []:
        visitor.log_in(SARI.nip)
        visitor.post_with_token("/beranda", "/logout")
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


def test_whoever_ends_sessions_while_a_password_is_reset_gets_no_mark_for_it(
    peopled: Flask, inbox: Inbox
) -> None:
    sari = Visitor(peopled)
    sari.ask_for_token(SARI.nip, SARI.email or "")
    code = inbox.fetch_one().code
    with peopled.app_context():
        with reading() as session:
            as_the_thief_was_recognised = session.scalars(select(User).where(User.nip == SARI.nip)).one()
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(sari.reset_password, code, "Kuda-Laut7").result().status_code == 303
        with unit_of_work() as session:
            is_done = end_other_sessions(
                session, "his session", Act(Client("-", "-", "-"), now(), as_the_thief_was_recognised)
            )

    assert not is_done
    for _ in range(6):
        Visitor(peopled).log_in(SARI.nip, "Salah-Sekali-1")
    assert sari.log_in(SARI.nip, "Kuda-Laut7").status_code == 303, (
        "her browser is still the one that is known"
    )


def _fields_to_approve(visitor: Visitor, request_id: int) -> dict[str, str]:
    page = visitor.open(f"/admin/perbaikan-email/{request_id}")
    seen = page.text.split('name="seen" value="')[1].split('"')[0]
    grounds = {"identity_check": "tatap_muka", "note": "Datang ke loket 3"}
    return {**grounds, "seen": seen, "csrf_token": visitor.csrf_token("/akun")}


def test_of_many_admins_who_decide_one_request_one_is_heard(peopled: Flask, inbox: Inbox) -> None:
    request_id = asked(peopled, JOKO, "joko@nusajaya.example")
    admins = [logged_in(peopled, WATI if number % 2 else RATNA) for number in range(8)]
    fields = [_fields_to_approve(admin, request_id) for admin in admins]
    inbox.fetch()

    def decide(number: int) -> int:
        act, more = (
            ("setujui", fields[number])
            if number % 3
            else ("tolak", {**fields[number], "reason": "Datang ke loket"})
        )
        return admins[number].post(f"/admin/perbaikan-email/{request_id}/{act}", **more).status_code

    answers = _all_at_once([lambda number=number: decide(number) for number in range(8)])  # type: ignore[misc]

    assert set(answers) <= {303, 422}
    assert 422 in answers
    with peopled.app_context(), reading() as session:
        decisions = session.scalar(
            select(func.count()).where(AuditEvent.tag.in_((Tag.CORRECTION_APPROVED, Tag.CORRECTION_REJECTED)))
        )
    assert decisions == 1
    assert len(inbox.fetch()) in (1, 2), "the refusal, or the notice and the token"


def test_an_approval_that_races_a_running_reset_leaves_no_way_in_by_the_old_address(
    peopled: Flask, inbox: Inbox
) -> None:
    request_id, joko, wati = (
        asked(peopled, JOKO, "joko@nusajaya.example"),
        Visitor(peopled),
        logged_in(peopled, WATI),
    )
    joko.ask_for_token(JOKO.nip, JOKO.email or "")
    code = inbox.fetch_one().code
    fields, token = _fields_to_approve(wati, request_id), joko.csrf_token("/konfirmasi-reset-password")
    reset = {"csrf_token": token, "nip": JOKO.nip, "token": code, "password": "Kuda-Laut7"}
    answers: dict[str, int] = {}

    def approve() -> int:
        answers["approval"] = wati.post(f"/admin/perbaikan-email/{request_id}/setujui", **fields).status_code
        return answers["approval"]

    def redeem() -> int:
        answers["reset"] = joko.post("/reset-password", **reset).status_code
        return answers["reset"]

    _all_at_once([approve, redeem])

    with peopled.app_context(), reading() as session:
        email = session.scalars(select(User.email).where(User.nip == JOKO.nip)).one()
    if answers["approval"] == 303:  # the approval was first: the token of the old address is dead
        assert answers["reset"] == 422
        assert email == "joko@nusajaya.example"
    else:  # the reset was first: the admin is told that the account has changed
        assert answers == {"approval": 422, "reset": 303}
        assert email == JOKO.email
