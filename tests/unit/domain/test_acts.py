"""Who acts, from where and when, handed on whole."""

from datetime import UTC, datetime

from app.domain.act import Act
from app.domain.client import WORKER, Client, worker_for

HERE = Client("203.0.113.7", "Firefox", "request-1")
NOW = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)


def test_the_same_act_may_turn_out_to_be_somebodys() -> None:
    assert Act(HERE, NOW, None).done_by("Budi") == Act(HERE, NOW, "Budi")


def test_the_worker_goes_on_for_somebody_from_their_address() -> None:
    assert worker_for(HERE.address) == Client(HERE.address, WORKER.user_agent, WORKER.request_id)
