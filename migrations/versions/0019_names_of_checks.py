"""Names of checks say the table once: `ck_user_account_nip_length`, no longer
`ck_user_account_ck_user_account_nip_length`.

Migrations gave a whole name to a convention that adds the table itself.
"""

from hashlib import md5

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_CHECKS = (
    ("admin_mandate", "ends_after_start"),
    ("admin_mandate", "scope_fits_role"),
    ("audit_head", "one_row"),
    ("email_correction", "decided_when_answered"),
    ("email_correction", "instansi_is_the_users"),
    ("email_correction", "submitted_when_filled_in"),
    ("identity_change", "mandate_fits_kind"),
    ("identity_change", "second_is_another"),
    ("pdm_window", "closes_after_opening"),
    ("pdm_window", "scope_is_instansi"),
    ("reset_request", "only_an_owner_gets_a_token"),
    ("user_account", "email_has_key"),
    ("user_account", "nip_length"),
)
_LONGEST_OF_POSTGRESQL = 63


def upgrade() -> None:
    _rename([(table, _doubled(table, rule), f"ck_{table}_{rule}") for table, rule in _CHECKS])


def downgrade() -> None:
    _rename([(table, f"ck_{table}_{rule}", _doubled(table, rule)) for table, rule in _CHECKS])


def _doubled(table: str, rule: str) -> str:
    name = f"ck_{table}_ck_{table}_{rule}"
    if op.get_bind().dialect.name == "postgresql" and len(name) > _LONGEST_OF_POSTGRESQL:
        # As SQLAlchemy shortens it
        return f"{name[:55]}_{md5(name.encode(), usedforsecurity=False).hexdigest()[-4:]}"
    return name


def _rename(names: list[tuple[str, str, str]]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, old, new in names:
            op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}")
        return
    _rename_in_sqlite(names)


def _rename_in_sqlite(names: list[tuple[str, str, str]]) -> None:
    """SQLite renames no constraint. To copy seven tables into new ones, that of all people among them, costs
    much and may lose something (the numbers that AUTOINCREMENT has given out, say) for a word that no row
    depends on. So the words of the tables are written anew: the short way for what touches no row
    (sqlite.org/lang_altertable.html, section 7)."""
    connection = op.get_bind()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    if not connection.exec_driver_sql("PRAGMA writable_schema").scalar():
        return  # a SQLite that is built to allow this to nobody: the old names stay, and do no harm
    for table, old, new in names:
        renamed = sa.text(
            "UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = :table"
        )
        connection.execute(
            renamed, {"table": table, "old": f"CONSTRAINT {old} ", "new": f"CONSTRAINT {new} "}
        )
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    # Whoever has the file open reads it anew
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")
