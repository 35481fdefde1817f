"""The portal reads the address of the client and the name of the host once, at the door."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from limits import parse
from sqlalchemy import select

from app.domain.categories import Activation, Category
from app.domain.indonesian_time import now
from app.models import AuditEvent, Tag, User
from app.runtime.db import reading, unit_of_work
from app.security import throttle
from app.security.once_a_minute import ROWS_OF_A_SITE
from app.web import limits
from app.web.headers import UNSEEN
from tests.cast import BUDI, NEW_PASSWORD, PASSWORD, SARI, STRANGERS_NIP
from tests.conftest import MakeApp, people
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

ROOT = Path(__file__).parents[3]
PRODUCTION = {
    "PUBLIC_URL": "https://mysapk.example",
    "TRUSTED_PROXIES": "1",
    "METRICS_TOKEN": "kopi-tubruk-tanpa-gula-8812",
}
# What these tests check does not use the database
on_one = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Behind(Visitor):
    """A browser whose address is what the proxy writes into X-Forwarded-For."""

    def __init__(self, app: Flask, written: str) -> None:
        super().__init__(app, "127.0.0.1")
        self.client.environ_base["HTTP_X_FORWARDED_FOR"] = written


def test_only_the_door_reads_the_address_of_a_client() -> None:
    """There is only one spelling of an address, because nothing else asks the server or the headers."""
    may = {
        "app/web/door.py", "app/web/page_door.py", "app/web/limits.py", "app/runtime/portal.py",
        "app/blueprints/health.py",
    }  # fmt: skip
    readers = {"remote_addr", "access_route"}
    found = set()
    for file in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            is_attribute = isinstance(node, ast.Attribute) and node.attr in readers
            is_key = isinstance(node, ast.Constant) and node.value in ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR")
            if is_attribute or is_key:
                found.add(str(file.relative_to(ROOT)))

    assert found == may


@pytest.mark.parametrize(
    "written", ["203.0.113.5:40000", "[2001:db8::5]:51234", "fe80::1%eth0", "unknown", "9" * 5000, "-"]
)
def test_whatever_a_proxy_writes_is_answered_and_kept_in_one_spelling(
    make_app: MakeApp, password_hash: str, written: str
) -> None:
    app = make_app(TRUSTED_PROXIES="1")
    people(app, password_hash)

    assert Behind(app, written).log_in(STRANGERS_NIP, "Salah-Sekali-1").status_code == 422
    assert Behind(app, written).ask_for_token(BUDI.nip, BUDI.email or "").status_code == 303

    with app.app_context(), reading() as session:
        kept = set(session.scalars(select(AuditEvent.client_address)))
    expected = {
        "203.0.113.5:40000": "203.0.113.5",
        "[2001:db8::5]:51234": "2001:db8::5",
        "fe80::1%eth0": "fe80::1",
    }
    assert kept == {expected.get(written, "unknown")}
    assert "tidak diketahui" in Inbox(app).fetch_one(BUDI.email).text or written in expected


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("203.0.113.5:{}", True),
        ("[2001:db8::{:x}]:40000", True),
        ("::ffff:203.0.113.5", True),
        ("64:ff9b::203.0.113.5", True),
        ("tidak-ada-{}", True),
        ("::ffff:198.51.0.{}", False),
        ("64:ff9b::198.51.0.{}", False),
        ("2001:db8:0:{:x}::1", False),
    ],
)
@on_one
def test_one_line_has_a_hundred_wrong_tries_and_many_lines_have_as_many_each(
    make_app: MakeApp, password_hash: str, line: str, *, is_one: bool
) -> None:
    app = make_app(TRUSTED_PROXIES="1")
    people(app, password_hash)
    form = Behind(app, line.format(1))
    token = form.csrf_token("/konfirmasi-reset-password")

    answers = []
    for number in range(1, 106):
        form.client.environ_base["HTTP_X_FORWARDED_FOR"] = line.format(number)
        fields = {
            "nip": f"1990010120150110{number % 90 + 10}",
            "token": "WDJB-MJHT",
            "password": "Kuda-Laut7",
        }
        answers.append(form.post("/reset-password", csrf_token=token, **fields).status_code)

    assert answers[:100] == [422] * 100
    assert set(answers[100:]) == ({429} if is_one else {422})


@pytest.mark.parametrize(
    "written", ['"{}, 198.51.100.9', "203.0.113.{}, 198.51.100.9", 'for="{},198.51.100.9:80']
)
@on_one
def test_nothing_that_a_visitor_writes_hides_what_the_proxy_adds(
    make_app: MakeApp, password_hash: str, written: str
) -> None:
    """If the header were read as a list with quotes, `"a, 198.51.100.9` would be one entry, written by the
    visitor."""
    app = make_app(TRUSTED_PROXIES="1")
    people(app, password_hash)
    form = Behind(app, "198.51.100.9")
    token = form.csrf_token("/login")
    for number in range(1, 101):
        form.client.environ_base["HTTP_X_FORWARDED_FOR"] = written.format(number)
        form.post("/login", csrf_token=token, nip=f"1970010119950{number:05d}", password="Salah-1")

    assert Behind(app, "198.51.100.9").log_in(STRANGERS_NIP, "Salah-1").status_code == 429
    assert Behind(app, "unknown").log_in(STRANGERS_NIP, "Salah-1").status_code == 422


def test_a_site_of_48_bits_has_ten_lines_worth_of_tries(make_app: MakeApp, password_hash: str) -> None:
    app = make_app(TRUSTED_PROXIES="1")
    people(app, password_hash)
    most = int(throttle.of_a_site(throttle.WRONG_TRIES_PER_CLIENT).split()[0])
    assert most == 10 * int(throttle.WRONG_TRIES_PER_CLIENT.split()[0])
    with app.test_request_context():
        item = parse(throttle.of_a_site(throttle.WRONG_TRIES_PER_CLIENT))
        for _ in range(most):
            limits.limiter.limiter.hit(item, "2001:db8:7::/48", "wrong-tries-of-site")

    assert Behind(app, "2001:db8:7:beef::1").log_in(STRANGERS_NIP, "Salah-1").status_code == 429
    assert Behind(app, "2001:db8:8:beef::1").log_in(STRANGERS_NIP, "Salah-1").status_code == 422


def test_a_site_of_48_bits_fills_the_trail_no_faster_than_a_few_lines(
    make_app: MakeApp, password_hash: str
) -> None:
    app = make_app(TRUSTED_PROXIES="1")
    people(app, password_hash)
    form = Behind(app, "2001:db8:9::1")
    with time_machine.travel(now(), tick=False):
        for line in range(ROWS_OF_A_SITE + 20):
            form.client.environ_base["HTTP_X_FORWARDED_FOR"] = f"2001:db8:9:{line:x}::1"
            form.post("/login", nip=STRANGERS_NIP)

    with app.app_context(), reading() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.FORM_REFUSED)).all()
    assert len(rows) == ROWS_OF_A_SITE + 1


@pytest.mark.parametrize("page", sorted(UNSEEN))
@on_one
def test_what_nobody_may_know_of_is_not_shown_by_a_slash(make_app: MakeApp, page: str) -> None:
    client = make_app(**PRODUCTION).test_client()

    for path in (f"/{page}", f"/{page}/"):
        assert client.get(path, headers={"Host": "mysapk.example"}).status_code == 404


def _staff(app: Flask, number: int) -> list[tuple[str, str]]:
    """Add so many people of one office. Returns their NIPs and addresses."""
    staff = [(f"1985031220100{one:05}", f"pegawai{one}@nusajaya.example") for one in range(1, number + 1)]
    with app.app_context(), unit_of_work() as session:
        instansi_id = session.scalars(select(User.instansi_id).where(User.nip == BUDI.nip)).one()
        session.add_all(
            User(
                nip=nip, name="Pegawai", email=email, email_key=email, category=Category.PNS,
                instansi_id=instansi_id,
                work_unit="-", activation=Activation.NOT_ACTIVATED, activation_changed_at=now(),
            )
            for nip, email in staff
        )  # fmt: skip
    return staff


def test_a_hundred_and_five_of_one_office_ask_on_one_morning_and_each_gets_a_token(
    peopled: Flask, inbox: Inbox
) -> None:
    """Each person has a browser of their own, and one of them guesses meanwhile."""
    staff, guesser = _staff(peopled, 105), Visitor(peopled)
    token = guesser.csrf_token("/login")
    for number in range(100):
        guesser.post("/login", csrf_token=token, nip=f"1970010119950{number + 1:05d}", password="Salah-1")
    held = guesser.log_in(SARI.nip)
    assert held.status_code == 429
    assert "Pilih Lupa Password, lalu buka tautan" in words_of(held)

    assert [Visitor(peopled).ask_for_token(nip, email).status_code for nip, email in staff] == [303] * 105

    mails = {mail.to: mail for mail in inbox.fetch()}
    assert len(mails) == 105
    assert all(mail.code for mail in mails.values())
    nip, email = staff[-1]
    newcomer = Visitor(peopled)
    typed = newcomer.reset_password(mails[email].code, NEW_PASSWORD, nip)
    assert typed.status_code == 429
    assert "Buka tautan di email yang membawa token" in words_of(typed)
    newcomer.open(mails[email].link)
    assert newcomer.reset_password(mails[email].code, NEW_PASSWORD).status_code == 303, (
        "whoever guesses beside"
    )
    assert newcomer.log_in(nip, NEW_PASSWORD).status_code == 303, "and from then on the browser is known"


def test_a_known_browser_has_room_of_its_own(make_app: MakeApp, password_hash: str) -> None:
    app = make_app(ASKS_PER_ADDRESS_PER_HOUR="10")
    people(app, password_hash)
    known = logged_in(app, SARI)
    known.post_with_token("/beranda", "/logout")
    guesser = Visitor(app)
    answers = [
        guesser.ask_for_token(STRANGERS_NIP, f"a{number}@contoh.example").status_code for number in range(11)
    ]

    assert answers == [303] * 10 + [429]
    assert Visitor(app).ask_for_token(BUDI.nip, BUDI.email or "").status_code == 429
    assert known.ask_for_token(SARI.nip, SARI.email or "").status_code == 303, "whoever sits beside her"
    assert known.ask_for_token(BUDI.nip, BUDI.email or "").status_code == 429, "it is known to her alone"


def test_room_refills_ask_by_ask(make_app: MakeApp, password_hash: str) -> None:
    """The room does not come back all at once an hour after the first ask, because then everybody would come
    at the same time again."""
    app = make_app(ASKS_PER_ADDRESS_PER_HOUR="10")
    people(app, password_hash)

    def asks() -> int:
        return Visitor(app).ask_for_token(STRANGERS_NIP, "orang@contoh.example").status_code

    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(10):
            assert asks() == 303
            clock.shift(timedelta(minutes=5))
        assert asks() == 429
        clock.shift(timedelta(minutes=10, seconds=1))
        assert [asks(), asks()] == [303, 429]


def test_the_time_to_wait_is_true(peopled: Flask) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        guesser = Visitor(peopled)
        token = guesser.csrf_token("/login")

        def guess(number: int) -> tuple[int, int]:
            answer = guesser.post(
                "/login", csrf_token=token, nip=f"1970010119950{number + 1:05d}", password="Salah-1"
            )
            return answer.status_code, int(answer.headers.get("Retry-After", "0"))

        for number in range(100):
            assert guess(number) == (422, 0)
            clock.shift(timedelta(seconds=3))
        status, seconds = guess(100)
        assert (status, seconds) == (429, 301), "the first was five minutes ago"

        clock.shift(timedelta(seconds=seconds - 2))
        assert guess(101)[0] == 429
        clock.shift(timedelta(seconds=2))
        assert [guess(number)[0] for number in (102, 103)] == [422, 429], "one has come back"


def test_of_two_limits_the_longer_wait_is_told(make_app: MakeApp, password_hash: str) -> None:
    app = make_app(ASKS_PER_ADDRESS_PER_HOUR="30")
    people(app, password_hash)
    with time_machine.travel(now(), tick=False) as clock:
        visitor = Visitor(app)
        token = visitor.csrf_token("/lupa-password")

        def ask() -> tuple[int, int]:
            answer = visitor.post(
                "/lupa-password", csrf_token=token, nip=STRANGERS_NIP, email="orang@contoh.example"
            )
            return answer.status_code, int(answer.headers.get("Retry-After", "0"))

        for _ in range(30):
            ask()
        status, seconds = ask()
        assert (status, seconds) == (429, 3600), (
            "in ten minutes the same ask would be free, and the line would not"
        )
        clock.shift(timedelta(seconds=seconds + 1))
        assert ask()[0] == 303


# -- names


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/healthz/"])
@pytest.mark.parametrize("host", ["10.0.0.5:5000", "", "evil.example", "[::1]:80", "mysapk.example"])
@on_one
def test_probes_are_answered_under_every_name(make_app: MakeApp, path: str, host: str) -> None:
    app = make_app(**PRODUCTION)
    headers = {"Host": host, "Authorization": f"Bearer {PRODUCTION['METRICS_TOKEN']}"}

    answer = app.test_client().get(path, headers=headers)

    assert answer.status_code == 200
    assert not host or host not in str(answer.headers) + answer.text or host == "mysapk.example"
    assert app.test_client().get("/metrics", headers={"Host": host}).status_code == 404, "only with the token"


@pytest.mark.parametrize(
    "host", ["mysapk.example", "mysapk.example:443", "mysapk.example.", "MySAPK.Example.:443"]
)
@on_one
def test_other_spellings_of_the_name_are_the_name(make_app: MakeApp, host: str) -> None:
    app = make_app(**PRODUCTION)

    assert app.test_client().get("/login", headers={"Host": host}).status_code == 200
    led = app.test_client().get("/lupa-password/", headers={"Host": host})
    assert (led.status_code, led.headers["Location"]) == (308, "/lupa-password")


@pytest.mark.parametrize(
    "host",
    ["mysapk.example:80", "mysapk.example:8443", "mysapk.example..", "x.mysapk.example",
    "mysapk.example:443:443",
     "mysapk.example@x", "evil.example", "", ":443", "."],
)  # fmt: skip
@on_one
def test_other_names_are_refused(make_app: MakeApp, host: str) -> None:
    assert make_app(**PRODUCTION).test_client().get("/login", headers={"Host": host}).status_code == 400


# -- slashes


def test_a_slash_behind_any_page_leads_to_it(peopled: Flask) -> None:
    """This is tried for every address without a variable part."""
    plain = [
        rule for rule in peopled.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    seen = 0
    for rule in plain:
        if rule.rule.endswith("/") or rule.rule.strip("/").split("/")[0] in ("healthz", "readyz", *UNSEEN):
            continue
        led = peopled.test_client().get(f"{rule.rule}/?a=b%20c")
        seen += 1
        assert (led.status_code, led.headers.get("Location")) == (308, f"{rule.rule}?a=b%20c"), rule.rule
    assert seen > 20


@pytest.mark.parametrize(
    "path",
    [
        "/tidak-ada/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "/login/x/",
        "/%2f/evil.example/",
    ],
)
@on_one
def test_a_slash_leads_nowhere_else(peopled: Flask, path: str) -> None:
    led = peopled.test_client().get(path)

    assert led.status_code in (400, 404, 308)
    assert led.status_code != 308 or led.headers["Location"].startswith(
        ("http://localhost/evil", "http://localhost/%", "/")
    )
    assert not led.headers.get("Location", "").startswith(("//", "/\\"))


def test_a_form_sent_to_an_address_with_a_slash_arrives(peopled: Flask) -> None:
    visitor = Visitor(peopled)
    fields = {"csrf_token": visitor.csrf_token("/login"), "nip": SARI.nip, "password": PASSWORD}

    assert visitor.client.post("/login/", data=fields, follow_redirects=True).request.path == "/beranda"


def test_password_managers_find_the_page(peopled: Flask) -> None:
    led = peopled.test_client().get("/.well-known/change-password")

    assert (led.status_code, led.headers["Location"]) == (303, "/lupa-password")
    assert "Lupa Password" in words_of(peopled.test_client().get(led.headers["Location"]))
    assert peopled.test_client().get("/.well-known/nothing-of-the-kind").status_code == 404


# -- limits switched off

BROKEN = {
    "no CSRF token": {"data": {"nip": SARI.nip, "password": "x"}},
    "NUL": {"data": {"nip": "1985\x00"}},
    "JSON": {"json": {"nip": SARI.nip}},
    "two values": {"data": {"nip": [SARI.nip, SARI.nip], "email": ["a@b.example", "c@d.example"]}},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_refused_forms_are_refused_alike_whether_limits_are_on_or_off(
    make_app: MakeApp, password_hash: str, broken: dict[str, object]
) -> None:
    answers = []
    for switch in ("on", "off"):
        app = make_app(ADDRESS_LIMITS=switch)
        if switch == "on":
            people(app, password_hash)
        said = {}
        for rule in app.url_map.iter_rules():
            if "POST" in (rule.methods or ()):
                path = re.sub("<[^>]+>", "1", rule.rule)
                said[rule.rule] = app.test_client().post(path, **broken).status_code
        answers.append(said)

    assert answers[0] == answers[1]
    assert not {status for status in answers[0].values() if status >= 500}
    assert answers[0]["/lupa-password"] == 400
