"""A person who uses only a keyboard, and must always see where the focus is."""

from playwright.sync_api import Locator, Page, expect

_MOST_STEPS = 60
_LOOK = """
    // A field with a button inside it has its ring around both
    const look = (element) => {
        const is_in_a_frame = element.matches(".password > input");
        const style = getComputedStyle(is_in_a_frame ? element.parentElement : element);
        const has_none = style.outlineStyle === "none" || parseFloat(style.outlineWidth) === 0;
        const ring = has_none ? "" : style.outline;
        return ring + (style.boxShadow === "none" ? "" : style.boxShadow);
    };
"""
_NOTE_LOOKS_AT_REST = (
    "() => {"
    + _LOOK
    + """
        if (window.atRest) return;
        window.atRest = new Map();
        const reachable = "a, button, input, textarea, select, summary, [tabindex]";
        for (const element of document.querySelectorAll(reachable))
            if (element !== document.activeElement) window.atRest.set(element, look(element));
    }"""
)
_FAULT_OF_THE_FOCUS = (
    "() => {"
    + _LOOK
    + """
        const element = document.activeElement;
        if (!element || element === document.body) return "";
        const name = element.outerHTML.slice(0, 120);
        if (!look(element) || look(element) === window.atRest.get(element)) return `no ring around ${name}`;
        const box = element.getBoundingClientRect();
        const isInSight = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
        return isInSight && box.width && box.height ? "" : `out of sight: ${name}`;
    }"""
)


class Keyboard:
    """Tab, Shift+Tab, Enter and letters, but no pointer. Every stop on the way must be visible."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def tab(self, *, backwards: bool = False) -> None:
        """Go one stop further."""
        self._page.evaluate(_NOTE_LOOKS_AT_REST)
        self._page.keyboard.press("Shift+Tab" if backwards else "Tab")
        fault = self._page.evaluate(_FAULT_OF_THE_FOCUS)
        assert not fault, f"{self._page.url}: {fault}"

    def go_to(self, target: Locator, *, backwards: bool = False) -> None:
        """Go from stop to stop until the focus is on `target`."""
        expect(target).to_be_visible()
        for _ in range(_MOST_STEPS):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.tab(backwards=backwards)
        raise AssertionError(f"{self._page.url}: no way by Tab to {target}")

    def fill(self, target: Locator, text: str) -> None:
        self.go_to(target)
        self._page.keyboard.type(text)

    def press(self, target: Locator) -> None:
        self.go_to(target)
        self._page.keyboard.press("Enter")

    def enter(self) -> None:
        self._page.keyboard.press("Enter")
