"""Pages that any request may end on: errors in the portal's own look, in plain words, with an id that people
can ask about."""

import logging

from flask import Flask, Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException

from app.domain.waits import whole_minutes
from app.models.audit_event import Tag
from app.runtime.db import once_a_minute, unit_of_work
from app.runtime.portal import request_id
from app.security import audit
from app.security.passwords import Busy
from app.web import kept_form, limits, mailed_links, sessions
from app.web.acts import act
from app.web.form_pages import page_of_form
from app.web.headers import UNSEEN, BrokenForm
from app.web.limits import seconds_until_free, too_many

log = logging.getLogger("portal")
csrf = CSRFProtect()

_TRY_AGAIN = "Kembali ke halaman sebelumnya, muat ulang, lalu kirim sekali lagi."
_PAGES: dict[int, tuple[str, list[str], list[str]]] = {
    400: (
        "Isian tidak dapat dibaca",
        ["Isian yang dikirim tidak utuh, jadi tidak ada yang diubah."],
        [_TRY_AGAIN],
    ),
    403: (
        "Halaman ini bukan untuk akun Anda",
        ["Anda sudah masuk, tetapi akun Anda tidak memiliki akses ke halaman ini."],
        ["Bila Anda seharusnya memiliki akses, tanyakan kepada admin kepegawaian instansi Anda."],
    ),
    404: (
        "Halaman tidak ditemukan",
        ["Alamat yang dibuka tidak ada di portal ini."],
        ["Periksa lagi alamatnya. Bila tautan berasal dari email, salin seluruhnya sampai huruf terakhir."],
    ),
    405: (
        "Halaman ini dibuka lewat tombol",
        ["Alamat ini hanya menerima isian formulir, jadi tidak dapat dibuka langsung."],
        ["Mulai lagi dari halaman masuk atau Lupa Password."],
    ),
    413: (
        "Isian atau file terlalu besar",
        ["Isian yang dikirim lebih besar daripada yang diperlukan halaman ini, jadi tidak ada yang diubah."],
        ["Kembali, hapus isian yang terlalu panjang atau pilih file yang lebih kecil, lalu kirim lagi."],
    ),
    429: (
        "Terlalu banyak percobaan",
        ["Dari jaringan ini sudah terlalu banyak percobaan, jadi percobaan berikutnya ditahan sebentar."],
        ["Tunggu sebentar, lalu coba lagi. Tidak ada yang hilang dan akun Anda tidak diblokir."],
    ),
    500: (
        "Ada gangguan pada portal",
        ["Permintaan Anda belum selesai diproses. Gangguan ini sudah tercatat."],
        ["Tunggu beberapa menit, lalu coba lagi. Bila terulang, sebutkan nomor di bawah ini kepada petugas."],
    ),
    503: (
        "Portal sedang sangat sibuk",
        ["Permintaan Anda belum diproses, dan tidak ada yang hilang."],
        ["Tunggu sekitar satu menit, lalu kirim lagi."],
    ),
}
_SECONDS_WHEN_BUSY = 30
# Views that count the wrong tries of a whole office, and the way that stays open to a person who has the
# mailbox.
_NOT_HELD_BACK = {
    "reset.submit": "Tidak ingin menunggu? Buka tautan di email yang membawa token: tautan itu tidak ikut "
    "ditahan.",
    "login.enter": "Tidak ingin menunggu? Pilih Lupa Password, lalu buka tautan di email yang datang: itu "
    "tidak ikut ditahan.",
}


def init_app(app: Flask) -> None:
    csrf.init_app(app)
    app.before_request(go_on_with_csrf_token)
    app.register_error_handler(BrokenForm, broken_form)
    app.register_error_handler(CSRFError, lost_csrf)
    app.register_error_handler(RateLimitExceeded, too_many_from_here)
    app.register_error_handler(Busy, busy)
    app.register_error_handler(TimeoutError, no_connection)
    app.register_error_handler(OperationalError, database_down)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, accident)


def go_on_with_csrf_token() -> None:
    """If the page of a form is shown again, it carries the token that has just been accepted. To sign another
    one for each form took longer than to read the form, and most of them are never shown."""
    if g.get("csrf_valid") and (token := request.form.get("csrf_token")):
        g.csrf_token = token


def error_page(status: int, *, heading: str = "", sentences: list[str] | None = None,
what_to_do: list[str] | None = None,
               link_href: str = "", link_text: str = "") -> Response:  # fmt: skip
    """An error page. Arguments that are not given come from the words for its status."""
    usual = _PAGES.get(status, _PAGES[400] if status < 500 else _PAGES[500])
    page = render_template(
        "errors/page.html",
        heading=heading or usual[0],
        sentences=sentences or usual[1],
        what_to_do=what_to_do or usual[2],
        request_id=request_id(),
        link_href=link_href or url_for("home.beranda" if sessions.visitor() else "login.page"),
        link_text=link_text or ("Ke beranda" if sessions.visitor() else "Ke halaman masuk"),
    )
    return make_response(page, status)


def broken_form(_error: BrokenForm) -> ResponseReturnValue:
    _record(Tag.FORM_REFUSED, "broken form")
    return error_page(
        400,
        sentences=[
            "Portal hanya menerima isian formulirnya sendiri: satu isian untuk setiap kolom, tanpa "
            "karakter yang tidak terlihat."
        ],
        what_to_do=[
            "Kembali ke halaman sebelumnya, hapus isiannya, lalu ketik ulang tanpa menyalin dari aplikasi "
            "lain."
        ],
    )


def lost_csrf(_error: CSRFError) -> ResponseReturnValue:
    """The page was open too long, or cookies are off. Pages that can keep what was typed show their form
    again."""
    note_lost_csrf()
    if kept_form.can_show_form() and (request.blueprint or "").partition(".")[0] != "admin":
        return kept_form.shown(400)
    return error_page(
        400,
        heading="Halaman ini sudah kedaluwarsa",
        sentences=["Demi keamanan, isian Anda belum diproses, dan tidak ada yang diubah."],
        what_to_do=["Buka lagi halamannya, lalu kirim sekali lagi. Pastikan browser mengizinkan kuki."],
        link_href=page_of_form(),
        link_text="Buka halaman tadi",
    )


def note_lost_csrf() -> None:
    _record(Tag.FORM_REFUSED, "no CSRF token")


def too_many_from_here(error: RateLimitExceeded) -> ResponseReturnValue:
    limits.count_refusal(error)
    _record(Tag.ADDRESS_THROTTLED, "limit of the client address")
    seconds = seconds_until_free()
    minutes = whole_minutes(seconds)
    what_to_do = [
        f"Tunggu sekitar {minutes} menit, lalu coba lagi. Tidak ada yang hilang dan akun Anda tidak diblokir."
    ]
    if other_way := _NOT_HELD_BACK.get(request.endpoint or ""):
        what_to_do.append(other_way)
    return too_many(error_page(429, what_to_do=what_to_do), seconds)


def busy(_error: Exception | None) -> Response:
    page = error_page(503)
    page.headers["Retry-After"] = str(_SECONDS_WHEN_BUSY)
    return page


def database_down(error: OperationalError) -> ResponseReturnValue:
    """The database is away, or its locks stayed taken: an outage, not a fault of the request."""
    log.error("database", exc_info=error)
    return no_connection(error)


def no_connection(error: Exception) -> ResponseReturnValue:
    """Shown as strangers see it: what was read of the visitor went with the transaction, and to read it again
    would fail as well."""
    sessions.forget_visitor()
    return busy(error)


def http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    if error.code == 405 and request.path.strip("/").partition("/")[0] in UNSEEN:
        return error_page(404)
    if error.code == 405 and request.method in ("GET", "HEAD"):  # a restored tab, or a pasted address
        return redirect(page_of_form(), 303)
    if error.code == 404 and (meant := mailed_links.page_meant(UNSEEN)):
        return redirect(meant, 303)
    page = error_page(error.code)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            page.headers[name] = value
    return page


def accident(error: Exception) -> ResponseReturnValue:
    log.error("accident", exc_info=error)
    return error_page(500)


def _record(tag: Tag, reason: str) -> None:
    """Write an event about a refusal that happens before any act. Many of them in a short time do not reach
    the database."""
    refused = act()
    left_out = once_a_minute().let_through(tag, "", refused)
    if left_out is not None:
        rule = request.url_rule.rule if request.url_rule else None
        with unit_of_work() as db:
            event = audit.record(db, tag, None, refused, reason=reason, rule=rule)
            if left_out:
                event.detail = {**event.detail, "left_out": left_out}
