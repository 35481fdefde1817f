"""The file that came with a request. A photo, which the portal has drawn anew, stands beside the record; a
PDF comes from a stranger as it is, so it is only handed out as a download."""

from flask import Blueprint, Response, abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.domain.attachment import EXTENSIONS, REDRAWN_AS, Attachment, NotAnAttachment, Photo
from app.files.received_photo import NoPlace, redrawn
from app.flows.correction import decide_correction
from app.models.audit_event import Tag
from app.models.correction_attachment import CorrectionAttachment
from app.models.email_correction import EmailCorrection
from app.runtime.db import reading, unit_of_work
from app.security import audit
from app.security.authority import OutOfReach
from app.security.passwords import Busy
from app.web.admins import authority, desk_act

blueprint = Blueprint("correction_file", __name__, url_prefix="/perbaikan-email")


@blueprint.get("/<big_row:correction_id>/lampiran")
def download(correction_id: int) -> ResponseReturnValue:
    clean = _clean_file(correction_id)
    if clean is None:
        flash(
            "Foto yang dilampirkan rusak, sehingga tidak dapat dibuka. Minta pemohon menunjukkan dokumennya.",
            "info",
        )
        return redirect(url_for("admin.corrections.one", correction_id=correction_id), 303)
    correction = _note_opened(correction_id, clean)
    answer = _sandboxed(clean)
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="{correction.ticket}.{EXTENSIONS[clean.media_type]}"'
    )
    return answer


@blueprint.get("/<big_row:correction_id>/gambar")
def picture(correction_id: int) -> ResponseReturnValue:
    """The photo itself, for the page of the request. Nothing else that was uploaded is ever shown."""
    clean = _clean_file(correction_id)
    if clean is None or clean.media_type != REDRAWN_AS:
        abort(404)
    _note_opened(correction_id, clean)
    answer = _sandboxed(clean)
    answer.headers["Content-Disposition"] = "inline"
    return answer


def _clean_file(correction_id: int) -> Attachment | None:
    """The file as anybody may see it; None for a photo that cannot be drawn. An older release kept photos as
    they came, so those are drawn anew first."""
    with reading() as db:
        correction = decide_correction.within_reach(db, authority(), correction_id)
        kept = None if isinstance(correction, OutOfReach) else CorrectionAttachment.of(db, correction_id)
        file = kept.as_to_be_seen if kept else abort(404)
    match redrawn(file) if isinstance(file, Photo) else file:
        case NoPlace():
            raise Busy
        case NotAnAttachment():
            return None
        case Attachment() as clean:
            return clean


def _note_opened(correction_id: int, clean: Attachment) -> EmailCorrection:
    """Keep the clean file, and write into the trail who has seen it: once for the page and its picture."""
    with unit_of_work() as db:
        correction = decide_correction.within_reach(db, authority(), correction_id)
        found = CorrectionAttachment.of(db, correction_id)
        if isinstance(correction, OutOfReach) or found is None:
            abort(404)
        found.replace(clean)
        audit.record_once_a_minute(
            db, Tag.ATTACHMENT_OPENED, correction.user, desk_act(),
            about=f"{authority().admin.id} {correction.ticket}", ticket=correction.ticket,
        )  # fmt: skip
    return correction


def _sandboxed(file: Attachment) -> Response:
    answer = Response(file.content, mimetype=file.media_type)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
