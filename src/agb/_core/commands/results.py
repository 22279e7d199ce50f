"""What a shell command returns."""

from __future__ import annotations

from attrs import field, frozen

from agb._core.results import Result


@frozen(unsafe_hash=False)
class CommandResult(Result):
    """The result of a shell command.

    Args:
        request_id: The server's id of the request.
        success: Whether the command ended with exit code 0.
        output: Standard output followed by standard error; what there was of it on failure.
        error_message: Why not, `""` on success.
        exit_code: Exit code of the command, None if the service does not tell.
        stdout: Standard output alone.
        stderr: Standard error alone.
        trace_id: The service's id of a failed run, `""` if there is none.
        truncated: Whether there was more output than the service kept.

    Example:
        >>> from agb import CommandResult
        >>> CommandResult(success=True, output='hi', exit_code=0).exit_code
        0
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    output: str = ""
    error_message: str = ""
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    trace_id: str = ""
    truncated: bool = field(default=False, kw_only=True)

    def unwrap(self) -> str:
        """Return the output, or raise the error of a failed result.

        Example:
            >>> from agb import CommandResult
            >>> CommandResult(success=True, output='hi', exit_code=0).unwrap()
            'hi'
        """
        return self.raise_for_error().output
