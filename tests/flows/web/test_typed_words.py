"""What an admin has typed comes back if the session has ended or the page is too old, and nothing has been
done."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.domain.corrections import CorrectionField
from app.domain.indonesian_time import now
from app.models import AuditEvent, EmailCorrection, IdentityChange
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import Tag
from app.models.base import Base
from app.models.bulk_act import BulkAct, BulkKind
from app.models.import_batch import BatchState, ImportBatch
from app.models.import_change import ImportChange
from app.models.instansi import Instansi
from app.runtime.db import reading, unit_of_work
from tests.cast import CINTA, DEWI, JOKO, PASSWORD, RAKA, RATNA, SARI, TONO, WATI, Person
from tests.desk import asked, correction, person_id, user
from tests.visitor import Visitor, logged_in, words_of

REASON = 'Kata "admin" <b>yang</b> sudah diketik & tidak boleh hilang'
PAST = timedelta(minutes=31)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Desk:
    """The rows that the forms of the desk are about: one of each kind, by the name in their addresses."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.sari, self.cinta, self.tono = (person_id(app, one) for one in (SARI, CINTA, TONO))
        self.correction = asked(app, JOKO, "joko.baru@gmail.com")
        self.other_correction = asked(app, DEWI, "dewi.baru@gmail.com")
        self.name_correction = asked(app, DEWI, "dewi@nusajaya.example")
        with app.app_context(), unit_of_work() as db:
            of_name = db.get_one(EmailCorrection, self.name_correction)
            of_name.field, of_name.new_value = CorrectionField.NAME, "Dewi Kartika Sari"
        with app.app_context(), reading() as db:
            self.instansi = db.scalars(
                select(Instansi.id).where(Instansi.id == user(app, SARI).instansi_id)
            ).one()
            self.mandate = db.scalars(
                select(AdminMandate.id).where(AdminMandate.user_id == person_id(app, RAKA))
            ).one()
        self.change = self._change_that_waits()
        self.batch = self._batch_that_is_done()
        self.bulk = self._bulk_act_of_ratna()

    def _change_that_waits(self) -> int:
        ratna = logged_in(self.app, RATNA)
        page = f"/admin/pegawai/{self.sari}/email"
        seen = user(self.app, SARI).credential_version
        sent = ratna.post_with_token(
            page, email="sari.baru@gmail.com", identity_check="tatap_muka", reason="Uji", seen=str(seen)
        )
        assert sent.status_code in (303, 422), sent.text
        with self.app.app_context(), reading() as db:
            return db.scalars(select(func.max(IdentityChange.id))).one()

    def _batch_that_is_done(self) -> int:
        with self.app.app_context(), unit_of_work() as db:
            batch = ImportBatch(
                uploaded_by_id=person_id(self.app, RATNA),
                uploaded_at=now(),
                confirmed_by_id=person_id(self.app, RATNA),
                confirmed_at=now(),
                ended_at=now(),
                file_name="a.csv",
                file_size=1,
                sha256="0" * 64,
                state=BatchState.DONE,
                result={"changed": 1},
            )
            db.add(batch)
            db.flush()
            written = {"column": "name", "old_value": "Sari", "new_value": SARI.name}
            db.add(ImportChange(batch_id=batch.id, is_dry_run=False, line=2, user_id=self.sari, **written))
            return batch.id

    def _bulk_act_of_ratna(self) -> int:
        with self.app.app_context(), unit_of_work() as db:
            bulk = BulkAct(
                kind=BulkKind.TOKEN,
                prepared_by_id=person_id(self.app, RATNA),
                prepared_at=now(),
                kept_until=now() + timedelta(days=1),
            )
            db.add(bulk)
            db.flush()
            return bulk.id

    @property
    def forms(self) -> dict[str, dict[str, str | list[str]]]:
        """Every POST of the desk with something typed in it, by its address."""
        approval: dict[str, str | list[str]] = {"identity_check": "tatap_muka", "note": REASON, "seen": "1"}
        return {
            f"/admin/perbaikan-email/{self.correction}/setujui": approval,
            f"/admin/perbaikan-email/{self.correction}/tolak": {"reason": REASON},
            f"/admin/perbaikan-email/{self.name_correction}/betulkan": {"note": REASON, "seen": "1"},
            "/admin/perbaikan-email/beberapa/setujui": {**approval, "pilih": [str(self.correction),
            str(self.other_correction)]},
            "/admin/perbaikan-email/beberapa/tolak": {
                "reason": REASON, "pilih": [str(self.correction), str(self.other_correction)],
            },
            f"/admin/perbaikan-email/{self.correction}/catatan": {"words": REASON},
            f"/admin/perbaikan-email/{self.correction}/tanya": {"question": REASON},
            f"/admin/perbaikan-email/perubahan/{self.change}/konfirmasi": {"acknowledged": ["tanda"]},
            f"/admin/perbaikan-email/perubahan/{self.change}/batalkan": {"because": REASON},
            "/admin/cpns/setujui": {"sk_number": REASON, "sk_date": "31-12-2020",
            "person": [str(self.cinta)]},
            "/admin/cpns/tolak": {"reason": REASON, "person": [str(self.cinta)]},
            "/admin/pegawai/ekspor": {"nama": "sari", "bentuk": "csv"},
            f"/admin/pegawai/{self.sari}/ubah": {
                "nip": SARI.nip, "name": REASON, "category": "PNS", "work_unit": "Unit lain",
                "phone": "0812", "reason": "Sebab",
            },
            f"/admin/pegawai/{self.sari}/nonaktifkan": {"reason": REASON},
            f"/admin/pegawai/{self.tono}/aktifkan": {"reason": REASON},
            "/admin/sekaligus/baru": {
                "siapa": "centang", "pilih": [str(self.sari)], "tindakan": "pemberitahuan", "pesan": REASON,
            },
            "/admin/sekaligus/daftar": {"tindakan": "nonaktifkan", "nips": SARI.nip, "reason": REASON},
            f"/admin/pegawai/{self.sari}/mutasi": {"code": "X", "reason": REASON},
            f"/admin/pegawai/{self.sari}/email": {
                "email": "lain@contoh.go.id", "identity_check": "tatap_muka", "reason": REASON, "seen": "1",
            },
            "/admin/impor": {"reason": REASON},
            f"/admin/impor/{self.batch}/kembalikan": {"reason": REASON},
            "/admin/mandat/baru": {
                "nip": SARI.nip, "scope": "instansi", "instansi": "", "sk_number": REASON,
                "until": "2030-01-01",
            },
            f"/admin/mandat/{self.mandate}/cabut": {"reason": REASON},
            f"/admin/mandat/{self.mandate}/serahkan": {
                "nip": SARI.nip, "sk_number": REASON, "until": "2030-01-01", "former_until": "lusa saja",
            },
            f"/admin/instansi/{self.instansi}/kontak": {"contact": REASON},
            f"/admin/instansi/{self.instansi}/jadwal": {"opens_on": "2026-01-02", "closes_on": "besok saja"},
            "/admin/instansi/jadwal-nasional": {"opens_on": "2026-01-02", "closes_on": "2026-02-03"},
            f"/admin/instansi/{self.instansi}/hari-kampanye": {"day": "besok saja", "title": REASON},
            f"/admin/instansi/{self.instansi}/hari-kampanye/hapus": {"day": "2026-01-02"},
            "/admin/instansi/hari-kampanye-nasional": {"day": "besok saja", "title": REASON},
            "/admin/instansi/hari-kampanye-nasional/hapus": {"day": "2026-01-02"},
            "/admin/audit/ekspor": {"nip": SARI.nip, "bentuk": "csv"},
        }  # fmt: skip

    @property
    def buttons(self) -> dict[str, str]:
        """The POSTs that are only a button, each with the page of the button."""
        one = f"/admin/pegawai/{self.sari}"
        window = f"/admin/instansi/{self.instansi}/jadwal"
        request = f"/admin/perbaikan-email/{self.correction}"
        return {
            f"{one}/kirim-token": one,
            f"{one}/buka-batas": one,
            "/admin/ekspor": "/admin/",
            "/admin/impor/1/jalankan": "/admin/impor/1",
            "/admin/impor/1/batalkan": "/admin/impor/1",
            f"{window}/ikut-nasional": window,
            **{f"{request}/{act}": request for act in ("ambil", "kembalikan")},
            **{
                f"/admin/sekaligus/{self.bulk}/{act}": f"/admin/sekaligus/{self.bulk}"
                for act in ("jalankan", "hentikan", "ekspor")
            },
        }

    def rows(self) -> dict[str, object]:
        """All rows except the trail, logins, the counters of tries and Ratna's own row, to see that nothing
        was done."""
        left_out = ("audit", "login_session", "throttle", "guess", "once_a_minute")
        with self.app.app_context(), reading() as db:
            return {
                name: sorted(
                    row for row in map(repr, db.execute(select(table)).all()) if RATNA.nip not in row
                )
                for name, table in Base.metadata.tables.items()
                if not any(word in name for word in left_out)
            }


TYPED_FIELDS = {
    "note", "reason", "because", "sk_number", "sk_date", "name", "work_unit", "phone", "email", "contact",
    "opens_on", "closes_on", "until", "nip", "nama", "nips", "pesan", "question", "title", "words",
}  # fmt: skip
# Once the sessions of a person are over, there is nothing left to say about them
NOTHING_LEFT = {"admin.person.end_all_sessions"}


def changed(before: dict[str, object], after: dict[str, object]) -> set[str]:
    return {name for name in after if after[name] != before[name]}


@pytest.fixture
def desk(peopled: Flask) -> Desk:
    return Desk(peopled)


def sent_back(page: TestResponse) -> dict[str, list[str]]:
    """The hidden fields of a page, as a browser would send them."""
    fields: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(page.text):
        fields.setdefault(unescape(name), []).append(unescape(value))
    return fields


def log_in_there(
    visitor: Visitor, page: TestResponse, path: str, person: Person, password: str = PASSWORD
) -> TestResponse:
    """Send the login that the page shows in place of a form, with all its hidden fields."""
    carried = {name: values for name, values in sent_back(page).items() if name != "csrf_token"}
    token = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', page.text)
    assert token, page.text
    return visitor.post(
        path, csrf_token=unescape(token[1]), nip_masuk=person.nip, password_masuk=password, **carried
    )


def shown_values(page: TestResponse) -> Iterator[str]:
    for value in re.findall(r'value="([^"]*)"', page.text):
        yield unescape(value)
    for words in re.findall(r"<textarea[^>]*>\n?([^<]*)</textarea>", page.text):
        yield unescape(words)


def assert_is_filled(page: TestResponse, fields: dict[str, str | list[str]], path: str) -> None:
    shown = list(shown_values(page))
    for name in TYPED_FIELDS & set(fields):
        typed = str(fields[name])
        assert typed in shown or typed.replace(" ", "") in [one.replace(" ", "") for one in shown], (
            path,
            name,
        )
    assert "<b>yang</b>" not in page.text, path


def test_every_form_of_the_desk_is_known_here(desk: Desk) -> None:
    urls = desk.app.url_map.bind("localhost")
    known = {urls.match(path, method="POST")[0] for path in (*desk.forms, *desk.buttons)}

    assert known | NOTHING_LEFT == {
        rule.endpoint
        for rule in desk.app.url_map.iter_rules()
        if rule.endpoint.startswith("admin.") and "POST" in (rule.methods or ())
    }


def test_what_was_typed_comes_back_after_the_session_has_ended_and_nothing_was_done(desk: Desk) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for path, fields in desk.forms.items():
            ratna = logged_in(desk.app, RATNA)
            token, before = ratna.csrf_token("/akun"), desk.rows()
            clock.shift(PAST)

            instead = ratna.post(path, csrf_token=token, **fields)
            assert instead.status_code == 403, path
            assert "Sesi Anda sudah berakhir" in words_of(instead), path
            back = log_in_there(ratna, instead, path, RATNA)

            assert back.status_code == 422, (path, back.status_code)
            assert "belum ada yang dilakukan" in words_of(back), path
            assert "Isian Anda masih ada" in words_of(back), path
            assert_is_filled(back, fields, path)
            assert changed(before, desk.rows()) == set(), path
            assert ratna.is_logged_in()


def test_the_form_that_came_back_is_sent_with_one_press(desk: Desk) -> None:
    path = f"/admin/perbaikan-email/{desk.correction}/tolak"
    with time_machine.travel(now(), tick=False) as clock:
        wati = logged_in(desk.app, WATI)
        token = wati.csrf_token("/akun")
        clock.shift(PAST)
        back = log_in_there(wati, wati.post(path, csrf_token=token, reason="Alamat salah"), path, WATI)
        fresh = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', back.text)
        assert fresh
        assert correction(desk.app, desk.correction).state.is_open

        upright_tab = "Alamat\x0bsalah"  # text that is pasted from slides and documents contains it
        assert wati.post(path, csrf_token=unescape(fresh[1]), reason=upright_tab).status_code == 303

        assert correction(desk.app, desk.correction).decision == "Alamat salah"


def test_a_page_that_is_too_old_comes_back_filled(desk: Desk) -> None:
    ratna = logged_in(desk.app, RATNA)
    before = desk.rows()
    for path, fields in desk.forms.items():
        back = ratna.post(path, csrf_token="of long ago", **fields)

        assert back.status_code == 400, path
        assert "Isian Anda masih ada" in words_of(back), path
        assert_is_filled(back, fields, path)
    assert changed(before, desk.rows()) == set()


def test_a_page_of_long_ago_whose_session_has_ended_too_comes_back_after_one_more_step(desk: Desk) -> None:
    path = f"/admin/pegawai/{desk.sari}/nonaktifkan"
    nobody = Visitor(desk.app)
    instead = nobody.post(path, csrf_token="of long ago", reason=REASON)
    assert instead.status_code == 400
    assert "Masuk lagi" in words_of(instead)

    back = log_in_there(nobody, instead, path, WATI)

    assert back.status_code == 422
    assert_is_filled(back, {"reason": REASON}, path)


def test_a_login_in_place_without_its_csrf_token_logs_nobody_in(desk: Desk) -> None:
    nobody = Visitor(desk.app)
    path = f"/admin/pegawai/{desk.sari}/nonaktifkan"

    answer = nobody.post(path, csrf_token="x", reason=REASON, nip_masuk=WATI.nip, password_masuk=PASSWORD)

    assert answer.status_code == 400
    assert not nobody.is_logged_in()


def test_a_button_leads_to_the_login_and_back_to_its_page_and_says_that_nothing_was_done(desk: Desk) -> None:
    buttons = {**desk.buttons, "/akun/akhiri-sesi-lain": "/akun", "/akun/lupakan-browser": "/akun",
               "/akun/hentikan-ganti-email": "/akun/hentikan-ganti-email"}  # fmt: skip
    with time_machine.travel(now(), tick=False) as clock:
        for path, page in buttons.items():
            ratna = logged_in(desk.app, RATNA)
            token = ratna.csrf_token("/akun")
            clock.shift(PAST)

            answer = ratna.post(path, csrf_token=token)

            assert (answer.status_code, answer.location) == (303, f"/login?next={page}"), path
            assert "tidak ada yang diubah" in words_of(ratna.open(answer.location)), path


def test_a_lost_button_says_where_it_stands(desk: Desk) -> None:
    ratna = logged_in(desk.app, RATNA)
    for path, page in desk.buttons.items():
        answer = ratna.post(path, csrf_token="of long ago")

        assert answer.status_code == 400, path
        assert f'href="{page}"' in answer.text, path


def test_who_logs_in_instead_sees_only_what_he_may_see(desk: Desk) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for path, fields in desk.forms.items():
            pages = []
            for other in (RAKA, SARI):
                ratna = logged_in(desk.app, RATNA)
                token = ratna.csrf_token("/akun")
                clock.shift(PAST)
                pages.append(log_in_there(ratna, ratna.post(path, csrf_token=token, **fields), path, other))
            raka, sari = pages

            assert raka.status_code in (200, 303, 403, 404, 422), path
            if (
                str(desk.sari) in path
                or str(desk.tono) in path
                or f"perbaikan-email/{desk.correction}" in path
            ):
                assert raka.status_code in (403, 404), path
                assert REASON not in unescape(raka.text), path
            if path.endswith("/serahkan"):
                assert raka.status_code == 422, "it is Raka's own mandate"
            elif "/mandat/" in path or "/jadwal" in path:
                assert raka.status_code in (403, 404), path
            assert sari.status_code == 403, path
            assert "untuk admin" in words_of(sari), path
            assert "belum diproses, dan tidak ada yang diubah" in words_of(sari), path


def test_on_a_shared_computer_nobody_is_handed_anothers_words(desk: Desk) -> None:
    page, path = (f"/admin/perbaikan-email/{desk.correction}{end}" for end in ("", "/tolak"))
    with time_machine.travel(now(), tick=False) as clock:
        wati = logged_in(desk.app, WATI)
        typed = {
            "pengisi": sent_back(wati.open(page))["pengisi"][0],
            "reason": REASON,
            "csrf_token": wati.csrf_token(page),
        }
        clock.shift(PAST)
        instead = wati.post(path, **typed)
        answers = [log_in_there(wati, instead, path, RATNA), wati.post(path, **typed)]
        seen_by_ratna = words_of(wati.open(page))
        wati.post_with_token("/akun", "/logout")
        hers = log_in_there(wati, wati.post(path, **typed), path, WATI)

    for answer in answers:
        assert (answer.status_code, answer.location) == (303, page)
    assert "akun lain" in seen_by_ratna
    assert REASON not in seen_by_ratna
    assert hers.status_code == 422
    assert REASON in unescape(hers.text)
    assert correction(desk.app, desk.correction).state.is_open


def test_no_password_and_no_file_travels(desk: Desk) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        wati = logged_in(desk.app, WATI)
        token = wati.csrf_token("/akun")
        clock.shift(PAST)
        path = f"/admin/pegawai/{desk.sari}/nonaktifkan"
        instead = wati.post(path, csrf_token=token, reason="Sebab", password_sekali_lagi="Rahasia-Sekali-9")
        assert "Rahasia-Sekali-9" not in instead.text
        assert "File harus dipilih lagi" not in words_of(instead), "there was none"

        with_file = wati.client.post(
            "/admin/impor",
            data={"csrf_token": token, "reason": REASON, "file": (BytesIO(b"nip,nama\n"), "a.csv")},
        )
        assert with_file.status_code == 403
        assert "File harus dipilih lagi" in words_of(with_file)
        back = log_in_there(wati, with_file, "/admin/impor", WATI)
        assert back.status_code == 422
        assert "pilih filenya sekali lagi" in words_of(back)


def test_a_large_file_after_the_end_of_the_session_leads_to_the_login(desk: Desk) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        wati = logged_in(desk.app, WATI)
        token = wati.csrf_token("/akun")
        clock.shift(PAST)

        answer = wati.client.post(
            "/admin/impor", data={"csrf_token": token, "file": (BytesIO(b"x" * 300_000), "a.csv")}
        )

        assert (answer.status_code, answer.location) == (303, "/login?next=/admin/impor")
        assert "tidak ada yang diubah" in words_of(wati.open(answer.location))


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://jahat.example"}],
    ids=["cross-site", "same-site", "origin"],
)
def test_what_another_site_sends_is_nobodys_words(desk: Desk, headers: dict[str, str]) -> None:
    path = f"/admin/pegawai/{desk.sari}/email"
    for token in ("", "of long ago"):
        answer = Visitor(desk.app).client.post(
            path, data={"email": "pencuri@jahat.example", "csrf_token": token}, headers=headers
        )

        assert "pencuri" not in answer.text


def test_guesses_in_place_are_guesses(desk: Desk) -> None:
    nobody, path = Visitor(desk.app), f"/admin/pegawai/{desk.sari}/nonaktifkan"
    instead = nobody.post(path, csrf_token=nobody.csrf_token("/login"), reason="x")
    answers = [log_in_there(nobody, instead, path, WATI, "Salah-Sekali-1").status_code for _ in range(7)]

    assert answers == [422] * 5 + [429] * 2
    assert nobody.log_in(WATI.nip).status_code == 429, "one allowance with the login"
    with desk.app.app_context(), reading() as db:
        refused = select(func.count()).select_from(AuditEvent).where(AuditEvent.tag == Tag.LOGIN_REFUSED)
        assert db.scalar(refused) == 5


def test_one_line_that_guesses_in_place_is_stopped_as_at_the_login(desk: Desk) -> None:
    nobody, path = Visitor(desk.app), f"/admin/pegawai/{desk.sari}/nonaktifkan"
    instead = nobody.post(path, csrf_token=nobody.csrf_token("/login"), reason="x")
    token = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', instead.text)
    assert token
    statuses = [
        nobody.post(
            path, csrf_token=unescape(token[1]), nip_masuk=f"{number:018}", password_masuk="Salah-1"
        ).status_code
        for number in range(101)
    ]

    assert statuses[-1] == 429
    assert set(statuses[:100]) == {422}


def test_who_may_not_enter_yet_is_told_so_in_place_too(desk: Desk) -> None:
    nobody, path = Visitor(desk.app), f"/admin/pegawai/{desk.sari}/nonaktifkan"
    instead = nobody.post(path, csrf_token=nobody.csrf_token("/login"), reason="x")

    answer = log_in_there(nobody, instead, path, TONO)

    assert answer.status_code == 303
    assert answer.location == "/status-akun"
    assert "dinonaktifkan" in words_of(nobody.open("/status-akun"))


def test_the_second_logout_says_that_it_is_done(peopled: Flask) -> None:
    sari = logged_in(peopled, SARI)
    token = sari.csrf_token("/akun")
    for _ in range(3):
        answer = sari.post("/logout", csrf_token=token)

        assert answer.status_code == 303
        assert "Anda sudah keluar." in words_of(sari.open(answer.location))


def test_another_site_logs_nobody_out(peopled: Flask) -> None:
    sari, nobody = logged_in(peopled, SARI), Visitor(peopled)

    answer = nobody.post("/logout")
    with_cookies = sari.post("/logout", csrf_token="x")

    assert not [
        value for value in answer.headers.getlist("Set-Cookie") if value.startswith(("masuk=", "formulir="))
    ]
    assert with_cookies.status_code == 400
    assert "Anda belum keluar" in words_of(with_cookies)
    assert sari.is_logged_in()
