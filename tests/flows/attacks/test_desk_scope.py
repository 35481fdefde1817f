"""Every route of the desk, opened by everybody who has no right to it. A new route without the check fails
here."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.routing import Rule

from app.domain.act import Act
from app.domain.client import COMMAND_LINE
from app.domain.corrections import IdentityCheck
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now
from app.domain.reset_secret import new_reference
from app.models import (
    AdminMandate,
    AuditEvent,
    BatchState,
    BulkAct,
    BulkActRow,
    BulkKind,
    BulkState,
    IdentityChange,
    ImportBatch,
    Instansi,
    LoginSession,
    RowOutcome,
    Tag,
    User,
)
from app.runtime.db import reading, unit_of_work
from app.security import audit
from app.wiring import create_app
from config import Settings
from tests.cast import CAST, JOKO, RAKA, RATNA, SARI, WATI
from tests.conftest import SECRET_KEY
from tests.desk import asked, person_id
from tests.visitor import Visitor, logged_in

HERE = "7301"


def _rules() -> list[Rule]:
    app = create_app(
        Settings.from_env({"PORTAL_ENV": "test", "DATABASE_URL": "sqlite://", "SECRET_KEY": SECRET_KEY})
    )
    return sorted(
        (rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin")),
        key=lambda rule: rule.rule,
    )


RULES = _rules()


WAYS = [(rule, method) for rule in RULES for method in sorted({"GET", "POST"} & (rule.methods or set()))]


@dataclass(frozen=True)
class Desk:
    """The portal with a row of every kind at the desk of 7301. Each row is found by the name that a route
    gives to its id."""

    app: Flask
    rows: dict[str, int | str]

    def path(self, rule: Rule) -> str:
        adapter = self.app.url_map.bind("localhost")
        return adapter.build(rule.endpoint, {name: self.rows[name] for name in rule.arguments})

    def missing(self, rule: Rule) -> str:
        adapter = self.app.url_map.bind("localhost")
        nowhere = {
            name: 987_654 if isinstance(self.rows[name], int) else self.rows[name] for name in rule.arguments
        }
        return adapter.build(rule.endpoint, nowhere)


@pytest.fixture
def desk(peopled: Flask) -> Desk:
    request_id = asked(peopled, JOKO, "joko@nusajaya.example")
    joko = person_id(peopled, JOKO)
    with peopled.app_context(), unit_of_work() as session:
        wati = session.scalars(select(User).where(User.nip == WATI.nip)).one()
        change = IdentityChange(
            reference=new_reference(), user_id=joko, instansi_id=wati.instansi_id, old_value=JOKO.email,
            identity_check=IdentityCheck.LETTER,
            kind=ChangeKind.EMAIL, new_value="lain@contoh.example", state=ChangeState.NEEDS_SECOND,
            reason="Surat", decided_by_id=wati.id, decided_at=now(),
        )  # fmt: skip
        batch = ImportBatch(
            instansi_id=wati.instansi_id, uploaded_by_id=wati.id, uploaded_at=now(), file_name="pegawai.csv",
            file_size=1,
            sha256="0" * 64, state=BatchState.CHECKED, dry_run={}, result={},
        )  # fmt: skip
        bulk = BulkAct(
            kind=BulkKind.TOKEN, instansi_id=wati.instansi_id, desks=[wati.instansi_id],
            prepared_by_id=wati.id, prepared_at=now(), started_at=now(), state=BulkState.RUNNING, total=1,
        )  # fmt: skip
        session.add_all([change, batch, bulk])
        audit.record(
            session, Tag.BULK_ACT, None, Act(COMMAND_LINE, now(), wati), instansi_id=wati.instansi_id
        )
        session.flush()
        session.add(
            BulkActRow(
                bulk_act_id=bulk.id,
                position=1,
                person_id=joko,
                desk=wati.instansi_id,
                expected=RowOutcome.DONE,
            )
        )
        mandate = session.scalars(select(AdminMandate.id).where(AdminMandate.user_id == wati.id)).one()
        event = session.scalars(select(AuditEvent.id).order_by(AuditEvent.id.desc()).limit(1)).one()
        rows: dict[str, int | str] = {
            "person_id": joko,
            "correction_id": request_id,
            "change_id": change.id,
            "batch_id": batch.id,
            "bulk_id": bulk.id,
            "mandate_id": mandate,
            "event_id": event,
            "instansi_id": wati.instansi_id,
            "kind": "csv",
        }
    return Desk(peopled, rows)


def _ask(visitor: Visitor, method: str, path: str, csrf_token: str) -> tuple[int, str, str]:
    """Open the path, or send it an empty form with a good CSRF token."""
    answer = visitor.open(path) if method == "GET" else visitor.post(path, csrf_token=csrf_token)
    return answer.status_code, answer.get_data().decode(errors="replace"), answer.location or ""


def test_nobody_is_led_to_the_login(desk: Desk) -> None:
    nobody = Visitor(desk.app)
    token = nobody.csrf_token("/login")

    for rule, method in WAYS:
        status, _, location = _ask(nobody, method, desk.path(rule), token)

        assert status == 303, (method, rule.rule, status)
        assert location.startswith("/login"), (method, rule.rule, status)


def test_a_plain_user_is_told_it_is_for_admins(desk: Desk) -> None:
    sari = logged_in(desk.app, SARI)
    token = sari.csrf_token("/akun")

    for rule, method in WAYS:
        status, page, _ = _ask(sari, method, desk.path(rule), token)

        assert status == 403, (
            method,
            rule.rule,
            status,
        )
        assert "tidak memegang mandat admin" in page, (
            method,
            rule.rule,
            status,
        )
        assert "Joko" not in page, (
            method,
            rule.rule,
            status,
        )


def test_whose_mandate_has_ended_is_outside_at_the_next_click(desk: Desk) -> None:
    wati = logged_in(desk.app, WATI)
    token = wati.csrf_token("/akun")
    assert wati.open("/admin/").status_code == 200
    with desk.app.app_context(), unit_of_work() as session:
        for mandate in session.scalars(select(AdminMandate)):
            mandate.starts_on = mandate.ends_on = mandate.starts_on - timedelta(days=1)

    for rule, method in WAYS:
        status, page, _ = _ask(wati, method, desk.path(rule), token)

        assert status == 403, (method, rule.rule, status)
        assert "tidak memegang mandat admin" in page, (method, rule.rule, status)


def test_a_row_of_another_instansi_is_answered_like_one_that_is_not_there(desk: Desk) -> None:
    raka = logged_in(desk.app, RAKA)
    token = raka.csrf_token("/akun")

    for rule, method in WAYS:
        if not rule.arguments:
            continue
        status, page, _ = _ask(raka, method, desk.path(rule), token)
        missing_status, missing_page, _ = _ask(raka, method, desk.missing(rule), token)

        if status == 403:
            assert "hanya untuk admin pusat" in page, (method, rule.rule)
        else:
            assert (status, len(page)) == (404, len(missing_page)), (
                method,
                rule.rule,
                status,
            )
            assert missing_status == 404, (
                method,
                rule.rule,
                status,
            )


def test_no_page_shows_an_admin_of_another_instansi_anybody_from_here(desk: Desk) -> None:
    raka = logged_in(desk.app, RAKA)
    token = raka.csrf_token("/akun")
    queries = (
        "",
        f"?instansi={HERE}",
        f"?nip={JOKO.nip}",
        "?nama=joko",
        "?email=joko.lama@nusajaya.example",
        "?lihat=kedua",
    )

    for rule, method in WAYS:
        if rule.arguments:
            continue
        for query in queries:
            status, page, _ = _ask(raka, method, desk.path(rule) + query, token)

            assert status < 500, (method, rule.rule, query)
            seen = [one.name for one in CAST if one.instansi == HERE and one.name in page]
            seen += [
                one.nip for one in CAST if one.instansi == HERE and one.nip in page and one.nip not in query
            ]
            assert seen == [], (method, rule.rule, query)


def test_nothing_is_changed_by_looking_or_by_an_empty_form(desk: Desk) -> None:
    def people() -> list[object]:
        with desk.app.app_context(), reading() as session:
            columns = (
                User.nip,
                User.name,
                User.email,
                User.activation,
                User.instansi_id,
                User.credential_version,
            )
            mandates = session.execute(
                select(AdminMandate.id, AdminMandate.ends_on, AdminMandate.revoked_at)
            ).all()
            contacts = session.execute(select(Instansi.id, Instansi.helpdesk_contact)).all()
            return [*session.execute(select(*columns).order_by(User.id)).all(), *mandates, *contacts]

    before = people()

    for admin in (WATI, RATNA):
        visitor = logged_in(desk.app, admin)
        token = visitor.csrf_token("/akun")
        for rule, method in WAYS:
            if method == "POST" and rule.endpoint == "admin.changes.confirm":
                continue  # the only form without a field, which does nothing but confirm
            status, _, _ = _ask(visitor, method, desk.path(rule), token)

            assert status < 500, (method, rule.rule)

    assert people() == before


WITHOUT_PASSWORD = {
    "admin.imports.upload": "a file is only looked at, until somebody has it run",
    "admin.imports.cancel": "a file that did not run changes nobody",
    "admin.person.resend": "the letter goes to the address on record, and its limits hold for admins too",
    "admin.overview.export": "figures, and nobody's name",
    "admin.at_once.make": "a preview, which does nothing to anybody",
    "admin.lists.make": "the same",
    "admin.at_once.stop": "whoever stops something must be quick, and nothing is done to anybody",
}


def test_who_left_the_desk_open_shows_the_password_before_anything_is_done(desk: Desk) -> None:
    ratna = logged_in(desk.app, RATNA)
    token = ratna.csrf_token("/akun")
    with desk.app.app_context(), unit_of_work() as session:
        session.execute(update(LoginSession).values(proven_at=now() - timedelta(minutes=11)))

    for rule, method in WAYS:
        if method == "POST":
            status, page, _ = _ask(ratna, method, desk.path(rule), token)

            assert ((status, "Password sekali lagi" in page) == (403, True)) is (
                rule.endpoint not in WITHOUT_PASSWORD
            ), rule.rule


# These buttons are there only in some states: with figures, after a dry run, an own window, a day, a choice
_BUTTONS_BY_STATE = (
    "/admin/ekspor", "/hapus", "/jalankan", "/ikut-nasional", "/beberapa/", "/betulkan", "/ambil",
)  # fmt: skip


def test_what_only_takes_a_form_leads_to_the_page_with_its_button(desk: Desk) -> None:
    """Opened by a browser that restores its tabs."""
    ratna, pages = logged_in(desk.app, RATNA), {rule.rule for rule in RULES if "GET" in (rule.methods or ())}
    for rule in RULES:
        if rule.rule in pages:
            continue
        path = desk.path(rule)
        leads = ratna.open(path)
        assert leads.status_code == 303, path
        page = ratna.open(leads.location)
        assert page.status_code == 200 or "/beberapa/" in path, path
        if not any(part in path for part in _BUTTONS_BY_STATE):
            assert f'action="{path}"' in page.text, (path, leads.location)
