"""Decides whose fault a mail server's "no" is: by its place in the talk, its code, the enhanced code (RFC
3463) and its words.

RFC 3463: X.1 is about the address, X.2 about the mailbox. X.3 (system), X.4 (network), X.5 (protocol), X.6
(content) and X.7 (policy) are not about the person. In doubt, it is not the person: a mail that waits in vain
costs less than an owner whose address is taken for dead.
"""

import re

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

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\S)")
_WANTS_A_LOGIN = (530, 534, 535, 538)
_NO_SUCH_MAILBOX = re.compile(
    r"(user|mailbox|recipient|address|account)\b.{0,20}\b(unknown|not found|does ?n.t exist|does not "
    r"exist|not exist|disabled)"
    r"|unknown (user|recipient|mailbox|local part)|no such (user|mailbox|recipient|address|person|account)"
    r"|no mailbox|invalid (recipient|mailbox|user)",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"(mailbox|quota|inbox|storage|account).{0,30}(full|exceed|over)|over ?quota|quota exceeded",
    re.IGNORECASE,
)
_ALL_OF_US = re.compile(
    r"relay(ing)?\b.{0,30}(denied|not permitted|not allowed|prohibited|refused)|(not|un)\w* "
    r"(permitted|allowed|able) to relay"
    r"|(unable|cannot|won.t) (to )?relay|we do not "
    r"relay|(daily|hourly|sending|sender|message|outgoing|rate).{0,20}(limit|quota)"
    r"|(sender|client|authentication).{0,20}(required|rejected|refused|denied)|must authenticate",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"polic(y|ies)|spam|spf\b|dkim|dmarc|black ?list|block(ed| ?list)|\bbanned|reputation|denied|not "
    r"(permitted|allowed|authori)"
    r"|prohibited|too many|rate|throttl|authenticat|virus|content",
    re.IGNORECASE,
)
_TOO_FAST = re.compile(r"\brates?\b|too (quickly|fast|many)", re.IGNORECASE)
_RECIPIENT_REJECTED = re.compile(r"recipient\b.{0,20}\b(rejected|denied|refused|blocked)", re.IGNORECASE)
_GREYLISTED = re.compile(r"gr[ea]y[ -]?list", re.IGNORECASE)


def judged(phase: Phase, code: int, words: str) -> Delivery:
    """What an answer other than "yes" means. `words` is everything after the basic code."""
    answer = f"{code} {words}"
    # The server closes the channel, or gives a code that nobody understands
    if code == 421 or not 400 <= code < 600:
        return ConnectionFault(
            answer, at_letter=phase.is_about_a_letter, letter_is_out=phase is Phase.END and code != 421
        )
    if code in _WANTS_A_LOGIN or phase in (Phase.CONNECT, Phase.HELLO, Phase.TLS, Phase.LOGIN):
        return SessionFault(answer)
    is_for_good, (subject, detail) = code >= 500, _enhanced(words)
    if phase is Phase.MAIL:
        is_too_large = (subject, detail) == (3, 4) or (code == 552 and not subject)
        return SenderFault(answer, RefusalScope.LETTER if is_too_large else RefusalScope.ALL)
    match subject, detail:
        case 1, 7 | 8:  # the sender's address
            return SenderFault(answer, RefusalScope.ALL)
        case 2, 2 | 3:  # full, or full for a letter of this size
            return PutOff(answer, RefusalScope.LETTER)
        case _ if not is_for_good and _GREYLISTED.search(words):
            return PutOff(answer, RefusalScope.LETTER)
        case 1 | 2, _ if is_for_good:
            return _of_address(answer, words)
        # What Exchange says about somebody who is not in its directory
        case 4, 1 if is_for_good and _RECIPIENT_REJECTED.search(words):
            return RefusedForGood(answer, is_bare=True)
        case 1 | 2, _:
            return PutOff(answer, RefusalScope.MAILBOX)
        case 4, 5:  # congestion; Google says this about a sender's quota
            return SenderFault(answer, RefusalScope.ALL)
        case 4 | 5, _ if not is_for_good:
            return PutOff(answer)
        case 3, 4:
            return SenderFault(answer, RefusalScope.LETTER)
        case 6, _:
            return SenderFault(answer, RefusalScope.LETTER)
        case 3 | 4 | 5 | 7, _ if (
            is_for_good and _NO_SUCH_MAILBOX.search(words) and not _ALL_OF_US.search(words)
        ):
            return RefusedForGood(answer)
        case 7, _ if _RECIPIENT_REJECTED.search(words) and not _ALL_OF_US.search(words):
            return SenderFault(answer, RefusalScope.LETTER)
        case 3 | 4 | 5 | 7, _:
            return SenderFault(answer, RefusalScope.DOMAIN)
    return _by_words(phase, code, words)


def _of_address(answer: str, words: str) -> Delivery:
    """The number says that there is no such mailbox. Some servers also use it for a complaint about the
    sender, or for a mailbox that is full or gets too much."""
    if _FULL.search(words):
        return PutOff(answer, RefusalScope.LETTER)
    if _ALL_OF_US.search(words) or re.search(r"\bsender\b", words, re.IGNORECASE):
        return SenderFault(answer, RefusalScope.DOMAIN)
    if _TOO_FAST.search(words) and not _NO_SUCH_MAILBOX.search(words):
        return PutOff(answer, RefusalScope.MAILBOX)
    return RefusedForGood(answer)


def _by_words(phase: Phase, code: int, words: str) -> Delivery:
    """Without an enhanced code that says more. Then a server may not say "no such user" at once, and words of
    policy mean a fault of ours."""
    answer = f"{code} {words}"
    if _FULL.search(words) or (code < 500 and _GREYLISTED.search(words)):
        return PutOff(answer, RefusalScope.LETTER)
    if code >= 500 and _NO_SUCH_MAILBOX.search(words):
        return RefusedForGood(answer)
    if _ALL_OF_US.search(words):
        return SenderFault(answer, RefusalScope.DOMAIN)
    if code in (452, 552):
        return PutOff(answer, RefusalScope.MAILBOX)
    if code < 500 and phase is Phase.RCPT:
        return PutOff(answer)
    if code in (550, 551, 553, 556) and phase is Phase.RCPT and not _POLICY.search(words):
        return RefusedForGood(answer, is_bare=True)
    return SenderFault(answer, RefusalScope.DOMAIN)


def _enhanced(words: str) -> tuple[int, int]:
    """Subject and detail of the first enhanced code, which stands at the start; 0 if there is none, or if it
    says nothing."""
    found = _ENHANCED.match(words.lstrip())
    return (int(found[2]), int(found[3])) if found else (0, 0)
