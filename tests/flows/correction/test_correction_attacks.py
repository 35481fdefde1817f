"""Attacks on an account through its address, and other things that are broken on purpose."""

import re
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.attachment import Attachment
from app.domain.categories import Category
from app.domain.client import WORKER, Client
from app.domain.corrections import CorrectionState, new_ticket
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now, today_in_jakarta
from app.domain.nip import Nip
from app.flows import housekeeping
from app.flows.correction.answer_unknown_nips import MOST_OF_ONE_PERSON, answer_unknown_nips, by_turns
from app.flows.correction.request_correction import Typed, ask_for_link, submit
from app.flows.imports import run_batch
from app.models import AdminMandate, BatchState, EmailCorrection, IdentityChange, OutboxMail, User
from app.models.admin_mandate import Role
from app.models.correction_attachment import CorrectionAttachment
from app.models.email_correction import Sender
from app.models.outbox_mail import PUT_OFF_FOR, MailState
from app.runtime.db import reading, unit_of_work
from app.security import throttle
from app.worker import acts, imports, jobs
from app.worker.bell import Bell
from app.worker.cleaning import ChoresFailed, all_chores, clean_up, one_step
from app.worker.loop import work
from tests.cast import (
    BUDI,
    DEWI,
    HADI,
    JOKO,
    LESTARI,
    NEW_PASSWORD,
    PASSWORD,
    RATNA,
    SARI,
    STRANGERS_NIP,
    TONO,
    WATI,
    Person,
)
from tests.conftest import MakeApp, people
from tests.desk import (
    asked,
    changes_take_effect,
    confirm_as_second,
    correction,
    latest_change,
    marks_on,
    person_id,
    user,
)
from tests.flows.attacks.test_same_answer import statements
from tests.flows.correction.test_correction_asked import (
    PNG,
    keep_house,
    link_for,
    send,
    with_another_signature,
)
from tests.flows.correction.test_desk_corrections import _approve
from tests.flows.imports.importing import batch_of, cancel, imported, newcomer, staff_file, uploaded
from tests.flows.people.test_person import correct, page_of
from tests.inbox import Inbox, Mail
from tests.visitor import Visitor, logged_in, words_of

THIEF = "maling@contoh.example"
A_DAY = timedelta(hours=25)


def a_day_later(app: Flask) -> None:
    with time_machine.travel(now() + A_DAY):
        changes_take_effect(app)


def stop_path(mails: list[Mail], to: str | None) -> str:
    return next(mail.link for mail in mails if mail.to == to and "/bukan-saya/" in mail.text).removeprefix(
        "http://localhost"
    )


def token_for(mails: list[Mail], to: str) -> str:
    return next(mail.code for mail in mails if mail.to == to and mail.subject.startswith("Token"))


def change_address(app: Flask, person: Person, address: str, by: Person = WATI) -> None:
    """An admin changes the address without a request."""
    admin, path = logged_in(app, by), f"/admin/pegawai/{person_id(app, person)}/email"
    answer = admin.submit(path, email=address, identity_check="surat_atasan", reason="Surat")
    if answer.status_code == 422:
        answer = admin.submit(answer, acknowledged=marks_on(answer))
    assert answer.status_code == 303


# -- the order of acts


def test_an_old_stopped_decision_that_is_closed_does_not_undo_the_new_one(
    peopled: Flask, inbox: Inbox
) -> None:
    request_id, wati = asked(peopled, SARI, "sari.baru@contoh.example"), logged_in(peopled, WATI)
    _approve(wati, request_id)
    stopped = latest_change(peopled, SARI)
    assert stopped is not None
    Visitor(peopled).submit(stop_path(inbox.fetch(), SARI.email))
    _approve(wati, request_id)
    confirm_as_second(peopled, SARI)
    a_day_later(peopled)
    assert user(peopled, SARI).email == "sari.baru@contoh.example"

    path = f"/admin/perbaikan-email/perubahan/{stopped.id}"
    token = wati.csrf_token("/akun")
    assert wati.post(f"{path}/batalkan", csrf_token=token, because="Sudah jelas").status_code == 422, (
        "it is settled"
    )

    assert correction(peopled, request_id).state is CorrectionState.APPROVED


def test_who_stops_a_change_that_held_stops_the_next_one_with_it(peopled: Flask, inbox: Inbox) -> None:
    change_address(peopled, JOKO, THIEF)
    mails, thief = inbox.fetch(), Visitor(peopled)
    thief.reset_password(token_for(mails, THIEF), NEW_PASSWORD, JOKO.nip)
    thief.log_in(JOKO.nip, NEW_PASSWORD)
    second = asked(peopled, JOKO, "maling2@contoh.example")
    _approve(logged_in(peopled, WATI), second)
    assert latest_change(peopled, JOKO).state is ChangeState.SCHEDULED  # type: ignore[union-attr]

    Visitor(peopled).submit(stop_path(mails, JOKO.email))

    assert latest_change(peopled, JOKO).state is ChangeState.CANCELLED  # type: ignore[union-attr]
    assert correction(peopled, second).state is CorrectionState.NEW
    a_day_later(peopled)
    assert user(peopled, JOKO).email is None


def test_who_becomes_an_admin_while_a_change_waits_needs_two_admins_after_all(peopled: Flask) -> None:
    request_id = asked(peopled, SARI, THIEF)
    _approve(logged_in(peopled, WATI), request_id)
    with peopled.app_context(), unit_of_work() as session:
        sari = session.get_one(User, person_id(peopled, SARI))
        today = today_in_jakarta(now())
        mandate = AdminMandate(
            user_id=sari.id, role=Role.ADMIN_INSTANSI, instansi_id=sari.instansi_id, sk_number="SK-1",
            starts_on=today, ends_on=today + timedelta(days=90),
        )  # fmt: skip
        session.add(mandate)

    a_day_later(peopled)

    assert user(peopled, SARI).email == SARI.email
    assert latest_change(peopled, SARI).state is ChangeState.CANCELLED  # type: ignore[union-attr]
    assert correction(peopled, request_id).state is CorrectionState.NEW


def test_a_nip_that_is_corrected_ends_the_change_that_waits(peopled: Flask) -> None:
    request_id, wati = asked(peopled, SARI, "sari.baru@contoh.example"), logged_in(peopled, WATI)
    _approve(wati, request_id)

    assert correct(wati, page_of(peopled, SARI), nip="198503122010012777") == 303

    with peopled.app_context(), reading() as session:
        states = dict(session.execute(select(IdentityChange.kind, IdentityChange.state)).all())
    assert states == {ChangeKind.EMAIL: ChangeState.CANCELLED, ChangeKind.NIP: ChangeState.SCHEDULED}
    with time_machine.travel(now() + A_DAY):
        changes_take_effect(peopled)
        page = words_of(logged_in(peopled, WATI).open(f"/admin/perbaikan-email/{request_id}"))
    assert "bukan NIP pegawai ini lagi" in page


def test_one_admin_cannot_make_a_high_official_an_ordinary_one_first(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.get_one(User, person_id(peopled, JOKO)).category = Category.PPT_NON_ASN

    assert correct(logged_in(peopled, WATI), page_of(peopled, JOKO), category="PNS") == 403

    assert user(peopled, JOKO).category is Category.PPT_NON_ASN
    assert correct(logged_in(peopled, RATNA), page_of(peopled, JOKO), category="PNS") == 303


def test_a_reset_by_the_old_address_that_is_under_way_when_the_change_holds_comes_too_late(
    peopled: Flask, inbox: Inbox
) -> None:
    change_address(peopled, SARI, "sari.baru@contoh.example")
    inbox.fetch()
    with time_machine.travel(now() + A_DAY):
        thief = Visitor(peopled)
        thief.ask_for_token(SARI.nip, SARI.email or "")
        code = inbox.fetch_one(SARI.email).code
        changes_take_effect(peopled)

        assert thief.reset_password(code, NEW_PASSWORD, SARI.nip).status_code == 422
        assert Visitor(peopled).log_in(SARI.nip, PASSWORD).status_code == 303, "the password stays"


def test_closed_and_opened_again_a_change_that_waited_does_not_come_back(peopled: Flask) -> None:
    change_address(peopled, SARI, THIEF)
    wati, page = logged_in(peopled, WATI), page_of(peopled, SARI)
    for act in ("nonaktifkan", "aktifkan"):
        assert wati.submit(f"{page}/{act}", reason="Surat").status_code == 303

    a_day_later(peopled)

    assert user(peopled, SARI).email == SARI.email


def test_an_address_that_somebody_takes_while_the_change_waits_stays_theirs(peopled: Flask) -> None:
    change_address(peopled, SARI, "bersama@contoh.example")
    change_address(peopled, JOKO, "bersama@contoh.example")

    a_day_later(peopled)

    assert (user(peopled, SARI).email, user(peopled, JOKO).email) == (SARI.email, "bersama@contoh.example")
    assert latest_change(peopled, SARI).state is ChangeState.CANCELLED  # type: ignore[union-attr]


# -- "bukan saya" and the way back


def test_scanners_change_nothing_and_the_old_mailbox_learns_no_address(peopled: Flask, inbox: Inbox) -> None:
    request_id = asked(peopled, JOKO, THIEF)
    _approve(logged_in(peopled, WATI), request_id)
    mails = inbox.fetch()
    path = stop_path(mails, JOKO.email)

    pages = [Visitor(peopled).open(path) for _ in range(3)]
    heads = Visitor(peopled).client.head(path).status_code

    assert user(peopled, JOKO).email == THIEF
    assert heads == 200
    old = "".join(mail.text + mail.html for mail in mails if mail.to == JOKO.email) + pages[0].text
    assert THIEF not in old
    assert "contoh.example" not in old
    assert JOKO.nip not in old
    after = [Visitor(peopled).submit(path), Visitor(peopled).post(path)]
    assert after[0].status_code == 303, "a second time there is no form any more"
    assert after[1].status_code == 400, "a second time there is no form any more"
    assert THIEF not in Visitor(peopled).open(path).text


def test_a_link_to_stop_survives_a_new_key_for_as_long_as_the_old_one_is_kept(
    make_app: MakeApp, password_hash: str
) -> None:
    old, new = ("a key for tests only and of no use elsewhere " + name for name in ("old", "new"))
    before = make_app(SECRET_KEY=old)
    people(before, password_hash)
    change_address(before, JOKO, THIEF)
    path = stop_path(Inbox(before).fetch(), JOKO.email)

    assert Visitor(make_app(SECRET_KEY=new)).open(path).status_code == 404
    assert Visitor(make_app(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old)).submit(path).status_code == 303

    assert user(before, JOKO).email is None


def test_a_link_to_stop_dies_after_a_month_and_opens_nothing_else(peopled: Flask, inbox: Inbox) -> None:
    change_address(peopled, JOKO, THIEF)
    path = stop_path(inbox.fetch(), JOKO.email)

    with time_machine.travel(now() + timedelta(days=31)):
        assert Visitor(peopled).open(path).status_code == 404
        assert Visitor(peopled).post_with_token("/lupa-password", path).status_code == 404
    secret = path.rsplit("/", 1)[1]
    others = (f"/perbaikan-email/{secret}", f"/konfirmasi-reset-password/{secret}")
    for wrong in (*others, path[:-1], with_another_signature(path), path.swapcase()):
        assert Visitor(peopled).open(wrong).status_code == 404, wrong
    assert user(peopled, JOKO).email == THIEF


@pytest.mark.parametrize("back_to", [JOKO.email, "joko.asli@contoh.example"])
def test_the_true_joko_gets_a_stopped_account_back_through_the_desk(
    peopled: Flask, inbox: Inbox, back_to: str
) -> None:
    request_id = asked(peopled, JOKO, THIEF)
    _approve(logged_in(peopled, WATI), request_id)
    mails, thief = inbox.fetch(), Visitor(peopled)
    thief.reset_password(token_for(mails, THIEF), NEW_PASSWORD, JOKO.nip)
    thief.log_in(JOKO.nip, NEW_PASSWORD)
    thief.ask_for_token(JOKO.nip, THIEF)
    second_code = next(mail.code for mail in inbox.fetch() if mail.subject.startswith("Token"))
    Visitor(peopled).submit(stop_path(mails, JOKO.email))
    assert not thief.is_logged_in()
    assert thief.reset_password(second_code, NEW_PASSWORD, JOKO.nip).status_code == 422
    inbox.fetch()

    own = link_for(peopled, inbox, JOKO.nip, back_to)
    assert send(Visitor(peopled), own).status_code == 303
    wati = logged_in(peopled, WATI)
    wati.open(f"/admin/perbaikan-email/{request_id}")
    wati.submit(
        f"/admin/perbaikan-email/{request_id}",
        f"/admin/perbaikan-email/{request_id}/tolak",
        reason="Bukan pemiliknya",
    )
    with peopled.app_context(), reading() as session:
        own_id = session.scalars(select(EmailCorrection.id).where(EmailCorrection.new_email == back_to)).one()
    assert _approve(wati, own_id).status_code == 303
    confirm_as_second(peopled, JOKO)
    with time_machine.travel(now() + A_DAY):
        changes_take_effect(peopled)
        code = token_for(inbox.fetch(), back_to)
        assert Visitor(peopled).reset_password(code, "Pohon-Mangga-88", JOKO.nip).status_code == 303
        assert Visitor(peopled).log_in(JOKO.nip, "Pohon-Mangga-88").status_code == 303
    assert user(peopled, JOKO).email == back_to


def test_an_address_that_a_file_replaces_can_be_stopped_from_the_old_mailbox(
    peopled: Flask, inbox: Inbox
) -> None:
    row = f"{JOKO.nip},{JOKO.name},{THIEF},PNS,7301,{JOKO.unit}"
    imported(peopled, logged_in(peopled, WATI), staff_file(row))
    assert user(peopled, JOKO).email == THIEF
    mails, thief = inbox.fetch(), Visitor(peopled)
    assert not [mail for mail in mails if THIEF in mail.text + mail.html]
    thief.reset_password(token_for(mails, THIEF), NEW_PASSWORD, JOKO.nip)
    thief.log_in(JOKO.nip, NEW_PASSWORD)

    assert Visitor(peopled).submit(stop_path(mails, JOKO.email)).status_code == 303

    assert not thief.is_logged_in()
    assert user(peopled, JOKO).email is None
    assert user(peopled, JOKO).password_hash is None
    frozen = words_of(logged_in(peopled, WATI).open("/admin/perbaikan-email?lihat=dibekukan"))
    assert JOKO.name in frozen
    assert "Dihentikan lewat tautan" in frozen
    change_address(peopled, JOKO, "joko.asli@contoh.example")
    confirm_as_second(peopled, JOKO)
    a_day_later(peopled)
    assert user(peopled, JOKO).email == "joko.asli@contoh.example"


def test_nobody_can_say_that_a_file_has_checked_an_identity(peopled: Flask) -> None:
    request_id = asked(peopled, JOKO, THIEF)

    answer = _approve(logged_in(peopled, WATI), request_id, identity_check="file_impor")

    assert answer.status_code == 422
    assert user(peopled, JOKO).email == JOKO.email


# -- what a stranger can tell

SOMEBODY = "orang@luar.example"
NIPS = {
    "never used": BUDI.nip,
    "active": SARI.nip,
    "deactivated": TONO.nip,
    "ppt": HADI.nip,
    "no email": LESTARI.nip,
    "admin": WATI.nip,
    "unknown": STRANGERS_NIP,
}
_DIFFERS = re.compile(
    r'PE-\w{4}-\w{4}|\d\d\.\d\d|(?<=name="csrf_token" type="hidden" '
    r'value=")[^"]+|(?<=/perbaikan-email/)[\w.-]{20,}'
)


def _whole_way(
    app: Flask, inbox: Inbox, nip: str, address: str = SOMEBODY, times: int = 1
) -> tuple[list[str], list[str], list[str]]:
    """The statements, pages and mails while a stranger goes all the way to a ticket."""
    pages, mails, said = [], [], []
    for number in range(times):
        link = link_for(app, inbox, nip, address.replace("@", f"{number}@"))
        stranger = Visitor(app)
        with statements(app) as seen:
            form = stranger.open(link)
            sent = send(stranger, link)
            ticket = stranger.open(link)
        said += seen
        pages += [str(form.status_code), form.text, str(sent.status_code), ticket.text]
        mails += [mail.text + mail.html + mail.subject for mail in inbox.fetch()]
    return said, [_same(page, nip) for page in pages], [_same(mail, nip) for mail in mails]


def _same(words: str, nip: str) -> str:
    return _DIFFERS.sub("...", words).replace(nip, "NIP").replace(f"{nip[:8]}******{nip[14]}***", "MASKED")


@pytest.mark.parametrize("case", NIPS)
@pytest.mark.parametrize("times", [1, 6])
def test_the_whole_way_to_a_ticket_is_the_same_for_every_nip(
    peopled: Flask, inbox: Inbox, case: str, times: int
) -> None:
    with time_machine.travel(now(), tick=False):
        of_joko = _whole_way(peopled, inbox, JOKO.nip, "satu@luar.example", times)
        of_another = _whole_way(peopled, inbox, NIPS[case], "satu@luar.example", times)

    assert of_another[0] == of_joko[0]
    assert of_another[1:] == of_joko[1:]


def test_asking_for_the_address_of_another_person_looks_like_any_other(peopled: Flask, inbox: Inbox) -> None:
    """Budi proves Budi's own mailbox and asks for it with Joko's NIP. No answer says whose mailbox it is."""
    with time_machine.travel(now(), tick=False):
        link = link_for(peopled, inbox, JOKO.nip, BUDI.email or "")
        free = link_for(peopled, inbox, DEWI.nip, SOMEBODY)
        taken_answer, free_answer = send(Visitor(peopled), link), send(Visitor(peopled), free)
        pages = [Visitor(peopled).open(one).text for one in (link, free)]

    assert taken_answer.status_code == free_answer.status_code == 303
    words = [_same(page, nip).replace(address or "", "ADDRESS") for page, nip, address in (
        (pages[0], JOKO.nip, BUDI.email), (pages[1], DEWI.nip, SOMEBODY))]  # fmt: skip
    assert words[0] == words[1]


def test_when_the_portal_takes_a_request_in_hand_cannot_be_told_from_its_ticket(
    peopled: Flask, inbox: Inbox
) -> None:
    """The same ticket with another second of the answer is taken in hand at another time before its
    answer."""
    link = link_for(peopled, inbox, STRANGERS_NIP, SOMEBODY)
    send(Visitor(peopled), link)
    hour = now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=6)

    distances = {_minutes_in_hand_before(peopled, hour + timedelta(seconds=seconds)) for seconds in (0, 1, 2)}

    assert len(distances) == 3


def _minutes_in_hand_before(app: Flask, answer_at: datetime) -> int:
    """How long before its answer the only request is taken in hand: the minutes at which the portal has just
    done it."""

    def is_in_hand(minutes: int) -> bool:
        with app.app_context(), unit_of_work() as session:
            request = session.scalars(select(EmailCorrection)).one()
            request.state, request.opened_at, request.answer_at = CorrectionState.NEW, None, answer_at
            answer_unknown_nips(session, Act(WORKER, answer_at - timedelta(minutes=minutes), None))
            return request.state is CorrectionState.IN_HAND

    minutes_before = range(119, 0, -1)
    return minutes_before[bisect_left(minutes_before, True, key=is_in_hand)]


# -- floods


def test_people_whose_queue_is_full_do_not_hide_the_others(peopled: Flask) -> None:
    flooded, waiting = person_id(peopled, SARI), person_id(peopled, LESTARI)
    assert flooded < waiting
    with peopled.app_context(), unit_of_work() as session:
        for number in range(MOST_OF_ONE_PERSON + 1):
            session.add(
                _correction(
                    SARI, number, session.get_one(User, flooded) if number < MOST_OF_ONE_PERSON else None
                )
            )
        session.add(_correction(LESTARI, 99, None))

    with peopled.app_context(), reading() as session:
        assert EmailCorrection.waiting_people(session, MOST_OF_ONE_PERSON, 1) == [waiting]


@pytest.mark.usefixtures("inbox")
def test_the_owner_comes_up_first_although_sixteen_false_ones_of_one_line_wait(peopled: Flask) -> None:
    """This is so even if the false requests fill the queue, come from many subscribers of one network, or
    have many spellings of one mailbox."""
    with peopled.app_context(), unit_of_work() as session:
        joko = session.get_one(User, person_id(peopled, JOKO))
        for number in range(5):
            session.add(_correction(JOKO, number, joko, client_address="203.0.113.7"))
        for number in range(5, 21):
            session.add(_correction(JOKO, number, None, client_address=f"203.0.113.{number}"))
        session.add(
            _correction(JOKO, 99, None, client_address="198.51.100.9", new_email="joko@nusajaya.example")
        )

    keep_house(peopled)

    with peopled.app_context(), reading() as session:
        in_queue = session.scalars(
            select(EmailCorrection.new_email).where(EmailCorrection.user_id.is_not(None))
        ).all()
    assert len(in_queue) == 6
    assert "joko@nusajaya.example" in in_queue


def _sender(number: int, client_address: str, new_email: str) -> Sender:
    return Sender(number, client_address, new_email)


@pytest.mark.parametrize(
    ("false_ones", "owner"),
    [
        ([("203.0.113.7", "a{}@contoh.example")], ("198.51.100.9", "joko@contoh.example")),
        ([("2001:db8::{:x}", "a{}@contoh.example")], ("2001:db8:1::1", "joko@contoh.example")),
        ([("2001:db8:0:{:x}::1", "a{}@contoh.example")], ("2001:db8:1::1", "joko@contoh.example")),
        ([("203.0.113.7", "a{}@contoh.example")], ("203.0.113.7", "joko@gmail.com")),
        ([("203.0.113.7", "orang+{}@gmail.com")], ("203.0.113.7", "joko@gmail.com")),
        (
            [("203.0.113.7", "a{}@contoh.example"), ("203.0.114.7", "b{}@contoh.example")],
            ("203.0.115.7", "joko@contoh.example"),
        ),
    ],
)
def test_turns_go_over_lines_networks_mailboxes_and_domains(
    false_ones: list[tuple[str, str]], owner: tuple[str, str]
) -> None:
    waiting = [
        _sender(number, line.format(number), address.format(number))
        for number in range(16)
        for line, address in false_ones
    ]
    waiting.append(_sender(99, *owner))

    chosen = [one.correction_id for one in by_turns(waiting, [])]

    assert len(chosen) >= MOST_OF_ONE_PERSON
    assert 99 in chosen[: len(false_ones) + 1]
    assert 99 in [one.correction_id for one in by_turns(waiting, waiting[:4])][: len(false_ones) + 1]


@pytest.mark.usefixtures("inbox")
def test_one_line_does_not_use_up_the_requests_of_all_lines(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        for number in range(30):
            _submitted(session, JOKO.nip, f"palsu{number}@contoh.example", "203.0.113.7")
        own = _submitted(session, JOKO.nip, "joko@nusajaya.example", "198.51.100.9", attached=True)

    assert own.user_id is not None
    assert not own.file_not_kept
    with peopled.app_context(), reading() as session:
        assert (
            len(session.scalars(select(EmailCorrection).where(EmailCorrection.user_id.is_not(None))).all())
            == 6
        )


def _submitted(
    session: Session, nip: str, address: str, line: str, *, attached: bool = False
) -> EmailCorrection:
    sender, size = Client(line, "-", "-"), 1000
    correction = ask_for_link(
        session, Nip(nip), EmailAddress(address), address + line, Act(sender, now(), None)
    ).correction
    file = Attachment("image/png", b"x" * size) if attached else None
    sent = submit(
        session, correction.reference, Typed("Orang", "", "Lama", "", file), Act(sender, now(), None)
    )
    assert isinstance(sent, EmailCorrection)
    return sent


@pytest.mark.parametrize("nip", [JOKO.nip, STRANGERS_NIP])
@pytest.mark.parametrize(
    ("many_nips", "many_lines", "most"),
    [
        (False, False, throttle.ATTACHMENTS_PER_NIP_AND_LINE.most),
        (False, True, throttle.ATTACHMENTS_PER_NIP.most),
        (True, False, throttle.ATTACHMENTS_PER_LINE.most),
        (True, True, 40),
    ],
)
def test_a_flood_of_requests_stores_few_files(
    peopled: Flask, monkeypatch: pytest.MonkeyPatch, nip: str, *, many_nips: bool, many_lines: bool, most: int
) -> None:
    monkeypatch.setattr(throttle, "ATTACHMENTS_IN_ALL", 40 if many_nips and many_lines else 100)
    too_many = 30
    with peopled.app_context(), unit_of_work() as session:
        sent = [
            _submitted(
                session, f"{nip[:-3]}{number:03}" if many_nips else nip, f"a{number}@contoh.example",
                f"203.0.{number}.7" if many_lines else "203.0.113.7", attached=True,
            )
            for number in range(most + too_many)
        ]  # fmt: skip
        kept = session.scalars(select(CorrectionAttachment.content)).all()

    assert len(kept) == most
    assert sum(len(one) for one in kept) == most * 1000
    assert [one.file_not_kept for one in sent] == [False] * most + [True] * too_many


@pytest.mark.parametrize("nip", [JOKO.nip, HADI.nip, STRANGERS_NIP])
def test_a_file_that_had_no_place_is_told_on_the_ticket_by_mail_and_at_the_desk(
    peopled: Flask, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, nip: str
) -> None:
    monkeypatch.setattr(throttle, "ATTACHMENTS_IN_ALL", 0)
    link, stranger = link_for(peopled, inbox, nip, SOMEBODY), Visitor(peopled)

    assert send(stranger, link, PNG).status_code == 303

    told = "yang Anda sertakan tidak disimpan, karena tempat untuk file sedang penuh. Bawa SK"
    mail = inbox.fetch_one(SOMEBODY)
    assert all(told in words for words in (words_of(stranger.open(link)), mail.text, mail.html))
    if nip != STRANGERS_NIP:
        with peopled.app_context(), reading() as session:
            request_id = session.scalars(select(EmailCorrection.id)).one()
        assert "file itu tidak disimpan" in words_of(
            logged_in(peopled, RATNA).open(f"/admin/perbaikan-email/{request_id}")
        )


def test_joko_goes_on_with_a_link_that_strangers_have_caused(peopled: Flask, inbox: Inbox) -> None:
    """The strangers have used up the mails to Joko's new mailbox, with NIPs that nobody has. The mails that
    came prove the mailbox for Joko's own NIP too."""
    new, joko = "joko@nusajaya.example", Visitor(peopled, "198.51.100.9")
    for number in range(5):
        Visitor(peopled).post_with_token("/lupa-password", nip=f"19700101199501{number:04}", email=new)
    mails = inbox.fetch()
    joko.post_with_token("/perbaikan-email", nip=JOKO.nip, email=new)
    assert len(mails) == 3
    assert inbox.fetch() == []
    link = mails[0].link.removeprefix("http://localhost")
    assert "bukan NIP Anda" in words_of(joko.open(link))
    wrong = joko.post_with_token(link, nip="198211032009011", name="Joko", reason="Salah ketik")
    assert wrong.status_code == 422
    assert 'id="nip-error"' in wrong.text

    sent = joko.post_with_token(link, nip=JOKO.nip, name="Joko", reason="Salah ketik")

    assert sent.status_code == 303
    assert sent.location != link
    ticket = words_of(joko.open(sent.location))
    assert "Nomor tiket" in ticket
    assert f"{JOKO.nip[:8]}******{JOKO.nip[14]}***" in ticket
    with peopled.app_context(), reading() as session:
        [request] = session.scalars(select(EmailCorrection).where(EmailCorrection.submitted_at.is_not(None)))
        assert (request.nip, request.new_email, request.user_id) == (JOKO.nip, new, person_id(peopled, JOKO))
    assert "Isi permintaan" in words_of(joko.open(link)), "the link is still one for the other NIP"
    on_record = joko.post_with_token(link, nip=BUDI.nip, name="Joko", reason="Salah ketik")
    assert on_record.status_code == 303, "another request, for another NIP"


def test_a_correction_form_sent_again_is_a_new_request_once_the_old_one_is_decided(
    peopled: Flask, inbox: Inbox
) -> None:
    visitor = Visitor(peopled)

    def ask_again() -> int:
        asked = visitor.post_with_token("/perbaikan-email", form_id="satu", nip=JOKO.nip, email=SOMEBODY)
        assert asked.status_code == 303
        with peopled.app_context(), reading() as session:
            return len(session.scalars(select(EmailCorrection)).all())

    with time_machine.travel(now(), tick=False) as clock:
        assert [ask_again(), ask_again()] == [1, 1]
        link = inbox.fetch_one(SOMEBODY).link.removeprefix("http://localhost")
        clock.shift(timedelta(hours=2))
        assert ask_again() == 1, "its link still opens the form"
        assert inbox.fetch() == [], "its link still opens the form"
        clock.shift(timedelta(days=7))
        assert ask_again() == 1
        link = inbox.fetch_one(SOMEBODY).link.removeprefix("http://localhost")
        send(visitor, link)
        inbox.fetch()
        clock.shift(timedelta(hours=2))
        assert ask_again() == 1, "it waits at the desk"
        assert inbox.fetch() == [], "it waits at the desk"
        with peopled.app_context(), unit_of_work() as session:
            session.scalars(select(EmailCorrection)).one().decide(
                CorrectionState.REJECTED, "Tidak cocok", None, now()
            )

        assert ask_again() == 2
        assert inbox.fetch_one(SOMEBODY).link.removeprefix("http://localhost") != link


def _correction(person: Person, number: int, reaches: User | None, **more: object) -> EmailCorrection:
    fields = {
        "reference": f"{person.nip[:8]}{number:08}", "ticket": new_ticket(), "nip": person.nip,
        "new_email": f"a{number}@contoh.example", "new_email_key": f"a{number}@contoh.example",
        "user_id": reaches.id if reaches else None, "instansi_id": reaches.instansi_id if reaches else None,
        "state": CorrectionState.NEW, "asked_at": now(), "submitted_at": now(),
        "answer_at": now() + timedelta(hours=5),
        "client_address": "203.0.113.7", "reason": "x",
    }  # fmt: skip
    return EmailCorrection(**{**fields, **more})


def test_house_is_kept_in_steps_that_others_hardly_wait_for(peopled: Flask) -> None:
    old = now() - timedelta(days=200)
    with peopled.app_context(), unit_of_work() as session:
        rows = [
            {"letter": "correction_link", "to_address": f"a{n}@contoh.example", "message_id": f"m{n}",
            "client_address": "-",
             "about": {}, "state": MailState.SENT, "posted_at": old, "due_at": old, "attempts": 1}
            for n in range(2 * housekeeping.ROWS_AT_ONCE + 1)
        ]  # fmt: skip
        session.execute(insert(OutboxMail), rows)

    with peopled.app_context():
        assert one_step(all_chores()["mails"], acts.act()) == housekeeping.ROWS_AT_ONCE
        assert clean_up(acts.act())["mails"] == housekeeping.ROWS_AT_ONCE + 1
        assert not any(clean_up(acts.act()).values())


# -- the worker


@contextmanager
def working(app: Flask) -> Iterator[None]:
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(app, stop))
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(30)
        assert not worker.is_alive()


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def states(app: Flask) -> list[MailState]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(OutboxMail.state).order_by(OutboxMail.id)))


def run_sql(app: Flask, *statements: str) -> None:
    for statement in statements:
        with app.app_context(), unit_of_work() as session:
            session.execute(text(statement))


@pytest.mark.parametrize(
    "broken", ["throttle_bucket", "activation_day", "audit_head", "login_session", "email_correction"]
)
def test_a_duty_that_cannot_be_done_stops_no_other(peopled: Flask, broken: str) -> None:
    """If cleaning, counting or sealing fails, mails still leave and imports go on."""
    visitor, wati = Visitor(peopled), logged_in(peopled, WATI)
    visitor.ask_for_token(BUDI.nip, BUDI.email or "")
    page = uploaded(wati, staff_file(newcomer(1)))
    run_sql(peopled, f"ALTER TABLE {broken} RENAME TO away")
    try:
        with working(peopled):
            eventually(lambda: states(peopled) == [MailState.SENT])
            eventually(lambda: batch_of(peopled, page).state is BatchState.CHECKED)
    finally:
        run_sql(peopled, f"ALTER TABLE away RENAME TO {broken}")


def test_a_chore_that_fails_leaves_the_other_chores_their_step(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.add(_correction(HADI, 1, None, nip=STRANGERS_NIP, answer_at=now()))
    run_sql(peopled, "ALTER TABLE login_session RENAME TO away")

    with peopled.app_context(), pytest.raises(ChoresFailed, match="sessions"):
        clean_up(acts.act())

    with peopled.app_context(), reading() as session:
        assert session.scalars(select(EmailCorrection.state)).one() is CorrectionState.REJECTED
    told = peopled.test_cli_runner().invoke(args=["housekeeping"])
    assert told.exit_code == 1
    assert "sessions" in told.output


def test_a_change_that_cannot_take_effect_stops_no_other(peopled: Flask, inbox: Inbox) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.get_one(User, person_id(peopled, DEWI)).note_login(now())
    change_address(peopled, SARI, "sari.baru@contoh.example")
    change_address(peopled, DEWI, "dewi.baru@contoh.example")
    inbox.fetch()
    run_sql(
        peopled,
        "UPDATE identity_change SET identity_check = 'dari_rilis_lain' WHERE new_value LIKE 'sari%'",
        f"UPDATE identity_change SET effective_at = '{now() - timedelta(hours=1):%Y-%m-%d %H:%M:%S}'",
    )

    with working(peopled):
        eventually(lambda: user(peopled, DEWI).email == "dewi.baru@contoh.example")
        eventually(lambda: states(peopled) == [MailState.SENT] * 4)

    assert user(peopled, SARI).email == SARI.email


def test_a_letter_that_only_another_release_knows_waits_and_holds_up_nobody(
    peopled: Flask, inbox: Inbox
) -> None:
    for person in (JOKO, BUDI):
        Visitor(peopled).ask_for_token(person.nip, person.email or "")
    run_sql(peopled, f"UPDATE outbox_mail SET letter = 'from_tomorrow' WHERE to_address = '{JOKO.email}'")

    assert inbox.fetch_one(BUDI.email)
    run_sql(peopled, "UPDATE outbox_mail SET letter = 'token' WHERE letter = 'from_tomorrow'")
    with time_machine.travel(now() + PUT_OFF_FOR + timedelta(seconds=1)):
        assert inbox.fetch_one(JOKO.email)


def test_a_worker_that_lost_an_unreadable_batch_lets_go_of_it(peopled: Flask) -> None:
    wati = logged_in(peopled, WATI)
    page = uploaded(wati, b"satu,dua\n1,2\n")
    with peopled.app_context(), unit_of_work() as session:
        hold = run_batch.claim(session, now())
    assert hold is not None
    assert cancel(wati, page).status_code == 303

    lost = imports.ImportJob(peopled, hold)
    assert lost.step() is None
    assert lost.ending == "let go"

    assert batch_of(peopled, page).state is BatchState.CANCELLED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL does not store broken JSON
def test_an_accident_does_not_end_the_imports_for_good(peopled: Flask) -> None:
    page = uploaded(logged_in(peopled, WATI), staff_file(newcomer(1)))
    run_sql(peopled, "UPDATE import_batch SET reasons = '{'")

    stop = threading.Event()
    thread = threading.Thread(target=jobs.run_jobs, args=(peopled, stop, Bell()))
    thread.start()
    time.sleep(0.5)
    run_sql(peopled, "UPDATE import_batch SET reasons = '{}'")
    eventually(lambda: batch_of(peopled, page).state is BatchState.CHECKED)
    stop.set()
    thread.join(10)


# -- letters


def test_what_a_stranger_types_gets_into_no_letter_and_no_header(peopled: Flask, inbox: Inbox) -> None:
    evil = '<img src=x onerror=alert(1)>"\r\nBcc: korban@contoh.example'
    link = link_for(peopled, inbox, JOKO.nip, THIEF)
    assert (
        send(Visitor(peopled), link, name="Joko <b>", work_unit='"><script>', reason=evil).status_code == 303
    )
    wati = logged_in(peopled, WATI)
    with peopled.app_context(), reading() as session:
        request_id = session.scalars(select(EmailCorrection.id)).one()
    assert "<img src=x" not in wati.open(f"/admin/perbaikan-email/{request_id}").text
    path = f"/admin/perbaikan-email/{request_id}"
    wati.post_with_token(path, f"{path}/tolak", reason="Nama <b>beda</b> & 'NIP'")

    mails = inbox.fetch()

    assert len(mails) == 3
    assert {mail.to for mail in mails} == {THIEF}
    for mail in mails:
        assert not re.search("img src|<b>beda|script|Joko|Prabowo|Sekretariat", mail.html), mail.html
        assert "Joko" not in mail.text
        assert JOKO.nip not in mail.text + mail.html
        assert (JOKO.email or "") not in mail.text
        assert mail.link.startswith("http://localhost/perbaikan-email/")
