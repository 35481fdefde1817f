"""Nothing is lost and nothing is down: people activate their accounts while parts of a cluster are killed,
and while a release goes from node to node.

The long form of the first is `make soak`. One cluster serves all tests of this file, each with people of its
own.
"""

import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.crowd import SETTINGS, Crowd, Noted, invite
from bench.ledger import balance
from bench.soak import PARTS, Plan, soak
from config import ROOT
from deploy.cluster.cluster import WEB, WORKERS, Cluster
from deploy.cluster.keeper import NoProgram

PEOPLE = 1500
LAST_RELEASE = "64f7900"
SECONDS_SIDE_BY_SIDE = 4.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("soak")
    try:
        with Cluster(folder / "portal", **SETTINGS, DRAIN_SECONDS="1") as running:
            invite(running, folder, range(PEOPLE))
            yield running
    except NoProgram as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def last_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the release before this one, as it is in git. A checkout without its history has none."""
    git = shutil.which("git")
    packed = (
        subprocess.run([git, "archive", LAST_RELEASE], cwd=ROOT, capture_output=True, check=False)
        if git
        else None
    )
    if packed is None or packed.returncode:
        pytest.skip(f"there is no git here that has {LAST_RELEASE}")
    folder = tmp_path_factory.mktemp("last-release")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def test_a_release_replaces_the_last_one_while_people_use_it(cluster: Cluster, last_release: Path) -> None:
    """The last release did not yet finish what it was doing when it was told to end, so a form may be lost
    with it, and its sender sends it again. Nothing else fails."""
    old_ones = (WORKERS[0], WEB[0])
    for name in old_ones:
        cluster.stop_part(name)
        cluster.start_part(name, last_release)
    with _crowd(cluster, first=0) as crowd:
        time.sleep(SECONDS_SIDE_BY_SIDE)
        beside = list(crowd.answers)
        for name in old_ones:
            cluster.stop_part(name)
            cluster.start_part(name)

    assert [one for one in beside if one.has_failed] == []
    assert [one for one in crowd.failed if not one.request.startswith("POST ")] == []
    _all_is_well(cluster, crowd)


def test_nobody_notices_that_every_node_and_worker_starts_anew(cluster: Cluster) -> None:
    with _crowd(cluster, first=500) as crowd:
        cluster.roll()

    assert crowd.failed == []
    _all_is_well(cluster, crowd)


def test_nothing_is_lost_when_parts_are_killed(cluster: Cluster) -> None:
    """Each part once, in an order of chance."""
    found = soak(cluster, Plan(kills=len(PARTS), seconds=32.0, people=range(1000, PEOPLE), at_a_time=2))

    assert found.faults == []
    assert found.kills[-1].activated_after is not None, "nobody who came after the last kill was at home"


def _crowd(cluster: Cluster, first: int) -> Crowd:
    return Crowd(cluster, first, at_a_time=3, pause=0.2, seed=1)


def _all_is_well(cluster: Cluster, crowd: Crowd) -> None:
    assert _statuses(crowd.answers) <= {200, 303, 422} | _statuses(crowd.failed)
    assert crowd.faults == []
    assert balance(cluster, crowd.stories).faults == []
    assert len([story for story in crowd.stories if story.is_home]) >= 5


def _statuses(answers: list[Noted]) -> set[int]:
    return {one.status for one in answers}
