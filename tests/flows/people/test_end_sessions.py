"""An admin logs somebody out everywhere, and changes nothing else."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from flask import Flask
from sqlalchemy import select

from app.models import AuditEvent, Tag
from app.runtime.db import reading
from tests.cast import BUDI, LESTARI, NEW_PASSWORD, RAKA, RATNA, SARI, WATI, email_of
from tests.desk import person_id, user
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

REASON = "Ponsel hilang, dilaporkan lewat telepon"


def ended(app: Flask) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        found = select(AuditEvent).where(AuditEvent.tag == Tag.SESSIONS_ENDED)
        return list(session.scalars(found.order_by(AuditEvent.id)))


def test_sari_is_logged_out_everywhere_and_reads_why(peopled: Flask, inbox: Inbox) -> None:
    sari, wati = person_id(peopled, SARI), logged_in(peopled, WATI)
    phone, laptop = logged_in(peopled, SARI), logged_in(peopled, SARI)
    person, path = f"/admin/pegawai/{sari}", f"/admin/pegawai/{sari}/akhiri-sesi"
    assert f'href="{path}"' in wati.open(person).text
    assert "Sesi yang terbuka 2" in words_of(wati.open(path))

    answer = wati.submit(path, reason=REASON)

    assert answer.location == person
    assert "2 sesi sudah diakhiri" in words_of(wati.open(person))
    assert not phone.is_logged_in()
    assert not laptop.is_logged_in()
    mail = inbox.fetch_one(to=email_of(SARI))
    assert "Semua sesi akun Anda diakhiri oleh admin Pemerintah Kabupaten Nusa Jaya" in mail.text
    assert REASON in mail.text
    (event,) = ended(peopled)
    assert (event.account_id, event.actor_id) == (sari, person_id(peopled, WATI))
    assert event.detail == {"how_many": 2, "reason": REASON}


def test_password_and_tokens_stay_as_they_are(peopled: Flask, inbox: Inbox) -> None:
    logged_in(peopled, SARI)
    before, asker = user(peopled, SARI), Visitor(peopled)
    asker.ask_for_token(SARI.nip, email_of(SARI))
    code = inbox.fetch_one(to=email_of(SARI)).code

    logged_in(peopled, WATI).submit(f"/admin/pegawai/{before.id}/akhiri-sesi", reason=REASON)

    after = user(peopled, SARI)
    assert (after.credential_version, after.password_hash) == (
        before.credential_version,
        before.password_hash,
    )
    assert Visitor(peopled).log_in(SARI.nip).location == "/beranda"
    assert asker.reset_password(code, NEW_PASSWORD).location == "/konfirmasi-reset-password/berhasil"


def test_the_second_click_ends_nothing_and_tells_nobody(peopled: Flask, inbox: Inbox) -> None:
    sari, wati = person_id(peopled, SARI), logged_in(peopled, WATI)
    logged_in(peopled, SARI)
    path = f"/admin/pegawai/{sari}/akhiri-sesi"
    token = wati.csrf_token(path)

    for _ in range(2):
        assert wati.post(path, csrf_token=token, reason=REASON).status_code == 303

    assert "Tidak ada sesi yang terbuka" in words_of(wati.open(f"/admin/pegawai/{sari}"))
    assert "Tidak ada sesi yang terbuka" in words_of(wati.open(path))
    assert len(ended(peopled)) == len(inbox.fetch()) == 1


def test_ten_clicks_at_once_are_one_act(peopled: Flask, inbox: Inbox) -> None:
    path = f"/admin/pegawai/{person_id(peopled, SARI)}/akhiri-sesi"
    logged_in(peopled, SARI)
    admins = [logged_in(peopled, WATI) for _ in range(4)]
    tokens, start = [admin.csrf_token(path) for admin in admins], Barrier(len(admins))

    def click(number: int) -> int:
        start.wait()
        return admins[number].post(path, csrf_token=tokens[number], reason=REASON).status_code

    with ThreadPoolExecutor(len(admins)) as pool:
        answers = list(pool.map(click, range(len(admins))))

    assert answers == [303] * len(admins)
    assert len(ended(peopled)) == len(inbox.fetch()) == 1


def test_a_login_after_it_is_a_session_like_any_other(peopled: Flask) -> None:
    sari, wati = person_id(peopled, SARI), logged_in(peopled, WATI)
    logged_in(peopled, SARI)
    wati.submit(f"/admin/pegawai/{sari}/akhiri-sesi", reason=REASON)

    again = logged_in(peopled, SARI)

    assert again.is_logged_in()
    assert "Sesi yang terbuka 1" in words_of(wati.open(f"/admin/pegawai/{sari}"))


def test_an_act_without_a_reason_is_refused(peopled: Flask) -> None:
    sari = logged_in(peopled, SARI)

    answer = logged_in(peopled, WATI).submit(
        f"/admin/pegawai/{person_id(peopled, SARI)}/akhiri-sesi", reason="  "
    )

    assert answer.status_code == 422
    assert "Isi alasannya" in answer.text
    assert sari.is_logged_in()


def _post(visitor: Visitor, path: str) -> int:
    return visitor.post(path, csrf_token=visitor.csrf_token("/admin/pegawai"), reason=REASON).status_code


def test_it_ends_at_the_admin_themselves_and_at_those_of_higher_rank(peopled: Flask) -> None:
    wati, raka, ratna = (logged_in(peopled, admin) for admin in (WATI, RAKA, RATNA))
    sari = logged_in(peopled, SARI)

    assert _post(wati, f"/admin/pegawai/{person_id(peopled, WATI)}/akhiri-sesi") == 403
    assert _post(wati, f"/admin/pegawai/{person_id(peopled, RATNA)}/akhiri-sesi") in (403, 404)
    assert _post(raka, f"/admin/pegawai/{person_id(peopled, SARI)}/akhiri-sesi") == 404

    assert all(visitor.is_logged_in() for visitor in (wati, raka, ratna, sari))
    assert ended(peopled) == []


def test_pusat_ends_the_sessions_of_an_admin_and_the_rest_of_pusat_hears_of_it(
    peopled: Flask, inbox: Inbox
) -> None:
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)

    assert _post(ratna, f"/admin/pegawai/{person_id(peopled, WATI)}/akhiri-sesi") == 303

    assert wati.open("/admin/").status_code == 303
    told = {mail.to: mail.text for mail in inbox.fetch()}
    assert "admin pusat" in told[email_of(WATI)]
    assert "mengakhiri semua sesi untuk Wati" in told[email_of(RATNA)]


def test_somebody_without_a_session_is_no_accident(peopled: Flask, inbox: Inbox) -> None:
    ratna = logged_in(peopled, RATNA)

    for person in (BUDI, LESTARI):
        assert _post(ratna, f"/admin/pegawai/{person_id(peopled, person)}/akhiri-sesi") == 303

    assert inbox.fetch() == []
