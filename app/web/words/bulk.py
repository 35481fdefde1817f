"""Acts on many people in the words of the admin who reads what will be done, and what was done."""

from collections.abc import Mapping
from dataclasses import dataclass

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
}


def in_preview(bulk: BulkAct, outcome: RowOutcome) -> str:
    """What will become of one person."""
    return WORDS[bulk.kind].row_will if outcome.is_done else f"Dilewati. {outcome.label}"


def in_result(bulk: BulkAct, outcome: RowOutcome | None) -> str:
    """What became of one person, None while the turn has not come."""
    if outcome is None:
        return "Menunggu giliran"
    return WORDS[bulk.kind].row_was if outcome.is_done else f"Dilewati. {outcome.label}"


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
