"""No line of the log contains a secret, a whole NIP or an address, for every writer of the line and every
text around it."""

import json
import logging
import re
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from time import process_time
from urllib.parse import quote, unquote

import pytest
from flask import Flask
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from app.domain.masks import KEPT_OF_HEAD, KEPT_OF_TAIL, Masks, cut
from app.domain.nip import BETWEEN_DIGITS, Nip, read_nip
from app.runtime import logs
from app.runtime.logs import JsonLines, secret_beginnings
from config import ROOT
from tests.conftest import MakeApp

BEGINNING = "/konfirmasi-reset-password/"
OWN_SECRET = "a password: of the/mail@server"
MASKS = Masks([BEGINNING, "/kotak-surat/"], [OWN_SECRET])
NIP = "198503122010012001"
LINK = "gT5mZ2pQ8sKd-1Xa.q3Jv_0bWnYc7RtLzHk2MfXe9UaGd4PsVi6BoTj1QwE8"
ADDRESS = "sari.kusuma@nusajaya.example"
MILLION = 1_000_000
HOSTILE = {
    "letters": "a",
    "capitals": "A",
    "consonants": "B",
    "digits": "9",
    "at": "@",
    "addresses without end": "a@",
    "dots": "a.",
    "long names": "a." * 40 + "@",
    "encoded": "%40",
    "encoded percent": "%25",
    "schemes": "://",
    "users in URLs": "://u:",
    "passwords": "password=",
    "quoted passwords": "password='",
    "spread digits": "1 ",
    "digits far apart": "1" + "." * 80,
    "fifteen digits": "1 " * 15 + "x",
    "digits as repr writes them": "1\\x20",
    "codes": "BCDF-",
    "headers": "cookie:",
    "routes": BEGINNING[1:],
    "routes without a secret": BEGINNING[:-1],
    "signatures": "a-",
    "blanks": " ",
    "lines": "\n",
    "bearers": "bearer ",
    "other letters": "é",
    "right to left": "\u202e",
}

around = st.one_of(
    st.text(max_size=40),
    st.text("0123456789 .-@%aZ_/+=&?'\"\\\n", max_size=40),
    st.sampled_from(["x" * 3_990, "7" * 4_000, "a.b " * 1_000, "%25" * 1_400, "é@" * 2_000, "1 " * 2_000]),
)
separators = st.sampled_from(
    ["", " ", ".", "-", "\u00a0", "\u200b", "%20", "+", "%C2%A0", " - ", "\\xa0", "%2520"]
)


@st.composite
def nips_as_people_type_them(draw: st.DrawFn) -> str:
    return "".join(f"{digit}{draw(separators)}" for digit in NIP[:-1]) + NIP[-1]


@settings(deadline=None)
@given(before=around, seed=st.binary(min_size=44, max_size=44), after=around)
def test_a_link_is_never_said(before: str, seed: bytes, after: str) -> None:
    reference, signature = (
        urlsafe_b64encode(seed[:12]).decode(),
        urlsafe_b64encode(seed[12:]).decode().rstrip("="),
    )
    assume(re.search("[A-Z]", signature))  # there is always one among 43 letters, except with Hypothesis
    link = f"{reference}.{signature}"
    for written in (link, quote(f"{BEGINNING}{link}", safe=""), f"{BEGINNING}{link}/"):
        assert link not in unquote(MASKS.masked(before + written + after))


@settings(deadline=None)
@given(before=around, nip=nips_as_people_type_them(), after=around)
@example(before="%", nip=NIP, after="")
@example(before="1", nip=NIP, after="2")
def test_a_nip_is_never_said_in_any_spelling(before: str, nip: str, after: str) -> None:
    said = MASKS.masked(before + nip + after)

    assert nip not in said
    assert NIP not in re.sub(rf"{BETWEEN_DIGITS}|\+|\\xa0", "", unquote(unquote(said)))


@settings(deadline=None)
@given(before=around, at=st.sampled_from(["@", "%40", "%2540"]), after=around)
@example(before="a@b%", at="@", after="")
def test_an_address_is_never_said(before: str, at: str, after: str) -> None:
    said = MASKS.masked(before + ADDRESS.replace("@", at) + after)

    assert ADDRESS not in unquote(unquote(said))


@pytest.mark.parametrize("separator", ["", " ", ".", "-", "\u00a0", "%20", "+"])
def test_a_nip_is_shown_as_far_as_its_owner_knows_it_again(separator: str) -> None:
    grouped = Nip(NIP).grouped.replace(" ", separator)

    assert MASKS.masked(f"nip={grouped}&x=1") == f"nip={Nip(NIP).masked}&x=1"
    assert isinstance(read_nip(unquote(grouped).replace("+", " ")), Nip)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (f"serving {BEGINNING}{LINK}", f"serving {BEGINNING}***"),
        (f"serving {BEGINNING}/{'x' * 30}/y", f"serving {BEGINNING}/***"),
        (f"?next={quote(BEGINNING + LINK, safe='')}", f"?next={BEGINNING}***"),
        ("token WDJB-MJHT", "token ***"),
        ("wdjb mjht.", "***."),
        ("password=Kuda-Laut7&nip=x", "password=***&nip=x"),
        ("{'password': 'Kuda Laut 7', 'a': 1}", "{'password': ***, 'a': 1}"),
        ('{"csrf_token": "abc"}', '{"csrf_token": ***}'),
        ("Cookie: masuk=abc; perangkat=def\nHost: x", "Cookie: ***\nHost: x"),
        ("Authorization: Basic YTpi", "Authorization: ***"),
        ("{'HTTP_COOKIE': 'masuk=abc', 'PATH': '/'}", "{'HTTP_COOKIE': ***"),
        ("sent b'AUTH PLAIN AGEAYg=='", "sent b'AUTH PLAIN ***"),
        (
            "postgresql+psycopg://portal:geheim@db.example/portal",
            "postgresql+psycopg://***@db.example/portal",
        ),
        ("redis://:geheim@cache.example:6379", "redis://***@cache.example:6379"),
        (f"535 {OWN_SECRET} refused", "535 *** refused"),
        ("NIK 7301011203850001", "NIK 73010112***"),
        ("worker started", "worker started"),
        ("2026-11-27 23:31:27.123456 in 12.5 ms", "2026-11-27 23:31:27.123456 in 12.5 ms"),
        ("column user_account.phone does not exist", "column user_account.phone does not exist"),
    ],
)
def test_what_is_said_instead(written: str, said: str) -> None:
    assert MASKS.masked(written) == said


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_no_text_of_a_megabyte_makes_a_line_expensive(piece: str) -> None:
    whole = piece * (MILLION // len(piece))

    assert _seconds(whole) < 0.2, "of CPU: milliseconds, and this is a slow machine"


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_each_mask_looks_at_a_letter_a_bounded_number_of_times(piece: str) -> None:
    """The text is not cut here: a text eight times as long takes eight times as long, not sixty-four
    times."""
    short, long = (piece * (length // len(piece)) for length in (20_000, 160_000))

    assert _seconds(long, uncut=True) < 24 * max(_seconds(short, uncut=True), 0.002)


def _seconds(written: str, *, uncut: bool = False) -> float:
    mask = MASKS._hidden if uncut else MASKS.masked
    taken = []
    for _ in range(3):
        started = process_time()
        mask(written)
        taken.append(process_time() - started)
    return min(taken)


def test_a_long_text_keeps_its_head_and_its_tail_and_no_half_of_a_nip() -> None:
    assert cut("x" * 100) == "x" * 100
    for shift in range(25):
        written = f"begin {'x' * (KEPT_OF_HEAD - 6 - shift)}{Nip(NIP).grouped}{'y' * KEPT_OF_TAIL} end"
        said = cut(written)
        assert said.startswith("begin ")
        assert said.endswith(" end")
        assert len(said) < KEPT_OF_HEAD + KEPT_OF_TAIL + 40
        assert "198503" not in said or Nip(NIP).grouped in said


# -- the line as a whole
@pytest.fixture
def no_masks_left_over() -> Iterator[None]:
    kept = logs._masks
    yield
    logs._masks = kept


def _line(message: object = "said", *arguments: object, **extra: object) -> dict[str, object]:
    record = logging.getLogger("any.library").makeRecord(
        "any.library", logging.INFO, "f", 1, message, arguments, None, extra=extra
    )
    written = JsonLines().format(record)
    assert "\n" not in written
    assert written.isascii()
    said = json.loads(written)
    assert isinstance(said, dict)
    return said


def test_every_field_is_masked_whatever_it_is() -> None:
    fields = {
        "nip": NIP,
        "as number": int(NIP),
        "list": [ADDRESS, {"deep": f"password={LINK}"}],
        NIP: 1,
        "object": ValueError(ADDRESS),
        "session_token": "short",
        "method": "GET" * 20_000,
        "ms": 1.5,
        "seal": "3f" * 32,
        "head": f"1200:{'3f' * 32}",
    }
    said = _line("x", fields=fields)

    written = json.dumps(said)
    assert NIP not in written
    assert ADDRESS not in written
    assert LINK not in written
    assert "short" not in written
    assert len(written) < 15_000
    assert (said["ms"], said["seal"], said["head"]) == (1.5, "3f" * 32, f"1200:{'3f' * 32}")


@pytest.mark.parametrize(
    "character", ["\r\n", "\x1b[31m", "\u2028", "\u0085", "\u202e", "\x00", "\x7f", "\ud800"], ids=ascii
)
def test_no_character_breaks_a_line_or_reaches_a_terminal(character: str) -> None:
    assert _line(f"a{character}b")["message"] == f"a{character}b"


class _Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError(ADDRESS)


def test_a_record_that_cannot_be_put_into_words_is_still_a_line() -> None:
    assert ADDRESS not in json.dumps(_line("%s %s", ADDRESS))
    assert "level" in _line("%s", _Unspeakable())
    assert "unwritable" in str(_line("x", fields={"x": _Unspeakable()})["message"])


def test_all_exceptions_of_a_chain_are_masked_and_the_last_is_kept() -> None:
    try:
        try:
            raise ValueError(f"{ADDRESS} {'x' * 100_000}")
        except ValueError as first:
            raise RuntimeError(f"nip {NIP}") from first
    except RuntimeError as fault:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "accident", (), (type(fault), fault, fault.__traceback__)
        )
    line = json.loads(JsonLines().format(record))

    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith(f"RuntimeError: nip {Nip(NIP).masked}")
    assert ADDRESS not in line["exception"]
    assert len(line["exception"]) < 13_000


def test_the_databases_password_stays_out_of_its_faults() -> None:
    with pytest.raises(OperationalError) as told:
        create_engine("postgresql+psycopg://portal:geheim-sekali@127.0.0.1:1/x").connect().execute(
            text("SELECT 1")
        )

    assert "geheim-sekali" not in logs.masked(
        f"{told.value!r} postgresql://portal:geheim-sekali@127.0.0.1:1/x"
    )


@pytest.mark.usefixtures("no_masks_left_over")
def test_every_secret_route_of_the_url_map_is_known(make_app: MakeApp) -> None:
    app: Flask = make_app()
    secret = {
        rule.rule for rule in app.url_map.iter_rules() if "<link>" in rule.rule or "<name>" in rule.rule
    }
    assert len(secret) >= 4

    for rule in secret:
        path = re.sub(r"<\w+>", "Tautan-Rahasia", rule)
        assert "Tautan" not in logs.masked(f"Client disconnected while serving {path}"), rule
        assert "Tautan" not in logs.masked(quote(quote(path, safe=""), safe="")), rule
    assert logs.masked("/admin/pegawai/12/ubah /login") == "/admin/pegawai/12/ubah /login"
    assert set(secret_beginnings(app.url_map)) == logs.PATHS_OF_SECRETS, "the worker masks them too"


@pytest.mark.usefixtures("no_masks_left_over")
def test_a_new_secret_route_is_masked_from_its_first_day(make_app: MakeApp) -> None:
    app: Flask = make_app()
    app.add_url_rule("/undangan/<int:number>/<path:code>", "invitation", lambda **_: "")

    assert "/undangan/" in set(secret_beginnings(app.url_map))
    logs.keep_out(app, app.extensions["portal"].settings)
    assert logs.masked("/undangan/1/rahasia?x=1") == "/undangan/***?x=1"


@pytest.mark.usefixtures("no_masks_left_over")
def test_secrets_of_the_settings_are_never_said(make_app: MakeApp) -> None:
    secrets = {
        "SECRET_KEY": "kunci rahasia milik portal, cukup panjang",
        "METRICS_TOKEN": "ukuran-hanya-untuk-kami",
        "MAIL_SERVER": "mail.example",
        "MAIL_USERNAME": "portal",
        "MAIL_PASSWORD": "surat, hanya untuk kami",
        "MAIL_USE_TLS": "1",
    }
    make_app(**secrets)

    for name in ("SECRET_KEY", "METRICS_TOKEN", "MAIL_PASSWORD"):
        assert logs.masked(f"({secrets[name]})") == "(***)"


def test_what_python_itself_would_write_is_a_line_too() -> None:
    accidents = (
        "import logging, threading, warnings\n"
        "from app.runtime import logs\n"
        "logs.configure()\n"
        f"warnings.warn('{ADDRESS}')\n"
        f"logging.getLogger('lib').info('%d', '{ADDRESS}')\n"
        f"thread = threading.Thread(target=int, args=('{ADDRESS}',)); thread.start(); thread.join()\n"
        f"raise ValueError('{NIP}')\n"
    )
    ended = subprocess.run([sys.executable, "-c", accidents], cwd=ROOT, capture_output=True, text=True)

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert [line["logger"] for line in lines] == ["py.warnings", "lib", "portal", "portal"]
    assert NIP not in ended.stderr
    assert ADDRESS not in ended.stderr
