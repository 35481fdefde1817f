"""How many statements the pages of the flow cost, whoever comes and however much there is. A statement is one
that reads or writes rows: BEGIN, COMMIT and savepoints do not count."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from app.domain.indonesian_time import now
from app.models.reset_request import CODES_TRIED
from tests.cast import BUDI, NEW_PASSWORD, PASSWORD, SARI, WATI, Person, email_of
from tests.flows.attacks.test_same_answer import statements
from tests.flows.attacks.test_same_work import requests_of
from tests.inbox import Inbox
from tests.visitor import Visitor

MOST_OF_A_PAGE, MOST_OF_A_POST = 4, 6
_OF_ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


class Counting:
    """A visitor whose every request is counted."""

    def __init__(self, app: Flask, visitor: Visitor) -> None:
        self._app, self._visitor = app, visitor
        self.counts: dict[str, int] = {}

    def open(self, path: str) -> None:
        self._count(f"GET {path.partition('?')[0]}", lambda: self._visitor.open(path).status_code, 200)

    def follow(self, link: str) -> None:
        self._count("GET the link", lambda: self._visitor.open(link).status_code, 303)

    def post(self, page: str, path: str, **fields: str) -> None:
        token = self._visitor.csrf_token(page)
        self._count(
            f"POST {path}", lambda: self._visitor.post(path, csrf_token=token, **fields).status_code, 303
        )

    def _count(self, name: str, ask: Callable[[], int], status: int) -> None:
        with statements(self._app) as seen:
            assert ask() == status, name
        self.counts[name] = len([one for one in seen if one.startswith(_OF_ROWS)])

    def check(self) -> None:
        too_many = {
            name: count
            for name, count in self.counts.items()
            if count > (MOST_OF_A_PAGE if name.startswith("GET") else MOST_OF_A_POST)
        }
        assert not too_many, self.counts


def _go_through(app: Flask, inbox: Inbox, person: Person, *, by_link: bool) -> dict[str, int]:
    """The whole flow of one person in a new browser."""
    visitor = Visitor(app)
    visitor.open("/login")  # now and then this page looks how the service is doing, whoever opens it
    counting = Counting(app, visitor)
    counting.open("/lupa-password")
    counting.post("/lupa-password", "/lupa-password", nip=person.nip, email=email_of(person))
    mail = inbox.fetch_one(email_of(person))
    if by_link:
        counting.follow(mail.link)
    counting.open("/konfirmasi-reset-password")
    fields = {"token": mail.code, "password": NEW_PASSWORD}
    counting.post("/konfirmasi-reset-password", "/reset-password", **fields)
    counting.open("/konfirmasi-reset-password/berhasil")
    counting.open("/login")
    counting.post("/login", "/login", nip=person.nip, password=NEW_PASSWORD)
    counting.open("/beranda")
    counting.check()
    return counting.counts


@pytest.mark.parametrize("by_link", [False, True])
@pytest.mark.parametrize("person", [BUDI, SARI])
def test_a_page_of_the_flow_costs_four_statements_and_a_post_six(
    peopled: Flask, inbox: Inbox, person: Person, *, by_link: bool
) -> None:
    assert _go_through(peopled, inbox, person, by_link=by_link)


def test_no_step_of_the_flow_costs_more_where_there_is_more(peopled: Flask, inbox: Inbox) -> None:
    with_little = _go_through(peopled, inbox, BUDI, by_link=False)
    inbox.fetch()
    requests_of(peopled, SARI, CODES_TRIED + 5, expires_at=now() - timedelta(hours=1))
    requests_of(peopled, WATI, CODES_TRIED, used_at=now())

    assert _go_through(peopled, inbox, SARI, by_link=False) == with_little


def test_sessions_and_guesses_to_end_cost_one_statement_more_each(peopled: Flask, inbox: Inbox) -> None:
    """However many there are."""
    owner = Visitor(peopled)
    for _ in range(3):
        Visitor(peopled).log_in(SARI.nip, PASSWORD)
        Visitor(peopled).log_in(SARI.nip, "Salah-Sekali-1")
    owner.ask_for_token(SARI.nip, email_of(SARI))
    code = inbox.fetch_one(email_of(SARI)).code
    counting = Counting(peopled, owner)
    page = "/konfirmasi-reset-password"

    counting.post(page, "/reset-password", token=code, password=NEW_PASSWORD)

    assert counting.counts == {"POST /reset-password": MOST_OF_A_POST + 2}


def test_the_home_page_of_an_admin_with_a_change_under_way_stays_within_four(peopled: Flask) -> None:
    wati = Visitor(peopled)
    assert wati.log_in(WATI.nip, PASSWORD).status_code == 303
    counting = Counting(peopled, wati)

    counting.open("/beranda")

    counting.check()
