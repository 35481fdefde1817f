"""Passwords from before: too weak for an admin, or imported as the hash of an older system."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_IS_OLD = sa.text("old_scheme IS NOT NULL")


def upgrade() -> None:
    op.takes_long(minutes=60)
    op.execute("DELETE FROM login_session")  # nobody has judged their passwords: everybody logs in once more
    op.add_column(
        "login_session", sa.Column("opens_desk", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("user_account", sa.Column("old_scheme", sa.String(length=20), nullable=True))
    op.add_column("user_account", sa.Column("old_cost", sa.Integer(), nullable=True))
    op.create_index(
        "ix_user_account_old_scheme",
        "user_account",
        ["old_scheme", "old_cost"],
        sqlite_where=_IS_OLD,
        postgresql_where=_IS_OLD,
    )


def downgrade() -> None:
    op.takes_long(minutes=60)
    # Hashes that only this release can verify: their owners set a password by Lupa Password.
    op.execute("UPDATE user_account SET password_hash = NULL WHERE old_scheme IS NOT NULL")
    op.drop_index("ix_user_account_old_scheme", "user_account")
    op.drop_column("user_account", "old_cost")
    op.drop_column("user_account", "old_scheme")
    op.drop_column("login_session", "opens_desk")
