from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from app.domain.labelled import Labelled
from app.models.base import Base, BigId, PartialIndex, UtcDateTime, text_enum
from app.models.user import User


class Tag(Labelled):
    """Everything that is recorded, and nothing else: acts and refusals."""

    TOKEN_ASKED = "token_asked", "Token diminta"
    TOKEN_RESENT = "token_resent", "Token diminta lagi (kirim ulang)"
    TOKEN_RESENT_TOO_SOON = "token_resent_too_soon", "Kirim ulang ditolak: terlalu cepat"
    TOKEN_HANDED_OVER = "token_handed_over", "Token diserahkan ke server email"
    MAIL_BOUNCED = "mail_bounced", "Email dipantulkan: kotak suratnya tidak ada atau sudah ditutup"
    LINK_OPENED = "link_opened", "Tautan di email dibuka"
    TOKEN_REFUSED = "token_refused", "Token ditolak"
    TOKEN_THROTTLED = "token_throttled", "Token ditahan: terlalu banyak percobaan"
    PASSWORD_REFUSED = "password_refused", "Password baru ditolak: belum memenuhi syarat"
    PASSWORD_SET = "password_set", "Password diganti"
    LOGIN = "login", "Masuk"
    LOGIN_REFUSED = "login_refused", "Masuk ditolak: NIP atau password tidak cocok"
    LOGIN_THROTTLED = "login_throttled", "Masuk ditahan: terlalu banyak percobaan"
    LOGIN_NOT_OPEN = "login_not_open", "Masuk ditolak: akun belum atau tidak terbuka"
    ACTIVATED = "activated", "Masuk pertama kali: akun aktif"
    LOGOUT = "logout", "Keluar"
    ADDRESS_THROTTLED = "address_throttled", "Ditahan: terlalu banyak dari satu alamat IP"
    FORM_REFUSED = "form_refused", "Formulir ditolak: tidak utuh"
    OTHER_SESSIONS_ENDED = "other_sessions_ended", "Sesi lain diakhiri"
    BROWSERS_FORGOTTEN = "browsers_forgotten", "Browser yang dikenal dilupakan"
    CPNS_APPROVED = "cpns_approved", "CPNS: akun dibuka"
    UNLOCKED = "unlocked", "Batas percobaan dihapus"
    IMPORTED_NEW = "imported_new", "Impor: data baru"
    IMPORTED_CHANGE = "imported_change", "Impor: data berubah"
    PDM_WINDOW_SET = "pdm_window_set", "Jadwal PDM diatur"
    CAMPAIGN_DAY_NOTED = "campaign_day_noted", "Hari kampanye dicatat atau dihapus"
    MANDATE_GRANTED = "mandate_granted", "Mandat admin diberikan"
    MANDATE_REVOKED = "mandate_revoked", "Mandat admin dicabut"
    MANDATE_SHORTENED = "mandate_shortened", "Mandat admin diberi hari terakhir yang lebih awal"
    CORRECTION_ASKED = "correction_asked", "Perbaikan email: tautan diminta"
    CORRECTION_SUBMITTED = "correction_submitted", "Permintaan perbaikan: diajukan"
    CORRECTION_OPENED = "correction_opened", "Permintaan perbaikan: dibuka admin"
    CORRECTION_TAKEN = "correction_taken", "Permintaan perbaikan: diambil alih"
    CORRECTION_GIVEN_BACK = "correction_given_back", "Permintaan perbaikan: dikembalikan ke antrean"
    CORRECTION_NOTED = "correction_noted", "Permintaan perbaikan: catatan internal ditulis"
    CORRECTION_QUESTION_SENT = (
        "correction_question_sent",
        "Permintaan perbaikan: pertanyaan dikirim ke pemohon",
    )
    CORRECTION_QUESTION_ANSWERED = "correction_question_answered", "Permintaan perbaikan: pemohon menjawab"
    CORRECTION_APPROVED = "correction_approved", "Permintaan perbaikan: disetujui"
    CORRECTION_REJECTED = "correction_rejected", "Permintaan perbaikan: ditolak"
    ATTACHMENT_OPENED = "attachment_opened", "Perbaikan email: lampiran dibuka"
    NIP_CHANGED = "nip_changed", "NIP berubah"
    CATEGORY_CHANGED = "category_changed", "Kategori berubah"
    DECISION_HELD = "decision_held", "Keputusan ditahan: admin yang memutuskan tidak bertugas lagi"
    CONTEST_SETTLED = "contest_settled", "Sengketa akun ditutup admin kedua"
    CHANGE_DECIDED = "email_change_decided", "Perubahan diputuskan"
    WARNINGS_ACKNOWLEDGED = "warnings_acknowledged", "Perubahan email: peringatan dinyatakan sudah diperiksa"
    CHANGE_CONFIRMED = "email_change_confirmed", "Perubahan dikonfirmasi admin kedua"
    EMAIL_CHANGED = "email_changed", "Email berubah"
    CHANGE_STOPPED = "email_change_stopped", "Perubahan dihentikan pemilik"
    CHANGE_CANCELLED = "email_change_cancelled", "Perubahan dibatalkan"
    PERSON_OPENED = "person_opened", "Data akun dilihat"
    RECORD_CORRECTED = "record_corrected", "Data pegawai dibetulkan"
    TOKEN_SENT_BY_ADMIN = "token_sent_by_admin", "Token dikirim oleh admin"
    NOTICE_SENT = "notice_sent", "Pemberitahuan ditulis oleh admin"
    DEACTIVATED = "deactivated", "Akun dinonaktifkan"
    REACTIVATED = "reactivated", "Akun diaktifkan kembali"
    SESSIONS_ENDED = "sessions_ended", "Semua sesi diakhiri oleh admin"
    MOVED = "moved", "Pindah instansi"
    CPNS_REJECTED = "cpns_rejected", "CPNS: pembukaan akun ditolak"
    CPNS_OPENED_BY_CATEGORY = "cpns_opened_by_category", "CPNS: akun terbuka karena kategori berubah"
    CONTACT_CHANGED = "contact_changed", "Kontak bantuan diubah"
    IMPORT_UPLOADED = "import_uploaded", "Impor: file diunggah"
    IMPORT_CONFIRMED = "import_confirmed", "Impor: dimulai"
    IMPORT_CANCELLED = "import_cancelled", "Impor: dibatalkan"
    IMPORT_DONE = "import_done", "Impor: selesai"
    TAKE_BACK_ASKED = "take_back_asked", "Impor: pengembalian diminta"
    IMPORT_TAKEN_BACK = "import_taken_back", "Impor: pengembalian selesai"
    CHANGE_TAKEN_BACK = "change_taken_back", "Impor: data dikembalikan"
    ACCOUNT_REMOVED = "account_removed", "Impor: akun yang belum pernah dipakai dihapus"
    EXPORTED = "exported", "Data diekspor"
    BULK_ACT = "bulk_act", "Tindakan untuk banyak orang sekaligus"
    PASSWORD_CONFIRMED = "password_shown_again", "Password diketik sekali lagi"
    ADMIN_REFUSED = "admin_refused", "Halaman admin ditolak"
    TRAIL_RESTORED = "trail_restored", "Jejak: cadangan lama yang dipulihkan diterima"
    TRAIL_LATE_ACCEPTED = "trail_late_accepted", "Jejak: baris yang terlambat diterima"
    TRAIL_RESEALED = "trail_resealed", "Jejak: disegel ulang dengan kunci baru"


class Exported(Labelled):
    """What people take with them as a file, as `Tag.EXPORTED` notes it."""

    PEOPLE = "pegawai", "pegawai"
    TRAIL = "jejak audit", "jejak audit"
    UNITS = "aktivasi per unit", "aktivasi per unit"
    RANKING = "peringkat instansi", "peringkat instansi"
    REFUSALS = "import_refusals", "baris impor yang ditolak"
    CHANGES = "import_changes", "perubahan oleh impor"
    BULK_ACT = "bulk_act", "hasil tindakan sekaligus"


# The index holds the column itself. Otherwise SQLite would think that the unique index over this column is as
# good, and would read through rows that are too old to be sealed.
_UNSEALED = text("seal_no IS NULL")


class AuditEvent(Base):
    """Something that was done or refused: who did it, whose account, from where. It never holds a secret.
    `detail` holds a whole NIP in two cases only: somebody had the NIP and it was corrected, or its account
    was removed."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_account_id", "account_id", "id"),
        Index("ix_audit_event_at", "at"),
        Index("ix_audit_event_instansi_id", "instansi_id", "id"),
        Index("ix_audit_event_actor_id", "actor_id", "id"),
        PartialIndex("ix_audit_event_unsealed", "seal_no", "at", "id", only=_UNSEALED),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    tag: Mapped[Tag] = mapped_column(text_enum(Tag, "audit_tag", closed=False))
    # NULL: nobody proven, or the portal itself
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # NULL: no such account. No foreign key: the row outlives an account that is removed.
    account_id: Mapped[int | None]
    client_address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    request_id: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, str | int | bool | None]] = mapped_column(JSON)
    # The instansi whose desk the event concerns, as it was at that time
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))
    # The worker writes these a moment later, in one order for all events, so that parallel acts never wait
    # for each other.
    seal_no: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    previous_seal: Mapped[str | None] = mapped_column(String(64))
    seal: Mapped[str | None] = mapped_column(String(64))
    # The seal before this one, if the row was sealed anew
    replaced_seal: Mapped[str | None] = mapped_column(String(64))

    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id])
    account: Mapped[User | None] = relationship(
        primaryjoin=lambda: foreign(AuditEvent.account_id) == User.id, viewonly=True
    )

    def add(self, facts: Mapping[str, str | int | bool | None]) -> None:
        """Add facts to `detail`, before the event is written."""
        self.detail = {**self.detail, **facts}
