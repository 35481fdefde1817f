"""What somebody sends along with a request: a photo or a PDF, recognised by its content and by nothing else.

A file is read from its first byte to its own end. What stands before its beginning or after its end is cut
off, so that no second file travels with the first. Names and declared types prove nothing and are not looked
at. The reading takes a bounded number of steps, whatever the file holds: a file of a million tiny pieces is
no photo.

Phones and chat programs cut pictures, and scanners write around a PDF. If something of the picture can still
be seen, it is taken. A photo is not kept as it came: it is drawn anew first, because cameras write into it
where and when it was taken.
"""

import re
import zlib
from dataclasses import dataclass

LONGEST_FILE = 10 * 1024 * 1024  # bytes; a photo straight from a phone
LONGEST_ATTACHMENT = 2 * 1024 * 1024  # bytes, in the form in which it is kept
LARGEST_SIDE_KEPT = 2400  # pixels; small print stays readable on a page that fills the photo
REDRAWN_AS = "image/jpeg"
EXTENSIONS = {REDRAWN_AS: "jpg", "application/pdf": "pdf"}

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_STEPS = 4_000  # segments or chunks: enough for 10 MB in pieces of 2.6 kB; libpng writes pieces of 8192
# Of a progressive photo; programs write ten, and each makes a decoder go through the whole picture
_MOST_SCANS = 100
_LARGEST_SIDE = 30_000  # pixels; a larger picture is an attack, not a photo
_MOST_PIXELS = 64_000_000  # what the sharpest phones write in 10 MB
_LEAST_DATA = 64  # bytes of a picture that was cut; with fewer there is nothing to see
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))  # baseline, extended, progressive: what cameras and scanners write
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD8)))
_MARKER = re.compile(rb"\xff++([^\xff])", re.DOTALL)  # with any fill bytes in front of it
_BEFORE_PDF_HEADER = 1024  # bytes in which readers look for the header (ISO 32000-1, annex H, note 13)
_PDF_HEADER = re.compile(rb"%PDF-[12]\.[0-9]")
_PDF_END = b"%%EOF"
_PDF_OBJECT_END = b"endobj"
_PDF_TABLE_PLACE = re.compile(rb"startxref\s{1,20}(\d{1,10})")
_PDF_TABLE = re.compile(rb"\s{0,20}(?:xref|\d{1,10}\s{1,20}\d{1,5}\s{1,20}obj)")


@dataclass(frozen=True)
class Attachment:
    """A file as it is kept: one of the kinds in EXTENSIONS, with nothing before its beginning or after its
    end."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class Photo:
    """A picture as it came, to be drawn anew before anybody sees it."""

    content: bytes


@dataclass(frozen=True)
class NotAnAttachment:
    """Why a file is not taken, as a sentence that says what to do."""

    sentence: str


TOO_LARGE = NotAnAttachment(
    "File ini lebih besar dari 10 MB. Perkecil foto atau pindaiannya, lalu pilih lagi."
)
PDF_TOO_LARGE = NotAnAttachment(
    "PDF ini lebih besar dari 2 MB. Pindai lagi dengan mutu lebih rendah atau halaman yang perlu saja, "
    "atau kirim fotonya (JPG)."
)
TOO_MANY_PIXELS = NotAnAttachment(
    "Ukuran gambar ini lebih dari 64 megapiksel. Perkecil, atau potret lagi dengan ukuran biasa, lalu "
    "pilih lagi."
)
EMPTY = NotAnAttachment("File ini kosong. Pilih file lain.")
CUT_PICTURE = NotAnAttachment(
    "Foto ini terpotong: hampir tidak ada gambar di dalamnya. Ambil lagi dari galeri, atau potret lagi, "
    "lalu pilih lagi."
)
CUT_PDF = NotAnAttachment(
    "PDF ini terpotong: bagian akhirnya tidak ada. Unduh atau pindai lagi sampai selesai, lalu pilih lagi."
)
BROKEN_PICTURE = NotAnAttachment(
    "Foto ini rusak, sehingga tidak dapat dibaca. Buka di HP, simpan ulang atau ambil tangkapan "
    "layarnya, lalu pilih lagi."
)
OF_ANOTHER_KIND = NotAnAttachment(
    "File ini bukan foto JPG, foto PNG, atau PDF yang utuh. Simpan ulang sebagai JPG, PNG, atau PDF, lalu "
    "pilih lagi."
)

_NOT_TAKEN = {
    "HEIC": "Ini foto HEIC, yang tidak dapat dibuka di semua komputer. Di iPhone pilih Pengaturan > Kamera "
    "> Format > Paling "
    "Kompatibel lalu potret lagi, atau kirim tangkapan layar foto ini.",
    "WebP": "Ini gambar WebP, bukan JPG. Buka gambarnya, ambil tangkapan layar, lalu pilih "
    "tangkapan layar itu.",
    "AVIF": "Ini gambar AVIF, bukan JPG. Buka gambarnya, ambil tangkapan layar, lalu pilih "
    "tangkapan layar itu.",
    "JPEG XL": "Ini gambar JPEG XL, bukan JPG. Buka gambarnya, ambil tangkapan layar, lalu pilih itu.",
    "JPEG 2000": "Ini gambar JPEG 2000, bukan JPG. Simpan ulang sebagai JPG, atau pindai lagi sebagai PDF, "
    "lalu pilih lagi.",
    "GIF": "Ini gambar GIF. Simpan ulang sebagai JPG atau PNG, atau ambil tangkapan layarnya, lalu pilih "
    "lagi.",
    "BMP": "Ini gambar BMP. Buka di Paint, pilih Simpan sebagai JPEG, lalu pilih file itu.",
    "TIFF": "Ini gambar TIFF atau foto mentah (RAW). Simpan ulang sebagai JPG, atau pindai lagi sebagai "
    "PDF, lalu pilih lagi.",
    "SVG": "Ini gambar SVG. Simpan sebagai PDF atau ambil tangkapan layarnya, lalu pilih lagi.",
    "HTML": "Ini halaman web (HTML), bukan dokumennya. Mungkin unduhannya gagal: unduh lagi, atau simpan "
    "halamannya sebagai PDF.",
    "video": "Ini video. Potret dokumennya sebagai foto biasa, lalu pilih foto itu.",
    "Office": "Ini dokumen Word, Excel, atau PowerPoint. Buka dokumennya, pilih Simpan sebagai PDF, lalu "
    "pilih PDF itu.",
    "ZIP": "Ini file ZIP atau RAR. Buka (ekstrak) dulu, lalu pilih satu foto atau PDF di dalamnya.",
}
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def read_attachment(content: bytes) -> Photo | Attachment | NotAnAttachment:
    """Tell what the bytes are."""
    if not content:
        return EMPTY
    if len(content) > LONGEST_FILE:
        return TOO_LARGE
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    if content.startswith(_PNG_SIGNATURE):
        return _png(content)
    if header := _PDF_HEADER.search(content, 0, _BEFORE_PDF_HEADER + len(b"%PDF-1.4")):
        return _pdf(content, header.start())
    kind = _known_kind(content)
    return NotAnAttachment(_NOT_TAKEN[kind]) if kind else OF_ANOTHER_KIND


def is_redrawn(content: bytes) -> bool:
    """Whether these bytes are a JPEG that holds its picture and nothing more: no place, time, comment, colour
    profile or smaller picture, and nothing after its end."""
    at = 2
    if not content.startswith(b"\xff\xd8\xff\xe0"):
        return False
    for _ in range(_MOST_STEPS):
        found = _MARKER.match(content, at)
        if not found:
            return False
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            return at == len(content)
        if marker == 0xFE or 0xE1 <= marker <= 0xEF:
            return False
        length = int.from_bytes(content[at : at + 2])
        if length < 2 or (marker == 0xE0 and content[at + 2 : at + length] != _PLAIN_JFIF):
            return False
        at += length
        if marker == 0xDA:
            at = _end_of_scan(content, at)
    return False


_PLAIN_JFIF = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"


def _jpeg(content: bytes) -> Photo | NotAnAttachment:
    """Reads from marker to marker: start, a frame with a size, a scan, end (ITU T.81, annex B). A file that
    was cut ends in a scan."""
    at, has_frame, scans, data_from = 2, False, 0, 0
    for _ in range(_MOST_STEPS):
        found = _MARKER.match(content, at)
        if not found:
            break
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            return Photo(content[:at]) if has_frame and scans else OF_ANOTHER_KIND
        if marker in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(content[at : at + 2])
        if length < 2 or at + length > len(content):
            at = len(content) if length != 1 else at
            break
        if marker in _FRAMES:
            height, width = int.from_bytes(content[at + 3 : at + 5]), int.from_bytes(content[at + 5 : at + 7])
            if width * height > _MOST_PIXELS:
                return TOO_MANY_PIXELS
            has_frame = 0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE
        at += length
        if marker == 0xDA:
            scans += 1
            if scans > _MOST_SCANS:
                return OF_ANOTHER_KIND
            data_from = data_from or at
            at = _end_of_scan(content, at)
    was_cut = len(content) - at <= 1  # everything was read; a single 0xff may be left of a marker
    if not was_cut or not has_frame:
        return OF_ANOTHER_KIND
    return Photo(content) if scans and len(content) - data_from >= _LEAST_DATA else CUT_PICTURE


_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _end_of_scan(content: bytes, at: int) -> int:
    found = _NEXT_MARKER.search(content, at)
    return found.start() if found else len(content)


def _png(content: bytes) -> Photo | NotAnAttachment:
    """Reads from chunk to chunk, each with its right checksum: IHDR with a size first, data, IEND last (RFC
    2083). A file that was cut ends inside or after its data."""
    at, data = len(_PNG_SIGNATURE), 0
    for _ in range(_MOST_STEPS):
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        end = at + 12 + length
        is_first = at == len(_PNG_SIGNATURE)
        if end > len(content):
            data += len(content) - at if kind == b"IDAT" else 0
            if is_first:
                return OF_ANOTHER_KIND
            return Photo(content) if data >= _LEAST_DATA else CUT_PICTURE
        if zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            return OF_ANOTHER_KIND
        if is_first:
            width, height = (
                int.from_bytes(content[at + 8 : at + 12]),
                int.from_bytes(content[at + 12 : at + 16]),
            )
            if (
                kind != b"IHDR"
                or length != 13
                or not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE)
            ):
                return OF_ANOTHER_KIND
            if width * height > _MOST_PIXELS:
                return TOO_MANY_PIXELS
        data += length if kind == b"IDAT" else 0
        if kind == b"IEND":
            return Photo(content[:end]) if data and length == 0 else OF_ANOTHER_KIND
        at = end
    return OF_ANOTHER_KIND


def _pdf(content: bytes, begin: int) -> Attachment | NotAnAttachment:
    """Reads the header, the objects, a pointer to their table, and the end mark, with nothing of the document
    after it."""
    mark = content.rfind(_PDF_END)
    if mark < 0:
        return CUT_PDF if _PDF_OBJECT_END in content else OF_ANOTHER_KIND
    if _PDF_OBJECT_END in content[mark:]:
        return CUT_PDF
    end = mark + len(_PDF_END)
    if b" obj" not in content[begin:end] or b"startxref" not in content[begin:end]:
        return OF_ANOTHER_KIND
    own = content[begin:end]
    if begin and not _points_to_table(own) and _points_to_table(content[:end]):
        # The document counts places from the first byte of the file. The bytes in front become blanks,
        # because otherwise no reader finds those places.
        own = b" " * begin + own
    return Attachment("application/pdf", own) if len(own) <= LONGEST_ATTACHMENT else PDF_TOO_LARGE


def _points_to_table(content: bytes) -> bool:
    """Whether the table of objects is where the end of the document says."""
    place = _PDF_TABLE_PLACE.match(content, content.rfind(b"startxref"))
    return place is not None and _PDF_TABLE.match(content, int(place[1])) is not None


def _known_kind(content: bytes) -> str | None:
    """The name of a kind that is not taken, recognised by its first bytes."""
    if content[4:8] == b"ftyp":
        brand = content[8:12].lower()
        if brand in (b"avif", b"avis") or b"avif" in content[16:64]:
            return "AVIF"
        return "HEIC" if brand in _HEIC_BRANDS else "video"
    if content.startswith(b"RIFF"):
        return {b"WEBP": "WebP", b"AVI ": "video"}.get(content[8:12])
    if content.startswith(b"PK\x03\x04"):
        return (
            "Office"
            if b"[Content_Types].xml" in content[:4096] or b"mimetypeapplication/vnd.oasis" in content[:200]
            else "ZIP"
        )
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    text = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!--")) and b"<svg" in text:
        return "SVG"
    return "HTML" if text.startswith((b"<!doctype html", b"<html", b"<head", b"<script", b"<!--")) else None


_BEGINNINGS = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xffO\xffQ": "JPEG 2000",
    b"\x1aE\xdf\xa3": "video",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "Office",
    b"{\\rtf": "Office",
    b"Rar!": "ZIP",
    b"7z\xbc\xaf\x27\x1c": "ZIP",
}
