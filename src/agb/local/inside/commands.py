"""The `shell` tool."""

from __future__ import annotations

import os
import select
import time

from .output import Leftovers, Output, read_available
from .processes import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .cancellation import Cancellation
    from .limits import Limits
    from .paths import Home

TIMED_OUT = 124
"""The exit code of a command that ran into its limit, as `timeout` of coreutils gives it."""


class Commands:
    """Runs shell commands, each in a fresh shell."""

    def __init__(self, limits: Limits, home: Home, environment: Mapping[str, str]) -> None:
        self._limits = limits
        self._home = home
        self._environment = environment
        self._shell = "/bin/bash" if os.access("/bin/bash", os.X_OK) else "/bin/sh"
        self._leftovers = Leftovers()

    def shell(
        self,
        cancellation: Cancellation,
        *,
        command: str,
        timeout_ms: int,
        cwd: str | None = None,
        envs: Mapping[str, str] | None = None,
    ) -> dict[str, object]:
        """Run a command to its end or to its limit.

        Args:
            cancellation: Ends the command when it is cancelled.
            command: What the shell is to run.
            timeout_ms: The limit, in milliseconds.
            cwd: Where it starts; relative to the home directory.
            envs: Variables added to the usual ones.

        Returns:
            `stdout`, `stderr`, `exit_code`, `timed_out` and `truncated`.
        """
        process = Process(
            [self._shell, "-c", command],
            directory=self._home.resolve(cwd) if cwd else self._home.path,
            environment={**self._environment, **(envs or {})},
            limits=self._limits,
        )
        stdout = Output(self._limits.max_output_bytes)
        stderr = Output(self._limits.max_output_bytes)
        with cancellation.calling(process.kill_group):
            timed_out = not self._watch(process, stdout, stderr, timeout_ms)
        status = process.reap()
        cancellation.check()
        truncated = stdout.truncated or stderr.truncated
        return {
            "stdout": stdout.take(),
            "stderr": stderr.take(),
            "exit_code": TIMED_OUT if timed_out else status if status >= 0 else 128 - status,
            "timed_out": timed_out,
            "truncated": truncated,
        }

    def _watch(self, process: Process, stdout: Output, stderr: Output, timeout_ms: int) -> bool:
        """Read until the shell has ended; what it left in the background is not waited for.

        Returns:
            Whether it ended within its limit.
        """
        deadline = time.monotonic() + timeout_ms / 1000
        streams = {process.stdout: stdout, process.stderr: stderr}
        poll = select.poll()
        for descriptor in (process.pidfd, *streams):
            poll.register(descriptor, select.POLLIN)
        ended = killed = False
        while not ended:
            remaining = None if killed else max(0.0, deadline - time.monotonic()) * 1000
            ready = {descriptor for descriptor, _events in poll.poll(remaining)}
            ended = process.pidfd in ready
            if not (ended or killed) and time.monotonic() >= deadline:
                process.kill_group()
                killed = True
            for descriptor in streams.keys() & (streams.keys() if ended else ready):
                if not read_available(descriptor, streams[descriptor]):
                    poll.unregister(descriptor)
                    os.close(descriptor)
                    del streams[descriptor]
        for descriptor in streams:
            self._leftovers.adopt(descriptor)
        return not killed
