"""What a stream of code tells, in the order in which it happened, and whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from agb._core.code.results import EnhancedCodeExecutionResult, ExecutionError, ExecutionResult
from agb._core.exceptions import InvalidArgumentError


@frozen(unsafe_hash=False)
class StdoutEvent:
    """The code wrote to standard output.

    Args:
        text: What it wrote: whole characters, line breaks included, not always whole lines.

    Example:
        >>> from agb import StdoutEvent
        >>> StdoutEvent("text").text
        'text'
    """

    __module__ = "agb"

    text: str


@frozen(unsafe_hash=False)
class StderrEvent:
    """The code wrote to standard error.

    Args:
        text: What it wrote.

    Example:
        >>> from agb import StderrEvent
        >>> StderrEvent("warning").text
        'warning'
    """

    __module__ = "agb"

    text: str


@frozen(unsafe_hash=False)
class ResultEvent:
    """The code showed something: a table, a figure, the value of its last line.

    Args:
        result: What it showed.

    Example:
        >>> from agb import ExecutionResult, ResultEvent
        >>> ResultEvent(ExecutionResult(text="42", is_main_result=True)).result.text
        '42'
    """

    __module__ = "agb"

    result: ExecutionResult


@frozen(unsafe_hash=False)
class ErrorEvent:
    """The code failed, or the stream did; each failure is told by at least one of these.

    Args:
        error: What went wrong.

    Example:
        >>> from agb import ErrorEvent, ExecutionError
        >>> ErrorEvent(ExecutionError("KeyError", "'x'")).error.name
        'KeyError'
    """

    __module__ = "agb"

    error: ExecutionError


@frozen(unsafe_hash=False)
class EndEvent:
    """The stream has ended: always the last event.

    Args:
        result: The same result as that of `code.run`.

    Example:
        >>> from agb import EndEvent, EnhancedCodeExecutionResult
        >>> EndEvent(EnhancedCodeExecutionResult()).result.success
        True
    """

    __module__ = "agb"

    result: EnhancedCodeExecutionResult


CodeStreamEvent = StdoutEvent | StderrEvent | ResultEvent | ErrorEvent | EndEvent

_LISTENERS = {
    StdoutEvent: "on_stdout",
    StderrEvent: "on_stderr",
    ErrorEvent: "on_error",
    ResultEvent: "on_result",
}


def content(event: CodeStreamEvent) -> object:
    """Return what an event is about: its text, its result or its error."""
    if isinstance(event, (StdoutEvent, StderrEvent)):
        return event.text
    return event.error if isinstance(event, ErrorEvent) else event.result


def listeners(*callbacks: Callable[[Any], object] | None) -> Mapping[type, Callable[[Any], object]]:
    """Say which callback takes which events.

    Args:
        callbacks: In the order of `_LISTENERS`; None for one that is not given.

    Raises:
        InvalidArgumentError: One can't be called.
    """
    found: dict[type, Callable[[Any], object]] = {}
    for (kind, name), callback in zip(_LISTENERS.items(), callbacks, strict=True):
        if callback is not None:
            if not callable(callback):
                raise InvalidArgumentError(
                    f"{name} must be callable or None (found {callback!r:.100})"
                )
            found[kind] = callback
    return found
