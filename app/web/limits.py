"""The limits per client address, applied with Flask-Limiter. All other limits, and these numbers, are in security/throttle.py."""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from time import time

from flask import Flask, Response, g, request
from flask_limiter import Limiter, RouteLimit
from limits import parse
from sqlalchemy.exc import SQLAlchemyError

from app.security import throttle
from config import Settings


def client_network() -> str:
    """One office, one line: an IPv4 address, or the 64 bits of an IPv6 address that one subscriber is given."""
    address = request.remote_addr or "-"
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


_ONE_ROW = parse("1 per minute")
limiter = Limiter(client_network, in_memory_fallback_enabled=True)


def _was_wrong_try(_response: Response) -> bool:
    return bool(g.get("was_wrong_try"))


def _posted_a_mail(_response: Response) -> bool:
    return bool(g.get("posted_a_mail"))


def limit_wrong_tries_unless(has_shown: Callable[[], bool]) -> RouteLimit:
    """Login and token entry share one allowance: who guesses here or there is the same guesser. Who `has_shown` something
    that a guesser does not have is not stopped with the others in his office, nor counted with them."""

    def is_exempt() -> bool:
        try:
            return has_shown()
        except SQLAlchemyError:  # the view meets it again and says so; here it would be taken for a fault of the counters
            return False

    return limiter.shared_limit(
        throttle.WRONG_TRIES_PER_CLIENT,
        scope="wrong-tries",
        methods=["POST"],
        exempt_when=is_exempt,
        deduct_when=_was_wrong_try,
    )


limit_mails = limiter.shared_limit(
    throttle.MAILS_PER_CLIENT,
    scope="mails",
    methods=["POST"],
    deduct_when=_posted_a_mail,
)


def count_wrong_try() -> None:
    """This request guessed wrongly."""
    g.was_wrong_try = True


def count_mail() -> None:
    """This request put a mail in the outbox."""
    g.posted_a_mail = True


def seconds_until_free() -> int:
    """When the limit that has just been breached opens again."""
    current = limiter.current_limit
    return max(1, round(current.reset_at - time())) if current else 60


def in_minutes(seconds: int) -> int:
    """As people are told to wait: whole minutes, rounded up."""
    return -(-seconds // 60)


def is_worth_a_row() -> bool:
    """Whether a refusal that costs its sender nothing is recorded: once a minute for an address, or a flood would
    become a flood of rows. Every single one is a log line."""
    return limiter.limiter.hit(_ONE_ROW, "recorded-refusal", client_network())


def init_app(app: Flask, settings: Settings) -> None:
    app.config["RATELIMIT_ENABLED"] = settings.address_limits
    app.config["RATELIMIT_STORAGE_URI"] = settings.ratelimit_storage_uri
    app.config["RATELIMIT_STRATEGY"] = "fixed-window"
    limiter.init_app(app)


def too_many(response: Response, seconds: int) -> Response:
    """Mark an answer as "ask again in so many seconds"."""
    response.status_code = 429
    response.headers["Retry-After"] = str(seconds)
    return response
