"""Whoever waits for a hash too long, or has left, gets none."""

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from app.security import passwords
from app.security.passwords import Busy, HashWait

FAR = 60.0


def test_a_hash_is_made_for_who_waits() -> None:
    made = passwords.hashed("Kopi-Tubruk-2021", HashWait(monotonic() + FAR))

    assert passwords.verified("Kopi-Tubruk-2021", made, {}, HashWait(monotonic() + FAR)) == (True, None)


@pytest.mark.parametrize(
    "wait", [HashWait(0.0), HashWait(monotonic() + FAR, lambda: True)], ids=["too late", "has left"]
)
def test_nothing_is_hashed_for_who_is_late_or_gone(wait: HashWait, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(passwords._context, "hash", hashed.append)

    with pytest.raises(Busy):
        passwords.hashed("Kopi-Tubruk-2021", wait)
    with pytest.raises(Busy):
        passwords.verified("Kopi-Tubruk-2021", None, {}, wait)

    assert not hashed


def test_who_leaves_while_others_are_hashed_is_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    is_free, has_left, hashed = threading.Event(), threading.Event(), list[str]()

    def hold(password: str) -> str:
        hashed.append(password)
        assert is_free.wait(FAR)
        return "hash"

    monkeypatch.setattr(passwords._context, "hash", hold)
    with ThreadPoolExecutor(1) as one_thread, ThreadPoolExecutor(2) as people:
        monkeypatch.setattr(passwords, "_threads", lambda: one_thread)
        first = people.submit(passwords.hashed, "first", HashWait(monotonic() + FAR))
        second = people.submit(passwords.hashed, "second", HashWait(monotonic() + FAR, has_left.is_set))
        has_left.set()
        is_free.set()

        assert first.result(FAR) == "hash"
        assert isinstance(second.exception(FAR), Busy)
    assert hashed == ["first"]
