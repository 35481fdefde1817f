"""An admin looks at the CPNS who wait until their account opens."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.categories import Activation
from app.domain.nip import nips_beginning_with
from app.domain.paging import ROWS_A_PAGE, cut
from app.models.user import User
from app.security.authority import Authority


@dataclass(frozen=True)
class CpnsPage:
    people: Sequence[User]
    next_after: int | None  # the next page begins after this id; None at the end


def waiting_cpns(
    session: Session,
    authority: Authority,
    beginning: str = "",
    instansi_id: int | None = None,
    after: int | None = None,
) -> CpnsPage:
    """One page in the order of NIPs. The lists that come with an SK have this order, and an index serves it
    at any length.

    `beginning` are the first digits of a NIP. `after` is the last person of the page before. It is ignored
    when that person is out of reach: their place in the order would tell their NIP.
    """
    waiting = select(User).where(
        authority.within(User.instansi_id), User.activation == Activation.WAITING_APPROVAL
    )
    if instansi_id is not None:
        waiting = waiting.where(User.instansi_id == instansi_id)
    if beginning:
        waiting = waiting.where(User.nip.between(*nips_beginning_with(beginning)))
    if after is not None and isinstance(last := authority.person(session, after), User):
        waiting = waiting.where(User.nip > last.nip)
    found = session.scalars(waiting.order_by(User.nip).limit(ROWS_A_PAGE + 1)).all()
    page = cut(found, ROWS_A_PAGE, lambda person: person.id)
    return CpnsPage(page.rows, page.next)


def chosen_cpns(session: Session, authority: Authority, people: Collection[int]) -> list[User]:
    """The chosen people who are within reach, whatever their state is."""
    return list(
        session.scalars(
            select(User).where(User.id.in_(people), authority.within(User.instansi_id)).order_by(User.nip)
        )
    )
