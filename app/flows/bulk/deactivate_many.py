"""The accounts of many people are closed at once, as the desk closes one: people who have retired or left."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.pusat_reports import ReportKind
from app.flows.bulk.kind_of_act import KindOfAct
from app.flows.people.deactivate import CLOSED, AlreadySo, close_account
from app.models.bulk_act import BulkAct, RowOutcome
from app.models.user import User
from app.security.authority import Authority


class DeactivateMany(KindOfAct):
    """Terms: `reason`."""

    done_to_pusat = CLOSED
    report = ReportKind.DEACTIVATIONS

    def hindrances(
        self, _session: Session, people: Sequence[User], _bulk: BulkAct, _now: datetime
    ) -> Mapping[int, RowOutcome]:
        return {person.id: RowOutcome.ALREADY_CLOSED for person in people if person.is_deactivated}

    def do(
        self, session: Session, person: User, _position: int, bulk: BulkAct, act: Act[Authority]
    ) -> RowOutcome:
        outcome = close_account(session, person, bulk.terms["reason"], act)
        match outcome:
            case User():
                return RowOutcome.DONE
            case AlreadySo():
                return RowOutcome.ALREADY_CLOSED
            case _:
                assert_never(outcome)
