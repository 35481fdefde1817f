"""Values, each with the words that people read."""

from enum import StrEnum
from typing import Self


class Labelled(StrEnum):
    """An enum that is shown to people: each member is written as its value and its label.

    The value is what is stored and sent. The label stands on the screen, and can change while the value
    stays.
    """

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        if not label:
            raise TypeError(f"{cls.__name__} {value!r} has no label")
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member
