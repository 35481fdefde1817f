"""What a migration may say besides Alembic's own words: `op.takes_long(...)`.

It hangs on `op`, so that a migration imports nothing of the portal, which goes on changing.
"""

from alembic.operations import MigrateOperation, Operations


@Operations.register_operation("takes_long")
class TakesLong(MigrateOperation):
    @classmethod
    def takes_long(cls, operations: Operations, minutes: int) -> None:
        """Each statement of this migration may take so long. It ends with the migration's transaction. SQLite
        sets statements no limit."""
        if operations.get_bind().dialect.name == "postgresql":
            operations.execute(f"SET LOCAL statement_timeout = '{minutes}min'")
