"""A photo that the desk downloads never has the camera's notes in it, even if an earlier release has kept
it."""

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.attachment import is_redrawn
from app.domain.indonesian_time import now
from app.models import AuditEvent, Tag
from app.models.correction_attachment import CorrectionAttachment
from app.runtime.db import reading, unit_of_work
from tests.cast import JOKO, RAKA, WATI
from tests.desk import asked
from tests.photos import PLACE, TURNED_RIGHT, camera_notes, jpeg, opened, paper, png
from tests.visitor import Visitor, logged_in, words_of

OLD = {
    "jpeg": ("image/jpeg", jpeg(paper(), exif=camera_notes(TURNED_RIGHT), comment=PLACE)),
    "png": ("image/png", png(paper(), exif=camera_notes())),
}


def _download(app: Flask, media_type: str, content: bytes) -> tuple[TestResponse, CorrectionAttachment]:
    request_id = _request_with(app, media_type, content)
    answer = logged_in(app, WATI).client.get(
        f"/admin/perbaikan-email/{request_id}/lampiran", follow_redirects=True
    )
    with app.app_context(), reading() as session:
        kept = CorrectionAttachment.of(session, request_id)
        assert kept is not None
        return answer, kept


@pytest.mark.parametrize(("media_type", "content"), OLD.values(), ids=OLD)
def test_a_photo_of_an_older_release_is_drawn_anew_and_kept_so(
    peopled: Flask, media_type: str, content: bytes
) -> None:
    answer, kept = _download(peopled, media_type, content)

    assert answer.status_code == 200
    assert answer.mimetype == kept.media_type == "image/jpeg"
    assert answer.data == kept.content
    assert is_redrawn(kept.content)
    assert PLACE.encode() not in kept.content
    assert opened(kept.content).size == ((48, 64) if media_type == "image/jpeg" else (64, 48))
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert disposition.endswith('.jpg"')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_pdf_is_handed_out_as_it_is(peopled: Flask) -> None:
    answer, kept = _download(peopled, "application/pdf", b"%PDF-1.4 ...")

    assert (
        (answer.mimetype, answer.data)
        == ("application/pdf", b"%PDF-1.4 ...")
        == (kept.media_type, kept.content)
    )


def test_one_that_cannot_be_drawn_is_not_handed_out(peopled: Flask) -> None:
    answer, kept = _download(peopled, "image/jpeg", b"\xff\xd8\xff\xe0 broken")

    assert "rusak, sehingga tidak dapat dibuka" in words_of(answer)
    assert kept.content == b"\xff\xd8\xff\xe0 broken"


def _request_with(app: Flask, media_type: str, content: bytes) -> int:
    request_id = asked(app, JOKO, "joko@nusajaya.example")
    with app.app_context(), unit_of_work() as session:
        session.add(
            CorrectionAttachment(
                correction_id=request_id, media_type=media_type, content=content, added_at=now()
            )
        )
    return request_id


@pytest.mark.parametrize(("media_type", "content"), OLD.values(), ids=OLD)
def test_a_photo_stands_beside_the_record_without_what_the_camera_wrote(
    peopled: Flask, media_type: str, content: bytes
) -> None:
    request_id = _request_with(peopled, media_type, content)
    wati, path = logged_in(peopled, WATI), f"/admin/perbaikan-email/{request_id}"

    page, picture = wati.open(path), wati.open(f"{path}/gambar")
    wati.open(f"{path}/gambar")

    assert f'src="{path}/gambar"' in page.text
    assert "rusak: minta pemohon" in page.text, "what stands there if the picture does not"
    assert picture.status_code == 200
    assert picture.mimetype == "image/jpeg"
    assert is_redrawn(picture.data)
    assert PLACE.encode() not in picture.data
    assert picture.headers["Content-Disposition"] == "inline"
    assert picture.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert picture.headers["Cache-Control"] == "no-store"
    assert picture.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    with peopled.app_context(), reading() as session:
        seen = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.ATTACHMENT_OPENED)).all()
        assert len(seen) == 1, "looked at once"


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/pdf", b"%PDF-1.4 ..."),
        ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("text/html", b"<script>alert(1)</script>"),
        ("image/jpeg", b"\xff\xd8\xff\xe0 broken"),
    ],
    ids=["pdf", "svg", "html", "broken"],
)
def test_nothing_but_a_photo_that_was_drawn_anew_is_shown(
    peopled: Flask, media_type: str, content: bytes
) -> None:
    request_id = _request_with(peopled, media_type, content)
    wati, path = logged_in(peopled, WATI), f"/admin/perbaikan-email/{request_id}"

    shown = wati.open(f"{path}/gambar")

    assert shown.status_code == 404
    assert content not in shown.data


def test_the_photo_of_another_instansi_does_not_exist(peopled: Flask) -> None:
    request_id = _request_with(peopled, *OLD["jpeg"])
    path = f"/admin/perbaikan-email/{request_id}/gambar"
    raka = logged_in(peopled, RAKA)

    foreign, missing = raka.open(path), raka.open("/admin/perbaikan-email/999999/gambar")

    assert (foreign.status_code, len(foreign.text)) == (missing.status_code, len(missing.text))
    assert foreign.status_code == 404
    assert Visitor(peopled).open(path).status_code == 303
