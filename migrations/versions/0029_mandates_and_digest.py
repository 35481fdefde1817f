"""Mandates are handed over, and their holders hear before they end. Pusat reads of routine acts each
morning."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TO_TELL = sa.text("told_on IS NULL AND NOT is_at_once")


def upgrade() -> None:
    op.create_table(
        "mandate_handover",
        sa.Column("mandate_id", sa.Integer(), nullable=False),
        sa.Column("former_id", sa.Integer(), nullable=False),
        sa.Column("former_until", sa.Date(), nullable=True),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mandate_id"], ["admin_mandate.id"], name=op.f("fk_mandate_handover_mandate_id")
        ),
        sa.ForeignKeyConstraint(
            ["former_id"], ["admin_mandate.id"], name=op.f("fk_mandate_handover_former_id")
        ),
        sa.PrimaryKeyConstraint("mandate_id", name=op.f("pk_mandate_handover")),
    )
    op.create_index("ix_mandate_handover_former_id", "mandate_handover", ["former_id"])
    op.create_table(
        "mandate_reminder",
        sa.Column("mandate_id", sa.Integer(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mandate_id"], ["admin_mandate.id"], name=op.f("fk_mandate_reminder_mandate_id")
        ),
        sa.PrimaryKeyConstraint("mandate_id", "ends_on", "days_before", name=op.f("pk_mandate_reminder")),
    )
    op.create_table(
        "pusat_report",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("how_many", sa.Integer(), nullable=False),
        sa.Column("is_at_once", sa.Boolean(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["user_account.id"], name=op.f("fk_pusat_report_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pusat_report")),
    )
    op.create_index("ix_pusat_report_actor_id", "pusat_report", ["actor_id", "kind", "at"])
    op.create_index("ix_pusat_report_at", "pusat_report", ["at"])
    op.create_index(
        "ix_pusat_report_to_tell",
        "pusat_report",
        ["at"],
        postgresql_where=_TO_TELL,
        sqlite_where=_TO_TELL,
    )
    op.create_table(
        "pusat_digest",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_pusat_digest")),
    )


def downgrade() -> None:
    for table in ("pusat_digest", "pusat_report", "mandate_reminder", "mandate_handover"):
        op.drop_table(table)
