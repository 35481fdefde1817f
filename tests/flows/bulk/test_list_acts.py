"""What an admin can do to the people of a list: decide about CPNS, close accounts, move people, log them out.
Everybody whom it was done to hears of it once, and everybody else is left out for a reason that is said."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.domain.categories import Activation
from app.domain.identity import ChangeState
from app.models import AuditEvent, BulkState, IdentityChange, OutboxMail, Tag, User
from app.models.bulk_act import BulkKind
from app.models.outbox_mail import Letter
from app.models.pusat_report import PusatReport
from app.runtime.db import reading
from app.worker import bulk_acts, jobs
from tests.cast import BUDI, CINTA, DEWI, HADI, JOKO, RAKA, RATNA, SARI, TONO, WATI, email_of
from tests.desk import make_pusat, person_id, user
from tests.flows.bulk.at_once import act_of, outcomes_of, start, work
from tests.flows.bulk.listing import DECREE, WHY, candidates, events_of, preview, states_of
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


def done(app: Flask, visitor: Visitor, page: str) -> str:
    """The act is started and carried out. Returns what its page says then."""
    start(visitor, page)
    work(app)
    return words_of(visitor.open(page))


def mails_by_reader(inbox: Inbox) -> dict[str, str]:
    return {mail.to: mail.text for mail in inbox.fetch()}


# -- CPNS


def test_candidates_of_one_letter_are_let_in_and_hear_of_it(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    nips = candidates(peopled, 3)
    page = preview(wati, "setujui_cpns", [*nips, CINTA.nip, SARI.nip, WATI.nip, RAKA.nip], **DECREE)
    assert "4 pegawai akan dibuka akunnya, 3 dilewati." in words_of(wati.open(page))

    said = done(peopled, wati, page)

    assert "4 pegawai dibuka akunnya, 3 dilewati." in said
    assert "Dilewati. Tidak sedang menunggu persetujuan" in said
    assert states_of(peopled, [*nips, CINTA.nip]) == {Activation.NOT_ACTIVATED}
    approved = events_of(peopled, Tag.CPNS_APPROVED)
    assert len(approved) == 4
    assert all(one.detail == {"sk": DECREE["sk_number"], "sk_date": DECREE["sk_date"]} for one in approved)
    assert {one.actor_id for one in approved} == {person_id(peopled, WATI)}
    [told] = events_of(peopled, Tag.BULK_ACT)
    assert (told.detail["act"], told.detail["how_many"], told.detail["left"]) == ("setujui_cpns", 4, 3)
    mails = [mail for mail in inbox.fetch() if mail.subject == "Akun MySAPK Anda sudah dibuka"]
    assert len({mail.to for mail in mails}) == len(mails) == 4
    assert Visitor(peopled).log_in(CINTA.nip).location == "/beranda"


def test_candidates_are_turned_away_with_the_reason(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    page = preview(wati, "tolak_cpns", [CINTA.nip, BUDI.nip], reason="Mengundurkan diri")
    assert "btn-danger" in wati.open(page).text

    said = done(peopled, wati, page)

    assert "1 pegawai ditolak, 1 dilewati." in said
    cinta = user(peopled, CINTA)
    assert (cinta.activation, cinta.activation_reason) == (Activation.DEACTIVATED, "Mengundurkan diri")
    assert "Mengundurkan diri" in mails_by_reader(inbox)[email_of(CINTA)]


def test_who_was_decided_about_after_the_preview_is_left_out(peopled: Flask, wati: Visitor) -> None:
    page = preview(wati, "setujui_cpns", [CINTA.nip], **DECREE)
    start(wati, page)
    cinta = person_id(peopled, CINTA)
    form = f"/admin/cpns/tolak?person={cinta}"
    logged_in(peopled, RATNA).submit(form, "/admin/cpns/tolak", person=[str(cinta)], reason="Berkas palsu")

    work(peopled)

    assert outcomes_of(peopled, page) == {CINTA.name: "tidak_menunggu"}
    assert user(peopled, CINTA).activation is Activation.DEACTIVATED
    assert events_of(peopled, Tag.CPNS_APPROVED) == []


def test_one_of_a_bulk_approval_and_a_single_rejection_at_the_same_time_wins(
    peopled: Flask, wati: Visitor
) -> None:
    nips = candidates(peopled, 6)
    page = preview(wati, "setujui_cpns", nips, **DECREE)
    start(wati, page)
    ratna, ready = logged_in(peopled, RATNA), Barrier(2)
    with peopled.app_context(), reading() as session:
        ids = session.scalars(select(User.id).where(User.nip.in_(nips)).order_by(User.nip.desc())).all()
    forms = [(one, ratna.csrf_token(f"/admin/cpns/tolak?person={one}")) for one in ids]

    def reject() -> None:
        ready.wait()
        for one, token in forms:
            ratna.post("/admin/cpns/tolak", csrf_token=token, person=[str(one)], reason="Berkas palsu")

    def approve() -> None:
        ready.wait()
        work(peopled)

    with ThreadPoolExecutor(2) as pool:
        for running in [pool.submit(reject), pool.submit(approve)]:
            running.result()

    approved, rejected = (
        {one.account_id for one in events_of(peopled, tag)} for tag in (Tag.CPNS_APPROVED, Tag.CPNS_REJECTED)
    )
    assert approved | rejected == set(ids)
    assert approved & rejected == set()
    assert act_of(peopled, page).result.get("selesai", 0) == len(approved)
    with peopled.app_context(), reading() as session:
        for person in session.scalars(select(User).where(User.id.in_(ids))):
            assert person.is_deactivated == (person.id in rejected)


# -- closing accounts


def test_accounts_of_a_list_are_closed_and_their_owners_told_why(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    sari = logged_in(peopled, SARI)
    page = preview(wati, "nonaktifkan", [SARI.nip, BUDI.nip, TONO.nip], **WHY)
    preview_says = words_of(wati.open(page))
    assert "2 pegawai akan dinonaktifkan akunnya, 1 dilewati." in preview_says
    assert "Dilewati. Akunnya sudah dinonaktifkan sebelumnya" in preview_says
    assert "btn-danger" in wati.open(page).text
    assert sari.is_logged_in(), "a preview does nothing"

    done(peopled, wati, page)

    assert not sari.is_logged_in()
    assert states_of(peopled, [SARI.nip, BUDI.nip]) == {Activation.DEACTIVATED}
    assert user(peopled, SARI).activation_reason == WHY["reason"]
    assert user(peopled, TONO).activation_reason != WHY["reason"]
    assert WHY["reason"] in mails_by_reader(inbox)[email_of(SARI)]
    assert len(events_of(peopled, Tag.DEACTIVATED)) == 2


def test_an_admin_of_higher_rank_and_oneself_are_left_out(peopled: Flask, wati: Visitor) -> None:
    page = preview(wati, "nonaktifkan", [WATI.nip, RATNA.nip, SARI.nip], **WHY)

    done(peopled, wati, page)

    assert not user(peopled, WATI).is_deactivated
    assert not user(peopled, RATNA).is_deactivated
    assert user(peopled, SARI).is_deactivated


def test_who_became_an_admin_after_the_preview_is_left_alone(peopled: Flask, wati: Visitor) -> None:
    page = preview(wati, "nonaktifkan", [SARI.nip], **WHY)
    start(wati, page)
    make_pusat(peopled, SARI)

    work(peopled)

    assert outcomes_of(peopled, page) == {SARI.name: "admin"}
    assert not user(peopled, SARI).is_deactivated


# -- moving


def test_people_of_a_list_move_and_are_out_of_reach(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    page = preview(wati, "mutasi", [SARI.nip, BUDI.nip], code="3402", **WHY)
    assert "Instansi tujuan" in words_of(wati.open(page))

    said = done(peopled, wati, page)

    assert "2 pegawai dipindahkan." in said
    assert SARI.name not in said, "who has moved is out of reach"
    assert "19850312 201001 2 001" in said, "the list is the admin's own"
    assert user(peopled, SARI).instansi.code == user(peopled, BUDI).instansi.code == "3402"
    assert WHY["reason"] in mails_by_reader(inbox)[email_of(SARI)]
    assert SARI.name in words_of(logged_in(peopled, RAKA).open(f"/admin/pegawai?nip={SARI.nip}"))


def test_who_needs_a_second_admin_waits_for_one(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)
    target = "3402" if user(peopled, HADI).instansi.code != "3402" else "7301"

    page = preview(ratna, "mutasi", [HADI.nip], code=target, **WHY)
    before = words_of(ratna.open(page))
    after = done(peopled, ratna, page)

    assert "1 pegawai akan dipindahkan." in before
    for said in (before, after):
        assert "Menunggu konfirmasi admin kedua" in said
    assert outcomes_of(peopled, page) == {HADI.name: "admin_kedua"}
    assert user(peopled, HADI).instansi.code != target
    with peopled.app_context(), reading() as session:
        [change] = session.scalars(select(IdentityChange)).all()
        assert (change.state, change.new_value) == (ChangeState.NEEDS_SECOND, target)


def test_who_is_there_already_stays(peopled: Flask, wati: Visitor) -> None:
    page = preview(wati, "mutasi", [SARI.nip], code="7301", **WHY)

    assert "Dilewati. Sudah di instansi tujuan" in words_of(wati.open(page))
    assert act_of(peopled, page).is_without_effect


# -- ending sessions


def test_people_of_a_list_are_logged_out_and_keep_their_passwords(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    sari = logged_in(peopled, SARI)
    page = preview(wati, "akhiri_sesi", [SARI.nip, BUDI.nip, DEWI.nip], **WHY)
    assert "1 pegawai akan diakhiri sesinya, 2 dilewati." in words_of(wati.open(page))

    done(peopled, wati, page)

    assert not sari.is_logged_in()
    assert wati.is_logged_in()
    assert Visitor(peopled).log_in(SARI.nip).location == "/beranda"
    assert outcomes_of(peopled, page) == {
        SARI.name: "selesai", BUDI.name: "tanpa_sesi", DEWI.name: "tanpa_sesi",
    }  # fmt: skip
    assert WHY["reason"] in mails_by_reader(inbox)[email_of(SARI)]


def test_tokens_can_be_sent_to_the_people_of_a_list(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    done(peopled, wati, preview(wati, "kirim_token", [JOKO.nip, TONO.nip]))

    tokens = [mail for mail in inbox.fetch() if mail.subject.startswith("Token")]
    assert [mail.to for mail in tokens] == [email_of(JOKO)]


# -- 2,000 people


@pytest.mark.parametrize(
    ("kind", "terms", "tag", "count"),
    [
        (BulkKind.DEACTIVATE, WHY, Tag.DEACTIVATED, 2000),
        (BulkKind.MOVE, {**WHY, "code": "3402"}, Tag.MOVED, 200),
        (BulkKind.APPROVE_CPNS, DECREE, Tag.CPNS_APPROVED, 200),
    ],
)
def test_up_to_2000_people_have_it_done_once_though_a_worker_stops(
    peopled: Flask, wati: Visitor, kind: BulkKind, terms: dict[str, str], tag: Tag, count: int,
) -> None:  # fmt: skip
    nips = candidates(peopled, count)
    page = preview(wati, kind.value, nips, **terms)
    assert act_of(peopled, page).expected == {"selesai": count}
    assert len(words_of(wati.open(page))) < 60_000, "the preview has pages"
    start(wati, page)
    stops = Event()
    stops.set()

    jobs.do_next(peopled, stops)
    assert 0 < act_of(peopled, page).position < count
    work(peopled)

    act, here = act_of(peopled, page), user(peopled, WATI).instansi_id
    assert (act.state, act.result) == (BulkState.DONE, {"selesai": count})
    with peopled.app_context(), reading() as session:
        counted = select(func.count(), func.count(AuditEvent.account_id.distinct()))
        at_the_desk = counted.where(AuditEvent.tag == tag, AuditEvent.instansi_id == here)
        assert session.execute(at_the_desk).one() == (count, count)
        letters = select(func.count(), func.count(OutboxMail.user_id.distinct()))
        to_people = letters.where(OutboxMail.letter != Letter.BULK_ACT)
        assert session.execute(to_people).one() == (count, count)
        (report,) = session.scalars(select(PusatReport)).all()
        is_grave = kind is not BulkKind.APPROVE_CPNS
        assert (report.how_many, report.is_at_once) == (count, is_grave)
        to_pusat = session.scalars(select(OutboxMail).where(OutboxMail.letter == Letter.BULK_ACT)).all()
        assert [mail.about["how_many"] for mail in to_pusat] == [str(count)] * is_grave


def test_an_admin_whose_mandate_ends_moves_nobody_more(
    peopled: Flask, wati: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    nips = candidates(peopled, 12)
    page = preview(wati, "mutasi", nips, code="3402", **WHY)
    start(wati, page)
    monkeypatch.setattr(bulk_acts, "PEOPLE_A_CHUNK", 4)
    turns = jobs.all_turns(peopled)
    turns.next()
    turns.next()
    logged_in(peopled, RATNA).post_with_token(
        f"/admin/pegawai/{person_id(peopled, WATI)}/nonaktifkan", reason="Pensiun"
    )
    while turns.next() is not None:
        pass

    act = act_of(peopled, page)
    assert act.state is BulkState.STOPPED
    moved = len({event.account_id for event in events_of(peopled, Tag.MOVED)})
    assert moved == act.result["selesai"] < 12
    assert act.result["belum"] == 12 - moved
