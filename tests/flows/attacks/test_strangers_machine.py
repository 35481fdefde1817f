"""Strangers who know everything except what is in the mailbox do anything, in any order. Even then an owner
who asks from a new browser has a token that opens: one that is in the mailbox, or the one that this ask
brings. And no mailbox gets too many mails an hour."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import TypeVar

import pytest
import time_machine
from flask import Flask
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select, update

from app.domain.act import Act
from app.domain.client import Client
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import now
from app.domain.nip import Nip
from app.domain.reset_secret import Code, Link
from app.flows.correction.answer_unknown_nips import answer_unknown_nips
from app.flows.correction.request_correction import Typed, ask_for_link, submit
from app.flows.reset import redeem_token
from app.flows.reset.request_reset import request_reset, resend_token
from app.mail import outbox
from app.mail.outcomes import ConnectionFault, Delivery, HandedOver, PutOff, RefusalScope, RefusedForGood
from app.models import AuditEvent, EmailCorrection, MailFault, OutboxMail, ResetRequest, User
from app.models.outbox_mail import Letter, MailState
from app.models.throttle_bucket import ThrottleBucket
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security import throttle
from app.web import limits
from app.worker import acts
from tests.cast import BUDI, SARI, STRANGERS_NIP
from tests.visitor import Visitor

NOON = datetime.fromisoformat("2026-11-24T05:00:00+00:00")
LIFETIME, COOLDOWN, AN_HOUR = timedelta(minutes=60), timedelta(seconds=60), timedelta(hours=1)
OWNERS = BUDI.email or ""
STRANGERS = "maling@contoh.example"
NIPS = (BUDI.nip, BUDI.nip, SARI.nip, STRANGERS_NIP)
ADDRESSES = (OWNERS, OWNERS, OWNERS.upper(), OWNERS.replace("@", "+tag@"), STRANGERS)
LINES = ("203.0.113.7", "203.0.113.8", "198.51.100.9", "2001:db8::5", "2001:db8:0:1::5")
OUTCOMES = (HandedOver("250"),) * 4 + (
    PutOff("450"), PutOff("452", RefusalScope.MAILBOX), RefusedForGood("550"),
    ConnectionFault("-", at_letter=True,
    letter_is_out=True),
)  # fmt: skip
Outcome = TypeVar("Outcome")
MOST_TOKENS_AN_HOUR = throttle.TOKENS_IN_A_MAILBOX + 1
MOST_OTHERS_AN_HOUR = 2 * throttle.OTHER_MAILS_PER_MAILBOX.most  # two windows next to each other


@dataclass(frozen=True)
class Delivered:
    """A token mail in the owner's mailbox."""

    link: Link
    code: Code


class Strangers(RuleBasedStateMachine):
    app: Flask

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.clock = time_machine.travel(NOON, tick=False)
        self.travelled = self.clock.start()
        self.chance, self.numbers = Random(seed), count()
        with self.app.app_context():
            self.keys = portal().keys
        self.mailbox: list[Delivered] = []
        self.opened = (
            0  # how often another mail was allowed at once: after a token was used, or a mail never arrived
        )
        limits.limiter.reset()
        with self.app.app_context(), unit_of_work() as session:
            for table in (OutboxMail, MailFault, EmailCorrection, ResetRequest, ThrottleBucket, AuditEvent):
                session.execute(delete(table))
            fresh = {
                "credential_version": 1,
                "password_hash": None,
                "password_changed_at": None,
                "stuck_since": None,
            }
            session.execute(update(User).where(User.nip == BUDI.nip).values(**fresh))

    def teardown(self) -> None:
        if not hasattr(self, "clock"):
            return
        try:
            self.the_owner_comes()
            self._no_mailbox_is_flooded()
        finally:
            self.clock.stop()

    # -- what strangers do

    @rule(
        nip=st.sampled_from(NIPS),
        address=st.sampled_from(ADDRESSES),
        form=st.integers(0, 12),
        times=st.integers(1, 5),
    )
    def ask(self, nip: str, address: str, form: int, times: int) -> None:
        for _ in range(times):
            name = f"{form:064}" if form < 3 else f"{next(self.numbers) + 100:064}"
            self._done(
                lambda session, name=name: request_reset(
                    session, Nip(nip), EmailAddress(address), self.keys.fingerprint(name, nip, address),
                    Act(self._anyone(), now(), None),
                )
            )  # fmt: skip

    @rule(which=st.integers(0, 10))
    def send_again(self, which: int) -> None:
        references = self._done(lambda session: list(session.scalars(select(ResetRequest.reference))))
        if references:
            again = references[-1 - which % len(references)]
            sender = self._anyone()
            self._done(
                lambda session: resend_token(session, again, COOLDOWN, LIFETIME, Act(sender, now(), None))
            )

    @rule(
        nip=st.sampled_from(NIPS),
        address=st.sampled_from(ADDRESSES),
        form=st.integers(0, 5),
        submits=st.booleans(),
    )
    def ask_for_correction(self, nip: str, address: str, form: int, *, submits: bool) -> None:
        sender = self._anyone()
        name = str(form) if form < 2 else str(next(self.numbers) + 100)
        correction = self._done(
            lambda session: (
                ask_for_link(
                    session, Nip(nip), EmailAddress(address), name, Act(sender, now(), None)
                ).correction
            )
        )
        if submits and address == STRANGERS:
            typed = Typed("Budi", "", "Email lama", "", None, self.chance.choice([None, Nip(BUDI.nip)]))
            self._done(lambda session: submit(session, correction.reference, typed, Act(sender, now(), None)))

    @rule(times=st.integers(1, 6))
    def try_tokens(self, times: int) -> None:
        sender = self._anyone()
        for _ in range(times):
            wrong = Code("".join(self.chance.choices("BCDFGHJK", k=8)))
            self._done(
                lambda session, wrong=wrong: redeem_token.check(
                    session,
                    redeem_token.Claim(Nip(BUDI.nip), wrong, "Kuda-Laut7"),
                    "mysapk2021",
                    self.keys,
                    Act(sender, now(), None),
                )
            )

    @rule(line=st.sampled_from(LINES))
    def try_passwords(self, line: str) -> None:
        guesser = Visitor(self.app, line)
        token = guesser.csrf_token("/login")
        guesser.post("/login", csrf_token=token, nip=BUDI.nip, password="Salah-Sekali-1")

    # -- what happens meanwhile

    @rule(minutes=st.sampled_from((1, 2, 10, 29, 30, 58, 59, 60, 61, 119, 181)))
    def time_passes(self, minutes: int) -> None:
        self.travelled.shift(timedelta(minutes=minutes))

    @rule(outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=4))
    def the_worker_works(self, outcomes: list[Delivery]) -> None:
        for outcome in outcomes:
            self._deliver(outcome)

    @rule()
    def house_is_kept(self) -> None:
        self._done(lambda session: answer_unknown_nips(session, acts.act()))

    @precondition(lambda self: self.mailbox)
    @rule()
    def the_owner_uses_a_token(self) -> None:
        if self._opens(self.mailbox[-1]):
            self._reset_with(self.mailbox[-1], Visitor(self.app, "192.0.2.78"))
            self.opened += 1

    # -- what must hold

    @rule()
    def the_owner_comes(self) -> None:
        """The owner asks after the mail server has taken the mails that it had put off."""
        self._deliver_all()
        limits.limiter.reset()
        before = len(self.mailbox)
        owner = Visitor(self.app, "192.0.2.77")
        assert owner.ask_for_token(BUDI.nip, OWNERS).status_code == 303
        self._deliver_all()
        new, old = self.mailbox[before:], self.mailbox[:before]
        assert len(new) <= 1
        opening = [mail for mail in new or old if self._opens(mail)]
        assert opening, "neither does a token lie there, nor did the ask bring one"
        assert not new or self._opens(new[0])
        self._reset_with(opening[-1], owner)
        self.opened += 1

    def _reset_with(self, mail: Delivered, owner: Visitor) -> None:
        owner.open(f"/konfirmasi-reset-password/{mail.link.text}")
        assert owner.reset_password(mail.code.shown, "Kuda-Laut7").status_code == 303

    def _opens(self, mail: Delivered) -> bool:
        with self.app.app_context(), reading() as session:
            request = redeem_token.request_behind(session, mail.link, self.keys, now())
            return request is not None and request.is_live(now())

    def _no_mailbox_is_flooded(self) -> None:
        with self.app.app_context(), reading() as session:
            never_left = (MailState.HELD, MailState.FAILED)
            mails = session.scalars(select(OutboxMail).where(OutboxMail.state.not_in(never_left))).all()
        tokens = [mail.posted_at for mail in mails if mail.letter is Letter.TOKEN]
        others = (Letter.ADDRESS_NOT_REGISTERED, Letter.CORRECTION_LINK)
        assert _most_in_an_hour(tokens) <= MOST_TOKENS_AN_HOUR + self.opened
        for mailbox in {EmailAddress(mail.to_address).mailbox for mail in mails}:
            to_it = [
                one.posted_at
                for one in mails
                if EmailAddress(one.to_address).mailbox == mailbox and one.letter in others
            ]
            assert _most_in_an_hour(to_it) <= MOST_OTHERS_AN_HOUR

    # -- how

    def _done(self, act: Callable[..., Outcome]) -> Outcome:
        with self.app.app_context(), unit_of_work() as session:
            return act(session)

    def _anyone(self) -> Client:
        return Client(self.chance.choice(LINES), "-", "-")

    def _deliver(self, outcome: Delivery) -> bool:
        """What the worker does with one mail, except writing its text."""
        with self.app.app_context(), unit_of_work() as session:
            mails = outbox.claim(session, now(), LIFETIME, most=1)
        if not mails:
            return False
        (mail,) = mails
        with self.app.app_context(), unit_of_work() as session:
            outbox.settle(session, [outbox.Try(mail, outcome, now())], [], now(), LIFETIME)
        is_token = mail.letter is Letter.TOKEN and mail.to_address == OWNERS
        if is_token and isinstance(outcome, HandedOver) and (request := mail.reset_request):
            keys = self.keys
            self.mailbox.append(
                Delivered(
                    keys.reset_link(request.reference, request.key),
                    keys.reset_code(request.reference, request.key),
                )
            )
        elif is_token and not isinstance(outcome, HandedOver):
            self.opened += 1
        return True

    def _deliver_all(self) -> None:
        """After a broken connection all mails rest for a moment, new ones too."""
        while self._deliver(HandedOver("250")) or self._is_any_on_its_way():
            self.travelled.shift(timedelta(seconds=30))

    def _is_any_on_its_way(self) -> bool:
        with self.app.app_context(), reading() as session:
            return OutboxMail.oldest_unsent(session) is not None


def _most_in_an_hour(moments: list[datetime]) -> int:
    return max((sum(start <= other < start + AN_HOUR for other in moments) for start in moments), default=0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whatever_strangers_did_the_owner_gets_in(peopled: Flask) -> None:
    machine = type("StrangersHere", (Strangers,), {"app": peopled})
    many = settings().max_examples  # as the profile says, because these rules cost nothing
    run_state_machine_as_test(
        machine, settings=settings(max_examples=max(10, many // 10), stateful_step_count=25)
    )
