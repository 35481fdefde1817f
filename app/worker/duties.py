"""What falls due by itself: changes take effect, mails that a dead worker had in hand are found, people are
counted."""

from flask import Flask
from sqlalchemy.exc import OperationalError, TimeoutError

from app.domain.indonesian_time import now
from app.flows.identity.change_identity import take_effect
from app.flows.reports.count_activation import INSTANSI_AT_ONCE, count_people, note_counts
from app.flows.reports.count_desks import count_desks, note_desks
from app.models.identity_change import IdentityChange
from app.models.outbox_mail import OutboxMail
from app.runtime.db import reading, unit_of_work
from app.worker.acts import act

MOST_CHANGES_AT_ONCE = 1000


def let_changes_take_effect(app: Flask) -> bool:
    """Let changes whose waiting time is over take effect. Each has a transaction of its own, so that one that
    fails does not stop the others. True when there are more."""
    accidents = []
    with app.app_context(), reading() as session:
        due = IdentityChange.due(session, now(), MOST_CHANGES_AT_ONCE)
    for change_id in due:
        try:
            with app.app_context(), unit_of_work() as session:
                take_effect(session, change_id, act())
        except (OperationalError, TimeoutError):
            raise  # the database is away, for all changes
        except Exception as accident:
            accidents.append(accident)
    if accidents:
        raise ExceptionGroup("changes of address that cannot take effect", accidents)
    return len(due) == MOST_CHANGES_AT_ONCE


def look_for_broken_off() -> int:
    """Find the mails that a worker had in hand when it died; a mail with a token is soon sent again."""
    with unit_of_work() as session:
        return OutboxMail.mark_broken_off(session, now())


def count_everybody() -> None:
    """Count the people in each state in one query, and what the overview of each desk shows besides. Write
    the counts for a few instansi at a time."""
    moment = now()
    with reading() as session:
        counts = count_people(session)
    for start in range(0, len(counts), INSTANSI_AT_ONCE):
        with unit_of_work() as session:
            note_counts(session, counts[start : start + INSTANSI_AT_ONCE], moment)
    with reading() as session:
        desks = sorted(count_desks(session, moment).items())
    for start in range(0, len(desks), INSTANSI_AT_ONCE):
        with unit_of_work() as session:
            note_desks(session, dict(desks[start : start + INSTANSI_AT_ONCE]))
