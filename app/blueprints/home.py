"""/ and /beranda: the home page Pemutakhiran Data Mandiri."""

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.domain.categories import pdm_groups
from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.models.pdm_window import PdmWindow
from app.models.user import User
from app.runtime.db import reading
from app.web import sessions
from app.web.sessions import login_required

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True)
class PdmState:
    """The window as the person sees it today. `kind` is the colour of its tag."""

    word: str
    kind: str
    sentence: str


@blueprint.get("/")
def index() -> ResponseReturnValue:
    return redirect(url_for("home.beranda" if sessions.visitor() else "login.page"), 303)


@blueprint.get("/beranda")
@login_required
def beranda() -> ResponseReturnValue:
    visitor = sessions.require_visitor()
    with reading() as db:
        window = PdmWindow.in_force_for(db, visitor.user.instansi_id)
    return render_template(
        "home/beranda.html",
        user=visitor.user,
        login=visitor.login,
        pdm=pdm_state(window, visitor.user),
        groups=pdm_groups(visitor.user.category),
    )


def pdm_state(window: PdmWindow | None, user: User) -> PdmState:
    """Whether the person can fill in data today, in words."""
    if window is None:
        return PdmState("Belum dibuka", "neutral", "Jadwal pemutakhiran data belum ditetapkan.")
    whose = f"untuk {user.instansi.name}" if window.instansi_id else "secara nasional"
    opens, closes = shown_date(window.opens_on), shown_date(window.closes_on)
    today = today_in_jakarta(now())
    if today < window.opens_on:
        return PdmState(
            "Belum dibuka", "neutral", f"Pemutakhiran data dibuka {whose} pada {opens} sampai {closes}."
        )
    if today > window.closes_on:
        return PdmState("Ditutup", "warning", f"Pemutakhiran data {whose} sudah ditutup pada {closes}.")
    return PdmState(
        f"Dibuka sampai {closes}",
        "success",
        f"Pemutakhiran data dibuka {whose} dari {opens} sampai {closes}.",
    )
