"""What holds the house together: imports point down, and the words of the code stay clean."""

import ast
import re
import subprocess
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parent.parent


def test_imports_point_down_and_never_up() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == 0


def test_only_the_postman_knows_flask_mail() -> None:
    importers = [
        file.name
        for file in (ROOT / "app").rglob("*.py")
        if re.search(r"(from|import) flask_mail", file.read_text())
    ]

    assert importers == ["delivery.py"]


def test_what_anybody_can_repeat_has_one_door() -> None:
    """Rows of the trail that a stranger, or the holder of a link or a known browser, could have written
    without end."""
    repeatable = (
        "LOGIN_THROTTLED|LOGIN_NOT_OPEN|TOKEN_THROTTLED|TOKEN_RESENT_TOO_SOON|PASSWORD_REFUSED|LINK_OPENED"
    )
    past_the_door = re.compile(rf"audit\.record\(\s*\w+,\s*Tag\.({repeatable})\b")

    assert not [file for file in (ROOT / "app").rglob("*.py") if past_the_door.search(file.read_text())]


def test_the_moment_of_an_event_is_always_the_servers_clock() -> None:
    """So nobody who only uses the portal can make a row that is too old, or too far ahead, to be sealed."""
    for file in (ROOT / "app").rglob("*.py"):
        if file.name == "demo_desk.py":  # a month that was never lived through
            continue
        code = file.read_text()
        assert file.name in ("audit.py", "audit_event.py") or "AuditEvent(" not in code, file
        for call in ast.walk(ast.parse(code)):
            if isinstance(call, ast.Call) and re.fullmatch(r"audit\.record(_parts)?", ast.unparse(call.func)):
                assert re.fullmatch(r"(\w+\.)?(now|moment)(\(\))?", ast.unparse(call.args[4])), (
                    f"{file}:{call.lineno}"
                )


def test_vendored_files_are_what_their_checksums_say() -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=ROOT / "static" / "vendor", capture_output=True
    )

    assert checked.returncode == 0, checked.stdout


def test_no_page_asks_another_host_for_anything() -> None:
    for file in (ROOT / "templates").rglob("*.html"):
        if "emails" not in file.parts:
            assert not re.search(r"""(src|href|action)=["']https?://""", file.read_text()), file
