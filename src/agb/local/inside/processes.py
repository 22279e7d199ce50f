"""Starting programs of the session."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

from . import orphans
from .limits import first_to_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .limits import Limits


class Process:
    """A program in a process group of its own, its output in two pipes.

    Attributes:
        pid: Its number inside the sandbox, which is that of its group too.
        pidfd: Readable once it has ended.
        stdin: Where its standard input is written, None if it has none.
        outputs: Where its output is read, by the name of the stream; nothing if it goes nowhere.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        directory: str,
        environment: Mapping[str, str],
        limits: Limits,
        inherited: Sequence[int] = (),
        limits_itself: bool = False,
        takes_input: bool = False,
        keeps_output: bool = True,
        in_order: bool = False,
    ) -> None:
        """Start it.

        Args:
            arguments: The program and what it is given.
            directory: Where it starts.
            environment: All variables it sees.
            limits: The limits of this sandbox.
            inherited: Descriptors it keeps besides the three standard ones.
            limits_itself: Whether it takes the agent's headroom from itself.
            takes_input: Whether its standard input is a pipe; else it is empty.
            keeps_output: Whether its output is read; else it goes nowhere.
            in_order: Whether the order of its writes to both streams can be told, which takes more
                time: an epoll lists the pipes in the order in which something was written to them.

        Raises:
            OSError: The program or the directory is not there, or there are too many processes.
        """
        # Slow to import, and no part of starting the agent.
        import subprocess

        nowhere = subprocess.DEVNULL
        ours: dict[str, int] = {}
        theirs: dict[str, int] = {}
        try:
            if takes_input:
                theirs["stdin"], ours["stdin"] = os.pipe()
            for name in ("stdout", "stderr") if keeps_output else ():
                ours[name], theirs[name] = _one_write_pipe() if in_order else os.pipe()
            for descriptor in ours.values():
                os.set_blocking(descriptor, False)
            with orphans.changing, first_to_go():
                self._process = subprocess.Popen(
                    arguments,
                    cwd=directory,
                    env=environment,
                    stdin=theirs.get("stdin", nowhere),
                    stdout=theirs.get("stdout", nowhere),
                    stderr=theirs.get("stderr", nowhere),
                    pass_fds=inherited,
                    # A session of its own: one signal reaches all it starts, and none of ours.
                    start_new_session=True,
                    preexec_fn=None if limits_itself else limits.of_programs(),
                )
                orphans.watched.add(self._process.pid)
        except BaseException as error:
            for descriptor in ours.values():
                os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise OSError(error.errno, limits.at_limit) from error
            raise
        finally:
            for descriptor in theirs.values():
                os.close(descriptor)
        self._reaping = threading.Lock()
        self.stdin: int | None = ours.pop("stdin", None)
        self.outputs: dict[str, int] = ours
        self.pid: int = self._process.pid
        self.pidfd: int = os.pidfd_open(self.pid)

    def signal_group(self, number: int) -> None:
        """Signal the program and everything it started, unless it has ended."""
        with self._reaping:
            # Once reaped, its number may belong to another process.
            if self._process.returncode is None:
                os.killpg(self.pid, number)

    def signal_started(self, number: int) -> None:
        """Signal what the program has started in its group, and not the program itself."""
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            # It may have ended meanwhile; its number is looked at once it is held.
            with contextlib.suppress(OSError):
                pidfd = os.pidfd_open(pid)
                try:
                    if pid != self.pid and os.getpgid(pid) == self.pid:
                        signal.pidfd_send_signal(pidfd, number)
                finally:
                    os.close(pidfd)

    def signal_rest(self, number: int) -> None:
        """Signal what the program left in its group when it ended."""
        try:
            # As long as there is anyone in the group, the kernel gives its number to no process.
            os.kill(self.pid, 0)
        except ProcessLookupError:
            with contextlib.suppress(ProcessLookupError):
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


def _one_write_pipe() -> tuple[int, int]:
    """Make a pipe that holds one write (of at most a page): the next one waits until it is read.

    A second write to one stream can then never come before an earlier one to the other.
    """
    import fcntl

    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_DIRECT)
    # The smallest there is: one page, and so one write, as O_DIRECT lets no two share a page.
    fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, 1)
    return reading, writing
