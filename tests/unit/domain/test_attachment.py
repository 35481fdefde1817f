"""For every file of 10 MB, a limited number of steps is enough to tell what it is, and each kind has its
sentence."""

import struct
from time import process_time

import pytest

from app.domain.attachment import (
    CUT_PDF,
    CUT_PICTURE,
    LONGEST_ATTACHMENT,
    LONGEST_FILE,
    OF_ANOTHER_KIND,
    PDF_TOO_LARGE,
    Attachment,
    NotAnAttachment,
    Photo,
    is_redrawn,
    read_attachment,
)
from tests.picture_bytes import chunk, segment

JPEG_START = b"\xff\xd8" + segment(0xC0, b"\x08\x00\x08\x00\x08\x01\x01\x11\x00")
JPEG_SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
JPEG_END = b"\xff\xd9"
PNG_START = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
HOSTILE = {  # how the file begins, and what it is filled with
    "fill bytes": (b"\xff\xd8", b"\xff"),
    "fill bytes after a scan": (JPEG_START + JPEG_SCAN, b"\xff"),
    "markers without length": (b"\xff\xd8", b"\xff\x01"),
    "restarts": (JPEG_START, b"\xff\xd0"),
    "smallest segments": (JPEG_START, segment(0xE0)),
    "comments of a byte behind fill": (JPEG_START, b"\xff\xff" + segment(0xFE, b"x")),
    "scans": (JPEG_START, JPEG_SCAN),
    "scan of stuffed bytes": (JPEG_START + JPEG_SCAN, b"\xff\x00"),
    "scan of restarts": (JPEG_START + JPEG_SCAN, b"\xff\xd3"),
    "smallest chunks": (PNG_START, chunk(b"tEXt")),
    "data of a byte": (PNG_START, chunk(b"IDAT", b"x")),
    "no object": (b"%PDF-1.4\n", b" ob"),
    "objects and no end": (b"%PDF-1.4\nstartxref", b" obj"),
    "almost ends": (b"%PDF-1.4\n obj startxref", b"%%EO"),
    "headers": (b"", b"%PDF-1.4"),
}

ONE_LONG_SCAN = {
    b"".join(HOSTILE[name])
    for name in ("fill bytes after a scan", "scan of stuffed bytes", "scan of restarts")
}


@pytest.mark.parametrize(("start", "piece"), HOSTILE.values(), ids=HOSTILE)
def test_a_file_of_many_pieces_is_given_up(start: bytes, piece: bytes) -> None:
    content = (start + piece * (LONGEST_FILE // len(piece)))[:LONGEST_FILE]
    began = process_time()

    refused = read_attachment(content)
    is_redrawn(content)

    assert process_time() - began < 0.3, (
        "of CPU; some fifty milliseconds at most, and this may be a slow machine"
    )
    if start + piece in ONE_LONG_SCAN:
        assert refused == Photo(content), "a picture that was cut, for all that can be told"
    else:
        assert refused in (OF_ANOTHER_KIND, CUT_PICTURE)


def test_what_programs_write_is_far_within_the_steps() -> None:
    """These are photos of 2 MB: a PNG in the chunks of libpng, and a JPEG with long metadata, many restarts
    and progressive scans."""
    png = PNG_START + chunk(b"IDAT", bytes(8192)) * 250 + chunk(b"IEND")
    metadata = b"".join(segment(0xE2, bytes(65_000)) for _ in range(20))
    scans = (JPEG_SCAN + b"data\xff\x00\xff\xd0" * 4_000) * 10
    jpeg = JPEG_START[:2] + metadata + JPEG_START[2:] + scans + JPEG_END

    for content in (png, jpeg):
        assert len(content) <= LONGEST_ATTACHMENT
        assert read_attachment(content + b"behind its end") == Photo(content)


def test_fill_bytes_before_a_marker_are_part_of_the_picture() -> None:
    jpeg = JPEG_START + b"\xff\xff\xff" + JPEG_SCAN + b"data" + b"\xff\xff" + JPEG_END

    assert read_attachment(jpeg) == Photo(jpeg)


# -- a PDF with something around it


def _pdf(front: bytes = b"", *, counted_from_first_byte: bool = False) -> bytes:
    body = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    place = len(body) + (len(front) if counted_from_first_byte else 0)
    return front + body + b"xref\n0 1\ntrailer << /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % place


FRONTS = {
    "line break": b"\r\n",
    "BOM": b"\xef\xbb\xbf",
    "a job for a printer": b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n",
    "zeros": bytes(512),
    "a warning of a server": b"<br />\n<b>Warning</b>: something\n",
    "a page": b"<html><script>alert(1)</script>",
    "a program": b"MZ\x90\x00\x03",
    "as much as may be": b"x" * 1024,
}


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
def test_what_stands_before_a_pdf_goes(front: bytes) -> None:
    assert read_attachment(_pdf(front)) == Attachment("application/pdf", _pdf())


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
def test_it_is_blanked_where_the_document_counts_its_bytes_too(front: bytes) -> None:
    """If the front were cut off, no reader would find the table of objects at its place."""
    content = _pdf(front, counted_from_first_byte=True)

    kept = read_attachment(content)

    assert kept == Attachment("application/pdf", b" " * len(front) + content[len(front) :])


def test_a_header_further_in_is_none() -> None:
    assert read_attachment(_pdf(b"x" * 1025)) == OF_ANOTHER_KIND


@pytest.mark.parametrize(
    "tail",
    [b"\n", b"\r\n\r\n", bytes(4096), b"<script>alert(1)</script>", b"x" * 2_000_000, b"PK\x03\x04 a zip"],
)
def test_what_stands_behind_a_pdf_goes(tail: bytes) -> None:
    assert read_attachment(_pdf() + tail) == Attachment("application/pdf", _pdf())


def test_a_pdf_that_was_changed_later_is_kept_to_its_last_end() -> None:
    changed = _pdf() + b"\n2 0 obj\n<< >>\nendobj\nstartxref\n9\n%%EOF"

    assert read_attachment(changed + b"\n") == Attachment("application/pdf", changed)
    assert read_attachment(changed.removesuffix(b"startxref\n9\n%%EOF")) == CUT_PDF
    assert read_attachment(_pdf().removesuffix(b"%%EOF")) == CUT_PDF


def test_the_newest_table_of_a_changed_pdf_says_from_where_its_bytes_are_counted() -> None:
    front = b"x" * 100
    old = _pdf(front, counted_from_first_byte=True)
    changed = old + b"\nxref\n0 0\nstartxref\n%d\n%%%%EOF" % (len(old) + 1 - len(front))

    assert read_attachment(changed) == Attachment("application/pdf", changed.removeprefix(front))


def test_the_front_goes_where_no_table_can_be_found() -> None:
    broken = _pdf().replace(b"xref\n0 1", b"here\n0 1")

    assert read_attachment(b"front" + broken) == Attachment("application/pdf", broken)


@pytest.mark.parametrize("missing", [b" obj", b"startxref"])
def test_a_pdf_has_objects_and_a_place_of_their_table(missing: bytes) -> None:
    assert read_attachment(_pdf().replace(missing, b"")) == OF_ANOTHER_KIND


def test_a_pdf_may_have_two_megabytes_to_the_byte() -> None:
    longest = _pdf().replace(b"endobj", b"endobj\n%" + b"x" * (LONGEST_ATTACHMENT - len(_pdf()) - 2))

    assert len(longest) == LONGEST_ATTACHMENT
    assert read_attachment(longest) == Attachment("application/pdf", longest)


def test_a_pdf_is_kept_as_it_is_and_therefore_may_not_be_longer() -> None:
    long = _pdf().replace(b"endobj", b"endobj\n%" + b"x" * LONGEST_ATTACHMENT)

    assert read_attachment(long) == PDF_TOO_LARGE


# -- other kinds, by name
_FTYP = b"\0\0\0\x18ftyp"
OTHER_KINDS = {
    "HEIC": (_FTYP + b"heic\0\0\0\0mif1heic", "foto HEIC"),
    "HEIC of another maker": (_FTYP + b"mif1\0\0\0\0mif1heic", "foto HEIC"),
    "AVIF": (_FTYP + b"avif\0\0\0\0avifmif1", "gambar AVIF"),
    "AVIF of another maker": (_FTYP + b"mif1\0\0\0\0mif1avif", "gambar AVIF"),
    "AVIF of a third maker": (_FTYP + b"mif1\0\0\0\0avifmif1", "gambar AVIF"),
    "AVIF that names no others": (_FTYP + b"avif\0\0\0\0", "gambar AVIF"),
    "AVIF of several pictures": (_FTYP + b"avis\0\0\0\0", "gambar AVIF"),
    "video of Windows": (b"RIFF\x24\0\0\0AVI LIST", "Ini video"),
    "WebP": (b"RIFF\x24\0\0\0WEBPVP8 ", "gambar WebP"),
    "GIF": (b"GIF89a\x01\0\x01\0", "gambar GIF"),
    "BMP": (b"BM\x36\0\0\0", "gambar BMP"),
    "TIFF": (b"II*\0\x08\0\0\0", "gambar TIFF"),
    "TIFF of a Mac": (b"MM\0*\0\0\0\x08", "gambar TIFF"),
    "JPEG XL": (b"\xff\x0a\x00", "gambar JPEG XL"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", "gambar JPEG 2000"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "gambar SVG"),
    "SVG with a remark": (b'<!-- Created with a program -->\n<svg xmlns="x"></svg>', "gambar SVG"),
    "HTML": (b"\r\n<!DOCTYPE html><title>Masuk</title>", "halaman web"),
    "SVG with a declaration": (b'<?xml version="1.0"?>\n<svg xmlns="x"></svg>', "gambar SVG"),
    "HTML behind a BOM": (b"\xef\xbb\xbf \t\r\n<html><body>", "halaman web"),
    "HTML from its head": (b"<HEAD><title>Masuk</title>", "halaman web"),
    "HTML from a script": (b"<script>alert(1)</script>", "halaman web"),
    "HTML with a remark": (b"<!-- saved from a page -->\n<p>Masuk", "halaman web"),
    "video": (_FTYP + b"isom\0\0\0\0", "Ini video"),
    "Word": (b"PK\x03\x04\x14\0\x06\0\x08\0" + bytes(16) + b"[Content_Types].xml", "dokumen Word"),
    "LibreOffice": (
        b"PK\x03\x04\x14\0\0\x08" + bytes(22) + b"mimetypeapplication/vnd.oasis.opendocument.text",
        "dokumen Word",
    ),
    "old Word": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "dokumen Word"),
    "zip": (b"PK\x03\x04" + bytes(60), "file ZIP"),
    "program": (b"MZ\x90\0\x03" + bytes(200), "bukan foto JPG"),
    "text before a picture": (b"here: <svg></svg>", "bukan foto JPG"),
    "text before a page": (b"X<html>", "bukan foto JPG"),
    "text": (b"NIP,nama\n", "bukan foto JPG"),
}


@pytest.mark.parametrize(("content", "words"), OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_another_kind_is_named_for_what_it_is(content: bytes, words: str) -> None:
    refused = read_attachment(content)

    assert isinstance(refused, NotAnAttachment)
    assert words in refused.sentence


@pytest.mark.parametrize(
    "content", [b"", *(kind[0] for kind in OTHER_KINDS.values()), JPEG_START, PNG_START, _pdf()[:20]]
)
def test_every_beginning_of_a_file_has_an_answer(content: bytes) -> None:
    for end in range(len(content) + 1):
        assert isinstance(read_attachment(content[:end]), NotAnAttachment)
