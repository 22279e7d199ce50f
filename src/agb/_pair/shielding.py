"""What has to be finished although a task is cancelled."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext


def async_shielded(seconds: float) -> AbstractContextManager[object]:
    """Let what is inside finish although the task is cancelled, for a bounded time."""
    import anyio

    return anyio.move_on_after(seconds, shield=True)


def shielded(seconds: float) -> AbstractContextManager[object]:
    """Do nothing: blocking code is not cancelled from outside."""
    return nullcontext(seconds)
