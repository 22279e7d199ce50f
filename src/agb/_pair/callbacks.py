"""Callbacks of the program, plain or async."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def async_notify(callback: Callable[[T], object] | None, value: T) -> None:
    """Call a callback of the program, if there is one, and wait for it if it is async."""
    import inspect

    if callback is not None:
        answer = callback(value)
        if inspect.isawaitable(answer):
            await answer


def notify(callback: Callable[[T], object] | None, value: T) -> None:
    """Call a callback of the program, if there is one."""
    if callback is not None:
        callback(value)
