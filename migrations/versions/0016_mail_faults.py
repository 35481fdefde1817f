"""What stands in the way of letters: of all of them, or of those to one domain; and which letters go
first."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KINDS = ("line", "session", "sender", "recipient", "letter")
_CAN_WAIT = "('account_changed', 'bulk_act', 'cpns_approved', 'cpns_rejected')"


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.create_table(
        "mail_fault",
        sa.Column("way", sa.String(length=253), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*_KINDS, name="fault_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("new_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_new_next", sa.Boolean(), nullable=False),
        sa.Column("mailbox", sa.String(length=254), nullable=False),
        sa.Column("has_letters", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("way", name=op.f("pk_mail_fault")),
    )
    op.create_index("ix_mail_fault_has_letters_new_from", "mail_fault", ["has_letters", "new_from"])
    kind = sa.Enum(*_KINDS, name="mail_fault_kind", native_enum=False, create_constraint=True, length=40)
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.drop_index("ix_outbox_mail_state_can_wait_due_at")
        batch_op.add_column(sa.Column("urgency", sa.SmallInteger(), nullable=False, server_default="2"))
        batch_op.add_column(sa.Column("domain", sa.String(length=253), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("is_parked", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("fault", kind, nullable=True))
        batch_op.add_column(sa.Column("breaks", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True))
    at = "strpos(to_address, '@')" if op.get_bind().dialect.name == "postgresql" else "instr(to_address, '@')"
    # No address of a letter has a second @ in it: none was ever let in.
    op.execute(f"UPDATE outbox_mail SET domain = lower(substr(to_address, {at} + 1))")  # noqa: S608
    op.execute(f"UPDATE outbox_mail SET urgency = 3 WHERE can_wait OR letter IN {_CAN_WAIT}")  # noqa: S608
    op.execute("UPDATE outbox_mail SET urgency = 0 WHERE letter = 'token'")
    op.execute("UPDATE outbox_mail SET urgency = 1 WHERE letter = 'password_changed'")
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.drop_column("can_wait")
        for column in ("urgency", "domain", "is_parked", "breaks"):
            batch_op.alter_column(column, server_default=None)
        batch_op.create_index("ix_outbox_mail_queue", ["state", "is_parked", "urgency", "due_at", "id"])
        batch_op.create_index(
            "ix_outbox_mail_domain", ["domain", "is_parked", "state", "urgency", "due_at", "id"]
        )


def downgrade() -> None:
    op.takes_long(minutes=60)
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.drop_index("ix_outbox_mail_domain")
        batch_op.drop_index("ix_outbox_mail_queue")
        batch_op.add_column(sa.Column("can_wait", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE outbox_mail SET can_wait = (urgency = 3)")
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.alter_column("can_wait", server_default=None)
        batch_op.drop_constraint(op.f("ck_outbox_mail_mail_fault_kind"), type_="check")
        for column in ("urgency", "domain", "is_parked", "fault", "breaks", "leased_until"):
            batch_op.drop_column(column)
        batch_op.create_index("ix_outbox_mail_state_can_wait_due_at", ["state", "can_wait", "due_at", "id"])
    op.drop_index("ix_mail_fault_has_letters_new_from", "mail_fault")
    op.drop_table("mail_fault")
