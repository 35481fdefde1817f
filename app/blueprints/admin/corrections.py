"""/admin/perbaikan-email: requests for another address, oldest first, and the desk's answer to them."""

from collections.abc import Sequence

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from app.domain.attachment import EXTENSIONS, Attachment, NotAnAttachment, Photo
from app.domain.corrections import PROMISE, USUAL_REASONS_TO_REJECT
from app.domain.identity import ChangeState
from app.domain.indonesian_time import now
from app.files.received_photo import NoPlace, redrawn
from app.flows.correction import decide_correction
from app.flows.correction.change_email import Outdated, SameAddress
from app.flows.correction.correction_queue import (
    BY_MOMENT,
    changes,
    decided_corrections,
    next_open_after,
    open_corrections,
)
from app.flows.correction.decide_correction import AlreadyDecided, SameAnswer
from app.flows.correction.review_correction import (
    CheckImpossible,
    ReviewedCorrection,
    WarningsNotAcknowledged,
    others_beside,
    review,
)
from app.flows.identity.change_identity import UnderWay
from app.flows.identity.put_on_record import AddressTaken
from app.models.audit_event import Tag
from app.models.correction_attachment import CorrectionAttachment
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security import audit
from app.security.authority import NotToTouch, OutOfReach
from app.security.passwords import Busy
from app.web import kept_form
from app.web.admins import authority, chosen_instansi, desk_act, password_confirmed, stopped
from app.web.decision_forms import ApprovalForm, RejectionForm, number_in, offer_possible
from app.web.fields import refuse, refuse_unacknowledged
from app.web.headers import takes
from app.web.paging import a_big_id, moment, read_cursor, written
from app.web.words.changes import what_follows
from app.web.words.corrections import words_for

blueprint = Blueprint("corrections", __name__, url_prefix="/perbaikan-email")

VIEWS = {
    "terbuka": "Terbuka",
    "kedua": "Menunggu admin kedua",
    "terjadwal": "Dijadwalkan",
    "dibekukan": "Disengketakan",
    "selesai": "Selesai",
}
_STATES = {
    "kedua": ChangeState.NEEDS_SECOND,
    "terjadwal": ChangeState.SCHEDULED,
    "dibekukan": ChangeState.FROZEN,
}


@blueprint.get("")
def page() -> ResponseReturnValue:
    view, held = request.args.get("lihat", "terbuka"), authority()
    if view not in VIEWS:
        abort(404)
    if ticket := request.args.get("tiket", "").strip():
        return _ticket(ticket)
    after = read_cursor(request.args.get("setelah", ""), {BY_MOMENT: (moment, a_big_id)})
    with reading() as db:
        instansi = chosen_instansi(db, held, request.args.get("instansi", ""))
        instansi_id = instansi.id if instansi else None
        if view == "terbuka":
            page = open_corrections(db, held, after, instansi_id)
        elif view == "selesai":
            page = decided_corrections(db, held, after, instansi_id)
        else:
            page = changes(db, held, _STATES[view], after, instansi_id)  # type: ignore[assignment]
        choices = Instansi.choices(db, held.within(Instansi.id)) if held.is_pusat else []
    return render_template(
        "admin/correction/queue.html", page=page, view=view, views=VIEWS, is_first=after is None,
        code=instansi.code if instansi else "",
        next_cursor=written(page.next) if page.next else None, now=now(), promise=PROMISE, choices=choices,
    )  # fmt: skip


@blueprint.get("/<big_row:correction_id>")
def one(correction_id: int) -> ResponseReturnValue:
    """Opening the page takes the request in hand, and shows what the list hides."""
    with unit_of_work() as db:
        opened = decide_correction.open_correction(db, correction_id, desk_act())
        if isinstance(opened, OutOfReach):
            raise stopped(opened)
        reviewed, others = review(db, authority(), opened, now()), others_beside(db, authority(), opened)
    return _one(reviewed, others, ApprovalForm(), RejectionForm())


def _approval_again(correction_id: int) -> ResponseReturnValue:
    return _again(correction_id, kept_form.filled(ApprovalForm()), RejectionForm(formdata=None))


def _rejection_again(correction_id: int) -> ResponseReturnValue:
    return _again(correction_id, ApprovalForm(formdata=None), kept_form.filled(RejectionForm()))


@blueprint.post("/<big_row:correction_id>/setujui")
@kept_form.keeps_form(_approval_again)
@takes(many=("acknowledged",))
@password_confirmed
def approve(correction_id: int) -> ResponseReturnValue:
    form = ApprovalForm()
    if not form.validate():
        return _again(correction_id, form, RejectionForm(formdata=None))
    grounds = form.grounds(number_in(form.seen.data))
    with unit_of_work() as db:
        outcome = decide_correction.approve(
            db, correction_id, grounds, portal().settings.email_change_delay, desk_act()
        )
    match outcome:
        case IdentityChange():
            flash(what_follows(outcome), "success")
            return _to_the_next(correction_id)
        case SameAnswer():
            return _to_the_next(correction_id)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case WarningsNotAcknowledged(warnings):
            refuse_unacknowledged(form.acknowledged, warnings)
        case CheckImpossible():
            refuse(form.identity_check, words_for(outcome))
        case AddressTaken() | SameAddress() | UnderWay() | Outdated() | AlreadyDecided():
            form.form_errors = [words_for(outcome)]
    return _again(correction_id, form, RejectionForm(formdata=None))


@blueprint.post("/<big_row:correction_id>/tolak")
@kept_form.keeps_form(_rejection_again)
@password_confirmed
def reject(correction_id: int) -> ResponseReturnValue:
    form = RejectionForm()
    if not form.validate():
        return _again(correction_id, ApprovalForm(formdata=None), form)
    with unit_of_work() as db:
        outcome = decide_correction.reject(db, correction_id, form.reason.value, desk_act())
    match outcome:
        case EmailCorrection():
            flash(f"Permintaan {outcome.ticket} ditolak, dan pemohon diberi tahu alasannya.", "success")
            return _to_the_next(correction_id)
        case SameAnswer():
            return _to_the_next(correction_id)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case AlreadyDecided():
            form.form_errors = [words_for(outcome)]
            return _again(correction_id, ApprovalForm(formdata=None), form)


@blueprint.get("/<big_row:correction_id>/lampiran")
def attachment(correction_id: int) -> ResponseReturnValue:
    """As a download only: a file that a stranger has uploaded is never shown inside the portal."""
    with reading() as db:
        correction = decide_correction.within_reach(db, authority(), correction_id)
        kept = None if isinstance(correction, OutOfReach) else CorrectionAttachment.of(db, correction_id)
        file = kept.as_to_be_seen if kept else abort(404)
    # An older release kept this photo, so it has not been drawn anew yet.
    match redrawn(file) if isinstance(file, Photo) else file:
        case NoPlace():
            raise Busy
        case NotAnAttachment():
            flash(
                "Foto yang dilampirkan rusak, sehingga tidak dapat dibuka. Minta pemohon menunjukkan "
                "dokumennya.",
                "info",
            )
            return redirect(url_for("admin.corrections.one", correction_id=correction_id), 303)
        case Attachment() as clean:
            pass
    with unit_of_work() as db:
        correction = decide_correction.within_reach(db, authority(), correction_id)
        found = CorrectionAttachment.of(db, correction_id)
        if isinstance(correction, OutOfReach) or found is None:
            abort(404)
        found.replace(clean)
        audit.record(db, Tag.ATTACHMENT_OPENED, correction.user, desk_act(), ticket=correction.ticket)
    download = Response(clean.content, mimetype=clean.media_type)
    download.headers["Content-Disposition"] = (
        f'attachment; filename="{correction.ticket}.{EXTENSIONS[clean.media_type]}"'
    )
    download.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return download


def _ticket(typed: str) -> ResponseReturnValue:
    """A person on the phone reads out a ticket: PE-WDJB-MJHT, in any case and spacing."""
    with reading() as db:
        found = decide_correction.with_ticket(db, authority(), typed)
    if isinstance(found, OutOfReach):
        flash("Tidak ada permintaan dengan nomor tiket itu di antrean Anda. Periksa lagi hurufnya.", "info")
        return redirect(url_for("admin.corrections.page"), 303)
    return redirect(url_for("admin.corrections.one", correction_id=found.id), 303)


def _one(
    reviewed: ReviewedCorrection,
    others: Sequence[EmailCorrection],
    approval: ApprovalForm,
    rejection: RejectionForm,
    status: int = 200,
) -> Response:
    offer_possible(approval.identity_check, reviewed.person)
    page = render_template(
        "admin/correction/request.html",
        reviewed=reviewed,
        others=others,
        approval=approval,
        rejection=rejection,
        usual_reasons=USUAL_REASONS_TO_REJECT,
        delay_hours=portal().settings.email_change_delay_hours,
        answer_by=reviewed.correction.promised_by,
        now=now(),
        has_errors=bool(approval.errors or rejection.errors),
    )
    return make_response(page, status)


def _again(correction_id: int, approval: ApprovalForm, rejection: RejectionForm) -> ResponseReturnValue:
    """The request once more, as it stands now, with what is wrong."""
    with reading() as db:
        correction = decide_correction.within_reach(db, authority(), correction_id)
        if isinstance(correction, OutOfReach):
            raise stopped(correction)
        reviewed, others = (
            review(db, authority(), correction, now()),
            others_beside(db, authority(), correction),
        )
        return _one(reviewed, others, approval, rejection, 422)


def _to_the_next(correction_id: int) -> ResponseReturnValue:
    """Open the next request of the queue at once, so that an admin can answer all of them without going back
    to the list."""
    with reading() as db:
        answered = decide_correction.within_reach(db, authority(), correction_id)
        following = None if isinstance(answered, OutOfReach) else next_open_after(db, authority(), answered)
    if following is None:
        return redirect(url_for("admin.corrections.page"), 303)
    return redirect(url_for("admin.corrections.one", correction_id=following.id), 303)
