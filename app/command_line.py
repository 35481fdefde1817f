"""`mysapk` at the keyboard: which app a command runs in, and how a fault is told."""

import gc
import os
import sys
from collections.abc import Callable

import click
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy.exc import SQLAlchemyError

from app.cli import Commands
from app.runtime import logs
from app.runtime.furnishing import app_without_pages
from config import BadSetting, Settings

_WITH_PAGES = ("serve", "demo")


def _app_without_pages() -> Flask:
    return _begun(app_without_pages)


def _app_with_pages() -> Flask:
    # Here, because the pages take as long to load as all the rest, and two commands show them
    from app.wiring import create_app

    return _begun(create_app)


def _begun(create_app: Callable[[Settings], Flask]) -> Flask:
    os.umask(0o077)  # only their owner may read databases, mails and reports
    logs.configure()
    app = create_app(Settings.from_env())
    gc.freeze()  # what is here now stays, and is never looked at again
    gc.enable()
    return app


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        create_app = _app_with_pages if name in _WITH_PAGES else _app_without_pages
        ctx.obj = ctx.obj or ScriptInfo(create_app=create_app, set_debug_flag=False)
        return name, command, rest


mysapk = _Main("mysapk", help="Portal MySAPK: serve it, fill it, look after it.")
