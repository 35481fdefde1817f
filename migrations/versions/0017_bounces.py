"""Letters that came back after the mail server had taken them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_BOUNCED = sa.text("bounced_at IS NOT NULL")


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.add_column("outbox_mail", sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox_mail", sa.Column("bounce_is_hard", sa.Boolean(), nullable=True))
    op.add_column("outbox_mail", sa.Column("bounce_answer", sa.String(length=500), nullable=True))
    op.create_index(
        "ix_outbox_mail_bounced_at",
        "outbox_mail",
        ["bounced_at"],
        sqlite_where=_BOUNCED,
        postgresql_where=_BOUNCED,
    )


def downgrade() -> None:
    op.takes_long(minutes=60)
    op.drop_index("ix_outbox_mail_bounced_at", "outbox_mail")
    op.drop_column("outbox_mail", "bounce_answer")
    op.drop_column("outbox_mail", "bounce_is_hard")
    op.drop_column("outbox_mail", "bounced_at")
