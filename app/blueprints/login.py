"""/login, /logout, and the page for people who may not enter yet."""

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

from app.domain.indonesian_time import now
from app.flows.login import log_in, log_out
from app.models.user import User
from app.runtime.db import reading, unit_of_work
from app.security.throttle import TooManyTries
from app.web import limits, sessions
from app.web.acts import own_act
from app.web.asked import waits_for_token
from app.web.fields import NipField, OwnPasswordField
from app.web.hash_wait import hashes_password
from app.web.kept_form import LOST_CSRF, keeps_form
from app.web.kept_pages import kept_for_strangers
from app.web.pages import error_page
from app.web.password_login import note_not_open, password_of, refuse_entry, try_login
from app.web.sessions import START_OF_THE_APP

blueprint = Blueprint("login", __name__)

# At the end of its session a page goes to /login?sesi=berakhir by itself. A person who logs out after that
# end goes to /login?sesi=keluar
SESSION, ENDED, LEFT = "sesi", "berakhir", "keluar"


class LoginForm(FlaskForm):
    nip = NipField("NIP")
    password = OwnPasswordField("Password")


def _page(form: LoginForm, status: int = 200) -> Response:
    is_nobody = sessions.visitor() is None and not form.is_submitted()
    session_is = request.args.get(SESSION) if is_nobody else None
    page = render_template("login/login.html", form=form, has_errors=bool(form.errors), session_is=session_is)
    return make_response(page, status)


def _empty() -> Response:
    return _page(LoginForm())


def _again() -> ResponseReturnValue:
    form = LoginForm()
    form.form_errors = [LOST_CSRF]
    return _page(form)


@blueprint.get("/login")
@sessions.no_act
def page() -> ResponseReturnValue:
    if SESSION in request.args:  # nobody has pressed anything, so no redirect to another page
        return _page(LoginForm())
    if START_OF_THE_APP not in request.args:
        return redirect(_wanted(), 303) if sessions.visitor() else kept_for_strangers(_empty)
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
    return _page(LoginForm())


@blueprint.post("/login")
@hashes_password
@limits.limit_wrong_tries_unless(limits.in_known_browser("nip"))
@keeps_form(_again)
def enter() -> ResponseReturnValue:
    form = LoginForm()
    if not form.validate():
        return _page(form, 422)
    match try_login(form.nip.value, form.password.data or ""):
        case TooManyTries() as refusal:
            refuse_entry(form.password, refusal)
            return limits.too_many(_page(form), refusal.retry_after)
        case log_in.WrongPassword() as refusal:
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
    and whom to ask."""
    note = session.get("not_open")
    if note is None or note["until"] < time():
        return redirect(url_for("login.page"), 303)
    with reading() as db:
        user = User.with_id(db, note["user"])
    if user is None or password_of(user) != note["password_of"]:
        return redirect(url_for("login.page"), 303)
    return render_template("login/not_open.html", user=user)


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
    return sessions.path_of_this_site(request.args.get("next")) or url_for("home.beranda")
