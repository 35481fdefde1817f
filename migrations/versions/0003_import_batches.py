"""Files of staff that admins hand over on a page."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("instansi_id", sa.Integer(), nullable=True),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by_id", sa.Integer(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "diunggah",
                "diperiksa",
                "siap",
                "dikonfirmasi",
                "berjalan",
                "selesai",
                "tidak_terbaca",
                "dibatalkan",
                name="batch_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("dry_run", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("delimiter", sa.String(length=1), nullable=False),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["user_account.id"], name="fk_import_batch_confirmed_by_id"
        ),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_import_batch_instansi_id"),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"], ["user_account.id"], name="fk_import_batch_uploaded_by_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_import_batch"),
    )
    with op.batch_alter_table("import_batch") as batch_op:
        batch_op.create_index("ix_import_batch_instansi_id", ["instansi_id", "id"])
        batch_op.create_index("ix_import_batch_state", ["state", "id"])
        batch_op.create_index("ix_import_batch_uploaded_by_id", ["uploaded_by_id", "id"])
    op.create_table(
        "import_file",
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name="fk_import_file_batch_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("batch_id", name="pk_import_file"),
    )
    op.create_table(
        "import_refusal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_dry_run", sa.Boolean(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("columns", sa.String(length=200), nullable=False),
        sa.Column("sentences", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name="fk_import_refusal_batch_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_import_refusal"),
    )
    with op.batch_alter_table("import_refusal") as batch_op:
        batch_op.create_index("ix_import_refusal_batch_id", ["batch_id", "is_dry_run", "line"])


def downgrade() -> None:
    with op.batch_alter_table("import_refusal") as batch_op:
        batch_op.drop_index("ix_import_refusal_batch_id")
    op.drop_table("import_refusal")
    op.drop_table("import_file")
    with op.batch_alter_table("import_batch") as batch_op:
        batch_op.drop_index("ix_import_batch_uploaded_by_id")
        batch_op.drop_index("ix_import_batch_state")
        batch_op.drop_index("ix_import_batch_instansi_id")
    op.drop_table("import_batch")
