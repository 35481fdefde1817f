"""A new SECRET_KEY is put before the old one while people are at work. Nobody is stopped, and no limit begins
anew."""

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature
from sqlalchemy import select

from app.domain.indonesian_time import now
from app.flows.people.unlock import limits_on
from app.models.throttle_bucket import ThrottleBucket
from app.runtime.db import unit_of_work
from app.security.signing import SigningKeys
from app.worker.sealing import seal_what_is_new
from tests.cast import BUDI, JOKO, NEW_PASSWORD, PASSWORD, SARI, Person, email_of
from tests.conftest import MakeApp, people
from tests.desk import user
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in

OLD, NEW, NEWEST = (f"a {age} key of more than thirty-two characters" for age in ("first", "second", "third"))


@pytest.fixture
def before(make_app: MakeApp, password_hash: str) -> Flask:
    """The portal before its key is changed."""
    app = make_app(SECRET_KEY=OLD)
    people(app, password_hash)
    return app


@pytest.fixture
def rotated(make_app: MakeApp, before: Flask) -> Flask:  # noqa: ARG001 (it has run before)
    """The same portal, started again with another key."""
    return make_app(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=OLD)


def goes_on(browser: Visitor, app: Flask) -> Visitor:
    """The same browser with all its cookies, now at the portal with the new key."""
    later = Visitor(app)
    for cookie in (browser.client._cookies or {}).values():
        later.client.set_cookie(cookie.key, cookie.value, domain="localhost")
    return later


def of(person: Person) -> tuple[str, str]:
    assert person.email
    return person.nip, person.email


def test_an_open_login_form_is_still_taken(before: Flask, rotated: Flask) -> None:
    sari = Visitor(before)
    token = sari.csrf_token("/login")

    answer = goes_on(sari, rotated).post("/login", csrf_token=token, nip=SARI.nip, password=PASSWORD)

    assert (answer.status_code, answer.location) == (303, "/beranda")


def test_cookies_are_those_of_flask_itself(before: Flask, rotated: Flask) -> None:
    """So the cookies that browsers have stay good, whichever of the two has signed them."""
    kept = {"asked": "a\u2028b", "at": 7}
    for app in (before, rotated):
        ours = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        flasks = SecureCookieSessionInterface().get_signing_serializer(app)
        assert flasks is not None
        assert flasks.loads(ours.dumps(kept)) == ours.loads(flasks.dumps(kept)) == kept
        assert ours.loads(SecureCookieSessionInterface().get_signing_serializer(before).dumps(kept)) == kept  # type: ignore[union-attr]
        with pytest.raises(BadSignature):
            ours.loads(flasks.dumps(kept)[:-2] + "xx")


@pytest.mark.parametrize(
    ("page", "path", "fields"),
    [
        ("/lupa-password", "/lupa-password", {"nip": BUDI.nip, "email": BUDI.email}),
        ("/perbaikan-email", "/perbaikan-email", {"nip": JOKO.nip, "email": "joko@contoh.example"}),
        ("/akun", "/akun/akhiri-sesi-lain", {}),
        ("/akun", "/akun/tetap-masuk", {}),
        ("/akun", "/logout", {}),
    ],
)
def test_every_open_form_is_still_taken(
    before: Flask, rotated: Flask, page: str, path: str, fields: dict[str, str]
) -> None:
    browser = logged_in(before, SARI) if page == "/akun" else Visitor(before)
    token = browser.csrf_token(page)

    assert goes_on(browser, rotated).post(path, csrf_token=token, **fields).status_code in (200, 303)


def test_who_is_logged_in_stays_so(before: Flask, rotated: Flask) -> None:
    assert goes_on(logged_in(before, SARI), rotated).is_logged_in()


def test_the_form_of_one_request_sent_before_and_after_is_one_request(before: Flask, rotated: Flask) -> None:
    joko, inbox = Visitor(before), Inbox(before)
    fields = {
        "csrf_token": joko.csrf_token("/perbaikan-email"),
        "nip": JOKO.nip,
        "email": "joko@contoh.example",
        "form_id": "x" * 16,
    }
    joko.post("/perbaikan-email", **fields)

    again = goes_on(joko, rotated).post("/perbaikan-email", **fields)

    assert again.status_code == 303
    assert len(inbox.fetch()) == 1


def test_the_reset_goes_on_where_it_was(before: Flask, rotated: Flask) -> None:
    budi = Visitor(before)
    budi.ask_for_token(*of(BUDI))
    code = Inbox(before).fetch_one(BUDI.email).code
    token = budi.csrf_token("/konfirmasi-reset-password")

    later = goes_on(budi, rotated)
    assert email_of(BUDI) in later.open("/konfirmasi-reset-password").text
    answer = later.post("/reset-password", csrf_token=token, nip="", token=code, password=NEW_PASSWORD)

    assert answer.location == "/konfirmasi-reset-password/berhasil"


def test_a_token_is_mailed_again_and_both_mails_work(make_app: MakeApp, before: Flask) -> None:
    budi = Visitor(before)
    budi.ask_for_token(*of(BUDI))
    first = Inbox(before).fetch_one(BUDI.email)
    later = make_app(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=OLD, RESEND_COOLDOWN_SECONDS="0")

    browser = goes_on(budi, later)
    assert (
        browser.post_with_token(
            "/konfirmasi-reset-password", "/konfirmasi-reset-password/kirim-ulang"
        ).status_code
        == 303
    )
    second = next(mail for mail in Inbox(later).fetch() if mail.message_id != first.message_id)

    assert second.code != first.code
    assert browser.open(second.link).status_code == browser.open(first.link).status_code == 303
    assert Visitor(later).reset_password(first.code, NEW_PASSWORD, nip=BUDI.nip).status_code == 303


def test_an_opened_link_stays_unthrottled_with_the_code_that_the_page_has_filled_in(
    before: Flask, rotated: Flask
) -> None:
    budi, stranger = Visitor(before), Visitor(before, "198.51.100.2")
    budi.ask_for_token(*of(BUDI))
    mail = Inbox(before).fetch_one(BUDI.email)
    budi.open(mail.link)
    token = budi.csrf_token("/konfirmasi-reset-password")
    for _ in range(6):
        stranger.reset_password("WDJB-MJHT", NEW_PASSWORD, nip=BUDI.nip)

    answer = goes_on(budi, rotated).post(
        "/reset-password", csrf_token=token, nip="", token=mail.code, password=NEW_PASSWORD
    )

    assert answer.status_code == 303


def test_a_correction_link_still_opens_its_form(before: Flask, rotated: Flask) -> None:
    Visitor(before).post_with_token("/perbaikan-email", nip=JOKO.nip, email="joko@contoh.example")
    link = Inbox(before).fetch_one("joko@contoh.example").link

    assert (
        Visitor(rotated).post_with_token(link, name="Joko", work_unit="Unit", reason="Lama").status_code
        == 303
    )


def test_all_that_is_signed_still_opens() -> None:
    once, later = SigningKeys((OLD,)), SigningKeys((NEWEST, NEW, OLD))

    assert later.open_stop_link(once.stop_link("A" * 16), 60) == "A" * 16
    assert later.open_correction_link(once.correction_link("A" * 16), 60) == "A" * 16
    assert later.open_devices(once.seal_devices({"a": ("b", 1)})) == {"a": ("b", 1)}
    assert later.opens_link(once.reset_link("A" * 16, b"k" * 32), "A" * 16, b"k" * 32)
    assert later.opens_code(once.reset_code("A" * 16, b"k" * 32), "A" * 16, b"k" * 32)


def test_a_known_browser_stays_known(before: Flask, rotated: Flask) -> None:
    """Guesses of others do not slow it down."""
    sari = logged_in(before, SARI)
    sari.post_with_token("/akun", "/logout")
    stranger = Visitor(rotated, "198.51.100.2")
    for _ in range(6):
        stranger.log_in(SARI.nip, "Salah-Sekali-1")
    assert stranger.log_in(SARI.nip).status_code == 429

    assert goes_on(sari, rotated).log_in(SARI.nip).status_code == 303


def test_guessers_of_a_password_get_no_allowance_anew(before: Flask, rotated: Flask) -> None:
    stranger = Visitor(before)
    for _ in range(5):
        assert stranger.log_in(SARI.nip, "Salah-Sekali-1").status_code == 422

    assert Visitor(rotated).log_in(SARI.nip, "Salah-Sekali-1").status_code == 429


def test_guessers_of_a_code_get_no_allowance_anew(before: Flask, rotated: Flask) -> None:
    for _ in range(5):
        Visitor(before).reset_password("WDJB-MJHT", NEW_PASSWORD, nip=BUDI.nip)

    assert Visitor(rotated).reset_password("WDJB-MJHT", NEW_PASSWORD, nip=BUDI.nip).status_code == 429


def test_every_counter_of_a_person_is_found_again(before: Flask, rotated: Flask) -> None:
    """The desk shows what was counted before the change of the key, and "unlock" removes it."""
    stranger = Visitor(before)
    for _ in range(6):
        stranger.log_in(SARI.nip, "Salah-Sekali-1")
        stranger.reset_password("WDJB-MJHT", NEW_PASSWORD, nip=SARI.nip)
    sari = user(before, SARI)
    with before.app_context(), unit_of_work() as db:
        held_before = [limited.what for limited in limits_on(db, sari, now())]

    with rotated.app_context(), unit_of_work() as db:
        held_after = [limited.what for limited in limits_on(db, sari, now())]

    assert held_after == held_before != []


def test_nothing_is_counted_under_a_second_name(before: Flask, rotated: Flask) -> None:
    def do_everything(app: Flask, address: str) -> None:
        stranger = Visitor(app, address)
        stranger.log_in(SARI.nip, "Salah-Sekali-1")
        stranger.reset_password("WDJB-MJHT", NEW_PASSWORD, nip=SARI.nip)
        stranger.ask_for_token(*of(SARI))
        stranger.post_with_token("/perbaikan-email", nip=SARI.nip, email="sari@contoh.example")

    def buckets(app: Flask) -> set[str]:
        with app.app_context(), unit_of_work() as db:
            return set(db.scalars(select(ThrottleBucket.key)))

    do_everything(before, "203.0.113.7")
    counted = buckets(before)

    do_everything(rotated, "203.0.113.7")

    assert buckets(rotated) == counted


def test_the_trail_goes_on(before: Flask, rotated: Flask) -> None:
    for app in (before, rotated):
        Visitor(app).log_in(SARI.nip)
        with app.app_context():
            assert seal_what_is_new()

    assert rotated.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 0


def test_fingerprints_bear_any_number_of_rotations_and_begin_anew_only_without_the_oldest_key() -> None:
    once, twice, without = SigningKeys((OLD,)), SigningKeys((NEWEST, NEW, OLD)), SigningKeys((NEWEST, NEW))

    assert once.fingerprint("login", SARI.nip) == twice.fingerprint("login", SARI.nip)
    assert twice.fingerprint("login", SARI.nip) != without.fingerprint("login", SARI.nip)
