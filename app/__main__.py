"""The command `mysapk`, also `python -m app`."""

import os
import sys

import click
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy.exc import SQLAlchemyError

from app.cli import Commands
from app.runtime import logs
from app.wiring import create_app
from config import BadSetting, Settings


def _create_app() -> Flask:
    os.umask(0o077)  # only their owner may read databases, mails and reports
    logs.configure()
    return create_app(Settings.from_env())


class _Main(Commands):
    """At the keyboard, a bad setting, a database that cannot be reached, and a database that is not migrated
    are each reported in one line."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BadSetting as bad:
            for fault in bad.faults:
                click.echo(f"mysapk: {fault}", err=True)
            sys.exit(2)
        except SQLAlchemyError as fault:
            said = logs.masked(str(fault).splitlines()[0])
            raise click.ClickException(f"database: {said} (mysapk check says more)") from fault


main = _Main(
    "mysapk",
    help="Portal MySAPK: serve it, fill it, look after it.",
    context_settings={"obj": ScriptInfo(create_app=_create_app, set_debug_flag=False)},
)

if __name__ == "__main__":
    main()
