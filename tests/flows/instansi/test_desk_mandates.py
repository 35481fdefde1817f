"""Who may do what: pusat appoints, extends and revokes, and this is in effect from the next click."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.categories import Activation
from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.models import AdminMandate, AuditEvent, Role, Tag, User
from app.runtime.db import engine, reading, unit_of_work
from tests.cast import BUDI, CINTA, HADI, RAKA, RATNA, SARI, STRANGERS_NIP, TONO, WATI, Person, email_of
from tests.desk import latest_change, person_id
from tests.flows.attacks.test_races import _all_at_once
from tests.flows.test_chores_scale import plan_of, statements_of
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

LIST, NEW = "/admin/mandat", "/admin/mandat/baru"
TODAY = today_in_jakarta(now())
GRANT = {
    "nip": SARI.nip, "scope": "instansi", "instansi": "7301", "sk_number": "SK-7/2026",
    "until": (TODAY + timedelta(days=100)).isoformat(),
}  # fmt: skip


def held(app: Flask, person: Person) -> list[AdminMandate]:
    """The mandates that the person holds today."""
    with app.app_context(), reading() as session:
        found = AdminMandate.held_by(session, person_id(app, person), today_in_jakarta(now()))
        return sorted(found, key=lambda mandate: mandate.id)


def give(app: Flask, person: Person, role: Role = Role.ADMIN_PUSAT, until: date | None = None) -> None:
    """Give a mandate that begins today, without the desk."""
    with app.app_context(), unit_of_work() as session:
        today, user_id = today_in_jakarta(now()), person_id(app, person)
        session.add(
            AdminMandate(
                user_id=user_id, role=role, sk_number="SK-1", starts_on=today, ends_on=until or today
            )
        )


def events(app: Flask, tag: Tag) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id)))


def test_ratna_appoints_sari_who_is_an_admin_with_the_next_click(peopled: Flask, inbox: Inbox) -> None:
    sari, ratna = logged_in(peopled, SARI), logged_in(peopled, RATNA)
    assert sari.open(LIST).status_code == 403

    answer = ratna.submit(NEW, **GRANT)

    assert (answer.status_code, answer.location) == (303, LIST)
    listed = words_of(ratna.open(LIST))
    until = shown_date(date.fromisoformat(GRANT["until"]))
    assert f"untuk Sari Wulandari berlaku sampai {until}" in listed
    assert "SK-7/2026" in listed
    assert "Ditunjuk oleh" in listed
    assert sari.open(LIST).status_code == 200
    (mandate,) = held(peopled, SARI)
    assert (mandate.role, mandate.starts_on, mandate.granted_by_id) == (
        Role.ADMIN_INSTANSI,
        TODAY,
        person_id(peopled, RATNA),
    )
    (event,) = events(peopled, Tag.MANDATE_GRANTED)
    assert event.actor_id == person_id(peopled, RATNA)
    assert event.account_id == person_id(peopled, SARI)
    assert event.detail == {
        "role": "admin_instansi",
        "instansi": "7301",
        "sk": "SK-7/2026",
        "until": GRANT["until"],
    }
    mail, told = inbox.fetch()
    assert mail.to == SARI.email
    assert "/bukan-saya/" in mail.text
    assert "Lingkup: Pemerintah Kabupaten Nusa Jaya" in mail.text
    assert f"Berlaku sampai: {until}" in mail.text
    assert told.to == RATNA.email
    assert "Mandat Pemerintah Kabupaten Nusa Jaya diberikan kepada Sari Wulandari" in told.text


def test_the_same_scope_again_prolongs_and_another_scope_stands_beside_it(peopled: Flask) -> None:
    ratna, later = logged_in(peopled, RATNA), (TODAY + timedelta(days=300)).isoformat()
    ratna.submit(NEW, **GRANT)

    ratna.submit(NEW, **{**GRANT, "sk_number": "SK-8/2026", "until": later})
    ratna.submit(NEW, **{**GRANT, "instansi": "3402"})

    assert sorted((one.sk_number, one.instansi_id) for one in held(peopled, SARI)) == [
        ("SK-7/2026", 2),
        ("SK-8/2026", 1),
    ]
    (revoked,) = events(peopled, Tag.MANDATE_REVOKED)
    assert revoked.detail["reason"] == "diganti dengan SK SK-8/2026"


def test_an_instansi_may_be_named_by_a_part_of_its_name(peopled: Flask) -> None:
    assert logged_in(peopled, RATNA).submit(NEW, **{**GRANT, "instansi": "nusa jaya"}).status_code == 303

    (mandate,) = held(peopled, SARI)
    assert mandate.scope == "Pemerintah Kabupaten Nusa Jaya"


def test_ratna_prolongs_with_a_form_that_lacks_only_the_new_sk_and_day(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)
    (watis,) = held(peopled, WATI)
    page = f"{NEW}?perpanjang={watis.id}"
    assert page.replace("&", "&amp;") in ratna.open(LIST).text
    assert f'value="{WATI.nip}"' in ratna.open(page).text

    answer = ratna.submit(page, sk_number="SK-8/2026", until=GRANT["until"])

    assert answer.status_code == 303
    (mandate,) = held(peopled, WATI)
    assert (mandate.sk_number, mandate.instansi_id) == ("SK-8/2026", watis.instansi_id)
    for nowhere in ("999", "x", "0"):
        assert f'value="{WATI.nip}"' not in ratna.open(f"{NEW}?perpanjang={nowhere}").text


def test_the_very_same_grant_twice_is_one(peopled: Flask, inbox: Inbox) -> None:
    ratna = logged_in(peopled, RATNA)

    answers = [ratna.submit(NEW, **GRANT).status_code for _ in range(2)]

    assert answers == [303, 303]
    assert len(held(peopled, SARI)) == 1
    assert len(events(peopled, Tag.MANDATE_GRANTED)) == 1
    assert [mail.to for mail in inbox.fetch()] == [SARI.email, RATNA.email]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"nip": STRANGERS_NIP}, "NIP ini tidak ada di portal"),
        ({"nip": "7301011203850001"}, "NIK"),
        ({"instansi": " "}, "Isi kode atau nama instansinya"),
        ({"instansi": "e"}, "Lebih dari satu instansi cocok. Isi kodenya: Kementerian"),
        ({"instansi": "tidak ada"}, "Instansi ini tidak ada"),
        ({"instansi": "0000"}, "Instansi ini tidak ada"),
        ({"scope": "admin_pusat"}, "Pilih satu instansi atau pusat"),
        ({"scope": ""}, "Pilih satu instansi atau pusat"),
        ({"sk_number": " "}, "Isi nomor SK"),
        ({"until": "besok"}, "Isi hari terakhir, misalnya 31-12-2026"),
        ({"until": (TODAY - timedelta(days=2)).isoformat()}, "sudah lewat"),
        ({"until": (TODAY + timedelta(days=5 * 366)).isoformat()}, "paling lama 5 tahun"),
    ],
)
def test_a_grant_that_cannot_be_is_refused_and_says_what_to_do(
    peopled: Flask, changed: dict[str, str], words: str
) -> None:
    ratna = logged_in(peopled, RATNA)

    answer = ratna.submit(NEW, **{**GRANT, **changed})

    assert answer.status_code == 422
    assert words in words_of(answer)
    assert not held(peopled, SARI)
    assert not events(peopled, Tag.MANDATE_GRANTED)


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (TONO, "Aktifkan kembali dahulu, atau pilih pegawai lain"),
        (CINTA, "Setujui dahulu, atau pilih pegawai lain"),
    ],
)
def test_who_may_not_enter_gets_no_mandate(peopled: Flask, person: Person, words: str) -> None:
    (watis,) = held(peopled, WATI)
    fields = {"nip": person.nip, "sk_number": "SK-9/2026", "until": GRANT["until"]}
    ratna, wati = logged_in(peopled, RATNA), logged_in(peopled, WATI)

    answers = [
        ratna.submit(NEW, **{**GRANT, "nip": person.nip}),
        ratna.submit(NEW, **{**GRANT, "nip": person.nip, "scope": "pusat"}),
        ratna.submit(f"{LIST}/{watis.id}/serahkan", **fields),
        wati.submit(f"{LIST}/{watis.id}/serahkan", **fields),
    ]
    command = ["admin", "grant", person.nip, "--instansi", "7301", "--sk", "SK-9", "--until", GRANT["until"]]
    refused = peopled.test_cli_runner().invoke(args=command)

    assert [answer.status_code for answer in answers] == [422] * 4
    assert all(words in words_of(answer) for answer in answers)
    assert (refused.exit_code, words in refused.output) == (1, True)
    assert (latest_change(peopled, person), held(peopled, person)) == (None, [])
    assert held(peopled, WATI)


def test_budi_who_has_never_come_in_may_become_an_admin(peopled: Flask) -> None:
    (watis,) = held(peopled, WATI)
    fields = {"nip": BUDI.nip, "sk_number": "SK-9/2026", "until": GRANT["until"]}

    answer = logged_in(peopled, RATNA).submit(f"{LIST}/{watis.id}/serahkan", **fields)

    assert answer.status_code == 303
    assert held(peopled, BUDI)


@pytest.mark.parametrize("activation", [Activation.DEACTIVATED, Activation.WAITING_APPROVAL])
def test_the_confirmation_looks_again_whether_the_successor_may_enter(
    peopled: Flask, activation: Activation, inbox: Inbox
) -> None:
    (watis,) = held(peopled, WATI)
    fields = {"nip": SARI.nip, "sk_number": "SK-9/2026", "until": GRANT["until"]}
    logged_in(peopled, WATI).submit(f"{LIST}/{watis.id}/serahkan", **fields)
    with peopled.app_context(), unit_of_work() as session:
        session.get_one(User, person_id(peopled, SARI)).change_activation(activation, now())
    change = latest_change(peopled, SARI)
    assert change is not None
    inbox.fetch()

    page = f"/admin/perbaikan-email/perubahan/{change.id}"
    answer = logged_in(peopled, RATNA).post_with_token(page, f"{page}/konfirmasi")

    assert answer.status_code == 422
    assert "sudah tidak menunggu lagi" in words_of(answer)
    assert held(peopled, WATI)
    assert not held(peopled, SARI)
    assert any("Akun ini tidak dapat dipakai untuk masuk" in mail.text for mail in inbox.fetch())


def test_nobody_appoints_or_revokes_themselves(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)
    (own,) = held(peopled, RATNA)
    give(peopled, SARI)
    token = ratna.csrf_token(NEW)

    assert ratna.submit(NEW, **{**GRANT, "nip": RATNA.nip, "scope": "pusat"}).status_code == 403
    assert ratna.open(f"{LIST}/{own.id}/cabut").status_code == 403
    assert ratna.post(f"{LIST}/{own.id}/cabut", csrf_token=token, reason="Selesai").status_code == 403

    assert held(peopled, RATNA)[0].id == own.id
    assert len(held(peopled, RATNA)) == 1
    assert f"{LIST}/{own.id}/cabut" not in ratna.open(LIST).text


def test_only_the_centre_appoints_and_revokes(peopled: Flask) -> None:
    (watis,), wati = held(peopled, WATI), logged_in(peopled, WATI)
    raka, token = logged_in(peopled, RAKA), wati.csrf_token("/akun")

    assert wati.open(NEW).status_code == wati.post(NEW, csrf_token=token, **GRANT).status_code == 403
    for mandate_id in (watis.id, held(peopled, RAKA)[0].id, 999):
        assert wati.open(f"{LIST}/{mandate_id}/cabut").status_code == 403
        assert (
            raka.post(
                f"{LIST}/{mandate_id}/cabut", csrf_token=raka.csrf_token("/akun"), reason="x"
            ).status_code
            == 403
        )
    assert "Tunjuk admin" not in wati.open(LIST).text
    assert held(peopled, WATI)
    assert not held(peopled, SARI)
    refused = [(event.actor_id, event.detail["rule"]) for event in events(peopled, Tag.ADMIN_REFUSED)]
    assert len(refused) == len(set(refused)) == 3, "one a minute for each page and admin"


def test_an_admin_sees_the_mandates_of_the_own_instansi_only(peopled: Flask) -> None:
    raka, ratna = logged_in(peopled, RAKA), logged_in(peopled, RATNA)

    said = words_of(raka.open(f"{LIST}?keadaan=semua"))

    assert "Raka Permana" in said
    assert "Wati" not in said
    assert "Ratna" not in said
    assert "Nusa Jaya" not in said
    for elsewhere in ("7301", "nusa", "0000"):
        assert "Tidak ada mandat dengan pencarian ini" in words_of(raka.open(f"{LIST}?instansi={elsewhere}"))
    assert "Wati" in words_of(ratna.open(f"{LIST}?instansi=7301"))
    assert "Raka" not in words_of(ratna.open(f"{LIST}?instansi=7301"))
    assert "Pusat (semua instansi)" in words_of(ratna.open(LIST))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Wati", "Raka", "Ratna"}),
        ("cari=wat", {"Wati"}),
        ("cari=KUSUMA wati", {"Wati"}),
        (f"cari={WATI.nip}", {"Wati"}),
        (f"cari={WATI.nip[:8]} {WATI.nip[8:14]}", {"Wati"}),
        (f"cari={SARI.nip}", set()),
        ("cari=sari", set()),
        ("instansi=7301", {"Wati"}),
        ("instansi=nusa+jaya", {"Wati"}),
        ("instansi=3402&cari=wati", set()),
        ("keadaan=semua&cari=r", {"Raka", "Ratna"}),
        ("keadaan=segera", set()),
        ("keadaan=menunggu", set()),
        ("keadaan=berakhir", set()),
    ],
)
def test_ratna_finds_mandates_by_holder_and_instansi_and_status(
    peopled: Flask, query: str, names: set[str]
) -> None:
    said = words_of(logged_in(peopled, RATNA).open(f"{LIST}?{query}"))

    table = said.partition("Cari mandat")[2]
    assert {name for name in ("Wati", "Raka", "Ratna", "Sari") if f"{name} " in table} == names


def test_what_cannot_be_searched_for_says_what_to_do(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)

    for query, words in (
        ("cari=12345abc", "NIP"),
        ("cari=..", "Isi nama dengan huruf"),
        ("keadaan=lama", "Pilih salah satu dari daftar"),
        ("instansi=%00", "Isi kode atau nama instansi"),
    ):
        refused = ratna.open(f"{LIST}?{query}")
        assert refused.status_code == 422, query
        assert words in words_of(refused), query


def test_each_status_has_its_mandates(peopled: Flask) -> None:
    (watis,) = held(peopled, WATI)
    give(peopled, SARI, until=today_in_jakarta(now()) + timedelta(days=9))
    ratna = logged_in(peopled, RATNA)
    ratna.submit(NEW, **{**GRANT, "nip": RAKA.nip, "scope": "pusat"})
    ratna.submit(f"{LIST}/{watis.id}/cabut", reason="Selesai")
    ratna.open(LIST)  # this page once shows what was done

    said = {
        state: words_of(ratna.open(f"{LIST}?keadaan={state}"))
        for state in ("segera", "menunggu", "berakhir", "semua")
    }

    assert "Sari Wulandari" in said["segera"]
    assert "Raka Permana" in said["menunggu"]
    assert "Wati Kusuma" in said["berakhir"]
    assert all(name in said["semua"] for name in ("Sari", "Raka", "Wati"))
    assert "Wati Kusuma" not in said["segera"] + said["menunggu"]
    assert "Raka Permana" not in said["segera"] + said["berakhir"]
    waits = ratna.open(f"{LIST}?keadaan=menunggu").text
    assert (
        ratna.open(re.findall(r'href="(/admin/perbaikan-email/perubahan/\d+)"', waits)[0]).status_code == 200
    )


def test_the_nip_of_somebody_elsewhere_finds_nobody(peopled: Flask) -> None:
    """Hadi works elsewhere and is an admin of the instansi here: his name is known here, his NIP is not."""
    with peopled.app_context(), unit_of_work() as session:
        session.add(
            AdminMandate(
                user_id=person_id(peopled, HADI),
                role=Role.ADMIN_INSTANSI,
                instansi_id=1,
                sk_number="SK-1",
                starts_on=TODAY,
                ends_on=TODAY,
            )
        )
    wati = logged_in(peopled, WATI)

    assert "Hadi Nugroho" in words_of(wati.open(f"{LIST}?cari=hadi"))
    for digits in (HADI.nip, HADI.nip[:4]):
        assert "Hadi Nugroho" not in words_of(wati.open(f"{LIST}?cari={digits}"))


def test_no_search_reads_through_people_or_names(peopled: Flask) -> None:
    asked = statements_of(peopled)
    ratna, wati = logged_in(peopled, RATNA), logged_in(peopled, WATI)
    asked.clear()

    for admin in (ratna, wati):
        for query in ("", "cari=wati+k", "cari=19", f"cari={WATI.nip}", "instansi=nusa", "keadaan=semua"):
            admin.open(f"{LIST}?{query}")

    assert len(asked) > 20
    with peopled.app_context(), engine().connect() as connection:
        for statement, values in asked:
            if not statement.startswith("SELECT"):
                continue
            for step in plan_of(connection, statement, values):
                assert not re.search(r"(SCAN|Seq Scan on) (user_account|name_word|identity_change)", step), (
                    statement
                )


def test_revoking_wati_puts_her_outside_with_the_next_click(peopled: Flask, inbox: Inbox) -> None:
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)
    (mandate,) = held(peopled, WATI)
    assert wati.open(LIST).status_code == 200

    answer = ratna.submit(f"{LIST}/{mandate.id}/cabut", reason="Pindah tugas")

    assert answer.status_code == 303
    assert wati.open(LIST).status_code == 403
    assert wati.open("/beranda").status_code == 200
    mail, told = inbox.fetch()
    assert mail.to == WATI.email
    assert "Alasan: Pindah tugas" in mail.text
    assert told.to == RATNA.email
    assert "dicabut oleh Ratna Dewanti: Pindah tugas" in told.text
    (event,) = events(peopled, Tag.MANDATE_REVOKED)
    assert event.detail["reason"] == "Pindah tugas"
    assert event.actor_id == person_id(peopled, RATNA)
    ratna.open(LIST)  # this page once shows what was done
    assert "Wati Kusuma" not in words_of(ratna.open(LIST))
    assert re.search(r"Wati Kusuma .* Dicabut", words_of(ratna.open(f"{LIST}?keadaan=semua")))
    assert ratna.open(f"{LIST}/{mandate.id}/cabut").status_code == 404


def test_a_revocation_needs_its_reason(peopled: Flask) -> None:
    (mandate,) = held(peopled, WATI)

    refused = logged_in(peopled, RATNA).submit(f"{LIST}/{mandate.id}/cabut", reason="  ")

    assert refused.status_code == 422
    assert "Isi alasannya" in words_of(refused)
    assert held(peopled, WATI)


def test_a_mandate_ends_by_itself_after_its_last_day(peopled: Flask) -> None:
    give(peopled, SARI)
    ratna = logged_in(peopled, RATNA)
    assert "Berakhir hari ini" in words_of(ratna.open(LIST))
    with time_machine.travel(now(), tick=False) as clock:
        sari = logged_in(peopled, SARI)
        assert sari.open(LIST).status_code == 200

        clock.shift(timedelta(days=1))
        sari = logged_in(peopled, SARI)

        assert sari.open(LIST).status_code == 403
        assert "Sari Wulandari" not in words_of(logged_in(peopled, RATNA).open(LIST))
        assert "Berakhir" in words_of(logged_in(peopled, RATNA).open(f"{LIST}?keadaan=semua"))


def test_what_ends_within_a_month_stands_out(peopled: Flask) -> None:
    give(peopled, SARI, until=today_in_jakarta(now()) + timedelta(days=30))
    give(peopled, BUDI, until=today_in_jakarta(now()) + timedelta(days=31))

    said = words_of(logged_in(peopled, RATNA).open(LIST))

    assert said.count("hari lagi") == 1
    assert "Berakhir 30 hari lagi" in said


def test_two_of_the_centre_who_appoint_the_same_person_at_once_leave_one_mandate(peopled: Flask) -> None:
    give(peopled, TONO)
    give(peopled, SARI)
    admins = [logged_in(peopled, who) for who in (RATNA, SARI) for _ in range(3)]
    tokens = [admin.csrf_token(NEW) for admin in admins]

    def grant(number: int) -> int:
        fields = {**GRANT, "nip": BUDI.nip, "sk_number": f"SK-{number}"}
        return admins[number].post(NEW, csrf_token=tokens[number], **fields).status_code

    answers = _all_at_once([lambda number=number: grant(number) for number in range(6)])  # type: ignore[misc]

    assert answers == [303] * 6
    assert len(held(peopled, BUDI)) == 1
    assert len(events(peopled, Tag.MANDATE_GRANTED)) == 6
    assert len(events(peopled, Tag.MANDATE_REVOKED)) == 5


def test_two_of_the_centre_who_revoke_each_other_at_once_do_not_both_succeed(peopled: Flask) -> None:
    give(peopled, SARI)
    ratna, sari = logged_in(peopled, RATNA), logged_in(peopled, SARI)
    pages = [f"{LIST}/{held(peopled, other)[0].id}/cabut" for other in (SARI, RATNA)]
    tokens = [ratna.csrf_token(pages[0]), sari.csrf_token(pages[1])]

    answers = _all_at_once(
        [
            lambda: ratna.post(pages[0], csrf_token=tokens[0], reason="Keliru").status_code,
            lambda: sari.post(pages[1], csrf_token=tokens[1], reason="Keliru").status_code,
        ]
    )

    assert answers == [303, 403]
    assert len(held(peopled, RATNA)) + len(held(peopled, SARI)) == 1


def test_more_fields_than_the_form_has_are_ignored(peopled: Flask) -> None:
    logged_in(peopled, RATNA).post_with_token(
        NEW, **GRANT, role="admin_pusat", starts_on="2020-01-01", revoked_at="", user_id="1"
    )

    (mandate,) = held(peopled, SARI)
    assert (mandate.role, mandate.starts_on) == (Role.ADMIN_INSTANSI, TODAY)


def test_strangers_and_plain_users_see_no_mandates(peopled: Flask) -> None:
    assert Visitor(peopled).open(LIST).location == "/login?next=/admin/mandat"
    assert Visitor(peopled).open(NEW).location == "/login?next=/admin/mandat/baru"
    assert (
        logged_in(peopled, SARI).open(LIST).status_code
        == logged_in(peopled, SARI).open(NEW).status_code
        == 403
    )


def test_many_mandates_are_read_page_by_page(peopled: Flask) -> None:
    for _ in range(55):
        give(peopled, SARI)
    ratna = logged_in(peopled, RATNA)

    first = ratna.open(LIST)
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following
    second = ratna.open(following[1].replace("&amp;", "&"))

    rows = [page.text.count('<th scope="row">') for page in (first, second)]
    assert rows == [50, 8]
    assert "Ke awal daftar" in second.text


def test_the_operator_lists_and_takes_back(peopled: Flask, inbox: Inbox) -> None:
    runner = peopled.test_cli_runner()
    grant = ["admin", "grant", SARI.nip, "--sk", "SK/12/2026", "--until", "2999-12-31"]
    for scope in (["--instansi", "7301"], ["--instansi", "3402"], ["--pusat"]):
        assert runner.invoke(args=[*grant, *scope]).exit_code == 0
    assert [mail.to for mail in inbox.fetch()].count(email_of(SARI)) == 4, (
        "three appointments, and one told to pusat"
    )

    listed = runner.invoke(args=["admin", "list"]).output
    of_7301 = runner.invoke(args=["admin", "list", "--instansi", "7301"]).output
    assert len(listed.splitlines()) == 6
    assert f"{SARI.nip}\tpusat\tSK/12/2026\t2999-12-31\tSari Wulandari" in listed
    assert [line.split("\t")[0] for line in of_7301.splitlines()] == [SARI.nip, WATI.nip]

    one = runner.invoke(args=["admin", "revoke", SARI.nip, "--instansi", "3402"])
    assert one.exit_code == 0
    assert "Mandat 3402" in one.output
    assert [mandate.instansi_id for mandate in held(peopled, SARI)] == [1, None]
    assert runner.invoke(args=["admin", "revoke", SARI.nip, "--pusat"]).exit_code == 0
    assert runner.invoke(args=["admin", "revoke", SARI.nip]).output.count("Mandat 7301") == 1
    assert not held(peopled, SARI)
    assert all(event.actor_id is None for event in events(peopled, Tag.MANDATE_REVOKED))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["revoke", SARI.nip], 1, "Tidak ada mandat yang berlaku"),
        (["revoke", STRANGERS_NIP], 1, "tidak ada di portal"),
        (["revoke", WATI.nip, "--instansi", "0000"], 1, "kode 0000 tidak ada"),
        (["revoke", WATI.nip, "--pusat"], 1, "Tidak ada mandat yang berlaku"),
        (["revoke", WATI.nip, "--instansi", "7301", "--pusat"], 2, "Pilih salah satu"),
        (["list", "--instansi", "0000"], 1, "kode 0000 tidak ada"),
    ],
)
def test_the_operator_is_told_what_is_wrong(
    peopled: Flask, arguments: list[str], code: int, words: str
) -> None:
    refused = peopled.test_cli_runner().invoke(args=["admin", *arguments])

    assert refused.exit_code == code
    assert words in refused.output
    assert held(peopled, WATI)
