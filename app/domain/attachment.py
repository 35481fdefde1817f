"""What somebody sends along with a request: a photo or a PDF, known by its content and by nothing else.

A file is walked from its first byte to its own end. What hangs behind that end is cut off, so that no second file
travels inside the first. Names and declared types say nothing and are not looked at. The walk takes a bounded number of
steps, whatever the file holds: one that was made of a million tiny pieces is no photo.
"""

import re
import zlib
from dataclasses import dataclass

LONGEST_ATTACHMENT = 2 * 1024 * 1024  # bytes
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_STEPS = 4_000  # segments or chunks: enough for 2 MB in pieces of 524 bytes, where libpng writes pieces of 8192
_LARGEST_SIDE = 30_000  # pixels; more is a bomb, not a photo
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))  # baseline, extended, progressive: what cameras and scanners write
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD8)))
_MARKER = re.compile(rb"\xff++([^\xff])", re.DOTALL)  # with any fill bytes in front of it
_PDF_HEADER = re.compile(rb"%PDF-[12]\.[0-9][\r\n ]")
_PDF_END = b"%%EOF"
_BEHIND_PDF_END = 1024  # bytes in which readers look for the end (ISO 32000-1, annex H, note 18)


@dataclass(frozen=True)
class Attachment:
    """A file of one of the three kinds, whole, with nothing behind its end."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class NotAnAttachment:
    """Why a file is not taken, as a sentence that says what to do."""

    sentence: str


TOO_LARGE = NotAnAttachment("File ini lebih besar dari 2 MB. Perkecil foto atau pindaiannya, lalu pilih lagi.")
EMPTY = NotAnAttachment("File ini kosong. Pilih file lain.")
OF_ANOTHER_KIND = NotAnAttachment(
    "File ini bukan foto JPG, foto PNG, atau PDF yang utuh. Simpan ulang sebagai JPG, PNG, atau PDF, lalu pilih lagi."
)


def read_attachment(content: bytes) -> Attachment | NotAnAttachment:
    """Tell what the bytes are."""
    if not content:
        return EMPTY
    if len(content) > LONGEST_ATTACHMENT:
        return TOO_LARGE
    if end := _end_of_jpeg(content):
        return Attachment("image/jpeg", content[:end])
    if end := _end_of_png(content):
        return Attachment("image/png", content[:end])
    if end := _end_of_pdf(content):
        return Attachment("application/pdf", content[:end])
    return OF_ANOTHER_KIND


def _end_of_jpeg(content: bytes) -> int | None:
    """From marker to marker: start, a frame with a size, a scan, end (ITU T.81, annex B)."""
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    at, has_frame, has_scan = 2, False, False
    for _ in range(_MOST_STEPS):
        found = _MARKER.match(content, at)
        if not found:
            return None
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            return at if has_frame and has_scan else None
        if marker in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(content[at : at + 2])
        if length < 2 or at + length > len(content):
            return None
        if marker in _FRAMES:
            height, width = int.from_bytes(content[at + 3 : at + 5]), int.from_bytes(content[at + 5 : at + 7])
            has_frame = 0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE
        at += length
        if marker == 0xDA:
            has_scan = True
            at = _end_of_scan(content, at)
    return None


_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _end_of_scan(content: bytes, at: int) -> int:
    found = _NEXT_MARKER.search(content, at)
    return found.start() if found else len(content)


def _end_of_png(content: bytes) -> int | None:
    """From chunk to chunk, each with its right checksum: IHDR with a size first, data, IEND last (RFC 2083)."""
    if not content.startswith(_PNG_SIGNATURE):
        return None
    at, has_data = len(_PNG_SIGNATURE), False
    for _ in range(_MOST_STEPS):
        if at + 12 > len(content):
            return None
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(content) or zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            return None
        if at == len(_PNG_SIGNATURE):
            width, height = int.from_bytes(content[at + 8 : at + 12]), int.from_bytes(content[at + 12 : at + 16])
            if kind != b"IHDR" or length != 13 or not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
                return None
        has_data = has_data or kind == b"IDAT"
        if kind == b"IEND":
            return end if has_data and length == 0 else None
        at = end
    return None


def _end_of_pdf(content: bytes) -> int | None:
    """Header at the very first byte, objects, a pointer to their table, and the end mark near the end."""
    if not _PDF_HEADER.match(content) or b" obj" not in content or b"startxref" not in content:
        return None
    mark = content.rfind(_PDF_END, max(0, len(content) - _BEHIND_PDF_END))
    return None if mark < 0 else mark + len(_PDF_END)
