"""What people do in a browser. Each function is one step."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.cast import PASSWORD, Person

_TOKEN = re.compile(r"^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", re.MULTILINE)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def field(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True)


def see(page: Page, heading: str) -> None:
    """The page with this h1 is open."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def ask_for_token(page: Page, nip: str, email: str) -> None:
    page.goto("/lupa-password")
    field(page, "NIP").fill(nip)
    field(page, "Email aktif").fill(email)
    button(page, "Lanjutkan").click()
    see(page, "Konfirmasi Reset Password")


def open_newest_mail(page: Page, address: str, subject: str = "") -> Page:
    """Ask the demo's mailbox again and again until a mail has come, and open it in another tab: the newest
    mail whose subject begins with `subject`. Only then a page is drawn, because each costs the browser more
    than the question."""
    mailbox, link = f"/kotak-surat?untuk={address}", f'<li><a href="/kotak-surat/[^"]+">{subject}'
    for _ in range(100):
        if re.search(link, page.request.get(mailbox).text()):
            break
        page.wait_for_timeout(100)
    tab = page.context.new_page()
    tab.goto(mailbox)
    tab.locator(".mails").get_by_role("link", name=re.compile(f"^{subject}")).first.click()
    expect(tab.locator(".letter")).to_be_visible()
    return tab


def token_in(mail: Page) -> str:
    """The token that stands alone on its line."""
    found = _TOKEN.search(mail.locator(".letter").inner_text())
    assert found, mail.locator(".letter").inner_text()
    return found[0]


def read_token(page: Page, address: str) -> str:
    """Read the newest token in another tab, and close that tab."""
    mail = open_newest_mail(page, address, "Token")
    token = token_in(mail)
    mail.close()
    return token


def log_in(page: Page, person: Person, password: str = PASSWORD) -> None:
    """Send the form of the login. The test itself checks where this leads."""
    page.goto("/login")
    field(page, "NIP").fill(person.nip)
    field(page, "Password").fill(password)
    button(page, "Masuk").click()
    expect(page).not_to_have_url(re.compile(r"/login$"))


def enter(page: Page, person: Person) -> None:
    """Log in without showing the pages in between, for tests that are not about these pages."""
    form = page.request.get("/login").text()
    csrf_token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', form)
    assert csrf_token, form
    fields: dict[str, str | float | bool] = {
        "csrf_token": csrf_token[1],
        "nip": person.nip,
        "password": PASSWORD,
    }
    answer = page.request.post("/login", form=fields, max_redirects=0)
    assert answer.status == 303, answer.text()
