"""What blocks, kept away from an event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def async_run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a worker thread."""
    from functools import partial

    from anyio import to_thread

    return await to_thread.run_sync(partial(function, *args, **kwargs))


def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function here: the blocking colour is in a thread already."""
    return function(*args, **kwargs)
