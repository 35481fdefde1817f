"""`python -m tests.browser.app_pictures` (`make pictures`): pictures of the running portal, for /bantuan and
for the dialog that installs the app."""

import base64
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from app.runtime import migrations
from app.security import passwords
from app.web.assets import STATIC
from tests.browser.chromium import INDONESIAN, PHONE, launch_args
from tests.browser.live_portal import running_portal
from tests.browser.steps import button, field, read_token, see
from tests.cast import BUDI, DEWI, NEW_PASSWORD, PASSWORD, Person

MOST_BYTES = 40_000
INSTALL_DIALOG = STATIC / "img" / "app"
HELP = STATIC / "img" / "bantuan"
STEPS = ("masuk", "lupa-password", "konfirmasi", "berhasil")

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
HALF_A_DESK: dict[str, Any] = {"viewport": {"width": 600, "height": 600}}


def picture_files() -> list[Path]:
    dialog = [INSTALL_DIALOG / f"screenshot-{form_factor}.webp" for form_factor in ("narrow", "wide")]
    return dialog + [HELP / f"{way}-{step}.webp" for way in ("browser", "aplikasi") for step in STEPS]


def main() -> None:
    files = picture_files()
    for file in files:  # the portal needs all of them, even before they are taken for the first time
        file.parent.mkdir(exist_ok=True)
        file.touch()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        template = Path(temporary) / "template.db"
        migrations.upgrade(f"sqlite:///{template}")
        chromium = playwright.chromium.launch(**launch_args())
        with running_portal(Path(temporary), template, STATIC, passwords.hashed(PASSWORD)) as portal:
            for options, form_factor, scale in ((PHONE, "narrow", 2), (DESK, "wide", 1)):
                page = _page(chromium, portal.url, options)
                page.goto("/login")
                _take(page, INSTALL_DIALOG / f"screenshot-{form_factor}.webp", scale)
            _take_the_steps(_page(chromium, portal.url, HALF_A_DESK), "/login", "browser", BUDI)
            _take_the_steps(_page(chromium, portal.url, PHONE), "/login?aplikasi=1", "aplikasi", DEWI)
        chromium.close()
    for file in files:
        size = file.stat().st_size
        print(f"{file}: {size:,} bytes")
        if size > MOST_BYTES:
            sys.exit(f"{file} is larger than {MOST_BYTES:,} bytes")


def _take_the_steps(page: Page, start: str, way: str, person: Person) -> None:
    """Take each step as people do it. Each picture is taken just before the button is pressed."""
    page.goto(start)
    see(page, "Masuk")
    _bring_up(page, "h1")
    _take(page, HELP / f"{way}-masuk.webp")
    page.get_by_role("link", name="Lupa Password").click()
    field(page, "NIP").fill(person.nip)
    field(page, "Email aktif").fill(person.email or "")
    _bring_up(page, "h1")
    _take(page, HELP / f"{way}-lupa-password.webp")
    button(page, "Berikutnya" if way == "aplikasi" else "Lanjutkan").click()
    see(page, "Konfirmasi Reset Password")
    field(page, "Token").fill(read_token(page, person.email or ""))
    field(page, "Password").fill(NEW_PASSWORD)
    _bring_up(page, "label")
    _take(page, HELP / f"{way}-konfirmasi.webp")
    button(page, "Reset Password").click()
    see(page, "Reset Password berhasil")
    _take(page, HELP / f"{way}-berhasil.webp")


def _page(chromium: Browser, url: str, options: dict[str, Any]) -> Page:
    return chromium.new_context(base_url=url, color_scheme="light", **INDONESIAN, **options).new_page()


def _bring_up(page: Page, selector: str) -> None:
    page.evaluate(
        "one => { document.activeElement.blur(); document.querySelector(one).scrollIntoView(); }", selector
    )


def _take(page: Page, file: Path, scale: float = 1.5) -> None:
    """Take what is in the window, as WebP, which Playwright itself does not write."""
    session = page.context.new_cdp_session(page)
    window = page.evaluate("() => ({x: scrollX, y: scrollY, width: innerWidth, height: innerHeight})")
    taken = session.send(
        "Page.captureScreenshot", {"format": "webp", "quality": 55, "clip": {**window, "scale": scale}}
    )
    file.write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    main()
