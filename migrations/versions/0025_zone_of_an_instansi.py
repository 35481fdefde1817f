"""The time zone of an instansi, where somebody has chosen one. NULL: it is guessed from name and code."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The rule stands with its column, so SQLite need not copy the table, to which all people refer
    op.execute(
        "ALTER TABLE instansi ADD COLUMN chosen_zone VARCHAR(40) "
        "CONSTRAINT ck_instansi_chosen_zone CHECK (chosen_zone IN ('WIB', 'WITA', 'WIT'))"
    )


def downgrade() -> None:
    op.drop_column("instansi", "chosen_zone")
