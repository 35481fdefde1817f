"""The forms of a page as a browser reads them: where they go, and what is in them before anybody types."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

_FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
_NO_TEXT = ("submit", "button", "image", "reset", "file")


@dataclass
class Form:
    method: str = "get"
    is_multipart: bool = False
    actions: list[str] = field(default_factory=list)  # of the form itself first, then of its buttons
    values: dict[str, list[str]] = field(default_factory=dict)  # what is sent when nothing is changed
    names: set[str] = field(default_factory=set)  # all that can be filled in, ticked, chosen or pressed


def form_in(page: str, path: str, action: str, names: set[str]) -> Form:
    """The form of this page that goes to `action`; where several do, the one that has these names. `path` is
    where the page was opened: a form without an address of its own goes there."""
    found = [_read(part[0], path) for part in _FORM.finditer(page)]
    there = [form for form in found if _path(action) in form.actions]
    assert there, f"no form on {path} goes to {action}; there are {sorted(str(one.actions) for one in found)}"
    fitting = next((form for form in there if names <= form.names), there[0])
    unknown = names - fitting.names
    assert not unknown, (
        f"the form on {path} that goes to {action} has no {sorted(unknown)}; it has {sorted(fitting.names)}"
    )
    return fitting


def _path(address: str) -> str:
    return unquote(urlsplit(address).path)


def _read(part: str, path: str) -> Form:
    reader = _Reader(path)
    reader.feed(part)
    reader.close()
    return reader.form


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.form = Form()
        self._page = path
        self._text_of: str | None = None  # the textarea that is being read
        self._text = ""
        self._chooses: str | None = None  # the select that is being read
        self._options: list[tuple[str, bool]] = []
        self._is_multiple = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.form.method = given.get("method", "get").lower()
            self.form.is_multipart = given.get("enctype") == "multipart/form-data"
            self.form.actions.append(_path(given.get("action") or self._page))
        elif tag == "option" and self._chooses is not None:
            self._options.append((given.get("value", ""), "selected" in given))
        elif "disabled" in given:
            return
        elif tag == "button" and "formaction" in given:
            self.form.actions.append(_path(given["formaction"]))
        if name := given.get("name"):
            self._take(tag, name, given)

    def _take(self, tag: str, name: str, given: dict[str, str]) -> None:
        if tag in ("input", "button", "textarea", "select"):
            self.form.names.add(name)
        kind = given.get("type", "text")
        if tag == "textarea":
            self._text_of, self._text = name, ""
        elif tag == "select":
            self._chooses, self._options, self._is_multiple = name, [], "multiple" in given
        elif tag == "input" and kind in ("checkbox", "radio"):
            if "checked" in given:
                self._add(name, given.get("value", "on"))
        elif tag == "input" and kind not in _NO_TEXT:
            self._add(name, given.get("value", ""))

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text_of is not None:
            self._add(self._text_of, self._text.removeprefix("\r").removeprefix("\n"))
            self._text_of = None
        elif tag == "select" and self._chooses is not None:
            chosen = [value for value, is_selected in self._options if is_selected]
            if not chosen and not self._is_multiple:
                chosen = [value for value, _ in self._options[:1]]
            for value in chosen:
                self._add(self._chooses, value)
            self._chooses = None

    def _add(self, name: str, value: str) -> None:
        self.form.values.setdefault(name, []).append(value)
