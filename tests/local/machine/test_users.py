"""The users that sandboxes run as."""

from __future__ import annotations

import os
import subprocess

import pytest

from agb.local.failures import MachineUnfit
from agb.local.machine import users


def test_users():
    """Sessions get numbers nobody has; in a small container those of its upper half."""
    everything = "         0          0 4294967295\n"
    first, count = users.session_users(everything, everything)
    assert first > 1_000_000
    assert first + count < 1 << 31
    small = "0 100000 65536\n"
    assert users.session_users(small, small) == (32768, 32766)
    assert users.session_users(everything, small) == (32768, 32766)

    with pytest.raises(MachineUnfit, match="too few user numbers"):
        users.session_users("0 1000 1\n", "0 1000 1\n")


def test_counting_threads():
    """Processes and threads of a user are counted."""
    before = users.threads_of(os.getuid())
    with subprocess.Popen(["sleep", "60"]) as process:
        assert users.threads_of(os.getuid()) > 0 < before
        process.kill()

    assert users.threads_of(4_000_000_000) == 0
