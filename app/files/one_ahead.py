"""A file is read on while the database writes the rows before."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


def one_ahead(source: Iterator[Made]) -> Generator[Made, None, None]:
    """The same values, none of them None. Another thread makes the next one while the caller works with this
    one. Close it before what it reads from: that waits for the thread."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, source, None)
        while (one := coming.result()) is not None:
            coming = reader.submit(next, source, None)
            yield one
