"""/akun: what the portal knows about its visitor, where the account is open, and how to end those
sessions."""

from flask import Blueprint, flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.domain.client import browser_name, mask_address
from app.domain.indonesian_time import day_in, now
from app.flows.login.log_out import end_other_sessions, forget_browsers
from app.flows.reports.search_trail import seen_by_others
from app.models.login_session import LoginSession
from app.runtime.db import reading, unit_of_work
from app.web import sessions
from app.web.acts import own_act
from app.web.sessions import login_required
from app.web.words.trail import words_for

blueprint = Blueprint("account", __name__, url_prefix="/akun")

_LOOKS_SHOWN = 20


@blueprint.get("")
@login_required
def page() -> ResponseReturnValue:
    visitor = sessions.require_visitor()
    known_until = sessions.known_until(visitor.user)
    with reading() as db:
        logins = LoginSession.all_of(db, visitor.user.id, visitor.user.credential_version, now())
        looks = seen_by_others(db, visitor.user, _LOOKS_SHOWN)
    return render_template(
        "account/account.html",
        user=visitor.user,
        this_session=visitor.login.id_hash,
        known_until=day_in(visitor.user.instansi.zone, known_until) if known_until else None,
        known_days=sessions.KNOWN_FOR.days,
        logins=logins,
        looks=looks,
        words_for=words_for,
        mask_address=mask_address,
        browser_name=browser_name,
    )


@blueprint.post("/akhiri-sesi-lain")
@login_required
def end_others() -> ResponseReturnValue:
    """This browser stays known if it was known before: a person who took over a session must not make their
    own browser the only known one."""
    visitor = sessions.require_visitor()
    was_known = sessions.known_until(visitor.user) is not None
    with unit_of_work() as db:
        is_done = end_other_sessions(db, visitor.login.id_hash, own_act())
    flash("Semua sesi lain sudah diakhiri. Hanya perangkat ini yang masih masuk.", "success")
    response = redirect(url_for("account.page"), 303)
    if is_done and was_known:
        sessions.know_this_browser(response, visitor.user)
    return response


@blueprint.post("/lupakan-browser")
@login_required
def forget_all_browsers() -> ResponseReturnValue:
    visitor = sessions.require_visitor()
    with unit_of_work() as db:
        forget_browsers(db, own_act())
    flash(
        "Semua browser sudah dilupakan, termasuk browser ini. Browser ini dikenal lagi setelah Anda masuk "
        "lagi.",
        "success",
    )
    response = redirect(url_for("account.page"), 303)
    sessions.forget_this_browser(response, visitor.user)
    return response


@blueprint.post("/tetap-masuk")
@login_required
@sessions.act_by_script
def stay() -> ResponseReturnValue:
    """Sent by the script when somebody says "I am here"; the request itself has already counted as an act."""
    return _end()


@blueprint.get("/sisa-sesi")
@sessions.no_act
def left() -> ResponseReturnValue:
    """Asked by the script when its own clock has run out: meanwhile somebody may have done something in
    another tab."""
    return _end()


def _end() -> ResponseReturnValue:
    end = sessions.session_end(now())
    if end is None:
        return jsonify(seconds_left=0, shown="", at="")
    at = end.at.isoformat(timespec="seconds")
    return jsonify(seconds_left=end.seconds_left, shown=end.shown, at=at)
