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
    stranger, the operator, the worker). A function that accepts any of these takes an `Act[object]`.

    `at` is always the server's clock. Something may be decided anew after a pause, for example because a
    password was hashed. That is another act with a time of its own.
    """

    client: Client
    at: datetime
    by: By

    def done_by(self, by: Somebody) -> "Act[Somebody]":
        """The same act with somebody else as the one who does it: the person whom a password or a token has
        just proven, or whose decision takes effect now. Nobody, where the act only follows from what was done
        before."""
        return Act(self.client, self.at, by)

    def asked_from(self, client: Client) -> "Act[By]":
        """The same act for somebody who has asked for it earlier: the trail tells from where."""
        return Act(client, self.at, self.by)
