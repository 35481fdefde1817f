"""What pusat is told of acts on people, and of mandates that end: by a mail at once, or in the digest of
the next morning."""

from datetime import date, datetime, time, timedelta

from app.domain.indonesian_time import WIB
from app.domain.labelled import Labelled

DIGEST_AT = time(7, tzinfo=WIB)
MOST_LINES = 100  # of a digest
# Small acts of one admin within this time count together, so that a large one cannot hide as many small ones
COUNTS_TOGETHER = timedelta(days=1)
# So many mails about one admin and one kind of act within that time; what follows is in the digest. Otherwise
# one admin could bury pusat in mails.
MOST_AT_ONCE = 5


class ReportKind(Labelled):
    """What a report is about, in the order of the digest."""

    LAST_MANDATES = "mandat_terakhir", "Mandat yang segera berakhir, tanpa admin lain sesudahnya"
    MANDATES = "mandat", "Mandat yang segera berakhir"
    TAKE_BACKS = "pengembalian_impor", "Impor yang dikembalikan"
    IMPORTS = "impor", "Impor data pegawai"
    PEOPLE_EXPORTS = "ekspor_pegawai", "Ekspor daftar pegawai"
    TRAIL_EXPORTS = "ekspor_jejak", "Ekspor jejak audit"
    CORRECTIONS = "perbaikan", "Permintaan perbaikan yang dijawab sekaligus"
    CPNS = "cpns", "Akun CPNS yang diputuskan sekaligus"
    DEACTIVATIONS = "penonaktifan", "Akun yang dinonaktifkan"
    MOVES = "mutasi", "Pegawai yang dipindahkan"
    ENDED_SESSIONS = "sesi", "Pegawai yang sesinya diakhiri"
    NOTICES = "pemberitahuan", "Pemberitahuan yang ditulis kepada banyak pegawai"
    TOKENS = "token", "Token yang dikirim sekaligus"

    @property
    def grave_from(self) -> int | None:
        """From this many people, or rows, of one admin within a day, pusat is told at once. None: never."""
        return _GRAVE_FROM[self]

    @property
    def tags(self) -> str | None:
        """Where the trail tells more, as its search takes it. None: the list of mandates does."""
        return _TAGS[self]


# Everything else that pusat is told of is grave in any number, and never waits for the digest: mandates that
# are given, handed over or revoked, acts on the account of an admin, second admins wanted, contests.
_GRAVE_FROM = {
    ReportKind.LAST_MANDATES: None,
    ReportKind.MANDATES: None,
    ReportKind.TAKE_BACKS: 100,  # it removes accounts
    ReportKind.IMPORTS: 5_000,
    ReportKind.PEOPLE_EXPORTS: 1_000,  # personal data leave the portal
    ReportKind.TRAIL_EXPORTS: 1_000,
    ReportKind.CORRECTIONS: 100,
    ReportKind.CPNS: 1_000,
    ReportKind.DEACTIVATIONS: 10,  # nobody of them can log in
    ReportKind.MOVES: 10,  # the desk that did it has no say any more
    ReportKind.ENDED_SESSIONS: 100,
    ReportKind.NOTICES: 100,  # words of an admin, under the portal's name
    ReportKind.TOKENS: 500,
}
_TAGS = {
    ReportKind.LAST_MANDATES: None,
    ReportKind.MANDATES: None,
    ReportKind.TAKE_BACKS: "import_taken_back",
    ReportKind.IMPORTS: "import_done",
    ReportKind.PEOPLE_EXPORTS: "exported",
    ReportKind.TRAIL_EXPORTS: "exported",
    ReportKind.CORRECTIONS: "bulk_act",
    ReportKind.CPNS: "bulk_act",
    ReportKind.DEACTIVATIONS: "deactivated",
    ReportKind.MOVES: "moved",
    ReportKind.ENDED_SESSIONS: "sessions_ended",
    ReportKind.NOTICES: "bulk_act",
    ReportKind.TOKENS: "bulk_act",
}


def digest_due_at(now: datetime) -> datetime:
    """The last moment at which a digest was due: this morning, or yesterday's before that hour."""
    todays = datetime.combine(now.astimezone(WIB).date(), DIGEST_AT)
    return todays if now >= todays else todays - timedelta(days=1)


def day_of(due_at: datetime) -> date:
    return due_at.astimezone(WIB).date()
