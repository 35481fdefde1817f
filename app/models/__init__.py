"""RECORDS: what the portal keeps. One file holds one class with small verbs and finders. Nothing here knows
about pages or mail servers."""

from app.models.activation_count import ActivationDay, ActivationUnit
from app.models.admin_mandate import AdminMandate, Role
from app.models.audit_event import AuditEvent, Tag
from app.models.audit_head import AuditHead
from app.models.base import Base
from app.models.bulk_act import BulkAct, BulkActRow, BulkKind, BulkState, RowOutcome, WhyStopped
from app.models.campaign_day import CampaignDay
from app.models.correction_attachment import CorrectionAttachment
from app.models.correction_note import CorrectionNote
from app.models.correction_question import CorrectionQuestion
from app.models.cpns_wait import CpnsWait
from app.models.desk_figures import DeskFigures
from app.models.email_correction import EmailCorrection
from app.models.figures import Figures
from app.models.former_nip import FormerNip
from app.models.guess_bucket import GuessBucket
from app.models.identity_change import IdentityChange
from app.models.import_batch import BatchState, ImportBatch, ImportFile, ImportRefusal
from app.models.import_change import ImportChange
from app.models.import_take_back import ImportLeft, ImportTakeBack, TakeBackState
from app.models.import_turn import ImportTurn
from app.models.instansi import Instansi
from app.models.login_session import LoginSession
from app.models.mail_fault import MailFault, MailFaultKind
from app.models.mandate_handover import MandateHandover
from app.models.mandate_reminder import MandateReminder
from app.models.name_word import NameWord
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.models.pdm_window import PdmWindow
from app.models.pusat_digest import PusatDigest
from app.models.pusat_report import PusatReport
from app.models.reset_request import ResetRequest
from app.models.taken_correction import TakenCorrection
from app.models.throttle_bucket import ThrottleBucket
from app.models.user import User

__all__ = [
    "ActivationDay",
    "ActivationUnit",
    "AdminMandate",
    "AuditEvent",
    "AuditHead",
    "Base",
    "BatchState",
    "BulkAct",
    "BulkActRow",
    "BulkKind",
    "BulkState",
    "CampaignDay",
    "CorrectionAttachment",
    "CorrectionNote",
    "CorrectionQuestion",
    "CpnsWait",
    "DeskFigures",
    "EmailCorrection",
    "Figures",
    "FormerNip",
    "GuessBucket",
    "IdentityChange",
    "ImportBatch",
    "ImportChange",
    "ImportFile",
    "ImportLeft",
    "ImportRefusal",
    "ImportTakeBack",
    "ImportTurn",
    "Instansi",
    "Letter",
    "LoginSession",
    "MailFault",
    "MailFaultKind",
    "MailState",
    "MandateHandover",
    "MandateReminder",
    "NameWord",
    "OutboxMail",
    "PdmWindow",
    "PusatDigest",
    "PusatReport",
    "ResetRequest",
    "Role",
    "RowOutcome",
    "Tag",
    "TakeBackState",
    "TakenCorrection",
    "ThrottleBucket",
    "User",
    "WhyStopped",
]
