"""A later release of the portal: the migrations of this release and some more."""

import shutil
from pathlib import Path
from textwrap import dedent, indent

import pytest
from alembic.config import Config

from app.runtime import migrations, schema
from app.runtime.schema import newest
from config import ROOT

_MIGRATION = '''\
"""For a test."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
{body}


def downgrade() -> None:
    pass
'''


class LaterRelease:
    """Within `with LaterRelease(folder, "op.drop_table('x')"):`, this process belongs to a release that also
    has these migrations."""

    def __init__(self, folder: Path, *bodies: str) -> None:
        self._scripts = folder / "migrations"
        shutil.copytree(ROOT / "migrations", self._scripts, ignore=shutil.ignore_patterns("__pycache__"))
        before = int(newest())
        self.revisions = [f"{before + number:04}" for number in range(1, len(bodies) + 1)]
        for revision, body in zip(self.revisions, bodies, strict=True):
            self.replace(revision, body)

    def replace(self, revision: str, body: str) -> None:
        words = _MIGRATION.format(
            revision=revision, before=f"{int(revision) - 1:04}", body=indent(dedent(body).strip(), " " * 4)
        )
        (self._scripts / "versions" / f"{revision}_later.py").write_text(words)

    def __enter__(self) -> "LaterRelease":
        self._patch = pytest.MonkeyPatch()
        of_this_release = migrations.config

        def of_the_later_one(url: str) -> Config:
            alembic = of_this_release(url)
            alembic.set_main_option("script_location", str(self._scripts))
            return alembic

        self._patch.setattr(migrations, "config", of_the_later_one)
        self._patch.setattr(schema, "MIGRATION_FILES", self._scripts / "versions")
        schema._revisions.cache_clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()
        schema._revisions.cache_clear()
