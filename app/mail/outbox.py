"""The transactional outbox: a mail is a row, written together with the act that it tells of, and a worker
sends it later.

A posted mail is never lost: it ends as sent, failed or uncertain, and each end has a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import IdentityCheck
from app.domain.email_address import EmailAddress
from app.domain.reset_secret import new_reference
from app.mail.outcomes import (
    ConnectionFault,
    Delivery,
    HandedOver,
    NotWritten,
    PutOff,
    RefusalScope,
    RefusedForGood,
    SenderFault,
    SessionFault,
)
from app.models.account import ProvenOwner
from app.models.base import table_of, without_records
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.mail_fault import DOMAIN_RESTS, EVERYWHERE, MailFault, MailFaultKind, NotPassed
from app.models.noted import Noted, note
from app.models.outbox_mail import MOST_BREAKS, Letter, MailState, OutboxMail, Urgency
from app.models.reset_request import ResetRequest
from app.models.user import User

# How long a mail whose letter cannot be written waits after its first, second, ... try.
BACK_OFF = (5, 15, 60, 2 * 60, 5 * 60)
# A mail is given up after this time if the recipient's side, or a policy about it, refuses it. A mail with a
# token ends then for every fault, because nobody waits for the token any more. Other mails wait for our own
# connection as long as needed.
GIVE_UP_AFTER = timedelta(hours=24)
ROUNDS_OF_GIVING_UP = 10  # in one transaction


@dataclass(frozen=True)
class Try:
    """One mail that a postman carried, how that ended, and when."""

    mail: OutboxMail
    delivery: Delivery
    at: datetime


@dataclass(frozen=True)
class Settled:
    """What the ends of tries say about the ways of mails."""

    began: tuple[MailFault, ...]  # faults of our side that were not known before
    ended: tuple[MailFault, ...]
    failed: tuple[OutboxMail, ...]  # these mails have failed for good


@dataclass(frozen=True)
class About:
    """What a letter tells of. `words` are those for its template that no record holds, never a secret."""

    user: User | ProvenOwner | None = None
    reset_request: ResetRequest | None = None
    email_correction: EmailCorrection | None = None
    identity_change: IdentityChange | None = None
    words: Mapping[str, object] | None = None
    is_one_of_many: bool = False  # nobody waits for it in front of a page, so it lets all others pass


@dataclass(frozen=True)
class PostedLetter:
    """What an act needs to know of a letter that it has posted."""

    letter: Letter
    state: MailState


def post(
    session: Session,
    letter: Letter,
    to_address: str,
    about: About,
    act: Act[object],
    *,
    held: bool = False,
) -> OutboxMail:
    """Put one letter to one address into the outbox; `held` keeps the row and never sends it."""
    mail = OutboxMail(**_columns(letter, to_address, about, act, held=held))
    session.add(mail)
    note(session, Noted.HELD_LETTER if held else Noted.LETTER, letter)
    return mail


def post_at_once(
    session: Session,
    letter: Letter,
    to_address: str,
    about: About,
    act: Act[object],
    *,
    held: bool = False,
) -> PostedLetter:
    """The same for the one letter of what everybody does: it costs a fraction of a record that may still
    change."""
    columns = _columns(letter, to_address, about, act, held=held)
    without_records(session, _POST, columns)
    note(session, Noted.HELD_LETTER if held else Noted.LETTER, letter)
    return PostedLetter(letter, columns["state"])


_POST = insert(table_of(OutboxMail)).inline()


def _columns(
    letter: Letter, to_address: str, about: About, act: Act[object], *, held: bool
) -> dict[str, Any]:
    user, request, correction = about.user, about.reset_request, about.email_correction
    change = about.identity_change
    is_of_file = change is not None and change.identity_check is IdentityCheck.BY_FILE
    return {
        "letter": letter,
        "to_address": to_address,
        "message_id": new_reference(),
        "user_id": user.id if user else None,
        "reset_request_id": request.id if request else None,
        "email_correction_id": correction.id if correction else None,
        "identity_change_id": change.id if change else None,
        "about": dict(about.words or {}),
        "client_address": act.client.address,
        "state": MailState.HELD if held else MailState.WAITING,
        "posted_at": act.at,
        "due_at": act.at,
        "urgency": Urgency.CAN_WAIT if is_of_file or about.is_one_of_many else letter.urgency,
        "attempts": 0,
    }


def claim(session: Session, now: datetime, token_lifetime: timedelta, most: int) -> list[OutboxMail]:
    """Take the next mails that are due, at most `most`, and mark their delivery as begun.

    A token lives from this moment. If the worker dies before it hears the server's answer, the token in a
    mail that did arrive still works.
    """
    for _ in range(ROUNDS_OF_GIVING_UP):
        due = OutboxMail.due(session, now, most)
        mails = [mail for mail in due if not _is_token_given_up(mail, now)]
        if mails or not due:
            mails = _alone_if_suspect(mails)
            OutboxMail.begin(session, mails, now)
            _let_tokens_live(session, [(mail, now) for mail in mails], token_lifetime)
            return mails
        session.flush()
    return []


def settle(
    session: Session,
    tries: Sequence[Try],
    untried: Sequence[OutboxMail],
    now: datetime,
    token_lifetime: timedelta,
) -> Settled:
    """Record how tries ended, which mails wait because of it, and for how long. Mails that were begun and not
    tried go back to their places. If another worker took this one for dead, it has the mails now, and only
    what was handed over is recorded here."""
    own = OutboxMail.lock_in_hand(session, [*(one.mail for one in tries), *untried])
    OutboxMail.give_back(session, [mail for mail in untried if mail in own])
    sent, others = list[Try](), list[Try]()
    for one in tries:
        if isinstance(one.delivery, HandedOver):
            if one.mail in own or one.mail.state is not MailState.SENT:
                sent.append(one)
        elif one.mail in own:
            others.append(one)
    ended = _settle_sent(session, sent, now, token_lifetime) if sent else ()
    began, failed = list[MailFault](), list[OutboxMail]()
    for one in others:
        # The record in hand stays as it is, so that all this can be done again if the commit fails
        mail = session.get_one(OutboxMail, one.mail.id)
        if fault := _settle_unsent(session, mail, one.delivery, one.at):
            began.append(fault)
        if mail.state is MailState.FAILED:
            failed.append(mail)
    return Settled(tuple(began), ended, tuple(failed))


def _settle_sent(
    session: Session, tries: Sequence[Try], now: datetime, token_lifetime: timedelta
) -> tuple[MailFault, ...]:
    """Returns the faults that are over."""
    passed: dict[str, bool] = {}
    for one in tries:
        passed[one.mail.domain] = passed.get(one.mail.domain, False) or one.mail.attempts > 1
    OutboxMail.note_sent(session, [(one.mail, one.at, one.delivery.answer) for one in tries])
    _note_that_owners_wait(session, tries)
    _let_tokens_live(session, [(one.mail, one.at) for one in tries], token_lifetime)
    ended = MailFault.end(session, passed, now)
    if ended:
        OutboxMail.hurry(session, [fault.way for fault in ended], now)
    return tuple(ended)


def _settle_unsent(session: Session, mail: OutboxMail, delivery: Delivery, now: datetime) -> MailFault | None:
    """Returns a fault of our side that was not known before."""
    match _judge_among_others(session, mail, delivery, now):
        case HandedOver():
            return None
        case RefusedForGood(answer):
            mail.fault = MailFaultKind.RECIPIENT
            mail.settle(MailState.FAILED, now, answer)
            if mail.user_id is not None:
                User.note_failed_mail(session, mail.user_id, EmailAddress(mail.to_address), now)
            return None
        case ConnectionFault() as broken:
            return _settle_broken(session, mail, broken, now)
        case SessionFault(answer):
            return _let_all_rest(session, mail, MailFaultKind.SESSION, answer, now)
        case SenderFault(answer, RefusalScope.ALL):
            return _let_all_rest(session, mail, MailFaultKind.SENDER, answer, now)
        case SenderFault(answer, reach):
            return _put_off(session, mail, MailFaultKind.SENDER, answer, reach, now)
        case PutOff(answer, RefusalScope.LETTER):
            mail.fault = MailFaultKind.RECIPIENT
            if not _give_up_if_late(mail, answer, now):
                mail.defer(now + _own_wait(mail), answer)
            return None
        case PutOff(answer, reach):
            return _put_off(session, mail, MailFaultKind.RECIPIENT, answer, reach, now)
        case NotWritten(answer):
            mail.fault = MailFaultKind.LETTER
            if not _give_up_if_late(mail, answer, now):
                mail.defer(now + timedelta(seconds=BACK_OFF[min(mail.attempts, len(BACK_OFF)) - 1]), answer)
            return None
        case _ as never:
            assert_never(never)


def _is_token_given_up(mail: OutboxMail, now: datetime) -> bool:
    """True if nobody waits for the token any more. Then the mail is settled here."""
    if mail.letter is not Letter.TOKEN or now - mail.posted_at < GIVE_UP_AFTER:
        return False
    mail.is_parked = False
    mail.settle(MailState.FAILED, now, f"given up: {mail.server_answer or 'too old'}")
    return True


def _alone_if_suspect(mails: list[OutboxMail]) -> list[OutboxMail]:
    """A mail that a worker had in hand when it died goes alone: if the mail is the cause, no other mail
    suffers from it."""
    suspect = next((place for place, mail in enumerate(mails) if mail.breaks), len(mails))
    return mails[: max(1, suspect)]


def _judge_among_others(session: Session, mail: OutboxMail, delivery: Delivery, now: datetime) -> Delivery:
    """A bare "no", or a "no" about us, is taken for a "no" to all mails if others get the same. Mails that
    were given up for it wait again. Only mails to people on record count here: other addresses belong to
    strangers, and a stranger may own their servers."""
    doubted: int | None = None
    match delivery:
        # A second refusal of this kind is believed
        case RefusedForGood(is_bare=True) if mail.attempts == 1:
            doubted = mail.id
        case SenderFault(reach=RefusalScope.DOMAIN):
            pass
        case _:
            return delivery
    given_up = MailFault.note_refusal(
        session, mail.domain, delivery.answer, doubted, now, counts=mail.user_id is not None
    )
    if given_up is None:
        return delivery
    for mail_id in given_up:
        if (
            mail_id != mail.id
            and (other := session.get(OutboxMail, mail_id)) is not None
            and other.state is MailState.FAILED
        ):
            if other.user_id is not None and other.settled_at is not None:
                User.forget_failed_mail(session, other.user_id, other.settled_at)
            other.fault, other.settled_at = MailFaultKind.SENDER, None
            other.defer(now, other.server_answer or "")
    return SenderFault(delivery.answer, RefusalScope.ALL)


def _let_all_rest(
    session: Session,
    mail: OutboxMail,
    kind: MailFaultKind,
    answer: str,
    now: datetime,
    *,
    is_short: bool = False,
) -> MailFault | None:
    """No mail is at fault, so this one keeps its turn, and all mails rest. Returns the fault if it is new."""
    mail.fault, mail.server_answer = kind, answer[:500]
    mail.give_back_turn()
    was_known = (standing := MailFault.on(session, EVERYWHERE)) is not None and standing.failures > 0
    fault = MailFault.note_everywhere(session, kind, answer, now, is_short=is_short)
    return None if was_known else fault


def _settle_broken(
    session: Session, mail: OutboxMail, broken: ConnectionFault, now: datetime
) -> MailFault | None:
    """If the connection broke once over a mail, the mail keeps its turn. If it broke twice, the mail may be
    the cause: then only its domain rests, and never long. The other mails go on, because otherwise a
    stranger's mails to their own server would stop them."""
    mail.breaks += broken.at_letter
    is_suspect = broken.at_letter and mail.breaks > 1
    began = (
        None
        if is_suspect
        else _let_all_rest(session, mail, MailFaultKind.LINE, broken.answer, now, is_short=broken.at_letter)
    )
    mail.fault = MailFaultKind.LINE
    if broken.letter_is_out and (mail.letter is not Letter.TOKEN or mail.breaks > MOST_BREAKS):
        mail.settle(MailState.UNCERTAIN, now, broken.answer)
    elif is_suspect and not _give_up_if_late(mail, broken.answer, now):
        mail.defer(now, broken.answer)
        _wait_for_domain(session, mail, MailFaultKind.LINE, broken.answer, RefusalScope.DOMAIN, now)
    return began


def _put_off(
    session: Session, mail: OutboxMail, kind: MailFaultKind, answer: str, reach: RefusalScope, now: datetime
) -> MailFault | None:
    mail.fault = kind
    if _give_up_if_late(mail, answer, now):
        return None
    standing = MailFault.on(session, mail.domain)
    was_known = standing is not None and standing.is_alarm
    fault = _wait_for_domain(session, mail, kind, answer, reach, now)
    mail.defer(fault.rests_until if mail.is_parked else now + _own_wait(mail), answer)
    return fault if fault.is_alarm and not was_known else None


def _wait_for_domain(
    session: Session, mail: OutboxMail, kind: MailFaultKind, answer: str, reach: RefusalScope, now: datetime
) -> MailFault:
    """Put the mail beside those that wait for its domain. If only one mailbox is full, no other mail
    waits."""
    letter = NotPassed(
        kind,
        answer,
        mail.to_address.lower(),
        is_new=mail.attempts <= 1,
        is_whole_domains=reach is RefusalScope.DOMAIN,
    )
    fault = MailFault.note_domain(session, mail.domain, letter, now)
    if reach is RefusalScope.DOMAIN and fault.is_closed:
        mail.is_parked = True
        fault.take_letters(now)
    return fault


def _own_wait(mail: OutboxMail) -> timedelta:
    return DOMAIN_RESTS[min(mail.attempts, len(DOMAIN_RESTS)) - 1]


def _give_up_if_late(mail: OutboxMail, answer: str, now: datetime) -> bool:
    """True if the mail has been tried for long enough; then it is settled here."""
    if now - mail.posted_at < GIVE_UP_AFTER:
        return False
    mail.is_parked = False
    mail.settle(MailState.FAILED, now, f"given up: {answer}")
    return True


def _let_tokens_live(
    session: Session, handed_over: Sequence[tuple[OutboxMail, datetime]], lifetime: timedelta
) -> None:
    ends: dict[ResetRequest, datetime] = {}
    for mail, at in handed_over:
        if mail.letter is Letter.TOKEN and (request := mail.reset_request) is not None:
            end = request.lives_until(mail.posted_at, at, lifetime)
            ends[request] = max(end, ends.get(request, end))
    ResetRequest.let_live(session, ends)


def _note_that_owners_wait(session: Session, tries: Sequence[Try]) -> None:
    """The desk sees who got a token and never logged in. This is noted here, where no stranger can see who
    has an account."""
    tokens = [one.mail for one in tries if one.mail.letter is Letter.TOKEN]
    User.note_tokens(session, {mail.user_id: mail.posted_at for mail in tokens if mail.user_id is not None})
