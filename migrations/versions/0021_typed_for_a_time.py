"""What was typed into a correction, and is to be blanked, is found without reading all corrections."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_NAME = "ix_email_correction_still_typed"


def upgrade() -> None:
    op.create_index_on_filled_table(
        _NAME, "email_correction", ["decided_at"], only="(phone != '' OR reason != '')"
    )


def downgrade() -> None:
    op.drop_index(_NAME, "email_correction")
