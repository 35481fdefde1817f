"""/konfirmasi-reset-password: where the token is typed, pasted, or filled in by the mailed link. Nothing here
spends it."""

from dataclasses import dataclass
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
from werkzeug.exceptions import MethodNotAllowed
from wtforms import BooleanField, PasswordField, StringField, ValidationError

from app.blueprints.forgot_password import remember
from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.domain.password_policy import faults, has_blank_end, policy_named
from app.domain.reset_secret import Code, Link, read_secret
from app.flows.reset.redeem_token import policy_for, request_behind
from app.flows.reset.request_reset import NothingToResend, Posted, TooSoon, resend_token
from app.models.audit_event import Tag
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import client, portal
from app.security import audit, throttle
from app.web import again, limits
from app.web.assets import static_url
from app.web.fields import TokenField
from app.web.pages import error_page

blueprint = Blueprint("token_confirmation", __name__, url_prefix="/konfirmasi-reset-password")


class ConfirmationForm(FlaskForm):
    """The NIP is read by hand, because a link or an earlier step may stand for it."""

    nip = StringField("NIP")
    token = TokenField("Token")
    password = PasswordField("Password")
    blanks_meant = BooleanField("Ya, spasi di awal atau akhir memang bagian dari password saya")

    def validate_password(self, field: PasswordField) -> None:
        """What anybody may know is said at once; what only the owner may know waits for the token."""
        if sentences := self._faults(field.data or ""):
            raise ValidationError(sentences[0])
        if self.asks_about_blanks:
            raise ValidationError(
                "Password ini diawali atau diakhiri spasi, yang sering ikut tersalin. Ketik ulang tanpa "
                "spasi itu; "
                "atau, bila memang disengaja, ketik ulang dan centang kotak di bawah ini."
            )

    @property
    def asks_about_blanks(self) -> bool:
        """The password itself is never shown again, so a box stands for the answer."""
        typed = self.password.data or ""
        return has_blank_end(typed) and not self.blanks_meant.data and not self._faults(typed)

    @staticmethod
    def _faults(typed: str) -> list[str]:
        return faults(typed, policy_named(portal().settings.password_policy, is_admin=False))


@dataclass(frozen=True)
class Asked:
    """What this browser asked for. It says nothing about whether there is an account."""

    reference: str
    nip: str
    email: str
    at: datetime

    @classmethod
    def in_this_browser(cls) -> "Asked | None":
        kept = session.get("asked")
        return (
            cls(kept["reference"], kept["nip"], kept["email"], datetime.fromisoformat(kept["at"]))
            if kept
            else None
        )

    @property
    def seconds_to_resend(self) -> int:
        free_at = self.at + timedelta(seconds=portal().settings.resend_cooldown_seconds)
        return max(0, int((free_at - now()).total_seconds() + 0.999))


@dataclass(frozen=True)
class OpenedLink:
    """A mailed link that was opened in this browser: its mailbox is proven, so its state may be told."""

    link: Link
    nip: Nip
    codes: tuple[Code, ...]  # newest key first; empty when the token is used or expired
    is_admin: bool

    @property
    def code(self) -> str | None:
        """As the page fills it in."""
        return self.codes[0].shown if self.codes else None


@blueprint.get("", endpoint="page")
def show() -> ResponseReturnValue:
    if request.args.get("nip") == "lain":  # on a browser that several people share
        session.pop("asked", None)
        session.pop("link", None)
        return redirect(url_for("token_confirmation.page"), 303)
    form = ConfirmationForm()
    opened = opened_link()
    if opened and opened.code:
        form.token.data = opened.code
    return page(form, opened=opened)


@blueprint.get("/<link>")
def open_link(link: str) -> ResponseReturnValue:
    """Mail scanners open every link, so this only moves it from the address to the browser's own memory."""
    secret = read_secret(link)
    if not isinstance(secret, Link):
        return _not_a_link()
    with unit_of_work() as db:
        asked = request_behind(db, secret, portal().keys)
        if asked is None:
            return _not_a_link()
        if session.get("link") != secret.text:  # opened again in the same browser it is no news
            audit.record_once_a_minute(
                db, Tag.LINK_OPENED, asked.user, client(), now(), about=asked.reference
            )
    session.permanent = True
    session["link"] = secret.text
    return redirect(url_for("token_confirmation.page"), 303)


@blueprint.get("/berhasil")
def done() -> ResponseReturnValue:
    """Who has just reset a password presses OK next: browsers that can fetch that page meanwhile, 2 s less on
    a slow line."""
    page = make_response(
        render_template("auth/reset_done.html", is_waiting=session.get("reset_waits", False))
    )
    if "reset_waits" in session:
        page.headers["Speculation-Rules"] = f'"{static_url("js/login.speculationrules")}"'
    return page


@blueprint.get("/kirim-ulang")
def resend_opened() -> ResponseReturnValue:
    raise MethodNotAllowed(["POST"])


def _resend_again() -> ResponseReturnValue:
    return page(again.filled(ConfirmationForm(formdata=None)), opened=opened_link())


@blueprint.post("/kirim-ulang")
@limits.limit_mails
@again.shows_again(_resend_again)
def resend() -> ResponseReturnValue:
    asked = Asked.in_this_browser()
    if asked is None:
        return _ask_anew()
    settings = portal().settings
    cooldown, lifetime = (
        timedelta(seconds=settings.resend_cooldown_seconds),
        timedelta(minutes=settings.token_lifetime_minutes),
    )
    moment = now()
    with unit_of_work() as db:
        outcome = resend_token(
            db,
            asked.reference,
            cooldown,
            lifetime,
            portal().keys,
            client(),
            moment,
            may_mail_others=limits.may_mail_others(),
        )
    match outcome:
        case NothingToResend():
            return _ask_anew()
        case TooSoon(seconds):
            return limits.too_many(page(ConfirmationForm(formdata=None), notice=_wait(seconds)), seconds)
        case Posted(resent):
            limits.count_mail()
            limits.count_ask()
            remember(resent, moment)
            flash(
                "Permintaan kirim ulang diterima. Periksa kotak masuk dan folder Spam beberapa menit lagi.",
                "success",
            )
            return redirect(url_for("token_confirmation.page"), 303)


def page(
    form: ConfirmationForm, status: int = 200, opened: OpenedLink | None = None, notice: str | None = None
) -> Response:
    """The two-field page; the NIP is a third field only where this browser does not know it."""
    asked = Asked.in_this_browser()
    shown = render_template(
        "auth/confirmation.html",
        form=form,
        asked=asked,
        opened=opened,
        nip=_nip_field(form, asked, opened),
        is_for_another_nip=bool(asked and opened and asked.nip != opened.nip.digits),
        rules=policy_named(portal().settings.password_policy, bool(opened and opened.is_admin)).rules,
        lifetime=portal().settings.token_lifetime_minutes,
        most_tokens=throttle.TOKENS_IN_A_MAILBOX,
        sender=portal().settings.mail_sender,
        notice=notice,
        has_errors=bool(form.errors),
    )
    return make_response(shown, status)


def _nip_field(form: ConfirmationForm, asked: Asked | None, opened: OpenedLink | None) -> str:
    """How the form carries the NIP. It always has a field for it, because a password manager keeps a password
    under the name that stands beside it: `kept` when this browser has asked for it itself; `optional` beside
    a link opened elsewhere, which knows its NIP and does not tell it; else `asked_for`."""
    if form.nip.errors:
        return "asked_for"
    if opened and opened.code:
        return "kept" if asked and asked.nip == opened.nip.digits else "optional"
    return "kept" if asked else "asked_for"


def opened_link() -> OpenedLink | None:
    """The link that this browser opened, as its request stands now."""
    link = read_secret(session.get("link", ""))
    if not isinstance(link, Link):
        return None
    with reading() as db:
        found = request_behind(db, link, portal().keys)
        if found is None or found.user is None:
            return None
        moment = now()
        codes = portal().keys.reset_codes(found.reference, found.key) if found.is_live(moment) else ()
        is_admin = policy_for(db, found.user, portal().settings.password_policy, moment).name == "asn2025"
        return OpenedLink(link, Nip(found.nip), codes, is_admin)


def waits_for_token(moment: datetime) -> bool:
    """Whether this browser is in the middle of the flow: it asked, or opened a link, and nobody has used the
    token here."""
    asked, opened = Asked.in_this_browser(), opened_link()
    lifetime = timedelta(minutes=portal().settings.token_lifetime_minutes)
    return bool((asked and moment < asked.at + lifetime) or (opened and opened.code))


def _ask_anew() -> ResponseReturnValue:
    flash(
        "Permintaan token yang lama sudah lewat. Isi NIP dan email sekali lagi untuk mendapat token baru.",
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
