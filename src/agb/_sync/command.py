"""Running shell commands in a session."""

from __future__ import annotations

from collections.abc import Mapping

from .._core import command as operations
from .._core.tool_results import CommandResult
from .service import BaseService


class Command(BaseService):
    """Run shell commands in a session; each call is a fresh shell.

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
    ) -> CommandResult:
        """Run a shell command and return what it printed.

        Args:
            command: The command line.
            timeout_ms: How long it may run, in milliseconds; it is killed then.
            cwd: Directory to run it in; the session's home directory if left out.
            envs: Environment variables to add.
            timeout_s: The same limit in seconds; pass one of the two.

        Returns:
            The result. A command that ends with another exit code than 0 gives `success=False`
            with its standard error as `error_message`; its output is there all the same.

        Example:
            >>> result = session.command.execute_command("echo $WHO", envs={"WHO": "world"})
            >>> result.output.strip(), result.exit_code
            ('world', 0)
            >>> missing = session.command.execute_command("ls /nowhere")
            >>> missing.success, missing.exit_code
            (False, 2)
        """
        return self._run(
            operations.execute(self.session.session_id, command, timeout_ms, cwd, envs, timeout_s)
        )

    # The later name of the same method.
    execute = execute_command
