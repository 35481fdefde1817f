"""COMMANDS: `mysapk ...`, for the operator at the keyboard."""

import sys

import click
from flask import Flask
from flask.cli import AppGroup, ScriptInfo

from app.cli import accounts, demo, imports, operations, serve
from app.web import logs
from config import BadSetting, Settings

_COMMANDS = (
    serve.serve,
    serve.worker,
    operations.db,
    operations.check,
    operations.housekeeping,
    imports.import_instansi,
    imports.import_pegawai,
    accounts.admin,
    accounts.approve,
    accounts.unlock,
    accounts.pdm,
    demo.demo,
)


def register_commands(app: Flask) -> None:
    for command in _COMMANDS:
        app.cli.add_command(command)


def _create_app() -> Flask:
    from app import create_app  # here, because the app registers these commands itself

    logs.configure()
    try:
        return create_app(Settings.from_env())
    except BadSetting as fault:
        click.echo(f"mysapk: {fault}", err=True)
        sys.exit(2)


main = AppGroup(
    "mysapk",
    help="Portal MySAPK: serve it, fill it, look after it.",
    context_settings={"obj": ScriptInfo(create_app=_create_app, set_debug_flag=False)},
)
for _command in _COMMANDS:
    main.add_command(_command)
