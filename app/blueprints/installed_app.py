"""What makes the portal an app on a phone: its manifest, its service worker, the page without a network, and
the Play Store."""

import hashlib
import json

from flask import Blueprint, Response, abort, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.runtime.portal import portal
from app.web import assets
from app.web.assets import static_url
from app.web.compression import compressed_for_strangers
from app.web.sessions import START_OF_THE_APP, for_everybody, no_act

blueprint = Blueprint("installed_app", __name__)

COLOUR = "#0f2e56"  # of the strip at the top of every page: a phone's status bar gets the same colour
BACKGROUND = "#ffffff"


@blueprint.get("/manifest.webmanifest")
@for_everybody
@no_act
def manifest() -> ResponseReturnValue:
    """https://www.w3.org/TR/appmanifest/. `navigate-existing`: a mailed link opens in the app that is already
    open."""
    name = portal().name
    said = {
        "id": "/",
        "name": name,
        "short_name": name[:12].strip(),  # as many characters as fit under an icon
        "description": f"Aktivasi akun, Reset Password, dan Pemutakhiran Data Mandiri. {portal().operator}.",
        "lang": "id",
        "dir": "ltr",
        "start_url": f"{url_for('login.page')}?{START_OF_THE_APP}=1",
        "scope": "/",
        "display": "standalone",
        "theme_color": COLOUR,
        "background_color": BACKGROUND,
        "categories": ["government", "productivity"],
        "handle_links": "preferred",
        "launch_handler": {"client_mode": ["navigate-existing", "auto"]},
        "icons": [_icon(192, "any"), _icon(512, "any"), _icon(512, "maskable")],
        "screenshots": [
            _screenshot("narrow", "720x1280", "Halaman masuk di HP"),
            _screenshot("wide", "1280x800", "Halaman masuk di komputer"),
        ],
        "shortcuts": [
            {"name": "Lupa Password", "url": url_for("forgot_password.page"), "icons": [_icon(192, "any")]},
            {
                "name": "Sudah punya token",
                "url": url_for("token_confirmation.page"),
                "icons": [_icon(192, "any")],
            },
        ],
    }
    return Response(
        json.dumps(said, ensure_ascii=False),
        content_type="application/manifest+json; charset=utf-8",
        headers={"Cache-Control": "max-age=3600"},
    )


@blueprint.get("/sw.js")
@for_everybody
@no_act
@compressed_for_strangers
def service_worker() -> ResponseReturnValue:
    """The service worker, with the list of this release's files in front. Any change of the release changes
    these bytes.

    Each file comes with its hash, which the browser checks. While two releases are served side by side for a
    moment, the service worker of one never keeps a file of the other.
    """
    offline = hashlib.sha256(_offline_page().encode()).digest()
    files = {static_url(file.path): file.integrity for file in assets.release_files()}
    release = {"offline": [url_for(".offline"), assets.integrity_of(offline)], "files": list(files.items())}
    listed = json.dumps(release, separators=(",", ":"))
    code = assets.text_of("js/worker.js")
    name = hashlib.sha256((listed + code).encode()).hexdigest()[:12]
    worker = Response(
        f'const RELEASE = {{"name":"{name}",{listed[1:]};\n{code}',
        content_type="text/javascript; charset=utf-8",
        headers={"Service-Worker-Allowed": "/", "Cache-Control": "no-cache"},
    )
    worker.set_etag(name)  # browsers ask again after every page; "304 Not Modified" is a short answer
    return worker.make_conditional(request)


@blueprint.get("/tanpa-jaringan")
@for_everybody
@no_act
def offline() -> ResponseReturnValue:
    """The page that the service worker shows in place of any page that cannot be fetched."""
    return _offline_page()


@blueprint.get("/.well-known/assetlinks.json")
@for_everybody
@no_act
def asset_links() -> ResponseReturnValue:
    """Says that the Android app of these fingerprints may show this portal as its own:
    https://developers.google.com/digital-asset-links."""
    app = portal().settings.android_app
    if app is None:
        abort(404)
    return jsonify(
        [
            {
                "relation": ["delegate_permission/common.handle_all_urls"],
                "target": {
                    "namespace": "android_app",
                    "package_name": app.package_name,
                    "sha256_cert_fingerprints": list(app.fingerprints),
                },
            }
        ]
    )


def _offline_page() -> str:
    """The same page for everybody, logged in or not, because it is kept on the phone."""
    return render_template("errors/offline.html", visitor=None, session_ends=None, is_app=False)


def _icon(size: int, purpose: str) -> dict[str, str]:
    name = "maskable" if purpose == "maskable" else "icon"
    return {
        "src": static_url(f"img/app/{name}-{size}.png"),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }


def _screenshot(form_factor: str, sizes: str, label: str) -> dict[str, str]:
    return {
        "src": static_url(f"img/app/screenshot-{form_factor}.webp"),
        "sizes": sizes,
        "type": "image/webp",
        "form_factor": form_factor,
        "label": label,
    }
