"""Commands that act on one person, and the PDM window."""

from datetime import date

import click
from flask.cli import with_appcontext
from sqlalchemy import true

from app.cli.acts import act
from app.cli.options import DAY, NIP
from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.domain.nip import Nip
from app.flows.cpns.approve_cpns import approve_cpns
from app.flows.identity.change_identity import UnderWay
from app.flows.instansi import grant_mandate, set_pdm_window
from app.flows.instansi.revoke_mandate import revoke_mandates_of
from app.flows.people.unlock import unlock as lift_limits
from app.models.admin_mandate import AdminMandate
from app.models.instansi import Instansi, UnknownInstansi
from app.models.pdm_window import PdmWindow
from app.runtime.db import reading, unit_of_work
from app.security.authority import NotToTouch

_UNKNOWN_NIP = "NIP ini tidak ada di portal. Impor dulu data pegawainya."


@click.command()
@click.argument("nip", type=NIP)
@with_appcontext
def approve(nip: Nip) -> None:
    """Open the account of a CPNS who waits for the instansi."""
    with unit_of_work() as db:
        user = approve_cpns(db, nip, act())
        if user is None:
            raise click.ClickException("Tidak ada CPNS dengan NIP ini yang menunggu persetujuan.")
        click.echo(f"Akun {user.name} ({nip.grouped}) dibuka. Login berikutnya mengaktifkan akun itu.")


@click.command()
@click.argument("nip", type=NIP)
@with_appcontext
def unlock(nip: Nip) -> None:
    """Lift the limits that wrong tries have set on a NIP."""
    with unit_of_work() as db:
        lift_limits(db, nip, act())
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
def grant(nip: Nip, code: str | None, *, pusat: bool, sk: str, until: date) -> None:
    """Appoint an admin, for one instansi or for all."""
    if (code is None) != pusat:
        raise click.UsageError("Pilih salah satu: --instansi KODE atau --pusat.")
    with unit_of_work() as db:
        match grant_mandate.grant_mandate(db, nip, code, sk, until, act()):
            case AdminMandate():
                click.echo(
                    f"Mandat {'pusat' if pusat else code} untuk {nip.grouped} berlaku sampai "
                    f"{shown_date(until)}."
                )
            case grant_mandate.UnknownPerson():
                raise click.ClickException(_UNKNOWN_NIP)
            case grant_mandate.MayNotEnter() as refused:
                raise click.ClickException(refused.sentence)
            case UnknownInstansi(unknown):
                raise click.ClickException(f"Instansi dengan kode {unknown} tidak ada.")
            case grant_mandate.AlreadyOver():
                raise click.ClickException("Tanggal akhir mandat sudah lewat.")
            case UnderWay():
                raise click.ClickException(
                    "Untuk pegawai ini masih ada perubahan lain yang belum selesai. Selesaikan dahulu."
                )
            case grant_mandate.TooLong() | NotToTouch() as never:
                raise AssertionError(f"{never} is for pages")


@admin.command()
@click.argument("nip", type=NIP)
@click.option("--instansi", "code", help="Only the mandate for this instansi.")
@click.option("--pusat", is_flag=True, help="Only the mandate over all instansi.")
@with_appcontext
def revoke(nip: Nip, code: str | None, *, pusat: bool) -> None:
    """Take mandates back: one, or without an option all that the person holds."""
    if code is not None and pusat:
        raise click.UsageError(
            "Pilih salah satu: --instansi KODE atau --pusat, atau tanpa keduanya untuk semua mandat."
        )
    with unit_of_work() as db:
        match revoke_mandates_of(db, nip, code, act(), is_pusat=pusat):
            case grant_mandate.UnknownPerson():
                raise click.ClickException(_UNKNOWN_NIP)
            case UnknownInstansi(unknown):
                raise click.ClickException(f"Instansi dengan kode {unknown} tidak ada.")
            case []:
                raise click.ClickException("Tidak ada mandat yang berlaku untuk dicabut.")
            case revoked:
                for mandate in revoked:
                    click.echo(
                        f"Mandat {_code_of(mandate)} milik {nip.grouped} (SK {mandate.sk_number}) dicabut."
                    )


@admin.command("list")
@click.option("--instansi", "code", help="Only the mandates for this instansi.")
@with_appcontext
def list_mandates(code: str | None) -> None:
    """Print the mandates that hold today, the newest first, one a line: NIP, scope, SK, last day, name."""
    with reading() as db:
        instansi = Instansi.one_or_all(db, code)
        if isinstance(instansi, UnknownInstansi):
            raise click.ClickException(f"Instansi dengan kode {code} tidak ada.")
        reach = AdminMandate.instansi_id == instansi.id if instansi else true()
        for mandate in AdminMandate.listed(db, reach, today_in_jakarta(now())):
            cells = (
                mandate.user.nip,
                _code_of(mandate),
                mandate.sk_number,
                mandate.ends_on.isoformat(),
                mandate.user.name,
            )
            click.echo("\t".join(cells))


def _code_of(mandate: AdminMandate) -> str:
    return mandate.instansi.code if mandate.instansi else "pusat"


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
        match set_pdm_window.set_pdm_window(db, opens, closes, code, act()):
            case PdmWindow():
                whose = f"instansi {code}" if code else "nasional"
                click.echo(f"Jadwal PDM {whose}: {shown_date(opens)} sampai {shown_date(closes)}.")
            case UnknownInstansi(unknown):
                raise click.ClickException(f"Instansi dengan kode {unknown} tidak ada.")
            case set_pdm_window.ClosesBeforeOpening():
                raise click.ClickException("Tanggal tutup lebih awal daripada tanggal buka.")
