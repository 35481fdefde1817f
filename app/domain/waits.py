"""How long somebody is told to wait: in whole units, rounded up, so that nobody comes back too early."""

from datetime import timedelta


def whole_seconds(span: timedelta) -> int:
    """0 if nothing is left."""
    return max(0, -(-span // timedelta(seconds=1)))


def whole_minutes(seconds: int) -> int:
    return -(-seconds // 60)
