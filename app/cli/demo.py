"""`mysapk demo`: a small invented country to try the portal in. Every NIP, name and address here is
invented."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.demo_desk import liven
from app.cli.serve import end_with_parent, run_web
from app.cli.trail import begin_trail_of_demo
from app.domain.categories import Activation, Category
from app.domain.contact import Contact
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import now, today_in_jakarta
from app.models.admin_mandate import AdminMandate, Role
from app.models.instansi import Instansi
from app.models.name_word import NameWord
from app.models.pdm_window import PdmWindow
from app.models.user import User
from app.runtime import migrations
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.runtime.schema_lock import HeldUp
from app.security import passwords

PASSWORD = "Kopi-Tubruk-2021"  # of the demo accounts that have one; it also satisfies the rules for admins


@dataclass(frozen=True)
class Person:
    nip: str
    name: str
    email: str | None
    category: Category
    activation: Activation
    instansi: str
    unit: str
    has_password: bool = False
    mandate: Role | None = None
    note: str = ""


INSTANSI = {
    "7301": (
        "Pemerintah Kabupaten Nusa Jaya",
        Contact(
            phone="021-555-0173",
            whatsapp="0812-5550-0173",
            email="helpdesk@nusajaya.example",
            place="Kantor BKPSDM Nusa Jaya, loket 3",
            hours="Senin sampai Jumat, 08.00-15.00",
            words="Bila datang sendiri, bawa SK terakhir.",
        ),
    ),
    "3402": (
        "Kementerian Contoh Nasional",
        Contact(words="Biro Kepegawaian, telepon 021-555-0134, kepegawaian@contoh.example"),
    ),
}
CAST = (
    Person("198503122010012001", "Sari Wulandari", "sari@nusajaya.example", Category.PNS, Activation.ACTIVE,
    "7301",
           "Dinas Kesehatan", has_password=True, note="aktif sejak lama"),
    Person("199007152015051002", "Budi Santoso", "budi@nusajaya.example", Category.PNS,
    Activation.NOT_ACTIVATED, "7301",
           "Dinas Pendidikan", note="belum pernah diaktifkan"),
    Person("198211032006041003", "Joko Prabowo Adi", "joko.lama@nusajaya.example", Category.PNS,
    Activation.NOT_ACTIVATED, "7301",
           "Sekretariat Daerah", note="email di data salah; email yang dipakai: joko@nusajaya.example"),
    Person("198806202023212004", "Dewi Kartika", "dewi@nusajaya.example", Category.PPPK,
    Activation.NOT_ACTIVATED, "7301",
           "SMP Negeri 2 Nusa Jaya", note="PPPK, belum diaktifkan"),
    Person("200001172025042005", "Cinta Maharani", "cinta@nusajaya.example", Category.CPNS,
    Activation.WAITING_APPROVAL, "7301",
           "Dinas Perhubungan", has_password=True, note="CPNS, menunggu persetujuan instansi"),
    Person("197904092003121006", "Tono Wijaya", "tono@nusajaya.example", Category.PNS,
    Activation.DEACTIVATED, "7301",
           "Dinas Pertanian", has_password=True, note="dinonaktifkan"),
    Person("196801252021001007", "Hadi Nugroho", "hadi@contoh.example", Category.PPT_NON_ASN,
    Activation.NOT_ACTIVATED, "3402",
           "Staf Khusus Menteri", note="PPT Non ASN, belum diaktifkan"),
    Person("199210052018012008", "Lestari Ayu", None, Category.PNS, Activation.NOT_ACTIVATED, "3402",
           "Biro Hukum", note="belum punya email di data"),
    Person("198712242011012009", "Wati Kusuma", "wati@nusajaya.example", Category.PNS, Activation.ACTIVE,
    "7301",
           "BKPSDM", has_password=True, mandate=Role.ADMIN_INSTANSI, note="admin instansi 7301"),
    Person("198309182009021010", "Raka Permana", "raka@contoh.example", Category.PNS, Activation.ACTIVE,
    "3402",
           "Biro Kepegawaian", has_password=True, mandate=Role.ADMIN_INSTANSI, note="admin instansi 3402"),
    Person("197506302000122011", "Ratna Dewanti", "ratna@contoh.example", Category.PNS, Activation.ACTIVE,
    "3402",
           "Direktorat Pengelolaan Akun", has_password=True, mandate=Role.ADMIN_PUSAT, note="admin pusat"),
)  # fmt: skip


@click.command()
@click.option(
    "--serve", is_flag=True, help="Then serve web and mail worker, until this process or its parent ends."
)
@with_appcontext
def demo(*, serve: bool) -> None:
    """Migrate, load the demo data into an empty database, and say what to try."""
    settings = portal().settings
    if not settings.is_demo:
        raise click.ClickException("Data contoh hanya untuk PORTAL_ENV=demo.")
    try:
        migrations.upgrade(settings.database_url)
    except HeldUp as held:
        raise click.ClickException(str(held)) from held
    with reading() as session:
        is_empty = (
            session.scalar(select(User.id).limit(1)) is None
            and session.scalar(select(Instansi.id).limit(1)) is None
        )
    if is_empty:
        password_hash = passwords.hashed(PASSWORD)
        with unit_of_work() as session:
            load(session, password_hash, now())
            liven(session, now())
        begin_trail_of_demo()
    click.echo(_what_to_try(is_new=is_empty))
    if serve:
        end_with_parent()
        run_web(current_app._get_current_object(), with_worker=True)  # type: ignore[attr-defined]


def load(session: Session, password_hash: str, moment: datetime) -> None:
    """Write the demo's instansi, people, mandates and PDM windows."""
    today = today_in_jakarta(moment)
    instansi = {
        code: Instansi(code=code, name=name, **Instansi.columns_of(contact))
        for code, (name, contact) in INSTANSI.items()
    }
    session.add_all(instansi.values())
    session.flush()
    for person in CAST:
        user = _user(person, instansi[person.instansi], password_hash, moment)
        session.add(user)
        session.flush()
        NameWord.index(session, [user])
        if person.mandate:
            session.add(
                AdminMandate(
                    user_id=user.id,
                    role=person.mandate,
                    instansi_id=user.instansi_id if person.mandate is Role.ADMIN_INSTANSI else None,
                    sk_number="SK-CONTOH/001",
                    starts_on=today - timedelta(days=60),
                    ends_on=today + timedelta(days=365),
                )
            )
    session.add(PdmWindow.between(None, today - timedelta(days=21), today + timedelta(days=60)))
    session.add(PdmWindow.between(instansi["3402"].id, today + timedelta(days=7), today + timedelta(days=90)))


def _user(person: Person, instansi: Instansi, password_hash: str, moment: datetime) -> User:
    address = EmailAddress(person.email) if person.email else None
    return User(
        nip=person.nip,
        name=person.name,
        email=address.text if address else None,
        email_key=address.key if address else None,
        category=person.category,
        instansi_id=instansi.id,
        work_unit=person.unit,
        activation=person.activation,
        activation_changed_at=moment - timedelta(days=3),
        deactivated_by=f"admin {instansi.name}" if person.activation is Activation.DEACTIVATED else None,
        password_hash=password_hash if person.has_password else None,
        password_changed_at=moment - timedelta(days=90) if person.has_password else None,
        last_login_at=moment - timedelta(days=1) if person.activation is Activation.ACTIVE else None,
        credential_version=1,
    )


def _what_to_try(*, is_new: bool) -> str:
    settings = portal().settings
    with reading() as session:
        known = set(session.scalars(select(User.nip).where(User.nip.in_([person.nip for person in CAST]))))
    lines = [
        "",
        f"  {settings.portal_name} ({settings.portal_operator})",
        f"  Buka {settings.public_url}",
        "",
    ]
    if known:
        lines.append("  Data contoh (semua rekaan):" + ("" if is_new else " sudah dimuat sebelumnya"))
        lines += [
            f"    {person.nip}  {person.email or '-':30} "
            f"{person.note}{', password ada' if person.has_password else ''}"
            for person in CAST
            if person.nip in known
        ]
        lines += ["", f"  Password akun yang punya password: {PASSWORD}"]
    if settings.has_demo_mailbox:
        lines.append(f"  Kotak surat demo: {settings.public_url}/kotak-surat")
    lines += [
        "  Coba: Lupa Password dengan NIP dan email Budi, ambil token di kotak surat, lalu Masuk.",
        "  Coba: masuk sebagai Wati, buka Admin, dan jawab permintaan perbaikan email yang menunggu.",
        "  Ctrl-C untuk berhenti.",
        "",
    ]
    return "\n".join(lines)
