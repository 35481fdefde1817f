"""The contact and the PDM window of an instansi. The desk keeps them up to date, and everybody of the
instansi reads them."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.models import AuditEvent, Instansi, PdmWindow, Tag
from app.runtime.db import reading, unit_of_work
from tests.cast import BUDI, CINTA, DEWI, HADI, RAKA, RATNA, SARI, WATI
from tests.desk import person_id
from tests.flows.attacks.test_races import _all_at_once
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

LIST, NATIONAL = "/admin/instansi", "/admin/instansi/jadwal-nasional"
CONTACT = "Loket 5 BKPSDM, telepon 021-555-0199"
TODAY = today_in_jakarta(now())
DAYS = {"opens_on": TODAY.isoformat(), "closes_on": (TODAY + timedelta(days=9)).isoformat()}


def instansi_id(app: Flask, code: str) -> int:
    with app.app_context(), reading() as session:
        return session.scalars(select(Instansi.id).where(Instansi.code == code)).one()


def contact_of(app: Flask, code: str) -> str:
    with app.app_context(), reading() as session:
        return session.scalars(select(Instansi.helpdesk_contact).where(Instansi.code == code)).one()


def windows(app: Flask) -> dict[int, tuple[str, str]]:
    """The windows by instansi; 0 is the national one."""
    with app.app_context(), reading() as session:
        found = session.scalars(select(PdmWindow))
        return {window.scope: (window.opens_on.isoformat(), window.closes_on.isoformat()) for window in found}


def events(app: Flask, tag: Tag) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id)))


def test_wati_changes_the_contact_and_people_read_it(peopled: Flask) -> None:
    own, wati = instansi_id(peopled, "7301"), logged_in(peopled, WATI)
    before = contact_of(peopled, "7301")
    assert before in wati.open(f"{LIST}/{own}/kontak").text

    answer = wati.submit(
        f"{LIST}/{own}/kontak", contact="  Loket 5\u200b BKPSDM,\r\n telepon\u00a0021-555-0199 "
    )

    assert (answer.status_code, answer.location) == (303, LIST)
    assert CONTACT in words_of(wati.open(LIST))
    assert CONTACT in words_of(logged_in(peopled, SARI).open("/beranda"))
    cinta = Visitor(peopled)
    cinta.log_in(CINTA.nip)
    assert CONTACT in words_of(cinta.open("/status-akun"))
    (event,) = events(peopled, Tag.CONTACT_CHANGED)
    assert event.detail == {"instansi": "7301", "old": before, "new": CONTACT}
    assert (event.actor_id, event.instansi_id) == (person_id(peopled, WATI), own)


WHOLE = {
    "phone": "(0411) 555-017 ext. 12", "whatsapp": "https://wa.me/6281255500173",
    "email": " bantuan@nusajaya.example ", "place": "Kantor BKPSDM, loket 5",
    "hours": "Senin-Jumat 08.00-15.00", "contact": "Bawa SK <b>terakhir</b>",
}  # fmt: skip
NOTHING = dict.fromkeys(WHOLE, "")
LINKS = (
    'href="tel:+62411555017"',
    'href="https://wa.me/6281255500173"',
    'href="mailto:bantuan@nusajaya.example"',
)


def test_every_way_to_reach_an_instansi_can_be_tapped_wherever_it_is_shown(peopled: Flask) -> None:
    own, wati = instansi_id(peopled, "7301"), logged_in(peopled, WATI)

    assert wati.submit(f"{LIST}/{own}/kontak", **WHOLE).status_code == 303

    sari, cinta, stranger = logged_in(peopled, SARI), Visitor(peopled), Visitor(peopled)
    cinta.log_in(CINTA.nip)
    for page in (
        wati.open(LIST), sari.open("/beranda"), sari.open("/akun"), cinta.open("/status-akun"),
        stranger.open("/perbaikan-email"),
    ):  # fmt: skip
        assert all(link in page.text for link in LINKS), page.request.path
        words = words_of(page)
        assert "Loket Kantor BKPSDM, loket 5" in words
        assert "Jam layanan Senin-Jumat 08.00-15.00" in words
        assert "Bawa SK &lt;b&gt;terakhir&lt;/b&gt;" in page.text
    (event,) = events(peopled, Tag.CONTACT_CHANGED)
    assert {"new_phone", "new_whatsapp", "new_email", "new_place", "new_hours", "new"} < set(event.detail)


def test_the_mails_hold_every_way_as_a_plain_line_and_as_a_link(peopled: Flask, inbox: Inbox) -> None:
    wati = logged_in(peopled, WATI)
    wati.submit(f"{LIST}/{instansi_id(peopled, '7301')}/kontak", **WHOLE)

    Visitor(peopled).submit("/lupa-password", nip=SARI.nip, email="sari@nusajaya.example")

    mail = inbox.fetch_one("sari@nusajaya.example")
    assert "\nTelepon: (0411) 555-017 ext. 12\nWhatsApp: +6281255500173\n" in mail.text
    assert "\nKeterangan: Bawa SK <b>terakhir</b>\n" in mail.text
    assert all(link in mail.html for link in LINKS)
    assert "Bawa SK &lt;b&gt;terakhir&lt;/b&gt;" in mail.html


def test_mails_that_leave_together_hold_each_their_own_contact_and_the_next_ones_the_new_one(
    peopled: Flask, inbox: Inbox
) -> None:
    own, other = contact_of(peopled, "7301"), contact_of(peopled, "3402")
    for person in (SARI, HADI, BUDI):
        Visitor(peopled).ask_for_token(person.nip, person.email or "")

    held = {mail.to: [contact in mail.text for contact in (own, other)] for mail in inbox.fetch()}
    assert held == {SARI.email: [True, False], HADI.email: [False, True], BUDI.email: [True, False]}

    wati = logged_in(peopled, WATI)
    wati.submit(f"{LIST}/{instansi_id(peopled, '7301')}/kontak", contact=CONTACT)
    Visitor(peopled).ask_for_token(DEWI.nip, DEWI.email or "")
    mail = inbox.fetch_one(DEWI.email)
    assert CONTACT in mail.text
    assert own not in mail.text


def test_wati_says_in_which_zone_her_instansi_reads_the_clock(peopled: Flask) -> None:
    own, wati = instansi_id(peopled, "7301"), logged_in(peopled, WATI)
    assert "perkiraan dari nama dan kode" in words_of(wati.open(f"{LIST}/{own}/kontak"))

    wati.submit(f"{LIST}/{own}/kontak", zone="WIT")

    assert "Waktu Indonesia Timur (WIT)" in words_of(wati.open(LIST))
    assert "perkiraan" not in words_of(wati.open(f"{LIST}/{own}/kontak"))
    (event,) = events(peopled, Tag.CONTACT_CHANGED)
    assert event.detail == {"instansi": "7301", "old_zone": "WITA", "new_zone": "WIT"}
    assert logged_in(peopled, WATI).submit(f"{LIST}/{own}/kontak", zone="GMT").status_code == 422


def test_a_form_of_an_earlier_release_changes_its_one_field_alone(peopled: Flask) -> None:
    own, wati = instansi_id(peopled, "7301"), logged_in(peopled, WATI)
    wati.submit(f"{LIST}/{own}/kontak", **WHOLE)

    wati.post_with_token(f"{LIST}/{own}/kontak", contact="Hanya ini")

    assert contact_of(peopled, "7301") == "Hanya ini"
    assert 'href="tel:+62411555017"' in wati.open(LIST).text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({**NOTHING, "contact": " \u200b "}, "Isi kontak bantuan"),
        ({**NOTHING, "hours": "Senin"}, "Isi kontak bantuan"),
        ({"contact": "x" * 301}, "paling banyak 300 huruf"),
        ({"phone": "555017"}, "Awali nomor ini dengan kode wilayah"),
        ({"whatsapp": "javascript:alert(1)"}, "Tulis satu nomor dengan angka"),
        ({"email": "kantor"}, "Alamat email perlu tanda @"),
        ({"place": "x" * 201}, "paling banyak 200 huruf"),
    ],
)
def test_a_contact_that_helps_nobody_is_refused(peopled: Flask, typed: dict[str, str], words: str) -> None:
    before = contact_of(peopled, "7301")

    answer = logged_in(peopled, WATI).submit(f"{LIST}/{instansi_id(peopled, '7301')}/kontak", **typed)

    assert answer.status_code == 422
    assert words in words_of(answer)
    assert contact_of(peopled, "7301") == before


def test_the_contact_that_stands_there_already_is_no_change(peopled: Flask) -> None:
    before = contact_of(peopled, "7301")

    logged_in(peopled, WATI).submit(f"{LIST}/{instansi_id(peopled, '7301')}/kontak", contact=before)

    assert not events(peopled, Tag.CONTACT_CHANGED)


def test_for_raka_the_other_instansi_does_not_exist(peopled: Flask) -> None:
    foreign, raka = instansi_id(peopled, "7301"), logged_in(peopled, RAKA)
    token = raka.csrf_token("/akun")

    assert "Nusa Jaya" not in words_of(raka.open(LIST))
    assert "Kementerian Contoh" in words_of(raka.open(LIST))
    assert "Nusa Jaya" not in words_of(raka.open(f"{LIST}?cari=Nusa"))
    assert "Kementerian Contoh" in words_of(raka.open(f"{LIST}?setelah={foreign}"))
    for one in (foreign, 999, 2**31 - 1):
        for path in ("kontak", "jadwal"):
            assert raka.open(f"{LIST}/{one}/{path}").status_code == 404
            assert (
                raka.post(f"{LIST}/{one}/{path}", csrf_token=token, contact=CONTACT, **DAYS).status_code
                == 404
            )
        assert raka.post(f"{LIST}/{one}/jadwal/ikut-nasional", csrf_token=token).status_code == 404
    assert contact_of(peopled, "7301") != CONTACT
    assert not events(peopled, Tag.PDM_WINDOW_SET)


def test_the_days_are_set_by_the_centre_alone(peopled: Flask) -> None:
    own, wati, before = instansi_id(peopled, "7301"), logged_in(peopled, WATI), windows(peopled)
    token = wati.csrf_token("/akun")

    for path in (f"{LIST}/{own}/jadwal", NATIONAL):
        assert wati.open(path).status_code == wati.post(path, csrf_token=token, **DAYS).status_code == 403
    assert wati.post(f"{LIST}/{own}/jadwal/ikut-nasional", csrf_token=token).status_code == 403
    assert windows(peopled) == before
    assert "Atur jadwal" not in wati.open(LIST).text


def test_ratna_gives_one_instansi_days_of_its_own_and_takes_them_away(peopled: Flask) -> None:
    own, sari, ratna = instansi_id(peopled, "7301"), logged_in(peopled, SARI), logged_in(peopled, RATNA)
    assert "secara nasional" in words_of(sari.open("/beranda"))
    page = f"{LIST}/{own}/jadwal"

    assert ratna.submit(page, **DAYS).status_code == 303

    closes = shown_date(TODAY + timedelta(days=9))
    assert f"untuk Pemerintah Kabupaten Nusa Jaya mulai {shown_date(TODAY)} sampai {closes}" in words_of(
        sari.open("/beranda")
    )
    assert "(jadwal sendiri)" in words_of(logged_in(peopled, WATI).open(LIST))
    assert f'value="{DAYS["closes_on"]}"' in ratna.open(page).text

    assert ratna.submit(page, f"{page}/ikut-nasional").status_code == 303

    assert "secara nasional" in words_of(sari.open("/beranda"))
    details = [event.detail for event in events(peopled, Tag.PDM_WINDOW_SET)]
    assert details == [
        {"instansi": "7301", "opens": DAYS["opens_on"], "closes": DAYS["closes_on"]},
        {"instansi": "7301", "opens": None, "closes": None},
    ]
    assert {event.actor_id for event in events(peopled, Tag.PDM_WINDOW_SET)} == {person_id(peopled, RATNA)}


def test_the_national_days_reach_everybody_without_days_of_their_own(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)

    assert ratna.submit(NATIONAL, **DAYS).status_code == 303

    closes = shown_date(TODAY + timedelta(days=9))
    assert closes in words_of(logged_in(peopled, SARI).open("/beranda"))
    assert closes not in words_of(logged_in(peopled, RAKA).open("/beranda")), (
        "his instansi has days of its own"
    )


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"opens_on": "2026-12-31", "closes_on": "2026-12-01"}, "Tanggal tutup lebih awal"),
        ({"opens_on": "", "closes_on": "2026-12-01"}, "Isi tanggal buka"),
        ({"opens_on": "2026-12-01", "closes_on": "31 Desember"}, "Isi tanggal tutup, misalnya 31-12-2026"),
        ({"opens_on": "2026-02-30", "closes_on": "2026-12-01"}, "Isi tanggal buka"),
    ],
)
def test_days_that_cannot_be_are_refused(peopled: Flask, days: dict[str, str], words: str) -> None:
    before, ratna = windows(peopled), logged_in(peopled, RATNA)

    for page in (NATIONAL, f"{LIST}/{instansi_id(peopled, '7301')}/jadwal"):
        answer = ratna.submit(page, **days)
        assert answer.status_code == 422
        assert words in words_of(answer)
    assert windows(peopled) == before


def test_several_who_set_the_first_national_days_at_once_leave_one_row(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        for window in session.scalars(select(PdmWindow)):
            session.delete(window)
    admins = [logged_in(peopled, RATNA) for _ in range(5)]
    tokens = [admin.csrf_token(NATIONAL) for admin in admins]

    def set_days(number: int) -> int:
        return admins[number].post(NATIONAL, csrf_token=tokens[number], **DAYS).status_code

    assert _all_at_once([lambda number=number: set_days(number) for number in range(5)]) == [303] * 5  # type: ignore[misc]

    assert windows(peopled) == {0: (DAYS["opens_on"], DAYS["closes_on"])}


def test_the_centre_searches_and_reads_page_by_page(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        for number in range(30):
            session.add(
                Instansi(
                    code=f"99{number:02}", name=f"Kabupaten Rekaan {number:02} 100%", helpdesk_contact="-"
                )
            )
    ratna = logged_in(peopled, RATNA)

    first = ratna.open(LIST)
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following
    second = ratna.open(following[1].replace("&amp;", "&"))

    names = re.findall(r'<h2 id="instansi-\d+">([^<]+)', first.text + second.text)
    assert len(names) == len(set(names)) == 32
    assert "Pemerintah Kabupaten Nusa Jaya" in words_of(ratna.open(f"{LIST}?cari=nusa"))
    assert "Kementerian" not in words_of(ratna.open(f"{LIST}?cari=73"))
    assert words_of(ratna.open(f"{LIST}?cari=%25")).count("Ubah kontak") == 25, (
        "a percent sign is a percent sign"
    )
    assert "Tidak ada instansi" in words_of(ratna.open(f"{LIST}?cari=tidak-ada"))


def test_more_fields_than_the_form_has_are_ignored(peopled: Flask) -> None:
    own = instansi_id(peopled, "7301")

    logged_in(peopled, WATI).post_with_token(
        f"{LIST}/{own}/kontak", contact=CONTACT, code="9999", name="Lain", instansi_id="2"
    )

    assert contact_of(peopled, "7301") == CONTACT
    assert contact_of(peopled, "3402") != CONTACT


def test_strangers_and_plain_users_stay_outside(peopled: Flask) -> None:
    assert Visitor(peopled).open(LIST).location == "/login?next=/admin/instansi"
    sari = logged_in(peopled, SARI)
    assert sari.open(LIST).status_code == sari.open(NATIONAL).status_code == 403
    own = instansi_id(peopled, "7301")
    assert (
        sari.post(f"{LIST}/{own}/kontak", csrf_token=sari.csrf_token("/akun"), contact=CONTACT).status_code
        == 403
    )
