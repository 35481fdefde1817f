"""The Chromium that is installed on this machine. Nothing is downloaded."""

import shutil
from pathlib import Path
from typing import Any

# Playwright switches these off too, but Chromium reads only the last list of this kind.
_NOT_BY_PLAYWRIGHT = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
# The window around a page consists of pages too, which have processes of their own in each context. Nobody
# looks at them, and they cost as much as the page.
_AROUND_THE_PAGE = (
    "InitialWebUI",
    "PreloadTopChromeWebUI",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
    "WebUIReloadButton",
)
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join((*_NOT_BY_PLAYWRIGHT, *_AROUND_THE_PAGE))}",
]
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 640},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 "
    "Mobile Safari/537.36",
}
PHONE_WITHOUT_JAVASCRIPT: dict[str, Any] = {**PHONE, "java_script_enabled": False}
INDONESIAN: dict[str, Any] = {"locale": "id-ID", "timezone_id": "Asia/Jakarta", "reduced_motion": "reduce"}


class NoChromium(Exception):
    """This machine has none."""

    HOW_TO_GET_IT = "they need Chromium (Debian: apt install chromium)"


def launch_args() -> dict[str, Any]:
    """The arguments with which Playwright starts Chromium. Raises NoChromium if it is not installed."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None or not Path(found).exists():
        raise NoChromium(NoChromium.HOW_TO_GET_IT)
    return {"executable_path": found, "args": ARGS}
