"""Stops work that nobody waits for any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")


class ClientHungUp(Exception):
    """Raised when the client closed its connection before the work was done."""


async def until_hang_up(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Work until it is done or the client hangs up.

    Args:
        request: The request, its body read to the end.
        work: What to do; it is cancelled, and has ended, when this function raises.

    Returns:
        What came of the work.

    Raises:
        ClientHungUp: Nobody waits for it any more.
    """
    working = asyncio.ensure_future(work)
    hanging_up = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait({working, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientHungUp
        return working.result()
    finally:
        await end(hanging_up)
        await end(working)


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def end(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait until it has ended."""
    if not task.done():
        task.cancel()
        # Its outcome no longer matters, but it must have ended: it may hold locks.
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
