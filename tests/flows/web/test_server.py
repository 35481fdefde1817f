"""The server itself: who waits for whom, who is refused, and how long a slow client may take."""

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

from app.runtime import lanes, server
from app.runtime.lanes import ARRIVED_AT, HAS_LEFT, Known, LaneSize
from app.runtime.server import Front, ReadyAnswer, Reception, open_sockets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SECONDS = 10.0
BUSY = ReadyAnswer("503 Service Unavailable", (("Retry-After", "30"),), b"busy")
LARGE, LONG = b"x" * 5_000_000, b"y" * 5_000_000
ALIVE = ReadyAnswer("200 OK", (), b"ok")
LEAVING = ReadyAnswer("503 Service Unavailable", (), b"leaving")


@dataclass
class Application:
    """Answers with the path, and /long with a long page. What is asked under /slow... waits until it may
    end."""

    may_end: threading.Event = field(default_factory=threading.Event)
    is_busy: threading.Event = field(default_factory=threading.Event)
    served: list[str] = field(default_factory=list)
    environs: list["WSGIEnvironment"] = field(default_factory=list)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        path = environ["PATH_INFO"]
        self.served.append(path)
        self.environs.append(environ)
        if path.startswith("/slow"):
            self.is_busy.set()
            assert self.may_end.wait(SECONDS)
        start_response("200 OK", [])
        return [LONG if path == "/long" else path.encode()]


def known(cookies: str) -> Known | None:
    return Known(cookies, 1.0) if cookies else None


RECEPTION = Reception(
    lanes={"slow": LaneSize(1, 1.5), "quick": LaneSize(1, 1.5)},
    lane_of=lambda _method, path: "slow" if path.startswith("/slow") else "quick",
    known=known,
    at_once={"/healthz": ALIVE},
    at_once_while_leaving={"/readyz": LEAVING},
    busy=lambda: BUSY,
    has_proxy=False,
)


@dataclass
class Running:
    application: Application
    front: Front
    port: int
    lines: ExitStack

    def connect(self, text: str = "", source: str = "127.0.0.1") -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self.port), SECONDS, (source, 0))
        line.sendall(text.encode())
        return self.lines.enter_context(line)

    def ask(self, path: str, cookies: str = "") -> socket.socket:
        return self.connect(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\n\r\n")

    def fill(self, places: int) -> list[socket.socket]:
        """One request is in work, and so many wait behind it."""
        lines = [self.ask("/slow")]
        assert self.application.is_busy.wait(SECONDS)
        lines += [self.ask("/slow") for _ in range(places)]
        eventually(lambda: len(self.front.lanes["slow"]) == places)
        return lines

    @property
    def places(self) -> int:
        return int(self.front.lanes["slow"].most * lanes.SHARE_OF_STRANGERS)


Serve = Callable[..., Running]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A running server without a portal, in which nobody waits too long: serve(has_proxy=True)."""
    monkeypatch.setattr(lanes, "LONGEST_WAIT", 2 * SECONDS)
    monkeypatch.setattr(server, "SECONDS_BETWEEN_LOOKS", 0.01)
    with ExitStack() as running:
        yield lambda **changes: running.enter_context(_running(replace(RECEPTION, **changes)))


@contextmanager
def _running(reception: Reception) -> Iterator[Running]:
    application, sockets = Application(), open_sockets("127.0.0.1", 0)
    front = Front(application, sockets, reception)
    web = threading.Thread(target=front.run)
    web.start()
    with ExitStack() as lines:
        yield Running(application, front, sockets[0].getsockname()[1], lines)
    application.may_end.set()
    front.stop()
    web.join(SECONDS)
    assert not web.is_alive()


def answer_on(line: socket.socket) -> str:
    """The next answer; empty when the server has closed the connection."""
    said = b""
    with suppress(ConnectionResetError):
        while not _is_whole(said) and (more := line.recv(10_000)):
            said += more
    return said.decode()


def _is_whole(said: bytes) -> bool:
    head, end, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: ([0-9]+)", head)
    return bool(end) and len(body) >= int(length[1] if length else 0)


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(int(SECONDS * 100)):
        if holds():
            return
        sleep(0.01)
    raise AssertionError("it never came to hold")


# -- lanes
def test_nobody_waits_behind_requests_of_another_lane(serve: Serve) -> None:
    running = serve()
    running.fill(running.places)

    assert answer_on(running.ask("/login")).endswith("/login")
    assert answer_on(running.ask("/healthz")).endswith("ok")
    assert "/healthz" not in running.application.served, "it needs no thread"


def test_who_finds_no_place_is_told_at_once_and_may_ask_again_on_the_same_line(serve: Serve) -> None:
    running = serve()
    running.fill(running.places)

    refused = running.ask("/slow/refused")

    answer = answer_on(refused)
    assert answer.startswith("HTTP/1.1 503 ")
    assert "Retry-After: 30\r\n" in answer
    assert answer.endswith("busy")
    refused.sendall(b"GET /login HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer_on(refused).endswith("/login")
    assert "/slow/refused" not in running.application.served


def test_the_refusal_of_a_head_request_has_no_body(serve: Serve) -> None:
    running = serve()
    running.fill(running.places)

    line = running.connect("HEAD /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = answer_on(line)

    assert "Content-Length: 4\r\n" in answer
    assert answer.endswith("\r\n\r\n")


def test_a_known_browser_has_a_place_where_strangers_have_none(serve: Serve) -> None:
    running = serve()
    running.fill(running.places)

    first = running.ask("/slow/sari", cookies="sari")
    eventually(lambda: len(running.front.lanes["slow"]) == running.places + 1)
    assert "503" in answer_on(running.ask("/slow/sari", cookies="sari")), "one place for each"

    running.application.may_end.set()
    assert answer_on(first).endswith("/slow/sari")


def test_who_has_left_costs_no_work(serve: Serve) -> None:
    running = serve()
    _, *waiting = running.fill(3)
    staying = running.ask("/slow/staying")
    eventually(lambda: len(running.front.lanes["slow"]) == 4)
    for line in waiting:
        line.close()

    running.application.may_end.set()

    assert answer_on(staying).endswith("/slow/staying")
    assert running.application.served == ["/slow", "/slow/staying"]


def test_the_application_is_told_when_a_request_came_and_whether_its_sender_has_left(serve: Serve) -> None:
    running = serve()
    line = running.ask("/slow")
    assert running.application.is_busy.wait(SECONDS)
    (environ,) = running.application.environs

    assert environ[ARRIVED_AT] <= monotonic()
    assert not environ[HAS_LEFT]()
    line.close()
    eventually(environ[HAS_LEFT])


def test_many_requests_in_one_piece_are_all_answered_in_their_order(serve: Serve) -> None:
    running = serve()
    paths = ["/a", "/healthz", "/b", "/healthz"]

    line = running.connect("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths))

    said = ""
    while said.count("HTTP/1.1 200 OK") < len(paths) or not said.endswith("ok"):
        said += answer_on(line)
    assert [part[-2:] for part in said.split("HTTP/1.1 200 OK")[1:]] == ["/a", "ok", "/b", "ok"]


def test_who_asks_on_and_reads_no_answer_is_cut_off_and_stops_nobody(serve: Serve) -> None:
    running = serve(busy=lambda: replace(BUSY, body=LARGE))
    running.fill(running.places)

    deaf = running.connect("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" * 20)

    eventually(lambda: not _is_connected(running, deaf))
    assert answer_on(running.ask("/healthz")).endswith("ok")


def _is_connected(running: Running, line: socket.socket) -> bool:
    return line.getsockname() in [channel.addr for channel in running.front.map.values()]


def test_who_reads_slowly_gets_the_whole_answer(serve: Serve) -> None:
    running = serve(busy=lambda: replace(BUSY, body=LARGE))
    running.fill(running.places)

    refused = running.ask("/slow")
    page = running.ask("/long")

    eventually(lambda: running.front.lanes["slow"].refused == 1)
    assert answer_on(refused).endswith("x" * len(LARGE))
    assert answer_on(page).endswith("y" * len(LARGE))


@pytest.mark.parametrize(
    ("version", "wanted", "said"),
    [
        ("1.1", "", None),
        ("1.1", "keep-alive", None),
        ("1.1", "close", "close"),
        ("1.0", "", "close"),
        ("1.0", "Keep-Alive", "Keep-Alive"),
        ("1.0", "close", "close"),
    ],
)
def test_a_ready_answer_says_what_becomes_of_the_connection_as_every_other_answer_does(
    serve: Serve, version: str, wanted: str, said: str | None
) -> None:
    running = serve()

    for path in ("/healthz", "/page"):
        line = running.connect(f"GET {path} HTTP/{version}\r\nHost: x\r\nConnection: {wanted}\r\n\r\n")
        head = answer_on(line).partition("\r\n\r\n")[0]

        assert head.startswith(f"HTTP/{version} 200 ")
        assert re.findall(r"Connection: (\S+)", head) == ([said] if said else [])
        assert len(re.findall("Content-Length: |Date: ", head)) == 2
        if said == "close":
            assert line.recv(1) == b""
        else:
            line.sendall(f"GET /again HTTP/{version}\r\nHost: x\r\n\r\n".encode())
            assert answer_on(line).endswith("/again")


def test_a_fault_on_one_connection_closes_only_that_one(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = serve()

    def broken(_self: object, _data: bytes) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as while_broken:
        while_broken.setattr(server.Channel, "received", broken)
        assert answer_on(running.ask("/page")) == ""

    assert "ZeroDivisionError" in caplog.text
    assert answer_on(running.ask("/page")).endswith("/page")


def test_the_end_refuses_who_waits_and_finishes_what_is_in_work(serve: Serve) -> None:
    running = serve()
    working, waiting = running.fill(1)
    running.front.lanes["slow"].end()

    assert "503" in answer_on(waiting)
    running.application.may_end.set()
    assert answer_on(working).endswith("/slow")


# -- leaving
def test_who_comes_while_the_process_leaves_is_served_and_told_to_ask_elsewhere_next(serve: Serve) -> None:
    running = serve()
    kept = running.ask("/a")
    assert "Connection: close" not in answer_on(kept)

    running.front.stop(notice=SECONDS)

    kept.sendall(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
    for line in (kept, running.ask("/c"), running.ask("/healthz")):
        said = answer_on(line)
        assert "200 OK" in said
        assert "Connection: close" in said
        assert line.recv(1) == b""
    assert "503" in answer_on(running.ask("/readyz"))


def test_everything_that_was_accepted_is_finished_and_nobody_else_comes_in(serve: Serve) -> None:
    running = serve()
    idle = running.ask("/a")
    answer_on(idle)
    lines = running.fill(3)
    sending = running.connect("GET /late HTTP/1.1\r\nHost:")
    eventually(lambda: running.front.connections == 6)

    running.front.stop()

    eventually(lambda: _is_refused(running.port))
    sending.sendall(b" x\r\n\r\n")
    assert answer_on(sending).endswith("/late")
    running.application.may_end.set()
    assert [answer_on(line)[-5:] for line in lines] == ["/slow"] * 4
    assert idle.recv(1) == b""


def test_who_does_not_finish_in_time_keeps_no_process_alive(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SECONDS_TO_FINISH", 0.05)
    running = serve()
    sending = running.connect("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
    eventually(lambda: running.front.connections == 1)

    running.front.stop()

    assert sending.recv(1) == b""


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), SECONDS).close()
    except ConnectionRefusedError:
        return True
    return False


# -- slow clients, and many connections
@pytest.fixture
def few_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_OF_ONE_LINE", 3)


@pytest.mark.usefixtures("few_connections")
def test_many_connections_of_one_address_take_only_its_share(serve: Serve) -> None:
    running = serve()
    half_open = [running.connect("GET / HTTP/1.1\r\nA: ") for _ in range(6)]

    assert answer_on(running.ask("/of-the-same-address")).endswith("address"), "the newest is served"
    assert [answer_on(line) for line in half_open[:3]] == [""] * 3, "those that waited longest make room"
    elsewhere = running.connect("GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n", source="127.0.0.2")
    assert answer_on(elsewhere).endswith("/elsewhere")
    assert running.front._connections <= 4


@pytest.mark.usefixtures("few_connections")
def test_whose_request_is_in_work_is_not_cut_off_for_others_of_the_same_address(serve: Serve) -> None:
    running = serve()
    working = running.fill(2)

    assert answer_on(running.connect()) == "", "there is nothing that could make room"

    running.application.may_end.set()
    assert [answer_on(line)[-5:] for line in working] == ["/slow"] * 3


@pytest.mark.usefixtures("few_connections")
def test_a_proxy_may_hold_the_connections_of_all_its_clients(serve: Serve) -> None:
    running = serve(has_proxy=True)

    lines = [running.connect() for _ in range(6)]

    eventually(lambda: running.front._connections == 6)
    for line in lines:
        line.sendall(b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer_on(line).endswith("/page")


def test_when_all_connections_are_taken_the_line_with_the_most_gives_one(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 3)
    running = serve(has_proxy=True)
    first, _ = running.connect(), running.connect()
    lonely = running.connect(source="127.0.0.2")
    eventually(lambda: running.front._connections == 3)

    assert answer_on(running.ask("/new")).endswith("/new")

    assert answer_on(first) == ""
    lonely.sendall(b"GET /still-here HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer_on(lonely).endswith("/still-here")


@pytest.mark.parametrize(
    ("limit", "beginning"),
    [
        ("SECONDS_FOR_HEADERS", "GET / HTTP/1.1\r\nA: "),
        ("SECONDS_FOR_A_BODY", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"),
        ("SECONDS_OF_SILENCE", ""),
    ],
)
def test_a_request_must_be_here_within_a_total_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, limit: str, beginning: str
) -> None:
    patient = serve()
    line = patient.connect(beginning)
    eventually(lambda: patient.front._connections == 1)
    patient.front._look_around()
    assert patient.front._connections == 1

    monkeypatch.setattr(server, limit, 0)

    assert answer_on(line) == ""


def test_a_request_that_cannot_be_read_is_answered_without_a_thread(serve: Serve) -> None:
    running = serve()
    running.fill(running.places)

    assert answer_on(running.connect("nonsense\r\n\r\n")).startswith("HTTP/1.0 400 ")


def test_a_request_has_only_so_many_headers(serve: Serve) -> None:
    """The thread that reads looks at each of them, and everybody waits for it."""
    running = serve()
    few, many = "a: b\r\n" * 90, "a: b\r\n" * 101

    assert " 200 " in answer_on(running.connect(f"GET /page HTTP/1.1\r\n{few}\r\n"))
    assert " 400 " in answer_on(running.connect(f"GET /page HTTP/1.1\r\n{many}\r\n"))


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("path", ["/page", "/healthz"])
@pytest.mark.parametrize("length", ["", "Content-Length: 5\r\n"])
def test_a_body_in_chunks_is_refused_and_hides_no_request(
    serve: Serve, version: str, path: str, length: str
) -> None:
    running = serve()
    line = running.connect(
        f"POST {path} HTTP/{version}\r\nHost: x\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n{length}"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    )

    assert " 400 " in answer_on(line)
    assert answer_on(line) == ""
    assert not running.application.served


def test_only_the_thread_that_reads_closes_a_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes through all connections again and again, and nobody else may change what these are."""
    closed_by = []
    went = Front.went

    def note(front: Front, channel: server.Channel) -> None:
        closed_by.append(threading.get_ident())
        went(front, channel)

    monkeypatch.setattr(Front, "went", note)
    running = serve()
    line = running.connect(
        "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
        "POST /next HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    assert running.application.is_busy.wait(SECONDS)
    _reset(line)  # so that the thread that answers cannot send

    running.application.may_end.set()

    eventually(lambda: running.front.connections == 0)
    assert set(closed_by) == {running.front.own_thread}


def test_an_event_of_a_connection_that_gave_its_place_does_not_close_the_next_one(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next connection may get the number of the file that was just closed."""
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 3)
    is_held, may_go_on = threading.Event(), threading.Event()

    def lane_of(method: str, path: str) -> str:
        if path == "/hold":  # the thread that reads
            is_held.set()
            assert may_go_on.wait(SECONDS)
        return RECEPTION.lane_of(method, path)

    running = serve(lane_of=lane_of)
    idle, _, holding = [running.connect() for _ in range(3)]
    eventually(lambda: running.front.connections == 3)
    holding.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
    assert is_held.wait(SECONDS)
    running.ask("/slow")
    last = running.ask("/slow")
    _reset(idle)

    may_go_on.set()

    running.application.may_end.set()
    assert answer_on(last).endswith("/slow")


def _reset(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()
