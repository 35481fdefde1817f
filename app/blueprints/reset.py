"""/reset-password: the one POST that checks the token and writes the password."""

from flask import Blueprint, Response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from app.domain.categories import Activation
from app.domain.nip import Nip, NotANip, read_nip
from app.domain.reset_secret import Code, Link, read_secret
from app.domain.waits import whole_minutes
from app.flows.reset import redeem_token
from app.flows.reset.redeem_token import TokenNotLive, TooWeak
from app.runtime.db import unit_of_work
from app.runtime.portal import portal
from app.security import passwords
from app.security.throttle import TooManyTries
from app.web import limits, sessions
from app.web.acts import act
from app.web.asked import Asked, OpenedLink, opened_link
from app.web.carried import carry_nip, note_just_set
from app.web.confirmation_page import ConfirmationForm, form_page
from app.web.fields import refuse
from app.web.form_pages import its_form_is_on
from app.web.hash_wait import hash_wait, hashes_password
from app.web.kept_form import LOST_CSRF, keeps_form

blueprint = Blueprint("reset", __name__)

NOT_LIVE = "Token ini salah atau sudah tidak berlaku."

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
@its_form_is_on("token_confirmation.page")
@hashes_password
@limits.limit_wrong_tries_unless(lambda: _is_with_opened_link() or _is_in_known_browser())
@keeps_form(_again)
def submit() -> ResponseReturnValue:
    """All faults of the form are said in one round, so a token is tried also when the password beside it has
    a fault. That is a try like any other, and what anybody may know about a password is said whether or not
    the token is right."""
    form, opened = ConfirmationForm(), opened_link()
    is_complete, nip = form.validate(), _nip(form, opened)
    if nip is None or set(form.errors) - {"password"}:
        return form_page(form, 422, opened)
    match _proven(redeem_token.Claim(nip, _proof(form, opened), form.password.data or "")):
        case TooManyTries(seconds):
            limits.count_wrong_try()
            refuse(form.token, _use_the_link(seconds))
            return limits.too_many(form_page(form, opened=opened), seconds)
        case TokenNotLive():
            return _token_refused(form, opened)
        case TooWeak(sentences):
            form.password.errors = [*sentences, *(form.password.errors if form.asks_about_blanks else [])]
            return form_page(form, 422, opened)
        case redeem_token.Proven() as proven:
            return _set_password(proven, form, opened) if is_complete else form_page(form, 422, opened)


def _set_password(
    proven: redeem_token.Proven, form: ConfirmationForm, opened: OpenedLink | None
) -> ResponseReturnValue:
    """The hash is computed between two transactions, so the second one checks the token again."""
    password_hash, nip = passwords.hashed(form.password.data or "", hash_wait()), _nip_of_this_browser(form)
    with unit_of_work() as db:
        owner = redeem_token.redeem(db, proven, password_hash, act())
    if isinstance(owner, TokenNotLive):
        return _token_refused(form, opened)
    session.clear()
    note_just_set(waits=owner.activation is Activation.WAITING_APPROVAL)
    if isinstance(nip, Nip):
        carry_nip(nip)
    response = redirect(url_for("token_confirmation.done"), 303)
    sessions.know_this_browser(response, owner)
    return response


def _token_refused(form: ConfirmationForm, opened: OpenedLink | None) -> Response:
    limits.count_wrong_try()
    form.is_token_refused = True
    refuse(form.token, NOT_LIVE)
    if opened and opened.why_over:
        session.pop("link", None)  # the page says once what has become of it
    return form_page(form, 422, opened)


def _proven(claim: redeem_token.Claim) -> redeem_token.Proven | TokenNotLive | TooWeak | TooManyTries:
    settings, keys = portal().settings, portal().keys
    with unit_of_work() as db:
        return redeem_token.check(db, claim, settings.password_policy, keys, act())


def _nip_of_this_browser(form: ConfirmationForm) -> Nip | NotANip:
    """The NIP that was typed here, now or when the token was asked for. It is none where only a link was
    opened, which tells nobody the NIP."""
    asked = Asked.in_this_browser()
    return read_nip(form.nip.data or (asked.nip if asked else ""))


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
