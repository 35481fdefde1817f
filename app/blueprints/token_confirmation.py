"""/konfirmasi-reset-password: here the token is typed, pasted, or filled in by the mailed link. Nothing here
spends it."""

from datetime import timedelta

from flask import (
    Blueprint,
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

from app.domain.reset_secret import Link, read_secret
from app.flows.reset.redeem_token import request_behind
from app.flows.reset.request_reset import (
    Allowance,
    NothingToResend,
    PostedAnswer,
    TooSoon,
    request_reset,
    resend_token,
)
from app.models.audit_event import Tag
from app.runtime.db import unit_of_work
from app.runtime.portal import portal
from app.security import audit
from app.web import kept_form, limits
from app.web.acts import act
from app.web.asked import Asked, OpenedLink, opened_link, read_link_now, read_opened, remember
from app.web.assets import static_url
from app.web.carried import carried_nip, drop_nip, just_set
from app.web.confirmation_page import ConfirmationForm, form_page, page_after_asking
from app.web.form_ids import new_form_id, submission
from app.web.kept_pages import kept_for_strangers
from app.web.pages import error_page

blueprint = Blueprint("token_confirmation", __name__, url_prefix="/konfirmasi-reset-password")


@blueprint.get("")
def page() -> ResponseReturnValue:
    if request.args.get("nip") == "lain":  # in a browser that several people share
        session.pop("asked", None)
        session.pop("link", None)
        drop_nip()
        return redirect(url_for("token_confirmation.page"), 303)
    asked, opened = Asked.in_this_browser(), opened_link()
    if opened and not opened.code:  # it came to its end while this tab was open
        session.pop("link")
        return redirect(url_for("token_confirmation.open_link", link=opened.link.text), 303)
    if asked and asked.is_named and not opened and not portal().settings.has_demo_mailbox:
        return page_after_asking(asked)  # a demo mailbox would be opened for this address
    form = ConfirmationForm()
    form.nip.data = carried_nip()
    if opened:
        form.token.data = opened.code
    return form_page(form, opened=opened)


@blueprint.get("/<link>")
def open_link(link: str) -> ResponseReturnValue:
    """Mail scanners open every link, so this view only moves the token from the address to the browser's own
    memory. A token that is over is not kept there: its page says so, and reload and back lead on."""
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
    opened = read_opened(secret, asked, opening.at)
    if opened is None:
        return _not_a_link()
    if opened.why_over:
        session.pop("link", None)
        return _dead_page(opened, NewTokenForm())
    session.permanent = True
    session["link"] = secret.text
    return redirect(url_for("token_confirmation.page"), 303)


class NewTokenForm(FlaskForm):
    form_id = StringField()


def _dead_page(opened: OpenedLink, form: NewTokenForm) -> ResponseReturnValue:
    return render_template("reset/dead_link.html", opened=opened, form=form, form_id=new_form_id())


def _dead_again(link: str) -> ResponseReturnValue:
    secret = read_secret(link)
    opened = read_link_now(secret) if isinstance(secret, Link) else None
    return _dead_page(opened, kept_form.filled(NewTokenForm())) if opened else _not_a_link()


@blueprint.post("/<link>")
@limits.limit_mails
@limits.limit_same_ask
@kept_form.keeps_form(_dead_again)
def send_new_token(link: str) -> ResponseReturnValue:
    """For the holder of a mailed link, whatever has become of its token: what they would get at *Lupa
    Password* with the NIP and the address of that request, and nothing that tells either."""
    secret = read_secret(link)
    if not isinstance(secret, Link):
        return _not_a_link()
    asking, before = act(), Asked.in_this_browser()
    with unit_of_work() as db:
        old = request_behind(db, secret, portal().keys, asking.at)
        opened = read_opened(secret, old, asking.at) if old else None
        if opened is None:
            return _not_a_link()
        limits.count_mail()
        asked = request_reset(
            db, opened.nip, opened.email,
            submission(NewTokenForm().form_id.data, secret.text), asking,
            Allowance(limits.may_mail_others())
        )  # fmt: skip
    limits.count_ask()
    was_typed = before is not None and (before.nip, before.email) == (opened.nip.digits, opened.email.text)
    remember(asked.request, asked.request.asked_at, is_named=was_typed)
    return redirect(url_for("token_confirmation.page"), 303)


@blueprint.get("/berhasil")
def done() -> ResponseReturnValue:
    """Speaks only to the browser in which a password has just been set. Its person presses OK next: browsers
    that can fetch the next page before that save 2 s on a slow line."""
    if (set_here := just_set()) is None:
        return redirect(url_for("login.page"), 303)
    page = kept_for_strangers(
        lambda: make_response(render_template("reset/done.html", is_waiting=set_here.waits)),
        kind="waits" if set_here.waits else "open",
    )
    page.headers["Speculation-Rules"] = f'"{static_url("js/login.speculationrules")}"'
    return page


@blueprint.get("/kirim-ulang")
def resend_opened() -> ResponseReturnValue:
    return redirect(url_for("token_confirmation.page"), 303)


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
            remember(resent, asking.at, is_named=asked.is_named)
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
