"""Commands for the operator who keeps the portal running."""

from typing import assert_never

import click
from flask.cli import with_appcontext

from app.cli.trail import begin_trail, has_known_head
from app.runtime import migrations
from app.runtime.db import engine
from app.runtime.portal import portal
from app.runtime.schema import State
from app.runtime.schema_lock import HeldUp, schema_to_oneself
from app.worker import acts
from app.worker.cleaning import ChoresFailed, clean_up


@click.group()
def db() -> None:
    """The schema of the database."""


@db.command()
@with_appcontext
def upgrade() -> None:
    """Bring the schema to this release. Safe to run again."""
    try:
        with schema_to_oneself(portal().settings.database_url, _say) as connection:
            looking = engine().execution_options(portal_read_only=True)
            is_first = not has_known_head(looking)  # of several that run at once, only for the first one
            found = migrations.upgrade_over(connection, say=_say)
            problem = begin_trail() if is_first and found.state is State.OLDER else None
    except HeldUp as held:
        raise click.ClickException(str(held)) from held
    match found.state:
        case State.CURRENT | State.OLDER:
            click.echo("Skema database mutakhir.")
        case State.NEWER:
            click.echo(
                f"Skema database ({found.revision}) lebih baru daripada rilis ini; tidak ada yang diubah."
            )
        case State.FOREIGN:
            raise click.ClickException(found.why_not)
        case _:
            assert_never(found.state)
    if problem:
        click.echo(problem, err=True)


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)


@click.command()
@with_appcontext
def housekeeping() -> None:
    """Remove what nobody needs any more. The worker does the same every ten minutes."""
    try:
        removed = clean_up(acts.act())
    except ChoresFailed as failed:
        raise click.ClickException(f"tidak selesai: {failed}; sebabnya ada pada log") from failed
    click.echo(", ".join(f"{name}: {count}" for name, count in removed.items()))
