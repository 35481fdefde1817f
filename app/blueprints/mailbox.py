"""/kotak-surat: the demo's mailbox. It exists only in the demo, where mails go to files; elsewhere there is
no such page.

It is for a person at this machine, even if a web server lets others in, because the mails open accounts.
DEMO_OPEN_TO_THE_WORLD is the exception.
"""

import email
import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from app.runtime.portal import portal
from app.web.headers import CONTENT_SECURITY_POLICY
from app.web.peer import is_this_machine

blueprint = Blueprint("mailbox", __name__, url_prefix="/kotak-surat")
_NAME = re.compile(r"[A-Za-z0-9_-]{16}")
_LINK = re.compile(r"^(https?://\S+)$", re.MULTILINE)
_NEWEST = 100
# The HTML of a mail is not trusted: its page has no scripts, and an origin of its own, so no cookies either,
# also when it is opened by itself. A link in it opens in the whole window, and only when a person presses it.
_OF_HTML = {
    "Content-Security-Policy": "; ".join(
        (
            "sandbox allow-top-navigation-by-user-activation",
            "default-src 'none'",
            "style-src 'unsafe-inline'",  # mail programs know no other styles
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    ),
    "X-Frame-Options": "SAMEORIGIN",
}


@dataclass(frozen=True)
class DemoMail:
    name: str
    to: str
    subject: str
    at: datetime
    text: str
    html: str

    @classmethod
    def read(cls, file: Path) -> "DemoMail":
        message = email.message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=policy.default)
        text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
        return cls(
            name=file.stem,
            to=str(message["To"]),
            subject=str(message["Subject"]),
            at=datetime.fromtimestamp(file.stat().st_mtime).astimezone(),
            text=text.get_content() if text else "",
            html=html.get_content() if html else "",
        )

    @property
    def linked_text(self) -> Markup:
        """The text with its links as links to click; everything else is escaped."""
        return Markup(_LINK.sub(r'<a href="\1">\1</a>', str(escape(self.text))))  # noqa: S704  (escaped first)


@blueprint.before_request
def only_in_the_demo() -> None:
    settings = portal().settings
    if not settings.has_demo_mailbox or not (settings.demo_open_to_the_world or is_this_machine()):
        abort(404)


@blueprint.get("", provide_automatic_options=False)
@blueprint.get("/", provide_automatic_options=False)
def inbox() -> ResponseReturnValue:
    """The newest mails, to everybody or to the address that was asked for."""
    # A plus in the address of a page means a space, and no address of a mailbox holds a space
    wanted = request.args.get("untuk", "").strip().replace(" ", "+").lower()
    files = sorted(
        portal().settings.mail_folder.glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True
    )
    mails = (DemoMail.read(file) for file in files[: _NEWEST * (10 if wanted else 1)])
    shown = [mail for mail in mails if not wanted or wanted in mail.to.lower()][:_NEWEST]
    return render_template("mailbox/inbox.html", mails=shown, wanted=wanted)


@blueprint.get("/<name>", provide_automatic_options=False)
@blueprint.get("/<name>/", provide_automatic_options=False)
def mail(name: str) -> ResponseReturnValue:
    page = make_response(render_template("mailbox/mail.html", mail=_read(name)))
    page.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
    return page


@blueprint.get("/<name>/html", provide_automatic_options=False)
def html(name: str) -> ResponseReturnValue:
    """The HTML of a mail, for a frame in its page."""
    links_open_in_the_window = _read(name).html.replace("<head>", '<head><base target="_top">', 1)
    return Response(links_open_in_the_window, headers=_OF_HTML, mimetype="text/html")


def _read(name: str) -> DemoMail:
    file = portal().settings.mail_folder / f"{name}.eml"
    if not _NAME.fullmatch(name) or not file.is_file():
        abort(404)
    return DemoMail.read(file)
