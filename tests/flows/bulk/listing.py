"""An admin who has a list of NIPs, and people to be on it."""

import io
from collections.abc import Iterable, Sequence

import xlsxwriter
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.categories import Activation, Category
from app.domain.indonesian_time import now
from app.models import AuditEvent, Instansi, Tag, User
from app.runtime.db import reading, unit_of_work
from tests.visitor import Visitor, words_of

LISTS = "/admin/sekaligus/daftar"
DECREE = {"sk_number": "813/1204/BKPSDM/2026", "sk_date": "2021-07-01"}
WHY = {"reason": "Surat Sekda nomor 800/123"}


def candidates(app: Flask, how_many: int, code: str = "7301") -> list[str]:
    """CPNS who wait in this instansi. Returns their NIPs in their order."""
    nips = [f"1999{1 + number // 900:02}01202401{code[0]}{number % 900 + 1:03}" for number in range(how_many)]
    with app.app_context(), unit_of_work() as session:
        instansi = session.scalars(select(Instansi).where(Instansi.code == code)).one()
        session.add_all(
            User(
                nip=nip,
                name=f"Calon Ke {number}",
                email=f"calon{number}@{code}.example",
                email_key=f"calon{number}@{code}.example",
                category=Category.CPNS,
                instansi=instansi,
                work_unit="Dinas Pasar",
                activation=Activation.WAITING_APPROVAL,
                activation_changed_at=now(),
            )
            for number, nip in enumerate(nips)
        )
    return nips


def page_for(kind: str) -> str:
    return f"{LISTS}?tindakan={kind}"


def send(
    visitor: Visitor, kind: str, nips: Iterable[str] = (), **fields: str | tuple[bytes, str]
) -> TestResponse:
    """Paste these NIPs into the form of this act, or choose a file, and ask what would happen."""
    return visitor.submit(page_for(kind), LISTS, nips="\r\n".join(nips), **fields)


def preview(visitor: Visitor, kind: str, nips: Iterable[str] = (), **fields: str | tuple[bytes, str]) -> str:
    """The same for a list without a fault. Returns the address of the preview."""
    answer = send(visitor, kind, nips, **fields)
    assert answer.status_code == 303, words_of(answer)
    return answer.location


def workbook(rows: Iterable[Sequence[object]]) -> tuple[bytes, str]:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return file.getvalue(), "Lampiran SK.xlsx"


def events_of(app: Flask, tag: Tag) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id)))


def states_of(app: Flask, nips: Iterable[str]) -> set[Activation]:
    with app.app_context(), reading() as session:
        return set(session.scalars(select(User.activation).where(User.nip.in_(list(nips)))))
