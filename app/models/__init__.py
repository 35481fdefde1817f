"""RECORDS: what the portal keeps. One class a file, small verbs and finders; nothing here knows of pages or mail servers."""

from app.models.admin_mandate import AdminMandate, Role
from app.models.audit_event import AuditEvent, Tag
from app.models.base import Base
from app.models.instansi import Instansi
from app.models.login_session import LoginSession
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.models.pdm_window import PdmWindow
from app.models.reset_request import ResetRequest
from app.models.throttle_bucket import ThrottleBucket
from app.models.user import User

__all__ = [
    "AdminMandate",
    "AuditEvent",
    "Base",
    "Instansi",
    "Letter",
    "LoginSession",
    "MailState",
    "OutboxMail",
    "PdmWindow",
    "ResetRequest",
    "Role",
    "Tag",
    "ThrottleBucket",
    "User",
]
