"""The pages of the flow say where one is, carry the NIP along, and speak of success only where it was."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.domain.indonesian_time import now
from app.security.throttle import TOKEN_PER_NIP
from tests.cast import BUDI, CINTA, NEW_PASSWORD, SARI, STRANGERS_NIP, email_of
from tests.inbox import Inbox
from tests.visitor import Visitor, words_of

PAGE, DONE = "/konfirmasi-reset-password", "/konfirmasi-reset-password/berhasil"
WRONG = "WDJB-MJHT"
REFUSED = "Token ini salah atau sudah tidak berlaku."


def has_nip(visitor: Visitor, path: str, nip: str) -> bool:
    return f'value="{nip}"' in visitor.open(path).text


def budi_has_reset(app: Flask, inbox: Inbox) -> Visitor:
    budi = Visitor(app)
    budi.ask_for_token(BUDI.nip, email_of(BUDI))
    assert budi.reset_password(inbox.fetch_one().code, NEW_PASSWORD).location == DONE
    inbox.fetch()
    return budi


def test_success_is_told_only_where_it_was(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    budi = budi_has_reset(peopled, inbox)

    for _ in range(2):
        assert "Reset Password berhasil" in words_of(budi.open(DONE))
    assert visitor.open(DONE).location == "/login"
    visitor.ask_for_token(BUDI.nip, email_of(BUDI))
    assert visitor.open(DONE).location == "/login"

    budi.log_in(BUDI.nip, NEW_PASSWORD)
    assert budi.client.get(DONE, follow_redirects=True).request.path == "/beranda"


def test_what_a_page_fetches_beside_itself_does_not_bring_an_older_session(peopled: Flask) -> None:
    """The service worker fetches while the form is on its way. Its answer may come last."""
    budi = Visitor(peopled)
    budi.ask_for_token(BUDI.nip, email_of(BUDI))
    budi.open(PAGE)
    for path in ("/sw.js", "/tanpa-jaringan", "/manifest.webmanifest", "/status"):
        fetched = budi.client.get(path, headers={"Sec-Fetch-Mode": "same-origin"})
        assert fetched.status_code == 200
        assert "Set-Cookie" not in fetched.headers, path
    assert "Set-Cookie" in budi.client.get(PAGE, headers={"Sec-Fetch-Mode": "navigate"}).headers


def test_success_is_told_for_a_while_only_and_not_beside_a_new_request(peopled: Flask, inbox: Inbox) -> None:
    first, second = budi_has_reset(peopled, inbox), budi_has_reset(peopled, inbox)

    second.ask_for_token(BUDI.nip, email_of(BUDI))
    assert second.open(DONE).location == "/login"
    with time_machine.travel(now() + timedelta(minutes=31), tick=False):
        assert first.open(DONE).location == "/login"
        assert not has_nip(first, "/login", BUDI.nip)


def test_cinta_reads_on_the_last_page_that_she_waits(peopled: Flask, inbox: Inbox, visitor: Visitor) -> None:
    visitor.ask_for_token(CINTA.nip, email_of(CINTA))
    visitor.reset_password(inbox.fetch_one().code, NEW_PASSWORD)
    inbox.fetch()

    assert "menunggu persetujuan" in words_of(visitor.open(DONE))
    assert "menunggu persetujuan" not in words_of(budi_has_reset(peopled, inbox).open(DONE))


def test_the_steps_are_named(peopled: Flask, inbox: Inbox, visitor: Visitor) -> None:
    assert "Langkah" not in words_of(visitor.open("/login"))
    assert "Langkah 1 dari 3" in words_of(visitor.open("/lupa-password"))
    assert "Langkah 2 dari 3" in words_of(visitor.open(PAGE))
    budi = budi_has_reset(peopled, inbox)
    assert "Langkah 3 dari 3" in words_of(budi.open(DONE))
    assert "Langkah 3 dari 3" in words_of(budi.open("/login"))


def test_the_nip_goes_along_to_the_login_and_is_in_no_address(peopled: Flask, inbox: Inbox) -> None:
    budi = budi_has_reset(peopled, inbox)

    page = budi.open("/login")
    assert f'value="{BUDI.nip}"' in page.text
    assert BUDI.nip not in Visitor(peopled).open("/login").text
    assert budi.submit(page, password=NEW_PASSWORD).location == "/beranda"
    budi.submit("/beranda", "/logout")
    assert not has_nip(budi, "/login", BUDI.nip)


def test_the_nip_goes_from_a_refused_login_to_lupa_password_and_back(visitor: Visitor) -> None:
    """It is what was typed, whether or not anybody has it."""
    for nip in (SARI.nip, STRANGERS_NIP):
        assert visitor.log_in(nip, "Salah-Sekali-1").status_code == 422

        for path in ("/lupa-password", "/perbaikan-email", PAGE, "/login"):
            assert has_nip(visitor, path, nip), path
        assert visitor.submit("/lupa-password", email="orang@contoh.example").status_code == 303
        assert has_nip(visitor, "/login", nip)

        assert visitor.open(f"{PAGE}?nip=lain").status_code == 303
        for path in ("/lupa-password", "/perbaikan-email", PAGE, "/login"):
            assert not has_nip(visitor, path, nip), path


def test_a_link_alone_carries_no_nip_along(peopled: Flask, inbox: Inbox, visitor: Visitor) -> None:
    Visitor(peopled).ask_for_token(BUDI.nip, email_of(BUDI))
    mail = inbox.fetch_one()
    visitor.open(mail.link)

    assert visitor.reset_password(mail.code, NEW_PASSWORD).location == DONE

    assert BUDI.nip not in visitor.open("/login").text


@pytest.mark.parametrize(
    ("password", "fault"),
    [("abc", "Password belum memenuhi"), ("", "Isi password"), (f" {NEW_PASSWORD}", "spasi")],
)
def test_all_faults_are_said_in_one_round(
    peopled: Flask, visitor: Visitor, inbox: Inbox, password: str, fault: str
) -> None:
    visitor.ask_for_token(BUDI.nip, email_of(BUDI))
    code = inbox.fetch_one().code

    both = words_of(visitor.reset_password(WRONG, password))
    assert REFUSED in both
    assert fault in both
    assert "Kirim ulang atau Lupa Password" in both
    right = words_of(visitor.reset_password(code, password))
    assert REFUSED not in right
    assert fault in right

    assert visitor.reset_password(code, NEW_PASSWORD).status_code == 303
    three = words_of(Visitor(peopled).reset_password("", "", ""))
    assert "Isi NIP" in three
    assert "Isi token" in three
    assert "Isi password" in three


def test_a_token_beside_a_weak_password_is_a_try_like_any_other(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    visitor.ask_for_token(BUDI.nip, email_of(BUDI))
    code = inbox.fetch_one().code
    guesser = Visitor(peopled, "198.51.100.77")
    answers = [guesser.reset_password(WRONG, "abc", BUDI.nip).status_code for _ in range(TOKEN_PER_NIP.most)]
    assert set(answers) == {422}

    beyond = guesser.reset_password(code, "abc", BUDI.nip)

    assert beyond.status_code == 429, "also the right one is not looked at"
    assert "Password belum memenuhi" in words_of(beyond)


def test_what_only_the_owner_may_know_of_a_password_waits_for_the_token(
    visitor: Visitor, inbox: Inbox
) -> None:
    visitor.ask_for_token(BUDI.nip, email_of(BUDI))
    code = inbox.fetch_one().code

    assert "nama Anda" not in words_of(visitor.reset_password(WRONG, "Budi-2021"))
    assert "nama Anda" in words_of(visitor.reset_password(code, "Budi-2021"))


@pytest.mark.parametrize("nip", [BUDI.nip, STRANGERS_NIP])
def test_a_request_that_is_over_says_so(visitor: Visitor, nip: str) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.ask_for_token(nip, email_of(BUDI))
        assert "Sudah lebih dari" not in words_of(visitor.open(PAGE))

        clock.shift(timedelta(minutes=60))

        page = visitor.open(PAGE)
        assert "Sudah lebih dari 60 menit sejak token diminta" in words_of(page)
        assert f"{PAGE}/kirim-ulang" not in page.text
