"""The acts of the operator at the command line: the shell has let somebody in, and the portal knows no
name."""

from app.domain.act import Act
from app.domain.client import COMMAND_LINE
from app.domain.indonesian_time import now


def act() -> Act[None]:
    return Act(COMMAND_LINE, now(), None)
