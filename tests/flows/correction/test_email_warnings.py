"""Admins who approve have seen the warnings: one by one, for several at once, and without a request."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.domain.corrections import CorrectionField, CorrectionState, IdentityCheck
from app.domain.email_warnings import WarningKind
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now
from app.models import AuditEvent, EmailCorrection, IdentityChange, Tag, User
from app.models.correction_attachment import CorrectionAttachment
from app.runtime.db import reading, unit_of_work
from tests.cast import BUDI, DEWI, HADI, JOKO, RATNA, SARI, TONO, WATI, Person, email_of
from tests.desk import asked, correction, latest_change, marks_on, person_id, user
from tests.flows.correction.test_desk_corrections import GROUNDS, _approve, _seen
from tests.visitor import Visitor, logged_in, words_of

NEW = "joko.baru@contoh.example"
QUEUE = "/admin/perbaikan-email"


def ended_change(
    app: Flask, person: Person, address: str, state: ChangeState, by_request: int | None = None
) -> None:
    """Make a decision about this person that was stopped or cancelled yesterday."""
    found, wati = user(app, person), person_id(app, WATI)
    with app.app_context(), unit_of_work() as session:
        session.add(
            IdentityChange(
                reference=f"r{person.nip[-6:]}{state[:4]}", user_id=found.id, instansi_id=found.instansi_id,
                correction_id=by_request, kind=ChangeKind.EMAIL, old_value=found.email, new_value=address,
                state=state,
                identity_check=IdentityCheck.LETTER, reason="Surat", decided_by_id=wati,
                decided_at=now() - timedelta(days=2), ended_at=now() - timedelta(days=1),
                ended_because="Bukan saya.",
            )
        )  # fmt: skip


def written(app: Flask, request_id: int, **values: object) -> int:
    """Change some values of a request that came in."""
    with app.app_context(), unit_of_work() as session:
        session.execute(update(EmailCorrection).where(EmailCorrection.id == request_id).values(**values))
    return request_id


def with_phone(app: Flask, person: Person, phone: str | None) -> None:
    with app.app_context(), unit_of_work() as session:
        session.execute(update(User).where(User.nip == person.nip).values(phone=phone))


def _decided(app: Flask, request_id: int, state: CorrectionState) -> int:
    return written(
        app,
        request_id,
        state=state,
        decided_at=now(),
        decision="Datang ke loket 3.",
        decided_by_id=person_id(app, RATNA),
    )


def _of_another_mailbox(app: Flask) -> int:
    return asked(app, JOKO, "budi+joko@nusajaya.example")


def _stopped_elsewhere(app: Flask) -> int:
    ended_change(
        app, BUDI, NEW, ChangeState.FROZEN, _decided(app, asked(app, BUDI, NEW), CorrectionState.APPROVED)
    )
    return asked(app, JOKO, NEW)


def _stopped_before(app: Flask) -> int:
    ended_change(app, JOKO, "lain@luar.example", ChangeState.FROZEN)
    return asked(app, JOKO, NEW)


def _ended_before(app: Flask) -> int:
    ended_change(app, JOKO, "lain@luar.example", ChangeState.CANCELLED)
    return asked(app, JOKO, NEW)


def _rejected_before(app: Flask) -> int:
    _decided(app, asked(app, JOKO, NEW), CorrectionState.REJECTED)
    return asked(app, JOKO, NEW)


def _for_others(app: Flask) -> int:
    asked(app, BUDI, "joko.baru+lagi@contoh.example")
    return asked(app, JOKO, NEW)


def _with_a_new_phone(app: Flask) -> int:
    with_phone(app, JOKO, "081255501777")
    of_phone = written(app, asked(app, JOKO, email_of(JOKO)), field=CorrectionField.PHONE)
    _decided(app, of_phone, CorrectionState.APPROVED)
    return asked(app, JOKO, NEW)


WAYS: dict[WarningKind, Callable[[Flask], int]] = {
    WarningKind.MAILBOX_OF_ANOTHER: _of_another_mailbox,
    WarningKind.STOPPED_ELSEWHERE: _stopped_elsewhere,
    WarningKind.STOPPED_BEFORE: _stopped_before,
    WarningKind.ENDED_BEFORE: _ended_before,
    WarningKind.REJECTED_BEFORE: _rejected_before,
    WarningKind.ASKED_FOR_OTHERS: _for_others,
    WarningKind.MISTYPED_DOMAIN: lambda app: asked(app, JOKO, "joko@gmial.com"),
    WarningKind.LOOKALIKE_DOMAIN: lambda app: asked(app, JOKO, "joko@nusa-jaya.example"),
    WarningKind.FOREIGN_LETTERS: lambda app: asked(app, JOKO, "joko@xn--ls-yia.example"),
    WarningKind.OTHER_NAME: lambda app: asked(app, JOKO, NEW, name="Joko Widagdo"),
    WarningKind.OTHER_NIP: lambda app: written(app, asked(app, JOKO, NEW), nip="197001011995011998"),
    WarningKind.NEW_PHONE: _with_a_new_phone,
    WarningKind.DEACTIVATED: lambda app: asked(app, TONO, NEW),
}
HEAVY = [kind for kind in WarningKind if kind.must_be_acknowledged]


def kinds_on(page: TestResponse) -> set[str]:
    return {mark.split(".")[0] for mark in marks_on(page)}


def _several(visitor: Visitor, act: str, ids: list[int], **fields: str | list[str]) -> TestResponse:
    """Answer the chosen requests, from the page that shows them. Returns the page with the result."""
    page = visitor.open(f"{QUEUE}/beberapa?" + "&".join(f"pilih={one}" for one in ids))
    seen = {f"seen-{one}": page.text.split(f'name="seen-{one}" value="')[1].split('"')[0] for one in ids}
    answer = visitor.post(
        f"{QUEUE}/beberapa/{act}", csrf_token=visitor.csrf_token("/akun"), pilih=[str(one) for one in ids],
        **{**(GROUNDS if act == "setujui" else {"reason": "Datang ke loket 3."}), **seen, **fields},
    )  # fmt: skip
    assert answer.status_code == 303
    return visitor.open(answer.location)


def _last_event(app: Flask, tag: Tag) -> AuditEvent:
    with app.app_context(), reading() as session:
        return session.scalars(
            select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id.desc()).limit(1)
        ).one()


def test_there_is_a_way_to_every_heavy_warning() -> None:
    assert list(WAYS) == HEAVY


# -- one by one


@pytest.mark.parametrize("kind", HEAVY)
def test_a_heavy_warning_has_to_be_acknowledged_and_one_tick_is_enough(
    peopled: Flask, kind: WarningKind
) -> None:
    request_id, wati = WAYS[kind](peopled), logged_in(peopled, WATI)
    page = wati.open(f"{QUEUE}/{request_id}")
    assert kind in kinds_on(page)
    assert "Saya sudah memeriksa:" in words_of(page)
    others = [mark for mark in marks_on(page) if not mark.startswith(f"{kind}.")]

    for given in ([], others, [*others, kind.value], [*others, f"{kind}.0000000000000000"]):
        answer = _approve(wati, request_id, acknowledged=given)
        assert answer.status_code == 422
        assert "lalu centang di bawah" in words_of(answer)
    assert correction(peopled, request_id).state.is_open
    assert _last_event(peopled, Tag.ADMIN_REFUSED).detail["warnings"] == kind

    assert _approve(wati, request_id).status_code == 303
    told = _last_event(peopled, Tag.CORRECTION_APPROVED).detail["acknowledged"]
    assert isinstance(told, str)
    assert kind in told.split(",")
    assert kind.label in words_of(wati.open("/admin/audit?jenis=email"))


def test_without_a_warning_nothing_is_asked_and_ticks_for_nothing_are_passed_over(peopled: Flask) -> None:
    request_id, wati = asked(peopled, JOKO, NEW), logged_in(peopled, WATI)
    path = f"{QUEUE}/{request_id}"
    page = wati.open(path)
    assert not marks_on(page)

    ticked = ["tidak_ada.1", "", "domain_mirip.2"]
    answer = wati.post_with_token(path, f"{path}/setujui", **GROUNDS, seen=_seen(page), acknowledged=ticked)
    assert answer.status_code == 303

    assert _last_event(peopled, Tag.CORRECTION_APPROVED).detail["acknowledged"] is None


def test_a_warning_that_arises_while_the_page_is_open_is_met_all_the_same(peopled: Flask) -> None:
    request_id, wati = asked(peopled, JOKO, NEW, name="Orang Lain"), logged_in(peopled, WATI)
    marks = marks_on(wati.open(f"{QUEUE}/{request_id}"))
    asked(peopled, BUDI, NEW)

    first = _approve(wati, request_id, acknowledged=marks)
    asked(peopled, DEWI, NEW)
    more = _approve(wati, request_id, acknowledged=marks_on(first))

    assert first.status_code == 422
    assert "diminta untuk 1 NIP lain" in words_of(first)
    assert more.status_code == 422, "it says more than was acknowledged"
    assert "diminta untuk 2 NIP lain" in words_of(more), "it says more than was acknowledged"
    assert user(peopled, JOKO).email == JOKO.email
    assert _approve(wati, request_id).status_code == 303


def test_what_was_ticked_stays_ticked_when_something_else_is_wrong(peopled: Flask) -> None:
    request_id, wati = asked(peopled, JOKO, "joko@gmial.com"), logged_in(peopled, WATI)

    answer = _approve(wati, request_id, note="")

    assert answer.status_code == 422
    assert f'value="{marks_on(answer)[0]}" checked' in answer.text


def test_a_warning_is_shown_as_text_whatever_is_in_it(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(User).where(User.nip == BUDI.nip).values(name="<script>alert(1)</script>"))
    request_id, wati = asked(peopled, JOKO, "budi+x@nusajaya.example"), logged_in(peopled, WATI)

    pages = [
        wati.open(f"{QUEUE}/{request_id}"),
        _approve(wati, request_id, acknowledged=[]),
        wati.open(f"{QUEUE}/beberapa?pilih={request_id}"),
    ]

    for page in pages:
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text


def test_a_mailbox_of_somebody_elsewhere_is_not_named(peopled: Flask) -> None:
    request_id = asked(peopled, JOKO, "hadi+x@contoh.example")

    page = words_of(logged_in(peopled, WATI).open(f"{QUEUE}/{request_id}"))

    assert "kotak surat yang sama dengan alamat akun lain" in page
    assert "Hadi" not in page


# -- what strangers cannot do with it


@pytest.mark.usefixtures("inbox")
def test_false_requests_and_links_lay_nothing_heavy_upon_the_owners_request(peopled: Flask) -> None:
    own, wati = asked(peopled, JOKO, NEW), logged_in(peopled, WATI)
    false = [asked(peopled, JOKO, f"maling{number}@luar.example") for number in range(16)]
    for person in (BUDI, SARI, DEWI):
        Visitor(peopled).submit("/perbaikan-email", nip=person.nip, email=NEW, form_id=f"f{person.nip}")

    page = wati.open(f"{QUEUE}/{own}")
    assert not marks_on(page)
    assert "Masih ada 16 permintaan lain" in words_of(page)

    result = words_of(_several(wati, "setujui", [own]))
    assert "Email sudah berganti" in result
    assert user(peopled, JOKO).email == NEW
    assert all(correction(peopled, one).state.is_open for one in false)


def test_two_requests_for_one_person_are_never_approved_together(peopled: Flask) -> None:
    mine, false, budi = (
        asked(peopled, JOKO, NEW),
        asked(peopled, JOKO, "maling@luar.example"),
        asked(peopled, BUDI, "b@contoh.example"),
    )
    wati = logged_in(peopled, WATI)
    for one in (mine, false, budi):
        wati.open(f"{QUEUE}/{one}")

    result = words_of(_several(wati, "setujui", [mine, false, budi]))

    assert result.count("dipilih lebih dari satu permintaan") == 2
    assert result.count("Email sudah berganti") == 1
    assert user(peopled, JOKO).email == JOKO.email
    assert user(peopled, BUDI).email == "b@contoh.example"


# -- several at once


@pytest.mark.parametrize("kind", HEAVY)
def test_several_at_once_leave_what_carries_a_heavy_warning(peopled: Flask, kind: WarningKind) -> None:
    warned, clean, wati = (
        WAYS[kind](peopled),
        asked(peopled, DEWI, "dewi.baru@contoh.example"),
        logged_in(peopled, WATI),
    )
    for one in (warned, clean):
        wati.open(f"{QUEUE}/{one}")
    before = correction(peopled, warned)
    marks = marks_on(wati.open(f"{QUEUE}/{warned}"))

    result = _several(wati, "setujui", [warned, clean], acknowledged=marks[:1])

    for page in (result, wati.open(result.request.full_path)):
        words = words_of(page)
        assert "Ada peringatan yang harus diperiksa" in words
        assert words.count("Email sudah berganti") == 1
    after = correction(peopled, warned)
    assert (after.state, after.decided_at, after.opened_at) == (before.state, None, before.opened_at)
    _approve(wati, warned)
    since = latest_change(peopled, TONO if kind is WarningKind.DEACTIVATED else JOKO)
    assert since is not None
    assert since.correction_id == warned
    if not correction(peopled, warned).state.is_open:
        assert "Tidak diubah" not in words_of(wati.open(result.request.full_path)), "it was answered since"
    assert user(peopled, DEWI).email == "dewi.baru@contoh.example"


@pytest.mark.parametrize("act", ["setujui", "tolak"])
def test_several_at_once_leave_what_nobody_has_opened(peopled: Flask, act: str) -> None:
    opened, unseen, by_portal = (
        asked(peopled, JOKO, NEW),
        asked(peopled, BUDI, "b@contoh.example"),
        asked(peopled, DEWI, "d@contoh.example"),
    )
    written(peopled, by_portal, state=CorrectionState.IN_HAND, opened_at=now())
    ratna, wati = logged_in(peopled, RATNA), logged_in(peopled, WATI)
    ratna.submit(f"{QUEUE}/{opened}", f"{QUEUE}/{opened}/kembalikan")

    result = words_of(_several(wati, act, [opened, unseen, by_portal]))

    assert result.count("Belum ada admin yang membukanya") == 2
    assert not correction(peopled, opened).state.is_open, "a colleague has looked at it"
    assert correction(peopled, unseen).state is CorrectionState.NEW
    assert correction(peopled, by_portal).state.is_open
    for one in (unseen, by_portal):
        wati.open(f"{QUEUE}/{one}")
    assert "Belum ada admin" not in words_of(_several(wati, act, [unseen, by_portal]))


def test_what_has_come_back_into_the_queue_is_looked_at_anew(peopled: Flask) -> None:
    request_id, wati = asked(peopled, SARI, "sari.baru@contoh.example"), logged_in(peopled, WATI)
    _approve(wati, request_id)
    change = latest_change(peopled, SARI)
    assert change is not None
    path = f"{QUEUE}/perubahan/{change.id}"
    wati.submit(path, f"{path}/batalkan", because="Salah orang")

    assert "Belum ada admin yang membukanya" in words_of(_several(wati, "setujui", [request_id]))


def test_warnings_keep_nobody_from_rejecting_several(peopled: Flask) -> None:
    ids, wati = (
        [asked(peopled, JOKO, "a@gmial.com"), asked(peopled, JOKO, "b@gmial.com")],
        logged_in(peopled, WATI),
    )
    for one in ids:
        wati.open(f"{QUEUE}/{one}")

    assert "Tidak diubah" not in words_of(_several(wati, "tolak", ids))

    assert {correction(peopled, one).state for one in ids} == {CorrectionState.REJECTED}


def test_before_several_are_answered_all_that_was_written_is_shown(peopled: Flask) -> None:
    request_id = asked(peopled, JOKO, "joko@gmial.com", name="Orang Lain", phone="0899-777-1234")
    written(peopled, request_id, work_unit="Dinas Antah", reason="HP saya hilang")
    plain = asked(peopled, BUDI, "b@contoh.example")
    with_phone(peopled, JOKO, "0812-555-0100")
    with peopled.app_context(), unit_of_work() as session:
        session.add(
            CorrectionAttachment(
                correction_id=request_id, media_type="application/pdf", content=b"%PDF-", added_at=now()
            )
        )

    page = logged_in(peopled, WATI).open(f"{QUEUE}/beberapa?pilih={request_id}&pilih={plain}")

    words = words_of(page)
    for shown in (
        "Orang Lain", JOKO.name, "Dinas Antah", JOKO.unit, "HP saya hilang", "0899-777-1234", "0812-555-0100",
        "mungkin salah ketik", "Nama yang ditulis tidak sama", "Telepon yang ditulis bukan nomor di "
            "data", "Belum ada admin",
    ):  # fmt: skip
        assert shown in words, shown
    assert page.text.count(f"{QUEUE}/{request_id}/lampiran") == 1
    assert f"{QUEUE}/{plain}/lampiran" not in page.text


def test_the_result_says_nothing_of_others_and_nothing_that_was_made_up(peopled: Flask) -> None:
    foreign, mine, wati = (
        asked(peopled, HADI, "h@contoh.example"),
        asked(peopled, JOKO, NEW),
        logged_in(peopled, WATI),
    )

    page = wati.open(
        f"{QUEUE}/hasil?pilih={mine}&pilih={foreign}&tetap={mine}-<b>x&tetap={mine}-apa-saja&tetap={foreign}-peringatan"
    )

    assert page.status_code == 200
    assert "Hadi" not in page.text
    assert "<b>x" not in page.text
    assert "Masih di antrean" in words_of(page)
    assert "Tidak diubah" not in words_of(page)


# -- checks that the record makes impossible


@pytest.mark.parametrize("phone", [None, "-"])
@pytest.mark.parametrize("check", list(IdentityCheck))
def test_a_check_that_the_record_makes_impossible_is_refused_everywhere(
    peopled: Flask, check: IdentityCheck, phone: str | None
) -> None:
    with_phone(peopled, JOKO, phone)
    with_phone(peopled, BUDI, "(0411) 555 010")
    request_id, wati = asked(peopled, JOKO, NEW), logged_in(peopled, WATI)
    path = f"/admin/pegawai/{person_id(peopled, JOKO)}/email"
    possible = check in (IdentityCheck.IN_PERSON, IdentityCheck.LETTER)
    page = wati.open(f"{QUEUE}/{request_id}")
    assert (f'value="{check}"' in page.text) == (f'value="{check}"' in wati.open(path).text) == possible
    assert "tidak ada nomor telepon di data" in words_of(page)

    if not possible:
        alone = _approve(wati, request_id, identity_check=check)
        direct = wati.submit(
            path, email="lain@contoh.example", identity_check=check, reason="x", seen=_seen(wati.open(path))
        )
        assert alone.status_code == direct.status_code == 422
        if check is not IdentityCheck.BY_FILE:
            assert "tidak dapat dipakai" in words_of(alone)
            assert "tidak dapat dipakai" in words_of(direct)
            budi = asked(peopled, BUDI, "b@contoh.example")
            wati.open(f"{QUEUE}/{budi}")
            result = words_of(_several(wati, "setujui", [request_id, budi], identity_check=check))
            assert "tidak ada nomor telepon di data" in result
            assert result.count("Email sudah berganti") == 1
        assert user(peopled, JOKO).email == JOKO.email
        assert correction(peopled, request_id).state.is_open
    else:
        assert _approve(wati, request_id, identity_check=check).status_code == 303


# -- a second answer


def _reject(visitor: Visitor, request_id: int, reason: str) -> TestResponse:
    return visitor.post(f"{QUEUE}/{request_id}/tolak", csrf_token=visitor.csrf_token("/akun"), reason=reason)


def _approve_again(visitor: Visitor, request_id: int, **fields: str | list[str]) -> TestResponse:
    token = visitor.csrf_token("/akun")
    return visitor.post(
        f"{QUEUE}/{request_id}/setujui", csrf_token=token, **{**GROUNDS, "seen": "1", **fields}
    )


@pytest.mark.parametrize(
    "person", [JOKO, SARI, HADI], ids=["holds at once", "takes a day", "needs a second admin"]
)
def test_a_second_answer_that_says_something_else_is_said_to_change_nothing(
    peopled: Flask, person: Person
) -> None:
    request_id, ratna, admin = (
        asked(peopled, person, NEW),
        logged_in(peopled, RATNA),
        logged_in(peopled, RATNA),
    )
    assert _approve(ratna, request_id).status_code == 303
    before = latest_change(peopled, person)
    assert before is not None

    assert _approve_again(admin, request_id).status_code == 303, "a double click"
    for other in (
        _reject(admin, request_id, "Bukan pemiliknya"),
        _approve_again(admin, request_id, note="Catatan lain"),
        _approve_again(admin, request_id, identity_check="surat_atasan"),
    ):
        words = words_of(other)
        assert other.status_code == 422
        assert "sudah disetujui oleh Anda" in words
        assert GROUNDS["note"] in words
        assert "tidak mengubah apa-apa" in words
    after = latest_change(peopled, person)
    assert after is not None
    assert (after.id, after.state, after.reason) == (
        before.id,
        before.state,
        before.reason,
    )


def test_an_approval_after_a_rejection_and_another_reason_are_said_to_change_nothing(peopled: Flask) -> None:
    request_id, wati, ratna = asked(peopled, JOKO, NEW), logged_in(peopled, WATI), logged_in(peopled, RATNA)
    assert _reject(wati, request_id, "Datang ke loket 3.").status_code == 303

    assert _reject(wati, request_id, "Datang ke loket 3.").status_code == 303, "a double click"
    for admin, who in ((wati, "Anda"), (ratna, WATI.name)):
        for other in (_approve_again(admin, request_id), _reject(admin, request_id, "Alasan lain.")):
            words = words_of(other)
            assert other.status_code == 422
            assert "tidak mengubah apa-apa" in words
            assert f"sudah ditolak oleh {who}, dengan alasan: Datang ke loket 3." in words
    assert user(peopled, JOKO).email == JOKO.email
    assert correction(peopled, request_id).decision == "Datang ke loket 3."


def test_among_several_a_second_answer_is_said_too(peopled: Flask) -> None:
    ids, wati = (
        [asked(peopled, JOKO, NEW), asked(peopled, BUDI, "b@contoh.example")],
        logged_in(peopled, WATI),
    )
    for one in ids:
        wati.open(f"{QUEUE}/{one}")

    assert "Tidak diubah" not in words_of(_several(wati, "setujui", ids))
    fields: dict[str, str | list[str]] = {
        "csrf_token": wati.csrf_token("/akun"),
        "pilih": [str(one) for one in ids],
    }
    twice = wati.open(wati.post(f"{QUEUE}/beberapa/setujui", **fields, **GROUNDS).location)
    other = wati.open(wati.post(f"{QUEUE}/beberapa/tolak", **fields, reason="Bukan").location)

    assert "Tidak diubah" not in words_of(twice)
    assert words_of(twice).count("Email sudah berganti") == 2
    assert words_of(other).count("Jawaban Anda yang baru tidak mengubah apa-apa") == 2
    assert user(peopled, JOKO).email == NEW


# -- without a request


def test_an_address_that_the_desk_types_itself_is_weighed_as_well(peopled: Flask) -> None:
    asked(peopled, BUDI, "joko@nusa-jaya.example")
    wati, path = logged_in(peopled, WATI), f"/admin/pegawai/{person_id(peopled, JOKO)}/email"
    fields = {"identity_check": "surat_atasan", "reason": "Surat", "email": "joko@nusa-jaya.example"}

    warned = wati.submit(path, **fields)
    half = wati.submit(warned, acknowledged=marks_on(warned)[:1])
    passed = wati.submit(warned, acknowledged=marks_on(warned))

    assert warned.status_code == half.status_code == 422
    assert kinds_on(warned) == {
        "domain_mirip",
        "alamat_untuk_nip_lain",
    }
    assert passed.status_code == 303
    assert user(peopled, JOKO).email == "joko@nusa-jaya.example"
    assert (
        _last_event(peopled, Tag.WARNINGS_ACKNOWLEDGED).detail["acknowledged"]
        == "alamat_untuk_nip_lain,domain_mirip"
    )


def test_who_tries_taken_addresses_at_the_desk_still_leaves_a_trace(peopled: Flask) -> None:
    wati, path = logged_in(peopled, WATI), f"/admin/pegawai/{person_id(peopled, JOKO)}/email"
    fields = {"identity_check": "surat_atasan", "reason": "Surat"}

    taken = wati.submit(path, email=HADI.email or "", **fields)
    of_a_mailbox = wati.submit(path, email="hadi+1@contoh.example", **fields)

    assert taken.status_code == of_a_mailbox.status_code == 422
    with peopled.app_context(), reading() as session:
        found = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == Tag.ADMIN_REFUSED).order_by(AuditEvent.id)
        )
        assert [event.detail["reason"] for event in found] == ["address taken", "warnings not acknowledged"]
