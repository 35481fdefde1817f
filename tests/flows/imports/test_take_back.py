"""Wati finds that a file was wrong. Within a day it is taken back, except for what has changed since."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.act import Act
from app.domain.categories import Activation, Category
from app.domain.client import WORKER
from app.domain.identity import ChangeState
from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.flows.imports.run_batch import LEASE_LASTS
from app.models import (
    AdminMandate,
    AuditEvent,
    Base,
    IdentityChange,
    ImportChange,
    ImportLeft,
    ImportTakeBack,
    Instansi,
    Tag,
    TakeBackState,
    User,
)
from app.models.admin_mandate import Role
from app.models.base import PartialIndex
from app.runtime.db import reading, unit_of_work
from app.worker import imports, jobs
from app.worker.cleaning import clean_up
from tests.cast import BUDI, CINTA, JOKO, LESTARI, RAKA, RATNA, SARI, WATI, Person, email_of
from tests.conftest import MakeApp, people
from tests.desk import asked, latest_change, person_id, read_next_morning
from tests.flows.imports.importing import (
    CONTOH,
    NUSA_JAYA,
    checked,
    imported,
    lying_there,
    newcomer,
    staff_file,
    work,
)
from tests.flows.imports.test_admin_import import end_mandate, on_record, row, trail
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

NEW = newcomer(1)[:18]


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


@pytest.fixture
def ratna(peopled: Flask) -> Visitor:
    return logged_in(peopled, RATNA)


def ask(visitor: Visitor, page: str, reason: str = "Kolom tertukar.") -> str:
    """Press the button. Returns what the next page says."""
    answer = visitor.submit(f"{page}/kembalikan", f"{page}/kembalikan", reason=reason)
    assert answer.status_code == 303, words_of(answer)
    return words_of(visitor.open(f"{page}/kembalikan"))


def taken_back(app: Flask, visitor: Visitor, page: str) -> str:
    ask(visitor, page)
    work(app)
    return words_of(visitor.open(f"{page}/kembalikan"))


def take_back_of(app: Flask, page: str) -> ImportTakeBack:
    with app.app_context(), reading() as session:
        return session.get_one(ImportTakeBack, int(page.rpartition("/")[2]), populate_existing=True)


def left(app: Flask, page: str) -> dict[int, tuple[str, str]]:
    with app.app_context(), reading() as session:
        found = session.scalars(select(ImportLeft).where(ImportLeft.batch_id == int(page.rpartition("/")[2])))
        return {one.line: (one.columns, one.sentences) for one in found}


def change(app: Flask, nip: str, **values: object) -> None:
    """Change somebody's record, as some other act would have done since."""
    with app.app_context(), unit_of_work() as session:
        person = User.with_nip(session, Nip(nip))
        assert person is not None
        for column, value in values.items():
            setattr(person, column, value)


# -- the way of it
def test_everything_is_as_before_and_everybody_who_was_told_is_told(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    page = imported(
        peopled,
        wati,
        staff_file(newcomer(1), row(BUDI, name="Budi Salah", unit="Salah"), row(SARI, unit="Salah")),
    )
    inbox.fetch()
    assert "Kembalikan impor ini" in words_of(wati.open(page))

    said = taken_back(peopled, wati, page)

    assert (
        "Dikembalikan 2 baris Dihapus, belum pernah dipakai 1 baris Dibiarkan, seluruhnya atau sebagian 0 "
        "baris" in said
    )
    budi = on_record(peopled, BUDI.nip)
    assert budi is not None
    assert (budi.name, budi.work_unit) == (BUDI.name, BUDI.unit)
    assert on_record(peopled, NEW) is None
    letters = {letter.to: letter.text for letter in inbox.fetch()}
    assert letters.keys() == {BUDI.email, SARI.email}
    assert "seperti sebelum impor" in letters[BUDI.email or ""]
    assert "Kolom tertukar." in letters[BUDI.email or ""]
    (digest,) = read_next_morning(peopled, inbox)
    assert digest.to == RATNA.email
    assert "Impor yang dikembalikan" in digest.text
    assert "Wati Kusuma (admin Pemerintah Kabupaten Nusa Jaya): 1 kali, jumlah 3" in digest.text
    assert left(peopled, page) == {}


def test_the_trail_says_who_had_what_taken_back_and_stays_whole(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(newcomer(1), row(BUDI, unit="Salah")))
    taken_back(peopled, wati, page)

    events = trail(
        peopled, Tag.TAKE_BACK_ASKED, Tag.CHANGE_TAKEN_BACK, Tag.ACCOUNT_REMOVED, Tag.IMPORT_TAKEN_BACK
    )
    assert [event.tag for event in events] == [
        Tag.TAKE_BACK_ASKED, Tag.CHANGE_TAKEN_BACK, Tag.ACCOUNT_REMOVED, Tag.IMPORT_TAKEN_BACK,
    ]  # fmt: skip
    assert {event.actor_id for event in events} == {person_id(peopled, WATI)}
    assert events[1].detail["old_work_unit"] == "Salah"
    assert events[1].detail["new_work_unit"] == BUDI.unit
    assert events[2].detail["old_nip"] == NEW
    assert "o***@n***" in str(events[2].detail["old_email"])
    verified = peopled.test_cli_runner().invoke(args=["audit", "verify"])
    assert verified.exit_code == 0, verified.output
    assert "Akun yang sudah dihapus" in words_of(wati.open("/admin/audit"))


def test_the_nip_and_the_address_are_free_again_and_the_id_is_nobody_elses(
    peopled: Flask, wati: Visitor
) -> None:
    taken_back(peopled, wati, imported(peopled, wati, staff_file(newcomer(1))))
    with peopled.app_context(), reading() as session:
        [gone] = session.scalars(select(AuditEvent.account_id).where(AuditEvent.tag == Tag.ACCOUNT_REMOVED))
    rightly = newcomer(1).replace("Orang Ke 1", "Nama Benar")

    imported(peopled, wati, staff_file(rightly))

    person = on_record(peopled, NEW)
    assert person is not None
    assert person.name == "Nama Benar"
    assert person.id != gone
    with peopled.app_context(), reading() as session:
        assert [
            event.tag
            for event in session.scalars(select(AuditEvent).where(AuditEvent.account_id == person.id))
        ] == [Tag.IMPORTED_NEW]


def test_who_was_never_used_may_have_been_looked_at_and_tried_by_strangers(
    peopled: Flask, wati: Visitor
) -> None:
    """Otherwise anyone who knows a NIP could keep a wrong row on record."""
    page = imported(peopled, wati, staff_file(newcomer(1)))
    new = on_record(peopled, NEW)
    assert new is not None
    assert wati.open(f"/admin/pegawai/{new.id}").status_code == 200
    stranger = Visitor(peopled)
    stranger.ask_for_token(NEW, "bukan@nusajaya.example")
    stranger.log_in(NEW, "Salah-1234")
    stranger.reset_password("WDJB-MJHT", "Rahasia-12", NEW)

    taken_back(peopled, wati, page)

    assert on_record(peopled, NEW) is None


# -- what has changed since stays
def test_what_changed_since_stays_and_is_listed_with_line_and_reason(peopled: Flask, wati: Visitor) -> None:
    page = imported(
        peopled, wati, staff_file(row(BUDI, name="Budi Salah", unit="Salah"), row(SARI, unit="Salah"))
    )
    change(peopled, BUDI.nip, work_unit="Benar Sekarang")

    said = taken_back(peopled, wati, page)

    budi = on_record(peopled, BUDI.nip)
    assert budi is not None
    assert (budi.name, budi.work_unit) == (BUDI.name, "Benar Sekarang")
    assert left(peopled, page) == {2: ("work_unit", "Sudah diubah lagi setelah impor.")}
    assert "unit kerja Sudah diubah lagi" in said
    assert BUDI.nip in said
    assert "Dikembalikan 2 baris" in said
    assert "sebagian 1 baris" in said


@pytest.mark.parametrize(
    "use", ["token", "login", "mandate", "request", "deactivated", "changed", "by file", "nip"]
)
@pytest.mark.usefixtures("inbox")
def test_an_account_that_was_used_or_changed_since_stays(peopled: Flask, wati: Visitor, use: str) -> None:
    page = imported(peopled, wati, staff_file(newcomer(1)))
    new = on_record(peopled, NEW)
    assert new is not None
    assert new.email
    person = Person(NEW, new.name, new.email, Category.PNS, new.activation, NUSA_JAYA, new.work_unit)
    match use:
        case "token":
            Visitor(peopled).ask_for_token(NEW, new.email)
        case "login":
            change(peopled, NEW, last_login_at=now(), activation=Activation.ACTIVE)
        case "mandate":
            with peopled.app_context(), unit_of_work() as session:
                session.add(
                    AdminMandate(user_id=new.id, role=Role.ADMIN_INSTANSI, instansi_id=new.instansi_id,
                    sk_number="SK",
                                 starts_on=now().date() - timedelta(days=9),
                                 ends_on=now().date() - timedelta(days=5))
                )  # fmt: skip
        case "request":
            asked(peopled, person, "lain@nusajaya.example")
        case "deactivated":
            assert wati.submit(f"/admin/pegawai/{new.id}/nonaktifkan", reason="x").status_code == 303
        case "changed":
            with peopled.app_context(), unit_of_work() as session:
                session.add(
                    AuditEvent(at=now(), tag=Tag.RECORD_CORRECTED, account_id=new.id, client_address="-",
                    user_agent="-",
                               request_id="-", detail={}, instansi_id=new.instansi_id)
                )  # fmt: skip
        case "by file":
            imported(peopled, wati, staff_file(newcomer(1).replace("Pasar", "Lain")))
        case "nip":
            with peopled.app_context(), unit_of_work() as session:
                session.add(
                    AuditEvent(at=now(), tag=Tag.NIP_CHANGED, account_id=new.id, client_address="-",
                    user_agent="-",
                               request_id="-", detail={}, instansi_id=new.instansi_id)
                )  # fmt: skip

    taken_back(peopled, wati, page)

    assert on_record(peopled, NEW) is not None
    [(columns, sentence)] = left(peopled, page).values()
    assert columns == "nip"
    assert sentence
    assert take_back_of(peopled, page).result == {"put_back": 0, "removed": 0, "left": 1}


def test_an_address_of_an_account_that_came_into_use_is_for_its_page(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(row(BUDI, email="baru@nusajaya.example")))
    change(peopled, BUDI.nip, last_login_at=now(), activation=Activation.ACTIVE)

    taken_back(peopled, wati, page)

    budi = on_record(peopled, BUDI.nip)
    assert budi is not None
    assert budi.email == "baru@nusajaya.example"
    assert "halaman pegawai" in left(peopled, page)[2][1]
    change_of_budi = latest_change(peopled, BUDI)
    assert change_of_budi is not None, "nothing was begun"
    assert not change_of_budi.is_under_way, "nothing was begun"


@pytest.mark.usefixtures("inbox")
def test_an_address_that_the_owner_has_stopped_is_for_a_second_admin(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(row(BUDI, email="baru@nusajaya.example")))
    with peopled.app_context(), unit_of_work() as session:
        stopped = session.scalars(
            select(IdentityChange).where(IdentityChange.new_value == "baru@nusajaya.example")
        ).one()
        stopped.state, stopped.ended_at = ChangeState.FROZEN, now()

    taken_back(peopled, wati, page)

    assert left(peopled, page)[2][0] == "email"


def test_an_address_comes_back_with_its_letters(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    page = imported(peopled, wati, staff_file(row(BUDI, email="salah@nusajaya.example")))
    inbox.fetch()

    taken_back(peopled, wati, page)

    budi = on_record(peopled, BUDI.nip)
    assert budi is not None
    assert budi.email == BUDI.email
    assert BUDI.email in {letter.to for letter in inbox.fetch()}
    back = latest_change(peopled, BUDI)
    assert back is not None
    assert back.new_value == BUDI.email
    assert "Kolom tertukar." in back.reason


def test_an_address_where_there_was_none_goes_and_its_mailbox_hears_of_it(
    peopled: Flask, inbox: Inbox
) -> None:
    raka = logged_in(peopled, RAKA)
    page = imported(peopled, raka, staff_file(row(LESTARI, email="lestari@nusajaya.example")))
    inbox.fetch()

    taken_back(peopled, raka, page)

    lestari = on_record(peopled, LESTARI.nip)
    assert lestari is not None
    assert lestari.email is None
    assert lestari.email_key is None
    back = latest_change(peopled, LESTARI)
    assert back is not None
    assert back.new_shown == "tanpa email"
    told = [letter for letter in inbox.fetch() if letter.to == "lestari@nusajaya.example"]
    assert ["tidak terdaftar lagi" in letter.text for letter in told] == [True] * len(told)
    assert raka.open(f"/admin/pegawai/{lestari.id}").status_code == 200
    assert raka.open(f"/admin/perbaikan-email/perubahan/{back.id}").status_code == 200


def test_an_address_that_somebody_else_has_by_now_is_not_given_back(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(row(BUDI, email="baru@nusajaya.example")))
    imported(peopled, wati, staff_file(newcomer(1, email=BUDI.email)))

    taken_back(peopled, wati, page)

    assert "sudah terdaftar untuk pegawai lain" in left(peopled, page)[2][1]


@pytest.mark.parametrize("setting", ["admin", "otomatis"])
def test_who_was_made_a_cpns_by_mistake_stands_where_he_stood(
    make_app: MakeApp, password_hash: str, setting: str
) -> None:
    app = make_app(CPNS_ACTIVATION=setting)
    people(app, password_hash)
    wati = logged_in(app, WATI)
    page = imported(app, wati, staff_file(row(BUDI, category="CPNS"), row(CINTA, category="PNS")))
    made = on_record(app, BUDI.nip)
    assert made is not None
    assert made.activation is Activation.WAITING_APPROVAL

    taken_back(app, wati, page)

    budi, cinta = on_record(app, BUDI.nip), on_record(app, CINTA.nip)
    assert budi is not None
    assert (budi.category, budi.activation) == (Category.PNS, Activation.NOT_ACTIVATED)
    assert cinta is not None
    assert (cinta.category, cinta.activation) == (
        Category.CPNS,
        Activation.WAITING_APPROVAL,
    )
    assert left(app, page) == {}


def test_a_category_that_guards_the_account_is_for_its_page(peopled: Flask, ratna: Visitor) -> None:
    page = imported(peopled, ratna, staff_file(row(BUDI, category="PPT Non ASN")))

    taken_back(peopled, ratna, page)

    assert "admin kedua" in left(peopled, page)[2][1]


def test_the_centre_has_people_moved_back(peopled: Flask, ratna: Visitor) -> None:
    page = imported(peopled, ratna, staff_file(row(BUDI, instansi=CONTOH), row(SARI, instansi=CONTOH)))

    taken_back(peopled, ratna, page)

    for person in (BUDI, SARI):
        found = on_record(peopled, person.nip)
        assert found is not None
        assert found.instansi.code == person.instansi


def test_who_moved_away_or_became_an_admin_since_is_not_touched(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(row(BUDI, unit="Salah"), row(SARI, unit="Salah"), newcomer(1)))
    with peopled.app_context(), unit_of_work() as session:
        elsewhere = session.scalars(select(Instansi.id).where(Instansi.code == CONTOH)).one()
        sari = session.scalars(select(User).where(User.nip == SARI.nip)).one()
        session.add(
            AdminMandate(user_id=sari.id, role=Role.ADMIN_INSTANSI, instansi_id=sari.instansi_id,
            sk_number="SK",
                         starts_on=now().date() - timedelta(days=2),
                         ends_on=now().date() + timedelta(days=50))
        )  # fmt: skip
    change(peopled, BUDI.nip, instansi_id=elsewhere)

    taken_back(peopled, wati, page)

    assert {line: what[0] for line, what in left(peopled, page).items()} == {2: "work_unit", 3: "work_unit"}
    assert "pindah" in left(peopled, page)[2][1]
    assert "mandat admin" in left(peopled, page)[3][1]


# -- who may, and when
def test_it_is_done_once(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(newcomer(1)))
    token = wati.csrf_token(f"{page}/kembalikan")
    taken_back(peopled, wati, page)

    assert "Kembalikan impor ini" not in words_of(wati.open(page))
    wati.post(f"{page}/kembalikan", csrf_token=token, reason="sekali lagi")
    assert "hanya dikembalikan satu kali" in words_of(wati.open(f"{page}/kembalikan"))
    assert len(trail(peopled, Tag.TAKE_BACK_ASKED)) == 1


def test_of_several_who_ask_at_once_one_is_heard(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(newcomer(1)))
    visitors = [logged_in(peopled, WATI) for _ in range(4)]
    tokens = [visitor.csrf_token(f"{page}/kembalikan") for visitor in visitors]
    start = Barrier(4)

    def click(number: int) -> int:
        start.wait()
        return (
            visitors[number]
            .post(f"{page}/kembalikan", csrf_token=tokens[number], reason="Salah.")
            .status_code
        )

    with ThreadPoolExecutor(4) as crowd:
        assert set(crowd.map(click, range(4))) == {303}
    assert len(trail(peopled, Tag.TAKE_BACK_ASKED)) == 1


def test_after_a_day_it_is_too_late_and_the_page_says_so(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(newcomer(1)))
    with time_machine.travel(now() + timedelta(hours=23, minutes=50), tick=True):
        assert "Kembalikan impor ini" in words_of(logged_in(peopled, WATI).open(page))
    with time_machine.travel(now() + timedelta(hours=24, minutes=1), tick=True):
        late = logged_in(peopled, WATI)
        assert "Kembalikan impor ini" not in words_of(late.open(page))
        assert "waktu itu sudah lewat" in words_of(late.open(f"{page}/kembalikan"))
        late.post(f"{page}/kembalikan", csrf_token=late.csrf_token("/admin/impor"), reason="Terlambat.")
        work(peopled)

    assert on_record(peopled, NEW) is not None
    assert not trail(peopled, Tag.TAKE_BACK_ASKED)


def test_it_needs_a_reason_and_the_password_again(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(newcomer(1)))

    assert wati.submit(f"{page}/kembalikan", f"{page}/kembalikan", reason=" ").status_code == 422
    with time_machine.travel(now() + timedelta(minutes=11), tick=True):
        assert wati.submit(f"{page}/kembalikan", f"{page}/kembalikan", reason="Salah.").status_code == 403
    assert not trail(peopled, Tag.TAKE_BACK_ASKED)


def test_whoever_does_not_reach_the_file_does_not_find_the_page(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    page = imported(peopled, wati, staff_file(newcomer(1)))
    of_centre = imported(peopled, ratna, staff_file(newcomer(2)))
    raka = logged_in(peopled, RAKA)

    for visitor, address in ((raka, page), (wati, of_centre)):
        assert visitor.open(f"{address}/kembalikan").status_code == 404
        token = visitor.csrf_token("/admin/impor")
        assert visitor.post(f"{address}/kembalikan", csrf_token=token, reason="x").status_code == 404
    assert "Kembalikan impor" in words_of(ratna.open(f"{page}/kembalikan"))


def test_what_is_not_over_or_has_changed_nothing_cannot_be_taken_back(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1)))
    assert "belum selesai" in words_of(wati.open(f"{page}/kembalikan"))
    raka = logged_in(peopled, RAKA)
    refused = imported(peopled, raka, staff_file(newcomer(2, CONTOH), newcomer(2, CONTOH)))
    again = lying_there(peopled, RAKA, staff_file("x"))
    work(peopled)

    assert "Kembalikan impor ini" in words_of(raka.open(refused))
    assert "belum selesai" in words_of(raka.open(f"{again}/kembalikan"))


def test_a_mandate_that_ends_after_the_click_stops_it_and_a_colleague_goes_on(
    peopled: Flask, wati: Visitor, ratna: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ROWS_A_CHUNK", 2)
    page = imported(peopled, wati, staff_file(*(newcomer(number) for number in range(5))))
    ask(wati, page)
    turns = jobs.all_turns(peopled)
    turns.next()
    end_mandate(peopled, WATI)
    while turns.next() is not None:
        pass

    stopped = take_back_of(peopled, page)
    assert stopped.state is TakeBackState.STOPPED
    assert stopped.result["removed"] == 2
    assert "tidak berlaku lagi" in words_of(ratna.open(f"{page}/kembalikan"))

    taken_back(peopled, ratna, page)

    done = take_back_of(peopled, page)
    assert done.state is TakeBackState.DONE
    assert done.result["removed"] == 5
    assert len(trail(peopled, Tag.ACCOUNT_REMOVED)) == 5


# -- in the middle, and by turns
def test_a_worker_that_dies_in_the_middle_loses_nothing_and_does_nothing_twice(
    peopled: Flask, wati: Visitor, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ROWS_A_CHUNK", 3)
    rows = (row(BUDI, unit="Salah"), row(SARI, unit="Salah"), *(newcomer(number) for number in range(8)))
    page = imported(peopled, wati, staff_file(*rows))
    inbox.fetch()
    ask(wati, page)
    dead = jobs.all_turns(peopled)
    dead.next()
    dead.next()
    work(peopled)
    assert take_back_of(peopled, page).state is TakeBackState.RUNNING, "somebody may still have it in hand"

    with time_machine.travel(now() + LEASE_LASTS, tick=True):
        work(peopled)
        while dead.next() is not None:  # the worker was not dead, only slow, and does nothing more
            pass

    assert take_back_of(peopled, page).result == {"put_back": 2, "removed": 8, "left": 0}
    assert len(trail(peopled, Tag.ACCOUNT_REMOVED)) == 8
    assert len(trail(peopled, Tag.CHANGE_TAKEN_BACK)) == 2
    assert len(trail(peopled, Tag.IMPORT_TAKEN_BACK)) == 1
    with time_machine.travel(now() + LEASE_LASTS * 2, tick=True):
        told = inbox.fetch()
    assert sorted(letter.to for letter in told) == sorted([email_of(BUDI), email_of(SARI)])
    (digest,) = read_next_morning(peopled, inbox)
    assert (
        "Impor yang dikembalikan\n- Wati Kusuma (admin Pemerintah Kabupaten Nusa Jaya): 1 kali" in digest.text
    )


def test_taking_back_waits_for_its_turn_like_any_file(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = imported(peopled, wati, staff_file(*(newcomer(number) for number in range(9))))
    monkeypatch.setattr(imports, "ROWS_A_CHUNK", 1)
    ask(wati, page)
    turns = jobs.all_turns(peopled)
    for _ in range(3):
        turns.next()
    small = lying_there(peopled, RAKA, staff_file(newcomer(50, CONTOH)))
    for _ in range(3):
        turns.next()

    with peopled.app_context(), reading() as session:
        assert session.get_one(ImportTakeBack, int(page.rpartition("/")[2])).result["removed"] < 9
    assert "Akan ditambahkan 1 baris" in words_of(logged_in(peopled, RAKA).open(small))
    turns.release()


# -- the rule
COLUMNS = ("name", "work_unit", "phone", "email", "category", "activation")


def table_of(app: Flask) -> dict[str, dict[str, object]]:
    with app.app_context(), reading() as session:
        found = session.scalars(select(User).execution_options(populate_existing=True))
        return {person.nip: {column: getattr(person, column) for column in COLUMNS} for person in found}


@pytest.mark.parametrize("seed", range(6))
def test_the_table_is_as_before_exactly_where_nothing_has_changed_since(
    peopled: Flask, wati: Visitor, seed: int
) -> None:
    chance = random.Random(seed)
    header = "nip,nama,email,kategori,kode_instansi,unit_kerja,telepon"
    known = [newcomer(number, email="" if number % 4 == 0 else None) + "," for number in range(12)]
    imported(peopled, wati, staff_file(*known, header=header))
    before = table_of(peopled)

    def changed(line: str) -> str:
        nip, name, email, category, instansi, unit, phone = line.split(",")
        return ",".join((
            nip,
            chance.choice((name, f"{name} Baru")),
            chance.choice((email, email, f"lain{nip[-3:]}@nusajaya.example")),
            chance.choice((category, category, "CPNS", "PPPK")),
            instansi,
            chance.choice((unit, "Dinas Lain")),
            chance.choice((phone, "0812 555 0123")),
        ))  # fmt: skip

    new = [f"{newcomer(number)}," for number in range(20, 26)]
    lines = [changed(line) for line in known] + new
    chance.shuffle(lines)
    page = imported(peopled, wati, staff_file(*lines, header=header))
    between = table_of(peopled)

    since: dict[str, set[str]] = {}
    for nip in chance.sample(sorted(between.keys() - {person.nip for person in (WATI, RAKA, RATNA)}), 9):
        if nip in before:
            changed_column, third = chance.choice(
                (("name", "Nama Ketiga"), ("work_unit", "Unit Ketiga"), ("phone", "0812-555-0999"))
            )
            change(peopled, nip, **{changed_column: third})
            since[nip] = {changed_column}
        elif email := between[nip]["email"]:
            Visitor(peopled).ask_for_token(nip, str(email))
            since[nip] = set(COLUMNS)
    changed_since = table_of(peopled)

    taken_back(peopled, wati, page)

    after = table_of(peopled)
    assert after.keys() == before.keys() | {nip for nip in since if nip not in before}
    for nip, values in after.items():
        for column, value in values.items():
            untouched = column not in since.get(nip, set())
            expected = before[nip][column] if nip in before and untouched else changed_since[nip][column]
            assert value == expected, (nip, column)
    listed = left(peopled, page)
    assert all(sentence for _, sentence in listed.values())


def test_whoever_removes_an_account_reads_no_table_from_end_to_end() -> None:
    """The database looks for the account in every column that refers to accounts. Columns of small tables are
    left out here."""
    small = {"admin_mandate", "import_batch", "import_take_back"}
    without = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "user_account" for key in column.foreign_keys)
        and table.name not in small
        and not any(next(iter(index.columns)) is column and not isinstance(index, PartialIndex)
                    for index in table.indexes)
    ]  # fmt: skip
    assert without == []


def test_what_was_left_is_forgotten_after_a_month(peopled: Flask, wati: Visitor) -> None:
    page = imported(peopled, wati, staff_file(row(BUDI, unit="Salah")))
    change(peopled, BUDI.nip, work_unit="Benar")
    taken_back(peopled, wati, page)
    assert len(left(peopled, page)) == 1

    with peopled.app_context():
        clean_up(Act(WORKER, now() + timedelta(days=31), None))

    assert left(peopled, page) == {}
    with peopled.app_context(), reading() as session:
        assert session.scalars(select(ImportChange)).all() == []


def test_a_long_list_of_what_was_left_goes_on_by_pages(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.blueprints.admin import imports

    monkeypatch.setattr(imports, "LINES_A_PAGE", 2)
    page = imported(
        peopled, wati, staff_file(row(BUDI, unit="Salah"), row(SARI, unit="Salah"), row(JOKO, unit="Salah"))
    )
    for person in (BUDI, SARI, JOKO):
        change(peopled, person.nip, work_unit="Benar")
    first = taken_back(peopled, wati, page)

    assert BUDI.nip in first
    assert SARI.nip in first
    assert JOKO.nip not in first
    assert JOKO.nip in words_of(wati.open(f"{page}/kembalikan?sesudah=3"))
