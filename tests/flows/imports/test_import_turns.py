"""One admin's large file never holds up the files of others. The worker takes one chunk of each instansi in
turn, and one file of each admin."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Event

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.indonesian_time import now
from app.files import sandbox, staff_template
from app.files.table import UnreadableFile
from app.flows.imports import run_batch
from app.flows.imports.import_batches import SAME_FILE_WITHIN
from app.models import AdminMandate, BatchState, ImportBatch, User
from app.runtime.db import reading, unit_of_work
from app.worker import acts, imports, jobs
from app.worker.cleaning import clean_up
from app.worker.turns import Turns
from tests.cast import RAKA, RATNA, WATI
from tests.flows.imports.importing import (
    CONTOH,
    batch_of,
    cancel,
    checked,
    imported,
    lying_there,
    newcomer,
    run,
    staff_file,
    upload,
    uploaded,
    work,
)
from tests.visitor import Visitor, logged_in, words_of

SMALL = 3  # rows in a chunk, in these tests


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batches in the order in which their chunks were counted."""
    counted: list[int] = []
    noted = run_batch.note

    def note(session: object, lease: run_batch.BatchLease, *rest: object) -> run_batch.BatchLease:
        counted.append(lease.batch_id)
        return noted(session, lease, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(run_batch, "note", note)
    monkeypatch.setattr(imports, "ROWS_A_CHUNK", SMALL)
    return counted


def file_of(chunks: int, instansi: str = "7301", first: int = 0) -> bytes:
    return staff_file(*(newcomer(first + number, instansi, "") for number in range(SMALL * chunks)))


def number_of(page: str) -> int:
    return int(page.rpartition("/")[2])


def steps_of(turns: Turns) -> Iterator[None]:
    while turns.next() is not None:
        yield


# -- turns
def test_a_small_file_that_comes_later_waits_for_one_chunk_of_the_large_one(
    peopled: Flask, order: list[int]
) -> None:
    large = number_of(lying_there(peopled, WATI, file_of(10)))
    steps = steps_of(jobs.all_turns(peopled))
    for _ in range(3):
        next(steps)
    small = number_of(lying_there(peopled, RAKA, file_of(1, CONTOH, 500)))
    for _ in steps:
        pass

    assert order.index(small) == 3
    assert order == [large] * 3 + [small] + [large] * 7


def test_the_centre_is_one_more_party_and_each_gets_every_third_chunk(
    peopled: Flask, order: list[int]
) -> None:
    pages = [
        lying_there(peopled, WATI, file_of(4)),
        lying_there(peopled, RAKA, file_of(4, CONTOH, 500)),
        lying_there(peopled, RATNA, file_of(4, CONTOH, 700), of_centre=True),
    ]
    work(peopled)

    # The second file is found at the first step and the third file at the second. After that they take turns.
    after = order[3:9]
    assert sorted(after[:3]) == sorted(after[3:]) == sorted(number_of(page) for page in pages)
    assert all(batch_of(peopled, page).dry_run == {"new": 4 * SMALL} for page in pages)


def test_three_files_of_one_instansi_get_no_more_than_one_of_another(
    peopled: Flask, order: list[int]
) -> None:
    of_wati = [number_of(lying_there(peopled, WATI, file_of(4, first=100 * one))) for one in range(3)]
    of_raka = number_of(lying_there(peopled, RAKA, file_of(4, CONTOH, 900)))
    work(peopled)

    began = order.index(of_raka)
    turn = order[began : began + 7]
    assert turn[::2] == [of_raka] * 4
    assert set(turn[1::2]) <= set(of_wati)


def test_who_has_been_served_longest_ago_comes_first_also_for_a_new_worker(
    peopled: Flask, order: list[int]
) -> None:
    lying_there(peopled, RAKA, file_of(1, CONTOH, 500))
    work(peopled)
    of_raka = number_of(lying_there(peopled, RAKA, file_of(2, CONTOH, 600)))
    of_wati = number_of(lying_there(peopled, WATI, file_of(2)))
    order.clear()

    turns = jobs.all_turns(peopled)
    turns.next()
    assert order == [of_wati], "the older one is of a party that had its turn already"
    turns.release()

    jobs.all_turns(peopled).next()
    assert order == [of_wati, of_raka]


def test_more_files_than_a_worker_holds_at_once_all_come_to_their_turn(
    peopled: Flask, order: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.turns.MOST_IN_HAND", 2)
    monkeypatch.setattr("app.worker.turns.CHUNKS_A_SLICE", 3)
    large = [
        lying_there(peopled, WATI, file_of(9)),
        lying_there(peopled, RATNA, file_of(9, CONTOH, 500), of_centre=True),
    ]
    steps = steps_of(jobs.all_turns(peopled))
    for _ in range(4):
        next(steps)
    small = lying_there(peopled, RAKA, file_of(1, CONTOH, 900))
    for _ in steps:
        pass

    assert order.index(number_of(small)) <= 4 + 2 * 3
    assert [batch_of(peopled, page).dry_run for page in (*large, small)] == [
        {"new": 27},
        {"new": 27},
        {"new": 3},
    ]


def test_files_of_one_instansi_fill_no_worker(
    peopled: Flask, order: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.turns.MOST_IN_HAND", 2)
    for one in range(3):
        lying_there(peopled, WATI, file_of(9, first=100 * one))
    steps = steps_of(jobs.all_turns(peopled))
    for _ in range(4):
        next(steps)
    small = number_of(lying_there(peopled, RAKA, file_of(1, CONTOH, 900)))
    next(steps)

    assert order[4] == small, "one of three makes room at once"


def test_while_a_workbook_is_unpacked_others_go_on(
    peopled: Flask, order: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeps = "import sys, time, json; time.sleep(60)"
    monkeypatch.setattr(sandbox, "_READER", ("-c", sleeps))
    workbook = lying_there(peopled, WATI, staff_template.as_xlsx())
    another = lying_there(peopled, RATNA, staff_template.as_xlsx(), of_centre=True)
    text = number_of(lying_there(peopled, RAKA, file_of(3, CONTOH, 500)))

    turns = jobs.all_turns(peopled)
    for _ in range(9):
        turns.next()

    assert order == [text] * 3
    assert {batch_of(peopled, page).state for page in (workbook, another)} == {BatchState.CHECKING}
    turns.release()
    assert sandbox._ONE_READER.acquire(blocking=False), "the process that read is gone"
    sandbox._ONE_READER.release()


def test_workbooks_are_unpacked_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_READER", ("-c", "import time; time.sleep(60)"))
    with (
        sandbox.begun(staff_template.as_xlsx()) as first,
        sandbox.begun(staff_template.as_xlsx()) as second,
    ):
        assert not first.read_on()
        assert not second.read_on()
        assert second._process is None, "what one of them takes is what all take"
    with sandbox.begun(staff_template.as_xlsx()) as third:
        assert not third.read_on()
        assert third._process is not None


def test_a_worker_that_goes_round_keeps_all_that_it_holds(peopled: Flask, order: list[int]) -> None:
    pages = [lying_there(peopled, WATI, file_of(3)), lying_there(peopled, RAKA, file_of(3, CONTOH, 500))]
    turns = jobs.all_turns(peopled)
    turns.next()
    turns.next()
    with time_machine.travel(now() + run_batch.LEASE_LASTS * 0.7, tick=True):
        turns.next()
    with time_machine.travel(now() + run_batch.LEASE_LASTS * 1.2, tick=True):
        work(peopled)
        while turns.next() is not None:
            pass

    assert [batch_of(peopled, page).dry_run for page in pages] == [{"new": 9}, {"new": 9}]
    assert len(order) == 6, "nobody has taken a chunk over"


def test_a_file_with_more_rows_than_a_file_may_have_is_told_so(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_ROWS", 5)
    page = checked(peopled, wati, staff_file(*("x" for _ in range(6))))

    assert "lebih dari" in words_of(wati.open(page))
    assert "Bagi menjadi beberapa file" in words_of(wati.open(page))
    assert batch_of(peopled, page).state is BatchState.UNREADABLE


def test_a_reader_that_never_stops_talking_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader itself limits how large a workbook may become on disk. This is the test of that limit."""
    talks = (
        "import resource, sys\nfrom app.flows import read_workbook\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))\n"
        "while True: sys.stdout.write('x' * 4096)"
    )
    monkeypatch.setattr(sandbox, "_READER", ("-c", talks))

    with pytest.raises(UnreadableFile), sandbox.opened(staff_template.as_xlsx(), lambda: None):
        pass


# -- one file of each admin
def test_a_second_file_is_not_taken_while_the_first_is_not_over(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1)))

    answer = upload(wati, staff_file(newcomer(2)))

    assert answer.status_code == 422
    assert "belum selesai" in words_of(answer)
    assert "statusnya: menunggu keputusan." in words_of(answer)  # in the same words as the list below
    assert f'href="{page}"' in answer.text
    assert f'action="{page}/batalkan"' in answer.text
    with peopled.app_context(), reading() as session:
        assert len(session.scalars(select(ImportBatch)).all()) == 1
    assert cancel(wati, page).status_code == 303
    assert upload(wati, staff_file(newcomer(2))).status_code == 303


@pytest.mark.usefixtures("peopled")
def test_the_same_file_again_is_the_same_batch_and_later_another_file(wati: Visitor) -> None:
    file = staff_file(newcomer(1))
    page = uploaded(wati, file)

    assert uploaded(wati, file) == page
    with time_machine.travel(now() + SAME_FILE_WITHIN * 2, tick=True):
        assert upload(wati, file).status_code == 422


@pytest.mark.parametrize("state", [BatchState.CONFIRMED, BatchState.RUNNING])
def test_what_runs_cannot_be_cancelled_and_the_page_says_to_wait(
    peopled: Flask, wati: Visitor, state: BatchState
) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1)))
    run(wati, page)
    if state is BatchState.RUNNING:
        with peopled.app_context(), unit_of_work() as session:
            run_batch.claim(session, now())

    answer = upload(wati, staff_file(newcomer(2)))

    assert answer.status_code == 422
    assert "Tunggu sampai selesai" in words_of(answer)
    assert f'href="{page}"' in answer.text
    assert "batalkan" not in answer.text


def test_a_file_whose_report_says_that_nothing_would_change_is_in_nobodys_way(
    peopled: Flask, wati: Visitor
) -> None:
    """Its refused rows are corrected and come back in another file, as the portal asks for."""
    checked(peopled, wati, staff_file("1,rusak,,PNS,7301,x"))

    assert upload(wati, staff_file(newcomer(2))).status_code == 303


def test_a_report_that_was_forgotten_for_weeks_is_in_nobodys_way(peopled: Flask, wati: Visitor) -> None:
    page = checked(peopled, wati, staff_file(newcomer(1)))

    with time_machine.travel(now() + timedelta(days=20), tick=True):
        again = logged_in(peopled, WATI)
        assert f'action="{page}/batalkan"' in upload(again, staff_file(newcomer(2))).text, (
            "where no worker has kept house"
        )
        with peopled.app_context():
            clean_up(acts.act())
        assert upload(again, staff_file(newcomer(2))).status_code == 303


def test_nobody_elses_file_is_in_watis_way(peopled: Flask, wati: Visitor) -> None:
    checked(peopled, logged_in(peopled, RAKA), staff_file(newcomer(1, CONTOH)))
    checked(peopled, logged_in(peopled, RATNA), staff_file(newcomer(2)))

    assert upload(wati, staff_file(newcomer(3))).status_code == 303


def test_a_file_for_an_instansi_that_is_not_watis_any_more_is_not_in_her_way(
    peopled: Flask, wati: Visitor
) -> None:
    checked(peopled, wati, staff_file(newcomer(1)))
    with peopled.app_context(), unit_of_work() as session:
        mandate = session.scalars(
            select(AdminMandate).join(AdminMandate.user).where(User.nip == WATI.nip)
        ).one()
        other = session.scalars(select(User).where(User.nip == RAKA.nip)).one().instansi_id
        mandate.instansi_id = other
    moved = logged_in(peopled, WATI)

    assert upload(moved, staff_file(newcomer(3, CONTOH))).status_code == 303


def test_when_it_is_done_the_next_is_taken(peopled: Flask, wati: Visitor) -> None:
    imported(peopled, wati, staff_file(newcomer(1)))

    assert upload(wati, staff_file(newcomer(2))).status_code == 303


@pytest.mark.usefixtures("order")
def test_a_worker_that_is_told_to_stop_lets_go_of_all(peopled: Flask) -> None:
    pages = [lying_there(peopled, WATI, file_of(3)), lying_there(peopled, RAKA, file_of(3, CONTOH, 500))]
    turns = jobs.all_turns(peopled)
    turns.next()
    turns.next()
    turns.release()

    assert [batch_of(peopled, page).leased_until for page in pages] == [None, None]
    jobs.do_next(peopled, Event())
    assert [batch_of(peopled, page).dry_run for page in pages] == [{"new": 9}, {"new": 9}]
