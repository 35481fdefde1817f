"""A link whose token is over says why and whose request it was, offers a new token to the same mailbox, and
does not stay in the browser. Whoever holds an old link learns nothing else."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import timedelta
from zlib import decompress

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import now
from app.models import User
from app.runtime.db import unit_of_work
from tests.cast import BUDI, NEW_PASSWORD, email_of
from tests.flows.attacks.test_same_answer import statements
from tests.flows.attacks.test_statements import MOST_OF_A_POST
from tests.inbox import Inbox, Mail
from tests.visitor import Visitor, words_of

PAGE = "/konfirmasi-reset-password"
MASKED_NIP, MASKED_EMAIL = "19900715******1***", "b***@n***.example"
NEW_EMAIL = "budi.baru@nusajaya.example"


def changed(app: Flask, how: Callable[[User], None]) -> None:
    with app.app_context(), unit_of_work() as db:
        how(db.scalars(select(User).where(User.nip == BUDI.nip)).one())


def other_email(user: User) -> None:
    address = EmailAddress(NEW_EMAIL)
    user.email, user.email_key = address.text, address.key
    user.credential_version += 1


def deactivated(user: User) -> None:
    user.deactivate("admin 7301", "Pensiun", now())


def kept_in(visitor: Visitor) -> str:
    """What the browser could read in its cookie."""
    cookie = visitor.client.get_cookie("formulir")
    value = cookie.value if cookie else ""
    packed = urlsafe_b64decode(value.lstrip(".").split(".")[0] + "===")
    return (decompress(packed) if value.startswith(".") else packed).decode()


@pytest.fixture
def mail(peopled: Flask, inbox: Inbox) -> Mail:
    Visitor(peopled).ask_for_token(BUDI.nip, email_of(BUDI))
    return inbox.fetch_one()


@pytest.fixture
def used(peopled: Flask, inbox: Inbox, mail: Mail) -> Mail:
    Visitor(peopled).reset_password(mail.code, NEW_PASSWORD, BUDI.nip)
    inbox.fetch()
    return mail


def test_a_used_link_says_when_it_was_used_and_whose_it_was(visitor: Visitor, used: Mail) -> None:
    page = visitor.open(used.link)

    assert page.status_code == 200
    assert "Token dari tautan ini sudah dipakai pada" in words_of(page)
    assert MASKED_NIP in page.text
    assert MASKED_EMAIL in page.text
    assert BUDI.nip not in page.text + kept_in(visitor)
    assert email_of(BUDI) not in page.text + kept_in(visitor)


def test_a_late_link_says_that_its_time_is_over_and_not_what_happened_since(
    peopled: Flask, visitor: Visitor, mail: Mail
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        clock.shift(timedelta(minutes=61))
        late = words_of(visitor.open(mail.link))
        assert "Masa berlaku token dari tautan ini sudah habis pada" in late

        changed(peopled, other_email)

        assert words_of(Visitor(peopled).open(mail.link)) == late


def test_a_link_that_a_change_of_the_account_has_ended_says_so(
    peopled: Flask, visitor: Visitor, mail: Mail
) -> None:
    changed(peopled, other_email)

    assert "password atau data akun sudah berubah" in words_of(visitor.open(mail.link))


def test_a_link_that_is_over_does_not_stay_in_the_browser(
    peopled: Flask, visitor: Visitor, inbox: Inbox, mail: Mail
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.open(mail.link)
        assert "Token dari email sudah terisi" in words_of(visitor.open(PAGE))
        clock.shift(timedelta(minutes=61))

        led = visitor.open(PAGE)
        assert led.location == mail.link.removeprefix("http://localhost")
        assert "sudah habis" in words_of(visitor.open(led.location))
        assert "Ketik token dari email" in words_of(visitor.open(PAGE))

        Visitor(peopled).ask_for_token(BUDI.nip, email_of(BUDI))
        code = inbox.fetch_one().code
        assert visitor.reset_password(code, NEW_PASSWORD, BUDI.nip).status_code == 303


def test_a_token_that_ends_while_the_password_is_typed_is_explained_once(
    visitor: Visitor, mail: Mail
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.open(mail.link)
        page = visitor.open(PAGE)
        clock.shift(timedelta(minutes=61))

        refused = visitor.submit(page, "/reset-password", nip=BUDI.nip, password=NEW_PASSWORD)

        assert refused.status_code == 422
        assert "sudah habis" in words_of(refused)
        assert "Kirim token baru" in words_of(refused)
        assert visitor.open(PAGE).status_code == 200


def test_one_press_mails_a_new_token_to_the_same_mailbox(visitor: Visitor, inbox: Inbox, used: Mail) -> None:
    answer = visitor.submit(used.link.removeprefix("http://localhost"))
    assert (answer.status_code, answer.location) == (303, PAGE)
    page = visitor.open(PAGE)
    assert MASKED_EMAIL in page.text
    assert BUDI.nip not in page.text + kept_in(visitor)
    assert email_of(BUDI) not in page.text + kept_in(visitor)

    new = inbox.fetch_one(email_of(BUDI))
    assert new.code != used.code
    with time_machine.travel(now() + timedelta(seconds=61), tick=False):
        assert visitor.submit(PAGE, f"{PAGE}/kirim-ulang").status_code == 303
        assert inbox.fetch_one(email_of(BUDI)).code == new.code
    assert BUDI.nip not in visitor.open(PAGE).text + kept_in(visitor)
    visitor.open(new.link)
    filled_in = words_of(visitor.open(PAGE))
    assert "Token dari email sudah terisi" in filled_in
    assert "NIP lain" not in filled_in
    assert visitor.reset_password(new.code, "Ikan-Terbang8", BUDI.nip).status_code == 303


def test_who_typed_nip_and_address_here_sees_them_again(visitor: Visitor, inbox: Inbox) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.ask_for_token(BUDI.nip, email_of(BUDI))
        link = inbox.fetch_one().link.removeprefix("http://localhost")
        clock.shift(timedelta(minutes=61))

        assert visitor.submit(link).status_code == 303

        assert f'value="{BUDI.nip}"' in visitor.open(PAGE).text


def test_a_double_press_is_one_request_and_more_are_held_as_anywhere(
    peopled: Flask, visitor: Visitor, inbox: Inbox, used: Mail
) -> None:
    link = used.link.removeprefix("http://localhost")
    page = visitor.open(link)
    for _ in range(2):
        assert visitor.submit(page).status_code == 303
    assert inbox.fetch_one(email_of(BUDI))

    for _ in range(5):
        assert Visitor(peopled).submit(link).status_code == 303

    assert len(inbox.fetch()) == 1, "with the first, three tokens came within the hour"


@pytest.mark.parametrize(
    ("what", "subject", "to"),
    [
        (None, "Token", email_of(BUDI)),
        (other_email, "Email ini tidak terdaftar", email_of(BUDI)),
        (deactivated, "Akun", email_of(BUDI)),
    ],
    ids=["nothing", "another email", "deactivated"],
)
def test_whatever_became_of_the_account_the_answer_is_the_same(
    peopled: Flask,
    inbox: Inbox,
    used: Mail,
    what: Callable[[User], None] | None,
    subject: str,
    to: str,
) -> None:
    def pressed() -> tuple[list[str], int, str]:
        holder = Visitor(peopled)
        page = holder.open(used.link)
        with statements(peopled) as seen:
            answer = holder.submit(page)
        of_rows = [one for one in seen if one.startswith(("SELECT", "INSERT", "UPDATE", "WITH"))]
        assert len(of_rows) <= MOST_OF_A_POST + 1, "one more for the link"
        shown = re.sub(
            r'(value|datetime)="[^"]*"|\d\d\.\d\d (WIB|WITA|WIT)|\d+ detik|seconds="\d+"',
            "",
            holder.open(PAGE).text,
        )
        return seen, answer.status_code, shown

    before = pressed()
    inbox.fetch()
    if what:
        changed(peopled, what)

    assert pressed() == before
    mail = inbox.fetch_one(to)
    assert mail.subject.startswith(subject)
    assert BUDI.nip not in mail.text


def test_a_forged_link_mails_nothing(visitor: Visitor, inbox: Inbox, used: Mail) -> None:
    start, signature = used.link.removeprefix("http://localhost").rsplit(".", 1)
    forged = f"{start}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"

    assert visitor.post_with_token("/login", forged).status_code == 404
    assert visitor.post_with_token("/login", f"{PAGE}/tidak-ada").status_code == 404
    assert inbox.fetch() == []


def test_a_lost_csrf_token_shows_the_button_again(peopled: Flask, used: Mail) -> None:
    again = Visitor(peopled).post(used.link.removeprefix("http://localhost"), csrf_token="x")

    assert again.status_code == 400
    assert "Kirim token baru" in words_of(again)
