"""What an admin should know before deciding on somebody's wish for another address: the form proves only the new mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from app.domain.email_address import USUAL_DOMAINS, EmailAddress
from app.flows.change_email import owner_within
from app.flows.identity_gate import needs_second
from app.models.correction_attachment import CorrectionAttachment
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.name_word import words_of
from app.models.user import User
from app.security.authority import Authority

LOOKS_BACK = timedelta(days=90)
MOST_SHOWN = 20


@dataclass(frozen=True)
class Weighed:
    """A request beside the record. `warnings` are sentences, the worst first; no one of them decides by itself."""

    correction: EmailCorrection
    person: User
    warnings: Sequence[str]
    others: Sequence[EmailCorrection]  # of the same NIP or for the same address, within reach
    changes: Sequence[IdentityChange]  # earlier ones of this account
    has_attachment: bool
    is_taken: bool  # somebody has the address already, so it cannot be approved
    needs_second: bool
    awaits_second: bool  # the first admin has approved
    is_in_use: bool


def weigh(session: Session, authority: Authority, correction: EmailCorrection, now: datetime) -> Weighed:
    """Look the request over; nothing is changed. What lies outside the admin's reach is at most said to exist."""
    person = correction.user
    assert person is not None, "a request without a person reaches no desk"
    address = EmailAddress(correction.new_email)
    earlier = session.scalars(
        select(IdentityChange).where(IdentityChange.user_id == person.id).order_by(IdentityChange.id.desc()).limit(MOST_SHOWN)
    ).all()
    return Weighed(
        correction,
        person,
        warnings=[*about_address(session, authority, person, address, now), *_about_person(correction, person, earlier)],
        others=_others(session, authority, correction),
        changes=earlier,
        has_attachment=session.get(CorrectionAttachment, correction.id) is not None,
        is_taken=bool(User.taken_addresses(session, [address])) and not person.has_email(address),
        needs_second=needs_second(session, person, now),
        awaits_second=IdentityChange.awaits_second_for(session, correction.id),
        is_in_use=person.is_in_use,
    )


def about_address(session: Session, authority: Authority, person: User, address: EmailAddress, now: datetime) -> list[str]:
    """What speaks against putting this address on record for this person, as sentences."""
    warnings = []
    owner = owner_within(session, authority, address)
    if owner and owner.id != person.id:
        warnings.append(f"Alamat baru sudah dipakai oleh {owner.name}, jadi tidak dapat disetujui.")
    elif not owner and User.taken_addresses(session, [address]):
        warnings.append("Alamat baru sudah dipakai akun lain, jadi tidak dapat disetujui. Minta pemohon memakai alamat lain.")
    if nips := _other_nips_for(session, person, address, now):
        warnings.append(f"Alamat baru ini dalam 90 hari terakhir juga diminta untuk {nips} NIP lain.")
    if meant := address.likely_meant:
        warnings.append(f"Alamat baru tampaknya salah ketik. Mungkin maksudnya {meant}.")
    elif alike := address.resembles(USUAL_DOMAINS | _domains_of(person)):
        warnings.append(f"Domain alamat baru mirip, tetapi tidak sama, dengan {alike}.")
    if not address.text.isascii() or "xn--" in address.key:
        warnings.append("Domain alamat baru memakai huruf yang dapat menyerupai huruf lain.")
    return warnings


def _about_person(correction: EmailCorrection, person: User, earlier: Sequence[IdentityChange]) -> list[str]:
    warnings = []
    if frozen := next((change for change in earlier if change.correction_id == correction.id and change.ended_at), None):
        warnings.append(f"Permintaan ini pernah disetujui, lalu tidak jadi berlaku: {frozen.ended_because}")
    if correction.nip != person.nip:
        warnings.append("NIP pada permintaan ini bukan NIP pegawai ini lagi. Pastikan siapa yang meminta.")
    if set(words_of(correction.name)).isdisjoint(words_of(person.name)):
        warnings.append("Nama yang ditulis tidak sama dengan nama di data kepegawaian.")
    if person.is_deactivated:
        warnings.append("Akun ini dinonaktifkan. Menyetujui email baru tidak membuka akunnya.")
    return warnings


def _domains_of(person: User) -> frozenset[str]:
    return frozenset({person.email.lower().split("@")[1]} if person.email else ())


def _other_nips_for(session: Session, person: User, address: EmailAddress, now: datetime) -> int:
    """How many other NIPs the same mailbox has been offered for, wherever they belong: a number names nobody."""
    asked = (
        EmailCorrection.new_email_key == address.key,
        EmailCorrection.nip != person.nip,
        EmailCorrection.asked_at > now - LOOKS_BACK,
    )
    return session.scalar(select(func.count(distinct(EmailCorrection.nip))).where(*asked)) or 0


def _others(session: Session, authority: Authority, correction: EmailCorrection) -> Sequence[EmailCorrection]:
    of_person = select(EmailCorrection.id).where(EmailCorrection.user_id == correction.user_id)
    of_address = select(EmailCorrection.id).where(EmailCorrection.new_email_key == correction.new_email_key)
    found = (
        select(EmailCorrection)
        .where(
            EmailCorrection.id.in_(of_person.union(of_address)),
            EmailCorrection.id != correction.id,
            EmailCorrection.submitted_at.is_not(None),
            authority.within(EmailCorrection.instansi_id),
        )
        .order_by(EmailCorrection.id.desc())
        .limit(MOST_SHOWN)
    )
    return [one for one in session.scalars(found) if one.user_id is not None]
