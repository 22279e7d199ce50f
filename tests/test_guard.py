"""A killed test run leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from . import guard

pytestmark = pytest.mark.skipif(not guard.can_watch(), reason="needs pidfds and /proc")

BEGIN = f"""
import sys
sys.path.append({os.path.dirname(guard.__file__)!r})
import guard
guard.watch(grace_s=0.2)
import os, subprocess, tempfile

subprocess.Popen(["sleep", "300"], start_new_session=True)
print(os.environ["AGB_TEST_RUN"], tempfile.mkdtemp(), flush=True)
sys.stdin.read()
"""


def until(is_so, seconds=30):
    """Wait until something is so; return whether it is."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, None])
def test_nothing_is_left_of_a_run(end):
    """Its processes, those in sessions of their own too, and its folder are gone."""
    command = [sys.executable, "-c", BEGIN]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as running:
        mark, folder = running.stdout.readline().split()
        # A program that is just being started shows no environment for a moment.
        assert until(lambda: len(guard.marked(mark)) == 1)
        if end is None:
            running.stdin.close()
        else:
            os.kill(running.pid, end)

    assert until(lambda: not guard.marked(mark) and not os.path.exists(os.path.dirname(folder)))


def test_every_process_of_this_run_is_marked():
    """What tests start is found by the mark of their run."""
    with subprocess.Popen(["sleep", "60"]) as started:
        found = until(lambda: started.pid in guard.marked(os.environ[guard.VARIABLE]))
        started.kill()

    assert found
