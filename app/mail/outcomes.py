"""How a try to hand over a mail ends. Whose fault it is decides who waits: the connection, the server's talk
with us, us as a sender, or the recipient. Only the last one says something about a person."""

from dataclasses import dataclass
from enum import Enum, auto


class Phase(Enum):
    """The places in the talk with the mail server, in their order."""

    CONNECT = auto()  # with the server's greeting
    HELLO = auto()
    TLS = auto()
    LOGIN = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()  # the command
    CONTENT = auto()
    END = auto()  # the server's answer to the whole mail

    @property
    def is_about_a_letter(self) -> bool:
        """Whether the server already knows who the mail is for, so that the mail itself may be what the
        server refuses."""
        return self in (Phase.RCPT, Phase.DATA, Phase.CONTENT, Phase.END)


class RefusalScope(Enum):
    """Which mails a refusal says something about."""

    LETTER = auto()
    MAILBOX = auto()
    DOMAIN = auto()
    ALL = auto()


@dataclass(frozen=True)
class HandedOver:
    """The server has taken the mail."""

    answer: str


@dataclass(frozen=True)
class NotWritten:
    """The letter could not be written, and no server has seen it."""

    answer: str


@dataclass(frozen=True)
class ConnectionFault:
    """The server cannot be reached, fell silent, hung up or said 421: nothing more is tried on this
    connection for a while."""

    answer: str
    at_letter: bool = False  # the server had begun to answer about this mail
    letter_is_out: bool = False  # the server may have it


@dataclass(frozen=True)
class SessionFault:
    """Our own relay refuses to talk with us: greeting, EHLO, STARTTLS, login."""

    answer: str


@dataclass(frozen=True)
class SenderFault:
    """The mail was refused because of us: sender, policy, quota, relaying, protocol. That says nothing about
    the person."""

    answer: str
    reach: RefusalScope


@dataclass(frozen=True)
class PutOff:
    """The recipient's side takes no mail for now: the domain, or one busy mailbox in it. The scope is this
    one mail if its refusal surely says nothing about others: the mailbox is full, or the server lets every
    new mail wait for a while."""

    answer: str
    reach: RefusalScope = RefusalScope.DOMAIN


@dataclass(frozen=True)
class RefusedForGood:
    """There is no such mailbox. If the server gave a bare code, others may have got the same code for another
    reason."""

    answer: str
    is_bare: bool = False


Delivery = HandedOver | NotWritten | ConnectionFault | SessionFault | SenderFault | PutOff | RefusedForGood
