"""An admin narrows the queue: each filter gives just the requests that fit, in one order, page by page, and
an answer leads to the next of them."""

import functools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.corrections import Age, CorrectionField
from app.domain.indonesian_time import now, today_in_jakarta
from app.domain.nip import Nip
from app.domain.spoken_name import asked_for
from app.flows.correction import correction_queue
from app.flows.correction.correction_queue import Hand, QueueFilter, marks_of, open_corrections
from app.flows.correction.review_correction import review
from app.models import CorrectionAttachment, EmailCorrection, TakenCorrection, User
from app.runtime.db import engine, reading, unit_of_work
from app.security.authority import Authority
from tests.cast import BUDI, DEWI, HADI, JOKO, RAKA, RATNA, SARI, TONO, WATI, Person
from tests.desk import asked, person_id
from tests.flows.attacks.test_same_answer import statements
from tests.flows.people.test_people_scale import _statements_of
from tests.visitor import logged_in, words_of

QUEUE = "/admin/perbaikan-email"
PEOPLE = (BUDI, DEWI, HADI, JOKO, SARI, TONO, RAKA)
HOURS = (0.2, 3.9, 4.0, 8, 11.99, 12, 20, 23.9, 24, 30, 100)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(now(), tick=False):
        yield


@pytest.fixture
def queue(peopled: Flask) -> Flask:
    """Requests of every kind, drawn at random but always the same."""
    draw, at = random.Random(14), now()
    admins = [person_id(peopled, one) for one in (WATI, RATNA)]
    for number, hours in enumerate(HOURS * 2):
        person = draw.choice(PEOPLE)
        address = draw.choice((f"surat{number}@contoh.example", f"surat{number}@gmial.com"))
        request_id = asked(peopled, person, address, timedelta(hours=hours))
        with peopled.app_context(), unit_of_work() as session:
            if draw.random() < 0.4:
                session.get_one(EmailCorrection, request_id).field = draw.choice(list(CorrectionField))
            if draw.random() < 0.4:
                session.add(
                    CorrectionAttachment(
                        correction_id=request_id, media_type="application/pdf", content=b"%PDF", added_at=at
                    )
                )
            if draw.random() < 0.5:
                taken_at = at - draw.choice((timedelta(minutes=5), timedelta(hours=3)))
                TakenCorrection.take(session, request_id, draw.choice(admins), taken_at)
    return peopled


@dataclass(frozen=True)
class Row:
    one: EmailCorrection
    person: User
    taken_by: int | None
    has_file: bool
    is_heavy: bool

    @property
    def waited(self) -> timedelta:
        return now() - (self.one.submitted_at or now())


def _listed(app: Flask, admin: Person, wanted: QueueFilter, most: int = 3) -> list[int]:
    """All pages of the list, one after the other."""
    ids: list[int] = []
    with app.app_context(), reading() as session:
        held = _authority(session, admin)
        after = None
        while True:
            page = open_corrections(session, held, wanted, after, now(), most)
            ids += [one.id for one in page.rows]
            after = page.next
            if after is None:
                return ids


def _authority(session: Session, admin: Person) -> Authority:
    user = session.scalars(select(User).where(User.nip == admin.nip)).one()
    held = Authority.of(session, user, today_in_jakarta(now()))
    assert held is not None
    return held


def _fits(app: Flask, admin: Person, fits: "Callable[[Row], bool]") -> list[int]:
    """The same by a plain look at every row."""
    with app.app_context(), reading() as session:
        held = _authority(session, admin)
        rows = [
            one
            for one in session.scalars(select(EmailCorrection))
            if one.user is not None and held.covers(one.user.instansi_id)
        ]
        marks = marks_of(session, rows, now())
        kept = [
            one
            for one in rows
            if fits(
                Row(
                    one,
                    _person_of(one),
                    marks.taken[one.id].taken_by_id if one.id in marks.taken else None,
                    one.id in marks.with_attachment,
                    bool(review(session, held, one, now()).heavy),
                )
            )
        ]
    return [one.id for one in sorted(kept, key=lambda one: (one.submitted_at or now(), one.id))]


def _person_of(one: EmailCorrection) -> User:
    assert one.user is not None
    return one.user


FILTERS: dict[str, tuple[QueueFilter, Callable[[Row], bool]]] = {
    "everything": (QueueFilter(), lambda _row: True),
    **{
        f"age {age}": (QueueFilter(age=age), lambda row, age=age: Age.of(row.waited) is age)  # type: ignore[misc]
        for age in Age
    },
    **{
        f"kind {kind}": (QueueFilter(field=kind), lambda row, kind=kind: row.one.field is kind)  # type: ignore[misc]
        for kind in CorrectionField
    },
    "unit": (QueueFilter(work_unit="dinas"), lambda row: "dinas" in row.person.work_unit.lower()),
    "a unit with a sign of LIKE": (QueueFilter(work_unit="%"), lambda row: "%" in row.person.work_unit),
    "attachment": (QueueFilter(has_attachment=True), lambda row: row.has_file),
    "heavy": (QueueFilter(has_heavy_warning=True), lambda row: row.is_heavy),
    "nobody's": (QueueFilter(hand=Hand.NOBODYS), lambda row: row.taken_by is None),
    "nip": (QueueFilter(nip=Nip(SARI.nip)), lambda row: row.person.nip == SARI.nip),
    "name": (
        QueueFilter(words=tuple(asked_for("joko prab"))),
        lambda row: row.person.nip == JOKO.nip,
    ),
    "several together": (
        QueueFilter(age=Age.LATE, has_attachment=True, hand=Hand.NOBODYS),
        lambda row: Age.of(row.waited) is Age.LATE and row.has_file and row.taken_by is None,
    ),
}


def test_each_filter_gives_the_rows_that_a_plain_look_gives(queue: Flask) -> None:
    found = 0
    for admin in (WATI, RATNA):
        for name, (wanted, fits) in FILTERS.items():
            expected = _fits(queue, admin, fits)
            assert _listed(queue, admin, wanted) == expected, (admin.name, name)
            found += len(expected)
        me = person_id(queue, admin)
        mine = _fits(queue, admin, lambda row, me=me: row.taken_by == me)  # type: ignore[misc]
        assert _listed(queue, admin, QueueFilter(hand=Hand.MINE)) == mine
        assert mine
    assert found > 60, "the filters find something"


def test_the_bands_of_age_together_are_everything(queue: Flask) -> None:
    bands = [_listed(queue, RATNA, QueueFilter(age=age)) for age in Age]

    assert all(bands)
    assert sorted(one for band in bands for one in band) == sorted(_listed(queue, RATNA, QueueFilter()))


def test_the_address_says_what_is_looked_for_and_an_answer_keeps_it(peopled: Flask) -> None:
    wati = logged_in(peopled, WATI)
    old, unlike, third = (
        asked(peopled, person, f"{hours}@contoh.example", timedelta(hours=hours))
        for person, hours in ((JOKO, 30), (BUDI, 28), (SARI, 26))
    )
    with peopled.app_context(), unit_of_work() as session:
        session.get_one(EmailCorrection, unlike).user.work_unit = "RSUD"  # type: ignore[union-attr]
        for one in (old, third):
            session.get_one(EmailCorrection, one).user.work_unit = "Dinas Kesehatan"  # type: ignore[union-attr]

    listed = wati.open(f"{QUEUE}?umur=lewat&unit=kesehatan&tangan=&jenis=tidak-ada")
    first = f"{QUEUE}/{old}?unit=kesehatan&umur=lewat"
    assert first.replace("&", "&amp;") in listed.text
    page = wati.open(first)
    answer = wati.submit(page, f"{QUEUE}/{old}/tolak?unit=kesehatan&umur=lewat", reason="Tidak cocok.")

    assert "Budi" not in words_of(listed)
    assert answer.location.endswith(f"/{third}?unit=kesehatan&umur=lewat")
    last = wati.submit(
        answer.location, f"{QUEUE}/{third}/tolak?unit=kesehatan&umur=lewat", reason="Tidak cocok."
    )
    assert last.location.endswith(f"{QUEUE}?unit=kesehatan&umur=lewat")
    assert "Tidak ada yang cocok" in words_of(wati.open(last.location))


def test_one_field_finds_a_ticket_a_nip_or_a_name(peopled: Flask) -> None:
    asked(peopled, JOKO, "joko@nusajaya.example")
    asked(peopled, BUDI, "budi.baru@contoh.example")
    wati = logged_in(peopled, WATI)

    def found(typed: str, view: str = "terbuka") -> str:
        page = wati.client.get(QUEUE, query_string={"cari": typed, "lihat": view})
        return words_of(page)

    assert "Joko Prabowo" in found(Nip(JOKO.nip).grouped)
    assert "Budi" not in found(JOKO.nip)
    assert "Joko Prabowo" in found("prabowo JOKO")
    assert "Tidak ada yang cocok" in found("lestari")
    assert "Tidak ada yang cocok" in found(RAKA.nip), "as for somebody without a request"
    assert "NIP lengkap" in found("1982110")
    assert "NIP lengkap" in found("?!")
    assert "nomor tiket atau NIP lengkap" in found("joko", "selesai")
    assert "Tidak ada yang cocok" in found(JOKO.nip, "selesai")
    assert wati.client.get(QUEUE, query_string={"cari": "\x00joko", "unit": "\x00"}).status_code == 200


def test_pusat_names_an_instansi_by_code_or_words(peopled: Flask) -> None:
    asked(peopled, JOKO, "joko@nusajaya.example")
    asked(peopled, HADI, "hadi.baru@contoh.example")
    ratna = logged_in(peopled, RATNA)

    def found(typed: str) -> str:
        return words_of(ratna.client.get(QUEUE, query_string={"instansi": typed}))

    assert "<option" not in ratna.open(QUEUE).text.split("umur")[0], "no list of 600 instansi"
    for typed in ("7301", "nusa jaya"):
        assert "Joko" in found(typed)
        assert "Hadi" not in found(typed)
    assert "Instansi yang mana?" in found("a")
    assert "Tidak ada instansi dengan kode atau nama itu" in found("tidak ada")


def test_a_list_of_heavy_warnings_goes_on_where_it_stopped_looking(
    peopled: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_page_of_two = functools.partial(correction_queue.open_corrections, most=2)
    monkeypatch.setattr("app.blueprints.admin.corrections.open_corrections", a_page_of_two)
    for hours, (person, name) in enumerate(((SARI, None), (BUDI, None), (JOKO, "Orang Lain")), start=1):
        asked(peopled, person, f"surat{hours}@contoh.example", timedelta(hours=9 - hours), name=name)
    wati = logged_in(peopled, WATI)

    first = wati.open(f"{QUEUE}?peringatan=berat")
    following = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")

    assert "Baru sebagian antrean" in words_of(first)
    assert "Joko" in words_of(wati.open(following))


def test_the_search_for_the_next_one_has_an_end_however_many_wait(peopled: Flask) -> None:
    wati, costs = logged_in(peopled, WATI), []
    for waiting in (40, 40, 60):
        answered = asked(peopled, JOKO, "joko.baru@contoh.example", timedelta(hours=30), name="Orang Lain")
        for number in range(waiting):
            asked(peopled, SARI, "sari.baru@contoh.example", timedelta(minutes=number))
        path = f"{QUEUE}/{answered}"
        wati.open(path)
        token = wati.csrf_token(f"{path}?peringatan=berat")

        with statements(peopled) as seen:
            led_to = wati.post(f"{path}/tolak?peringatan=berat", csrf_token=token, reason="Data tidak cocok.")

        costs.append(len(seen))
        assert led_to.status_code == 303
        assert led_to.location.endswith(f"{QUEUE}?peringatan=berat"), "to the queue, where they can look on"

    assert costs[2] <= costs[1] <= costs[0] + 5, costs


@pytest.mark.parametrize("admin", [WATI, RATNA], ids=["instansi", "pusat"])
def test_every_filter_reads_through_an_index(queue: Flask, admin: Person) -> None:
    visitor = logged_in(queue, admin)
    asked_for_it = _statements_of(queue)
    for fields in (
        "", "umur=lewat", "unit=dinas", "jenis=nip", "tangan=saya", "tangan=kosong", "lampiran=ada",
        "peringatan=berat", f"cari={SARI.nip}", "cari=joko+prabowo", "lihat=pemohon",
        f"lihat=selesai&cari={SARI.nip}",
    ):  # fmt: skip
        assert visitor.open(f"{QUEUE}?{fields}").status_code == 200

    of_the_queue = {
        statement: values
        for statement, (_, values) in asked_for_it.items()
        if "FROM email_correction" in statement and "LIMIT" in statement
    }
    assert len(of_the_queue) >= 8
    for statement, values in of_the_queue.items():
        plan = _plan(queue, statement, values)
        read_through = [f"{scan} {table}" for scan in ("SCAN", "Seq Scan on") for table in _LARGE]
        assert not [scan for scan in read_through if scan in plan], (plan, statement)


_LARGE = ("email_correction", "user_account", "name_word", "outbox_mail", "identity_change")


def _plan(app: Flask, statement: str, values: object) -> str:
    with app.app_context(), engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
            return "\n".join(row[3] for row in rows)
        connection.exec_driver_sql("SET enable_seqscan = off")  # as among many rows
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values))  # type: ignore[arg-type]
