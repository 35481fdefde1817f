"""The worker's side of acts on many people."""

from collections.abc import Iterator

from flask import Flask

from app.domain.indonesian_time import now
from app.flows.bulk import run_bulk_act as steps
from app.flows.bulk.run_bulk_act import BulkLease
from app.runtime.db import SECONDS_FOR_OTHER_WRITERS, engine, unit_of_work
from app.worker.acts import act
from app.worker.turns import Job, KindOfJob, LeasedJob

PEOPLE_A_CHUNK = 20  # one transaction; whoever of them logs in meanwhile waits for its end


class BulkJob(LeasedJob[BulkLease]):
    """One act on many people."""

    name = "bulk act"
    _steps = steps

    def chunks(self) -> Iterator[float]:
        with self._app.app_context():
            rest = SECONDS_FOR_OTHER_WRITERS if engine().dialect.name == "sqlite" else 0.0
        while True:
            with self._app.app_context(), unit_of_work() as session:
                held = steps.do_some(session, self.lease, PEOPLE_A_CHUNK, act())
            if held is None:
                return
            self.lease = held
            yield rest

    def fields(self) -> dict[str, object]:
        return {"bulk_act": self.lease.bulk_id, "position": self.lease.position}


def _bulk_act(app: Flask) -> Job | None:
    with app.app_context(), unit_of_work() as session:
        lease = steps.claim(session, now())
    return BulkJob(app, lease) if lease else None


BULK_ACTS: KindOfJob = (steps.first_waiting, _bulk_act)
