"""What is on its way to a server, and sending it again where that is safe."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .._core.exceptions import AGBError
from .._core.wire import retry
from .._core.wire.call import Call

T = TypeVar("T")

_FIRST_PAUSE_S = 0.1


class Sending:
    """One call on its way: what is sent where, and what that took so far."""

    def __init__(self, call: Call, url: str, key: str, timeout_s: float) -> None:
        self.call = call
        self.url = url
        self.key = key
        self.attempts = 0
        self.timeout_s = timeout_s
        self._began = time.monotonic()

    def spent_s(self) -> float:
        """Return how long it has taken, in seconds."""
        return time.monotonic() - self._began

    def left_s(self) -> float:
        """Return how much of its time-out is left, in seconds."""
        return self.timeout_s - self.spent_s()


async def delivered(sending: Sending, max_retries: int, attempt: Callable[[], Awaitable[T]]) -> T:
    """Make an attempt, and others as long as their failures allow it.

    Args:
        sending: What is sent.
        max_retries: How many attempts there may be after the first.
        attempt: Makes one.

    Returns:
        What came of the last attempt.

    Raises:
        AGBError: Why it failed.
    """

    def wait(error: Exception) -> bool | float:
        import random

        return retry.pause_before_retry(error, sending.left_s(), random.random())  # noqa: S311

    try:
        return await attempt()
    except AGBError as error:
        if not max_retries or wait(error) is False:
            raise
        failure = error
    import stamina

    longest = retry.longest_pause_s(sending.left_s(), max_retries)
    outcome: T | None = None
    async for another in stamina.retry_context(
        on=wait,
        attempts=max_retries + 1,
        timeout=None,
        wait_initial=min(_FIRST_PAUSE_S, longest),
        wait_max=longest,
        wait_jitter=longest,
    ):
        with another:
            # The first attempt has been made: what succeeds at once needs nothing of all this.
            if another.num == 1:
                raise failure
            outcome = await attempt()
    assert outcome is not None  # stamina raises the last error
    return outcome
