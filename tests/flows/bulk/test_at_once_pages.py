"""The pages of an act on many people: long lists by pages, files, progress, and nothing of other desks."""

import pytest
from flask import Flask
from sqlalchemy import event

from app.models import Tag
from app.runtime.db import engine
from app.worker import bulk_acts
from tests.cast import BUDI, HADI, JOKO, LESTARI, RAKA, RATNA, SARI, WATI
from tests.desk import person_id
from tests.flows.bulk.at_once import (
    LIST,
    NEW,
    act_of,
    add_people,
    choose,
    choose_all,
    events_of,
    outcomes_of,
    prepare,
    start,
    work,
)
from tests.visitor import Visitor, logged_in, words_of


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


def statements(app: Flask, visitor: Visitor, page: str) -> int:
    asked = []

    def note(*_: object) -> None:
        asked.append(1)

    with app.app_context():
        made = engine()
    event.listen(made, "before_cursor_execute", note)
    assert visitor.open(page).status_code == 200
    event.remove(made, "before_cursor_execute", note)
    return len(asked)


def test_a_preview_of_2000_is_read_page_by_page_and_costs_like_a_small_one(
    peopled: Flask, wati: Visitor
) -> None:
    small = prepare(wati, choose(peopled, wati, BUDI, JOKO))
    add_people(peopled, 2000)
    large = prepare(wati, choose_all(wati, "nip=1981"))
    wati.open(small)

    assert statements(peopled, wati, large) == statements(peopled, wati, small)
    page, seen = large, 0
    while page:
        shown = wati.open(page).text
        seen += shown.count('<th scope="row">')
        page = next_page(shown)
    assert seen == 2000


def next_page(text: str) -> str:
    before, found, _ = text.partition(">Berikutnya</a>")
    return before.rpartition('href="')[2].partition('"')[0].replace("&amp;", "&") if found else ""


def test_a_preview_is_no_file(peopled: Flask, wati: Visitor) -> None:
    """It has no result yet, and the list of people has an export of its own."""
    page = prepare(wati, choose(peopled, wati, SARI, BUDI))

    answer = wati.post_with_token(page, f"{page}/ekspor", bentuk="csv")

    assert (answer.status_code, answer.location) == (303, page)
    assert "Hasilnya dapat diekspor setelah tindakan ini dijalankan." in words_of(wati.open(page))
    assert events_of(peopled, Tag.EXPORTED) == []


def test_the_result_is_read_by_outcome_and_saved_as_a_file(peopled: Flask, wati: Visitor) -> None:
    page = prepare(wati, choose(peopled, wati, SARI, BUDI, WATI))
    start(wati, page)
    work(peopled)

    left = words_of(wati.open(f"{page}?hasil=admin"))
    assert "Dilewati. Memegang mandat admin, jadi hanya dari halaman pegawainya: 1" in left
    assert BUDI.name not in left
    assert wati.open(f"{page}?hasil=ngawur").status_code == 200
    saved = wati.submit(page, f"{page}/ekspor", bentuk="csv")
    assert saved.text.count("\n") == 4
    assert f"{BUDI.nip},{BUDI.name},{BUDI.unit},Token dikirim ke email di data" in saved.text
    (noted,) = events_of(peopled, Tag.EXPORTED)
    assert noted.detail == {
        "what": "bulk_act", "file": "csv", "bulk": act_of(peopled, page).id, "how_many": 3,
    }  # fmt: skip


def test_the_script_of_the_page_hears_how_far_it_is(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.worker import jobs

    monkeypatch.setattr(bulk_acts, "PEOPLE_A_CHUNK", 2)
    add_people(peopled, 8)
    page = prepare(wati, choose_all(wati, "nip=1981"))
    start(wati, page)
    assert wati.open(f"{page}/kemajuan").get_json() == {
        "state": "dimulai", "words": "Menunggu giliran.", "percent": 0,
    }  # fmt: skip
    turns = jobs.all_turns(peopled)
    turns.next()
    assert wati.open(f"{page}/kemajuan").get_json() == {
        "state": "berjalan", "words": "Sedang berjalan: 2 dari 8 pegawai, 25%.", "percent": 25,
    }  # fmt: skip
    while turns.next() is not None:
        pass
    assert wati.open(f"{page}/kemajuan").get_json()["state"] == "selesai"


def test_nobody_chosen_leads_back_to_the_list(wati: Visitor) -> None:
    for path in (
        NEW,
        f"{NEW}?siapa=centang",
        f"{NEW}?siapa=centang&pilih=ngawur",
        f"{NEW}?siapa=semua&email=x",
    ):
        answer = wati.open(path)
        assert (answer.status_code, answer.location) == (303, "/admin/pegawai"), path
    assert "Belum ada pegawai yang dipilih" in words_of(wati.open("/admin/pegawai"))


def test_people_of_another_desk_are_not_chosen_whatever_is_sent(peopled: Flask, wati: Visitor) -> None:
    page = prepare(wati, choose(peopled, wati, BUDI, LESTARI, HADI, RAKA))
    assert outcomes_of(peopled, page).keys() == {BUDI.name}

    sent = wati.post_with_token(
        "/akun", NEW, siapa="centang", tindakan="kirim_token", pilih=[str(person_id(peopled, LESTARI))]
    )
    assert sent.location == "/admin/pegawai"
    everybody = prepare(wati, choose_all(wati, "instansi=3402&status=not_activated"))
    assert LESTARI.name not in outcomes_of(peopled, everybody)


def test_pusat_reaches_all_and_reads_every_desk(peopled: Flask, wati: Visitor) -> None:
    ratna = logged_in(peopled, RATNA)
    own = prepare(ratna, choose_all(ratna, "status=not_activated"))
    start(wati, prepare(wati, choose(peopled, wati, BUDI)))
    start(ratna, own)
    work(peopled)

    listed = words_of(ratna.open(LIST))
    assert "Kirim token, nomor 1" in listed
    assert "Kirim token, nomor 2" in listed
    assert "Kirim token, nomor 1" not in words_of(wati.open(LIST))
    assert events_of(peopled, Tag.BULK_ACT)[-1].instansi_id is None
    assert len(words_of(logged_in(peopled, RAKA).open(LIST)).split("nomor")) == 1


def test_whoever_thinks_better_of_it_leaves_nothing_behind(peopled: Flask, wati: Visitor) -> None:
    page = prepare(wati, choose(peopled, wati, BUDI))

    answer = wati.submit(page, f"{page}/hentikan")

    assert answer.status_code == 303
    assert wati.open(page).status_code == 404
    assert "Belum ada tindakan sekaligus" in words_of(wati.open(LIST))
    assert events_of(peopled, Tag.BULK_ACT) == []
