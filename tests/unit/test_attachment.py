"""Whatever a file of 2 MB is made of, telling what it is takes a bounded number of steps."""

import struct
import zlib
from time import process_time

import pytest

from app.domain.attachment import (
    LONGEST_ATTACHMENT,
    OF_ANOTHER_KIND,
    Attachment,
    NotAnAttachment,
    read_attachment,
)


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _segment(marker: int, data: bytes = b"") -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


JPEG_START = b"\xff\xd8" + _segment(0xC0, b"\x08\x00\x08\x00\x08\x01\x01\x11\x00")
JPEG_SCAN = _segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
JPEG_END = b"\xff\xd9"
PNG_START = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
HOSTILE = {  # how it begins, and what it is filled up with
    "fill bytes": (b"\xff\xd8", b"\xff"),
    "fill bytes after a scan": (JPEG_START + JPEG_SCAN, b"\xff"),
    "markers without length": (b"\xff\xd8", b"\xff\x01"),
    "restarts": (JPEG_START, b"\xff\xd0"),
    "smallest segments": (JPEG_START, _segment(0xE0)),
    "comments of a byte behind fill": (JPEG_START, b"\xff\xff" + _segment(0xFE, b"x")),
    "scans": (JPEG_START, JPEG_SCAN),
    "scan of stuffed bytes": (JPEG_START + JPEG_SCAN, b"\xff\x00"),
    "scan of restarts": (JPEG_START + JPEG_SCAN, b"\xff\xd3"),
    "smallest chunks": (PNG_START, _chunk(b"tEXt")),
    "data of a byte": (PNG_START, _chunk(b"IDAT", b"x")),
    "no object": (b"%PDF-1.4\n", b" ob"),
    "objects and no end": (b"%PDF-1.4\nstartxref", b" obj"),
    "almost ends": (b"%PDF-1.4\n obj startxref", b"%%EO"),
    "headers": (b"", b"%PDF-1.4"),
}


@pytest.mark.parametrize(("start", "piece"), HOSTILE.values(), ids=HOSTILE)
def test_a_file_of_many_pieces_is_given_up(start: bytes, piece: bytes) -> None:
    content = (start + piece * (LONGEST_ATTACHMENT // len(piece)))[:LONGEST_ATTACHMENT]
    began = process_time()

    refused = read_attachment(content)

    assert process_time() - began < 0.15, "of CPU; a millisecond or ten, and this may be a slow machine"
    assert isinstance(refused, NotAnAttachment) and refused == OF_ANOTHER_KIND


def test_what_programs_write_is_far_within_the_steps() -> None:
    """Photos of 2 MB: a PNG in the chunks of libpng, a JPEG with long metadata, many restarts and progressive scans."""
    png = PNG_START + _chunk(b"IDAT", bytes(8192)) * 250 + _chunk(b"IEND")
    metadata = b"".join(_segment(0xE2, bytes(65_000)) for _ in range(20))
    scans = (JPEG_SCAN + b"data\xff\x00\xff\xd0" * 4_000) * 10
    jpeg = JPEG_START[:2] + metadata + JPEG_START[2:] + scans + JPEG_END

    for content in (png, jpeg):
        assert len(content) <= LONGEST_ATTACHMENT
        kept = read_attachment(content + b"behind its end")
        assert isinstance(kept, Attachment) and kept.content == content


def test_fill_bytes_before_a_marker_are_part_of_the_picture() -> None:
    jpeg = JPEG_START + b"\xff\xff\xff" + JPEG_SCAN + b"data" + b"\xff\xff" + JPEG_END

    assert read_attachment(jpeg) == Attachment("image/jpeg", jpeg)
