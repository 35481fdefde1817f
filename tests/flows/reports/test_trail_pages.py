"""The people concerned can look up what happened, and nobody else can."""

import csv
import io
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.client import Client
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import now
from app.flows.reports import search_trail
from app.models import AuditEvent, Instansi, Tag, User
from app.runtime.db import reading, unit_of_work
from app.security import audit
from app.web.words.trail import GROUPS
from tests.cast import BUDI, HADI, JOKO, PASSWORD, RAKA, RATNA, SARI, STRANGERS_NIP, WATI, Person
from tests.desk import asked
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

FROM_HERE = Client("198.51.100.23", "Firefox", "0123456789ab")


def note(
    app: Flask, tag: Tag, account: Person | None, actor: Person | None = None, **detail: str | int
) -> None:
    with app.app_context(), unit_of_work() as session:
        by = user(session, actor)
        # mypy thinks that the details are `instansi_id`
        audit.record(session, tag, user(session, account), Act(FROM_HERE, now(), by), **detail)  # type: ignore[arg-type]


def user(session: Session, person: Person | None) -> User | None:
    return session.scalars(select(User).where(User.nip == person.nip)).one() if person else None


def events(app: Flask, tag: Tag) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id)))


def table_of(page: str) -> str:
    return page.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in page else ""


def test_every_tag_has_words_in_one_group() -> None:
    listed = [tag for _, tags in GROUPS.values() for tag in tags]

    assert sorted(listed) == sorted(Tag)
    assert len({tag.label for tag in Tag}) == len(Tag)


def test_the_newest_events_come_first_with_who_what_and_from_where(peopled: Flask) -> None:
    note(peopled, Tag.TOKEN_REFUSED, BUDI, reason="expired", typed="True")
    note(peopled, Tag.RECORD_CORRECTED, BUDI, WATI, columns="name,work_unit", reason="salah ketik")

    page = logged_in(peopled, WATI).open("/admin/audit")

    assert page.status_code == 200
    table = words_of(page).split("Alamat IP (sebagian) ")[1]
    assert table.index("Data pegawai dibetulkan") < table.index("Token ditolak")
    for words in (
        "Kolom: nama, unit kerja",
        "Alasan: masa berlakunya sudah habis",
        "198.51.100.*",
        "Wati Kusuma",
        "Budi Santoso",
    ):
        assert words in table
    assert "198.51.100.23" not in page.text
    assert "{" not in table


@pytest.mark.parametrize(
    ("query", "found", "left_out"),
    [
        (f"nip={BUDI.nip}", "Token ditolak", "Keluar dari"),
        (f"nip={BUDI.nip[:8]}+{BUDI.nip[8:]}", "Token ditolak", "Jadwal"),
        (f"oleh={WATI.nip}", "Data akun dilihat", "Token ditolak"),
        (f"oleh={WATI.nip}&nip={SARI.nip}", "Data akun dilihat", "Token ditolak"),
        ("jenis=token_refused", "Token ditolak", "Data akun dilihat"),
        ("jenis=reset", "Token ditolak", "Data akun dilihat"),
        ("jenis=pegawai", "Data akun dilihat", "Token ditolak"),
    ],
)
def test_filters_leave_only_what_was_asked_for(peopled: Flask, query: str, found: str, left_out: str) -> None:
    note(peopled, Tag.TOKEN_REFUSED, BUDI, reason="wrong")
    note(peopled, Tag.PERSON_OPENED, SARI, WATI)

    table = table_of(logged_in(peopled, WATI).open(f"/admin/audit?{query}").text)

    assert found in table
    assert left_out not in table


def test_days_are_those_in_jakarta(peopled: Flask) -> None:
    with time_machine.travel("2026-03-09T16:59:00Z", tick=False):
        note(peopled, Tag.DEACTIVATED, BUDI, WATI)
    with time_machine.travel("2026-03-09T17:01:00Z", tick=False):
        note(peopled, Tag.REACTIVATED, BUDI, WATI)
    visitor = logged_in(peopled, WATI)

    ninth = table_of(visitor.open("/admin/audit?dari=2026-03-09&sampai=09-03-2026").text)
    tenth = table_of(visitor.open("/admin/audit?dari=2026-03-10&sampai=2026-03-10").text)

    assert "dinonaktifkan" in ninth
    assert "diaktifkan kembali" not in ninth
    assert "diaktifkan kembali" in tenth
    assert "dinonaktifkan" not in tenth


@pytest.mark.parametrize(
    "query", ["nip=123", "oleh=x", "jenis=apa", "dari=kemarin", "dari=2026-03-10&sampai=2026-03-09"]
)
def test_what_cannot_be_meant_is_said(peopled: Flask, query: str) -> None:
    page = logged_in(peopled, WATI).open(f"/admin/audit?{query}")

    assert page.status_code == 422
    assert "Ada masalah" in page.text


@pytest.mark.parametrize("lanjut", ["x", "-1", "99999999999999999999", "²"])
def test_a_broken_place_in_the_list_is_its_beginning(peopled: Flask, lanjut: str) -> None:
    assert logged_in(peopled, WATI).open(f"/admin/audit?lanjut={lanjut}").status_code == 200


def test_an_admin_sees_nothing_of_another_instansi(peopled: Flask) -> None:
    note(peopled, Tag.PERSON_OPENED, BUDI, WATI)
    note(peopled, Tag.FORM_REFUSED, None, None, rule="/login")
    note(peopled, Tag.PERSON_OPENED, HADI, RATNA)
    raka, ratna = logged_in(peopled, RAKA), logged_in(peopled, RATNA)

    own = raka.open("/admin/audit")

    assert "Hadi Nugroho" in own.text
    for foreign in ("Budi Santoso", "Wati Kusuma", BUDI.nip[:8] + " ", "Formulir ditolak"):
        assert foreign not in table_of(own.text)
    table = table_of(ratna.open("/admin/audit").text)
    assert "Budi Santoso" in table
    assert "Formulir ditolak" in table


@pytest.mark.parametrize("field", ["nip", "oleh"])
def test_a_foreign_nip_looks_like_an_unknown_one(peopled: Flask, field: str) -> None:
    note(peopled, Tag.PERSON_OPENED, SARI, WATI)
    raka = logged_in(peopled, RAKA)
    foreign = SARI.nip if field == "nip" else WATI.nip

    pages = [raka.open(f"/admin/audit?{field}={nip}") for nip in (foreign, STRANGERS_NIP)]

    words = [
        words_of(page).replace(nip, "NIP") for page, nip in zip(pages, (foreign, STRANGERS_NIP), strict=True)
    ]
    assert words[0] == words[1]
    assert "Tidak ada kejadian yang cocok" in words[0]


def test_who_has_moved_away_has_no_name_in_the_old_trail(peopled: Flask) -> None:
    note(peopled, Tag.PERSON_OPENED, BUDI, WATI)
    note(peopled, Tag.LOGIN, SARI, SARI)
    note(peopled, Tag.DEACTIVATED, HADI, RAKA)
    with peopled.app_context(), unit_of_work() as session:
        contoh = session.scalars(select(Instansi).where(Instansi.code == "3402")).one()
        for person in (BUDI, SARI):
            moved = user(session, person)
            assert moved is not None
            moved.move_to(contoh)

    table = table_of(logged_in(peopled, WATI).open("/admin/audit").text)
    export = logged_in(peopled, WATI).submit("/admin/audit", "/admin/audit/ekspor", bentuk="csv").text

    assert "Pegawai instansi lain" in table
    assert "Pemilik akun" in table
    for text in (table, export):
        assert "Budi" not in text
        assert "Sari" not in text
        assert BUDI.nip not in text
        assert "19900715" not in text
    assert "Hadi" not in table_of(logged_in(peopled, WATI).open(f"/admin/audit?nip={BUDI.nip}").text)


def test_a_long_trail_comes_page_by_page(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        budi = user(session, BUDI)
        for number in range(120):
            audit.record(session, Tag.TOKEN_ASKED, budi, Act(FROM_HERE, now(), None), mail=1000 + number)
    visitor = logged_in(peopled, WATI)
    seen: list[str] = []
    page = visitor.open("/admin/audit")
    while True:
        seen += [line.split("<")[0] for line in page.text.split("Email: nomor ")[1:]]
        if 'rel="next"' not in page.text:
            break
        page = visitor.open(page.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&"))

    assert seen == [str(1000 + number) for number in reversed(range(120))]


def test_a_search_looks_at_some_rows_and_can_go_on(peopled: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_trail, "ROWS_LOOKED_AT", 10)
    note(peopled, Tag.DEACTIVATED, BUDI, WATI)
    for _ in range(15):
        note(peopled, Tag.LOGIN, SARI, SARI)
    visitor = logged_in(peopled, WATI)

    first = visitor.open("/admin/audit?jenis=deactivated")
    onward = first.text.split('<a href="/admin/audit?')[-1].split('"')[0].replace("&amp;", "&")
    second = visitor.open(f"/admin/audit?{onward}")

    assert "Lanjutkan pencarian" in first.text
    assert "<tbody>" not in first.text
    assert "Akun dinonaktifkan" in table_of(second.text)
    assert "Lanjutkan pencarian" not in second.text
    exported = visitor.post_with_token(
        "/admin/audit", "/admin/audit/ekspor", jenis="deactivated", bentuk="csv"
    )
    assert "Akun dinonaktifkan" in exported.text


def test_the_trail_of_two_instansi_is_one(peopled: Flask) -> None:
    assert peopled.test_cli_runner().invoke(
        args=["admin", "grant", WATI.nip, "--instansi", "3402", "--sk", "SK/1", "--until", "2999-12-31"]
    ).exit_code == 0  # fmt: skip
    for person in (BUDI, HADI, SARI):
        note(peopled, Tag.PERSON_OPENED, person, WATI)

    table = table_of(logged_in(peopled, WATI).open("/admin/audit?jenis=person_opened").text)

    assert table.index("Sari") < table.index("Hadi") < table.index("Budi")


def test_an_export_is_safe_recorded_and_told_to_the_centre(peopled: Flask, inbox: Inbox) -> None:
    with peopled.app_context(), unit_of_work() as session:
        budi = user(session, BUDI)
        assert budi is not None
        budi.rename("=HYPERLINK(1)")
    note(peopled, Tag.DEACTIVATED, BUDI, WATI, reason="@SUM(A1)")
    wati = logged_in(peopled, WATI)
    asked = {"jenis": "deactivated", "nip": BUDI.nip}

    text = wati.post_with_token("/admin/audit", "/admin/audit/ekspor", **asked, bentuk="csv")
    book = wati.post_with_token("/admin/audit", "/admin/audit/ekspor", **asked, bentuk="xlsx")

    assert text.headers["Content-Disposition"] == "attachment; filename=jejak-audit.csv"
    assert text.headers["X-Content-Type-Options"] == "nosniff"
    assert text.data.startswith(b"\xef\xbb\xbf")
    header, row = csv.reader(io.StringIO(text.data.decode("utf-8-sig")))
    assert dict(zip(header, row, strict=True))["Nama akun"] == "'=HYPERLINK(1)"
    assert dict(zip(header, row, strict=True))["NIP akun"] == BUDI.nip
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0).to_python()
    assert sheet[1][2:4] == [BUDI.nip, "=HYPERLINK(1)"]
    assert [event.detail for event in events(peopled, Tag.EXPORTED)] == [
        {"what": "jejak audit", "file": kind, "how_many": 1} for kind in ("csv", "xlsx")
    ]
    assert all(mail.to == RATNA.email for mail in inbox.fetch())
    assert "<f>" not in book.data.decode("latin-1")


def test_a_cut_export_says_so_in_its_last_line(peopled: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_trail, "MOST_EXPORTED", 3)
    for _ in range(5):
        note(peopled, Tag.DEACTIVATED, BUDI, WATI)

    lines = (
        logged_in(peopled, WATI).submit("/admin/audit", "/admin/audit/ekspor", bentuk="csv").text.splitlines()
    )

    assert len(lines) == 5
    assert "terpotong" in lines[-1]


def test_an_export_asks_for_the_password_after_ten_minutes(peopled: Flask) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        wati = logged_in(peopled, WATI)
        clock.shift(timedelta(minutes=11))
        asked = wati.post_with_token("/admin/audit", "/admin/audit/ekspor", bentuk="csv", nip=BUDI.nip)
        token = asked.text.split('name="csrf_token" value="')[1].split('"')[0]
        done = wati.post("/admin/audit/ekspor", csrf_token=token, bentuk="csv", password_sekali_lagi=PASSWORD)

    assert asked.status_code == 403
    assert BUDI.nip in asked.text
    assert done.status_code == 200
    assert done.mimetype == "text/csv"


def test_the_owner_sees_who_looked_at_the_account(peopled: Flask) -> None:
    note(peopled, Tag.LOGIN, SARI, SARI)
    note(peopled, Tag.PERSON_OPENED, SARI, WATI)
    note(peopled, Tag.RECORD_CORRECTED, SARI, RATNA, reason="rahasia kantor")
    note(peopled, Tag.PERSON_OPENED, BUDI, WATI)
    for _ in range(25):
        note(peopled, Tag.UNLOCKED, WATI, RATNA)

    page = words_of(logged_in(peopled, SARI).open("/akun")).split(
        "Siapa yang melihat atau mengubah akun ini"
    )[1]

    assert page.index("Data pegawai dibetulkan oleh Ratna Dewanti, Kementerian Contoh Nasional") < page.index(
        "Data akun dilihat oleh Wati Kusuma, Pemerintah Kabupaten Nusa Jaya"
    )
    assert page.count("oleh Wati Kusuma") == 1
    assert "Masuk " not in page.split("Sesi berakhir")[0]
    assert "rahasia" not in page
    own = words_of(logged_in(peopled, WATI).open("/akun"))
    assert own.count("Batas percobaan dihapus") == 20
    assert "Belum ada orang lain" in words_of(logged_in(peopled, RAKA).open("/akun"))


def test_a_typed_code_is_told_from_a_link_as_a_truth_value(peopled: Flask) -> None:
    visitor = Visitor(peopled)
    visitor.reset_password("WDJB-MJHT", "Kuda-Laut7", BUDI.nip)

    assert [event.detail["typed"] for event in events(peopled, Tag.TOKEN_REFUSED)] == [True]
    assert "Cara: diketik" in words_of(logged_in(peopled, WATI).open("/admin/audit"))


# -- why a token was refused
def reasons(app: Flask) -> list[object]:
    return [event.detail["reason"] for event in events(app, Tag.TOKEN_REFUSED)]


def test_the_trail_tells_a_late_token_from_a_wrong_one(peopled: Flask, inbox: Inbox) -> None:
    visitor = Visitor(peopled)
    with time_machine.travel(now(), tick=False) as clock:
        visitor.reset_password("WDJB-MJHT", "Kuda-Laut7", BUDI.nip)
        visitor.reset_password("???", "Kuda-Laut7", BUDI.nip)
        visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
        mail = inbox.fetch_one()
        visitor.reset_password("WDJB-MJHT", "Kuda-Laut7")
        clock.shift(61 * 60)
        visitor.reset_password(mail.code, "Kuda-Laut7", BUDI.nip)
        visitor.open(mail.link)
        visitor.reset_password(mail.link, "Kuda-Laut7", BUDI.nip)

    assert reasons(peopled) == ["nothing_open", "wrong", "expired", "expired"], (
        "??? cannot be a token, and is no try"
    )


def test_the_trail_tells_a_used_token_from_one_that_a_change_has_overtaken(
    peopled: Flask, inbox: Inbox
) -> None:
    visitor = Visitor(peopled)
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    used = inbox.fetch_one().code
    other = Visitor(peopled)
    other.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    overtaken = inbox.fetch_one().code
    visitor.reset_password(used, "Kuda-Laut7")

    Visitor(peopled).reset_password(used, "Kuda-Laut8", BUDI.nip)
    Visitor(peopled).reset_password(overtaken, "Kuda-Laut8", BUDI.nip)
    with peopled.app_context(), unit_of_work() as session:
        budi = user(session, BUDI)
        assert budi is not None
        budi.set_email(EmailAddress("budi.baru@nusajaya.example"))
    Visitor(peopled).reset_password(overtaken, "Kuda-Laut8", BUDI.nip)

    assert reasons(peopled) == ["used", "overtaken", "overtaken"]


def test_each_step_of_a_reset_is_an_event_of_its_own_on_the_page(peopled: Flask, inbox: Inbox) -> None:
    visitor = Visitor(peopled)
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()
    visitor.open(mail.link)
    visitor.reset_password("WDJB-MJHT", "Kuda-Laut7")
    visitor.reset_password(mail.code, "Kuda-Laut7")

    table = table_of(logged_in(peopled, WATI).open(f"/admin/audit?nip={BUDI.nip}&jenis=reset").text)

    steps = [
        "Password diganti",
        "Token ditolak",
        "Tautan di email dibuka",
        "Token diserahkan",
        "Token diminta",
    ]
    assert [table.index(step) for step in steps] == sorted(table.index(step) for step in steps)
    assert "salah ketik" in table
    assert "Belum terbukti siapa" in table
    for secret in (mail.code, "Kuda-Laut7"):
        assert secret not in table


def test_what_the_centre_does_to_many_is_not_told_to_the_house_where_it_sits(peopled: Flask) -> None:
    requests = [
        asked(peopled, JOKO, "joko@nusajaya.example"),
        asked(peopled, BUDI, "budi.baru@contoh.example"),
    ]
    ratna = logged_in(peopled, RATNA)
    for request_id in requests:
        ratna.open(f"/admin/perbaikan-email/{request_id}")
    fields = {"csrf_token": ratna.csrf_token("/akun"), "pilih": requests, "reason": "Datang ke loket 3."}
    ratna.client.post("/admin/perbaikan-email/beberapa/tolak", data=fields)

    with peopled.app_context(), reading() as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.BULK_ACT)).one()

    assert told.detail["how_many"] == 2
    assert told.instansi_id is None
