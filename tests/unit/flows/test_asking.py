"""Somebody asks for a token: one request, one letter, and which letters stay behind."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation
from app.domain.email_address import EmailAddress
from app.domain.nip import Nip
from app.flows.reset.request_reset import (
    Allowance,
    NothingToResend,
    PostedAnswer,
    TooSoon,
    new_request_by_desk,
    request_reset,
    resend_token,
)
from app.models.audit_event import AuditEvent, Tag
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.models.reset_request import ResetRequest
from app.models.user import User
from app.security import throttle
from tests.unit.rows import NOBODY, NOW, a_person, an_instansi

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ON_RECORD, OTHER = "Budi@contoh.go.id", "lain@contoh.example"
NOBODYS_NIP = "1" * 18
LEAVES, HELD = MailState.WAITING, MailState.HELD


@pytest.fixture
def budi(session: Session) -> User:
    return a_person(session, an_instansi(session, "1"), "Budi", 1)


def at(after: timedelta) -> Act[None]:
    return replace(NOBODY, at=NOW + after)


class Asks:
    """Somebody in front of the form, who sends another one each time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._forms = 0

    def __call__(
        self, nip: str, address: str, after: timedelta = timedelta(), *, form: str = "", **allowed: Any
    ) -> PostedAnswer:
        self._forms += 1
        submission = form or f"{self._forms:064}"
        allowance = (Allowance(**allowed),) if allowed else ()
        return request_reset(
            self._session, Nip(nip), EmailAddress(address), submission, at(after), *allowance
        )


@pytest.fixture
def ask(session: Session) -> Asks:
    return Asks(session)


def state_of(answer: PostedAnswer) -> MailState:
    assert answer.mail is not None
    return answer.mail.state


def the_mail(session: Session) -> OutboxMail:
    return session.scalars(select(OutboxMail)).one()


def trail(session: Session) -> list[tuple[Tag, int | None, dict[str, str | int | bool | None]]]:
    session.flush()
    events = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
    return [(event.tag, event.account_id, event.detail) for event in events]


# -- one request, one letter
def test_the_owner_gets_a_token_at_the_address_on_record(session: Session, budi: User, ask: Asks) -> None:
    answer = ask(budi.nip, ON_RECORD)

    request, mail = answer.request, the_mail(session)
    assert (mail.letter, mail.state, mail.to_address) == (Letter.TOKEN, LEAVES, budi.email)
    assert (mail.reset_request_id, mail.user_id) == (request.id, budi.id)
    assert trail(session) == [(Tag.TOKEN_ASKED, budi.id, {"mail": "menunggu", "letter": "token"})]
    session.expire(request)
    assert request.user is budi
    assert (request.nip, request.typed_email, request.submission) == (budi.nip, ON_RECORD, f"{1:064}")
    assert (request.asked_at, request.mailed_at, request.client_address) == (
        NOW, NOW, NOBODY.client.address
    )  # fmt: skip
    assert request.credential_version == budi.credential_version
    assert (request.expires_at, request.used_at) == (None, None)
    assert (len(request.reference), len(request.key)) == (16, 32)


@pytest.mark.parametrize("is_there", [True, False])
def test_for_another_address_a_letter_says_that_it_is_not_registered(
    session: Session, budi: User, ask: Asks, *, is_there: bool
) -> None:
    nip = budi.nip if is_there else NOBODYS_NIP

    answer = ask(nip, OTHER)

    mail = the_mail(session)
    assert (mail.letter, mail.state, mail.to_address) == (Letter.ADDRESS_NOT_REGISTERED, LEAVES, OTHER)
    assert mail.user_id is None
    assert (answer.request.user, answer.request.user_id, answer.request.credential_version) == (None, None, 0)
    assert answer.request.nip == nip
    assert trail(session) == [
        (Tag.TOKEN_ASKED, None, {"mail": "menunggu", "letter": "address_not_registered"})
    ]


def test_whose_account_is_deactivated_is_told_so(budi: User, ask: Asks) -> None:
    budi.activation = Activation.DEACTIVATED

    answer = ask(budi.nip, ON_RECORD)

    assert answer.mail is not None
    assert answer.mail.letter is Letter.ACCOUNT_DEACTIVATED


def test_two_requests_share_no_secret(budi: User, ask: Asks) -> None:
    first, second = ask(budi.nip, ON_RECORD).request, ask(budi.nip, ON_RECORD).request

    assert first.reference != second.reference
    assert first.key != second.key


# -- the same form once more
@pytest.mark.parametrize("address", [ON_RECORD, OTHER])
@pytest.mark.parametrize("seconds", [0, 59])
def test_a_form_that_is_sent_twice_in_a_row_is_one_request(
    session: Session, budi: User, ask: Asks, address: str, seconds: int
) -> None:
    first = ask(budi.nip, address, form="f" * 64)

    assert ask(budi.nip, address, seconds * SECOND, form="f" * 64) == PostedAnswer(first.request, None)
    assert len(trail(session)) == 1


@pytest.mark.parametrize("address", [ON_RECORD, OTHER])
def test_a_minute_later_it_is_a_request_of_its_own(budi: User, ask: Asks, address: str) -> None:
    form = "f" * 64
    first = ask(budi.nip, address, form=form)

    second = ask(budi.nip, address, MINUTE, form=form)

    assert second.request is not first.request
    assert second.mail is not None
    assert second.request.submission == form
    assert first.request.submission != form
    assert len(first.request.submission) == 64
    assert ask(budi.nip, address, MINUTE, form=form) == PostedAnswer(second.request, None)
    third = ask(budi.nip, address, 2 * MINUTE, form=form)
    assert len({one.request.submission for one in (first, second, third)}) == 3


def test_its_letter_leaves_when_the_token_before_can_do_no_more(
    session: Session, budi: User, ask: Asks
) -> None:
    form = "f" * 64
    first = ask(budi.nip, ON_RECORD, form=form)
    assert state_of(ask(budi.nip, ON_RECORD, MINUTE, form=form)) is HELD, "the one before still opens"

    first.request.used_at = NOW
    session.flush()
    assert state_of(ask(budi.nip, ON_RECORD, 2 * MINUTE, form=form)) is LEAVES


def test_another_address_hears_of_the_same_form_once_an_hour(budi: User, ask: Asks) -> None:
    form = "f" * 64
    states = [
        state_of(ask(budi.nip, OTHER, after, form=form)) for after in (timedelta(), HOUR - SECOND, 2 * HOUR)
    ]

    assert states == [LEAVES, HELD, LEAVES]
    again = [state_of(ask(budi.nip, OTHER, after, form=form)) for after in (3 * HOUR, 4 * HOUR - SECOND)]
    assert again == [LEAVES, HELD], "counted from the request before"


def test_a_line_that_may_mail_no_others_may_not_by_the_same_form_either(budi: User, ask: Asks) -> None:
    form = "f" * 64
    ask(budi.nip, OTHER, form=form)

    assert state_of(ask(budi.nip, OTHER, 2 * HOUR, form=form, may_mail_others=False)) is HELD


# -- limits
def test_three_tokens_lie_in_a_mailbox(session: Session, budi: User, ask: Asks) -> None:
    assert [state_of(ask(budi.nip, ON_RECORD)) for _ in range(4)] == [LEAVES, LEAVES, LEAVES, HELD]

    for request in session.scalars(select(ResetRequest)):
        request.used_at = NOW
    session.flush()
    assert state_of(ask(budi.nip, ON_RECORD)) is LEAVES, "there is none to use"


def test_the_desk_may_allow_more(budi: User, ask: Asks) -> None:
    states = [state_of(ask(budi.nip, ON_RECORD, most=5)) for _ in range(6)]

    assert states == [LEAVES] * 5 + [HELD]


def test_a_deactivated_owner_hears_so_three_times_an_hour(budi: User, ask: Asks) -> None:
    budi.activation = Activation.DEACTIVATED

    assert [state_of(ask(budi.nip, ON_RECORD)) for _ in range(4)] == [LEAVES, LEAVES, LEAVES, HELD]
    assert state_of(ask(budi.nip, ON_RECORD, HOUR)) is LEAVES


def test_a_mailbox_gets_three_other_letters_an_hour_about_all_nips_together(budi: User, ask: Asks) -> None:
    nips = [budi.nip, NOBODYS_NIP, "2" * 18, "3" * 18, budi.nip]
    spellings = [OTHER, "Lain+a@contoh.example", OTHER.upper(), OTHER, OTHER]

    states = [state_of(ask(nip, address)) for nip, address in zip(nips, spellings, strict=True)]

    assert states == [LEAVES, LEAVES, LEAVES, HELD, HELD]
    assert state_of(ask(budi.nip, "another@contoh.example")) is LEAVES
    assert state_of(ask(budi.nip, OTHER, HOUR)) is LEAVES


def test_strangers_who_fill_a_mailbox_do_not_keep_its_owner_from_a_token(budi: User, ask: Asks) -> None:
    for number in range(5):
        ask(f"{number}" * 18, ON_RECORD)

    assert state_of(ask(budi.nip, ON_RECORD)) is LEAVES


def test_tokens_do_not_count_among_other_letters(budi: User, ask: Asks) -> None:
    for _ in range(5):
        ask(budi.nip, ON_RECORD)

    assert [state_of(ask(NOBODYS_NIP, ON_RECORD)) for _ in range(4)] == [LEAVES, LEAVES, LEAVES, HELD]


def test_a_letter_that_is_held_is_not_counted(budi: User, ask: Asks) -> None:
    for _ in range(5):
        assert state_of(ask(budi.nip, OTHER, may_mail_others=False)) is HELD

    assert [state_of(ask(budi.nip, OTHER)) for _ in range(4)] == [LEAVES, LEAVES, LEAVES, HELD]


def test_a_line_that_may_mail_no_others_still_gets_tokens(budi: User, ask: Asks) -> None:
    assert state_of(ask(budi.nip, ON_RECORD, may_mail_others=False)) is LEAVES


def test_a_held_letter_looks_the_same_in_the_trail_but_for_its_state(
    session: Session, budi: User, ask: Asks
) -> None:
    ask(budi.nip, OTHER, may_mail_others=False)

    assert trail(session) == [
        (Tag.TOKEN_ASKED, None, {"mail": "ditahan", "letter": "address_not_registered"})
    ]


# -- send again
COOLDOWN, LIFETIME = timedelta(seconds=60), HOUR


def resend(
    session: Session, reference: str, after: timedelta, **allowed: bool
) -> PostedAnswer | TooSoon | NothingToResend:
    return resend_token(session, reference, COOLDOWN, LIFETIME, at(after), **allowed)


@pytest.mark.parametrize(("address", "letter"), [(ON_RECORD, "token"), (OTHER, "address_not_registered")])
def test_the_same_letter_is_sent_again_after_the_cooldown(
    session: Session, budi: User, ask: Asks, address: str, letter: str
) -> None:
    request = ask(budi.nip, address).request
    owner = budi.id if address == ON_RECORD else None

    answer = resend(session, request.reference, COOLDOWN)

    assert isinstance(answer, PostedAnswer)
    assert answer.request is request
    assert answer.mail is not None
    assert answer.mail.letter == letter
    assert answer.mail.state is LEAVES
    session.expire(request)
    assert request.mailed_at == NOW + COOLDOWN
    assert trail(session)[1:] == [(Tag.TOKEN_RESENT, owner, {"mail": "menunggu", "letter": letter})]


@pytest.mark.parametrize(("after", "wait"), [(0, 60), (1, 59), (59, 1), (59.5, 1)])
def test_before_that_one_waits(session: Session, budi: User, ask: Asks, after: float, wait: int) -> None:
    request = ask(budi.nip, ON_RECORD).request

    assert resend(session, request.reference, after * SECOND) == TooSoon(wait)
    assert resend(session, request.reference, COOLDOWN) != TooSoon(1), "asking too early prolongs nothing"


def test_each_letter_has_its_own_cooldown(session: Session, budi: User, ask: Asks) -> None:
    request = ask(budi.nip, ON_RECORD).request
    resend(session, request.reference, COOLDOWN)

    assert resend(session, request.reference, COOLDOWN) == TooSoon(60)


def test_too_early_is_noted_once_a_minute_for_each_request(session: Session, budi: User, ask: Asks) -> None:
    owners, others = ask(budi.nip, ON_RECORD).request, ask(NOBODYS_NIP, OTHER).request
    for _ in range(3):
        for request in (owners, others):
            resend(session, request.reference, SECOND)

    assert trail(session)[2:] == [
        (Tag.TOKEN_RESENT_TOO_SOON, budi.id, {}),
        (Tag.TOKEN_RESENT_TOO_SOON, None, {}),
    ]


def test_an_unknown_or_old_request_is_not_sent_again(session: Session, budi: User, ask: Asks) -> None:
    request = ask(budi.nip, ON_RECORD).request

    assert resend(session, "no-such-request-", COOLDOWN) == NothingToResend()
    assert resend(session, request.reference, LIFETIME) == NothingToResend()
    assert isinstance(resend(session, request.reference, LIFETIME - SECOND), PostedAnswer)
    assert len(session.scalars(select(OutboxMail)).all()) == 2


def test_what_is_spent_is_not_mailed_again_and_looks_the_same(
    session: Session, budi: User, ask: Asks
) -> None:
    request = ask(budi.nip, ON_RECORD).request
    request.used_at = NOW
    session.flush()

    answer = resend(session, request.reference, COOLDOWN)

    assert isinstance(answer, PostedAnswer)
    assert state_of(answer) is HELD


@pytest.mark.parametrize(("address", "state"), [(ON_RECORD, LEAVES), (OTHER, HELD)])
def test_a_line_that_may_mail_no_others_sends_tokens_again(
    session: Session, budi: User, ask: Asks, address: str, state: MailState
) -> None:
    request = ask(budi.nip, address).request

    answer = resend(session, request.reference, COOLDOWN, may_mail_others=False)

    assert isinstance(answer, PostedAnswer)
    assert state_of(answer) is state


def test_three_letters_of_one_request_lie_in_a_mailbox(session: Session, budi: User, ask: Asks) -> None:
    request = ask(budi.nip, ON_RECORD).request

    answers = [resend(session, request.reference, minute * MINUTE) for minute in (1, 2, 3)]

    assert [state_of(one) for one in answers if isinstance(one, PostedAnswer)] == [LEAVES, LEAVES, HELD]


# -- at the desk
@pytest.mark.parametrize("email", ["Budi@contoh.go.id", None])
def test_the_desk_makes_a_request_for_a_person(session: Session, email: str | None) -> None:
    person = a_person(session, an_instansi(session, "1"), "Budi", 1, email=email)
    person.end_all_access()

    request = new_request_by_desk(session, person, NOBODY)
    other = new_request_by_desk(session, person, NOBODY)

    session.expire_all()
    assert (request.nip, request.typed_email, request.user) == (person.nip, email or "", person)
    assert request.credential_version == person.credential_version == 2
    assert (request.asked_at, request.mailed_at, request.client_address) == (
        NOW, NOW, NOBODY.client.address
    )  # fmt: skip
    assert len(request.submission) == 64
    assert (len(request.reference), len(request.key)) == (16, 32)
    assert request.submission != other.submission
    assert session.scalars(select(OutboxMail)).first() is None, "the caller posts the mail"
    assert Allowance().most == throttle.TOKENS_IN_A_MAILBOX
