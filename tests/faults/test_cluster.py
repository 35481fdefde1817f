"""The portal as deploy/ runs it: two nodes and two workers behind nginx, with TLS, as strangers and owners
meet it.

One cluster serves all tests of this file.
"""

import http.client
import os
import re
import secrets
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.cluster.cluster import Cluster
from deploy.cluster.keeper import NoProgram
from tests.cast import BUDI, PASSWORD, SARI, email_of
from tests.faults.processes import Browser
from tests.faults.smtp_server import eventually

SECRET = "rahasiaKoTak7"
ELSEWHERE = "203.0.113.9"
MOST_LONG_BODIES = 20  # of one line, as deploy/nginx/mysapk.conf says


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    try:
        with Cluster(tmp_path_factory.mktemp("cluster") / "portal") as running:
            yield running
    except NoProgram as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture
def newcomer(cluster: Cluster) -> Browser:
    return _browser(cluster)


def _browser(cluster: Cluster, **headers: str) -> Browser:
    return Browser(cluster.port, f"localhost:{cluster.port}", _trust(cluster), **headers)


def _trust(cluster: Cluster) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(cluster.certificate))


# -- what people meet
def test_an_owner_logs_in_and_every_node_knows_them(cluster: Cluster, newcomer: Browser) -> None:
    assert newcomer.submit("/login", nip=SARI.nip, password=PASSWORD).status == 303

    for _ in cluster.node_ports:
        home = newcomer.open("/beranda")
        assert home.status == 200
        assert SARI.name in home.text
        assert home.headers["Strict-Transport-Security"]
    who_answered = re.compile(r'"path":"/beranda","status":200.*?"node":"([^"]+)"')
    eventually(lambda: len(set(who_answered.findall(_access_log(cluster)))) == 2)


def test_plain_http_leads_to_the_public_address(cluster: Cluster) -> None:
    answer = Browser(cluster.plain_port, "localhost").open("/login?dari=surat")

    assert (answer.status, answer.headers["Location"]) == (301, f"{cluster.address}/login?dari=surat")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_browsers_get_http_2_over_tls(cluster: Cluster, version: ssl.TLSVersion) -> None:
    context = _trust(cluster)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])

    with (
        socket.create_connection(("127.0.0.1", cluster.port)) as line,
        context.wrap_socket(line, server_hostname="localhost") as talk,
    ):
        assert talk.selected_alpn_protocol() == "h2"


def test_static_files_come_from_nginx_as_the_nodes_give_them(cluster: Cluster, newcomer: Browser) -> None:
    paths = sorted(set(re.findall(r'"(/static/[^"]+\?v=[^"]+)"', newcomer.open("/login").text)))
    assert len(paths) >= 3
    node = next(iter(cluster.node_ports.values()))
    same = ("Cache-Control", "Content-Type", "Content-Encoding", "ETag", "X-Content-Type-Options")
    for path in (*paths, paths[0].partition("?")[0], f"{paths[0]}0"):
        for encodings in ("gzip, deflate, br", "gzip", ""):
            first, second, direct = (
                _ask(cluster, port, path, {"Accept-Encoding": encodings})
                for port in (cluster.port, cluster.port, node)
            )
            for name in same:
                assert first[1][name] == second[1][name] == direct[1][name], f"{name} of {path}"
            assert first[2] == second[2] == direct[2], path
    etag = _ask(cluster, cluster.port, paths[0], {"Accept-Encoding": "br"})[1]["ETag"]
    known = {"Accept-Encoding": "br", "If-None-Match": etag or ""}
    assert _ask(cluster, cluster.port, paths[0], known)[0] == 304
    eventually(lambda: _access_log(cluster).count('"cache":"HIT"') >= 3 * len(paths))


@pytest.mark.parametrize("spelling", ["{path}?V={other}&{now}", "{path}?%76={hash}"])
def test_nobody_puts_a_file_under_the_address_of_another_release(
    cluster: Cluster, newcomer: Browser, spelling: str
) -> None:
    """nginx reads a query in another way than a node: it finds `V` where a node finds `v`."""
    path, now = re.findall(r'"(/static/css/portal[^"?]+)\?(v=[^"]+)"', newcomer.open("/login").text)[0]
    other = secrets.token_hex(6)
    odd = spelling.format(path=path, other=other, now=now, hash=now.partition("=")[2])
    assert _ask(cluster, cluster.port, odd, {})[0] == 200

    for address in (f"{path}?v={other}", path):
        assert _ask(cluster, cluster.port, address, {})[1]["Cache-Control"] == "no-cache", address


# -- whom nginx keeps out
def test_a_client_cannot_choose_its_address(cluster: Cluster) -> None:
    liar = _browser(
        cluster,
        X_Forwarded_For=f"{ELSEWHERE}, {ELSEWHERE}",
        Forwarded=f"for={ELSEWHERE}",
        X_Real_IP=ELSEWHERE,
    )
    assert liar.submit("/login", nip=BUDI.nip, password="Salah-1234").status == 422

    with psycopg.connect(cluster.database_url.replace("+psycopg", "")) as connection:
        seen = {row[0] for row in connection.execute("SELECT client_address FROM audit_event")}
    assert "127.0.0.1" in seen
    assert ELSEWHERE not in seen


@pytest.mark.parametrize("host", ["jahat.example", "127.0.0.1", "localhost.jahat.example"])
def test_another_name_is_not_served(cluster: Cluster, host: str) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        Browser(cluster.port, f"{host}:{cluster.port}", _trust(cluster)).open("/login")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        Browser(cluster.plain_port, f"{host}:80").open("/login")
    context = _trust(cluster)
    context.check_hostname = False
    with (
        pytest.raises((ssl.SSLError, ConnectionResetError)),
        socket.create_connection(("127.0.0.1", cluster.port)) as line,
        context.wrap_socket(line, server_hostname=host),
    ):
        pass


@pytest.mark.parametrize("page", ["metrics", "healthz", "readyz"])
@pytest.mark.parametrize("spelling", ["/{}", "/{}/", "//{}", "%", "/./{}?a=b"])
def test_what_is_for_the_operator_does_not_exist_outside(cluster: Cluster, page: str, spelling: str) -> None:
    token = {"Authorization": f"Bearer {cluster.metrics_token}"}
    path = (
        "/" + "".join(f"%{ord(letter):02x}" for letter in page) if "%" in spelling else spelling.format(page)
    )

    status, _, body = _ask(cluster, cluster.port, path, token)

    assert status == 404
    assert b"portal_mail" not in body
    for port in cluster.node_ports.values():
        assert _ask(cluster, port, f"/{page}", token)[0] == 200


@pytest.mark.parametrize(
    ("path", "megabytes", "is_taken"),
    [
        ("/login", 13, False),
        ("/perbaikan-email/apa", 30, False),
        ("/admin/impor/1/jalankan", 13, False),
        ("/admin/impor", 30, True),
        ("/admin/impor", 41, False),
    ],
)
def test_long_bodies_are_for_files_of_staff(
    cluster: Cluster, path: str, megabytes: int, *, is_taken: bool
) -> None:
    length = megabytes << 20
    connection = http.client.HTTPSConnection("localhost", cluster.port, timeout=30, context=_trust(cluster))
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(length))
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.endheaders(b"a" * length if is_taken else None)
    answer = connection.getresponse()
    said = answer.read().decode()
    connection.close()

    assert (answer.status != 413) == is_taken
    assert ("Isian atau file terlalu besar" in said) != is_taken


def test_one_line_cannot_fill_the_disk_of_nginx(cluster: Cluster, newcomer: Browser) -> None:
    head = (
        f"POST /perbaikan-email/apa HTTP/1.1\r\nHost: localhost:{cluster.port}\r\n"
        f"Content-Length: {11 << 20}\r\nContent-Type: multipart/form-data; boundary=a\r\n\r\n--a"
    )
    talks: list[ssl.SSLSocket] = []

    def begin() -> ssl.SSLSocket:
        line = socket.create_connection(("127.0.0.1", cluster.port), timeout=1)
        talks.append(_trust(cluster).wrap_socket(line, server_hostname="localhost"))
        talks[-1].sendall(head.encode())
        return talks[-1]

    def is_refused() -> bool:
        try:
            said = begin().recv(1 << 16)
        except TimeoutError:
            return False
        return said.startswith(b"HTTP/1.1 429 ") and b"Retry-After" in said

    for _ in range(MOST_LONG_BODIES):
        begin()

    eventually(is_refused)
    assert newcomer.submit("/login", nip=BUDI.nip, password="Salah-1234").status == 422
    for talk in talks:
        talk.close()


# -- what is lost, and what is not
def test_who_is_here_notices_nothing_when_parts_are_killed(cluster: Cluster, newcomer: Browser) -> None:
    answers: list[int] = []
    over = threading.Event()

    def look_around() -> None:
        one = _browser(cluster)
        while not over.wait(0.05):
            answers.append(one.open("/lupa-password").status)

    visitors = [threading.Thread(target=look_around) for _ in range(2)]
    for one in visitors:
        one.start()
    for name in ("worker-1", "web-1", "redis"):
        cluster.kill(name)
    # A form that was on its way to the node is not sent twice by nginx: its sender gets the calm page once
    statuses = [newcomer.ask_for_token().status]
    if statuses == [502]:
        statuses.append(newcomer.ask_for_token().status)
    assert statuses[-1] == 303
    assert cluster.sink.token_for(email_of(BUDI))
    for name in ("worker-1", "web-1", "redis"):
        eventually(lambda name=name: cluster.starts(name) == 2)
        cluster.wait_for(name)
    over.set()
    for one in visitors:
        one.join()

    assert set(answers) == {200}
    assert len(answers) > 20


def test_a_calm_page_stands_in_when_no_node_answers(cluster: Cluster, newcomer: Browser) -> None:
    stylesheet = re.findall(r'"(/static/css/portal[^"]+)"', newcomer.open("/login").text)[0]
    assert newcomer.open(stylesheet).status == 200
    before = {name: cluster.starts(name) for name in cluster.node_ports}
    for name in cluster.node_ports:
        cluster.kill(name)

    answer = newcomer.open(f"/konfirmasi-reset-password/{SECRET}-4")

    assert answer.status == 502
    assert int(answer.headers["Retry-After"]) > 0
    assert "Portal sedang tidak dapat dihubungi" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert newcomer.open("/gangguan.css").headers["Content-Type"].startswith("text/css")
    assert newcomer.open("/gangguan.html").status != 200
    assert _ask(cluster, cluster.port, "/lupa-password?x=y", {}, "POST")[0] == 502
    eventually(lambda: '"method":"POST","path":"/lupa-password","status":502' in _access_log(cluster))
    assert newcomer.open(stylesheet).status == 200
    for name, starts in before.items():
        eventually(lambda name=name, starts=starts: cluster.starts(name) > starts)
        cluster.wait_for(name)
    eventually(lambda: newcomer.open("/login").status == 200)


# -- what nginx writes down
def test_no_secret_and_no_whole_address_is_in_the_log_of_nginx(cluster: Cluster, newcomer: Browser) -> None:
    leaks = (
        f"/konfirmasi-reset-password/{SECRET}",
        f"/perbaikan-email/{SECRET}",
        f"/bukan-saya/{SECRET}?x={SECRET}",
        f"/login?nip={SARI.nip}&next={SECRET}",
        f"/{SECRET}",
        f"/admin/{SECRET}",
        f"/konfirmasi-reset-password{SECRET}",
        f"/static/{SECRET}",
        f"/konfirmasi-reset-password%2F{SECRET}%0A{SECRET}",
    )
    for path in leaks:
        newcomer.open(path)
    for name in cluster.node_ports:
        cluster.send(name, signal.SIGSTOP)
    try:
        line = socket.create_connection(("127.0.0.1", cluster.port))
        talk = _trust(cluster).wrap_socket(line, server_hostname="localhost")
        talk.sendall(f"GET {leaks[0]} HTTP/1.1\r\nHost: localhost:{cluster.port}\r\n\r\n".encode())
        talk.close()
    finally:
        for name in cluster.node_ports:
            cluster.send(name, signal.SIGCONT)

    eventually(lambda: _access_log(cluster).count('"path":"/konfirmasi-reset-password/..."') >= 2)
    for file in (cluster.folder / "nginx").rglob("*log*"):
        if file.is_file():
            said = file.read_text(errors="replace")
            assert SECRET not in said, file
            assert SARI.nip not in said, file
    assert '"client":"127.0.0.*"' in _access_log(cluster)
    assert "127.0.0.1" not in re.sub(r'"node":"[^"]*"', "", _access_log(cluster))


def _access_log(cluster: Cluster) -> str:
    return Path(cluster.folder / "nginx" / "log" / "mysapk.access.log").read_text()


def _ask(
    cluster: Cluster, port: int, path: str, headers: dict[str, str], method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection: http.client.HTTPConnection
    if port == cluster.port:
        connection = http.client.HTTPSConnection("localhost", port, timeout=30, context=_trust(cluster))
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers={"Host": f"localhost:{cluster.port}", **headers})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
