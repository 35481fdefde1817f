"""`make bench`: what the portal costs and bears on this machine, each figure beside its goal, in RESULTS.md.

Every part measures with portals of its own, which it starts by their real commands and drives over HTTP.
`python -m bench letters start` measures these parts only, prints them, and leaves RESULTS.md alone. Parts
that take long have to be named, and have sections of their own there.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.security import passwords
from bench import (
    activation,
    allauth,
    flat,
    hashes,
    idle,
    letters,
    loading,
    offered,
    overload,
    pages,
    results,
    same_time,
    slow_line,
    soak,
    start,
    statements,
)
from bench.people import PASSWORD, email_of, nip_of
from bench.portal import Portal, Served
from bench.processes import memory_mb
from bench.results import Figure, at_least, at_most, not_here, plain
from bench.sink import Sink, running_sink

ACTIVATIONS, WARM = 120, 12
PEOPLE_WITH_PASSWORD = 300
SECONDS_AFTER_OVERLOAD = 20.0
MOST_MEMORY = 220.0  # MB
MOST_ON_A_PAGE, MOST_OF_A_POST = 4, 6


def measure_activation(folder: Path) -> list[Figure]:
    bare = hashes.cpu_seconds_of_two(activation.AT_A_TIME)
    with _portal(folder, range(ACTIVATIONS + WARM + 10)) as (portal, sink), portal.serving() as served:
        activation.activate(served, sink, range(WARM))
        found = activation.activate(served, sink, range(WARM, WARM + ACTIVATIONS))
        memory = memory_mb(served.pid)
        counts = statements.per_request(portal, sink, WARM + ACTIVATIONS)
        slowest = idle.slowest_token(served, sink, range(WARM + ACTIVATIONS + 1, WARM + ACTIVATIONS + 6))
        share = idle.share_of_a_core(served)
    each = found.cpu_seconds_each
    on_pages = [count for request, count in counts.items() if request.startswith("GET")]
    of_posts = [count for request, count in counts.items() if request.startswith("POST")]
    return [
        plain("two argon2id hashes, bare", 1000 * bare, "ms"),
        plain("one activation: seven requests and their letters", 1000 * each, "ms"),
        at_most("one activation beside its two hashes", each / bare, 1.5),
        _beside_allauth(folder, each),
        plain(f"half of {activation.AT_A_TIME} at a time are done within", found.half_within, "s", 2),
        at_most("statements of the dearest page", max(on_pages), MOST_ON_A_PAGE, digits=0),
        at_most("statements of the dearest POST", max(of_posts), MOST_OF_A_POST, digits=0),
        plain("statements of all seven requests", sum(counts.values()), digits=0),
        at_most("memory of web and worker after that", memory, MOST_MEMORY, "MB", 0),
        at_most("idle: of one core", share, 0.5, "%"),
        at_most("idle: the slowest of five tokens has left after", slowest, 1, "s"),
    ]


def _beside_allauth(folder: Path, each: float) -> Figure:
    what, goal = "one activation beside the same over django-allauth", "less than 1"
    if not allauth.PLACE:
        return not_here(what, "BENCH_ALLAUTH is not set", goal)
    place = folder / "allauth"
    place.mkdir()
    with running_sink(place) as sink:
        theirs = allauth.cpu_seconds_each(place, sink, range(WARM + ACTIVATIONS), WARM)
    return Figure(what, f"{each / theirs:.2f} ({1000 * theirs:.0f} ms)", goal, each < theirs)


def measure_pages(folder: Path) -> list[Figure]:
    with _portal(folder, ()) as (portal, _):
        login, bare = pages.cpu_seconds_of_login_and_bare(portal)
    return [
        plain("GET /login", 1000 * login, "ms", 2),
        plain("a bare Flask page on the same server", 1000 * bare, "ms", 2),
        at_least("pages of /login, for one bare page", bare / login, 0.5),
    ]


def measure_letters(folder: Path) -> list[Figure]:
    with _portal(folder, range(letters.LETTERS)) as (portal, sink):
        sent = letters.send(portal, sink)
    return [
        plain("asking for one token (web)", 1000 * sent.cpu_seconds_of_an_ask, "ms"),
        plain("sending one token (worker)", 1000 * sent.cpu_seconds_each, "ms"),
        plain(f"the worker sends, of {letters.LETTERS} that wait", sent.sent_per_second, "/s", 0),
        plain("bare smtplib sends, over one connection", sent.bare_per_second, "/s", 0),
        at_least("the worker beside bare smtplib", sent.sent_per_second / sent.bare_per_second, 0.5),
    ]


def measure_loading(folder: Path) -> list[Figure]:
    on_sqlite, on_postgresql = loading.on_sqlite(folder), loading.on_postgresql(folder)
    return [
        *_of_loading("SQLite, executemany", on_sqlite),
        *(
            _of_loading("PostgreSQL, COPY", on_postgresql)
            if on_postgresql
            else [not_here("import on PostgreSQL", "no PostgreSQL")]
        ),
    ]


def _of_loading(beside: str, found: loading.Loading) -> list[Figure]:
    return [
        plain(f"import of {loading.ROWS:,} rows ({beside.split(',')[0]})", found.import_seconds, "s"),
        plain(f"raw loading of the people ({beside})", found.raw_seconds, "s", 2),
        plain("raw loading of all that an import writes", found.all_seconds, "s", 2),
        at_most(f"import beside raw loading ({beside})", found.import_seconds / found.raw_seconds, 6),
        at_most("memory that all rows take more than a tenth of them", found.megabytes_more, 10, "MB", 0),
    ]


def measure_start(folder: Path) -> list[Figure]:
    with _portal(folder, ()) as (portal, _):
        begun, imported = start.cpu_seconds_of_start_and_import(portal)
    return [
        plain("start of the web until it answers", 1000 * begun, "ms", 0),
        plain("import of Flask and SQLAlchemy", 1000 * imported, "ms", 0),
        at_most("a start beside that import", begun / imported, 1.5),
    ]


def measure_overload(folder: Path) -> list[Figure]:
    people = range(PEOPLE_WITH_PASSWORD)
    with _portal(folder, people, passwords.hashed(PASSWORD)) as (portal, _), portal.serving() as served:
        found = overload.overload(served, len(people))
        return [*_of_overload(found), _memory_after(served)]


def _of_overload(found: overload.Overload) -> list[Figure]:
    count, watched = len(found.logins), found.watched
    unanswered = len([one for one in found.logins if one.status == 0])
    other = count - len(found.done) - len(found.refused) - unanswered
    return [
        plain("logins, as many as are answered", found.capacity, "/s"),
        plain(f"logins offered, {overload.TIMES} times as many", overload.TIMES * found.capacity, "/s", 0),
        plain("share that was refused (503 and Retry-After)", 100 * len(found.refused) / count, "%", 0),
        at_most(
            f"share without an answer after {offered.SECONDS_TO_WAIT:.0f} s", 100 * unanswered / count, 0, "%"
        ),
        at_most("share with any other answer", 100 * other / count, 0, "%"),
        at_least("goodput beside the capacity", found.goodput, 0.8),
        at_most(
            "99 % of logins done within", overload.nearly_all([one.seconds for one in found.done]), 4, "s"
        ),
        (
            at_most("slowest refusal", max(one.seconds for one in found.refused), 1, "s")
            if found.refused
            else not_here("slowest refusal", "none was refused", "at most 1 s")
        ),
        at_most("99 % of GET /login within", overload.nearly_all(watched.login_page), 1, "s"),
        at_most("slowest /healthz", max(watched.alive), 0.2, "s"),
    ]


def _memory_after(served: Served) -> Figure:
    time.sleep(SECONDS_AFTER_OVERLOAD)
    what = f"memory of web and worker, {SECONDS_AFTER_OVERLOAD:.0f} s after that"
    return at_most(what, memory_mb(served.pid), MOST_MEMORY, "MB", 0)


def measure_slow_line(folder: Path) -> list[Figure]:
    person, portal = 0, Portal(folder, PORTAL_ENV="demo")  # whose mails become files
    portal.prepare([person])
    with portal.serving() as served:
        mails = folder / "instance" / "mail"
        return slow_line.figures(slow_line.measure(served.port, nip_of(person), email_of(person), mails))


def measure_same_time(_folder: Path) -> list[Figure]:
    return same_time.figures(same_time.measure())


def measure_flat(folder: Path) -> list[Figure]:
    found = flat.measure(folder)
    page, ratio = found.dearest_page
    before, after = found.activation
    counted = found.chores.pop("count everybody")[1]
    chore = max(found.chores, key=lambda name: found.chores[name][1])
    print(*(f"{1000 * a:8.1f} {1000 * b:8.1f}  {what}" for what, (a, b) in found.pages.items()), sep="\n")
    return [
        plain(f"people beside the demo ({flat.DATABASE})", flat.PEOPLE, digits=0),
        at_most("one activation beside the demo's", after / before, 1.1),
        at_most(f"the dearest page beside the demo's ({page})", ratio, 2),
        plain(f"the longest chore with nothing due ({chore})", 1000 * found.chores[chore][1], "ms"),
        plain("counting everybody by unit and activation (every ten minutes)", counted, "s"),
    ]


def measure_soak(folder: Path) -> list[Figure]:
    return soak.figures(soak.measure(folder))


@contextmanager
def _portal(folder: Path, people: Iterable[int], password_hash: str = "") -> Iterator[tuple[Portal, Sink]]:
    """A portal that knows these people, and the mail server to which it sends."""
    with running_sink(folder) as sink:
        portal = Portal(folder, **sink.settings)
        portal.prepare(people, password_hash)
        yield portal, sink


PARTS: dict[str, tuple[str, Callable[[Path], list[Figure]]]] = {
    "activation": ("One activation, and an idle portal", measure_activation),
    "pages": ("A page", measure_pages),
    "letters": ("Letters", measure_letters),
    "loading": ("A file of staff", measure_loading),
    "start": ("A start", measure_start),
    "overload": ("Ten times too many logins", measure_overload),
    "slow_line": ("An activation on a slow line", measure_slow_line),
    "same_time": ("Does the time of a refusal tell what is behind a NIP?", measure_same_time),
}


# These take longer than five minutes, so only who names them gets them
LONG_PARTS: dict[str, tuple[str, Callable[[Path], list[Figure]]]] = {
    "flat": ("A million people", measure_flat),
    "soak": ("Parts that are killed under load", measure_soak),
}


def main(names: list[str]) -> int:
    found, begun = dict[str, list[Figure]](), time.monotonic()
    for name in names or PARTS:
        title, measure = (PARTS | LONG_PARTS)[name]
        begun_part = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found[title] = measure(Path(folder))
        results.print_part(title, found[title])
        if name in LONG_PARTS:
            results.write_section(title, found[title], time.monotonic() - begun_part)
    if not names:
        results.write(found, time.monotonic() - begun, [title for title, _ in LONG_PARTS.values()])
        print(f"\nwritten to {os.path.relpath(results.FILE)}")
    return int("soak" in names and soak.has_failed(found[LONG_PARTS["soak"][0]]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
