"""How people reach the office that helps them: what an admin or a file says about it, and what a tap on it
opens.

Each field is empty, or was read by one of the readers below. What stands in the database in another way is
shown as text, without anything to tap.
"""

from dataclasses import dataclass, fields
from urllib.parse import quote

from app.domain.email_address import EmailAddress, NotAnEmail, read_email
from app.domain.phone_number import LONGEST_WRITTEN, NotAPhone, read_chat_number, read_phone_number

LONGEST_PHONE = LONGEST_WRITTEN
LONGEST_EMAIL = 254
LONGEST_LINE = 200  # of a place, of opening hours
LONGEST_WORDS = 300


@dataclass(frozen=True)
class Way:
    """One way to reach the office."""

    kind: str
    label: str
    shown: str
    target: str | None


@dataclass(frozen=True)
class Contact:
    """How an instansi is reached."""

    phone: str = ""
    whatsapp: str = ""
    email: str = ""
    place: str = ""
    hours: str = ""
    words: str = ""  # in the words of the instansi: all there was before the other fields

    @property
    def ways(self) -> tuple[Way, ...]:
        """What can be tapped."""
        every = (
            Way("phone", "Telepon", self.phone, _target_of_phone(self.phone)),
            Way("whatsapp", "WhatsApp", self.whatsapp, _target_of_chat(self.whatsapp)),
            Way("email", "Email", self.email, _target_of_email(self.email)),
        )
        return tuple(way for way in every if way.shown)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What is only read."""
        every = (("Loket", self.place), ("Jam layanan", self.hours), (self._label_of_words, self.words))
        return tuple((label, text) for label, text in every if text)

    @property
    def lines(self) -> tuple[str, ...]:
        """The whole contact as plain text. No field stands alone on its line, as a token or a link does in a
        mail: whoever writes the contact could make it look like one."""
        every = (*((way.label, way.shown) for way in self.ways), *self.facts)
        return tuple(f"{label or 'Kontak'}: {text}" for label, text in every)

    @property
    def _label_of_words(self) -> str:
        """Words that stand alone are the contact itself, which the page has named already."""
        return "Keterangan" if self.phone or self.whatsapp or self.email or self.place else ""

    @property
    def helps(self) -> bool:
        """Whether people can reach anybody by it. Opening hours alone lead nowhere."""
        return bool(self.phone or self.whatsapp or self.email or self.place or self.words)


CONTACT_FIELDS = tuple(one.name for one in fields(Contact))


def kept_phone(typed: str) -> str | NotAPhone:
    """What is kept of a number that somebody typed."""
    read = read_phone_number(typed)
    return read if isinstance(read, NotAPhone) else read.written


def kept_chat_number(typed: str) -> str | NotAPhone:
    read = read_chat_number(typed)
    return read if isinstance(read, NotAPhone) else read.written


def kept_email(typed: str) -> str | NotAnEmail:
    read = read_email(typed)
    return read if isinstance(read, NotAnEmail) else read.text


def _target_of_phone(written: str) -> str | None:
    read = read_phone_number(written)
    return None if isinstance(read, NotAPhone) else read.link


def _target_of_chat(written: str) -> str | None:
    read = read_chat_number(written)
    return None if isinstance(read, NotAPhone) else read.chat


def _target_of_email(written: str) -> str | None:
    read = read_email(written)
    return None if isinstance(read, NotAnEmail) else f"mailto:{_in_a_link(read)}"


def _in_a_link(address: EmailAddress) -> str:
    """Marks that would end the address, or add to the mail: RFC 6068 wants them as codes."""
    return quote(address.text, safe="@!$'*+-._~")
