"""Ends what a test run leaves, however the run ends: a process that waits for that end.

    python guard.py MARK FOLDER SECONDS < pidfd of the run

What the run starts has the mark in its environment, and keeps its temporary files in the folder. A
server that is killed takes its sandboxes with it, and removes its files, by itself: that is what
the seconds are for.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import select
import shutil
import signal
import sys
import tempfile
import time

VARIABLE = "AGB_TEST_RUN"
# For an embedded server and its sandboxes, which end with the run by themselves.
GRACE_S = 3.0
LOOK_S = 0.05
# A program that is just being started shows no environment for a moment.
LOOKS = 3
# Then it gives up: there may be a process that can't be killed, or a file that can't be removed.
PATIENCE_S = 60.0
DETACH = 2


def watch(grace_s: float = GRACE_S) -> None:
    """Mark the processes that this one will start, and have another one clear up after them."""
    mark = secrets.token_hex(8)
    folder = tempfile.mkdtemp(prefix="agb-tests-")
    # Servers of other users keep files there.
    os.chmod(folder, 0o755)
    os.environ.update({VARIABLE: mark, "TMPDIR": folder})
    tempfile.tempdir = folder
    pidfd = os.pidfd_open(os.getpid())
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", __file__, mark, folder, str(grace_s)],
        {},
        # Whoever reads what the run prints must not wait for this one.
        file_actions=[
            (os.POSIX_SPAWN_DUP2, pidfd, 0),
            *((os.POSIX_SPAWN_OPEN, out, os.devnull, os.O_WRONLY, 0) for out in (1, 2)),
        ],
        setsid=True,
    )
    os.close(pidfd)


def can_watch() -> bool:
    """Tell whether this system has what `watch` needs; it is Linux, and no sandbox forbids it."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return os.path.isdir("/proc/self")


def marked(mark: str) -> list[int]:
    """Find the processes of a run."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _has(mark, name)]


def _has(mark: str, pid: object) -> bool:
    # It may have ended meanwhile, or belong to somebody else.
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        return f"{VARIABLE}={mark}".encode() in file.read().split(b"\0")
    return False


def _kill(mark: str, pid: int) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(pid)
        try:
            # The number may have passed to another process.
            if _has(mark, pid):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def clear_up(mark: str, folder: str, grace_s: float) -> None:
    """End the processes of a run, and remove its folder."""
    began = time.monotonic()
    looks = 0
    while (waited := time.monotonic() - began) < PATIENCE_S:
        left = marked(mark)
        if waited > grace_s:
            for pid in left:
                _kill(mark, pid)
        looks = 0 if left else looks + 1
        # The last of a killed server may be writing there.
        if looks >= LOOKS and _remove(folder):
            return
        time.sleep(LOOK_S)


def _remove(folder: str) -> bool:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        places = [line.split()[4] for line in file]
    for place in reversed([place for place in places if place.startswith(f"{folder}/")]):
        ctypes.CDLL(None).umount2(os.fsencode(place), DETACH)
    shutil.rmtree(folder, ignore_errors=True)
    return not os.path.exists(folder)


def main(mark: str, folder: str, grace_s: str) -> None:
    """Wait for the end of the run, then clear up after it."""
    select.select([0], [], [])
    clear_up(mark, folder, float(grace_s))


if __name__ == "__main__":
    main(*sys.argv[1:])
