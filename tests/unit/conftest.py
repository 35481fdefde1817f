"""A database in memory, for mechanisms that keep rows."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, StaticPool, create_engine
from sqlalchemy.orm import Session

from app.models import Base
from app.runtime import db
from app.security.once_a_minute import OnceAMinute
from tests.unit.rows import KEYS


@pytest.fixture(scope="session")
def tables() -> Iterator[Engine]:
    made = create_engine("sqlite://", poolclass=StaticPool)
    db.prepare(made)
    Base.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def session(tables: Engine) -> Iterator[Session]:
    """A session as the portal opens it. What a test writes is taken back."""
    carried = {OnceAMinute: OnceAMinute(), "fingerprint": KEYS.fingerprint}
    with tables.connect() as connection, connection.begin() as transaction:
        with Session(connection, expire_on_commit=False, info=carried) as opened:
            yield opened
        transaction.rollback()
