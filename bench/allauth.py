"""The same activation over django-allauth, if BENCH_ALLAUTH names a virtual environment that has it:

python3 -m venv SOMEWHERE && SOMEWHERE/bin/pip install django-allauth argon2-cffi gunicorn
BENCH_ALLAUTH=SOMEWHERE make bench
"""

import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from http.client import HTTPMessage
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from bench.activation import AT_A_TIME, SECONDS_UNTIL_QUIET
from bench.people import NEW_PASSWORD, email_of
from bench.portal import free_port, wait_until_alive
from bench.processes import spent_by
from bench.sink import Sink
from config import ROOT

_GUNICORN = ("-w", "2", "--threads", "4", "--log-level", "error")
PLACE = os.environ.get("BENCH_ALLAUTH", "")
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_LINK = re.compile(r"/accounts/password/reset/key/\S+")


def cpu_seconds_each(folder: Path, sink: Sink, people: range, warm: int) -> float:
    """Of its server, for one activation; the first `warm` people are not measured."""
    programs, port = Path(PLACE).resolve() / "bin", free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "ALLAUTH_DATABASE": str(folder / "allauth.db"),
        **sink.settings,
    }
    make = [str(programs / "python"), "-m", "bench.allauth_app", str(people.stop)]
    subprocess.run(make, env=environ, cwd=ROOT, check=True)
    serve = [str(programs / "gunicorn"), *_GUNICORN, "-b", f"127.0.0.1:{port}", "bench.allauth_app:site"]
    server = subprocess.Popen(serve, env=environ, cwd=ROOT)
    try:
        wait_until_alive(port)
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda person: _activate(port, sink, person), people[:warm]))
            with spent_by(server.pid) as spent:
                list(pool.map(lambda person: _activate(port, sink, person), people[warm:]))
                time.sleep(SECONDS_UNTIL_QUIET)
    finally:
        server.terminate()
        server.wait(30)
    return spent.seconds / len(people[warm:])


def _activate(port: int, sink: Sink, person: int) -> None:
    site, browser, email = f"http://127.0.0.1:{port}", build_opener(HTTPCookieProcessor()), email_of(person)

    def open_page(path: str, form: dict[str, str] | None = None) -> tuple[str, str, HTTPMessage]:
        body = urlencode(form).encode() if form else None
        with browser.open(Request(site + path, body)) as answer:
            return answer.url.removeprefix(site), answer.read().decode(), answer.headers

    def send(page: tuple[str, str, HTTPMessage], path: str, **form: str) -> tuple[str, str, HTTPMessage]:
        found = _TOKEN.search(page[1])
        assert found, page[1][:300]
        return open_page(path, {"csrfmiddlewaretoken": found[1], **form})

    asked = "/accounts/password/reset/"
    send(open_page(asked), asked, email=email)
    letter = message_from_bytes(sink.take(email), policy=policy.default).get_body(("plain",))
    link = _LINK.search(letter.get_content()) if letter else None
    assert link, "a letter without a link"
    form = open_page(link[0])
    send(form, form[0], password1=NEW_PASSWORD, password2=NEW_PASSWORD)
    home = send(open_page("/accounts/login/"), "/accounts/login/", login=email, password=NEW_PASSWORD)
    assert "Beranda" in home[1], home[1][:300]
