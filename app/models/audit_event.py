from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from app.models.base import Base, BigId, UtcDateTime, text_enum
from app.models.user import User


class Tag(StrEnum):
    """Everything that is recorded, and nothing else: acts and refusals."""

    TOKEN_ASKED = "token_asked"
    TOKEN_RESENT = "token_resent"
    TOKEN_RESENT_TOO_SOON = "token_resent_too_soon"
    TOKEN_HANDED_OVER = "token_handed_over"
    MAIL_BOUNCED = "mail_bounced"
    LINK_OPENED = "link_opened"
    TOKEN_REFUSED = "token_refused"
    TOKEN_THROTTLED = "token_throttled"
    PASSWORD_REFUSED = "password_refused"
    PASSWORD_SET = "password_set"
    LOGIN = "login"
    LOGIN_REFUSED = "login_refused"
    LOGIN_THROTTLED = "login_throttled"
    LOGIN_NOT_OPEN = "login_not_open"
    ACTIVATED = "activated"
    LOGOUT = "logout"
    ADDRESS_THROTTLED = "address_throttled"
    FORM_REFUSED = "form_refused"
    OTHER_SESSIONS_ENDED = "other_sessions_ended"
    BROWSERS_FORGOTTEN = "browsers_forgotten"
    CPNS_APPROVED = "cpns_approved"
    UNLOCKED = "unlocked"
    IMPORTED_NEW = "imported_new"
    IMPORTED_CHANGE = "imported_change"
    PDM_WINDOW_SET = "pdm_window_set"
    MANDATE_GRANTED = "mandate_granted"
    MANDATE_REVOKED = "mandate_revoked"
    CORRECTION_ASKED = "correction_asked"
    CORRECTION_SUBMITTED = "correction_submitted"
    CORRECTION_OPENED = "correction_opened"
    CORRECTION_APPROVED = "correction_approved"
    CORRECTION_REJECTED = "correction_rejected"
    ATTACHMENT_OPENED = "attachment_opened"
    NIP_CHANGED = "nip_changed"
    CATEGORY_CHANGED = "category_changed"
    DECISION_HELD = "decision_held"
    CONTEST_SETTLED = "contest_settled"
    EMAIL_CHANGE_DECIDED = "email_change_decided"
    WARNINGS_ACKNOWLEDGED = "warnings_acknowledged"
    EMAIL_CHANGE_CONFIRMED = "email_change_confirmed"
    EMAIL_CHANGED = "email_changed"
    EMAIL_CHANGE_STOPPED = "email_change_stopped"
    EMAIL_CHANGE_CANCELLED = "email_change_cancelled"
    PERSON_OPENED = "person_opened"
    RECORD_CORRECTED = "record_corrected"
    TOKEN_SENT_BY_ADMIN = "token_sent_by_admin"
    DEACTIVATED = "deactivated"
    REACTIVATED = "reactivated"
    MOVED = "moved"
    CPNS_REJECTED = "cpns_rejected"
    CPNS_OPENED_BY_CATEGORY = "cpns_opened_by_category"
    CONTACT_CHANGED = "contact_changed"
    IMPORT_UPLOADED = "import_uploaded"
    IMPORT_CONFIRMED = "import_confirmed"
    IMPORT_CANCELLED = "import_cancelled"
    IMPORT_DONE = "import_done"
    TAKE_BACK_ASKED = "take_back_asked"
    IMPORT_TAKEN_BACK = "import_taken_back"
    CHANGE_TAKEN_BACK = "change_taken_back"
    ACCOUNT_REMOVED = "account_removed"
    EXPORTED = "exported"
    BULK_ACT = "bulk_act"
    PASSWORD_SHOWN_AGAIN = "password_shown_again"
    ADMIN_REFUSED = "admin_refused"
    TRAIL_RESTORED = "trail_restored"
    TRAIL_LATE_ACCEPTED = "trail_late_accepted"
    TRAIL_RESEALED = "trail_resealed"


# With the column itself in it: else SQLite would take the unique index over it for as good, and read through
# rows that are too old to be sealed.
_UNSEALED = text("seal_no IS NULL")


class AuditEvent(Base):
    """Something that was done or refused: who, whose account, from where. Never a secret. `detail` holds no
    whole NIP but one that was somebody's and was corrected, or of an account that was removed."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_account_id", "account_id", "id"),
        Index("ix_audit_event_at", "at"),
        Index("ix_audit_event_instansi_id", "instansi_id", "id"),
        Index("ix_audit_event_actor_id", "actor_id", "id"),
        Index(
            "ix_audit_event_unsealed",
            "seal_no",
            "at",
            "id",
            sqlite_where=_UNSEALED,
            postgresql_where=_UNSEALED,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    tag: Mapped[Tag] = mapped_column(text_enum(Tag, "audit_tag", closed=False))
    # NULL: nobody proven, or the system
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # NULL: no such account. No foreign key: the row outlives an account that is removed.
    account_id: Mapped[int | None]
    client_address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    request_id: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, str | int | None]] = mapped_column(JSON)
    # Whose desk it concerns, as it was then
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))
    # Written by the worker a moment later, in one order for all: acts that run side by side never wait for
    # each other.
    seal_no: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    previous_seal: Mapped[str | None] = mapped_column(String(64))
    seal: Mapped[str | None] = mapped_column(String(64))
    # The one before, of a row that was sealed anew
    replaced_seal: Mapped[str | None] = mapped_column(String(64))

    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id])
    account: Mapped[User | None] = relationship(
        primaryjoin=lambda: foreign(AuditEvent.account_id) == User.id, viewonly=True
    )

    def add(self, facts: Mapping[str, str | int | None]) -> None:
        """More of what is noted, before the event is written."""
        self.detail = {**self.detail, **facts}
