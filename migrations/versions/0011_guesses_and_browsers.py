"""Wrong passwords that are forgotten one by one, and the mark of the browsers that know a person."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guess_bucket",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("forgotten_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_try", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_guess_bucket"),
    )
    op.create_index("ix_guess_bucket_last_at", "guess_bucket", ["last_at"])
    op.add_column("user_account", sa.Column("browser_mark", sa.String(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("user_account", "browser_mark")
    op.drop_index("ix_guess_bucket_last_at", table_name="guess_bucket")
    op.drop_table("guess_bucket")
