"""One cheap look tells the worker whether anybody has written."""

import sqlite3

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from app.models.user import User
from app.runtime.changes import Changes
from app.runtime.db import engine, reading
from tests.cast import BUDI
from tests.visitor import Visitor


def test_a_look_sees_what_others_have_committed_and_nothing_else(peopled: Flask) -> None:
    with peopled.app_context(), Changes(engine()) as changes:
        assert changes.since_last_look(), "the first look knows nothing yet"
        assert not changes.since_last_look()

        with reading() as session:
            assert session.scalars(select(User)).first()
        assert not changes.since_last_look(), "nobody has written"

        Visitor(peopled).ask_for_token(BUDI.nip, BUDI.email or "")
        assert changes.since_last_look()
        assert not changes.since_last_look()


def test_after_a_fault_everybody_looks(peopled: Flask) -> None:
    with peopled.app_context(), Changes(engine()) as changes:
        changes.since_last_look()
        assert changes._connection is not None
        assert changes._connection.dbapi_connection is not None
        changes._connection.dbapi_connection.close()  # as if the server had ended it

        with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError)):
            changes.since_last_look()
        assert changes.since_last_look()
