"""Many people move to one other instansi by one letter, as the desk moves one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.identity import ChangeState
from app.domain.pusat_reports import ReportKind
from app.flows.bulk.kind_of_act import KindOfAct
from app.flows.identity.identity_gate import need_second_to_move_among
from app.flows.people.move_person import MOVED, AlreadyThere, Moved, move_to
from app.models.bulk_act import BulkAct, RowOutcome
from app.models.instansi import Instansi, UnknownInstansi
from app.models.user import User
from app.security.authority import Authority


class MoveMany(KindOfAct):
    """Terms: `to`, the code of the instansi that they move to, its name, and `reason`."""

    done_to_pusat = MOVED
    report = ReportKind.MOVES

    def hindrances(
        self, session: Session, people: Sequence[User], bulk: BulkAct, now: datetime
    ) -> Mapping[int, RowOutcome]:
        """Who needs a second admin is not left out: the decision is made, and waits."""
        target = Instansi.with_code(session, bulk.terms["to"])
        if target is None:
            return {person.id: RowOutcome.NO_SUCH_INSTANSI for person in people}
        need_second = need_second_to_move_among(session, people, now)
        found = dict.fromkeys(need_second, RowOutcome.WAITS_FOR_SECOND)
        there = [person.id for person in people if person.instansi_id == target.id]
        return found | dict.fromkeys(there, RowOutcome.ALREADY_THERE)

    def do(
        self, session: Session, person: User, _position: int, bulk: BulkAct, act: Act[Authority]
    ) -> RowOutcome:
        outcome = move_to(session, person, bulk.terms["to"], bulk.terms["reason"], act)
        match outcome:
            case Moved(change=change):
                is_done = change.state is ChangeState.DONE
                return RowOutcome.DONE if is_done else RowOutcome.WAITS_FOR_SECOND
            case AlreadyThere():
                return RowOutcome.ALREADY_THERE
            case UnknownInstansi():
                return RowOutcome.NO_SUCH_INSTANSI
            case _:
                assert_never(outcome)
