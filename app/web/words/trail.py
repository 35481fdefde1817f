"""The trail in the words of its readers: what happened, and what is noted about it."""

from collections.abc import Mapping
from datetime import date

from app.domain.categories import Activation, Category
from app.domain.client import COMMAND_LINE, mask_address
from app.domain.corrections import CorrectionField, IdentityCheck
from app.domain.email_warnings import WarningKind
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import shown_date
from app.domain.labelled import Labelled
from app.flows.cpns.cpns_verdict import Verdict
from app.models.admin_mandate import Role
from app.models.audit_event import AuditEvent, Exported, Tag
from app.models.bulk_act import BulkKind, BulkState, WhyStopped
from app.models.import_batch import BatchState
from app.models.import_take_back import TakeBackState
from app.models.outbox_mail import Letter, MailState
from app.models.reset_request import WhyRefused
from app.security.authority import Authority

# Groups as the filter offers them; every tag is in one group.
GROUPS: dict[str, tuple[str, tuple[Tag, ...]]] = {
    "reset": ("Token dan reset password", (
        Tag.TOKEN_ASKED,
        Tag.TOKEN_RESENT,
        Tag.TOKEN_RESENT_TOO_SOON,
        Tag.TOKEN_SENT_BY_ADMIN,
        Tag.TOKEN_HANDED_OVER,
        Tag.MAIL_BOUNCED,
        Tag.LINK_OPENED,
        Tag.TOKEN_REFUSED,
        Tag.TOKEN_THROTTLED,
        Tag.PASSWORD_REFUSED,
        Tag.PASSWORD_SET,
    )),
    "masuk": ("Masuk dan keluar", (
        Tag.LOGIN,
        Tag.ACTIVATED,
        Tag.LOGIN_REFUSED,
        Tag.LOGIN_THROTTLED,
        Tag.LOGIN_NOT_OPEN,
        Tag.PASSWORD_CONFIRMED,
        Tag.LOGOUT,
        Tag.OTHER_SESSIONS_ENDED,
        Tag.BROWSERS_FORGOTTEN,
        Tag.UNLOCKED,
    )),
    "email": ("Perbaikan email, dan perubahan email, NIP, kategori", (
        Tag.CORRECTION_ASKED,
        Tag.CORRECTION_SUBMITTED,
        Tag.CORRECTION_OPENED,
        Tag.CORRECTION_TAKEN,
        Tag.CORRECTION_GIVEN_BACK,
        Tag.CORRECTION_NOTED,
        Tag.CORRECTION_QUESTION_SENT,
        Tag.CORRECTION_QUESTION_ANSWERED,
        Tag.CORRECTION_APPROVED,
        Tag.CORRECTION_REJECTED,
        Tag.ATTACHMENT_OPENED,
        Tag.CHANGE_DECIDED,
        Tag.CHANGE_CONFIRMED,
        Tag.WARNINGS_ACKNOWLEDGED,
        Tag.EMAIL_CHANGED,
        Tag.NIP_CHANGED,
        Tag.CATEGORY_CHANGED,
        Tag.CHANGE_STOPPED,
        Tag.CHANGE_CANCELLED,
        Tag.DECISION_HELD,
        Tag.CONTEST_SETTLED,
    )),
    "pegawai": ("Data dan status pegawai", (
        Tag.PERSON_OPENED,
        Tag.RECORD_CORRECTED,
        Tag.NOTICE_SENT,
        Tag.DEACTIVATED,
        Tag.REACTIVATED,
        Tag.SESSIONS_ENDED,
        Tag.MOVED,
        Tag.CPNS_APPROVED,
        Tag.CPNS_REJECTED,
        Tag.CPNS_OPENED_BY_CATEGORY,
    )),
    "impor": ("Impor, ekspor, dan tindakan massal", (
        Tag.IMPORT_UPLOADED,
        Tag.IMPORT_CONFIRMED,
        Tag.IMPORT_CANCELLED,
        Tag.IMPORT_DONE,
        Tag.TAKE_BACK_ASKED,
        Tag.IMPORT_TAKEN_BACK,
        Tag.CHANGE_TAKEN_BACK,
        Tag.ACCOUNT_REMOVED,
        Tag.IMPORTED_NEW,
        Tag.IMPORTED_CHANGE,
        Tag.EXPORTED,
        Tag.BULK_ACT,
    )),
    "mandat": ("Mandat dan pengaturan instansi", (
        Tag.MANDATE_GRANTED,
        Tag.MANDATE_REVOKED,
        Tag.MANDATE_SHORTENED,
        Tag.PDM_WINDOW_SET,
        Tag.CAMPAIGN_DAY_NOTED,
        Tag.CONTACT_CHANGED,
    )),
    "jejak": ("Jejak audit itu sendiri", (
        Tag.TRAIL_RESTORED,
        Tag.TRAIL_LATE_ACCEPTED,
        Tag.TRAIL_RESEALED,
    )),
    "ditolak": ("Permintaan yang ditolak", (
        Tag.ADMIN_REFUSED,
        Tag.FORM_REFUSED,
        Tag.ADDRESS_THROTTLED,
    )),
}  # fmt: skip

_TERMS = {
    "acknowledged": "Peringatan yang diperiksa",
    "act": "Tindakan", "activation": "Status akun", "batch": "Nomor impor", "because": "Sebab",
    "bulk": "Nomor tindakan sekaligus",
    "bytes": "Ukuran (byte)",
    "came_from": "Dari instansi", "category": "Kategori", "change": "Nomor perubahan", "changed": "Berubah",
    "field": "Yang diperbaiki",
    "check": "Identitas diperiksa dengan", "closes": "Tanggal tutup", "columns": "Kolom",
    "day": "Tanggal", "title": "Nama singkat", "file": "File",
    "address_is_back": "Email lama dipasang kembali", "how_many": "Banyaknya", "kind": "Yang diubah",
    "look_again": "Ditahan karena", "instansi": "Instansi", "left_out": "Serupa sebelumnya, tidak dirinci",
    "letter": "Isi email", "mail": "Email", "new": "Baru", "old": "Lama",
    "put_back": "Dikembalikan", "removed": "Dihapus", "left": "Dibiarkan",
    "opens": "Tanggal buka", "reason": "Alasan", "refused": "Ditolak", "role": "Peran", "rule": "Halaman",
    "sk": "Nomor SK",
    "sk_date": "Tanggal SK", "state": "Status", "ticket": "Nomor tiket", "to": "Ke instansi",
    "typed": "Cara",
    "unchanged": "Tidak berubah", "until": "Berlaku sampai", "verdict": "Putusan", "what": "Apa",
    "waits": "Menunggu giliran",
    "words": "Isi pemberitahuan",
    "warnings": "Peringatan yang belum diperiksa", "wide_columns": "Kolom yang berubah untuk banyak pegawai",
    "status": "Kode dari server email",
    "first_row": "Dari baris (id)", "last_row": "Sampai baris (id)",
    "head_before": "Kepala sebelumnya", "head_after": "Kepala sesudahnya",
}  # fmt: skip
_NOT_SHOWN = frozenset({"people"})  # noted by earlier releases; each person has an event of their own
_COLUMNS = {
    "nip": "NIP", "name": "nama", "email": "email", "phone": "telepon", "category": "kategori",
    "instansi": "instansi",
    "work_unit": "unit kerja", "password_hash": "password", "contact": "kontak", "mandate": "mandat admin",
    "whatsapp": "WhatsApp", "place": "loket", "hours": "jam layanan", "zone": "zona waktu",
    "helpdesk_contact": "kontak", "helpdesk_phone": "telepon", "helpdesk_whatsapp": "WhatsApp",
    "helpdesk_email": "email kontak", "helpdesk_place": "loket", "helpdesk_hours": "jam layanan",
    "chosen_zone": "zona waktu",
}  # fmt: skip
_WHEN = {"old": " sebelumnya", "new": " sekarang"}


def _labels(*kinds: type[Labelled]) -> dict[str, str]:
    return {member.value: member.label for kind in kinds for member in kind}


_VALUES: dict[str, Mapping[str, str]] = {
    "activation": _labels(Activation),
    "category": _labels(Category),
    "check": _labels(IdentityCheck),
    "field": _labels(CorrectionField),
    "kind": _labels(ChangeKind),
    "letter": {letter.value: letter.answer for letter in Letter},
    "mail": _labels(MailState),
    "role": _labels(Role),
    "state": _labels(BatchState, TakeBackState, BulkState),
    "verdict": _labels(Verdict),
    "reason": {"NIP taken": "NIP sudah dipakai", "address taken": "email sudah dipakai",
               "warnings not acknowledged": "ada peringatan yang belum dinyatakan diperiksa",
               "broken form": "isian tidak utuh", "no CSRF token": "halaman kedaluwarsa",
               "limit of the client address": "batas untuk satu alamat IP"},
    "what": _labels(Exported),
    "file": {"csv": "CSV", "xlsx": "XLSX"},
    "act": {"cpns": "memutuskan CPNS", **_labels(BulkKind)},
    "because": _labels(WhyStopped),
}  # fmt: skip
_DAYS = frozenset({"opens", "closes", "day", "until", "sk_date"})
# Details that are true or false, with the words for both.
_TRUTHS = {
    "address_is_back": ("ya", "tidak"),
    "typed": ("diketik", "lewat tautan"),
    "waits": ("ya", "tidak"),
}
# A truth value is a JSON boolean. Rows of earlier releases hold a number or its name; they are sealed, so
# they stay as they are.
_SPELLINGS_OF_TRUTH = {"True": True, "1": True, "False": False, "0": False}


def words_for(event: AuditEvent) -> str:
    return event.tag.label


def facts_of(event: AuditEvent) -> list[tuple[str, str]]:
    """What is noted about an event, as terms and values."""
    noted = sorted(
        (key, value) for key, value in event.detail.items() if value is not None and key not in _NOT_SHOWN
    )
    return [(_term(key), _in_words(event.tag, key, str(value))) for key, value in noted]


def actor_of(event: AuditEvent, authority: Authority) -> str:
    """Who acted, as far as this admin may know: people who work in another instansi are not named."""
    if event.actor is not None:
        if authority.covers(event.actor.instansi_id):
            return event.actor.name
        return (
            "Pemilik akun"
            if event.actor_id == event.account_id
            else authority.name_of(event.actor).capitalize()
        )
    if event.user_agent == COMMAND_LINE.user_agent and event.client_address == COMMAND_LINE.address:
        return "Operator (baris perintah)"
    # No request of a browser has either of these values
    is_own = COMMAND_LINE.address == event.client_address or COMMAND_LINE.request_id == event.request_id
    return "Portal" if is_own else "Belum terbukti siapa"


def account_of(event: AuditEvent, authority: Authority) -> str:
    """Whose account it was."""
    if event.account is None:
        return "Tidak menyangkut satu akun" if event.account_id is None else "Akun yang sudah dihapus"
    return event.account.name if authority.covers(event.account.instansi_id) else "Pegawai instansi lain"


def address_of(event: AuditEvent) -> str:
    """From where the act came: enough to recognise an office. The portal's own acts have no address."""
    return "-" if event.client_address == COMMAND_LINE.address else mask_address(event.client_address)


def _term(key: str) -> str:
    when, _, column = key.partition("_")
    if when in _WHEN and column in _COLUMNS:
        words = _COLUMNS[column]
        return f"{words[0].upper()}{words[1:]}{_WHEN[when]}"
    return _TERMS.get(key, key.replace("_", " ").capitalize())


def _in_words(tag: Tag, key: str, value: str) -> str:
    if tag is Tag.TOKEN_REFUSED and key == "reason" and value in list(WhyRefused):
        return WhyRefused(value).label
    if key in ("columns", "wide_columns"):
        return ", ".join(_COLUMNS.get(column, column) for column in value.split(","))
    if key in ("acknowledged", "warnings"):
        labels = _labels(WarningKind)
        return ", ".join(labels.get(kind, kind) for kind in value.split(","))
    if key in _TRUTHS and value in _SPELLINGS_OF_TRUTH:
        is_so, is_not = _TRUTHS[key]
        return is_so if _SPELLINGS_OF_TRUTH[value] else is_not
    if key == "mail" and value.isdecimal():
        return f"nomor {value}"
    if key in _DAYS:
        return _day(value)
    return _VALUES.get(key.removeprefix("old_").removeprefix("new_"), {}).get(value, value)


def _day(value: str) -> str:
    try:
        return shown_date(date.fromisoformat(value))
    except ValueError:
        return value
