from datetime import datetime

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, String, and_, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.domain.labelled import Labelled
from app.models.base import Base, BigId, UtcDateTime, text_enum
from app.models.user import User


class BulkKind(Labelled):
    """What is done to each person of a bulk act."""

    TOKEN = "kirim_token", "Kirim token"
    NOTICE = "pemberitahuan", "Tulis pemberitahuan"
    APPROVE_CPNS = "setujui_cpns", "Setujui akun CPNS"
    REJECT_CPNS = "tolak_cpns", "Tolak akun CPNS"
    DEACTIVATE = "nonaktifkan", "Nonaktifkan akun"
    MOVE = "mutasi", "Mutasi ke instansi lain"
    END_SESSIONS = "akhiri_sesi", "Akhiri semua sesi"


class BulkState(Labelled):
    """How far a bulk act has come."""

    PREPARED = "disiapkan", "menunggu keputusan"  # whoever prepared it has not started it yet
    STARTED = "dimulai", "menunggu giliran"  # waits for the worker
    RUNNING = "berjalan", "berjalan"
    DONE = "selesai", "selesai"
    STOPPED = "dihentikan", "dihentikan"  # what was done until then stays

    @property
    def is_under_way(self) -> bool:
        return self in (BulkState.STARTED, BulkState.RUNNING)


class WhyStopped(Labelled):
    """Why a bulk act ended before its last row."""

    BY_ADMIN = "admin", "dihentikan oleh admin"
    NO_MANDATE = "mandat", "dihentikan karena mandat admin yang memulainya tidak berlaku lagi"
    OTHER_CREDENTIALS = (
        "akun",
        "dihentikan karena sesi admin yang memulainya diakhiri, atau password atau data akunnya berubah",
    )
    ACCIDENT = "gangguan", "terhenti karena gangguan pada portal, dan gangguannya sudah tercatat"


class RowOutcome(Labelled):
    """What became of one person of a bulk act, or what is expected: it was done, or why not."""

    DONE = "selesai", "Selesai"
    WAITS_FOR_SECOND = "admin_kedua", "Menunggu konfirmasi admin kedua"
    NOT_WAITING = "tidak_menunggu", "Tidak sedang menunggu persetujuan"
    ALREADY_CLOSED = "sudah_nonaktif", "Akunnya sudah dinonaktifkan sebelumnya"
    ALREADY_THERE = "sudah_di_sana", "Sudah di instansi tujuan"
    NO_SUCH_INSTANSI = "tujuan_tidak_ada", "Instansi tujuan tidak ada lagi"
    NOTHING_OPEN = "tanpa_sesi", "Tidak ada sesi yang terbuka"
    NO_EMAIL = "tanpa_email", "Tidak ada email di data"
    DEACTIVATED = "nonaktif", "Akunnya dinonaktifkan"
    ENOUGH_TOKENS = "cukup_token", "Di kotak suratnya sudah cukup token yang masih berlaku"
    TOLD_LATELY = "sudah_diberi_tahu", "Sudah menerima pemberitahuan dalam 24 jam terakhir"
    HOLDS_A_MANDATE = "admin", "Memegang mandat admin, jadi hanya dari halaman pegawainya"
    NOT_FOUND = "tidak_ada", "NIP ini tidak ada di daftar yang dapat Anda lihat"
    OUT_OF_REACH = "pindah", "Tidak ada lagi di daftar yang dapat Anda lihat"
    NOT_REACHED = "belum", "Belum dikerjakan ketika tindakan ini dihentikan"

    @property
    def is_done(self) -> bool:
        """A decision that waits for a second admin is done too: this admin has nothing left to do."""
        return self in (RowOutcome.DONE, RowOutcome.WAITS_FOR_SECOND)


DONE = tuple(outcome for outcome in RowOutcome if outcome.is_done)


class BulkAct(Base):
    """One act on many people, from the preview to the result: who prepared it, for whom, and how far the
    worker has come. Only who prepared it can start it."""

    __tablename__ = "bulk_act"
    __table_args__ = (
        Index("ix_bulk_act_state", "state", "id"),
        Index("ix_bulk_act_prepared_by_id", "prepared_by_id", "id"),
        Index("ix_bulk_act_instansi_id", "instansi_id", "id"),
        Index("ix_bulk_act_kept_until", "kept_until"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[BulkKind] = mapped_column(text_enum(BulkKind, "bulk_kind", closed=False))
    # What the kind needs to know beside the people, as typed: a reason, the words of a notice
    terms: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    # The desk whose list shows it. NULL: of pusat, or of an admin of several instansi
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))
    # The ids of all instansi that the admin had when it was prepared or started; empty for pusat
    desks: Mapped[list[int]] = mapped_column(JSON, default=list)
    prepared_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    prepared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Those of who started it, when it was started. The version becomes NULL when their sessions are ended
    client_address: Mapped[str] = mapped_column(String(45), default="")
    credential_version: Mapped[int | None]
    state: Mapped[BulkState] = mapped_column(text_enum(BulkState, "bulk_state"), default=BulkState.PREPARED)
    why_stopped: Mapped[WhyStopped | None] = mapped_column(text_enum(WhyStopped, "why_stopped"))
    total: Mapped[int] = mapped_column(default=0)  # rows
    # More people fitted the filter than one act takes
    is_cut: Mapped[bool] = mapped_column(default=False)
    # Outcome -> number of rows: as the preview says, and as it came
    expected: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    result: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    # The rows up to here have their outcome
    position: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by a worker, as of an import
    # When the rows are removed. NULL: not while it goes on, and not again
    kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    prepared_by: Mapped[User] = relationship(foreign_keys=[prepared_by_id])

    @classmethod
    def lock_those_of(cls, session: Session, person_id: int) -> None:
        """Before the person is locked, as the worker locks an act before the people of its rows."""
        session.execute(select(cls.id).where(cls._is_open(person_id)).order_by(cls.id).with_for_update())

    @classmethod
    def end_those_of(cls, session: Session, person_id: int) -> None:
        """Perhaps somebody else was logged in as this person: nothing more is done in their name. Previews
        are removed. What goes on is ended by the worker, which does it to nobody else."""
        of_person = cls._is_open(person_id)
        session.execute(delete(cls).where(of_person, cls.state == BulkState.PREPARED))
        session.execute(
            update(cls)
            .where(of_person)
            .values(credential_version=None)
            .execution_options(synchronize_session=False)
        )

    @classmethod
    def _is_open(cls, person_id: int) -> ColumnElement[bool]:
        is_open = (BulkState.PREPARED, BulkState.STARTED, BulkState.RUNNING)
        return and_(cls.prepared_by_id == person_id, cls.state.in_(is_open))

    @property
    def rows_done(self) -> int:
        return sum(self.result.values())

    @property
    def is_without_effect(self) -> bool:
        """The preview says that nothing will be done to anybody."""
        return not any(RowOutcome(name).is_done for name in self.expected)

    @property
    def people_expected(self) -> int:
        """To how many people it will be done, as the preview says."""
        return sum(count for name, count in self.expected.items() if RowOutcome(name).is_done)

    @property
    def people_done(self) -> int:
        return sum(count for name, count in self.result.items() if RowOutcome(name).is_done)


class BulkActRow(Base):
    """One person of a bulk act. What stands in the preview is what stands in the result: one list, before and
    after."""

    __tablename__ = "bulk_act_row"
    __table_args__ = (Index("ix_bulk_act_row_person_id", "person_id"),)

    bulk_act_id: Mapped[int] = mapped_column(
        ForeignKey("bulk_act.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # from 1
    # NULL: nobody within reach has the NIP that was typed, or the account was removed
    person_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    # Where the person was when it was prepared: the trail counts by it. No foreign key, it is only a number
    desk: Mapped[int | None]
    typed: Mapped[str] = mapped_column(String(40), default="")  # the NIP in a list, if the person came by one
    expected: Mapped[RowOutcome] = mapped_column(text_enum(RowOutcome, "row_outcome", closed=False))
    outcome: Mapped[RowOutcome | None] = mapped_column(text_enum(RowOutcome, "row_outcome", closed=False))

    person: Mapped[User | None] = relationship(foreign_keys=[person_id])
