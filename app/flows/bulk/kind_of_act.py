"""What a kind of bulk act has to say and do. The rest is the same for all kinds: the preview, the worker, the
result.

A new kind is a member of `BulkKind`, one module with a `KindOfAct`, and its line in `kinds.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.pusat_reports import ReportKind
from app.models.bulk_act import BulkAct, RowOutcome
from app.models.outbox_mail import OutboxMail
from app.models.user import User
from app.security.authority import Authority
from app.security.fingerprints import fingerprint


class KindOfAct(ABC):
    """One kind of bulk act."""

    done_to_pusat: str  # to pusat, what was done: a verb and its object
    report: ReportKind  # how soon pusat is told

    @abstractmethod
    def hindrances(
        self, session: Session, people: Sequence[User], bulk: BulkAct, now: datetime
    ) -> Mapping[int, RowOutcome]:
        """Why nothing would be done to some of these people, by their ids; or what would come of it, if that
        is not simply `DONE`. Nothing is written. That they are within reach and hold no mandate has been
        looked at before."""

    @abstractmethod
    def do(
        self, session: Session, person: User, position: int, bulk: BulkAct, act: Act[Authority]
    ) -> RowOutcome:
        """Do it to one person, who is locked and within reach and holds no mandate. Nothing is assumed of the
        preview: it may be hours old."""

    def sample(
        self, _session: Session, _person: User, _bulk: BulkAct, _act: Act[Authority]
    ) -> OutboxMail | None:
        """The letter that this person would get, for the preview, where an admin has written it. It is never
        posted."""
        return None


def submission_of(session: Session, bulk: BulkAct, position: int) -> str:
    """What names one row as if it were a form: sent twice, it is done once."""
    return fingerprint(session, "bulk-act", str(bulk.id), str(position))
