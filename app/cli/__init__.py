"""COMMANDS: `mysapk ...`, for the operator at the keyboard."""

import click

from app.cli import accounts, bounces, check, demo, imports, operations, outbox, serve, trail

_COMMANDS = (
    serve.serve,
    serve.worker,
    operations.db,
    check.check,
    bounces.bounce,
    operations.housekeeping,
    trail.audit,
    imports.import_instansi,
    imports.import_pegawai,
    accounts.admin,
    accounts.approve,
    accounts.unlock,
    accounts.pdm,
    outbox.outbox,
    demo.demo,
)


def register_commands(group: click.Group) -> None:
    for command in _COMMANDS:
        group.add_command(command)
