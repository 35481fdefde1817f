"""Photos as phones, scanners and chat programs make them. All of them are drawn here."""

from functools import cache
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image

PLACE = "Tempat Rahasia"  # what a camera writes into a photo
_MAKE, _ORIENTATION, _GPS = 0x010F, 0x0112, 0x8825
TURNED_RIGHT = 6


def jpeg(picture: Image.Image, **options: Any) -> bytes:
    return _written(picture, "JPEG", **options)


def png(picture: Image.Image, **options: Any) -> bytes:
    return _written(picture, "PNG", **options)


def _written(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def paper(width: int = 64, height: int = 48) -> Image.Image:
    """A picture with one colour in each corner: red and green above, blue and white below."""
    corners = Image.new("RGB", (2, 2))
    for at, colour in (((0, 0), "red"), ((1, 0), "green"), ((0, 1), "blue"), ((1, 1), "white")):
        corners.putpixel(at, Image.new("RGB", (1, 1), colour).getpixel((0, 0)) or (0, 0, 0))
    return corners.resize((width, height), Image.Resampling.NEAREST)


@cache
def grainy(width: int = 1600, height: int = 1200) -> Image.Image:
    """A picture with grain, as photos have it, so it does not compress well."""
    noise = Image.frombytes("RGB", (width, height), Random(7).randbytes(3 * width * height))
    return Image.blend(paper(width, height), noise, 0.4)


def camera_notes(orientation: int = 1) -> Image.Exif:
    """The EXIF data of a photo: the place, the camera, and how the camera was held."""
    notes = Image.Exif()
    notes[_MAKE], notes[_ORIENTATION] = PLACE, orientation
    notes[_GPS] = {1: "S", 2: (6.0, 10.0, 31.0), 3: "E", 4: (106.0, 49.0, 37.0)}
    return notes


@cache
def from_phone(side: int = 4000, orientation: int = 1) -> bytes:
    """A photo of some MB, with grain, EXIF data and a comment in it."""
    picture = grainy(side // 4, side * 3 // 16).resize((side, side * 3 // 4), Image.Resampling.BILINEAR)
    return jpeg(picture, quality=97, exif=camera_notes(orientation), comment=PLACE)


def opened(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def corners(picture: Image.Image) -> list[str]:
    """The colour in each corner, row by row, as the nearest of the known colours."""
    inset_x, inset_y = picture.width // 4, picture.height // 4
    places = [(x, y) for y in (inset_y, picture.height - inset_y) for x in (inset_x, picture.width - inset_x)]
    known = {
        "red": (255, 0, 0),
        "green": (0, 128, 0),
        "blue": (0, 0, 255),
        "white": (255, 255, 255),
        "grey": (128, 128, 128),
    }
    plain = picture.convert("RGB").resize((picture.width, picture.height)).reduce(1)

    def nearest(place: tuple[int, int]) -> str:
        seen = plain.crop((place[0] - 4, place[1] - 4, place[0] + 4, place[1] + 4)).resize(
            (1, 1), Image.Resampling.BOX
        )
        colour = seen.getpixel((0, 0))
        assert isinstance(colour, tuple)
        return min(
            known, key=lambda name: sum((a - b) ** 2 for a, b in zip(known[name], colour, strict=True))
        )

    return [nearest(place) for place in places]
