"""Many people are logged out everywhere at once, as the desk does it for one: a counter's computer was left
open, or an office has moved."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.pusat_reports import ReportKind
from app.flows.bulk.kind_of_act import KindOfAct
from app.flows.people.end_sessions import ENDED, NothingOpen, SessionsEnded, end_sessions_of
from app.models.bulk_act import BulkAct, RowOutcome
from app.models.login_session import LoginSession
from app.models.user import User
from app.security.authority import Authority


class EndSessionsOfMany(KindOfAct):
    """Terms: `reason`."""

    done_to_pusat = ENDED
    report = ReportKind.ENDED_SESSIONS

    def hindrances(
        self, session: Session, people: Sequence[User], _bulk: BulkAct, now: datetime
    ) -> Mapping[int, RowOutcome]:
        logged_in = _logged_in_among(session, people, now)
        return {person.id: RowOutcome.NOTHING_OPEN for person in people if person.id not in logged_in}

    def do(
        self, session: Session, person: User, _position: int, bulk: BulkAct, act: Act[Authority]
    ) -> RowOutcome:
        outcome = end_sessions_of(session, person, bulk.terms["reason"], act)
        match outcome:
            case SessionsEnded():
                return RowOutcome.DONE
            case NothingOpen():
                return RowOutcome.NOTHING_OPEN
            case _:
                assert_never(outcome)


def _logged_in_among(session: Session, people: Sequence[User], now: datetime) -> set[int]:
    versions = {person.id: person.credential_version for person in people}
    found = select(LoginSession.user_id, LoginSession.credential_version).where(
        LoginSession.user_id.in_(versions), LoginSession.ends_at > now
    )
    return {person for person, version in session.execute(found) if versions[person] == version}
