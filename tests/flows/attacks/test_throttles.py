"""Limits slow down guesses and floods, and no stranger can lock anybody out."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from limits import parse
from sqlalchemy import create_engine, delete, func, select, update
from sqlalchemy.orm import Session

from app.domain.categories import Activation, Category
from app.domain.indonesian_time import now, shown_moment
from app.models import OutboxMail, ResetRequest, User
from app.models.outbox_mail import MailState
from app.models.throttle_bucket import ThrottleBucket
from app.runtime.db import reading, unit_of_work
from app.security import throttle
from app.web import limits
from tests.cast import BUDI, CINTA, PASSWORD, RAKA, SARI, STRANGERS_NIP, WATI
from tests.conftest import MakeApp, people
from tests.desk import person_id
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

SPELLINGS = (
    "198503122010012001",
    "19850312 201001 2 001",
    "19850312.201001.2.001",
    " 198503122010012001\u200b",
    "19850312-201001-2-001",
)


def _guess(visitor: Visitor, nip: str, times: int) -> list[int]:
    return [visitor.log_in(nip, f"Salah-Sekali-{number}").status_code for number in range(times)]


@pytest.mark.parametrize("nip", [SARI.nip, CINTA.nip, STRANGERS_NIP])
def test_the_sixth_wrong_password_has_to_wait_whoever_it_is(visitor: Visitor, nip: str) -> None:
    assert _guess(visitor, nip, 5) == [422] * 5

    refused = visitor.log_in(nip, "Salah-Sekali-6")

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert "Tunggu sekitar 1 menit, lalu coba lagi" in words_of(refused)
    assert nip in refused.text


def test_the_delay_grows_to_fifteen_minutes_and_one_try_is_forgotten_in_that_time(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        _guess(visitor, SARI.nip, 5)
        for minutes in (1, 2, 4, 8, 8, 8, 14, 15, 15):
            assert int(visitor.log_in(SARI.nip, "Salah-1").headers["Retry-After"]) == minutes * 60
            clock.shift(timedelta(minutes=minutes, seconds=-1))
            assert visitor.log_in(SARI.nip, "Salah-1").status_code == 429
            clock.shift(timedelta(seconds=1))
            assert visitor.log_in(SARI.nip, "Salah-1").status_code == 422

        clock.shift(timedelta(hours=2, minutes=15))

        assert _guess(visitor, SARI.nip, 6) == [422] * 5 + [429], (
            "by then the nine that were remembered are forgotten"
        )


def test_four_wrong_passwords_every_five_minutes_meet_a_delay(visitor: Visitor) -> None:
    """When a window forgot all guesses at once, this made 1,152 guesses a day."""
    with time_machine.travel(now(), tick=False) as clock:
        answers = []
        for _ in range(6):
            answers += _guess(visitor, SARI.nip, 4)
            clock.shift(timedelta(minutes=5, seconds=1))

        assert answers.count(422) <= 5 + 6


def test_spelling_the_nip_otherwise_does_not_help(visitor: Visitor) -> None:
    assert [_guess(visitor, spelling, 1) for spelling in SPELLINGS] == [[422]] * 5

    assert visitor.log_in(SARI.nip, PASSWORD).status_code == 429


def test_logging_in_to_another_account_does_not_help(visitor: Visitor) -> None:
    _guess(visitor, SARI.nip, 5)

    assert visitor.log_in(RAKA.nip, PASSWORD).status_code == 303
    visitor.post_with_token("/beranda", "/logout")

    assert visitor.log_in(SARI.nip, "Salah-Sekali-1").status_code == 429


def test_a_stranger_who_guesses_cannot_lock_sari_out_of_her_own_browser(
    peopled: Flask, visitor: Visitor
) -> None:
    her_own = logged_in(peopled, SARI)
    her_own.post_with_token("/beranda", "/logout")
    assert _guess(visitor, SARI.nip, 6)[-1] == 429

    assert her_own.log_in(SARI.nip).status_code == 303

    assert visitor.log_in(SARI.nip, PASSWORD).status_code == 429, "her login does not free the stranger"


def test_a_made_up_device_cookie_is_worth_nothing(visitor: Visitor) -> None:
    _guess(visitor, SARI.nip, 5)

    visitor.client.set_cookie("perangkat", "eyJhIjoiYiJ9.c2lnbmF0dXJl", domain="localhost")

    assert visitor.log_in(SARI.nip).status_code == 429


def test_a_right_password_is_no_guess_and_what_was_guessed_stays_counted(peopled: Flask) -> None:
    """Otherwise every login of the owner would give the guesser five more tries."""
    guesser = Visitor(peopled)
    assert _guess(guesser, SARI.nip, 4) == [422] * 4
    for _ in range(3):
        assert Visitor(peopled).log_in(SARI.nip).status_code == 303

    assert _guess(guesser, SARI.nip, 2) == [422, 429]


def test_the_right_password_of_who_may_not_enter_is_no_guess_either(visitor: Visitor) -> None:
    for _ in range(7):
        assert visitor.log_in(CINTA.nip).location == "/status-akun"


def test_a_reset_frees_the_login_that_wrong_tries_had_slowed_down(visitor: Visitor, inbox: Inbox) -> None:
    _guess(visitor, SARI.nip, 6)
    visitor.ask_for_token(SARI.nip, SARI.email or "")

    visitor.reset_password(inbox.fetch_one().code, "Kuda-Laut7")

    assert visitor.log_in(SARI.nip, "Kuda-Laut7").status_code == 303


def test_an_operator_can_unlock_a_nip(peopled: Flask, visitor: Visitor) -> None:
    _guess(visitor, SARI.nip, 6)

    assert peopled.test_cli_runner().invoke(args=["unlock", SARI.nip]).exit_code == 0

    assert visitor.log_in(SARI.nip).status_code == 303


def test_the_sixth_wrong_code_waits_and_the_mailed_link_does_not(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()
    stranger = Visitor(peopled)
    wrong = [stranger.reset_password("WDJB-MJHT", "Kuda-Laut7", nip=BUDI.nip).status_code for _ in range(6)]
    assert wrong == [422] * 5 + [429]

    typed = visitor.reset_password(mail.code, "Kuda-Laut7")
    assert typed.status_code == 429
    assert "Buka tautan di email" in words_of(typed)

    visitor.open(mail.link)
    assert visitor.reset_password(mail.code, "Kuda-Laut7").status_code == 303


@pytest.mark.parametrize("nip", [BUDI.nip, STRANGERS_NIP])
def test_wrong_codes_are_counted_for_nips_of_nobody_too(visitor: Visitor, nip: str) -> None:
    codes = [visitor.reset_password("WDJB-MJHT", "Kuda-Laut7", nip=nip).status_code for _ in range(6)]

    assert codes == [422] * 5 + [429]


def test_three_mails_an_hour_go_to_one_typed_address(visitor: Visitor, inbox: Inbox) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for nip in (BUDI.nip, SARI.nip, STRANGERS_NIP, CINTA.nip):
            assert visitor.ask_for_token(nip, "Orang@contoh.example").status_code == 303
        assert len(inbox.fetch()) == 3

        clock.shift(timedelta(hours=1))
        visitor.ask_for_token(CINTA.nip, "orang@CONTOH.example")

        assert len(inbox.fetch()) == 1


MAIL_OF_BUDI = "budi@nusajaya.example"


def test_three_tokens_lie_in_a_mailbox_and_when_none_does_the_next_ask_sends(
    visitor: Visitor, inbox: Inbox
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(6):
            visitor.ask_for_token(BUDI.nip, MAIL_OF_BUDI)
            clock.shift(timedelta(seconds=1))
        first = inbox.fetch()
        assert len(first) == 3
        assert len({mail.code for mail in first}) == 3

        clock.shift(timedelta(minutes=50))
        visitor.ask_for_token(BUDI.nip, MAIL_OF_BUDI)
        assert inbox.fetch() == []

        for _ in range(30):  # again and again, each time that the last one has run out
            clock.shift(timedelta(minutes=61))
            visitor.ask_for_token(BUDI.nip, MAIL_OF_BUDI)
            assert inbox.fetch_one(MAIL_OF_BUDI).code


def test_who_has_used_a_token_gets_the_next_one_at_once(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    for _ in range(5):
        visitor.ask_for_token(BUDI.nip, MAIL_OF_BUDI)
    visitor.reset_password(inbox.fetch()[0].code, "Kuda-Laut7", BUDI.nip)
    inbox.fetch()

    Visitor(peopled).ask_for_token(BUDI.nip, MAIL_OF_BUDI)

    assert inbox.fetch_one(MAIL_OF_BUDI).code


@pytest.mark.parametrize("fate", [MailState.FAILED, MailState.UNCERTAIN])
def test_mails_that_never_came_hold_back_none(
    peopled: Flask, visitor: Visitor, inbox: Inbox, fate: MailState
) -> None:
    for _ in range(3):
        visitor.ask_for_token(BUDI.nip, MAIL_OF_BUDI)
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(OutboxMail).values(state=fate))
        session.execute(update(ResetRequest).values(expires_at=now() + timedelta(hours=1)))

    visitor.ask_for_token(BUDI.nip, MAIL_OF_BUDI)

    assert inbox.fetch_one(MAIL_OF_BUDI).code


@pytest.mark.parametrize("page", ["/lupa-password", "/perbaikan-email"])
def test_what_strangers_send_to_a_mailbox_takes_no_token_from_its_owner(
    peopled: Flask, inbox: Inbox, page: str
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for hour in range(8):
            for number, spelling in enumerate(
                (MAIL_OF_BUDI, "budi+1@nusajaya.example", "BUDI@nusajaya.example", MAIL_OF_BUDI)
            ):
                stranger = Visitor(peopled, f"198.51.100.{number}")
                stranger.submit(page, nip=f"1970010119950{hour}{number:04}", email=spelling)
            assert len(inbox.fetch()) == 3
            clock.shift(timedelta(minutes=61))
        stranger.submit(page, nip=STRANGERS_NIP, email=MAIL_OF_BUDI)
        inbox.fetch()

        Visitor(peopled).ask_for_token(BUDI.nip, MAIL_OF_BUDI)

        assert inbox.fetch_one(MAIL_OF_BUDI).code


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "orang@contoh.example",
            "Orang@Contoh.example",
            "orang+a@contoh.example",
            "orang+b+c@contoh.example",
        ),
        ("orang.ini@gmail.com", "orangini@gmail.com", "o.r.a.n.g.ini@googlemail.com", "orangini+x@gmail.com"),
    ],
)
def test_one_mailbox_is_one_mailbox(visitor: Visitor, inbox: Inbox, spellings: tuple[str, ...]) -> None:
    for spelling in spellings:
        visitor.ask_for_token(STRANGERS_NIP, spelling)

    assert [mail.to for mail in inbox.fetch()] == list(spellings[:3])


def test_the_desk_can_still_help_when_strangers_have_filled_the_mailbox(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    for _ in range(5):
        visitor.ask_for_token(SARI.nip, SARI.email or "")
    assert len(inbox.fetch()) == 3
    wati, page = logged_in(peopled, WATI), f"/admin/pegawai/{person_id(peopled, SARI)}"

    for _ in range(5):
        wati.post_with_token(page, f"{page}/kirim-token")

    assert len(inbox.fetch()) == 3


def test_a_stranger_with_wrong_addresses_cannot_use_up_the_owners_mails(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    for number in range(7):
        Visitor(peopled).ask_for_token(BUDI.nip, f"orang{number}@contoh.example")
    assert len(inbox.fetch()) == 7, "each typed address counts for itself"

    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")

    assert inbox.fetch_one("budi@nusajaya.example").code


def test_an_address_that_guesses_over_many_nips_is_stopped_and_its_neighbours_are_not(peopled: Flask) -> None:
    guesser = Visitor(peopled, "198.51.100.9")
    nips = [f"1970010119950{number:05d}" for number in range(101)]
    token = guesser.csrf_token("/login")
    answers = [
        guesser.post("/login", csrf_token=token, nip=nip, password="Salah-1").status_code for nip in nips
    ]
    assert answers == [422] * 100 + [429]

    stopped = guesser.log_in(SARI.nip)
    assert stopped.status_code == 429
    assert int(stopped.headers["Retry-After"]) <= 600
    assert "Dari jaringan ini" in words_of(stopped)

    assert Visitor(peopled, "198.51.100.10").log_in(SARI.nip).status_code == 303


def test_a_morning_of_right_logins_behind_one_address_is_not_stopped(peopled: Flask) -> None:
    for _ in range(110):
        assert Visitor(peopled, "198.51.100.9").log_in(SARI.nip).status_code == 303


def test_an_office_of_hundreds_gets_all_of_its_tokens(peopled: Flask, inbox: Inbox) -> None:
    """This is so even if somebody in the office has used up the line's mails to others."""
    office = Visitor(peopled, "198.51.100.9")
    token = office.csrf_token("/lupa-password")
    with peopled.app_context(), unit_of_work() as session:
        instansi_id = session.scalars(select(User.instansi_id).where(User.nip == BUDI.nip)).one()
        session.add_all(
            User(
                nip=f"1985031220100{number:05}", name=f"Pegawai {number}",
                email=f"pegawai{number}@nusajaya.example",
                email_key=f"pegawai{number}@nusajaya.example", category=Category.PNS,
                instansi_id=instansi_id, work_unit="-",
                activation=Activation.NOT_ACTIVATED, activation_changed_at=now(),
            )
            for number in range(105)
        )  # fmt: skip
    with peopled.test_request_context(environ_base={"REMOTE_ADDR": "198.51.100.9"}):
        while limits.may_mail_others():
            limits.count_ask()

    def ask(nip: str, email: str) -> int:
        return office.post("/lupa-password", csrf_token=token, nip=nip, email=email).status_code

    asked = [ask(f"1985031220100{number:05}", f"pegawai{number}@nusajaya.example") for number in range(105)]
    assert asked == [303] * 105
    assert len(inbox.fetch()) == 105
    assert ask(STRANGERS_NIP, "orang@contoh.example") == 303, "held, and the page says nothing"
    assert inbox.fetch() == [], "held, and the page says nothing"

    elsewhere = Visitor(peopled, "198.51.100.10")
    for _ in range(4):
        elsewhere.ask_for_token(STRANGERS_NIP, "orang@contoh.example")
    assert len(inbox.fetch()) == 3, "what one line held back has cost the mailbox nothing"


def test_who_holds_down_the_button_is_stopped_and_the_office_is_not(peopled: Flask) -> None:
    office = Visitor(peopled, "198.51.100.9")
    token = office.csrf_token("/lupa-password")

    def ask(email: str) -> int:
        return office.post("/lupa-password", csrf_token=token, nip=STRANGERS_NIP, email=email).status_code

    assert [ask("orang@contoh.example") for _ in range(31)] == [303] * 30 + [429]
    assert ask("ORANG@contoh.example") == 429
    assert ask("orang+x@contoh.example") == 303, (
        "or whoever sits beside the owner could use this up with other spellings"
    )
    assert ask("tetangga@contoh.example") == 303


def test_a_line_asks_so_many_times_an_hour(peopled: Flask) -> None:
    office = Visitor(peopled, "198.51.100.9")
    item = parse("600 per hour")
    with peopled.test_request_context(environ_base={"REMOTE_ADDR": "198.51.100.9"}):
        for _ in range(item.amount):
            limits.limiter.limiter.hit(item, "198.51.100.9", "mails")

    assert office.ask_for_token(STRANGERS_NIP, "orang@contoh.example").status_code == 429
    assert Visitor(peopled).ask_for_token(STRANGERS_NIP, "orang@contoh.example").status_code == 303


@given(tries=st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True), max_size=30))
def test_where_limits_meet_a_refusal_by_one_charges_none(
    empty_session: Session, tries: list[list[str]]
) -> None:
    allowances = {"a": 2, "b": 4, "c": 8}
    empty_session.execute(delete(ThrottleBucket))
    counted = Counter[str]()

    for keys in tries:
        wanted = [(throttle.Limit("test", allowances[key], timedelta(hours=1)), key) for key in keys]
        taken = throttle.take_all(empty_session, wanted, now())
        assert taken == all(counted[key] < allowances[key] for key in keys)
        counted.update(keys if taken else [])

    rows = dict(empty_session.execute(select(ThrottleBucket.key, ThrottleBucket.count)).all())
    assert rows == {key: counted[key] for key in rows}


@pytest.fixture(scope="module")
def empty_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    made = create_engine(f"sqlite:///{tmp_path_factory.mktemp('limits') / 'limits.db'}")
    ThrottleBucket.metadata.create_all(made, [ThrottleBucket.metadata.tables[ThrottleBucket.__tablename__]])
    with Session(made, info={"fingerprint": lambda *parts: parts[-1]}) as session:
        yield session
    made.dispose()


def test_kirim_ulang_keeps_no_code_alive_beyond_three_hours(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        asked_at = now()
        visitor.ask_for_token(BUDI.nip, MAIL_OF_BUDI)
        code, last = inbox.fetch_one().code, None
        while now() < asked_at + timedelta(hours=4):
            clock.shift(timedelta(minutes=25))
            last = visitor.post_with_token(
                "/konfirmasi-reset-password", "/konfirmasi-reset-password/kirim-ulang"
            )
            for mail in inbox.fetch():
                assert mail.code == code
                assert (
                    shown_moment(min(now() + timedelta(hours=1), asked_at + timedelta(hours=3))) in mail.text
                )
            with peopled.app_context(), reading() as session:
                expires_at = session.scalars(select(ResetRequest.expires_at)).one()
            assert expires_at is not None
            assert expires_at <= asked_at + timedelta(hours=3)
        assert last is not None, "ask anew"
        assert last.location.endswith("/lupa-password"), "ask anew"

        clock.move_to(asked_at + timedelta(hours=3, seconds=1))
        assert visitor.reset_password(code, "Kuda-Laut7", BUDI.nip).status_code == 422


@pytest.mark.usefixtures("peopled")
def test_a_first_mail_that_its_server_took_hours_later_lives_a_whole_hour(
    visitor: Visitor, inbox: Inbox
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.ask_for_token(BUDI.nip, MAIL_OF_BUDI)
        clock.shift(timedelta(hours=5))
        mail = inbox.fetch_one()
        assert shown_moment(now() + timedelta(hours=1)) in mail.text
        clock.shift(timedelta(minutes=59))

        assert visitor.reset_password(mail.code, "Kuda-Laut7", BUDI.nip).status_code == 303


def _send_form(app: Flask, form_id: str = "satu", nip: str = BUDI.nip, email: str = MAIL_OF_BUDI) -> int:
    visitor = Visitor(app)
    token = visitor.csrf_token("/lupa-password")
    return visitor.post("/lupa-password", csrf_token=token, form_id=form_id, nip=nip, email=email).status_code


def test_a_form_sent_again_is_the_same_request_while_its_token_lives_and_then_a_new_one(
    peopled: Flask, inbox: Inbox
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        _send_form(peopled)
        _send_form(peopled)
        first = inbox.fetch_one().code
        for _ in range(4):
            clock.shift(timedelta(minutes=10))
            _send_form(peopled)
        assert inbox.fetch() == []

        clock.shift(timedelta(minutes=21))
        _send_form(peopled)
        second = inbox.fetch_one().code
        assert second != first

        clock.shift(timedelta(minutes=5))
        assert Visitor(peopled).reset_password(second, "Kuda-Laut7", BUDI.nip).status_code == 303
        inbox.fetch()
        _send_form(peopled)
        assert inbox.fetch_one().code not in (first, second), "the token of the request was used"


def test_of_many_late_sends_of_one_form_at_once_one_is_a_new_request(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        _send_form(peopled)
        inbox.fetch()
        clock.shift(timedelta(minutes=61))
        visitors = [Visitor(peopled) for _ in range(8)]
        tokens = [visitor.csrf_token("/lupa-password") for visitor in visitors]

        def send(number: int) -> int:
            fields = {"csrf_token": tokens[number], "form_id": "satu", "nip": BUDI.nip, "email": MAIL_OF_BUDI}
            return visitors[number].post("/lupa-password", **fields).status_code

        with ThreadPoolExecutor(8) as crowd:
            assert list(crowd.map(send, range(8))) == [303] * 8

        assert inbox.fetch_one().code
        with peopled.app_context(), reading() as session:
            assert session.scalar(select(func.count()).select_from(ResetRequest)) == 2


def test_benchmarks_can_switch_the_limits_per_address_off(make_app: MakeApp, password_hash: str) -> None:
    app = make_app(ADDRESS_LIMITS="off")
    people(app, password_hash)
    office = Visitor(app, "198.51.100.9")
    token = office.csrf_token("/login")

    nips = [f"1970010119950{number:05d}" for number in range(102)]

    assert {
        office.post("/login", csrf_token=token, nip=nip, password="Salah-1").status_code for nip in nips
    } == {422}


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(make_app: MakeApp, password_hash: str) -> None:
    app = make_app(TRUSTED_PROXIES="1")
    people(app, password_hash)
    visitor = Visitor(app)
    token = visitor.csrf_token("/login")

    def guess(forwarded: str, number: int) -> int:
        return visitor.client.post(
            "/login",
            data={"csrf_token": token, "nip": f"1970010119950{number:05d}", "password": "Salah-1"},
            headers={"X-Forwarded-For": forwarded},
        ).status_code

    assert {guess(f"203.0.113.{number}, 198.51.100.9", number) for number in range(100)} == {422}
    assert guess("203.0.113.200, 198.51.100.9", 100) == 429
    assert guess("198.51.100.9, 203.0.113.201", 101) == 422


def test_who_has_just_reset_a_password_is_not_slowed_down_by_a_strangers_guesses(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    visitor.reset_password(inbox.fetch_one().code, "Kuda-Laut7")
    assert _guess(Visitor(peopled), BUDI.nip, 6)[-1] == 429

    assert visitor.log_in(BUDI.nip, "Kuda-Laut7").status_code == 303


def test_a_known_browser_is_not_stopped_together_with_a_guesser_in_its_office(peopled: Flask) -> None:
    sari, guesser = Visitor(peopled, "198.51.100.9"), Visitor(peopled, "198.51.100.9")
    sari.log_in(SARI.nip)
    sari.post_with_token("/beranda", "/logout")
    token = guesser.csrf_token("/login")
    for number in range(100):
        guesser.post("/login", csrf_token=token, nip=f"1970010119950{number:05d}", password="Salah-1")
    assert guesser.log_in(SARI.nip).status_code == 429

    assert sari.log_in(SARI.nip).status_code == 303


def test_waiting_people_who_go_on_trying_count_for_their_address(peopled: Flask) -> None:
    impatient = Visitor(peopled, "198.51.100.9")
    token = impatient.csrf_token("/login")

    answers = [
        impatient.post("/login", csrf_token=token, nip=SARI.nip, password="Salah-1") for _ in range(101)
    ]

    assert "untuk NIP ini" in words_of(answers[99])
    assert "Dari jaringan ini" in words_of(answers[100])
