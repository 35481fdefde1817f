"""What only the database knows of how the portal is doing, counted for whoever asks."""

from app.domain.indonesian_time import now
from app.flows.reports.count_figures import count_figures, has_to_be_written, is_due, renew
from app.models.figures import Figures
from app.runtime.db import reading, unit_of_work


def renew_figures() -> None:
    """Count, unless another worker has just done so. An idle portal writes the row once a minute."""
    moment = now()
    with reading() as session:
        found = Figures.newest(session)
        if not is_due(found, moment):
            return
        counted = count_figures(session, moment)
    if has_to_be_written(counted, found, moment):
        with unit_of_work() as session:
            renew(session, counted, found, moment)
