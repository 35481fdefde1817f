"""The rules of the code as a whole: imports point down, and some calls may stand only in certain places."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
AUDIT = ROOT / "app/security/audit.py"


def test_imports_point_down_and_never_up() -> None:
    # In a process of its own: the linter silences the loggers of the process that it runs in.
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; "
            "lint()", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("start", "unneeded"),
    [
        ("app.wiring", ()),
        ("app.command_line, app.cli.accounts, app.worker.loop", ("app.blueprints", "app.wiring", "wtforms")),
        ("app.command_line", ("app.worker", "app.flows", "app.cli.accounts")),
    ],
)
def test_a_start_loads_only_what_runs(start: str, unneeded: tuple[str, ...]) -> None:
    """Commands and worker load no pages, and nobody loads what only a few acts need."""
    databases = ("sqlalchemy.dialects.postgresql", "psycopg")  # the URL says which one there is
    rarely = ("alembic", "PIL", "prometheus_client", "python_calamine", "redis", "waitress", "xlsxwriter")
    loaded = _loaded_by(start)

    assert not [one for one in (*rarely, *databases, *unneeded) if one in loaded]


def test_the_web_loads_nothing_that_only_the_worker_does() -> None:
    """The desk reads files of staff too, so it needs some of what the worker needs."""
    loaded = _loaded_by("app.command_line, app.wiring, app.cli.serve")

    assert not [one for one in ("app.worker.loop", "app.flows.housekeeping", "imaplib") if one in loaded]


def _loaded_by(start: str) -> list[str]:
    asked = [sys.executable, "-c", f"import sys, {start}; print(*sys.modules)"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_only_the_postman_knows_flask_mail() -> None:
    importers = [
        file.name
        for file in (ROOT / "app").rglob("*.py")
        if re.search(r"(from|import) flask_mail", file.read_text())
    ]

    assert importers == ["delivery.py"]


def test_what_anybody_can_repeat_has_one_door() -> None:
    """Events that a stranger, or anyone with a link or a known browser, could otherwise cause without end."""
    repeatable = (
        "LOGIN_THROTTLED|LOGIN_NOT_OPEN|TOKEN_THROTTLED|TOKEN_RESENT_TOO_SOON|PASSWORD_REFUSED|LINK_OPENED"
    )
    past_the_door = re.compile(rf"audit\.record\(\s*\w+,\s*Tag\.({repeatable})\b")

    assert not [file for file in (ROOT / "app").rglob("*.py") if past_the_door.search(file.read_text())]


def test_the_moment_of_an_event_is_always_the_servers_clock() -> None:
    """So nobody who only uses the portal can cause an event that is too old, or too far in the future, to be
    sealed."""
    makers = {"app/web/acts.py", "app/web/admins.py", "app/cli/acts.py", "app/worker/acts.py"}
    for file in (ROOT / "app").rglob("*.py"):
        if file.name == "demo_desk.py":  # it invents the events of a month
            continue
        where, code = str(file.relative_to(ROOT)), file.read_text()
        assert "replace(act" not in code, where
        for call in ast.walk(ast.parse(code)):
            if not isinstance(call, ast.Call):
                continue
            called, given = ast.unparse(call.func), [ast.unparse(one) for one in call.args]
            if called == "AuditEvent" or ("AuditEvent" in " ".join(given) and "insert" in called):
                assert where == "app/security/audit.py", where
            elif re.fullmatch(r"(\w+\.)?Act", called):
                is_clock = where in makers and given[1] == "now()"
                assert is_clock or (where == "app/domain/act.py" and given[1] == "self.at"), where
    columns = [one for one in ast.walk(ast.parse(AUDIT.read_text())) if isinstance(one, ast.Dict)]
    moments = [
        ast.unparse(value)
        for one in columns
        for key, value in zip(one.keys, one.values, strict=True)
        if key is not None and ast.unparse(key) == "'at'"
    ]
    assert moments == ["act.at"], "all rows get their columns in one place"
    for maker in makers:
        assert "from app.domain.indonesian_time import now\n" in (ROOT / maker).read_text(), maker


def test_vendored_files_are_what_their_checksums_say() -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=ROOT / "static" / "vendor", capture_output=True
    )

    assert checked.returncode == 0, checked.stdout


def test_no_page_asks_another_host_for_anything() -> None:
    for file in (ROOT / "templates").rglob("*.html"):
        if "emails" not in file.parts:
            assert not re.search(r"""(src|href|action)=["']https?://""", file.read_text()), file
