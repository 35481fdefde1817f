"""What people type in their own words: composed characters, nothing that nobody can see. And how they are
spoken to."""

import unicodedata


def one_line(typed: str) -> str:
    """All of it on one line, with single spaces."""
    return " ".join(_seen(typed).split())


def few_lines(typed: str) -> str:
    """Lines as typed, with at most one empty line between two."""
    lines = [one_line(line) for line in typed.strip().splitlines()]
    return "\n".join(
        line for line, before in zip(lines, ["", *lines], strict=False) if line or before
    ).strip()


def about_others(sentence: str) -> str:
    """A sentence that stands beside a form speaks to its owner ("NIP Anda"); here somebody reads it about
    others."""
    return sentence.replace(" Anda", "")


def _seen(typed: str) -> str:
    """Without control, format and unassigned characters; blanks of any kind are spaces."""
    composed = unicodedata.normalize("NFC", typed)
    spaced = (" " if character.isspace() else character for character in composed)
    return "".join(character for character in spaced if unicodedata.category(character)[0] != "C")
