"""What an admin does with a request before the decision: take it in hand and give it back, note something for
the colleagues, ask the person."""

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue

from app.flows.correction.ask_back import (
    EnoughQuestions,
    NameDoesNotMatch,
    QuestionIsOpen,
    ask_back,
)
from app.flows.correction.decide_correction import AlreadyDecided, InHandOfAnother, WaitsForPerson
from app.flows.correction.take_correction import NotInHand, give_back, take
from app.flows.correction.write_note import EnoughNotes, write_note
from app.models.correction_note import CorrectionNote
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.runtime.db import unit_of_work
from app.security.authority import NotToTouch, OutOfReach
from app.web import kept_form
from app.web.admins import desk_act, password_confirmed, stopped
from app.web.correction_page import DeskForms, again, to_the_next, to_the_queue, to_the_request
from app.web.decision_forms import NoteForm, QuestionForm, number_in
from app.web.fields import refuse
from app.web.words.corrections import words_for

blueprint = Blueprint("correction_acts", __name__, url_prefix="/perbaikan-email")


@blueprint.post("/<big_row:correction_id>/ambil")
@password_confirmed
def take_over(correction_id: int) -> ResponseReturnValue:
    seen = number_in(request.form.get("taken_by"))
    with unit_of_work() as db:
        outcome = take(db, correction_id, seen, desk_act())
    match outcome:
        case EmailCorrection():
            flash(f"Permintaan {outcome.ticket} sekarang Anda tangani.", "success")
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case InHandOfAnother() | WaitsForPerson() | AlreadyDecided():
            flash(words_for(outcome), "info")
    return to_the_request(correction_id)


@blueprint.post("/<big_row:correction_id>/kembalikan")
@password_confirmed
def hand_back(correction_id: int) -> ResponseReturnValue:
    with unit_of_work() as db:
        outcome = give_back(db, correction_id, desk_act())
    match outcome:
        case EmailCorrection():
            flash(
                f"Permintaan {outcome.ticket} dikembalikan ke antrean, untuk siapa saja di meja ini.",
                "success",
            )
        case NotInHand(correction):
            flash(
                f"Permintaan {correction.ticket} sudah tidak di tangan Anda, jadi tidak ada yang berubah.",
                "info",
            )
        case OutOfReach():
            raise stopped(outcome)
        case AlreadyDecided():
            flash(words_for(outcome), "info")
    return to_the_queue()


def _note_again(correction_id: int) -> ResponseReturnValue:
    return again(correction_id, DeskForms.with_one(note=kept_form.filled(NoteForm())))


@blueprint.post("/<big_row:correction_id>/catatan")
@kept_form.keeps_form(_note_again)
@password_confirmed
def note(correction_id: int) -> ResponseReturnValue:
    form = NoteForm()
    if not form.validate():
        return again(correction_id, DeskForms.with_one(note=form))
    with unit_of_work() as db:
        outcome = write_note(db, correction_id, form.words.value, desk_act())
    match outcome:
        case CorrectionNote():
            flash("Catatan disimpan. Hanya admin yang membacanya.", "success")
            return to_the_request(correction_id)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case EnoughNotes() | AlreadyDecided():
            refuse(form.words, words_for(outcome))
            return again(correction_id, DeskForms.with_one(note=form))


def _question_again(correction_id: int) -> ResponseReturnValue:
    return again(correction_id, DeskForms.with_one(question=kept_form.filled(QuestionForm())))


@blueprint.post("/<big_row:correction_id>/tanya")
@kept_form.keeps_form(_question_again)
@password_confirmed
def ask(correction_id: int) -> ResponseReturnValue:
    form = QuestionForm()
    if not form.validate():
        return again(correction_id, DeskForms.with_one(question=form))
    with unit_of_work() as db:
        outcome = ask_back(db, correction_id, form.question.value, desk_act())
    match outcome:
        case CorrectionQuestion():
            flash("Pertanyaan dikirim. Permintaan ini kembali ke antrean setelah dijawab.", "success")
            return to_the_next(correction_id)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case QuestionIsOpen() | EnoughQuestions() | NameDoesNotMatch() | AlreadyDecided():
            refuse(form.question, words_for(outcome))
            return again(correction_id, DeskForms.with_one(question=form))
