"""The commands that an operator types, and the addresses that machines ask."""

import json
from datetime import date

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.domain.indonesian_time import now
from app.models import AdminMandate, AuditEvent, GuessBucket, LoginSession, Tag, ThrottleBucket, User
from app.runtime.db import reading, unit_of_work
from app.web import hash_wait
from app.worker.figures import renew_figures
from tests.cast import BUDI, CAST, CINTA, SARI, STRANGERS_NIP, WATI
from tests.conftest import MakeApp
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of


def test_the_demo_loads_once_and_says_what_to_try(make_app: MakeApp) -> None:
    app = make_app(PORTAL_ENV="demo")

    def people() -> list[str]:
        with app.app_context(), reading() as session:
            return list(session.scalars(select(User.nip).order_by(User.id)))

    first = app.test_cli_runner().invoke(args=["demo"]).output
    loaded = people()
    second = app.test_cli_runner().invoke(args=["demo"]).output

    assert all(BUDI.nip in output and "/kotak-surat" in output for output in (first, second))
    assert {person.nip for person in CAST} < set(loaded)
    assert people() == loaded


def test_the_demo_has_a_living_queue_and_a_month_to_look_back_on(make_app: MakeApp) -> None:
    app = make_app(PORTAL_ENV="demo")
    app.test_cli_runner().invoke(args=["demo"])
    wati = logged_in(app, WATI)

    queue = words_of(wati.open("/admin/perbaikan-email"))

    assert queue.count("PE-") >= 5
    assert "lewat 24 jam" in queue
    assert "Agus Saputra" in words_of(wati.open("/admin/perbaikan-email?lihat=terjadwal"))
    assert "Cinta Maharani" in words_of(wati.open("/admin/cpns"))


def test_the_demo_stays_out_of_production_data(app: Flask) -> None:
    refused = app.test_cli_runner().invoke(args=["demo"])

    assert refused.exit_code == 1
    assert "PORTAL_ENV=demo" in refused.output


def test_the_demo_mailbox_shows_the_mail(make_app: MakeApp) -> None:
    app = make_app(PORTAL_ENV="demo")
    app.test_cli_runner().invoke(args=["demo"])
    visitor = Visitor(app, "127.0.0.1")
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = next(mail for mail in Inbox(app).fetch() if mail.to == BUDI.email)

    listed = visitor.open("/kotak-surat?untuk=BUDI@nusajaya")
    assert mail.subject in listed.text
    name = listed.text.split('href="/kotak-surat/')[1].split('"')[0]

    assert mail.code in visitor.open(f"/kotak-surat/{name}").text
    assert visitor.open("/kotak-surat/..%2fsecret_key").status_code == 404
    for other in (Visitor(app, "203.0.113.7"), Visitor(app, "10.0.0.7"), Visitor(app, "::ffff:203.0.113.7")):
        assert other.open("/kotak-surat").status_code == other.open(f"/kotak-surat/{name}").status_code == 404
    forwarded = visitor.client.get("/kotak-surat", headers={"X-Forwarded-For": "127.0.0.1"})
    assert forwarded.status_code == 404, "a web server of this machine lets others in"


def test_what_somebody_wrote_into_a_mail_runs_nowhere(make_app: MakeApp) -> None:
    """A letter might forget to escape a name, which may hold anything."""
    app = make_app(PORTAL_ENV="demo")
    folder = app.extensions["portal"].settings.mail_folder
    folder.mkdir(parents=True)
    attack = "<script>alert(1)</script>"
    parts = "".join(
        f"--x\nContent-Type: text/{kind}\n\n<head></head>{attack}\n" for kind in ("plain", "html")
    )
    head = f"Subject: {attack}\nTo: {attack}\nContent-Type: multipart/alternative; boundary=x\n\n"
    (folder / "AAAABBBBCCCCDDDD.eml").write_text(f"{head}{parts}--x--\n")
    visitor = Visitor(app, "127.0.0.1")

    pages = [visitor.open(path) for path in ("/kotak-surat", "/kotak-surat/AAAABBBBCCCCDDDD")]
    frame = visitor.open("/kotak-surat/AAAABBBBCCCCDDDD/html")

    for page in pages:
        assert attack not in page.text
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "frame-src 'self'" in pages[1].headers["Content-Security-Policy"]
    assert "frame-src" not in pages[0].headers["Content-Security-Policy"]
    assert attack in frame.text, "a mail program would get it too"
    rules = frame.headers["Content-Security-Policy"].split("; ")
    assert rules[:2] == ["sandbox allow-top-navigation-by-user-activation", "default-src 'none'"]
    assert not [rule for rule in rules if rule.startswith(("script-src", "connect-src", "frame-src"))]
    assert Visitor(app, "203.0.113.7").open("/kotak-surat/AAAABBBBCCCCDDDD/html").status_code == 404


def test_an_open_demo_shows_its_mail_to_the_world(make_app: MakeApp) -> None:
    app = make_app(PORTAL_ENV="demo", DEMO_OPEN_TO_THE_WORLD="yes", PUBLIC_URL="http://demo.contoh.go.id")
    (app.extensions["portal"].settings.mail_folder).mkdir(parents=True)

    page = app.test_client().get(
        "/kotak-surat", base_url="http://demo.contoh.go.id", environ_base={"REMOTE_ADDR": "203.0.113.7"}
    )

    assert page.status_code == 200


def test_only_who_waits_can_be_approved(peopled: Flask) -> None:
    runner = peopled.test_cli_runner()

    assert runner.invoke(args=["approve", CINTA.nip]).exit_code == 0
    for nip in (CINTA.nip, SARI.nip, STRANGERS_NIP):
        refused = runner.invoke(args=["approve", nip])
        assert refused.exit_code == 1
        assert "menunggu persetujuan" in refused.output
    assert "NIK" in runner.invoke(args=["approve", "7301011203850001"]).output


def test_a_mandate_is_granted_with_its_letter_and_last_day(peopled: Flask) -> None:
    runner = peopled.test_cli_runner()
    grant = ["admin", "grant", SARI.nip, "--sk", "SK/12/2026", "--until", "2999-12-31"]

    assert runner.invoke(args=[*grant, "--instansi", "7301"]).exit_code == 0
    with peopled.app_context(), reading() as session:
        sari = session.scalars(select(User).where(User.nip == SARI.nip)).one()
        assert AdminMandate.holds_for(session, sari.id, date(2999, 12, 31))
        assert not AdminMandate.holds_for(session, sari.id, date(3000, 1, 1))

    assert runner.invoke(args=[*grant, "--instansi", "0000"]).exit_code == 1
    assert runner.invoke(args=[*grant, "--instansi", "7301", "--pusat"]).exit_code == 2
    assert (
        runner.invoke(
            args=["admin", "grant", STRANGERS_NIP, "--pusat", "--sk", "x", "--until", "2999-12-31"]
        ).exit_code
        == 1
    )
    assert (
        runner.invoke(
            args=["admin", "grant", SARI.nip, "--pusat", "--sk", "x", "--until", "2020-01-01"]
        ).exit_code
        == 1
    )


def test_the_database_itself_refuses_what_the_rules_forbid(peopled: Flask) -> None:
    def change(**values: object) -> None:
        with peopled.app_context(), unit_of_work() as session:
            user = session.scalars(select(User).where(User.nip == WATI.nip)).one()
            for name, value in values.items():
                setattr(user, name, value)

    for values in (
        {"nip": SARI.nip},
        {"nip": "123"},
        {"email": None},
        {"email": SARI.email, "email_key": SARI.email},
    ):
        with pytest.raises(IntegrityError):
            change(**values)


def test_housekeeping_removes_what_is_over_and_nothing_else(peopled: Flask) -> None:
    logged_in(peopled, SARI)
    Visitor(peopled).log_in(BUDI.nip, "Salah-1")
    Visitor(peopled).reset_password("WDJB-MJHT", "Kuda-Laut7", nip=BUDI.nip)
    with time_machine.travel(now(), tick=False) as clock:
        assert (
            "sessions: 0, throttles: 0, guesses: 0"
            in peopled.test_cli_runner().invoke(args=["housekeeping"]).output
        )
        clock.shift(100 * 24 * 3600)

        removed = peopled.test_cli_runner().invoke(args=["housekeeping"]).output

    assert "sessions: 1, throttles: 1, guesses: 2" in removed
    with peopled.app_context(), reading() as session:
        assert not session.scalars(select(LoginSession)).all()
        assert not session.scalars(select(ThrottleBucket)).all()
        assert not session.scalars(select(GuessBucket)).all()
        assert session.scalars(select(AuditEvent)).all(), "the trail stays"


def test_alive_ready_and_metrics(peopled: Flask) -> None:
    visitor = Visitor(peopled, "127.0.0.1")
    assert visitor.open("/healthz").text == "ok\n"
    assert visitor.open("/readyz").text == "ok\n"

    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    with peopled.app_context():
        renew_figures()
    assert 'portal_outbox_mails{letter="token",state="menunggu"} 1.0' in visitor.open("/metrics").text

    assert Visitor(peopled, "203.0.113.7").open("/metrics").status_code == 404
    proxied = peopled.test_client().get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"})
    assert proxied.status_code == 404, "behind an unconfigured proxy everybody seems to be local"


TOKEN = "let-prometheus-in"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
HERE, ELSEWHERE = "127.0.0.1", "203.0.113.7"


@pytest.mark.parametrize(
    ("environ", "peer", "headers", "status"),
    [
        ({}, HERE, {}, 200),
        ({}, "::1", {}, 200),
        ({}, ELSEWHERE, {}, 404),
        ({}, "unix:", {}, 404),
        *(
            ({}, HERE, {name: HERE}, 404)
            for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host")
        ),
        ({}, HERE, WITH_TOKEN, 200),
        # A proxy on this machine that adds no header. Only the settings tell of it.
        ({"TRUSTED_PROXIES": "1"}, HERE, {}, 404),
        ({"PUBLIC_URL": "https://localhost"}, HERE, {}, 404),
        # One proxy too many is trusted, so the client writes its own address.
        ({"TRUSTED_PROXIES": "2"}, HERE, {"X-Forwarded-For": f"{HERE}, {ELSEWHERE}"}, 404),
        ({"TRUSTED_PROXIES": "2"}, ELSEWHERE, {"X-Forwarded-For": f"{HERE}, {HERE}"}, 404),
        ({"TRUSTED_PROXIES": "1"}, ELSEWHERE, {"X-Forwarded-For": HERE}, 404),
        *(
            (
                {"METRICS_TOKEN": TOKEN, "TRUSTED_PROXIES": proxies},
                peer,
                {**forwarded, **token},
                200 if token else 404,
            )
            for proxies in ("0", "1", "2")
            for peer in (HERE, ELSEWHERE)
            for forwarded in ({}, {"X-Forwarded-For": f"{HERE}, {HERE}"})
            for token in ({}, WITH_TOKEN)
        ),
        ({"METRICS_TOKEN": TOKEN}, HERE, {"Authorization": f"Bearer {TOKEN[:-1]}"}, 404),
        ({"METRICS_TOKEN": TOKEN}, HERE, {"Authorization": f"Basic {TOKEN}"}, 404),
        ({"METRICS_TOKEN": TOKEN}, HERE, {"Authorization": "Bearer ÿ"}, 404),
    ],
)
def test_metrics_are_for_this_machine_or_for_who_has_the_token(
    make_app: MakeApp, environ: dict[str, str], peer: str, headers: dict[str, str], status: int
) -> None:
    app = make_app(**environ)
    base_url = app.extensions["portal"].settings.public_url

    answer = app.test_client().get(
        "/metrics", base_url=base_url, headers=headers, environ_base={"REMOTE_ADDR": peer}
    )

    assert answer.status_code == status
    assert ("portal_requests_total" in answer.text) == (status == 200)


def test_metrics_with_a_token_need_the_token(make_app: MakeApp) -> None:
    client = make_app(METRICS_TOKEN="let-prometheus-in").test_client()

    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer let-prometheus-in"}).status_code == 200


def test_a_portal_without_its_tables_is_alive_but_not_ready(make_app: MakeApp, tmp_path: object) -> None:
    client = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/new.db").test_client()

    assert client.get("/healthz").status_code == 200
    assert (client.get("/readyz").status_code, client.get("/readyz").text) == (503, "migrations pending\n")


def test_every_act_and_refusal_leaves_a_row_without_secrets(peopled: Flask, inbox: Inbox) -> None:
    visitor = Visitor(peopled)
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()
    visitor.reset_password("WDJB-MJHT", "Kuda-Laut7")
    visitor.open(mail.link)
    visitor.reset_password(mail.code, "Budi-2021")
    visitor.reset_password(mail.code, "Kuda-Laut7")
    visitor.log_in(BUDI.nip, "Salah-Sekali-1")
    visitor.log_in(BUDI.nip, "Kuda-Laut7")
    visitor.post_with_token("/beranda", "/logout")

    with peopled.app_context(), reading() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        budi = session.scalars(select(User).where(User.nip == BUDI.nip)).one()

    assert [event.tag for event in events] == [
        Tag.TOKEN_ASKED, Tag.TOKEN_HANDED_OVER, Tag.TOKEN_REFUSED, Tag.LINK_OPENED, Tag.PASSWORD_REFUSED,
        Tag.PASSWORD_SET, Tag.LOGIN_REFUSED, Tag.ACTIVATED, Tag.LOGOUT,
    ]  # fmt: skip
    assert {event.account_id for event in events} == {budi.id}
    assert [event.actor_id for event in events if event.actor_id] == [budi.id] * 4
    assert all(event.client_address == "203.0.113.7" and len(event.request_id) > 0 for event in events)
    written = json.dumps([event.detail for event in events])
    for secret in (mail.code, mail.link.rsplit("/", 1)[-1], "Kuda-Laut7", "Salah-Sekali-1", BUDI.nip):
        assert secret not in written


def test_refusals_that_cost_their_sender_nothing_leave_one_row_a_minute(peopled: Flask) -> None:
    for address in ("203.0.113.7", "203.0.113.8"):
        visitor = Visitor(peopled, address)
        for _ in range(3):
            assert visitor.post("/login", nip=SARI.nip, password="x").status_code == 400

    with peopled.app_context(), reading() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [(event.tag, event.client_address, event.detail["rule"]) for event in events] == [
        (Tag.FORM_REFUSED, "203.0.113.7", "/login"),
        (Tag.FORM_REFUSED, "203.0.113.8", "/login"),
    ]


def test_an_accident_is_a_calm_page_with_its_number(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    monkeypatch.setitem(app.view_functions, "information.help", lambda: 1 / 0)

    answer = app.test_client().get("/bantuan")

    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in words_of(answer)
    assert "ZeroDivision" not in answer.text


def test_too_many_hashes_at_once_are_a_503_that_says_when_to_come_back(
    peopled: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_wait, "SECONDS_TO_WAIT", 0.0)

    answers = [Visitor(peopled).log_in(SARI.nip) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [503] * 6, "what was not looked at is not counted"
    assert answers[0].headers["Retry-After"]
    assert "tidak ada yang hilang" in words_of(answers[0])
