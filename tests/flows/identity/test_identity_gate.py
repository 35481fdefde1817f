"""Email, NIP, instansi, category and mandates change through one gate, from every page, file and command."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update

from app.domain.categories import Category
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now
from app.models import AdminMandate, AuditEvent, FormerNip, IdentityChange, OutboxMail, Tag, User
from app.models.outbox_mail import Urgency
from app.runtime.db import reading, unit_of_work
from tests.cast import BUDI, DEWI, HADI, JOKO, NEW_PASSWORD, RAKA, RATNA, SARI, TONO, WATI, Person
from tests.desk import (
    asked,
    changes_take_effect,
    confirm_as_second,
    latest_change,
    make_pusat,
    marks_on,
    person_id,
    user,
)
from tests.inbox import Inbox, Mail
from tests.visitor import Visitor, logged_in, words_of

ROOT = Path(__file__).parents[3]
NEW_NIP = "198503122010012777"
WHY = "Surat 800/12"
HEADER = "nip,nama,email,kategori,kode_instansi,unit_kerja"


def page_of(app: Flask, person: Person, act: str = "") -> str:
    return f"/admin/pegawai/{person_id(app, person)}{act}"


def correct(admin: Visitor, app: Flask, person: Person, **changed: str) -> int:
    return admin.submit(page_of(app, person, "/ubah"), **{"reason": WHY, **changed}).status_code


def change_email(admin: Visitor, app: Flask, person: Person, address: str) -> int:
    page = page_of(app, person, "/email")
    answer = admin.submit(page, email=address, identity_check="tatap_muka", reason=WHY)
    if marks := marks_on(answer):
        return admin.submit(answer, acknowledged=marks).status_code
    return answer.status_code


def act_on_change(admin: Visitor, change: IdentityChange | None, act: str, **fields: str) -> int:
    assert change is not None
    path = f"/admin/perbaikan-email/perubahan/{change.id}"
    ticked = {"csrf_token": admin.csrf_token("/akun"), "acknowledged": marks_on(admin.open(path)), **fields}
    return admin.client.post(f"{path}/{act}", data=ticked).status_code


def colleague(app: Flask, person: Person, code: str = "7301") -> Visitor:
    """Another admin of the instansi, appointed at the command line."""
    until = (now() + timedelta(days=300)).date().isoformat()
    granted = app.test_cli_runner().invoke(
        args=["admin", "grant", person.nip, "--instansi", code, "--sk", "SK-9", "--until", until]
    )
    assert granted.exit_code == 0, granted.output
    with app.app_context(), unit_of_work() as session:
        hashed = session.scalars(select(User.password_hash).where(User.nip == WATI.nip)).one()
        person_row = session.scalars(select(User).where(User.nip == person.nip)).one()
        person_row.password_hash = hashed
    return logged_in(app, person)


def stop_links(mails: list[Mail]) -> dict[str, str]:
    found = {
        mail.to: re.search(r"^http://localhost(/bukan-saya/\S+)$", mail.text, re.MULTILINE) for mail in mails
    }
    return {to: link[1] for to, link in found.items() if link}


def imported(app: Flask, tmp_path: Path, *rows: str, options: tuple[str, ...] = ()) -> str:
    file = tmp_path / "pegawai.csv"
    file.write_text("\n".join((HEADER, *rows)) + "\n")
    return app.test_cli_runner().invoke(args=["import-pegawai", str(file), *options]).output


def row_of(person: Person, **changed: str) -> str:
    cells = {"nip": person.nip, "name": person.name, "email": person.email or "",
    "category": person.category.value,
             "code": person.instansi, "unit": person.unit}  # fmt: skip
    return ",".join({**cells, **changed}.values())


# -- the only writer

GATED_COLUMNS = {"email", "email_key", "nip", "instansi", "instansi_id", "category"}
GATED_VERBS = {"set_email", "renumber", "move_to", "revoke"}
WRITERS = {"app/flows/identity/put_on_record.py", "app/models/user.py", "app/models/admin_mandate.py"}
SAMPLE_DATA = {"app/cli/demo.py", "app/cli/demo_desk.py"}  # they write invented people into an empty database


def _gated_writes(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr in GATED_COLUMNS | {"revoked_at"}:
                    yield f"{file.name}:{node.lineno} {ast.unparse(target)}"
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and called.attr in GATED_VERBS:
                yield f"{file.name}:{node.lineno} {ast.unparse(called)}"
            if ast.unparse(node).startswith("delete(User)"):
                yield f"{file.name}:{node.lineno} delete(User)"
            if ast.unparse(node).startswith("insert_many(session, User"):
                yield f"{file.name}:{node.lineno} insert_many(session, User)"
            if isinstance(called, ast.Name) and called.id in ("User", "AdminMandate"):
                yield f"{file.name}:{node.lineno} {called.id}(...)"
            if (
                isinstance(called, ast.Attribute)
                and called.attr == "values"
                and "update(User)" in ast.unparse(called)
            ):
                for word in node.keywords:
                    if word.arg in GATED_COLUMNS:
                        yield f"{file.name}:{node.lineno} update(User) {word.arg}"


def test_nothing_but_the_gate_writes_what_identifies_a_person() -> None:
    found = [
        write
        for file in sorted((ROOT / "app").rglob("*.py"))
        if (name := file.relative_to(ROOT).as_posix()) not in WRITERS | SAMPLE_DATA
        for write in _gated_writes(file)
        # A request moves with its person. A mandate waits before the gate. A stopped mandate was never in
        # effect.
        if (name, write.partition(" ")[2]) not in {
            ("app/flows/identity/change_identity.py", "correction.instansi_id"),
            ("app/flows/instansi/grant_mandate.py", "AdminMandate(...)"),
            ("app/flows/identity/stop_change.py", "change.mandate.revoke"),
        }
    ]  # fmt: skip

    assert found == []


# -- NIP


def test_a_new_nip_of_an_account_in_use_waits_and_its_owner_hears_the_whole_of_it(
    peopled: Flask, inbox: Inbox
) -> None:
    wati, sari = logged_in(peopled, WATI), logged_in(peopled, SARI)

    assert correct(wati, peopled, SARI, nip=NEW_NIP) == 303

    assert user(peopled, SARI).nip == SARI.nip
    assert sari.is_logged_in()
    mail = inbox.fetch_one(SARI.email)
    assert "19850312 201001 2 777" in mail.text
    assert "/bukan-saya/" in mail.text
    with time_machine.travel(now() + timedelta(hours=25)):
        changes_take_effect(peopled)
        told = inbox.fetch_one(SARI.email)
    with peopled.app_context(), reading() as session:
        assert session.scalars(select(User.nip).where(User.email == SARI.email)).one() == NEW_NIP
        assert session.scalars(select(FormerNip.nip)).all() == [SARI.nip]
        changed = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.NIP_CHANGED)).one()
        assert (changed.detail["old_nip"], changed.detail["new_nip"], changed.detail["reason"]) == (
            SARI.nip,
            NEW_NIP,
            WHY,
        )
    assert "19850312 201001 2 777" in told.text
    assert "/bukan-saya/" in told.text


@pytest.mark.parametrize("is_late", [False, True], ids=["before it holds", "after it holds"])
def test_stopped_from_the_address_on_record_the_person_keeps_the_nip(
    peopled: Flask, inbox: Inbox, *, is_late: bool
) -> None:
    correct(logged_in(peopled, WATI), peopled, SARI, nip=NEW_NIP)
    with time_machine.travel(now() + timedelta(hours=25 if is_late else 1)):
        changes_take_effect(peopled)
        (link,) = (
            set(stop_links(inbox.fetch()).values())
            if not is_late
            else {stop_links(inbox.fetch())[SARI.email or ""]}
        )

        assert Visitor(peopled).submit(link).status_code == 303
        changes_take_effect(peopled)

    assert user(peopled, SARI).email == SARI.email
    assert latest_change(peopled, SARI).is_contesting  # type: ignore[union-attr]


def test_a_nip_once_held_is_given_to_nobody_else(peopled: Flask, tmp_path: Path) -> None:
    wati = logged_in(peopled, WATI)
    assert correct(wati, peopled, BUDI, nip=NEW_NIP) == 303, "never used, so it holds at once"
    thief = row_of(BUDI, name="Orang Lain", email="maling@contoh.example")

    refused = imported(peopled, tmp_path, thief)
    assert "pernah dipakai pegawai lain" in refused
    assert "Baru 0" in refused
    assert correct(wati, peopled, JOKO, nip=BUDI.nip) == 422
    assert correct(logged_in(peopled, RATNA), peopled, JOKO, nip=BUDI.nip) == 303, "pusat, with a reason"


def test_the_operator_gives_a_former_nip_only_with_a_reason(peopled: Flask, tmp_path: Path) -> None:
    correct(logged_in(peopled, WATI), peopled, BUDI, nip=NEW_NIP)
    thief = row_of(BUDI, name="Orang Lain", email="lain@contoh.example")

    assert "Baru 1" in imported(peopled, tmp_path, thief, options=("--reason", "Surat BKN 5/2026"))
    with peopled.app_context(), reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.IMPORTED_NEW)).one()
        assert event.detail["reason"] == "Surat BKN 5/2026"


def test_who_gets_the_own_former_nip_back_needs_no_reason_of_the_centre(peopled: Flask) -> None:
    wati = logged_in(peopled, WATI)
    correct(wati, peopled, BUDI, nip=NEW_NIP)
    with peopled.app_context(), unit_of_work() as session:
        assert session.scalars(select(User.nip).where(User.email == BUDI.email)).one() == NEW_NIP
        budis_id = session.scalars(select(User.id).where(User.email == BUDI.email)).one()
    page = f"/admin/pegawai/{budis_id}/ubah"
    seen = re.search(r'name="seen" value="([^"]+)"', wati.open(page).text)
    record = {
        "nip": BUDI.nip,
        "name": BUDI.name,
        "category": "PNS",
        "work_unit": BUDI.unit,
        "phone": "",
        "reason": WHY,
    }

    assert wati.submit(page, **record, seen=seen[1] if seen else "").status_code == 303
    assert user(peopled, BUDI).id == budis_id


# -- who needs a second one


@pytest.mark.parametrize("kind", [ChangeKind.EMAIL, ChangeKind.NIP, ChangeKind.INSTANSI])
@pytest.mark.parametrize("who", ["holder", "was holder", "ppt", "was ppt", "contested"])
def test_one_admin_is_not_enough_for_guarded_and_contested_accounts(
    peopled: Flask, inbox: Inbox, tmp_path: Path, kind: ChangeKind, who: str
) -> None:
    ratna, person = logged_in(peopled, RATNA), BUDI
    match who:
        case "holder" | "was holder":
            colleague(peopled, person)
            if who == "was holder":
                peopled.test_cli_runner().invoke(args=["admin", "revoke", person.nip])
        case "ppt" | "was ppt":
            correct(ratna, peopled, person, category="PPT_NON_ASN")
            if who == "was ppt":
                imported(peopled, tmp_path, row_of(person, category="PNS"))
                assert user(peopled, person).category is Category.PNS
        case "contested":
            change_email(logged_in(peopled, WATI), peopled, person, "lain@contoh.example")
            Visitor(peopled).submit(stop_links(inbox.fetch())[person.email or ""])
    before = user(peopled, person)

    match kind:
        case ChangeKind.EMAIL:
            assert change_email(ratna, peopled, person, "baru@contoh.example") == 303
        case ChangeKind.NIP:
            assert correct(ratna, peopled, person, nip=NEW_NIP, category=before.category.value) == 303
        case _:
            assert (
                ratna.submit(page_of(peopled, person, "/mutasi"), code="3402", reason=WHY).status_code == 303
            )

    after = user(peopled, person)
    assert (after.email, after.nip, after.instansi.code) == (before.email, before.nip, before.instansi.code)
    assert latest_change(peopled, person).state is ChangeState.NEEDS_SECOND  # type: ignore[union-attr]
    assert act_on_change(ratna, latest_change(peopled, person), "konfirmasi") == 403


def test_the_second_admin_hears_that_one_is_needed_and_the_centre_where_the_desk_has_one(
    peopled: Flask, inbox: Inbox
) -> None:
    change_email(logged_in(peopled, RATNA), peopled, HADI, "hadi.baru@contoh.example")
    assert [mail.to for mail in inbox.fetch()] == [RAKA.email]

    make_pusat(peopled, DEWI)
    inbox.fetch()
    change_email(logged_in(peopled, RATNA), peopled, WATI, "wati.baru@contoh.example")
    mails = inbox.fetch()
    assert DEWI.email in [mail.to for mail in mails if "admin kedua" in mail.text]
    assert WATI.email not in [mail.to for mail in mails if "admin kedua" in mail.text], (
        "nobody decides about themselves"
    )


# -- contested


def _contested(app: Flask, inbox: Inbox, person: Person) -> None:
    """One admin has put a thief's address on record, and the owner has stopped it."""
    assert change_email(logged_in(app, WATI), app, person, "maling@contoh.example") == 303
    link = stop_links(inbox.fetch())[person.email or ""]
    assert Visitor(app).submit(link).status_code == 303


@pytest.mark.parametrize("person", [JOKO, SARI], ids=["never used", "in use"])
def test_what_its_owner_has_stopped_the_same_admin_cannot_do_again(
    peopled: Flask, inbox: Inbox, person: Person
) -> None:
    _contested(peopled, inbox, person)
    inbox.fetch()
    wati = logged_in(peopled, WATI)

    assert change_email(wati, peopled, person, "maling@contoh.example") == 303

    assert user(peopled, person).email != "maling@contoh.example"
    change = latest_change(peopled, person)
    assert change is not None
    assert change.state is ChangeState.NEEDS_SECOND
    assert act_on_change(wati, change, "konfirmasi") == 403
    assert not [mail for mail in inbox.fetch() if mail.to == "maling@contoh.example"]


def test_whoever_has_decided_on_a_contested_account_is_no_second_for_anybody(
    peopled: Flask, inbox: Inbox
) -> None:
    _contested(peopled, inbox, JOKO)
    sari = colleague(peopled, SARI)
    change_email(sari, peopled, JOKO, "maling@contoh.example")

    assert act_on_change(logged_in(peopled, WATI), latest_change(peopled, JOKO), "konfirmasi") == 403
    assert act_on_change(logged_in(peopled, RATNA), latest_change(peopled, JOKO), "konfirmasi") == 303
    assert user(peopled, JOKO).email == "maling@contoh.example"


def test_every_address_that_said_no_hears_of_the_next_decision_with_a_live_link(
    peopled: Flask, inbox: Inbox
) -> None:
    _contested(peopled, inbox, JOKO)
    inbox.fetch()
    assert user(peopled, JOKO).email is None
    change_email(logged_in(peopled, WATI), peopled, JOKO, "maling.lain@contoh.example")
    act_on_change(logged_in(peopled, RATNA), latest_change(peopled, JOKO), "konfirmasi")

    links = stop_links(inbox.fetch())
    assert set(links) == {JOKO.email}
    Visitor(peopled).submit(links[JOKO.email or ""])
    assert user(peopled, JOKO).email is None
    change = latest_change(peopled, JOKO)
    assert change is not None
    assert change.is_contesting


def test_stopping_tells_the_other_admins_and_the_overview_shows_it(peopled: Flask, inbox: Inbox) -> None:
    colleague(peopled, DEWI)
    change_email(logged_in(peopled, WATI), peopled, JOKO, "maling@contoh.example")
    link = stop_links(inbox.fetch())[JOKO.email or ""]
    Visitor(peopled).submit(link)

    told = {
        mail.to for mail in inbox.fetch() if "menyatakan perubahan email bukan permintaannya" in mail.text
    }
    assert told == {DEWI.email, RATNA.email}
    for admin in (WATI, RATNA):
        visitor = logged_in(peopled, admin)
        assert "1 Akun yang disengketakan" in words_of(visitor.open("/admin/?instansi=7301"))
        assert JOKO.name in words_of(visitor.open("/admin/perbaikan-email?lihat=dibekukan&instansi=7301"))


def test_a_second_admin_closes_the_case_and_the_old_address_is_back(peopled: Flask, inbox: Inbox) -> None:
    _contested(peopled, inbox, JOKO)
    change = latest_change(peopled, JOKO)

    assert act_on_change(logged_in(peopled, WATI), change, "batalkan", because="Sudah beres") == 403
    assert latest_change(peopled, JOKO).is_contesting, "nobody undoes what was stopped against him"  # type: ignore[union-attr]
    inbox.fetch()
    assert (
        act_on_change(logged_in(peopled, RATNA), change, "batalkan", because="Joko sendiri di loket") == 303
    )

    assert [mail.to for mail in inbox.fetch() if "tidak jadi berlaku" in mail.text] == [JOKO.email]
    assert user(peopled, JOKO).email == JOKO.email
    assert not latest_change(peopled, JOKO).is_contesting  # type: ignore[union-attr]
    assert "Tidak ada." in words_of(logged_in(peopled, RATNA).open("/admin/"))


def test_who_was_told_of_a_change_is_told_when_it_comes_to_nothing(peopled: Flask, inbox: Inbox) -> None:
    wati = logged_in(peopled, WATI)
    change_email(wati, peopled, SARI, "sari.baru@contoh.example")
    inbox.fetch()

    assert act_on_change(wati, latest_change(peopled, SARI), "batalkan", because="Salah ketik") == 303

    letter = next(mail for mail in inbox.fetch() if mail.to == SARI.email)
    assert "tidak jadi berlaku" in letter.text
    assert "Salah ketik" in letter.text
    assert "bukan-saya" not in letter.text, "there is nothing left to stop"


def test_after_it_is_settled_one_admin_still_puts_no_address_on_record_unheard(
    peopled: Flask, inbox: Inbox
) -> None:
    _contested(peopled, inbox, JOKO)
    act_on_change(logged_in(peopled, RATNA), latest_change(peopled, JOKO), "batalkan", because="Beres")
    inbox.fetch()

    change_email(logged_in(peopled, WATI), peopled, JOKO, "maling@contoh.example")

    assert JOKO.email in stop_links(inbox.fetch())


def test_a_thief_at_the_old_address_cannot_stop_the_owner_for_ever(peopled: Flask, inbox: Inbox) -> None:
    """There are two rounds, and each time another second admin looks. Then the link says whom to ask, and the
    change takes effect."""
    make_pusat(peopled, DEWI)
    rightful, thief = "joko@nusajaya.example", JOKO.email or ""
    with time_machine.travel(now(), tick=False) as clock:
        change_email(logged_in(peopled, WATI), peopled, JOKO, rightful)
        for second in (RATNA, DEWI):
            clock.shift(timedelta(minutes=5))
            Visitor(peopled).submit(stop_links(inbox.fetch())[thief])
            assert user(peopled, JOKO).email is None
            change_email(logged_in(peopled, WATI), peopled, JOKO, rightful)
            _confirm_by(peopled, second)
        link = stop_links(inbox.fetch())[thief]
        Visitor(peopled).client.post(link, data={"csrf_token": Visitor(peopled).csrf_token("/login")})

        assert "tidak dapat dihentikan lagi dari sini" in words_of(Visitor(peopled).open(link))
        assert user(peopled, JOKO).email == rightful


def _confirm_by(app: Flask, admin: Person) -> None:
    with app.app_context(), unit_of_work() as session:
        hashed = session.scalars(select(User.password_hash).where(User.nip == WATI.nip)).one()
        session.execute(update(User).where(User.nip == admin.nip).values(password_hash=hashed))
    assert act_on_change(logged_in(app, admin), latest_change(app, JOKO), "konfirmasi") == 303


# -- puppets and rank


def test_an_appointee_is_not_the_second_of_who_appointed_him_for_thirty_days(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)
    until = (now() + timedelta(days=300)).date().isoformat()
    ratna.submit(
        "/admin/mandat/baru", nip=SARI.nip, scope="instansi", instansi="3402", sk_number="SK-1", until=until
    )
    change_email(ratna, peopled, HADI, "hadi.baru@contoh.example")
    change = latest_change(peopled, HADI)

    assert act_on_change(logged_in(peopled, SARI), change, "konfirmasi") == 403
    with time_machine.travel(now() + timedelta(days=31)):
        assert act_on_change(logged_in(peopled, SARI), change, "konfirmasi") == 303


def test_two_appointees_of_one_admin_are_not_each_others_second(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)
    until = (now() + timedelta(days=300)).date().isoformat()
    for person in (SARI, TONO):
        ratna.submit(
            "/admin/mandat/baru",
            nip=person.nip,
            scope="instansi",
            instansi="3402",
            sk_number="SK-1",
            until=until,
        )
    with peopled.app_context(), unit_of_work() as session:
        hashed = session.scalars(select(User.password_hash).where(User.nip == WATI.nip)).one()
        session.execute(
            update(User).where(User.nip == TONO.nip).values(password_hash=hashed, activation="active")
        )
    change_email(logged_in(peopled, SARI), peopled, HADI, "hadi.baru@contoh.example")

    assert act_on_change(logged_in(peopled, TONO), latest_change(peopled, HADI), "konfirmasi") == 403
    assert act_on_change(logged_in(peopled, RAKA), latest_change(peopled, HADI), "konfirmasi") == 303


def test_a_prolonged_mandate_makes_nobody_an_appointee(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(AdminMandate).values(starts_on=(now() - timedelta(days=90)).date()))
    ratna, until = logged_in(peopled, RATNA), (now() + timedelta(days=300)).date().isoformat()
    ratna.submit(
        "/admin/mandat/baru",
        nip=RAKA.nip,
        scope="instansi",
        instansi="3402",
        sk_number="SK-BARU",
        until=until,
    )
    change_email(ratna, peopled, HADI, "hadi.baru@contoh.example")

    assert act_on_change(logged_in(peopled, RAKA), latest_change(peopled, HADI), "konfirmasi") == 303


@pytest.mark.usefixtures("inbox")
def test_whose_account_stands_on_ones_word_is_not_ones_second(peopled: Flask) -> None:
    """Wati changes the address of Budi, who has never logged in. Pusat does not know this and appoints
    Budi."""
    wati = logged_in(peopled, WATI)
    change_email(wati, peopled, BUDI, "boneka@contoh.example")
    puppet = colleague(peopled, BUDI)
    correct(logged_in(peopled, RATNA), peopled, JOKO, category="PPT_NON_ASN")
    change_email(wati, peopled, JOKO, "maling@contoh.example")

    assert act_on_change(puppet, latest_change(peopled, JOKO), "konfirmasi") == 403


def test_an_admin_of_the_centre_is_appointed_by_two(peopled: Flask, inbox: Inbox) -> None:
    make_pusat(peopled, DEWI)
    inbox.fetch()
    ratna, until = logged_in(peopled, RATNA), (now() + timedelta(days=300)).date().isoformat()

    ratna.submit("/admin/mandat/baru", nip=SARI.nip, scope="pusat", sk_number="SK-1", until=until)

    sari = logged_in(peopled, SARI)
    assert sari.open("/admin/").status_code == 403
    assert [mail.to for mail in inbox.fetch()] == [DEWI.email], "who is to be the second"
    change = latest_change(peopled, SARI)
    assert act_on_change(ratna, change, "konfirmasi") == 403
    assert act_on_change(logged_in(peopled, WATI), change, "konfirmasi") == 403, "only pusat"
    assert act_on_change(logged_in(peopled, WATI), change, "batalkan", because="x") == 403
    confirm_as_second(peopled, SARI)
    assert sari.open("/admin/").status_code == 200
    assert {RATNA.email, DEWI.email, SARI.email} <= {mail.to for mail in inbox.fetch()}, (
        "pusat and the new admin are told"
    )


def test_rank_is_a_set(peopled: Flask) -> None:
    """Sari is admin of two instansi. Wati covers only one of them, so Wati does not act on Sari."""
    colleague(peopled, SARI)
    colleague(peopled, SARI, "3402")
    wati = logged_in(peopled, WATI)

    assert "di luar mandat Anda" in words_of(wati.open(page_of(peopled, SARI)))
    for act in ("/nonaktifkan", "/mutasi", "/kirim-token", "/buka-batas"):
        token = wati.csrf_token("/akun")
        assert (
            wati.post(page_of(peopled, SARI, act), csrf_token=token, reason=WHY, code="3402").status_code
            == 403
        )


@pytest.mark.parametrize(
    "act",
    [
        "/ubah",
        "/email",
        "/nonaktifkan",
        "/aktifkan",
        "/mutasi",
        "/kirim-token",
        "/buka-batas",
        "/akhiri-sesi",
    ],
)
def test_the_centre_hears_of_every_act_on_a_holder_of_a_mandate(
    peopled: Flask, inbox: Inbox, act: str
) -> None:
    colleague(peopled, SARI)
    wati = logged_in(peopled, WATI)
    if act == "/aktifkan":
        wati.submit(page_of(peopled, SARI, "/nonaktifkan"), reason=WHY)
    inbox.fetch()

    match act:
        case "/ubah":
            assert correct(wati, peopled, SARI, work_unit="Dinas Sosial") == 303
        case "/email":
            assert change_email(wati, peopled, SARI, "sari.baru@contoh.example") == 303
        case "/kirim-token" | "/buka-batas":
            assert wati.post_with_token("/akun", page_of(peopled, SARI, act), form_id="1").status_code == 303
        case "/akhiri-sesi":
            logged_in(peopled, SARI)
            assert wati.post_with_token(page_of(peopled, SARI, act), reason=WHY).status_code == 303
        case _:
            assert (
                wati.post_with_token(page_of(peopled, SARI, act), reason=WHY, code="3402").status_code == 303
            )

    told = [
        mail.text
        for mail in inbox.fetch()
        if mail.to == RATNA.email and "yang memegang mandat admin" in mail.text
    ]
    assert len(told) == 1
    assert "Wati Kusuma" in told[0]


def test_every_act_on_a_person_is_among_those_the_centre_hears_of(peopled: Flask) -> None:
    """A new POST below /admin/pegawai/<person> has to be added above."""
    acts = {
        rule.rule.removeprefix("/admin/pegawai/<row:person_id>")
        for rule in peopled.url_map.iter_rules()
        if rule.rule.startswith("/admin/pegawai/<row:person_id>") and "POST" in (rule.methods or ())
    }

    assert acts == {
        "/ubah",
        "/email",
        "/nonaktifkan",
        "/aktifkan",
        "/mutasi",
        "/kirim-token",
        "/buka-batas",
        "/akhiri-sesi",
    }


# -- decisions of who is gone


@pytest.mark.parametrize("how", ["revoked", "deactivated", "moved"])
@pytest.mark.usefixtures("inbox")
def test_what_a_dismissed_admin_has_decided_waits_for_another_look(peopled: Flask, how: str) -> None:
    make_pusat(peopled, DEWI)
    change_email(logged_in(peopled, WATI), peopled, SARI, "maling@contoh.example")
    assert latest_change(peopled, SARI).state is ChangeState.SCHEDULED  # type: ignore[union-attr]
    ratna = logged_in(peopled, RATNA)

    match how:
        case "revoked":
            peopled.test_cli_runner().invoke(args=["admin", "revoke", WATI.nip])
        case "deactivated":
            ratna.submit(page_of(peopled, WATI, "/nonaktifkan"), reason=WHY)
        case "moved":
            ratna.submit(page_of(peopled, WATI, "/mutasi"), code="3402", reason=WHY)
            confirm_as_second(peopled, WATI)

    change = latest_change(peopled, SARI)
    assert change is not None
    assert change.state is ChangeState.NEEDS_SECOND
    with time_machine.travel(now() + timedelta(hours=30)):
        changes_take_effect(peopled)
        assert user(peopled, SARI).email == SARI.email
    shown = words_of(ratna.open(f"/admin/perbaikan-email/perubahan/{change.id}"))
    assert "Admin yang memutuskan" in shown or "yang memutuskan sudah" in shown
    assert act_on_change(ratna, change, "konfirmasi") == 303


# -- files


def test_a_file_settles_no_contested_account(peopled: Flask, inbox: Inbox, tmp_path: Path) -> None:
    _contested(peopled, inbox, JOKO)

    for changed in (
        {"email": "maling@contoh.example"},
        {"code": "3402", "email": ""},
        {"category": "PPPK", "email": ""},
    ):
        assert "menghentikan suatu perubahan" in imported(peopled, tmp_path, row_of(JOKO, **changed))

    assert user(peopled, JOKO).email is None
    assert user(peopled, JOKO).instansi.code == "7301"


def test_the_operators_file_changes_an_address_and_the_letter_can_stop_it(
    peopled: Flask, inbox: Inbox, tmp_path: Path
) -> None:
    assert "berubah 1" in imported(peopled, tmp_path, row_of(SARI, email="sari.baru@contoh.example"))

    mails = inbox.fetch()
    assert {mail.to for mail in mails} == {SARI.email, "sari.baru@contoh.example"}
    Visitor(peopled).submit(stop_links(mails)[SARI.email or ""])
    assert user(peopled, SARI).email is None
    change = latest_change(peopled, SARI)
    assert change is not None
    assert change.decided_by_id is None


def test_a_file_writes_the_letters_and_rows_that_the_page_writes(
    peopled: Flask, inbox: Inbox, tmp_path: Path
) -> None:
    correct(logged_in(peopled, WATI), peopled, BUDI, name="Budi S", work_unit="Dinas Sosial")
    by_page = inbox.fetch_one(BUDI.email)

    imported(peopled, tmp_path, row_of(DEWI, name="Dewi K", unit="Dinas Sosial"), options=("--reason", WHY))

    by_file = inbox.fetch_one(DEWI.email)
    assert by_file.subject == by_page.subject
    assert WHY in by_file.text
    assert "nama, unit kerja" in by_file.text
    with peopled.app_context(), reading() as session:
        facts = [
            session.scalars(select(AuditEvent).where(AuditEvent.tag == tag)).one().detail
            for tag in (Tag.RECORD_CORRECTED, Tag.IMPORTED_CHANGE)
        ]
    for one, person in zip(facts, (BUDI, DEWI), strict=True):
        assert (one["old_name"], one["old_work_unit"], one["new_work_unit"], one["reason"]) == (
            person.name, person.unit, "Dinas Sosial", WHY,
        )  # fmt: skip


def test_a_letter_that_somebody_waits_for_goes_before_the_thousand_of_a_file(
    peopled: Flask, tmp_path: Path
) -> None:
    imported(peopled, tmp_path, *(row_of(person, unit="Dinas Sosial") for person in (BUDI, DEWI, JOKO)))
    Visitor(peopled).ask_for_token(SARI.nip, SARI.email or "")

    with peopled.app_context(), unit_of_work() as session:
        (first,) = OutboxMail.due(session, now(), most=1)
        assert first.to_address == SARI.email
        assert (
            session.scalar(
                select(func.count()).select_from(OutboxMail).where(OutboxMail.urgency == Urgency.CAN_WAIT)
            )
            == 3
        )


# -- the trail


@pytest.mark.usefixtures("inbox")
def test_addresses_stand_masked_in_the_trail_each_with_a_mark_that_finds_it_again(peopled: Flask) -> None:
    change_email(logged_in(peopled, WATI), peopled, JOKO, "joko@nusajaya.example")
    change_email(logged_in(peopled, WATI), peopled, JOKO, JOKO.email or "")

    with peopled.app_context(), reading() as session:
        first, second = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == Tag.EMAIL_CHANGED).order_by(AuditEvent.id)
        )
    assert first.detail["old_email"] == second.detail["new_email"] != first.detail["new_email"]
    assert re.fullmatch(r"j\*\*\*@n\*\*\*\.example \([0-9a-f]{16}\)", str(first.detail["old_email"]))
    assert "joko" not in str(first.detail)


# -- twice, at once


def test_a_stop_in_the_middle_of_a_new_decision_leaves_one_truth(peopled: Flask, inbox: Inbox) -> None:
    """Joko has never used the account. The thief's address is in effect, the owner stops it, and then a
    decision from an older page comes in."""
    wati = logged_in(peopled, WATI)
    request_id = asked(peopled, JOKO, "maling.lain@contoh.example")
    page = wati.open(f"/admin/perbaikan-email/{request_id}")
    seen = re.search(r'name="seen"[^>]* value="([^"]+)"', page.text)
    change_email(wati, peopled, JOKO, "maling@contoh.example")
    Visitor(peopled).submit(stop_links(inbox.fetch())[JOKO.email or ""])

    answer = wati.submit(
        f"/admin/perbaikan-email/{request_id}", f"/admin/perbaikan-email/{request_id}/setujui",
        identity_check="tatap_muka", note="Loket", seen=seen[1] if seen else "",
    )  # fmt: skip

    assert answer.status_code == 422
    assert user(peopled, JOKO).email is None


def test_a_stolen_password_opens_nothing_after_the_stop(peopled: Flask, inbox: Inbox) -> None:
    change_email(logged_in(peopled, WATI), peopled, JOKO, "maling@contoh.example")
    mails = inbox.fetch()
    thief = Visitor(peopled)
    thief.reset_password(
        next(mail.code for mail in mails if mail.subject.startswith("Token")), NEW_PASSWORD, JOKO.nip
    )
    Visitor(peopled).submit(stop_links(mails)[JOKO.email or ""])

    assert thief.log_in(JOKO.nip, NEW_PASSWORD).status_code == 422
