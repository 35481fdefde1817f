"""Someone whose address on record is wrong asks for another one, and sees what becomes of the request."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from io import BytesIO
from threading import Barrier, BoundedSemaphore

import pytest
import time_machine
from flask import Flask
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.domain.act import Act
from app.domain.attachment import LARGEST_SIDE_KEPT, LONGEST_ATTACHMENT, LONGEST_FILE, is_redrawn
from app.domain.categories import Activation, Category
from app.domain.client import Client
from app.domain.corrections import DATA_DO_NOT_MATCH, CorrectionState, IdentityCheck
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import WIB, now, shown_moment
from app.domain.nip import Nip
from app.files import received_photo
from app.flows.correction.answer_unknown_nips import MOST_OF_ONE_PERSON, answer_unknown_nips
from app.mail import letters
from app.models import AuditEvent, Instansi, OutboxMail, Tag, User
from app.models.correction_attachment import CorrectionAttachment
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security.throttle import CORRECTIONS_PER_LINE
from app.web.ticket_page import LONGEST_BODY
from app.worker import acts
from tests.cast import BUDI, HADI, JOKO, SARI, STRANGERS_NIP, TONO, WATI
from tests.inbox import Inbox, Mail
from tests.photos import PLACE, TURNED_RIGHT, camera_notes, from_phone, grainy, jpeg, opened, paper, png
from tests.visitor import Visitor, words_of

NEW = "joko@nusajaya.example"
FORM = {
    "name": "Joko Prabowo Adi",
    "work_unit": "Sekretariat Daerah",
    "reason": "Email lama tidak bisa dibuka.",
}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now(), tick=False) as travelled:
        yield travelled


def ask(visitor: Visitor, nip: str = JOKO.nip, email: str = NEW) -> TestResponse:
    return visitor.submit("/perbaikan-email", nip=nip, email=email)


def link_for(
    app: Flask, inbox: Inbox, nip: str = JOKO.nip, email: str = NEW, address: str = "203.0.113.7"
) -> str:
    """Ask for a link, and find its mail among the others that have come meanwhile."""
    assert ask(Visitor(app, address), nip, email).status_code == 303
    [mail] = [mail for mail in inbox.fetch() if mail.to == email and "Lanjutkan" in mail.subject]
    return path_of(mail)


def path_of(mail: Mail) -> str:
    return mail.link.removeprefix("http://localhost")


def send(
    visitor: Visitor, link: str, content: bytes | None = None, filename: str = "sk.jpg", /, **fields: str
) -> TestResponse:
    attached = {} if content is None else {"attachment": (content, filename)}
    return visitor.submit(link, **{**FORM, **fields}, **attached)


def requests_in(app: Flask) -> list[EmailCorrection]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(EmailCorrection).order_by(EmailCorrection.id)))


def attachments_in(app: Flask) -> list[CorrectionAttachment]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(CorrectionAttachment)))


def keep_house(app: Flask) -> str:
    done = app.test_cli_runner().invoke(args=["housekeeping"])
    assert done.exit_code == 0, done.output
    return done.output


def person_of(app: Flask, nip: str) -> User:
    with app.app_context(), reading() as session:
        found = User.with_nip(session, Nip(nip))
        assert found is not None
        return found


# -- the whole way


def test_joko_asks_from_the_page_and_gets_a_ticket(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    asked = ask(visitor)
    page = words_of(visitor.open(asked.location))
    assert asked.status_code == 303
    assert "Periksa email Anda" in page
    assert NEW in page

    link = path_of(inbox.fetch_one(NEW))
    form = words_of(visitor.open(link))
    assert NEW in form
    assert "19821103******1***" in form
    assert JOKO.nip not in form
    assert "Unit kerja (opsional)" in form
    assert "Sekretariat" not in form, "nothing on record is told"
    sent = send(visitor, link, phone="0812 3456 7890")

    assert (sent.status_code, sent.location) == (303, link)
    [request] = requests_in(peopled)
    joko = person_of(peopled, JOKO.nip)
    assert (request.state, request.user_id, request.instansi_id) == (
        CorrectionState.NEW,
        joko.id,
        joko.instansi_id,
    )
    assert (request.name, request.phone) == ("Joko Prabowo Adi", "0812 3456 7890")
    received = inbox.fetch_one(NEW)
    assert request.ticket in received.subject
    assert "Yth. Bapak/Ibu" in received.text
    assert "Joko" not in received.text
    assert shown_moment(request.promised_by) in received.text
    for link_to_ticket in (link, path_of(received)):
        ticket = words_of(Visitor(peopled).open(link_to_ticket))
        assert request.ticket in ticket
        assert "Status Baru" in ticket
        assert shown_moment(request.promised_by) in ticket


def test_the_mail_that_the_address_is_not_registered_leads_to_the_same_form(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    visitor.ask_for_token(JOKO.nip, NEW)
    link = path_of(inbox.fetch_one(NEW))
    assert requests_in(peopled) == [], "nothing is written before the form comes in"

    assert "Isi permintaan" in words_of(visitor.open(link))
    token = visitor.csrf_token(link)
    for _ in range(2):
        assert visitor.post(link, csrf_token=token, **FORM).status_code == 303

    [request] = requests_in(peopled)
    assert request.state is CorrectionState.NEW
    assert request.user_id == person_of(peopled, JOKO.nip).id
    assert request.ticket in inbox.fetch_one(NEW).text


def test_the_work_unit_may_be_left_out_of_the_post(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    link = link_for(peopled, inbox)

    sent = visitor.post(link, csrf_token=visitor.csrf_token(link), name="Joko", reason="Salah ketik")

    assert sent.status_code == 303
    assert requests_in(peopled)[0].work_unit == ""


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", " \u200b ", "Isi nama lengkap Anda"),
        ("name", "A" * 201, "paling banyak 200 huruf"),
        ("work_unit", "A" * 201, "paling banyak 200 huruf"),
        ("reason", "", "Tulis mengapa"),
        ("reason", "a" * 1001, "paling banyak 1000 huruf"),
        ("phone", "telepon saya", "dengan angka saja"),
        ("phone", "0" * 31, "paling banyak 30 huruf"),
    ],
)
def test_each_field_has_its_own_sentence(
    peopled: Flask, visitor: Visitor, inbox: Inbox, field: str, typed: str, sentence: str
) -> None:
    link = link_for(peopled, inbox)

    refused = send(visitor, link, **{field: typed})

    assert refused.status_code == 422
    assert sentence in words_of(refused)
    assert "Ada masalah" in words_of(refused)
    assert refused.text.startswith("<!doctype html>")
    assert "<title>Kesalahan: " in refused.text
    assert [request.state for request in requests_in(peopled)] == [CorrectionState.ASKED]


def test_what_was_typed_is_cleaned(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    send(
        visitor,
        link_for(peopled, inbox),
        name="  Jo\u200bko\n  Adi\u0301 ",
        reason="satu\r\n\r\n\r\n\r\ndua \u202e<b>",
    )

    [request] = requests_in(peopled)
    assert (request.name, request.reason) == ("Joko Ad\u00ed", "satu\n\ndua <b>")


def test_a_form_without_its_csrf_token_comes_back_with_what_was_typed(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    link = link_for(peopled, inbox)

    for path, fields in (("/perbaikan-email", {"nip": JOKO.nip, "email": NEW}), (link, FORM)):
        again = visitor.post(path, **fields)
        assert again.status_code == 400
        assert "Isian Anda masih ada" in words_of(again)
        assert all(value in again.text for value in fields.values())


# -- asking for the link


def test_a_likely_slip_is_a_warning_that_can_be_passed(visitor: Visitor, inbox: Inbox) -> None:
    warned = ask(visitor, email="joko@gmial.com")
    assert warned.status_code == 422
    assert "joko@gmail.com" in words_of(warned)
    assert inbox.fetch() == []

    visitor.submit(warned, email_checked="joko@gmial.com")

    assert inbox.fetch_one("joko@gmial.com")


def test_the_same_form_sent_twice_is_one_request(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    token = visitor.csrf_token("/perbaikan-email")

    for _ in range(2):
        assert (
            visitor.post(
                "/perbaikan-email", csrf_token=token, form_id="one", nip=JOKO.nip, email=NEW
            ).status_code
            == 303
        )
    visitor.post("/perbaikan-email", csrf_token=token, form_id="another", nip=JOKO.nip, email=NEW)

    assert len(inbox.fetch()) == len(requests_in(peopled)) == 2


def test_after_three_links_in_an_hour_the_page_is_the_same_and_no_mail_leaves(
    peopled: Flask, inbox: Inbox
) -> None:
    pages = []
    for _ in range(4):
        visitor = Visitor(peopled)
        pages.append(re.sub(r"\d\d\.\d\d", "", words_of(visitor.open(ask(visitor).location))))

    assert len(inbox.fetch()) == 3
    assert len(set(pages)) == 1


def test_links_that_a_stranger_asks_for_do_not_use_up_the_days_tokens(
    peopled: Flask, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    for _ in range(6):
        ask(Visitor(peopled), BUDI.nip, BUDI.email or "")
        clock.shift(3601)
    inbox.fetch()

    Visitor(peopled).ask_for_token(BUDI.nip, BUDI.email or "")

    assert inbox.fetch_one(BUDI.email).code


def test_contacts_are_shown_when_searched_for_where_there_are_many(peopled: Flask, visitor: Visitor) -> None:
    assert "loket 3" in words_of(visitor.open("/perbaikan-email"))
    with peopled.app_context(), unit_of_work() as session:
        session.add_all(
            Instansi(code=f"9{n:03}", name=f"Kabupaten Rekaan {n}", helpdesk_contact=f"kontak {n}")
            for n in range(25)
        )

    assert "loket 3" not in words_of(visitor.open("/perbaikan-email"))
    assert "loket 3" in words_of(visitor.open("/perbaikan-email?cari=nusa+KABUPATEN"))
    assert "20 dari 25" in words_of(visitor.open("/perbaikan-email?cari=rekaan"))
    nothing = visitor.open("/perbaikan-email?cari=%3Cscript%3E")
    assert "Tidak ada instansi" in words_of(nothing)
    assert "<script>" not in nothing.text


# -- what a link shows


def test_who_is_on_record_already_is_told_so_at_that_mailbox_only(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    own = link_for(peopled, inbox, SARI.nip, "SARI@nusajaya.example")
    others = link_for(peopled, inbox, SARI.nip, "orang@contoh.example")
    token = visitor.csrf_token(others)

    assert "sudah tercatat" in words_of(visitor.open(own))
    assert "sudah tercatat" not in words_of(visitor.open(others))
    assert visitor.post(own, csrf_token=token, **FORM).status_code == 303
    assert all(request.state is CorrectionState.ASKED for request in requests_in(peopled))


def test_a_second_link_leads_to_the_ticket_that_is_open(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    first, second = link_for(peopled, inbox), link_for(peopled, inbox)
    token = visitor.csrf_token(second)
    send(visitor, first)
    ticket = next(request.ticket for request in requests_in(peopled) if request.submitted_at)

    sent = visitor.post(second, csrf_token=token, **FORM)

    seen = visitor.open(visitor.open(sent.location).location)
    assert ticket in words_of(seen)
    assert "sudah ada" in words_of(seen)
    assert len([request for request in requests_in(peopled) if request.submitted_at]) == 1
    assert len(inbox.fetch()) == 1


def test_a_link_fills_in_for_seven_days_and_shows_its_ticket_for_ninety(
    peopled: Flask, visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    used, unused = link_for(peopled, inbox), link_for(peopled, inbox, BUDI.nip, "baru@contoh.example")
    token = visitor.csrf_token(unused)
    send(visitor, used)

    clock.shift(timedelta(days=8))

    assert visitor.open(unused).status_code == 404
    assert visitor.post(unused, csrf_token=token, **FORM).status_code in (400, 404)
    assert visitor.post_with_token("/lupa-password", unused, **FORM).status_code == 404
    assert "Nomor tiket" in words_of(visitor.open(used))
    clock.shift(timedelta(days=83))
    assert visitor.open(used).status_code == 404


def with_another_signature(link: str) -> str:
    signed, signature = link.rsplit(".", 1)
    return f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def test_a_link_of_another_purpose_or_a_changed_one_opens_nothing(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    good = link_for(peopled, inbox)
    reference = requests_in(peopled)[0].reference
    visitor.ask_for_token(BUDI.nip, BUDI.email or "")
    reset_link = inbox.fetch_one().link.rsplit("/", 1)[1]
    with peopled.app_context():
        keys = portal().keys
        wrong = [keys.stop_link(reference), reset_link, keys.correction_link("A" * 16), reference]
    secret = good.rsplit("/", 1)[1]
    wrong += [("B" if secret[0] == "A" else "A") + secret[1:], with_another_signature(secret)]

    for link in wrong:
        assert visitor.open(f"/perbaikan-email/{link}").status_code == 404, link
        assert (
            visitor.post_with_token("/lupa-password", f"/perbaikan-email/{link}", **FORM).status_code == 404
        ), link
    assert visitor.open(f"/konfirmasi-reset-password/{secret}").status_code == 404
    assert visitor.open(f"/bukan-saya/{secret}").status_code == 404


def test_a_reset_that_found_its_owner_opens_no_correction(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    visitor.ask_for_token(BUDI.nip, BUDI.email or "")
    reference = inbox.fetch_one().link.rsplit("/", 1)[1].split(".")[0]
    with peopled.app_context():
        link = portal().keys.correction_link(reference)

    assert visitor.open(f"/perbaikan-email/{link}").status_code == 404


def test_opening_a_link_changes_nothing(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    link = link_for(peopled, inbox)

    for _ in range(3):
        assert visitor.open(link).status_code == 200

    assert [request.state for request in requests_in(peopled)] == [CorrectionState.ASKED]
    with peopled.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(OutboxMail)) == 1


DECIDE = Client("192.0.2.1", "desk", "-")


def _approved(session_of: Flask, correction_id: int, state: ChangeState, moment: datetime) -> None:
    with session_of.app_context(), unit_of_work() as session:
        correction = EmailCorrection.with_id(session, correction_id)
        admin = User.with_nip(session, Nip(WATI.nip))
        assert correction is not None
        assert correction.user is not None
        assert admin is not None
        change = IdentityChange(
            reference=f"change-{state.value[:9]}".ljust(16, "0")[:16], user_id=correction.user.id,
            instansi_id=correction.user.instansi_id, correction_id=correction.id, kind=ChangeKind.EMAIL,
            old_value=correction.user.email,
            new_value=correction.new_email, state=state, identity_check=IdentityCheck.IN_PERSON,
            reason="Bertemu",
            decided_by_id=admin.id, decided_at=moment,
            effective_at=None if state is ChangeState.NEEDS_SECOND else moment + timedelta(hours=24),
        )  # fmt: skip
        session.add(change)
        session.flush()
        if state is not ChangeState.NEEDS_SECOND:
            correction.decide(CorrectionState.APPROVED, None, admin.id, moment)
        letters.correction_approved(session, correction, change, Act(DECIDE, moment, None))


@pytest.mark.parametrize(
    ("state", "on_ticket", "in_mail"),
    [
        (ChangeState.SCHEDULED, "Email baru dipakai mulai", "dipakai mulai"),
        (ChangeState.NEEDS_SECOND, "menunggu admin kedua", "menunggu admin kedua"),
        (ChangeState.DONE, "Email baru sudah dipakai", "disetujui"),
        (ChangeState.FROZEN, "tidak jadi berlaku", "disetujui"),
    ],
)
def test_an_approval_is_told_as_it_stands(
    peopled: Flask, visitor: Visitor, inbox: Inbox, state: ChangeState, on_ticket: str, in_mail: str
) -> None:
    link = link_for(peopled, inbox)
    send(visitor, link)
    inbox.fetch()
    moment = now()

    _approved(peopled, requests_in(peopled)[0].id, state, moment)

    mail = inbox.fetch_one(NEW)
    assert in_mail in mail.text
    assert in_mail in re.sub(r"<[^>]+>", "", mail.html)
    for page in (visitor.open(link), Visitor(peopled).open(path_of(mail))):
        assert on_ticket in words_of(page)
    if state is ChangeState.SCHEDULED:
        assert shown_moment(moment + timedelta(hours=24)) in mail.text
        assert shown_moment(moment + timedelta(hours=24)) in words_of(visitor.open(link))
    assert "192.0.2" not in mail.text + mail.html, "where the desk sits is nobody's business"


def test_a_request_in_hand_rejected_or_frozen_is_told_on_page_and_by_mail(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    link = link_for(peopled, inbox)
    send(visitor, link)
    inbox.fetch()
    correction_id = requests_in(peopled)[0].id

    def act(what: Callable[[EmailCorrection], None], letter: Callable[..., None]) -> tuple[str, Mail]:
        with peopled.app_context(), unit_of_work() as session:
            correction = EmailCorrection.with_id(session, correction_id)
            assert correction is not None
            what(correction)
            letter(session, correction, Act(DECIDE, now(), None))
        mail = inbox.fetch_one(NEW)
        assert "192.0.2" not in mail.text + mail.html
        assert requests_in(peopled)[0].ticket in mail.subject
        return words_of(Visitor(peopled).open(path_of(mail))), mail

    page, mail = act(lambda one: one.take_in_hand(None, now()), letters.correction_in_hand)
    assert "Status Diproses" in page
    assert "sedang diperiksa" in mail.text
    page, mail = act(
        lambda one: one.decide(CorrectionState.REJECTED, "Nama & NIP <beda>", None, now()),
        letters.correction_rejected,
    )
    assert "Status Ditolak" in page
    assert "Nama & NIP <beda>" in page
    assert "Nama & NIP <beda>" in mail.text
    assert "Nama &amp; NIP &lt;beda&gt;" in mail.html
    page, mail = act(lambda one: one.reopen(), letters.correction_frozen)
    assert "Status Baru" in page
    assert "dihentikan" in mail.text


def test_a_late_answer_is_admitted(
    peopled: Flask, visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    link = link_for(peopled, inbox)
    send(visitor, link)

    assert "belum dijawab dalam 24 jam" not in words_of(visitor.open(link))
    clock.shift(timedelta(hours=25))
    assert "belum dijawab dalam 24 jam" in words_of(visitor.open(link))


# -- attachments


JPEG, PNG = jpeg(paper(), exif=camera_notes(TURNED_RIGHT), comment=PLACE), png(grainy(40, 30))
PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
CUT = jpeg(paper(400, 300))[:-2]


@pytest.mark.parametrize(
    ("content", "filename"), [(JPEG, "sk.jpg"), (PNG, "sk.exe"), (CUT, "sk.jpg"), (PNG[:-12], "a.svg")]
)
def test_a_photo_is_kept_without_what_the_camera_wrote(
    peopled: Flask, visitor: Visitor, inbox: Inbox, content: bytes, filename: str
) -> None:
    send(visitor, link_for(peopled, inbox), content, filename)

    [kept] = attachments_in(peopled)
    assert (kept.correction_id, kept.media_type) == (requests_in(peopled)[0].id, "image/jpeg")
    assert is_redrawn(kept.content)
    assert PLACE.encode() not in kept.content
    turned = content is JPEG
    assert opened(kept.content).size == (opened_size(content)[::-1] if turned else opened_size(content))


def opened_size(content: bytes) -> tuple[int, int]:
    with Image.open(BytesIO(content)) as picture:
        return picture.size


@pytest.mark.parametrize("front", [b"", b"\r\n", b"\xef\xbb\xbf", SVG])
def test_a_pdf_is_kept_as_it_is_but_for_what_stands_around_it(
    peopled: Flask, visitor: Visitor, inbox: Inbox, front: bytes
) -> None:
    send(visitor, link_for(peopled, inbox), front + PDF + SVG, "../../sk.html")

    [kept] = attachments_in(peopled)
    assert (kept.media_type, kept.content) == ("application/pdf", PDF.rstrip())


@pytest.mark.parametrize("hidden", [b"PK\x03\x04 a zip", b"<script>alert(1)</script>", JPEG])
@pytest.mark.parametrize("content", [JPEG, PNG, PDF.rstrip()])
def test_what_hangs_behind_a_file_is_cut_off(
    peopled: Flask, visitor: Visitor, inbox: Inbox, content: bytes, hidden: bytes
) -> None:
    send(visitor, link_for(peopled, inbox), content + hidden)

    [kept] = attachments_in(peopled)
    assert hidden not in kept.content
    assert is_redrawn(kept.content) or kept.content == content


def test_a_photo_of_some_mb_is_taken_and_kept_small(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    assert len(from_phone()) > 2 * LONGEST_ATTACHMENT

    sent = _send_raw(visitor, link_for(peopled, inbox), from_phone())

    [kept] = attachments_in(peopled)
    assert sent.status_code == 303
    assert len(kept.content) <= LONGEST_ATTACHMENT
    assert max(opened(kept.content).size) == LARGEST_SIDE_KEPT


@pytest.mark.parametrize(
    ("content", "words"),
    {
        "svg": (SVG, "gambar SVG"),
        "html": (b"<!doctype html><script>alert(1)</script>", "halaman web"),
        "renamed exe": (b"MZ\x90\x00\x03" + b"\x00" * 200, "bukan foto JPG"),
        "gif": (b"GIF89a\x01\x00\x01\x00", "gambar GIF"),
        "heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "foto HEIC"),
        "webp": (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "gambar WebP"),
        "zip": (b"PK\x03\x04" + b"\x00" * 60, "file ZIP"),
        "jpeg start only": (b"\xff\xd8\xff\xe0" + SVG + b"\xff\xd9", "bukan foto JPG"),
        "jpeg without picture": (b"\xff\xd8\xff\xd9", "bukan foto JPG"),
        "jpeg cut at its head": (JPEG[: JPEG.index(b"\xff\xda") + 20], "terpotong"),
        "jpeg of which little is left": (jpeg(grainy(400, 300))[:1500], "terpotong"),
        "png start only": (b"\x89PNG\r\n\x1a\n" + SVG, "bukan foto JPG"),
        "png cut at its head": (PNG[:60], "terpotong"),
        "png with a wrong checksum": (PNG[:20] + b"\x09" + PNG[21:], "bukan foto JPG"),
        "png as a bomb": (png(Image.new("1", (12_000, 9_000))), "megapiksel"),
        "pdf without end": (PDF.replace(b"%%EOF", b""), "PDF ini terpotong"),
        "empty": (b"", "kosong"),
    }.values(),
)
def test_other_files_are_refused_at_their_field(
    peopled: Flask, visitor: Visitor, inbox: Inbox, content: bytes, words: str
) -> None:
    refused = send(visitor, link_for(peopled, inbox), content, "sk.jpg")

    assert refused.status_code == 422
    assert 'id="attachment-error"' in refused.text
    assert words in words_of(refused)
    assert FORM["reason"] in refused.text
    assert attachments_in(peopled) == []
    assert requests_in(peopled)[0].submitted_at is None


def test_while_all_places_for_photos_are_taken_nothing_is_lost(
    peopled: Flask, visitor: Visitor, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_for(peopled, inbox)
    no_place = BoundedSemaphore(1)
    no_place.acquire()
    with monkeypatch.context() as taken:
        taken.setattr(received_photo, "_places", no_place)
        taken.setattr(received_photo, "SECONDS_TO_WAIT", 0.01)
        busy = send(visitor, link, JPEG)
        assert busy.status_code == 503
        assert int(busy.headers["Retry-After"]) > 0
        assert "banyak foto" in words_of(busy)
        assert FORM["reason"] in busy.text
        assert requests_in(peopled)[0].submitted_at is None

    assert send(visitor, link, JPEG).status_code == 303
    assert len(attachments_in(peopled)) == 1


def test_no_photo_is_drawn_for_a_form_that_is_not_sound(
    peopled: Flask, visitor: Visitor, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received_photo, "_drawn_by_another_process", lambda _content: pytest.fail("drawn"))

    assert send(visitor, link_for(peopled, inbox), JPEG, reason="").status_code == 422


def test_no_photo_is_drawn_inside_a_transaction(
    peopled: Flask, visitor: Visitor, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else writes to the database meanwhile. On SQLite only one can write at a time."""
    draw = received_photo._drawn_by_another_process

    def while_another_writes(content: bytes) -> tuple[bytes, int | None]:
        with ThreadPoolExecutor(1) as other:
            asked = other.submit(ask, Visitor(peopled), BUDI.nip, "budi.baru@nusajaya.example").result()
        assert asked.status_code == 303
        return draw(content)

    link = link_for(peopled, inbox)
    monkeypatch.setattr(received_photo, "_drawn_by_another_process", while_another_writes)

    assert send(visitor, link, JPEG).status_code == 303
    assert len(requests_in(peopled)) == 2


def test_a_file_that_is_too_large_is_refused_at_its_field_and_a_huge_one_by_a_page(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    link = link_for(peopled, inbox)

    large = _send_raw(visitor, link, JPEG + b"\x00" * LONGEST_FILE)
    assert large.status_code == 422
    assert "lebih besar dari 10 MB" in words_of(large)
    assert 'id="attachment-error"' in large.text
    pdf = _send_raw(visitor, link, PDF.replace(b"endobj", b"endobj %" + b"x" * LONGEST_ATTACHMENT))
    assert pdf.status_code == 422
    assert "PDF ini lebih besar dari 2 MB" in words_of(pdf)
    huge = _send_raw(visitor, link, b"0" * LONGEST_BODY)
    assert huge.status_code == 413
    assert "terlalu besar" in words_of(huge)
    assert send(visitor, link).status_code == 303
    assert attachments_in(peopled) == []


def _send_raw(visitor: Visitor, link: str, content: bytes) -> TestResponse:
    """Send the form without the help of the test client, which leaves large files open."""
    parts = [
        f'name="{name}"\r\n\r\n{value}'.encode()
        for name, value in {**FORM, "csrf_token": visitor.csrf_token(link)}.items()
    ]
    parts.append(b'name="attachment"; filename="sk.jpg"\r\n\r\n' + content)
    body = (
        b"".join(b"--x\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--x--\r\n"
    )
    return visitor.client.post(link, data=body, content_type="multipart/form-data; boundary=x")


def test_a_file_under_another_name_or_two_of_them_are_refused(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    link = link_for(peopled, inbox)
    token = visitor.csrf_token(link)

    for files in (
        {"foto": (BytesIO(JPEG), "a.jpg")},
        {"attachment": [(BytesIO(JPEG), "a.jpg"), (BytesIO(PNG), "b.png")]},
    ):
        assert visitor.client.post(link, data={**FORM, "csrf_token": token, **files}).status_code == 400


# -- two at once


def _all_at_once(acts: list[Callable[[], int]]) -> list[int]:
    start = Barrier(len(acts))

    def run(act: Callable[[], int]) -> int:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as crowd:
        return sorted(crowd.map(run, acts))


@pytest.mark.parametrize("nip", [JOKO.nip, STRANGERS_NIP])
@pytest.mark.parametrize("origin", ["page", "reset", "two links"])
def test_of_many_submits_at_once_one_becomes_a_request(
    peopled: Flask, inbox: Inbox, nip: str, origin: str
) -> None:
    if origin == "reset":
        Visitor(peopled).ask_for_token(nip, NEW)
        links = [path_of(inbox.fetch_one(NEW))]
    else:
        links = [link_for(peopled, inbox, nip) for _ in range(2 if origin == "two links" else 1)]
    visitors = [Visitor(peopled) for _ in range(8)]
    tokens = [visitor.csrf_token(links[0]) for visitor in visitors]

    def fill_in(number: int) -> int:
        fields = {**FORM, "csrf_token": tokens[number], "name": f"Joko {number}"}
        return visitors[number].post(links[number % len(links)], **fields).status_code

    answers = _all_at_once([lambda number=number: fill_in(number) for number in range(8)])  # type: ignore[misc]

    assert answers == [303] * 8
    assert len([request for request in requests_in(peopled) if request.submitted_at]) == 1
    assert inbox.fetch_one(NEW)
    with peopled.app_context(), reading() as session:
        assert session.scalar(select(func.count()).where(AuditEvent.tag == Tag.CORRECTION_SUBMITTED)) == 1


# -- what reaches nobody, and what comes too often


def test_a_request_for_nobodys_nip_moves_by_itself(
    peopled: Flask, visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    link = link_for(peopled, inbox, STRANGERS_NIP)
    send(visitor, link)
    inbox.fetch()
    [request] = requests_in(peopled)
    sent, answer_at = now(), request.answer_at
    assert request.user_id is None
    assert answer_at is not None
    assert timedelta(hours=4) <= answer_at - sent <= timedelta(days=4)

    keep_house(peopled)
    clock.move_to(answer_at - timedelta(hours=2, minutes=1))
    keep_house(peopled)
    assert inbox.fetch() == []
    assert requests_in(peopled)[0].state is CorrectionState.NEW

    clock.move_to(answer_at - timedelta(minutes=9))
    keep_house(peopled)
    keep_house(peopled)
    assert "sedang diperiksa" in inbox.fetch_one(NEW).text
    assert "Status Diproses" in words_of(visitor.open(link))

    clock.move_to(answer_at)
    assert "corrections_answered: 1" in keep_house(peopled)
    assert "corrections_answered: 0" in keep_house(peopled)
    mail = inbox.fetch_one(NEW)
    assert DATA_DO_NOT_MATCH in mail.text
    page = words_of(visitor.open(path_of(mail)))
    assert "Status Ditolak" in page
    assert DATA_DO_NOT_MATCH in page


@pytest.mark.parametrize(
    "sent_at", ["2026-11-20T09:00Z", "2026-11-21T03:00Z", "2026-11-23T01:00Z", "2026-11-24T22:00Z"]
)
def test_the_portal_answers_only_when_a_desk_might(
    peopled: Flask, inbox: Inbox, clock: time_machine.Traveller, sent_at: str
) -> None:
    clock.move_to(datetime.fromisoformat(sent_at))
    for number in range(3):
        send(
            Visitor(peopled),
            link_for(peopled, inbox, f"19700101199501199{number}", f"orang{number}@contoh.example"),
        )

    for request in requests_in(peopled):
        assert request.answer_at is not None
        local = request.answer_at.astimezone(WIB)
        assert local.weekday() < 5
        assert time(10) <= local.time() < time(16)
        assert request.answer_at - now() >= timedelta(hours=4) - timedelta(minutes=1)


def test_two_workers_that_keep_house_at_once_answer_once(
    peopled: Flask, visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    send(visitor, link_for(peopled, inbox, STRANGERS_NIP))
    inbox.fetch()
    clock.move_to(requests_in(peopled)[0].answer_at or now())

    def work() -> int:
        with peopled.app_context(), unit_of_work() as session:
            return answer_unknown_nips(session, acts.act())

    assert _all_at_once([work] * 4) == [0, 0, 0, 1]
    assert DATA_DO_NOT_MATCH in inbox.fetch_one(NEW).text


@pytest.mark.parametrize("nip", [JOKO.nip, TONO.nip, HADI.nip, SARI.nip])
def test_a_request_about_a_person_is_never_answered_by_the_portal(
    peopled: Flask, visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller, nip: str
) -> None:
    send(visitor, link_for(peopled, inbox, nip))
    inbox.fetch()
    assert requests_in(peopled)[0].answer_at is not None

    clock.shift(timedelta(days=3))

    assert "corrections_answered: 0" in keep_house(peopled)
    assert inbox.fetch() == []
    assert requests_in(peopled)[0].state is CorrectionState.NEW


def test_a_person_imported_meanwhile_gets_the_request_into_the_queue(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    send(visitor, link_for(peopled, inbox, STRANGERS_NIP))
    with peopled.app_context(), unit_of_work() as session:
        instansi = Instansi.with_code(session, "3402")
        assert instansi is not None
        newcomer = User(
            nip=STRANGERS_NIP, name="Pendatang", category=Category.PNS, instansi_id=instansi.id,
            work_unit="-",
            activation=Activation.NOT_ACTIVATED, activation_changed_at=now(),
        )  # fmt: skip
        session.add(newcomer)

    keep_house(peopled)

    newcomer = person_of(peopled, STRANGERS_NIP)
    [request] = requests_in(peopled)
    assert (request.user_id, request.instansi_id) == (newcomer.id, newcomer.instansi_id)


def test_a_flood_about_one_person_waits_before_the_queue_and_blocks_nobody(
    peopled: Flask, inbox: Inbox
) -> None:
    flood = CORRECTIONS_PER_LINE.most + 2
    links = [link_for(peopled, inbox, JOKO.nip, f"palsu{n}@contoh.example") for n in range(flood)]
    pages = set()
    for link in links:
        stranger = Visitor(peopled)
        send(stranger, link)
        text = words_of(stranger.open(link))
        pages.add(re.sub(r"PE-\w{4}-\w{4}|palsu\d|\d\d\.\d\d", "", text))
    owner = Visitor(peopled, "198.51.100.9")
    own = link_for(peopled, inbox, address="198.51.100.9")
    owner.post(own, csrf_token=owner.csrf_token(own), **FORM)

    in_queue = [request.user_id is not None for request in requests_in(peopled)]
    assert in_queue == [True] * CORRECTIONS_PER_LINE.most + [False] * 2 + [True], "the owner sits elsewhere"
    assert len(pages) == 1
    assert len(inbox.fetch()) == 1

    keep_house(peopled)
    assert [request.user_id is not None for request in requests_in(peopled)] == in_queue, "no room yet"
    with peopled.app_context(), unit_of_work() as session:
        for request in session.scalars(select(EmailCorrection).where(EmailCorrection.user_id.is_not(None))):
            request.decide(CorrectionState.REJECTED, "Bukan pemiliknya", None, now())
    assert len(in_queue) - 2 > MOST_OF_ONE_PERSON
    keep_house(peopled)
    assert all(request.user_id is not None for request in requests_in(peopled))


# -- housekeeping


def test_housekeeping_forgets_what_was_sent_and_keeps_what_was_decided(
    peopled: Flask, visitor: Visitor, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    visitor_of_nobody, never = Visitor(peopled), Visitor(peopled)
    send(visitor, link_for(peopled, inbox), JPEG, phone="0812")
    send(visitor_of_nobody, link_for(peopled, inbox, STRANGERS_NIP), PNG)
    ask(never, BUDI.nip, "belum@contoh.example")
    send(Visitor(peopled), link_for(peopled, inbox, SARI.nip, "sari.baru@contoh.example"), PDF)
    inbox.fetch()
    with peopled.app_context(), unit_of_work() as session:
        for request in session.scalars(
            select(EmailCorrection).where(EmailCorrection.nip.in_([JOKO.nip, STRANGERS_NIP]))
        ):
            request.decide(CorrectionState.REJECTED, "Tidak cocok", None, now())

    clock.shift(timedelta(days=29))
    assert "corrections: 0, attachments: 0" in keep_house(peopled)
    clock.shift(timedelta(days=2))
    assert "corrections: 1, attachments: 2" in keep_house(peopled)
    assert {request.nip for request in requests_in(peopled)} == {JOKO.nip, STRANGERS_NIP, SARI.nip}
    joko = next(request for request in requests_in(peopled) if request.nip == JOKO.nip)
    assert (joko.phone, joko.reason, joko.decision, joko.name) == ("", "", "Tidak cocok", FORM["name"])
    open_one = next(request for request in requests_in(peopled) if request.nip == SARI.nip)
    assert open_one.reason == FORM["reason"]

    clock.shift(timedelta(days=60))
    assert "attachments: 1" in keep_house(peopled)
    clock.shift(timedelta(days=30))
    keep_house(peopled)
    assert {request.nip for request in requests_in(peopled)} == {JOKO.nip, SARI.nip}
    assert attachments_in(peopled) == []


def test_a_letter_that_still_has_to_leave_keeps_its_request(
    peopled: Flask, clock: time_machine.Traveller
) -> None:
    ask(Visitor(peopled))

    clock.shift(timedelta(days=40))

    assert "corrections: 0" in keep_house(peopled)
    assert len(requests_in(peopled)) == 1


# -- the trail


def test_asking_and_submitting_are_in_the_trail_without_secrets(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    link = link_for(peopled, inbox)
    send(visitor, link)

    with peopled.app_context(), reading() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    mine = [event for event in events if event.tag in (Tag.CORRECTION_ASKED, Tag.CORRECTION_SUBMITTED)]
    assert [(event.tag, event.account_id) for event in mine] == [
        (Tag.CORRECTION_ASKED, None),
        (Tag.CORRECTION_SUBMITTED, person_of(peopled, JOKO.nip).id),
    ]
    assert link.rsplit("/", 1)[1] not in str([event.detail for event in events])
    assert JOKO.nip not in str([event.detail for event in events])
    assert NEW not in str([event.detail for event in events])
