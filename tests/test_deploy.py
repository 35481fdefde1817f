"""What deploy/ says of the portal is true: settings, commands and files that it names exist, and the log of
nginx knows every page."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from flask import Flask

from app.cli import Commands
from config import EXAMPLES, ROOT, SECRET_SETTINGS

DEPLOY = ROOT / "deploy"
UNITS = [*(DEPLOY / "systemd").glob("*.service"), *(DEPLOY / "systemd").rglob("*.conf")]
SETTINGS = {*EXAMPLES, *(f"{name}_FILE" for name in SECRET_SETTINGS)}
OF_PYTHON = {"PYTHONDONTWRITEBYTECODE", "PYTHONUTF8", "PATH"}
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
GUIDE = (ROOT / "docs" / "operasi.md").read_text()
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
MAP_OF_PATHS = re.compile(r"map \$request_uri \$mysapk_path \{(.*?)\n\}", re.DOTALL)


# -- the log of nginx
def _written_by_nginx(path: str) -> str:
    """What the map of paths in mysapk.conf makes of a path."""
    found = MAP_OF_PATHS.search((DEPLOY / "nginx" / "mysapk.conf").read_text())
    assert found
    for pattern, shown in re.findall(r'^\s+"~(.+?)"\s+"?(\$path[./]*)"?;$', found[1], re.MULTILINE):
        if match := re.search(pattern.replace("(?<", "(?P<"), path):
            return str(shown.replace("$path", match["path"]))
    return "-"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_log_of_nginx_names_every_page_and_no_link(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        shown = _written_by_nginx(re.sub("<[^>]+>", "RAHASIA", rule.rule))

        assert shown != "-" or rule.rule.startswith("/static/"), (
            f"{rule.rule} is not in the map of mysapk.conf"
        )
        assert "RAHASIA" not in shown


# -- settings, secrets, commands
def _settings_named() -> Iterator[tuple[Path, str]]:
    for file in UNITS:
        for line in re.findall(r"^Environment=(.+)$", file.read_text(), re.MULTILINE):
            for pair in line.split():
                yield file, pair.partition("=")[0]
    example = DEPLOY / "portal.env.example"
    for line in re.findall(r"^([A-Z_]+)=", example.read_text(), re.MULTILINE):
        yield example, line
    for name, service in COMPOSE["services"].items():
        if service.get("image") == "mysapk-portal":
            for setting in service["environment"]:
                yield DEPLOY / "compose.yaml" / name, setting
    for line in re.findall(r"^(?:ENV|   ) ([A-Z][A-Z_0-9]+=.+)$", DOCKERFILE, re.MULTILINE):
        for pair in line.removesuffix("\\").split():
            yield DEPLOY / "Dockerfile", pair.partition("=")[0]


def test_every_setting_that_is_named_exists() -> None:
    named = list(_settings_named())

    assert len(named) > 30
    assert not [(str(file), name) for file, name in named if name not in SETTINGS | OF_PYTHON]


def test_every_secret_is_read_from_where_it_is_put() -> None:
    for file in UNITS:
        given = set(
            re.findall(r"^LoadCredential=(\w+):/etc/mysapk/secrets/\1$", file.read_text(), re.MULTILINE)
        )
        assert given == set(re.findall(r"_FILE=%d/(\w+)", file.read_text())), file
    for service in COMPOSE["services"].values():
        files = {
            Path(value).name for value in service.get("environment", {}).values() if "/run/secrets/" in value
        }
        assert files == set(service.get("secrets", ()))
        assert files <= set(COMPOSE["secrets"])


def _commands_named() -> Iterator[str]:
    for file in UNITS:
        yield from re.findall(r"^ExecStart=\S+/mysapk (.+)$", file.read_text(), re.MULTILINE)
    for service in COMPOSE["services"].values():
        if service.get("image") == "mysapk-portal":
            yield " ".join(service["command"])
    for command in re.findall(r'^CMD \["serve"(.*)\]$', DOCKERFILE, re.MULTILINE):
        yield "serve" + command.replace('"', "").replace(",", "")
    yield from re.findall(
        r"(?:^|`)(?:docker compose run --rm migrate|mysapk) ([a-z][^`\n]*)", GUIDE, re.MULTILINE
    )


@pytest.mark.parametrize("line", sorted(set(_commands_named())))
def test_every_command_that_is_named_exists(line: str) -> None:
    words = shlex.split(line)
    group: click.Command = Commands()
    while isinstance(group, click.Group):
        command = group.get_command(click.Context(group), words.pop(0))
        assert command is not None, line
        group = command

    known = {option for parameter in group.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known, line


# -- files
def test_the_image_is_made_of_files_that_exist() -> None:
    sources = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    files = {file for line in sources for file in line.split()}
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text().split("\n")

    assert all((ROOT / file).exists() for file in files)
    assert {f"!{file}" for file in files} <= set(let_in)
    assert {folder.name for folder in (ROOT / "app").parent.iterdir() if folder.name in let_in} <= files
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["python:3.11-slim-bookworm"] * 2


def test_containers_are_shut_in_and_mount_files_that_exist() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["read_only"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            is_from_operator = source in ("./tls", "./secrets")
            assert source in COMPOSE["volumes"] or is_from_operator or (DEPLOY / source).exists(), volume
        for needed in service.get("depends_on", {}):
            assert needed in COMPOSE["services"]
    nodes = re.findall(
        r"^server (\S+):5000", (DEPLOY / "nginx" / "nodes.compose.conf").read_text(), re.MULTILINE
    )
    assert nodes == [
        COMPOSE["services"][name]["networks"]["inside"]["ipv4_address"] for name in ("web-1", "web-2")
    ]


def test_the_guide_names_files_that_exist_and_leads_to_its_own_sections() -> None:
    named = set(re.findall(r"(?<![\w/])(deploy/[\w./@-]+[\w])", GUIDE))
    made_by_operator = {"deploy/portal.env", "deploy/secrets"}
    headings = re.findall(r"^#{2,4} (.+)$", GUIDE, re.MULTILINE)
    sections = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert len(named) > 10
    assert not {file for file in named - made_by_operator if not (ROOT / file).exists()}
    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= sections
