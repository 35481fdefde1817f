"""Every letter that the portal writes: each letter has one function here and one folder in
templates/emails/."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import shown_date, today_in_jakarta
from app.domain.notice import Notice
from app.mail import outbox
from app.models.account import ProvenOwner
from app.models.admin_mandate import AdminMandate
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.outbox_mail import Letter, OutboxMail
from app.models.reset_request import ResetRequest
from app.models.user import User


def answer_to_reset_request(
    session: Session,
    request: ResetRequest,
    act: Act[object],
    change: IdentityChange | None = None,
    *,
    held: bool,
    is_one_of_many: bool = False,
) -> outbox.PostedLetter:
    """The one mail that leaves for every reset request: the token, or why there is none. With `change`, it
    also says that the address it goes to is the email on record from now on. One of many that an admin sends
    at once lets those pass that somebody waits for."""
    return outbox.post_at_once(
        session,
        _answer(request),
        request.mailbox,
        outbox.About(
            user=request.user,
            reset_request=request,
            email_correction=change.correction if change else None,
            identity_change=change,
            is_one_of_many=is_one_of_many,
        ),
        act,
        held=held,
    )


def password_changed(session: Session, user: User | ProvenOwner, act: Act[object]) -> None:
    """To the owner, after every change of password."""
    if user.email:
        outbox.post_at_once(session, Letter.PASSWORD_CHANGED, user.email, outbox.About(user), act)


def email_changed(session: Session, user: User, change: IdentityChange, act: Act[object]) -> None:
    """To all hearers: another address is the email on record now. With the link "bukan saya"."""
    for address in change.told:
        outbox.post(
            session, Letter.EMAIL_CHANGED, address, outbox.About(user=user, identity_change=change), act
        )


def email_will_change(session: Session, user: User, change: IdentityChange, act: Act[object]) -> None:
    """To all hearers: another address will become the email on record, unless somebody stops the change."""
    for address in change.told:
        outbox.post(
            session, Letter.EMAIL_WILL_CHANGE, address, outbox.About(user=user, identity_change=change), act
        )


def identity_changed(
    session: Session, user: User, change: IdentityChange, what: str, what_others_read: str, act: Act[object]
) -> None:
    """To all hearers: something other than the email was decided. With the link "bukan saya". A hearer whose
    mailbox is not on record reads the sentences without whole numbers."""
    for address in change.told:
        words = what if address == user.email else what_others_read
        about = {"what": words, "reason": change.reason}
        outbox.post(
            session,
            Letter.ACCOUNT_CHANGED,
            address,
            outbox.About(user=user, identity_change=change, words=about),
            act,
        )


def change_came_to_nothing(
    session: Session, user: User, change: IdentityChange, what: str, because: str, act: Act[object]
) -> None:
    """To all who were told of a change: it does not take effect and never will. There is nothing left to
    stop."""
    for address in change.told:
        about = {"what": what, "reason": because}
        outbox.post(session, Letter.ACCOUNT_CHANGED, address, outbox.About(user=user, words=about), act)


def to_desk(session: Session, readers: Iterable[User], what: str, path: str, act: Act[object]) -> None:
    """To admins: what was done or waits for them, and the page where it stands. `what` is one or more
    sentences without a whole NIP."""
    for reader in readers:
        if reader.email:
            outbox.post(
                session,
                Letter.DESK_NOTICE,
                reader.email,
                outbox.About(user=reader, words={"what": what, "path": path}),
                act,
            )


def to_pusat(session: Session, what: str, path: str, act: Act[object]) -> None:
    """The same, to all admins of pusat today."""
    to_desk(session, AdminMandate.people_of_pusat(session, today_in_jakarta(act.at)), what, path, act)


def act_on_holder(session: Session, actor: User, person: User, words: str, act: Act[object]) -> None:
    """To pusat, after every act on an admin. `words` say what was done, as a verb and its object."""
    if AdminMandate.holds_for(session, person.id, today_in_jakarta(act.at)):
        what = (
            f"{actor.name} ({office_of(session, actor, act.at)}) {words} untuk {person.name}, yang "
            "memegang mandat admin."
        )
        to_pusat(session, what, f"/admin/pegawai/{person.id}", act)


def cpns_approved(session: Session, user: User, act: Act[object]) -> None:
    """To a CPNS whose account the instansi has opened."""
    if user.email:
        outbox.post(session, Letter.CPNS_APPROVED, user.email, outbox.About(user), act)


def cpns_rejected(session: Session, user: User, reason: str, act: Act[object]) -> None:
    """To a CPNS whose account the instansi does not open, and why."""
    if user.email:
        outbox.post(
            session, Letter.CPNS_REJECTED, user.email, outbox.About(user=user, words={"reason": reason}), act
        )


def bulk_act(
    session: Session, actor: User, words: str, how_many: int, act: Act[object], *, notes: str = ""
) -> None:
    """To all admins of pusat today, at once: who did what to how many people. `words` say what was done, and
    name nobody; `notes` are whole sentences about it. What need not be told at once goes through
    app.mail.report_to_pusat.py."""
    about = {
        "actor": actor.name,
        "office": office_of(session, actor, act.at),
        "words": words,
        "how_many": str(how_many),
        "notes": notes,
    }
    _to_all_of_pusat(session, Letter.BULK_ACT, about, act)


def pusat_digest(session: Session, about: Mapping[str, object], act: Act[object]) -> int:
    """To all admins of pusat today: what was routine since the last digest. Returns how many of them there
    are."""
    return _to_all_of_pusat(session, Letter.PUSAT_DIGEST, about, act)


def _to_all_of_pusat(session: Session, letter: Letter, about: Mapping[str, object], act: Act[object]) -> int:
    readers = AdminMandate.people_of_pusat(session, today_in_jakarta(act.at))
    for reader in readers:
        if reader.email:
            outbox.post(session, letter, reader.email, outbox.About(user=reader, words=about), act)
    return sum(reader.email is not None for reader in readers)


def office_notice(session: Session, actor: User, person: User, notice: Notice, act: Act[object]) -> None:
    """To a person, in the words of the desk."""
    if person.email:
        about = _about_notice(session, actor, person, notice, act)
        outbox.post(session, Letter.OFFICE_NOTICE, person.email, about, act)


def sample_of_notice(
    session: Session, actor: User, person: User, notice: Notice, act: Act[object]
) -> OutboxMail:
    """The same letter for a preview. It is no row of the outbox."""
    about = _about_notice(session, actor, person, notice, act)
    return OutboxMail(
        letter=Letter.OFFICE_NOTICE,
        to_address=person.email or "",
        user=person,
        about=about.words,
        client_address=act.client.address,
        posted_at=act.at,
    )


def _about_notice(
    session: Session, actor: User, person: User, notice: Notice, act: Act[object]
) -> outbox.About:
    words = {"notice": notice.words, "office": office_of(session, actor, act.at)}
    return outbox.About(user=person, words=words)


def office_of(session: Session, actor: User | None, now: datetime) -> str:
    """How others are told who acted: by an office, not by a person's name. None is the operator."""
    if actor is None:
        return "operator portal"
    is_of_pusat = AdminMandate.is_of_pusat(session, actor.id, today_in_jakarta(now))
    return "admin pusat" if is_of_pusat else f"admin {actor.instansi.name}"


def correction_link(
    session: Session, correction: EmailCorrection, act: Act[object], *, held: bool
) -> OutboxMail:
    """The one mail that leaves for every request for a correction. Opening its link proves the mailbox."""
    return _to_asker(session, Letter.CORRECTION_LINK, correction, act, held=held)


def correction_received(session: Session, correction: EmailCorrection, act: Act[object]) -> None:
    """The ticket, and by when there will be an answer."""
    _to_asker(session, Letter.CORRECTION_RECEIVED, correction, act)


def correction_in_hand(session: Session, correction: EmailCorrection, act: Act[object]) -> None:
    _to_asker(session, Letter.CORRECTION_IN_HAND, correction, act)


def correction_question(session: Session, correction: EmailCorrection, act: Act[object]) -> None:
    """What the desk asks, and where to answer. The letter reads the question from the correction."""
    _to_asker(session, Letter.CORRECTION_QUESTION, correction, act)


def correction_rejected(session: Session, correction: EmailCorrection, act: Act[object]) -> None:
    """Why the correction was rejected: `correction.decision`."""
    _to_asker(session, Letter.CORRECTION_REJECTED, correction, act)


def correction_approved(
    session: Session, correction: EmailCorrection, change: IdentityChange, act: Act[object]
) -> None:
    """For an approval that has no effect yet: it waits for its hour, or for a second admin."""
    _to_asker(session, Letter.CORRECTION_APPROVED, correction, act, change)


def correction_frozen(session: Session, correction: EmailCorrection, act: Act[object]) -> None:
    """Somebody at the old address or in the account has stopped the change."""
    _to_asker(session, Letter.CORRECTION_FROZEN, correction, act)


def account_changed(session: Session, user: User, what: str, reason: str, act: Act[object]) -> None:
    """To the owner, after an admin has changed the record or the state of an account. `what` is a whole
    sentence."""
    if user.email:
        about = {"what": what, "reason": reason}
        outbox.post(session, Letter.ACCOUNT_CHANGED, user.email, outbox.About(user=user, words=about), act)


def _to_asker(
    session: Session,
    letter: Letter,
    correction: EmailCorrection,
    act: Act[object],
    change: IdentityChange | None = None,
    *,
    held: bool = False,
) -> OutboxMail:
    """To the mailbox that was proven to be the asker's. Nobody knows yet who that person is, so the mail has
    no person. An owner who was logged in is told at the address on record."""
    to = correction.letters_go_to
    return outbox.post(
        session, letter, to, outbox.About(email_correction=correction, identity_change=change), act, held=held
    )


def mandate_granted(
    session: Session, user: User, change: IdentityChange, mandate: AdminMandate, act: Act[object]
) -> None:
    """To a new admin, or to one whose mandate continues by a new SK."""
    about = {"scope": mandate.scope, "sk": mandate.sk_number, "until": shown_date(mandate.ends_on)}
    for address in change.told:
        outbox.post(
            session,
            Letter.MANDATE_GRANTED,
            address,
            outbox.About(user=user, identity_change=change, words=about),
            act,
        )


def mandate_revoked(
    session: Session, user: User, mandate: AdminMandate, reason: str, act: Act[object]
) -> None:
    """To somebody who is no longer an admin, and why."""
    if user.email:
        about = {"scope": mandate.scope, "sk": mandate.sk_number, "reason": reason}
        outbox.post(session, Letter.MANDATE_REVOKED, user.email, outbox.About(user=user, words=about), act)


def mandate_ends(
    session: Session, mandate: AdminMandate, because: str, what_to_do: str, act: Act[object]
) -> None:
    """To an admin whose mandate still holds for a while. `because` may be empty; both are whole sentences."""
    if mandate.user.email and not mandate.user.is_deactivated:
        about = {
            "scope": mandate.scope,
            "sk": mandate.sk_number,
            "until": shown_date(mandate.ends_on),
            "left": days_left_in_words(mandate.days_left(today_in_jakarta(act.at))),
            "because": because,
            "what_to_do": what_to_do,
        }
        outbox.post(
            session,
            Letter.MANDATE_ENDS,
            mandate.user.email,
            outbox.About(user=mandate.user, words=about),
            act,
        )


def days_left_in_words(days: int) -> str:
    return f"{days} hari lagi" if days else "hari ini"


def _answer(request: ResetRequest) -> Letter:
    if request.user is None:
        return Letter.ADDRESS_NOT_REGISTERED
    if request.user.is_deactivated:
        return Letter.ACCOUNT_DEACTIVATED
    return Letter.TOKEN
