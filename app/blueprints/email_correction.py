"""/perbaikan-email: someone whose address on record is wrong or dead asks for another one, and follows what
becomes of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from io import SEEK_END

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
from flask_wtf.file import FileField
from wtforms import StringField, TextAreaField, ValidationError

from app.domain.attachment import (
    LARGEST_SIDE_KEPT,
    LONGEST_ATTACHMENT,
    LONGEST_FILE,
    TOO_LARGE,
    Attachment,
    NotAnAttachment,
    Photo,
    read_attachment,
)
from app.domain.indonesian_time import now, timed
from app.domain.nip import Nip, NotANip, read_nip
from app.domain.typed_text import few_lines, one_line
from app.domain.waits import whole_seconds
from app.files.received_photo import NoPlace, redrawn
from app.flows.correction.request_correction import (
    AlreadyOnRecord,
    PostedLink,
    ProvenMailbox,
    Ticket,
    Typed,
    ask_for_link,
    behind_link,
    resend_link,
    submit,
)
from app.flows.reset.request_reset import TooSoon
from app.mail.rendering import CORRECTION_LINK_DAYS, TICKET_DAYS
from app.models.email_correction import EmailCorrection
from app.models.instansi import Instansi
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security.throttle import OTHER_MAILS_PER_MAILBOX
from app.web import kept_form, limits
from app.web.acts import act
from app.web.carried import carried_nip, carry_nip
from app.web.fields import EmailField, NipField, refuse
from app.web.form_ids import new_form_id
from app.web.headers import takes
from app.web.kept_form import LOST_CSRF, keeps_form
from app.web.pages import error_page
from app.web.times import told
from app.web.words.ticket import steps_of

blueprint = Blueprint("email_correction", __name__, url_prefix="/perbaikan-email")

# In bytes. The limit leaves room for a file that is a little too large: it is refused with a sentence at its
# field
LONGEST_BODY = 12 * 1024 * 1024
_SECONDS_UNTIL_A_PLACE = 30
_NO_PLACE = (
    "Portal sedang mengolah banyak foto. Tunggu sekitar setengah menit, pilih lagi filenya, lalu kirim lagi. "
    "Foto boleh juga tidak disertakan."
)
MOST_CONTACTS = 20
_DAY = 24 * 3600


class AskForm(FlaskForm):
    nip = NipField("NIP")
    email = EmailField("Email baru")
    email_checked = StringField()
    form_id = StringField()


class CorrectionForm(FlaskForm):
    nip = StringField("NIP Anda")
    name = StringField("Nama lengkap")
    work_unit = StringField("Unit kerja")
    reason = TextAreaField("Alasan")
    phone = StringField("Nomor telepon")
    attachment = FileField("Foto atau PDF")
    other_nip: Nip | None = None
    file: Photo | Attachment | None = None

    def validate_nip(self, field: StringField) -> None:
        match read_nip(field.data) if field.data and field.data.strip() else None:
            case NotANip(sentence):
                raise ValidationError(sentence)
            case read:
                self.other_nip = read

    def validate_name(self, field: StringField) -> None:
        _fits(one_line(field.data or ""), 200, "Isi nama lengkap Anda, seperti pada SK terakhir.")

    def validate_work_unit(self, field: StringField) -> None:
        _fits(one_line(field.data or ""), 200)

    def validate_reason(self, field: TextAreaField) -> None:
        _fits(few_lines(field.data or ""), 1000, "Tulis mengapa email di data kepegawaian perlu diganti.")

    def validate_phone(self, field: StringField) -> None:
        phone = one_line(field.data or "")
        _fits(phone, 30)
        if phone and (
            not set(phone) <= set("0123456789+ ().-") or not any(digit.isdigit() for digit in phone)
        ):
            raise ValidationError(
                "Tulis nomor telepon dengan angka saja, misalnya 081234567890, atau kosongkan."
            )

    def validate_attachment(self, field: FileField) -> None:
        if not field.data:
            return
        size = field.data.stream.seek(0, SEEK_END)
        field.data.stream.seek(0)
        match TOO_LARGE if size > LONGEST_FILE else read_attachment(field.data.stream.read()):
            case NotAnAttachment(sentence):
                raise ValidationError(sentence)
            case file:
                self.file = file

    def typed(self, attachment: Attachment | None) -> Typed:
        return Typed(
            name=one_line(self.name.data or ""),
            work_unit=one_line(self.work_unit.data or ""),
            reason=few_lines(self.reason.data or ""),
            phone=one_line(self.phone.data or ""),
            attachment=attachment,
            nip=self.other_nip,
        )


def _ask_again() -> ResponseReturnValue:
    form = AskForm()
    form.form_errors = [LOST_CSRF]
    form.form_id.data = None  # nothing was done with this form, and its id may be an old one
    return _ask_page(form)


def _fill_in_again(link: str) -> ResponseReturnValue:
    return _page_behind(link, kept_form.with_file(CorrectionForm()))


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
    return _page_behind(link, CorrectionForm())


def _only_with_a_fresh_link(link: str) -> ResponseReturnValue | None:
    """A file is read only if it comes with a fresh link, and each of these files is counted."""
    reference = _reference(link, CORRECTION_LINK_DAYS)
    with reading() as db:
        found = behind_link(db, reference, is_fresh=True) if reference else None
    match found:
        case ProvenMailbox():
            limits.count_upload()
            return None
        case Ticket() | AlreadyOnRecord():
            return redirect(url_for("email_correction.open_link", link=link), 303)
        case None:
            return _page_behind(link, CorrectionForm(formdata=None), 422)


@blueprint.post("/<link>")
@limits.limit_mails
@keeps_form(_fill_in_again)
@takes(file="attachment", longest_body=LONGEST_BODY, before_body=_only_with_a_fresh_link)
def fill_in(link: str) -> ResponseReturnValue:
    form, reference = CorrectionForm(), _reference(link, CORRECTION_LINK_DAYS)
    if reference is None or not form.validate():
        return _page_behind(link, form, 422)
    match redrawn(form.file) if isinstance(form.file, Photo) else form.file:
        case NoPlace():
            return _no_place(link, form)
        case NotAnAttachment(sentence):
            refuse(form.attachment, sentence)
            return _page_behind(link, form, 422)
        case attachment:
            typed = form.typed(attachment)
    limits.count_mail()
    with unit_of_work() as db:
        outcome = submit(db, reference, typed, act())
    session.pop("correction_asked", None)
    match outcome:
        case None:
            return _not_a_link(link)
        case AlreadyOnRecord() if form.other_nip:
            refuse(
                form.nip,
                "Alamat ini sudah tercatat untuk NIP itu, jadi tidak perlu diperbaiki. Pakai Lupa Password.",
            )
            return _page_behind(link, form, 422)
        case EmailCorrection() if form.other_nip:
            link = portal().keys.correction_link(outcome.reference)
    return redirect(url_for("email_correction.open_link", link=link), 303)


def _no_place(link: str, form: CorrectionForm) -> Response:
    refuse(form.attachment, _NO_PLACE)
    page = make_response(_page_behind(link, form, 503))
    page.headers["Retry-After"] = str(_SECONDS_UNTIL_A_PLACE)
    return page


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


def _page_behind(link: str, form: CorrectionForm, status: int = 200) -> ResponseReturnValue:
    """The form, the ticket, or the reason why there is neither."""
    reference = _reference(link, TICKET_DAYS)
    is_fresh = _reference(link, CORRECTION_LINK_DAYS) is not None
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
        case Ticket(correction) if correction.field.is_of_record:
            return render_template(
                "correction/record_ticket.html", ticket=found, correction=correction, now=now()
            )
        case Ticket():
            return render_template(
                "correction/ticket.html",
                ticket=found,
                correction=found.correction,
                steps=steps_of(found, now()),
                now=now(),
            )
        case None:
            return _not_a_link(link)


def _reference(link: str, days: int) -> str | None:
    return portal().keys.open_correction_link(link, days * _DAY)


def _fits(text: str, longest: int, if_empty: str | None = None) -> None:
    if if_empty and not text:
        raise ValidationError(if_empty)
    if len(text) > longest:
        raise ValidationError(
            f"Isian ini {len(text)} huruf. Singkatkan menjadi paling banyak {longest} huruf."
        )


def _not_a_link(link: str) -> Response:
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
