"""A process that was started in a session and goes on by itself."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING

from .._core.commands import processes as operations
from .._core.commands.process_output import Unread
from .._core.commands.process_results import ProcessInfo, ProcessOutput
from .._core.commands.results import CommandResult
from .._core.results import OperationResult
from .._core.tools.offers import Place
from .._pair.shielding import shielded
from .service import BaseService

if TYPE_CHECKING:
    from typing_extensions import Self

    from .session import BaseSession

# How long leaving an `async with` may take although its task is cancelled.
_CLEANUP_S = 30.0

_logger = logging.getLogger("agb")


class Process(BaseService):
    """A process in a session: what `command.start` and `command.connect` give.

    It goes on by itself, whether or not anybody reads its output, until it ends, is killed, or its
    session ends. As a context manager it is killed at the end of the block, with all it started.

    `for` gives its output in order, standard output and standard error apart, and ends with
    the process. What comes after a piece is asked for only then, so a loop that is left or
    cancelled loses nothing and may go on later. There being no result to say it in, an error, such
    as a session that is gone, is raised. Each handle reads all that is kept once; for a second
    reader get another handle by `command.connect`.

    Attributes:
        session: The session that it runs in.
        process_id: Its id in the session.
        pid: Its number in the sandbox.
        command: What it was started as; of a long command its beginning.
        exit_code: Its exit code, 128 + N if signal N ended it; None as long as this handle has not
            learned of its end, by `wait` or by reading.

    Example:
        >>> started = session.command.start("echo one; echo two >&2")
        >>> with started.unwrap() as process:
        ...     done = process.wait()
        >>> done.stdout.strip(), done.stderr.strip(), done.exit_code
        ('one', 'two', 0)
    """

    __module__ = "agb"

    def __init__(self, session: BaseSession, info: ProcessInfo) -> None:
        super().__init__(session)
        self.process_id: str = info.process_id
        self.pid: int = info.pid
        self.command: str = info.command
        self.exit_code: int | None = info.exit_code
        self._unread = Unread()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(process_id={self.process_id!r}, pid={self.pid})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ProcessOutput:
        piece = self._run(operations.read(self._place, self.process_id, self._unread))
        if piece is None:
            self.exit_code = self._unread.exit_code
            raise StopIteration
        return piece

    def wait(self, timeout_s: float | None = None) -> CommandResult:
        """Wait for the process to end.

        Args:
            timeout_s: How long to wait, in seconds; None for as long as it takes. The process goes
                on when the time is up.

        Returns:
            Its exit code, and what the service has kept of its output, also if it was read before.
            `success` is False if the exit code is not 0, and if the time was up: `exception` is
            then a `CommandTimeoutError`, and `exit_code` None.

        Example:
            >>> process = (session.command.start("sleep 60")).unwrap()
            >>> (process.wait(timeout_s=0.1)).error_message
            'process-1 has not ended within 0.1 s; it goes on'
            >>> killed = process.kill()
            >>> (process.wait()).exit_code
            137
        """
        done = self._run(operations.wait(self._place, self.process_id, timeout_s))
        if done.exit_code is not None:
            self.exit_code = done.exit_code
        return done

    def send_stdin(
        self, data: str | bytes, *, timeout_s: float | None = None
    ) -> OperationResult[None]:
        """Write to the standard input of the process, and wait until it was taken.

        Args:
            data: What to write; text is sent as UTF-8, and no line end is added.
            timeout_s: How long to wait for the process to take it, in seconds; None for as long as
                it takes.

        Returns:
            The result. A process that has ended, or whose input is closed, gives a failure; so does
            one that took too little in time, with a `CommandTimeoutError`.

        Example:
            >>> with (session.command.start("cat")).unwrap() as process:
            ...     sent = process.send_stdin("héllo")
            ...     closed = process.close_stdin()
            ...     done = process.wait()
            >>> done.stdout
            'héllo'
        """
        return self._run(operations.send_stdin(self._place, self.process_id, data, timeout_s))

    def close_stdin(self) -> OperationResult[None]:
        """Let the process find the end of its standard input.

        Returns:
            The result; a success also if it was closed before.

        Example:
            >>> process = (session.command.start("wc -c")).unwrap()
            >>> closed = process.close_stdin()
            >>> (process.wait()).stdout.strip()
            '0'
        """
        return self._run(operations.close_stdin(self._place, self.process_id))

    def send_signal(self, signal: str | int) -> OperationResult[None]:
        """Signal the process and all that it started.

        Args:
            signal: `HUP`, `INT`, `QUIT`, `KILL`, `USR1`, `USR2`, `TERM`, `CONT` or `STOP`, also
                with `SIG` before it, its number on Linux, or a `signal.Signals`.

        Returns:
            The result; a success also if the process has ended.

        Example:
            >>> process = (session.command.start("sleep 60")).unwrap()
            >>> sent = process.send_signal("INT")
            >>> (process.wait()).exit_code
            130
        """
        return self._run(operations.send_signal(self._place, self.process_id, signal))

    def terminate(self) -> OperationResult[None]:
        """Ask the process and all that it started to end: the signal TERM.

        Returns:
            The result; a success also if the process has ended.

        Example:
            >>> process = (session.command.start("sleep 60")).unwrap()
            >>> sent = process.terminate()
            >>> (process.wait()).exit_code
            143
        """
        return self.send_signal("TERM")

    def kill(self) -> OperationResult[None]:
        """End the process and all that it started, also what it left behind: the signal KILL.

        Returns:
            The result; a success also if the process has ended.

        Example:
            >>> process = (session.command.start("sleep 60")).unwrap()
            >>> killed = process.kill()
            >>> killed.success
            True
        """
        return self.send_signal("KILL")

    def close(self) -> None:
        """Kill the process and all that it started; what leaving an `with` does.

        Example:
            >>> process = (session.command.start("sleep 60")).unwrap()
            >>> process.close()
        """
        reason = f"no reply within {_CLEANUP_S:.0f} s"
        try:
            with shielded(_CLEANUP_S):
                reason = (self.kill()).error_message
        except RuntimeError as error:  # the program closed the client first
            reason = str(error)
        if reason:
            _logger.info("%s of %s was not killed: %s", self.process_id, self.session, reason)

    @property
    def _place(self) -> Place:
        return place_of(self.session)


def place_of(session: BaseSession) -> Place:
    """Return where the tools of a session are called."""
    return Place(session.session_id, session.image_id, session.get_client()._offers)
