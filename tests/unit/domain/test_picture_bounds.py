"""Where a picture ends, how large it may be, and how much of a cut one is enough."""

import struct
from collections.abc import Callable

import pytest

from app.domain.attachment import (
    CUT_PICTURE,
    OF_ANOTHER_KIND,
    TOO_MANY_PIXELS,
    NotAnAttachment,
    Photo,
    read_attachment,
)
from tests.picture_bytes import chunk, segment

START, END = b"\xff\xd8", b"\xff\xd9"
SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def frame(width: int = 8, height: int = 8) -> bytes:
    return segment(0xC0, struct.pack(">BHH", 8, height, width) + b"\x01\x01\x11\x00")


def header(width: int = 8, height: int = 8, *, more: bytes = b"", kind: bytes = b"IHDR") -> bytes:
    return chunk(kind, struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0) + more)


def jpeg(width: int, height: int) -> bytes:
    return START + frame(width, height) + SCAN + b"data" + END


def png(width: int, height: int) -> bytes:
    return SIGNATURE + header(width, height) + chunk(b"IDAT", b"data") + chunk(b"IEND")


PICTURES = pytest.mark.parametrize("picture", [jpeg, png], ids=["JPEG", "PNG"])


@PICTURES
@pytest.mark.parametrize(
    ("width", "height"),
    [(1, 1), (8, 200), (200, 8), (256, 256), (30_000, 2_000), (2_000, 30_000), (8_000, 8_000)],
)
def test_a_picture_may_have_64_megapixels(
    picture: Callable[[int, int], bytes], width: int, height: int
) -> None:
    content = picture(width, height)

    assert read_attachment(content) == Photo(content)


@PICTURES
def test_a_picture_of_more_megapixels_is_refused_with_the_reason(
    picture: Callable[[int, int], bytes],
) -> None:
    assert read_attachment(picture(8_000, 8_001)) == TOO_MANY_PIXELS


@PICTURES
@pytest.mark.parametrize(("width", "height"), [(0, 8), (8, 0), (30_001, 1), (1, 30_001)])
def test_a_picture_without_a_side_or_with_an_endless_one_is_none(
    picture: Callable[[int, int], bytes], width: int, height: int
) -> None:
    assert read_attachment(picture(width, height)) == OF_ANOTHER_KIND


@pytest.mark.parametrize(("width", "height"), [(2**24 + 8, 8), (8, 2**24 + 8)])
def test_the_sides_of_a_png_have_four_bytes(width: int, height: int) -> None:
    assert read_attachment(png(width, height)) == OF_ANOTHER_KIND


# -- JPEG
DATA = b"x" * 64  # the least that shows something
JPEG_FROM_START_TO_END = {
    "a marker without length": (START + b"\xff\x01" + frame() + SCAN + b"data" + END, True),
    "an empty segment": (START + segment(0xE0) + frame() + SCAN + b"data" + END, True),
    "a hundred scans": (START + frame() + (SCAN + b"data") * 100 + END, True),
    "more scans": (START + frame() + (SCAN + b"data") * 101 + END, False),
    "no frame": (START + SCAN + b"data" + END, False),
    "no scan": (START + frame() + END, False),
    "a segment that is too short for its length": (
        START + frame() + SCAN + DATA + b"\xff\xe0\x00\x01" + DATA + END,
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "is_photo"), JPEG_FROM_START_TO_END.values(), ids=JPEG_FROM_START_TO_END)
def test_a_jpeg_has_a_frame_and_scans_and_whole_segments(content: bytes, *, is_photo: bool) -> None:
    assert read_attachment(content) == (Photo(content) if is_photo else OF_ANOTHER_KIND)


CUT_JPEGS: dict[str, tuple[bytes, NotAnAttachment | None]] = {
    "in the data": (START + frame() + SCAN + DATA, None),
    "in the data of a later scan": (START + frame() + SCAN + DATA + SCAN + b"d", None),
    "in a segment after data": (START + frame() + SCAN + DATA + b"\xff\xe1\x10\x00more", None),
    "so that zeros fill the rest": (START + frame() + SCAN + DATA + b"\xff\xe0" + bytes(200), None),
    "before enough data": (START + frame() + SCAN + DATA[1:], CUT_PICTURE),
    "behind the frame": (START + frame(), CUT_PICTURE),
    "in a marker": (START + frame() + b"\xff", CUT_PICTURE),
    "in the frame": (START + frame()[:-4], OF_ANOTHER_KIND),
    "without a frame": (START + SCAN + DATA, OF_ANOTHER_KIND),
    "not at all, but no marker follows": (START + frame() + b"ab", OF_ANOTHER_KIND),
}


@pytest.mark.parametrize(("content", "refused"), CUT_JPEGS.values(), ids=CUT_JPEGS)
def test_a_cut_jpeg_is_taken_while_it_shows_something(
    content: bytes, refused: NotAnAttachment | None
) -> None:
    assert read_attachment(content) == (refused or Photo(content))


# -- PNG
def data(count: int) -> bytes:
    return chunk(b"IDAT", b"x" * count)


CUT_IN_TEXT = b"\0\0\x10\0tEXt" + b"x" * 60
CUT_IN_DATA = b"\0\0\x10\0IDAT"  # its length and kind count as data too
CUT_PNGS = {
    "behind enough data": (data(64) + CUT_IN_TEXT, True),
    "in data that is enough with that before": (data(40) + CUT_IN_DATA + b"x" * 16, True),
    "in data that is not enough": (data(40) + CUT_IN_DATA + b"x" * 15, False),
    "behind less data": (data(63) + CUT_IN_TEXT, False),
    "behind less data and a text": (data(63) + chunk(b"tEXt", b"x" * 90) + CUT_IN_TEXT, False),
    "behind the header": (b"", False),
}


@pytest.mark.parametrize(("rest", "is_photo"), CUT_PNGS.values(), ids=CUT_PNGS)
def test_a_cut_png_is_taken_while_it_shows_something(rest: bytes, *, is_photo: bool) -> None:
    content = SIGNATURE + header() + rest

    assert read_attachment(content) == (Photo(content) if is_photo else CUT_PICTURE)


NO_PNGS = {
    "no data": header() + chunk(b"IEND"),
    "an end that holds something": header() + data(9) + chunk(b"IEND", b"x"),
    "a header that is too long": header(more=b"x") + data(9) + chunk(b"IEND"),
    "another chunk first": header(kind=b"tEXt") + data(9) + chunk(b"IEND"),
}


@pytest.mark.parametrize("chunks", NO_PNGS.values(), ids=NO_PNGS)
def test_a_png_has_its_header_first_and_data_and_an_empty_end(chunks: bytes) -> None:
    assert read_attachment(SIGNATURE + chunks) == OF_ANOTHER_KIND
