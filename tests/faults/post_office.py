"""The portal's side of the mail. Mails are posted as acts post them, the real worker code delivers them, and
the tests look into the table."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event, select, update

from app.domain.act import Act
from app.domain.client import Client
from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.mail import outbox
from app.mail.outcomes import Delivery
from app.models.mail_fault import MailFault
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.models.user import User
from app.runtime.db import engine, reading, unit_of_work
from app.runtime.portal import portal
from app.worker.bell import Bell
from app.worker.hand import Hand
from app.worker.loop import work
from app.worker.mails import send_some
from tests.cast import BUDI
from tests.faults.smtp_server import eventually
from tests.visitor import Visitor

SOMEBODY = Client("203.0.113.7", "a test", "-")


class PostOffice:
    """One portal's outbox and the worker that empties it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.hand = Hand(Bell())

    def budi_asks(self) -> None:
        """Budi asks for a token over HTTP, so one mail waits."""
        assert Visitor(self.app).ask_for_token(BUDI.nip, BUDI.email or "").status_code == 303

    def post(self, *addresses: str) -> None:
        """Post one mail to each address, all in one transaction."""
        with self.app.app_context(), unit_of_work() as session:
            budi = User.with_nip(session, Nip(BUDI.nip))
            for address in addresses:
                outbox.post(
                    session, Letter.PASSWORD_CHANGED, address, outbox.About(budi), Act(SOMEBODY, now(), None)
                )

    def deliver(self) -> list[Delivery]:
        """Let the worker try every mail that is due now, each once."""
        with self.app.app_context():
            postman = portal().postman()
        outcomes: list[Delivery] = []
        with postman:
            while some := send_some(self.app, postman, self.hand):
                outcomes += some
        return outcomes

    def begin_and_die(self) -> None:
        """A worker claims the next mail, hands it over, and dies before it can write down the outcome."""
        with self.app.app_context():
            lifetime = timedelta(minutes=portal().settings.token_lifetime_minutes)
            with unit_of_work() as session:
                (mail,) = outbox.claim(session, now(), lifetime, most=1)
            with portal().postman() as postman:
                postman.deliver(portal().renderer.render(mail, now()), mail.to_address, mail.message_id)

    def let_leases_run_out(self) -> None:
        """What time does to the leases of a worker that is dead."""
        with self.app.app_context(), unit_of_work() as session:
            session.execute(update(OutboxMail).values(leased_until=now() - timedelta(seconds=1)))

    @contextmanager
    def statements(self) -> Iterator[list[tuple[str, Any]]]:
        """What is asked of the database meanwhile."""
        seen: list[tuple[str, Any]] = []

        def note(
            _connection: object, _cursor: object, statement: str, parameters: object, *_rest: object
        ) -> None:
            seen.append((statement, parameters))

        with self.app.app_context():
            event.listen(engine(), "before_cursor_execute", note)
            yield seen
            event.remove(engine(), "before_cursor_execute", note)

    def command(self, *words: str) -> str:
        """Run `mysapk ...`. Returns what it prints."""
        done = self.app.test_cli_runner().invoke(args=words)
        assert done.exit_code == 0, done.output
        return str(done.output)

    def marked(self) -> datetime | None:
        """The moment since when Budi's address counts as one that refuses mails."""
        with self.app.app_context(), reading() as session:
            return session.scalars(select(User.mail_failed_at).where(User.nip == BUDI.nip)).one()

    def faults(self) -> list[MailFault]:
        """The faults on our side that are not over."""
        with self.app.app_context(), reading() as session:
            return MailFault.alarms(session)

    def keep_house(self) -> None:
        done = self.app.test_cli_runner().invoke(args=["housekeeping"])
        assert done.exit_code == 0, done.output

    @contextmanager
    def working(self) -> Iterator[None]:
        """A worker that runs in the background, as with `mysapk worker`."""
        stop = threading.Event()
        worker = threading.Thread(target=work, args=(self.app, stop))
        worker.start()
        try:
            yield
        finally:
            stop.set()
            worker.join(30)
            assert not worker.is_alive()

    def mails(self) -> list[OutboxMail]:
        with self.app.app_context(), reading() as session:
            return list(session.scalars(select(OutboxMail).order_by(OutboxMail.id)))

    def mail(self) -> OutboxMail:
        (only,) = self.mails()
        return only

    def wait_until_all_are(self, *states: MailState, seconds: float = 30) -> None:
        eventually(lambda: all(mail.state in states for mail in self.mails()), seconds)
