"""Tokens for many people, as the desk sends one: the same letter, and the same limits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.pusat_reports import ReportKind
from app.flows.bulk.kind_of_act import KindOfAct, submission_of
from app.flows.people.send_token import Held, IsDeactivated, NoAddress, OnItsWay, send_token_to
from app.models.bulk_act import BulkAct, RowOutcome
from app.models.user import User
from app.security.authority import Authority


class SendTokens(KindOfAct):
    done_to_pusat = "mengirim token"
    report = ReportKind.TOKENS

    def hindrances(
        self, _session: Session, people: Sequence[User], _bulk: BulkAct, _now: datetime
    ) -> Mapping[int, RowOutcome]:
        """A mailbox with enough tokens is found only when the turn of its person comes."""
        found = {person.id: RowOutcome.NO_EMAIL for person in people if person.email is None}
        return found | {person.id: RowOutcome.DEACTIVATED for person in people if person.is_deactivated}

    def do(
        self, session: Session, person: User, position: int, bulk: BulkAct, act: Act[Authority]
    ) -> RowOutcome:
        name = submission_of(session, bulk, position)
        outcome = send_token_to(session, person, name, act, is_one_of_many=True)
        match outcome:
            case OnItsWay():
                return RowOutcome.DONE
            case Held():
                return RowOutcome.ENOUGH_TOKENS
            case NoAddress():
                return RowOutcome.NO_EMAIL
            case IsDeactivated():
                return RowOutcome.DEACTIVATED
            case _:
                assert_never(outcome)
