"""/perbaikan-email: someone whose address on record is wrong or dead asks for another one, and follows what
becomes of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from app.domain.attachment import NotAnAttachment, Photo
from app.domain.indonesian_time import now
from app.domain.typed_text import one_line
from app.domain.waits import whole_seconds
from app.files.received_photo import NoPlace, redrawn
from app.flows.correction.request_correction import (
    AlreadyOnRecord,
    PostedLink,
    ProvenMailbox,
    Ticket,
    ask_for_link,
    behind_link,
    resend_link,
    submit,
)
from app.flows.reset.request_reset import TooSoon
from app.mail.rendering import CORRECTION_LINK_DAYS
from app.models.email_correction import EmailCorrection
from app.models.instansi import Instansi
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security.throttle import OTHER_MAILS_PER_MAILBOX
from app.web import kept_form, limits
from app.web.acts import act
from app.web.carried import carried_nip, carry_nip
from app.web.correction_forms import CorrectionForm
from app.web.fields import EmailField, NipField, refuse
from app.web.form_ids import new_form_id
from app.web.headers import takes
from app.web.kept_form import LOST_CSRF, keeps_form
from app.web.ticket_page import LONGEST_BODY, no_place, not_a_link, page_behind, reference_in

blueprint = Blueprint("email_correction", __name__, url_prefix="/perbaikan-email")

MOST_CONTACTS = 20


class AskForm(FlaskForm):
    nip = NipField("NIP")
    email = EmailField("Email baru")
    email_checked = StringField()
    form_id = StringField()


def _ask_again() -> ResponseReturnValue:
    form = AskForm()
    form.form_errors = [LOST_CSRF]
    form.form_id.data = None  # nothing was done with this form, and its id may be an old one
    return _ask_page(form)


def _fill_in_again(link: str) -> ResponseReturnValue:
    return page_behind(link, kept_form.with_file(CorrectionForm()))


@blueprint.get("")
def page() -> ResponseReturnValue:
    """For everybody: how to ask, and whom. Nothing on this page depends on a NIP."""
    form = AskForm()
    form.nip.data = carried_nip()
    return _ask_page(form)


@blueprint.post("")
@limits.limit_mails
@limits.limit_same_ask
@keeps_form(_ask_again)
def ask() -> ResponseReturnValue:
    form = AskForm()
    if not form.validate():
        return _ask_page(form, 422)
    if likely_meant := form.email.likely_meant(form.email_checked.data):
        return _ask_page(form, 422, likely_meant)
    limits.count_mail()
    form_id, asking = form.form_id.data or new_form_id(), act()
    with unit_of_work() as db:
        posted = ask_for_link(
            db, form.nip.value, form.email.value, form_id, asking,
            may_mail_others=limits.may_mail_others(),
        )  # fmt: skip
    limits.count_ask()
    carry_nip(form.nip.value)
    _remember(posted.correction, asking.at)
    return redirect(url_for("email_correction.asked"), 303)


def _remember(correction: EmailCorrection, at: datetime) -> None:
    session.permanent = True
    session["correction_asked"] = {
        "reference": correction.reference,
        "email": correction.new_email,
        "at": at.isoformat(timespec="milliseconds"),
    }


@blueprint.get("/periksa-email")
def asked() -> ResponseReturnValue:
    """The same page for everybody: a stranger learns nothing here."""
    return _asked_page(kept_form.EmptyForm()) if "correction_asked" in session else _ask_anew()


def _ask_anew() -> ResponseReturnValue:
    flash(
        "Permintaan tautan yang lama sudah tidak tersimpan di browser ini. Bila tautannya belum datang, "
        "minta sekali lagi.",
        "info",
    )
    return redirect(url_for("email_correction.page"), 303)


def _asked_page(form: FlaskForm, notice: str | None = None) -> Response:
    kept = session["correction_asked"]
    asked_at = datetime.fromisoformat(kept["at"])
    free_at = asked_at + timedelta(seconds=portal().settings.resend_cooldown_seconds)
    page = render_template(
        "correction/check_your_mail.html",
        form=form,
        email=kept["email"],
        at=asked_at,
        sender=portal().settings.mail_sender,
        link_days=CORRECTION_LINK_DAYS,
        most_mails=OTHER_MAILS_PER_MAILBOX.most,
        seconds_to_resend=whole_seconds(free_at - now()),
        notice=notice,
        has_errors=bool(form.errors),
    )
    return make_response(page)


@blueprint.get("/kirim-ulang")
def resend_opened() -> ResponseReturnValue:
    return redirect(url_for("email_correction.asked"), 303)


def _resend_again() -> ResponseReturnValue:
    if "correction_asked" not in session:
        return _ask_again()
    return _asked_page(kept_form.filled(kept_form.EmptyForm(formdata=None)))


@blueprint.post("/kirim-ulang")
@limits.limit_mails
@keeps_form(_resend_again)
def resend() -> ResponseReturnValue:
    kept, asking = session.get("correction_asked", {}), act()
    if "reference" not in kept:
        return _ask_anew()
    cooldown = timedelta(seconds=portal().settings.resend_cooldown_seconds)
    with unit_of_work() as db:
        outcome = resend_link(
            db, kept["reference"], cooldown, asking, may_mail_others=limits.may_mail_others()
        )
    match outcome:
        case None:
            return _ask_anew()
        case TooSoon(seconds):
            wait = f"Email terakhir baru saja diminta. Tunggu {seconds} detik, lalu tekan Kirim ulang."
            return limits.too_many(_asked_page(kept_form.EmptyForm(formdata=None), wait), seconds)
        case PostedLink(correction):
            limits.count_mail()
            limits.count_ask()
            _remember(correction, asking.at)
            flash(
                "Permintaan kirim ulang diterima. Periksa kotak masuk dan folder Spam beberapa menit lagi.",
                "success",
            )
            return redirect(url_for("email_correction.asked"), 303)


@blueprint.get("/<link>")
def open_link(link: str) -> ResponseReturnValue:
    """For a person who has opened the mailed link and so has shown that the mailbox is theirs. Opening it
    changes nothing."""
    return page_behind(link, CorrectionForm())


def _only_with_a_fresh_link(link: str) -> ResponseReturnValue | None:
    """A file is read only if it comes with a fresh link, and each of these files is counted."""
    reference = reference_in(link, CORRECTION_LINK_DAYS)
    with reading() as db:
        found = behind_link(db, reference, is_fresh=True) if reference else None
    match found:
        case ProvenMailbox():
            limits.count_upload()
            return None
        case Ticket() | AlreadyOnRecord():
            return redirect(url_for("email_correction.open_link", link=link), 303)
        case None:
            return page_behind(link, CorrectionForm(formdata=None), 422)


@blueprint.post("/<link>")
@limits.limit_mails
@keeps_form(_fill_in_again)
@takes(file="attachment", longest_body=LONGEST_BODY, before_body=_only_with_a_fresh_link)
def fill_in(link: str) -> ResponseReturnValue:
    form, reference = CorrectionForm(), reference_in(link, CORRECTION_LINK_DAYS)
    if reference is None or not form.validate():
        return page_behind(link, form, 422)
    match redrawn(form.file) if isinstance(form.file, Photo) else form.file:
        case NoPlace():
            return no_place(form.attachment, lambda: page_behind(link, form, 503))
        case NotAnAttachment(sentence):
            refuse(form.attachment, sentence)
            return page_behind(link, form, 422)
        case attachment:
            typed = form.typed(attachment)
    limits.count_mail()
    with unit_of_work() as db:
        outcome = submit(db, reference, typed, act())
    session.pop("correction_asked", None)
    match outcome:
        case None:
            return not_a_link(link)
        case AlreadyOnRecord() if form.other_nip:
            refuse(
                form.nip,
                "Alamat ini sudah tercatat untuk NIP itu, jadi tidak perlu diperbaiki. Pakai Lupa Password.",
            )
            return page_behind(link, form, 422)
        case EmailCorrection() if form.other_nip:
            link = portal().keys.correction_link(outcome.reference)
    return redirect(url_for("email_correction.open_link", link=link), 303)


def _ask_page(form: AskForm, status: int = 200, likely_meant: str | None = None) -> Response:
    searched = one_line(request.args.get("cari", ""))[:100]
    with reading() as db:
        # A search looks at all names. Without one, many instansi are not shown at all
        instansi = Instansi.all(db, None if searched else MOST_CONTACTS + 1)
    page = render_template(
        "correction/ask.html",
        form=form,
        form_id=form.form_id.data or new_form_id(),
        likely_meant=likely_meant,
        has_errors=bool(form.errors),
        searched=searched,
        contacts=_contacts(instansi, searched),
        has_many=len(instansi) > MOST_CONTACTS,
        most=MOST_CONTACTS,
        link_days=CORRECTION_LINK_DAYS,
    )
    return make_response(page, status)


def _contacts(instansi: Sequence[Instansi], searched: str) -> Sequence[Instansi]:
    """The instansi whose name holds every word of the search. Without a search: all if there are few, none if
    there are many."""
    if not searched:
        return instansi if len(instansi) <= MOST_CONTACTS else []
    words = searched.casefold().split()
    return [one for one in instansi if all(word in one.name.casefold() for word in words)]
