"""The `shell` tool."""

from __future__ import annotations

import os
import select
import time

from .input import Input, decoded
from .output import Leftovers, Output, read_available

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .cancellation import Cancellation
    from .limits import Limits
    from .processes import Process
    from .shell import Shell

TIMED_OUT = 124
"""The exit code of a command that ran into its limit, as `timeout` of coreutils gives it."""


class Commands:
    """Runs shell commands, each in a fresh shell."""

    def __init__(self, limits: Limits, shell: Shell, leftovers: Leftovers) -> None:
        self._limits = limits
        self._shell = shell
        self._leftovers = leftovers

    def shell(
        self,
        cancellation: Cancellation,
        *,
        command: str,
        timeout_ms: int,
        cwd: str | None = None,
        envs: Mapping[str, str] | None = None,
        input: str | None = None,
        input_format: str = "text",
    ) -> dict[str, object]:
        """Run a command to its end or to its limit.

        Args:
            cancellation: Ends the command when it is cancelled.
            command: What the shell is to run.
            timeout_ms: The limit, in milliseconds.
            cwd: Where it starts; relative to the home directory.
            envs: Variables added to the usual ones.
            input: What it finds on its standard input, which is empty otherwise.
            input_format: `text`, or `binary` for base64.

        Returns:
            `stdout`, `stderr`, `exit_code`, `timed_out` and `truncated`.
        """
        given = Input(decoded(input or "", input_format))
        process = self._shell.start(command, cwd, envs, takes_input=input is not None)
        stdout = Output(self._limits.max_output_bytes)
        stderr = Output(self._limits.max_output_bytes)
        with cancellation.calling(process.kill_group):
            timed_out = not self._watch(process, stdout, stderr, given, timeout_ms)
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

    def _watch(
        self,
        process: Process,
        stdout: Output,
        stderr: Output,
        given: Input,
        timeout_ms: int,
    ) -> bool:
        """Read until the shell has ended; what it left in the background is not waited for.

        Returns:
            Whether it ended within its limit.
        """
        deadline = time.monotonic() + timeout_ms / 1000
        streams = {process.outputs["stdout"]: stdout, process.outputs["stderr"]: stderr}
        poll = select.poll()
        for descriptor in (process.pidfd, *streams):
            poll.register(descriptor, select.POLLIN)
        stdin = process.stdin
        if stdin is not None:
            poll.register(stdin, select.POLLOUT)
        ended = killed = False
        while not ended:
            remaining = None if killed else max(0.0, deadline - time.monotonic()) * 1000
            ready = {descriptor for descriptor, _events in poll.poll(remaining)}
            ended = process.pidfd in ready
            if not (ended or killed) and time.monotonic() >= deadline:
                process.kill_group()
                killed = True
            if stdin is not None and (ended or (stdin in ready and not given.feed(stdin))):
                poll.unregister(stdin)
                os.close(stdin)
                stdin = None
            for descriptor in streams.keys() & (streams.keys() if ended else ready):
                if not read_available(descriptor, streams[descriptor]):
                    poll.unregister(descriptor)
                    os.close(descriptor)
                    del streams[descriptor]
        for descriptor in streams:
            self._leftovers.adopt(descriptor)
        return not killed
