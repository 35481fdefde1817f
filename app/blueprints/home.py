"""/ and /beranda: the home page Pemutakhiran Data Mandiri."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.domain.categories import pdm_groups
from app.models.pdm_window import PdmWindow
from app.runtime.db import reading
from app.web import sessions
from app.web.pdm_state import pdm_state
from app.web.sessions import login_required

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    return redirect(url_for("home.beranda" if sessions.visitor() else "login.page"), 303)


@blueprint.get("/beranda")
@login_required
def beranda() -> ResponseReturnValue:
    visitor = sessions.require_visitor()
    with reading() as db:
        window = PdmWindow.in_force_for(db, visitor.user.instansi_id)
    whose = f"untuk {visitor.user.instansi.name}" if window and window.instansi_id else "secara nasional"
    return render_template(
        "home/beranda.html",
        user=visitor.user,
        login=visitor.login,
        pdm=pdm_state(window, whose),
        groups=pdm_groups(visitor.user.category),
    )
