"""The body of a request to a store. Imports httpx, so it is imported at the first upload only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx


class AsyncBody(httpx.AsyncByteStream):
    """Blocks of a file, as something to iterate over that needs no cleaning up.

    A generator that is left half way would have to be closed, and nobody does: trio complains.

    Args:
        next_block: Returns the next block, `b""` at the end.
    """

    def __init__(self, next_block: Callable[[], Awaitable[bytes]]) -> None:
        self._next_block = next_block

    def __aiter__(self) -> AsyncBody:
        return self

    async def __anext__(self) -> bytes:
        block = await self._next_block()
        if not block:
            raise StopAsyncIteration
        return block


def new_body(next_block: Callable[[], Awaitable[bytes]]) -> AsyncBody:
    """Make the body of a request."""
    return AsyncBody(next_block)
