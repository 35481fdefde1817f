"""The contact of an instansi has a field for each way to reach it, so that a tap on it dials or writes. What
an earlier release keeps in one line stays, and such a release goes on to write only that."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_FIELDS = {
    "helpdesk_phone": 40,
    "helpdesk_whatsapp": 40,
    "helpdesk_email": 254,
    "helpdesk_place": 200,
    "helpdesk_hours": 200,
}


def upgrade() -> None:
    for name, length in _FIELDS.items():
        op.add_column(
            "instansi", sa.Column(name, sa.String(length=length), nullable=False, server_default="")
        )


def downgrade() -> None:
    for name in reversed(_FIELDS):
        op.drop_column("instansi", name)
