"""Redis is away or hangs. Client addresses are counted in memory meanwhile, and nobody meets a fault."""

import logging
import socket
from collections.abc import Iterator

import pytest
from flask import Flask
from limits.storage import MemoryStorage
from redis.exceptions import RedisError

from app.runtime import counters
from tests.cast import BUDI, SARI, STRANGERS_NIP
from tests.conftest import MakeApp, people
from tests.visitor import Visitor

MOST_ASKS = 10  # the least that the setting takes
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class UnsureRedis(MemoryStorage):
    """Counters that answer, until they are told to stop after some more questions."""

    answers_left = 1_000_000

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        self._answer()
        return bool(super().acquire_entry(key, limit, expiry, amount))

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        self._answer()
        start, count = super().get_moving_window(key, limit, expiry)
        return start, count

    @property
    def base_exceptions(self) -> type[Exception]:
        return RedisError

    def _answer(self) -> None:
        if not self.answers_left:
            raise RedisError
        self.answers_left -= 1


@pytest.fixture
def unsure(monkeypatch: pytest.MonkeyPatch) -> UnsureRedis:
    redis = UnsureRedis()
    monkeypatch.setattr(counters, "redis_at", lambda *_: redis)
    return redis


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the log says about Redis."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    kept = Kept()
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)
    monkeypatch.setattr(counters.log, "disabled", False)
    counters.log.addHandler(kept)
    yield lines
    counters.log.removeHandler(kept)


@pytest.fixture(params=["refuses", "hangs"])
def redis_port(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(counters, "SECONDS_FOR_AN_ANSWER", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        if request.param == "refuses":
            listening.close()
        yield port


def _with_redis(make_app: MakeApp, password_hash: str, port: int = 6379, **environ: str) -> Flask:
    app = make_app(RATELIMIT_STORAGE_URI=f"redis://127.0.0.1:{port}/0", **environ)
    people(app, password_hash)
    return app


@only_sqlite
def test_without_redis_addresses_are_counted_in_memory(
    make_app: MakeApp, password_hash: str, redis_port: int, said: list[str]
) -> None:
    app = _with_redis(make_app, password_hash, redis_port, ASKS_PER_ADDRESS_PER_HOUR=str(MOST_ASKS))
    asker, here = Visitor(app), Visitor(app, "127.0.0.1")

    assert asker.log_in(SARI.nip, "salah-1A").status_code == 422
    answers = [
        asker.ask_for_token(STRANGERS_NIP, f"orang{number}@contoh.example") for number in range(MOST_ASKS + 1)
    ]

    assert [answer.status_code for answer in answers] == [303] * MOST_ASKS + [429]
    assert len(said) == 1
    assert here.open("/readyz").status_code == 200
    assert "warning: Redis does not answer" in here.open("/readyz").text
    assert "portal_limits_in_memory 1.0" in here.open("/metrics").text


@only_sqlite
@pytest.mark.parametrize("answers", range(5))
def test_wherever_redis_falls_silent_the_request_is_answered(
    make_app: MakeApp, password_hash: str, unsure: UnsureRedis, answers: int
) -> None:
    app = _with_redis(make_app, password_hash)
    unsure.answers_left = answers

    assert Visitor(app).ask_for_token(BUDI.nip, BUDI.email or "").status_code == 303
    assert Visitor(app).log_in(SARI.nip, "salah-1A").status_code == 422


@only_sqlite
def test_redis_is_used_again_when_it_is_back(
    make_app: MakeApp, unsure: UnsureRedis, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Visitor(make_app(RATELIMIT_STORAGE_URI="redis://127.0.0.1:6379/0"), "127.0.0.1")
    unsure.answers_left = 0
    assert "warning" in here.open("/readyz").text
    unsure.answers_left = 1_000_000
    assert "warning" in here.open("/readyz").text, "it is asked again only after a while"

    monkeypatch.setattr(counters, "monotonic", lambda: float("inf"))

    assert here.open("/readyz").text == "ok\n"
    assert "portal_limits_in_memory 0.0" in here.open("/metrics").text
    assert [line.split(",")[0] for line in said] == ["Redis does not answer", "Redis answers again"]
