"""An admin with a file, and the worker that takes it over."""

import io
import re
from threading import Event

from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from app.domain.indonesian_time import now
from app.models import BatchState, ImportBatch, ImportFile, User
from app.runtime.db import reading, unit_of_work
from app.worker import jobs
from tests.cast import Person
from tests.desk import marks_on
from tests.visitor import Visitor, words_of

HEADER = "nip,nama,email,kategori,kode_instansi,unit_kerja"
NUSA_JAYA, CONTOH = "7301", "3402"


def staff_file(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows, "")).encode()


def newcomer(number: int, instansi: str = NUSA_JAYA, email: str | None = None) -> str:
    """A row of a person who is not on record."""
    address = f"orang{number}@nusajaya.example" if email is None else email
    return (
        f"19900101201001{1 + number // 999 % 2}{number % 999 + 1:03},Orang Ke "
        f"{number},{address},PNS,{instansi},Dinas Pasar"
    )


def upload(visitor: Visitor, content: bytes, name: str = "pegawai.csv", **fields: str) -> TestResponse:
    return visitor.submit("/admin/impor", file=(content, name), **fields)


def send(
    visitor: Visitor, token: str, content: bytes, name: str = "pegawai.csv", **fields: str
) -> TestResponse:
    """These fields and no others, with a token from wherever, as nobody's form does it."""
    boundary, body = encode_multipart(
        {"csrf_token": token, "file": FileStorage(io.BytesIO(content), name), **fields}
    )
    return visitor.client.post(
        "/admin/impor", data=body, content_type=f"multipart/form-data; boundary={boundary}"
    )


def uploaded(visitor: Visitor, content: bytes, name: str = "pegawai.csv", **fields: str) -> str:
    return page_behind(upload(visitor, content, name, **fields))


def page_behind(answer: TestResponse) -> str:
    """The page of the batch."""
    assert answer.status_code == 303, words_of(answer)
    return re.sub(r"^https?://[^/]+", "", answer.location)


def lying_there(app: Flask, person: Person, content: bytes, *, of_centre: bool = False) -> str:
    """The address of the page of a file that waits for the worker. The file is put into the table directly,
    because the page takes only one file of each admin at a time."""
    with app.app_context(), unit_of_work() as session:
        admin = session.scalars(select(User).where(User.nip == person.nip)).one()
        batch = ImportBatch(
            instansi_id=None if of_centre else admin.instansi_id, uploaded_by_id=admin.id, uploaded_at=now(),
            file_name="pegawai.csv", file_size=len(content), sha256="0" * 64, state=BatchState.UPLOADED,
        )  # fmt: skip
        session.add(batch)
        session.flush()
        session.add(ImportFile(batch_id=batch.id, content=content))
        return f"/admin/impor/{batch.id}"


def work(app: Flask) -> None:
    """The worker does everything that waits."""
    while jobs.do_next(app, Event()):
        pass


def checked(app: Flask, visitor: Visitor, content: bytes, name: str = "pegawai.csv", **fields: str) -> str:
    page = uploaded(visitor, content, name, **fields)
    work(app)
    return page


def run(visitor: Visitor, page: str) -> TestResponse:
    """Confirm an import. Everything that has to be ticked first is ticked."""
    shown = visitor.open(page)
    return visitor.submit(shown, f"{page}/jalankan", acknowledged=marks_on(shown))


def cancel(visitor: Visitor, page: str) -> TestResponse:
    return visitor.submit(page, f"{page}/batalkan")


def imported(app: Flask, visitor: Visitor, content: bytes, name: str = "pegawai.csv", **fields: str) -> str:
    """Import a file, from the upload to the end."""
    page = checked(app, visitor, content, name, **fields)
    assert run(visitor, page).status_code == 303
    work(app)
    return page


def batch_of(app: Flask, page: str) -> ImportBatch:
    with app.app_context(), reading() as session:
        return session.scalars(
            select(ImportBatch).where(ImportBatch.id == int(page.rpartition("/")[2]))
        ).one()
