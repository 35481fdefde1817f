"""`python -m tests.browser.desk_pictures docs/img/admin` (`make admin-pictures`): pictures of the desk, for
the guide for admins."""

import base64
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from app.runtime import migrations
from app.security import passwords
from app.web import assets
from tests.browser.chromium import INDONESIAN, PHONE, launch_args
from tests.browser.live_portal import LivePortal, running_portal
from tests.browser.steps import ask_for_token, button, field, log_in, see
from tests.cast import BUDI, CINTA, PASSWORD, RATNA, SARI, WATI, Person
from tests.desk import person_id

LOOK: dict[str, Any] = {**INDONESIAN, "color_scheme": "light", "viewport": {"width": 1280, "height": 800}}
MOST_BYTES = 120_000
QUALITY = 75
STAFF = (
    "nip,nama,email,kategori,kode_instansi,unit_kerja\n"
    "199001012015011777,Nama Baru,nama.baru@nusajaya.example,PNS,7301,Dinas Kesehatan\n"
    "199102022016022778,Nama Kedua,nama.kedua@nusajaya.example,PPPK,7301,Dinas Pendidikan\n"
    "19920303201701177,NIP Pendek,nip.pendek@nusajaya.example,PNS,7301,Dinas Kesehatan\n"
    "199304042018012779,Dari Tempat Lain,tempat.lain@contoh.example,PNS,3402,Biro Hukum\n"
    f"{SARI.nip},Sari Wulandari,sari.baru@nusajaya.example,PNS,7301,Dinas Kesehatan\n"
)


def take(chromium: Browser, portal: LivePortal, folder: Path) -> list[Path]:
    """Take pictures of a morning at Wati's desk, and of some pages of pusat."""
    taken: list[Path] = []

    def picture(page: Page, name: str, start: str | None = None, most: int = 1000) -> None:
        taken.append(folder / f"{name}.webp")
        taken[-1].write_bytes(_as_webp(page, start, most))

    budi = _window(chromium, portal)
    ask_for_token(budi, BUDI.nip, BUDI.email or "")
    portal.mails()

    wati = _at_the_desk(chromium, portal, WATI)
    picture(wati, "ringkasan", most=1300)
    wati.goto("/admin/perbaikan-email")
    picture(wati, "antrean")
    wati.get_by_role("link", name=re.compile("^PE-")).nth(2).click()
    expect(wati.get_by_role("heading", level=1)).to_contain_text("Permintaan PE-")
    picture(wati, "permintaan", most=1110)

    wati.goto("/admin/perbaikan-email")
    wati.get_by_role("link", name=re.compile("^PE-")).last.click()
    field(wati, "Catatan internal").fill("Sudah ditelepon pukul 10, belum diangkat.")
    button(wati, "Simpan catatan").click()
    field(wati, "Pertanyaan untuk pemohon").fill("Sejak kapan email lama tidak dapat dibuka?")
    wati.evaluate("document.activeElement.blur()")
    picture(wati, "tanya-pemohon", start="#tanya", most=800)

    wati.goto("/admin/perbaikan-email")
    wati.get_by_role("link", name=re.compile("^PE-")).first.click()
    wati.get_by_label("Telepon ke nomor di data kepegawaian").check()
    field(wati, "Catatan pemeriksaan").fill(
        "Ditelepon pukul 09.10 ke nomor di data; nama atasan langsung cocok"
    )
    wati.evaluate("document.activeElement.blur()")
    picture(wati, "keputusan", start="#setujui")

    for row in (0, 3):
        wati.goto("/admin/perbaikan-email")
        wati.get_by_role("link", name=re.compile("^PE-")).nth(row).click()
    wati.goto("/admin/perbaikan-email")
    for row in (0, 3, 5):
        wati.locator("[data-pick]").nth(row).check()
    button(wati, "Jawab yang dipilih").click()
    see(wati, "Jawab beberapa permintaan sekaligus")
    picture(wati, "beberapa", start="main", most=1000)

    wati.goto("/admin/pegawai?macet=email")
    picture(wati, "cari-pegawai", start="main", most=800)
    wati.goto("/admin/pegawai?nip=197")
    for row in range(6):
        wati.locator("[data-pick]").nth(row).check()
    button(wati, "Tindakan untuk yang dicentang").click()
    button(wati, "Lihat dahulu apa yang akan terjadi").click()
    see(wati, "Kirim token, nomor 1")
    picture(wati, "sekaligus", start="main", most=1000)
    wati.goto(f"/admin/pegawai/{person_id(portal.app, BUDI)}")
    picture(wati, "halaman-pegawai", most=810)
    picture(wati, "riwayat-pegawai", start="main h2:nth-of-type(2)")
    wati.goto(f"/admin/pegawai/{person_id(portal.app, SARI)}/email")
    picture(wati, "ganti-email", start="main")

    wati.goto("/admin/cpns")
    for row in (0, 1):
        wati.locator("[data-pick]").nth(row).check()
    button(wati, "Setujui yang dicentang").click()
    see(wati, "Setujui akun CPNS")
    field(wati, "Nomor SK").fill("813/1204/BKPSDM/2026")
    field(wati, "Tanggal SK").fill("2026-01-15")
    wati.evaluate("document.activeElement.blur()")
    picture(wati, "cpns", start="main")

    wati.goto("/admin/cpns")
    wati.get_by_role("link", name="Punya daftar NIP atau file SK?").click()
    field(wati, "Nomor SK").fill("813/1204/BKPSDM/2026")
    field(wati, "Tanggal SK").fill("2026-01-15")
    field(wati, "Tempel NIP di sini").fill(
        f"1. {CINTA.nip} Cinta Maharani\n2. 131234567 Candra\n3. {SARI.nip}"
    )
    button(wati, "Lihat dahulu apa yang akan terjadi").click()
    see(wati, "Setujui akun CPNS dengan daftar")
    wati.evaluate("document.activeElement.blur()")
    picture(wati, "daftar-nip", start="main", most=1200)

    wati.goto("/admin/impor")
    file: FilePayload = {"name": "pegawai-baru.csv", "mimeType": "text/csv", "buffer": STAFF.encode()}
    wati.locator("input[type=file]").set_input_files(files=[file])
    button(wati, "Unggah dan periksa").click()
    expect(button(wati, "Jalankan impor")).to_be_visible(timeout=20_000)
    picture(wati, "impor", start="main", most=1080)
    portal.let_proofs_rest()
    button(wati, "Jalankan impor").click()
    see(wati, "Password sekali lagi")
    picture(wati, "password-sekali-lagi", start="main")

    phone = _at_the_desk(chromium, portal, WATI, **PHONE)
    phone.goto("/admin/cpns")
    picture(phone, "hp", start="#daftar", most=560)
    button(phone, "Menu").tap()
    picture(phone, "hp-menu", most=640)

    ratna = _at_the_desk(chromium, portal, RATNA)
    ratna.goto(f"/admin/audit?nip={BUDI.nip}")
    picture(ratna, "jejak-audit", start="main", most=690)
    ratna.goto("/admin/mandat")
    picture(ratna, "mandat", start="main")
    return taken


def _at_the_desk(chromium: Browser, portal: LivePortal, admin: Person, **look: Any) -> Page:
    page = _window(chromium, portal, **look)
    log_in(page, admin)
    page.goto("/admin/")
    return page


def _window(chromium: Browser, portal: LivePortal, **look: Any) -> Page:
    return chromium.new_context(base_url=portal.url, **{**LOOK, **look}).new_page()


def _as_webp(page: Page, start: str | None, most: int) -> bytes:
    """Take the page from the element `start` to the end of its main part, at most `most` pixels high and
    without the footer."""
    width, top, bottom = page.evaluate(
        """start => {
            const edges = (one) => one.getBoundingClientRect();
            const top = start ? edges(document.querySelector(start)).top + scrollY - 16 : 0;
            return [innerWidth, top, edges(document.querySelector("main")).bottom + scrollY];
        }""",
        start,
    )
    clip = {"x": 0, "y": top, "width": width, "height": min(most, bottom - top), "scale": 1}
    session = page.context.new_cdp_session(page)
    order = {"format": "webp", "quality": QUALITY, "clip": clip, "captureBeyondViewport": True}
    return base64.b64decode(session.send("Page.captureScreenshot", order)["data"])


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        template = Path(temporary) / "template.db"
        migrations.upgrade(f"sqlite:///{template}")
        chromium = playwright.chromium.launch(**launch_args())
        with running_portal(Path(temporary), template, assets.STATIC, passwords.hashed(PASSWORD)) as portal:
            portal.fill_the_desks()
            files = take(chromium, portal, folder)
        chromium.close()
    for file in files:
        size = file.stat().st_size
        print(f"{file}: {size:,} bytes")
        if size > MOST_BYTES:
            sys.exit(f"{file} is larger than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/img/admin"))
