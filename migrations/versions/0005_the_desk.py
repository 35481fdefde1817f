"""Mandates that can be revoked, the moment a password was last shown, and counts for the desk."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.create_table(
        "activation_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("instansi_id", sa.Integer(), nullable=False),
        sa.Column("not_activated", sa.Integer(), nullable=False),
        sa.Column("waiting_approval", sa.Integer(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("deactivated", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_activation_day_instansi_id"),
        sa.PrimaryKeyConstraint("day", "instansi_id", name="pk_activation_day"),
    )
    op.create_table(
        "activation_unit",
        sa.Column("instansi_id", sa.Integer(), nullable=False),
        sa.Column("work_unit", sa.String(length=200), nullable=False),
        sa.Column("not_activated", sa.Integer(), nullable=False),
        sa.Column("waiting_approval", sa.Integer(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("deactivated", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_activation_unit_instansi_id"),
        sa.PrimaryKeyConstraint("instansi_id", "work_unit", name="pk_activation_unit"),
    )
    with op.batch_alter_table("admin_mandate") as batch_op:
        batch_op.add_column(sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("granted_by_id", sa.Integer(), nullable=True))
        batch_op.create_index("ix_admin_mandate_instansi_id", ["instansi_id"])
        batch_op.create_foreign_key(
            "fk_admin_mandate_granted_by_id", "user_account", ["granted_by_id"], ["id"]
        )
    with op.batch_alter_table("login_session") as batch_op:
        batch_op.add_column(sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE login_session SET proven_at = started_at")
    with op.batch_alter_table("login_session") as batch_op:
        batch_op.alter_column("proven_at", existing_type=sa.DateTime(timezone=True), nullable=False)


def downgrade() -> None:
    op.takes_long(minutes=60)
    with op.batch_alter_table("login_session") as batch_op:
        batch_op.drop_column("proven_at")
    with op.batch_alter_table("admin_mandate") as batch_op:
        batch_op.drop_constraint("fk_admin_mandate_granted_by_id", type_="foreignkey")
        batch_op.drop_index("ix_admin_mandate_instansi_id")
        batch_op.drop_column("granted_by_id")
        batch_op.drop_column("revoked_at")
    op.drop_table("activation_unit")
    op.drop_table("activation_day")
