"""Attacks on the gate by a dishonest or careless admin. Each of these tests failed when it was written."""

import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.act import Act
from app.domain.categories import Category
from app.domain.client import Client
from app.domain.corrections import IdentityCheck
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeState
from app.domain.indonesian_time import now, today_in_jakarta
from app.flows.correction import change_email as deciding
from app.flows.correction.review_correction import about_address
from app.models import AdminMandate, AuditEvent, IdentityChange, Tag, User
from app.runtime.db import reading, unit_of_work
from app.security.authority import Authority
from app.worker.duties import let_changes_take_effect
from tests.cast import BUDI, DEWI, HADI, JOKO, NEW_PASSWORD, RAKA, RATNA, SARI, WATI, Person
from tests.desk import changes_take_effect, latest_change, make_pusat, user
from tests.flows.identity.test_identity_gate import (
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
from tests.visitor import Visitor, logged_in, words_of

OTHER_NIP = "198503122010012778"


def by_name(app: Flask, person: Person) -> User:
    with app.app_context(), reading() as session:
        return session.scalars(select(User).where(User.name == person.name)).one()


def with_password(app: Flask, person: Person) -> None:
    with app.app_context(), unit_of_work() as session:
        hashed = session.scalars(select(User.password_hash).where(User.nip == WATI.nip)).one()
        session.scalars(select(User).where(User.nip == person.nip)).one().password_hash = hashed


def renumber(admin: Visitor, app: Flask, person: Person, nip: str) -> None:
    """Find the person by name, because the NIP on record may have changed."""
    page = f"/admin/pegawai/{by_name(app, person).id}/ubah"
    seen = re.search(r'name="seen" value="([^"]+)"', admin.open(page).text)
    record = {
        "nip": nip,
        "name": person.name,
        "category": "PNS",
        "work_unit": person.unit,
        "phone": "",
        "reason": WHY,
    }
    assert admin.submit(page, **record, seen=seen[1] if seen else "").status_code == 303


def contest(app: Flask, inbox: Inbox, person: Person) -> str:
    """One admin decides on a thief's address, and the owner stops it. Returns the link."""
    assert change_email(logged_in(app, WATI), app, person, "maling@contoh.example") == 303
    link = stop_links(inbox.fetch())[person.email or ""]
    assert Visitor(app).submit(link).status_code == 303
    return link


def settle(app: Flask, person: Person, change: IdentityChange | None = None) -> int:
    return act_on_change(
        logged_in(app, RATNA), change or latest_change(app, person), "batalkan", because="Pemilik benar"
    )


def rows_about(app: Flask, person: Person) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        about = (
            select(AuditEvent).join(User, AuditEvent.account_id == User.id).where(User.name == person.name)
        )
        return list(session.scalars(about))


def click(app: Flask, link: str) -> None:
    """Press the button, even if the page does not show it any more."""
    visitor = Visitor(app)
    visitor.post(link, csrf_token=visitor.csrf_token("/login"))


def grant(
    admin: Visitor, person: Person, scope: str, until: timedelta = timedelta(days=300), sk: str = "SK-1"
) -> int:
    day = (now() + until).date().isoformat()
    fields = {"nip": person.nip, "scope": scope, "sk_number": sk, "until": day}
    if scope == "instansi":
        fields["instansi"] = person.instansi
    return admin.submit("/admin/mandat/baru", **fields).status_code


def test_after_two_settled_stops_the_link_is_dead_and_one_admin_takes_an_account_in_use(
    peopled: Flask, inbox: Inbox
) -> None:
    """The owner was right twice, and a second admin said so. Then the link in the third letter stops
    nothing."""
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(2):
            assert change_email(logged_in(peopled, WATI), peopled, SARI, "maling@contoh.example") == 303
            Visitor(peopled).submit(stop_links(inbox.fetch())[SARI.email or ""])
            clock.shift(timedelta(minutes=5))
            assert (
                act_on_change(
                    logged_in(peopled, RATNA),
                    latest_change(peopled, SARI),
                    "batalkan",
                    because="Pemilik benar",
                )
                == 303
            )
            inbox.fetch()
        assert change_email(logged_in(peopled, WATI), peopled, SARI, "maling@contoh.example") == 303
        change = latest_change(peopled, SARI)
        if change and change.state is not ChangeState.NEEDS_SECOND:
            link = stop_links(inbox.fetch())[SARI.email or ""]
            visitor = Visitor(peopled)
            visitor.post(link, csrf_token=visitor.csrf_token("/login"))
        clock.shift(timedelta(hours=25))
        changes_take_effect(peopled)

        assert user(peopled, SARI).email == SARI.email


def test_stopping_a_new_nip_after_the_old_one_was_given_away(peopled: Flask, inbox: Inbox) -> None:
    ratna = logged_in(peopled, RATNA)
    assert correct(ratna, peopled, BUDI, nip=NEW_NIP) == 303
    link = stop_links(inbox.fetch())[BUDI.email or ""]
    assert correct(ratna, peopled, JOKO, nip=BUDI.nip) == 303, "pusat, with a reason"

    assert Visitor(peopled).submit(link).status_code == 303
    with peopled.app_context(), reading() as session:
        change = session.scalars(
            select(IdentityChange).join(User, IdentityChange.user_id == User.id).where(User.name == BUDI.name)
        ).one()
    assert change.state is ChangeState.FROZEN


def test_a_nip_that_waited_is_not_given_once_somebody_else_has_held_it(peopled: Flask) -> None:
    wati = logged_in(peopled, WATI)
    assert correct(wati, peopled, SARI, nip=NEW_NIP) == 303
    assert correct(wati, peopled, BUDI, nip=NEW_NIP) == 303
    renumber(wati, peopled, BUDI, OTHER_NIP)
    with time_machine.travel(now() + timedelta(hours=25)):
        changes_take_effect(peopled)

    assert by_name(peopled, SARI).nip == SARI.nip


def test_an_appointee_confirmed_late_is_still_an_appointee(peopled: Flask) -> None:
    """Ratna waits 31 days before confirming. Without this rule the holder would count as independent from the
    first day of the mandate."""
    make_pusat(peopled, DEWI)
    ratna = logged_in(peopled, RATNA)
    with_password(peopled, DEWI)
    assert grant(ratna, SARI, "pusat") == 303
    with time_machine.travel(now() + timedelta(days=31)):
        assert act_on_change(logged_in(peopled, DEWI), latest_change(peopled, SARI), "konfirmasi") == 303
        assert change_email(logged_in(peopled, RATNA), peopled, HADI, "hadi.baru@contoh.example") == 303

        assert act_on_change(logged_in(peopled, SARI), latest_change(peopled, HADI), "konfirmasi") == 403


def test_a_mandate_that_is_over_is_not_confirmed(peopled: Flask) -> None:
    make_pusat(peopled, DEWI)
    with_password(peopled, DEWI)
    assert grant(logged_in(peopled, RATNA), SARI, "pusat", timedelta(days=3)) == 303
    with time_machine.travel(now() + timedelta(days=10)):
        act_on_change(logged_in(peopled, DEWI), latest_change(peopled, SARI), "konfirmasi")

    with peopled.app_context(), reading() as session:
        granted = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == Tag.MANDATE_GRANTED, AuditEvent.actor_id.is_not(None))
        ).all()
    assert not granted


def test_the_thief_cannot_use_up_the_owners_link_by_stopping_a_later_change(
    peopled: Flask, inbox: Inbox
) -> None:
    wati, thief = logged_in(peopled, WATI), "maling@contoh.example"
    change_email(wati, peopled, JOKO, thief)
    owners = stop_links(inbox.fetch())[JOKO.email or ""]
    change_email(wati, peopled, JOKO, "maling.lain@contoh.example")
    thiefs = stop_links(inbox.fetch())[thief]
    Visitor(peopled).submit(thiefs)
    assert user(peopled, JOKO).email is None

    visitor = Visitor(peopled)
    visitor.post(owners, csrf_token=visitor.csrf_token("/login"))
    act_on_change(
        logged_in(peopled, RATNA), latest_change(peopled, JOKO), "batalkan", because="Pemilik benar"
    )

    assert user(peopled, JOKO).email == JOKO.email, "given back is what the thief had put there"


@pytest.mark.parametrize("column", ["code", "email"])
@pytest.mark.usefixtures("inbox")
def test_a_file_changes_somebody_about_whom_a_decision_waits(
    peopled: Flask, tmp_path: Path, column: str
) -> None:
    change_email(logged_in(peopled, WATI), peopled, SARI, "sari.baru@contoh.example")
    changed = {"code": "3402"} if column == "code" else {"email": "sari.lain@contoh.example"}

    assert "berubah 1" in imported(peopled, tmp_path, row_of(SARI, **changed))


def test_a_file_takes_somebody_out_of_ppt_and_to_another_instansi(peopled: Flask, tmp_path: Path) -> None:
    assert "berubah 1" in imported(peopled, tmp_path, row_of(HADI, category="PNS", code="7301"))
    assert by_name(peopled, HADI).category is Category.PNS
    with peopled.app_context(), reading() as session:
        states = session.scalars(
            select(IdentityChange.state)
            .join(User, IdentityChange.user_id == User.id)
            .where(User.nip == HADI.nip)
        )
        assert set(states) == {ChangeState.DONE}


@pytest.mark.parametrize("act", ["nip", "mutasi", "nonaktifkan"])
def test_an_instansi_admin_does_not_undo_the_appointment_by_the_centre_unheard(
    peopled: Flask, inbox: Inbox, act: str
) -> None:
    """`Mandat pusat hanya dikonfirmasi atau dibatalkan oleh admin pusat`: this must also hold for acts that
    end a change under way."""
    make_pusat(peopled, DEWI)
    assert grant(logged_in(peopled, RATNA), SARI, "pusat") == 303
    inbox.fetch()
    wati = logged_in(peopled, WATI)

    match act:
        case "nip":
            correct(wati, peopled, SARI, nip=NEW_NIP)
        case _:
            wati.post_with_token(page_of(peopled, SARI, f"/{act}"), reason=WHY, code="3402")

    with peopled.app_context(), reading() as session:
        mandate = session.scalars(
            select(AdminMandate).join(User, AdminMandate.user_id == User.id).where(User.name == SARI.name)
        ).one()
    told = {mail.to for mail in inbox.fetch()}
    assert mandate.revoked_at is None or RATNA.email in told


@pytest.mark.parametrize("kind", ["mutasi", "mandat"])
def test_what_waits_for_a_second_admin_stands_in_the_trail(peopled: Flask, kind: str) -> None:
    make_pusat(peopled, DEWI)
    ratna, person = logged_in(peopled, RATNA), HADI if kind == "mutasi" else SARI
    if kind == "mutasi":
        assert ratna.submit(page_of(peopled, person, "/mutasi"), code="7301", reason=WHY).status_code == 303
    else:
        assert grant(ratna, person, "pusat") == 303
    change = latest_change(peopled, person)
    assert change is not None
    assert change.state is ChangeState.NEEDS_SECOND

    with peopled.app_context(), reading() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.account_id == change.user_id)).all()
    assert [row for row in rows if row.detail.get("change") == change.id], [row.tag for row in rows]


@pytest.mark.usefixtures("inbox")
def test_the_waiting_time_does_not_run_out_before_its_letter_has_left(peopled: Flask) -> None:
    """The mail server is down for a day. The address must not change before its owner was told."""
    assert change_email(logged_in(peopled, WATI), peopled, SARI, "maling@contoh.example") == 303
    with time_machine.travel(now() + timedelta(hours=25)):
        let_changes_take_effect(peopled)

        assert user(peopled, SARI).email == SARI.email


def test_stopping_an_older_mandate_ends_the_one_that_followed(peopled: Flask, inbox: Inbox) -> None:
    """The change is frozen, and the mandate must not go on."""
    ratna = logged_in(peopled, RATNA)
    assert grant(ratna, BUDI, "instansi", sk="SK-1") == 303
    first = stop_links(inbox.fetch())[BUDI.email or ""]
    assert grant(ratna, BUDI, "instansi", timedelta(days=200), sk="SK-2") == 303
    Visitor(peopled).submit(first)

    with peopled.app_context(), reading() as session:
        budi = session.scalars(select(User.id).where(User.nip == BUDI.nip)).one()
        assert not AdminMandate.holds_for(session, budi, now().date())


@pytest.mark.usefixtures("peopled")
def test_words_of_the_trail_for_a_nip_do_not_say_email() -> None:
    assert Tag.CHANGE_DECIDED.label == "Perubahan diputuskan"


def test_in_use_without_an_address_one_admin_goes_on_with_nobody_but_the_thief_told(
    peopled: Flask, inbox: Inbox
) -> None:
    """Only the thief is told of a later decision. Somebody else has the owner's address now, so it cannot be
    given back."""
    thief = "maling@contoh.example"
    with time_machine.travel(now(), tick=False) as clock:
        change_email(logged_in(peopled, WATI), peopled, SARI, thief)
        clock.shift(timedelta(hours=25))
        changes_take_effect(peopled)
        owners, wati = stop_links(inbox.fetch())[SARI.email or ""], logged_in(peopled, WATI)
        first = latest_change(peopled, SARI)
        assert correct(wati, peopled, SARI, nip=NEW_NIP) == 303
        Visitor(peopled).submit(owners)
        change_email(wati, peopled, BUDI, SARI.email or "")
        settle(peopled, SARI, first)
        inbox.fetch()
        clock.shift(timedelta(minutes=5))
        change_email(wati, peopled, SARI, thief)
        clock.shift(timedelta(hours=25))
        changes_take_effect(peopled)

        assert user(peopled, SARI).email != thief or SARI.email in {mail.to for mail in inbox.fetch()}


def test_an_address_that_was_taken_from_its_owner_by_a_stop_is_not_given_to_another(
    peopled: Flask, inbox: Inbox
) -> None:
    contest(peopled, inbox, JOKO)
    change_email(logged_in(peopled, WATI), peopled, BUDI, JOKO.email or "")
    settle(peopled, JOKO)

    assert user(peopled, JOKO).email == JOKO.email


def test_who_has_set_a_password_once_still_has_the_waiting_time_after_a_stop(
    peopled: Flask, inbox: Inbox
) -> None:
    """The stop removes the thief's password. The account must not count as never used after that, because
    then the next change would take effect at once."""
    with_password(peopled, BUDI)
    with time_machine.travel(now(), tick=False) as clock:
        change_email(logged_in(peopled, WATI), peopled, BUDI, "maling@contoh.example")
        clock.shift(timedelta(hours=25))
        changes_take_effect(peopled)
        mails = inbox.fetch()
        clock.shift(timedelta(seconds=2))
        code = next(mail.code for mail in mails if mail.to == "maling@contoh.example")
        Visitor(peopled).reset_password(code, NEW_PASSWORD, BUDI.nip)
        Visitor(peopled).submit(stop_links(mails)[BUDI.email or ""])
        settle(peopled, BUDI)
        change_email(logged_in(peopled, WATI), peopled, BUDI, "maling.lain@contoh.example")

        assert user(peopled, BUDI).email == BUDI.email


def test_the_link_in_the_first_letter_stops_the_same_decision_taken_again(
    peopled: Flask, inbox: Inbox
) -> None:
    """An admin decides, cancels, and decides once more. The owner opens the link in the first of two letters,
    and it must stop the second decision."""
    wati = logged_in(peopled, WATI)
    change_email(wati, peopled, SARI, "maling@contoh.example")
    first = stop_links(inbox.fetch())[SARI.email or ""]
    act_on_change(wati, latest_change(peopled, SARI), "batalkan", because="x")
    change_email(wati, peopled, SARI, "maling@contoh.example")
    click(peopled, first)

    assert latest_change(peopled, SARI).state is ChangeState.FROZEN  # type: ignore[union-attr]


# SQLite has only one writer at a time
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_decision_taken_while_its_admin_is_dismissed_is_frozen_too(peopled: Flask) -> None:
    """When the admin is dismissed, the decision is not committed yet, so the dismissal does not see it."""
    with peopled.app_context(), unit_of_work() as session:
        wati, sari = (session.scalars(select(User).where(User.nip == one.nip)).one() for one in (WATI, SARI))
        held = Authority.of(session, wati, today_in_jakarta(now()))
        assert held is not None
        decision = deciding.EmailDecision(
            EmailAddress("x@contoh.example"), IdentityCheck.IN_PERSON, "x", sari.credential_version
        )
        client = Client("203.0.113.66", "x", "-")
        deciding.change_email(session, sari.id, decision, timedelta(hours=24), Act(client, now(), held))
        session.flush()
        dismissal = threading.Thread(
            target=lambda: peopled.test_cli_runner().invoke(args=["admin", "revoke", WATI.nip])
        )
        dismissal.start()
        dismissal.join(5)
    dismissal.join()
    with time_machine.travel(now() + timedelta(hours=25)):
        changes_take_effect(peopled)

    assert user(peopled, SARI).email == SARI.email


def test_stopping_the_first_of_two_new_nips_gives_the_own_one_back(peopled: Flask, inbox: Inbox) -> None:
    wati = logged_in(peopled, WATI)
    renumber(wati, peopled, BUDI, NEW_NIP)
    first = stop_links(inbox.fetch())[BUDI.email or ""]
    renumber(wati, peopled, BUDI, OTHER_NIP)
    Visitor(peopled).submit(first)

    assert by_name(peopled, BUDI).nip == BUDI.nip


@pytest.mark.parametrize("kind", ["instansi", "kategori"])
def test_where_the_owner_was_right_the_change_does_not_hold_as_the_page_says(
    peopled: Flask, inbox: Inbox, kind: str
) -> None:
    """`Bila ia benar, tutup sengketa ini: perubahan itu tidak berlaku`: this must also be true for instansi
    and category."""
    ratna, person = logged_in(peopled, RATNA), SARI if kind == "instansi" else HADI
    if kind == "instansi":
        ratna.submit(page_of(peopled, person, "/mutasi"), code="3402", reason=WHY)
    else:
        correct(ratna, peopled, person, category="PNS")
        act_on_change(logged_in(peopled, RAKA), latest_change(peopled, person), "konfirmasi")
    Visitor(peopled).submit(stop_links(inbox.fetch())[person.email or ""])
    make_pusat(peopled, DEWI)
    with_password(peopled, DEWI)
    assert (
        act_on_change(
            logged_in(peopled, DEWI), latest_change(peopled, person), "batalkan", because="Pemilik benar"
        )
        == 303
    )

    after = user(peopled, person)
    assert (after.instansi.code, after.category) == (person.instansi, person.category)


def test_the_desk_that_lost_somebody_hears_that_he_never_asked_for_it(peopled: Flask, inbox: Inbox) -> None:
    logged_in(peopled, RATNA).submit(page_of(peopled, SARI, "/mutasi"), code="3402", reason=WHY)
    Visitor(peopled).submit(stop_links(inbox.fetch())[SARI.email or ""])

    assert WATI.email in {mail.to for mail in inbox.fetch()}


def test_a_stale_page_of_a_change_that_waits_does_not_close_the_case(peopled: Flask, inbox: Inbox) -> None:
    """An admin sends the form `Batalkan` of a scheduled change after its owner has stopped it."""
    change_email(logged_in(peopled, WATI), peopled, SARI, "x@contoh.example")
    change, ratna = latest_change(peopled, SARI), logged_in(peopled, RATNA)
    assert change is not None
    path = f"/admin/perbaikan-email/perubahan/{change.id}"
    fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', ratna.open(path).text))
    Visitor(peopled).submit(stop_links(inbox.fetch())[SARI.email or ""])
    ratna.post(
        f"{path}/batalkan", **{**fields, "because": "Salah ketik", "csrf_token": ratna.csrf_token("/akun")}
    )

    assert latest_change(peopled, SARI).is_contesting  # type: ignore[union-attr]


def test_an_address_stopped_elsewhere_is_warned_of_also_where_the_desk_had_decided_without_a_request(
    peopled: Flask, inbox: Inbox
) -> None:
    contest(peopled, inbox, JOKO)
    with peopled.app_context(), reading() as session:
        ratna, budi = (
            session.scalars(select(User).where(User.nip == one.nip)).one() for one in (RATNA, BUDI)
        )
        held = Authority.of(session, ratna, today_in_jakarta(now()))
        assert held is not None
        kinds = {
            one.kind.value
            for one in about_address(session, held, budi, EmailAddress("maling@contoh.example"), now())
        }
    assert "alamat_pernah_dihentikan" in kinds


@pytest.mark.parametrize("what", ["nip goes back", "address is taken away", "address is back"])
def test_the_trail_holds_what_a_stop_and_its_end_change(peopled: Flask, inbox: Inbox, what: str) -> None:
    if what == "nip goes back":
        correct(logged_in(peopled, WATI), peopled, BUDI, nip=NEW_NIP)
        Visitor(peopled).submit(stop_links(inbox.fetch())[BUDI.email or ""])
        assert [row for row in rows_about(peopled, BUDI) if row.detail.get("new_nip") == BUDI.nip]
        return
    contest(peopled, inbox, JOKO)
    settle(peopled, JOKO)
    tag, column = (
        (Tag.CONTEST_SETTLED, "new_email") if what == "address is back" else (Tag.CHANGE_STOPPED, "old_email")
    )
    assert [row for row in rows_about(peopled, JOKO) if row.tag is tag and column in row.detail]


def test_a_double_click_on_a_new_nip_is_one_decision(peopled: Flask, inbox: Inbox) -> None:
    wati, page = logged_in(peopled, WATI), page_of(peopled, SARI, "/ubah")
    seen = re.search(r'name="seen" value="([^"]+)"', wati.open(page).text)
    record = {
        "nip": NEW_NIP,
        "name": SARI.name,
        "category": "PNS",
        "work_unit": SARI.unit,
        "phone": "",
        "reason": WHY,
    }
    token = wati.csrf_token("/akun")
    for _ in range(2):
        wati.post(page, csrf_token=token, seen=seen[1] if seen else "", **record)

    assert [mail.to for mail in inbox.fetch()] == [SARI.email]


def test_the_page_of_a_contested_person_says_so_whatever_came_after(peopled: Flask, inbox: Inbox) -> None:
    contest(peopled, inbox, JOKO)
    wati = logged_in(peopled, WATI)
    change_email(wati, peopled, JOKO, "y@contoh.example")
    act_on_change(wati, latest_change(peopled, JOKO), "batalkan", because="x")

    shown = words_of(logged_in(peopled, RATNA).open(page_of(peopled, JOKO)))
    assert "bukan permintaannya" in shown or "disengketakan" in shown


def test_a_settled_case_is_not_said_to_wait(peopled: Flask, inbox: Inbox) -> None:
    link = contest(peopled, inbox, JOKO)
    settle(peopled, JOKO)

    assert "akan memeriksanya" not in words_of(Visitor(peopled).open(link))


def test_nobody_is_said_to_have_been_told_where_there_is_no_second_admin(
    peopled: Flask, inbox: Inbox
) -> None:
    ratna = logged_in(peopled, RATNA)
    answer = ratna.submit(page_of(peopled, RAKA, "/mutasi"), code="7301", reason=WHY)
    told = [mail for mail in inbox.fetch() if "admin kedua" in mail.text]

    assert told or "yang sudah diberi tahu" not in words_of(ratna.open(answer.location))


def test_a_mandate_that_waits_is_not_listed_as_over(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)
    grant(ratna, SARI, "pusat")
    ratna.open("/admin/mandat")  # shows the message, so that it does not come again

    shown = words_of(ratna.open("/admin/mandat?keadaan=semua"))
    assert "Berakhir" not in shown[shown.index(SARI.name) :][:200]
