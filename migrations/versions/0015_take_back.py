"""Files are taken back, and carried out by turns. Accounts that a file brought and nobody used can go
again."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_OF_USER = "FOREIGN KEY(user_id) REFERENCES user_account (id)"
_INDEXES = (
    ("ix_import_change_line", "import_change", ["batch_id", "is_dry_run", "line"]),
    ("ix_import_change_user_id", "import_change", ["user_id"]),
    ("ix_reset_request_user_id", "reset_request", ["user_id"]),
    ("ix_email_correction_opened_by_id", "email_correction", ["opened_by_id"]),
    ("ix_email_correction_decided_by_id", "email_correction", ["decided_by_id"]),
    ("ix_identity_change_ever_decided_by_id", "identity_change", ["decided_by_id"]),
    ("ix_identity_change_ever_confirmed_by_id", "identity_change", ["confirmed_by_id"]),
    ("ix_identity_change_settled_by_id", "identity_change", ["settled_by_id"]),
)
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.create_table(
        "import_turn",
        sa.Column("party", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("party", name="pk_import_turn"),
    )
    op.create_table(
        "import_take_back",
        sa.Column("batch_id", _BIG_ID, nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "menunggu",
                "berjalan",
                "selesai",
                "dihentikan",
                name="take_back_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("down_to", sa.Integer(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["user_account.id"], name="fk_import_take_back_asked_by_id"),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name="fk_import_take_back_batch_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("batch_id", name="pk_import_take_back"),
    )
    op.create_index("ix_import_take_back_state", "import_take_back", ["state", "batch_id"])
    op.create_table(
        "import_left",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("batch_id", _BIG_ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("nip", sa.String(length=18), nullable=False),
        sa.Column("columns", sa.String(length=200), nullable=False),
        sa.Column("sentences", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name="fk_import_left_batch_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_import_left"),
    )
    op.create_index("ix_import_left_batch_id", "import_left", ["batch_id", "line"])
    # Whoever removes an account looks for it in each of these.
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)
    # A row of the trail outlives the account that it names, and never comes to name another one.
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_audit_event_account_id", "audit_event", type_="foreignkey")
        op.drop_constraint("fk_import_change_user_id", "import_change", type_="foreignkey")
        op.create_foreign_key(
            "fk_import_change_user_id",
            "import_change",
            "user_account",
            ["user_id"],
            ["id"],
            ondelete="SET NULL",
        )
        return
    _written_anew("import_change", (_OF_USER, f"{_OF_USER} ON DELETE SET NULL"))
    _written_anew(
        "audit_event",
        (", CONSTRAINT fk_audit_event_account_id FOREIGN KEY(account_id) REFERENCES user_account (id)", ""),
    )
    _written_anew(
        "user_account",
        ("( id INTEGER NOT NULL", "( id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"),
        (", CONSTRAINT pk_user_account PRIMARY KEY (id)", ""),
    )


def downgrade() -> None:
    op.takes_long(minutes=60)
    for name, table, _ in _INDEXES:
        op.drop_index(name, table)
    # For new rows only: what the trail says about accounts that are gone is sealed.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE audit_event ADD CONSTRAINT fk_audit_event_account_id "
            "FOREIGN KEY (account_id) REFERENCES user_account (id) NOT VALID"
        )
        op.drop_constraint("fk_import_change_user_id", "import_change", type_="foreignkey")
        op.create_foreign_key(
            "fk_import_change_user_id", "import_change", "user_account", ["user_id"], ["id"]
        )
    else:
        _written_anew("import_change", (f"{_OF_USER} ON DELETE SET NULL", _OF_USER))
        _written_anew(
            "audit_event",
            (
                "CONSTRAINT fk_audit_event_actor_id",
                "CONSTRAINT fk_audit_event_account_id FOREIGN KEY(account_id) REFERENCES user_account (id), "
                "CONSTRAINT fk_audit_event_actor_id",
            ),
        )
        _written_anew(
            "user_account",
            ("( id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", "( id INTEGER NOT NULL"),
            (
                "CONSTRAINT fk_user_account_instansi_id",
                "CONSTRAINT pk_user_account PRIMARY KEY (id), CONSTRAINT fk_user_account_instansi_id",
            ),
        )
    op.drop_table("import_left")
    op.drop_table("import_take_back")
    op.drop_table("import_turn")


def _written_anew(table: str, *replaced: tuple[str, str]) -> None:
    """SQLite changes no constraint of a table: its rows are copied into one with other words
    (sqlite.org/lang_altertable.html, section 7). Its own words are kept but for these, so that no CHECK and
    no index is lost."""
    connection = op.get_bind()
    words = " ".join(
        str(
            connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = :table"), {"table": table})
        ).split()
    )
    for old, new in replaced:
        assert words.count(old) == 1, (table, old, words)
        words = words.replace(old, new)
    indexes = connection.scalars(
        sa.text(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND sql IS NOT NULL"
        ),
        {"table": table},
    ).all()
    head, _, rest = words.partition("(")
    assert table in head
    op.execute(f"{head.replace(table, f'{table}_anew')}({rest}")
    op.execute(f"INSERT INTO {table}_anew SELECT * FROM {table}")  # both names stand in this file  # noqa: S608
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE {table}_anew RENAME TO {table}")
    for index in indexes:
        op.execute(str(index))
