"""One sandbox as the spawner sees it, and what it takes to start one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess

from .programs import stat_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

_OOM_SCORE = "/proc/self/oom_score_adj"


class Child:
    """A sandbox: bubblewrap, the first process inside, and in the end what removes its files."""

    def __init__(self, number: int, directories: Sequence[str], groups: Sequence[str]) -> None:
        self.number = number
        self.directories = directories
        """Its workspace and its volumes; all belong to its user."""
        self.groups = groups
        """The directories of its control groups."""
        self.info = b""
        self.errors = b""
        self.status: int | None = None
        self.outer: subprocess.Popen[bytes] | None = None
        self.inner: int | None = None
        """A pidfd of the sandbox's process 1, once bubblewrap has told which it is."""
        self.error_pipe: int | None = None
        self.starting: bool = False
        self.doomed: bool = False
        self.kept: bool = False
        """Whether its files outlive it."""
        self.isolated: bool = True
        """Whether the end of its process 1 ends all others."""

    def start(
        self,
        bwrap: str,
        options: Sequence[str],
        command: Sequence[str],
        filter_: bytes,
        mark: str,
        agent: int,
        user: int | None,
        enter: Callable[[], None] | None,
    ) -> tuple[int, int]:
        """Start bubblewrap.

        Args:
            bwrap: The program.
            options: Its options but for those that name descriptors.
            command: What it runs inside.
            filter_: The seccomp program.
            mark: A name for what it holds open until its sandbox runs.
            agent: The agent's socket, the only descriptor that gets inside.
            user: The user and group to become before; None to stay who we are.
            enter: What puts it into its control groups, called just before it begins.

        Returns:
            Two pipes: what bubblewrap tells about its child, and its standard error.
        """
        rules = readable(filter_, mark)
        info, told = os.pipe()
        self.error_pipe, errors = os.pipe()
        os.set_blocking(self.error_pipe, False)
        # Behind a descriptor: the command line of process 1 can be read inside.
        arguments = readable(
            "\0".join([*options, "--seccomp", str(rules), "--info-fd", str(told)]).encode(), mark
        )
        try:
            with soon_to_go():
                self.outer = subprocess.Popen(
                    ["bwrap", "--args", str(arguments), "--", *command],
                    executable=bwrap,
                    # Its environment can be read inside as well.
                    env={},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    pass_fds=(arguments, rules, told, agent),
                    umask=0o022,
                    start_new_session=True,
                    user=user,
                    group=user,
                    extra_groups=None if user is None else [],
                    preexec_fn=enter,
                )
        except BaseException:
            os.close(info)
            os.close(self.error_pipe)
            self.error_pipe = None
            raise
        finally:
            for descriptor in (arguments, rules, told, errors):
                os.close(descriptor)
        self.starting = True
        return info, self.error_pipe

    def kill(self) -> None:
        """Kill every process of the sandbox: with its process 1 goes its whole PID namespace."""
        self.doomed = True
        if self.starting:
            # Killed before its child has been told to go on, bubblewrap would leave it waiting for
            # ever. It takes a millisecond more to know that child.
            return
        if self.outer is not None:
            self.outer.kill()
        if self.inner is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.inner, signal.SIGKILL)


def readable(data: bytes, name: str) -> int:
    """Put data behind a descriptor, to be read from its start."""
    descriptor = os.memfd_create(name)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


@contextlib.contextmanager
def soon_to_go() -> Generator[None]:
    """Have the kernel kill what is started meanwhile before others when memory runs out.

    Only the programs of sessions, which the agent gives the highest score, go before it.
    """
    before = _oom_score()
    with contextlib.suppress(OSError):
        _set_oom_score("900")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            _set_oom_score(before)


def _oom_score() -> str:
    with open(_OOM_SCORE, encoding="ascii") as file:
        return file.read()


def _set_oom_score(score: str) -> None:
    with open(_OOM_SCORE, "w", encoding="ascii") as file:
        file.write(score)


def pidfd_of_child(pid: int, parent: int) -> int:
    """Open a process, making sure that its number has not passed to another one meanwhile.

    Raises:
        ProcessLookupError: It is not, or not any more, a child of that parent.
    """
    pidfd = os.pidfd_open(pid)
    try:
        fields = stat_of(pid)
        if fields is None or int(fields[1]) != parent:
            raise ProcessLookupError(pid)
    except BaseException:
        os.close(pidfd)
        raise
    return pidfd


def adopt_orphans() -> None:
    """Become the parent of what the children of this process leave behind."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)
