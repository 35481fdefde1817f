"""The limits per client address, applied with Flask-Limiter. All other limits, and the numbers of these, are
in security/throttle.py."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from time import time
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, g, request
from flask_limiter import Limiter, RateLimitExceeded
from limits import parse
from sqlalchemy.exc import SQLAlchemyError

from app.domain.client import UNKNOWN_ADDRESS, line_of, site_of
from app.domain.email_address import EmailAddress, read_email
from app.domain.nip import Nip, read_nip
from app.domain.waits import whole_seconds
from app.runtime import counters, measures
from app.runtime.counters import RedisOrMemory
from app.runtime.portal import portal
from app.security import throttle
from app.web import sessions
from config import Settings


def client_network() -> str:
    """The line that a request came over."""
    return line_of(request.remote_addr or UNKNOWN_ADDRESS)


def _client_site() -> str:
    """All lines that one owner of IPv6 addresses may hold."""
    return site_of(request.remote_addr or UNKNOWN_ADDRESS)


def _is_own_site() -> bool:
    """Whether line and site are the same, so that the limit of the line is enough."""
    return client_network() == _client_site()


P = ParamSpec("P")
R = TypeVar("R")


def _per_line_and_site(
    most: str | Callable[[], str], scope: str, **how: Any
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Count what comes over a line, and what comes over all lines of a site. A site has SITE_IS_WORTH times
    the room of a line."""
    is_exempt: Callable[[], bool] = how.pop("exempt_when", lambda: False)
    per_line = limiter.shared_limit(most, scope=scope, methods=["POST"], exempt_when=is_exempt, **how)
    per_site = limiter.shared_limit(
        lambda: throttle.of_a_site(most if isinstance(most, str) else most()),
        scope=f"{scope}-of-site",
        key_func=_client_site,
        methods=["POST"],
        exempt_when=lambda: _is_own_site() or is_exempt(),
        **how,
    )

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        return per_line(per_site(view))

    return mark


limiter = Limiter(client_network)


def _was_wrong_try(_response: Response) -> bool:
    return bool(g.get("was_wrong_try"))


def _posted_a_mail(_response: Response) -> bool:
    return bool(g.get("posted_a_mail"))


def limit_wrong_tries_unless(has_shown: Callable[[], bool]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Login and token entry share one limit, because somebody who guesses at both is the same guesser. A
    person who `has_shown` something that a guesser does not have is not counted with the others in the same
    office, and not stopped with them. This is looked up only when it matters: once the office has used up its
    tries, and after a wrong try."""

    def has_shown_it() -> bool:
        return _unless_database_is_away(has_shown)

    limited = _per_line_and_site(
        throttle.WRONG_TRIES_PER_CLIENT,
        "wrong-tries",
        deduct_when=lambda response: _was_wrong_try(response) and not has_shown_it(),
    )

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        among_others = limited(view)

        @wraps(view)
        def alone_if_shown(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return among_others(*args, **kwargs)
            except RateLimitExceeded:
                if not has_shown_it():
                    raise
                return view(*args, **kwargs)

        return alone_if_shown

    return mark


def _unless_database_is_away(has_shown: Callable[[], bool]) -> bool:
    try:
        return has_shown()
    # The view meets this error again and says so. Raised here, it would look like a fault of the counters
    except SQLAlchemyError:
        return False


def in_known_browser(field: str) -> Callable[[], bool]:
    """Whether the person whose NIP is typed in this field has logged in here before. Such a browser has a
    limit of its own: a guesser in the same office does not stop the person."""
    return lambda: sessions.is_known_to(request.form.get(field, ""))


def _is_in_known_browser() -> bool:
    """The same for the field `nip`, looked up once per request."""
    if "is_in_known_browser" not in g:
        g.is_in_known_browser = _unless_database_is_away(in_known_browser("nip"))
    return bool(g.is_in_known_browser)


def _typed_nip() -> str:
    nip = read_nip(request.form.get("nip", ""))
    return portal().keys.fingerprint("mails-known", nip.digits if isinstance(nip, Nip) else "")


def limit_mails(view: Callable[P, R]) -> Callable[P, R]:
    """Limit the mails that one line may cause. A browser that is known to the person asked for has a limit of
    its own, so that nobody else in the same office can use it up."""
    in_new_browsers: Callable[[Callable[P, R]], Callable[P, R]] = _per_line_and_site(
        lambda: f"{portal().settings.asks_per_address_per_hour} per hour",
        "mails",
        exempt_when=_is_in_known_browser,
        deduct_when=_posted_a_mail,
    )
    in_known_browsers = limiter.shared_limit(
        throttle.MAILS_IN_KNOWN_BROWSERS,
        scope="mails-known",
        key_func=_typed_nip,
        methods=["POST"],
        exempt_when=lambda: not _is_in_known_browser(),
        deduct_when=_posted_a_mail,
    )
    return in_new_browsers(in_known_browsers(view))


_OTHER_MAILS = parse(throttle.OTHER_MAILS_PER_CLIENT)
_OTHER_MAILS_OF_SITE = parse(throttle.of_a_site(throttle.OTHER_MAILS_PER_CLIENT))


def _what_was_typed() -> str:
    """The NIP and address of a form, in one spelling and as a fingerprint, because the counters may be on
    another machine."""
    nip, address = read_nip(request.form.get("nip", "")), read_email(request.form.get("email", ""))
    typed = (
        (nip.digits, address.key) if isinstance(nip, Nip) and isinstance(address, EmailAddress) else ("", "")
    )
    return portal().keys.fingerprint("same-ask", client_network(), request.endpoint or "", *typed)


# For people who press the button again and again. When this limit refuses, that mailbox has had its mails.
limit_same_ask = limiter.shared_limit(
    throttle.SAME_ASK_PER_CLIENT,
    scope="same-ask",
    key_func=_what_was_typed,
    methods=["POST"],
    deduct_when=_posted_a_mail,
)


def _link_itself() -> str:
    """Counted over all lines together: a person who has the link has the mailbox, and one mailbox asks for
    one person, or a few."""
    return portal().keys.fingerprint("upload", str((request.view_args or {}).get("link", "")))


@limiter.shared_limit(
    throttle.UPLOADS_PER_LINK, scope="uploads-by-link", key_func=_link_itself, methods=["POST"]
)
@_per_line_and_site(throttle.UPLOADS_PER_CLIENT, "uploads")
def count_upload() -> None:
    """This request brings a file, which nothing has read yet; too many of them are stopped here."""


def count_wrong_try() -> None:
    """This request was a wrong try."""
    g.was_wrong_try = True


def count_mail() -> None:
    """This request put a mail in the outbox."""
    g.posted_a_mail = True


def may_mail_others() -> bool:
    """Whether this line may cause one more mail to an address that is not on record for the NIP it typed."""
    may = not limiter.enabled or (
        limiter.limiter.test(_OTHER_MAILS, "mails-to-others", client_network())
        and limiter.limiter.test(_OTHER_MAILS_OF_SITE, "mails-to-others-of-site", _client_site())
    )
    if not may:
        measures.count(measures.LIMITED, "address-mails-to-others")
    return may


def count_ask() -> None:
    """This line has asked for a mail. Each request counts the same, whether or not a mail left, and to
    whichever address. Otherwise the rest of the limit would tell which address is on record."""
    if limiter.enabled:
        limiter.limiter.hit(_OTHER_MAILS, "mails-to-others", client_network())
        limiter.limiter.hit(_OTHER_MAILS_OF_SITE, "mails-to-others-of-site", _client_site())


def count_refusal(error: RateLimitExceeded) -> None:
    """For the operator's figures: which limit had no room."""
    named = f"address-{error.limit.scope if error.limit else ''}"
    measures.count(measures.LIMITED, named if named in measures.LIMITS else measures.OTHER)


def are_counted_in_memory_for_now() -> bool:
    """Whether Redis is away, so that this process counts client addresses for itself."""
    return limiter.enabled and isinstance(limiter.storage, RedisOrMemory) and limiter.storage.is_away()


def seconds_until_free() -> int:
    """Seconds until all limits that have just been exceeded have room again. Never longer than the longest
    window of a limit."""
    breached = [one for one in limiter.current_limits if one.breached]
    waits = [min(max(1, _seconds_until_after(one.window[0])), one.limit.get_expiry()) for one in breached]
    return max(waits, default=60)


def _seconds_until_after(moment: float) -> int:
    """At the moment itself the window is still full."""
    return whole_seconds(timedelta(seconds=moment - time()) + timedelta.resolution)


def init_app(app: Flask, settings: Settings) -> None:
    app.config["RATELIMIT_ENABLED"] = settings.address_limits
    if settings.ratelimit_storage_uri.startswith("memory:"):
        app.config["RATELIMIT_STORAGE_URI"] = f"{counters.SCHEME_OF_MEMORY}://"
    else:
        app.config["RATELIMIT_STORAGE_URI"] = f"{counters.SCHEME}://"
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {"redis": settings.ratelimit_storage_uri}
    app.config["RATELIMIT_STRATEGY"] = "moving-window"
    app.config["RATELIMIT_FAIL_ON_FIRST_BREACH"] = (
        False  # all limits are checked, so that the time to wait is true
    )
    limiter.init_app(app)
    # Every limit stands at the head of a view. Before other views, Flask-Limiter would look for one in vain.
    if settings.address_limits:
        app.before_request_funcs[None].remove(limiter._check_request_limit)


def too_many(response: Response, seconds: int) -> Response:
    """Mark an answer as "ask again in so many seconds"."""
    response.status_code = 429
    response.headers["Retry-After"] = str(seconds)
    return response
