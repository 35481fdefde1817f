"""/admin/perbaikan-email: requests for another address, oldest first, and the desk's answer to them."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.domain.corrections import PROMISE, Age, CorrectionField
from app.domain.identity import ChangeState
from app.domain.indonesian_time import now
from app.domain.paging import ROWS_A_PAGE, Cursor, Page
from app.flows.correction import decide_correction
from app.flows.correction.change_email import Outdated, SameAddress
from app.flows.correction.correction_queue import (
    BY_MOMENT,
    Hand,
    QueueFilter,
    changes,
    decided_corrections,
    marks_of,
    open_corrections,
)
from app.flows.correction.decide_correction import AlreadyDecided, SameAnswer
from app.flows.correction.review_correction import CheckImpossible, WarningsNotAcknowledged
from app.flows.identity.change_identity import UnderWay
from app.flows.identity.put_on_record import AddressTaken, NipTaken
from app.flows.people.correct_record import Corrected
from app.flows.people.decide_record_correction import (
    ChangedSince,
    RecordGrounds,
    approve_record_correction,
)
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security.authority import NotToTouch, OutOfReach
from app.web import kept_form
from app.web.admins import authority, desk_act, password_confirmed, stopped
from app.web.correction_page import DeskForms, again, look_up, request_page, to_the_next
from app.web.decision_forms import ApprovalForm, RecordApprovalForm, RejectionForm, number_in
from app.web.fields import refuse, refuse_unacknowledged
from app.web.headers import takes
from app.web.paging import a_big_id, moment, read_cursor, written
from app.web.queue_filter import is_ticket, read_queue_filter
from app.web.words.changes import what_follows
from app.web.words.corrections import words_for

blueprint = Blueprint("corrections", __name__, url_prefix="/perbaikan-email")

VIEWS = {
    "terbuka": "Terbuka",
    "pemohon": "Menunggu jawaban pemohon",
    "kedua": "Menunggu admin kedua",
    "terjadwal": "Dijadwalkan",
    "dibekukan": "Disengketakan",
    "selesai": "Selesai",
}
_WAITING = ("terbuka", "pemohon")  # requests without a decision; only these can be narrowed in every way
_STATES = {
    "kedua": ChangeState.NEEDS_SECOND,
    "terjadwal": ChangeState.SCHEDULED,
    "dibekukan": ChangeState.FROZEN,
}
_CHOICES = {
    name: [(one.value, one.label) for one in kind]
    for name, kind in (("ages", Age), ("parts", CorrectionField), ("hands", Hand))
}


@blueprint.get("")
def page() -> ResponseReturnValue:
    view, typed = request.args.get("lihat", "terbuka"), request.args.get("cari", "")
    if view not in VIEWS:
        abort(404)
    if is_ticket(typed):
        return _ticket(typed)
    after = read_cursor(request.args.get("setelah", ""), {BY_MOMENT: (moment, a_big_id)})
    with reading() as db:
        asked = read_queue_filter(db, authority())
        unclear = asked.unclear or ("cari" if asked.wanted.words and view not in _WAITING else None)
        page = Page[Any, Cursor]([], None) if unclear else _listed(db, view, asked.wanted, after)
        marks = marks_of(db, page.rows, now()) if view in _WAITING else None
    return render_template(
        "admin/correction/queue.html", page=page, marks=marks, view=view, views=VIEWS, asked=asked,
        unclear=unclear, is_waiting=view in _WAITING, is_first=after is None,
        next_cursor=written(page.next) if page.next else None, now=now(), promise=PROMISE,
        choices=_CHOICES, rows_a_page=ROWS_A_PAGE,
    )  # fmt: skip


def _listed(db: Session, view: str, wanted: QueueFilter, after: Cursor | None) -> Page[Any, Cursor]:
    if view in _WAITING:
        return open_corrections(
            db, authority(), replace(wanted, awaits_answer=view == "pemohon"), after, now()
        )
    if view == "selesai":
        return decided_corrections(db, authority(), wanted, after)
    return changes(db, authority(), _STATES[view], wanted, after)


@blueprint.get("/<big_row:correction_id>")
def one(correction_id: int) -> ResponseReturnValue:
    """Opening the page shows what the list hides, and takes the request in hand if nobody has it."""
    with unit_of_work() as db:
        opened = decide_correction.open_correction(db, correction_id, desk_act())
        if isinstance(opened, OutOfReach):
            raise stopped(opened)
        found = look_up(db, opened)
    return request_page(found, DeskForms.empty())


def _approval_again(correction_id: int) -> ResponseReturnValue:
    return again(correction_id, DeskForms.with_one(approval=kept_form.filled(ApprovalForm())))


def _rejection_again(correction_id: int) -> ResponseReturnValue:
    return again(correction_id, DeskForms.with_one(rejection=kept_form.filled(RejectionForm())))


@blueprint.post("/<big_row:correction_id>/setujui")
@kept_form.keeps_form(_approval_again)
@takes(many=("acknowledged",))
@password_confirmed
def approve(correction_id: int) -> ResponseReturnValue:
    form = ApprovalForm()
    if not form.validate():
        return again(correction_id, DeskForms.with_one(approval=form))
    grounds = form.grounds(number_in(form.seen.data))
    with unit_of_work() as db:
        outcome = decide_correction.approve(
            db, correction_id, grounds, portal().settings.email_change_delay, desk_act()
        )
    match outcome:
        case IdentityChange():
            flash(what_follows(outcome), "success")
            return to_the_next(correction_id)
        case SameAnswer():
            return to_the_next(correction_id)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case WarningsNotAcknowledged(warnings):
            refuse_unacknowledged(form.acknowledged, warnings)
        case CheckImpossible():
            refuse(form.identity_check, words_for(outcome))
        case AddressTaken() | SameAddress() | UnderWay() | Outdated() | AlreadyDecided():
            form.form_errors = [words_for(outcome)]
    return again(correction_id, DeskForms.with_one(approval=form))


def _record_approval_again(correction_id: int) -> ResponseReturnValue:
    form = kept_form.filled(RecordApprovalForm())
    return again(correction_id, DeskForms.with_one(record_approval=form))


@blueprint.post("/<big_row:correction_id>/betulkan")
@kept_form.keeps_form(_record_approval_again)
@password_confirmed
def approve_of_record(correction_id: int) -> ResponseReturnValue:
    """Yes to a name, a unit, a phone number or a NIP that its owner has asked for."""
    form = RecordApprovalForm()
    if not form.validate():
        return again(correction_id, DeskForms.with_one(record_approval=form))
    grounds = RecordGrounds(form.note.value, form.seen.data or "")
    with unit_of_work() as db:
        outcome = approve_record_correction(
            db, correction_id, grounds, portal().settings.email_change_delay, desk_act()
        )
    match outcome:
        case Corrected(change=IdentityChange() as change):
            flash(what_follows(change), "success")
            return to_the_next(correction_id)
        case Corrected():
            flash(f"Data sudah dibetulkan, dan {outcome.person.name} diberi tahu.", "success")
            return to_the_next(correction_id)
        case SameAnswer():
            return to_the_next(correction_id)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case ChangedSince() | NipTaken() | Outdated() | UnderWay() | AlreadyDecided():
            form.form_errors = [words_for(outcome)]
    return again(correction_id, DeskForms.with_one(record_approval=form))


@blueprint.post("/<big_row:correction_id>/tolak")
@kept_form.keeps_form(_rejection_again)
@password_confirmed
def reject(correction_id: int) -> ResponseReturnValue:
    form = RejectionForm()
    if not form.validate():
        return again(correction_id, DeskForms.with_one(rejection=form))
    with unit_of_work() as db:
        outcome = decide_correction.reject(db, correction_id, form.reason.value, desk_act())
    match outcome:
        case EmailCorrection():
            flash(f"Permintaan {outcome.ticket} ditolak, dan pemohon diberi tahu alasannya.", "success")
            return to_the_next(correction_id)
        case SameAnswer():
            return to_the_next(correction_id)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case AlreadyDecided():
            form.form_errors = [words_for(outcome)]
            return again(correction_id, DeskForms.with_one(rejection=form))


def _ticket(typed: str) -> ResponseReturnValue:
    """A person on the phone reads out a ticket: PE-WDJB-MJHT, in any case and spacing."""
    with reading() as db:
        found = decide_correction.with_ticket(db, authority(), typed)
    if isinstance(found, OutOfReach):
        flash("Tidak ada permintaan dengan nomor tiket itu di antrean Anda. Periksa lagi hurufnya.", "info")
        return redirect(url_for("admin.corrections.page"), 303)
    return redirect(url_for("admin.corrections.one", correction_id=found.id), 303)
