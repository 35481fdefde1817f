"""The alerts and the dashboard of deploy/ ask for metrics that the portal tells, by words that it uses. Each
alert leads to its heading in the operator's book.

Where Prometheus' `promtool` is installed, it also runs every query, and each alert once ill and once well.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from app.models.outbox_mail import Letter
from app.runtime import measures, readings
from app.runtime.lanes import Lane
from app.runtime.tally import Family, Kind
from app.web.reception import reception
from app.worker.figures import renew_figures
from config import ROOT
from tests.cast import PASSWORD, SARI
from tests.faults.post_office import PostOffice
from tests.visitor import Visitor

FOLDER = ROOT / "deploy" / "prometheus"
GROUPS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
ALERTS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
NAMES = [alert["alert"] for alert in ALERTS]
SCRAPES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
JOBS = [scrape["job_name"] for scrape in SCRAPES]
BOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "mysapk.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
GUIDE = (ROOT / "docs" / "operasi.md").read_text()

# What Prometheus itself adds
UP, OF_A_SCRAPE = "up", {"job", "instance"}
FAMILIES = {one.name: one for one in measures.FAMILIES}
PARTS_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")
SELECTOR = re.compile(r"\b(portal_\w+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
KEPT_LABELS = re.compile(r"\b(?:by|on) \(([^)]*)\)")
SHOWN_LABEL = re.compile(r"\{\{ *(?:\$labels\.)?(\w+) *(?:\|[^}]*)?\}\}")

Series = dict[str, list[dict[str, str]]]
# (where it stands, the query, texts that show labels of its result)
Query = tuple[str, str, str]


def _queries() -> Iterator[Query]:
    for alert in ALERTS:
        yield alert["alert"], alert["expr"], alert["annotations"]["summary"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m"), target["legendFormat"]


QUERIES = list(_queries())


@pytest.fixture
def told(peopled: Flask) -> Iterator[Series]:
    """The labels of each series of /metrics, after a busy minute."""
    office, visitor = PostOffice(peopled), Visitor(peopled)
    visitor.log_in(SARI.nip, PASSWORD)
    office.budi_asks()
    office.deliver()
    peopled.extensions["lanes"] = [Lane(name, size) for name, size in reception(peopled).lanes.items()]
    for part in measures.PARTS:
        with readings.shown(peopled, part):
            pass
    with peopled.app_context():
        renew_figures()
    # What only an accident brings
    measures.count_request("/login", "POST", 500, 0.1)
    measures.count(measures.DUTY_FAULTS, "mails")
    # Prometheus itself
    series: Series = {UP: [{"job": job} for job in JOBS]}
    text = Visitor(peopled, "127.0.0.1").open("/metrics").text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series.setdefault(sample.name, []).append(sample.labels)
    yield series
    measures.begin_in(None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_query_finds_series_that_the_portal_tells(told: Series) -> None:
    assert len(QUERIES) > 70
    for where, query, _ in QUERIES:
        selectors = SELECTOR.findall(query)
        assert selectors, where
        for name, inner in selectors:
            matchers = MATCHER.findall(inner)
            assert MATCHER.sub("", inner).strip(", ") == "", f"{where}: {inner}"
            found = [labels for labels in told.get(name, ()) if all(_holds(labels, *one) for one in matchers)]
            assert found, f"{where}: nothing is told as {name}{{{inner}}}"


def _holds(labels: dict[str, str], label: str, operator: str, wanted: str) -> bool:
    value = labels.get(label, "")
    is_met = bool(re.fullmatch(wanted, value)) if operator.endswith("~") else value == wanted
    return is_met is not operator.startswith("!")


def _family(name: str) -> Family:
    for ending in PARTS_OF_A_HISTOGRAM:
        family = FAMILIES.get(name.removesuffix(ending))
        if name.endswith(ending) and family and family.kind is Kind.HISTOGRAM:
            return family
    return FAMILIES[name]


def _labels(name: str) -> set[str]:
    return {*OF_A_SCRAPE, *({"le"} if name.endswith("_bucket") else ()), *_family(name).labels}


def test_every_label_exists_and_has_the_values_that_are_named() -> None:
    """A word of a pattern that no series has would make a query blind without an error."""
    for where, query, shown in QUERIES:
        _check_labels(where, query, shown)


def _check_labels(where: str, query: str, shown: str) -> None:
    names = [name for name, _ in SELECTOR.findall(query) if name != UP]
    known = {label for name in names for label in _labels(name)} | OF_A_SCRAPE
    for name, inner in SELECTOR.findall(query):
        for label, operator, wanted in MATCHER.findall(inner):
            assert label in (OF_A_SCRAPE if name == UP else _labels(name)), f"{name} has no {label}"
            words = (
                set(re.sub(r"\((.*?)\)", r"\1", wanted).split("|")) if operator.endswith("~") else {wanted}
            )
            values = _family(name).labels.get(label) if name != UP else None
            assert values is None or words <= set(map(str, values)), f"{name}: {words - set(values)}"
    kept = [set(re.findall(r"\w+", some)) for some in KEPT_LABELS.findall(query)]
    assert set().union(*kept) <= known
    if re.search(r"\b(sum|max|min|count)\b", query):  # only what the last `by` keeps is left
        known = set().union(*kept)
    assert {label for label in SHOWN_LABEL.findall(shown) if label != "value"} <= known, f"{where}: {shown}"


# -- alerts
def test_every_alert_says_in_indonesian_what_is_wrong_and_what_to_do() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for alert in ALERTS:
        assert alert["labels"]["severity"] in ("critical", "warning")
        assert set(alert["annotations"]) == {"summary", "action", "runbook"}
        assert not alert["annotations"]["summary"].endswith(".")


def test_every_alert_has_a_heading_and_a_row_in_the_guide_and_no_heading_is_left_over() -> None:
    section = GUIDE.split("\n## Alarm\n")[1].split("\n## ")[0]

    assert re.findall(r"^#### (\w+)$", section, re.MULTILINE) == NAMES
    assert re.findall(r"^\| \[(\w+)\]\(#\w+\)", section, re.MULTILINE) == NAMES
    assert re.findall(r"^\| \[\w+\]\(#(\w+)\)", section, re.MULTILINE) == [name.lower() for name in NAMES]
    for alert in ALERTS:
        assert alert["annotations"]["runbook"] == f"docs/operasi.md#{alert['alert'].lower()}"
        row = next(line for line in section.splitlines() if line.startswith(f"| [{alert['alert']}]"))
        assert ("**" in row) is (alert["labels"]["severity"] == "critical"), row


def test_what_is_scraped_is_what_the_units_and_containers_start() -> None:
    unit = (ROOT / "deploy" / "systemd" / "mysapk-worker@.service").read_text()
    port = re.findall(r"^Environment=WORKER_METRICS_PORT=(\d+)%i$", unit, re.MULTILINE)[0]
    instances = {"mysapk-web": ("5001", "5002"), "mysapk-worker": (f"{port}1", f"{port}2")}

    assert set(JOBS) == set(instances)
    for scrape in SCRAPES:
        targets = [target.rpartition(":")[2] for target in scrape["static_configs"][0]["targets"]]
        assert tuple(targets) == instances[scrape["job_name"]]
        assert scrape["authorization"] == {"credentials_file": "mysapk_metrics_token"}


# -- the dashboard
def test_every_panel_says_what_it_shows_and_in_which_unit() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    for panel in PANELS:
        defaults = panel["fieldConfig"]["defaults"]
        assert re.fullmatch(r"[A-Z0-9].+[^.]\.", panel["description"]), panel["title"]
        steps = [step["value"] for step in defaults["thresholds"]["steps"]]
        assert steps[0] is None
        assert steps[1:] == sorted(steps[1:])
        for target in panel["targets"]:
            assert defaults["unit"] == _unit(target["expr"]), panel["title"]


def _unit(query: str) -> str:
    """What a query counts in, by the names and the functions in it."""
    names = [name for name, _ in SELECTOR.findall(query)]
    if "rate(" in query and ") / " in query:
        return "percentunit"
    if query.startswith("time()") or "histogram_quantile" in query:
        return "s"
    if "rate(" in query and query.removesuffix(" > 0").endswith("* 60"):
        return "cpm"
    if "cpu_seconds" in query:
        return "short"  # seconds in each second: cores
    if "rate(" in query:
        return "reqps" if "requests" in query or "lane" in query else "ops"
    if names[0].endswith("_bytes"):
        return "bytes"
    return "s" if names[0].endswith("_seconds") else "short"


def test_no_panel_lies_over_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) is panel["title"]


# -- with Prometheus' own tool
def test_each_alert_has_a_case_in_which_it_fires_and_is_silent_while_all_is_well() -> None:
    cases = yaml.safe_load((FOLDER / "alerts.test.yml").read_text())["tests"]
    fired = re.findall(r'ALERTS\{alertname="(\w+)"', json.dumps(cases).replace('\\"', '"'))

    assert next(case["name"] for case in cases) == "all is well"
    assert list(dict.fromkeys(fired)) == NAMES


def test_prometheus_takes_the_rules_and_they_fire_when_they_should() -> None:
    """`promtool` is not installed where the portal is tested: Debian's package is larger than the portal with
    all its libraries. What it would find in names and labels, the tests above find."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool: install Debian's prometheus")
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run(
            [promtool, *command], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_letter_that_brings_a_token_is_the_one_that_alerts_watch() -> None:
    assert f'letter="{Letter.TOKEN}"' in ALERTS[NAMES.index("TokenTerlambat")]["expr"]
