"""Who acts in this request, from where, and when. Each act is made anew, so its time is its own: what
comes after a password was hashed is judged by the time after it."""

from app.domain.act import Act
from app.domain.indonesian_time import now
from app.models.user import User
from app.runtime.portal import client
from app.web import sessions


def act() -> Act[None]:
    """An act of somebody who has not shown to be anybody, or of whom that does not matter here."""
    return Act(client(), now(), None)


def own_act() -> Act[User]:
    """An act of the person in a view behind `login_required`."""
    return Act(client(), now(), sessions.require_visitor().user)
