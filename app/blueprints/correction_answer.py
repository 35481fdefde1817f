"""/perbaikan-email/<link>/jawab: somebody answers a question of the desk on the page of their ticket."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.domain.attachment import NotAnAttachment, Photo
from app.files.received_photo import NoPlace, redrawn
from app.flows.correction.answer_question import (
    AwaitsSecond,
    IsDecided,
    NothingIsAsked,
    NotItsOwner,
    answer_question,
    may_answer,
)
from app.flows.correction.request_correction import Ticket, behind_link
from app.mail.rendering import TICKET_DAYS
from app.models.email_correction import EmailCorrection
from app.models.user import User
from app.runtime.db import reading, unit_of_work
from app.web import kept_form, limits, sessions
from app.web.acts import act
from app.web.correction_forms import AnswerForm, CorrectionForm
from app.web.fields import refuse
from app.web.headers import takes
from app.web.ticket_page import LONGEST_BODY, no_place, page_behind, reference_in

blueprint = Blueprint("correction_answer", __name__, url_prefix="/perbaikan-email")

_NO_QUESTION = "Tidak ada pertanyaan yang menunggu jawaban Anda. Inilah status permintaan Anda."
_DECIDED = "Permintaan ini sudah diputuskan, jadi jawaban Anda tidak disimpan lagi."
_APPROVED_ONCE = (
    "Permintaan ini sudah disetujui satu admin dan menunggu admin kedua, jadi jawaban Anda tidak disimpan "
    "lagi."
)


def _owner() -> User | None:
    visitor = sessions.visitor()
    return visitor.user if visitor else None


def _answer_again(link: str) -> ResponseReturnValue:
    return _page(link, kept_form.with_file(AnswerForm()))


def _only_while_asked(link: str) -> ResponseReturnValue | None:
    """A body is read only if an answer is awaited from whoever has this link, and each of them is counted."""
    reference = reference_in(link, TICKET_DAYS)
    with reading() as db:
        found = behind_link(db, reference, is_fresh=False) if reference else None
    if not isinstance(found, Ticket):
        return _page(link, AnswerForm(formdata=None))
    if found.open_question is None or not may_answer(found.correction, _owner()):
        return _to_the_ticket(link, _why_no_answer(found))
    limits.count_upload()
    return None


def _why_no_answer(found: Ticket) -> str:
    if found.correction.state.is_decided:
        return _DECIDED
    return _APPROVED_ONCE if found.awaits_second else _NO_QUESTION


@blueprint.post("/<link>/jawab")
@kept_form.keeps_form(_answer_again)
@takes(file="attachment", longest_body=LONGEST_BODY, before_body=_only_while_asked)
def send(link: str) -> ResponseReturnValue:
    form, reference = AnswerForm(), reference_in(link, TICKET_DAYS)
    if reference is None or not form.validate():
        return _page(link, form)
    match redrawn(form.file) if isinstance(form.file, Photo) else form.file:
        case NoPlace():
            return no_place(form.attachment, lambda: _page(link, form, 503))
        case NotAnAttachment(sentence):
            refuse(form.attachment, sentence)
            return _page(link, form)
        case file:
            pass
    with unit_of_work() as db:
        outcome = answer_question(db, reference, form.words, file, act().done_by(_owner()))
    match outcome:
        case EmailCorrection():
            return _to_the_ticket(
                link,
                "Jawaban Anda sudah dikirim. Permintaan ini kembali ke antrean di tempatnya semula.",
                "success",
            )
        case IsDecided():
            return _to_the_ticket(link, _DECIDED)
        case AwaitsSecond():
            return _to_the_ticket(link, _APPROVED_ONCE)
        case NothingIsAsked() | NotItsOwner() | None:
            return _to_the_ticket(link, _NO_QUESTION)


def _page(link: str, form: AnswerForm, status: int = 422) -> ResponseReturnValue:
    return page_behind(link, CorrectionForm(formdata=None), status, form)


def _to_the_ticket(link: str, words: str, kind: str = "info") -> ResponseReturnValue:
    flash(words, kind)
    return redirect(url_for("email_correction.open_link", link=link), 303)
