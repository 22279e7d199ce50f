"""Starting a shell command, as the tools for commands and for processes do."""

from __future__ import annotations

import os

from .processes import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .limits import Limits
    from .paths import Home

_BASH = "/bin/bash"
# What begins so may change how bash starts, and so whether it reads the file below.
_HEEDED_BY_BASH = ("BASH", "SHELLOPTS", "POSIXLY_CORRECT")
_LIMITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shell_limits.bash")


class Shell:
    """The shell of a session: bash where there is one."""

    def __init__(self, limits: Limits, home: Home, environment: Mapping[str, str]) -> None:
        """Prepare it.

        Args:
            limits: The limits of this sandbox.
            home: Where commands start.
            environment: All variables they see.
        """
        self._limits = limits
        self._home = home
        self._environment = environment
        self._path = _BASH if os.access(_BASH, os.X_OK) else "/bin/sh"

    def start(
        self,
        command: str,
        cwd: str | None,
        envs: Mapping[str, str] | None,
        *,
        takes_input: bool = False,
        keeps_output: bool = True,
        in_order: bool = False,
    ) -> Process:
        """Start a command in a fresh shell.

        Args:
            command: What the shell is to run.
            cwd: Where it starts; relative to the home directory.
            envs: Variables added to the usual ones.
            takes_input: Whether its standard input is a pipe; else it is empty.
            keeps_output: Whether its output is read; else it goes nowhere.
            in_order: Whether the order of its writes to both streams can be told.

        Raises:
            OSError: The directory is not there, or there are too many processes.
        """
        environment = {**self._environment, **(envs or {})}
        # bash lowers its own limit before it reads the command: to do it between fork and exec
        # would double the time that a short command takes.
        limits_itself = self._path == _BASH and not any(
            name.startswith(_HEEDED_BY_BASH) for name in environment
        )
        if limits_itself:
            environment["BASH_ENV"] = _LIMITS
            environment["AGB_MAX_PROCESSES"] = str(self._limits.processes_of_programs())
        return Process(
            [self._path, "-c", command],
            directory=self._home.resolve(cwd) if cwd else self._home.path,
            environment=environment,
            limits=self._limits,
            limits_itself=limits_itself,
            takes_input=takes_input,
            keeps_output=keeps_output,
            in_order=in_order,
        )
