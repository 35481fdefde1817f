"""Commands for who keeps the portal running."""

import smtplib
import sys

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from app.cli.cleaning import ChoresFailed, clean_up
from app.cli.trail import begin_trail, fault_of_kept_head, has_known_head, warning_of_kept_head
from app.db import engine
from app.domain.indonesian_time import now
from app.mail.delivery import reach_server
from app.web import migrations
from app.web.portal import portal


@click.group()
def db() -> None:
    """The schema of the database."""


@db.command()
@with_appcontext
def upgrade() -> None:
    """Bring the schema to this release. Safe to run again."""
    is_first = not has_known_head(engine())
    migrations.upgrade(portal().settings.database_url)
    click.echo("Skema database mutakhir.")
    if is_first and (problem := begin_trail()):
        click.echo(problem, err=True)


@click.command()
@with_appcontext
def check() -> None:
    """Look at settings, database, migrations and mail server; exit code 1 when something must be mended."""
    settings = portal().settings
    faults = [fault for fault in (_database_fault(), _mail_fault(), fault_of_kept_head()) if fault]
    warnings = []
    if settings.env == "production" and not settings.is_https:
        warnings.append("PUBLIC_URL is not https: cookies and passwords travel in the clear")
    if settings.env == "production" and settings.ratelimit_storage_uri.startswith("memory:"):
        warnings.append("RATELIMIT_STORAGE_URI is memory://: each web process counts client addresses for itself")
    if warning := warning_of_kept_head():
        warnings.append(warning)
    for warning in warnings:
        click.echo(f"warning: {warning}")
    for fault in faults:
        click.echo(f"fault: {fault}", err=True)
    if faults:
        sys.exit(1)
    click.echo(f"ok: {settings.env}, {settings.public_url}, database and mail answer")


@click.command()
@with_appcontext
def housekeeping() -> None:
    """Remove what nobody needs any more. The worker does the same every ten minutes."""
    try:
        removed = clean_up(now())
    except ChoresFailed as failed:
        raise click.ClickException(f"tidak selesai: {failed}; sebabnya ada pada log") from failed
    click.echo(", ".join(f"{name}: {count}" for name, count in removed.items()))


def _database_fault() -> str | None:
    try:
        return None if migrations.is_at_head(engine()) else "migrations pending, run: mysapk db upgrade"
    except SQLAlchemyError as fault:
        return f"database unreachable: {str(fault).splitlines()[0]}"


def _mail_fault() -> str | None:
    try:
        reach_server(portal().postman)
    except (OSError, smtplib.SMTPException) as fault:
        return f"mail server: {type(fault).__name__}: {fault}"
    return None
