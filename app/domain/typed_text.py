"""What people type in their own words: composed characters, and nothing invisible. Also how the portal speaks
to them."""

import unicodedata


def one_line(typed: str) -> str:
    """The whole text on one line, with single spaces."""
    return " ".join(_seen(typed).split())


def few_lines(typed: str) -> str:
    """The lines as typed, with at most one empty line between two."""
    lines = [one_line(line) for line in typed.strip().splitlines()]
    return "\n".join(
        line for line, before in zip(lines, ["", *lines], strict=False) if line or before
    ).strip()


def about_others(sentence: str) -> str:
    """A sentence beside a form speaks to its owner ("NIP Anda"). This function changes it for somebody who
    reads it about other people."""
    return sentence.replace(" Anda", "")


def _seen(typed: str) -> str:
    """The text without control, format and unassigned characters. Blanks of any kind become spaces."""
    composed = unicodedata.normalize("NFC", typed)
    spaced = (" " if character.isspace() else character for character in composed)
    return "".join(character for character in spaced if unicodedata.category(character)[0] != "C")
