"""An admin has done something to people, and pusat hears of it: at once if it is grave, otherwise in the
digest of the next morning."""

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.pusat_reports import COUNTS_TOGETHER, MOST_AT_ONCE, ReportKind
from app.mail import letters
from app.models.pusat_report import PusatReport
from app.models.user import User

_TOGETHER = "Dihitung bersama tindakan serupa yang lebih kecil dari admin ini dalam 24 jam terakhir."
_REST_IN_DIGEST = (
    "Laporan berikutnya tentang tindakan ini oleh admin yang sama masuk ringkasan harian, sampai 24 jam "
    "berlalu."
)


def report_to_pusat(
    session: Session, kind: ReportKind, actor: User, words: str, how_many: int, act: Act[object]
) -> None:
    """`words` say what was done, for a mail at once; they name nobody. `how_many` people or rows it was."""
    since = act.at - COUNTS_TOGETHER
    mailed = PusatReport.mailed_at(session, actor.id, kind, since)
    total = how_many + PusatReport.sum_of(session, actor.id, kind, max([since, *mailed]))
    is_grave = kind.grave_from is not None and total >= kind.grave_from
    is_at_once = is_grave and len(mailed) < MOST_AT_ONCE
    if is_at_once:
        notes = [
            *([_TOGETHER] if total > how_many else []),
            *([_REST_IN_DIGEST] if len(mailed) + 1 == MOST_AT_ONCE else []),
        ]
        letters.bulk_act(session, actor, words, total, act, notes=" ".join(notes))
    report = PusatReport(
        kind=kind,
        at=act.at,
        actor_id=actor.id,
        subject=f"{actor.name} ({letters.office_of(session, actor, act.at)})",
        how_many=how_many,
        is_at_once=is_at_once,
    )
    session.add(report)


def report_end_of_mandate(session: Session, subject: str, act: Act[object], *, is_last_of_desk: bool) -> None:
    """A mandate ends soon. `subject` says whose, over what, and when."""
    kind = ReportKind.LAST_MANDATES if is_last_of_desk else ReportKind.MANDATES
    session.add(PusatReport(kind=kind, at=act.at, subject=subject, how_many=1, is_at_once=False))
