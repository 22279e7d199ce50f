"""Ends and removes what a killed spawner has left; the one that comes after it does so."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from .groups import of_sessions, remove
from .state import overruns_of, remove_tree, sessions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LAST_MOMENTS_S = 2.0
"""A sandbox whose spawner was killed is gone by then."""


def mark_of(state: str) -> str:
    """Return the name of what each bubblewrap of a server holds open until its sandbox runs."""
    return os.path.basename(state)


def clear_up(state: str, groups: Sequence[str]) -> None:
    """Remove what is left of the sandboxes of a spawner that was killed.

    Args:
        state: The directory of their server.
        groups: The directories of its control groups.
    """
    if not os.path.exists(overruns_of(state)):
        return  # There was none.
    deadline = time.monotonic() + _LAST_MOMENTS_S
    while True:
        _kill_strays(state)
        remove(of_sessions(groups))
        remove_tree(sessions_of(state))
        gone = not of_sessions(groups) and not os.path.exists(sessions_of(state))
        if gone or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    remove_tree(overruns_of(state))


def _kill_strays(state: str) -> None:
    """Kill what does not end with its parent yet.

    The child of a bubblewrap begins with waiting for it, for ever if that one is killed meanwhile.
    """
    held = f"/memfd:{mark_of(state)} (deleted)"
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            pidfd = os.pidfd_open(int(name))
            try:
                if held in _open_files(name):
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            finally:
                os.close(pidfd)


def _open_files(process: str) -> set[str]:
    directory = f"/proc/{process}/fd"
    files: set[str] = set()
    for name in os.listdir(directory):
        with contextlib.suppress(OSError):
            files.add(os.readlink(os.path.join(directory, name)))
    return files
