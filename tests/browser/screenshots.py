"""`python -m tests.browser.screenshots docs/img`: takes the pictures of the README anew from the running
portal."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from app.runtime import migrations
from app.security import passwords
from app.web import assets
from tests.browser.chromium import INDONESIAN, PHONE, launch_args
from tests.browser.live_portal import running_portal
from tests.browser.steps import ask_for_token, log_in, see
from tests.cast import BUDI, PASSWORD, SARI

LOOK: dict[str, Any] = {
    **PHONE,
    **INDONESIAN,
    "viewport": {"width": 360, "height": 780},
    "device_scale_factor": 1.5,
}
MOST_BYTES = 120_000


def take(page: Page, folder: Path) -> list[Path]:
    """Take pictures of the login, the confirmation and the home page on a phone."""
    taken = []

    def picture(name: str) -> None:
        file = folder / f"{name}.png"
        page.screenshot(path=file)
        taken.append(file)

    page.goto("/login")
    picture("login")
    ask_for_token(page, BUDI.nip, BUDI.email or "")
    picture("konfirmasi-reset-password")
    for _ in range(2):  # so that this is not the first login
        page.context.clear_cookies()
        log_in(page, SARI)
    see(page, "Pemutakhiran Data Mandiri")
    picture("beranda")
    return taken


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        template = Path(temporary) / "template.db"
        migrations.upgrade(f"sqlite:///{template}")
        chromium = playwright.chromium.launch(**launch_args())
        with running_portal(Path(temporary), template, assets.STATIC, passwords.hashed(PASSWORD)) as portal:
            phone = chromium.new_context(base_url=portal.url, **LOOK)
            files = take(phone.new_page(), folder)
        chromium.close()
    for file in files:
        size = file.stat().st_size
        print(f"{file}: {size:,} bytes")
        if size > MOST_BYTES:
            sys.exit(f"{file} is larger than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/img"))
