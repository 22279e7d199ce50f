"""The body of a request to a store. Imports httpx, so it is imported at the first upload only."""

from __future__ import annotations

from collections.abc import Callable

import httpx


class Body(httpx.SyncByteStream):
    """Blocks of a file, as something to iterate over that needs no cleaning up.

    A generator that is left half way would have to be closed, and nobody does: trio complains.

    Args:
        next_block: Returns the next block, `b""` at the end.
    """

    def __init__(self, next_block: Callable[[], bytes]) -> None:
        self._next_block = next_block

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> bytes:
        block = self._next_block()
        if not block:
            raise StopIteration
        return block


def new_body(next_block: Callable[[], bytes]) -> Body:
    """Make the body of a request."""
    return Body(next_block)
