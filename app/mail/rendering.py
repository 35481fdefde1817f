"""From an outbox row to the words of the letter. This is the only place that derives reset secrets for
sending."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from app.domain.client import mask_address
from app.domain.contact import Contact
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import shown_moment
from app.domain.nip import Nip
from app.domain.reset_secret import Code, Link
from app.models.email_correction import EmailCorrection
from app.models.outbox_mail import Letter, OutboxMail

CORRECTION_LINK_DAYS = 7  # to fill in the form; after that, the same link shows the ticket
TICKET_DAYS = 90  # the time for which a link shows the ticket; each mail brings a new link
_CONTACTS_KEPT = 256
_TO_ASKERS = (
    Letter.CORRECTION_LINK,
    Letter.CORRECTION_RECEIVED,
    Letter.CORRECTION_IN_HAND,
    Letter.CORRECTION_QUESTION,
    Letter.CORRECTION_APPROVED,
    Letter.CORRECTION_REJECTED,
    Letter.CORRECTION_FROZEN,
)
_CAN_BE_STOPPED = (
    Letter.EMAIL_CHANGED,
    Letter.EMAIL_WILL_CHANGE,
    Letter.ACCOUNT_CHANGED,
    Letter.MANDATE_GRANTED,
)


class Secrets(Protocol):
    """Derives what a letter carries; app/security/signing.py can do that."""

    def reset_link(self, reference: str, row_key: bytes) -> Link: ...

    def reset_code(self, reference: str, row_key: bytes) -> Code: ...

    def correction_link(self, reference: str) -> str: ...

    def stop_link(self, reference: str) -> str: ...


@dataclass(frozen=True)
class Letterhead:
    """What every letter says about its sender."""

    portal: str
    operator: str
    public_url: str
    token_lifetime: timedelta


@dataclass(frozen=True)
class RenderedLetter:
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class WrittenContact:
    """How an instansi is reached, as the two forms of a letter say it."""

    text: str
    html: Markup


class Renderer:
    """Letters in text and HTML from templates/emails/<letter>/{subject.txt,body.txt,body.html}."""

    def __init__(self, templates: Path, letterhead: Letterhead, keys: Secrets) -> None:
        self._letterhead = letterhead
        self._keys = keys
        self._templates = Environment(
            loader=FileSystemLoader(templates / "emails"),
            autoescape=select_autoescape(enabled_extensions=("html",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # a release brings its own files, and a new process
        )
        # Letters that leave one after the other are for people of a few instansi, and writing a contact takes
        # a third of a letter
        self._contact = lru_cache(_CONTACTS_KEPT)(self._written_contact)

    def render(self, mail: OutboxMail, now: datetime) -> RenderedLetter:
        """The letter at the moment `now`, from which the lifetime of a token counts."""
        words, folder = self._words(mail, now), _folder_of(mail)
        subject, text, html = (
            self._written(f"{folder}/{part}", words) for part in ("subject.txt", "body.txt", "body.html")
        )
        return RenderedLetter(" ".join(subject.split()), text, html)

    def _written(self, template: str, words: dict[str, object]) -> str:
        """What `Template.render` does, without two copies of the words: no template changes them."""
        found = self._templates.get_template(template)
        return "".join(found.root_render_func(found.new_context(words, shared=True)))

    def _words(self, mail: OutboxMail, now: datetime) -> dict[str, object]:
        words: dict[str, object] = {
            "portal": self._letterhead.portal,
            "operator": self._letterhead.operator,
            "public_url": self._letterhead.public_url,
            "at": shown_moment(mail.posted_at),
            "from_address": mask_address(mail.client_address),
            "name": mail.user.name if mail.user else "Bapak/Ibu",
            "nip": _nip_of(mail),
            "user": mail.user,
            "about": mail.about,
        }
        if mail.user:
            words["contact"] = self._contact(mail.user.instansi.contact)
        if mail.letter is Letter.TOKEN and (request := mail.reset_request):
            words["code"] = self._keys.reset_code(request.reference, request.key).shown
            link = self._keys.reset_link(request.reference, request.key)
            words["link"] = f"{self._letterhead.public_url}/konfirmasi-reset-password/{link.text}"
            words["until"] = shown_moment(
                request.lives_until(mail.posted_at, now, self._letterhead.token_lifetime)
            )
            words["ticket"] = mail.email_correction.ticket if mail.email_correction else None
            words["is_new_address"] = mail.identity_change is not None
        if mail.letter in _CAN_BE_STOPPED:
            words |= self._change(mail)
        if mail.letter is Letter.ADDRESS_NOT_REGISTERED and (request := mail.reset_request):
            correction = self._keys.correction_link(request.reference)
            words["link"] = f"{self._letterhead.public_url}/perbaikan-email/{correction}"
            words["link_days"] = CORRECTION_LINK_DAYS
        if mail.letter in _TO_ASKERS and mail.email_correction:
            words |= self._correction(mail, mail.email_correction)
        return words

    def _written_contact(self, contact: Contact) -> WrittenContact:
        text, html = (
            self._written(f"_parts/contact.{form}", {"contact": contact}) for form in ("txt", "html")
        )
        return WrittenContact(text.rstrip(), Markup(html))  # noqa: S704  (written by a template that escapes)

    def _correction(self, mail: OutboxMail, correction: EmailCorrection) -> dict[str, object]:
        """For a mailbox that was only proven to exist, not to belong to a person: no name on record, no whole
        NIP."""
        change = mail.identity_change
        return {
            "name": "Bapak/Ibu",
            "nip": Nip(correction.nip).masked,
            "ticket": correction.ticket,
            "link": f"{self._letterhead.public_url}/perbaikan-email/"
            f"{self._keys.correction_link(correction.reference)}",
            "link_days": CORRECTION_LINK_DAYS,
            "reason": correction.decision or "",
            "question": correction.questions[-1].question if correction.questions else "",
            "submitted_at": shown_moment(correction.submitted_at or correction.asked_at),
            "promised_by": shown_moment(correction.promised_by),
            "file_not_kept": correction.file_not_kept,
            "letter": mail.letter,
            "what": correction.field.label,
            "effective_at": shown_moment(change.effective_at) if change and change.effective_at else "",
        }

    def _change(self, mail: OutboxMail) -> dict[str, object]:
        """For everybody who may stop the change. Their mailbox may be somebody else's by now, so a new
        address is masked."""
        if (change := mail.identity_change) is None:
            return {"stop_link": None}
        link = self._keys.stop_link(change.reference)
        return {
            "stop_link": f"{self._letterhead.public_url}/bukan-saya/{link}",
            "new_address": EmailAddress(change.new_value).masked if change.kind is ChangeKind.EMAIL else "",
            "effective_at": shown_moment(change.effective_at) if change.effective_at else "",
        }


def _folder_of(mail: OutboxMail) -> str:
    """The letters about a correction of the record say the same as those about an email, in other words."""
    correction = mail.email_correction
    is_of_record = correction is not None and correction.field.is_of_record
    return "record_correction" if is_of_record and mail.letter in _TO_ASKERS else mail.letter.value


def _nip_of(mail: OutboxMail) -> str:
    """The NIP as the reader may see it: never whole, because other people may read a mailbox too."""
    digits = mail.reset_request.nip if mail.reset_request else mail.user.nip if mail.user else None
    return Nip(digits).masked if digits else ""
