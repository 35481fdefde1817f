"""An admin opens a person's page to see where the person is stuck. The trail records this, and the person can
see it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, lazyload

from app.domain.act import Act
from app.domain.categories import Activation
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeState
from app.domain.indonesian_time import Timed, timed, today_in_jakarta
from app.flows.people.unlock import Limited, limits_on
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import AuditEvent, Tag
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.login_session import LoginSession
from app.models.mail_fault import OURS, MailFaultKind
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.models.reset_request import ResetRequest, WhyRefused
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

_ROWS_SHOWN = 20
_EVENTS_READ = 100  # far enough back to know what became of the last token
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")


@dataclass(frozen=True)
class MailView:
    """A mail as the desk may see it: its kind, its address and its state, but never its text."""

    words: str
    address: str
    state: MailState
    posted_at: datetime
    settled_at: datetime | None
    due_at: datetime | None  # the next try, where it is put off
    answer: str | None
    is_bounced: bool  # came back later, because of the address


@dataclass(frozen=True)
class RequestView:
    """A request for a token, and what became of it."""

    asked_at: datetime
    address: str
    fate: str | Timed


@dataclass(frozen=True)
class PersonView:
    """Everything that the desk may know about one person."""

    person: User
    objection: NotToTouch | None  # why this admin may look and not act
    standing: list[str | Timed]  # what the state means, in sentences
    limits: list[Limited]
    mails: list[MailView]
    requests: list[RequestView]
    corrections: Sequence[EmailCorrection]
    changes: Sequence[IdentityChange]
    sessions: int
    mandates: Sequence[AdminMandate]
    events: Sequence[AuditEvent]


def view_person(session: Session, person_id: int, act: Act[Authority]) -> PersonView | OutOfReach:
    """Read everything for one page. Each list is short and read through an index."""
    person = open_record(session, person_id, act)
    if not isinstance(person, User):
        return person
    session.flush()
    events = _last_events(session, person)
    mails = _last_mails(session, person)
    requests = _last_requests(session, person)
    changes = _last_changes(session, person)
    today = today_in_jakarta(act.at)
    return PersonView(
        person=person,
        objection=act.by.objection(session, person, today),
        standing=[
            _standing(person),
            *_about_address(person, changes),
            *_about_bounce(person, mails),
            *_story_of_token(person, mails, requests, events),
        ],
        limits=limits_on(session, person, act.at),
        mails=[_seen_mail(mail, person) for mail in mails],
        requests=[
            RequestView(
                request.asked_at, _masked(request.typed_email), _what_became_of(request, person, act.at)
            )
            for request in requests
        ],
        corrections=_last_corrections(session, person),
        changes=changes,
        sessions=len(LoginSession.all_of(session, person.id, person.credential_version, act.at)),
        mandates=AdminMandate.held_by(session, person.id, today),
        events=events[:_ROWS_SHOWN],
    )


def open_record(session: Session, person_id: int, act: Act[Authority]) -> User | OutOfReach:
    """Read somebody's record to show it on a page or in a form, and record who looked."""
    person = act.by.person(session, person_id)
    if isinstance(person, User):
        audit.record(session, Tag.PERSON_OPENED, person, act)
    return person


def _about_address(person: User, changes: Sequence[IdentityChange]) -> list[str | Timed]:
    """The changes of this person that are under way or were stopped, in sentences."""
    contested = [change for change in changes if change.is_contesting]
    return (
        [*_about_latest(changes[0]), *_about_contest(person, contested[0])]
        if contested
        else _about_latest(*changes[:1])
    )


def _about_latest(latest: IdentityChange | None = None) -> list[str | Timed]:
    match latest and latest.state:
        case None:
            return []
        case ChangeState.NEEDS_SECOND if latest:
            return [
                f"{latest.kind.heading} akan diganti menjadi {latest.new_shown} setelah admin kedua "
                "mengonfirmasi."
            ]
        case ChangeState.SCHEDULED if latest and latest.effective_at:
            return [
                timed(
                    f"{latest.kind.heading} akan diganti menjadi {latest.new_shown} pada ",
                    latest.effective_at,
                    ".",
                )
            ]
    return []


def _about_contest(person: User, stopped: IdentityChange) -> list[str | Timed]:
    rest = "" if person.email else " Sekarang tidak ada email yang tercatat, jadi token tidak dapat dikirim."
    return [
        f"Pemilik menyatakan perubahan {stopped.kind.label} menjadi {stopped.new_shown} bukan permintaannya, "
        f"jadi akun ini menunggu admin kedua.{rest}"
    ]


def _standing(person: User) -> str | Timed:
    """What the state of the account means for its owner."""
    since = person.activation_changed_at
    match person.activation:
        case Activation.DEACTIVATED:
            who = person.deactivated_by or f"admin {person.instansi.name}"
            why = f" Alasan: {person.activation_reason}" if person.activation_reason else ""
            return timed(f"Dinonaktifkan oleh {who} pada ", since, f".{why}")
        case Activation.WAITING_APPROVAL:
            password = (
                "sudah dibuat, jadi orangnya dapat masuk begitu akun dibuka"
                if person.password_hash
                else "belum dibuat"
            )
            return timed("CPNS menunggu persetujuan instansi sejak ", since, f". Password {password}.")
        case Activation.ACTIVE:
            if person.last_login_at:
                return timed("Akun dipakai. Terakhir masuk pada ", person.last_login_at, ".")
            return "Akun aktif, tetapi belum pernah masuk sejak portal ini mencatatnya."
        case Activation.NOT_ACTIVATED:
            if person.password_hash:
                return (
                    "Password sudah dibuat, tetapi belum pernah masuk. Aktivasi selesai saat masuk "
                    "pertama kali."
                )
            return "Akun belum pernah diaktifkan."
        case _:
            assert_never(person.activation)


def _about_bounce(person: User, mails: Sequence[OutboxMail]) -> list[str | Timed]:
    """Say that mails to the address on record come back, as long as nothing has shown that they arrive
    again."""
    bounced = next((mail for mail in mails if mail.is_bounced_hard and mail.to_address == person.email), None)
    if bounced is None or bounced.bounced_at is None or person.mail_failed_at is None:
        return []
    return [
        timed(
            "Email ke alamat yang tercatat dipantulkan pada ",
            bounced.bounced_at,
            ": kotak suratnya tidak ada atau sudah ditutup. Pastikan alamatnya kepada orangnya, lalu ganti "
            "emailnya.",
        )
    ]


def _story_of_token(
    person: User, mails: Sequence[OutboxMail], requests: Sequence[ResetRequest], events: Sequence[AuditEvent]
) -> list[str | Timed]:
    """What became of the last token, so that the desk sees at which step between mail and password it was
    lost."""
    if person.is_deactivated:
        return []
    if person.email is None:
        return ["Belum ada email di data, jadi token tidak dapat dikirim. Isi dahulu emailnya."]
    mail = next((mail for mail in mails if mail.letter is Letter.TOKEN), None)
    if mail is None:
        return [] if person.password_hash else ["Token belum pernah dikirim ke email yang tercatat."]
    answer = f": {_seen_answer(mail, person)}" if mail.server_answer else ""
    match mail.state:
        case MailState.FAILED if mail.fault is MailFaultKind.RECIPIENT or mail.fault is None:
            return [f"Token terakhir ditolak server email{answer}. Periksa alamatnya."]
        case MailState.FAILED:
            return [
                f"Token terakhir tidak terkirim karena gangguan di pihak portal{answer}. Minta token baru."
            ]
        case MailState.WAITING | MailState.DEFERRED if (
            mail.fault in OURS or mail.fault is MailFaultKind.LETTER
        ):
            return [
                f"Token terakhir menunggu karena gangguan di pihak portal{answer}. Dikirim otomatis setelah "
                "gangguan selesai."
            ]
        case MailState.DEFERRED:
            return [
                timed(f"Token terakhir ditunda server email{answer}. Dicoba lagi pada ", mail.due_at, ".")
            ]
        case MailState.WAITING if mail.is_parked:
            return [
                "Token terakhir menunggu karena server email tujuannya sedang menunda semua email. Dicoba "
                "lagi otomatis."
            ]
        case MailState.WAITING | MailState.SENDING:
            return ["Token terakhir sedang antre untuk dikirim."]
        case MailState.HELD:
            return ["Token terakhir ditahan karena di kotak surat sudah ada token yang masih berlaku."]
        case MailState.UNCERTAIN:
            return ["Pengiriman token terakhir terputus di tengah; tidak pasti apakah sampai."]
        case MailState.SENT if mail.is_bounced_hard:
            return ["Token terakhir dipantulkan server email, jadi tidak sampai."]
        case MailState.SENT:
            request = next((request for request in requests if request.id == mail.reset_request_id), None)
            return _story_after_hand_over(mail, request, events)
        case _:
            assert_never(mail.state)


def _story_after_hand_over(
    mail: OutboxMail, request: ResetRequest | None, events: Sequence[AuditEvent]
) -> list[str | Timed]:
    handed_over_at = mail.settled_at or mail.posted_at
    handed_over = ("Token terakhir diserahkan ke server email pada ", handed_over_at)
    # The last of each kind
    since = {event.tag: event for event in reversed(events) if event.at >= handed_over_at}
    if request is not None and request.used_at:
        return [timed(*handed_over, " dan dipakai pada ", request.used_at, ".")]
    if refused := since.get(Tag.TOKEN_REFUSED):
        why = next((why for why in WhyRefused if why == refused.detail.get("reason")), WhyRefused.WRONG).told
        return [timed(*handed_over, ". Token yang dipakai pada ", refused.at, f" ditolak: {why}.")]
    if opened := since.get(Tag.LINK_OPENED):
        return [timed(*handed_over, ". Tautannya dibuka pada ", opened.at, ", tetapi password belum dibuat.")]
    return [timed(*handed_over, "; tautannya belum pernah dibuka.")]


def _seen_mail(mail: OutboxMail, person: User) -> MailView:
    return MailView(
        words=mail.letter.label,
        address=mail.to_address if mail.to_address == person.email else _masked(mail.to_address),
        state=mail.state,
        posted_at=mail.posted_at,
        settled_at=mail.settled_at,
        due_at=mail.due_at if mail.state is MailState.DEFERRED else None,
        answer=_seen_answer(mail, person),
        is_bounced=mail.is_bounced_hard,
    )


def _seen_answer(mail: OutboxMail, person: User) -> str | None:
    """Why a mail has not arrived. Mail servers repeat addresses, and those that are not on record stay hidden
    here too.

    If the server took the mail, its answer is not shown: it helps nobody, and in the demo it names the file
    with the token in it. A bounce is shown only for the address on record, because the reader of another
    address could have written it.
    """
    if mail.is_bounced_hard and mail.bounce_answer:
        return _without_addresses(mail.bounce_answer, person) if mail.to_address == person.email else None
    if mail.server_answer is None or mail.state is MailState.SENT:
        return None
    return _without_addresses(mail.server_answer, person)


def _without_addresses(answer: str, person: User) -> str:
    return _ADDRESS.sub(lambda found: found[0] if found[0] == person.email else "***", answer)


def _what_became_of(request: ResetRequest, person: User, now: datetime) -> str | Timed:
    if request.user_id != person.id:
        return "Alamatnya tidak tercatat, jadi tanpa token"
    if request.used_at:
        return timed("Dipakai pada ", request.used_at)
    if request.credential_version != person.credential_version:
        return "Tidak berlaku lagi: data akun berubah"
    if request.expires_at is None:
        return "Belum diserahkan ke server email"
    if request.expires_at <= now:
        return timed("Tidak dipakai sampai masa berlakunya habis pada ", request.expires_at)
    return timed("Berlaku sampai ", request.expires_at)


def _masked(address: str) -> str:
    return EmailAddress(address).masked


def _last_events(session: Session, person: User) -> list[AuditEvent]:
    found = select(AuditEvent).where(AuditEvent.account_id == person.id).options(joinedload(AuditEvent.actor))
    return list(session.scalars(found.order_by(AuditEvent.id.desc()).limit(_EVENTS_READ)))


def _last_mails(session: Session, person: User) -> list[OutboxMail]:
    found = select(OutboxMail).where(OutboxMail.user_id == person.id).options(lazyload("*"))
    return list(session.scalars(found.order_by(OutboxMail.id.desc()).limit(_ROWS_SHOWN)))


def _last_requests(session: Session, person: User) -> list[ResetRequest]:
    found = select(ResetRequest).where(ResetRequest.nip == person.nip).options(lazyload("*"))
    return list(session.scalars(found.order_by(ResetRequest.id.desc()).limit(_ROWS_SHOWN)))


def _last_corrections(session: Session, person: User) -> list[EmailCorrection]:
    found = select(EmailCorrection).where(EmailCorrection.user_id == person.id).options(lazyload("*"))
    return list(session.scalars(found.order_by(EmailCorrection.id.desc()).limit(_ROWS_SHOWN)))


def _last_changes(session: Session, person: User) -> list[IdentityChange]:
    found = select(IdentityChange).where(IdentityChange.user_id == person.id).options(lazyload("*"))
    return list(session.scalars(found.order_by(IdentityChange.id.desc()).limit(_ROWS_SHOWN)))
