"""Whoever comes back from the mailbox sees the token field at once."""

from typing import Any

import pytest

from tests.browser.chromium import PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenBrowser
from tests.browser.steps import ask_for_token, field
from tests.cast import STRANGERS_NIP

LONG_EMAIL = "seseorang.dengan.nama.panjang@dinaspendidikan.nusajaya.example"


@pytest.mark.parametrize("phone", [PHONE, PHONE_WITHOUT_JAVASCRIPT], ids=["with script", "without"])
def test_the_token_field_is_on_the_first_screen_of_a_small_phone(
    open_browser: OpenBrowser, phone: dict[str, Any]
) -> None:
    page = open_browser(**phone)
    ask_for_token(page, STRANGERS_NIP, LONG_EMAIL)

    box = field(page, "Token").bounding_box()

    assert box is not None
    assert box["y"] + box["height"] <= PHONE["viewport"]["height"]
