"""Two colleagues at one desk: who has a request in hand, who takes it over, and what they note for each
other."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update

from app.domain.corrections import MOST_NOTES, TAKEN_FOR, CorrectionState
from app.domain.indonesian_time import now
from app.models import AdminMandate, AuditEvent, CorrectionNote, Tag, TakenCorrection
from app.runtime.db import reading, unit_of_work
from app.worker import acts
from app.worker.cleaning import all_chores
from tests.cast import BUDI, DEWI, JOKO, RAKA, RATNA, WATI, Person
from tests.desk import asked, correction, make_pusat, marks_on, person_id
from tests.flows.attacks.test_races import _all_at_once
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

NEW = "joko@nusajaya.example"
QUEUE = "/admin/perbaikan-email"
GROUNDS = {"identity_check": "tatap_muka", "note": "Datang ke loket 3 membawa kartu pegawai"}


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


@pytest.fixture
def ratna(peopled: Flask) -> Visitor:
    return logged_in(peopled, RATNA)


def taker(app: Flask, request_id: int) -> int | None:
    with app.app_context(), reading() as session:
        taken = TakenCorrection.of(session, request_id, now())
        return taken.taken_by_id if taken else None


def events(app: Flask, tag: Tag) -> int:
    with app.app_context(), reading() as session:
        return session.scalar(select(func.count()).where(AuditEvent.tag == tag)) or 0


def give_to(app: Flask, request_id: int, person: Person) -> None:
    """This admin has had the request in hand since just now."""
    admin = person_id(app, person)
    with app.app_context(), unit_of_work() as session:
        TakenCorrection.take(session, request_id, admin, now())


def test_who_opens_first_has_it_and_the_colleague_is_told_and_only_looks(
    peopled: Flask, wati: Visitor, ratna: Visitor, inbox: Inbox
) -> None:
    path = f"{QUEUE}/{asked(peopled, JOKO, NEW)}"

    first, second = wati.open(path), ratna.open(path)

    assert "Anda menangani permintaan ini" in words_of(first)
    assert "Sedang ditangani Wati Kusuma" in words_of(second)
    assert "Ambil alih" in second.text
    assert "ditangani Wati Kusuma" in words_of(ratna.open(QUEUE))
    assert "ditangani Anda" in words_of(wati.open(QUEUE))
    assert len(inbox.fetch()) == 1, "Joko is told once"


def test_taking_over_and_giving_back_tell_the_person_nothing_more(
    peopled: Flask, wati: Visitor, ratna: Visitor, inbox: Inbox
) -> None:
    request_id = asked(peopled, JOKO, NEW)
    path = f"{QUEUE}/{request_id}"
    wati.open(path)

    taken = ratna.submit(path, f"{path}/ambil")
    assert taker(peopled, request_id) == person_id(peopled, RATNA)
    given_back = ratna.submit(taken.location, f"{path}/kembalikan")

    assert (taken.status_code, given_back.status_code) == (303, 303)
    assert given_back.location.endswith(QUEUE)
    assert taker(peopled, request_id) is None
    assert correction(peopled, request_id).state is CorrectionState.IN_HAND, "as Joko was told"
    assert len(inbox.fetch()) == 1
    assert (events(peopled, Tag.CORRECTION_TAKEN), events(peopled, Tag.CORRECTION_GIVEN_BACK)) == (1, 1)


def test_who_may_not_decide_looks_and_takes_nothing_in_hand(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    request_id = asked(peopled, DEWI, "dewi@contoh.example")
    make_pusat(peopled, DEWI)
    inbox.fetch()

    page = wati.open(f"{QUEUE}/{request_id}")

    assert page.status_code == 200
    assert taker(peopled, request_id) is None
    assert correction(peopled, request_id).state is CorrectionState.NEW
    assert inbox.fetch() == [], "nobody examines it yet"
    assert events(peopled, Tag.CORRECTION_OPENED) == 1


def test_who_may_not_decide_any_more_gives_back_what_they_have_in_hand(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, DEWI, "dewi@contoh.example")
    path = f"{QUEUE}/{request_id}"
    wati.open(path)
    make_pusat(peopled, DEWI)

    given_back = wati.submit(path, f"{path}/kembalikan")

    assert given_back.status_code == 303
    assert taker(peopled, request_id) is None
    assert wati.post_with_token("/akun", f"{path}/ambil").status_code == 403


def test_of_two_who_take_over_at_once_one_wins_and_the_other_learns_who(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    request_id = asked(peopled, JOKO, NEW)
    make_pusat(peopled, DEWI)
    give_to(peopled, request_id, DEWI)
    path = f"{QUEUE}/{request_id}"
    pages = {visitor: visitor.open(path) for visitor in (wati, ratna)}

    def take_over(visitor: Visitor) -> int:
        return visitor.submit(pages[visitor], f"{path}/ambil").status_code

    answers = _all_at_once([partial(take_over, visitor) for visitor in pages])

    assert answers == [303, 303]
    assert events(peopled, Tag.CORRECTION_TAKEN) == 1
    winner, loser, name = (
        (wati, ratna, "Wati Kusuma")
        if taker(peopled, request_id) == person_id(peopled, WATI)
        else (ratna, wati, "Ratna Dewanti")
    )
    assert "sekarang Anda tangani" in words_of(winner.open(path))
    told = words_of(loser.open(path))
    assert "baru saja diambil" in told
    assert name in told or loser is wati, "an admin of an instansi is not told the names of pusat"


def test_a_colleague_of_another_instansi_is_not_named(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    path = f"{QUEUE}/{asked(peopled, JOKO, NEW)}"
    ratna.open(path)

    page = words_of(wati.open(path))

    assert "Sedang ditangani admin di luar instansi ini" in page
    assert "Ratna" not in page


def test_after_two_hours_it_is_free_again(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    wati.open(f"{QUEUE}/{request_id}")

    with time_machine.travel(now() + TAKEN_FOR + timedelta(minutes=1)):
        late = logged_in(peopled, RATNA)
        assert "ditangani Wati" not in words_of(late.open(QUEUE))
        assert "Anda menangani" in words_of(late.open(f"{QUEUE}/{request_id}"))
        assert taker(peopled, request_id) == person_id(peopled, RATNA)


def test_an_admin_whose_mandate_was_revoked_holds_nothing(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    request_id = asked(peopled, JOKO, NEW)
    path = f"{QUEUE}/{request_id}"
    page = wati.open(path)
    with peopled.app_context(), unit_of_work() as session:
        of_wati = AdminMandate.user_id == person_id(peopled, WATI)
        session.execute(update(AdminMandate).where(of_wati).values(revoked_at=now()))

    assert taker(peopled, request_id) is None
    for act in ("kembalikan", "catatan", "tanya"):
        fields = {"words": "x", "question": "x"} if act != "kembalikan" else {}
        assert wati.post(f"{path}/{act}", csrf_token=_token(page.text), **fields).status_code == 403
    assert "Anda menangani" in words_of(ratna.open(path))


def _token(page: str) -> str:
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def test_whoever_may_decide_decides_in_anybodys_hand(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    path = f"{QUEUE}/{request_id}"
    wati.open(path)

    page = ratna.open(path)
    answer = ratna.submit(page, f"{path}/setujui", **GROUNDS, acknowledged=marks_on(page))
    late = wati.submit(path, f"{path}/ambil") if f"{path}/ambil" in wati.open(path).text else None

    assert answer.status_code == 303
    assert correction(peopled, request_id).state is CorrectionState.APPROVED
    assert late is None, "nothing is left to take"
    assert wati.post_with_token("/akun", f"{path}/ambil").status_code == 303
    assert "sudah disetujui" in words_of(wati.open(path))


def test_several_at_once_leave_out_what_a_colleague_has_in_hand(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    mine, of_ratna = asked(peopled, JOKO, NEW), asked(peopled, BUDI, "budi.baru@contoh.example")
    wati.open(f"{QUEUE}/{mine}")
    ratna.open(f"{QUEUE}/{of_ratna}")
    query = f"{QUEUE}/beberapa?pilih={mine}&pilih={of_ratna}"

    preview = wati.open(query)
    for act, fields in (("setujui", GROUNDS), ("tolak", {"reason": "Data tidak cocok."})):
        wati.submit(wati.open(query), f"{QUEUE}/beberapa/{act}", **fields)

    assert "Dilewati: Sedang ditangani rekan Anda" in words_of(preview)
    assert correction(peopled, mine).state is CorrectionState.APPROVED
    assert correction(peopled, of_ratna).state is CorrectionState.IN_HAND


def test_the_next_one_is_not_in_a_colleagues_hand(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    first, second, third = (
        asked(peopled, person, f"{number}@contoh.example", timedelta(hours=5 - number))
        for number, person in enumerate((JOKO, BUDI, DEWI))
    )
    ratna.open(f"{QUEUE}/{second}")

    answer = wati.submit(f"{QUEUE}/{first}", f"{QUEUE}/{first}/tolak", reason="Data tidak cocok.")

    assert answer.location.endswith(f"/{third}")


def test_a_note_is_read_at_the_desk_and_nowhere_else(
    peopled: Flask, wati: Visitor, ratna: Visitor, inbox: Inbox
) -> None:
    request_id = asked(peopled, JOKO, NEW)
    path, words = f"{QUEUE}/{request_id}", "Sudah ditelepon, belum diangkat."

    wati.submit(path, f"{path}/catatan", words=words)
    wati.submit(path, f"{path}/catatan", words=words)
    answer = wati.submit(path, f"{path}/tolak", reason="Data tidak cocok.")

    assert answer.status_code == 303
    page = words_of(ratna.open(path))
    assert page.count(words) == 1, "sent twice, kept once"
    assert "Wati Kusuma" in page
    mails = inbox.fetch()
    assert mails
    assert not any(words in mail.text or words in mail.html for mail in mails)
    ticket = Visitor(peopled).open(mails[-1].link.removeprefix("http://localhost"))
    assert ticket.status_code == 200
    assert words not in ticket.text
    raka = logged_in(peopled, RAKA)
    assert raka.open(path).status_code == 404
    assert raka.post_with_token("/akun", f"{path}/catatan", words="x").status_code == 404
    with peopled.app_context(), reading() as session:
        noted = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.CORRECTION_NOTED)).one()
        assert words not in str(noted.detail)
    assert wati.post_with_token("/akun", f"{path}/catatan", words="Terlambat").status_code == 422


def test_an_admin_reads_no_notes_about_their_own_request(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    request_id = asked(peopled, WATI, "wati.baru@contoh.example")
    path = f"{QUEUE}/{request_id}"
    ratna.submit(path, f"{path}/catatan", words="Belum jelas siapa yang meminta.")

    page = wati.open(path)

    assert "Belum jelas" not in page.text
    assert "catatan" not in words_of(wati.open(QUEUE))
    assert "1 catatan" in words_of(ratna.open(QUEUE))
    for act, fields in (("catatan", {"words": "x"}), ("tanya", {"question": "x"}), ("ambil", {})):
        assert wati.post_with_token("/akun", f"{path}/{act}", **fields).status_code == 403


def test_notes_have_a_length_and_a_number(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    path = f"{QUEUE}/{request_id}"
    with peopled.app_context(), unit_of_work() as session:
        by = person_id(peopled, WATI)
        session.add_all(
            CorrectionNote(correction_id=request_id, written_by_id=by, written_at=now(), words=f"Ke-{number}")
            for number in range(MOST_NOTES)
        )

    assert wati.submit(path, f"{path}/catatan", words=" ").status_code == 422
    assert wati.submit(path, f"{path}/catatan", words="a" * 501).status_code == 422
    refused = wati.submit(path, f"{path}/catatan", words="Satu lagi")
    assert refused.status_code == 422
    assert "Satu lagi" in refused.text, "what was typed stays"


def test_what_was_noted_goes_with_what_was_typed(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    path = f"{QUEUE}/{request_id}"
    wati.submit(path, f"{path}/catatan", words="Sudah ditelepon.")
    wati.submit(path, f"{path}/tolak", reason="Data tidak cocok.")

    for days, left in ((29, 1), (31, 0)):
        with (
            time_machine.travel(now() + timedelta(days=days)),
            peopled.app_context(),
            unit_of_work() as session,
        ):
            for name in ("correction_notes", "corrections_taken"):
                all_chores()[name](session, acts.act())
            assert session.scalar(select(func.count()).select_from(CorrectionNote)) == left
            assert session.scalar(select(func.count()).select_from(TakenCorrection)) == 0
