"""The head of the trail knows how late it is, and how far a sealing anew has come.

A head of an earlier release keeps its mark; the first who seals writes the new one. Rows that are sealed anew
from here on cannot be verified by an earlier release.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UNSEALED = {"sqlite_where": sa.text("seal_no IS NULL"), "postgresql_where": sa.text("seal_no IS NULL")}


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.add_column("audit_head", sa.Column("newest_at", sa.String(length=32), nullable=True))
    op.add_column("audit_head", sa.Column("resealed_no", sa.BigInteger(), nullable=True))
    op.add_column("audit_head", sa.Column("resealed_seal", sa.String(length=64), nullable=True))
    op.add_column("audit_head", sa.Column("replaced_seal", sa.String(length=64), nullable=True))
    op.add_column("audit_event", sa.Column("replaced_seal", sa.String(length=64), nullable=True))
    op.drop_index("ix_audit_event_unsealed", "audit_event", **_UNSEALED)
    op.create_index("ix_audit_event_unsealed", "audit_event", ["seal_no", "at", "id"], **_UNSEALED)


def downgrade() -> None:
    op.takes_long(minutes=60)
    with op.batch_alter_table("audit_event") as batch_op:
        batch_op.drop_index("ix_audit_event_unsealed", **_UNSEALED)
        batch_op.drop_column("replaced_seal")
        batch_op.create_index("ix_audit_event_unsealed", ["id"], **_UNSEALED)
    with op.batch_alter_table("audit_head") as batch_op:
        for column in ("newest_at", "resealed_no", "resealed_seal", "replaced_seal"):
            batch_op.drop_column(column)
