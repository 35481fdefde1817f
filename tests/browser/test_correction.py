"""The whole correction as people do it: Joko asks on a phone, Wati answers at the desk, Joko logs in."""

import re
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import select

from app.models.correction_attachment import CorrectionAttachment
from app.runtime.db import reading
from tests.browser.chromium import PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenBrowser
from tests.browser.live_portal import LivePortal
from tests.browser.steps import ask_for_token, button, field, log_in, open_newest_mail, read_token, see
from tests.cast import JOKO, NEW_PASSWORD, SARI, WATI
from tests.desk import asked
from tests.photos import TURNED_RIGHT, corners, from_phone, jpeg, opened, paper, png

NEW = "joko@nusajaya.example"
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
DESK_WITHOUT_JAVASCRIPT: dict[str, Any] = {**DESK, "java_script_enabled": False}


def _follow_the_link_in_the_mail(page: Page, address: str) -> None:
    mail = open_newest_mail(page, address)
    link = mail.locator(".letter a").first.get_attribute("href") or ""
    mail.close()
    page.goto(link)


@pytest.mark.parametrize(
    ("phone", "desk"),
    [(PHONE, DESK), (PHONE_WITHOUT_JAVASCRIPT, DESK_WITHOUT_JAVASCRIPT)],
    ids=["with-javascript", "without-javascript"],
)
def test_joko_asks_wati_answers_and_joko_comes_in(
    open_browser: OpenBrowser, phone: dict[str, Any], desk: dict[str, Any]
) -> None:
    joko, wati = open_browser(**phone), open_browser(**desk)
    ask_for_token(joko, JOKO.nip, NEW)
    _follow_the_link_in_the_mail(joko, NEW)
    see(joko, "Isi permintaan perbaikan email")
    field(joko, "Nama lengkap").fill("Joko Prabowo Adi")
    joko.get_by_label("Alasan").fill("Email di data salah ketik.")
    joko.locator("input[type=file]").set_input_files(
        files=FilePayload(name="sk.png", mimeType="image/png", buffer=png(paper()))
    )
    button(joko, "Kirim permintaan").tap()
    see(joko, "Permintaan perbaikan email")
    ticket = joko.get_by_text(re.compile(r"^PE-\w{4}-\w{4}$")).inner_text()
    expect(joko.get_by_role("main")).to_contain_text("Baru")

    log_in(wati, WATI)
    wati.get_by_role("link", name="Admin", exact=True).click()
    wati.get_by_role("link", name="Perbaikan email", exact=True).first.click()
    see(wati, "Antrean perbaikan")
    wati.get_by_role("link", name=ticket).click()
    see(wati, f"Permintaan {ticket}")
    expect(wati.get_by_role("main")).to_contain_text("joko.lama@nusajaya.example")
    photo = wati.get_by_role("img", name="Foto yang dilampirkan")
    expect(photo).to_be_visible()
    assert photo.evaluate("photo => photo.naturalWidth") == 64, (
        "the photo itself, under the policy of the page"
    )
    with wati.expect_download() as download:
        wati.get_by_role("link", name="Unduh foto").click()
    assert download.value.suggested_filename == f"{ticket}.jpg"
    joko.reload()
    expect(joko.get_by_role("main")).to_contain_text("Diproses")
    wati.get_by_label("Tatap muka dengan kartu pegawai atau KTP").check()
    field(wati, "Catatan pemeriksaan").fill("Datang ke loket 3 membawa kartu pegawai")
    button(wati, "Setujui dan lanjut").click()
    expect(wati.get_by_role("status").first).to_contain_text("sudah diganti")

    joko.reload()
    expect(joko.get_by_role("main")).to_contain_text("Disetujui")
    token = read_token(joko, NEW)
    joko.goto("/konfirmasi-reset-password?nip=lain")
    field(joko, "NIP").fill(JOKO.nip)
    field(joko, "Token").fill(token)
    field(joko, "Password").fill(NEW_PASSWORD)
    button(joko, "Reset Password").tap()
    see(joko, "Reset Password berhasil")
    joko.get_by_role("link", name="OK", exact=True).tap()  # the browser has fetched that page beforehand
    see(joko, "Masuk")
    log_in(joko, JOKO, NEW_PASSWORD)
    see(joko, "Pemutakhiran Data Mandiri")


def test_sari_stops_what_she_did_not_ask_for(open_browser: OpenBrowser, live_portal: LivePortal) -> None:
    request_id = asked(live_portal.app, SARI, "maling@contoh.example")
    wati, sari = open_browser(**DESK), open_browser(**PHONE)
    log_in(sari, SARI)
    log_in(wati, WATI)
    wati.goto(f"/admin/perbaikan-email/{request_id}")
    # There is no phone number on record
    expect(wati.get_by_label("Telepon ke nomor di data kepegawaian")).to_have_count(0)
    wati.get_by_label("Surat dari atasan atau kepala unit kerja").check()
    field(wati, "Catatan pemeriksaan").fill("Surat kepala dinas")
    button(wati, "Setujui dan lanjut").click()
    expect(wati.get_by_role("status").first).to_contain_text("akan diganti pada")

    sari.reload()
    sari.get_by_role("link", name="Bukan Anda? Hentikan").tap()
    see(sari, "Hentikan perubahan akun")
    button(sari, "Bukan saya, hentikan").tap()
    see(sari, "Akun Anda")
    expect(sari.get_by_role("status").first).to_contain_text("dihentikan")
    wati.goto("/admin/perbaikan-email?lihat=dibekukan")
    expect(wati.get_by_role("table")).to_contain_text("Sari Wulandari")


def test_the_queue_can_be_worked_with_the_keyboard(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    first, second = (
        asked(live_portal.app, JOKO, NEW),
        asked(live_portal.app, SARI, "sari.baru@contoh.example"),
    )
    page = open_browser(**DESK)
    log_in(page, WATI)
    page.goto("/admin/perbaikan-email")
    boxes = page.get_by_role("table").get_by_role("checkbox")

    boxes.first.focus()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(boxes.nth(0)).to_be_checked()
    expect(boxes.nth(1)).to_be_checked()
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(boxes.nth(0)).not_to_be_checked()
    button(page, "Jawab yang dipilih").click()

    see(page, "Jawab beberapa permintaan sekaligus")
    expect(page).to_have_url(re.compile(rf"pilih={second}$"))
    assert first != second


def _choose_photo(page: Page, content: bytes, name: str = "IMG_0001.jpeg", kind: str = "image/jpeg") -> None:
    page.locator("input[type=file]").set_input_files(
        files=FilePayload(name=name, mimeType=kind, buffer=content)
    )


def _open_form(page: Page) -> None:
    ask_for_token(page, JOKO.nip, NEW)
    _follow_the_link_in_the_mail(page, NEW)
    field(page, "Nama lengkap").fill("Joko Prabowo Adi")
    page.get_by_label("Alasan").fill("Email di data salah ketik.")


def _bytes_sent(page: Page, portal: LivePortal) -> int:
    """The size of a form as the portal sees it, because the browser does not tell how long a form with a file
    is."""
    answer = portal.app.wsgi_app
    lengths: list[int] = []

    def measured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        lengths.append(int(environ.get("CONTENT_LENGTH") or 0))
        return answer(environ, start_response)

    portal.app.wsgi_app = measured  # type: ignore[method-assign]
    button(page, "Kirim permintaan").tap()
    see(page, "Permintaan perbaikan email")
    return max(lengths)


def _kept(portal: LivePortal) -> Image.Image:
    with portal.app.app_context(), reading() as session:
        return opened(session.scalars(select(CorrectionAttachment)).one().content)


def test_a_photo_straight_from_the_phone_is_made_small_before_it_leaves(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    joko = open_browser(**PHONE)
    _open_form(joko)

    _choose_photo(joko, from_phone(orientation=TURNED_RIGHT))
    expect(joko.get_by_text(re.compile("Foto diperkecil dari .* MB menjadi .* MB"))).to_be_visible()

    assert len(from_phone(orientation=TURNED_RIGHT)) > 4_000_000
    assert 2_000 < _bytes_sent(joko, live_portal) < 2_500_000
    kept = _kept(live_portal)
    assert kept.width < kept.height == 2400, "upright"
    assert corners(kept) == ["blue", "red", "white", "green"], "upright"


def test_who_is_faster_than_the_shrinking_waits_for_it(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    joko = open_browser(**PHONE)
    _open_form(joko)

    _choose_photo(joko, from_phone())

    assert 2_000 < _bytes_sent(joko, live_portal) < 2_500_000
    assert _kept(live_portal).width == 2400


def test_a_kind_that_only_the_browser_can_show_leaves_as_a_jpeg(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    joko = open_browser(**PHONE)
    _open_form(joko)
    webp = BytesIO()
    paper(640, 480).save(webp, "WEBP")

    _choose_photo(joko, webp.getvalue(), "IMG-WA0001.webp", "image/webp")
    expect(joko.get_by_text("Foto diperkecil")).to_be_visible()
    _bytes_sent(joko, live_portal)

    assert corners(_kept(live_portal)) == ["red", "green", "blue", "white"]


def test_a_small_photo_and_a_pdf_leave_as_they_are(open_browser: OpenBrowser) -> None:
    joko = open_browser(**PHONE)
    _open_form(joko)
    photo, pdf = jpeg(paper()), b"%PDF-1.4 " + bytes(3_000_000)
    size_after_a_while = (
        "async (input) => (await new Promise((done) => setTimeout(done, 500)), input.files[0].size)"
    )
    for content, name, kind in ((photo, "a.jpg", "image/jpeg"), (pdf, "a.pdf", "application/pdf")):
        _choose_photo(joko, content, name, kind)
        size = joko.locator("input[type=file]").evaluate(size_after_a_while)
        assert size == len(content), name


def test_without_javascript_the_photo_is_taken_as_it_is(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    joko = open_browser(**PHONE_WITHOUT_JAVASCRIPT)
    _open_form(joko)

    _choose_photo(joko, from_phone(orientation=TURNED_RIGHT))

    assert _bytes_sent(joko, live_portal) > 4_000_000
    assert _kept(live_portal).size == (1800, 2400)
