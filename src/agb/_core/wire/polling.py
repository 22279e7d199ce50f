"""Asking again until something has happened: no service tells by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from agb._core.exceptions import APIError, APITimeoutError
from agb._core.wire.operation import Pause, Steps

T = TypeVar("T")


def until(
    ask: Callable[[], Steps[T | None]], *, times: int, interval_s: float, what: str
) -> Steps[T]:
    """Ask until there is an answer.

    A service that is out of breath is asked again; one that refuses is not.

    Args:
        ask: Makes the steps of one question; their result is None as long as there is no answer.
        times: How often to ask at most.
        interval_s: How long to wait between two questions, in seconds.
        what: What is waited for, for the message.

    Returns:
        The answer.

    Raises:
        APITimeoutError: There was none; its cause is what went wrong with the last question.
        AGBError: The service refused.
    """
    last: APIError | None = None
    for number in range(times):
        if number:
            yield Pause(interval_s)
        try:
            answer = yield from ask()
        except APIError as error:
            if not passes(error):
                raise
            last = error
        else:
            if answer is not None:
                return answer
    waited = f"{what}: no end after {times * interval_s:g} s"
    raise APITimeoutError(f"{waited} ({last})" if last else waited) from last


def passes(error: APIError) -> bool:
    """Tell whether a service that answered so may be asked again."""
    status = error.status_code
    return status is None or status >= 500 or status in (408, 429)
