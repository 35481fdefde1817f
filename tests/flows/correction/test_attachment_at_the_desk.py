"""A photo that the desk downloads never has the camera's notes in it, even if an earlier release has kept
it."""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.domain.attachment import is_redrawn
from app.domain.indonesian_time import now
from app.models.correction_attachment import CorrectionAttachment
from app.runtime.db import reading, unit_of_work
from tests.cast import JOKO, WATI
from tests.desk import asked
from tests.photos import PLACE, TURNED_RIGHT, camera_notes, jpeg, opened, paper, png
from tests.visitor import logged_in, words_of

OLD = {
    "jpeg": ("image/jpeg", jpeg(paper(), exif=camera_notes(TURNED_RIGHT), comment=PLACE)),
    "png": ("image/png", png(paper(), exif=camera_notes())),
}


def _download(app: Flask, media_type: str, content: bytes) -> tuple[TestResponse, CorrectionAttachment]:
    request_id = asked(app, JOKO, "joko@nusajaya.example")
    with app.app_context(), unit_of_work() as session:
        session.add(
            CorrectionAttachment(
                correction_id=request_id, media_type=media_type, content=content, added_at=now()
            )
        )
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
