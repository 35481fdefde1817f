"""An attacker can write the database, but has neither the key nor the file of a machine that has seen the
trail. The portal finds each tampering of a list, each two of them, with and without sealing by the worker in
between."""

from dataclasses import dataclass
from itertools import combinations

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.cli.trail import begin_trail
from app.domain.indonesian_time import now
from app.models import AuditHead
from app.runtime.db import engine, unit_of_work
from app.runtime.portal import portal
from app.security import sealing
from app.security.kept_head import Anchor, KeptHead
from app.security.sealing import Findings, HeadNotGenuine, TrailFaultKind
from tests.flows.trail.test_sealed_trail import act, seal_all

_COLUMNS = "tag, actor_id, account_id, client_address, user_agent, request_id, detail, instansi_id"
_UNSEAL = "UPDATE audit_event SET seal_no = NULL, previous_seal = NULL, seal = NULL"
_ZERO = "0" * 64
_UNTOUCHED = "newest_at = NULL, resealed_no = NULL, resealed_seal = NULL, replaced_seal = NULL"


def _put_in(at: str, seal_no: str = "NULL", seals: str = "NULL, NULL") -> str:
    return (
        f"INSERT INTO audit_event (at, {_COLUMNS}, seal_no, previous_seal, seal) "
        f"SELECT {at}, {_COLUMNS}, {seal_no}, {seals} FROM audit_event WHERE id = (SELECT min(id) FROM "
        "audit_event)"
    )


def _changed(assignment: str, seal_no: int = 7) -> str:
    return f"UPDATE audit_event SET {assignment} WHERE seal_no = {seal_no}"


# Values in braces are known to somebody who has read the tables at the time: the head after 0 events, and the
# head after 9.
TAMPERINGS: dict[str, tuple[str, ...]] = {
    "delete the first": ("DELETE FROM audit_event WHERE seal_no = 1",),
    "delete one in the middle": ("DELETE FROM audit_event WHERE seal_no = 6",),
    "delete the last": ("DELETE FROM audit_event WHERE seal_no = 12",),
    "delete the last four": ("DELETE FROM audit_event WHERE seal_no > 8",),
    "delete all": ("DELETE FROM audit_event",),
    "change the moment": (_changed("at = '2026-01-01 00:00:00'"),),
    "change the tag": (_changed("tag = 'login'"),),
    "change the actor": (_changed("actor_id = NULL"),),
    "change the account": (_changed("account_id = actor_id"),),
    "change the desk": (_changed("instansi_id = NULL"),),
    "change the address": (_changed("client_address = '192.0.2.1'"),),
    "change the browser": (_changed("user_agent = ''"),),
    "change the request": (_changed("request_id = 'ffffffffffff'"),),
    "change what is noted": (_changed("detail = '{\"number\": 99}'"),),
    "change the id": (_changed("id = 5000"),),
    "change the seal": (_changed("seal = 'ffff'"),),
    "change the seal before": (_changed("previous_seal = NULL"),),
    "say that it was sealed anew": (_changed("replaced_seal = seal"),),
    "change the first row": (_changed("tag = 'login'", 1),),
    "change the last row": (_changed("tag = 'login'", 12),),
    "put in a row of long ago": (_put_in("'2020-02-02 08:00:00'"),),
    "put in a row of yesterday": (_put_in("'{yesterday}'"),),
    "put in a row of the future": (_put_in("'2999-02-02 08:00:00'"),),
    "put in a row with the seal of another": (_put_in("'{now}'", "13", "previous_seal, seal"),),
    "put in a row with a made-up seal": (_put_in("'{now}'", "14", f"'{_ZERO}', '{'a' * 64}'"),),
    "put in a row below the first": (_put_in("'{now}'", "0", "previous_seal, seal"),),
    "put in a row below zero": (_put_in("'{now}'", "-3", "previous_seal, seal"),),
    "unseal one": (f"{_UNSEAL} WHERE seal_no = 7",),
    "unseal the last": (f"{_UNSEAL} WHERE seal_no = 12",),
    "unseal the last three and change them": (f"{_UNSEAL}, tag = 'login' WHERE seal_no > 9",),
    "unseal all": (_UNSEAL,),
    "swap two": (_changed("seal_no = 1000", 4), _changed("seal_no = 4", 5), _changed("seal_no = 5", 1000)),
    "renumber all": ("UPDATE audit_event SET seal_no = seal_no + 1000",),
    "renumber the last": (_changed("seal_no = 99", 12),),
    "below zero": (_changed("seal_no = -seal_no"),),
    "copy a seal": (_changed("seal = (SELECT other.seal FROM audit_event other WHERE other.seal_no = 3)"),),
    "delete the head": ("DELETE FROM audit_head",),
    "move the head back": ("UPDATE audit_head SET seal_no = 9, seal = '{seal of 9}'",),
    "move the head on": ("UPDATE audit_head SET seal_no = 13",),
    "zero the head": (f"UPDATE audit_head SET seal_no = 0, seal = '{_ZERO}', mark = '', {_UNTOUCHED}",),
    "zero the head with the mark of then": (
        f"UPDATE audit_head SET seal_no = 0, seal = '{_ZERO}', mark = '{{mark of 0}}', newest_at = "
        f"'{{newest of 0}}'",
    ),
    "make the head anew": (
        "DELETE FROM audit_head",
        f"INSERT INTO audit_head (id, seal_no, seal, mark) VALUES (1, 0, '{_ZERO}', '')",
    ),
    "change the mark": ("UPDATE audit_head SET mark = 'ffff'",),
    "change the head's seal": ("UPDATE audit_head SET seal = '{seal of 9}'",),
    "move the reach back": ("UPDATE audit_head SET newest_at = '2020-01-01T00:00:00.000000+00:00'",),
    "forget the reach": ("UPDATE audit_head SET newest_at = NULL",),
    "break the reach": ("UPDATE audit_head SET newest_at = 'kapan'",),
    "say that all is being sealed anew": ("UPDATE audit_head SET resealed_no = 6, resealed_seal = seal, "
        "replaced_seal = seal",),
    "begin anew and keep the history": (
        _UNSEAL,
        f"UPDATE audit_head SET seal_no = 0, seal = '{_ZERO}', mark = '', {_UNTOUCHED}",
    ),
    "begin anew without a history": (
        "DELETE FROM audit_event",
        f"UPDATE audit_head SET seal_no = 0, seal = '{_ZERO}', mark = '', {_UNTOUCHED}",
    ),
    "begin anew with the mark of then": (
        _UNSEAL,
        f"UPDATE audit_head SET seal_no = 0, seal = '{_ZERO}', mark = '{{mark of 0}}', newest_at = "
        f"'{{newest of 0}}'",
    ),
    "put back an older state": (
        "DELETE FROM audit_event WHERE seal_no > 9",
        "UPDATE audit_head SET seal_no = 9, seal = '{seal of 9}', mark = '{mark of 9}', newest_at = "
        "'{newest of 9}'",
    ),
    "put back an older state and seal the rest again": (
        f"{_UNSEAL}, tag = 'login' WHERE seal_no > 9",
        "UPDATE audit_head SET seal_no = 9, seal = '{seal of 9}', mark = '{mark of 9}', newest_at = "
        "'{newest of 9}'",
    ),
    "truncate": ("DELETE FROM audit_event", "DELETE FROM audit_head"),
}  # fmt: skip
# Each of these leaves a state that was genuine once, or a trail that nobody has ever sealed.
ONLY_THE_FILE_KNOWS = {
    "begin anew without a history",
    "begin anew and keep the history",
    "begin anew with the mark of then",
    "put back an older state",
    "put back an older state and seal the rest again",
}


@dataclass
class Trail:
    """Twelve sealed events, what an attacker has read of them, and the file of this machine."""

    app: Flask
    known: dict[str, str]
    kept: Anchor

    def after(self, *names: str, seals: bool, machine_is_new: bool = False) -> Findings | None:
        """What a check finds after these tamperings. Then everything is restored. None if the database itself
        refuses them."""
        with self.app.app_context(), Session(engine()) as session:
            try:
                for name in names:
                    for statement in TAMPERINGS[name]:
                        session.execute(text(self._filled(statement)))
            except DBAPIError:
                return None
            kept = None if machine_is_new else self.kept
            while seals and self._seal(session, kept):
                pass
            session.expire_all()
            return sealing.verify(session, portal().keys, now(), kept)

    @staticmethod
    def _seal(session: Session, kept: Anchor | None) -> bool:
        sealed = sealing.seal_next(session, portal().keys, kept, now())
        session.flush()
        return not isinstance(sealed, HeadNotGenuine) and sealed > 0

    def _filled(self, statement: str) -> str:
        for name, value in self.known.items():
            statement = statement.replace("{" + name + "}", value)
        return statement.replace(":", r"\:")


@pytest.fixture
def trail(peopled: Flask) -> Trail:
    known = {
        "now": f"{now():%Y-%m-%d %H:%M:%S}",
        "yesterday": f"{now() - sealing.OLDEST_TO_SEAL * 24:%Y-%m-%d %H:%M:%S}",
    }

    def read_the_head(name: str) -> Anchor:
        with peopled.app_context(), unit_of_work() as session:
            head = AuditHead.now(session)
            assert head is not None
            assert head.newest_at is not None
            known.update(
                {
                    f"seal of {name}": head.seal,
                    f"mark of {name}": head.mark,
                    f"newest of {name}": head.newest_at,
                }
            )
            return Anchor(head.seal_no, head.seal)

    with peopled.app_context():
        assert begin_trail() is None
    read_the_head("0")
    act(peopled, 9)
    seal_all(peopled)
    read_the_head("9")
    act(peopled, 3)
    seal_all(peopled)
    return Trail(peopled, known, read_the_head("12"))


@pytest.mark.parametrize("seals", [False, True], ids=["at once", "after the worker"])
def test_each_tampering_is_found(trail: Trail, *, seals: bool) -> None:
    untouched = trail.after(seals=seals)
    assert untouched is not None
    assert untouched.faults == 0

    for name in TAMPERINGS:
        found = trail.after(name, seals=seals)
        assert found is not None, f"{name} is no tampering here"
        assert found.faults, name


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_two_tamperings_are_found(trail: Trail) -> None:
    """Half of the pairs are tried in the one order, half in the other."""
    missed = []
    for number, names in enumerate(combinations(TAMPERINGS, 2)):
        found = trail.after(*(names if number % 2 else reversed(names)), seals=True)
        if found is not None and not found.faults:
            missed.append(names)

    assert not missed


def test_a_machine_that_has_seen_nothing_misses_only_what_was_genuine_once(trail: Trail) -> None:
    missed = {
        name
        for name in TAMPERINGS
        if (found := trail.after(name, seals=False, machine_is_new=True)) and not found.faults
    }

    assert missed == ONLY_THE_FILE_KNOWS


@pytest.mark.parametrize(
    "name", ["unseal all", "put back an older state", "begin anew and keep the history", "delete the last"]
)
def test_the_worker_does_not_make_it_good_and_the_operator_is_told_what_to_do(
    trail: Trail, name: str
) -> None:
    with trail.app.app_context(), unit_of_work() as session:
        for statement in TAMPERINGS[name]:
            session.execute(text(trail._filled(statement)))
    act(trail.app, 2)
    seal_all(trail.app)
    with trail.app.app_context():
        kept = KeptHead.of(portal().settings.instance, portal().settings.database_url, portal().keys).read()

    answer = trail.app.test_cli_runner().invoke(args=["audit", "verify"])

    assert kept == trail.kept
    assert answer.exit_code == 1
    assert "RUSAK" in answer.output
    assert "salinan database" in answer.output


def test_history_that_was_unsealed_is_not_sealed_even_where_nobody_knows_better(trail: Trail) -> None:
    with trail.app.app_context(), unit_of_work() as session:
        session.execute(text("UPDATE audit_event SET at = '2026-01-01 08:00:00'"))
        for statement in TAMPERINGS["begin anew and keep the history"]:
            session.execute(text(statement))
        sealed = sealing.seal_next(session, portal().keys, None, now())
        findings = sealing.verify(session, portal().keys, now(), None)

    assert sealed == 0
    assert findings.kinds == {TrailFaultKind.LATE}
    assert findings.faults == 12
