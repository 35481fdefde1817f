"""/bukan-saya and /akun/hentikan-ganti-email: an owner stops a change of what identifies their own
account."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import now, timed
from app.domain.nip import Nip
from app.flows.identity.stop_change import (
    STOP_LINK_DAYS,
    NothingToStop,
    can_be_stopped,
    stop_by_link,
    stop_from_session,
)
from app.models.identity_change import IdentityChange
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.web import sessions
from app.web.acts import act, own_act
from app.web.pages import error_page
from app.web.sessions import login_required
from app.web.times import told

blueprint = Blueprint("email_stop", __name__)


@blueprint.get("/bukan-saya/<link>")
def ask(link: str) -> ResponseReturnValue:
    """Mail scanners open every link, so this view only shows a button."""
    reference = _reference(link)
    with reading() as db:
        change = IdentityChange.with_reference(db, reference) if reference else None
        if change is None:
            return _not_a_link(link)
        may_stop = can_be_stopped(db, change, change.user, now())
    return render_template(
        "correction/stop_change_by_link.html",
        link=link,
        change=change,
        may_stop=may_stop,
        becomes=_as_shown(change),
    )


@blueprint.post("/bukan-saya/<link>")
def stop(link: str) -> ResponseReturnValue:
    reference = _reference(link)
    if reference is None:
        return _not_a_link(link)
    with unit_of_work() as db:
        stop_by_link(db, reference, act())
        change = IdentityChange.with_reference(db, reference)
    if change is None:
        return _not_a_link(link)
    return redirect(url_for("email_stop.ask", link=link), 303)


@blueprint.get("/akun/hentikan-ganti-email")
@login_required
def ask_in_session() -> ResponseReturnValue:
    change = sessions.require_visitor().under_way
    return render_template("correction/stop_change_in_session.html", change=change)


@blueprint.post("/akun/hentikan-ganti-email")
@login_required
def stop_in_session() -> ResponseReturnValue:
    with unit_of_work() as db:
        outcome = stop_from_session(db, own_act())
    match outcome:
        case NothingToStop():
            flash("Tidak ada perubahan yang menunggu, jadi tidak ada yang dihentikan.", "info")
        case IdentityChange():
            flash(
                f"Perubahan {outcome.kind.label} dihentikan, dan admin lain akan memeriksanya lagi.",
                "success",
            )
    return redirect(url_for("account.page"), 303)


def _as_shown(change: IdentityChange) -> str:
    """What the change will do, for anyone who reads the mailbox that was told: no whole address, no whole
    NIP."""
    match change.kind:
        case ChangeKind.EMAIL:
            return EmailAddress(change.new_value).masked
        case ChangeKind.NIP:
            return Nip(change.new_value).masked
        case ChangeKind.INSTANSI | ChangeKind.CATEGORY | ChangeKind.MANDATE:
            return change.new_value.replace("_", " ")


def _reference(link: str) -> str | None:
    return portal().keys.open_stop_link(link, STOP_LINK_DAYS * 24 * 3600)


def _not_a_link(link: str) -> ResponseReturnValue:
    made_at = portal().keys.stop_link_made_at(link)
    return error_page(
        404,
        heading="Tautan ini tidak berlaku",
        sentences=[
            told(
                timed(
                    "Tautan ini dibuat pada ",
                    made_at,
                    f". Masa berlakunya {STOP_LINK_DAYS} hari, dan sudah habis.",
                )
            )
            if made_at and now() > made_at + timedelta(days=STOP_LINK_DAYS)
            else "Tautan ini tidak lengkap atau berubah ketika disalin."
        ],
        what_to_do=[
            "Hubungi admin kepegawaian instansi Anda, dan katakan bahwa akun Anda diubah tanpa permintaan "
            "Anda."
        ],
        link_href=url_for("email_correction.page"),
        link_text="Cari kontak instansi",
    )
