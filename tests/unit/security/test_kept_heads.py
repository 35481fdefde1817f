"""The newest head of the trail, in a file of this machine: who may have written it, and when it changes."""

import json
import os
import stat
from pathlib import Path

import pytest

from app.security.kept_head import Anchor, KeptHead, Unreadable
from app.security.signing import SigningKeys
from tests.unit.rows import KEYS

URL = "postgresql+psycopg://portal:secret@db.example:5433/mysapk"
NEW, OLD = "a newer key of this test, of no use elsewhere", "an older key of this test, of no use elsewhere"
FIVE, SIX = Anchor(5, "a" * 64), Anchor(6, "b" * 64)
NOT_OURS = Unreadable("isinya bukan tulisan portal ini dengan SECRET_KEY yang sekarang")


def file_in(folder: Path, url: str = URL, keys: SigningKeys = KEYS) -> KeptHead:
    return KeptHead.of(folder, url, keys)


@pytest.fixture
def kept(tmp_path: Path) -> KeptHead:
    return file_in(tmp_path / "not there yet" / "instance")


def test_what_is_kept_is_read_again(kept: KeptHead) -> None:
    assert kept.read() is None
    assert kept.keep(FIVE) is None

    assert kept.read() == FIVE
    assert file_in(kept.path.parent).read() == FIVE


def test_only_a_newer_head_replaces_it_unless_the_operator_says_so(kept: KeptHead) -> None:
    other_six = Anchor(6, "c" * 64)
    for anchor, stands in ((SIX, SIX), (FIVE, SIX), (other_six, other_six)):
        assert kept.keep(anchor) is None
        assert kept.read() == stands

    assert kept.replace(FIVE) is None
    assert kept.read() == FIVE


def test_the_file_is_for_nobody_else_and_no_draft_is_left(kept: KeptHead) -> None:
    kept.keep(FIVE)
    kept.keep(SIX)

    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700
    assert list(kept.path.parent.iterdir()) == [kept.path]


def test_the_file_stays_what_it_is_from_release_to_release(tmp_path: Path) -> None:
    kept = file_in(tmp_path)
    kept.keep(FIVE)

    assert kept.path.name == "trail-head-d726dd664be96a6c"
    assert kept.path.read_bytes() == (
        b'{"seal_no": 5, "seal": "' + b"a" * 64 + b'", "mark": '
        b'"ed069a57fb7a274acd3e161b82056e5dd98a761216cb4dbde7449a637b83d86f"}\n'
    )  # fmt: skip


SAME_PLACE = [
    URL,
    "postgresql+psycopg://other:password@db.example:5433/mysapk",
    "postgresql://db.example:5433/mysapk?connect_timeout=3",
]
OTHER_PLACES = [
    "sqlite:///mysapk",
    "postgresql+psycopg://db2.example:5433/mysapk",
    "postgresql+psycopg://db.example:5432/mysapk",
    "postgresql+psycopg://db.example:5433/mysapk2",
    f"{URL}?host=/run/postgresql",
    f"{URL}?port=7",
    f"{URL}?dbname=x",
    f"{URL}?service=x",
    "sqlite://",
]


def test_each_place_of_a_database_has_its_own_file_whoever_connects(tmp_path: Path) -> None:
    assert len({file_in(tmp_path, url).path for url in SAME_PLACE}) == 1
    assert len({file_in(tmp_path, url).path for url in [URL, *OTHER_PLACES]}) == 1 + len(OTHER_PLACES)


def test_the_file_of_another_database_is_not_ours(tmp_path: Path) -> None:
    one, other = file_in(tmp_path), file_in(tmp_path, "sqlite:///mysapk")
    one.keep(FIVE)
    one.path.rename(other.path)

    assert other.read() == NOT_OURS


def test_every_key_opens_and_the_newest_signs(tmp_path: Path) -> None:
    old, both, new = (file_in(tmp_path, keys=SigningKeys(keys)) for keys in ((OLD,), (NEW, OLD), (NEW,)))
    old.keep(FIVE)
    assert both.read() == FIVE
    assert new.read() == NOT_OURS

    both.keep(FIVE)
    assert both.read() == new.read() == FIVE
    assert old.read() == NOT_OURS


CHANGES: dict[str, dict[str, object]] = {
    "another number": {"seal_no": 6},
    "another seal": {"seal": "b" * 64},
    "another mark": {"mark": "c" * 64},
    "no number": {"seal_no": None},
    "a number that is none": {"seal_no": "x"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_somebody_changed_is_not_ours_and_stays_as_it_is(
    kept: KeptHead, change: dict[str, object]
) -> None:
    kept.keep(FIVE)
    written = json.dumps({**json.loads(kept.path.read_bytes()), **change})
    kept.path.write_text(written)

    assert kept.read() == NOT_OURS
    assert kept.keep(SIX) == NOT_OURS.why
    assert kept.path.read_text() == written


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"7", b"\xff", b"nonsense"])
def test_nonsense_is_not_ours(kept: KeptHead, text: bytes) -> None:
    kept.keep(FIVE)
    kept.path.write_bytes(text)

    assert kept.read() == NOT_OURS


def test_no_more_is_read_than_the_file_can_hold(kept: KeptHead) -> None:
    kept.keep(FIVE)
    content = kept.path.read_bytes().rstrip()
    kept.path.write_bytes(content + b" " * (1000 - len(content)))
    assert kept.read() == FIVE

    kept.path.write_bytes(content.replace(b"{", b"{" + b" " * (1001 - len(content))))
    assert kept.read() == NOT_OURS


def test_a_place_that_is_no_folder_holds_nothing_and_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("a file")
    kept = file_in(tmp_path / "instance")

    assert kept.read() is None
    assert kept.keep(FIVE) == os.strerror(17)


def test_a_file_that_cannot_be_opened_is_told_with_the_reason(kept: KeptHead) -> None:
    kept.path.mkdir(parents=True)

    assert kept.read() == Unreadable("Is a directory")
    assert kept.keep(FIVE) == "Is a directory"
    assert kept.replace(FIVE) == "Is a directory"
    assert list(kept.path.parent.iterdir()) == [kept.path], "no draft is left"


def test_a_fault_without_words_is_told_by_its_kind(kept: KeptHead, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(Path, "open", fail)

    assert kept.read() == Unreadable("TimeoutError")


@pytest.mark.parametrize(
    ("fault", "said"),
    [(OSError(28, "No space left on device"), "No space left on device"), (TimeoutError(), "TimeoutError")],
)
def test_a_disk_that_fails_leaves_what_was_there(
    kept: KeptHead, monkeypatch: pytest.MonkeyPatch, fault: OSError, said: str
) -> None:
    kept.keep(FIVE)

    def fail(_descriptor: int) -> None:
        raise fault

    monkeypatch.setattr(os, "fsync", fail)

    assert kept.replace(SIX) == said
    assert list(kept.path.parent.iterdir()) == [kept.path]
    assert kept.read() == FIVE


def test_content_and_folder_reach_the_disk(kept: KeptHead, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, int]] = []

    def sync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        synced.append((stat.S_ISDIR(found.st_mode), found.st_size if stat.S_ISREG(found.st_mode) else 0))

    monkeypatch.setattr(os, "fsync", sync)
    open_before = len(os.listdir("/dev/fd"))  # noqa: PTH208

    kept.keep(FIVE)

    assert synced == [(False, kept.path.stat().st_size), (True, 0)]
    assert len(os.listdir("/dev/fd")) == open_before  # noqa: PTH208


@pytest.mark.parametrize(("user", "gives"), [(0, True), (1000, False)])
def test_a_file_that_root_writes_belongs_to_the_owner_of_its_folder(
    kept: KeptHead, monkeypatch: pytest.MonkeyPatch, user: int, *, gives: bool
) -> None:
    given: list[tuple[str, int, int]] = []
    kept.path.parent.mkdir(parents=True)
    folder = kept.path.parent.stat()
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "chown", lambda path, *ids: given.append((Path(path).parent.name, *ids)))

    kept.keep(FIVE)

    assert given == ([("instance", folder.st_uid, folder.st_gid)] if gives else [])
