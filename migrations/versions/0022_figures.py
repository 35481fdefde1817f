"""What a worker has last counted in the database, for whoever asks how the portal is doing."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "figures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_figures_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figures")),
    )


def downgrade() -> None:
    op.drop_table("figures")
