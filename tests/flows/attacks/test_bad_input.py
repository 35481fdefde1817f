"""Nonsense gets a page that says what to do. It is never a 500, and nothing changes."""

from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.models import LoginSession, OutboxMail, ResetRequest
from app.runtime.db import reading
from tests.cast import BUDI, PASSWORD, SARI
from tests.visitor import Visitor, words_of

NONSENSE = {
    "empty": "",
    "blank": " \t ",
    "a megabyte": "9" * 1_000_000,
    "long": "9" * 5_000,
    "null": "null",
    "braces": "{}",
    "brackets": "[]",
    "percent zero": "%00",
    "zero byte": "1985\x00",
    "control": "\x1b[31m",
    "look-alikes": "l985O3l22OlOOl2OOl",
    "full-width digits": "１９８５０３１２２０１００１２００１",
    "arabic digits": "١٩٨٥٠٣١٢٢٠١٠٠١٢٠٠١",
    "right to left": "\u202e198503122010012001",
    "nik": "7301011203850001",
    "old nip": "131234567",
    "sql": "' OR 1=1 --",
    "html": "<script>alert(1)</script>",
    "template": "{{ 'zz' * 4 }}",
    "header": "a@b.id\r\nBcc: c@d.id",
    "emoji": "😀" * 18,
}
FORMS = {
    "/login": {"nip": SARI.nip, "password": PASSWORD},
    "/lupa-password": {"nip": BUDI.nip, "email": "budi@nusajaya.example"},
    "/reset-password": {"nip": BUDI.nip, "token": "WDJB-MJHT", "password": "Kuda-Laut7"},
    "/perbaikan-email": {"nip": BUDI.nip, "email": "budi.baru@nusajaya.example"},
}
PAGES = {**{path: path for path in FORMS}, "/reset-password": "/konfirmasi-reset-password"}
FIELDS = [(path, field) for path, fields in FORMS.items() for field in fields]


def _rows(app: Flask) -> list[int]:
    with app.app_context(), reading() as session:
        tables = (ResetRequest, OutboxMail, LoginSession)
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_in_any_field_is_refused_with_a_page(peopled: Flask, nonsense: str) -> None:
    for path, field in FIELDS:
        if (field, nonsense) == ("nip", NONSENSE["right to left"]):
            continue  # direction marks come along when people paste real NIPs, so they are read
        visitor = Visitor(peopled)
        token = visitor.csrf_token(PAGES[path])

        answer = visitor.post(path, **{**FORMS[path], field: nonsense, "csrf_token": token})

        assert 400 <= answer.status_code < 500, (path, field, answer.status_code)
        assert "</html>" in answer.text
        assert "Simulasi - bukan layanan resmi BKN" in answer.text
        assert "<script>alert" not in answer.text
        assert "zzzzzzzz" not in answer.text
    assert _rows(peopled) == [0, 0, 0]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Isi NIP Anda"),
        ("7301011203850001", "NIK"),
        ("131234567", "NIP lama"),
        ("19850312201001200", "Baru 17 angka yang terisi"),
        ("1985031220100120011", "padahal NIP terdiri dari 18"),
        ("1985O312 201001 2 001", "hanya berisi angka"),
        ("9" * 200, "terlalu panjang"),
    ],
)
def test_each_slip_in_a_nip_has_its_own_sentence_and_stays_in_the_field(
    visitor: Visitor, typed: str, sentence: str
) -> None:
    answer = visitor.log_in(typed)

    assert answer.status_code == 422
    assert words_of(answer).count(sentence) == 2, "in the summary and at the field"
    assert f'value="{typed}"' in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_two_values_for_one_field_are_refused(visitor: Visitor, path: str) -> None:
    token = visitor.csrf_token(PAGES[path])
    for field in FORMS[path]:
        fields = [*({**FORMS[path], "csrf_token": token}).items(), (field, "another")]

        answer = visitor.client.post(path, data="&".join(f"{name}={value}" for name, value in fields),
                                     content_type="application/x-www-form-urlencoded")  # fmt: skip

        assert answer.status_code == 400
        assert "satu isian untuk setiap kolom" in words_of(answer)


@pytest.mark.parametrize(
    "path", [*FORMS, "/logout", "/konfirmasi-reset-password/kirim-ulang", "/akun/tetap-masuk"]
)
def test_json_and_other_bodies_are_refused(visitor: Visitor, path: str) -> None:
    for body, kind in (
        (b'{"nip": null}', "application/json"),
        (b"[]", "application/json"),
        (b"<x/>", "text/xml"),
        (b"a=1", "text/plain"),
    ):
        answer = visitor.client.post(path, data=body, content_type=kind)

        assert answer.status_code == 400
        assert "hanya menerima isian formulirnya sendiri" in words_of(answer)


@pytest.mark.parametrize("path", FORMS)
def test_a_file_instead_of_text_is_refused(visitor: Visitor, path: str) -> None:
    data = {"csrf_token": visitor.csrf_token(PAGES[path]), "nip": (BytesIO(b"x" * 1000), "nip.txt")}

    answer = visitor.client.post(path, data=data, content_type="multipart/form-data")

    assert answer.status_code == 400


def test_a_body_of_a_megabyte_is_refused_before_it_is_read(visitor: Visitor) -> None:
    answer = visitor.post("/login", nip="9" * 1_000_000)

    assert answer.status_code == 413
    assert "terlalu besar" in words_of(answer)


@pytest.mark.parametrize(
    "path", ["/logout", "/reset-password", "/konfirmasi-reset-password/kirim-ulang", "/akun/akhiri-sesi-lain"]
)
def test_opening_what_only_takes_a_form_says_so(visitor: Visitor, path: str) -> None:
    answer = visitor.open(path)

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "dibuka lewat tombol" in words_of(answer)


@pytest.mark.parametrize("path", FORMS)
def test_a_lost_csrf_token_keeps_what_was_typed_but_no_password(peopled: Flask, path: str) -> None:
    for csrf_token in ("", "nonsense", None):
        visitor = Visitor(peopled)
        visitor.open(PAGES[path])
        fields = FORMS[path] if csrf_token is None else {**FORMS[path], "csrf_token": csrf_token}

        answer = visitor.post(path, **fields)

        assert answer.status_code == 400
        assert "Isian Anda masih ada" in words_of(answer)
        assert fields["nip"] in answer.text
        assert fields.get("email", "") in answer.text
        assert PASSWORD not in answer.text
        assert "Kuda-Laut7" not in answer.text
    assert _rows(peopled) == [0, 0, 0]


def test_sending_the_form_again_after_a_lost_csrf_token_works(visitor: Visitor) -> None:
    refused = visitor.post("/login", **FORMS["/login"])
    token = refused.text.split('name="csrf_token" type="hidden" value="')[1].split('"')[0]

    assert visitor.post("/login", csrf_token=token, **FORMS["/login"]).status_code == 303


def test_every_post_without_a_csrf_token_changes_nothing(peopled: Flask, visitor: Visitor) -> None:
    visitor.log_in(SARI.nip)
    rules = [
        rule.rule
        for rule in peopled.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and "<" not in rule.rule
    ]
    assert len(rules) >= 7

    for rule in rules:
        assert visitor.post(rule, **FORMS.get(rule, {})).status_code == 400, rule

    assert visitor.is_logged_in()


@pytest.mark.parametrize(
    "link", ["x", "%00", "null", "a.b", "A" * 16 + "." + "b" * 43, "A" * 5000, "..%2f..%2fetc%2fpasswd"]
)
def test_a_broken_link_says_what_to_do(visitor: Visitor, link: str) -> None:
    for path in (f"/konfirmasi-reset-password/{link}", f"/perbaikan-email/{link}"):
        answer = visitor.open(path)

        assert answer.status_code == 404
        assert "Yang dapat Anda lakukan" in answer.text
        assert "</html>" in answer.text


@pytest.mark.parametrize("cookie", ["masuk", "perangkat", "formulir"])
@pytest.mark.parametrize("value", ["", "x", "\x7f", "a.b.c", "e30.x.y", "=" * 3000])
def test_junk_in_a_cookie_is_nobody(visitor: Visitor, cookie: str, value: str) -> None:
    visitor.client.set_cookie(cookie, value, domain="localhost")

    assert visitor.open("/login").status_code == 200
    assert not visitor.is_logged_in()


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost:81", "localhost@evil.example", ""]
)
def test_another_host_is_refused(peopled: Flask, host: str) -> None:
    answer = peopled.test_client().get("/login", headers={"Host": host})

    assert answer.status_code == 400
    assert "evil" not in answer.text


def test_every_page_carries_the_protecting_headers(visitor: Visitor) -> None:
    visitor.log_in(SARI.nip)
    for path in (
        "/login",
        "/lupa-password",
        "/beranda",
        "/akun",
        "/bantuan",
        "/tidak-ada",
        "/logout",
        "/healthz",
    ):
        headers = visitor.open(path).headers

        assert headers["Cache-Control"] == "no-store", path
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert (
            headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        )
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Strict-Transport-Security" not in headers, "only where PUBLIC_URL is https"


def test_no_page_holds_inline_script_or_style(visitor: Visitor) -> None:
    visitor.log_in(SARI.nip)
    for path in (
        "/login",
        "/lupa-password",
        "/konfirmasi-reset-password",
        "/beranda",
        "/akun",
        "/bantuan",
        "/status",
        "/kuki",
        "/tidak-ada",
    ):
        page = visitor.open(path).text

        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
        assert page.count("<script") == page.count("<script src=")


def test_the_demo_mailbox_is_a_page_of_the_demo_only(visitor: Visitor) -> None:
    assert visitor.open("/kotak-surat").status_code == 404
