"""The kinds of bulk acts."""

from collections.abc import Mapping

from app.flows.bulk.kind_of_act import KindOfAct
from app.flows.bulk.send_tokens import SendTokens
from app.flows.bulk.write_notices import WriteNotices
from app.models.bulk_act import BulkKind

KINDS: Mapping[BulkKind, KindOfAct] = {
    BulkKind.TOKEN: SendTokens(),
    BulkKind.NOTICE: WriteNotices(),
}
