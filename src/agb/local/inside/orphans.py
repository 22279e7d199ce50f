"""The duty of process 1: to collect processes whose parent has ended.

The agent is process 1 of its sandbox because the kernel lets nothing in there kill it. What it
started itself is collected by whoever watches it, with its exit status; everything else here.
"""

from __future__ import annotations

import _thread
import os
import signal
import threading

watched: set[int] = set()
"""The processes the agent has started itself and not collected yet."""

changing: threading.Lock = threading.Lock()
"""Held while `watched` changes, and from before a process starts until it is in there."""


def collect() -> None:
    """Collect the orphans that have ended; to be called again after each watched process."""
    with changing:
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            # A watched one hides those behind it until its watcher has collected it.
            if ended is None or ended.si_pid in watched:
                return
            os.waitpid(ended.si_pid, 0)


def keep_collecting() -> None:
    """Collect orphans as they end, and have no signal from inside the sandbox end this process.

    The kernel keeps from process 1 what it has no handler for, even SIGKILL. Python has one for
    SIGINT.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    # Not SIG_IGN: the kernel would collect everything itself, exit statuses included.
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    _thread.start_new_thread(_run, (reading,))


def _run(reading: int) -> None:
    while os.read(reading, 1 << 12):
        collect()
