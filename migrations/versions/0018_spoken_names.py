"""Names are found as they are spoken. Whose words are an older release's is marked, and the worker writes
them anew."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_IS_OLD = sa.text("has_old_words")


def upgrade() -> None:
    op.takes_long(minutes=60)
    # True for everybody who is there, without a look at any row, and for whom a running older release still
    # adds.
    op.add_column(
        "user_account", sa.Column("has_old_words", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.create_index(
        "ix_user_account_has_old_words",
        "user_account",
        ["id"],
        sqlite_where=_IS_OLD,
        postgresql_where=_IS_OLD,
    )


def downgrade() -> None:
    op.takes_long(minutes=60)
    op.drop_index("ix_user_account_has_old_words", "user_account")
    op.drop_column("user_account", "has_old_words")
    _write_words(op.get_bind())


def _write_words(connection: sa.Connection) -> None:
    """The words of everybody's name, as app/models/name_word.py wrote them until this was made."""
    person = sa.table("user_account", sa.column("id"), sa.column("instansi_id"), sa.column("name"))
    word = sa.table("name_word", sa.column("instansi_id"), sa.column("word"), sa.column("user_id"))
    connection.execute(sa.delete(word))
    last_id = 0
    while people := connection.execute(
        sa.select(person.c.id, person.c.instansi_id, person.c.name)
        .where(person.c.id > last_id)
        .order_by(person.c.id)
        .limit(5000)
    ).all():
        last_id = people[-1].id
        rows = [
            {"instansi_id": one.instansi_id, "word": found, "user_id": one.id}
            for one in people
            for found in {match[:40] for match in re.findall(r"[^\W_]+", one.name.casefold())}
        ]
        if rows:
            connection.execute(sa.insert(word), rows)
