"""A morning at the demo's desks: staff, queues, failed mails, a month of activation. Names, NIPs and
addresses are invented."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, product

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation, Category, initial_activation
from app.domain.client import Client
from app.domain.corrections import DATA_DO_NOT_MATCH, CorrectionState, IdentityCheck, new_ticket
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.domain.reset_secret import new_reference
from app.flows.correction.change_email import EmailDecision, change_email
from app.flows.cpns.usual_wait import LOOKS_BACK
from app.flows.identity.stop_change import stop_by_link
from app.flows.reset.request_reset import new_request_by_desk
from app.mail import letters
from app.models.activation_count import ActivationDay
from app.models.audit_event import Tag
from app.models.campaign_day import CampaignDay
from app.models.cpns_wait import CpnsWait
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi
from app.models.name_word import NameWord
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.models.user import User
from app.security import audit
from app.security.authority import Authority

_FIRST = (
    "Agus",
    "Bambang",
    "Citra",
    "Dian",
    "Eko",
    "Fitri",
    "Gita",
    "Hendra",
    "Indah",
    "Jaya",
    "Kartini",
    "Lukman",
)
_LAST = ("Saputra", "Lestari", "Pratama", "Handayani", "Wibowo", "Rahmawati", "Hidayat")
_UNITS = {
    "7301": (
        "Dinas Kesehatan",
        "Dinas Pendidikan",
        "SMP Negeri 2 Nusa Jaya",
        "Dinas Perhubungan",
        "BKPSDM",
        "RSUD Nusa Jaya",
    ),
    "3402": ("Biro Hukum", "Biro Kepegawaian", "Inspektorat", "Pusat Data"),
}
_DOMAINS = {"7301": "nusajaya.example", "3402": "contoh.example"}
_PATTERN = (
    (Category.PNS, Activation.ACTIVE), (Category.PNS, Activation.ACTIVE), (Category.PNS,
    Activation.NOT_ACTIVATED),
    (Category.PPPK, Activation.ACTIVE), (Category.CPNS, Activation.WAITING_APPROVAL), (Category.PPPK,
    Activation.NOT_ACTIVATED),
    (Category.PNS, Activation.ACTIVE), (Category.PNS, Activation.DEACTIVATED),
)  # fmt: skip
_DAYS = 30
_CPNS_WAITED_DAYS = (2, 3, 3, 4, 5, 9, 14)
_DEMO = Client("198.51.100.20", "demo", "-")


@dataclass(frozen=True)
class _DemoRequest:
    """A request in the demo's queue, `hours` old."""

    new_address: str
    hours: float
    reason: str
    typed_name: str | None = None
    answer: CorrectionState | None = None


_DEMO_REQUESTS = (
    _DemoRequest("pegawai.lama@contoh.example", 26.5, "Email kantor lama sudah dihapus."),
    _DemoRequest("nama.saya@gmial.com", 19.2, "Salah ketik waktu pendataan."),
    _DemoRequest(
        "surat.baru@contoh.example", 11.0, "HP hilang, email lama tidak bisa dibuka.", "Orang Yang Lain"
    ),
    _DemoRequest("sari@nusajaya.example", 6.4, "Pakai email ini saja."),
    _DemoRequest("kotak.baru@nusa-jaya.example", 3.1, "Domain kantor berganti."),
    _DemoRequest("email.pribadi@contoh.example", 0.4, "Belum pernah punya email di data."),
    _DemoRequest("sudah.dijawab@contoh.example", 50.0, "Email mati.", None, CorrectionState.APPROVED),
    _DemoRequest("ditolak@contoh.example", 44.0, "Ingin ganti email.", None, CorrectionState.REJECTED),
)


def liven(session: Session, moment: datetime) -> None:
    """Fill the desks of both demo instansi, in addition to the people of the demo."""
    today = today_in_jakarta(moment)
    CampaignDay.write(session, None, today - timedelta(days=19), "Surat edaran nasional")
    for code, units in _UNITS.items():
        instansi = session.scalars(select(Instansi).where(Instansi.code == code)).one()
        people = list(_staff(instansi, units, moment))
        session.add_all(people)
        session.flush()
        NameWord.index(session, people)
        _fail_mails(session, people, moment)
        _send_notices(session, people, moment)
        _send_tokens(session, people)
        _count_back(session, instansi, moment)
        if code == "7301":
            _ask(session, people, moment)
            CampaignDay.write(session, instansi.id, today - timedelta(days=6), "Apel bersama")
            for days in _CPNS_WAITED_DAYS:
                CpnsWait.note(
                    session, instansi.id, moment - timedelta(days=days), 24 * days, moment - LOOKS_BACK
                )


def _staff(instansi: Instansi, units: tuple[str, ...], moment: datetime) -> Iterator[User]:
    names = [f"{first} {last}" for first, last in product(_FIRST, _LAST)]
    states, places = cycle(_PATTERN), cycle(units)
    is_large = instansi.code == "7301"
    for number, name in enumerate(names if is_large else names[:-31:-1], start=20 if is_large else 200):
        (category, activation), unit = next(states), next(places)
        woman = "2" if name.split()[0] in ("Citra", "Dian", "Fitri", "Gita", "Indah", "Kartini") else "1"
        year = 1970 + number % 30
        nip = f"{year}{1 + number % 12:02}{1 + number % 28:02}{year + 25}01{woman}{number:03}"
        address = EmailAddress(f"{name.lower().replace(' ', '.')}@{_DOMAINS[instansi.code]}")
        waits = activation in (Activation.NOT_ACTIVATED, Activation.WAITING_APPROVAL)
        yield User(
            nip=Nip(nip).digits,
            name=name,
            email=address.text,
            email_key=address.key,
            phone=f"0812-555-{number:04}",
            category=category,
            instansi_id=instansi.id,
            work_unit=unit,
            activation=activation
            if activation is Activation.DEACTIVATED or not waits
            else initial_activation(category),
            activation_changed_at=moment - timedelta(days=number % _DAYS, hours=number % 24),
            activation_reason="Pensiun" if activation is Activation.DEACTIVATED else None,
            deactivated_by=f"admin {instansi.name}" if activation is Activation.DEACTIVATED else None,
            last_login_at=moment - timedelta(days=number % 20) if activation is Activation.ACTIVE else None,
            stuck_since=moment - timedelta(days=number % 9, hours=3) if waits and number % 3 == 0 else None,
            credential_version=1,
        )


def _ask(session: Session, people: list[User], moment: datetime) -> None:
    """The queue of the morning, two answers from yesterday, and a change in its waiting time."""
    askers = [person for person in people if person.activation is Activation.NOT_ACTIVATED]
    admin = session.scalars(select(User).where(User.name == "Wati Kusuma")).one()
    for person, asked in zip(askers, _DEMO_REQUESTS, strict=False):
        correction = _request(person, asked, moment)
        session.add(correction)
        if asked.answer:
            reason = DATA_DO_NOT_MATCH if asked.answer is CorrectionState.REJECTED else None
            correction.decide(asked.answer, reason, admin.id, moment - timedelta(hours=asked.hours - 5))
    held = Authority.of(session, admin, today_in_jakarta(moment))
    active = next(person for person in people if person.activation is Activation.ACTIVE)
    assert held is not None
    decision = EmailDecision(
        EmailAddress("pindah.alamat@contoh.example"), IdentityCheck.CALL_ON_RECORD, "Ditelepon pukul 9", 1
    )
    change_email(session, active.id, decision, timedelta(hours=24), Act(_DEMO, moment, held))
    _contest(
        session, held, [person for person in people if person.activation is Activation.ACTIVE][1], moment
    )


def _contest(session: Session, held: Authority, person: User, moment: datetime) -> None:
    """Somebody whose address was to be changed yesterday, and who said *bukan saya* at once."""
    yesterday = moment - timedelta(hours=20)
    decision = EmailDecision(
        EmailAddress("surat.baru@gmail.example"), IdentityCheck.VIDEO, "Panggilan video pukul 16", 1
    )
    change = change_email(session, person.id, decision, timedelta(hours=24), Act(_DEMO, yesterday, held))
    assert isinstance(change, IdentityChange), "nothing is under way for this person"
    stop_by_link(session, change.reference, Act(_DEMO, yesterday + timedelta(minutes=40), None))


def _request(person: User, asked: _DemoRequest, moment: datetime) -> EmailCorrection:
    sent_at = moment - timedelta(hours=asked.hours)
    return EmailCorrection(
        reference=new_reference(),
        ticket=new_ticket(),
        nip=person.nip,
        new_email=asked.new_address,
        new_email_key=asked.new_address.lower(),
        user_id=person.id,
        instansi_id=person.instansi_id,
        state=CorrectionState.NEW,
        asked_at=sent_at,
        submitted_at=sent_at,
        answer_at=sent_at + timedelta(hours=12),
        name=asked.typed_name or person.name,
        work_unit=person.work_unit,
        reason=asked.reason,
        phone="0813-555-0199",
        client_address="203.0.113.40",
    )


def _fail_mails(session: Session, people: list[User], moment: datetime) -> None:
    """A few mails that a mail server refused."""
    for number, person in enumerate(people[2::11]):
        person.mail_failed_at = moment - timedelta(hours=5 + number)
        session.add(
            OutboxMail(
                letter=Letter.PASSWORD_CHANGED,
                to_address=person.email or "",
                message_id=new_reference(),
                user_id=person.id,
                client_address=_DEMO.address,
                state=MailState.FAILED,
                posted_at=person.mail_failed_at,
                due_at=person.mail_failed_at,
                attempts=1,
                begun_at=person.mail_failed_at,
                settled_at=person.mail_failed_at,
                server_answer="550 5.1.1 mailbox unavailable",
                about={},
            )
        )


def _send_notices(session: Session, people: list[User], moment: datetime) -> None:
    """The mails of the last two days that arrived, most of them in office hours."""
    active = [person for person in people if person.activation is Activation.ACTIVE and person.email]
    for number, person in enumerate(active):
        at = moment - timedelta(hours=1 + number * number % 9 + 24 * (number % 2), minutes=number)
        session.add(
            OutboxMail(
                letter=Letter.PASSWORD_CHANGED,
                to_address=person.email,
                message_id=new_reference(),
                user_id=person.id,
                client_address=_DEMO.address,
                state=MailState.SENT,
                posted_at=at,
                due_at=at,
                attempts=1,
                begun_at=at,
                settled_at=at,
                server_answer="250 OK",
                about={},
            )
        )


def _send_tokens(session: Session, people: list[User]) -> None:
    """The stuck people got a token once, and it expired long ago."""
    for person in people:
        if person.stuck_since is None or person.email is None:
            continue
        then = Act(_DEMO, person.stuck_since, None)
        request = new_request_by_desk(session, person, then)
        request.expires_at = person.stuck_since + timedelta(hours=1)
        letters.answer_to_reset_request(session, request, then, held=False)
        mail = session.scalars(select(OutboxMail).where(OutboxMail.reset_request_id == request.id)).one()
        OutboxMail.begin(session, [mail], person.stuck_since)
        mail.settle(MailState.SENT, person.stuck_since, "250 OK")
        audit.record(session, Tag.TOKEN_HANDED_OVER, person, then)


def _count_back(session: Session, instansi: Instansi, moment: datetime) -> None:
    """The counts of the month before today, as if people had come in one by one; the worker counts today."""
    found = (
        select(User.activation, func.count()).where(User.instansi_id == instansi.id).group_by(User.activation)
    )
    counts = dict(session.execute(found).all())
    active = counts.get(Activation.ACTIVE, 0)
    for ago in range(1, _DAYS):
        came_later = active * ago // (_DAYS + 5)
        session.add(
            ActivationDay(
                day=today_in_jakarta(moment) - timedelta(days=ago),
                instansi_id=instansi.id,
                not_activated=counts.get(Activation.NOT_ACTIVATED, 0) + came_later,
                waiting_approval=counts.get(Activation.WAITING_APPROVAL, 0),
                active=active - came_later,
                deactivated=counts.get(Activation.DEACTIVATED, 0),
                counted_at=moment - timedelta(days=ago),
            )
        )
