"""A notice for many people, in the words of the admin."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.notice import Notice
from app.domain.pusat_reports import ReportKind
from app.flows.bulk.kind_of_act import KindOfAct
from app.flows.people.send_notice import HasOneAlready, NoMailbox, NoticePosted, send_notice, told_lately
from app.mail import letters
from app.models.bulk_act import BulkAct, RowOutcome
from app.models.outbox_mail import OutboxMail
from app.models.user import User
from app.security.authority import Authority

WORDS = "words"  # in the terms of the act


class WriteNotices(KindOfAct):
    done_to_pusat = "menulis pemberitahuan"
    report = ReportKind.NOTICES

    def hindrances(
        self, session: Session, people: Sequence[User], _bulk: BulkAct, now: datetime
    ) -> Mapping[int, RowOutcome]:
        told = told_lately(session, [person.id for person in people], now)
        found = dict.fromkeys(told, RowOutcome.TOLD_LATELY)
        return found | {person.id: RowOutcome.NO_EMAIL for person in people if person.email is None}

    def do(
        self, session: Session, person: User, _position: int, bulk: BulkAct, act: Act[Authority]
    ) -> RowOutcome:
        outcome = send_notice(session, person, Notice(bulk.terms[WORDS]), act)
        match outcome:
            case NoticePosted():
                return RowOutcome.DONE
            case NoMailbox():
                return RowOutcome.NO_EMAIL
            case HasOneAlready():
                return RowOutcome.TOLD_LATELY
            case _:
                assert_never(outcome)

    def sample(self, session: Session, person: User, bulk: BulkAct, act: Act[Authority]) -> OutboxMail | None:
        return letters.sample_of_notice(session, act.by.admin, person, Notice(bulk.terms[WORDS]), act)
