"""From a NIP and a mailbox to the home page."""

from base64 import b64decode
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.domain.indonesian_time import now
from tests.cast import (
    BUDI,
    CINTA,
    DEWI,
    HADI,
    JOKO,
    LESTARI,
    NEW_PASSWORD,
    PASSWORD,
    SARI,
    TONO,
    WATI,
    Person,
)
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of


@pytest.mark.parametrize("person", [BUDI, DEWI, HADI], ids=lambda person: person.category)
def test_a_person_activates_with_the_token_from_the_mail(
    visitor: Visitor, inbox: Inbox, person: Person
) -> None:
    asked = visitor.ask_for_token(person.nip, person.email or "")
    assert (asked.status_code, asked.location) == (303, "/konfirmasi-reset-password")

    reset = visitor.reset_password(inbox.fetch_one(person.email).code, NEW_PASSWORD)
    assert reset.status_code == 303
    assert "Reset Password berhasil" in visitor.open(reset.location).text

    entered = visitor.log_in(person.nip, NEW_PASSWORD)
    assert (entered.status_code, entered.location) == (303, "/beranda")
    home = words_of(visitor.open("/beranda"))
    assert person.name in home
    assert "Akun Anda sudah aktif" in home


def test_the_mailed_link_fills_in_the_token_on_another_device(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()
    phone = Visitor(peopled, "198.51.100.4")

    opened = phone.open(mail.link)
    assert (opened.status_code, opened.location) == (303, "/konfirmasi-reset-password")
    assert f'value="{mail.code}"' in phone.open("/konfirmasi-reset-password").text

    assert phone.reset_password(mail.code, NEW_PASSWORD).status_code == 303
    assert phone.log_in(BUDI.nip, NEW_PASSWORD).status_code == 303


def test_nip_and_token_are_enough_on_another_device(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    elsewhere = Visitor(peopled)

    code = inbox.fetch_one().code.replace("-", " ").lower()
    answer = elsewhere.reset_password(f"  {code}\n", NEW_PASSWORD, nip="19900715 201505 1 002")

    assert answer.status_code == 303


def test_the_page_after_asking_survives_a_reload(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(BUDI.nip, "Budi@NusaJaya.example")

    for _ in range(2):
        page = words_of(visitor.open("/konfirmasi-reset-password"))
        assert "Periksa email Anda" in page
        assert "Budi@NusaJaya.example" in page

    assert inbox.fetch_one("budi@nusajaya.example").code


def test_opening_the_link_many_times_spends_nothing(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()

    for _ in range(3):
        visitor.open(mail.link)

    assert visitor.reset_password(mail.code, NEW_PASSWORD).status_code == 303


def test_every_mail_of_one_person_works_until_one_is_used(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    first = inbox.fetch_one()
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    second = inbox.fetch_one()
    assert first.code != second.code

    assert visitor.reset_password(first.code, NEW_PASSWORD).status_code == 303
    refused = visitor.reset_password(second.code, "Ikan-Terbang8", nip=BUDI.nip)

    assert refused.status_code == 422
    assert "minta token baru" in words_of(refused)


def test_sending_again_mails_the_same_token_after_the_cooldown(visitor: Visitor, inbox: Inbox) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
        first = inbox.fetch_one()

        too_soon = visitor.submit("/konfirmasi-reset-password", "/konfirmasi-reset-password/kirim-ulang")
        assert (too_soon.status_code, too_soon.headers["Retry-After"]) == (429, "60")

        clock.shift(timedelta(seconds=61))
        again = visitor.submit("/konfirmasi-reset-password", "/konfirmasi-reset-password/kirim-ulang")
        assert again.status_code == 303
        assert inbox.fetch_one().code == first.code


def test_a_token_lives_an_hour_from_its_delivery_not_from_its_request(visitor: Visitor, inbox: Inbox) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
        clock.shift(timedelta(hours=3))  # the mail server was away
        mail = inbox.fetch_one()

        clock.shift(timedelta(minutes=59))
        assert visitor.reset_password(mail.code, "abc", nip=BUDI.nip).status_code == 422
        clock.shift(timedelta(minutes=2))
        refused = visitor.reset_password(mail.code, NEW_PASSWORD, nip=BUDI.nip)

    assert refused.status_code == 422
    assert "masa berlakunya sudah habis" in words_of(refused)


def test_a_used_link_says_so_to_who_opens_it(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()
    visitor.reset_password(mail.code, NEW_PASSWORD)

    visitor.open(mail.link)

    assert "sudah dipakai" in words_of(visitor.open("/konfirmasi-reset-password"))


def test_a_refused_token_keeps_what_was_typed_but_never_the_password(visitor: Visitor) -> None:
    page = visitor.reset_password("WDJB-MJHT", NEW_PASSWORD, nip="19900715 201505 1 002")

    assert page.status_code == 422
    assert 'value="WDJB-MJHT"' in page.text
    assert "19900715 201505 1 002" in page.text
    assert NEW_PASSWORD not in page.text
    assert "<title>Kesalahan: " in page.text


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("abc", "minimal 6 karakter"),
        ("tanpaangkabesar", "huruf besar"),
        ("Password1", "paling sering dipakai"),
        ("Budi-2021", "nama Anda"),
        ("X15071990x", "tanggal lahir"),
        ("A199007152015051002", "NIP"),
        ("K" + "a1" * 100, "terlalu panjang"),
    ],
)
def test_a_refused_password_leaves_the_token_alive(
    visitor: Visitor, inbox: Inbox, password: str, reason: str
) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    code = inbox.fetch_one().code

    refused = visitor.reset_password(code, password)
    assert refused.status_code == 422
    assert reason in words_of(refused)

    assert visitor.reset_password(code, NEW_PASSWORD).status_code == 303


def test_an_admin_needs_the_strict_password(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(WATI.nip, WATI.email or "")
    code = inbox.fetch_one().code

    refused = visitor.reset_password(code, NEW_PASSWORD)

    assert refused.status_code == 422
    assert "12 karakter" in words_of(refused)
    assert visitor.reset_password(code, "Kuda-Laut-Biru-77").status_code == 303


def test_a_reset_ends_all_sessions_and_tokens_and_tells_the_owner(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    laptop = logged_in(peopled, SARI)
    visitor.ask_for_token(SARI.nip, SARI.email or "")
    code = inbox.fetch_one().code
    assert laptop.is_logged_in()

    visitor.reset_password(code, NEW_PASSWORD)

    assert not laptop.is_logged_in()
    assert not visitor.is_logged_in(), "a reset does not log in"
    assert visitor.log_in(SARI.nip, PASSWORD).status_code == 422
    assert "sudah diganti" in inbox.fetch_one(SARI.email).text


def test_joko_whose_address_is_wrong_hears_so_at_the_address_he_typed(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(JOKO.nip, "joko@nusajaya.example")

    mail = inbox.fetch_one("joko@nusajaya.example")

    assert "tidak terdaftar" in mail.text
    assert "/perbaikan-email/" in mail.link
    assert "joko@nusajaya.example" in words_of(visitor.open(mail.link))


def test_lestari_without_an_address_hears_the_same(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(LESTARI.nip, "lestari@contoh.example")

    assert "tidak terdaftar" in inbox.fetch_one("lestari@contoh.example").text


def test_tono_is_told_by_whom_he_was_deactivated(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(TONO.nip, TONO.email or "")

    mail = inbox.fetch_one(TONO.email)

    assert "dinonaktifkan oleh admin Pemerintah Kabupaten Nusa Jaya" in mail.text
    assert "konfirmasi-reset-password" not in mail.text


def test_cinta_may_set_a_password_but_waits_for_her_instansi(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    visitor.ask_for_token(CINTA.nip, CINTA.email or "")
    visitor.reset_password(inbox.fetch_one().code, NEW_PASSWORD)

    answer = visitor.log_in(CINTA.nip, NEW_PASSWORD)
    page = words_of(visitor.open(answer.location))
    assert "menunggu persetujuan" in page
    assert "Tidak ada yang salah dengan password Anda" in page
    assert "loket 3" in page
    assert not visitor.is_logged_in()

    approved = peopled.test_cli_runner().invoke(args=["approve", CINTA.nip])
    assert approved.exit_code == 0, approved.output
    assert visitor.log_in(CINTA.nip, NEW_PASSWORD).location == "/beranda"


def test_a_likely_slip_in_the_domain_is_a_warning_that_can_be_passed(visitor: Visitor, inbox: Inbox) -> None:
    warned = visitor.ask_for_token(BUDI.nip, "budi@gmial.com")
    assert warned.status_code == 422
    assert "budi@gmail.com" in words_of(warned)
    assert inbox.fetch() == []

    passed = visitor.submit(warned, email_checked="budi@gmial.com")

    assert passed.status_code == 303
    assert inbox.fetch_one("budi@gmial.com")


def test_a_double_click_asks_once(visitor: Visitor, inbox: Inbox) -> None:
    token = visitor.csrf_token("/lupa-password")

    for _ in range(2):
        answer = visitor.post(
            "/lupa-password",
            csrf_token=token,
            form_id="one-form",
            nip=BUDI.nip,
            email="budi@nusajaya.example",
        )
        assert answer.status_code == 303

    assert inbox.fetch_one()


def test_a_link_for_another_nip_than_the_one_asked_for_warns_before_it_is_used(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    Visitor(peopled).ask_for_token(SARI.nip, SARI.email or "")
    foreign_link = inbox.fetch_one().link
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")

    visitor.open(foreign_link)
    page = visitor.open("/konfirmasi-reset-password")

    assert "untuk NIP yang berbeda" in words_of(page)
    assert "19850312******2***" in page.text
    assert SARI.nip not in page.text
    assert "Bukan NIP Anda?" in page.text


def test_the_next_person_at_a_shared_browser_starts_afresh(visitor: Visitor) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    assert "budi@nusajaya.example" in visitor.open("/konfirmasi-reset-password").text

    assert visitor.open("/konfirmasi-reset-password?nip=lain").status_code == 303

    page = visitor.open("/konfirmasi-reset-password").text
    assert "budi@nusajaya.example" not in page
    assert BUDI.nip not in page
    assert 'id="nip"' in page


def test_an_old_link_shows_nobodys_nip(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()
    visitor.reset_password(mail.code, NEW_PASSWORD)

    visitor.open(mail.link)

    assert BUDI.nip not in visitor.open("/konfirmasi-reset-password").text


def test_a_correction_link_names_no_nip(visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(JOKO.nip, "joko@nusajaya.example")

    link = inbox.fetch_one().link.rsplit("/", 1)[-1]

    assert JOKO.nip.encode() not in b64decode(link.split(".")[0] + "==")
