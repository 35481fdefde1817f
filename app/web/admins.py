"""The door of the desk: who may enter, and who must show the password once more before something that
matters."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec

from flask import (
    Response,
    abort,
    make_response,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException, NotFound

from app.domain.act import Act
from app.domain.indonesian_time import now
from app.domain.password_policy import strict_rules
from app.domain.waits import whole_minutes
from app.flows.login import confirm_password
from app.models.audit_event import Tag
from app.models.instansi import Instansi
from app.models.user import User
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import client
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach
from app.security.throttle import TooManyTries
from app.web import kept_form, limits, login_in_place, pages, sessions
from app.web.acts import own_act
from app.web.pages import error_page
from app.web.password_login import compare

P = ParamSpec("P")
PROOF_LASTS = timedelta(minutes=10)
# The second field tells a password manager whose password it is
PASSWORD_FIELD, NIP_FIELD = (
    "password_sekali_lagi",
    "nip_sendiri",
)


class NotAllowed(Exception):
    """Somebody within reach whom this admin may not act on, or a page above the admin's rank."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def authority() -> Authority:
    """What the visitor may do today, in a view behind `only_admins`."""
    held = sessions.require_visitor().authority
    assert held is not None, "view is not behind only_admins"
    return held


def desk_act() -> Act[Authority]:
    """An act of this admin, in a view behind `only_admins`."""
    return Act(client(), now(), authority())


def only_admins() -> ResponseReturnValue | None:
    """Before every request under /admin: an admin whose mandate ended a second ago may not enter. If a form
    was sent after the end of its session, it comes back once its sender has logged in, to be looked at and
    sent again."""
    if sessions.visitor():
        # This person has meanwhile logged in elsewhere
        is_too_late = login_in_place.is_sent() and kept_form.can_show_form()
        return _closed() or (kept_form.shown(422) if is_too_late else None)
    if not login_in_place.is_possible():
        return sessions.redirect_to_login()
    if (answer := login_in_place.answer()) is not None:
        return answer
    return sessions.redirect_to_login() if sessions.visitor() is None else _closed() or kept_form.shown(422)


def lost_csrf(error: CSRFError) -> ResponseReturnValue:
    """The answer to a form of the desk without a CSRF token: the form comes back with what was typed, if this
    visitor may see it."""
    visitor = sessions.visitor()
    if not (
        login_in_place.is_possible() if visitor is None else visitor.authority and kept_form.can_show_form()
    ):
        return pages.lost_csrf(error)
    pages.note_lost_csrf()
    try:
        return login_in_place.stale_page() if visitor is None else kept_form.shown(400)
    except NotAllowed as refusal:
        return not_allowed(refusal)
    except HTTPException as refusal:
        return pages.http_error(refusal)


def _closed() -> ResponseReturnValue | None:
    """Why the desk is closed to the person who has logged in; None when it is open."""
    visitor = sessions.require_visitor()
    nothing_done = (
        ["Isian Anda belum diproses, dan tidak ada yang diubah."] if request.method == "POST" else []
    )
    if visitor.needs_stronger_password:
        _record_refusal(visitor.user, reason="password")
        return error_page(
            403,
            heading="Menu admin menunggu password yang lebih kuat",
            sentences=[
                "Mandat Anda berlaku, tetapi password yang Anda pakai untuk masuk belum memenuhi syarat "
                f"untuk admin: {strict_rules()}; tanpa NIP, nama, tanggal lahir, atau alamat email Anda, "
                "dan bukan password yang umum.",
                "Beranda dan halaman Akun tetap dapat dipakai.",
                *nothing_done,
            ],
            what_to_do=["Keluar, buat password baru lewat Lupa Password, lalu masuk dengan password itu."],
            link_href=url_for("home.beranda"),
            link_text="Ke beranda",
        )
    if visitor.authority is None:
        _record_refusal(visitor.user)
        return error_page(
            403,
            heading="Halaman ini untuk admin",
            sentences=[
                "Anda sudah masuk, tetapi tidak memegang mandat admin yang berlaku hari ini.",
                *nothing_done,
            ],
            what_to_do=[
                "Bila mandat Anda baru saja berakhir, minta admin pusat memperpanjangnya dengan SK baru."
            ],
            link_href=url_for("home.beranda"),
            link_text="Ke beranda",
        )
    return None


def only_pusat(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Mark a view that only pusat may use."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not authority().is_pusat:
            raise NotAllowed("Halaman ini hanya untuk admin pusat.")
        return view(*args, **kwargs)

    return guarded


def of_one_instansi(
    view: Callable[[Instansi], ResponseReturnValue],
) -> Callable[[int], ResponseReturnValue]:
    """Mark a view of one instansi: an instansi out of reach does not exist."""

    @wraps(view)
    def guarded(instansi_id: int) -> ResponseReturnValue:
        with reading() as db:
            instansi = Instansi.with_id(db, instansi_id)
        if instansi is None or not authority().covers(instansi.id):
            abort(404)
        return view(instansi)

    return guarded


def password_confirmed(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Mark a view whose POST needs a password shown in the last ten minutes. A person who has to show it
    again sends the same form once more with the password beside it: nothing that was typed is lost. (OWASP
    ASVS 5.0 7.5.3)"""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if request.method != "POST" or now() - sessions.require_visitor().login.proven_at < PROOF_LASTS:
            return view(*args, **kwargs)
        password = request.form.get(PASSWORD_FIELD)
        if password is None:
            return _ask_for_password(403)
        match _prove(password):
            case True:
                return view(*args, **kwargs)
            case TooManyTries(seconds):
                wait = (
                    f"Terlalu banyak percobaan. Tunggu sekitar {whole_minutes(seconds)} menit, lalu coba "
                    "lagi."
                )
                return limits.too_many(_ask_for_password(429, wait), seconds)
            case False:
                return _ask_for_password(
                    422, "Password ini salah. Ketik password yang Anda pakai untuk masuk."
                )

    return guarded


def stopped(refusal: OutOfReach | NotToTouch) -> NotFound | NotAllowed:
    """The exception to raise about somebody who is out of reach or may not be touched."""
    return NotFound() if isinstance(refusal, OutOfReach) else NotAllowed(refusal.sentence)


def not_allowed(refusal: NotAllowed) -> ResponseReturnValue:
    _record_refusal(sessions.require_visitor().user)
    return error_page(
        403,
        heading="Di luar mandat Anda",
        sentences=[refusal.sentence, "Tidak ada yang diubah."],
        what_to_do=["Kembali ke halaman sebelumnya."],
        link_href=url_for("admin.overview.page"),
        link_text="Ke ringkasan admin",
    )


def _prove(password: str) -> bool | TooManyTries:
    visitor = sessions.require_visitor()
    with unit_of_work() as db:
        attempt = confirm_password.begin(db, sessions.browser_marks(), own_act())
    if isinstance(attempt, TooManyTries):
        return attempt
    is_right, _ = compare(password, attempt)
    with unit_of_work() as db:
        return confirm_password.finish(db, attempt, visitor.login, own_act(), is_right=is_right)


def _ask_for_password(status: int, problem: str | None = None) -> Response:
    not_kept = ("csrf_token", PASSWORD_FIELD, NIP_FIELD)
    kept = [
        (name, value) for name, values in request.form.lists() if name not in not_kept for value in values
    ]
    page = render_template(
        "login/confirm_password.html",
        kept=kept,
        field=PASSWORD_FIELD,
        nip_field=NIP_FIELD,
        problem=problem,
        has_errors=problem is not None,
    )
    return make_response(page, status)


def _record_refusal(user: User, reason: str | None = None) -> None:
    rule = request.url_rule.rule if request.url_rule else None
    with unit_of_work() as db:
        audit.record_once_a_minute(
            db, Tag.ADMIN_REFUSED, user, own_act(), about=f"{user.id} {rule}", rule=rule, reason=reason
        )


def chosen_instansi(db: Session, held: Authority, code: str) -> Instansi | None:
    """The instansi that a list is narrowed to; None without a code. An instansi out of reach does not
    exist."""
    if not code:
        return None
    instansi = Instansi.with_code(db, code)
    if instansi is None or not held.covers(instansi.id):
        abort(404)
    return instansi
