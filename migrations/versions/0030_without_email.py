"""The people without an email on record are found without reading all people."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_NAME = "ix_user_account_without_email"


def upgrade() -> None:
    op.create_index_on_filled_table(
        _NAME,
        "user_account",
        ["instansi_id", "nip", "id"],
        only="email IS NULL AND activation != 'deactivated'",
    )


def downgrade() -> None:
    op.drop_index(_NAME, "user_account")
