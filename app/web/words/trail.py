"""The trail in the words of its readers: what happened, and what is noted about it."""

from collections.abc import Mapping
from datetime import date

from app.domain.categories import Activation, Category
from app.domain.client import COMMAND_LINE, mask_address
from app.domain.corrections import IdentityCheck
from app.domain.email_warnings import WarningKind
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import shown_date
from app.models.admin_mandate import Role
from app.models.audit_event import AuditEvent, Tag
from app.models.outbox_mail import Letter, MailState
from app.models.reset_request import WhyRefused
from app.security.authority import Authority

# Groups as the filter offers them; every tag stands in one.
GROUPS: dict[str, tuple[str, dict[Tag, str]]] = {
    "reset": ("Token dan reset password", {
        Tag.TOKEN_ASKED: "Token diminta",
        Tag.TOKEN_RESENT: "Token diminta lagi (kirim ulang)",
        Tag.TOKEN_RESENT_TOO_SOON: "Kirim ulang ditolak: terlalu cepat",
        Tag.TOKEN_SENT_BY_ADMIN: "Token dikirim oleh admin",
        Tag.TOKEN_HANDED_OVER: "Token diserahkan ke server email",
        Tag.MAIL_BOUNCED: "Email dipantulkan: kotak suratnya tidak ada atau sudah ditutup",
        Tag.LINK_OPENED: "Tautan di email dibuka",
        Tag.TOKEN_REFUSED: "Token ditolak",
        Tag.TOKEN_THROTTLED: "Token ditahan: terlalu banyak percobaan",
        Tag.PASSWORD_REFUSED: "Password baru ditolak: belum memenuhi syarat",
        Tag.PASSWORD_SET: "Password diganti",
    }),
    "masuk": ("Masuk dan keluar", {
        Tag.LOGIN: "Masuk",
        Tag.ACTIVATED: "Masuk pertama kali: akun aktif",
        Tag.LOGIN_REFUSED: "Masuk ditolak: NIP atau password tidak cocok",
        Tag.LOGIN_THROTTLED: "Masuk ditahan: terlalu banyak percobaan",
        Tag.LOGIN_NOT_OPEN: "Masuk ditolak: akun belum atau tidak terbuka",
        Tag.PASSWORD_SHOWN_AGAIN: "Password diketik sekali lagi",
        Tag.LOGOUT: "Keluar",
        Tag.OTHER_SESSIONS_ENDED: "Sesi lain diakhiri",
        Tag.BROWSERS_FORGOTTEN: "Browser yang dikenal dilupakan",
        Tag.UNLOCKED: "Batas percobaan dihapus",
    }),
    "email": ("Perbaikan email, dan perubahan email, NIP, kategori", {
        Tag.CORRECTION_ASKED: "Perbaikan email: tautan diminta",
        Tag.CORRECTION_SUBMITTED: "Perbaikan email: diajukan",
        Tag.CORRECTION_OPENED: "Perbaikan email: dibuka admin",
        Tag.CORRECTION_APPROVED: "Perbaikan email: disetujui",
        Tag.CORRECTION_REJECTED: "Perbaikan email: ditolak",
        Tag.ATTACHMENT_OPENED: "Perbaikan email: lampiran dibuka",
        Tag.EMAIL_CHANGE_DECIDED: "Perubahan diputuskan",
        Tag.EMAIL_CHANGE_CONFIRMED: "Perubahan dikonfirmasi admin kedua",
        Tag.WARNINGS_ACKNOWLEDGED: "Perubahan email: peringatan dinyatakan sudah diperiksa",
        Tag.EMAIL_CHANGED: "Email berubah",
        Tag.NIP_CHANGED: "NIP berubah",
        Tag.CATEGORY_CHANGED: "Kategori berubah",
        Tag.EMAIL_CHANGE_STOPPED: "Perubahan dihentikan pemilik",
        Tag.EMAIL_CHANGE_CANCELLED: "Perubahan dibatalkan",
        Tag.DECISION_HELD: "Keputusan ditahan: admin yang memutuskan tidak bertugas lagi",
        Tag.CONTEST_SETTLED: "Sengketa akun ditutup admin kedua",
    }),
    "pegawai": ("Data dan status pegawai", {
        Tag.PERSON_OPENED: "Halaman pegawai dibuka",
        Tag.RECORD_CORRECTED: "Data pegawai diperbaiki",
        Tag.DEACTIVATED: "Akun dinonaktifkan",
        Tag.REACTIVATED: "Akun diaktifkan kembali",
        Tag.MOVED: "Pindah instansi",
        Tag.CPNS_APPROVED: "CPNS: akun dibuka",
        Tag.CPNS_REJECTED: "CPNS: pembukaan akun ditolak",
        Tag.CPNS_OPENED_BY_CATEGORY: "CPNS: akun terbuka karena kategori berubah",
    }),
    "impor": ("Impor, ekspor, dan tindakan massal", {
        Tag.IMPORT_UPLOADED: "Impor: file diunggah",
        Tag.IMPORT_CONFIRMED: "Impor: dimulai",
        Tag.IMPORT_CANCELLED: "Impor: dibatalkan",
        Tag.IMPORT_DONE: "Impor: selesai",
        Tag.TAKE_BACK_ASKED: "Impor: pengembalian diminta",
        Tag.IMPORT_TAKEN_BACK: "Impor: pengembalian selesai",
        Tag.CHANGE_TAKEN_BACK: "Impor: data dikembalikan",
        Tag.ACCOUNT_REMOVED: "Impor: akun yang belum pernah dipakai dihapus",
        Tag.IMPORTED_NEW: "Impor: data baru",
        Tag.IMPORTED_CHANGE: "Impor: data berubah",
        Tag.EXPORTED: "Data diekspor",
        Tag.BULK_ACT: "Tindakan untuk banyak orang sekaligus",
    }),
    "mandat": ("Mandat dan pengaturan instansi", {
        Tag.MANDATE_GRANTED: "Mandat admin diberikan",
        Tag.MANDATE_REVOKED: "Mandat admin dicabut",
        Tag.PDM_WINDOW_SET: "Jadwal PDM diatur",
        Tag.CONTACT_CHANGED: "Kontak bantuan diubah",
    }),
    "jejak": ("Jejak audit itu sendiri", {
        Tag.TRAIL_RESTORED: "Jejak: keadaan lama yang dipulihkan diterima",
        Tag.TRAIL_LATE_ACCEPTED: "Jejak: baris yang terlambat diterima",
        Tag.TRAIL_RESEALED: "Jejak: disegel ulang dengan kunci baru",
    }),
    "ditolak": ("Permintaan yang ditolak", {
        Tag.ADMIN_REFUSED: "Halaman admin ditolak",
        Tag.FORM_REFUSED: "Formulir ditolak: tidak utuh",
        Tag.ADDRESS_THROTTLED: "Ditahan: terlalu banyak dari satu alamat internet",
    }),
}  # fmt: skip
WORDS = {tag: words for _, tags in GROUPS.values() for tag, words in tags.items()}

_TERMS = {
    "acknowledged": "Peringatan yang diperiksa",
    "act": "Tindakan", "activation": "Status akun", "batch": "Nomor impor", "because": "Sebab",
    "bytes": "Ukuran (byte)",
    "came_from": "Dari instansi", "category": "Kategori", "change": "Nomor perubahan", "changed": "Berubah",
    "check": "Identitas diperiksa dengan", "closes": "Ditutup", "columns": "Kolom", "file": "File",
    "address_is_back": "Email lama dipasang kembali", "how_many": "Banyaknya", "kind": "Yang diubah",
    "look_again": "Ditahan karena", "instansi": "Instansi", "left_out": "Serupa sebelumnya, tidak dirinci",
    "letter": "Isi email", "mail": "Email", "new": "Baru", "old": "Lama",
    "put_back": "Dikembalikan", "removed": "Dihapus", "left": "Dibiarkan",
    "opens": "Dibuka", "reason": "Alasan", "refused": "Ditolak", "role": "Peran", "rule": "Halaman",
    "sk": "Nomor SK",
    "sk_date": "Tanggal SK", "state": "Keadaan", "ticket": "Nomor tiket", "to": "Ke instansi",
    "typed": "Cara",
    "unchanged": "Tidak berubah", "until": "Berlaku sampai", "verdict": "Putusan", "what": "Apa",
    "waits": "Menunggu giliran",
    "warnings": "Peringatan yang belum diperiksa", "wide_columns": "Kolom yang berubah untuk banyak pegawai",
    "status": "Kode dari server email",
    "first_row": "Dari baris (id)", "last_row": "Sampai baris (id)",
    "head_before": "Kepala sebelumnya", "head_after": "Kepala sesudahnya",
}  # fmt: skip
_NOT_SHOWN = frozenset({"people"})  # a list for the machine; each person has an event of the own
_COLUMNS = {
    "nip": "NIP", "name": "nama", "email": "email", "phone": "telepon", "category": "kategori",
    "instansi": "instansi",
    "work_unit": "unit kerja", "password_hash": "password", "contact": "kontak", "mandate": "mandat admin",
}  # fmt: skip
_WHEN = {"old": " sebelumnya", "new": " sekarang"}
_WHY = {
    WhyRefused.WRONG: "salah ketik, atau bukan token yang sedang berlaku",
    WhyRefused.NOTHING_OPEN: "tidak ada token yang sedang berlaku",
    WhyRefused.EXPIRED: "sudah lewat waktunya",
    WhyRefused.USED: "sudah dipakai",
    WhyRefused.OVERTAKEN: "tidak berlaku lagi karena akunnya berubah",
}
_KINDS: Mapping[str, str] = {kind.value: kind.label for kind in WarningKind}
_VALUES: dict[str, Mapping[str, str]] = {
    "activation": {state.value: state.label for state in Activation},
    "category": {category.value: category.label for category in Category},
    "check": {check.value: check.label for check in IdentityCheck},
    "letter": {
        Letter.TOKEN.value: "token",
        Letter.ADDRESS_NOT_REGISTERED.value: "alamat tidak terdaftar untuk NIP itu",
        Letter.ACCOUNT_DEACTIVATED.value: "akun dinonaktifkan, jadi tanpa token",
    },
    "mail": {state.value: state.label for state in MailState},
    "reason": {"NIP taken": "NIP sudah dipakai", "address taken": "email sudah dipakai",
               "warnings not acknowledged": "ada peringatan yang belum dinyatakan diperiksa",
               "broken form": "isian tidak utuh", "no CSRF token": "halaman terlalu lama terbuka",
               "limit of the client address": "batas untuk satu alamat internet"},
    "role": {Role.ADMIN_INSTANSI.value: "admin instansi", Role.ADMIN_PUSAT.value: "admin pusat"},
    "typed": {"True": "diketik", "False": "lewat tautan"},
    "waits": {"0": "tidak", "1": "ya"},
    "address_is_back": {"0": "tidak", "1": "ya"},
    "kind": {kind.value: kind.label for kind in ChangeKind},
    "what": {"import_refusals": "baris impor yang ditolak", "import_changes": "perubahan oleh impor"},
    "file": {"csv": "CSV", "xlsx": "XLSX"},
    "act": {"cpns": "memutuskan CPNS"},
}  # fmt: skip
_DAYS = frozenset({"opens", "closes", "until", "sk_date"})


def words_for(event: AuditEvent) -> str:
    return WORDS[event.tag]


def facts_of(event: AuditEvent) -> list[tuple[str, str]]:
    """What is noted about an event, as terms and values."""
    noted = sorted(
        (key, value) for key, value in event.detail.items() if value is not None and key not in _NOT_SHOWN
    )
    return [(_term(key), _in_words(event.tag, key, str(value))) for key, value in noted]


def actor_of(event: AuditEvent, authority: Authority) -> str:
    """Who acted, as this admin may know it: nobody by name who works elsewhere."""
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
    # Browsers write neither
    is_own = COMMAND_LINE.address == event.client_address or COMMAND_LINE.request_id == event.request_id
    return "Portal" if is_own else "Belum terbukti siapa"


def account_of(event: AuditEvent, authority: Authority) -> str:
    """Whose account it was."""
    if event.account is None:
        return "Tidak menyangkut satu akun" if event.account_id is None else "Akun yang sudah dihapus"
    return event.account.name if authority.covers(event.account.instansi_id) else "Pegawai instansi lain"


def address_of(event: AuditEvent) -> str:
    """From where, enough to know an office again. The portal's own acts come from nowhere."""
    return "-" if event.client_address == COMMAND_LINE.address else mask_address(event.client_address)


def _term(key: str) -> str:
    when, _, column = key.partition("_")
    if when in _WHEN and column in _COLUMNS:
        words = _COLUMNS[column]
        return f"{words[0].upper()}{words[1:]}{_WHEN[when]}"
    return _TERMS.get(key, key.replace("_", " ").capitalize())


def _in_words(tag: Tag, key: str, value: str) -> str:
    if tag is Tag.TOKEN_REFUSED and key == "reason" and value in list(WhyRefused):
        return _WHY[WhyRefused(value)]
    if key in ("columns", "wide_columns"):
        return ", ".join(_COLUMNS.get(column, column) for column in value.split(","))
    if key in ("acknowledged", "warnings"):
        return ", ".join(_KINDS.get(kind, kind) for kind in value.split(","))
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
