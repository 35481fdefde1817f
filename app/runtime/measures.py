"""Every metric of the portal, in one table, and how this process counts. docs/operation.md says what each is
good for.

Labels are words of the portal itself: rules of URLs, tags, letters, limits, states. No label ever holds what
somebody has typed or sent, nor a NIP, an address or an instansi.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from app.domain.mail_domains import DomainClass, class_of
from app.mail.outbox import Settled, Try
from app.mail.outcomes import Delivery, HandedOver
from app.models.audit_event import Tag
from app.models.mail_fault import OURS
from app.models.noted import Note, Noted
from app.models.outbox_mail import Letter, MailState, Urgency
from app.runtime.schema import State
from app.runtime.tally import Family, Kind, Sums, Tally, TallyFolder
from app.security import throttle
from app.security.throttle import GuessLimit, Limit

COUNTER, GAUGE, HISTOGRAM, NEWEST = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM, Kind.NEWEST
OTHER = "other"  # stands for every word that this release does not know

METHODS = ("GET", "HEAD", "POST", "OPTIONS", OTHER)
NO_RULE = "none"  # of a request for which there is no page
PARTS = WEB, WORKER = "web", "worker"
# The limits per client address that app/web/limits.py applies
ADDRESS_LIMITS = (
    "address-wrong-tries", "address-wrong-tries-of-site", "address-mails", "address-mails-of-site",
    "address-mails-known", "address-same-ask", "address-uploads", "address-uploads-of-site",
    "address-uploads-by-link", "address-mails-to-others",
)  # fmt: skip
LIMITS = (
    *sorted(one.name for one in vars(throttle).values() if isinstance(one, Limit | GuessLimit)),
    *ADDRESS_LIMITS,
)
UNSENT = (MailState.WAITING, MailState.SENDING, MailState.DEFERRED, MailState.UNCERTAIN)
HASH_OUTCOMES = ("made", "late", "left")
# By the names of their classes: handed_over, not_written, ...
OUTCOMES = {kind: re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() for kind in get_args(Delivery)}
# A page takes some milliseconds, a login as long as its hash (25 ms and more). Nobody waits longer than 2 s
# for the beginning of a hash.
_SECONDS_OF_A_REQUEST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
# A token leaves within a second. 900 s: those who wait for it have given up by then.
_SECONDS_UNTIL_HANDED_OVER = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)

# -- counted where it happens, by each process
REQUESTS = Family(
    "portal_requests_total",
    COUNTER,
    "Requests that a page has answered",
    {"rule": None, "method": METHODS, "status": None},
)
REQUEST_SECONDS = Family(
    "portal_request_seconds",
    HISTOGRAM,
    "From the arrival of a request until its answer was made, the wait for a thread included",
    {"rule": None},
    _SECONDS_OF_A_REQUEST,
)
EVENTS = Family(
    "portal_trail_events_total",
    COUNTER,
    "Rows written to the trail: acts and refusals, logins and activations among them",
    {"event": (*Tag, OTHER)},
)
LIMITED = Family(
    "portal_limited_total", COUNTER, "Tries for which a limit had no room", {"limit": (*LIMITS, OTHER)}
)
POSTED = Family(
    "portal_mails_posted_total",
    COUNTER,
    "Mails put into the outbox; a mail that is held never leaves",
    {"letter": (*Letter, OTHER), "held": ("yes", "no")},
)
TRIES = Family(
    "portal_mail_tries_total",
    COUNTER,
    "Tries to hand over a mail, by how they ended",
    {"outcome": tuple(OUTCOMES.values()), "domain": tuple(DomainClass)},
)
FAILED = Family(
    "portal_mails_failed_total", COUNTER, "Mails that were given up", {"domain": tuple(DomainClass)}
)
HANDED_OVER_SECONDS = Family(
    "portal_mail_delay_seconds",
    HISTOGRAM,
    "From posting a mail until the mail server has taken it",
    {"urgency": tuple(one.name.lower() for one in Urgency)},
    _SECONDS_UNTIL_HANDED_OVER,
)
DUTY_FAULTS = Family(
    "portal_duty_faults_total", COUNTER, "Times that a duty of the worker has failed", {"duty": None}
)
# -- looked up again and again, by each process
LANE_WAITING = Family(
    "portal_lane_waiting", GAUGE, "Requests that wait for a thread of the lane", {"lane": None}
)
LANE_IN_WORK = Family(
    "portal_lane_in_work", GAUGE, "Requests that a thread of the lane has in work", {"lane": None}
)
LANE_REFUSED = Family(
    "portal_lane_refused_total",
    COUNTER,
    "Requests refused at once with 503, or after they had waited too long",
    {"lane": None},
)
HASHES = Family(
    "portal_hashes_total",
    COUNTER,
    "Password hashes asked for: made; too late to begin; or their sender had left",
    {"outcome": HASH_OUTCOMES},
)
HASHES_WAITING = Family("portal_hashes_waiting", GAUGE, "Hashes that wait for a thread")
CONNECTIONS = Family(
    "portal_database_connections", GAUGE, "Connections to the database that are open", {"part": PARTS}
)
CONNECTIONS_IN_USE = Family(
    "portal_database_connections_in_use",
    GAUGE,
    "Connections to the database that somebody uses",
    {"part": PARTS},
)
CONNECTION_WAITS = Family(
    "portal_database_connection_waits_total",
    COUNTER,
    "Times that somebody had to wait for a connection, because all were in use",
    {"part": PARTS},
)
PROCESSES = Family("portal_processes", GAUGE, "Processes that run", {"part": PARTS})
CPU_SECONDS = Family(
    "portal_process_cpu_seconds_total", COUNTER, "CPU time of the processes", {"part": PARTS}
)
RESIDENT_BYTES = Family(
    "portal_process_resident_memory_bytes", GAUGE, "Resident memory of the processes", {"part": PARTS}
)
OPEN_FILES = Family(
    "portal_process_open_fds", GAUGE, "Files and connections that the processes have open", {"part": PARTS}
)
STARTED_AT = Family(
    "portal_process_start_time_seconds",
    NEWEST,
    "When the newest of the processes was started, in seconds since 1970",
    {"part": PARTS},
)
# -- looked up by the process that is asked
DATABASE_UP = Family("portal_database_up", GAUGE, "0 while the database does not answer")
LIMITS_IN_MEMORY = Family(
    "portal_limits_in_memory",
    GAUGE,
    "1 while Redis does not answer, so each process counts client addresses for itself",
)
BUILD = Family(
    "portal_build_info",
    GAUGE,
    "This release, and the schema that it brings",
    {"version": None, "schema": None},
)
SCHEMA = Family(
    "portal_schema_state",
    GAUGE,
    "1 for what the schema of the database is to this release",
    {"state": tuple(one.name.lower() for one in State)},
)
# -- read in the database by a worker (app/flows/reports/count_figures.py), and only told here
FIGURES_AGE = Family(
    "portal_figures_age_seconds",
    GAUGE,
    "How long ago a worker has made the figures below; it does so once a minute at least",
)
OUTBOX = Family(
    "portal_outbox_mails",
    GAUGE,
    "Mails that have not left, counted up to 20,000 of each state",
    {"letter": (*Letter, OTHER), "state": UNSENT},
)
OUTBOX_OLDEST = Family(
    "portal_outbox_oldest_seconds",
    GAUGE,
    "Age of the oldest of these mails",
    {"letter": (*Letter, OTHER), "state": UNSENT},
)
MAIL_FAULTS = Family(
    "portal_mail_fault",
    GAUGE,
    "Ways on which no mail can leave because of us, by kind of fault",
    {"kind": OURS},
)
TOKEN_DELAY = Family(
    "portal_token_delay_seconds",
    GAUGE,
    "Of the answers to asks that have left within 15 minutes: seconds until the mail server had them",
    {"which": ("typical", "slowest")},
)
SESSIONS = Family("portal_sessions", GAUGE, "Sessions that are not over, counted up to 100,000")
UNSEALED = Family(
    "portal_trail_unsealed_rows", GAUGE, "Rows of the trail that are not sealed, counted up to 100,000"
)
UNSEALED_OLDEST = Family("portal_trail_oldest_unsealed_seconds", GAUGE, "Age of the oldest of these rows")

FAMILIES = tuple(one for one in list(globals().values()) if isinstance(one, Family))
KINDS = {one.name: one.kind for one in FAMILIES}

_tally = Tally()
_folder: TallyFolder | None = None
count, observe, show = _tally.count, _tally.observe, _tally.set


def begin_in(folder: Path | None) -> None:
    """Count anew, together with the other processes that use this folder; without a folder, for this process
    alone."""
    global _folder
    _folder = TallyFolder(folder) if folder else None
    _tally.forget()


def write() -> bool:
    """Let the other processes see what this one has counted. False if that is impossible now."""
    return _folder is None or _folder.write(_tally)


def sums() -> Sums:
    """What all processes have counted. Raises OSError."""
    if _folder is None:
        return _tally.copy()
    _folder.write(_tally)
    return _folder.summed(KINDS)


def count_notes(notes: Iterable[Note]) -> None:
    """What an act has noted, which is committed now."""
    for what, which, how_many in notes:
        match what:
            case Noted.EVENT:
                count(EVENTS, which, by=how_many)
            case Noted.LIMIT:
                count(LIMITED, which, by=how_many)
            case Noted.LETTER:
                count(POSTED, which, "no", by=how_many)
            case Noted.HELD_LETTER:
                count(POSTED, which, "yes", by=how_many)


def count_request(rule: str | None, method: str, status: int, seconds: float) -> None:
    named = rule or NO_RULE
    count(REQUESTS, named, method if method in METHODS else OTHER, str(status))
    observe(REQUEST_SECONDS, seconds, named)


def count_mails(tries: Sequence[Try], settled: Settled) -> None:
    """How the worker has tried some mails, and what it has settled."""
    for one in tries:
        count(TRIES, OUTCOMES[type(one.delivery)], class_of(one.mail.domain))
        if isinstance(one.delivery, HandedOver):
            delay = (one.at - one.mail.posted_at).total_seconds()
            observe(HANDED_OVER_SECONDS, delay, Urgency(one.mail.urgency).name.lower())
    for mail in settled.failed:
        count(FAILED, class_of(mail.domain))
