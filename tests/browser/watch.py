"""A watch over a browser, which notes what a page must never do."""

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# Chromium writes this for every refused form. `_look` checks the answers themselves.
_REFUSED_FORM = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d \(")
_TELL_OF_VIOLATIONS = """
    addEventListener("securitypolicyviolation", (event) =>
        console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI}`));
"""


class Watch:
    """Faults in one browser that its owner does not see: errors of scripts, broken rules, requests to other
    hosts."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.faults: list[str] = []
        self._home = home
        context.add_init_script(_TELL_OF_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", self._catch)
        context.on("request", self._follow)
        context.on("response", self._look)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _REFUSED_FORM.match(message.text):
            self.faults.append(f"console: {message.text}")

    def _catch(self, error: WebError) -> None:
        self.faults.append(f"script: {error.error}")

    def _follow(self, request: Request) -> None:
        if not request.url.startswith((f"{self._home}/", "data:", "blob:")):
            self.faults.append(f"request to another host: {request.url}")

    def _look(self, response: Response) -> None:
        """Pages may refuse, but all their files must be there."""
        request = response.request
        is_page = request.is_navigation_request() or (
            request.service_worker and "/static/" not in request.url
        )
        if response.status > (499 if is_page else 399):
            self.faults.append(f"answer {response.status}: {response.url}")
