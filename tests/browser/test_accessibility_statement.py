"""The accessibility statement is not out of date."""

import re
from datetime import date

from playwright.sync_api import Page

from app.domain.indonesian_time import now, today_in_jakarta


def test_the_accessibility_statement_is_reviewed_in_time(page: Page) -> None:
    page.goto("/aksesibilitas")

    rows = page.locator(".facts__row")
    reviewed_on = _date_in(
        rows.filter(has_text="Terakhir ditinjau").locator("time").get_attribute("datetime")
    )
    due_on = _date_in(rows.filter(has_text="Ditinjau lagi").locator("time").get_attribute("datetime"))

    today = today_in_jakarta(now())
    assert reviewed_on <= today < due_on, "read the statement again, test what it says, and set both dates"


def test_the_accessibility_statement_says_what_is_missing_and_whom_to_tell(page: Page) -> None:
    page.goto("/aksesibilitas")

    words = page.get_by_role("main").inner_text()

    assert re.search(r"belum diuji", words, re.IGNORECASE)
    page.get_by_role("main").get_by_role("link", name="Perbaikan email").click()
    assert "BKPSDM Nusa Jaya" in page.get_by_role("main").inner_text()


def _date_in(datetime_attribute: str | None) -> date:
    return date.fromisoformat(datetime_attribute or "")
