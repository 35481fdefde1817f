"""Who is logged in: a random id in the browser, its SHA-256 in a row; and what else a browser keeps for us.

The anonymous cookie (Flask's, signed) only carries the CSRF token and what was asked for in the reset flow.

A session ends when its person has done nothing for a while. Only acts of a person prolong it. Requests that a
page's script, the service worker or the browser makes by itself only show how things are and prolong nothing;
neither does a page that reloads itself.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import Flask, after_this_request, current_app, flash, g, redirect, request, session, url_for
from flask import Response as FlaskResponse
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError, TimeoutError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.domain.indonesian_time import now as this_moment
from app.domain.indonesian_time import shown_clock, today_in_jakarta
from app.domain.nip import Nip, read_nip
from app.domain.waits import whole_seconds
from app.flows.login.log_in import Entered
from app.models.account import ProvenOwner
from app.models.identity_change import IdentityChange
from app.models.login_session import LoginSession
from app.models.open_session import OpenSession
from app.models.user import User
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import client, portal
from app.security.authority import Authority
from app.web.return_pages import this_page

P = ParamSpec("P")
START_OF_THE_APP = "aplikasi"  # the manifest's start_url is /login?aplikasi=1
_PEOPLE_IN_A_COOKIE = 5  # who share one browser
KNOWN_FOR = timedelta(days=180)  # since this person last logged in here
_MARKS = "perangkat"  # the cookie of the browser marks
BY_ITSELF = "otomatis"  # in the query of an address that a page opens although nobody has pressed anything
_NOTHING_DONE = (
    "Isian Anda belum diproses, dan tidak ada yang diubah. Masuk lagi, lalu ulangi dari halaman yang terbuka."
)
_Q = TypeVar("_Q", bound=Callable[..., ResponseReturnValue])


@dataclass(frozen=True)
class Visitor:
    """A logged-in person in one browser."""

    user: User
    login: LoginSession
    authority: Authority | None  # None: not an admin today, or not with this password
    needs_stronger_password: bool  # has a mandate today, but a password that is too weak for it
    under_way: IdentityChange | None  # a decided change of the own account that is not yet in effect

    @property
    def name(self) -> str:
        return self.user.name


class SessionOver(Enum):
    """Why the session whose id this browser shows opens nothing any more."""

    IDLE = auto()
    TOO_LONG = auto()
    CHANGED = auto()  # the password or the account
    BY_DESK = auto()  # an admin has ended all sessions of this person
    GONE = auto()  # ended here or elsewhere, or long ago; also an id that never was one


@dataclass(frozen=True)
class SessionEnd:
    """When this session ends if it is not used."""

    seconds_left: int
    at: datetime
    shown: str  # in the zone of the visitor


def init_app(app: Flask) -> None:
    app.before_request(recognise)
    app.jinja_env.globals["typist"] = typist
    app.jinja_env.globals["this_page"] = this_page


def recognise() -> None:
    """Find out who is asking; an ended, idle or outdated session belongs to nobody."""
    g.visitor = g.session_over = None
    raw_id = request.cookies.get(cookie_name("masuk"))
    if not raw_id or request.endpoint in ("health.alive", "health.ready", "health.metrics"):
        return
    now = this_moment()
    try:
        found = _behind(raw_id, now)
    except (OperationalError, TimeoutError):
        if not _is_marked("is_for_everybody"):
            raise
        return  # shown as strangers see it, while the database is away
    if isinstance(found, SessionOver):
        g.session_over = found
        return
    if _is_act() and now - found.login.seen_at >= min(timedelta(minutes=1), _idle() / 10):
        with unit_of_work() as db:
            found.login.note_use(db, now)
    g.visitor = found


def _behind(raw_id: str, now: datetime) -> Visitor | SessionOver:
    today = today_in_jakarta(now)
    with reading() as db:
        found = OpenSession.with_hash(db, _hash_of(raw_id), today)
        if found is None:
            return SessionOver.GONE
        if why := _why_over(found.login, found.user, now):
            return why
        mandate = Authority.of(db, found.user, today) if found.has_mandate else None
        under_way = IdentityChange.under_way_for(db, found.user.id) if found.has_change else None
    authority = mandate if found.login.opens_desk else None
    return Visitor(found.user, found.login, authority, mandate is not None and authority is None, under_way)


def no_act(view: _Q) -> _Q:
    """Mark a view that browsers ask for without a person's doing, or that says nothing about one: it prolongs
    no session."""
    view.is_act = False  # type: ignore[attr-defined]
    return view


def for_everybody(view: _Q) -> _Q:
    """Mark a view whose page says the same to everybody: it is shown also while the database is away."""
    view.is_for_everybody = True  # type: ignore[attr-defined]
    return view


def act_by_script(view: _Q) -> _Q:
    """Mark a view that a script asks for because somebody has pressed a button."""
    view.is_act = True  # type: ignore[attr-defined]
    return view


def _is_act() -> bool:
    """Whether somebody has done something: opened a page or sent a form. Browsers say what a request is for
    (Fetch Metadata). Browsers too old for that ask by themselves only for files and for views marked
    `no_act`."""
    if request.endpoint in (None, "static"):
        return False
    marked = _is_marked("is_act")
    if marked is not None:
        return marked
    purposes = [request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz")]
    is_ahead = any("prefetch" in purpose or "prerender" in purpose for purpose in purposes)
    is_page = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    return is_page and not is_ahead and BY_ITSELF not in request.args


def _is_marked(name: str) -> bool | None:
    """What the view of this request was marked with; None where it has no such mark."""
    return getattr(current_app.view_functions.get(request.endpoint or ""), name, None)


def visitor() -> Visitor | None:
    return cast(Visitor | None, g.get("visitor"))


def session_over() -> SessionOver | None:
    """Why the session that this browser had is over; None if it shows none, or one that lives."""
    return cast(SessionOver | None, g.get("session_over"))


def forget_visitor() -> None:
    """For the rest of this request nobody is logged in; the session itself stays."""
    g.visitor = None


def require_visitor() -> Visitor:
    """The person in a view behind `login_required`."""
    found = visitor()
    assert found is not None, "view is not behind login_required"
    return found


def typist() -> str:
    """Who fills in the forms of this page, as the forms carry it; empty for nobody. Nobody can read from it
    who the person is."""
    found = visitor()
    return portal().keys.fingerprint("typist", str(found.user.id))[:16] if found else ""


def redirect_to_login() -> ResponseReturnValue:
    """The answer to a visitor who is not logged in: log in, and come back to the page that was asked for, or
    to the one whose button was pressed."""
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("login.page", next=request.full_path.rstrip("?")), 303)
    flash(_NOTHING_DONE, "info")
    return redirect(url_for("login.page", next=this_page()), 303)


def login_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Only for people who are logged in; others log in first and come back to the page they wanted."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        return redirect_to_login() if visitor() is None else view(*args, **kwargs)

    return guarded


def form() -> str:
    """The name of the form of the login: it is the same as long as nobody has logged in with it here."""
    return _hash_of(session.get("csrf_token", ""))


def start(db: Session, entered: Entered, now: datetime, *, opens_desk: bool) -> str:
    """Open a session under a new id, in the transaction of the login. Returns the id for `keep`."""
    owner = entered.owner
    if replaced := visitor():
        LoginSession.end(db, replaced.login.id_hash)
    if entered.is_again:
        LoginSession.end_of_form(db, owner.id, form())
    raw_id = secrets.token_urlsafe(32)
    sender = client()
    LoginSession.open(
        db,
        id_hash=_hash_of(raw_id),
        user_id=owner.id,
        credential_version=owner.credential_version,
        started_at=now,
        seen_at=now,
        proven_at=now,
        ends_at=now + timedelta(hours=portal().settings.session_absolute_hours),
        opens_desk=opens_desk,
        previous_login_at=entered.previous_login_at,
        client_address=sender.address,
        user_agent=sender.user_agent,
        form=form(),
    )
    return raw_id


def keep(response: Response, raw_id: str, owner: ProvenOwner) -> None:
    """Give the browser its session, know it from now on, and forget the anonymous one."""
    session.clear()
    _give(response, raw_id, owner)


def keep_at_once(raw_id: str, owner: ProvenOwner) -> None:
    """The same as `keep` while the page is still to be made: it is made for the person who has just logged
    in."""
    session.clear()
    g.pop("csrf_token", None)  # the token that Flask-WTF made for the old session
    found = _behind(raw_id, this_moment())
    g.visitor = found if isinstance(found, Visitor) else None

    @after_this_request
    def give(response: FlaskResponse) -> FlaskResponse:
        _give(response, raw_id, owner)
        return response


def _give(response: Response, raw_id: str, owner: ProvenOwner) -> None:
    _set_cookie(response, "masuk", raw_id, None)
    know_this_browser(response, owner)


def know_this_browser(response: Response, user: User | ProvenOwner) -> None:
    """Mark the browser as one in which this person has proven to be the owner: tries by strangers do not slow
    it down.

    All browsers of a person carry the same mark, so it brings nothing to collect several; a new password
    makes a new mark.
    """
    assert user.browser_mark is not None, "only for who has just logged in or set a password"
    others = list(_kept_marks_but_of(user).items())[-(_PEOPLE_IN_A_COOKIE - 1) :]
    _keep_marks(
        response, {**dict(others), _person_key(user): (user.browser_mark, int(this_moment().timestamp()))}
    )


def forget_this_browser(response: Response, user: User) -> None:
    """Take this person's mark out of the browser; the browser stays known to others who use it."""
    _keep_marks(response, _kept_marks_but_of(user))


def forget(response: Response) -> None:
    session.clear()
    response.delete_cookie(
        cookie_name("masuk"), path="/", secure=portal().settings.is_https, httponly=True, samesite="Lax"
    )


def browser_marks() -> frozenset[str]:
    """The marks that this browser carries and that are not too old. Only the account itself says whose a mark
    is."""
    return _young_ones(_kept_marks())


def marks_in(cookies: Mapping[str, str]) -> frozenset[str]:
    return _young_ones(_marks_kept_in(cookies))


def _young_ones(marks: Mapping[str, tuple[str, int]]) -> frozenset[str]:
    return frozenset(mark for mark, given_at in marks.values() if _is_young(given_at))


def may_hold_marks(cookie_header: str) -> bool:
    return f"{_MARKS}=" in cookie_header


def is_known_to(typed_nip: str) -> bool:
    """Whether the person with this NIP, as typed, has logged in here and has kept the same password since."""
    nip, marks = read_nip(typed_nip), browser_marks()
    if not marks or not isinstance(nip, Nip):
        return False
    with reading() as db:
        return User.browser_mark_of(db, nip) in marks


def known_until(user: User) -> datetime | None:
    """The time until which this browser is known to this person."""
    given = [
        given_at
        for mark, given_at in _kept_marks().values()
        if mark == user.browser_mark and _is_young(given_at)
    ]
    return datetime.fromtimestamp(max(given), UTC) + KNOWN_FOR if given else None


def keep_as_app(response: Response) -> None:
    """Remember that this browser is the installed app: it was opened at the app's start address. For pages
    without JavaScript."""
    _set_cookie(response, "aplikasi", "1", None)


def is_app() -> bool:
    return request.cookies.get(cookie_name("aplikasi")) == "1"


def session_end(now: datetime) -> SessionEnd | None:
    """When the visitor's session ends without further use. The seconds left are zero only once it has ended,
    and not before."""
    found = visitor()
    if found is None:
        return None
    ends_at = min(found.login.seen_at + _idle(), found.login.ends_at)
    zone = found.user.instansi.zone
    local = ends_at.astimezone(zone.clock)
    return SessionEnd(whole_seconds(ends_at - now), local, shown_clock(ends_at, zone))


def _why_over(login: LoginSession, user: User, now: datetime) -> SessionOver | None:
    if user.may_enter and login.is_ended_by_desk:
        return SessionOver.BY_DESK
    if not user.may_enter or login.credential_version != user.credential_version:
        return SessionOver.CHANGED
    if now >= login.ends_at:
        return SessionOver.TOO_LONG
    return SessionOver.IDLE if now >= login.seen_at + _idle() else None


def _idle() -> timedelta:
    return timedelta(minutes=portal().settings.session_idle_minutes)


def _hash_of(raw_id: str) -> str:
    return hashlib.sha256(raw_id.encode()).hexdigest()


def _person_key(user: User | ProvenOwner) -> str:
    """The key of a person's mark in the cookie. Nobody else can read from it who the person is."""
    return portal().keys.fingerprint("device", str(user.id))[:16]


def _kept_marks() -> dict[str, tuple[str, int]]:
    if "kept_marks" not in g:
        g.kept_marks = _marks_kept_in(request.cookies)
    return cast(dict[str, tuple[str, int]], g.kept_marks)


def _marks_kept_in(cookies: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    sealed = cookies.get(cookie_name(_MARKS))
    return portal().keys.open_devices(sealed) if sealed else {}


def _kept_marks_but_of(user: User | ProvenOwner) -> dict[str, tuple[str, int]]:
    """The marks of all other people. The person's own mark is left out also where it was kept under an older
    key."""
    mine = _person_key(user)
    return {
        person: kept
        for person, kept in _kept_marks().items()
        if person != mine and kept[0] != user.browser_mark
    }


def _keep_marks(response: Response, marks: dict[str, tuple[str, int]]) -> None:
    _set_cookie(response, _MARKS, portal().keys.seal_devices(marks), KNOWN_FOR)


def _is_young(given_at: int) -> bool:
    return this_moment().timestamp() < given_at + KNOWN_FOR.total_seconds()


def cookie_name(name: str) -> str:
    """`__Host-` ties a cookie to this very host, where the browser may insist on TLS."""
    return f"__Host-{name}" if portal().settings.is_https else name


def _set_cookie(response: Response, name: str, value: str, lifetime: timedelta | None) -> None:
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=lifetime,
        path="/",
        secure=portal().settings.is_https,
        httponly=True,
        samesite="Lax",
    )
