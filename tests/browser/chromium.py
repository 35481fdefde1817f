"""The Chromium of this machine: nothing is downloaded."""

import shutil
from pathlib import Path
from typing import Any

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
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
    pass


def launch_args() -> dict[str, Any]:
    """What Playwright launches it with; raises NoChromium where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None or not Path(found).exists():
        raise NoChromium("chromium is not installed")
    return {"executable_path": found, "args": ARGS}
