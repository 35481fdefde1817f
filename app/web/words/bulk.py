"""Acts on many people in the words of the admin who reads what will be done, and what was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.domain.indonesian_time import shown_date
from app.models.bulk_act import BulkAct, BulkActRow, BulkKind, BulkState, RowOutcome


@dataclass(frozen=True)
class KindWords:
    """How the pages speak of one kind. Long words of the heading have soft hyphens. `will` and `was` go on
    after a number of people; `row_will` and `row_was` stand beside one person."""

    heading: str
    will: str
    was: str
    row_will: str
    row_was: str
    button: str
    is_dangerous: bool = False
    consequence: str = ""  # a sentence above the list of the people


WORDS: Mapping[BulkKind, KindWords] = {
    BulkKind.TOKEN: KindWords(
        "Kirim token",
        "akan dikirimi token",
        "dikirimi token",
        "Token dikirim ke email di data",
        "Token dikirim ke email di data",
        "Kirim token",
    ),
    BulkKind.NOTICE: KindWords(
        "Tulis pemberi\xadtahuan",
        "akan dikirimi pemberitahuan",
        "dikirimi pemberitahuan",
        "Pemberitahuan dikirim ke email di data",
        "Pemberitahuan dikirim ke email di data",
        "Kirim pemberitahuan",
    ),
    BulkKind.APPROVE_CPNS: KindWords(
        "Setujui akun CPNS",
        "akan dibuka akunnya",
        "dibuka akunnya",
        "Akun dibuka, jadi orangnya dapat masuk",
        "Akun dibuka",
        "Setujui",
        consequence="Akun setiap CPNS dalam daftar dibuka dengan SK ini, dan orangnya diberi tahu lewat "
        "email. Mereka masuk dengan password yang sudah dibuat, atau membuatnya lewat Lupa Password.",
    ),
    BulkKind.REJECT_CPNS: KindWords(
        "Tolak akun CPNS",
        "akan ditolak",
        "ditolak",
        "Akun dinonaktifkan dengan alasan ini",
        "Akun dinonaktifkan",
        "Tolak",
        is_dangerous=True,
        consequence="Akun setiap CPNS dalam daftar dinonaktifkan, dan orangnya membaca alasannya di email. "
        "Bila keliru, akun dapat diaktifkan kembali di halaman orangnya, lalu menunggu lagi.",
    ),
    BulkKind.DEACTIVATE: KindWords(
        "Nonaktif\xadkan akun",
        "akan dinonaktifkan akunnya",
        "dinonaktifkan akunnya",
        "Akun dinonaktifkan, jadi tidak dapat masuk lagi",
        "Akun dinonaktifkan",
        "Nonaktifkan",
        is_dangerous=True,
        consequence="Mereka tidak dapat masuk lagi sampai akunnya diaktifkan kembali: semua sesi dan token "
        "berakhir, dan perubahan email yang menunggu dibatalkan. Setiap orang membaca alasannya di email dan "
        "saat mencoba masuk.",
    ),
    BulkKind.MOVE: KindWords(
        "Mutasi ke instansi lain",
        "akan dipindahkan",
        "dipindahkan",
        "Pindah ke instansi tujuan",
        "Pindah ke instansi tujuan",
        "Pindahkan",
        is_dangerous=True,
        consequence="Setelah pindah, hanya admin instansi tujuan dan admin pusat yang dapat membuka data "
        "mereka: sesi dan token berakhir, permintaan perbaikan ikut pindah, dan perubahan email yang "
        "menunggu dibatalkan.",
    ),
    BulkKind.END_SESSIONS: KindWords(
        "Akhiri semua sesi",
        "akan diakhiri sesinya",
        "diakhiri sesinya",
        "Keluar dari setiap browser, dan perlu masuk lagi",
        "Semua sesi diakhiri",
        "Akhiri sesi",
        is_dangerous=True,
        consequence="Mereka keluar dari setiap browser dan perlu masuk lagi. Password, token yang sudah "
        "dikirim, dan status akun tidak diubah.",
    ),
}

_TERMS = {"sk": "Nomor SK", "sk_date": "Tanggal SK", "instansi": "Instansi tujuan", "reason": "Alasan"}


def terms_of(bulk: BulkAct) -> list[tuple[str, str]]:
    """What an act was told beside the people."""
    return [
        (words, shown_date(date.fromisoformat(bulk.terms[name])) if name == "sk_date" else bulk.terms[name])
        for name, words in _TERMS.items()
        if name in bulk.terms
    ]


def in_preview(bulk: BulkAct, outcome: RowOutcome) -> str:
    """What will become of one person."""
    return _words_of(outcome, WORDS[bulk.kind].row_will)


def in_result(bulk: BulkAct, outcome: RowOutcome | None) -> str:
    """What became of one person, None while the turn has not come."""
    if outcome is None:
        return "Menunggu giliran"
    return _words_of(outcome, WORDS[bulk.kind].row_was)


def _words_of(outcome: RowOutcome, done: str) -> str:
    if outcome is RowOutcome.DONE:
        return done
    return outcome.label if outcome.is_done else f"Dilewati. {outcome.label}"


def row_words(bulk: BulkAct, row: BulkActRow) -> str:
    if bulk.state is BulkState.PREPARED:
        return in_preview(bulk, row.expected)
    return in_result(bulk, row.outcome)


@dataclass(frozen=True)
class OutcomeCount:
    """How many rows have one outcome, in the words of their rows."""

    outcome: RowOutcome
    words: str
    count: int


def counts_of(bulk: BulkAct) -> list[OutcomeCount]:
    """What was done first, then the reasons, the most frequent first."""
    is_preview = bulk.state is BulkState.PREPARED
    counts, said = (bulk.expected, in_preview) if is_preview else (bulk.result, in_result)
    found = [
        OutcomeCount(outcome, said(bulk, outcome), counts[outcome])
        for outcome in RowOutcome
        if counts.get(outcome)
    ]
    return sorted(found, key=lambda one: (not one.outcome.is_done, -one.count))
