"""A photo that is shown to others has been drawn anew: it is a picture and nothing more."""

import pytest

from app.domain.attachment import is_redrawn
from tests.picture_bytes import segment

START, END = b"\xff\xd8", b"\xff\xd9"
PLAIN = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
SMALLER = b"JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01abc"
TABLE = segment(0xDB, b"\0" * 65)
FRAME = segment(0xC0, b"\x08\x00\x08\x00\x08\x01\x01\x11\x00")
SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"data\xff\x00\xff\xd0more"
REST = TABLE + FRAME + SCAN + END


@pytest.mark.parametrize(
    "content",
    [
        START + PLAIN + REST,
        START + PLAIN + TABLE + FRAME + SCAN + SCAN + END,
        START + PLAIN + segment(0xDD) + REST,
    ],
    ids=["one scan", "two scans", "an empty segment"],
)
def test_a_picture_and_nothing_more_is_redrawn(content: bytes) -> None:
    assert is_redrawn(content)


WITH_MORE = {
    "a place": START + PLAIN + segment(0xE1, b"Exif\0\0a place") + REST,
    "the last kind of such a segment": START + PLAIN + segment(0xEF, b"x") + REST,
    "a comment": START + PLAIN + segment(0xFE, b"Budi") + REST,
    "a colour profile": START + PLAIN + segment(0xE2, b"ICC_PROFILE") + REST,
    "a smaller picture": START + PLAIN + segment(0xE0, b"JFXX\0\x10a picture") + REST,
    "a smaller picture in the first segment": START + segment(0xE0, SMALLER) + REST,
    "a place behind a scan": START + PLAIN + TABLE + FRAME + SCAN + segment(0xE1, b"Exif\0\0a place") + END,
    "something after its end": START + PLAIN + REST + b"x",
    "no end": START + PLAIN + REST.removesuffix(END),
    "no JFIF first": START + REST,
    "nothing of a JPEG": b"%PDF-1.4",
    "a segment without a length": START + PLAIN + b"\xff\xdb\0\0" + REST,
    "a segment with a broken length": START + PLAIN + b"\xff\xdb\0\x01\xff\xd9",
    "no marker where one is looked for": START + PLAIN + b"x" + REST,
    "more pieces than are read": START + PLAIN + segment(0xDD) * 4_000 + REST,
}  # fmt: skip


@pytest.mark.parametrize("content", WITH_MORE.values(), ids=WITH_MORE)
def test_a_picture_with_anything_else_is_not(content: bytes) -> None:
    assert not is_redrawn(content)
