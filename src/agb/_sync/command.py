"""Running shell commands in a session."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.commands import operations, processes
from .._core.commands.process_results import ProcessInfo, ProcessListResult, ProcessResult
from .._core.commands.results import CommandResult
from .process import Process, place_of
from .service import BaseService


class Command(BaseService):
    """Run shell commands in a session, each in a fresh shell; start processes that go on.

    Reached as `session.command`.

    Example:
        >>> result = session.command.execute("pwd")
        >>> result.stdout.strip()
        '/home/user'
    """

    __module__ = "agb"

    def execute_command(
        self,
        command: str,
        timeout_ms: int = 1000,
        cwd: str | None = None,
        envs: Mapping[str, str] | None = None,
        *,
        timeout_s: float | None = None,
        input: str | bytes | None = None,
        check: bool = False,
    ) -> CommandResult:
        """Run a shell command and return what it printed.

        Args:
            command: The command line.
            timeout_ms: How long it may run, in milliseconds; it is killed then.
            cwd: Directory to run it in; the session's home directory if left out.
            envs: Environment variables to add.
            timeout_s: The same limit in seconds; pass one of the two.
            input: What it finds on its standard input, which is empty otherwise. Not every service
                can do that: one that can't gives an `UnsupportedError`, and nothing is run.
            check: Raise the error of a failed result, as `raise_for_error()` does.

        Returns:
            The result. A command that ends with another exit code than 0 gives `success=False`
            with its standard error as `error_message`; its output is there all the same. One that
            was stopped at its limit has a `CommandTimeoutError` as `exception`, if the service says
            so. `truncated` tells that there was more output than the service kept.

        Raises:
            AGBError: Only with `check=True`: the `exception` of a failed result.

        Example:
            >>> result = session.command.execute_command("echo $WHO", envs={"WHO": "world"})
            >>> result.output.strip(), result.exit_code
            ('world', 0)
            >>> missing = session.command.execute_command("ls /nowhere")
            >>> missing.success, missing.exit_code
            (False, 2)
            >>> (session.command.execute_command("wc -c", input=b"abc")).stdout.strip()
            '3'
        """
        place = place_of(self.session)
        result = self._run(
            operations.execute(place, command, timeout_ms, cwd, envs, timeout_s, input)
        )
        return result.raise_for_error() if check else result

    # The later name of the same method.
    execute = execute_command

    def start(
        self,
        command: str,
        *,
        cwd: str | None = None,
        envs: Mapping[str, str] | None = None,
        stdin: bool = True,
        keep_output: bool = True,
    ) -> ProcessResult[Process]:
        """Start a shell command and let it go on by itself.

        Args:
            command: The command line.
            cwd: Directory to run it in; the session's home directory if left out.
            envs: Environment variables to add.
            stdin: Whether it can be written to; if not, it finds the end of its input at once.
            keep_output: Whether its output can be read; if not, it goes nowhere.

        Returns:
            The process in `process`. A service without processes gives an `UnsupportedError`, and
            nothing is run.

        Example:
            >>> process = (session.command.start("echo ready; sleep 60")).unwrap()
            >>> with process:
            ...     for piece in process:
            ...         print(piece.stream, piece.text.strip())
            ...         break
            stdout ready
        """
        return self._run(
            processes.start(
                place_of(self.session), command, cwd, envs, stdin, keep_output, self._handle
            )
        )

    def connect(self, process_id: str | int) -> ProcessResult[Process]:
        """Find a process that was started before, by this client or another.

        Args:
            process_id: Its id, or its `pid`.

        Returns:
            The process in `process`. Reading begins with the oldest output that is kept.

        Example:
            >>> started = (session.command.start("echo kept; sleep 60")).unwrap()
            >>> same = (session.command.connect(started.process_id)).unwrap()
            >>> for piece in same:
            ...     break
            >>> piece.text.strip()
            'kept'
            >>> same.close()
        """
        return self._run(processes.connect(place_of(self.session), process_id, self._handle))

    def list(self) -> ProcessListResult:
        """List the processes that were started in the session.

        Returns:
            Those that run, and those that ended last, in the order of their start.

        Example:
            >>> process = (session.command.start("sleep 60")).unwrap()
            >>> [info.command for info in session.command.list() if info.is_running]
            ['sleep 60']
            >>> process.close()
        """
        return self._run(processes.list_all(place_of(self.session)))

    def _handle(self, info: ProcessInfo) -> Process:
        return Process(self.session, info)
