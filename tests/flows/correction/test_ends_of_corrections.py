"""What has passed its time says so: a ticket, a link, a change that was stopped. And a link that did not come
is sent once more."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import Zone, now, shown_moment
from app.domain.reset_secret import new_reference
from app.models import IdentityChange, User
from app.runtime.db import unit_of_work
from app.security.throttle import OTHER_MAILS_PER_MAILBOX
from tests.cast import JOKO, STRANGERS_NIP, WATI
from tests.flows.attacks.test_same_answer import statements
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

ASK, ASKED, AGAIN = "/perbaikan-email", "/perbaikan-email/periksa-email", "/perbaikan-email/kirim-ulang"
NEW = "joko@nusajaya.example"
COOLDOWN = timedelta(seconds=61)


def ask(visitor: Visitor, nip: str = JOKO.nip, email: str = NEW) -> None:
    assert visitor.submit(ASK, nip=nip, email=email).location == ASKED


def fill_in(app: Flask, link: str) -> str:
    answer = Visitor(app).submit(link.removeprefix("http://localhost"), name="Joko", reason="Lama")
    assert answer.status_code == 303
    return answer.location


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now(), tick=False) as moving:
        yield moving


def test_a_link_that_did_not_come_is_sent_again_after_a_minute(
    visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    ask(visitor)
    first = inbox.fetch_one(NEW)
    assert "data-countdown" in visitor.open(ASKED).text

    too_soon = visitor.submit(ASKED, AGAIN)
    assert (too_soon.status_code, too_soon.headers["Retry-After"]) == (429, "60")
    clock.shift(COOLDOWN)
    again = visitor.submit(ASKED, AGAIN)

    assert (again.status_code, again.location) == (303, ASKED)
    assert "Permintaan kirim ulang diterima" in words_of(visitor.open(ASKED))
    second = inbox.fetch_one(NEW)
    for link in (first.link, second.link):
        assert "Isi permintaan perbaikan email" in words_of(visitor.open(link))


def test_no_mailbox_gets_more_than_its_mails_and_nobody_sees_it(
    visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    ask(visitor)
    for _ in range(OTHER_MAILS_PER_MAILBOX.most + 2):
        clock.shift(COOLDOWN)
        assert visitor.submit(ASKED, AGAIN).status_code == 303

    assert len(inbox.fetch()) == OTHER_MAILS_PER_MAILBOX.most


def test_the_answer_is_the_same_for_every_nip_and_whether_or_not_its_owner_has_gone_on(
    peopled: Flask, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    def again(nip: str, email: str, *, goes_on: bool) -> tuple[list[str], int, str]:
        stranger = Visitor(peopled)
        ask(stranger, nip, email)
        link = inbox.fetch_one(email).link
        if goes_on:
            fill_in(peopled, link)
            inbox.fetch()
        clock.shift(COOLDOWN)
        page = stranger.open(ASKED)
        with statements(peopled) as seen:
            answer = stranger.submit(page, AGAIN)
        assert len(inbox.fetch()) == (0 if goes_on else 1)
        return seen, answer.status_code, answer.location

    first = again(JOKO.nip, "satu@contoh.example", goes_on=False)
    assert again(STRANGERS_NIP, "dua@contoh.example", goes_on=False) == first
    assert again(JOKO.nip, "tiga@contoh.example", goes_on=True) == first


def test_two_presses_at_once_are_one_mail(
    visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    ask(visitor)
    inbox.fetch()
    clock.shift(COOLDOWN)
    page = visitor.open(ASKED)

    statuses = [visitor.submit(page, AGAIN).status_code for _ in range(2)]

    assert statuses == [303, 429]
    assert inbox.fetch_one(NEW)


def test_without_a_request_there_is_nothing_to_send_again(visitor: Visitor) -> None:
    assert visitor.post_with_token("/login", AGAIN).location == ASK
    assert visitor.open(AGAIN).location == ASKED
    assert visitor.open(ASKED).location == ASK


def test_a_ticket_is_four_dated_steps_and_says_when_it_is_late(
    peopled: Flask, visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    ask(visitor)
    asked_at = now()
    clock.shift(timedelta(minutes=5))
    ticket = fill_in(peopled, inbox.fetch_one(NEW).link)

    page = words_of(visitor.open(ticket))
    for part in (
        f"Permintaan diterima (selesai) {shown_moment(asked_at)}",
        f"Email dikonfirmasi (selesai) {shown_moment(now())}",
        f"Keputusan Paling lambat {shown_moment(now() + timedelta(hours=24))}",
        "Mulai berlaku Setelah disetujui",
    ):
        assert part in page, part
    assert "waktunya sudah lewat" not in page
    clock.shift(timedelta(hours=25))
    assert "waktunya sudah lewat" in words_of(visitor.open(ticket))


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_link_that_is_too_old_says_so_and_a_broken_one_something_else(
    peopled: Flask, visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller, *, goes_on: bool
) -> None:
    ask(visitor)
    link = inbox.fetch_one(NEW).link
    if goes_on:
        fill_in(peopled, link)
    made_at = shown_moment(now())
    assert "berubah ketika disalin" in words_of(visitor.open(link[:-3] + "xyz"))

    clock.shift(timedelta(days=400))

    old = visitor.open(link)
    assert old.status_code == 404
    assert "Masa berlaku tautan perbaikan email sudah habis" in words_of(old)
    assert made_at in words_of(old)


def test_a_stop_link_that_is_too_old_says_so(
    peopled: Flask, visitor: Visitor, clock: time_machine.Traveller
) -> None:
    link = f"/bukan-saya/{peopled.extensions['portal'].keys.stop_link('none-such-reference')}"
    assert "berubah ketika disalin" in words_of(visitor.open(link))

    clock.shift(timedelta(days=31))

    assert "Masa berlakunya 30 hari, dan sudah habis." in words_of(visitor.open(link))


def _change_of(app: Flask, begins_in: timedelta) -> str:
    """A change of Joko's email that is scheduled, or in effect. Returns the link that stops it."""
    with app.app_context(), unit_of_work() as db:
        joko, wati = (db.scalars(select(User).where(User.nip == person.nip)).one() for person in (JOKO, WATI))
        change = IdentityChange(
            reference=new_reference(), user_id=joko.id, instansi_id=joko.instansi_id, old_value=joko.email,
            kind=ChangeKind.EMAIL, new_value=NEW, state=ChangeState.SCHEDULED, reason="Surat",
            decided_by_id=wati.id, decided_at=now(), effective_at=now() + begins_in, told=[],
        )  # fmt: skip
        db.add(change)
        return f"/bukan-saya/{app.extensions['portal'].keys.stop_link(change.reference)}"


def test_a_frozen_change_has_no_beginning_any_more(
    peopled: Flask, visitor: Visitor, clock: time_machine.Traveller
) -> None:
    link = _change_of(peopled, timedelta(hours=72))
    begins = shown_moment(now() + timedelta(hours=72), Zone.WITA)
    assert f"Mulai berlaku {begins}" in words_of(visitor.open(link))
    visitor.submit(link)

    for page in (visitor.open(link), logged_in(peopled, WATI).open("/admin/perbaikan-email/perubahan/1")):
        assert "Mulai berlaku Tidak berlaku" in words_of(page)
        assert begins not in words_of(page)
    clock.shift(timedelta(days=5))
    assert begins not in words_of(visitor.open(link))
