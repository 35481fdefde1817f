"""A browser in which its owner has logged in is known: strangers do not slow it down, and it is worth nothing
to a thief."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.models import AuditEvent, Tag, User
from app.runtime.db import engine, reading, unit_of_work
from app.runtime.portal import portal
from tests.cast import BUDI, CINTA, DEWI, HADI, PASSWORD, RAKA, RATNA, SARI, STRANGERS_NIP, WATI
from tests.conftest import MakeApp, people
from tests.desk import person_id, user
from tests.flows.attacks.test_same_answer import statements
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

OFFICE = "198.51.100.9"
NEW_PASSWORD = "Kuda-Laut7"


def _known(app: Flask, address: str = "203.0.113.7") -> Visitor:
    """A browser of Sari, who has logged in and out in it."""
    browser = Visitor(app, address)
    assert browser.log_in(SARI.nip).status_code == 303
    browser.submit("/beranda", "/logout")
    return browser


def _guess(browser: Visitor, nip: str = SARI.nip) -> int:
    return browser.log_in(nip, "Salah-Sekali-1").status_code


def _use_up(app: Flask) -> None:
    """A stranger guesses until new browsers have to wait."""
    assert [_guess(Visitor(app)) for _ in range(6)][-1] == 429


def _is_known(app: Flask, browser: Visitor, password: str = PASSWORD, nip: str = SARI.nip) -> bool:
    """Whether the browser is known, seen from outside: it gets in while new browsers have to wait."""
    assert Visitor(app).log_in(nip, "Salah-Sekali-1").status_code == 429, "new browsers wait"
    answer = browser.log_in(nip, password).status_code
    assert answer in (303, 429)
    return answer == 303


def _fill_the_office(app: Flask) -> None:
    """Somebody in the office guesses at many NIPs until the office's address has no wrong try left."""
    guesser = Visitor(app, OFFICE)
    token = guesser.csrf_token("/login")
    for number in range(100):
        guesser.post("/login", csrf_token=token, nip=f"1970010119950{number:05d}", password="Salah-1")
    assert guesser.post("/login", csrf_token=token, nip=STRANGERS_NIP, password="Salah-1").status_code == 429


def _mark(browser: Visitor) -> str:
    cookie = browser.client.get_cookie("perangkat", "localhost")
    assert cookie is not None
    return cookie.value


# -- one allowance for all of them


def test_thirty_known_browsers_guess_no_faster_than_one(peopled: Flask) -> None:
    browsers = [_known(peopled) for _ in range(30)]

    answers = [_guess(browser) for browser in browsers for _ in range(2)]

    assert answers == [422] * 5 + [429] * 55


def test_known_browsers_and_new_ones_do_not_use_up_each_others_tries(peopled: Flask) -> None:
    at_home = _known(peopled)
    assert [_guess(at_home) for _ in range(6)] == [422] * 5 + [429]

    assert Visitor(peopled).log_in(SARI.nip).status_code == 303, (
        "who sits at a known browser does not lock her out of others"
    )
    _use_up(peopled)
    assert _guess(at_home) == 429, "and gets no tries of new ones beside his own"


def test_a_login_in_a_known_browser_does_not_clear_the_way_for_who_guesses_in_another(peopled: Flask) -> None:
    at_home, in_office = _known(peopled), _known(peopled)
    assert [_guess(in_office) for _ in range(4)] == [422] * 4
    for _ in range(3):
        assert at_home.log_in(SARI.nip).status_code == 303
        at_home.submit("/beranda", "/logout")

    assert [_guess(in_office) for _ in range(2)] == [422, 429]


def test_who_uses_up_everything_does_not_keep_the_owner_from_the_mailed_link(
    peopled: Flask, inbox: Inbox
) -> None:
    thief, sari = _known(peopled), Visitor(peopled)
    assert [_guess(thief) for _ in range(6)][-1] == 429
    _use_up(peopled)
    sari.ask_for_token(SARI.nip, SARI.email or "")
    mail = inbox.fetch_one()
    sari.open(mail.link)

    assert sari.reset_password(mail.code, NEW_PASSWORD).status_code == 303

    assert [_guess(thief) for _ in range(6)][-1] == 429
    assert sari.log_in(SARI.nip, NEW_PASSWORD).status_code == 303, (
        "this browser has the only mark that is worth something"
    )


# -- what ends a mark


def test_marks_collected_before_a_reset_are_worth_nothing_after_it(peopled: Flask, inbox: Inbox) -> None:
    collected, sari = [_known(peopled) for _ in range(10)], Visitor(peopled)
    sari.ask_for_token(SARI.nip, SARI.email or "")
    sari.reset_password(inbox.fetch_one().code, NEW_PASSWORD)

    assert [_guess(browser) for browser in collected for _ in range(2)] == [422] * 5 + [429] * 15

    assert _is_known(peopled, sari, NEW_PASSWORD), "but the browser of the reset is known"
    assert not _is_known(peopled, collected[0], NEW_PASSWORD)


def test_a_mark_copied_from_the_browser_of_the_reset_dies_with_it(peopled: Flask, inbox: Inbox) -> None:
    sari, thief = _known(peopled), Visitor(peopled)
    thief.client.set_cookie("perangkat", _mark(sari), domain="localhost")
    sari.ask_for_token(SARI.nip, SARI.email or "")
    sari.reset_password(inbox.fetch_one().code, NEW_PASSWORD)
    _use_up(peopled)

    assert not _is_known(peopled, thief, NEW_PASSWORD)
    assert _is_known(peopled, sari, NEW_PASSWORD)


@pytest.mark.parametrize(("days", "is_known"), [(179, True), (181, False)])
def test_the_server_itself_counts_how_old_a_mark_is(peopled: Flask, days: int, *, is_known: bool) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        mark = _mark(_known(peopled))
        clock.shift(timedelta(days=days))
        browser = Visitor(peopled)
        browser.client.set_cookie("perangkat", mark, domain="localhost")
        _use_up(peopled)

        assert _is_known(peopled, browser) is is_known


def test_the_login_of_another_person_does_not_make_a_mark_younger(peopled: Flask) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        browser = _known(peopled)
        clock.shift(timedelta(days=179))
        mark = _mark(browser)
        shared = Visitor(peopled)
        shared.client.set_cookie("perangkat", mark, domain="localhost")
        shared.log_in(RAKA.nip)
        shared.submit("/beranda", "/logout")
        clock.shift(timedelta(days=2))
        _use_up(peopled)

        assert not _is_known(peopled, shared)


def test_a_login_makes_the_mark_young_again(peopled: Flask) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        browser = _known(peopled)
        for _ in range(2):
            clock.shift(timedelta(days=179))
            # The test client drops old cookies
            browser.client.set_cookie("perangkat", _mark(browser), domain="localhost")
            assert browser.log_in(SARI.nip).status_code == 303
            browser.submit("/beranda", "/logout")
        _use_up(peopled)

        assert _is_known(peopled, browser)


def _renumber(person: User) -> None:
    person.renumber(Nip(SARI.nip[:-1] + "9"))
    person.renumber(Nip(SARI.nip))


def _deactivate_and_back(person: User) -> None:
    person.deactivate("admin", "keliru", now())
    person.reactivate(now())


def _take_the_password(person: User) -> None:
    old = person.password_hash
    person.remove_password()
    person.set_password(old or "", now())


@pytest.mark.parametrize(
    "act", [_renumber, _deactivate_and_back, _take_the_password], ids=lambda act: act.__name__
)
def test_a_mark_dies_with_what_was_proven(peopled: Flask, act: object) -> None:
    browser = _known(peopled)
    with peopled.app_context(), unit_of_work() as session:
        act(session.scalars(select(User).where(User.nip == SARI.nip)).one())  # type: ignore[operator]
    _use_up(peopled)

    assert not _is_known(peopled, browser)


def test_a_correction_of_the_address_leaves_her_browsers_known(peopled: Flask) -> None:
    """Otherwise whoever changes the address would also make Sari's browsers unknown. Then strangers could
    keep Sari out by using up the tries of new browsers, while Sari's mailbox gets no token."""
    browser = _known(peopled)
    with peopled.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == SARI.nip)).one().set_email(None)
    _use_up(peopled)

    assert _is_known(peopled, browser)


def test_a_mark_is_of_no_use_for_another_nip(peopled: Flask) -> None:
    browser = _known(peopled, OFFICE)
    for _ in range(6):
        Visitor(peopled).log_in(RAKA.nip, "Salah-Sekali-1")
    assert not _is_known(peopled, browser, nip=RAKA.nip)

    _fill_the_office(peopled)
    for nip in (RAKA.nip, BUDI.nip, STRANGERS_NIP, ""):
        assert _guess(browser, nip) == 429, (
            "nor does it let her guess at others from an office that has used up its tries"
        )
    assert browser.log_in(SARI.nip).status_code == 303


def test_a_nip_that_somebody_else_has_now_is_another_nip(peopled: Flask) -> None:
    browser = _known(peopled)
    with peopled.app_context(), unit_of_work() as session:
        sari, raka = (
            session.scalars(select(User).where(User.nip == person.nip)).one() for person in (SARI, RAKA)
        )
        sari.renumber(Nip(SARI.nip[:-1] + "9"))
        session.flush()
        raka.renumber(Nip(SARI.nip))
    _use_up(peopled)

    assert not _is_known(peopled, browser)


def test_a_dead_mark_gives_no_exemption_from_the_limit_of_the_office(peopled: Flask, inbox: Inbox) -> None:
    browser, sari = _known(peopled, OFFICE), Visitor(peopled)
    sari.ask_for_token(SARI.nip, SARI.email or "")
    sari.reset_password(inbox.fetch_one().code, NEW_PASSWORD)
    _fill_the_office(peopled)

    answer = browser.log_in(SARI.nip, NEW_PASSWORD)

    assert answer.status_code == 429
    assert "Dari jaringan ini" in words_of(answer)


@pytest.mark.parametrize("forged", ["", "x", "e30.x", "W10.x"])
def test_a_cookie_of_another_make_is_nothing(peopled: Flask, forged: str) -> None:
    browser = Visitor(peopled)
    browser.client.set_cookie("perangkat", forged, domain="localhost")

    assert browser.log_in(SARI.nip).status_code == 303


@pytest.mark.parametrize("kept", [{"a": "b"}, {"a": ["", 0]}, {"a": [None, 9_999_999_999]}, ["a"], "a", 7])
def test_a_cookie_of_an_earlier_release_is_nothing(peopled: Flask, kept: object) -> None:
    browser = Visitor(peopled)
    with peopled.app_context():
        sealed = portal().keys._serializer("mysapk.device").dumps(kept)
    browser.client.set_cookie("perangkat", str(sealed), domain="localhost")

    assert _guess(browser, BUDI.nip) == 422, (
        "also where nobody has ever logged in and there is no mark to compare with"
    )
    assert browser.log_in(SARI.nip).status_code == 303


def test_a_new_key_leaves_browsers_known(make_app: MakeApp, password_hash: str) -> None:
    old, new = "an old key of more than thirty-two characters", "a new key of more than thirty-two characters"
    before = make_app(SECRET_KEY=old)
    people(before, password_hash)
    mark = _mark(_known(before))
    after = make_app(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old)
    browser = Visitor(after)
    browser.client.set_cookie("perangkat", mark, domain="localhost")
    _use_up(after)

    assert _is_known(after, browser)
    assert "Browser ini dikenal sampai" in words_of(browser.open("/akun"))


# -- /akun


def test_the_account_page_says_until_when_this_browser_is_known(peopled: Flask) -> None:
    with time_machine.travel("2026-03-02 03:00:00+00:00", tick=False):
        assert "Browser ini dikenal sampai 29 Agustus 2026." in words_of(
            logged_in(peopled, SARI).open("/akun")
        )


def test_she_can_have_all_browsers_forgotten(peopled: Flask) -> None:
    phone, sari = _known(peopled), logged_in(peopled, SARI)

    answer = sari.submit("/akun", "/akun/lupakan-browser")

    page = words_of(sari.open(answer.location))
    assert "Semua browser sudah dilupakan" in page
    assert "Browser ini belum dikenal" in page
    _use_up(peopled)
    assert not _is_known(peopled, phone)
    sari.submit("/beranda", "/logout")
    assert not _is_known(peopled, sari)
    with peopled.app_context(), reading() as session:
        noted = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.BROWSERS_FORGOTTEN)).one()
        assert noted.actor_id == noted.account_id


def test_others_who_use_this_browser_stay_known_in_it(peopled: Flask) -> None:
    shared = _known(peopled)
    shared.log_in(RAKA.nip)
    shared.submit("/akun", "/akun/lupakan-browser")
    shared.submit("/beranda", "/logout")
    _use_up(peopled)

    assert _is_known(peopled, shared)


def test_ending_the_other_sessions_forgets_their_browsers_and_not_this_one(peopled: Flask) -> None:
    phone, sari = _known(peopled), logged_in(peopled, SARI)
    phone.log_in(SARI.nip)

    sari.submit("/akun", "/akun/akhiri-sesi-lain")

    assert sari.is_logged_in()
    assert not phone.is_logged_in()
    sari.submit("/beranda", "/logout")
    _use_up(peopled)
    assert _is_known(peopled, sari)
    assert not _is_known(peopled, phone)


def test_a_stolen_session_does_not_become_the_only_known_browser(peopled: Flask) -> None:
    sari, thief = logged_in(peopled, SARI), Visitor(peopled)
    stolen = sari.client.get_cookie("masuk", "localhost")
    assert stolen is not None
    thief.client.set_cookie("masuk", stolen.value, domain="localhost")

    thief.post_with_token("/akun", "/akun/akhiri-sesi-lain")

    assert thief.client.get_cookie("perangkat", "localhost") is None


@pytest.mark.parametrize("path", ["/akun/lupakan-browser", "/akun/akhiri-sesi-lain"])
def test_only_who_is_logged_in_has_browsers_forgotten(peopled: Flask, path: str) -> None:
    phone, stranger = _known(peopled), Visitor(peopled)

    assert stranger.post_with_token("/login", path).location == "/login?next=/akun"
    assert stranger.open(path).location == "/akun"

    _use_up(peopled)
    assert _is_known(peopled, phone)


def test_five_people_share_a_browser_and_who_was_here_longest_ago_makes_room(
    peopled: Flask, password_hash: str
) -> None:
    with peopled.app_context(), unit_of_work() as session:
        for user in session.scalars(select(User).where(User.nip.in_([DEWI.nip, HADI.nip]))):
            user.set_password(password_hash, now())
    shared = Visitor(peopled)
    for person in (SARI, DEWI, RAKA, WATI, RATNA):
        assert shared.log_in(person.nip).status_code == 303
        shared.submit("/beranda", "/logout")
    with_sari = _mark(shared)
    shared.log_in(HADI.nip)
    shared.submit("/beranda", "/logout")
    _use_up(peopled)

    assert not _is_known(peopled, shared)
    shared.client.set_cookie("perangkat", with_sari, domain="localhost")
    assert _is_known(peopled, shared)


# -- nothing is told by it


@pytest.mark.parametrize("nip", [SARI.nip, BUDI.nip, CINTA.nip, STRANGERS_NIP])
def test_a_browser_with_somebodys_mark_runs_the_same_statements_for_every_other_nip(
    peopled: Flask, nip: str
) -> None:
    def refused(nip: str) -> list[str]:
        browser = logged_in(peopled, RAKA)
        browser.submit("/beranda", "/logout")
        token = browser.csrf_token("/login")
        with statements(peopled) as seen:
            browser.post("/login", csrf_token=token, nip=nip, password="Salah-Sekali-1")
        return seen

    assert refused(nip) == refused(STRANGERS_NIP)


def test_the_cookie_does_not_tell_who_was_here(peopled: Flask) -> None:
    mark, account = _mark(_known(peopled)), user(peopled, SARI)
    with peopled.app_context():
        kept = portal().keys.open_devices(mark)

    assert [entry[0] for entry in kept.values()] == [account.browser_mark]
    assert SARI.nip not in str(kept)
    assert SARI.name not in str(kept)
    assert str(person_id(peopled, SARI)) not in kept


def test_a_database_that_is_away_is_not_taken_for_a_fault_of_the_counters(peopled: Flask) -> None:
    browser = _known(peopled, OFFICE)
    token = browser.csrf_token("/login")
    _fill_the_office(peopled)

    def fail(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    with peopled.app_context():
        listened = engine()
    event.listen(listened, "before_cursor_execute", fail)
    try:
        browser.post("/login", csrf_token=token, nip=SARI.nip, password=PASSWORD)
    finally:
        event.remove(listened, "before_cursor_execute", fail)

    assert _guess(Visitor(peopled, OFFICE)) == 429, "what was counted is still counted"
