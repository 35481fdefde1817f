from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from sqlalchemy import ForeignKey, Index, String, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.domain.spoken_name import beginnings_of
from app.models.base import Base
from app.models.many_rows import insert_many

_LONGEST_WORD = 40
# Compared byte by byte, so that a beginning is a range of the index in every language of the database.
_BY_BYTES = String(_LONGEST_WORD, collation="C").with_variant(String(_LONGEST_WORD), "sqlite")


class Named(Protocol):
    """Somebody whose name is looked for."""

    @property
    def id(self) -> int: ...
    @property
    def instansi_id(self) -> int: ...
    @property
    def name(self) -> str: ...


IndexedWord = tuple[int, str, int]  # instansi, word, person


def words_of(people: Iterable[Named]) -> list[IndexedWord]:
    """What `NameWord` holds of these people, who must have ids."""
    return [(person.instansi_id, word, person.id) for person in people for word in beginnings_of(person.name)]


class NameWord(Base):
    """One place from which somebody may begin to say a name. With these rows, any word of a name finds people
    in the time of one index look-up, however many people there are. `word` goes on to the end of the name,
    see app/domain/spoken_name.py."""

    __tablename__ = "name_word"
    __table_args__ = (
        Index("ix_name_word_word_user_id", "word", "user_id"),
        Index("ix_name_word_user_id", "user_id"),
    )

    # A copy of the person's, so no foreign key: theirs holds it, and one for every word would cost more than
    # the word
    instansi_id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(_BY_BYTES, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)

    @classmethod
    def index(cls, session: Session, people: Iterable[Named]) -> None:
        """Write the words of people who have none yet. The people must have ids."""
        cls.write(session, words_of(people))

    @classmethod
    def write(cls, session: Session, words: "Collection[IndexedWord]") -> None:
        insert_many(session, cls, ("instansi_id", "word", "user_id"), words)

    @classmethod
    def index_again(cls, session: Session, people: Sequence[Named]) -> None:
        """Write the words anew after a change of name or instansi, or of how names are kept."""
        session.flush()
        session.execute(delete(cls).where(cls.user_id.in_([person.id for person in people])))
        cls.index(session, people)


def just_after(beginning: str) -> str:
    """The smallest text above every text with this beginning. (No letter stands just below the
    surrogates.)"""
    return beginning[:-1] + chr(ord(beginning[-1]) + 1)
