"""How a try to hand over a letter ends. Whose fault it is decides who waits: the line, the server's talk with
us, us as a sender, or the person the letter is for. Only the last is about a person."""

from dataclasses import dataclass
from enum import Enum, auto


class Phase(Enum):
    """Where in the talk with the mail server something happened, in the order of a talk."""

    CONNECT = auto()  # with the server's greeting
    HELLO = auto()
    TLS = auto()
    LOGIN = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()  # the command
    CONTENT = auto()
    END = auto()  # the server's word on the whole letter

    @property
    def is_about_a_letter(self) -> bool:
        """Whether the server knows by now for whom the letter is, so that the letter itself may be what it
        cannot bear."""
        return self in (Phase.RCPT, Phase.DATA, Phase.CONTENT, Phase.END)


class RefusalScope(Enum):
    """How far a refusal reaches: whose letters it says something of."""

    LETTER = auto()
    MAILBOX = auto()
    DOMAIN = auto()
    ALL = auto()


@dataclass(frozen=True)
class HandedOver:
    """The server has taken it."""

    answer: str


@dataclass(frozen=True)
class NotWritten:
    """The letter could not be written; no server has heard of it."""

    answer: str


@dataclass(frozen=True)
class ConnectionFault:
    """The server cannot be reached, fell silent, hung up or said 421: nothing more is tried on this line for
    a while."""

    answer: str
    at_letter: bool = False  # it had begun to speak of this letter
    letter_is_out: bool = False  # the server may have it


@dataclass(frozen=True)
class SessionFault:
    """Our own relay refuses to talk with us: greeting, EHLO, STARTTLS, login."""

    answer: str


@dataclass(frozen=True)
class SenderFault:
    """The letter was refused because of us: sender, policy, quota, relaying, protocol. It says nothing about
    the person."""

    answer: str
    reach: RefusalScope


@dataclass(frozen=True)
class PutOff:
    """The recipient's side takes no letter for now: its domain, or one busy mailbox in it. It reaches the
    letter alone where it is known to say nothing of any other: the mailbox is full, or the server lets
    everything new wait a while."""

    answer: str
    reach: RefusalScope = RefusalScope.DOMAIN


@dataclass(frozen=True)
class RefusedForGood:
    """There is no such mailbox. Where the server gave a bare code, others may have got the same for another
    reason."""

    answer: str
    is_bare: bool = False


Delivery = HandedOver | NotWritten | ConnectionFault | SessionFault | SenderFault | PutOff | RefusedForGood
