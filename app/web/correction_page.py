"""The page of one request: what was written beside the record, who has it in hand, what was noted and asked,
and the forms to answer it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.domain.corrections import USUAL_REASONS_TO_REJECT
from app.domain.indonesian_time import now
from app.flows.correction import decide_correction
from app.flows.correction.ask_back import why_not_to_ask
from app.flows.correction.correction_queue import next_open_after
from app.flows.correction.review_correction import ReviewedCorrection, others_beside, review
from app.flows.people.correct_record import Record
from app.models.correction_attachment import CorrectionAttachment
from app.models.correction_note import CorrectionNote
from app.models.email_correction import EmailCorrection
from app.runtime.db import reading
from app.runtime.portal import portal
from app.security.authority import OutOfReach
from app.web.admins import authority, stopped
from app.web.decision_forms import (
    ApprovalForm,
    NoteForm,
    QuestionForm,
    RecordApprovalForm,
    RejectionForm,
    offer_possible,
)
from app.web.queue_filter import filter_fields, read_queue_filter
from app.web.words.corrections import words_for


@dataclass(frozen=True)
class DeskForms:
    """All forms of the page. The one that was sent holds what was typed."""

    approval: ApprovalForm
    record_approval: RecordApprovalForm
    rejection: RejectionForm
    note: NoteForm
    question: QuestionForm

    @classmethod
    def empty(cls) -> "DeskForms":
        return cls(
            ApprovalForm(formdata=None),
            RecordApprovalForm(formdata=None),
            RejectionForm(formdata=None),
            NoteForm(formdata=None),
            QuestionForm(formdata=None),
        )

    @classmethod
    def with_one(cls, **sent: Any) -> "DeskForms":  # one of the forms above, by its name
        return replace(cls.empty(), **sent)

    @property
    def all(self) -> Sequence[Any]:
        return self.approval, self.record_approval, self.rejection, self.note, self.question


@dataclass(frozen=True)
class LookedUp:
    """What the page shows of a request as it stands now."""

    reviewed: ReviewedCorrection
    others: Sequence[EmailCorrection]
    notes: Sequence[CorrectionNote]
    has_picture: bool


def look_up(db: Session, correction: EmailCorrection) -> LookedUp:
    """The notes are for the colleagues: the person whom they are about reads none, even as an admin."""
    is_own = correction.user_id == authority().admin.id
    return LookedUp(
        review(db, authority(), correction, now()),
        others_beside(db, authority(), correction),
        [] if is_own else CorrectionNote.of(db, correction.id),
        CorrectionAttachment.is_picture(db, correction.id),
    )


def request_page(found: LookedUp, forms: DeskForms, status: int = 200) -> Response:
    """A request about an email has its own page, with its own way to say yes."""
    reviewed, correction = found.reviewed, found.reviewed.correction
    offer_possible(forms.approval.identity_check, reviewed.person)
    page = render_template(
        "admin/correction/record_request.html"
        if correction.field.is_of_record
        else "admin/correction/request.html",
        found=found,
        reviewed=reviewed,
        sent=forms,
        approval=forms.approval,
        record_approval=forms.record_approval,
        rejection=forms.rejection,
        record=Record.of(reviewed.person),
        no_question=_why_no_question(reviewed),
        usual_reasons=USUAL_REASONS_TO_REJECT,
        delay_hours=portal().settings.email_change_delay_hours,
        answer_by=correction.promised_by,
        asked=filter_fields(),
        now=now(),
        has_errors=any(form.errors for form in forms.all),
    )
    return make_response(page, status)


def again(correction_id: int, forms: DeskForms) -> ResponseReturnValue:
    """The request once more, as it stands now, with what is wrong."""
    with reading() as db:
        correction = decide_correction.within_reach(db, authority(), correction_id)
        if isinstance(correction, OutOfReach):
            raise stopped(correction)
        found = look_up(db, correction)
    return request_page(found, forms, 422)


def to_the_request(correction_id: int) -> ResponseReturnValue:
    return redirect(url_for("admin.corrections.one", correction_id=correction_id, **filter_fields()), 303)


def to_the_queue() -> ResponseReturnValue:
    return redirect(url_for("admin.corrections.page", **filter_fields()), 303)


def to_the_next(correction_id: int) -> ResponseReturnValue:
    """Open the next request of the same list at once, so that an admin can answer all of them without going
    back to it."""
    with reading() as db:
        answered = decide_correction.within_reach(db, authority(), correction_id)
        wanted = read_queue_filter(db, authority()).wanted
        following = (
            None
            if isinstance(answered, OutOfReach)
            else next_open_after(db, authority(), answered, wanted, now())
        )
    if following is None:
        return to_the_queue()
    return to_the_request(following.id)


def _why_no_question(reviewed: ReviewedCorrection) -> str | None:
    why = why_not_to_ask(reviewed.correction, len(reviewed.questions))
    return words_for(why) if why else None
