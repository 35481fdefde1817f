"""Acts on many people at once: the act, and a row for each person, before and after."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "bulk_act",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("instansi_id", sa.Integer(), nullable=True),
        sa.Column("desks", sa.JSON(), nullable=False),
        sa.Column("prepared_by_id", sa.Integer(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("client_address", sa.String(length=45), nullable=False),
        sa.Column("credential_version", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "disiapkan",
                "dimulai",
                "berjalan",
                "selesai",
                "dihentikan",
                name="bulk_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "why_stopped",
            sa.Enum(
                "admin",
                "mandat",
                "akun",
                "gangguan",
                name="why_stopped",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("is_cut", sa.Boolean(), nullable=False),
        sa.Column("expected", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_bulk_act_instansi_id"),
        sa.ForeignKeyConstraint(["prepared_by_id"], ["user_account.id"], name="fk_bulk_act_prepared_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_act"),
    )
    op.create_index("ix_bulk_act_state", "bulk_act", ["state", "id"])
    op.create_index("ix_bulk_act_prepared_by_id", "bulk_act", ["prepared_by_id", "id"])
    op.create_index("ix_bulk_act_instansi_id", "bulk_act", ["instansi_id", "id"])
    op.create_index("ix_bulk_act_kept_until", "bulk_act", ["kept_until"])
    op.create_table(
        "bulk_act_row",
        sa.Column("bulk_act_id", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("desk", sa.Integer(), nullable=True),
        sa.Column("typed", sa.String(length=40), nullable=False),
        sa.Column("expected", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["bulk_act_id"], ["bulk_act.id"], name="fk_bulk_act_row_bulk_act_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["user_account.id"], name="fk_bulk_act_row_person_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("bulk_act_id", "position", name="pk_bulk_act_row"),
    )
    op.create_index("ix_bulk_act_row_person_id", "bulk_act_row", ["person_id"])


def downgrade() -> None:
    op.drop_table("bulk_act_row")
    op.drop_table("bulk_act")
