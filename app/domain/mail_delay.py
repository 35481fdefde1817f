"""How long a mail takes, in a few coarse steps.

Everybody may read them. A finer number would tell a stranger, on a quiet day, whether the mail that they have
caused has left: whether a limit holds it back, and so what is in somebody's mailbox.
"""

from datetime import timedelta

LATE_AFTER = timedelta(minutes=2)  # a mail that nobody has tried to send by then is late
_STEPS = (
    (10, "kurang dari 10 detik"),
    (30, "kurang dari 30 detik"),
    (60, "kurang dari 1 menit"),
    (120, "kurang dari 2 menit"),
    (300, "kurang dari 5 menit"),
    (900, "kurang dari 15 menit"),
    (3600, "kurang dari 1 jam"),
)


def shown_delay(delay: timedelta) -> str:
    seconds = delay.total_seconds()
    return next((words for most, words in _STEPS if seconds < most), "lebih dari 1 jam")
