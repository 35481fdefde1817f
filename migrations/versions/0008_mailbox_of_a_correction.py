"""A request for another address keeps the mailbox it leads to, so that spellings of one mailbox are counted
as one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_GOOGLE = ("gmail.com", "googlemail.com")


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.add_column("email_correction", sa.Column("new_mailbox", sa.String(length=254), nullable=True))
    _fill_in()
    with op.batch_alter_table("email_correction") as batch_op:
        batch_op.alter_column("new_mailbox", existing_type=sa.String(length=254), nullable=False)
        batch_op.create_index("ix_email_correction_new_mailbox", ["new_mailbox"])


def downgrade() -> None:
    op.takes_long(minutes=60)
    with op.batch_alter_table("email_correction") as batch_op:
        batch_op.drop_index("ix_email_correction_new_mailbox")
        batch_op.drop_column("new_mailbox")


def _fill_in() -> None:
    table = sa.table(
        "email_correction",
        sa.column("id", sa.BigInteger),
        sa.column("new_email_key", sa.String),
        sa.column("new_mailbox", sa.String),
    )
    rows, last = op.get_bind(), 0
    while True:
        some = (
            sa.select(table.c.id, table.c.new_email_key)
            .where(table.c.id > last)
            .order_by(table.c.id)
            .limit(_AT_ONCE)
        )
        found = rows.execute(some).all()
        if not found:
            return
        last = found[-1].id
        filled = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("row"))
            .values(new_mailbox=sa.bindparam("mailbox"))
        )
        rows.execute(filled, [{"row": row.id, "mailbox": _mailbox(row.new_email_key)} for row in found])


def _mailbox(key: str) -> str:
    """As the rule stood when this was written."""
    local, domain = key.split("@")
    name = local.split("+")[0] or local
    if domain in _GOOGLE:
        name, domain = name.replace(".", "") or name, "gmail.com"
    return f"{name}@{domain}"
