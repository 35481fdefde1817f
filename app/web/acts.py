"""Who acts in this request, from where, and when. Each call makes a new act with its own time: what happens
after a password was hashed is judged by the time after the hash."""

from app.domain.act import Act
from app.domain.indonesian_time import now
from app.models.user import User
from app.runtime.portal import client
from app.web import sessions


def act() -> Act[None]:
    """An act of somebody who has not proven who they are, or where it does not matter who they are."""
    return Act(client(), now(), None)


def own_act() -> Act[User]:
    """An act of the person in a view behind `login_required`."""
    return Act(client(), now(), sessions.require_visitor().user)
