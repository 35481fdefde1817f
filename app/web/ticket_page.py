"""What is behind the mailed link of a correction: the form, and later the ticket, with a question of the desk
if there is one."""

from collections.abc import Callable
from datetime import timedelta

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField

from app.domain.attachment import LARGEST_SIDE_KEPT, LONGEST_ATTACHMENT
from app.domain.indonesian_time import now, timed
from app.flows.correction.answer_question import may_answer
from app.flows.correction.request_correction import AlreadyOnRecord, ProvenMailbox, Ticket, behind_link
from app.mail.rendering import CORRECTION_LINK_DAYS, TICKET_DAYS
from app.runtime.db import reading
from app.runtime.portal import portal
from app.web import sessions
from app.web.correction_forms import AnswerForm, CorrectionForm
from app.web.fields import refuse
from app.web.pages import error_page
from app.web.times import told
from app.web.words.ticket import steps_of

# In bytes. The limit leaves room for a file that is a little too large: it is refused with a sentence at its
# field
LONGEST_BODY = 12 * 1024 * 1024
_SECONDS_UNTIL_A_PLACE = 30
_NO_PLACE = (
    "Portal sedang mengolah banyak foto. Tunggu sekitar setengah menit, pilih lagi filenya, lalu kirim lagi. "
    "Foto boleh juga tidak disertakan."
)
_DAY = 24 * 3600


def page_behind(
    link: str, form: CorrectionForm, status: int = 200, answer: AnswerForm | None = None
) -> ResponseReturnValue:
    """The form, the ticket with the form for an answer, or the reason why there is neither."""
    reference = reference_in(link, TICKET_DAYS)
    is_fresh = reference_in(link, CORRECTION_LINK_DAYS) is not None
    with reading() as db:
        found = behind_link(db, reference, is_fresh=is_fresh) if reference else None
    match found:
        case ProvenMailbox():
            page = render_template(
                "correction/fill_in.html", form=form, proven=found, link=link, has_errors=bool(form.errors),
                largest_side=LARGEST_SIDE_KEPT, longest_file=LONGEST_ATTACHMENT,
            )  # fmt: skip
            return make_response(page, status)
        case AlreadyOnRecord():
            return render_template("correction/on_record.html", found=found)
        case Ticket(correction) if correction.reference != reference:
            flash("Permintaan untuk NIP dan alamat ini sudah ada. Inilah statusnya.", "info")
            return redirect(
                url_for(
                    "email_correction.open_link", link=portal().keys.correction_link(correction.reference)
                ),
                303,
            )
        case Ticket():
            shown = _ticket_page(link, found, answer or AnswerForm(formdata=None))
            return make_response(shown, status if answer else 200)
        case None:
            return not_a_link(link)


def _ticket_page(link: str, ticket: Ticket, form: AnswerForm) -> str:
    visitor = sessions.visitor()
    return render_template(
        "correction/record_ticket.html" if ticket.correction.field.is_of_record else "correction/ticket.html",
        ticket=ticket,
        correction=ticket.correction,
        steps=steps_of(ticket, now()),
        link=link,
        form=form,
        may_answer=may_answer(ticket.correction, visitor.user if visitor else None),
        largest_side=LARGEST_SIDE_KEPT,
        longest_file=LONGEST_ATTACHMENT,
        has_errors=bool(form.errors),
        now=now(),
    )


def reference_in(link: str, days: int) -> str | None:
    return portal().keys.open_correction_link(link, days * _DAY)


def not_a_link(link: str) -> Response:
    """Whether the link is too old or no link at all: its signature tells when it was made."""
    made_at = portal().keys.correction_link_made_at(link)
    if made_at and now() > made_at + timedelta(days=CORRECTION_LINK_DAYS):
        return error_page(
            404,
            heading="Masa berlaku tautan perbaikan email sudah habis",
            sentences=[told(timed("Tautan ini dibuat pada ", made_at, "."))],
            what_to_do=["Minta tautan baru di halaman Perbaikan email."],
            link_href=url_for("email_correction.page"),
            link_text="Minta tautan baru",
        )
    return error_page(
        404,
        heading="Tautan perbaikan email tidak berlaku",
        sentences=["Tautan ini tidak lengkap atau berubah ketika disalin."],
        what_to_do=[
            "Buka tautan langsung dari email terbaru, atau salin seluruhnya sampai huruf terakhir.",
            "Bila tetap tidak terbuka, minta tautan baru di halaman Perbaikan email.",
        ],
        link_href=url_for("email_correction.page"),
        link_text="Minta tautan baru",
    )


def no_place(field: FileField, page: Callable[[], ResponseReturnValue]) -> Response:
    """The page once more for somebody whose photo found no place."""
    refuse(field, _NO_PLACE)
    answer = make_response(page())
    answer.headers["Retry-After"] = str(_SECONDS_UNTIL_A_PLACE)
    return answer
