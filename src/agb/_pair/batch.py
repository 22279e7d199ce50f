"""The calls of a batch, several of them in flight at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agb._core.wire.call import Call
    from agb._core.wire.operation import Batch
    from agb._core.wire.replies import Reply


async def async_send_together(send: Callable[[Call], Awaitable[Reply]], batch: Batch) -> list[Any]:
    """Send the calls of a batch, several at once, and return the outcomes in their order.

    After one call has failed no other is begun; the error raised is the first in their order.
    """
    import anyio

    outcomes: dict[int, Any] = {}
    errors: dict[int, Exception] = {}
    turns = anyio.CapacityLimiter(batch.at_once)

    async def send_one(index: int) -> None:
        async with turns:
            if not errors:
                try:
                    outcomes[index] = batch.readers[index](await send(batch.calls[index]))
                except Exception as error:
                    errors[index] = error

    async with anyio.create_task_group() as group:
        for index in range(len(batch.calls)):
            group.start_soon(send_one, index)
    return _in_order(outcomes, errors)


def send_together(send: Callable[[Call], Reply], batch: Batch) -> list[Any]:
    """Send the calls of a batch, several at once, and return the outcomes in their order.

    After one call has failed no other is begun; the error raised is the first in their order.
    """
    from concurrent.futures import ThreadPoolExecutor, wait
    from contextvars import copy_context

    outcomes: dict[int, Any] = {}
    errors: dict[int, Exception] = {}

    def send_one(index: int) -> None:
        if not errors:
            try:
                outcomes[index] = batch.readers[index](send(batch.calls[index]))
            except Exception as error:
                errors[index] = error

    threads = ThreadPoolExecutor(min(batch.at_once, len(batch.calls)), "agb")
    try:
        wait([threads.submit(copy_context().run, send_one, i) for i in range(len(batch.calls))])
    finally:
        # Ctrl-C ends the waiting: calls in flight run out, no other is begun.
        threads.shutdown(wait=False, cancel_futures=True)
    return _in_order(outcomes, errors)


def _in_order(outcomes: dict[int, Any], errors: dict[int, Exception]) -> list[Any]:
    if errors:
        raise errors[min(errors)]
    return [outcome for _, outcome in sorted(outcomes.items(), key=itemgetter(0))]
