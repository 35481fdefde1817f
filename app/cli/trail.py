"""`mysapk audit`: the sealed trail."""

import logging
import sys
from time import perf_counter, sleep

import click
from flask.cli import with_appcontext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.cli.acts import act
from app.domain.indonesian_time import now
from app.models.audit_head import AuditHead
from app.runtime.db import SECONDS_FOR_OTHER_WRITERS, engine, reading, unit_of_work
from app.runtime.portal import portal
from app.security import sealing
from app.security.kept_head import Anchor, KeptHead, Unreadable
from app.security.sealing import (
    Accepted,
    Findings,
    HeadMoved,
    HeadNotGenuine,
    Resealed,
    TrailFault,
    TrailFaultKind,
)
from app.worker.sealing import kept_head, last_verified, log_head, seal_what_is_new

log = logging.getLogger("portal.trail")

_ROWS_TO_SHOW = 20
_ADVICE = {
    frozenset({TrailFaultKind.LATE, TrailFaultKind.FUTURE}): (
        "Baris yang belum disegel tetap terlihat dan tidak menahan baris lain. Periksa siapa yang "
        "menulisnya dan jam setiap "
        'mesin. Bila jujur, terima dengan: mysapk audit accept-late --because "SEBABNYA" ID...'
    ),
    frozenset({TrailFaultKind.OUTSIDE}): (
        "Database ini lebih lama daripada yang pernah dilihat mesin ini, atau bukan database yang sama. "
        "Bila cadangan lama "
        "sengaja dipulihkan, atau database sengaja dibuat baru, terima dengan:\n"
        '  mysapk audit accept-restored --head {head} --because "SEBABNYA"\n'
        "Bila tidak, jangan terima: simpan salinan database ini dan bandingkan dengan cadangan terakhir."
    ),
    frozenset({TrailFaultKind.UNREADABLE}): (
        "Periksa izin file itu, dan apakah kunci yang menandainya masih ada di SECRET_KEY_FALLBACKS. Bila "
        "sebabnya jelas, "
        'tulis baru dengan: mysapk audit accept-restored --head {head} --because "SEBABNYA"'
    ),
    frozenset(
        {
            TrailFaultKind.CHANGED,
            TrailFaultKind.MISSING,
            TrailFaultKind.ORDER,
            TrailFaultKind.HEAD,
            TrailFaultKind.ANCHOR,
        }
    ): (
        "Simpan salinan database ini apa adanya, lalu bandingkan baris di atas dengan cadangan dan log. "
        "Bila SECRET_KEY baru saja diganti, periksa dulu apakah kunci lamanya ada di SECRET_KEY_FALLBACKS."
    ),
}


class AnchorOption(click.ParamType[tuple[int, str]]):
    """A number and its seal, as they stand in the worker's log: 1200:3f9a..."""

    name = "number:seal"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, str]:
        number, _, seal = str(value).partition(":")
        if not number.isdecimal() or len(seal) != 64:
            self.fail("Tulis sebagai NOMOR:SEGEL, seperti pada log worker (baris trail).", param, ctx)
        return int(number), seal


_BECAUSE = click.option("--because", required=True, help="Why, in a sentence; it stands in the trail.")


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command()
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=AnchorOption(),
    help="A seal from the worker's log; can be repeated.",
)
@click.option(
    "--resume", is_flag=True, help="Only the rows after the last check on this machine that found nothing."
)
@with_appcontext
def verify(anchors: tuple[tuple[int, str], ...], *, resume: bool) -> None:
    """Seal what is new, then look for changed, missing and inserted rows; exit code 1 when there are any."""
    sealed = 0
    while newly := seal_what_is_new():
        sealed += newly
    started = perf_counter()
    after = last_verified().read() if resume else None
    kept, findings = _look(dict(anchors), after=after if isinstance(after, Anchor) else None)
    seconds = perf_counter() - started
    if isinstance(after, Anchor) and TrailFaultKind.ANCHOR not in findings.kinds:
        click.echo(
            f"Dilanjutkan dari segel {after.seal_no}. Seluruh jejak diperiksa dengan: mysapk audit verify"
        )
    click.echo(
        f"Baru disegel: {sealed}. Diperiksa: {findings.rows} baris, "
        f"{findings.rows / max(seconds, 0.001):.0f} baris/detik."
    )
    click.echo(f"Segel terakhir: {findings.seal_no}:{findings.seal}")
    _tell_of_keys(findings)
    if findings.faults:
        _tell_of(findings, kept)
        sys.exit(1)
    end = Anchor(findings.seal_no, findings.seal)
    _tell_of_outside(kept, end)
    if end.seal_no and (problem := last_verified().replace(end)):
        click.echo(f"Peringatan: {last_verified().path} tidak dapat ditulis: {problem}.", err=True)
    click.echo("Jejak audit utuh.")


@audit.command()
@click.option(
    "--head", "named", required=True, type=AnchorOption(), help="The last seal, as `audit verify` tells it."
)
@_BECAUSE
@with_appcontext
def accept_restored(named: tuple[int, str], because: str) -> None:
    """Go on after an older backup was put back, or the database was made anew, on purpose; on each machine
    that says so."""
    kept = kept_head()
    lost, findings = _look({}, goes_by_file=False)
    head = Anchor(*named)
    with reading() as session:
        why_not = sealing.why_not(session, portal().keys, lost)
    if lost is None or (why_not is None and isinstance(lost, Anchor)):
        raise click.ClickException(
            "Tidak ada yang perlu diterima: jejak ini memuat kepala yang disimpan mesin ini."
        )
    if findings.kinds - {TrailFaultKind.LATE, TrailFaultKind.FUTURE}:
        _tell_of(findings, None)
        raise click.ClickException("Jejak yang rusak tidak dapat diterima.")
    with unit_of_work() as session:
        outcome = sealing.accept_restored(session, portal().keys, lost, head, because, act())
    match outcome:
        case HeadNotGenuine():
            raise click.ClickException("Kepala jejak tidak asli. Jalankan: mysapk audit verify")
        case HeadMoved(moved):
            raise click.ClickException(
                f"Segel terakhir sekarang {moved}. Periksa lagi dengan: mysapk audit verify"
            )
        case Accepted():
            if problem := _tell_of_restored(kept, lost, outcome):
                raise click.ClickException(
                    f"{kept.path} tidak dapat ditulis: {problem}. Perbaiki, lalu jalankan sekali lagi."
                )


@audit.command()
@click.argument("ids", metavar="ID...", nargs=-1, type=int)
@click.option("--all", "takes_all", is_flag=True, help="All of them, instead of ids.")
@_BECAUSE
@with_appcontext
def accept_late(ids: tuple[int, ...], because: str, *, takes_all: bool) -> None:
    """Seal honest rows whose moment is too far from now; `audit verify` names them."""
    if bool(ids) == takes_all:
        raise click.UsageError("Sebutkan id baris, atau --all.")
    with reading() as session:
        for row_id, at, tag in sealing.out_of_reach(session, now(), _ROWS_TO_SHOW):
            click.echo(f"{row_id}\t{at}\t{tag}")
    accepted = 0
    while True:
        kept = kept_head()
        with unit_of_work() as session:
            chosen = None if takes_all else ids
            outcome = sealing.accept_late(session, portal().keys, kept.read(), chosen, because, act())
        if isinstance(outcome, HeadNotGenuine):
            raise click.ClickException("Kepala jejak tidak asli. Jalankan: mysapk audit verify")
        if not outcome.rows:
            break
        accepted += outcome.rows
        kept.keep(outcome.after)
        fields = {"rows": outcome.rows, "head_before": str(outcome.before), "head_after": str(outcome.after)}
        log.warning("trail: late rows are accepted", extra={"fields": fields})
    if not accepted:
        raise click.ClickException("Tidak ada baris seperti itu yang menunggu diterima.")
    click.echo(f"Diterima dan disegel: {accepted} baris.")


@audit.command()
@with_appcontext
def reseal() -> None:
    """Seal all rows anew under SECRET_KEY, so that an older key can go. Run it again when it was
    interrupted."""
    while seal_what_is_new():
        pass
    kept, findings = _look({})
    if findings.faults:
        _tell_of(findings, kept)
        raise click.ClickException("Jejak yang rusak tidak disegel ulang.")
    if not findings.under_older_keys and not findings.is_being_resealed:
        click.echo("Semua baris sudah bersegel kunci yang sekarang. Tidak ada yang perlu dilakukan.")
        return
    started, rows = perf_counter(), 0
    while True:
        with unit_of_work() as session:
            outcome = sealing.reseal_next(session, portal().keys, kept_head().read(), act())
            if not isinstance(outcome, Resealed):
                session.rollback()
        match outcome:
            case TrailFault():
                raise click.ClickException(f"Dihentikan. {_in_words(outcome)}. Jalankan: mysapk audit verify")
            case HeadNotGenuine():
                raise click.ClickException(
                    "Dihentikan: kepala jejak tidak asli. Jalankan: mysapk audit verify"
                )
            case Resealed(count, None):
                rows += count
                sleep(SECONDS_FOR_OTHER_WRITERS)
            case Resealed(count, (old, new)):
                rows += count
                break
    log.warning("trail: sealed anew", extra={"fields": {"head_before": str(old), "head_after": str(new)}})
    log_head()
    click.echo(f"Disegel ulang: {rows} baris, {rows / max(perf_counter() - started, 0.001):.0f} baris/detik.")
    click.echo(f"Kepala lama: {old}\nKepala baru: {new}")
    click.echo(
        "Kunci lama boleh dikeluarkan dari SECRET_KEY_FALLBACKS, setelah worker di setiap mesin berjalan "
        "sepuluh menit dengan kunci yang sekarang."
    )


def has_known_head(made: Engine) -> bool:
    """Whether the tables already have the form in which a head of zero carries a mark."""
    found = inspect(made)
    return found.has_table("audit_head") and any(
        column["name"] == "newest_at" for column in found.get_columns("audit_head")
    )


def begin_trail() -> str | None:
    """Let the trail begin with the rows that are there, after the tables were made or brought to this
    release. Returns what the operator must be told if this machine knows of a longer trail in the same
    place."""
    kept = kept_head()
    seen = kept.read()
    with unit_of_work() as session:
        sealing.begin(session, portal().keys, seen, now())
        why_not = sealing.why_not(session, portal().keys, seen)
        head = AuditHead.now(session)
    if head is None or why_not is not None:
        return (
            _restored_words(seen, Anchor(head.seal_no, head.seal))
            if head and isinstance(seen, Anchor)
            else None
        )
    kept.keep(Anchor(head.seal_no, head.seal))
    return None


def begin_trail_of_demo() -> None:
    """Anyone who deletes the demo's database wants a new one. The portal says that and notes it, like every
    such decision."""
    kept = kept_head()
    lost = kept.read()
    with unit_of_work() as session:
        sealing.begin(session, portal().keys, None, now())
        head = AuditHead.now(session)
        if head is None or lost is None or sealing.why_not(session, portal().keys, lost) is None:
            return
        while isinstance(sealed := sealing.seal_next(session, portal().keys, None, now()), int) and sealed:
            pass
        because = "Data contoh dimuat ke database baru."
        begun = Anchor(head.seal_no, head.seal)
        outcome = sealing.accept_restored(session, portal().keys, lost, begun, because, act())
    if isinstance(outcome, Accepted):
        _tell_of_restored(kept, lost, outcome)


def fault_of_kept_head() -> str | None:
    """What `mysapk check` says about the head outside the database."""
    kept = kept_head()
    seen = kept.read()
    if isinstance(seen, Unreadable):
        return (
            f"the head of the trail outside the database ({kept.path}) cannot be used: {seen.why}; run "
            "mysapk audit verify"
        )
    try:
        with reading() as session:
            why_not = sealing.why_not(session, portal().keys, seen)
    except SQLAlchemyError:
        return None  # another finding says it
    return f"{why_not}; run mysapk audit verify" if why_not else None


# -- words
def _look(
    anchors: dict[int, str], *, after: Anchor | None = None, goes_by_file: bool = True
) -> tuple[Anchor | Unreadable | None, Findings]:
    """Check one state of the database, however long that takes. The file is read before the database, so the
    file is never ahead."""
    seen = kept_head().read()
    with reading() as session:
        if engine().dialect.name == "postgresql":
            session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        kept = seen if goes_by_file else None
        return seen, sealing.verify(session, portal().keys, now(), kept, anchors, after)


def _tell_of(findings: Findings, kept: Anchor | Unreadable | None) -> None:
    for fault in findings.named:
        click.echo(f"RUSAK: {_in_words(fault)}", err=True)
    if isinstance(kept, Unreadable):
        click.echo(f"{kept_head().path}: {kept.why}", err=True)
    click.echo(f"Jejak audit rusak: {findings.faults} temuan.", err=True)
    for kinds, advice in _ADVICE.items():
        if kinds & findings.kinds:
            click.echo(advice.format(head=f"{findings.seal_no}:{findings.seal}"), err=True)


def _tell_of_restored(kept: KeptHead, lost: Anchor | Unreadable, accepted: Accepted) -> str | None:
    """Write both heads to the log and to the screen, and the new one to the file. Returns why it could not be
    written."""
    told = str(lost) if isinstance(lost, Anchor) else lost.why
    fields = {"head_before": told, "head_accepted": str(accepted.before), "head_after": str(accepted.after)}
    log.warning("trail: a restored state is accepted", extra={"fields": fields})
    click.echo(
        f"Jejak audit: kepala yang tadinya disimpan mesin ini: {told}\n"
        f"Diterima sebagai gantinya: {accepted.before}\nSegel terakhir sekarang: {accepted.after}"
    )
    return kept.replace(accepted.after)


def _tell_of_keys(findings: Findings) -> None:
    if findings.is_being_resealed:
        click.echo("Segel ulang belum selesai. Lanjutkan dengan: mysapk audit reseal")
    elif findings.under_older_keys:
        click.echo(
            f"{findings.under_older_keys} baris masih bersegel kunci lama. Kunci itu harus tetap ada di "
            "SECRET_KEY_FALLBACKS sampai mysapk audit reseal selesai."
        )


def _tell_of_outside(kept: Anchor | Unreadable | None, end: Anchor) -> None:
    """What to say about the head outside the database if the trail is whole: its end may be kept."""
    file = kept_head()
    if kept is None and end.seal_no:
        click.echo(
            "Peringatan: tidak ada kepala di luar database di mesin ini, jadi cadangan lama yang "
            "dipulihkan utuh tidak ketahuan di sini. Mulai sekarang kepala itu disimpan.",
            err=True,
        )
    if end.seal_no and (problem := file.keep(end)):
        log.error(
            "trail: the head cannot be kept outside the database", extra={"fields": {"problem": problem}}
        )
        click.echo(f"Peringatan: kepala jejak tidak dapat disimpan di {file.path}: {problem}.", err=True)


def _restored_words(lost: Anchor, head: Anchor) -> str:
    return (
        f"Mesin ini masih menyimpan kepala jejak {lost} dari database yang tadinya ada di tempat yang "
        "sama, dan database ini "
        "tidak memuatnya. Tidak ada yang disegel sampai Anda memutuskan. Bila database sengaja dibuat "
        "baru atau dipulihkan:\n"
        f'  mysapk audit accept-restored --head {head} --because "SEBABNYA"'
    )


def _in_words(fault: TrailFault) -> str:
    if fault.kind is TrailFaultKind.UNREADABLE:
        return fault.kind.label
    if fault.seal_no is None:
        return f"baris id {fault.row_id}: {fault.kind.label}"
    if fault.kind is TrailFaultKind.MISSING:
        through = "" if fault.last_seal_no in (None, fault.seal_no) else f" s.d. {fault.last_seal_no}"
        return f"segel {fault.seal_no}{through}: {fault.kind.label}"
    row = f" (id {fault.row_id})" if fault.row_id is not None else ""
    return f"segel {fault.seal_no}{row}: {fault.kind.label}"
