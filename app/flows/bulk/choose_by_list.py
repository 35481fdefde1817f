"""An admin has a list of NIPs: of one letter of appointment (SK), of who retires, of who moves.

Whoever is not within reach does not exist for this admin, like a NIP that nobody has: the answer is the same,
and it comes from the same statement."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.nip import Nip
from app.flows.bulk.prepare_bulk_act import Chosen
from app.models.many_rows import one_of
from app.models.user import User
from app.security.authority import Authority


def all_of_list(session: Session, authority: Authority, nips: Sequence[Nip]) -> Chosen:
    """The people of a list in its order, and the NIPs of nobody within reach."""
    listed = [nip.digits for nip in nips]
    within = select(User.nip, User.id).where(
        one_of(session, User.nip, listed), authority.within(User.instansi_id)
    )
    found = dict(session.execute(within).all())
    people = [found[nip] for nip in listed if nip in found]
    unknown = [nip.grouped for nip in nips if nip.digits not in found]
    return Chosen(people, unknown, {found[nip.digits]: nip.grouped for nip in nips if nip.digits in found})
