"""An admin leaves and somebody else takes the place, in one step. Nobody does that for themselves, and what
needs two admins needs two here too."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.identity import ChangeState
from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.models import AdminMandate, IdentityChange, MandateHandover, Role, Tag
from app.runtime.db import reading, unit_of_work
from tests.cast import BUDI, HADI, LESTARI, RAKA, RATNA, SARI, STRANGERS_NIP, WATI, Person
from tests.desk import latest_change, make_pusat, person_id
from tests.flows.attacks.test_races import _all_at_once
from tests.flows.instansi.test_desk_mandates import events, held
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

LIST = "/admin/mandat"
TODAY = today_in_jakarta(now())
UNTIL = TODAY + timedelta(days=200)
NEXT = {"nip": SARI.nip, "sk_number": "SK-9/2026", "until": UNTIL.isoformat()}


def page_of(app: Flask, person: Person) -> str:
    return f"{LIST}/{held(app, person)[-1].id}/serahkan"


def change_page(app: Flask, person: Person) -> str:
    change = latest_change(app, person)
    assert change is not None
    return f"/admin/perbaikan-email/perubahan/{change.id}"


@pytest.fixture
def ratna(peopled: Flask) -> Visitor:
    return logged_in(peopled, RATNA)


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


# -- pusat
def test_sari_takes_the_place_of_wati_in_one_step(peopled: Flask, ratna: Visitor, inbox: Inbox) -> None:
    wati, sari = logged_in(peopled, WATI), logged_in(peopled, SARI)

    answer = ratna.submit(page_of(peopled, WATI), **NEXT)

    assert (answer.status_code, answer.location) == (303, LIST)
    assert f"sekarang dipegang Sari Wulandari, sampai {shown_date(UNTIL)}" in words_of(ratna.open(LIST))
    assert not held(peopled, WATI)
    (mandate,) = held(peopled, SARI)
    assert (mandate.scope, mandate.sk_number, mandate.ends_on) == (
        "Pemerintah Kabupaten Nusa Jaya",
        "SK-9/2026",
        UNTIL,
    )
    assert wati.open(LIST).status_code == 403
    assert sari.open(LIST).status_code == 200
    (revoked,) = events(peopled, Tag.MANDATE_REVOKED)
    assert revoked.detail["reason"] == "diserahkan kepada Sari Wulandari (SK SK-9/2026)"
    assert revoked.actor_id == person_id(peopled, RATNA)
    mails = {mail.to: mail for mail in inbox.fetch()}
    assert mails.keys() == {SARI.email, WATI.email, RATNA.email}, "and each got one"
    assert "menggantikan Wati Kusuma, yang mandatnya langsung berakhir" in mails[RATNA.email or ""].text
    assert "diserahkan kepada Sari Wulandari" in mails[WATI.email or ""].text


def test_both_may_work_together_for_some_days(peopled: Flask, ratna: Visitor, inbox: Inbox) -> None:
    last = TODAY + timedelta(days=10)

    ratna.submit(page_of(peopled, WATI), **NEXT, former_until=last.isoformat())

    (watis,), (saris,) = held(peopled, WATI), held(peopled, SARI)
    assert (watis.ends_on, saris.ends_on) == (last, UNTIL)
    (event,) = events(peopled, Tag.MANDATE_SHORTENED)
    assert event.detail["until"] == last.isoformat()
    mails = {mail.to: mail.text for mail in inbox.fetch()}
    assert "berakhir 10 hari lagi" in mails[WATI.email or ""]
    assert "Mandat ini diserahkan kepada Sari Wulandari" in mails[WATI.email or ""]
    assert f"yang mandatnya berakhir pada {shown_date(last)}" in mails[RATNA.email or ""]
    with time_machine.travel(now() + timedelta(days=11), tick=False):
        assert logged_in(peopled, WATI).open(LIST).status_code == 403
        assert logged_in(peopled, SARI).open(LIST).status_code == 200


def test_a_last_day_after_the_end_does_not_prolong(peopled: Flask, ratna: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.get_one(AdminMandate, held(peopled, WATI)[0].id).ends_on = TODAY + timedelta(days=5)

    ratna.submit(page_of(peopled, WATI), **NEXT, former_until=(TODAY + timedelta(days=20)).isoformat())

    (watis,) = held(peopled, WATI)
    assert watis.ends_on == TODAY + timedelta(days=5)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"nip": STRANGERS_NIP}, "NIP ini tidak ada di portal"),
        ({"nip": WATI.nip}, "Ini pemegang mandat yang sekarang"),
        ({"nip": ""}, "Isi NIP"),
        ({"sk_number": " "}, "Isi nomor SK"),
        ({"until": "besok"}, "Isi hari terakhir mandat pengganti, misalnya"),
        ({"until": (TODAY - timedelta(days=1)).isoformat()}, "sudah lewat"),
        ({"until": (TODAY + timedelta(days=5 * 366)).isoformat()}, "paling lama 5 tahun"),
        ({"former_until": (TODAY - timedelta(days=1)).isoformat()}, "dalam 30 hari ke depan"),
        ({"former_until": (TODAY + timedelta(days=31)).isoformat()}, "dalam 30 hari ke depan"),
        ({"former_until": "lusa"}, "Isi hari terakhir mandat lama"),
    ],
)
def test_what_cannot_be_is_refused_and_says_what_to_do(
    peopled: Flask, ratna: Visitor, changed: dict[str, str], words: str
) -> None:
    answer = ratna.submit(page_of(peopled, WATI), **{**NEXT, **changed})

    assert answer.status_code == 422
    assert words in words_of(answer)
    assert held(peopled, WATI)
    assert not held(peopled, SARI)


def test_nobody_takes_a_place_themselves(peopled: Flask, ratna: Visitor) -> None:
    answer = ratna.submit(page_of(peopled, WATI), **{**NEXT, "nip": RATNA.nip})

    assert answer.status_code == 403
    assert held(peopled, WATI)


def test_the_very_same_form_twice_is_one(peopled: Flask, ratna: Visitor, inbox: Inbox) -> None:
    page = page_of(peopled, WATI)
    token = ratna.csrf_token(page)

    answers = [ratna.post(page, csrf_token=token, **NEXT).status_code for _ in range(2)]

    assert answers == [303, 303]
    assert len(held(peopled, SARI)) == 1
    assert len(inbox.fetch()) == 3


def test_two_of_pusat_at_once_leave_one_successor(peopled: Flask) -> None:
    make_pusat(peopled, RAKA)
    page = page_of(peopled, WATI)
    admins = [logged_in(peopled, who) for who in (RATNA, RAKA)]
    tokens = [admin.csrf_token(page) for admin in admins]
    successors = (SARI, BUDI)

    def hand(number: int) -> int:
        fields = {**NEXT, "nip": successors[number].nip}
        return admins[number].post(page, csrf_token=tokens[number], **fields).status_code

    answers = _all_at_once([lambda: hand(0), lambda: hand(1)])

    assert answers == [303, 303]
    assert not held(peopled, WATI)
    assert len(held(peopled, SARI)) + len(held(peopled, BUDI)) == 1


def test_handing_over_and_revoking_at_once_do_not_both_happen(peopled: Flask) -> None:
    make_pusat(peopled, RAKA)
    page = page_of(peopled, WATI)
    revocation = page.replace("serahkan", "cabut")
    ratna, raka = logged_in(peopled, RATNA), logged_in(peopled, RAKA)
    tokens = [ratna.csrf_token(page), raka.csrf_token(revocation)]

    answers = _all_at_once(
        [
            lambda: ratna.post(page, csrf_token=tokens[0], **NEXT).status_code,
            lambda: raka.post(revocation, csrf_token=tokens[1], reason="Keliru").status_code,
        ]
    )

    assert answers in ([303, 303], [303, 404])
    assert not held(peopled, WATI)
    assert len(events(peopled, Tag.MANDATE_REVOKED)) == 1


# -- a mandate over all instansi
def test_a_mandate_of_pusat_goes_on_until_the_second_admin_has_confirmed(peopled: Flask) -> None:
    make_pusat(peopled, RAKA)
    make_pusat(peopled, WATI)
    ratna = logged_in(peopled, RATNA)

    answer = ratna.submit(page_of(peopled, RAKA), **NEXT)

    assert answer.status_code == 303
    assert "Sampai saat itu mandat yang lama tetap berlaku" in words_of(ratna.open(LIST))
    assert len(held(peopled, RAKA)) == 2
    assert not held(peopled, SARI)
    page = change_page(peopled, SARI)
    assert "Menggantikan Raka" in words_of(ratna.open(page))
    assert ratna.post_with_token(page, f"{page}/konfirmasi").status_code == 403, "the own decision"

    second = logged_in(peopled, WATI)
    assert second.post_with_token(page, f"{page}/konfirmasi").status_code == 303

    assert [one.role for one in held(peopled, RAKA)] == [Role.ADMIN_INSTANSI]
    assert held(peopled, SARI)[0].confirmed_by_id == person_id(peopled, WATI)


def test_ratna_alone_cannot_hand_over_her_own_mandate(peopled: Flask, inbox: Inbox) -> None:
    make_pusat(peopled, RAKA)
    inbox.fetch()
    ratna = logged_in(peopled, RATNA)

    assert ratna.submit(page_of(peopled, RATNA), **NEXT).status_code == 303

    assert held(peopled, RATNA)
    assert not held(peopled, SARI)
    page = change_page(peopled, SARI)
    assert logged_in(peopled, RAKA).post_with_token(page, f"{page}/konfirmasi").status_code == 303
    assert not held(peopled, RATNA)
    assert ratna.open(LIST).status_code == 403


def test_a_cancelled_handover_leaves_everything_as_it_was(peopled: Flask, inbox: Inbox) -> None:
    make_pusat(peopled, RAKA)
    ratna = logged_in(peopled, RATNA)
    ratna.submit(page_of(peopled, RAKA), **NEXT)
    page = change_page(peopled, SARI)
    inbox.fetch()

    assert ratna.post_with_token(page, f"{page}/batalkan", because="Keliru").status_code == 303

    assert len(held(peopled, RAKA)) == 2
    assert not held(peopled, SARI)
    assert "tidak jadi: Keliru" in inbox.fetch()[-1].text
    assert ratna.submit(page_of(peopled, RAKA), **{**NEXT, "nip": BUDI.nip}).status_code == 303


# -- an admin of an instansi
def test_wati_proposes_and_pusat_confirms_in_one_step(
    peopled: Flask, wati: Visitor, ratna: Visitor, inbox: Inbox
) -> None:
    assert "Serahkan" in words_of(wati.open(LIST))

    answer = wati.submit(page_of(peopled, WATI), **NEXT)

    assert answer.status_code == 303
    assert held(peopled, WATI)
    assert not held(peopled, SARI)
    (mail,) = inbox.fetch()
    assert mail.to == RATNA.email
    assert "menggantikan Wati Kusuma" in mail.text
    assert SARI.nip not in mail.text
    page = change_page(peopled, SARI)
    assert wati.post_with_token("/akun", f"{page}/konfirmasi").status_code == 403
    assert held(peopled, WATI)

    assert f"Mandat sampai {shown_date(UNTIL)}" in words_of(ratna.open(page))
    assert ratna.post_with_token(page, f"{page}/konfirmasi").status_code == 303

    assert any(
        "oleh Wati Kusuma, dikonfirmasi oleh Ratna Dewanti, menggantikan Wati Kusuma" in mail.text
        for mail in inbox.fetch()
    )
    assert not held(peopled, WATI)
    (mandate,) = held(peopled, SARI)
    assert (mandate.granted_by_id, mandate.confirmed_by_id) == (
        person_id(peopled, WATI),
        person_id(peopled, RATNA),
    )


def test_wati_withdraws_what_she_proposed_and_tries_no_more_than_three_times_a_day(
    peopled: Flask, wati: Visitor
) -> None:
    for _ in range(3):
        assert wati.submit(page_of(peopled, WATI), **NEXT).status_code == 303
        page = change_page(peopled, SARI)
        assert wati.post_with_token(page, f"{page}/batalkan", because="Keliru").status_code == 303

    again = wati.submit(page_of(peopled, WATI), **NEXT)

    assert again.status_code == 422
    assert "terlalu banyak usulan" in words_of(again)
    with time_machine.travel(now() + timedelta(days=1), tick=False):
        wati = logged_in(peopled, WATI)
        assert wati.submit(page_of(peopled, WATI), **NEXT).status_code == 303


def test_one_proposal_waits_at_a_time(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    wati.submit(page_of(peopled, WATI), **NEXT)

    for admin in (wati, ratna):
        again = admin.submit(page_of(peopled, WATI), **{**NEXT, "nip": BUDI.nip})
        assert again.status_code == 422
        assert "Sudah ada pengganti yang menunggu" in words_of(again)


def test_wati_learns_nothing_of_people_elsewhere(peopled: Flask, wati: Visitor) -> None:
    answers = [
        wati.submit(page_of(peopled, WATI), **{**NEXT, "nip": nip}) for nip in (HADI.nip, STRANGERS_NIP)
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    said = [words_of(answer) for answer in answers]
    assert all("NIP ini tidak ada di instansi Anda" in words for words in said)
    assert said[0].replace(HADI.nip, "") == said[1].replace(STRANGERS_NIP, "")


def test_nobody_proposes_for_anothers_mandate(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    ratna.submit("/admin/mandat/baru", **NEXT, scope="instansi", instansi="7301")
    raka, token = logged_in(peopled, RAKA), wati.csrf_token("/akun")
    colleagues, watis, ratnas = (page_of(peopled, one) for one in (SARI, WATI, RATNA))

    assert wati.open(colleagues).status_code == 403
    assert wati.post(colleagues, csrf_token=token, **{**NEXT, "nip": BUDI.nip}).status_code == 403
    for page in (watis, ratnas, f"{LIST}/9999/serahkan"):
        assert raka.open(page).status_code == 404
        answer = raka.post(page, csrf_token=raka.csrf_token("/akun"), **{**NEXT, "nip": LESTARI.nip})
        assert answer.status_code == 404
    assert wati.open(ratnas).status_code == 404


def test_a_proposal_ends_with_the_mandate_that_was_to_be_handed_over(
    peopled: Flask, wati: Visitor, ratna: Visitor, inbox: Inbox
) -> None:
    wati.submit(page_of(peopled, WATI), **NEXT)
    inbox.fetch()

    ratna.submit(page_of(peopled, WATI).replace("serahkan", "cabut"), reason="Diberhentikan")

    change = latest_change(peopled, SARI)
    assert change is not None
    assert change.state is ChangeState.CANCELLED
    page = change_page(peopled, SARI)
    assert ratna.post_with_token("/akun", f"{page}/konfirmasi").status_code == 422
    assert not held(peopled, SARI)
    assert any("tidak jadi: Mandat yang akan diserahkan sudah dicabut" in one.text for one in inbox.fetch())


def test_revoking_and_confirming_at_once_do_not_both_happen(peopled: Flask, wati: Visitor) -> None:
    make_pusat(peopled, RAKA)
    wati.submit(page_of(peopled, WATI), **NEXT)
    page, revocation = change_page(peopled, SARI), page_of(peopled, WATI).replace("serahkan", "cabut")
    ratna, raka = logged_in(peopled, RATNA), logged_in(peopled, RAKA)
    tokens = [ratna.csrf_token(page), raka.csrf_token(revocation)]

    answers = _all_at_once(
        [
            lambda: ratna.post(f"{page}/konfirmasi", csrf_token=tokens[0]).status_code,
            lambda: raka.post(revocation, csrf_token=tokens[1], reason="Keluar").status_code,
        ]
    )

    assert max(answers) < 500
    assert not held(peopled, WATI)
    confirmed = 303 in answers and bool(held(peopled, SARI))
    change = latest_change(peopled, SARI)
    assert change is not None
    assert change.state is (ChangeState.DONE if confirmed else ChangeState.CANCELLED)


def test_wati_whose_mandate_was_revoked_a_moment_ago_proposes_nothing(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    page = page_of(peopled, WATI)
    token = wati.csrf_token(page)
    ratna.submit(page.replace("serahkan", "cabut"), reason="Diberhentikan")

    assert wati.post(page, csrf_token=token, **NEXT).status_code == 403
    with peopled.app_context(), reading() as session:
        assert not session.scalars(select(MandateHandover)).all()


# -- the mandate is prolonged while a successor waits
def prolong(ratna: Visitor, sk_number: str, days: int = 300) -> None:
    until = (TODAY + timedelta(days=days)).isoformat()
    fields = {"nip": WATI.nip, "scope": "instansi", "instansi": "7301", "sk_number": sk_number}
    assert ratna.submit("/admin/mandat/baru", **fields, until=until).status_code == 303


def state_of(app: Flask, person: Person) -> ChangeState:
    change = latest_change(app, person)
    assert change is not None
    return change.state


@pytest.mark.parametrize("new_letters", [["SK-NEW"], ["SK-NEW", "SK-NEWER"]])
def test_a_proposal_ends_with_the_mandate_however_often_that_was_prolonged(
    peopled: Flask, wati: Visitor, ratna: Visitor, new_letters: list[str]
) -> None:
    wati.submit(page_of(peopled, WATI), **NEXT)
    for sk_number in new_letters:
        prolong(ratna, sk_number)
    assert state_of(peopled, SARI) is ChangeState.NEEDS_SECOND, "a new SK changes nothing for the successor"

    ratna.submit(page_of(peopled, WATI).replace("serahkan", "cabut"), reason="Diberhentikan")

    assert state_of(peopled, SARI) is ChangeState.CANCELLED
    page = change_page(peopled, SARI)
    assert ratna.post_with_token("/akun", f"{page}/konfirmasi").status_code == 422
    assert not held(peopled, SARI)


def test_a_prolonged_mandate_has_no_room_for_a_second_successor(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    wati.submit(page_of(peopled, WATI), **NEXT)
    prolong(ratna, "SK-NEW")

    again = wati.submit(page_of(peopled, WATI), **{**NEXT, "nip": BUDI.nip})

    assert again.status_code == 422
    assert "Sudah ada pengganti yang menunggu" in words_of(again)


def test_with_a_new_sk_the_proposals_of_a_day_are_not_counted_anew(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    for number in range(3):
        assert wati.submit(page_of(peopled, WATI), **NEXT).status_code == 303
        page = change_page(peopled, SARI)
        assert wati.post_with_token(page, f"{page}/batalkan", because="Keliru").status_code == 303
        prolong(ratna, f"SK-NEW-{number}")

    again = wati.submit(page_of(peopled, WATI), **NEXT)

    assert again.status_code == 422
    assert "terlalu banyak usulan" in words_of(again)


def test_a_confirmed_successor_takes_the_place_of_the_prolonged_mandate(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    last = TODAY + timedelta(days=25)
    wati.submit(page_of(peopled, WATI), **NEXT, former_until=last.isoformat())
    prolong(ratna, "SK-NEW")
    page = change_page(peopled, SARI)

    assert ratna.post_with_token(page, f"{page}/konfirmasi").status_code == 303

    (watis,), (saris,) = held(peopled, WATI), held(peopled, SARI)
    assert (watis.sk_number, watis.ends_on, saris.ends_on) == ("SK-NEW", last, UNTIL)
    with peopled.app_context(), reading() as session:
        assert MandateHandover.is_done_from(session, watis.id), "and nobody reminds of its end"


def test_two_who_propose_each_other_are_confirmed_one_after_the_other(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    make_pusat(peopled, RAKA)  # Ratna has appointed Sari, so Sari's proposal needs somebody else
    fields = {**NEXT, "sk_number": "SK-SARI"}
    ratna.submit("/admin/mandat/baru", **fields, scope="instansi", instansi="7301")
    sari, raka = logged_in(peopled, SARI), logged_in(peopled, RAKA)
    sari.submit(page_of(peopled, SARI), **{**NEXT, "nip": WATI.nip, "sk_number": "SK-WATI"})
    wati.submit(page_of(peopled, WATI), **NEXT)
    pages = [change_page(peopled, person) for person in (SARI, WATI)]

    assert ratna.post_with_token(pages[0], f"{pages[0]}/konfirmasi").status_code == 303
    assert ([one.sk_number for one in held(peopled, SARI)], held(peopled, WATI)) == ([NEXT["sk_number"]], [])
    assert raka.post_with_token(pages[1], f"{pages[1]}/konfirmasi").status_code == 303

    assert (held(peopled, SARI), [one.sk_number for one in held(peopled, WATI)]) == ([], ["SK-WATI"])


def test_after_its_last_day_pusat_still_decides_about_the_successor(peopled: Flask, wati: Visitor) -> None:
    prolong(logged_in(peopled, RATNA), "SK-SHORT", days=2)
    wati.submit(page_of(peopled, WATI), **NEXT)
    page = change_page(peopled, SARI)

    with time_machine.travel(now() + timedelta(days=3), tick=False):
        assert not held(peopled, WATI)
        ratna = logged_in(peopled, RATNA)
        assert ratna.post_with_token(page, f"{page}/konfirmasi").status_code == 303
        assert held(peopled, SARI)


def test_a_proposal_ends_with_a_mandate_that_was_granted_anew_after_its_last_day(
    peopled: Flask, wati: Visitor
) -> None:
    prolong(logged_in(peopled, RATNA), "SK-SHORT", days=2)
    wati.submit(page_of(peopled, WATI), **NEXT)

    with time_machine.travel(now() + timedelta(days=3), tick=False):
        ratna = logged_in(peopled, RATNA)
        prolong(ratna, "SK-NEW")
        ratna.submit(page_of(peopled, WATI).replace("serahkan", "cabut"), reason="Diberhentikan")

    assert state_of(peopled, SARI) is ChangeState.CANCELLED


# -- the successor says: not me
def test_a_successor_who_objects_is_no_admin_and_a_second_one_has_to_look(
    peopled: Flask, ratna: Visitor, inbox: Inbox
) -> None:
    ratna.submit(page_of(peopled, WATI), **NEXT)
    letter = next(mail for mail in inbox.fetch() if mail.to == SARI.email)
    stop = next(word for word in letter.text.split() if "/bukan-saya/" in word).replace(
        "http://localhost", ""
    )

    sari = Visitor(peopled)
    sari.submit(stop.removeprefix("http://localhost"))

    assert not held(peopled, SARI)
    assert not held(peopled, WATI), "what has ended does not come back by itself"
    change = latest_change(peopled, SARI)
    assert change is not None
    assert change.state is ChangeState.FROZEN


def test_for_a_contested_successor_the_former_mandate_goes_on(
    peopled: Flask, ratna: Visitor, inbox: Inbox
) -> None:
    ratna.submit("/admin/mandat/baru", **NEXT, scope="instansi", instansi="7301")
    letter = next(mail for mail in inbox.fetch() if mail.to == SARI.email)
    stop = next(word for word in letter.text.split() if "/bukan-saya/" in word).replace(
        "http://localhost", ""
    )
    Visitor(peopled).submit(stop.removeprefix("http://localhost"))

    ratna.submit(page_of(peopled, WATI), **{**NEXT, "sk_number": "SK-10/2026"})

    assert held(peopled, WATI)
    assert not held(peopled, SARI)


# -- decisions under way
def test_decisions_of_the_former_admin_wait_for_another_one(peopled: Flask, ratna: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        joko_change = IdentityChange(
            reference="x" * 8,
            kind="email",
            user_id=person_id(peopled, BUDI),
            instansi_id=1,
            old_value=BUDI.email,
            new_value="baru@contoh.example",
            state=ChangeState.SCHEDULED,
            reason="Surat",
            decided_by_id=person_id(peopled, WATI),
            decided_at=now(),
            effective_at=now() + timedelta(hours=20),
        )
        session.add(joko_change)

    ratna.submit(page_of(peopled, WATI), **NEXT)

    change = latest_change(peopled, BUDI)
    assert change is not None
    assert change.state is ChangeState.NEEDS_SECOND
    assert change.look_again_because is not None


def test_the_page_says_when_it_is_only_a_proposal(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    for admin, words in ((wati, "menjadi usulan"), (ratna, "langsung berlaku")):
        assert words in words_of(admin.open(page_of(peopled, WATI)))
    assert "menjadi usulan" in words_of(ratna.open(page_of(peopled, RATNA)))
