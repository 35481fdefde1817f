"""The portal looks at a file last: first it checks who may send one, then how often, and then reads it at a
small cost."""

import gc
import warnings
from datetime import timedelta
from io import BytesIO
from time import process_time

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app.domain.indonesian_time import now
from app.web.headers import MOST_PARTS_WITH_A_FILE
from app.web.ticket_page import LONGEST_BODY
from tests.cast import JOKO, SARI
from tests.conftest import MakeApp, people
from tests.flows.correction.test_correction_asked import (
    FORM,
    JPEG,
    attachments_in,
    link_for,
    send,
    with_another_signature,
)
from tests.inbox import Inbox
from tests.visitor import Visitor

# For these tests the kind of database does not matter
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NONSENSE = b"\xff\xd8\xff\x01" * 1_000


class _Body(BytesIO):
    was_read = False

    def read(self, size: int | None = -1) -> bytes:
        self.was_read = True
        return super().read(size)

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self.was_read = True
        return super().readinto(buffer)


def _send_unread(visitor: Visitor, link: str) -> TestResponse:
    """Send a long body that nobody reads."""
    answer, was_read = _send_long_body(visitor, link)
    assert not was_read, link
    return answer


def _send_long_body(visitor: Visitor, link: str) -> tuple[TestResponse, bool]:
    body = _Body(b"--x")
    answer = visitor.client.post(
        link,
        input_stream=body,
        content_length=LONGEST_BODY,
        content_type="multipart/form-data; boundary=x",
        environ_base={"REMOTE_ADDR": "203.0.113.7"},
    )
    return answer, body.was_read


def test_without_a_fresh_link_no_byte_of_a_body_is_read(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    fresh, own = link_for(peopled, inbox), link_for(peopled, inbox, SARI.nip, SARI.email or "")
    assert _send_unread(visitor, "/perbaikan-email/nonsense").status_code == 404
    assert _send_unread(visitor, with_another_signature(fresh)).status_code == 404
    assert _send_unread(visitor, own).status_code == 303, "what is on record already needs no proof"
    assert _send_long_body(visitor, fresh)[1], "here it is read"

    assert send(visitor, fresh, JPEG).status_code == 303
    assert _send_unread(visitor, fresh).status_code == 303, "the ticket"

    with time_machine.travel(now() + timedelta(days=8)):
        assert _send_unread(visitor, fresh).status_code == 200, "an old link shows it too"


def test_an_old_link_that_was_never_used_is_refused_before_the_file(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    link = link_for(peopled, inbox)

    with time_machine.travel(now() + timedelta(days=8)):
        assert _send_unread(visitor, link).status_code == 404


def test_every_file_counts_whatever_becomes_of_it_and_the_next_is_not_read(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    link = link_for(peopled, inbox)
    token = visitor.csrf_token(link)

    def refused(visitor: Visitor, address: str) -> int:
        data = {**FORM, "csrf_token": token, "attachment": (BytesIO(NONSENSE), "sk.jpg")}
        return visitor.client.post(link, data=data, environ_base={"REMOTE_ADDR": address}).status_code

    assert {refused(visitor, "203.0.113.7") for _ in range(10)} == {422}

    stopped = _send_unread(visitor, link)
    assert stopped.status_code == 429
    assert int(stopped.headers["Retry-After"]) <= 3600
    assert refused(visitor, "198.51.100.9") == 429, "by this link from no line; another link goes on"
    assert attachments_in(peopled) == []


def test_uploads_are_not_counted_where_limits_per_address_are_off(
    make_app: MakeApp, password_hash: str
) -> None:
    app = make_app(ADDRESS_LIMITS="off")
    people(app, password_hash)
    visitor, inbox = Visitor(app), Inbox(app)

    assert send(visitor, link_for(app, inbox), JPEG).status_code == 303


PART = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"%s\r\n\r\nx\r\n'
BODIES = {
    "parts that are all header": PART % (b"; a=b" * 26_000) * MOST_PARTS_WITH_A_FILE,
    "a header without end": PART % (b"; a=b" * 2_000_000),
    "ten thousand parts": PART % b"" * 10_000,
    "headers without end": b"--x\r\n" + b"A: b\r\n" * 2_000_000,
    "almost boundaries": PART % b"" + b"\r\n--" * 2_900_000,
    "line breaks": PART % b"" + b"\n" * LONGEST_BODY,
    "no boundary": b"x" * LONGEST_BODY,
    "fields": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"a" * LONGEST_BODY,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_no_body_of_a_form_costs_much_even_behind_a_real_link(
    peopled: Flask, visitor: Visitor, inbox: Inbox, body: bytes
) -> None:
    link = link_for(peopled, inbox, JOKO.nip)
    visitor.open(link)
    with warnings.catch_warnings():
        # If a form is refused halfway, the garbage collector closes its file
        warnings.simplefilter("ignore", ResourceWarning)
        began = process_time()
        answer = visitor.client.post(
            link, data=body[:LONGEST_BODY], content_type="multipart/form-data; boundary=x"
        )
        spent = process_time() - began
        gc.collect()

    assert spent < 3, "of CPU; the worst takes 0.4 s, and twice that where other programs share the processor"
    assert answer.status_code in (400, 413)


# -- nothing else that strangers send is slow
SLOW = {
    "letters": "a",
    "blanks": " ",
    "lines": "\n ",
    "dots": "a.",
    "at": "@",
    "digits": "9",
    "spread digits": "1 ",
    "marks": "e\u0301",
    "slashes": "/",
    "encoded": "%25",
    "dashes": "-",
    "consonants": "B-",
    "invisible": "\u200b",
}
FORMS = {
    "/login": ("nip", "password"),
    "/lupa-password": ("nip", "email", "email_checked", "form_id"),
    "/reset-password": ("nip", "token", "password"),
    "/perbaikan-email": ("nip", "email", "email_checked", "form_id"),
}
PAGE_OF = {"/reset-password": "/konfirmasi-reset-password"}
QUERIES = (
    "/login?next=",
    "/perbaikan-email?cari=",
    "/konfirmasi-reset-password?nip=",
    "/konfirmasi-reset-password/",
    "/bukan-saya/",
)


@pytest.mark.parametrize("piece", SLOW.values(), ids=SLOW)
def test_no_text_in_a_field_a_query_or_a_cookie_is_slow_to_read(visitor: Visitor, piece: str) -> None:
    long = (piece * 60_000)[: 60_000 // len(piece.encode())]
    for path, fields in FORMS.items():
        token = visitor.csrf_token(PAGE_OF.get(path, path))
        for field in fields:
            fine = {
                "nip": SARI.nip,
                "email": SARI.email or "",
                "token": "WDJB-MJHT",
                "password": "Kuda-Laut7",
            }
            began = process_time()
            visitor.post(path, **{**fine, field: long[:20_000], "csrf_token": token})
            assert process_time() - began < 0.5, (path, field)
    for path in QUERIES:
        began = process_time()
        visitor.client.get(path + long[:20_000].replace("\n", "").replace("%25", "%2525"))
        assert process_time() - began < 0.5, path
    for cookie in ("masuk", "perangkat", "formulir"):
        began = process_time()
        visitor.client.get("/login", headers={"Cookie": f"{cookie}={'a.' * 100_000}"})
        assert process_time() - began < 0.5, cookie
