"""The page where a token and a new password are typed; two views show it."""

from dataclasses import asdict, dataclass, field, replace

from flask import (
    Response,
    make_response,
    render_template,
)
from flask_wtf import FlaskForm
from markupsafe import escape
from wtforms import BooleanField, PasswordField, StringField, ValidationError

from app.domain.password_policy import faults, has_blank_end, policy_named
from app.runtime.portal import portal
from app.security import throttle
from app.web.asked import Asked, OpenedLink
from app.web.fields import TokenField
from app.web.form_ids import new_form_id
from app.web.kept_pages import kept_for_strangers, new_place


class ConfirmationForm(FlaskForm):
    """WTForms does not read the NIP, because a link or an earlier step may stand for it."""

    token = TokenField("Token")
    nip = StringField("NIP")
    password = PasswordField("Password")
    blanks_meant = BooleanField("Ya, spasi di awal atau akhir memang bagian dari password saya")
    is_token_refused = False  # the token was tried, and opened nothing

    def validate_password(self, field: PasswordField) -> None:
        """A fault that anybody may know is said at once; one that only the owner may know waits for the
        token."""
        if sentences := self._faults(field.data or ""):
            raise ValidationError(sentences[0])
        if self.asks_about_blanks:
            raise ValidationError(
                "Password ini diawali atau diakhiri spasi, yang sering ikut tersalin. Ketik ulang tanpa "
                "spasi itu; atau, bila memang disengaja, ketik ulang dan centang kotak di bawah ini."
            )

    @property
    def asks_about_blanks(self) -> bool:
        """Whether to ask about blanks around the password. The password itself is never shown again, so a box
        stands for the answer."""
        typed = self.password.data or ""
        return has_blank_end(typed) and not self.blanks_meant.data and not self._faults(typed)

    @staticmethod
    def _faults(typed: str) -> list[str]:
        return faults(typed, policy_named(portal().settings.password_policy, is_admin=False))


@dataclass(frozen=True)
class _Places:
    """Where the page of somebody who has asked for a token says what it was."""

    nip: str = field(default_factory=new_place)
    email: str = field(default_factory=new_place)
    shown_at: str = field(default_factory=new_place)
    seconds_to_resend: str = field(default_factory=new_place)
    is_named = True
    is_late = False


class _LatePlaces(_Places):
    is_late = True


_WHILE_WAITING = _Places()
_RESEND_IS_FREE = replace(_WHILE_WAITING, seconds_to_resend="")
_LATE = _LatePlaces(seconds_to_resend="")


def page_after_asking(asked: Asked) -> Response:
    """The page as almost everybody sees it, who has asked in this browser and comes back from the mailbox or
    goes there."""
    kind, places = "free", _RESEND_IS_FREE
    if asked.is_late:
        kind, places = "late", _LATE
    elif asked.seconds_to_resend > 0:
        kind, places = "waits", _WHILE_WAITING
    own = {place: escape(getattr(asked, name)) for name, place in asdict(places).items() if place}
    return kept_for_strangers(lambda: _page(ConfirmationForm(), places), kind=kind, own=own)


def form_page(
    form: ConfirmationForm, status: int = 200, opened: OpenedLink | None = None, notice: str | None = None
) -> Response:
    """The page with two fields; the NIP is a third field only where this browser does not know it."""
    return _page(form, Asked.in_this_browser(), status, opened, notice)


def _page(
    form: ConfirmationForm,
    asked: Asked | _Places | None,
    status: int = 200,
    opened: OpenedLink | None = None,
    notice: str | None = None,
) -> Response:
    policy = policy_named(portal().settings.password_policy, is_admin=bool(opened and opened.is_admin))
    shown = render_template(
        "reset/confirmation.html",
        form=form,
        asked=asked,
        opened=opened,
        nip=_nip_field(form, asked, opened),
        is_for_another_nip=bool(asked and asked.is_named and opened and asked.nip != opened.nip.digits),
        rules=policy.rules,
        lifetime=portal().settings.token_lifetime_minutes,
        most_tokens=throttle.TOKENS_IN_A_MAILBOX,
        sender=portal().settings.mail_sender,
        notice=notice,
        form_id=new_form_id() if opened and opened.why_over else "",
        has_errors=bool(form.errors),
    )
    return make_response(shown, status)


def _nip_field(form: ConfirmationForm, asked: Asked | _Places | None, opened: OpenedLink | None) -> str:
    """How the form carries the NIP. The form always has a field for it, because a password manager keeps a
    password under the name that stands beside it. `kept`: this browser has asked for the token itself.
    `optional`: beside a link opened elsewhere, which knows its NIP and does not tell it. `asked_for`:
    otherwise."""
    if form.nip.errors:
        return "asked_for"
    if opened and opened.code:
        return "kept" if asked and asked.nip == opened.nip.digits else "optional"
    return "kept" if asked and asked.is_named else "asked_for"
