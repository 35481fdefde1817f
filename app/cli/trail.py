"""`mysapk audit`: the sealed trail."""

import logging
import sys
from time import perf_counter

import click
from flask.cli import with_appcontext

from app.db import reading, unit_of_work
from app.models.audit_head import AuditHead
from app.security import sealing
from app.security.sealing import Fault, FaultKind, HeadNotGenuine
from app.web.portal import portal

log = logging.getLogger("portal.trail")


class AnchorOption(click.ParamType[tuple[int, str]]):
    """A number and its seal, as the worker's log has them: 1200:3f9a..."""

    name = "number:seal"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        number, _, seal = str(value).partition(":")
        if not number.isdecimal() or len(seal) != 64:
            self.fail("Tulis sebagai NOMOR:SEGEL, seperti pada log worker (baris trail).", param, ctx)
        return int(number), seal


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command()
@click.option("--anchor", "anchors", multiple=True, type=AnchorOption(), help="A seal from the worker's log; can be repeated.")
@with_appcontext
def verify(anchors: tuple[tuple[int, str], ...]) -> None:
    """Seal what is new, then look for changed, missing and inserted rows; exit code 1 when there are any."""
    sealed = 0
    while newly := seal_what_is_new():
        sealed += newly
    started = perf_counter()
    with reading() as session:
        findings = sealing.verify(session, portal().keys, dict(anchors))
    seconds = perf_counter() - started
    click.echo(
        f"Baru disegel: {sealed}. Diperiksa: {findings.rows} baris, {findings.rows / max(seconds, 0.001):.0f} baris/detik."
    )
    click.echo(f"Segel terakhir: {findings.seal_no}:{findings.seal}")
    for fault in findings.named:
        click.echo(f"RUSAK: {_in_words(fault)}", err=True)
    if findings.faults:
        click.echo(f"Jejak audit rusak: {findings.faults} temuan.", err=True)
        sys.exit(1)
    click.echo("Jejak audit utuh.")


def seal_what_is_new() -> int:
    """Seal one batch, in a transaction of its own; without a lock where there is nothing to seal. 0 when none is left, or
    when the head is not genuine: that stays as it is, for `mysapk audit verify` to tell."""
    with reading() as session:
        if not sealing.is_any_unsealed(session):
            return 0
    with unit_of_work() as session:
        sealed = sealing.seal_next(session, portal().keys)
    return 0 if isinstance(sealed, HeadNotGenuine) else sealed


def log_head() -> None:
    """Leave the end of the trail in the log: an anchor outside the database. Who could put back an older state of all
    tables cannot change what another machine has already taken from here."""
    with reading() as session:
        head = AuditHead.now(session)
        is_genuine = sealing.is_head_genuine(session, portal().keys)
    if head is None or not is_genuine:
        log.error("trail: the head is not genuine, nothing is sealed; run mysapk audit verify")
    else:
        log.info("trail", extra={"fields": {"seal_no": head.seal_no, "seal": head.seal}})


def _in_words(fault: Fault) -> str:
    if fault.kind is FaultKind.MISSING:
        through = "" if fault.last_seal_no in (None, fault.seal_no) else f" s.d. {fault.last_seal_no}"
        return f"segel {fault.seal_no}{through}: {fault.kind.value}"
    row = f" (id {fault.row_id})" if fault.row_id is not None else ""
    return f"segel {fault.seal_no}{row}: {fault.kind.value}"
