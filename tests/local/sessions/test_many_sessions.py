"""Many sessions cost nothing once they are gone.

`nox -s endurance` creates and deletes a thousand.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from agb import AGB, Config, CreateSessionParams
from agb.local.spawner.state import LOCK

from ..support.processes import FULL_LENGTH, control_groups, descendants

SESSIONS = 1000 if FULL_LENGTH else 30
AT_ONCE = 4
# What Python and SQLite keep for later, whatever the number of sessions; a session that left only
# its record behind would cost more than 10 KB.
SLACK_KB = 4096
SETTLED_S = 30.0


@pytest.fixture
def folder() -> Iterator[str]:
    """A directory that users without rights can pass."""
    path = tempfile.mkdtemp(prefix="many-")
    os.chmod(path, 0o711)
    yield path
    shutil.rmtree(path)


class Use:
    """What a server and all below it use."""

    def __init__(self, pid: int, folder: str) -> None:
        everyone = [pid, *descendants(pid)]
        files = [
            os.path.join(above, name)
            for above, directories, names in os.walk(folder)
            for name in (*directories, *names)
        ]
        servers = [os.path.basename(os.path.dirname(path)) for path in files if LOCK in path]
        groups = [path for path in control_groups() if any(f"/{name}" in path for name in servers)]
        self.processes = len(everyone)
        self.descriptors = sum(len(os.listdir(f"/proc/{each}/fd")) for each in everyone)
        self.names = sorted([*files, *groups])
        self.memory_kb = sum(map(memory_kb, everyone))
        self.disk_kb = sum(os.lstat(path).st_blocks // 2 for path in files)

    def __str__(self) -> str:
        return (
            f"{self.processes} processes, {self.descriptors} descriptors, {len(self.names)} files "
            f"and control groups, {self.memory_kb} KB of memory, {self.disk_kb} KB of disk"
        )

    def exceeds(self, before: Use) -> list[str]:
        """Tell what is more than before."""
        more = [f"{name}: new" for name in self.names if name not in before.names]
        slack = {"processes": 0, "descriptors": 0, "memory_kb": SLACK_KB, "disk_kb": SLACK_KB}
        for kind, some in slack.items():
            old, new = getattr(before, kind), getattr(self, kind)
            if new > old + some:
                more.append(f"{kind}: {new} instead of {old}")
        return more


def settled(pid: int, folder: str, wanted: Callable[[Use], bool]) -> Use:
    """Wait for the last processes and connections to end."""
    deadline = time.monotonic() + SETTLED_S
    last = None
    while True:
        try:
            use = Use(pid, folder)
        except OSError:
            continue  # Something has ended between two looks.
        is_still = last is not None and last.descriptors == use.descriptors
        if (wanted(use) and is_still) or time.monotonic() > deadline:
            return use
        last = use
        time.sleep(0.2)


def memory_kb(pid: int) -> int:
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:"))


def use_one(agb: AGB, number: int) -> None:
    """Create a session, use it and delete it."""
    with agb.open_session(CreateSessionParams(labels={"number": str(number)})) as session:
        session.file_system.write_file("file", "x" * 100_000).raise_for_error()
        session.command.execute_command("sleep 4711 & mkdir a; touch a/b").raise_for_error()
        session.get_link(port=8000).raise_for_error()
        if number % 5 == 0:
            session.code.run_code("x = 1", "python").raise_for_error()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("keeping", [True, False])
def test_nothing_is_left_of_sessions(start_server, folder, keeping):
    """Descriptors, processes, files and memory are in the end what they were in the beginning."""
    server = start_server(
        "--state",
        f"{folder}/state" if keeping else "none",
        env={**os.environ, "AGB_LOCAL_DIRECTORY": folder},
    )

    def use_many(first: int, last: int) -> None:
        config = Config(endpoint=server.ready["endpoint"])
        with AGB(server.ready["api_key"], config) as agb, ThreadPoolExecutor(AT_ONCE) as pool:
            for used in [pool.submit(use_one, agb, number) for number in range(first, last)]:
                used.result()

    # Server, spawner and what watches the disk; the first sessions make what stays.
    use_many(-AT_ONCE * 5, 0)
    before = settled(server.pid, folder, lambda use: use.processes == 3)

    use_many(0, SESSIONS)

    after = settled(server.pid, folder, lambda use: not use.exceeds(before))
    print(f"\nbefore: {before}\nafter {SESSIONS} sessions: {after}")
    assert after.exceeds(before) == []
    assert before.processes == 3
