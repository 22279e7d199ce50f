"""Starting programs of the session."""

from __future__ import annotations

import os
import signal
import threading

from . import orphans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .limits import Limits


class Process:
    """A program in a process group of its own, its output in two pipes."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        directory: str,
        environment: Mapping[str, str],
        limits: Limits,
        inherited: Sequence[int] = (),
    ) -> None:
        """Start it.

        Args:
            arguments: The program and what it is given.
            directory: Where it starts.
            environment: All variables it sees.
            limits: The limits of this sandbox.
            inherited: Descriptors it keeps besides the three standard ones.

        Raises:
            OSError: The program or the directory is not there, or there are too many processes.
        """
        # Slow to import, and no part of starting the agent.
        import subprocess

        options: Any = {
            "cwd": directory,
            "env": environment,
            "stdin": subprocess.DEVNULL,
            "pass_fds": inherited,
            # A session of its own: one signal reaches all it starts, and none of ours.
            "start_new_session": True,
        }
        self.stdout: int
        self.stderr: int
        self.stdout, stdout = _pipe()
        self.stderr, stderr = _pipe()
        try:
            with orphans.changing:
                try:
                    with limits.of_programs():
                        self._process = subprocess.Popen(
                            arguments, stdout=stdout, stderr=stderr, **options
                        )
                except BlockingIOError:
                    # The session is full; what is started now may be what empties it.
                    self._process = subprocess.Popen(
                        arguments, stdout=stdout, stderr=stderr, **options
                    )
                orphans.watched.add(self._process.pid)
            limits.restrict(self._process.pid)
        except BlockingIOError as error:
            os.close(self.stdout)
            os.close(self.stderr)
            raise OSError(error.errno, limits.at_limit) from error
        except BaseException:
            os.close(self.stdout)
            os.close(self.stderr)
            raise
        finally:
            os.close(stdout)
            os.close(stderr)
        self._reaping = threading.Lock()
        self.pid: int = self._process.pid
        self.pidfd: int = os.pidfd_open(self.pid)

    def signal_group(self, number: int) -> None:
        """Signal the program and everything it started, unless it has ended."""
        with self._reaping:
            # Once reaped, its number may belong to another process.
            if self._process.returncode is None:
                os.killpg(self.pid, number)

    def kill_group(self) -> None:
        """End the program and everything it started."""
        self.signal_group(signal.SIGKILL)

    def reap(self) -> int:
        """Collect a program that has ended; its status, negative for a signal."""
        with self._reaping:
            status = self._process.wait()
        with orphans.changing:
            orphans.watched.discard(self.pid)
        orphans.collect()
        os.close(self.pidfd)
        return status


def _pipe() -> tuple[int, int]:
    """Make a pipe whose reading end does not block."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    return reading, writing
