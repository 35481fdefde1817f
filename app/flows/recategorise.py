"""A person's category on record changes, by a file or by an admin. For CPNS this may open or close the account."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.categories import Activation, Category
from app.domain.client import Client
from app.mail import letters
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit


def recategorise(
    session: Session,
    person: User,
    category: Category,
    cpns_open_by_themselves: bool,
    client: Client,
    now: datetime,
    actor: User | None = None,
) -> None:
    """A CPNS who became something else is opened where the setting says so, and told. Who has not begun to use an
    account and turns out to be a CPNS waits like every CPNS; whoever is active stays active."""
    person.category = category
    if person.activation is Activation.WAITING_APPROVAL and category is not Category.CPNS:
        if cpns_open_by_themselves:
            person.change_activation(Activation.NOT_ACTIVATED, now)
            person.activation_reason = None
            audit.record(session, Tag.CPNS_OPENED_BY_CATEGORY, person, client, now, actor=actor, category=category)
            letters.cpns_approved(session, person, client, now)
    elif person.activation is Activation.NOT_ACTIVATED and category is Category.CPNS:
        person.change_activation(Activation.WAITING_APPROVAL, now)
