"""Each row of the trail is sealed over the one before."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seal_no", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_audit_head_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    with op.batch_alter_table("audit_event") as batch_op:
        batch_op.add_column(sa.Column("instansi_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("seal_no", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("previous_seal", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("seal", sa.String(length=64), nullable=True))
        batch_op.drop_index("ix_audit_event_account_id_at")
        batch_op.create_index("ix_audit_event_account_id", ["account_id", "id"])
        batch_op.create_index("ix_audit_event_actor_id", ["actor_id", "id"])
        batch_op.create_index("ix_audit_event_instansi_id", ["instansi_id", "id"])
        batch_op.create_index(
            "ix_audit_event_unsealed",
            ["id"],
            sqlite_where=sa.text("seal_no IS NULL"),
            postgresql_where=sa.text("seal_no IS NULL"),
        )
        batch_op.create_unique_constraint("uq_audit_event_seal_no", ["seal_no"])
        batch_op.create_foreign_key("fk_audit_event_instansi_id", "instansi", ["instansi_id"], ["id"])
    head = sa.table("audit_head", sa.column("id"), sa.column("seal_no"), sa.column("seal"), sa.column("mark"))
    op.bulk_insert(head, [{"id": 1, "seal_no": 0, "seal": "0" * 64, "mark": ""}])
    op.execute(
        "UPDATE audit_event SET instansi_id = "
        "(SELECT instansi_id FROM user_account WHERE user_account.id = audit_event.account_id)"
    )


def downgrade() -> None:
    op.takes_long(minutes=60)
    with op.batch_alter_table("audit_event") as batch_op:
        batch_op.drop_constraint("fk_audit_event_instansi_id", type_="foreignkey")
        batch_op.drop_constraint("uq_audit_event_seal_no", type_="unique")
        batch_op.drop_index(
            "ix_audit_event_unsealed",
            sqlite_where=sa.text("seal_no IS NULL"),
            postgresql_where=sa.text("seal_no IS NULL"),
        )
        batch_op.drop_index("ix_audit_event_instansi_id")
        batch_op.drop_index("ix_audit_event_actor_id")
        batch_op.drop_index("ix_audit_event_account_id")
        batch_op.create_index("ix_audit_event_account_id_at", ["account_id", "at"])
        batch_op.drop_column("seal")
        batch_op.drop_column("previous_seal")
        batch_op.drop_column("seal_no")
        batch_op.drop_column("instansi_id")
    op.drop_table("audit_head")
