"""COMMANDS: `mysapk ...`, for the operator at the keyboard."""

from importlib import import_module

import click
from flask.cli import AppGroup

# Where each command stands: module and name
_COMMANDS = {
    "serve": "serve.serve",
    "worker": "serve.worker",
    "db": "operations.db",
    "check": "check.check",
    "bounce": "bounces.bounce",
    "housekeeping": "operations.housekeeping",
    "audit": "trail.audit",
    "import-instansi": "imports.import_instansi",
    "import-pegawai": "imports.import_pegawai",
    "admin": "accounts.admin",
    "approve": "accounts.approve",
    "unlock": "accounts.unlock",
    "pdm": "accounts.pdm",
    "outbox": "outbox.outbox",
    "demo": "demo.demo",
}


class Commands(AppGroup):
    """All commands. A command is imported when it is asked for, so that each start pays only for what it
    runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(".")
        command = getattr(import_module(f"app.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command
