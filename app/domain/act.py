"""Who acts, from where, and when: one value, made once and handed through everything that the act does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from app.domain.client import Client

By = TypeVar("By", covariant=True)
Somebody = TypeVar("Somebody")


@dataclass(frozen=True)
class Act(Generic[By]):
    """One act of somebody. The type of `by` says who must be proven: an admin by a mandate
    (`Act[Authority]`), a person by a login, a token or a password (`Act[User]`), or nobody (`Act[None]`: a
    stranger, the operator, the worker). What does not care takes an `Act[object]`.

    `at` is always the server's clock. What is decided anew after a pause, because a password was hashed say,
    is another act with a time of its own.
    """

    client: Client
    at: datetime
    by: By

    def done_by(self, by: Somebody) -> "Act[Somebody]":
        """The same act, put down to somebody else: whom a password or a token has just proven, whose decision
        takes effect now, or to nobody where it only follows from what was done."""
        return Act(self.client, self.at, by)
