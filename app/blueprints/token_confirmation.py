"""/konfirmasi-reset-password: here the token is typed, pasted, or filled in by the mailed link. Nothing here
spends it."""

from datetime import timedelta

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
from werkzeug.exceptions import MethodNotAllowed

from app.domain.reset_secret import Link, read_secret
from app.flows.reset.redeem_token import request_behind
from app.flows.reset.request_reset import NothingToResend, PostedAnswer, TooSoon, resend_token
from app.models.audit_event import Tag
from app.runtime.db import unit_of_work
from app.runtime.portal import portal
from app.security import audit
from app.web import kept_form, limits
from app.web.acts import act
from app.web.asked import Asked, opened_link, remember
from app.web.assets import static_url
from app.web.confirmation_page import ConfirmationForm, form_page, page_after_asking
from app.web.kept_pages import kept_for_strangers
from app.web.pages import error_page

blueprint = Blueprint("token_confirmation", __name__, url_prefix="/konfirmasi-reset-password")


@blueprint.get("")
def page() -> ResponseReturnValue:
    if request.args.get("nip") == "lain":  # in a browser that several people share
        session.pop("asked", None)
        session.pop("link", None)
        return redirect(url_for("token_confirmation.page"), 303)
    asked, opened = Asked.in_this_browser(), opened_link()
    if asked and not opened and not portal().settings.has_demo_mailbox:  # which is opened for this address
        return page_after_asking(asked)
    form = ConfirmationForm()
    if opened and opened.code:
        form.token.data = opened.code
    return form_page(form, opened=opened)


@blueprint.get("/<link>")
def open_link(link: str) -> ResponseReturnValue:
    """Mail scanners open every link, so this view only moves the token from the address to the browser's own
    memory."""
    secret = read_secret(link)
    if not isinstance(secret, Link):
        return _not_a_link()
    with unit_of_work() as db:
        opening = act()
        asked = request_behind(db, secret, portal().keys, opening.at)
        if asked is None:
            return _not_a_link()
        if session.get("link") != secret.text:  # opening it again in the same browser is no news
            audit.record_once_a_minute(db, Tag.LINK_OPENED, asked.owner, opening, about=asked.reference)
    session.permanent = True
    session["link"] = secret.text
    return redirect(url_for("token_confirmation.page"), 303)


@blueprint.get("/berhasil")
def done() -> ResponseReturnValue:
    """A person who has just reset a password presses OK next. Browsers that can fetch the next page before
    that save 2 s on a slow line."""
    is_waiting = session.get("reset_waits", False)
    page = _done(is_waiting=True) if is_waiting else kept_for_strangers(_done)
    if "reset_waits" in session:
        page.headers["Speculation-Rules"] = f'"{static_url("js/login.speculationrules")}"'
    return page


def _done(*, is_waiting: bool = False) -> Response:
    return make_response(render_template("reset/done.html", is_waiting=is_waiting))


@blueprint.get("/kirim-ulang")
def resend_opened() -> ResponseReturnValue:
    raise MethodNotAllowed(["POST"])


def _resend_again() -> ResponseReturnValue:
    return form_page(kept_form.filled(ConfirmationForm(formdata=None)), opened=opened_link())


@blueprint.post("/kirim-ulang")
@limits.limit_mails
@kept_form.keeps_form(_resend_again)
def resend() -> ResponseReturnValue:
    asked = Asked.in_this_browser()
    if asked is None:
        return _ask_anew()
    settings = portal().settings
    cooldown, lifetime = (
        timedelta(seconds=settings.resend_cooldown_seconds),
        timedelta(minutes=settings.token_lifetime_minutes),
    )
    asking = act()
    with unit_of_work() as db:
        outcome = resend_token(
            db,
            asked.reference,
            cooldown,
            lifetime,
            asking,
            may_mail_others=limits.may_mail_others(),
        )
    match outcome:
        case NothingToResend():
            return _ask_anew()
        case TooSoon(seconds):
            return limits.too_many(form_page(ConfirmationForm(formdata=None), notice=_wait(seconds)), seconds)
        case PostedAnswer(resent):
            limits.count_mail()
            limits.count_ask()
            remember(resent, asking.at)
            flash(
                "Permintaan kirim ulang diterima. Periksa kotak masuk dan folder Spam beberapa menit lagi.",
                "success",
            )
            return redirect(url_for("token_confirmation.page"), 303)


def _ask_anew() -> ResponseReturnValue:
    flash(
        "Masa berlaku permintaan token tadi sudah habis. Isi NIP dan email sekali lagi untuk mendapat "
        "token baru.",
        "info",
    )
    return redirect(url_for("forgot_password.page"), 303)


def _wait(seconds: int) -> str:
    return f"Email terakhir baru saja diminta. Tunggu {seconds} detik lagi, lalu tekan Kirim ulang."


def _not_a_link() -> ResponseReturnValue:
    return error_page(
        404,
        heading="Tautan tidak lengkap",
        sentences=["Tautan ini tidak lengkap atau berubah ketika disalin."],
        what_to_do=[
            "Buka lagi tautan langsung dari email, atau ketik token dari email itu di halaman Konfirmasi "
            "Reset Password."
        ],
        link_href=url_for("token_confirmation.page"),
        link_text="Ketik token",
    )
