"""What a worker has last counted for the overview of each desk, and the days of campaigns that it marks."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desk_figures",
        sa.Column("scope", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_desk_figures")),
    )
    op.create_table(
        "campaign_day",
        sa.Column("scope", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("instansi_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.CheckConstraint(
            "scope = coalesce(instansi_id, 0)", name=op.f("ck_campaign_day_scope_is_instansi")
        ),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name=op.f("fk_campaign_day_instansi_id")),
        sa.PrimaryKeyConstraint("scope", "day", name=op.f("pk_campaign_day")),
    )
    op.create_index("ix_campaign_day_instansi_id", "campaign_day", ["instansi_id"])


def downgrade() -> None:
    op.drop_table("campaign_day")
    op.drop_table("desk_figures")
