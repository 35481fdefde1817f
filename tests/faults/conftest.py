"""What the fault tests need: a mail server that can misbehave, and a portal that sends through it."""

import logging
from collections.abc import Callable, Iterator

import pytest

from app.mail import delivery
from app.mail.outcomes import Phase
from tests.conftest import MakeApp, people
from tests.faults.certificates import Certificates, make_certificates
from tests.faults.post_office import PostOffice
from tests.faults.smtp_server import MailServer

MakeOffice = Callable[..., PostOffice]


@pytest.fixture(autouse=True)
def calm_server_log() -> None:
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the log of aiosmtpd itself


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let silence count as a fault after a moment."""
    monkeypatch.setattr(delivery, "PATIENCE", dict.fromkeys(Phase, 0.3))
    monkeypatch.setattr(delivery, "SECONDS_FOR_A_COURTESY", 0.3)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def make_office(make_app: MakeApp, password_hash: str) -> MakeOffice:
    """A portal with the cast, and its worker: make_office(server, PORTAL_NAME="...")."""

    def make(server: MailServer, **environ: str) -> PostOffice:
        app = make_app(**{**server.settings, **environ})
        people(app, password_hash)
        return PostOffice(app)

    return make


@pytest.fixture
def office(make_office: MakeOffice, server: MailServer) -> PostOffice:
    return make_office(server)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))
