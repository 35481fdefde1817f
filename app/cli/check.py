"""`mysapk check`: checks everything that a running portal needs, says how each part is, and says what to
do."""

import os
import smtplib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

import click
from flask.cli import ScriptInfo
from limits.errors import ConfigurationError
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from app.cli.public_address import NoAnswer, Seen, ask_through_public_address
from app.cli.trail import fault_of_kept_head
from app.domain.indonesian_time import now, shown_moment
from app.flows.reports.overview import CappedCount
from app.mail.bounce_mailbox import MailboxFault, OpenMailbox
from app.mail.delivery import reach_server
from app.models.mail_fault import MailFault
from app.models.outbox_mail import OutboxMail
from app.runtime import schema as schemas
from app.runtime.counters import redis_at
from app.runtime.db import engine, reading
from app.runtime.portal import portal
from config import BadSetting, Settings

SECONDS_OF_DIFFERENCE = 5
SECONDS_FOR_REDIS = 5.0
SECONDS_FOR_MAIL_SERVER = 20.0
MOST_LETTERS_COUNTED = 1000
FORGED = "192.0.2.1"  # nobody's address (RFC 5737)


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: `ok`, `warning`, `fault`, or `skipped` if it cannot be checked from
    here."""

    state: str
    said: str


@click.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Look at settings, database, clock, folders, Redis, mail, bounces, proxies; exit code 1 when something
    must be mended."""
    faults = 0
    for finding in _all_findings(context.ensure_object(ScriptInfo)):
        faults += finding.state == "fault"
        click.echo(f"{finding.state}: {finding.said}", err=finding.state == "fault")
    if faults:
        sys.exit(1)


def _all_findings(script: ScriptInfo) -> Iterator[Finding]:
    try:
        app = script.load_app()
    except BadSetting as bad:  # in the words with which the start refuses the settings
        yield from (Finding("fault", str(fault)) for fault in bad.faults)
        yield Finding(
            "skipped", "database, clock, folders, Redis, mail server, proxies: mend the settings first"
        )
        return
    with app.app_context():
        settings = portal().settings
        yield Finding("ok", f"settings: {settings.env}, {settings.public_url}")
        yield from (Finding("warning", remark) for remark in settings.remarks)
        yield from _database()
        yield from _clock()
        yield from _folders(settings)
        yield from _kept_head(settings)
        yield _redis(settings)
        yield _mail_server()
        yield from _mail_faults()
        yield from _bounces(settings)
        yield _proxies(settings)


def _database() -> Iterator[Finding]:
    try:
        schema = schemas.look(engine())
    except SQLAlchemyError as fault:
        yield Finding("fault", f"database unreachable: {str(fault).splitlines()[0]}")
        return
    yield Finding("ok", f"database: {engine().dialect.name} answers")
    if not schema.is_usable:
        yield Finding("fault", schema.why_not)
    elif schema.state is schemas.State.NEWER:
        words = f"migrations: those of this release and newer ones, up to {schema.revision}"
        yield Finding("warning", f"{words}; install the newer release here too")
    else:
        yield Finding("ok", "migrations: those of this release")


def _clock() -> Iterator[Finding]:
    """Tokens, limits and sessions depend on the clock of the machine that checks them. The database's clock
    stands for the clocks of the other machines."""
    if engine().dialect.name == "sqlite":
        yield Finding("skipped", "clock: SQLite keeps no time of its own to compare with")
        return
    try:
        before = now()
        with reading() as session:
            theirs = session.scalars(select(func.clock_timestamp())).one()
        ours = before + (now() - before) / 2
    except SQLAlchemyError:
        return  # said above
    difference = (ours - theirs).total_seconds()
    if abs(difference) > SECONDS_OF_DIFFERENCE:
        way = "ahead of" if difference > 0 else "behind"
        words = (
            f"clock: {abs(difference):.0f} seconds {way} the database's, so tokens and sessions end "
            "too early or too late"
        )
        yield Finding("fault", f"{words}; keep the time of both machines by NTP")
    else:
        yield Finding("ok", "clock: agrees with the database's")


def _kept_head(settings: Settings) -> Iterator[Finding]:
    """The newest head of the trail, as this machine keeps it outside the database. Only a worker needs it."""
    fault, problem = fault_of_kept_head(), _why_not_written(settings.instance)
    if fault:
        yield Finding("fault", f"trail: {fault}")
    if problem:
        words = "trail: the head of the trail cannot be kept outside the database, if a worker runs here"
        yield Finding("warning", f"{words}: {settings.instance} {problem}")
    if not fault and not problem:
        yield Finding("ok", "trail: its newest head is kept outside the database")


def _folders(settings: Settings) -> Iterator[Finding]:
    folders = {"INSTANCE_PATH": settings.instance}
    if settings.mail_server is None:
        folders["mails"] = settings.mail_folder
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        folders["DATABASE_URL"] = Path(url.database).parent
        if Path(url.database).exists() and not os.access(url.database, os.W_OK):
            yield Finding(
                "fault", f"DATABASE_URL: {url.database} may not be written; give it to the user of the portal"
            )
    for name, folder in folders.items():
        if problem := _why_not_written(folder):
            yield Finding("fault", f"folder {folder} ({name}): {problem}; give it to the user of the portal")
        else:
            yield Finding("ok", f"folder {folder} ({name}): may be written")


def _why_not_written(folder: Path) -> str | None:
    """Why the folder cannot be written, found by writing to it: this finds missing rights, full disks and
    read-only mounts alike. A folder that is not there yet will be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as fault:
        return f"cannot be written ({fault.strerror})"
    return None


def _redis(settings: Settings) -> Finding:
    uri = settings.ratelimit_storage_uri
    if uri.startswith("memory:"):
        return Finding("ok", "Redis: not used, limits per client address are counted in memory")
    where = f"Redis at {urlsplit(uri).hostname or urlsplit(uri).path}"
    try:
        answers = redis_at(uri, SECONDS_FOR_REDIS).check()
    except (ConfigurationError, RedisError, OSError, ValueError, TypeError):
        answers = False
    if answers:
        return Finding("ok", f"{where}: answers")
    words = f"{where} does not answer, so each web process counts client addresses for itself"
    return Finding("warning", f"{words}; start it, or mend RATELIMIT_STORAGE_URI")


def _mail_server() -> Finding:
    server = portal().settings.mail_server
    try:
        reach_server(portal().postman, SECONDS_FOR_MAIL_SERVER)
    except (OSError, UnicodeError, smtplib.SMTPException) as fault:
        return Finding(
            "fault", f"mail server: {type(fault).__name__}: {fault}; mend MAIL_SERVER and what belongs to it"
        )
    return Finding(
        "ok", f"mail server: {server.host} answers" if server else "mail server: none, mails become files"
    )


def _mail_faults() -> Iterator[Finding]:
    """The faults that the worker met when it last sent mails. A connection without a mail does not show
    them."""
    try:
        with reading() as session:
            faults = MailFault.alarms(session)
            waiting = CappedCount(
                OutboxMail.how_many_wait(session, MOST_LETTERS_COUNTED), MOST_LETTERS_COUNTED
            ).shown
    except SQLAlchemyError:
        return  # said above
    for fault in faults:
        where = "all letters" if fault.is_everywhere else f"letters to {fault.way}"
        words = (
            f"mails: {fault.kind.label} fault, {where} wait since {shown_moment(fault.since)} ({waiting} "
            "letters in all)"
        )
        yield Finding("fault", f"{words}; the mail server said: {fault.answer}")
    if not faults:
        yield Finding("ok", f"mails: nothing of ours stands in their way, {waiting} wait to be sent")


def _bounces(settings: Settings) -> Iterator[Finding]:
    """Where mails that do not arrive come back to, and whether anybody reads them there."""
    address, where = settings.mail_return_path, settings.bounce_mailbox
    if address is None:
        yield Finding("ok", "bounces: not read, MAIL_RETURN_PATH is not set")
        return
    domain, shown = address.rpartition("@")[2], parseaddr(settings.mail_sender)[1].rpartition("@")[2].lower()
    if not f".{domain}".endswith(f".{shown}") and not f".{shown}".endswith(f".{domain}"):
        words = f"bounces: MAIL_RETURN_PATH is at {domain} and MAIL_DEFAULT_SENDER at {shown}"
        yield Finding(
            "warning",
            f"{words}: SPF speaks for the former only, so DMARC needs a DKIM signature of the latter",
        )
    if where is None:
        yield Finding(
            "ok", f"bounces: what comes to {address} must be given to `mysapk bounce` by its mail server"
        )
        return
    try:
        with OpenMailbox(where) as mailbox:
            mailbox.unread(1)
    except MailboxFault as fault:
        yield Finding("fault", f"bounces: {where.host}: {fault}; mend BOUNCE_IMAP_URL and what belongs to it")
        return
    yield Finding("ok", f"bounces: read from {where.folder} at {where.host}")


def _proxies(settings: Settings) -> Finding:
    """Whether the number of proxies before the portal is the one in its settings. The question goes through
    the public address, once like any visitor's and once with another address written into the request."""
    trusted = f"TRUSTED_PROXIES={settings.trusted_proxies}"
    plain = ask_through_public_address(settings, portal().keys)
    forged = ask_through_public_address(settings, portal().keys, FORGED)
    for answer in plain, forged:
        if isinstance(answer, NoAnswer):
            words = f"proxies: {settings.public_url} {answer.why}"
            return Finding("fault" if answer.is_fault else "skipped", f"{words}; {trusted} was not looked at")
    assert isinstance(plain, Seen)
    assert isinstance(forged, Seen)
    passed = (
        f"{trusted}, and the request through {settings.public_url} passed "
        f"{_proxies_in_words(plain.forwarded)}"
    )
    right = f"set TRUSTED_PROXIES={plain.forwarded}"
    if plain.forwarded != settings.trusted_proxies:
        harm = (
            "visitors can choose the address they seem to come from"
            if forged.client == FORGED or plain.forwarded < settings.trusted_proxies
            else "all visitors count as one client address, and use up each other's limits"
        )
        return Finding("fault", f"{passed}: {harm}; {right}")
    if forged.client == FORGED:
        harm = (
            "which let the visitor write X-Forwarded-For: anybody can choose the address they seem to "
            "come from"
        )
        return Finding("fault", f"{passed}, {harm}; let the proxy add the address that it sees")
    if settings.is_https and not plain.forwarded:
        harm = (
            "though something ended TLS: it must add X-Forwarded-For, or all visitors count as one "
            "client address"
        )
        return Finding("warning", f"{passed}, {harm}")
    return Finding("ok", f"proxies: {passed}")


def _proxies_in_words(number: int) -> str:
    return f"{number} {'proxy' if number == 1 else 'proxies'}"
