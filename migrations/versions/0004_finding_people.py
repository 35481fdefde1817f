"""People are found by the words of their names, and who is stuck by a note."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.create_table(
        "name_word",
        sa.Column("instansi_id", sa.Integer(), nullable=False),
        sa.Column(
            "word",
            sa.String(length=40, collation="C").with_variant(sa.String(length=40), "sqlite"),
            nullable=False,
        ),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_name_word_instansi_id"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name="fk_name_word_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("instansi_id", "word", "user_id", name="pk_name_word"),
    )
    with op.batch_alter_table("name_word") as batch_op:
        batch_op.create_index("ix_name_word_user_id", ["user_id"])
        batch_op.create_index("ix_name_word_word_user_id", ["word", "user_id"])
    with op.batch_alter_table("user_account") as batch_op:
        batch_op.add_column(sa.Column("activation_reason", sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column("stuck_since", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("mail_failed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index("ix_user_account_instansi_id_activation")
        batch_op.create_index("ix_user_account_instansi_id_activation", ["instansi_id", "activation", "nip"])
        batch_op.create_index("ix_user_account_activation", ["activation", "nip"])
        batch_op.create_index("ix_user_account_category", ["category", "nip"])
        batch_op.create_index("ix_user_account_instansi_id_category", ["instansi_id", "category", "nip"])
        batch_op.create_index("ix_user_account_instansi_id_nip", ["instansi_id", "nip"])
        batch_op.create_index("ix_user_account_instansi_id_work_unit", ["instansi_id", "work_unit", "nip"])
        batch_op.create_index(
            "ix_user_account_mail_failed_at",
            ["instansi_id", "mail_failed_at", "id"],
            sqlite_where=sa.text("mail_failed_at IS NOT NULL"),
            postgresql_where=sa.text("mail_failed_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_user_account_waiting_since",
            ["instansi_id", "activation_changed_at"],
            sqlite_where=sa.text("activation = 'waiting_approval'"),
            postgresql_where=sa.text("activation = 'waiting_approval'"),
        )
        batch_op.create_index(
            "ix_user_account_stuck_since",
            ["instansi_id", "stuck_since", "id"],
            sqlite_where=sa.text("stuck_since IS NOT NULL"),
            postgresql_where=sa.text("stuck_since IS NOT NULL"),
        )
    _write_words(op.get_bind())


def _write_words(connection: sa.Connection) -> None:
    """The words of everybody's name, as app/models/name_word.py wrote them when this was made."""
    person = sa.table("user_account", sa.column("id"), sa.column("instansi_id"), sa.column("name"))
    word = sa.table("name_word", sa.column("instansi_id"), sa.column("word"), sa.column("user_id"))
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


def downgrade() -> None:
    op.takes_long(minutes=60)
    with op.batch_alter_table("user_account") as batch_op:
        batch_op.drop_index(
            "ix_user_account_waiting_since",
            sqlite_where=sa.text("activation = 'waiting_approval'"),
            postgresql_where=sa.text("activation = 'waiting_approval'"),
        )
        batch_op.drop_index(
            "ix_user_account_stuck_since",
            sqlite_where=sa.text("stuck_since IS NOT NULL"),
            postgresql_where=sa.text("stuck_since IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_user_account_mail_failed_at",
            sqlite_where=sa.text("mail_failed_at IS NOT NULL"),
            postgresql_where=sa.text("mail_failed_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_user_account_instansi_id_work_unit")
        batch_op.drop_index("ix_user_account_instansi_id_nip")
        batch_op.drop_index("ix_user_account_instansi_id_category")
        batch_op.drop_index("ix_user_account_category")
        batch_op.drop_index("ix_user_account_activation")
        batch_op.drop_index("ix_user_account_instansi_id_activation")
        batch_op.create_index("ix_user_account_instansi_id_activation", ["instansi_id", "activation"])
        batch_op.drop_column("mail_failed_at")
        batch_op.drop_column("stuck_since")
        batch_op.drop_column("activation_reason")
    with op.batch_alter_table("name_word") as batch_op:
        batch_op.drop_index("ix_name_word_word_user_id")
        batch_op.drop_index("ix_name_word_user_id")
    op.drop_table("name_word")
