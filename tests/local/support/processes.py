"""Processes and control groups of this machine, and how long they may outlive their owner."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator

import pytest

FULL_LENGTH = os.environ.get("AGB_ENDURANCE") == "full"
# A second is promised. Beside other tests everything takes longer; what would stay for ever is
# found all the same.
GONE_S = 1.0 if FULL_LENGTH else 10.0


class Family:
    """A process and all below it, held by pidfds: a number used again fools nobody."""

    def __init__(self, pid: int) -> None:
        self.pidfds: dict[int, int] = {}
        for member in (pid, *descendants(pid)):
            with contextlib.suppress(ProcessLookupError):
                self.pidfds[member] = os.pidfd_open(member)

    def without(self, other: Family) -> Family:
        """Let go of the processes that are in another family too."""
        for member in self.pidfds.keys() & other.pidfds.keys():
            os.close(self.pidfds.pop(member))
        return self

    def alive_after(self, seconds: float) -> list[int]:
        """Wait until all have ended or the time is over; return those that live."""
        deadline = time.monotonic() + seconds
        alive = dict(self.pidfds)
        while alive:
            ready, _, _ = select.select(alive.values(), [], [], max(0, deadline - time.monotonic()))
            if not ready:
                break
            alive = {pid: fd for pid, fd in alive.items() if fd not in ready}
        return list(alive)

    def close(self) -> None:
        for fd in self.pidfds.values():
            os.close(fd)


def control_groups() -> Iterator[str]:
    """The directories of all control groups of this machine."""
    for above, names, _ in os.walk("/sys/fs/cgroup"):
        yield from (os.path.join(above, name) for name in names)


def descendants(pid: int) -> list[int]:
    """The numbers of all processes below a process, as the host sees them."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", "rb") as file:
                parents[int(entry)] = int(file.read().rpartition(b")")[2].split()[1])
    found: list[int] = []
    above = [pid]
    while above:
        parent = above.pop()
        children = [child for child, its_parent in parents.items() if its_parent == parent]
        found += children
        above += children
    return found


@pytest.fixture
def family() -> Iterator[Callable[[int], Family]]:
    """Hold a process and all below it."""
    families: list[Family] = []

    def hold(pid: int) -> Family:
        families.append(Family(pid))
        return families[-1]

    yield hold
    for held in families:
        held.close()
