"""Every page of the desk in every state that admins meet, and how to get there. The desks are filled as in
the demo."""

import re
from collections.abc import Callable
from itertools import count

from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import select

from app.domain.indonesian_time import now, today_in_jakarta
from app.models import CampaignDay, CorrectionAttachment, TakenCorrection, User
from app.runtime import portal as running
from app.runtime.db import unit_of_work
from tests.browser.live_portal import LivePortal
from tests.browser.steps import ask_for_token, button, enter, field, open_newest_mail, see
from tests.cast import BUDI, DEWI, HADI, JOKO, RATNA, SARI, STRANGERS_NIP, TONO, WATI, Person
from tests.desk import asked, correction, person_id
from tests.photos import jpeg, paper

Reach = Callable[[Page, LivePortal], None]
_newcomers = count(10, 10)
_CSV = "nip,nama,email,kategori,kode_instansi,unit_kerja\n"


def at_the_desk(path: str, admin: Person = WATI) -> Reach:
    def reach(page: Page, _portal: LivePortal) -> None:
        enter(page, admin)
        page.goto(path)

    return reach


def sent_empty(path: str, act: str, admin: Person = WATI) -> Reach:
    def reach(page: Page, portal: LivePortal) -> None:
        at_the_desk(path, admin)(page, portal)
        button(page, act).click()
        expect(page.locator("[data-error-summary]").first).to_be_visible()

    return reach


def overview_with_tables(page: Page, portal: LivePortal) -> None:
    at_the_desk("/admin/")(page, portal)
    for summary in page.locator(".figures > summary").all():
        summary.click()
    expect(page.get_by_role("rowheader", name="Kurang dari 4 jam")).to_be_visible()


def with_campaign_day(page: Page, portal: LivePortal) -> None:
    with portal.app.app_context(), unit_of_work() as session:
        CampaignDay.write(session, 1, today_in_jakarta(now()), "Apel bersama")
    at_the_desk("/admin/instansi/1/hari-kampanye")(page, portal)
    expect(page.get_by_text("Apel bersama").first).to_be_visible()


def of(person: Person, path: str = "", act: str = "", admin: Person = WATI) -> Reach:
    """A page below a person's page. If `act` names its button, the form is sent empty."""

    def reach(page: Page, portal: LivePortal) -> None:
        address = f"/admin/pegawai/{person_id(portal.app, person)}{path}"
        (sent_empty(address, act, admin) if act else at_the_desk(address, admin))(page, portal)

    return reach


def first_request(act: str = "") -> Reach:
    def reach(page: Page, portal: LivePortal) -> None:
        at_the_desk("/admin/perbaikan-email")(page, portal)
        page.get_by_role("link", name=re.compile("^PE-")).nth(1).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Permintaan PE-")
        if act:
            button(page, act).click()
            expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def asked_on_record(page: Page, portal: LivePortal) -> None:
    at_the_desk("/beranda/perbaikan/nama", SARI)(page, portal)
    field(page, "Nama yang benar").fill("Sari Wulandari, S.K.M.")
    field(page, "Alasan").fill("Gelar belum tercatat.")
    button(page, "Kirim permintaan").click()
    expect(page.get_by_role("status").first).to_contain_text("Nomor tiket: PE-")


def ticket_of_record(page: Page, portal: LivePortal) -> None:
    at_the_desk("/beranda", SARI)(page, portal)
    page.get_by_role("link", name=re.compile("^PE-")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Permintaan perbaikan nama")


def request_of_record(act: str = "") -> Reach:
    def reach(page: Page, portal: LivePortal) -> None:
        at_the_desk("/admin/perbaikan-email")(page, portal)
        page.get_by_role("row").filter(has_text="S.K.M.").get_by_role("link").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Permintaan PE-")
        if act:
            button(page, act).click()
            expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def warned_at_the_desk(page: Page, portal: LivePortal) -> None:
    """The admin has mistyped the address."""
    at_the_desk(f"/admin/pegawai/{person_id(portal.app, JOKO)}/email")(page, portal)
    field(page, "Email baru").fill("joko@gmial.com")
    page.get_by_label("Surat dari atasan atau kepala unit kerja").check()
    field(page, "Alasan").fill("Datang ke loket 3")
    button(page, "Ganti email").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("joko@gmail.com")


def in_a_colleagues_hand(page: Page, portal: LivePortal) -> None:
    """Ratna has it in hand, and a photo came with it."""
    request_id = asked(portal.app, JOKO, "joko.foto@contoh.example")
    with portal.app.app_context(), unit_of_work() as session:
        TakenCorrection.take(session, request_id, person_id(portal.app, RATNA), now())
        session.add(
            CorrectionAttachment(
                correction_id=request_id, media_type="image/jpeg", content=jpeg(paper()), added_at=now()
            )
        )
    at_the_desk(f"/admin/perbaikan-email/{request_id}")(page, portal)
    expect(button(page, "Ambil alih")).to_be_visible()


def asked_back(page: Page, portal: LivePortal) -> int:
    request_id = asked(portal.app, JOKO, "joko.tanya@contoh.example")
    at_the_desk(f"/admin/perbaikan-email/{request_id}")(page, portal)
    field(page, "Catatan internal").fill("Sudah ditelepon, belum diangkat.")
    button(page, "Simpan catatan").click()
    field(page, "Pertanyaan untuk pemohon").fill("Sejak kapan email lama tidak dapat dibuka?")
    button(page, "Kirim pertanyaan dan lanjut").click()
    return request_id


def waits_for_the_answer(page: Page, portal: LivePortal) -> None:
    page.goto(f"/admin/perbaikan-email/{asked_back(page, portal)}")
    expect(page.get_by_text("Menunggu jawaban pemohon atas pertanyaan")).to_be_visible()


def question_on_the_ticket(act: str = "") -> Reach:
    def reach(page: Page, portal: LivePortal) -> None:
        request_id = asked_back(page, portal)
        with portal.app.app_context():
            reference = correction(portal.app, request_id).reference
            link = running.portal().keys.correction_link(reference)
        page.goto(f"/perbaikan-email/{link}")
        expect(page.get_by_label("Jawaban Anda")).to_be_visible()
        if act:
            button(page, act).click()
            expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def decided_request(page: Page, portal: LivePortal) -> None:
    at_the_desk("/admin/perbaikan-email?lihat=selesai")(page, portal)
    page.get_by_role("link", name=re.compile("^PE-")).first.click()


def several_requests(act: str = "") -> Reach:
    def reach(page: Page, portal: LivePortal) -> None:
        at_the_desk("/admin/perbaikan-email")(page, portal)
        button(page, "Pilih semua di halaman ini").click()
        button(page, "Jawab yang dipilih").click()
        see(page, "Jawab beberapa permintaan sekaligus")
        if act:
            button(page, act).click()
            expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def several_answered(page: Page, portal: LivePortal) -> None:
    ids = [asked(portal.app, JOKO, f"joko.{number}@contoh.example") for number in range(2)]
    enter(page, WATI)
    page.goto(f"/admin/perbaikan-email/{ids[0]}")  # nobody has looked at the other one, so it stays
    page.goto(f"/admin/perbaikan-email/beberapa?pilih={ids[0]}&pilih={ids[1]}")
    field(page, "Alasan penolakan").fill("Datang ke loket 3 dengan kartu pegawai.")
    button(page, "Tolak yang dipilih").click()
    see(page, "Hasil jawaban")


def scheduled_change(page: Page, portal: LivePortal) -> None:
    at_the_desk("/admin/perbaikan-email?lihat=terjadwal")(page, portal)
    page.get_by_role("table").get_by_role("link").first.click()
    see(page, "Keputusan perubahan email")


def waits_for_second(page: Page, portal: LivePortal) -> None:
    enter(page, RATNA)
    request_id = asked(portal.app, HADI, "hadi.baru@contoh.example")
    page.goto(f"/admin/perbaikan-email/{request_id}")
    if page.get_by_label("Tatap muka dengan kartu pegawai atau KTP").count():
        page.get_by_label("Tatap muka dengan kartu pegawai atau KTP").check()
        field(page, "Catatan pemeriksaan").fill("Datang sendiri")
        button(page, "Setujui dan lanjut").click()
    page.goto("/admin/perbaikan-email?lihat=kedua")
    page.get_by_role("table").get_by_role("link").first.click()
    see(page, "Keputusan perubahan email")


def stop_link(page: Page, portal: LivePortal) -> None:
    """Sari's address will be replaced, and Sari reads this in the mailbox."""
    request_id = asked(portal.app, SARI, "bukan.sari@contoh.example")
    enter(page, WATI)
    page.goto(f"/admin/perbaikan-email/{request_id}")
    if page.get_by_label("Tatap muka dengan kartu pegawai atau KTP").count():
        page.get_by_label("Tatap muka dengan kartu pegawai atau KTP").check()
        field(page, "Catatan pemeriksaan").fill("Datang sendiri")
        button(page, "Setujui dan lanjut").click()
    page.context.clear_cookies()
    mail = open_newest_mail(page, SARI.email or "", "Email akun")
    page.goto(mail.locator(".letter a").first.get_attribute("href") or "")
    mail.close()
    see(page, "Perubahan pada akun")


def stop_in_session(page: Page, portal: LivePortal) -> None:
    stop_link(page, portal)
    enter(page, SARI)
    page.goto("/akun/hentikan-ganti-email")


def hand_over(page: Page, rows: str) -> None:
    page.goto("/admin/impor")
    page.locator("input[type=file]").set_input_files(
        files=FilePayload(name="pegawai.csv", mimeType="text/csv", buffer=(_CSV + rows).encode())
    )
    button(page, "Unggah dan periksa").click()


def uploaded(rows: str, until: str) -> Reach:
    def reach(page: Page, _portal: LivePortal) -> None:
        enter(page, WATI)
        hand_over(page, rows)
        if page.locator("#impor-belum-selesai").count():  # it is from the state before this one
            page.get_by_role("button", name=re.compile("^Batalkan impor")).click()
            hand_over(page, rows)
        expect(page.get_by_role("main")).to_contain_text(until)

    return reach


def unfinished(page: Page, portal: LivePortal) -> None:
    uploaded(GOOD_ROW, "Akan ditambahkan")(page, portal)
    hand_over(page, f"{GOOD_ROW}\n")
    expect(page.locator("[data-error-summary]")).to_be_visible()


def to_take_back(page: Page, portal: LivePortal) -> None:
    """An import that can be taken back, of people whom no earlier state has brought."""
    first = next(_newcomers)
    rows = "".join(
        f"1991020220110210{first + one:02},Calon Pegawai,,PNS,7301,Dinas Pasar\n" for one in range(3)
    )
    uploaded(rows, "Akan ditambahkan")(page, portal)
    button(page, "Jalankan impor").click()
    expect(page.get_by_role("main")).to_contain_text("Impor selesai")
    page.get_by_role("link", name="Kembalikan impor ini").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kembalikan impor")


def refused_to_take_back(page: Page, portal: LivePortal) -> None:
    to_take_back(page, portal)
    button(page, "Kembalikan impor").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()


def taken_back(page: Page, portal: LivePortal) -> None:
    """A taking back after which one account stays, because somebody has used it meanwhile."""
    to_take_back(page, portal)
    with portal.app.app_context(), unit_of_work() as session:
        newest = session.scalars(select(User).order_by(User.id.desc()).limit(1)).one()
        newest.last_login_at = now()
    field(page, "Alasan").fill("Isi kolomnya tertukar.")
    button(page, "Kembalikan impor").click()
    for _ in range(40):
        if "Yang dibiarkan" in page.get_by_role("main").inner_text():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(page.get_by_role("main")).to_contain_text("Yang dibiarkan")


def people_chosen(act: str = "") -> Reach:
    """The page that asks what shall be done to some people. `act` sends a notice without words."""

    def reach(page: Page, portal: LivePortal) -> None:
        at_the_desk("/admin/pegawai?status=not_activated")(page, portal)
        button(page, "Tindakan untuk semua yang cocok").click()
        see(page, "Pilih tindakan untuk beberapa pegawai")
        if act:
            page.get_by_label("Tulis pemberitahuan").check()
            button(page, act).click()
            expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def at_once(notice: str = "", until: str = "akan dikirimi") -> Reach:
    """A bulk act as it is prepared; with `until` as its result, started and followed to its end."""

    def reach(page: Page, portal: LivePortal) -> None:
        people_chosen()(page, portal)
        if notice:
            page.get_by_label("Tulis pemberitahuan").check()
            field(page, "Isi pemberitahuan").fill(notice)
        button(page, "Lihat dahulu apa yang akan terjadi").click()
        expect(page.get_by_role("main")).to_contain_text("akan dikirimi")
        if until != "akan dikirimi":
            page.locator("main .btn-primary").click()
            expect(page.get_by_role("main")).to_contain_text(until, timeout=30_000)

    return reach


def cpns_chosen(act: str, send: str = "") -> Reach:
    def reach(page: Page, portal: LivePortal) -> None:
        at_the_desk("/admin/cpns")(page, portal)
        page.get_by_role("checkbox").nth(1).check()
        button(page, act).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("akun CPNS")
        if send:
            button(page, send).click()
            expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def cpns_answered(page: Page, portal: LivePortal) -> None:
    cpns_chosen("Setujui yang dicentang")(page, portal)
    field(page, "Nomor SK").fill("813/1204/BKPSDM/2026")
    field(page, "Tanggal SK").fill("2026-01-05")
    page.locator("main .btn-primary").click()
    see(page, "Hasil keputusan CPNS")


def by_list(kind: str, nips: str | None = None, reason: str = "") -> Reach:
    """The form of an act on the people of a list; with `nips` it is sent."""

    def reach(page: Page, portal: LivePortal) -> None:
        at_the_desk(f"{_BY_LIST}?tindakan={kind}")(page, portal)
        if nips is None:
            return
        field(page, "Tempel NIP di sini").fill(nips)
        field(page, "Alasan").fill(reason)
        button(page, "Lihat dahulu apa yang akan terjadi").click()
        if reason:
            expect(page.get_by_role("heading", level=1)).to_contain_text(", nomor")
        else:
            expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def sessions_not_ended(page: Page, portal: LivePortal) -> None:
    """Sari has a session, in a browser of her own."""
    enter(page, SARI)
    page.context.clear_cookies()
    of(SARI, "/akhiri-sesi", "Akhiri semua sesi")(page, portal)


def correction_mailed(page: Page, _portal: LivePortal) -> None:
    page.goto("/perbaikan-email")
    field(page, "NIP").fill(STRANGERS_NIP)
    field(page, "Email baru").fill("orang.baru@contoh.example")
    button(page, "Kirim tautan").click()
    see(page, "Periksa email Anda")


def correction_form(act: str = "") -> Reach:
    def reach(page: Page, _portal: LivePortal) -> None:
        ask_for_token(page, STRANGERS_NIP, "alamat.lain@contoh.example")
        mail = open_newest_mail(page, "alamat.lain@contoh.example")
        page.goto(mail.locator(".letter a").first.get_attribute("href") or "")
        mail.close()
        see(page, "Isi permintaan perbaikan email")
        if act:
            button(page, act).click()
            expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def correction_ticket(page: Page, _portal: LivePortal) -> None:
    ask_for_token(page, STRANGERS_NIP, "alamat.ketiga@contoh.example")
    mail = open_newest_mail(page, "alamat.ketiga@contoh.example")
    page.goto(mail.locator(".letter a").first.get_attribute("href") or "")
    mail.close()
    field(page, "Nama lengkap").fill("Orang Lain")
    page.get_by_label("Alasan").fill("Email lama mati.")
    button(page, "Kirim permintaan").click()
    see(page, "Permintaan perbaikan email")


def correction_on_record(page: Page, _portal: LivePortal) -> None:
    page.goto("/perbaikan-email")
    field(page, "NIP").fill(DEWI.nip)
    field(page, "Email baru").fill(DEWI.email or "")
    button(page, "Kirim tautan").click()
    mail = open_newest_mail(page, DEWI.email or "", "Lanjutkan")
    page.goto(mail.locator(".letter a").first.get_attribute("href") or "")
    mail.close()
    see(page, "Email ini sudah tercatat")


def password_asked_again(page: Page, portal: LivePortal) -> None:
    at_the_desk("/admin/mandat/baru", RATNA)(page, portal)
    portal.let_proofs_rest()
    button(page, "Tunjuk").click()
    see(page, "Password sekali lagi")


def sent_with_days_turned(path: str) -> Reach:
    def reach(page: Page, portal: LivePortal) -> None:
        at_the_desk(path, RATNA)(page, portal)
        field(page, "Tanggal buka").fill("2027-02-01")
        field(page, "Tanggal tutup").fill("2027-01-01")
        button(page, "Simpan jadwal").click()
        expect(page.locator("[data-error-summary]")).to_be_visible()

    return reach


def _go(page: Page, path: str) -> None:
    page.goto(path)


GOOD_ROW = "199001012015011777,Nama Baru,nama.baru@nusajaya.example,PNS,7301,Dinas Kesehatan\n"
FOREIGN_ROW = "199001012015011778,Nama Lain,nama.lain@contoh.example,PNS,3402,Biro Hukum\n"
# Names and units are swapped.
SWAPPED_ROWS = "".join(
    f"{one.nip},{one.unit},,{one.category.label},{one.instansi},{one.name}\n" for one in (BUDI, JOKO, DEWI)
)

_PERSON = "/admin/pegawai/<row:person_id>"
_CORRECTION = "/admin/perbaikan-email/<big_row:correction_id>"
_BY_LIST = "/admin/sekaligus/daftar"
_AT_ONCE = "/admin/sekaligus/<big_row:bulk_id>"
_ASK = "/beranda/perbaikan"
_INSTANSI = "/admin/instansi/<row:instansi_id>"
STATES: tuple[tuple[str, str, Reach], ...] = (
    ("/admin/", "of an instansi", at_the_desk("/admin/")),
    ("/admin/", "of pusat", at_the_desk("/admin/", RATNA)),
    ("/admin/", "with the tables of all charts open", overview_with_tables),
    ("/admin/", "for who is no admin", at_the_desk("/admin/", SARI)),
    ("/admin/perbaikan-email", "with a queue", at_the_desk("/admin/perbaikan-email")),
    ("/admin/perbaikan-email", "of pusat", at_the_desk("/admin/perbaikan-email", RATNA)),
    ("/admin/perbaikan-email", "decided", at_the_desk("/admin/perbaikan-email?lihat=selesai")),
    ("/admin/perbaikan-email", "scheduled", at_the_desk("/admin/perbaikan-email?lihat=terjadwal")),
    ("/admin/perbaikan-email", "narrowed", at_the_desk("/admin/perbaikan-email?umur=lewat&peringatan=berat")),
    ("/admin/perbaikan-email", "waits for people", at_the_desk("/admin/perbaikan-email?lihat=pemohon")),
    ("/admin/perbaikan-email", "of no instansi", at_the_desk("/admin/perbaikan-email?instansi=a", RATNA)),
    (_CORRECTION, "open", first_request()),
    (_CORRECTION, "in a colleague's hand", in_a_colleagues_hand),
    (_CORRECTION, "waits for the answer", waits_for_the_answer),
    (_CORRECTION, "refused without a question", first_request("Kirim pertanyaan dan lanjut")),
    (_CORRECTION, "refused without grounds", first_request("Setujui dan lanjut")),
    (_CORRECTION, "decided", decided_request),
    ("/admin/perbaikan-email/beberapa", "chosen", several_requests()),
    ("/admin/perbaikan-email/beberapa", "refused without grounds", several_requests("Setujui yang dipilih")),
    ("/admin/perbaikan-email/hasil", "after several answers", several_answered),
    ("/admin/perbaikan-email/perubahan/<big_row:change_id>", "scheduled", scheduled_change),
    ("/admin/perbaikan-email/perubahan/<big_row:change_id>", "waits for a second admin", waits_for_second),
    ("/bukan-saya/<link>", "before it holds", stop_link),
    ("/bukan-saya/<link>", "cut off", lambda page, _portal: _go(page, "/bukan-saya/terpotong")),
    ("/akun/hentikan-ganti-email", "before it holds", stop_in_session),
    ("/admin/cpns", "with people who wait", at_the_desk("/admin/cpns")),
    ("/admin/cpns/setujui", "chosen", cpns_chosen("Setujui yang dicentang")),
    ("/admin/cpns/setujui", "refused when empty", cpns_chosen("Setujui yang dicentang", "Setujui")),
    ("/admin/cpns/tolak", "chosen", cpns_chosen("Tolak yang dicentang")),
    ("/admin/cpns/hasil/<big_row:event_id>", "after an approval", cpns_answered),
    ("/admin/pegawai", "everybody", at_the_desk("/admin/pegawai")),
    ("/admin/pegawai", "who is stuck", at_the_desk("/admin/pegawai?macet=token")),
    ("/admin/pegawai", "nobody found", at_the_desk("/admin/pegawai?nama=tidak-ada")),
    ("/admin/sekaligus/baru", "at first", people_chosen()),
    ("/admin/sekaligus/baru", "refused without words", people_chosen("Lihat dahulu apa yang akan terjadi")),
    (_AT_ONCE, "prepared", at_once("Aktifkan akun sebelum 30-11-2026.\nTanya loket helpdesk.")),
    (_AT_ONCE, "done", at_once(until="pegawai dikirimi token")),
    ("/admin/sekaligus", "with acts", at_the_desk("/admin/sekaligus")),
    (_BY_LIST, "what can be done", at_the_desk(_BY_LIST)),
    (_BY_LIST, "of candidates", by_list("setujui_cpns")),
    (_BY_LIST, "of who moves, refused when empty", by_list("mutasi", "")),
    (_BY_LIST, "refused with faults", by_list("nonaktifkan", f"{SARI.nip}\n131234567\nBudi Santoso")),
    (
        _AT_ONCE,
        "prepared, with a list",
        by_list("nonaktifkan", f"{BUDI.nip}\n{TONO.nip}\n{STRANGERS_NIP}", "SK"),
    ),
    (_PERSON, "never activated", of(JOKO)),
    (_PERSON, "deactivated", of(TONO)),
    (f"{_PERSON}/ubah", "at first", of(JOKO, "/ubah")),
    (f"{_PERSON}/ubah", "refused without a reason", of(JOKO, "/ubah", "Simpan")),
    (f"{_PERSON}/email", "at first", of(JOKO, "/email")),
    (f"{_PERSON}/email", "refused when empty", of(JOKO, "/email", "Ganti email")),
    (f"{_PERSON}/email", "refused with a warning to acknowledge", warned_at_the_desk),
    (f"{_PERSON}/nonaktifkan", "at first", of(JOKO, "/nonaktifkan")),
    (f"{_PERSON}/aktifkan", "at first", of(TONO, "/aktifkan")),
    (f"{_PERSON}/akhiri-sesi", "nothing is open", of(JOKO, "/akhiri-sesi")),
    (f"{_PERSON}/akhiri-sesi", "refused without a reason", sessions_not_ended),
    (f"{_PERSON}/mutasi", "refused when empty", of(JOKO, "/mutasi", "Pindahkan")),
    ("/admin/impor", "at first", at_the_desk("/admin/impor")),
    ("/admin/impor", "refused without a file", sent_empty("/admin/impor", "Unggah dan periksa")),
    ("/admin/impor/<big_row:batch_id>", "checked", uploaded(GOOD_ROW + FOREIGN_ROW, "Mengapa ditolak")),
    ("/admin/impor/<big_row:batch_id>", "changes much", uploaded(SWAPPED_ROWS, "Contoh perubahan")),
    ("/admin/impor", "refused while another file is not over", unfinished),
    ("/admin/impor/<big_row:batch_id>/kembalikan", "at first", to_take_back),
    ("/admin/impor/<big_row:batch_id>/kembalikan", "refused without a reason", refused_to_take_back),
    ("/admin/impor/<big_row:batch_id>/kembalikan", "done, with a rest", taken_back),
    ("/admin/mandat", "of an instansi", at_the_desk("/admin/mandat")),
    ("/admin/mandat", "of pusat", at_the_desk("/admin/mandat", RATNA)),
    ("/admin/mandat/baru", "at first", at_the_desk("/admin/mandat/baru", RATNA)),
    ("/admin/mandat/baru", "refused when empty", sent_empty("/admin/mandat/baru", "Tunjuk", RATNA)),
    ("/admin/mandat/baru", "with the password again", password_asked_again),
    ("/admin/mandat", "nothing found", at_the_desk("/admin/mandat?cari=zzz", RATNA)),
    ("/admin/mandat", "refused for what cannot be searched", at_the_desk("/admin/mandat?cari=12ab", RATNA)),
    ("/admin/mandat/<row:mandate_id>/cabut", "at first", at_the_desk("/admin/mandat/1/cabut", RATNA)),
    ("/admin/mandat/<row:mandate_id>/serahkan", "at first", at_the_desk("/admin/mandat/1/serahkan", RATNA)),
    ("/admin/mandat/<row:mandate_id>/serahkan", "as a proposal", at_the_desk("/admin/mandat/1/serahkan")),
    (
        "/admin/mandat/<row:mandate_id>/serahkan",
        "refused when empty",
        sent_empty("/admin/mandat/1/serahkan", "Serahkan", RATNA),
    ),
    ("/admin/instansi", "of an instansi", at_the_desk("/admin/instansi")),
    ("/admin/instansi", "of pusat", at_the_desk("/admin/instansi", RATNA)),
    (f"{_INSTANSI}/kontak", "at first", at_the_desk("/admin/instansi/1/kontak")),
    (f"{_INSTANSI}/hari-kampanye", "at first", at_the_desk("/admin/instansi/1/hari-kampanye")),
    (f"{_INSTANSI}/hari-kampanye", "with a day", with_campaign_day),
    (
        "/admin/instansi/hari-kampanye-nasional",
        "refused when empty",
        sent_empty("/admin/instansi/hari-kampanye-nasional", "Catat hari kampanye", RATNA),
    ),
    (f"{_INSTANSI}/jadwal", "at first", at_the_desk("/admin/instansi/1/jadwal", RATNA)),
    ("/admin/instansi/jadwal-nasional", "refused", sent_with_days_turned("/admin/instansi/jadwal-nasional")),
    ("/admin/audit", "newest first", at_the_desk("/admin/audit", RATNA)),
    ("/admin/audit", "nothing found", at_the_desk(f"/admin/audit?nip={STRANGERS_NIP}")),
    *((f"{_ASK}/{part}", "at first", at_the_desk(f"{_ASK}/{part}", SARI)) for part in ("nip", "unit-kerja")),
    (f"{_ASK}/telepon", "refused when empty", sent_empty(f"{_ASK}/telepon", "Kirim permintaan", SARI)),
    (f"{_ASK}/nama", "at first", at_the_desk(f"{_ASK}/nama", SARI)),
    ("/beranda", "with a request", asked_on_record),
    ("/perbaikan-email/<link>", "as the ticket of a name", ticket_of_record),
    ("/perbaikan-email/<link>", "with a question", question_on_the_ticket()),
    ("/perbaikan-email/<link>", "refused without an answer", question_on_the_ticket("Kirim jawaban")),
    (_CORRECTION, "about a name", request_of_record()),
    (_CORRECTION, "about a name, refused without grounds", request_of_record("Setujui dan lanjut")),
)
# Downloads, and addresses that the script of a page asks.
NOT_PAGES = {
    f"{_CORRECTION}/gambar",
    f"{_CORRECTION}/lampiran",
    "/admin/impor/<big_row:batch_id>/ditolak.<any(xlsx, csv):kind>",
    "/admin/impor/<big_row:batch_id>/kemajuan",
    "/admin/sekaligus/<big_row:bulk_id>/kemajuan",
    "/admin/impor/<big_row:batch_id>/perubahan.<any(xlsx, csv):kind>",
    "/admin/impor/template.csv",
    "/admin/impor/template.xlsx",
}
