"""What the programs of a session use, seen from outside."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Usage:
    """What directories take.

    Attributes:
        size: Bytes on the disk.
        inodes: Files and directories.
    """

    def __init__(self, size: int, inodes: int) -> None:
        self.size = size
        self.inodes = inodes


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
        fields = _stat(self.pid)
        return fields is not None and fields[19] == self._started


def tree(pid: int) -> list[Program]:
    """Return a bubblewrap with all processes below it."""
    found: list[Program] = []
    level = [(pid, 0)]
    while level:
        member, depth = level.pop()
        fields = _stat(member)
        if fields is None:
            continue
        # The only child of bubblewrap is process 1 of the sandbox, the agent.
        cpu = int(fields[11]) + int(fields[12])
        found.append(Program(member, fields[19], cpu, keeps_session=depth < 2))
        level += [(child, depth + 1) for child in _children(member)]
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


def in_memory(programs: Sequence[Program]) -> Usage:
    """Measure the directories of a sandbox that are in memory, whoever wrote there."""
    for program in programs:
        # Process 1, the agent: bubblewrap itself is outside.
        if program.keeps_session and program is not programs[0]:
            root = f"/proc/{program.pid}/root"
            with contextlib.suppress(OSError):
                if os.path.samefile(root, "/"):
                    # It is only just being started, and still sees this machine's.
                    break
                found = [os.statvfs(root + path) for path in ("/tmp", "/dev/shm")]  # noqa: S108
                return Usage(
                    sum((each.f_blocks - each.f_bfree) * each.f_frsize for each in found),
                    sum(each.f_files - each.f_ffree for each in found),
                )
    return Usage(0, 0)


def measure(directories: Iterable[str], most: int) -> tuple[Usage, set[int]]:
    """Measure directories.

    Args:
        directories: Their paths.
        most: The number of files after which it is enough.

    Returns:
        What they take, and the devices they are on.
    """
    used = Usage(0, 0)
    devices: set[int] = set()
    for directory in directories:
        try:
            top = os.open(directory, _DIRECTORY)
        except OSError:
            continue
        devices.add(os.fstat(top).st_dev)
        _Walk(used, most).below(top)
    return used, devices


class _Walk:
    """Adds up what lies below a directory, by descriptors: no link and no swap leads elsewhere."""

    def __init__(self, used: Usage, most: int) -> None:
        self._used = used
        self._most = most
        # How many directories are still to be opened from an open one; closed at none.
        self._waiting: dict[int, int] = {}

    def below(self, top: int) -> None:
        pending = [(top, ".")]
        self._waiting[top] = 1
        try:
            while pending and self._used.inodes <= self._most:
                parent, name = pending.pop()
                current = self._open(parent, name)
                if current is not None:
                    # Its own pass counts as one to wait for.
                    self._waiting[current] = 1
                    for child in self._add_up(current):
                        pending.append((current, child))
                        self._waiting[current] += 1
                    self._leave(current)
                self._leave(parent)
        finally:
            for descriptor in self._waiting:
                os.close(descriptor)

    def _add_up(self, directory: int) -> Iterator[str]:
        """Count the entries of a directory, and name the directories among them."""
        with contextlib.suppress(OSError), os.scandir(directory) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                is_directory = stat.S_ISDIR(status.st_mode)
                # A file with several names is counted in parts.
                links = 1 if is_directory else max(1, status.st_nlink)
                self._used.size += status.st_blocks * 512 // links
                self._used.inodes += 1
                if self._used.inodes > self._most:
                    return
                if is_directory:
                    yield entry.name

    def _open(self, parent: int, name: str) -> int | None:
        """Open a directory; one that can't be looked into counts as one that is too full."""
        try:
            try:
                return os.open(name, _DIRECTORY, dir_fd=parent)
            except PermissionError:
                return _open_closed(parent, name)
        except OSError as error:
            if error.errno not in _GONE:
                self._used.inodes += self._most
            return None

    def _leave(self, descriptor: int) -> None:
        self._waiting[descriptor] -= 1
        if self._waiting[descriptor] == 0:
            del self._waiting[descriptor]
            os.close(descriptor)


def _open_closed(parent: int, name: str) -> int:
    """Open a directory that its owner, who is us, has closed to all; it is so again afterwards."""
    found = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        path, mode = f"/proc/self/fd/{found}", stat.S_IMODE(os.fstat(found).st_mode)
        os.chmod(path, mode | 0o500)
        try:
            return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        finally:
            os.chmod(path, mode)
    finally:
        os.close(found)


def _children(pid: int) -> list[int]:
    """Return the children of a process, whichever of its threads has started them."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            path = f"/proc/{pid}/task/{task}/children"
            with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
                children += map(int, file.read().split())
    return children


def _fields(path: str) -> dict[str, int]:
    """Read the lines `key: number kB` of a file, in bytes."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            lines = [line.split() for line in file if line.endswith(" kB\n")]
    except OSError:
        return {}
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in lines}


def _stat(pid: int) -> list[str] | None:
    """Read `/proc/<pid>/stat` from its third field on; None if the process has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name, in parentheses, may hold anything.
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None
