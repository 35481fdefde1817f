"""The instansi of a word is a copy of the person's, whose own foreign key holds it. A second one over every
word cost the import of a file more than the words themselves."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_NAME = "fk_name_word_instansi_id"
_RULE = f"CONSTRAINT {_NAME} FOREIGN KEY(instansi_id) REFERENCES instansi (id), \n\t"
_BEFORE = "CONSTRAINT fk_name_word_user_id "


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_NAME, "name_word", type_="foreignkey")
    else:
        _write_anew(_RULE, "")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.takes_long(minutes=60)
        op.create_foreign_key(_NAME, "name_word", "instansi", ["instansi_id"], ["id"])
    else:
        _write_anew(_BEFORE, f"{_RULE}{_BEFORE}")


def _write_anew(old: str, new: str) -> None:
    """SQLite would copy the table, which has a few rows for every person, for a rule that changes none of
    them. So the words of the table are written anew: the short way for what touches no row
    (sqlite.org/lang_altertable.html, section 7)."""
    connection = op.get_bind()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    if not connection.exec_driver_sql("PRAGMA writable_schema").scalar():
        return  # a SQLite that is built to allow this to nobody: the rule stays, and does no harm
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'name_word'",
        (old, new),
    )
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    # Whoever has the file open reads it anew
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")
