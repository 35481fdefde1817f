from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigId, UtcDateTime, text_enum


class Tag(StrEnum):
    """Everything that is recorded, and nothing else: acts and refusals."""

    TOKEN_ASKED = "token_asked"
    TOKEN_RESENT = "token_resent"
    TOKEN_RESENT_TOO_SOON = "token_resent_too_soon"
    TOKEN_HANDED_OVER = "token_handed_over"
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
    CPNS_APPROVED = "cpns_approved"
    UNLOCKED = "unlocked"
    IMPORTED_NEW = "imported_new"
    IMPORTED_CHANGE = "imported_change"
    PDM_WINDOW_SET = "pdm_window_set"
    MANDATE_GRANTED = "mandate_granted"


class AuditEvent(Base):
    """Something that was done or refused: who, whose account, from where. Never a secret, never a whole NIP in `detail`."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_account_id_at", "account_id", "at"),
        Index("ix_audit_event_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    tag: Mapped[Tag] = mapped_column(text_enum(Tag, "audit_tag", closed=False))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))  # NULL: nobody proven, or the system
    account_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))  # NULL: no such account
    client_address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    request_id: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, str | int | None]] = mapped_column(JSON)
