"""What happens between the preview and the last row: a worker dies, somebody else acts, a mandate ends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from app.domain.categories import Activation
from app.domain.indonesian_time import now
from app.flows.bulk import send_tokens
from app.flows.people.send_token import send_token_to
from app.models import AdminMandate, BulkState, Instansi, Tag, User, WhyStopped
from app.models.login_session import LoginSession
from app.models.outbox_mail import MailState
from app.runtime.db import unit_of_work
from app.worker import bulk_acts, jobs
from tests.cast import BUDI, DEWI, JOKO, LESTARI, RAKA, RATNA, SARI, TONO, WATI, Person
from tests.desk import person_id, user
from tests.flows.bulk.at_once import (
    act_of,
    add_people,
    choose,
    choose_all,
    events_of,
    make_admin,
    outcomes_of,
    prepare,
    start,
    tokens_sent,
    work,
)
from tests.flows.imports.importing import imported, newcomer, staff_file
from tests.visitor import Visitor, logged_in, words_of

STOPPED_WORKER = timedelta(seconds=31)  # a lease has run out by then


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_acts, "PEOPLE_A_CHUNK", 3)


def change(app: Flask, person: Person, **values: object) -> None:
    with app.app_context(), unit_of_work() as session:
        session.execute(update(User).where(User.nip == person.nip).values(**values))


def agree(app: Flask, page: str) -> int:
    """Rows, events and letters say the same. Returns to how many people it was done."""
    done = [name for name, outcome in outcomes_of(app, page).items() if outcome == "selesai"]
    sent = tokens_sent(app)
    assert set(sent.values()) <= {1}, "nobody got two"
    events = [event.detail["mail"] for event in events_of(app, Tag.TOKEN_SENT_BY_ADMIN)]
    assert len(done) == len(sent) == events.count(MailState.WAITING) == act_of(app, page).people_done
    return len(done)


# -- the worker


@pytest.mark.usefixtures("small")
def test_another_worker_goes_on_where_a_killed_one_has_stopped(peopled: Flask, wati: Visitor) -> None:
    add_people(peopled, 10)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, page)
    dead = jobs.all_turns(peopled)
    dead.next()
    dead.next()
    half = words_of(wati.open(page))
    assert "Sedang berjalan: 6 dari 10 pegawai, 60%." in half

    jobs.all_turns(peopled).next()
    assert len(tokens_sent(peopled)) == 6, "the lease is still held"
    with time_machine.travel(now() + STOPPED_WORKER, tick=True):
        work(peopled)
        dead.next()  # it was only slow, and finds that it has the act no more

    assert agree(peopled, page) == 10
    assert act_of(peopled, page).state is BulkState.DONE
    assert len(events_of(peopled, Tag.BULK_ACT)) == 1


@pytest.mark.usefixtures("small")
def test_what_a_worker_did_not_commit_was_not_done(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is killed after some tokens of a chunk."""
    add_people(peopled, 9)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, page)
    sent, real = [], send_token_to

    def killed(*args: object, **kwargs: object) -> object:
        sent.append(args)
        if len(sent) == 5:
            raise SystemExit
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(send_tokens, "send_token_to", killed)
    turns = jobs.all_turns(peopled)
    turns.next()
    with pytest.raises(SystemExit):
        turns.next()
    assert len(tokens_sent(peopled)) == 3
    assert agree(peopled, page) == 3

    with time_machine.travel(now() + STOPPED_WORKER, tick=True):
        work(peopled)

    assert agree(peopled, page) == 9


@pytest.mark.usefixtures("small")
def test_an_accident_stops_the_act_and_says_so(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_people(peopled, 5)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, page)
    jobs.all_turns(peopled).next()
    monkeypatch.setattr(send_tokens, "send_token_to", lambda *_, **__: 1 / 0)
    with time_machine.travel(now() + STOPPED_WORKER, tick=True):
        work(peopled)
    monkeypatch.undo()

    assert agree(peopled, page) == 3
    assert act_of(peopled, page).why_stopped is WhyStopped.ACCIDENT
    said = words_of(wati.open(page))
    assert "3 pegawai dikirimi token, 2 dilewati. Tindakan ini terhenti karena gangguan pada portal" in said
    assert "Belum dikerjakan ketika tindakan ini dihentikan: 2" in said


@pytest.mark.usefixtures("small")
def test_an_import_and_an_act_on_many_take_turns(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.imports.ROWS_A_CHUNK", 2)
    raka = logged_in(peopled, RAKA)
    add_people(peopled, 12)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, page)

    imported(peopled, raka, staff_file(*(newcomer(number, "3402") for number in range(4))))

    assert agree(peopled, page) == 12


# -- the admin


@pytest.mark.usefixtures("small")
def test_whose_mandate_is_revoked_in_the_middle_does_no_more(peopled: Flask, wati: Visitor) -> None:
    add_people(peopled, 8)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, page)
    turns = jobs.all_turns(peopled)
    turns.next()
    with peopled.app_context(), unit_of_work() as session:
        session.execute(
            update(AdminMandate)
            .where(AdminMandate.user_id == person_id(peopled, WATI))
            .values(revoked_at=now())
        )
    while turns.next() is not None:
        pass

    assert agree(peopled, page) == 3
    assert act_of(peopled, page).why_stopped is WhyStopped.NO_MANDATE
    (event,) = events_of(peopled, Tag.BULK_ACT)
    assert (event.detail["how_many"], event.detail["left"], event.detail["because"]) == (3, 5, "mandat")


@pytest.mark.usefixtures("small")
def test_whose_password_changes_in_the_middle_does_no_more(peopled: Flask, wati: Visitor) -> None:
    """The owner of the account has thrown somebody out."""
    add_people(peopled, 8)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, page)
    turns = jobs.all_turns(peopled)
    turns.next()
    change(peopled, WATI, credential_version=User.credential_version + 1)
    while turns.next() is not None:
        pass

    assert agree(peopled, page) == 3
    assert act_of(peopled, page).why_stopped is WhyStopped.OTHER_CREDENTIALS


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("by", ["pusat", "pusat_without_open_session", "owner"])
def test_whose_sessions_are_ended_in_the_middle_does_no_more(peopled: Flask, wati: Visitor, by: str) -> None:
    """Somebody else was logged in as this admin, and has begun an act, and prepared another one."""
    add_people(peopled, 8)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, page)
    waiting = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, waiting)
    preview = prepare(wati, choose_all(wati, "nip=1981"))
    turns = jobs.all_turns(peopled)
    turns.next()

    if by == "owner":
        owner = logged_in(peopled, WATI)
        owner.submit("/akun", "/akun/akhiri-sesi-lain")
    else:
        ratna, path = logged_in(peopled, RATNA), f"/admin/pegawai/{person_id(peopled, WATI)}/akhiri-sesi"
        token = ratna.csrf_token(path)
        if by == "pusat_without_open_session":
            with peopled.app_context(), unit_of_work() as session:
                LoginSession.end_all_of(session, person_id(peopled, WATI))
        ratna.post(path, csrf_token=token, reason="Laptop dicuri")
        owner = logged_in(peopled, WATI)
    while turns.next() is not None:
        pass

    assert agree(peopled, page) == act_of(peopled, page).people_done < 8
    for one in (page, waiting):
        assert act_of(peopled, one).why_stopped is WhyStopped.OTHER_CREDENTIALS
        assert "sesi admin yang memulainya diakhiri" in words_of(owner.open(one))
    assert act_of(peopled, waiting).people_done == 0
    assert owner.open(preview).status_code == 404
    assert [event.detail["because"] for event in events_of(peopled, Tag.BULK_ACT)] == ["akun", "akun"]
    assert owner.is_logged_in()


def test_the_acts_of_others_go_on_when_the_sessions_of_one_are_ended(peopled: Flask, wati: Visitor) -> None:
    add_people(peopled, 3)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, page)
    logged_in(peopled, SARI)
    wati.submit(f"/admin/pegawai/{person_id(peopled, SARI)}/akhiri-sesi", reason="Ponsel hilang")
    logged_in(peopled, SARI)
    logged_in(peopled, SARI).submit("/akun", "/akun/akhiri-sesi-lain")

    work(peopled)

    assert act_of(peopled, page).people_done == 3


def test_what_pusat_has_prepared_and_a_desk_has_started_stands_in_the_trail_of_the_desk(
    peopled: Flask,
) -> None:
    add_people(peopled, 3)
    ratna = logged_in(peopled, RATNA)
    page = prepare(ratna, choose_all(ratna, "nip=1981"))
    move_to_desk(peopled, RATNA)
    start(ratna, page)

    work(peopled)

    [event] = events_of(peopled, Tag.BULK_ACT)
    assert event.instansi_id == user(peopled, SARI).instansi_id
    assert (event.detail["how_many"], event.detail["left"]) == (3, 0)
    assert logged_in(peopled, WATI).open(page).status_code == 200


@pytest.mark.usefixtures("small")
def test_what_pusat_has_started_ends_when_its_admin_is_of_pusat_no_more(peopled: Flask) -> None:
    add_people(peopled, 8)
    ratna = logged_in(peopled, RATNA)
    page = prepare(ratna, choose_all(ratna, "nip=1981"))
    start(ratna, page)
    turns = jobs.all_turns(peopled)
    turns.next()
    move_to_desk(peopled, RATNA)
    while turns.next() is not None:
        pass

    assert act_of(peopled, page).why_stopped is WhyStopped.NO_MANDATE
    [event] = events_of(peopled, Tag.BULK_ACT)
    assert (event.instansi_id, event.detail["how_many"], event.detail["left"]) == (None, 3, 5)


def move_to_desk(app: Flask, person: Person) -> None:
    with app.app_context(), unit_of_work() as session:
        session.execute(
            update(AdminMandate)
            .where(AdminMandate.user_id == person_id(app, person))
            .values(revoked_at=now())
        )
    make_admin(app, person)


def test_each_desk_of_an_admin_reads_only_of_its_own_people(peopled: Flask, wati: Visitor) -> None:
    add_people(peopled, 5)
    make_admin(peopled, WATI, "3402")
    page = prepare(wati, choose(peopled, wati, BUDI, LESTARI, TONO, RAKA))
    start(wati, page)

    work(peopled)

    told = {event.instansi_id: event.detail for event in events_of(peopled, Tag.BULK_ACT)}
    own, other = user(peopled, BUDI).instansi_id, user(peopled, RAKA).instansi_id
    assert {desk: (one["how_many"], one["left"]) for desk, one in told.items()} == {
        own: (1, 1),
        other: (0, 2),
    }


@pytest.mark.usefixtures("small")
def test_a_colleague_may_stop_it_and_not_start_it(peopled: Flask, wati: Visitor) -> None:
    add_people(peopled, 8)
    make_admin(peopled, SARI)
    sari, raka = logged_in(peopled, SARI), logged_in(peopled, RAKA)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    assert sari.open(page).status_code == 404, "a preview is its owner's"
    assert sari.post_with_token("/akun", f"{page}/jalankan").status_code == 404
    start(wati, page)
    jobs.all_turns(peopled).next()

    assert raka.open(page).status_code == 404
    assert raka.post_with_token("/akun", f"{page}/hentikan").status_code == 404
    assert sari.submit(page, f"{page}/hentikan").status_code == 303
    with time_machine.travel(now() + STOPPED_WORKER, tick=True):
        work(peopled)

    assert agree(peopled, page) == 3
    (event,) = events_of(peopled, Tag.BULK_ACT)
    assert event.actor_id == person_id(peopled, SARI)
    assert "dihentikan oleh admin" in words_of(wati.open(page))
    assert "sudah dijalankan sebelumnya" in words_of(
        wati.open(wati.post_with_token("/akun", f"{page}/jalankan").location)
    )


def test_nobody_has_more_than_three_under_way(peopled: Flask, wati: Visitor) -> None:
    pages = [prepare(wati, choose(peopled, wati, one)) for one in (SARI, BUDI, DEWI, JOKO)]
    for page in pages[:3]:
        assert "Sedang dikerjakan" in start(wati, page)

    assert "Masih ada 3 tindakan Anda yang belum selesai" in start(wati, pages[3])
    work(peopled)
    assert "Sedang dikerjakan" in start(wati, pages[3])


def test_of_many_previews_only_the_newest_stay(peopled: Flask, wati: Visitor) -> None:
    pages = [prepare(wati, choose(peopled, wati, BUDI)) for _ in range(7)]

    assert [wati.open(page).status_code for page in pages] == [404, 404, 200, 200, 200, 200, 200]


def test_a_preview_of_yesterday_is_not_started(peopled: Flask, wati: Visitor) -> None:
    page = prepare(wati, choose(peopled, wati, BUDI))
    with time_machine.travel(now() + timedelta(hours=25), tick=True):
        late = logged_in(peopled, WATI)

        assert "disiapkan terlalu lama yang lalu" in start(late, page)
        peopled.test_cli_runner().invoke(args=["housekeeping"])
        assert late.open(page).status_code == 404

    assert tokens_sent(peopled) == {}


# -- the people


def test_who_has_changed_since_the_preview_is_left_with_the_reason(peopled: Flask, wati: Visitor) -> None:
    page = prepare(wati, choose(peopled, wati, SARI, BUDI, JOKO, DEWI))
    with peopled.app_context(), unit_of_work() as session:
        elsewhere = session.scalars(select(Instansi.id).where(Instansi.code == "3402")).one()
    change(peopled, BUDI, instansi_id=elsewhere)
    change(peopled, JOKO, activation=Activation.DEACTIVATED)
    make_admin(peopled, SARI)
    start(wati, page)
    work(peopled)

    assert outcomes_of(peopled, page) == {
        SARI.name: "admin", BUDI.name: "pindah", JOKO.name: "nonaktif", DEWI.name: "selesai",
    }  # fmt: skip
    said = words_of(wati.open(page))
    assert BUDI.name not in said
    assert "Pegawai di luar daftar yang dapat Anda lihat" in said
    saved = wati.submit(page, f"{page}/ekspor", bentuk="csv").text
    assert BUDI.name not in saved
    assert BUDI.nip not in saved
    assert f"{DEWI.nip},{DEWI.name}" in saved


def test_who_is_left_out_by_the_preview_stays_left_out(peopled: Flask, wati: Visitor) -> None:
    change(peopled, JOKO, activation=Activation.DEACTIVATED)
    page = prepare(wati, choose(peopled, wati, BUDI, JOKO))
    change(peopled, JOKO, activation=Activation.NOT_ACTIVATED)
    start(wati, page)
    work(peopled)

    assert outcomes_of(peopled, page) == {BUDI.name: "selesai", JOKO.name: "nonaktif"}


def test_whose_mailbox_has_enough_tokens_gets_no_more(peopled: Flask, wati: Visitor) -> None:
    """An admin has sent some from the page of that person meanwhile."""
    page = prepare(wati, choose(peopled, wati, BUDI, DEWI))
    own = f"/admin/pegawai/{person_id(peopled, BUDI)}"
    for _ in range(6):
        wati.submit(own, f"{own}/kirim-token")
    start(wati, page)
    work(peopled)

    assert outcomes_of(peopled, page) == {BUDI.name: "cukup_token", DEWI.name: "selesai"}
    states = [event.detail["mail"] for event in events_of(peopled, Tag.TOKEN_SENT_BY_ADMIN)]
    assert states.count(MailState.HELD) == 1


def test_two_workers_and_two_admins_on_the_same_people_wait_for_each_other(
    peopled: Flask, wati: Visitor
) -> None:
    add_people(peopled, 40)
    make_admin(peopled, SARI)
    sari = logged_in(peopled, SARI)
    pages = [prepare(one, choose_all(one, "nip=1981")) for one in (wati, sari)]
    for one, page in zip((wati, sari), pages, strict=True):
        start(one, page)
    _at_once([lambda: work(peopled), lambda: work(peopled)])

    assert [act_of(peopled, page).result for page in pages] == [{"selesai": 40}] * 2
    assert set(tokens_sent(peopled).values()) == {2}, "each of the two has sent one"
    assert len(events_of(peopled, Tag.BULK_ACT)) == 2


def test_nobody_starts_an_act_twice(peopled: Flask, wati: Visitor) -> None:
    add_people(peopled, 5)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    token = wati.csrf_token(page)
    _at_once([lambda: wati.post(f"{page}/jalankan", csrf_token=token)] * 4)
    work(peopled)

    assert agree(peopled, page) == 5
    assert len(events_of(peopled, Tag.BULK_ACT)) == 1


def test_an_account_that_is_removed_leaves_its_row(peopled: Flask, wati: Visitor) -> None:
    page = prepare(wati, choose(peopled, wati, BUDI, DEWI))
    with peopled.app_context(), unit_of_work() as session:
        gone = user(peopled, BUDI)
        session.execute(User.__table__.delete().where(User.id == gone.id))  # type: ignore[attr-defined]
    start(wati, page)
    work(peopled)

    assert outcomes_of(peopled, page) == {"": "pindah", DEWI.name: "selesai"}


def _at_once(acts: list[Callable[[], object]]) -> None:
    begin = Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        begin.wait()
        act()

    with ThreadPoolExecutor(len(acts)) as crowd:
        list(crowd.map(run, acts))
