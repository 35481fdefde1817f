"""What a stranger could do to the portal. Each of these tests has found a real defect."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from limits import parse
from sqlalchemy import select

from app.domain.indonesian_time import now
from app.models import User
from app.models.email_correction import EmailCorrection
from app.runtime.db import reading, unit_of_work
from app.web import limits
from tests.cast import BUDI, JOKO, RATNA, STRANGERS_NIP
from tests.conftest import MakeApp, people
from tests.desk import person_id
from tests.flows.correction.test_correction_asked import keep_house, link_for, send
from tests.flows.correction.test_correction_attacks import _correction, _submitted
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


# -- who has what on record
@pytest.mark.parametrize("act", ["ask", "again"])
def test_the_mails_that_a_line_has_left_do_not_tell_whether_a_guess_was_right(
    peopled: Flask, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """A token does not count against the line's mails to others, but a wrong guess does. So the next mail to
    the stranger's own mailbox could tell, by coming or not, whether NIP and address belong together. *Kirim
    ulang* could tell the same."""
    # 200 would take longer and test the same
    monkeypatch.setattr(limits, "_OTHER_MAILS", parse("5 per hour"))

    def own_mail_after(guess: str, line: str) -> int:
        guesser, before = Visitor(peopled, line), 4 if act == "ask" else 3
        with time_machine.travel(now(), tick=False) as clock:
            # It does not matter how the guess itself counts: this test is about sending it again
            if act == "again":
                guesser.ask_for_token(BUDI.nip, guess)
                clock.shift(timedelta(minutes=2))
            for number in range(before):
                Visitor(peopled, line).ask_for_token(STRANGERS_NIP, f"saya{number}@maling{line[-1]}.example")
            if act == "again":
                guesser.submit("/konfirmasi-reset-password", "/konfirmasi-reset-password/kirim-ulang")
            else:
                guesser.ask_for_token(BUDI.nip, guess)
            inbox.fetch()
            Visitor(peopled, line).ask_for_token(STRANGERS_NIP, f"saya@maling{line[-1]}.example")
            return len(inbox.fetch())

    wrong = own_mail_after("bukan.budi@nusajaya.example", "203.0.113.7")
    assert own_mail_after(BUDI.email or "", "203.0.113.8") == wrong


# -- limits that strangers use up
@pytest.mark.parametrize("path", ["/lupa-password", "/perbaikan-email"])
def test_asks_with_other_spellings_of_a_mailbox_do_not_refuse_its_owner(
    peopled: Flask, inbox: Inbox, path: str
) -> None:
    """Thirty asks that never send a token come from one office or one CGNAT address. They must not make the
    owner's own ask a 429."""
    with time_machine.travel(now(), tick=False):
        for number in range(30):
            Visitor(peopled).submit(path, nip=BUDI.nip, email=(BUDI.email or "").replace("@", f"+{number}@"))
        assert BUDI.email not in [mail.to for mail in inbox.fetch()]

        answer = Visitor(peopled).submit(path, nip=BUDI.nip, email=BUDI.email or "")

    assert answer.status_code == 303


def test_one_line_of_ipv6_does_not_keep_the_owner_out_of_the_queue(peopled: Flask) -> None:
    """One subscriber has 2^64 addresses. If turns were taken over whole addresses, the first 1000 would all
    be theirs."""
    with peopled.app_context(), unit_of_work() as session:
        joko = session.get_one(User, person_id(peopled, JOKO))
        for number in range(5):
            session.add(_correction(JOKO, number, joko, client_address=f"2001:db8::{number:x}"))
        for number in range(5, 1005):
            session.add(_correction(JOKO, number, None, client_address=f"2001:db8::{number:x}"))
        later, own = now() + timedelta(minutes=1), "joko@nusajaya.example"
        session.add(
            _correction(JOKO, 9999, None, client_address="198.51.100.9", new_email=own, submitted_at=later)
        )

    keep_house(peopled)

    with peopled.app_context(), reading() as session:
        in_queue = session.scalars(
            select(EmailCorrection.new_email).where(EmailCorrection.user_id.is_not(None))
        ).all()
    assert "joko@nusajaya.example" in in_queue


def test_five_files_of_one_line_do_not_take_the_owners_place(peopled: Flask) -> None:
    """Otherwise the first line that comes could take all five places for files about a NIP, each day
    again."""
    with peopled.app_context(), unit_of_work() as session:
        for number in range(5):
            _submitted(session, JOKO.nip, f"palsu{number}@maling.example", "203.0.113.7", attached=True)
        own = _submitted(session, JOKO.nip, "joko@nusajaya.example", "198.51.100.9", attached=True)

    assert not own.file_not_kept


def test_the_holder_of_one_link_does_not_use_up_the_forms_of_his_office(peopled: Flask, inbox: Inbox) -> None:
    """A hundred empty posts, without a file or a CSRF token, must not prevent everybody else on that line
    from sending a request for an hour."""
    own = link_for(peopled, inbox, JOKO.nip, "joko@nusajaya.example")
    link = link_for(peopled, inbox, STRANGERS_NIP, "saya@maling.example")
    for _ in range(100):
        Visitor(peopled).post(link)

    assert send(Visitor(peopled), own).status_code == 303


# -- accidents
@pytest.mark.parametrize("path", ["/login", "/lupa-password", "/reset-password", "/logout", "/bukan-saya/x"])
@pytest.mark.parametrize("of_part", ["", '; filename="a"'])
def test_a_part_without_a_name_is_a_broken_form(peopled: Flask, path: str, of_part: str) -> None:
    body = f"--x\r\nContent-Disposition: form-data{of_part}\r\n\r\nq\r\n--x--\r\n".encode()
    client = Visitor(peopled).client
    client.application.config["PROPAGATE_EXCEPTIONS"] = False

    answer = client.post(path, data=body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 400
    assert "satu isian untuk setiap kolom" in answer.text, (
        "refused as broken, not as a form without CSRF token"
    )


_WITHOUT_LIMITS = """
import sys
from app.wiring import create_app
from config import Settings
app = create_app(Settings.from_env({
    "PORTAL_ENV": "test", "DATABASE_URL": sys.argv[1],
    "SECRET_KEY": "a key for tests only, of no use elsewhere",
    "PUBLIC_URL": "http://localhost", "INSTANCE_PATH": sys.argv[2], "ADDRESS_LIMITS": "off",
}))
app.config["WTF_CSRF_ENABLED"] = False
data = {"nip": "197001011995011999", "email": "orang@contoh.example"}
print(app.test_client().post(sys.argv[3], data=data).status_code)
"""


@pytest.mark.parametrize("path", ["/lupa-password", "/perbaikan-email"])
def test_asking_works_where_limits_per_address_are_off(database_url: str, tmp_path: Path, path: str) -> None:
    """This runs in a process of its own, because a process has only one limiter, and another test has opened
    its counters."""
    command = [sys.executable, "-c", _WITHOUT_LIMITS, database_url, str(tmp_path), path]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.stdout.strip() == "303", ended.stderr[-500:]


@pytest.mark.parametrize(
    "path", ["/admin/cpns/setujui", "/admin/instansi/1/jadwal", "/admin/instansi/jadwal-nasional"]
)
def test_an_empty_form_with_its_csrf_token_in_the_header_is_no_accident(peopled: Flask, path: str) -> None:
    ratna = logged_in(peopled, RATNA)
    token = ratna.csrf_token("/akun")
    peopled.config["PROPAGATE_EXCEPTIONS"] = False

    assert ratna.client.post(path, headers={"X-CSRFToken": token}).status_code < 500


# -- pages that a stranger may not see
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/metrics"),
        ("OPTIONS", "/metrics"),
        ("POST", "/proxyz"),
        ("OPTIONS", "/proxyz"),
        ("POST", "/kotak-surat"),
    ],
)
def test_who_may_not_read_it_does_not_learn_that_it_exists(
    make_app: MakeApp, password_hash: str, method: str, path: str
) -> None:
    app = make_app(METRICS_TOKEN="gT5mZ2pQ8sKd1Xa7")
    people(app, password_hash)

    answer = app.test_client().open(path, method=method, environ_base={"REMOTE_ADDR": "203.0.113.9"})

    assert (answer.status_code, answer.headers.get("Allow")) == (404, None)
