"""What a test run leaves that is killed: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from . import guard

KILLED = """
import os, subprocess, tempfile, time

subprocess.Popen(["sleep", "300"], start_new_session=True)
print(os.environ["AGB_TEST_RUN"], tempfile.mkdtemp(), flush=True)
time.sleep(60)
"""


def until(is_so, seconds=30):
    """Wait until something is so; return whether it is."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="the guard needs /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_of_a_killed_run(number):
    """Its processes, those in sessions of their own too, and its folder are gone."""
    begin = f"import sys; sys.path.append({os.path.dirname(guard.__file__)!r})\nimport guard"
    command = [sys.executable, "-c", f"{begin}\nguard.watch()\n{KILLED}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        mark, folder = running.stdout.readline().split()
        assert len(guard.marked(mark)) == 1
        os.kill(running.pid, number)
        running.wait()

    assert until(lambda: not guard.marked(mark))
    assert until(lambda: not os.path.exists(folder))


def test_every_process_of_this_run_is_marked():
    """What tests start is found by the mark of their run."""
    with subprocess.Popen(["sleep", "60"]) as started:
        assert started.pid in guard.marked(os.environ[guard.VARIABLE])
        started.kill()
