"""Every page of the portal in every state that people meet, and how to get there."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from app.security.throttle import LOGIN_IN_NEW_BROWSERS, SAME_ASK_PER_CLIENT
from app.web import limits
from tests.browser import desk_states as desk
from tests.browser.live_portal import LivePortal
from tests.browser.steps import ask_for_token, button, field, log_in, open_newest_mail, see
from tests.cast import BUDI, CINTA, DEWI, HADI, NEW_PASSWORD, PASSWORD, RAKA, SARI, STRANGERS_NIP, TONO

_MOST_ASKS = int(SAME_ASK_PER_CLIENT.split()[0])

Reach = Callable[[Page, LivePortal], None]


@dataclass(frozen=True)
class State:
    """A page as people find it after `reach`. `page` is its rule in app.url_map, or the number of an error
    page."""

    page: str
    name: str
    reach: Reach

    @property
    def is_refused_form(self) -> bool:
        return "refused" in self.name

    def __str__(self) -> str:
        return f"{self.page} {self.name}"


# Rules whose answer is not a page of their own.
NOT_PAGES = {
    "/static/<path:filename>",
    "/",  # leads to /login or /beranda
    "/healthz",  # these are for machines
    "/readyz",
    "/metrics",
    "/proxyz",
    "/akun/sisa-sesi",
    "/manifest.webmanifest",
    "/sw.js",
    "/.well-known/assetlinks.json",
    "/.well-known/change-password",  # leads to /lupa-password
    *desk.NOT_PAGES,
}


def _at(path: str) -> Reach:
    return lambda page, _portal: _go(page, path)


def _go(page: Page, path: str) -> None:
    page.goto(path)


def _sent_empty(path: str, act: str) -> Reach:
    def reach(page: Page, _portal: LivePortal) -> None:
        page.goto(path)
        button(page, act).click()
        expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def _wrong_password(page: Page, _portal: LivePortal) -> None:
    page.goto("/login")
    field(page, "NIP").fill(STRANGERS_NIP)
    field(page, "Password").fill("salah")
    button(page, "Masuk").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("tidak cocok")


def _too_many_wrong_passwords(page: Page, _portal: LivePortal) -> None:
    page.goto("/login")
    for _ in range(LOGIN_IN_NEW_BROWSERS.most + 1):
        field(page, "NIP").fill("197001011995011998")
        field(page, "Password").fill("salah")
        button(page, "Masuk").click()
        expect(field(page, "Password")).to_have_value("")
    expect(page.locator("[data-error-summary]")).to_contain_text("Terlalu banyak percobaan")


def _lost_cookies(page: Page, _portal: LivePortal) -> None:
    page.goto("/login")
    page.context.clear_cookies()
    field(page, "NIP").fill(SARI.nip)
    button(page, "Masuk").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("sudah kedaluwarsa")


def _logged_out(page: Page, _portal: LivePortal) -> None:
    log_in(page, SARI)
    button(page, "Keluar").click()
    see(page, "Masuk")


def _likely_slip(page: Page, _portal: LivePortal) -> None:
    page.goto("/lupa-password")
    field(page, "NIP").fill(BUDI.nip)
    field(page, "Email aktif").fill("budi@gmial.com")
    button(page, "Lanjutkan").click()
    expect(page.locator(".notice--warning:visible")).to_contain_text("budi@gmail.com")


def _asked(page: Page, _portal: LivePortal) -> None:
    ask_for_token(page, STRANGERS_NIP, "seseorang@contoh.example")
    expect(page.locator("[data-countdown]")).to_be_visible()


def _countdown_over(page: Page, portal: LivePortal) -> None:
    page.clock.install()
    _asked(page, portal)
    page.clock.fast_forward("01:01")
    expect(button(page, "Kirim ulang")).to_be_visible()


def _sent_again_too_soon(page: Page, portal: LivePortal) -> None:
    _countdown_over(page, portal)
    button(page, "Kirim ulang").click()
    expect(page.get_by_text("lalu tekan Kirim ulang")).to_be_visible()


def _asked_and_refused(page: Page, portal: LivePortal) -> None:
    _asked(page, portal)
    field(page, "Token").fill("WDJB-MJHT")
    button(page, "Reset Password").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()


def _link_opened(page: Page, _portal: LivePortal) -> None:
    ask_for_token(page, BUDI.nip, BUDI.email or "")
    mail = open_newest_mail(page, BUDI.email or "")
    page.goto(mail.locator(".letter a").first.get_attribute("href") or "")
    mail.close()
    expect(page.get_by_role("main")).to_contain_text("sudah terisi")


def _link_for_another_nip(page: Page, _portal: LivePortal) -> None:
    ask_for_token(page, HADI.nip, HADI.email or "")
    mail = open_newest_mail(page, HADI.email or "")
    link = mail.locator(".letter a").first.get_attribute("href") or ""
    mail.close()
    ask_for_token(page, STRANGERS_NIP, "orang.lain@contoh.example")
    page.goto(link)
    expect(page.locator(".notice--warning:visible")).to_contain_text("NIP yang berbeda")


def _used_link(page: Page, _portal: LivePortal) -> None:
    ask_for_token(page, DEWI.nip, DEWI.email or "")
    mail = open_newest_mail(page, DEWI.email or "")
    link = mail.locator(".letter a").first.get_attribute("href") or ""
    mail.close()
    page.goto(link)
    field(page, "Password").fill(NEW_PASSWORD)
    button(page, "Reset Password").click()
    see(page, "Reset Password berhasil")
    page.goto(link)
    expect(page.locator(".notice--warning:visible")).to_contain_text("sudah dipakai")


def _set_by_cinta(page: Page, _portal: LivePortal) -> None:
    """Cinta keeps the old password, so that the order of these states does not matter."""
    ask_for_token(page, CINTA.nip, CINTA.email or "")
    mail = open_newest_mail(page, CINTA.email or "")
    page.goto(mail.locator(".letter a").first.get_attribute("href") or "")
    mail.close()
    field(page, "Password").fill(PASSWORD)
    button(page, "Reset Password").click()
    expect(page.locator(".notice--info:visible")).to_contain_text("Akun CPNS masih menunggu")


def _cinta_waits(page: Page, _portal: LivePortal) -> None:
    log_in(page, CINTA)
    see(page, "Status akun Anda")


def _tono_is_deactivated(page: Page, _portal: LivePortal) -> None:
    log_in(page, TONO)
    see(page, "Status akun Anda")


def _home_at_first_login(page: Page, _portal: LivePortal) -> None:
    log_in(page, RAKA)
    expect(page.get_by_role("status").first).to_contain_text("Selamat datang")


def _home(page: Page, _portal: LivePortal) -> None:
    for _ in range(2):
        page.context.clear_cookies()
        log_in(page, SARI)
    see(page, "Pemutakhiran Data Mandiri")


def _session_about_to_end(page: Page, _portal: LivePortal) -> None:
    page.clock.install()
    log_in(page, SARI)
    page.clock.fast_forward("27:35")
    expect(page.get_by_role("alertdialog")).to_be_visible()


def _two_sessions(page: Page, portal: LivePortal) -> None:
    _home(page, portal)
    page.goto("/akun")
    expect(button(page, "Akhiri semua sesi lain")).to_be_visible()


def _other_sessions_ended(page: Page, portal: LivePortal) -> None:
    _two_sessions(page, portal)
    button(page, "Akhiri semua sesi lain").click()
    expect(page.get_by_role("status").first).to_contain_text("sudah diakhiri")


def _mail_with_token(page: Page, _portal: LivePortal) -> None:
    ask_for_token(page, BUDI.nip, BUDI.email or "")
    mail = open_newest_mail(page, BUDI.email or "")
    page.goto(mail.url)
    mail.close()


def _full_mailbox(page: Page, portal: LivePortal) -> None:
    _mail_with_token(page, portal)
    page.goto("/kotak-surat")
    expect(page.get_by_role("row").nth(1)).to_be_visible()


def _same_field_twice(page: Page, _portal: LivePortal) -> None:
    page.goto("/login")
    page.evaluate("() => { const nip = document.querySelector('#nip'); nip.after(nip.cloneNode()); }")
    button(page, "Masuk").click()
    see(page, "Isian tidak dapat dibaca")


def _logged_out_without_csrf(page: Page, _portal: LivePortal) -> None:
    log_in(page, SARI)
    page.context.clear_cookies(name="formulir")
    button(page, "Keluar").click()
    see(page, "Anda belum keluar")


def _far_too_long(page: Page, _portal: LivePortal) -> None:
    page.goto("/lupa-password")
    field(page, "Email aktif").fill("a" * 100_000)
    button(page, "Lanjutkan").click()
    see(page, "Isian atau file terlalu besar")


def _too_many_mails_from_here(page: Page, _portal: LivePortal) -> None:
    page.goto("/lupa-password")
    csrf_token = page.locator("main [name=csrf_token]").get_attribute("value") or ""
    nip, email = STRANGERS_NIP, "seseorang@contoh.example"
    form: dict[str, str | float | bool] = {"csrf_token": csrf_token, "nip": nip, "email": email}
    for _ in range(_MOST_ASKS):
        page.request.post("/lupa-password", form=form, max_redirects=0)
    field(page, "NIP").fill(nip)
    field(page, "Email aktif").fill(email)
    button(page, "Lanjutkan").click()
    see(page, "Terlalu banyak percobaan")
    limits.limiter.reset()


CONFIRMATION = "/konfirmasi-reset-password"
STATES = (
    State("/login", "at first", _at("/login")),
    State("/login", "refused when empty", _sent_empty("/login", "Masuk")),
    State("/login", "refused for a wrong password", _wrong_password),
    State("/login", "refused after too many tries", _too_many_wrong_passwords),
    State("/login", "refused without cookies", _lost_cookies),
    State("/login", "after logging out", _logged_out),
    State("/login", "in the app", _at("/login?aplikasi=1")),
    State("/lupa-password", "at first", _at("/lupa-password")),
    State("/lupa-password", "refused when empty", _sent_empty("/lupa-password", "Lanjutkan")),
    State("/lupa-password", "warns of a likely slip", _likely_slip),
    State(CONFIRMATION, "in a browser that knows nothing", _at(CONFIRMATION)),
    State(CONFIRMATION, "refused when empty", _sent_empty(CONFIRMATION, "Reset Password")),
    State(CONFIRMATION, "after asking", _asked),
    State(CONFIRMATION, "when it may be sent again", _countdown_over),
    State(CONFIRMATION, "sent again too soon", _sent_again_too_soon),
    State(CONFIRMATION, "refused after asking", _asked_and_refused),
    State(CONFIRMATION, "with the link from the mail", _link_opened),
    State(CONFIRMATION, "with the link for another NIP", _link_for_another_nip),
    State(f"{CONFIRMATION}/<link>", "used", _used_link),
    State(f"{CONFIRMATION}/<link>", "cut off", _at(f"{CONFIRMATION}/terpotong")),
    State(f"{CONFIRMATION}/kirim-ulang", "opened instead of sent", _at(f"{CONFIRMATION}/kirim-ulang")),
    State(f"{CONFIRMATION}/berhasil", "done", _at(f"{CONFIRMATION}/berhasil")),
    State(f"{CONFIRMATION}/berhasil", "done by a CPNS", _set_by_cinta),
    State("/status-akun", "of a CPNS", _cinta_waits),
    State("/status-akun", "of a deactivated account", _tono_is_deactivated),
    State("/beranda", "at the first login, before the PDM opens", _home_at_first_login),
    State("/beranda", "as usual", _home),
    State("/beranda", "when the session is about to end", _session_about_to_end),
    State("/akun", "with two sessions", _two_sessions),
    State("/akun", "after ending the others", _other_sessions_ended),
    State("/bantuan", "", _at("/bantuan")),
    State("/status", "", _at("/status")),
    State("/kuki", "", _at("/kuki")),
    State("/aksesibilitas", "", _at("/aksesibilitas")),
    State("/tanpa-jaringan", "", _at("/tanpa-jaringan")),
    State("/perbaikan-email", "", _at("/perbaikan-email")),
    State("/perbaikan-email", "refused when empty", _sent_empty("/perbaikan-email", "Kirim tautan")),
    State("/perbaikan-email/periksa-email", "after asking", desk.correction_mailed),
    State("/perbaikan-email/<link>", "proven", desk.correction_form()),
    State("/perbaikan-email/<link>", "refused when empty", desk.correction_form("Kirim permintaan")),
    State("/perbaikan-email/<link>", "as a ticket", desk.correction_ticket),
    State("/perbaikan-email/<link>", "already on record", desk.correction_on_record),
    State("/perbaikan-email/<link>", "cut off", _at("/perbaikan-email/terpotong")),
    State("/kotak-surat", "with mails", _full_mailbox),
    State("/kotak-surat", "without mails", _at("/kotak-surat?untuk=tidak-ada")),
    State("/kotak-surat/<name>", "with a token", _mail_with_token),
    State("400", "same field twice", _same_field_twice),
    State("400", "without cookies", _logged_out_without_csrf),
    State("404", "", _at("/tidak-ada")),
    State("413", "", _far_too_long),
    State("429", "", _too_many_mails_from_here),
    *(State(*one) for one in desk.STATES),
)
