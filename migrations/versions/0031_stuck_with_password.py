"""The people who have set a password and never came in are found without reading all who are stuck."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_NAME = "ix_user_account_stuck_with_password"


def upgrade() -> None:
    op.create_index_on_filled_table(
        _NAME,
        "user_account",
        ["instansi_id", "stuck_since", "id"],
        only="stuck_since IS NOT NULL AND password_hash IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_index(_NAME, "user_account")
