"""The kinds of mail domain that figures tell apart. A domain itself is never a figure: everybody may have one
of their own."""

from enum import StrEnum


class DomainClass(StrEnum):
    GMAIL = "gmail.com"
    YAHOO = "yahoo"
    OTHER_FREE_MAIL = "free mail"
    GOVERNMENT = "go.id"
    OTHER = "other"


_GMAIL = ("gmail.com", "googlemail.com")
_YAHOO = ("yahoo.com", "yahoo.co.id", "ymail.com", "rocketmail.com")
_FREE_MAIL = (
    "outlook.com", "outlook.co.id", "hotmail.com", "hotmail.co.id", "live.com", "msn.com", "icloud.com",
    "me.com", "aol.com", "proton.me", "protonmail.com", "zoho.com", "mail.com", "gmx.com", "yandex.com",
)  # fmt: skip
_CLASSES = {
    **dict.fromkeys(_GMAIL, DomainClass.GMAIL),
    **dict.fromkeys(_YAHOO, DomainClass.YAHOO),
    **dict.fromkeys(_FREE_MAIL, DomainClass.OTHER_FREE_MAIL),
}


def class_of(domain: str) -> DomainClass:
    """`domain` is in lower case."""
    if domain == "go.id" or domain.endswith(".go.id"):
        return DomainClass.GOVERNMENT
    return _CLASSES.get(domain, DomainClass.OTHER)
