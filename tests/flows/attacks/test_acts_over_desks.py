"""An admin of several instansi exports a list, or does something to many people at once. Each of these
instansi sees it in the trail."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.indonesian_time import now
from app.models import AuditEvent, BatchState, ImportBatch, ImportRefusal, Instansi, Tag, User
from app.runtime.db import reading, unit_of_work
from app.worker.duties import count_everybody
from tests.cast import BUDI, HADI, JOKO, LESTARI, RAKA, RATNA, SARI, WATI
from tests.desk import asked
from tests.flows.attacks.test_desk_scope import RULES
from tests.flows.cpns.test_desk_cpns import APPROVE, REJECT, SK, events, send, waiting
from tests.flows.reports.test_trail_pages import note
from tests.visitor import Visitor, logged_in, words_of

# Every route that hands out a list, and the button for it.
EXPORTS = {
    "/admin/ekspor": ("/admin/", {"bentuk": "csv"}),
    "/admin/pegawai/ekspor": ("/admin/pegawai", {"bentuk": "xlsx"}),
    "/admin/audit/ekspor": ("/admin/audit", {"bentuk": "csv"}),
}
OF_ONE_BATCH = {  # a batch belongs to one instansi, or to pusat
    f"/admin/impor/<big_row:batch_id>/{what}.<any(xlsx, csv):kind>" for what in ("ditolak", "perubahan")
}
OF_ONE_ACT = {"/admin/sekaligus/<big_row:bulk_id>/ekspor"}  # tests/flows/bulk/test_at_once_pages.py
OF_NOBODY = {"/admin/impor/template.csv", "/admin/impor/template.xlsx"}


def exported(app: Flask, tag: Tag = Tag.EXPORTED, *, how_many: bool = True) -> dict[str | None, object]:
    """How many were exported, by the code of the instansi."""
    with app.app_context(), reading() as session:
        found = select(AuditEvent, Instansi.code).outerjoin(Instansi, Instansi.id == AuditEvent.instansi_id)
        rows = session.execute(found.where(AuditEvent.tag == tag)).all()
    assert len({code for _, code in rows}) == len(rows), "each desk is told once"
    return {code: event.detail["how_many"] if how_many else None for event, code in rows}


@pytest.fixture
def sari(peopled: Flask) -> Visitor:
    """Sari as admin of both instansi."""
    for code in ("7301", "3402"):
        arguments = ["admin", "grant", SARI.nip, "--instansi", code, "--sk", "SK/1", "--until", "2999-12-31"]
        assert peopled.test_cli_runner().invoke(args=arguments).exit_code == 0
    with peopled.app_context():
        count_everybody()
    return logged_in(peopled, SARI)


def test_every_export_is_known_here() -> None:
    files = {rule.rule for rule in RULES if "ekspor" in rule.rule or re.search(r"\b(csv|xlsx)\b", rule.rule)}

    assert files - OF_NOBODY == EXPORTS.keys() | OF_ONE_BATCH | OF_ONE_ACT


@pytest.mark.parametrize("path", EXPORTS)
def test_an_export_over_several_instansi_stands_in_the_trail_of_each(
    peopled: Flask, sari: Visitor, path: str
) -> None:
    for person in (BUDI, JOKO, HADI):
        note(peopled, Tag.PERSON_OPENED, person, WATI)
    page, fields = EXPORTS[path]

    answer = sari.submit(page, path, **fields)

    assert answer.status_code == 200
    answer.close()
    noted = exported(peopled)
    assert set(noted) == {"7301", "3402"}
    if path == "/admin/pegawai/ekspor":
        assert noted == {"7301": 7, "3402": 4}
    for reader in (WATI, RAKA, RATNA):
        assert "Data diekspor" in words_of(logged_in(peopled, reader).open("/admin/audit?jenis=exported"))


@pytest.mark.parametrize("path", EXPORTS)
def test_an_export_of_the_centre_over_all_is_its_own(peopled: Flask, path: str) -> None:
    page, fields = EXPORTS[path]

    logged_in(peopled, RATNA).post_with_token(page, path, **fields).close()

    assert set(exported(peopled)) == {None}


@pytest.mark.parametrize("path", ["/admin/ekspor", "/admin/pegawai/ekspor"])
def test_an_export_of_the_centre_about_one_instansi_is_seen_there(peopled: Flask, path: str) -> None:
    page, fields = EXPORTS[path]

    logged_in(peopled, RATNA).post_with_token(page, path, **fields, instansi="7301").close()

    assert set(exported(peopled)) == {"7301"}
    seen = words_of(logged_in(peopled, WATI).open("/admin/audit?jenis=exported"))
    assert "Data diekspor" in seen
    assert RATNA.name not in seen


def test_the_refused_rows_of_a_file_are_told_to_its_instansi(peopled: Flask, sari: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        there = session.scalars(select(Instansi.id).where(Instansi.code == "3402")).one()
        uploader = session.scalars(select(User.id).where(User.nip == SARI.nip)).one()
        batch = ImportBatch(
            instansi_id=there, uploaded_by_id=uploader, file_name="a.csv", file_size=1, sha256="0" * 64,
            uploaded_at=now(),
            state=BatchState.CHECKED,
        )  # fmt: skip
        session.add(batch)
        session.flush()
        session.add(
            ImportRefusal(
                batch_id=batch.id, is_dry_run=True, line=2, cells={}, columns="nip", sentences="NIP salah."
            )
        )
        number = batch.id

    answer = sari.open(f"/admin/impor/{number}/ditolak.csv")

    assert answer.status_code == 200
    assert "NIP salah." in answer.text
    assert set(exported(peopled, how_many=False)) == {"3402"}


@pytest.mark.parametrize(
    ("path", "fields"), [(APPROVE, SK), (REJECT, {"reason": "Berkas pemberkasan belum lengkap."})]
)
def test_a_verdict_over_several_desks_is_told_to_each_with_its_own_people(
    peopled: Flask, sari: Visitor, path: str, fields: dict[str, str]
) -> None:
    here, there = waiting(peopled, 2), waiting(peopled, 1, "3402")

    answer = send(sari, path, [*here, *there], **fields)

    assert exported(peopled, Tag.BULK_ACT) == {"7301": 2, "3402": 1}
    result = words_of(sari.open(answer.location))
    assert all(name in result for name in ("Calon 7301 0", "Calon 7301 1", "Calon 3402 0"))
    decided = [*events(peopled, Tag.CPNS_APPROVED), *events(peopled, Tag.CPNS_REJECTED)]
    listed = [
        {one.account_id for one in decided if one.instansi_id == event.instansi_id}
        for event in events(peopled, Tag.BULK_ACT)
    ]
    assert sorted(map(len, listed)) == [1, 2]
    assert set(here) in listed
    assert set(there) in listed
    for event in events(peopled, Tag.BULK_ACT):
        assert words_of(sari.open(f"/admin/cpns/hasil/{event.id}")) == result
        assert logged_in(peopled, WATI).open(f"/admin/cpns/hasil/{event.id}").status_code == 404


def test_requests_rejected_at_several_desks_are_told_to_each(peopled: Flask, sari: Visitor) -> None:
    requests = [
        asked(peopled, BUDI, "budi.baru@contoh.example"),
        asked(peopled, JOKO, "joko@nusajaya.example"),
        asked(peopled, LESTARI, "lestari@contoh.example"),
    ]

    for number in requests:
        sari.open(f"/admin/perbaikan-email/{number}")
    fields = {"csrf_token": sari.csrf_token("/akun"), "pilih": requests, "reason": "Datang ke loket 3."}
    sari.client.post("/admin/perbaikan-email/beberapa/tolak", data=fields)

    assert exported(peopled, Tag.BULK_ACT) == {"7301": 2, "3402": 1}
