"""What calls about processes return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, Literal

from attrs import field, frozen

from agb._core.payloads import list_or_empty
from agb._core.results import Result

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # The default keeps a bare `ProcessResult` in user annotations valid under mypy strict.
    P = TypeVar("P", default=Any)
else:
    from typing import TypeVar

    P = TypeVar("P")


@frozen(unsafe_hash=False)
class ProcessOutput:
    """A piece of what a process wrote.

    Args:
        stream: `stdout` or `stderr`.
        text: The piece as text; a character is never cut in two, and bytes that are not UTF-8 are
            replaced.
        data: The piece as bytes.
        dropped_bytes: How many bytes, of both streams, were lost before this piece because nobody
            read them in time.

    Example:
        >>> from agb import ProcessOutput
        >>> ProcessOutput('stdout', 'hi', b'hi').text
        'hi'
    """

    __module__ = "agb"

    stream: Literal["stdout", "stderr"] = "stdout"
    text: str = ""
    data: bytes = b""
    dropped_bytes: int = 0


@frozen(unsafe_hash=False)
class ProcessInfo:
    """What is known of a process.

    Args:
        process_id: Its id in the session, for `command.connect`.
        pid: Its number in the sandbox.
        command: What it was started as; of a long command its beginning.
        exit_code: Its exit code, 128 + N if signal N ended it; None as long as it runs.

    Example:
        >>> from agb import ProcessInfo
        >>> ProcessInfo('process-1', 42, 'sleep 60').is_running
        True
    """

    __module__ = "agb"

    process_id: str = ""
    pid: int = 0
    command: str = ""
    exit_code: int | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended.

        Example:
            >>> from agb import ProcessInfo
            >>> ProcessInfo('process-1', 42, 'true', 0).is_running
            False
        """
        return self.exit_code is None


@frozen(unsafe_hash=False)
class ProcessResult(Result, Generic[P]):
    """The result of starting or finding a process.

    Args:
        request_id: The server's id of the request.
        success: Whether there is a process.
        process: The process; None on failure.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import ProcessResult
        >>> ProcessResult(error_message='no such directory').success
        False
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    process: P = None  # type: ignore[assignment]  # None on failure only
    error_message: str = ""

    def unwrap(self) -> P:
        """Return the process, or raise the error of a failed result.

        Example:
            >>> from agb import ProcessResult
            >>> ProcessResult(success=True, process='a process').unwrap()
            'a process'
        """
        return self.raise_for_error().process


@frozen(unsafe_hash=False)
class ProcessListResult(Result):
    """The processes that were started in a session; can be iterated.

    Args:
        request_id: The server's id of the request.
        success: Whether they were listed.
        processes: Those that run, and those that ended last.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import ProcessListResult
        >>> list(ProcessListResult(success=True))
        []
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    processes: list[ProcessInfo] = field(factory=list[ProcessInfo], converter=list_or_empty)
    error_message: str = ""

    def __iter__(self) -> Iterator[ProcessInfo]:
        # No `__len__`: a result is true whatever is in it.
        return iter(self.processes)

    def unwrap(self) -> list[ProcessInfo]:
        """Return the processes, or raise the error of a failed result.

        Example:
            >>> from agb import ProcessListResult
            >>> ProcessListResult(success=True).unwrap()
            []
        """
        return self.raise_for_error().processes
