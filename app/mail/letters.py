"""Every letter the portal writes: one function a letter here, one folder a letter in templates/emails/."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.indonesian_time import shown_date, today_in_jakarta
from app.mail import outbox
from app.models.admin_mandate import AdminMandate
from app.models.email_change import EmailChange
from app.models.email_correction import EmailCorrection
from app.models.outbox_mail import Letter, OutboxMail
from app.models.reset_request import ResetRequest
from app.models.user import User


def answer_to_reset_request(
    session: Session, request: ResetRequest, client: Client, now: datetime, held: bool, change: EmailChange | None = None
) -> OutboxMail:
    """The one letter that leaves for every wish for a token: the token, or why there is none. With `change` it also says
    that the address it goes to is on record from now on."""
    return outbox.post(
        session,
        _answer(request),
        request.mailbox,
        client,
        now,
        user=request.user,
        reset_request=request,
        email_correction=change.correction if change else None,
        email_change=change,
        held=held,
    )


def password_changed(session: Session, user: User, client: Client, now: datetime) -> None:
    """To the owner, after every change of password."""
    if user.email:
        outbox.post(session, Letter.PASSWORD_CHANGED, user.email, client, now, user=user)


def email_changed(
    session: Session, user: User, old_address: str, client: Client, now: datetime, change: EmailChange | None = None
) -> None:
    """To the address that was on record until now; with a link "bukan saya" where an admin has decided on the change."""
    outbox.post(session, Letter.EMAIL_CHANGED, old_address, client, now, user=user, email_change=change)


def email_will_change(session: Session, user: User, change: EmailChange, client: Client, now: datetime) -> None:
    """To the address on record: another one will replace it, unless its owner stops that."""
    if user.email:
        outbox.post(session, Letter.EMAIL_WILL_CHANGE, user.email, client, now, user=user, email_change=change)


def cpns_approved(session: Session, user: User, client: Client, now: datetime) -> None:
    """To a CPNS whose account the instansi has opened."""
    if user.email:
        outbox.post(session, Letter.CPNS_APPROVED, user.email, client, now, user=user)


def cpns_rejected(session: Session, user: User, reason: str, client: Client, now: datetime) -> None:
    """To a CPNS whose account the instansi does not open, and why."""
    if user.email:
        outbox.post(session, Letter.CPNS_REJECTED, user.email, client, now, user=user, about={"reason": reason})


def bulk_act(session: Session, actor: User, words: str, how_many: int, client: Client, now: datetime) -> None:
    """To everybody who answers for the centre today: who did what to how many. `words` say what, and name nobody."""
    today = today_in_jakarta(now)
    office = "admin pusat" if AdminMandate.is_of_pusat(session, actor.id, today) else f"admin {actor.instansi.name}"
    about = {"actor": actor.name, "office": office, "words": words, "how_many": str(how_many)}
    for reader in AdminMandate.people_of_pusat(session, today):
        if reader.email:
            outbox.post(session, Letter.BULK_ACT, reader.email, client, now, user=reader, about=about)


def correction_link(session: Session, correction: EmailCorrection, client: Client, now: datetime, held: bool) -> OutboxMail:
    """The one letter that leaves for every wish to have an address put right: opening its link proves the mailbox."""
    return _to_asker(session, Letter.CORRECTION_LINK, correction, client, now, held=held)


def correction_received(session: Session, correction: EmailCorrection, client: Client, now: datetime) -> None:
    """The ticket, and by when there will be an answer."""
    _to_asker(session, Letter.CORRECTION_RECEIVED, correction, client, now)


def correction_in_hand(session: Session, correction: EmailCorrection, client: Client, now: datetime) -> None:
    _to_asker(session, Letter.CORRECTION_IN_HAND, correction, client, now)


def correction_rejected(session: Session, correction: EmailCorrection, client: Client, now: datetime) -> None:
    """Why not: `correction.decision`."""
    _to_asker(session, Letter.CORRECTION_REJECTED, correction, client, now)


def correction_approved(
    session: Session, correction: EmailCorrection, change: EmailChange, client: Client, now: datetime
) -> None:
    """For an approval that does not hold yet: it waits for its hour, or for a second admin."""
    _to_asker(session, Letter.CORRECTION_APPROVED, correction, client, now, change)


def correction_frozen(session: Session, correction: EmailCorrection, client: Client, now: datetime) -> None:
    """Somebody at the old address or in the account has stopped it."""
    _to_asker(session, Letter.CORRECTION_FROZEN, correction, client, now)


def account_changed(session: Session, user: User, what: str, reason: str, client: Client, now: datetime) -> None:
    """To the owner, after an admin has changed the record or the state of an account. `what` is a whole sentence."""
    if user.email:
        about = {"what": what, "reason": reason}
        outbox.post(session, Letter.ACCOUNT_CHANGED, user.email, client, now, user=user, about=about)


def _to_asker(
    session: Session,
    letter: Letter,
    correction: EmailCorrection,
    client: Client,
    now: datetime,
    change: EmailChange | None = None,
    held: bool = False,
) -> OutboxMail:
    """To the mailbox that was shown to be the asker's. Who that is nobody knows yet, so no letter is tied to a person."""
    to = correction.new_email
    return outbox.post(session, letter, to, client, now, email_correction=correction, email_change=change, held=held)


def mandate_granted(session: Session, user: User, mandate: AdminMandate, client: Client, now: datetime) -> None:
    """To a new admin, or one whose mandate goes on by a new SK."""
    if user.email:
        about = {"scope": mandate.scope, "sk": mandate.sk_number, "until": shown_date(mandate.ends_on)}
        outbox.post(session, Letter.MANDATE_GRANTED, user.email, client, now, user=user, about=about)


def mandate_revoked(session: Session, user: User, mandate: AdminMandate, reason: str, client: Client, now: datetime) -> None:
    """To somebody who is no longer an admin, and why."""
    if user.email:
        about = {"scope": mandate.scope, "sk": mandate.sk_number, "reason": reason}
        outbox.post(session, Letter.MANDATE_REVOKED, user.email, client, now, user=user, about=about)


def _answer(request: ResetRequest) -> Letter:
    if request.user is None:
        return Letter.ADDRESS_NOT_REGISTERED
    if request.user.is_deactivated:
        return Letter.ACCOUNT_DEACTIVATED
    return Letter.TOKEN
