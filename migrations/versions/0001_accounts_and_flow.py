"""Accounts, the reset flow, the outbox and the trail."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "instansi",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("helpdesk_contact", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instansi"),
        sa.UniqueConstraint("code", name="uq_instansi_code"),
    )
    op.create_table(
        "throttle_bucket",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_try", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_throttle_bucket"),
    )
    op.create_index("ix_throttle_bucket_last_at", "throttle_bucket", ["last_at"], unique=False)
    op.create_table(
        "pdm_window",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instansi_id", sa.Integer(), nullable=True),
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.CheckConstraint("opens_on <= closes_on", name="ck_pdm_window_closes_after_opening"),
        sa.CheckConstraint("scope = coalesce(instansi_id, 0)", name="ck_pdm_window_scope_is_instansi"),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_pdm_window_instansi_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pdm_window"),
        sa.UniqueConstraint("scope", name="uq_pdm_window_scope"),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("nip", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column(
            "category",
            sa.Enum(
                "PNS",
                "PPPK",
                "CPNS",
                "PPT_NON_ASN",
                name="category",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("instansi_id", sa.Integer(), nullable=False),
        sa.Column("work_unit", sa.String(length=200), nullable=False),
        sa.Column(
            "activation",
            sa.Enum(
                "not_activated",
                "waiting_approval",
                "active",
                "deactivated",
                name="activation",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("activation_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deactivated_by", sa.String(length=200), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("credential_version", sa.Integer(), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(email IS NULL) = (email_key IS NULL)", name="ck_user_account_email_has_key"),
        sa.CheckConstraint("length(nip) = 18", name="ck_user_account_nip_length"),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_user_account_instansi_id"),
        sa.PrimaryKeyConstraint("id", name="pk_user_account"),
        sa.UniqueConstraint("email_key", name="uq_user_account_email_key"),
        sa.UniqueConstraint("nip", name="uq_user_account_nip"),
    )
    op.create_index(
        "ix_user_account_instansi_id_activation", "user_account", ["instansi_id", "activation"], unique=False
    )
    op.create_table(
        "admin_mandate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "admin_instansi",
                "admin_pusat",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("instansi_id", sa.Integer(), nullable=True),
        sa.Column("sk_number", sa.String(length=100), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "(role = 'admin_pusat') = (instansi_id IS NULL)", name="ck_admin_mandate_scope_fits_role"
        ),
        sa.CheckConstraint("starts_on <= ends_on", name="ck_admin_mandate_ends_after_start"),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_admin_mandate_instansi_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_admin_mandate_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_admin_mandate"),
    )
    op.create_index("ix_admin_mandate_user_id", "admin_mandate", ["user_id"], unique=False)
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("client_address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["user_account.id"], name="fk_audit_event_account_id"),
        sa.ForeignKeyConstraint(["actor_id"], ["user_account.id"], name="fk_audit_event_actor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
    )
    op.create_index("ix_audit_event_account_id_at", "audit_event", ["account_id", "at"], unique=False)
    op.create_index("ix_audit_event_at", "audit_event", ["at"], unique=False)
    op.create_table(
        "login_session",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("credential_version", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("client_address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name="fk_login_session_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id_hash", name="pk_login_session"),
    )
    op.create_index("ix_login_session_ends_at", "login_session", ["ends_at"], unique=False)
    op.create_index("ix_login_session_user_id", "login_session", ["user_id"], unique=False)
    op.create_table(
        "reset_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.Column("nip", sa.String(length=18), nullable=False),
        sa.Column("typed_email", sa.String(length=254), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("credential_version", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("client_address", sa.String(length=45), nullable=False),
        sa.CheckConstraint(
            "user_id IS NOT NULL OR expires_at IS NULL", name="ck_reset_request_only_an_owner_gets_a_token"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_reset_request_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reset_request"),
        sa.UniqueConstraint("reference", name="uq_reset_request_reference"),
        sa.UniqueConstraint("submission", name="uq_reset_request_submission"),
    )
    op.create_index("ix_reset_request_asked_at", "reset_request", ["asked_at"], unique=False)
    op.create_index("ix_reset_request_nip", "reset_request", ["nip"], unique=False)
    op.create_table(
        "outbox_mail",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("letter", sa.String(length=40), nullable=False),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("reset_request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("client_address", sa.String(length=45), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "menunggu",
                "mengirim",
                "dikirim",
                "ditunda",
                "gagal",
                "tidak_pasti",
                "ditahan",
                name="mail_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("server_answer", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["reset_request_id"], ["reset_request.id"], name="fk_outbox_mail_reset_request_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_outbox_mail_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_mail"),
        sa.UniqueConstraint("message_id", name="uq_outbox_mail_message_id"),
    )
    op.create_index("ix_outbox_mail_posted_at", "outbox_mail", ["posted_at"], unique=False)
    op.create_index("ix_outbox_mail_state_due_at", "outbox_mail", ["state", "due_at"], unique=False)
    op.create_index("ix_outbox_mail_user_id", "outbox_mail", ["user_id"], unique=False)
    op.create_index("ix_outbox_mail_reset_request_id", "outbox_mail", ["reset_request_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_outbox_mail_reset_request_id", table_name="outbox_mail")
    op.drop_index("ix_outbox_mail_user_id", table_name="outbox_mail")
    op.drop_index("ix_outbox_mail_state_due_at", table_name="outbox_mail")
    op.drop_index("ix_outbox_mail_posted_at", table_name="outbox_mail")
    op.drop_table("outbox_mail")
    op.drop_index("ix_reset_request_nip", table_name="reset_request")
    op.drop_index("ix_reset_request_asked_at", table_name="reset_request")
    op.drop_table("reset_request")
    op.drop_index("ix_login_session_user_id", table_name="login_session")
    op.drop_index("ix_login_session_ends_at", table_name="login_session")
    op.drop_table("login_session")
    op.drop_index("ix_audit_event_at", table_name="audit_event")
    op.drop_index("ix_audit_event_account_id_at", table_name="audit_event")
    op.drop_table("audit_event")
    op.drop_index("ix_admin_mandate_user_id", table_name="admin_mandate")
    op.drop_table("admin_mandate")
    op.drop_index("ix_user_account_instansi_id_activation", table_name="user_account")
    op.drop_table("user_account")
    op.drop_table("pdm_window")
    op.drop_index("ix_throttle_bucket_last_at", table_name="throttle_bucket")
    op.drop_table("throttle_bucket")
    op.drop_table("instansi")
