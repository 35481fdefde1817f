"""/login, /logout, and the page for people who may not enter yet."""

from dataclasses import dataclass
from time import time

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
from werkzeug.wrappers import Response as BaseResponse

from app.domain.categories import Activation
from app.domain.indonesian_time import now
from app.flows.login import log_in, log_out
from app.models.user import User
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security.throttle import TooManyTries
from app.web import limits, service_state, sessions
from app.web.acts import own_act
from app.web.asked import waits_for_token
from app.web.carried import carried_nip, carry_nip, just_set
from app.web.fields import NipField, OwnPasswordField
from app.web.form_pages import its_form_is_on
from app.web.hash_wait import hashes_password
from app.web.home_page import waiting_home
from app.web.kept_form import LOST_CSRF, keeps_form
from app.web.kept_pages import kept_for_strangers, new_place
from app.web.pages import error_page
from app.web.password_login import note_not_open, password_of, refuse_entry, try_login
from app.web.return_pages import wanted_page
from app.web.sessions import START_OF_THE_APP
from app.web.words import login as words

blueprint = Blueprint("login", __name__)

_NIP_PLACE = new_place()
# At the end of its session a page goes to /login?sesi=berakhir by itself. A person who logs out after that
# end goes to /login?sesi=keluar
SESSION, ENDED, LEFT = "sesi", "berakhir", "keluar"


class LoginForm(FlaskForm):
    nip = NipField("NIP")
    password = OwnPasswordField("Password")


@dataclass(frozen=True)
class Notice:
    """What the login page says above its form. Each part is one of a few, so that the page can be kept."""

    kind: str = ""  # of the notice
    why: str = ""  # the reason why somebody is here
    returns_to: str = ""  # the name of the page that comes after the login
    is_last_step: bool = False  # a password has just been set here


def _page(form: LoginForm, status: int = 200, notice: Notice | None = None) -> Response:
    shown = notice or Notice(returns_to=_name())
    page = render_template(
        "login/login.html",
        form=form,
        has_errors=bool(form.errors),
        notice=shown,
        service=service_state.known_state(),
    )
    return make_response(page, status)


def _for_stranger() -> Response:
    """The page with the NIP that was last typed in this browser, and with the reason why somebody has to log
    in. It is the only one of these pages that looks how the service is doing, because it is kept: so a login
    and a refusal run the same statements as ever."""
    notice, nip = _notice(), carried_nip()

    def make() -> Response:
        service_state.recent_state()
        form = LoginForm()
        form.nip.data = _NIP_PLACE if nip else None
        return _page(form, notice=notice)

    if notice == Notice() and not nip:
        return kept_for_strangers(make, seconds=service_state.SECONDS_TO_KEEP)
    return kept_for_strangers(
        make,
        kind=f"{bool(nip)} {notice}",
        own={_NIP_PLACE: nip},
        seconds=service_state.SECONDS_TO_KEEP,
    )


def _notice() -> Notice:
    if just_set():
        return Notice(returns_to=_name(), is_last_step=True)
    name, over, said = _name(), sessions.session_over(), request.args.get(SESSION)
    if said == LEFT:
        return Notice("success", words.LEFT, name)
    if over:
        return Notice("info", words.sentence_of_end(over, portal().settings), name)
    if said == ENDED:
        return Notice("info", words.ENDED, name)
    return Notice("info", words.sentence_of_need(name), name) if name else Notice()


def _name() -> str:
    page = wanted_page()
    return page.name if page else ""


def _again() -> ResponseReturnValue:
    form = LoginForm()
    form.form_errors = [LOST_CSRF]
    return _page(form)


@blueprint.get("/login")
@sessions.no_act
def page() -> ResponseReturnValue:
    if SESSION in request.args and sessions.visitor():
        return _page(LoginForm())  # nobody has pressed anything, so no redirect to another page
    if START_OF_THE_APP not in request.args:
        return redirect(_wanted(), 303) if sessions.visitor() else _for_stranger()
    response = _start_of_the_app()
    sessions.keep_as_app(response)
    return response


def _start_of_the_app() -> BaseResponse:
    """Phones close an app while its owner looks for the token in the mailbox. When it is opened again, it
    goes on from there."""
    if sessions.visitor():
        return redirect(_wanted(), 303)
    if waits_for_token(now()):
        return redirect(url_for("token_confirmation.page"), 303)
    return _for_stranger()


@blueprint.post("/login")
@hashes_password
@limits.limit_wrong_tries_unless(limits.in_known_browser("nip"))
@keeps_form(_again)
def enter() -> ResponseReturnValue:
    form = LoginForm()
    if not form.validate():
        return _page(form, 422)
    nip = form.nip.value
    match try_login(nip, form.password.data or ""):
        case TooManyTries() as refusal:
            carry_nip(nip)
            refuse_entry(form.password, refusal)
            return limits.too_many(_page(form), refusal.retry_after)
        case log_in.WrongPassword() as refusal:
            carry_nip(nip)
            refuse_entry(form.password, refusal)
            return _page(form, 422)
        case log_in.NotOpen(user):
            note_not_open(user)
            return redirect(url_for("login.not_open"), 303)
        case (log_in.Entered(owner), raw_id):
            response = redirect(_wanted(), 303)
            sessions.keep(response, raw_id, owner)
            return response


@blueprint.get("/status-akun")
def not_open() -> ResponseReturnValue:
    """For a person who has shown the right password of an account that cannot be entered: why, since when,
    and whom to ask. A CPNS who waits sees the home page, to read. Once the account has changed, the same
    browser sees only where it stands now."""
    note = session.get("not_open")
    if note is None or note["until"] < time():
        return _once_more("Status akun hanya terlihat sebentar setelah password yang benar diketik.")
    with reading() as db:
        user = User.with_id(db, note["user"])
    if user is None or password_of(user) != note["password_of"]:
        return _once_more("Password akun ini sudah berubah sejak status akun dibuka.")
    if user.activation is Activation.WAITING_APPROVAL and note.get("version") == user.credential_version:
        return waiting_home(user)
    return render_template("login/not_open.html", user=user)


def _once_more(why: str) -> BaseResponse:
    flash(f"{why} Masuk sekali lagi untuk melihatnya.", "info")
    return redirect(url_for("login.page"), 303)


def _not_by_this_form() -> ResponseReturnValue:
    """A second press of the button, or a page that was opened long ago. A person who is already logged out is
    told so, and nothing changes: the request may come from another site. A person who is logged in has to
    press once more."""
    if sessions.visitor() is None:
        return redirect(url_for("login.page", sesi=LEFT), 303)
    return error_page(
        400,
        heading="Anda belum keluar",
        sentences=["Halaman tadi sudah kedaluwarsa, jadi tombolnya tidak berlaku lagi."],
        what_to_do=["Buka halaman ini, lalu tekan Keluar sekali lagi di atas."],
    )


@blueprint.post("/logout")
@its_form_is_on("login.page")
@keeps_form(_not_by_this_form)
def logout() -> ResponseReturnValue:
    response = redirect(url_for("login.page"), 303)
    if visitor := sessions.visitor():
        with unit_of_work() as db:
            log_out.log_out(db, visitor.login.id_hash, own_act())
    sessions.forget(response)
    flash("Anda sudah keluar.", "success")
    return response


def _wanted() -> str:
    page = wanted_page()
    return page.path if page else url_for("home.beranda")
