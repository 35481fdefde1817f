import secrets
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    bindparam,
    case,
    false,
    func,
    null,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from app.domain.categories import Activation, Category, initial_activation
from app.domain.email_address import EmailAddress
from app.domain.nip import Nip
from app.domain.old_hash import read_kept_hash
from app.domain.password_policy import Owner
from app.models.base import Base, PartialIndex, UtcDateTime, dialect_of, table_of, text_enum
from app.models.instansi import Instansi
from app.models.login_session import LoginSession
from app.models.many_rows import one_of
from app.models.name_word import NameWord, just_after

_LONGEST_OFFICE = 200
MAY_ENTER = (Activation.ACTIVE, Activation.NOT_ACTIVATED)

_SAID = aliased(NameWord)  # made once, because it costs more than the rest of a query


class User(Base):
    """A person who has, or may activate, an account. Outside, the person is known by the NIP, which can
    change; inside, by the id."""

    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint("(email IS NULL) = (email_key IS NULL)", name="email_has_key"),
        CheckConstraint("length(nip) = 18", name="nip_length"),
        Index("ix_user_account_instansi_id_nip", "instansi_id", "nip"),
        Index("ix_user_account_instansi_id_activation", "instansi_id", "activation", "nip"),
        Index("ix_user_account_instansi_id_category", "instansi_id", "category", "nip"),
        Index("ix_user_account_instansi_id_work_unit", "instansi_id", "work_unit", "nip"),
        Index("ix_user_account_activation", "activation", "nip"),
        Index("ix_user_account_category", "category", "nip"),
        PartialIndex(
            "ix_user_account_stuck_since",
            "instansi_id",
            "stuck_since",
            "id",
            only=text("stuck_since IS NOT NULL"),
        ),
        PartialIndex(
            "ix_user_account_stuck_with_password",
            "instansi_id",
            "stuck_since",
            "id",
            only=text("stuck_since IS NOT NULL AND password_hash IS NOT NULL"),
        ),
        PartialIndex("ix_user_account_has_old_words", "id", only=text("has_old_words")),
        PartialIndex(
            "ix_user_account_old_scheme",
            "old_scheme",
            "old_cost",
            only=text("old_scheme IS NOT NULL"),
        ),
        PartialIndex(
            "ix_user_account_waiting_since",
            "instansi_id",
            "activation_changed_at",
            only=text("activation = 'waiting_approval'"),
        ),
        PartialIndex(
            "ix_user_account_without_email",
            "instansi_id",
            "nip",
            "id",
            only=text("email IS NULL AND activation != 'deactivated'"),
        ),
        PartialIndex(
            "ix_user_account_mail_failed_at",
            "instansi_id",
            "mail_failed_at",
            "id",
            only=text("mail_failed_at IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},  # nobody else ever gets the id of a removed account
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    nip: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)
    phone: Mapped[str | None] = mapped_column(String(30))
    category: Mapped[Category] = mapped_column(text_enum(Category, "category"))
    instansi_id: Mapped[int] = mapped_column(ForeignKey("instansi.id"))
    work_unit: Mapped[str] = mapped_column(String(200))
    activation: Mapped[Activation] = mapped_column(text_enum(Activation, "activation"))
    activation_changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Why the account stands there, as its owner reads it
    activation_reason: Mapped[str | None] = mapped_column(String(500))
    # An office, never a person's name
    deactivated_by: Mapped[str | None] = mapped_column(String(_LONGEST_OFFICE))
    password_hash: Mapped[str | None] = mapped_column(String(200))  # NULL: never set
    # The older system that the hash was imported from, and the cost inside that hash; NULL for the portal's
    # own hashes.
    old_scheme: Mapped[str | None] = mapped_column(String(20))
    old_cost: Mapped[int | None]
    # Whether an older release made the words of the name. Such a release writes the row without this column,
    # so true is the default.
    has_old_words: Mapped[bool] = mapped_column(default=False, server_default=true())
    password_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    credential_version: Mapped[int] = mapped_column(default=1)
    # All browsers that know this person keep this mark, signed
    browser_mark: Mapped[str | None] = mapped_column(String(32))
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The groups of data of the PDM for which the person has the documents at hand, as bits of PdmGroup
    prepared: Mapped[int] = mapped_column(default=0, server_default="0")
    # Whether the person has ever asked for a correction of the record. Most never do, and then the home page
    # does not look for one.
    has_asked: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The worker writes the next two, because no stranger can watch it. The next login clears them.
    # When the first token was handed over to somebody who never activated
    stuck_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the last mail was refused, or came back
    mail_failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # No inner join: inside an outer join, SQLite would first join all people with all instansi.
    instansi: Mapped[Instansi] = relationship(lazy="joined")

    @classmethod
    def with_nip(cls, session: Session, nip: Nip, *, lock: bool = False) -> "User | None":
        """The person with this NIP. With `lock`: as now stored, and locked until the transaction ends.

        Rows that only refer to the person may still be written meanwhile: the acts of two admins on each
        other do not wait in a circle.
        """
        found = _WITH_NIP_LOCKED if lock else _WITH_NIP
        return session.scalars(found, {"nip": nip.digits}).one_or_none()

    @classmethod
    def with_id(cls, session: Session, user_id: int, *, lock: bool = False) -> "User | None":
        return session.scalars(_WITH_ID_LOCKED if lock else _WITH_ID, {"id": user_id}).one_or_none()

    @classmethod
    def next_ids(cls, session: Session, how_many: int) -> list[int]:
        """The ids of people who are about to be added. Nobody else ever gets one of them."""
        if dialect_of(session) == "postgresql":
            sequence = func.pg_get_serial_sequence(cls.__tablename__, "id")
            drawn = select(func.nextval(sequence)).select_from(func.generate_series(1, how_many))
            return sorted(session.scalars(drawn))
        # The transaction has the file's only lock for writing, and the count goes on with the rows
        last = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
        first = (session.scalar(last, {"table": cls.__tablename__}) or 0) + 1
        return list(range(first, first + how_many))

    @classmethod
    def browser_mark_of(cls, session: Session, nip: Nip) -> str | None:
        """The mark in the browsers that know the person with this NIP, if there is such a person."""
        return session.scalar(select(cls.browser_mark).where(cls.nip == nip.digits))

    @classmethod
    def taken_addresses(
        cls, session: Session, addresses: Collection[EmailAddress], but_in: int | None = None
    ) -> frozenset[str]:
        """The keys of the addresses among these that belong to somebody, leaving out the people of the
        instansi `but_in`."""
        if not addresses:
            return frozenset()
        taken = select(cls.email_key).where(one_of(session, cls.email_key, [one.key for one in addresses]))
        if but_in is not None:
            taken = taken.where(cls.instansi_id != but_in)
        return frozenset(key for key in session.scalars(taken) if key)

    @classmethod
    def registered_at(cls, addresses: Collection[EmailAddress]) -> ColumnElement[bool]:
        """The condition of having one of these addresses on record.

        This and `taken_addresses` are the only look-ups by email: when the column becomes encrypted, only
        these change.
        """
        return cls.email_key.in_([address.key for address in addresses])

    @classmethod
    def note_tokens(cls, session: Session, posted: Mapping[int, datetime]) -> None:
        """Tokens went to these people at these moments. Those who have never logged in may be stuck from then
        on."""
        # In one order, so that two workers never wait for each other
        people = [{"user": user_id, "at": posted[user_id]} for user_id in sorted(posted)]
        if people:
            session.execute(_NOTE_TOKEN, people)

    @classmethod
    def note_prepared(cls, session: Session, user_id: int, ticked: int, unticked: int) -> None:
        """Change only these bits. A page in another tab, which does not know of them, takes nothing back."""
        session.execute(_NOTE_PREPARED, {"user": user_id, "ticked": ticked, "unticked": unticked})

    @classmethod
    def note_failed_mail(cls, session: Session, user_id: int, address: EmailAddress, at: datetime) -> None:
        """There is no such mailbox. Mails also go to former addresses, and those say nothing about the email
        on record."""
        marked = update(cls).where(cls.id == user_id, cls.registered_at([address])).values(mail_failed_at=at)
        session.execute(marked.execution_options(synchronize_session=False))

    @classmethod
    def forget_failed_mail(cls, session: Session, user_id: int, at: datetime) -> None:
        """The mail that failed at this moment did not fail because of the address."""
        marked = update(cls).where(cls.id == user_id, cls.mail_failed_at == at).values(mail_failed_at=None)
        session.execute(marked.execution_options(synchronize_session=False))

    @classmethod
    def note_bounced_mail(
        cls, session: Session, user_id: int, address: EmailAddress, posted_at: datetime, at: datetime
    ) -> "User | None":
        """A mail of that moment came back from this address. Returns the person if the address is still on
        record and nobody has logged in or used a token since: a login or a token would show that the mailbox
        works, or that it does not matter."""
        is_not_over = [
            or_(since.is_(None), since <= posted_at) for since in (cls.last_login_at, cls.password_changed_at)
        ]
        marked = (
            update(cls)
            .where(cls.id == user_id, cls.registered_at([address]), *is_not_over)
            .values(mail_failed_at=at)
        )
        found = session.scalar(marked.returning(cls.id).execution_options(synchronize_session=False))
        return None if found is None else cls.with_id(session, found)

    @classmethod
    def old_costs(cls, session: Session) -> dict[str, int]:
        """The most expensive imported hash of every older kind, by kind. Each takes one step in the index,
        however many people have one."""
        costs: dict[str, int] = {}
        kind = ""
        while kind := session.scalar(select(func.min(cls.old_scheme)).where(cls.old_scheme > kind)) or "":
            costs[kind] = (
                session.scalars(select(func.max(cls.old_cost)).where(cls.old_scheme == kind)).one() or 0
            )
        return costs

    @property
    def shown_nip(self) -> Nip:
        return Nip(self.nip)

    @property
    def is_deactivated(self) -> bool:
        return self.activation is Activation.DEACTIVATED

    @classmethod
    def is_called(cls, beginning: str) -> ColumnElement[bool]:
        """For a query over people: whether the name has this beginning in it. It is no EXISTS: for one,
        PostgreSQL may first collect all who have such a word, which takes a minute among millions."""
        found = (
            select(_SAID.user_id)
            .where(_SAID.user_id == cls.id, _SAID.word >= beginning, _SAID.word < just_after(beginning))
            .correlate(cls)
            .limit(1)
        )
        return found.scalar_subquery().is_not(None)

    @property
    def may_enter(self) -> bool:
        return self.activation in MAY_ENTER

    @property
    def as_password_owner(self) -> Owner:
        return Owner(self.nip, self.name, self.shown_nip.birth_date, self.email)

    def has_email(self, address: EmailAddress) -> bool:
        return self.email_key == address.key

    def set_password(self, password_hash: str, now: datetime) -> None:
        """A new password ends every session and every open token, and from then on no browser is known."""
        self.keep_hash(password_hash)
        self.password_changed_at = now
        self.forget_browsers()
        self.end_all_access()

    @staticmethod
    def values_of_new_password(password_hash: str) -> dict[str, str]:
        """What NEW_PASSWORD needs, beside `now`."""
        return {"new_hash": password_hash, "new_mark": _new_mark()}

    @staticmethod
    def values_of_login() -> dict[str, str]:
        """What LOGIN needs, beside `now`."""
        return {"new_mark": _new_mark()}

    @property
    def is_in_use(self) -> bool:
        """Somebody has logged in or has set a password, so somebody could lose something."""
        return (
            self.activation is Activation.ACTIVE
            or self.last_login_at is not None
            or self.password_hash is not None
            or self.password_changed_at is not None
        )

    @classmethod
    def in_use(cls) -> ColumnElement[bool]:
        """`is_in_use` as a condition."""
        return or_(
            cls.activation == Activation.ACTIVE,
            cls.last_login_at.is_not(None),
            cls.password_hash.is_not(None),
            cls.password_changed_at.is_not(None),
        )

    def remove_password(self) -> None:
        """There is no way in until the owner has set another one."""
        self.password_hash = self.old_scheme = self.old_cost = None
        self.forget_browsers()
        self.end_all_access()

    def forget_browsers(self) -> None:
        """All browsers that knew this person are unknown now. Browsers that get to know the person later
        carry another mark."""
        self.browser_mark = _new_mark()

    def keep_hash(self, password_hash: str) -> None:
        """Another hash of the same password, or of a new one."""
        kept = read_kept_hash(password_hash)
        self.password_hash = password_hash
        self.old_scheme, self.old_cost = (kept.recipe.kind, kept.recipe.cost) if kept else (None, None)

    def set_email(self, address: EmailAddress | None) -> None:
        self.email = address.text if address else None
        self.email_key = address.key if address else None
        self.end_all_access()

    def rename(self, name: str) -> None:
        self.name = name
        self._index_name_again()

    def renumber(self, nip: Nip) -> None:
        """Another NIP: a person who proved to be the owner of the old one has proven nothing yet."""
        self.nip = nip.digits
        self.forget_browsers()
        self.end_all_access()

    def deactivate(self, office: str, reason: str, now: datetime) -> None:
        self.deactivated_by = office[:_LONGEST_OFFICE]
        self.activation_reason = reason
        self.forget_browsers()
        self.change_activation(Activation.DEACTIVATED, now)

    def reactivate(self, now: datetime) -> None:
        """The account goes back to where it was: in use, waiting for the instansi, or never activated."""
        self.deactivated_by = self.activation_reason = None
        self.change_activation(
            Activation.ACTIVE if self.last_login_at else initial_activation(self.category), now
        )

    def move_to(self, instansi: Instansi) -> None:
        self.instansi = instansi
        self.end_all_access()
        self._index_name_again()

    def change_activation(self, activation: Activation, now: datetime) -> None:
        self.activation = activation
        self.activation_changed_at = now
        self.end_all_access()

    def note_login(self, now: datetime) -> None:
        """The first login is the activation. It changes no right, so sessions stay."""
        if self.activation is Activation.NOT_ACTIVATED:
            self.activation = Activation.ACTIVE
            self.activation_changed_at = now
        self.last_login_at = now
        if self.browser_mark is None:
            self.forget_browsers()
        self.stuck_since = self.mail_failed_at = None

    def _index_name_again(self) -> None:
        session = Session.object_session(self)
        if session is not None and self.id:
            NameWord.index_again(session, [self])
            self.has_old_words = False

    def end_all_access(self) -> None:
        """Tokens and sessions carry the credential version under which they were made. The rows of the
        sessions are removed too."""
        self.credential_version = User.credential_version + 1 if self.id else 1
        session = Session.object_session(self)
        if session is not None and self.id:
            LoginSession.end_all_of(session, self.id)


def _new_mark() -> str:
    return secrets.token_hex(16)


def _locked(found: Select[User]) -> Select[User]:
    return found.with_for_update(of=User, key_share=True).execution_options(populate_existing=True)


_PEOPLE = table_of(User)
_NOTE_TOKEN = (
    update(_PEOPLE)
    .where(
        _PEOPLE.c.id == bindparam("user"),
        _PEOPLE.c.last_login_at.is_(None),
        _PEOPLE.c.stuck_since.is_(None),
    )
    .values(stuck_since=bindparam("at", type_=UtcDateTime))
)
_NOTE_PREPARED = (
    update(_PEOPLE)
    .where(_PEOPLE.c.id == bindparam("user"))
    .values(
        prepared=_PEOPLE.c.prepared.op("|")(bindparam("ticked", type_=Integer)).op("&")(
            bindparam("unticked", type_=Integer).bitwise_not()
        )
    )
)
_WITH_NIP = select(User).where(User.nip == bindparam("nip"))
_WITH_ID = select(User).where(User.id == bindparam("id"))
_WITH_NIP_LOCKED, _WITH_ID_LOCKED = _locked(_WITH_NIP), _locked(_WITH_ID)


# The columns that the owner's own new password writes: those of `set_password`, for a statement that does it
# at once. The mailbox was read, too.
NEW_PASSWORD = {
    User.password_hash: bindparam("new_hash"),
    User.old_scheme: null(),
    User.old_cost: null(),
    User.password_changed_at: bindparam("now", type_=UtcDateTime),
    User.browser_mark: bindparam("new_mark"),
    User.credential_version: User.credential_version + 1,
    User.mail_failed_at: null(),
}
# Those of `note_login`.
_IS_FIRST = User.activation == Activation.NOT_ACTIVATED
LOGIN = {
    User.activation: case((_IS_FIRST, Activation.ACTIVE), else_=User.activation),
    User.activation_changed_at: case(
        (_IS_FIRST, bindparam("now", type_=UtcDateTime)), else_=User.activation_changed_at
    ),
    User.last_login_at: bindparam("now", type_=UtcDateTime),
    User.browser_mark: func.coalesce(User.browser_mark, bindparam("new_mark")),
    User.stuck_since: null(),
    User.mail_failed_at: null(),
}
