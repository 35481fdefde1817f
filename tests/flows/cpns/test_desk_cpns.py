"""CPNS wait for their instansi. The desk opens one account or many, or says why not."""

import re
import sqlite3
from collections.abc import Sequence
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from app.domain.categories import Activation, Category
from app.domain.indonesian_time import now, today_in_jakarta
from app.models import AdminMandate, AuditEvent, Instansi, Tag, User
from app.runtime.db import engine, reading, unit_of_work
from tests.cast import BUDI, CINTA, NEW_PASSWORD, PASSWORD, RAKA, RATNA, SARI, TONO, WATI, email_of
from tests.desk import person_id, read_next_morning, user
from tests.flows.attacks.test_races import _all_at_once
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

QUEUE, APPROVE, REJECT = "/admin/cpns", "/admin/cpns/setujui", "/admin/cpns/tolak"
SK = {"sk_number": "813/1204/BKPSDM/2026", "sk_date": "2021-07-01"}


def waiting(app: Flask, how_many: int, code: str = "7301") -> list[int]:
    """Add so many CPNS who wait in this instansi, with an email and no password. Returns their ids in the
    order of their NIPs."""
    with app.app_context(), unit_of_work() as session:
        instansi = session.scalars(select(Instansi).where(Instansi.code == code)).one()
        people = [
            User(
                nip=f"19990101202401{code[0]}{number:03}", name=f"Calon {code} {number}",
                category=Category.CPNS,
                email=f"calon{number}@{code}.example", email_key=f"calon{number}@{code}.example",
                instansi_id=instansi.id, work_unit="Dinas Contoh", activation=Activation.WAITING_APPROVAL,
                activation_changed_at=now(), credential_version=1,
            )
            for number in range(how_many)
        ]  # fmt: skip
        session.add_all(people)
        session.flush()
        return [person.id for person in people]


def send(visitor: Visitor, path: str, people: Sequence[int], **fields: str) -> TestResponse:
    """Send the form of the page that shows the consequences, with the people that it was made for."""
    page = f"{path}?{'&'.join(f'person={one}' for one in people)}"
    return visitor.submit(page, path, person=[str(one) for one in people], **fields)


def events(app: Flask, tag: Tag) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id)))


def test_cinta_is_let_in_and_enters_with_the_password_she_has(peopled: Flask, inbox: Inbox) -> None:
    cinta, wati = person_id(peopled, CINTA), logged_in(peopled, WATI)
    assert Visitor(peopled).log_in(CINTA.nip).location == "/status-akun"
    assert "Cinta Maharani" in words_of(wati.open(QUEUE))

    foreseen = words_of(wati.open(f"{APPROVE}?person={cinta}"))
    answer = send(wati, APPROVE, [cinta], **SK)

    assert "Akan dibuka: 1" in foreseen
    assert "Akun dibuka" in foreseen
    assert answer.status_code == 303
    for _ in range(2):  # a reload shows the same
        assert re.search(r"Cinta Maharani [\d ]+ Disetujui", words_of(wati.open(answer.location)))
    mail = inbox.fetch_one(to=CINTA.email)
    assert mail.subject == "Akun MySAPK Anda sudah dibuka"
    assert all("langsung masuk dengan password yang sudah dibuat" in part for part in (mail.text, mail.html))
    assert "Cinta Maharani" not in words_of(wati.open(QUEUE))
    cintas = Visitor(peopled)
    assert cintas.log_in(CINTA.nip).location == "/beranda"
    (approved,) = events(peopled, Tag.CPNS_APPROVED)
    assert (approved.account_id, approved.actor_id) == (cinta, person_id(peopled, WATI))
    assert approved.detail == {"sk": SK["sk_number"], "sk_date": SK["sk_date"]}


def test_who_has_no_password_yet_is_told_how_to_make_one(peopled: Flask, inbox: Inbox) -> None:
    (calon,) = waiting(peopled, 1)

    send(logged_in(peopled, WATI), APPROVE, [calon], **SK)

    mail = inbox.fetch_one(to="calon0@7301.example")
    assert "Lupa Password" in mail.text
    assert "http://localhost/lupa-password" in mail.text
    assert "/login" not in mail.text
    visitor = Visitor(peopled)
    visitor.ask_for_token("199901012024017000", "calon0@7301.example")
    visitor.reset_password(inbox.fetch_one().code, NEW_PASSWORD)
    assert visitor.log_in("199901012024017000", NEW_PASSWORD).location == "/beranda"


def test_many_at_once_are_told_row_by_row_and_the_centre_hears_of_it(peopled: Flask, inbox: Inbox) -> None:
    people = [*waiting(peopled, 3), person_id(peopled, CINTA)]
    wati = logged_in(peopled, WATI)

    answer = send(wati, APPROVE, [*people, person_id(peopled, SARI), person_id(peopled, WATI)], **SK)

    result = words_of(wati.open(answer.location))
    assert "4 akun disetujui" in result
    assert result.count(" Disetujui") == 4
    assert re.search(r"Sari Wulandari [\d ]+ Tidak diubah: akun ini tidak sedang menunggu \(Aktif\)", result)
    assert re.search(r"Wati Kusuma [\d ]+ Tidak diubah: akun sendiri", result)
    assert len({mail.to for mail in inbox.fetch()}) == 4
    (notice,) = read_next_morning(peopled, inbox)
    assert notice.to == RATNA.email
    assert "Akun CPNS yang diputuskan sekaligus" in notice.text
    assert "- Wati Kusuma (admin Pemerintah Kabupaten Nusa Jaya): 1 kali, jumlah 4" in notice.text
    assert "Calon" not in notice.text
    assert "Cinta" not in notice.text
    assert len(events(peopled, Tag.CPNS_APPROVED)) == 4
    assert len(events(peopled, Tag.BULK_ACT)) == 1


def test_a_rejection_says_why_and_closes_the_account(peopled: Flask, inbox: Inbox) -> None:
    cinta, wati = person_id(peopled, CINTA), logged_in(peopled, WATI)
    reason = "Berkas pemberkasan belum lengkap <segera>"

    answer = send(wati, REJECT, [cinta], reason=f"  {reason} ")

    assert re.search(r"Cinta Maharani [\d ]+ Ditolak", words_of(wati.open(answer.location)))
    stored = user(peopled, CINTA)
    assert (stored.activation, stored.activation_reason) == (Activation.DEACTIVATED, reason)
    assert stored.deactivated_by == "admin Pemerintah Kabupaten Nusa Jaya"
    mail = inbox.fetch_one(to=CINTA.email)
    assert f"Alasan: {reason}" in mail.text
    assert "&lt;segera&gt;" in mail.html
    assert "loket 3" in mail.text
    cintas = Visitor(peopled)
    assert cintas.log_in(CINTA.nip).location == "/status-akun"
    assert "dinonaktifkan" in words_of(cintas.open("/status-akun"))
    (rejected,) = events(peopled, Tag.CPNS_REJECTED)
    assert rejected.detail == {"reason": reason}


def test_two_admins_who_approve_the_same_people_at_once_open_each_account_once(
    peopled: Flask, inbox: Inbox
) -> None:
    people = waiting(peopled, 6)
    admins = [logged_in(peopled, who) for who in (WATI, RATNA) for _ in range(3)]
    page = f"{APPROVE}?{'&'.join(f'person={one}' for one in people)}"
    tokens = [admin.csrf_token(page) for admin in admins]

    def approve(number: int) -> int:
        chosen = people if number % 2 else people[::-1]
        data = {"csrf_token": tokens[number], "person": [str(one) for one in chosen], **SK}
        return (
            admins[number]
            .client.post(APPROVE, data=data, environ_base={"REMOTE_ADDR": "203.0.113.7"})
            .status_code
        )

    answers = _all_at_once([lambda number=number: approve(number) for number in range(6)])  # type: ignore[misc]

    assert answers == [303] * 6
    assert len(events(peopled, Tag.CPNS_APPROVED)) == 6
    to_people = [mail.to for mail in inbox.fetch() if mail.to != RATNA.email]
    assert len(to_people) == len(set(to_people)) == 6


def test_who_was_slower_reads_who_was_faster(peopled: Flask) -> None:
    cinta, wati, ratna = person_id(peopled, CINTA), logged_in(peopled, WATI), logged_in(peopled, RATNA)
    token = wati.csrf_token(f"{APPROVE}?person={cinta}")
    send(ratna, REJECT, [cinta], reason="Salah instansi")

    late = wati.post(APPROVE, csrf_token=token, person=str(cinta), **SK)

    said = words_of(wati.open(late.location))
    assert "Tidak diubah: sudah ditolak oleh pihak lain" in said
    assert "Tidak ada akun yang diubah" in said
    assert user(peopled, CINTA).activation is Activation.DEACTIVATED
    again = send(ratna, REJECT, [cinta, *waiting(peopled, 1)], reason="Salah instansi")
    assert "sudah ditolak oleh Ratna Dewanti" in words_of(ratna.open(again.location))


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        (APPROVE, {"sk_number": " ", "sk_date": "2021-07-01"}, "Isi nomor SK"),
        (APPROVE, {"sk_number": "x" * 101, "sk_date": "2021-07-01"}, "paling banyak 100 huruf"),
        (APPROVE, {"sk_number": "SK-1", "sk_date": "kemarin"}, "Isi tanggal SK, misalnya 31-12-2026"),
        (APPROVE, {"sk_number": "SK-1", "sk_date": ""}, "Isi tanggal SK"),
        (APPROVE, {"sk_number": "SK-1", "sk_date": "2199-12-31"}, "Tanggal SK belum tiba"),
        (REJECT, {"reason": ""}, "Isi alasannya"),
        (REJECT, {"reason": "x" * 501}, "paling banyak 500 huruf"),
    ],
)
def test_what_is_missing_is_asked_for_and_nothing_happens(
    peopled: Flask, path: str, fields: dict[str, str], words: str
) -> None:
    cinta, wati = person_id(peopled, CINTA), logged_in(peopled, WATI)

    answer = send(wati, path, [cinta], **fields)

    assert answer.status_code == 422
    assert words in words_of(answer)
    assert f'name="person" value="{cinta}"' in answer.text
    assert user(peopled, CINTA).activation is Activation.WAITING_APPROVAL


def test_a_date_may_be_typed_the_indonesian_way(peopled: Flask) -> None:
    cinta = person_id(peopled, CINTA)

    assert (
        send(logged_in(peopled, WATI), APPROVE, [cinta], sk_number="SK-1", sk_date="1-7-2021").status_code
        == 303
    )

    assert events(peopled, Tag.CPNS_APPROVED)[0].detail["sk_date"] == "2021-07-01"


def test_for_the_admin_of_another_instansi_the_people_do_not_exist(peopled: Flask) -> None:
    cinta, raka = person_id(peopled, CINTA), logged_in(peopled, RAKA)
    (own,) = waiting(peopled, 1, "3402")
    token = raka.csrf_token(f"{APPROVE}?person={own}")

    assert "Cinta" not in raka.open(QUEUE).text
    assert "Calon 3402 0" in raka.open(QUEUE).text
    assert "Cinta" not in raka.open(f"{QUEUE}?nip={CINTA.nip}").text
    assert (
        raka.open(f"{QUEUE}?instansi=7301").status_code
        == raka.open(f"{QUEUE}?instansi=0000").status_code
        == 404
    )
    assert (
        raka.open(f"{APPROVE}?person={cinta}").status_code
        == raka.open(f"{APPROVE}?person=999999").status_code
        == 404
    )
    assert "Cinta" not in raka.open(f"{APPROVE}?person={cinta}&person={own}").text
    answer = raka.client.post(APPROVE, data={"csrf_token": token, "person": [str(own), str(cinta)], **SK})

    said = words_of(raka.open(answer.location))
    assert "1 akun disetujui" in said
    assert "Cinta" not in said
    assert user(peopled, CINTA).activation is Activation.WAITING_APPROVAL


def test_the_place_of_a_stranger_in_the_list_tells_nothing(peopled: Flask) -> None:
    cinta = person_id(peopled, CINTA)  # Cinta's NIP comes after all of these
    waiting(peopled, 2, "3402")
    raka = logged_in(peopled, RAKA)

    assert (
        _names(raka.open(f"{QUEUE}?setelah={cinta}"))
        == _names(raka.open(f"{QUEUE}?setelah=999999"))
        == _names(raka.open(QUEUE))
    )


def test_a_result_is_for_who_gave_the_verdict(peopled: Flask) -> None:
    wati = logged_in(peopled, WATI)
    answer = send(wati, APPROVE, [person_id(peopled, CINTA)], **SK)

    assert logged_in(peopled, RAKA).open(answer.location).status_code == 404
    assert wati.open(answer.location).status_code == 200
    assert (
        wati.open("/admin/cpns/hasil/1").status_code
        == wati.open(f"/admin/cpns/hasil/{2**63 - 1}").status_code
        == 404
    )
    assert wati.open(f"/admin/cpns/hasil/{2**64}").status_code == 404


def test_the_trail_tells_who_was_changed_and_the_address_who_else_was_chosen(peopled: Flask) -> None:
    (calon,), sari, wati = waiting(peopled, 1), person_id(peopled, SARI), logged_in(peopled, WATI)
    answer = send(wati, APPROVE, [calon, sari], **SK)

    (verdict,) = events(peopled, Tag.BULK_ACT)
    assert verdict.detail == {"act": "cpns", "verdict": "disetujui", "how_many": 1, "sk": SK["sk_number"]}
    whole, bare = wati.open(answer.location), wati.open(answer.location.partition("?")[0])
    assert "Calon 7301 0" in whole.text
    assert "Sari Wulandari" in whole.text
    assert "Calon 7301 0" in bare.text
    assert "Sari Wulandari" not in bare.text
    foreign = wati.open(f"{answer.location}&person={person_id(peopled, RAKA)}")
    assert words_of(foreign) == words_of(whole)


def test_the_list_goes_on_page_by_page_and_by_the_beginning_of_a_nip(peopled: Flask) -> None:
    waiting(peopled, 60)
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)

    first = wati.open(QUEUE)
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following
    second = wati.open(following[1].replace("&amp;", "&"))

    names = _names(first) + _names(second)
    assert len(names) == len(set(names)) == 61
    assert "Cinta Maharani" in names
    assert _names(wati.open(f"{QUEUE}?nip=2000")) == ["Cinta Maharani"]
    assert _names(wati.open(f"{QUEUE}?nip=1999-0101")) == _names(first)
    assert "hanya terdiri dari angka" in words_of(wati.open(f"{QUEUE}?nip=19x"))
    assert len(_names(ratna.open(QUEUE))) == 50
    assert _names(ratna.open(f"{QUEUE}?instansi=3402")) == []


def test_nobody_or_too_many_chosen_leads_back_to_the_list(peopled: Flask) -> None:
    wati = logged_in(peopled, WATI)
    token = wati.csrf_token(f"{APPROVE}?person={person_id(peopled, CINTA)}")

    for chosen in ([], [str(number) for number in range(1, 102)], ["x"]):
        answer = wati.client.post(APPROVE, data={"csrf_token": token, "person": chosen, **SK})
        assert (answer.status_code, answer.location) == (303, QUEUE)
    assert "Centang dulu" in words_of(wati.open(QUEUE))
    assert not events(peopled, Tag.CPNS_APPROVED)


def test_more_fields_than_the_form_has_change_nothing_else(peopled: Flask) -> None:
    cinta = person_id(peopled, CINTA)

    logged_in(peopled, WATI).post_with_token(
        f"{APPROVE}?person={cinta}",
        APPROVE,
        person=[str(cinta)],
        **SK,
        category="PNS",
        activation="active",
        instansi_id="2",
        role="admin_pusat",
    )

    stored = user(peopled, CINTA)
    assert (stored.category, stored.activation, stored.instansi.code) == (
        Category.CPNS,
        Activation.NOT_ACTIVATED,
        "7301",
    )


def test_only_admins_of_today_come_in(peopled: Flask) -> None:
    assert Visitor(peopled).open(QUEUE).location == "/login?next=/admin/cpns"
    assert logged_in(peopled, SARI).open(QUEUE).status_code == 403
    wati = logged_in(peopled, WATI)
    token = wati.csrf_token(f"{APPROVE}?person={person_id(peopled, CINTA)}")
    with peopled.app_context(), unit_of_work() as session:
        for mandate in session.scalars(
            select(AdminMandate).where(AdminMandate.user_id == person_id(peopled, WATI))
        ):
            mandate.revoke(now())

    assert wati.open(QUEUE).status_code == 403
    assert (
        wati.post(APPROVE, csrf_token=token, person=str(person_id(peopled, CINTA)), **SK).status_code == 403
    )
    assert user(peopled, CINTA).activation is Activation.WAITING_APPROVAL


def test_after_ten_minutes_the_password_is_asked_for_and_the_form_goes_on(peopled: Flask) -> None:
    people = [person_id(peopled, CINTA), *waiting(peopled, 1)]
    with time_machine.travel(now(), tick=False) as clock:
        wati = logged_in(peopled, WATI)
        clock.shift(11 * 60)

        asked = send(wati, APPROVE, people, **SK)

        assert asked.status_code == 403
        assert not events(peopled, Tag.CPNS_APPROVED)
        kept = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.text)
        data: dict[str, list[str]] = {}
        for name, value in kept:
            data.setdefault(name, []).append(value)
        data["csrf_token"] = data["csrf_token"][:1]  # logging out is a form too
        assert sorted(data["person"]) == sorted(str(one) for one in people)
        done = wati.client.post(
            APPROVE,
            data={**data, "password_sekali_lagi": PASSWORD},
            environ_base={"REMOTE_ADDR": "203.0.113.7"},
        )

    assert done.status_code == 303
    assert len(events(peopled, Tag.CPNS_APPROVED)) == 2


def test_who_waits_no_longer_is_foreseen_and_left_alone(peopled: Flask) -> None:
    tono, budi = person_id(peopled, TONO), person_id(peopled, BUDI)

    said = words_of(logged_in(peopled, WATI).open(f"{REJECT}?person={tono}&person={budi}"))

    assert "Akan ditolak: 0" in said
    assert "Tidak ada yang dapat ditolak" in said
    assert "Tidak sedang menunggu: dinonaktifkan" in said


def test_the_command_line_lets_cinta_in_and_writes_to_her(peopled: Flask, inbox: Inbox) -> None:
    assert peopled.test_cli_runner().invoke(args=["approve", CINTA.nip]).exit_code == 0

    assert inbox.fetch_one(to=CINTA.email).subject == "Akun MySAPK Anda sudah dibuka"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_list_is_read_in_the_order_of_an_index(peopled: Flask, database_url: str) -> None:
    asked: list[tuple[str, tuple[str | int | None, ...]]] = []
    waiting(peopled, 55)
    admins = [logged_in(peopled, WATI), logged_in(peopled, RATNA)]
    with peopled.app_context():
        listened = engine()
    event.listen(
        listened,
        "before_cursor_execute",
        lambda _c, _k, statement, values, *_: asked.append((statement, values)),
    )

    for admin in admins:
        for query in ("", "?nip=1999", f"?setelah={person_id(peopled, CINTA)}"):
            admin.open(QUEUE + query)

    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        lists = [
            one for one in asked if "FROM user_account" in one[0] and "ORDER BY user_account.nip" in one[0]
        ]
        assert len(lists) == 6
        for statement, values in lists:
            plan = " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values))
            assert "SCAN user_account" not in plan, (plan, statement)
            assert "TEMP B-TREE" not in plan, (plan, statement)


def test_a_bulk_act_is_told_to_everybody_of_the_centre_once(peopled: Flask, inbox: Inbox) -> None:
    with peopled.app_context(), unit_of_work() as session:
        today = today_in_jakarta(now())
        for who in (SARI, RATNA):
            session.add(
                AdminMandate(
                    user_id=person_id(peopled, who),
                    role="admin_pusat",
                    sk_number="SK-2",
                    starts_on=today,
                    ends_on=today + timedelta(days=1),
                )
            )

    send(logged_in(peopled, WATI), REJECT, waiting(peopled, 2), reason="Bukan pegawai di sini")

    assert not [mail for mail in inbox.fetch() if mail.to in (SARI.email, RATNA.email)]
    notices = [mail.to for mail in read_next_morning(peopled, inbox) if "jumlah 2" in mail.text]
    assert sorted(notices) == sorted([email_of(SARI), email_of(RATNA)])
    with peopled.app_context(), reading() as session:
        assert session.scalar(select(func.count()).where(AuditEvent.tag == Tag.CPNS_REJECTED)) == 2


def _names(page: TestResponse) -> list[str]:
    return re.findall(r'<a href="/admin/pegawai/\d+">([^<]+)</a>', page.text)
