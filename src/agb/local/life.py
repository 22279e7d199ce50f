"""The ends of processes: when this server has to end, and when another process has ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Generator


@contextlib.contextmanager
def stop_event(*, owner_fd: int | None, owner_stdin: bool) -> Generator[asyncio.Event, None, None]:
    """Watch for the end.

    Args:
        owner_fd: A pidfd of the process whose end is the server's end.
        owner_stdin: True if the end of standard input is the server's end.

    Yields:
        An event that is set when the server has to end.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    with contextlib.ExitStack() as stack:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
            stack.callback(loop.remove_signal_handler, number)
        if owner_fd is not None:
            # The processes that this one starts must not inherit it.
            os.set_inheritable(owner_fd, False)
            loop.add_reader(owner_fd, stop.set)
            stack.callback(loop.remove_reader, owner_fd)
        if owner_stdin:
            stdin = 0
            loop.add_reader(stdin, _set_at_end, stdin, stop)
            stack.callback(loop.remove_reader, stdin)
        yield stop


def _set_at_end(fd: int, stop: asyncio.Event) -> None:
    with contextlib.suppress(BlockingIOError):
        if not os.read(fd, 4096):
            stop.set()


async def exit_of(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process without a thread and without asking again and again."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    pidfd = os.pidfd_open(process.pid)
    loop.add_reader(pidfd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
    process.wait()
