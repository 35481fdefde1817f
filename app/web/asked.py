"""What this browser remembers between the request for a token and the new password."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from flask import current_app, g, session
from itsdangerous import BadSignature
from markupsafe import Markup

from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.domain.reset_secret import Code, Link, read_secret
from app.domain.waits import whole_seconds
from app.flows.reset.redeem_token import request_behind
from app.models.reset_request import LinkedRequest, ResetRequest, WhyRefused
from app.runtime.db import reading
from app.runtime.portal import portal
from app.web.carried import carry_nip, forget_just_set
from app.web.session_cookies import SessionCookies
from app.web.times import clock_in_all_zones
from app.web.words.tokens import heading_of_dead_token, sentence_of_dead_token


def remember(asked: ResetRequest, at: datetime, *, is_named: bool = True) -> None:
    """Let this browser find the request again after a reload or a closed tab. `is_named`: whether the NIP and
    the address were typed here. Whoever has only opened a link never reads them in full."""
    session.pop("link", None)
    forget_just_set()
    session.permanent = True
    session["asked"] = {
        "reference": asked.reference,
        "nip": asked.nip if is_named else "",
        "email": asked.typed_email if is_named else EmailAddress(asked.typed_email).masked,
        "at": at.isoformat(timespec="milliseconds"),
    }
    if is_named:
        carry_nip(Nip(asked.nip))


@dataclass(frozen=True)
class Asked:
    """What this browser asked for. It says nothing about whether there is an account."""

    reference: str
    nip: str  # empty if it was not typed here
    email: str  # masked if it was not typed here
    at: datetime

    @classmethod
    def in_this_browser(cls) -> "Asked | None":
        return cls.kept_in(session)

    @classmethod
    def kept_in(cls, session_of_browser: Mapping[str, Any]) -> "Asked | None":
        kept = session_of_browser.get("asked")
        return (
            cls(kept["reference"], kept["nip"], kept["email"], datetime.fromisoformat(kept["at"]))
            if kept
            else None
        )

    @property
    def seconds_to_resend(self) -> int:
        free_at = self.at + timedelta(seconds=portal().settings.resend_cooldown_seconds)
        return max(0, whole_seconds(free_at - now()))

    @property
    def shown_at(self) -> Markup:
        return clock_in_all_zones(self.at)

    @property
    def is_named(self) -> bool:
        return bool(self.nip)

    @property
    def is_late(self) -> bool:
        """Whether a token that left at once is over by now. Only the clock decides this."""
        return now() >= self.at + timedelta(minutes=portal().settings.token_lifetime_minutes)


def reference_in(cookies: Mapping[str, str], moment: datetime) -> str | None:
    """The request that the browser with these cookies made within the life of a token. This is for where
    there is no session yet, and says nothing about whether there is an account."""
    cookie = cookies.get(current_app.config["SESSION_COOKIE_NAME"], "")
    # Under overload thousands of cookies without a request are looked at, so those are not verified first
    if not may_hold_a_request(cookie):
        return None
    try:
        kept = cast(SessionCookies, current_app.session_interface).kept.loads(cookie)
    except BadSignature:
        return None
    asked = Asked.kept_in(kept)
    lifetime = timedelta(minutes=portal().settings.token_lifetime_minutes)
    return asked.reference if asked and moment < asked.at + lifetime else None


def may_hold_a_request(cookie: str) -> bool:
    """Whether a session of this length, or cookies of this length, can hold more than the CSRF token."""
    return len(cookie) > 200


@dataclass(frozen=True)
class OpenedLink:
    """A mailed link that was opened in this browser. The link proves the mailbox, so the page may tell the
    state of the link."""

    link: Link
    nip: Nip
    email: EmailAddress  # the mailbox that it was sent to
    codes: tuple[Code, ...]  # newest key first; empty when the token is used or expired
    is_admin: bool
    why_over: WhyRefused | None
    over_since: datetime | None

    @property
    def code(self) -> str | None:
        """The code as the page fills it in."""
        return self.codes[0].shown if self.codes else None

    @property
    def heading_of_end(self) -> str:
        return heading_of_dead_token(self.why_over) if self.why_over else ""

    @property
    def sentence_of_end(self) -> str:
        return sentence_of_dead_token(self.why_over, self.over_since) if self.why_over else ""


def opened_link() -> OpenedLink | None:
    """The link that this browser opened, as its request stood when this request came."""
    if "opened_link" not in g:
        kept = session.get("link")
        link = read_secret(kept) if kept else None
        g.opened_link = read_link_now(link) if isinstance(link, Link) else None
    return cast(OpenedLink | None, g.opened_link)


def read_link_now(link: Link) -> OpenedLink | None:
    moment = now()
    with reading() as db:
        found = request_behind(db, link, portal().keys, moment)
    return read_opened(link, found, moment) if found else None


def read_opened(link: Link, found: LinkedRequest, moment: datetime) -> OpenedLink | None:
    """None if the account is not there any more."""
    if found.nip is None or found.typed_email is None or found.owner.id is None:
        return None
    why = found.why_told(moment)
    return OpenedLink(
        link=link,
        nip=Nip(found.nip),
        email=EmailAddress(found.typed_email),
        codes=() if why else portal().keys.reset_codes(found.reference, found.key),
        is_admin=found.owner.is_admin,
        why_over=why,
        over_since={WhyRefused.USED: found.used_at, WhyRefused.EXPIRED: found.expires_at}.get(why)
        if why
        else None,
    )


def waits_for_token(moment: datetime) -> bool:
    """Whether this browser is in the middle of the flow: it asked, or opened a link, and nobody has used the
    token here."""
    asked, opened = Asked.in_this_browser(), opened_link()
    lifetime = timedelta(minutes=portal().settings.token_lifetime_minutes)
    return bool((asked and moment < asked.at + lifetime) or (opened and opened.code))
