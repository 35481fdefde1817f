"""The portal as an app on the phone, as far as HTTP shows it: manifest, worker, start address, Play Store."""

import gzip
import hashlib
import json
import re
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app.domain.indonesian_time import now
from config import BadSetting, Settings
from tests.cast import BUDI, NEW_PASSWORD, SARI
from tests.conftest import MakeApp
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

BUDIS_ADDRESS = "budi@nusajaya.example"
START = "/login?aplikasi=1"
CONFIRMATION = "/konfirmasi-reset-password"
FINGERPRINT = ":".join(["0A", "B1"] * 16)


def test_the_manifest_names_the_portal_and_starts_it_as_an_app(make_app: MakeApp) -> None:
    portal = Visitor(make_app(PORTAL_NAME="Portal Pegawai Nusa Jaya"))

    answer = portal.open("/manifest.webmanifest")

    assert answer.content_type == "application/manifest+json; charset=utf-8"
    said = json.loads(answer.text)
    assert said["name"] == "Portal Pegawai Nusa Jaya"
    assert said["short_name"] == "Portal Pegaw"
    assert (said["id"], said["scope"], said["start_url"], said["display"]) == ("/", "/", START, "standalone")
    assert (said["lang"], said["handle_links"]) == ("id", "preferred")
    assert [(icon["sizes"], icon["purpose"]) for icon in said["icons"]] == [
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    ]
    assert {picture["form_factor"] for picture in said["screenshots"]} == {"narrow", "wide"}
    assert [(one["name"], one["url"]) for one in said["shortcuts"]] == [
        ("Lupa Password", "/lupa-password"),
        ("Sudah punya token", CONFIRMATION),
    ]
    for picture in (*said["icons"], *said["screenshots"]):
        assert _fetched(portal, picture["src"]).content_type == picture["type"]


def test_every_page_leads_to_the_manifest(visitor: Visitor) -> None:
    for path in ("/login", "/lupa-password", "/bantuan", "/tidak-ada"):
        assert '<link rel="manifest" href="/manifest.webmanifest">' in visitor.open(path).text


def test_the_worker_may_serve_the_whole_portal_and_is_never_an_old_one(visitor: Visitor) -> None:
    answer = visitor.open("/sw.js")

    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "worker-src 'self'" in answer.headers["Content-Security-Policy"]


def test_asking_for_the_worker_again_costs_little(visitor: Visitor) -> None:
    etag = visitor.open("/sw.js").headers["ETag"]

    again = visitor.client.get("/sw.js", headers={"If-None-Match": etag, "Accept-Encoding": "gzip"})

    assert (again.status_code, again.data) == (304, b"")


def test_pages_to_read_are_compressed_and_pages_with_a_form_never(peopled: Flask, visitor: Visitor) -> None:
    """The size of a page must not tell anything about the secrets in it."""
    sari, zipped = logged_in(peopled, SARI), {"Accept-Encoding": "gzip, br"}

    for path in ("/bantuan", "/status", "/privasi", "/kuki", "/aksesibilitas", "/sw.js"):
        plain, packed = visitor.open(path), visitor.client.get(path, headers=zipped)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert gzip.decompress(packed.data) == plain.data
        assert "Content-Encoding" not in sari.client.get(path, headers=zipped).headers
    for path in ("/login", "/lupa-password", CONFIRMATION, "/perbaikan-email"):
        assert "Content-Encoding" not in visitor.client.get(path, headers=zipped).headers


def test_the_worker_lists_this_release_by_content(visitor: Visitor) -> None:
    release = _release(visitor)

    paths = {url.split("?")[0] for url, _ in release["files"]}
    assert {"/static/css/portal.css", "/static/js/portal.js"} <= paths
    assert all(path.startswith("/static/") for path in paths)
    assert not any("bantuan" in path for path in paths)
    for url, integrity in (*release["files"], release["offline"]):
        assert (
            integrity == f"sha256-{b64encode(hashlib.sha256(_fetched(visitor, url).data).digest()).decode()}"
        )


def test_the_worker_is_the_same_for_everybody(peopled: Flask, visitor: Visitor) -> None:
    assert logged_in(peopled, SARI).open("/sw.js").text == visitor.open("/sw.js").text


def test_the_page_without_a_network_holds_nothing_of_who_is_logged_in(
    peopled: Flask, visitor: Visitor
) -> None:
    sari = logged_in(peopled, SARI)
    page = sari.open("/tanpa-jaringan")

    assert page.text == visitor.open("/tanpa-jaringan").text
    assert "Tidak ada jaringan" in words_of(page)
    assert "csrf" not in page.text
    assert "Sari" not in page.text
    assert "Set-Cookie" not in page.headers


def test_static_files_are_kept_for_good_only_under_the_hash_of_their_content(visitor: Visitor) -> None:
    found = re.search(r'href="(/static/css/portal\.css\?v=[0-9a-f]{12})"', visitor.open("/login").text)
    assert found

    named = _fetched(visitor, found[1])
    others = [
        _fetched(visitor, f"/static/css/portal.css{query}")
        for query in ("", "?v=", "?v=0123456789ab", "?w=1", "?v=1&v=2")
    ]

    assert named.headers.getlist("Cache-Control") == ["max-age=31536000, public, immutable"]
    assert [other.headers.getlist("Cache-Control") for other in others] == [["no-cache"]] * 5
    assert visitor.open("/static/css/tidak-ada.css?v=1").headers["Cache-Control"] == "no-store"


def test_who_starts_the_app_reads_berikutnya_also_without_javascript(
    peopled: Flask, visitor: Visitor
) -> None:
    phone = Visitor(peopled)
    phone.open(START)

    assert (
        '<button class="btn btn-primary" type="submit" data-in-app="Berikutnya">Berikutnya'
        in phone.open("/lupa-password").text
    )
    assert (
        '<button class="btn btn-primary" type="submit" data-in-app="Berikutnya">Lanjutkan'
        in visitor.open("/lupa-password").text
    )
    assert "Pasang" not in words_of(phone.open("/login"))
    assert "Pasang" in words_of(visitor.open("/login"))


def test_the_app_stays_an_app_after_logging_in_and_out(peopled: Flask) -> None:
    phone = Visitor(peopled)
    phone.log_in(SARI.nip, page=START)
    phone.post_with_token("/akun", "/logout")

    assert ">Berikutnya</button>" in phone.open("/lupa-password").text


def test_the_cookie_of_the_app_holds_the_same_for_everybody(visitor: Visitor) -> None:
    cookies = visitor.open(START).headers.getlist("Set-Cookie")

    assert [cookie for cookie in cookies if cookie.startswith("aplikasi=")] == [
        "aplikasi=1; HttpOnly; Path=/; SameSite=Lax"
    ]
    assert 'Kuki "aplikasi"' in words_of(visitor.open("/kuki"))


def test_who_is_logged_in_comes_home_when_the_app_starts(peopled: Flask) -> None:
    answer = logged_in(peopled, SARI).open(START)

    assert (answer.status_code, answer.location) == (303, "/beranda")


def test_the_app_goes_on_at_the_confirmation_when_the_phone_had_thrown_it_away(
    visitor: Visitor, inbox: Inbox
) -> None:
    assert visitor.open(START).status_code == 200
    visitor.ask_for_token(BUDI.nip, BUDIS_ADDRESS)

    answer = visitor.open(START)
    assert (answer.status_code, answer.location) == (303, CONFIRMATION)
    page = visitor.open(CONFIRMATION)
    assert f'name="nip" value="{BUDI.nip}"' in page.text
    assert BUDIS_ADDRESS in words_of(page)
    assert visitor.reset_password(inbox.fetch_one().code, NEW_PASSWORD).status_code == 303

    assert visitor.open(START).status_code == 200


def test_the_way_back_to_the_confirmation_is_the_same_for_a_stranger(visitor: Visitor) -> None:
    visitor.ask_for_token("197001011995011999", "seseorang@contoh.example")

    assert visitor.open(START).location == CONFIRMATION


def test_the_login_page_itself_can_still_be_opened_meanwhile(visitor: Visitor) -> None:
    visitor.ask_for_token(BUDI.nip, BUDIS_ADDRESS)

    assert visitor.open("/login").status_code == 200


def test_the_app_waits_as_long_as_a_token_lives(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.ask_for_token(BUDI.nip, BUDIS_ADDRESS)
        clock.shift(timedelta(minutes=59))
        assert visitor.open(START).status_code == 303

        clock.shift(timedelta(minutes=1))
        assert visitor.open(START).status_code == 200


def test_who_logged_in_meanwhile_is_not_sent_to_the_confirmation(visitor: Visitor) -> None:
    visitor.ask_for_token(SARI.nip, "sari@nusajaya.example")
    visitor.log_in(SARI.nip)
    visitor.post_with_token("/akun", "/logout")

    assert visitor.open(START).status_code == 200


def test_an_opened_link_is_waited_for_too(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(BUDI.nip, BUDIS_ADDRESS)
    mail = inbox.fetch_one()
    phone = Visitor(peopled)
    phone.open(mail.link)

    assert phone.open(START).location == CONFIRMATION
    visitor.reset_password(mail.code, NEW_PASSWORD)
    assert phone.open(START).status_code == 200


@pytest.mark.usefixtures("peopled")
def test_whose_answer_was_lost_hears_that_the_password_may_be_new(visitor: Visitor, inbox: Inbox) -> None:
    """The first form arrived, but its answer with the new cookies never came back."""
    visitor.ask_for_token(BUDI.nip, BUDIS_ADDRESS)
    code, csrf_token = inbox.fetch_one().code, visitor.csrf_token(CONFIRMATION)
    fields = {"csrf_token": csrf_token, "nip": BUDI.nip, "token": code, "password": NEW_PASSWORD}
    before = visitor.client.get_cookie("formulir")
    assert before
    assert visitor.post("/reset-password", **fields).status_code == 303
    visitor.client.set_cookie("formulir", before.value)

    again = visitor.post("/reset-password", **fields)

    assert again.status_code == 422
    assert "Sudah membuat password baru? Masuk" in words_of(again)
    assert visitor.log_in(BUDI.nip, NEW_PASSWORD).status_code == 303
    assert [mail.subject for mail in inbox.fetch()].count("Password MySAPK Anda sudah diganti") == 1


def test_after_a_reset_the_browser_may_fetch_the_login_page_meanwhile(visitor: Visitor, inbox: Inbox) -> None:
    done = f"{CONFIRMATION}/berhasil"
    assert visitor.open(done).location == "/login"
    visitor.ask_for_token(BUDI.nip, BUDIS_ADDRESS)
    visitor.reset_password(inbox.fetch_one().code, NEW_PASSWORD)

    rules = _fetched(visitor, visitor.open(done).headers["Speculation-Rules"].strip('"'))

    assert rules.content_type == "application/speculationrules+json"
    assert json.loads(rules.data) == {"prefetch": [{"urls": ["/login"], "eagerness": "immediate"}]}


def test_logging_out_twice_ends_well(peopled: Flask) -> None:
    sari = logged_in(peopled, SARI)
    csrf_token, before = sari.csrf_token("/akun"), sari.client.get_cookie("formulir")
    assert before
    assert sari.post("/logout", csrf_token=csrf_token).status_code == 303
    sari.client.set_cookie("formulir", before.value)

    again = sari.post("/logout", csrf_token=csrf_token)

    assert (again.status_code, again.location) == (303, "/login")


def test_the_play_store_build_is_vouched_for_by_the_settings(make_app: MakeApp) -> None:
    listed = f"{FINGERPRINT}, {FINGERPRINT.lower()}"
    portal = Visitor(make_app(ANDROID_PACKAGE_NAME="id.example.mysapk", ANDROID_CERT_FINGERPRINTS=listed))

    answer = portal.open("/.well-known/assetlinks.json")

    assert answer.content_type == "application/json"
    assert answer.json is not None
    (statement,) = answer.json
    assert statement["relation"] == ["delegate_permission/common.handle_all_urls"]
    assert statement["target"] == {
        "namespace": "android_app",
        "package_name": "id.example.mysapk",
        "sha256_cert_fingerprints": [FINGERPRINT, FINGERPRINT],
    }


def test_without_a_play_store_build_nothing_is_vouched_for(visitor: Visitor) -> None:
    answer = visitor.open("/.well-known/assetlinks.json")

    assert answer.status_code == 404
    assert "Halaman tidak ditemukan" in words_of(answer)


@pytest.mark.parametrize(
    ("package", "fingerprints", "named"),
    [
        ("mysapk", FINGERPRINT, "ANDROID_PACKAGE_NAME"),
        ("id.example.my-sapk", FINGERPRINT, "ANDROID_PACKAGE_NAME"),
        ("", FINGERPRINT, "ANDROID_PACKAGE_NAME"),
        ("id.example.mysapk", "", "ANDROID_CERT_FINGERPRINTS"),
        ("id.example.mysapk", ",", "ANDROID_CERT_FINGERPRINTS"),
        ("id.example.mysapk", FINGERPRINT[:-3], "ANDROID_CERT_FINGERPRINTS"),
        ("id.example.mysapk", f"{FINGERPRINT},{FINGERPRINT.replace('A', 'G')}", "ANDROID_CERT_FINGERPRINTS"),
    ],
)
def test_a_bad_setting_of_the_app_stops_the_start(
    tmp_path: Path, package: str, fingerprints: str, named: str
) -> None:
    environ = {
        "ANDROID_PACKAGE_NAME": package,
        "ANDROID_CERT_FINGERPRINTS": fingerprints,
        "INSTANCE_PATH": str(tmp_path),
    }

    with pytest.raises(BadSetting, match=rf"^{named}: .* Example: {named}="):
        Settings.from_env(environ)


def _fetched(visitor: Visitor, path: str) -> TestResponse:
    """Fetch a file, read it to its end and close it."""
    answer = visitor.open(path)
    with answer:
        answer.get_data()
    return answer


class _Release(TypedDict):
    """What the worker keeps, as far as these tests need it: paths, and the hash of what is there."""

    files: list[tuple[str, str]]
    offline: tuple[str, str]


def _release(visitor: Visitor) -> _Release:
    found = re.match(r"const RELEASE = (\{.*\});\n", visitor.open("/sw.js").text)
    assert found
    release: _Release = json.loads(found[1])
    return release
