"""An admin looks for mandates: by whom, over what, and how they stand.

There are some thousands of mandates and millions of people. So the mandates of a page are chosen without the
people, and only these are joined with them: from a join, PostgreSQL may make a walk through all people in the
order of their ids. A condition on the holder is a question beside each mandate for the same reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from app.domain.labelled import Labelled
from app.models.admin_mandate import AdminMandate
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi
from app.models.name_word import NameWord
from app.models.user import User
from app.security.authority import Authority

ENDS_SOON = timedelta(days=30)


class MandateState(Labelled):
    """How a mandate stands, as the desk asks for it."""

    IN_FORCE = "berlaku", "Berlaku hari ini"
    ENDS_SOON = "segera", "Berakhir dalam 30 hari"
    WAITS = "menunggu", "Menunggu admin kedua"
    OVER = "berakhir", "Berakhir atau dicabut"
    ALL = "semua", "Semua"


@dataclass(frozen=True)
class MandateFilter:
    """What the mandates looked for have in common. An empty field does not matter."""

    state: MandateState = MandateState.IN_FORCE
    nip: str = ""  # the first digits of the holder's
    words: tuple[str, ...] = ()  # of the holder's name, as `asked_for` gives them; all of them
    instansi: str = ""  # the code, or a part of the name


def find_mandates(
    session: Session,
    authority: Authority,
    wanted: MandateFilter,
    today: date,
    before: int | None,
    most: int,
) -> list[AdminMandate]:
    """The newest first, beginning after `before`."""
    ids = select(AdminMandate.id).where(
        authority.within(AdminMandate.instansi_id),
        _stands(wanted.state, today),
        _is_held_by(wanted, authority),
        _covers(session, wanted.instansi),
    )
    if before is not None:
        ids = ids.where(AdminMandate.id < before)
    of_page = ids.order_by(AdminMandate.id.desc()).limit(most).correlate(None)
    found = select(AdminMandate).where(AdminMandate.id.in_(of_page))
    with_people = found.options(joinedload(AdminMandate.granted_by))
    return list(session.scalars(with_people.order_by(AdminMandate.id.desc())))


def decisions_about(session: Session, mandates: Sequence[AdminMandate]) -> dict[int, int]:
    """The decisions that a second admin has to answer, by the mandates that wait for it."""
    holders = {mandate.user_id for mandate in mandates if mandate.awaits_second}
    if not holders:
        return {}
    waiting = select(IdentityChange.mandate_id, IdentityChange.id).where(
        IdentityChange.user_id.in_(holders),
        IdentityChange.is_on_its_way(),
        IdentityChange.mandate_id.is_not(None),
    )
    return {mandate_id: change_id for mandate_id, change_id in session.execute(waiting) if mandate_id}


def _stands(state: MandateState, today: date) -> ColumnElement[bool]:
    match state:
        case MandateState.IN_FORCE:
            return AdminMandate.holds_on(today)
        case MandateState.ENDS_SOON:
            return and_(AdminMandate.holds_on(today), AdminMandate.ends_on <= today + ENDS_SOON)
        case MandateState.WAITS:
            return and_(AdminMandate.awaits_second.is_(True), AdminMandate.revoked_at.is_(None))
        case MandateState.OVER:
            return or_(AdminMandate.revoked_at.is_not(None), AdminMandate.ends_on < today)
        case MandateState.ALL:
            return true()


def _is_held_by(wanted: MandateFilter, authority: Authority) -> ColumnElement[bool]:
    """A NIP finds only people within reach: the name of another holder may be seen, but not their NIP."""
    conditions = [_has_word(word) for word in wanted.words]
    if wanted.nip:
        begins = func.substr(User.nip, 1, len(wanted.nip)) == wanted.nip
        conditions.append(
            _is_there(
                select(User.id).where(
                    User.id == AdminMandate.user_id, begins, authority.within(User.instansi_id)
                )
            )
        )
    return and_(true(), *conditions)


def _has_word(word: str) -> ColumnElement[bool]:
    begins = func.substr(NameWord.word, 1, len(word)) == word
    return _is_there(select(NameWord.user_id).where(NameWord.user_id == AdminMandate.user_id, begins))


def _is_there(beside: Select[int]) -> ColumnElement[bool]:
    """Whether this finds something beside a mandate. It is no EXISTS, which PostgreSQL may turn into a
    join."""
    return beside.correlate(AdminMandate).limit(1).scalar_subquery().is_not(None)


def _covers(session: Session, typed: str) -> ColumnElement[bool]:
    if not typed:
        return true()
    if instansi := Instansi.with_code(session, typed):
        return AdminMandate.instansi_id == instansi.id
    in_name = func.lower(Instansi.name).contains(typed.lower(), autoescape=True)
    return AdminMandate.instansi_id.in_(select(Instansi.id).where(in_name))
