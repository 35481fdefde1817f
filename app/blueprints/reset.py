"""/reset-password: the one POST that checks the token and writes the password."""

from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from app.domain.categories import Activation
from app.domain.nip import Nip, read_nip
from app.domain.reset_secret import Code, Link, read_secret
from app.domain.waits import whole_minutes
from app.flows.reset import redeem_token
from app.flows.reset.redeem_token import TokenNotLive, TooWeak
from app.models.account import ProvenOwner
from app.runtime.db import unit_of_work
from app.runtime.portal import portal
from app.security import passwords
from app.security.throttle import TooManyTries
from app.web import limits, sessions
from app.web.acts import act
from app.web.asked import Asked, OpenedLink, opened_link
from app.web.confirmation_page import ConfirmationForm, form_page
from app.web.fields import refuse
from app.web.hash_wait import hash_wait, hashes_password
from app.web.kept_form import LOST_CSRF, keeps_form

blueprint = Blueprint("reset", __name__)

NOT_LIVE = (
    "Token ini salah, sudah dipakai, atau masa berlakunya sudah habis. "
    "Salin lagi dari email terbaru, atau minta token baru lewat Lupa Password. "
    "Bila Anda baru saja menekan Reset Password dan jawabannya tidak sampai, coba Masuk dengan password "
    "baru itu."
)

# A browser that several people share fills in a colleague's NIP by itself. A person who has opened a link may
# know that this NIP is not theirs.
OTHER_NIP = "Token ini milik NIP lain. Kosongkan kolom NIP, atau isi NIP yang tertulis di email itu."


def _again() -> ResponseReturnValue:
    form = ConfirmationForm()
    form.form_errors = [LOST_CSRF]
    return form_page(form, opened=opened_link())


def _is_with_opened_link() -> bool:
    """Whether the link that was opened here still opens, and the form shows nothing else. Then nobody guesses
    a code, so the holder of the link can go on even if somebody in the same office has used up the tries. Any
    other token, or another NIP, is a try like all others."""
    opened, nip, token = (
        opened_link(),
        request.form.get("nip", ""),
        read_secret(request.form.get("token", "")),
    )
    if opened is None or (nip and read_nip(nip) != opened.nip):
        return False
    return _is_of(opened, token)


def _is_of(opened: OpenedLink, token: Code | Link | None) -> bool:
    return bool(opened.codes) and token in (opened.link, *opened.codes)


def _is_in_known_browser() -> bool:
    """As at the login: a person who types the code where its owner has logged in before has only the tries of
    that NIP."""
    asked = Asked.in_this_browser()
    return sessions.is_known_to(request.form.get("nip") or (asked.nip if asked else ""))


@blueprint.post("/reset-password")
@hashes_password
@limits.limit_wrong_tries_unless(lambda: _is_with_opened_link() or _is_in_known_browser())
@keeps_form(_again)
def submit() -> ResponseReturnValue:
    form, opened = ConfirmationForm(), opened_link()
    is_complete, nip = form.validate(), _nip(form, opened)
    if not is_complete or nip is None:
        return form_page(form, 422, opened)
    match _redeem(nip, _proof(form, opened), form.password.data or ""):
        case TooManyTries(seconds):
            limits.count_wrong_try()
            refuse(form.token, _use_the_link(seconds))
            return limits.too_many(form_page(form, opened=opened), seconds)
        case TokenNotLive():
            limits.count_wrong_try()
            refuse(form.token, NOT_LIVE)
            return form_page(form, 422, opened)
        case TooWeak(sentences):
            for sentence in sentences:
                refuse(form.password, sentence)
            return form_page(form, 422, opened)
        case ProvenOwner() as owner:
            session.clear()
            session["reset_waits"] = owner.activation is Activation.WAITING_APPROVAL
            response = redirect(url_for("token_confirmation.done"), 303)
            sessions.know_this_browser(response, owner)
            return response


def _redeem(
    nip: Nip, proof: Code | Link, password: str
) -> ProvenOwner | TokenNotLive | TooWeak | TooManyTries:
    """Prove, hash, spend. The hash is computed between two transactions, so the second one checks the token
    again."""
    settings, keys = portal().settings, portal().keys
    with unit_of_work() as db:
        checked = redeem_token.check(
            db, redeem_token.Claim(nip, proof, password), settings.password_policy, keys, act()
        )
    if not isinstance(checked, redeem_token.Proven):
        return checked
    password_hash = passwords.hashed(password, hash_wait())
    with unit_of_work() as db:
        return redeem_token.redeem(db, checked, password_hash, act())


def _nip(form: ConfirmationForm, opened: OpenedLink | None) -> Nip | None:
    """The NIP in the form; otherwise the NIP for which this browser asked or opened a link. A NIP that cannot
    be used is refused at its field."""
    asked = Asked.in_this_browser()
    typed = form.nip.data or (opened.nip.digits if opened and opened.code else asked.nip if asked else "")
    match read_nip(typed):
        case Nip() as nip if (
            opened and nip != opened.nip and form.token.data and _is_of(opened, read_secret(form.token.data))
        ):
            refuse(form.nip, OTHER_NIP)
            return None
        case Nip() as nip:
            return nip
        case fault:
            refuse(form.nip, fault.sentence)
            return None


def _proof(form: ConfirmationForm, opened: OpenedLink | None) -> Code | Link:
    """The token that was typed, or the opened link if the field holds exactly what that link filled in: links
    are not throttled."""
    typed = form.token.value
    if opened and typed in opened.codes:
        return opened.link
    return typed


def _use_the_link(seconds: int) -> str:
    minutes = whole_minutes(seconds)
    return (
        f"Token sudah terlalu sering salah diketik. Buka tautan di email, yang langsung berlaku, "
        f"atau tunggu sekitar {minutes} menit, lalu ketik lagi."
    )
