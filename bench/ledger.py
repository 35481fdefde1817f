"""What must hold after everything that has happened to a cluster: its database, its letters, and what people
were told agree."""

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from app.models.audit_event import Tag
from app.models.outbox_mail import Letter, MailState
from bench.crowd import Story
from bench.people import email_of, nip_of
from deploy.cluster.cluster import Cluster

SECONDS_UNTIL_ALL_HAVE_LEFT = 90.0
_TOKEN = re.compile(r"^\s*([A-Z]{4}-[A-Z]{4})\s*$", re.MULTILINE)
_CLOCK = re.compile(r"\d\d\.\d\d WI(B|TA|T)")  # a token lives from its last hand-over
_TO_BE_SENT = [MailState.WAITING.value, MailState.SENDING.value, MailState.DEFERRED.value]
_REQUESTS = """
SELECT request.id, request.nip, request.used_at, mail.message_id, mail.id AS mail, mail.state
FROM reset_request request
LEFT JOIN outbox_mail mail ON mail.reset_request_id = request.id AND mail.letter = %(token)s
WHERE request.nip = ANY(%(nips)s)
"""
_MAILS = "SELECT message_id, to_address, letter, state FROM outbox_mail"
_PEOPLE = """
SELECT nip, activation, credential_version, password_hash IS NOT NULL AS has_password,
    (SELECT count(*) FROM audit_event WHERE account_id = person.id AND tag = %(password_set)s)
        AS passwords_set,
    (SELECT count(*) FROM audit_event WHERE account_id = person.id AND tag = %(activated)s) AS activated,
    (SELECT count(*) FROM audit_event WHERE account_id = person.id AND tag IN (%(activated)s, %(login)s))
        AS logins,
    (SELECT count(*) FROM reset_request WHERE user_id = person.id AND used_at IS NOT NULL) AS tokens_used,
    (SELECT count(*) FROM outbox_mail WHERE user_id = person.id AND letter = %(password_changed)s) AS told,
    (SELECT count(*) FROM login_session WHERE user_id = person.id) AS sessions,
    (SELECT count(*) FROM login_session WHERE user_id = person.id
        AND credential_version <> person.credential_version) AS outdated_sessions
FROM user_account person WHERE nip = ANY(%(nips)s)
"""
_HANDED_OVER = "SELECT (detail ->> 'mail')::bigint AS mail FROM audit_event WHERE tag = %(tag)s"


@dataclass(frozen=True)
class Ledger:
    asked: int  # requests that were accepted
    letters: int  # that came, without those that came once more
    twice: int  # that came once more
    held: int
    faults: list[str]


@dataclass(frozen=True)
class _Request:
    id: int
    nip: str
    used_at: datetime | None
    message_id: str | None
    mail: int | None
    state: str | None


@dataclass(frozen=True)
class _Came:
    to: str
    text: str


def balance(cluster: Cluster, stories: Sequence[Story]) -> Ledger:
    """Wait until everything has left, and compare."""
    faults = list[str]()
    with psycopg.connect(
        cluster.database_url.replace("+psycopg", ""), autocommit=True, row_factory=namedtuple_row
    ) as database:
        if waiting := _still_wait(database):
            faults.append(f"{waiting} letters still wait after {SECONDS_UNTIL_ALL_HAVE_LEFT:.0f} s")
        came = _letters(cluster.folder / "letters" / "all")
        nips = [nip_of(story.person) for story in stories]
        requests = [
            _Request(*row) for row in database.execute(_REQUESTS, {"token": Letter.TOKEN.value, "nips": nips})
        ]
        faults += _of_letters(database, came, stories)
        faults += _of_requests(database, requests, came, stories)
        faults += _of_people(database, stories)
    verified = cluster.run("audit", "verify")
    if verified.returncode:
        faults.append(f"the trail: {verified.stdout[-1000:]}{verified.stderr[-500:]}")
    return Ledger(
        sum(story.asks_accepted for story in stories),
        len(came),
        sum(len(ones) - 1 for ones in came.values()),
        sum(row.state == MailState.HELD.value for row in requests),
        faults,
    )


def _still_wait(database: "psycopg.Connection[Any]") -> int:
    last_moment = time.monotonic() + SECONDS_UNTIL_ALL_HAVE_LEFT
    waiting = "SELECT count(*) FROM outbox_mail WHERE state = ANY(%s)"
    while (row := database.execute(waiting, (_TO_BE_SENT,)).fetchone()) and row[0]:
        if time.monotonic() > last_moment:
            return int(row[0])
        time.sleep(0.5)
    return 0


def _letters(folder: Path) -> dict[str, list[_Came]]:
    """All that came, by the local part of their Message-ID."""
    came = defaultdict[str, list[_Came]](list)
    for file in sorted(folder.glob("*.eml")):
        letter = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert isinstance(letter, EmailMessage)
        body = letter.get_body(("plain",))
        assert body is not None, file
        name = str(letter["Message-ID"]).strip("<>").rpartition("@")[0]
        came[name].append(_Came(str(letter["To"]), body.get_content()))
    return came


def _of_letters(
    database: "psycopg.Connection[Any]", came: dict[str, list[_Came]], stories: Sequence[Story]
) -> list[str]:
    """Every letter has its row, every row has its letter, and what came twice is the same letter."""
    rows = {row.message_id: row for row in database.execute(_MAILS).fetchall()}
    addresses = {email_of(story.person) for story in stories}
    faults = [f"a letter without its row: {name}" for name in came.keys() - rows.keys()]
    for name, row in rows.items():
        ones = came.get(name, [])
        if row.to_address not in addresses:
            continue  # of the demo
        if row.state == MailState.SENT.value and not ones:
            faults.append(f"said to be sent, and never came: {row.letter} {name}")
        if row.state not in (MailState.SENT.value, MailState.HELD.value):
            faults.append(f"{row.letter} {name} is {row.state}")
        if {one.to for one in ones} - {row.to_address}:
            faults.append(f"{row.letter} {name} came to somebody else")
        if len({_CLOCK.sub("", one.text) for one in ones}) > 1:
            faults.append(f"{row.letter} {name} came twice, with other words")
    return faults


def _of_requests(
    database: "psycopg.Connection[Any]",
    requests: Sequence[_Request],
    came: dict[str, list[_Came]],
    stories: Sequence[Story],
) -> list[str]:
    """Every accepted request has a row, every row its token, and the trail knows of each."""
    faults, rows, tokens = list[str](), defaultdict[str, int](int), dict[str, str]()
    handed_over = {
        row.mail for row in database.execute(_HANDED_OVER, {"tag": Tag.TOKEN_HANDED_OVER.value}).fetchall()
    }
    for request in requests:
        rows[request.nip] += 1
        if request.message_id is None:
            faults.append(f"request {request.id} has no letter")
        elif request.state != MailState.HELD.value:
            found = _TOKEN.findall(came[request.message_id][0].text) if request.message_id in came else []
            if len(found) != 1:
                faults.append(f"the token of request {request.id} never came ({request.state})")
            elif tokens.setdefault(found[0], request.message_id) != request.message_id:
                faults.append(f"two requests have one token: {request.id}")
            if request.mail not in handed_over:
                faults.append(f"the trail does not say that the token of request {request.id} left")
    for story in stories:
        if rows[nip_of(story.person)] < story.asks_accepted:
            faults.append(
                f"person {story.person}: {story.asks_accepted} requests were accepted, and are lost"
            )
    return faults


def _of_people(database: "psycopg.Connection[Any]", stories: Sequence[Story]) -> list[str]:
    """No account is half changed: password, version, spent tokens, sessions, activation and trail agree, and
    so does what each person was told."""
    tags = {tag.value: tag.value for tag in (Tag.PASSWORD_SET, Tag.ACTIVATED, Tag.LOGIN)}
    values = {**tags, "password_changed": Letter.PASSWORD_CHANGED.value}
    nips = [nip_of(story.person) for story in stories]
    people = {row.nip: row for row in database.execute(_PEOPLE, {**values, "nips": nips}).fetchall()}
    faults = list[str]()
    for story in stories:
        row = people[nip_of(story.person)]
        agree = {
            "a password is there, and the trail knows of it": row.has_password == (row.passwords_set > 0),
            "the version counts the passwords": row.credential_version == 1 + row.passwords_set,
            "each password has spent one token": row.passwords_set == row.tokens_used,
            "each password was told to its owner": row.passwords_set == row.told,
            "one token opens once": row.passwords_set <= 1,
            "active, and the trail knows of it": (row.activation == "active") == (row.activated == 1),
            "each session has its login": row.sessions <= row.logins,
            "no session outlives a password": row.outdated_sessions == 0,
            "who was told of a new password has one": story.resets_accepted <= row.passwords_set,
            "who was at home is active": not story.is_home or row.activation == "active",
        }
        faults += [
            f"person {story.person}: not so: {what} ({row})" for what, holds in agree.items() if not holds
        ]
    return faults
