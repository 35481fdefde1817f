"""A cluster under load whose parts are killed at random: nothing may be lost, and the portal must come back.

`make soak` is the long form. `BENCH_SEED` repeats one: it decides which part is killed when.
"""

import http.client
import os
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.crowd import SETTINGS, Crowd, Noted, Story, invite, trust
from bench.ledger import Ledger, balance
from bench.results import Figure, at_least, at_most, plain
from deploy.cluster.cluster import WEB, WORKERS, Cluster

MOST_SECONDS_AWAY = 5.0
PARTS = (*WEB, *WORKERS, "postgres", "redis", "mail")
_SECONDS_BETWEEN_PROBES = 0.1
_SECONDS_FOR_A_PROBE = 5.0


@dataclass(frozen=True)
class Plan:
    kills: int
    seconds: float  # for all kills together
    people: range  # more than can come
    at_a_time: int = 4
    pause: float = 0.25
    seed: int = field(default_factory=lambda: int(os.environ.get("BENCH_SEED") or time.time_ns() % 1_000_000))


LONG = Plan(kills=70, seconds=620.0, people=range(20_000), at_a_time=6, pause=0.2)


@dataclass(frozen=True)
class Kill:
    part: str
    at: float
    away: float  # until the first GET /login from which on all were answered, until the next kill
    activated_after: float | None  # the first person who came after the kill was at home


@dataclass(frozen=True)
class Soak:
    seed: int
    seconds: float
    kills: list[Kill]
    answers: list[Noted]
    stories: list[Story]
    ledger: Ledger
    faults: list[str]  # of the ledger, and what people met

    @property
    def longest_away(self) -> Kill:
        return max(self.kills, key=lambda kill: kill.away)

    @property
    def slowest_activation(self) -> float:
        return max((kill.activated_after for kill in self.kills if kill.activated_after), default=0.0)


def soak(cluster: Cluster, plan: Plan) -> Soak:
    """The people of the plan must be on record."""
    print(f"seed {plan.seed}", flush=True)
    chance, killed = random.Random(plan.seed), list[tuple[str, float]]()
    order = list[str]()
    start = time.monotonic()
    with (
        Probe(cluster) as probe,
        Crowd(
            cluster, plan.people.start, at_a_time=plan.at_a_time, pause=plan.pause, seed=plan.seed
        ) as crowd,
    ):
        for number in range(plan.kills):
            time.sleep(
                max(0.0, start + (number + chance.random()) * plan.seconds / plan.kills - time.monotonic())
            )
            order = order or chance.sample(PARTS, len(PARTS))
            part = order.pop()
            cluster.wait_for(part)  # it may just have been killed
            killed.append((part, time.monotonic()))
            cluster.kill(part)
            print(f"{killed[-1][1] - start:7.1f} s  {part}", flush=True)
        for name in cluster.names:
            cluster.wait_for(name)
        crowd.wait_for_one_who_came_after(killed[-1][1])
    ended = time.monotonic()
    ledger = balance(cluster, crowd.stories)
    ends = [*(at for _, at in killed[1:]), ended]
    kills = [
        Kill(part, at, probe.away(at, end), _first_after(crowd.stories, at))
        for (part, at), end in zip(killed, ends, strict=True)
    ]
    strange = {one.request + f" answered {one.status}" for one in crowd.answers if one.status == 500}
    return Soak(
        plan.seed, ended - start, kills, crowd.answers, crowd.stories, ledger,
        [*ledger.faults, *crowd.faults, *sorted(strange)],
    )  # fmt: skip


def _first_after(stories: list[Story], moment: float) -> float | None:
    """The seconds until the first person who came after this moment was at home."""
    later = [story for story in stories if story.began >= moment]
    first = min(later, key=lambda story: story.began, default=None)
    return first.ended - moment if first and first.is_home else None


class Probe:
    """Opens /login through nginx again and again, each time over a new connection."""

    def __init__(self, cluster: Cluster) -> None:
        self._port, self._trusted = cluster.port, trust(cluster)
        self._tries: list[tuple[float, bool]] = []
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._ask_again_and_again) for _ in range(2)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def away(self, since: float, until: float) -> float:
        """From `since` until the first try after which none has failed before `until`."""
        tries = sorted(one for one in self._tries if since <= one[0] < until)
        failed = [began for began, is_answered in tries if not is_answered]
        if not failed:
            return 0.0
        back = next((began for began, is_answered in tries if began > failed[-1] and is_answered), until)
        return back - since

    def _ask_again_and_again(self) -> None:
        while not self._is_over.wait(_SECONDS_BETWEEN_PROBES):
            began = time.monotonic()
            self._tries.append((began, self._is_answered()))

    def _is_answered(self) -> bool:
        connection = http.client.HTTPSConnection(
            "localhost", self._port, timeout=_SECONDS_FOR_A_PROBE, context=self._trusted
        )
        try:
            connection.request("GET", "/login")
            answer = connection.getresponse()
            return answer.status == 200 and b"csrf_token" in answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def measure(folder: Path, plan: Plan = LONG) -> Soak:
    with Cluster(folder / "portal", **SETTINGS) as cluster:
        invite(cluster, folder, plan.people)
        return soak(cluster, plan)


def has_failed(measured: list[Figure]) -> bool:
    return any(figure.is_met is False for figure in measured)


def figures(found: Soak) -> list[Figure]:
    parts = Counter(kill.part for kill in found.kills)
    longest = found.longest_away
    away = sorted(kill.away for kill in found.kills)
    for fault in found.faults:
        print(f"FAULT: {fault}")
    return [
        Figure("parts that were killed", ", ".join(f"{n} {part}" for part, n in sorted(parts.items()))),
        Figure("seed", str(found.seed)),
        at_least("SIGKILLs", len(found.kills), 60, digits=0),
        plain("minutes of load", found.seconds / 60),
        plain("people who came", len(found.stories), digits=0),
        plain("of them at home", sum(story.is_home for story in found.stories), digits=0),
        plain("requests", len(found.answers), digits=0),
        plain(
            "requests without an answer, or with 502 to 504",
            sum(one.has_failed for one in found.answers),
            digits=0,
        ),
        plain("tokens that were accepted to be sent", found.ledger.asked, digits=0),
        plain("letters that came", found.ledger.letters, digits=0),
        plain("letters that came once more, with the same Message-ID", found.ledger.twice, digits=0),
        plain("letters that a limit held back", found.ledger.held, digits=0),
        at_most("lost, doubled, half changed or unsealed", len(found.faults), 0, digits=0),
        plain("half of the kills: back after", away[len(away) // 2], "s", 2),
        at_most(f"longest time until it was back ({longest.part})", longest.away, MOST_SECONDS_AWAY, "s"),
        plain("longest time until the next person who came was at home", found.slowest_activation, "s"),
    ]
