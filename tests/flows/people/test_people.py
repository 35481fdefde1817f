"""An admin looks for people, and finds only those of the admin's own instansi."""

import base64
import json
import re
from datetime import timedelta
from urllib.parse import quote_plus

import pytest
from flask import Flask
from sqlalchemy import delete, select, text

from app.domain.categories import Activation, Category
from app.domain.indonesian_time import now
from app.models import ActivationUnit, AuditEvent, Instansi, NameWord, Tag, User
from app.runtime.db import reading, unit_of_work
from tests.cast import (
    BUDI,
    CINTA,
    DEWI,
    HADI,
    JOKO,
    LESTARI,
    RAKA,
    RATNA,
    SARI,
    STRANGERS_NIP,
    TONO,
    WATI,
    Person,
    email_of,
)
from tests.desk import read_next_morning
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

PEOPLE = "/admin/pegawai"
OF_7301 = {SARI, BUDI, JOKO, DEWI, CINTA, TONO, WATI}
NOBODY = "Tidak ada pegawai yang cocok"


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


@pytest.fixture
def ratna(peopled: Flask) -> Visitor:
    return logged_in(peopled, RATNA)


def found_by(visitor: Visitor, query: str = "") -> set[Person]:
    """The people of the cast who are in the table of the result."""
    page = visitor.open(f"{PEOPLE}?{query}")
    assert page.status_code == 200
    table = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    return {person for person in (*OF_7301, HADI, LESTARI, RAKA, RATNA) if person.name in table}


def add_people(app: Flask, how_many: int, code: str = "7301", name: str = "Putra Pertama") -> None:
    with app.app_context(), unit_of_work() as session:
        instansi = session.scalars(select(Instansi).where(Instansi.code == code)).one()
        people = [
            User(
                nip=f"19700101199501{number:04}", name=f"{name} {number:03}", category=Category.PNS,
                instansi_id=instansi.id,
                work_unit="Dinas Baru", activation=Activation.NOT_ACTIVATED, activation_changed_at=now(),
                credential_version=1,
            )
            for number in range(how_many)
        ]  # fmt: skip
        session.add_all(people)
        session.flush()
        NameWord.index(session, people)


def the_next_page(text: str) -> str | None:
    found = re.search(r'href="([^"]*lanjut=[^"]*)"', text)
    return found[1].replace("&amp;", "&") if found else None


def test_without_a_filter_wati_sees_all_of_her_people_and_nobody_else(wati: Visitor) -> None:
    assert found_by(wati) == OF_7301


def test_the_centre_sees_everybody(ratna: Visitor) -> None:
    assert found_by(ratna) == {*OF_7301, HADI, LESTARI, RAKA, RATNA}


@pytest.mark.parametrize(
    ("query", "people"),
    [
        ("nip=1985", {SARI}),
        ("nip=19850312+201001+2+001", {SARI}),
        ("nip=1985.0312-2010", {SARI}),
        ("nip=" + SARI.nip, {SARI}),
        ("nama=wul", {SARI}),
        ("nama=WULandari+sa", {SARI}),
        ("nama=sari+budi", set()),
        ("nama=ulandari", set()),
        ("email=Sari%40NUSAJAYA.example", {SARI}),
        ("email=sari%40nusajaya.exampl", set()),
        ("status=waiting_approval", {CINTA}),
        ("status=deactivated", {TONO}),
        ("kategori=PPPK", {DEWI}),
        ("kategori=PNS&status=not_activated", {BUDI, JOKO}),
        ("kategori=PNS&status=not_activated&nama=jo", {JOKO}),
        ("nip=19&nama=jo", {JOKO}),
        ("nip=198211032006041003&nama=jo", {JOKO}),
        ("nip=198211032006041003&nama=sari", set()),
        ("email=sari%40nusajaya.example&status=deactivated", set()),
    ],
)
def test_people_are_found_by(wati: Visitor, query: str, people: set[Person]) -> None:
    assert found_by(wati, query) == people


def test_who_has_two_words_with_the_same_beginning_is_found_once(peopled: Flask, wati: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == SARI.nip)).one().rename("Sari Sartika Sarjana")

    assert wati.open(f"{PEOPLE}?nama=sar").text.count(">Sari Sartika Sarjana") == 1


SPOKEN = "H. Ahmad Ma’ruf Al-Amin, S. Pd., M.Hum"


def _rename(app: Flask, person: Person, name: str) -> None:
    with app.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == person.nip)).one().rename(name)


@pytest.mark.parametrize(
    "typed",
    [
        "maruf",
        "ma'ruf",
        "ma’ruf al-amin",
        "MARUF",
        "alamin",
        "al amin",
        "spd",
        "s.pd",
        "mhum",
        "m.hum",
        "h. ahmad",
    ],
)
def test_a_name_is_found_as_it_is_spoken(peopled: Flask, wati: Visitor, typed: str) -> None:
    _rename(peopled, BUDI, SPOKEN)

    page = wati.open(f"{PEOPLE}?nama={quote_plus(typed)}").text

    assert page.count(BUDI.nip[:8]) >= 1
    assert "Al-Amin" in page
    assert found_by(wati, f"nama={quote_plus(typed)}") == set(), "nobody else of the cast is called so"


def _with_words_of_an_older_release(app: Flask, person: Person, name: str) -> None:
    """Write the name as an older release did, which did not index beginnings of words."""
    _rename(app, person, name)
    with app.app_context(), unit_of_work() as session:
        user = session.scalars(select(User).where(User.nip == person.nip)).one()
        session.execute(delete(NameWord).where(NameWord.user_id == user.id))
        for word in set(re.findall(r"[^\W_]+", name.casefold())):
            session.add(NameWord(instansi_id=user.instansi_id, word=word, user_id=user.id))
        user.has_old_words = True


def test_names_indexed_by_an_older_release_are_found_as_before_and_then_as_they_are_spoken(
    peopled: Flask, wati: Visitor
) -> None:
    _with_words_of_an_older_release(peopled, BUDI, "Budi Ma'ruf Santoso")
    shown = "Budi Ma&#39;ruf Santoso"
    assert shown in wati.open(f"{PEOPLE}?nama=budi+ruf").text
    assert shown not in wati.open(f"{PEOPLE}?nama=maruf").text

    done = peopled.test_cli_runner().invoke(args=["housekeeping"])

    assert done.exit_code == 0
    assert "names_indexed" in done.output
    for typed in ("maruf", "budi ruf", "santoso", "budimaruf"):
        assert wati.open(f"{PEOPLE}?nama={quote_plus(typed)}").text.count(f">{shown}") == 1, typed
    with peopled.app_context(), reading() as session:
        assert not session.scalars(select(User).where(User.has_old_words)).all()


def test_a_row_that_an_older_release_adds_meanwhile_is_marked_by_the_database(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO user_account (nip, name, category, instansi_id, work_unit, activation, "
                "activation_changed_at, credential_version) SELECT '197001011995011999', 'Ma''ruf', "
                "category, instansi_id, '', activation, activation_changed_at, 1 FROM user_account LIMIT 1"
            )
        )
        assert (
            session.scalars(select(User.has_old_words).where(User.nip == "197001011995011999")).one() is True
        )


def test_a_unit_is_chosen_from_those_of_the_instansi(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        ids = {one.code: one.id for one in Instansi.all(session)}
        for code, unit in (("7301", "Dinas Kesehatan"), ("3402", "Biro Hukum")):
            counted = ActivationUnit(
                instansi_id=ids[code],
                work_unit=unit,
                not_activated=0,
                waiting_approval=0,
                active=1,
                deactivated=0,
            )
            session.add(counted)

    assert found_by(wati, "unit=Dinas+Kesehatan") == {SARI}
    assert "Biro Hukum" not in wati.open(PEOPLE).text
    assert found_by(ratna, "instansi=3402&unit=Biro+Hukum") == {LESTARI}


def test_only_the_centre_may_name_an_instansi(wati: Visitor, ratna: Visitor) -> None:
    assert found_by(ratna, "instansi=3402") == {HADI, LESTARI, RAKA, RATNA}
    assert ratna.open(f"{PEOPLE}?instansi=9999").status_code == 422
    assert found_by(wati, "instansi=3402") == OF_7301


def test_who_is_stuck_is_found_longest_first(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        for person, days in ((BUDI, 2), (JOKO, 5), (HADI, 3)):
            session.scalars(select(User).where(User.nip == person.nip)).one().stuck_since = now() - timedelta(
                days=days
            )
        session.scalars(select(User).where(User.nip == DEWI.nip)).one().mail_failed_at = now()

    assert found_by(wati, "macet=token") == {BUDI, JOKO}
    text = wati.open(f"{PEOPLE}?macet=token").text
    assert text.index(JOKO.name) < text.index(BUDI.name)
    assert found_by(wati, "macet=email") == {DEWI}
    assert found_by(wati, "macet=token&nama=budi") == {BUDI}
    assert found_by(ratna, "macet=token") == {BUDI, JOKO, HADI}


def test_who_has_no_email_or_has_a_password_and_never_came_in_is_found(
    peopled: Flask, wati: Visitor, ratna: Visitor
) -> None:
    with peopled.app_context(), unit_of_work() as session:
        for person in (BUDI, JOKO):
            session.scalars(select(User).where(User.nip == person.nip)).one().stuck_since = now()
        session.scalars(select(User).where(User.nip == BUDI.nip)).one().password_hash = "$argon2id$x"
        session.scalars(select(User).where(User.nip == TONO.nip)).one().set_email(None)
        session.scalars(select(User).where(User.nip == DEWI.nip)).one().set_email(None)

    assert found_by(wati, "macet=password") == {BUDI}
    assert found_by(wati, "macet=tanpa-email") == {DEWI}, (
        "Tono is deactivated, so nothing waits for his address"
    )
    assert found_by(ratna, "macet=tanpa-email") == {DEWI, LESTARI}
    assert found_by(ratna, "macet=tanpa-email&nip=1988") == {DEWI}
    assert found_by(ratna, "macet=tanpa-email&nama=lestari&instansi=3402") == {LESTARI}


@pytest.mark.parametrize("query", ["nip={nip}", "email={email}", "nama={name}", "nip={nip}&nama={name}"])
def test_somebody_of_another_instansi_and_nobody_are_the_same_answer(wati: Visitor, query: str) -> None:
    foreign = wati.open(f"{PEOPLE}?" + query.format(nip=HADI.nip, email=HADI.email, name="Hadi"))
    unknown = wati.open(
        f"{PEOPLE}?" + query.format(nip=STRANGERS_NIP, email="nobo@contoh.example", name="Nobo")
    )

    assert foreign.status_code == unknown.status_code == 200
    plain = words_of(foreign).replace(HADI.nip, "").replace(HADI.email or "", "").replace("Hadi", "")
    assert NOBODY in plain
    assert plain == words_of(unknown).replace(STRANGERS_NIP, "").replace("nobo@contoh.example", "").replace(
        "Nobo", ""
    )


def test_pages_follow_one_another_without_a_gap_or_a_double(peopled: Flask, wati: Visitor) -> None:
    add_people(peopled, 120)
    add_people(peopled, 0)
    for query in ("nip=1970", "nama=putra", "nama=per+put", "kategori=PNS&nama=pertama"):
        seen: list[str] = []
        url: str | None = f"{PEOPLE}?{query}"
        while url:
            text = wati.open(url).text
            seen += re.findall(r">(Putra Pertama \d{3})", text.partition("<tbody>")[2])
            url = the_next_page(text)
        assert sorted(seen) == [f"Putra Pertama {number:03}" for number in range(120)], query


def test_pages_of_stuck_people_follow_one_another_too(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    add_people(peopled, 70)
    with peopled.app_context(), unit_of_work() as session:
        for person in session.scalars(select(User).where(User.nip.startswith("1970"))):
            person.stuck_since = now() - timedelta(minutes=person.id % 7)
    for visitor in (wati, ratna):
        first = visitor.open(f"{PEOPLE}?macet=token")
        second = visitor.open(the_next_page(first.text) or "")
        names = re.findall(r">(Putra Pertama \d{3})", first.text + second.text)
        assert len(names) == len(set(names)) == 70


def test_a_rare_condition_among_many_is_answered_in_parts(peopled: Flask, wati: Visitor) -> None:
    add_people(peopled, 1200)
    with peopled.app_context(), unit_of_work() as session:
        last = session.scalars(select(User).where(User.nip == "197001011995010999")).one()
        last.category = Category.CPNS

    first = wati.open(f"{PEOPLE}?nama=putra&kategori=CPNS")
    assert "Sudah diperiksa sebagian" in first.text
    assert "Putra Pertama 999" not in first.text
    second = wati.open(the_next_page(first.text) or "")
    assert "Putra Pertama 999" in second.text
    assert "Sudah diperiksa sebagian" not in second.text


def _sealed(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "x", "%00", "a" * 5000, "[]", _sealed(), _sealed("nip", 1), _sealed("nip", 1, 5), _sealed("nip",
        10**30, "1"),
        _sealed("nip", None, "1"), _sealed("nip", 99, "19"), _sealed("nama", 1, "a\x00b", 1), _sealed("nama",
        1, "a", 2**70),
        _sealed("macet-token", 1, "0001-01-01T00:00:00+14:00", 1), _sealed("macet-token", 1, "2026-01-01", 1),
        _sealed("macet-token", None, [], 1), _sealed("email", 1), _sealed({}, 1), _sealed("nip", 1.5, "1"),
    ],
)  # fmt: skip
def test_a_place_that_is_none_is_the_first_page(wati: Visitor, token: str) -> None:
    for query in ("", "nama=s&", "macet=token&", "email=sari%40nusajaya.example&"):
        assert wati.open(f"{PEOPLE}?{query}lanjut={token}").status_code == 200
    assert found_by(wati, f"lanjut={token}") == OF_7301


def test_a_place_of_another_instansi_opens_no_door(peopled: Flask, wati: Visitor) -> None:
    with peopled.app_context(), reading() as session:
        foreign = session.scalars(select(Instansi.id).where(Instansi.code == "3402")).one()

    assert found_by(wati, f"lanjut={_sealed('nip', foreign, '1')}") == OF_7301
    assert found_by(wati, f"lanjut={_sealed('nip', None, '1')}") == OF_7301


@pytest.mark.parametrize(
    "query", ["nip=sari", "nip=1985031220100120011", "email=sari", "nama=---", "status=semua", "macet=ya"]
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(wati: Visitor, query: str) -> None:
    page = wati.open(f"{PEOPLE}?{query}")

    assert page.status_code == 422
    assert "Ada masalah" in page.text


@pytest.mark.parametrize(
    "query", ["nama=%00", "unit=%00", "nip=%00", "email=%00", "nama=%ff%fe", "nama=" + "a%20" * 3000]
)
def test_bytes_that_are_no_text_break_nothing(wati: Visitor, ratna: Visitor, query: str) -> None:
    assert wati.open(f"{PEOPLE}?{query}").status_code in (200, 422)
    assert ratna.open(f"{PEOPLE}?{query}&instansi=%00").status_code == 422


def test_addresses_are_masked_in_the_list(wati: Visitor) -> None:
    text = wati.open(PEOPLE).text

    assert "sari@nusajaya.example" not in text
    assert "s***@n***.example" in text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_holds_what_was_found_and_is_told_to_the_centre(
    peopled: Flask, wati: Visitor, kind: str
) -> None:
    answer = wati.post_with_token(PEOPLE, f"{PEOPLE}/ekspor", kategori="PNS", bentuk=kind)

    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    if kind == "csv":
        assert SARI.nip in answer.text
        assert DEWI.nip not in answer.text
        assert HADI.nip not in answer.text
        assert email_of(SARI) not in answer.text
    answer.close()
    with peopled.app_context(), reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.EXPORTED)).one()
        assert event.detail["how_many"] == 5
        assert event.actor is not None
        assert event.actor.nip == WATI.nip
    (told,) = read_next_morning(peopled, Inbox(peopled))
    assert told.to == RATNA.email
    assert (
        "Ekspor daftar pegawai\n- Wati Kusuma (admin Pemerintah Kabupaten Nusa Jaya): 1 kali, jumlah 5"
        in told.text
    )


def test_an_export_needs_its_form(wati: Visitor) -> None:
    assert wati.open(f"{PEOPLE}/ekspor").location == PEOPLE
    assert wati.post(f"{PEOPLE}/ekspor").status_code == 400
