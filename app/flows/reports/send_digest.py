"""Each morning, the admins of pusat read in one mail what other admins did that was routine."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import shown_date, shown_moment, today_in_jakarta
from app.domain.pusat_reports import MOST_LINES, ReportKind, day_of, digest_due_at
from app.mail import letters
from app.models.admin_mandate import AdminMandate
from app.models.pusat_digest import PusatDigest
from app.models.pusat_report import PusatReport, Sum


def send_digest(session: Session, act: Act[None]) -> int:
    """Post the digest that was due last, if there is anything in it and nobody has posted it. A worker that
    was down at that hour does so later. What nobody of pusat can read stays for the next one. Returns how
    many reports were told."""
    due_at = digest_due_at(act.at)
    day = day_of(due_at)
    if not PusatReport.is_any_to_tell(session, due_at) or not _has_readers(session, act.at):
        return 0
    if not PusatDigest.begin(session, day, act.at):
        return 0
    sums = PusatReport.tell(session, due_at, day)
    letters.pusat_digest(session, _words(sums, due_at), act)
    return sum(one.times for one in sums)


def _has_readers(session: Session, now: datetime) -> bool:
    return any(admin.email for admin in AdminMandate.people_of_pusat(session, today_in_jakarta(now)))


def _words(sums: Sequence[Sum], due_at: datetime) -> dict[str, object]:
    """What the template tells: one section for each kind, and how many lines had no place."""
    told = sums[:MOST_LINES]
    return {
        "until": shown_moment(due_at),
        "day": shown_date(day_of(due_at)),
        "how_many": sum(one.times for one in sums),
        "sections": [
            _section(kind, list(lines), sums, due_at) for kind, lines in groupby(told, lambda one: one.kind)
        ],
        "left_out": len(sums) - len(told),
    }


def _section(
    kind: ReportKind, lines: Sequence[Sum], sums: Sequence[Sum], due_at: datetime
) -> dict[str, object]:
    first_at = min(one.first_at for one in sums if one.kind is kind)
    return {
        "heading": kind.label,
        "lines": [_line(one) for one in lines],
        "path": _path(kind, first_at, due_at),
    }


def _line(one: Sum) -> str:
    if one.kind.tags is None:
        return one.subject
    return f"{one.subject}: {one.times} kali, jumlah {one.how_many}"


def _path(kind: ReportKind, first_at: datetime, due_at: datetime) -> str:
    """The page of the desk that tells more."""
    if kind.tags is None:
        return "/admin/mandat?keadaan=segera"
    return f"/admin/audit?jenis={kind.tags}&dari={day_of(first_at)}&sampai={day_of(due_at)}"
