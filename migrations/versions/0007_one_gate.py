"""What identifies a person changes through one gate: every kind of change is a row, and a NIP once held stays
reserved."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNDER_WAY = sa.text("state IN ('menunggu_konfirmasi', 'dijadwalkan')")
_CONTESTED = sa.text("state = 'dibekukan' AND settled_at IS NULL")
_STATES = ("menunggu_konfirmasi", "dijadwalkan", "berlaku", "dibekukan", "dibatalkan")
_KEPT = (
    "id", "reference", "user_id", "instansi_id", "correction_id", "state", "identity_check", "reason",
    "decided_by_id",
    "decided_at", "confirmed_by_id", "effective_at", "ended_at", "ended_because",
)  # fmt: skip


def upgrade() -> None:
    op.takes_long(minutes=60)
    with op.batch_alter_table("admin_mandate") as batch_op:
        batch_op.add_column(sa.Column("confirmed_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("awaits_second", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.create_foreign_key(
            "fk_admin_mandate_confirmed_by_id", "user_account", ["confirmed_by_id"], ["id"]
        )
    with op.batch_alter_table("admin_mandate") as batch_op:
        batch_op.alter_column("awaits_second", server_default=None)
    op.create_table(
        "former_nip",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("nip", sa.String(length=18), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_former_nip_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_former_nip"),
    )
    op.create_index("ix_former_nip_nip", "former_nip", ["nip"])
    op.create_index("ix_former_nip_user_id", "former_nip", ["user_id"])
    _create_identity_change()
    _carry_over()
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.drop_constraint("fk_outbox_mail_email_change_id", type_="foreignkey")
        batch_op.drop_index("ix_outbox_mail_email_change_id")
        batch_op.alter_column(
            "email_change_id",
            new_column_name="identity_change_id",
            existing_type=_BIG,
            existing_nullable=True,
        )
        batch_op.add_column(sa.Column("can_wait", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.alter_column("can_wait", server_default=None)
        batch_op.create_foreign_key(
            "fk_outbox_mail_identity_change_id", "identity_change", ["identity_change_id"], ["id"]
        )
        batch_op.create_index("ix_outbox_mail_identity_change_id", ["identity_change_id"])
        batch_op.create_index("ix_outbox_mail_state_can_wait_due_at", ["state", "can_wait", "due_at", "id"])
    op.drop_table("email_change")
    with op.batch_alter_table("import_batch") as batch_op:
        batch_op.add_column(sa.Column("reason", sa.String(length=300), nullable=False, server_default=""))
    with op.batch_alter_table("import_batch") as batch_op:
        batch_op.alter_column("reason", server_default=None)


def downgrade() -> None:
    op.takes_long(minutes=60)
    with op.batch_alter_table("import_batch") as batch_op:
        batch_op.drop_column("reason")
    _create_email_change()
    _carry_back()
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.drop_constraint("fk_outbox_mail_identity_change_id", type_="foreignkey")
        batch_op.drop_index("ix_outbox_mail_identity_change_id")
        batch_op.drop_index("ix_outbox_mail_state_can_wait_due_at")
        batch_op.drop_column("can_wait")
        batch_op.alter_column(
            "identity_change_id",
            new_column_name="email_change_id",
            existing_type=_BIG,
            existing_nullable=True,
        )
    with op.batch_alter_table("outbox_mail") as batch_op:
        batch_op.create_foreign_key(
            "fk_outbox_mail_email_change_id", "email_change", ["email_change_id"], ["id"]
        )
        batch_op.create_index("ix_outbox_mail_email_change_id", ["email_change_id"])
    op.drop_table("identity_change")
    op.drop_table("former_nip")
    with op.batch_alter_table("admin_mandate") as batch_op:
        batch_op.drop_constraint("fk_admin_mandate_confirmed_by_id", type_="foreignkey")
        batch_op.drop_column("awaits_second")
        batch_op.drop_column("confirmed_by_id")


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _create_identity_change() -> None:
    op.create_table(
        "identity_change",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column(
            "kind", _choice("change_kind", "email", "nip", "instansi", "kategori", "mandat"), nullable=False
        ),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("instansi_id", sa.Integer(), nullable=False),
        sa.Column("correction_id", _BIG, nullable=True),
        sa.Column("mandate_id", sa.Integer(), nullable=True),
        sa.Column("old_value", sa.String(length=254), nullable=True),
        sa.Column("new_value", sa.String(length=254), nullable=False),
        sa.Column("state", _choice("change_state", *_STATES), nullable=False),
        sa.Column("identity_check", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by_id", sa.Integer(), nullable=True),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(length=300), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.Integer(), nullable=True),
        sa.Column("look_again_because", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "confirmed_by_id IS NULL OR confirmed_by_id != decided_by_id",
            name="ck_identity_change_second_is_another",
        ),
        sa.CheckConstraint(
            "(kind = 'mandat') = (mandate_id IS NOT NULL)", name="ck_identity_change_mandate_fits_kind"
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["user_account.id"], name="fk_identity_change_confirmed_by_id"
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["email_correction.id"], name="fk_identity_change_correction_id"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user_account.id"], name="fk_identity_change_decided_by_id"
        ),
        sa.ForeignKeyConstraint(["instansi_id"], ["instansi.id"], name="fk_identity_change_instansi_id"),
        sa.ForeignKeyConstraint(["mandate_id"], ["admin_mandate.id"], name="fk_identity_change_mandate_id"),
        sa.ForeignKeyConstraint(
            ["settled_by_id"], ["user_account.id"], name="fk_identity_change_settled_by_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_identity_change_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_change"),
        sa.UniqueConstraint("reference", name="uq_identity_change_reference"),
    )
    for name, columns in (
        ("ix_identity_change_user_id", ["user_id", "id"]),
        ("ix_identity_change_instansi_id_state", ["instansi_id", "state", "decided_at", "id"]),
        ("ix_identity_change_state_decided_at", ["state", "decided_at", "id"]),
        ("ix_identity_change_state_effective_at", ["state", "effective_at"]),
        ("ix_identity_change_correction_id", ["correction_id"]),
    ):
        op.create_index(name, "identity_change", columns)
    op.create_index(
        "uq_identity_change_under_way", "identity_change", ["user_id"], unique=True,
        sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY,
    )  # fmt: skip
    for name, columns, only in (
        ("ix_identity_change_contested", ["instansi_id", "ended_at", "id"], _CONTESTED),
        ("ix_identity_change_decided_by_id", ["decided_by_id"], _UNDER_WAY),
        ("ix_identity_change_confirmed_by_id", ["confirmed_by_id"], _UNDER_WAY),
    ):
        op.create_index(name, "identity_change", columns, sqlite_where=only, postgresql_where=only)


def _carry_over() -> None:
    """A change that was frozen makes the account contested, as from now on; its old address was told."""
    columns = (*_KEPT, "old_email", "new_email")
    found = op.get_bind().execute(sa.text(f"SELECT {', '.join(columns)} FROM email_change ORDER BY id"))  # noqa: S608
    rows = [dict(zip(columns, row, strict=True)) for row in found]
    for row in rows:
        row["kind"], row["old_value"], row["new_value"] = "email", row.pop("old_email"), row.pop("new_email")
        row["told"] = [row["old_value"]] if row["old_value"] else []
    _insert("identity_change", rows)


def _carry_back() -> None:
    """Only what the older release knows: decisions of admins on addresses."""
    bind = op.get_bind()
    known = "kind = 'email' AND decided_by_id IS NOT NULL AND identity_check IS NOT NULL"
    unknown = f"SELECT id FROM identity_change WHERE NOT ({known})"  # noqa: S608
    bind.execute(
        sa.text(f"UPDATE outbox_mail SET identity_change_id = NULL WHERE identity_change_id IN ({unknown})")  # noqa: S608
    )
    columns = (*_KEPT, "old_value", "new_value")
    found = bind.execute(
        sa.text(f"SELECT {', '.join(columns)} FROM identity_change WHERE {known} ORDER BY id")  # noqa: S608
    )
    rows = [dict(zip(columns, row, strict=True)) for row in found]
    for row in rows:
        row["old_email"], row["new_email"] = row.pop("old_value"), row.pop("new_value")
    _insert("email_change", rows)


def _insert(table: str, rows: list[dict[str, object]]) -> None:
    if not rows:
        return
    kinds = {"told": sa.JSON()}
    op.bulk_insert(sa.table(table, *(sa.column(name, kinds.get(name)) for name in rows[0])), rows)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608


def _create_email_change() -> None:
    op.create_table(
        "email_change",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("instansi_id", sa.Integer(), nullable=False),
        sa.Column("correction_id", _BIG, nullable=True),
        sa.Column("old_email", sa.String(length=254), nullable=True),
        sa.Column("new_email", sa.String(length=254), nullable=False),
        sa.Column("state", _choice("change_state", *_STATES), nullable=False),
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
    op.create_index("ix_email_change_correction_id", "email_change", ["correction_id"])
    op.create_index(
        "ix_email_change_instansi_id_state", "email_change", ["instansi_id", "state", "decided_at", "id"]
    )
    op.create_index("ix_email_change_state_effective_at", "email_change", ["state", "effective_at"])
    op.create_index("ix_email_change_user_id", "email_change", ["user_id", "id"])
    op.create_index(
        "uq_email_change_under_way", "email_change", ["user_id"], unique=True,
        sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY,
    )  # fmt: skip
