"""Commands that act on one person, and the PDM window."""

from datetime import date

import click
from flask.cli import with_appcontext

from app.cli.options import DAY, NIP
from app.db import unit_of_work
from app.domain.client import COMMAND_LINE
from app.domain.indonesian_time import now, shown_date
from app.domain.nip import Nip
from app.flows import grant_mandate, set_pdm_window
from app.flows.approve_cpns import approve_cpns
from app.flows.unlock import unlock as lift_limits
from app.models.admin_mandate import AdminMandate
from app.models.pdm_window import PdmWindow
from app.web.portal import portal


@click.command()
@click.argument("nip", type=NIP)
@with_appcontext
def approve(nip: Nip) -> None:
    """Open the account of a CPNS who waits for the instansi."""
    with unit_of_work() as db:
        user = approve_cpns(db, nip, COMMAND_LINE, now())
        if user is None:
            raise click.ClickException("Tidak ada CPNS dengan NIP ini yang menunggu persetujuan.")
        click.echo(f"Akun {user.name} ({nip.grouped}) dibuka. Login berikutnya mengaktifkan akun itu.")


@click.command()
@click.argument("nip", type=NIP)
@with_appcontext
def unlock(nip: Nip) -> None:
    """Lift the limits that wrong tries have set on a NIP."""
    with unit_of_work() as db:
        lift_limits(db, nip, portal().keys, COMMAND_LINE, now())
    click.echo(f"Batas percobaan untuk NIP {nip.grouped} dihapus.")


@click.group()
def admin() -> None:
    """Mandates of admins."""


@admin.command()
@click.argument("nip", type=NIP)
@click.option("--instansi", "code", help="Code of the one instansi the mandate is for.")
@click.option("--pusat", is_flag=True, help="A mandate over all instansi.")
@click.option("--sk", required=True, help="Number of the letter of appointment.")
@click.option("--until", required=True, type=DAY, help="Last day of the mandate.")
@with_appcontext
def grant(nip: Nip, code: str | None, pusat: bool, sk: str, until: date) -> None:
    """Appoint an admin, for one instansi or for all."""
    if (code is None) != pusat:
        raise click.UsageError("Pilih salah satu: --instansi KODE atau --pusat.")
    with unit_of_work() as db:
        match grant_mandate.grant_mandate(db, nip, code, sk, until, COMMAND_LINE, now()):
            case AdminMandate():
                click.echo(f"Mandat {'pusat' if pusat else code} untuk {nip.grouped} berlaku sampai {shown_date(until)}.")
            case grant_mandate.UnknownPerson():
                raise click.ClickException("NIP ini tidak ada di portal. Impor dulu data pegawainya.")
            case grant_mandate.UnknownInstansi(unknown):
                raise click.ClickException(f"Instansi dengan kode {unknown} tidak ada.")
            case grant_mandate.AlreadyOver():
                raise click.ClickException("Tanggal akhir mandat sudah lewat.")


@click.group()
def pdm() -> None:
    """Windows of the Pemutakhiran Data Mandiri."""


@pdm.command("set")
@click.option("--opens", required=True, type=DAY, help="First day.")
@click.option("--closes", required=True, type=DAY, help="Last day.")
@click.option("--instansi", "code", help="Code of the one instansi; without it, the national window.")
@with_appcontext
def set_window(opens: date, closes: date, code: str | None) -> None:
    """Set the national window, or the own window of one instansi, which overrides it."""
    with unit_of_work() as db:
        match set_pdm_window.set_pdm_window(db, opens, closes, code, COMMAND_LINE, now()):
            case PdmWindow():
                whose = f"instansi {code}" if code else "nasional"
                click.echo(f"Jadwal PDM {whose}: {shown_date(opens)} sampai {shown_date(closes)}.")
            case set_pdm_window.UnknownInstansi(unknown):
                raise click.ClickException(f"Instansi dengan kode {unknown} tidak ada.")
            case set_pdm_window.ClosesBeforeOpening():
                raise click.ClickException("Tanggal tutup lebih awal daripada tanggal buka.")
