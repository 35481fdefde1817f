"""A form has a name of its own, so that one sent twice is done once, and one opened anew is another."""

import hashlib
import secrets


def new_form_id() -> str:
    return secrets.token_urlsafe(12)


def submission(form_id: str | None, *about: str) -> str:
    """64 hex digits that name what this very form has asked for. A form that came without its name is like no
    other."""
    return hashlib.sha256("\n".join((form_id or new_form_id(), *about)).encode()).hexdigest()
