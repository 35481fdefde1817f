"""The answer of the instansi about many CPNS at once, by one letter of appointment (SK) or for one reason."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation
from app.domain.pusat_reports import ReportKind
from app.flows.bulk.kind_of_act import KindOfAct
from app.flows.cpns.approve_cpns import Decree, open_account
from app.flows.cpns.reject_cpns import close_account
from app.models.bulk_act import BulkAct, RowOutcome
from app.models.user import User
from app.security.authority import Authority


class DecideCpns(KindOfAct):
    """Both answers are for people who wait. Whoever was decided about meanwhile is left out."""

    def hindrances(
        self, _session: Session, people: Sequence[User], _bulk: BulkAct, _now: datetime
    ) -> Mapping[int, RowOutcome]:
        return {person.id: RowOutcome.NOT_WAITING for person in people if not _waits(person)}

    def do(
        self, session: Session, person: User, _position: int, bulk: BulkAct, act: Act[Authority]
    ) -> RowOutcome:
        if not _waits(person):
            return RowOutcome.NOT_WAITING
        self.decide(session, person, bulk, act)
        return RowOutcome.DONE

    @abstractmethod
    def decide(self, session: Session, person: User, bulk: BulkAct, act: Act[Authority]) -> None: ...


class ApproveCpns(DecideCpns):
    """Terms: `sk`, `sk_date`."""

    done_to_pusat = "menyetujui akun CPNS"
    report = ReportKind.CPNS

    def decide(self, session: Session, person: User, bulk: BulkAct, act: Act[Authority]) -> None:
        decree = Decree(bulk.terms["sk"], date.fromisoformat(bulk.terms["sk_date"]))
        open_account(session, person, decree, act)


class RejectCpns(DecideCpns):
    """Terms: `reason`."""

    done_to_pusat = "menolak akun CPNS"
    report = ReportKind.CPNS

    def decide(self, session: Session, person: User, bulk: BulkAct, act: Act[Authority]) -> None:
        close_account(session, person, bulk.terms["reason"], act)


def _waits(person: User) -> bool:
    return person.activation is Activation.WAITING_APPROVAL
