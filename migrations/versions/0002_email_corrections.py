"""Corrections of an address on record: asked for, decided, in effect or stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.create_table(
        "email_correction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("ticket", sa.String(length=12), nullable=False),
        sa.Column("nip", sa.String(length=18), nullable=False),
        sa.Column("new_email", sa.String(length=254), nullable=False),
        sa.Column("new_email_key", sa.String(length=254), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("instansi_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "diminta",
                "baru",
                "diproses",
                "disetujui",
                "ditolak",
                name="correction_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decision", sa.String(length=500), nullable=True),
        sa.Column("answer_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("work_unit", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("client_address", sa.String(length=45), nullable=False),
        sa.CheckConstraint(
            "(state = 'diminta') = (submitted_at IS NULL)",
            name="ck_email_correction_submitted_when_filled_in",
        ),
        sa.CheckConstraint(
            "(state IN ('disetujui', 'ditolak')) = (decided_at IS NOT NULL)",
            name="ck_email_correction_decided_when_answered",
        ),
        sa.CheckConstraint(
            "(user_id IS NULL) = (instansi_id IS NULL)", name="ck_email_correction_instansi_is_the_users"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user_account.id"], name="fk_email_correction_decided_by_id"
        ),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_email_correction_instansi_id"),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["user_account.id"], name="fk_email_correction_opened_by_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_email_correction_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_email_correction"),
        sa.UniqueConstraint("reference", name="uq_email_correction_reference"),
        sa.UniqueConstraint("ticket", name="uq_email_correction_ticket"),
    )
    with op.batch_alter_table("email_correction") as batch_op:
        batch_op.create_index("ix_email_correction_asked_at", ["asked_at"])
        batch_op.create_index(
            "ix_email_correction_instansi_id_state_submitted_at",
            ["instansi_id", "state", "submitted_at", "id"],
        )
        batch_op.create_index("ix_email_correction_new_email_key", ["new_email_key"])
        batch_op.create_index("ix_email_correction_nip", ["nip"])
        batch_op.create_index("ix_email_correction_state_submitted_at", ["state", "submitted_at", "id"])
        batch_op.create_index("ix_email_correction_user_id", ["user_id"])
    op.create_table(
        "correction_attachment",
        sa.Column("correction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_id"],
            ["email_correction.id"],
            name="fk_correction_attachment_correction_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("correction_id", name="pk_correction_attachment"),
    )
    op.create_table(
        "email_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("instansi_id", sa.Integer(), nullable=False),
        sa.Column("correction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("old_email", sa.String(length=254), nullable=True),
        sa.Column("new_email", sa.String(length=254), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "menunggu_konfirmasi",
                "dijadwalkan",
                "berlaku",
                "dibekukan",
                "dibatalkan",
                name="change_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("identity_check", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by_id", sa.Integer(), nullable=True),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "confirmed_by_id IS NULL OR confirmed_by_id != decided_by_id",
            name="ck_email_change_second_is_another",
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["user_account.id"], name="fk_email_change_confirmed_by_id"
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["email_correction.id"], name="fk_email_change_correction_id"
        ),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name="fk_email_change_decided_by_id"),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_email_change_instansi_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_email_change_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_email_change"),
        sa.UniqueConstraint("reference", name="uq_email_change_reference"),
    )
    with op.batch_alter_table("email_change") as batch_op:
        batch_op.create_index("ix_email_change_correction_id", ["correction_id"])
        batch_op.create_index(
            "ix_email_change_instansi_id_state", ["instansi_id", "state", "decided_at", "id"]
        )
        batch_op.create_index("ix_email_change_state_effective_at", ["state", "effective_at"])
        batch_op.create_index("ix_email_change_user_id", ["user_id", "id"])
        batch_op.create_index(
            "uq_email_change_under_way",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('menunggu_konfirmasi', 'dijadwalkan')"),
            postgresql_where=sa.text("state IN ('menunggu_konfirmasi', 'dijadwalkan')"),
        )
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.add_column(
            sa.Column(
                "email_correction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )
        batch_op.add_column(
            sa.Column("email_change_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("about", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.create_index("ix_outbox_mail_email_change_id", ["email_change_id"])
        batch_op.create_index("ix_outbox_mail_email_correction_id", ["email_correction_id"])
        batch_op.create_foreign_key(
            "fk_outbox_mail_email_change_id", "email_change", ["email_change_id"], ["id"]
        )
        batch_op.create_foreign_key(
            "fk_outbox_mail_email_correction_id", "email_correction", ["email_correction_id"], ["id"]
        )
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.alter_column("about", server_default=None)


def downgrade() -> None:
    op.takes_long(minutes=60)
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.drop_constraint("fk_outbox_mail_email_correction_id", type_="foreignkey")
        batch_op.drop_constraint("fk_outbox_mail_email_change_id", type_="foreignkey")
        batch_op.drop_index("ix_outbox_mail_email_correction_id")
        batch_op.drop_index("ix_outbox_mail_email_change_id")
        batch_op.drop_column("about")
        batch_op.drop_column("email_change_id")
        batch_op.drop_column("email_correction_id")
    with op.batch_alter_table("email_change") as batch_op:
        batch_op.drop_index(
            "uq_email_change_under_way",
            sqlite_where=sa.text("state IN ('menunggu_konfirmasi', 'dijadwalkan')"),
            postgresql_where=sa.text("state IN ('menunggu_konfirmasi', 'dijadwalkan')"),
        )
        batch_op.drop_index("ix_email_change_user_id")
        batch_op.drop_index("ix_email_change_state_effective_at")
        batch_op.drop_index("ix_email_change_instansi_id_state")
        batch_op.drop_index("ix_email_change_correction_id")
    op.drop_table("email_change")
    op.drop_table("correction_attachment")
    with op.batch_alter_table("email_correction") as batch_op:
        batch_op.drop_index("ix_email_correction_user_id")
        batch_op.drop_index("ix_email_correction_state_submitted_at")
        batch_op.drop_index("ix_email_correction_nip")
        batch_op.drop_index("ix_email_correction_new_email_key")
        batch_op.drop_index("ix_email_correction_instansi_id_state_submitted_at")
        batch_op.drop_index("ix_email_correction_asked_at")
    op.drop_table("email_correction")
