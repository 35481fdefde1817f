"""`python -m tests.browser.icons` (`make icons`): makes the PNGs that phones ask for from the app's icons,
which are drawn as SVG."""

from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from app.web.assets import STATIC
from tests.browser.chromium import launch_args

FOLDER = STATIC / "img" / "app"
ICONS = (("icon", 192), ("icon", 512), ("maskable", 192), ("maskable", 512))
COLOURS = 64  # two, and the shades of their edges; a phone fetches an icon at the first visit


def main(folder: Path) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**launch_args())
        for name, size in ICONS:
            page = chromium.new_page(viewport={"width": size, "height": size})
            page.set_content(
                "<style>body { margin: 0 } svg { display: block "
                f"}}</style>{(folder / f'{name}.svg').read_text()}"
            )
            file = folder / f"{name}-{size}.png"
            drawn = Image.open(BytesIO(page.screenshot(omit_background=True)))
            drawn.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(file, optimize=True)
            page.close()
            print(f"{file}: {file.stat().st_size:,} bytes")
        chromium.close()


if __name__ == "__main__":
    main(FOLDER)
