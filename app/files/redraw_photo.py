"""A photo that somebody sent is drawn anew in a separate process: `python redraw_photo.py < PHOTO > JPEG`.

Decoders of pictures are large and old, and a picture that is made to do harm can take all memory, or all
time. Here it can only stop this process. The result is a new JPEG with the same picture upright, and nothing
that the camera wrote. The file is run by its path and loads nothing of the portal, because that would take
longer than drawing the photo.
"""

import io
import os
import resource
import sys

from PIL import Image, ImageChops, ImageFile

MOST_MEMORY = 640 << 20  # bytes of address space; 64 megapixels with four channels take 256 MB
MOST_SECONDS = 8  # of one core
LONGEST_JPEG = 2 * 1024 * 1024  # bytes
_MOST_PIXELS = 64_000_000
# Largest side and quality; the first pair that fits is taken
_ROUNDS = (
    (2400, 85),
    (2400, 70),
    (1600, 70),
    (1200, 50),
)
_LEAST_SEEN = 0.2  # of the height of a photo that was cut
_GREY = (128, 128, 128)  # what the decoder draws where a JPEG has no data left
_ALMOST_GREY = 3

NOTHING_TO_SEE = 3  # exit code

_KINDS = ("JPEG", "PNG")


def main() -> int:
    os.nice(5)
    Image.MAX_IMAGE_PIXELS = None  # Pillow would only warn; the size is checked below
    for limit, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    content = sys.stdin.buffer.read()
    jpeg = _redrawn(content)
    if jpeg is None:
        return NOTHING_TO_SEE
    sys.stdout.buffer.write(jpeg)
    sys.stdout.flush()
    return 0


def _redrawn(content: bytes) -> bytes | None:
    try:
        picture, turn = _opened(content)
    except (OSError, ValueError, SyntaxError):
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        picture, turn = _opened(content)
        seen = _lowest_row_seen(picture)
        if seen < picture.height * _LEAST_SEEN:
            return None
        picture = picture.crop((0, 0, picture.width, seen))
    return _as_jpeg(picture if turn is None else picture.transpose(turn))


def _opened(content: bytes) -> tuple[Image.Image, Image.Transpose | None]:
    """The picture in three colours on white, and how to turn it upright. Its longest side is at most that of
    the first round."""
    with Image.open(io.BytesIO(content), formats=_KINDS) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            raise ValueError("too many pixels")
        side = _ROUNDS[0][0]
        picture.draft("RGB", (side, side))  # a JPEG is decoded at a fraction of its size
        picture.load()
        turn = _turn(picture)
        has_alpha = "A" in picture.mode or "transparency" in picture.info
        if picture.mode.startswith("I"):
            # 16 bits for each pixel, as scanners write
            drawn = picture.point(lambda value: value / 256).convert("L")
        else:
            mode = "RGBA" if has_alpha else "RGB"
            # There is no memory for a copy of a large picture
            drawn = picture if picture.mode == mode else picture.convert(mode)
        drawn.thumbnail((side, side), reducing_gap=2.0)
        on_white = Image.new("RGB", drawn.size, "white")
        on_white.paste(drawn, mask=drawn.getchannel("A") if drawn.mode == "RGBA" else None)
    return on_white, turn


def _turn(picture: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(picture.getexif()[_ORIENTATION])
    except Exception:  # something in the camera's notes is missing or wrong, but the picture is there
        return None


_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _lowest_row_seen(picture: Image.Image) -> int:
    """The lowest row where a picture that was cut still shows something. Below that row, a JPEG is grey and a
    PNG black or white."""
    lowest = picture.height
    for empty in (_GREY, (0, 0, 0), (255, 255, 255)):
        difference = ImageChops.difference(picture, Image.new("RGB", picture.size, empty)).convert("L")
        box = difference.point(lambda value: 255 if value > _ALMOST_GREY else 0).getbbox()
        lowest = min(lowest, box[3] if box else 0)
    return lowest


def _as_jpeg(picture: Image.Image) -> bytes:
    for side, quality in _ROUNDS:
        picture.thumbnail((side, side))
        plain = Image.new("RGB", picture.size)
        plain.paste(picture)
        written = io.BytesIO()
        plain.save(written, "JPEG", quality=quality)
        if written.tell() <= LONGEST_JPEG:
            break
    return written.getvalue()


if __name__ == "__main__":
    sys.exit(main())
