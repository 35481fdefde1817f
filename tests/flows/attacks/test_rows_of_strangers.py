"""Nothing that a stranger does again and again fills the tables. Every route is called many times, and the
rows are counted.

A new route is included automatically. Time stands still, so that everything happens within one minute.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select
from werkzeug.routing import AnyConverter, BaseConverter, Rule

from app.domain.indonesian_time import now
from app.models import AuditEvent, Tag, ThrottleBucket
from app.models.base import Base
from app.runtime.db import reading, unit_of_work
from tests.cast import BUDI, CINTA, JOKO, NEW_PASSWORD, PASSWORD, RATNA, SARI
from tests.conftest import MakeApp, people
from tests.desk import person_id
from tests.flows.correction.test_correction_asked import link_for
from tests.flows.correction.test_correction_attacks import change_address, stop_path
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in

# The number of rows does not depend on the database
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FIRST, TIMES, TIMES_OF_REQUESTS = 3, 60, 200
# Rows in all tables together: five tries and their throttles, a request with its mails, and a row for each
# refusal
A_FEW = 20
# What may grow further, because it is another request or another guess each time, and up to which limit of
# the line.
OF_EACH_LINE = {
    ("login.enter", "other values"): "a wrong password for another NIP: 100 in ten minutes",
    ("reset.submit", "other values"): "a wrong token for another NIP: 100 in ten minutes",
    ("forgot_password.ask", "other values"): "another request for a token: 100 mails an hour",
    ("token_confirmation.send_new_token", "other values"): "a new token by a mailed link: 100 mails an hour",
    ("email_correction.ask", "other values"): "another request for a link: 100 mails an hour",
    (
        "email_correction.fill_in",
        "other values",
    ): "a request for another NIP by one proven mailbox: 10 an hour",
}
ROWS_OF_A_REQUEST = 8  # in all tables
_lines = count(1)
_ROWS_OF_TABLES = select(
    *(
        select(func.count()).select_from(table).scalar_subquery().label(table.name)
        for table in Base.metadata.sorted_tables
    )
)


@dataclass(frozen=True)
class Links:
    """The links that are in mailboxes and still work."""

    code: str
    reset: str
    correction: str
    stop: str


@pytest.fixture
def links(peopled: Flask, inbox: Inbox) -> Links:
    Visitor(peopled).ask_for_token(BUDI.nip, BUDI.email or "")
    mail = inbox.fetch_one(BUDI.email)
    correction = link_for(peopled, inbox)
    change_address(peopled, SARI, "sari.baru@nusajaya.example")
    stop = stop_path(inbox.fetch(), SARI.email)
    return Links(mail.code, mail.link.removeprefix("http://localhost"), correction, stop)


class Walker:
    """Somebody with a browser, on a line of their own. `fields` makes the form that is sent the n-th time."""

    def __init__(
        self, app: Flask, fields: Callable[[int], dict[str, str]], *, has_token: bool, forgets: bool = False
    ) -> None:
        line = next(_lines)
        self.visitor = Visitor(app, f"198.18.{line // 250}.{line % 250}")
        self._fields, self._forgets = fields, forgets
        self._token = self.visitor.csrf_token("/lupa-password") if has_token else ""

    def walk(self, method: str, path: str, numbers: range) -> None:
        for number in numbers:
            if self._forgets:
                self.visitor.client.delete_cookie("formulir", domain="localhost")
            if method == "GET":
                self.visitor.open(path).close()
            else:
                self.visitor.post(path, csrf_token=self._token, **self._fields(number))


def _same(_number: int) -> dict[str, str]:
    return {
        "nip": JOKO.nip, "email": "orang@contoh.example", "form_id": "satu", "password": "Salah-Sekali-1",
        "token": "WDJB-MJHT", "name": "Orang", "work_unit": "Unit", "reason": "Lama", "phone": "0812",
    }  # fmt: skip


def _other(number: int) -> dict[str, str]:
    other = {
        "nip": f"1970010119950{number:05d}",
        "email": f"orang{number}@contoh.example",
        "form_id": str(number),
    }
    return {**_same(number), **other, "token": "WDJB-MJH" + "BCDFGHJKLM"[number % 10]}


def _routes(app: Flask, links: Links) -> Iterator[tuple[Rule, str, str]]:
    """Every rule with every method that does something, and a path for it."""
    known = {
        "/konfirmasi-reset-password/<link>": links.reset,
        "/perbaikan-email/<link>": links.correction,
        "/bukan-saya/<link>": links.stop,
        "/static/<path:filename>": "/static/js/portal.js",
    }
    for rule in app.url_map.iter_rules():
        values = {name: _value_of(one) for name, one in rule._converters.items()}
        built = rule.build(values, append_unknown=False)
        assert built, rule
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method, known.get(rule.rule) or built[1]


def _value_of(converter: BaseConverter) -> int | str:
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    kind = type(converter).__name__
    return 1 if "int" in kind.lower() or "RowId" in kind else "x"


def _rows(app: Flask) -> dict[str, int]:
    with app.app_context(), reading() as session:
        return dict(session.execute(_ROWS_OF_TABLES).mappings().one())


def _growth(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {table: rows - before[table] for table, rows in after.items() if rows != before[table]}


def forget_tries(app: Flask) -> None:
    """Forget all tries, as if nobody had tried anything for any NIP."""
    with app.app_context(), unit_of_work() as session:
        session.execute(delete(ThrottleBucket))


KINDS = {
    "no token": {"fields": _same, "has_token": False},
    "no cookies": {"fields": _same, "has_token": False, "forgets": True},
    "same values": {"fields": _same, "has_token": True},
    "other values": {"fields": _other, "has_token": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_route_writes_rows_without_bound(peopled: Flask, links: Links, kind: str) -> None:
    """If the first visits write nothing, later visits find nothing changed, so the walker stops. The others
    go on."""
    went_on = 0
    allowed = {endpoint for endpoint, of_kind in OF_EACH_LINE if of_kind == kind}

    def new_walker() -> Walker:
        return Walker(peopled, **KINDS[kind])  # type: ignore[arg-type]

    # The limit is the same for every page. All of them use one line, because otherwise the test would take
    # minutes
    refused = new_walker()
    with time_machine.travel(now(), tick=False):
        for rule, method, path in _routes(peopled, links):
            is_refused = rule.endpoint.startswith("admin.") or (method == "POST" and "values" not in kind)
            walker = refused if is_refused else new_walker()
            forget_tries(peopled)
            before = _rows(peopled)
            walker.walk(method, path, range(FIRST))
            if _rows(peopled) != before:
                went_on += 1
                walker.walk(
                    method, path, range(FIRST, TIMES_OF_REQUESTS if rule.endpoint in allowed else TIMES)
                )
            grown = _growth(before, _rows(peopled))
            most = 100 * ROWS_OF_A_REQUEST + A_FEW if rule.endpoint in allowed else A_FEW
            assert sum(grown.values()) <= most, (rule.rule, method, grown)
    assert went_on >= 1


# -- those who have something
def _tags(app: Flask) -> dict[Tag, int]:
    with app.app_context(), reading() as session:
        counted = select(AuditEvent.tag, func.count().label("rows")).group_by(AuditEvent.tag)
        return {row.tag: row.rows for row in session.execute(counted)}


def _many(times: int, act: Callable[[], object]) -> None:
    for _ in range(times):
        act()


def test_a_known_browser_that_goes_on_guessing_gets_five_rows_and_one(peopled: Flask) -> None:
    known = logged_in(peopled, SARI)
    known.post_with_token("/beranda", "/logout")
    token = known.csrf_token("/login")

    with time_machine.travel(now(), tick=False):
        _many(TIMES, lambda: known.post("/login", csrf_token=token, nip=SARI.nip, password="Salah-1"))

    tags = _tags(peopled)
    assert (tags[Tag.LOGIN_REFUSED], tags[Tag.LOGIN_THROTTLED]) == (5, 1)


def test_an_opened_link_is_a_row_for_a_browser_and_one_a_minute_for_a_line_without_memory(
    peopled: Flask, links: Links
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        browser = Visitor(peopled)
        _many(TIMES, lambda: browser.open(links.reset))
        assert _tags(peopled)[Tag.LINK_OPENED] == 1

        clock.shift(timedelta(minutes=2))
        _many(TIMES, lambda: browser.open(links.reset))
        assert _tags(peopled)[Tag.LINK_OPENED] == 1, "in the same browser it is never news again"

        _many(TIMES, lambda: Visitor(peopled).open(links.reset))
        assert _tags(peopled)[Tag.LINK_OPENED] == 2
        Visitor(peopled, "198.51.100.9").open(links.reset)
        assert _tags(peopled)[Tag.LINK_OPENED] == 3, "another line"


@pytest.mark.parametrize("token", ["", "gT5mZ2pQ8sKd-1Xa.q3Jv_0bWnYc7RtLzHk2MfXe9UaGd4PsVi6BoTj1QwE8"])
def test_who_holds_a_live_link_and_goes_on_failing_fills_nothing(
    peopled: Flask, links: Links, token: str
) -> None:
    holder = Visitor(peopled)
    holder.open(links.reset)
    csrf = holder.csrf_token("/konfirmasi-reset-password")
    before = _rows(peopled)

    with time_machine.travel(now(), tick=False):
        weak = f"Budi{BUDI.nip[:4]}Aa"
        _many(
            TIMES,
            lambda: holder.post(
                "/reset-password", csrf_token=csrf, nip=BUDI.nip, token=token or links.code, password=weak
            ),
        )

    assert sum(_growth(before, _rows(peopled)).values()) <= A_FEW


def test_whose_account_is_not_open_and_who_asks_again_too_soon_fills_nothing(peopled: Flask) -> None:
    cinta, asker = Visitor(peopled), Visitor(peopled)
    token = cinta.csrf_token("/login")
    asker.ask_for_token(BUDI.nip, BUDI.email or "")
    again = asker.csrf_token("/konfirmasi-reset-password")
    before = _rows(peopled)

    with time_machine.travel(now(), tick=False):
        _many(20, lambda: cinta.post("/login", csrf_token=token, nip=CINTA.nip, password=PASSWORD))
        _many(TIMES, lambda: asker.post("/konfirmasi-reset-password/kirim-ulang", csrf_token=again))

    assert sum(_growth(before, _rows(peopled)).values()) <= A_FEW


def test_somebody_without_a_mandate_who_knocks_at_the_desk_fills_nothing(peopled: Flask) -> None:
    sari = logged_in(peopled, SARI)
    before = _rows(peopled)

    with time_machine.travel(now(), tick=False):
        _many(TIMES, lambda: sari.open("/admin/"))

    assert _growth(before, _rows(peopled)) == {"audit_event": 1}


def test_a_left_out_refusal_stands_in_the_trail_in_words(peopled: Flask) -> None:
    stranger = Visitor(peopled)
    with time_machine.travel(now(), tick=False) as clock:
        _many(3, lambda: stranger.post("/login", nip=SARI.nip))
        clock.shift(timedelta(minutes=1))
        stranger.post("/login", nip=SARI.nip)

    with peopled.app_context(), reading() as session:
        events = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == Tag.FORM_REFUSED).order_by(AuditEvent.id)
        ).all()
    assert [event.detail.get("left_out") for event in events] == [None, 2]
    assert (
        "Serupa sebelumnya, tidak dirinci"
        in logged_in(peopled, RATNA).open("/admin/audit?jenis=form_refused").text
    )


def test_a_broken_form_is_a_400_where_limits_per_address_are_off_too(
    make_app: MakeApp, password_hash: str
) -> None:
    app = make_app(ADDRESS_LIMITS="off")
    people(app, password_hash)

    assert [Visitor(app).post("/login", nip="1").status_code for _ in range(3)] == [400] * 3
    assert _tags(app) == {Tag.FORM_REFUSED: 1}


def test_whether_a_row_is_written_does_not_depend_on_whether_there_is_an_account(peopled: Flask) -> None:
    """A NIP that nobody has writes the same rows. Otherwise the time of the answer would tell who exists."""

    def rows_after_guesses(nip: str, line: str) -> dict[str, int]:
        guesser, before = Visitor(peopled, line), _rows(peopled)
        token = guesser.csrf_token("/login")
        _many(8, lambda: guesser.post("/login", csrf_token=token, nip=nip, password="Salah-1"))
        _many(
            8,
            lambda: guesser.post(
                "/reset-password", csrf_token=token, nip=nip, token="WDJB-MJHT", password=NEW_PASSWORD
            ),
        )
        return _growth(before, _rows(peopled))

    with time_machine.travel(now(), tick=False):
        noise = rows_after_guesses("197001011995011998", "198.51.100.9")
        assert (
            noise
            == rows_after_guesses("197001011995011997", "198.51.100.9")
            == rows_after_guesses(SARI.nip, "198.51.100.9")
        )
        sari = person_id(peopled, SARI)
        with peopled.app_context(), reading() as session:
            of_sari = select(func.count(AuditEvent.id)).where(AuditEvent.account_id == sari)
            refused = AuditEvent.tag.in_(
                (Tag.LOGIN_REFUSED, Tag.LOGIN_THROTTLED, Tag.TOKEN_REFUSED, Tag.TOKEN_THROTTLED)
            )
            assert session.scalar(of_sari.where(refused)) == 12, (
                "all of hers are there, whatever came before them"
            )
