"""/perbaikan-email: how an address on record is put right."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.db import reading
from app.domain.nip import Nip
from app.mail.rendering import CORRECTION_LINK_DAYS
from app.models.instansi import Instansi
from app.models.reset_request import ResetRequest
from app.web.compression import compressed_for_strangers
from app.web.pages import error_page
from app.web.portal import portal

blueprint = Blueprint("email_correction", __name__, url_prefix="/perbaikan-email")


@blueprint.get("", endpoint="page")
@compressed_for_strangers
def show() -> ResponseReturnValue:
    """For everybody: who can change an address, and how to reach them. It lists all instansi, so it tells nothing of a NIP."""
    with reading() as db:
        return render_template("information/email_correction.html", instansi=Instansi.all(db), proven=None)


@blueprint.get("/<link>")
def open_link(link: str) -> ResponseReturnValue:
    """For who has opened the mailed link, and thereby has shown that the new mailbox is theirs."""
    reference = portal().keys.open_correction_link(link, CORRECTION_LINK_DAYS * 24 * 3600)
    with reading() as db:
        request = ResetRequest.with_reference(db, reference) if reference else None
        instansi = Instansi.all(db)
    if request is None:
        return error_page(
            404,
            heading="Tautan perbaikan email tidak berlaku",
            sentences=["Tautan ini tidak lengkap, atau sudah lebih lama dari masa berlakunya."],
            what_to_do=["Ulangi Lupa Password dengan alamat email Anda untuk mendapat tautan baru."],
        )
    proven = {"nip": Nip(request.nip).masked, "address": request.typed_email}
    return render_template("information/email_correction.html", instansi=instansi, proven=proven)
