"""Rows of people, instansi and mandates, for tests with a database in memory."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation, Category
from app.domain.client import Client
from app.models.admin_mandate import AdminMandate, Role
from app.models.instansi import Instansi
from app.models.reset_request import ResetRequest
from app.models.user import User
from app.security.signing import SigningKeys

KEYS = SigningKeys(("a key for tests only, of no use elsewhere",))
NOW = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)
TODAY = NOW.date()
HERE = Client("203.0.113.7", "Firefox", "request-1")
NOBODY: Act[None] = Act(HERE, NOW, None)


def an_instansi(session: Session, code: str) -> Instansi:
    made = Instansi(code=code, name=f"Instansi {code}", helpdesk_contact="-")
    session.add(made)
    session.flush()
    return made


def a_person(session: Session, instansi: Instansi, name: str, number: int = 1, **more: Any) -> User:
    given = {
        "nip": f"1985031220100110{number:02}",
        "category": Category.PNS,
        "work_unit": "",
        "activation": Activation.ACTIVE,
        "activation_changed_at": NOW - timedelta(days=100),
        "email": f"{name.lower()}@contoh.go.id",
        **more,
    }
    email = given["email"]
    made = User(name=name, instansi=instansi, email_key=email.lower() if email else None, **given)
    session.add(made)
    session.flush()
    return made


def a_mandate(
    session: Session, user: User, over: Instansi | None, starts_on: date = TODAY, ends_on: date = TODAY
) -> AdminMandate:
    made = AdminMandate(
        user=user,
        role=Role.ADMIN_INSTANSI if over else Role.ADMIN_PUSAT,
        instansi=over,
        sk_number="SK 1",
        starts_on=starts_on,
        ends_on=ends_on,
    )
    session.add(made)
    session.flush()
    return made


def a_token(session: Session, user: User | None, number: int = 1, **more: Any) -> ResetRequest:
    """A request whose token was handed over and opens for another hour. Without a user, nothing was handed
    over."""
    given = {
        "nip": user.nip if user else "1" * 18,
        "typed_email": "budi@contoh.go.id",
        "credential_version": user.credential_version if user else 0,
        "asked_at": NOW,
        "mailed_at": NOW,
        "expires_at": NOW + timedelta(hours=1) if user else None,
        **more,
    }
    made = ResetRequest(
        reference=f"reference-{number:06}",
        key=bytes([number]) * 32,
        submission=f"{number:064}",
        user=user,
        client_address=HERE.address,
        **given,
    )
    session.add(made)
    session.flush()
    return made
