"""Ends what a test run leaves, however the run ends: a process that waits for that end.

    python guard.py MARK FOLDER < pidfd of the run

Every process of the run has the mark in its environment, and its temporary files in the folder.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import signal
import sys
import tempfile
import time

VARIABLE = "AGB_TEST_RUN"
# What ends with the run by itself is about to: an embedded server, with its sandboxes.
GRACE_S = 3.0
LOOK_S = 0.05


def watch() -> None:
    """Mark this process and those it will start, and have another one clear up after them."""
    mark = secrets.token_hex(8)
    folder = tempfile.mkdtemp(prefix="agb-tests-")
    # Servers of other users keep files there.
    os.chmod(folder, 0o755)
    os.environ.update({VARIABLE: mark, "TMPDIR": folder})
    tempfile.tempdir = folder
    pidfd = os.pidfd_open(os.getpid())
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", __file__, mark, folder],
        {},
        # Whoever reads what the run prints must not wait for this one.
        file_actions=[
            (os.POSIX_SPAWN_DUP2, pidfd, 0),
            *((os.POSIX_SPAWN_OPEN, out, os.devnull, os.O_WRONLY, 0) for out in (1, 2)),
        ],
        setsid=True,
    )
    os.close(pidfd)


def marked(mark: str) -> list[int]:
    """Find the processes of a run."""
    wanted = f"{VARIABLE}={mark}".encode()
    found: list[int] = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        # It may have ended meanwhile, or belong to somebody else.
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            if wanted in file.read().split(b"\0"):
                found.append(int(name))
    return found


def end_all(mark: str) -> None:
    """Wait a moment for the processes of a run, and kill those that stay."""
    patience = time.monotonic() + GRACE_S
    while left := marked(mark):
        if time.monotonic() > patience:
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(LOOK_S)


def main(mark: str, folder: str) -> None:
    """Wait for the end of the run, then clear up after it."""
    select.select([0], [], [])
    end_all(mark)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
