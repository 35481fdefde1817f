"""The kinds of bulk acts."""

from collections.abc import Mapping

from app.flows.bulk.deactivate_many import DeactivateMany
from app.flows.bulk.decide_cpns import ApproveCpns, RejectCpns
from app.flows.bulk.end_sessions_of_many import EndSessionsOfMany
from app.flows.bulk.kind_of_act import KindOfAct
from app.flows.bulk.move_many import MoveMany
from app.flows.bulk.send_tokens import SendTokens
from app.flows.bulk.write_notices import WriteNotices
from app.models.bulk_act import BulkKind

KINDS: Mapping[BulkKind, KindOfAct] = {
    BulkKind.TOKEN: SendTokens(),
    BulkKind.NOTICE: WriteNotices(),
    BulkKind.APPROVE_CPNS: ApproveCpns(),
    BulkKind.REJECT_CPNS: RejectCpns(),
    BulkKind.DEACTIVATE: DeactivateMany(),
    BulkKind.MOVE: MoveMany(),
    BulkKind.END_SESSIONS: EndSessionsOfMany(),
}
