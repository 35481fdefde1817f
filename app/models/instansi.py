from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, func, or_, select, true, tuple_
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.domain.contact import (
    CONTACT_FIELDS,
    LONGEST_EMAIL,
    LONGEST_LINE,
    LONGEST_PHONE,
    LONGEST_WORDS,
    Contact,
)
from app.domain.indonesian_time import Zone
from app.domain.zone_of_instansi import guessed_zone
from app.models.base import Base, text_enum

# Where each field of a contact is kept
_CONTACT = {field: f"helpdesk_{'contact' if field == 'words' else field}" for field in CONTACT_FIELDS}


@dataclass(frozen=True)
class UnknownInstansi:
    """No instansi has the code that somebody gave."""

    code: str


class Instansi(Base):
    """A ministry, agency, province, regency or city that employs people and answers for their accounts."""

    __tablename__ = "instansi"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    # In the words of the instansi. An earlier release knows only this one of the contact, so the others have
    # defaults.
    helpdesk_contact: Mapped[str] = mapped_column(String(LONGEST_WORDS), default="")
    helpdesk_phone: Mapped[str] = mapped_column(String(LONGEST_PHONE), default="", server_default="")
    helpdesk_whatsapp: Mapped[str] = mapped_column(String(LONGEST_PHONE), default="", server_default="")
    helpdesk_email: Mapped[str] = mapped_column(String(LONGEST_EMAIL), default="", server_default="")
    helpdesk_place: Mapped[str] = mapped_column(String(LONGEST_LINE), default="", server_default="")
    helpdesk_hours: Mapped[str] = mapped_column(String(LONGEST_LINE), default="", server_default="")
    chosen_zone: Mapped[Zone | None] = mapped_column(text_enum(Zone, "chosen_zone"))  # NULL: nobody has said

    @classmethod
    def with_code(cls, session: Session, code: str) -> "Instansi | None":
        if not code.isprintable():
            return None  # PostgreSQL takes no NUL, not even to compare
        return session.scalars(select(cls).where(cls.code == code)).one_or_none()

    @classmethod
    def meant_by(cls, session: Session, typed: str, most: int) -> "list[Instansi]":
        """The one with this code, otherwise those whose name holds these words, at most so many."""
        if not typed.strip().isprintable():
            return []
        exact = cls.with_code(session, typed.strip())
        return [exact] if exact else cls.found(session, true(), typed.strip(), None, most)

    @classmethod
    def one_or_all(cls, session: Session, code: str | None) -> "Instansi | UnknownInstansi | None":
        """The one with this code. Without a code none is meant but all, so None."""
        if not code:
            return None
        return cls.with_code(session, code) or UnknownInstansi(code)

    @classmethod
    def without_their_zeros(cls, session: Session, codes: Collection[str]) -> frozenset[str]:
        """Given codes that no instansi has: the ones that differ from a code on record only by zeros in
        front, because a spreadsheet removes those."""
        if not codes:
            return frozenset()
        bare = func.ltrim(cls.code, "0")
        found = set(session.scalars(select(bare).where(bare.in_({code.lstrip("0") for code in codes}))))
        return frozenset(code for code in codes if code.lstrip("0") in found)

    @classmethod
    def all(cls, session: Session, most: int | None = None) -> "list[Instansi]":
        """All instansi by name, or the first of them."""
        return list(session.scalars(select(cls).order_by(cls.name).limit(most)))

    @classmethod
    def with_id(cls, session: Session, instansi_id: int, *, lock: bool = False) -> "Instansi | None":
        """With `lock`: as now stored, and locked against other changes of the row. People may still be added
        to it."""
        statement = select(cls).where(cls.id == instansi_id)
        if lock:
            statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
        return session.scalars(statement).one_or_none()

    @classmethod
    def within(cls, session: Session, reach: ColumnElement[bool]) -> "list[Instansi]":
        """The instansi within an admin's reach, by name."""
        return list(session.scalars(select(cls).where(reach).order_by(cls.name, cls.id)))

    @classmethod
    def found(
        cls, session: Session, reach: ColumnElement[bool], words: str, after: "Instansi | None", most: int
    ) -> "list[Instansi]":
        """By name, beginning after `after`: instansi whose code begins with `words`, or whose name holds
        them."""
        statement = select(cls).where(reach)
        if words:
            in_name = func.lower(cls.name).contains(words.lower(), autoescape=True)
            statement = statement.where(or_(cls.code.startswith(words, autoescape=True), in_name))
        if after is not None:
            statement = statement.where(tuple_(cls.name, cls.id) > tuple_(after.name, after.id))
        return list(session.scalars(statement.order_by(cls.name, cls.id).limit(most)))

    @property
    def contact(self) -> Contact:
        return Contact(**{field: getattr(self, column) for field, column in _CONTACT.items()})

    @contact.setter
    def contact(self, contact: Contact) -> None:
        for column, text in self.columns_of(contact).items():
            setattr(self, column, text)

    @staticmethod
    def columns_of(contact: Contact) -> dict[str, str]:
        return {column: getattr(contact, field) for field, column in _CONTACT.items()}

    @property
    def zone(self) -> Zone:
        """In which people of the instansi read times."""
        return self.chosen_zone or guessed_zone(self.name, self.code)

    @classmethod
    def choices(cls, session: Session, reach: ColumnElement[bool]) -> list[tuple[str, str]]:
        """The instansi as a list offers them to choose: code and words, by name."""
        found = session.execute(select(cls.code, cls.name).where(reach).order_by(cls.name, cls.id))
        return [(code, f"{name} ({code})") for code, name in found]
