"""What a file of staff would change, and has changed: column by column, old and new."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("import_batch", sa.Column("column_counts", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "import_change",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("batch_id", _BIG_ID, nullable=False),
        sa.Column("is_dry_run", sa.Boolean(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("column", sa.String(length=20), nullable=False),
        sa.Column("old_value", sa.String(length=320), nullable=True),
        sa.Column("new_value", sa.String(length=320), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name="fk_import_change_batch_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_import_change_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_import_change"),
    )
    op.create_index("ix_import_change_batch_id", "import_change", ["batch_id", "is_dry_run", "column", "id"])


def downgrade() -> None:
    op.drop_index("ix_import_change_batch_id", "import_change")
    op.drop_table("import_change")
    op.drop_column("import_batch", "column_counts")
