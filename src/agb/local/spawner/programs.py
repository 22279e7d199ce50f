"""The processes of sessions, seen from outside."""

from __future__ import annotations

import contextlib
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Program:
    """A process of a session.

    Attributes:
        pid: Its number here.
        keeps_session: Whether the session ends with it.
        cpu: The processor time it has used.
    """

    def __init__(self, pid: int, started: str, cpu: int, *, keeps_session: bool) -> None:
        self.pid = pid
        self.keeps_session = keeps_session
        self.cpu = cpu
        self._started = started

    def memory(self) -> int:
        """Return its memory that is not that of files; what a fork shares counts for both."""
        fields = _fields(f"/proc/{self.pid}/status")
        return fields.get("RssAnon", 0) + fields.get("RssShmem", 0)

    def part_of_memory(self, held: int) -> int:
        """Return its memory with its part of what it shares with others; slower.

        Args:
            held: Bytes in files without a name that it keeps open, mapped or not.
        """
        fields = _fields(f"/proc/{self.pid}/smaps_rollup")
        if "Pss_Anon" not in fields:
            return self.memory() + held
        return fields["Pss_Anon"] + max(fields.get("Pss_Shmem", 0), held)

    def written(self) -> int:
        """Return the bytes it has written, as far as that is told."""
        try:
            with open(f"/proc/{self.pid}/io", encoding="ascii") as file:
                return int(dict(line.split(":") for line in file)["wchar"])
        except (OSError, ValueError, KeyError):
            return 0

    def open_files(self) -> Iterator[os.stat_result]:
        """Look at every file that it holds open."""
        directory = f"/proc/{self.pid}/fd"
        try:
            names = os.listdir(directory)
        except OSError:
            return
        for name in names:
            with contextlib.suppress(OSError):
                yield os.stat(f"{directory}/{name}")

    def is_still_there(self) -> bool:
        """Say whether its number is still its own."""
        return self._state() is not None

    def runs(self) -> bool:
        """Say whether it may still do something; one that only waits to be collected does not."""
        return self._state() not in (None, "Z", "X")

    def _state(self) -> str | None:
        """Return the letter for what it does; None if its number is not its own any more."""
        fields = stat_of(self.pid)
        return fields[0] if fields is not None and fields[19] == self._started else None


def tree(pid: int) -> list[Program]:
    """Return a bubblewrap with all processes below it."""
    found: list[Program] = []
    level = [(pid, 0)]
    while level:
        member, depth = level.pop()
        fields = stat_of(member)
        if fields is None:
            continue
        # The only child of bubblewrap is process 1 of the sandbox, the agent.
        cpu = int(fields[11]) + int(fields[12])
        found.append(Program(member, fields[19], cpu, keeps_session=depth < 2))
        level += [(child, depth + 1) for child in children_of(member)]
    return found


def nameless(programs: Sequence[Program], devices: set[int]) -> dict[Program, int]:
    """Find the files of some devices that have no name any more, or never had one.

    Args:
        programs: Who may keep them open.
        devices: Where they may be.

    Returns:
        Their bytes, each file counted for one of those that hold it.
    """
    held = dict.fromkeys(programs, 0)
    seen: set[tuple[int, int]] = set()
    for program in programs:
        for status in program.open_files():
            key = status.st_dev, status.st_ino
            regular = stat.S_ISREG(status.st_mode) and status.st_nlink == 0
            if regular and status.st_dev in devices and key not in seen:
                seen.add(key)
                held[program] += status.st_blocks * 512
    return held


def children_of(pid: int) -> list[int]:
    """Return the children of a process, of all its threads; none where the kernel does not tell."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            path = f"/proc/{pid}/task/{task}/children"
            with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
                children += map(int, file.read().split())
    return children


def stat_of(pid: int) -> list[str] | None:
    """Read `/proc/<pid>/stat` from its third field on; None if the process has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name, in parentheses, may hold anything.
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def _fields(path: str) -> dict[str, int]:
    """Read the lines `key: number kB` of a file, in bytes."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            lines = [line.split() for line in file if line.endswith(" kB\n")]
    except OSError:
        return {}
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in lines}
