"""Commands for who keeps the portal running."""

import click
from flask.cli import with_appcontext

from app.cli.trail import begin_trail, has_known_head
from app.domain.indonesian_time import now
from app.runtime import migrations
from app.runtime.db import engine
from app.runtime.portal import portal
from app.worker.cleaning import ChoresFailed, clean_up


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
def housekeeping() -> None:
    """Remove what nobody needs any more. The worker does the same every ten minutes."""
    try:
        removed = clean_up(now())
    except ChoresFailed as failed:
        raise click.ClickException(f"tidak selesai: {failed}; sebabnya ada pada log") from failed
    click.echo(", ".join(f"{name}: {count}" for name, count in removed.items()))
