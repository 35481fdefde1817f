"""A month and a week before a mandate ends, its holder hears of it, and so does whoever can prolong it."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import shown_date, today_in_jakarta
from app.mail import letters
from app.mail.report_to_pusat import report_end_of_mandate
from app.models.admin_mandate import AdminMandate
from app.models.mandate_handover import MandateHandover
from app.models.mandate_reminder import MandateReminder
from app.models.user import User

DAYS_BEFORE = (7, 30)
MANDATES_AT_ONCE = 20  # in one transaction, which has locked so many people
_WHAT_TO_DO = (
    "Bila tugas Anda berlanjut, minta admin pusat menunjuk Anda lagi dengan SK baru sebelum hari itu. Bila "
    "tidak, usulkan pengganti di halaman Mandat."
)


def remind_of_ends(session: Session, act: Act[None]) -> int:
    """Tell some of those who are to be told, each once for each last day. Who was not told in time, because
    the portal was off, is told later, but not after the end. Returns how many mandates were looked at."""
    today = today_in_jakarta(act.at)
    not_before, looked_at = 0, 0
    for days_before in DAYS_BEFORE:
        found = MandateReminder.due(session, days_before, not_before, today, MANDATES_AT_ONCE)
        for mandate in found:
            _remind(session, mandate, days_before, act)
        not_before, looked_at = days_before + 1, looked_at + len(found)
    return looked_at


def _remind(session: Session, mandate: AdminMandate, days_before: int, act: Act[None]) -> None:
    today = today_in_jakarta(act.at)
    User.with_id(session, mandate.user_id, lock=True)
    session.refresh(mandate)
    if not mandate.is_in_force(today):
        return
    if not MandateReminder.note(session, mandate.id, mandate.ends_on, days_before):
        return
    if _needs_no_word(session, mandate, days_before, today):
        return
    is_last = not AdminMandate.goes_on_after(session, mandate, today, by_same=False)
    because = f"Sesudah hari itu {_office(mandate)} tidak punya admin." if is_last else ""
    letters.mandate_ends(session, mandate, because, _WHAT_TO_DO, act)
    if is_last and mandate.instansi_id is not None:
        _tell_the_others(session, mandate, today, act)
    report_end_of_mandate(session, _in_a_line(mandate, today), act, is_last_of_desk=is_last)


def _needs_no_word(session: Session, mandate: AdminMandate, days_before: int, today: date) -> bool:
    """A newer mandate goes on, somebody has taken over, or it was never meant to hold for longer."""
    began_later = mandate.starts_on > mandate.ends_on - timedelta(days=days_before)
    return (
        began_later
        or AdminMandate.goes_on_after(session, mandate, today, by_same=True)
        or MandateHandover.is_done_from(session, mandate.id)
    )


def _tell_the_others(session: Session, mandate: AdminMandate, today: date, act: Act[None]) -> None:
    """The other admins of an instansi that will have none: their own mandates end as early."""
    what = (
        f"Mandat {mandate.user.name} atas {mandate.scope} berakhir pada {shown_date(mandate.ends_on)}. "
        "Sesudah itu tidak ada admin lagi di sana. Minta admin pusat menunjuk admin dengan SK baru."
    )
    holders = AdminMandate.people_over(session, mandate.instansi_id, today)
    others = [one for one in holders if one.id != mandate.user_id]
    letters.to_desk(session, others, what, "/admin/mandat", act)


def _in_a_line(mandate: AdminMandate, today: date) -> str:
    left = letters.days_left_in_words(mandate.days_left(today))
    return f"{mandate.user.name}, {mandate.scope}: sampai {shown_date(mandate.ends_on)} ({left})"


def _office(mandate: AdminMandate) -> str:
    return mandate.instansi.name if mandate.instansi else "pusat"
