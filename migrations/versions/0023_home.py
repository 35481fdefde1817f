"""The home page: corrections of more than the email, what a person has prepared, and how long CPNS wait."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.takes_long(minutes=10)
    op.add_column(
        "email_correction", sa.Column("field", sa.String(length=40), nullable=False, server_default="email")
    )
    for name in ("old_value", "new_value"):
        op.add_column(
            "email_correction", sa.Column(name, sa.String(length=200), nullable=False, server_default="")
        )
    op.add_column("user_account", sa.Column("prepared", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "user_account", sa.Column("has_asked", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "cpns_wait",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("instansi_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name=op.f("fk_cpns_wait_instansi_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cpns_wait")),
    )
    op.create_index("ix_cpns_wait_instansi_id", "cpns_wait", ["instansi_id", "id"])


def downgrade() -> None:
    op.drop_table("cpns_wait")
    # In place: tables made anew would take the rows that refer to them along
    op.drop_column("user_account", "has_asked")
    op.drop_column("user_account", "prepared")
    # An older release would take these for requests about an email
    op.execute(
        "UPDATE identity_change SET correction_id = NULL WHERE correction_id IN "
        "(SELECT id FROM email_correction WHERE field != 'email')"
    )
    op.execute(
        "UPDATE outbox_mail SET email_correction_id = NULL WHERE email_correction_id IN "
        "(SELECT id FROM email_correction WHERE field != 'email')"
    )
    op.execute("DELETE FROM email_correction WHERE field != 'email'")
    for name in ("new_value", "old_value", "field"):
        op.drop_column("email_correction", name)
