"""Who has a correction in hand, what the desk notes about it, and what it asks the person."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "taken_correction",
        sa.Column("correction_id", _BIG_ID, nullable=False),
        sa.Column("taken_by_id", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        _of_correction("taken_correction"),
        _of_admin("taken_correction", "taken_by_id"),
        sa.PrimaryKeyConstraint("correction_id", name=op.f("pk_taken_correction")),
    )
    op.create_index("ix_taken_correction_taken_by_id", "taken_correction", ["taken_by_id", "taken_at"])
    op.create_index("ix_taken_correction_taken_at", "taken_correction", ["taken_at"])
    op.create_table(
        "correction_note",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("correction_id", _BIG_ID, nullable=False),
        sa.Column("written_by_id", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        _of_correction("correction_note"),
        _of_admin("correction_note", "written_by_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_note")),
    )
    op.create_index("ix_correction_note_correction_id", "correction_note", ["correction_id", "id"])
    op.create_index("ix_correction_note_written_by_id", "correction_note", ["written_by_id"])
    op.create_table(
        "correction_question",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("correction_id", _BIG_ID, nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("question", sa.String(length=500), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=1000), nullable=True),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answer IS NULL)",
            name=op.f("ck_correction_question_answered_when_there_is_an_answer"),
        ),
        _of_correction("correction_question"),
        _of_admin("correction_question", "asked_by_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_question")),
    )
    op.create_index("ix_correction_question_correction_id", "correction_question", ["correction_id", "id"])
    op.create_index("ix_correction_question_asked_by_id", "correction_question", ["asked_by_id"])
    is_open = sa.text("answered_at IS NULL")
    op.create_index(
        "ix_correction_question_open",
        "correction_question",
        ["correction_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def downgrade() -> None:
    for table in ("correction_question", "correction_note", "taken_correction"):
        op.drop_table(table)


def _of_correction(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_correction_id")
    return sa.ForeignKeyConstraint(["correction_id"], ["email_correction.id"], name=name, ondelete="CASCADE")


def _of_admin(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["user_account.id"], name=op.f(f"fk_{table}_{column}"))
