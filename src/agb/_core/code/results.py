"""What running code returns: what it wrote, what it showed, and the error that ended it."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from agb._core.payloads import list_or_empty
from agb._core.results import Result


@frozen(unsafe_hash=False)
class ExecutionLogs:
    """What code wrote while it ran.

    Args:
        stdout: Pieces of standard output, in order; join them with `""`.
        stderr: Pieces of standard error, in order.

    Example:
        >>> from agb import ExecutionLogs
        >>> ''.join(ExecutionLogs(stdout=['a', 'b']).stdout)
        'ab'
    """

    __module__ = "agb"

    stdout: list[str] = field(factory=list[str])
    stderr: list[str] = field(factory=list[str])


def _logs_or_empty(value: ExecutionLogs | None) -> ExecutionLogs:
    return ExecutionLogs() if value is None else value


@frozen(unsafe_hash=False)
class ExecutionError:
    """The exception that ended the code.

    Args:
        name: Its class, such as `ZeroDivisionError`.
        value: Its message.
        traceback: Where it happened, as text; `""` if the service does not tell.

    Example:
        >>> from agb import ExecutionError
        >>> ExecutionError('KeyError', "'x'").name
        'KeyError'
    """

    __module__ = "agb"

    name: str = ""
    value: str = ""
    traceback: str = ""


@frozen(unsafe_hash=False)
class ExecutionResult:
    """One thing that code showed: the value of its last line, a figure, a table.

    Args:
        text: Plain text form.
        html: HTML form.
        markdown: Markdown form.
        png: PNG image, base64 text.
        jpeg: JPEG image, base64 text.
        svg: SVG image.
        json: JSON form.
        latex: LaTeX form.
        chart: Vega-Lite chart.
        is_main_result: Whether it is the value of the last line.

    Example:
        >>> from agb import ExecutionResult
        >>> ExecutionResult(text='42', is_main_result=True).text
        '42'
    """

    __module__ = "agb"

    text: str | None = None
    html: str | None = None
    markdown: str | None = None
    png: str | None = None
    jpeg: str | None = None
    svg: str | None = None
    json: Any = None  # any JSON value
    latex: str | None = None
    chart: Any = None  # any JSON value
    is_main_result: bool = False


@frozen(unsafe_hash=False)
class CodeExecutionResult(Result):
    """The result of running code, in its first form.

    Args:
        request_id: The server's id of the request.
        success: Whether the code ran to its end without an error.
        result: Its output as text; what there was of it on failure.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import CodeExecutionResult
        >>> CodeExecutionResult(success=True, result='42').result
        '42'
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    result: str = ""
    error_message: str = ""

    def unwrap(self) -> str:
        """Return the output, or raise the error of a failed result.

        Example:
            >>> from agb import CodeExecutionResult
            >>> CodeExecutionResult(success=True, result='42').unwrap()
            '42'
        """
        return self.raise_for_error().result


@frozen(unsafe_hash=False)
class EnhancedCodeExecutionResult(CodeExecutionResult):
    """The result of running code, with everything it showed.

    Args:
        request_id: The server's id of the request.
        execution_count: Number of the execution in its session, None if unknown.
        execution_time: How long it ran, in seconds.
        logs: What it wrote.
        results: What it showed.
        error: The exception that ended it, None if there was none.
        error_message: Why it failed, `""` on success.
        success: Whether it ran to its end without an error.

    Attributes:
        result: Text of the main result, else of the first result that has text, else the joined
            standard output.

    Example:
        >>> from agb import EnhancedCodeExecutionResult
        >>> from agb import ExecutionLogs
        >>> EnhancedCodeExecutionResult(logs=ExecutionLogs(stdout=['a', 'b'])).result
        'ab'
    """

    __module__ = "agb"

    request_id: str = ""
    execution_count: int | None = None
    execution_time: float = 0.0
    logs: ExecutionLogs = field(factory=ExecutionLogs, converter=_logs_or_empty)
    results: list[ExecutionResult] = field(factory=list[ExecutionResult], converter=list_or_empty)
    error: ExecutionError | None = None
    error_message: str = ""
    success: bool = True
    result: str = field(init=False, default="")

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "result", self._text())

    def _text(self) -> str:
        main = [item.text for item in self.results if item.is_main_result and item.text]
        shown = [item.text for item in self.results if item.text]
        return next(iter(main or shown), "") or "".join(self.logs.stdout)
