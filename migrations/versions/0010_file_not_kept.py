"""A request says whether a file was sent with it that had no place."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("file_not_kept", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("email_correction", column)


def downgrade() -> None:
    # In place: a table made anew would take the attachments along
    op.drop_column("email_correction", "file_not_kept")
