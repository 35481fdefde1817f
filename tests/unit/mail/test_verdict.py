"""Whose fault a mail server's answer is. A new report from practice becomes one more row."""

from itertools import product

import pytest

from app.mail.outcomes import (
    ConnectionFault,
    Delivery,
    Phase,
    PutOff,
    RefusalScope,
    RefusedForGood,
    SenderFault,
    SessionFault,
)
from app.mail.verdict import judged

LINE, SESSION, ALL, DOMAIN, LETTER = (
    "line",
    "session",
    "sender of all",
    "sender to a domain",
    "sender of one letter",
)
LATER, BUSY, ALONE = "domain later", "mailbox later", "this letter later, whatever others get"
NOBODY, PERHAPS_NOBODY = "no such mailbox", "no such mailbox, it seems"

CASES = [
    (Phase.CONNECT, "421 4.3.2 shutting down", LINE),
    (Phase.MAIL, "421 4.7.0 too many connections", LINE),
    (Phase.RCPT, "421 4.7.0 try again later", LINE),
    (Phase.END, "421 4.4.2 timeout", LINE),
    (Phase.END, "299 perhaps", LINE),
    (Phase.CONNECT, "554 5.3.2 no SMTP here", SESSION),
    (Phase.HELLO, "550 5.7.1 who are you", SESSION),
    (Phase.HELLO, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", SESSION),
    (Phase.LOGIN, "535 5.7.8 Error: authentication failed", SESSION),
    (Phase.LOGIN, "454 4.7.0 Temporary authentication failure", SESSION),
    (Phase.MAIL, "530 5.7.0 Must issue a STARTTLS command first", SESSION),
    (Phase.RCPT, "530 Authentication required", SESSION),
    (Phase.MAIL, "553 5.7.1 sender address rejected: not owned by user", ALL),
    (Phase.MAIL, "550 5.1.8 sender's domain does not exist", ALL),
    (Phase.MAIL, "550 rejected", ALL),
    (Phase.MAIL, "451 4.3.0 later", ALL),
    (Phase.MAIL, "452 4.3.1 insufficient system storage", ALL),
    (Phase.MAIL, "552 5.3.4 message too big", LETTER),
    (Phase.RCPT, "550 5.4.5 Daily user sending limit exceeded", ALL),
    (Phase.END, "550 5.4.5 Daily sending quota exceeded", ALL),
    (Phase.RCPT, "550 5.1.7 bad sender", ALL),
    (Phase.RCPT, "554 5.7.1 <a@b.example>: Relay access denied", DOMAIN),
    (Phase.RCPT, "550 5.7.1 Unable to relay", DOMAIN),
    (Phase.RCPT, "550 relaying denied", DOMAIN),
    (Phase.RCPT, "553 sorry, that domain isn't in my list of allowed rcpthosts: policy", DOMAIN),
    (Phase.RCPT, "550 blocked by SPF", DOMAIN),
    (Phase.RCPT, "554 refused", DOMAIN),
    (Phase.RCPT, "450 4.7.1 client host rejected", DOMAIN),
    (Phase.RCPT, "452 4.3.1 insufficient system storage", DOMAIN),
    (Phase.RCPT, "503 5.5.1 need MAIL before RCPT", DOMAIN),
    (Phase.DATA, "554 5.5.1 no valid recipients", DOMAIN),
    (Phase.DATA, "451 local error", DOMAIN),
    (Phase.END, "554 5.7.1 looks like spam", DOMAIN),
    (Phase.END, "550 no", DOMAIN),
    (Phase.END, "554 5.6.0 malformed", LETTER),
    (Phase.RCPT, "450 4.7.1 greylisted, see http://postgrey.example", ALONE),
    (Phase.RCPT, "451 4.7.1 Greylisting in action", ALONE),
    (Phase.RCPT, "450 4.2.0 Greylisted", ALONE),
    (Phase.RCPT, "451 4.3.2 greylisted, come back", ALONE),
    (Phase.RCPT, "451 Grey-listed for 300 seconds", ALONE),
    (Phase.END, "451 graylist", ALONE),
    (Phase.RCPT, "450 later", LATER),
    (Phase.RCPT, "451 4.4.1 no answer from host", LATER),
    (Phase.RCPT, "452 4.5.3 too many recipients", LATER),
    (Phase.RCPT, "450 4.2.1 mailbox busy", BUSY),
    (Phase.RCPT, "452 4.2.2 over quota", ALONE),
    (Phase.RCPT, "552 5.2.2 mailbox full", ALONE),
    (Phase.END, "552 5.2.2 The email account that you tried to reach is over quota", ALONE),
    (Phase.RCPT, "452 requested action not taken", BUSY),
    (Phase.RCPT, "552 exceeded storage allocation", BUSY),
    (Phase.RCPT, "550 mailbox is full", ALONE),
    (Phase.RCPT, "450 4.1.2 domain not found", BUSY),
    (Phase.RCPT, "550 5.1.1 no such mailbox", NOBODY),
    (
        Phase.RCPT,
        "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in relay recipient table",
        NOBODY,
    ),
    (Phase.RCPT, "550 5.1.10 null MX", NOBODY),
    (Phase.RCPT, "550 5.2.1 mailbox disabled", NOBODY),
    (Phase.RCPT, "550 No such user here", NOBODY),
    (Phase.RCPT, "554 User unknown", NOBODY),
    (Phase.END, "550 no such user", NOBODY),
    (Phase.RCPT, "550 5.7.1 <a@b.example>: Recipient address rejected: User unknown", NOBODY),
    (Phase.RCPT, "553 5.3.0 user unknown", NOBODY),
    (Phase.RCPT, "550 5.5.1 unknown user", NOBODY),
    (Phase.RCPT, "550 5.4.1 Recipient address rejected: Access denied. AS(1)", PERHAPS_NOBODY),
    (Phase.RCPT, "554 5.7.1 <a@b.example>: Recipient address rejected: Access denied", LETTER),
    (Phase.RCPT, "554 5.7.1 Client host blocked using zen.example", DOMAIN),
    (Phase.RCPT, "550 5.7.1 Sender address rejected: User unknown", DOMAIN),
    (Phase.RCPT, "550 5.1.0 sender rejected", DOMAIN),
    (Phase.RCPT, "550 5.1.1 sender verify failed", DOMAIN),
    (Phase.RCPT, "550 5.1.1 mailbox is full", ALONE),
    (
        Phase.RCPT,
        "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more",
        BUSY,
    ),
    (Phase.RCPT, "550 refused", PERHAPS_NOBODY),
    (Phase.RCPT, "551 not here", PERHAPS_NOBODY),
    (Phase.RCPT, "553 no", PERHAPS_NOBODY),
    (Phase.RCPT, "550 5.0.0 no", PERHAPS_NOBODY),
]


@pytest.mark.parametrize(
    ("phase", "answer", "whose"), CASES, ids=lambda part: part.name if isinstance(part, Phase) else part
)
def test_whose_fault_an_answer_is(phase: Phase, answer: str, whose: str) -> None:
    delivery = judged(phase, int(answer[:3]), answer[4:])

    assert _named(delivery) == whose
    assert delivery.answer == answer


def _named(delivery: Delivery) -> str:
    match delivery:
        case ConnectionFault():
            return LINE
        case SessionFault():
            return SESSION
        case SenderFault(reach=reach):
            return {RefusalScope.ALL: ALL, RefusalScope.DOMAIN: DOMAIN, RefusalScope.LETTER: LETTER}[reach]
        case PutOff(reach=RefusalScope.LETTER):
            return ALONE
        case PutOff(reach=reach):
            return LATER if reach is RefusalScope.DOMAIN else BUSY
        case RefusedForGood(is_bare=is_bare):
            return PERHAPS_NOBODY if is_bare else NOBODY
    raise AssertionError(delivery)


def test_no_code_without_words_of_the_mailbox_makes_a_person_dead_outside_of_rcpt() -> None:
    said = ("", "no", "5.7.1 no", "4.7.0 no", "5.3.0 no", "5.4.4 no", "5.5.0 no", "5.6.0 no")
    for phase, code, words in product(Phase, range(400, 600), said):
        if isinstance(judged(phase, code, words), RefusedForGood):
            assert phase is Phase.RCPT
            assert code in (550, 551, 553, 556)
            assert words in ("", "no")
