"""Attacks on the gate by a dishonest or careless admin: each of these failed when it was written."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.cli.serve import let_changes_take_effect
from app.db import reading, unit_of_work
from app.domain.categories import Category
from app.domain.identity import ChangeState
from app.domain.indonesian_time import now
from app.models import AdminMandate, AuditEvent, IdentityChange, Tag, User
from tests.cast import BUDI, DEWI, HADI, JOKO, RAKA, RATNA, SARI, WATI, Person
from tests.desk import centre, latest_change, user
from tests.flows.test_identity_gate import (
    NEW_NIP,
    WHY,
    act_on_change,
    change_email,
    correct,
    imported,
    page_of,
    row_of,
    stop_links,
)
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in

OTHER_NIP = "198503122010012778"


def by_name(app: Flask, person: Person) -> User:
    with app.app_context(), reading() as session:
        return session.scalars(select(User).where(User.name == person.name)).one()


def grant(admin: Visitor, person: Person, scope: str, until: timedelta = timedelta(days=300), sk: str = "SK-1") -> int:
    day = (now() + until).date().isoformat()
    fields = {"nip": person.nip, "scope": scope, "sk_number": sk, "until": day}
    if scope == "instansi":
        fields["instansi"] = person.instansi
    return admin.submit("/admin/mandat/baru", **fields).status_code


def test_after_two_settled_stops_the_link_is_dead_and_one_admin_takes_an_account_in_use(peopled: Flask, inbox: Inbox) -> None:
    """The owner was right twice, a second admin said so: then the third letter carries a link that stops nothing."""
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(2):
            assert change_email(logged_in(peopled, WATI), peopled, SARI, "maling@contoh.example") == 303
            Visitor(peopled).submit(stop_links(inbox.fetch())[SARI.email or ""])
            clock.shift(timedelta(minutes=5))
            assert act_on_change(logged_in(peopled, RATNA), latest_change(peopled, SARI), "batalkan", because="Pemilik benar") == 303
            inbox.fetch()
        assert change_email(logged_in(peopled, WATI), peopled, SARI, "maling@contoh.example") == 303
        change = latest_change(peopled, SARI)
        if change and change.state is not ChangeState.NEEDS_SECOND:
            link = stop_links(inbox.fetch())[SARI.email or ""]
            visitor = Visitor(peopled)
            visitor.post(link, csrf_token=visitor.csrf_token("/login"))
        clock.shift(timedelta(hours=25))
        let_changes_take_effect(peopled)

        assert user(peopled, SARI).email == SARI.email


def test_stopping_a_new_nip_after_the_old_one_was_given_away(peopled: Flask, inbox: Inbox) -> None:
    ratna = logged_in(peopled, RATNA)
    assert correct(ratna, peopled, BUDI, nip=NEW_NIP) == 303
    link = stop_links(inbox.fetch())[BUDI.email or ""]
    assert correct(ratna, peopled, JOKO, nip=BUDI.nip) == 303, "the centre, with a reason"

    assert Visitor(peopled).submit(link).status_code == 303
    with peopled.app_context(), reading() as session:
        change = session.scalars(select(IdentityChange).join(User, IdentityChange.user_id == User.id).where(User.name == BUDI.name)).one()
    assert change.state is ChangeState.FROZEN


def test_a_nip_that_waited_is_not_given_once_somebody_else_has_held_it(peopled: Flask) -> None:
    wati = logged_in(peopled, WATI)
    assert correct(wati, peopled, SARI, nip=NEW_NIP) == 303
    assert correct(wati, peopled, BUDI, nip=NEW_NIP) == 303
    with peopled.app_context(), unit_of_work() as session:
        budi = session.scalars(select(User.id).where(User.name == BUDI.name)).one()
    import re

    page = f"/admin/pegawai/{budi}/ubah"
    seen = re.search(r'name="seen" value="([^"]+)"', wati.open(page).text)
    record = {"nip": OTHER_NIP, "name": BUDI.name, "category": "PNS", "work_unit": BUDI.unit, "phone": "", "reason": WHY}
    assert wati.submit(page, **record, seen=seen[1] if seen else "").status_code == 303

    with time_machine.travel(now() + timedelta(hours=25)):
        let_changes_take_effect(peopled)

    assert by_name(peopled, SARI).nip == SARI.nip


def test_an_appointee_confirmed_late_is_still_an_appointee(peopled: Flask) -> None:
    """Ratna lets the decision lie for 31 days: from the first day of the mandate its holder counts as independent."""
    centre(peopled, DEWI)
    ratna = logged_in(peopled, RATNA)
    with peopled.app_context(), unit_of_work() as session:
        hashed = session.scalars(select(User.password_hash).where(User.nip == WATI.nip)).one()
        session.scalars(select(User).where(User.nip == DEWI.nip)).one().password_hash = hashed
    assert grant(ratna, SARI, "pusat") == 303
    with time_machine.travel(now() + timedelta(days=31)):
        assert act_on_change(logged_in(peopled, DEWI), latest_change(peopled, SARI), "konfirmasi") == 303
        assert change_email(logged_in(peopled, RATNA), peopled, HADI, "hadi.baru@contoh.example") == 303

        assert act_on_change(logged_in(peopled, SARI), latest_change(peopled, HADI), "konfirmasi") == 403


def test_a_mandate_that_is_over_is_not_confirmed(peopled: Flask) -> None:
    centre(peopled, DEWI)
    with peopled.app_context(), unit_of_work() as session:
        hashed = session.scalars(select(User.password_hash).where(User.nip == WATI.nip)).one()
        session.scalars(select(User).where(User.nip == DEWI.nip)).one().password_hash = hashed
    assert grant(logged_in(peopled, RATNA), SARI, "pusat", timedelta(days=3)) == 303
    with time_machine.travel(now() + timedelta(days=10)):
        act_on_change(logged_in(peopled, DEWI), latest_change(peopled, SARI), "konfirmasi")

    with peopled.app_context(), reading() as session:
        granted = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.MANDATE_GRANTED, AuditEvent.actor_id.is_not(None))).all()
    assert not granted


def test_the_thief_cannot_use_up_the_owners_link_by_stopping_a_later_change(peopled: Flask, inbox: Inbox) -> None:
    wati, thief = logged_in(peopled, WATI), "maling@contoh.example"
    change_email(wati, peopled, JOKO, thief)
    owners = stop_links(inbox.fetch())[JOKO.email or ""]
    change_email(wati, peopled, JOKO, "maling.lain@contoh.example")
    thiefs = stop_links(inbox.fetch())[thief]
    Visitor(peopled).submit(thiefs)
    assert user(peopled, JOKO).email is None

    visitor = Visitor(peopled)
    visitor.post(owners, csrf_token=visitor.csrf_token("/login"))
    act_on_change(logged_in(peopled, RATNA), latest_change(peopled, JOKO), "batalkan", because="Pemilik benar")

    assert user(peopled, JOKO).email == JOKO.email, "given back is what the thief had put there"


@pytest.mark.parametrize("column", ["code", "email"])
def test_a_file_changes_somebody_about_whom_a_decision_waits(peopled: Flask, inbox: Inbox, tmp_path: Path, column: str) -> None:
    change_email(logged_in(peopled, WATI), peopled, SARI, "sari.baru@contoh.example")
    changed = {"code": "3402"} if column == "code" else {"email": "sari.lain@contoh.example"}

    assert "berubah 1" in imported(peopled, tmp_path, row_of(SARI, **changed))


def test_a_file_takes_somebody_out_of_ppt_and_to_another_instansi(peopled: Flask, tmp_path: Path) -> None:
    assert "berubah 1" in imported(peopled, tmp_path, row_of(HADI, category="PNS", code="7301"))
    assert by_name(peopled, HADI).category is Category.PNS
    with peopled.app_context(), reading() as session:
        states = session.scalars(select(IdentityChange.state).join(User, IdentityChange.user_id == User.id).where(User.nip == HADI.nip))
        assert set(states) == {ChangeState.DONE}


@pytest.mark.parametrize("act", ["nip", "mutasi", "nonaktifkan"])
def test_an_instansi_admin_does_not_undo_the_appointment_by_the_centre_unheard(peopled: Flask, inbox: Inbox, act: str) -> None:
    """`Mandat pusat hanya dikonfirmasi atau dibatalkan oleh admin pusat`: but every act that ends a change under way does it."""
    centre(peopled, DEWI)
    assert grant(logged_in(peopled, RATNA), SARI, "pusat") == 303
    inbox.fetch()
    wati = logged_in(peopled, WATI)

    match act:
        case "nip":
            correct(wati, peopled, SARI, nip=NEW_NIP)
        case _:
            wati.submit(page_of(peopled, SARI, f"/{act}"), reason=WHY, code="3402")

    with peopled.app_context(), reading() as session:
        mandate = session.scalars(select(AdminMandate).join(User, AdminMandate.user_id == User.id).where(User.name == SARI.name)).one()
    told = {mail.to for mail in inbox.fetch()}
    assert mandate.revoked_at is None or RATNA.email in told


@pytest.mark.parametrize("kind", ["mutasi", "mandat"])
def test_what_waits_for_a_second_admin_stands_in_the_trail(peopled: Flask, kind: str) -> None:
    centre(peopled, DEWI)
    ratna, person = logged_in(peopled, RATNA), HADI if kind == "mutasi" else SARI
    if kind == "mutasi":
        assert ratna.submit(page_of(peopled, person, "/mutasi"), code="7301", reason=WHY).status_code == 303
    else:
        assert grant(ratna, person, "pusat") == 303
    change = latest_change(peopled, person)
    assert change is not None and change.state is ChangeState.NEEDS_SECOND

    with peopled.app_context(), reading() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.account_id == change.user_id)).all()
    assert [row for row in rows if row.detail.get("change") == change.id], [row.tag for row in rows]


def test_the_waiting_time_does_not_run_out_before_its_letter_has_left(peopled: Flask, inbox: Inbox) -> None:
    """The mail server is down for a day: the address changes before its owner was told."""
    assert change_email(logged_in(peopled, WATI), peopled, SARI, "maling@contoh.example") == 303
    with time_machine.travel(now() + timedelta(hours=25)):
        let_changes_take_effect(peopled)

        assert user(peopled, SARI).email == SARI.email


def test_stopping_an_older_mandate_ends_the_one_that_followed(peopled: Flask, inbox: Inbox) -> None:
    """Frozen, says the change; the right holds on."""
    ratna = logged_in(peopled, RATNA)
    assert grant(ratna, BUDI, "instansi", sk="SK-1") == 303
    first = stop_links(inbox.fetch())[BUDI.email or ""]
    assert grant(ratna, BUDI, "instansi", timedelta(days=200), sk="SK-2") == 303
    Visitor(peopled).submit(first)

    with peopled.app_context(), reading() as session:
        budi = session.scalars(select(User.id).where(User.nip == BUDI.nip)).one()
        assert not AdminMandate.holds_for(session, budi, now().date())


def test_words_of_the_trail_for_a_nip_do_not_say_email(peopled: Flask) -> None:
    from app.web.trail_words import WORDS

    assert WORDS[Tag.EMAIL_CHANGE_DECIDED] == "Perubahan diputuskan"
