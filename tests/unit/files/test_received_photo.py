"""A photo is drawn anew: it is the same picture, upright and without the camera's notes."""

import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import BoundedSemaphore
from time import monotonic

import pytest
from PIL import Image, PngImagePlugin

from app.domain.attachment import (
    BROKEN_PICTURE,
    CUT_PICTURE,
    LARGEST_SIDE_KEPT,
    LONGEST_ATTACHMENT,
    LONGEST_FILE,
    OF_ANOTHER_KIND,
    TOO_MANY_PIXELS,
    Attachment,
    NotAnAttachment,
    Photo,
    is_redrawn,
    read_attachment,
)
from app.files import received_photo
from app.files.received_photo import NoPlace, redrawn
from tests.photos import (
    PLACE,
    TURNED_RIGHT,
    camera_notes,
    corners,
    from_phone,
    grainy,
    jpeg,
    opened,
    paper,
    png,
)

UPRIGHT = ["red", "green", "blue", "white"]


def _taken(content: bytes) -> Attachment:
    photo = read_attachment(content)
    assert isinstance(photo, Photo), photo
    kept = redrawn(photo)
    assert isinstance(kept, Attachment), kept
    assert kept.media_type == "image/jpeg"
    assert is_redrawn(kept.content)
    assert len(kept.content) <= LONGEST_ATTACHMENT
    assert max(opened(kept.content).size) <= LARGEST_SIDE_KEPT
    return kept


def _refused(content: bytes) -> NotAnAttachment:
    photo = read_attachment(content)
    refusal = redrawn(photo) if isinstance(photo, Photo) else photo
    assert isinstance(refusal, NotAnAttachment)
    return refusal


def _with_words() -> bytes:
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", PLACE)
    words.add_itxt("XML:com.adobe.xmp", f"<x>{PLACE}</x>")
    words.add_text("Long", PLACE * 100, zip=True)
    return png(paper(), pnginfo=words, exif=camera_notes())


def _two_in_one() -> bytes:
    file = BytesIO()
    paper().save(file, "MPO", save_all=True, append_images=[paper(8, 8)], exif=camera_notes())
    return file.getvalue()


def _see_through() -> Image.Image:
    picture = paper().convert("RGBA")
    picture.paste((0, 0, 0, 0), (32, 24, 64, 48))
    return picture


PHOTOS: dict[str, Callable[[], bytes]] = {
    "jpeg with place, comment and profile": lambda: jpeg(
        paper(), exif=camera_notes(), comment=PLACE, xmp=PLACE.encode(), icc_profile=PLACE.encode()
    ),
    "jpeg of grey": lambda: jpeg(paper().convert("L")),
    "jpeg of four inks": lambda: jpeg(paper().convert("CMYK")),
    "progressive jpeg": lambda: jpeg(paper(), progressive=True),
    "two in one": _two_in_one,
    "bytes behind its end": lambda: jpeg(paper()) + PLACE.encode(),
    "without its last bytes": lambda: jpeg(paper(400, 300))[:-2],
    "without its last hundred bytes": lambda: jpeg(grainy(400, 300))[:-100],
    "progressive, two thirds of it": lambda: (lambda all: all[: len(all) * 2 // 3])(
        jpeg(grainy(400, 300), progressive=True)
    ),
    "png with words": _with_words,
    "png of few colours": lambda: png(paper().quantize(8)),
    "png of few colours, one see-through": lambda: png(_see_through().quantize(8)),
    "png that is see-through": lambda: png(_see_through()),
    "png of grey, see-through": lambda: png(_see_through().convert("LA")),
    "png without its end": lambda: png(grainy(400, 300))[:-12],
    "png in the middle of its end": lambda: png(grainy(400, 300))[:-5],
    "png without its last hundred bytes": lambda: png(grainy(400, 300))[:-100],
    "png as scanners write it": lambda: png(Image.frombytes("I;16", (64, 48), b"\x00\x80" * 64 * 48)),
    "png of two colours": lambda: png(paper().convert("1")),
    "one pixel": lambda: png(paper(1, 1)),
    "a strip": lambda: png(Image.new("RGB", (20_000, 3), "red")),
}


@pytest.mark.parametrize("make", PHOTOS.values(), ids=PHOTOS)
def test_nothing_is_left_but_the_picture(make: Callable[[], bytes]) -> None:
    content = make()

    kept = _taken(content)

    assert PLACE.encode() not in kept.content
    assert not opened(kept.content).getexif()
    assert PLACE.encode() not in content or not is_redrawn(content)
    assert opened(kept.content).mode == "RGB"


@pytest.mark.parametrize(
    "name", ["jpeg with place, comment and "
        "profile", "jpeg of four inks", "two in one", "png with words", "png of few colours",
             "png that is see-through", "png of few colours, one see-through", "without its last bytes"],
)  # fmt: skip
def test_its_colours_stay_and_what_is_see_through_becomes_white(name: str) -> None:
    assert corners(opened(_taken(PHOTOS[name]()).content)) == UPRIGHT


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photo_is_upright_however_the_phone_was_held(turn: int) -> None:
    held = paper()
    for step in {1: [], 2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}[turn]:
        held = held.transpose(Image.Transpose(step))

    kept = opened(_taken(jpeg(held, exif=camera_notes(turn), quality=95)).content)

    assert (kept.size, corners(kept)) == ((64, 48), UPRIGHT)


def test_a_photo_of_some_mb_is_made_smaller() -> None:
    content = from_phone(orientation=TURNED_RIGHT)
    assert 4_000_000 < len(content) <= LONGEST_FILE

    kept = opened(_taken(content).content)

    assert kept.size == (LARGEST_SIDE_KEPT * 3 // 4, LARGEST_SIDE_KEPT)
    assert corners(kept) == ["blue", "red", "white", "green"], "turned right"


def test_even_pure_noise_fits() -> None:
    noise = Image.effect_noise((2400, 2400), 200).convert("RGB")

    assert len(_taken(jpeg(noise, quality=95)).content) <= LONGEST_ATTACHMENT


@pytest.mark.parametrize("write", [jpeg, png])
def test_of_a_photo_that_was_cut_in_the_middle_the_upper_part_is_kept(
    write: Callable[[Image.Image], bytes],
) -> None:
    content = write(grainy(800, 600))

    kept = opened(_taken(content[: len(content) * 2 // 3]).content)

    assert kept.width == 800, "and no grey below"
    assert 350 < kept.height < 450, "and no grey below"
    assert corners(kept)[:2] == ["red", "green"]


@pytest.mark.parametrize("write", [jpeg, png])
@pytest.mark.parametrize("part", [0.02, 0.1])
def test_of_which_next_to_nothing_is_left_is_refused(
    write: Callable[[Image.Image], bytes], part: float
) -> None:
    content = write(grainy(800, 600))

    assert _refused(content[: int(len(content) * part)]) == CUT_PICTURE


def _thousand_scans() -> bytes:
    content = jpeg(paper(), progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * 1_000 + b"\xff\xd9"


HARMFUL: dict[str, tuple[Callable[[], bytes], NotAnAttachment]] = {
    "a bomb": (lambda: png(Image.new("1", (12_000, 9_000))), TOO_MANY_PIXELS),
    "a jpeg of 108 megapixels": (lambda: jpeg(Image.new("L", (12_000, 9_000))), TOO_MANY_PIXELS),
    "a thousand scans": (_thousand_scans, OF_ANOTHER_KIND),
    "nonsense for data": (lambda: _png_with(b"no zlib" * 50), BROKEN_PICTURE),
}


def _png_with(data: bytes) -> bytes:
    whole = png(paper())
    start = whole.index(b"IDAT") - 4
    chunk = len(data).to_bytes(4) + b"IDAT" + data + zlib.crc32(b"IDAT" + data).to_bytes(4)
    return whole[:start] + chunk + whole[-12:]


@pytest.mark.parametrize(("make", "refusal"), HARMFUL.values(), ids=HARMFUL)
def test_what_was_made_to_harm_is_refused(make: Callable[[], bytes], refusal: NotAnAttachment) -> None:
    assert _refused(make()) in (refusal, CUT_PICTURE)


def test_the_largest_that_is_taken_fits_into_the_limits_of_the_process() -> None:
    _taken(png(Image.new("RGBA", (8_000, 8_000), "red")))


def test_the_process_has_limits_and_nothing_of_the_portal(tmp_path: Path) -> None:
    """A script runs in place of the process, and tells what it can see."""
    spy = tmp_path / "spy.py"
    script = Path(received_photo.__file__).with_name("redraw_photo.py")
    spy.write_text(
        "import sys, runpy, os, resource, json\n"
        f"part = runpy.run_path({str(script)!r})\n"
        "part['main'].__globals__['_redrawn'] = lambda content: json.dumps({\n"
        "  'memory': resource.getrlimit(resource.RLIMIT_AS)[0], 'cpu': "
        "resource.getrlimit(resource.RLIMIT_CPU)[0],\n"
        "  'files': resource.getrlimit(resource.RLIMIT_FSIZE)[0], 'portal': [n for n in sys.modules if "
        "n.startswith('app')],\n"
        "  'environment': sorted(os.environ)}).encode()\n"
        "sys.exit(part['main']())\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", str(spy)], input=b"x", capture_output=True, env={}, check=True
    )

    seen = json.loads(done.stdout)
    assert seen["memory"] == 640 << 20
    assert seen["cpu"] == 8
    assert seen["files"] == 0
    assert seen["portal"] == []
    assert not [name for name in seen["environment"] if name not in ("LC_CTYPE",)]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("import sys; sys.stdout.buffer.write(b'\\0' * 50_000_000)", BROKEN_PICTURE),
        ("print('<script>alert(1)</script>')", BROKEN_PICTURE),
        # This tells nothing about the photo, because the machine may have been too busy
        (
            "import time; time.sleep(60)",
            NoPlace(),
        ),
        ("raise SystemExit(9)", BROKEN_PICTURE),
    ],
)
def test_a_process_that_was_taken_over_says_nothing_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, outcome: object
) -> None:
    (tmp_path / "redraw_photo.py").write_text(script)
    monkeypatch.setattr(received_photo, "_HOME", tmp_path)
    monkeypatch.setattr(received_photo, "_MOST_SECONDS", 1.0)
    began = monotonic()

    assert redrawn(Photo(jpeg(paper()))) == outcome
    assert monotonic() - began < 10


def test_only_a_few_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_photo, "_places", BoundedSemaphore(1))
    monkeypatch.setattr(received_photo, "SECONDS_TO_WAIT", 0.01)
    photo = Photo(from_phone())

    with ThreadPoolExecutor(4) as crowd:
        outcomes = list(crowd.map(lambda _: redrawn(photo), range(4)))

    assert NoPlace() in outcomes
    assert any(isinstance(one, Attachment) for one in outcomes)
    assert isinstance(redrawn(photo), Attachment), "the place is free again"
