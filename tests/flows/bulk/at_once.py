"""An admin who does something to many people at once, and the worker that does it."""

import re
from collections import Counter
from datetime import timedelta
from threading import Event

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.categories import Activation, Category
from app.domain.indonesian_time import now
from app.models import AuditEvent, BulkAct, BulkActRow, Instansi, Letter, MailState, OutboxMail, Tag, User
from app.runtime.db import reading, unit_of_work
from app.worker import jobs
from tests.cast import Person
from tests.desk import person_id
from tests.visitor import Visitor, words_of

LIST, NEW = "/admin/sekaligus", "/admin/sekaligus/baru"


def choose(app: Flask, visitor: Visitor, *people: Person) -> TestResponse:
    """Tick these people in the list. Returns the page that asks what shall be done to them."""
    ids = [str(person_id(app, person)) for person in people]
    return visitor.submit("/admin/pegawai", NEW, pilih=ids, siapa="centang")


def choose_all(visitor: Visitor, query: str = "") -> TestResponse:
    """Choose all whom a search finds."""
    return visitor.submit(visitor.open(f"/admin/pegawai?{query}"), NEW, siapa="semua")


def prepare(visitor: Visitor, chosen: TestResponse, **fields: str) -> str:
    """Send the form of the chosen people. Returns the address of the preview."""
    answer = visitor.submit(chosen, NEW, **fields)
    assert answer.status_code == 303, words_of(answer)
    return re.sub(r"^https?://[^/]+", "", answer.location)


def start(visitor: Visitor, page: str) -> str:
    """Press the button of the preview. Returns what the next page says."""
    answer = visitor.submit(page, f"{page}/jalankan")
    assert answer.status_code == 303, words_of(answer)
    return words_of(visitor.open(answer.location))


def work(app: Flask) -> None:
    """The worker does everything that waits."""
    while jobs.do_next(app, Event()):
        pass


def act_of(app: Flask, page: str) -> BulkAct:
    with app.app_context(), reading() as session:
        return session.get_one(BulkAct, _id_in(page))


def outcomes_of(app: Flask, page: str) -> dict[str, str]:
    """What became of each person, by name; people who are gone have none."""
    with app.app_context(), reading() as session:
        rows = session.scalars(select(BulkActRow).where(BulkActRow.bulk_act_id == _id_in(page))).all()
        return {row.person.name if row.person else "": row.outcome or "" for row in rows}


def add_people(app: Flask, how_many: int, code: str = "7301") -> None:
    """People who were imported and never came in."""
    with app.app_context(), unit_of_work() as session:
        instansi = session.scalars(select(Instansi).where(Instansi.code == code)).one()
        session.add_all(
            User(
                nip=f"1981{1 + number // 1000:02}01201001{1 + number // 500 % 2}{number % 500 + 100:03}",
                name=f"Pegawai Ke {number}",
                email=f"pegawai{number}@nusajaya.example",
                email_key=f"pegawai{number}@nusajaya.example",
                category=Category.PNS,
                instansi=instansi,
                work_unit="Dinas Pasar",
                activation=Activation.NOT_ACTIVATED,
                activation_changed_at=now(),
            )
            for number in range(how_many)
        )


def _id_in(page: str) -> int:
    return int(page.rpartition("/")[2])


def make_admin(app: Flask, person: Person, code: str = "7301") -> None:
    """Make somebody an admin of an instansi at the command line."""
    until = (now() + timedelta(days=300)).date().isoformat()
    granted = app.test_cli_runner().invoke(
        args=["admin", "grant", person.nip, "--instansi", code, "--sk", "SK-3/2026", "--until", until]
    )
    assert granted.exit_code == 0, granted.output


def tokens_sent(app: Flask) -> Counter[int]:
    """How many tokens were posted to each person."""
    with app.app_context(), reading() as session:
        posted = select(OutboxMail.user_id).where(
            OutboxMail.letter == Letter.TOKEN, OutboxMail.state != MailState.HELD
        )
        return Counter(one for one in session.scalars(posted) if one is not None)


def events_of(app: Flask, tag: Tag) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id)))
