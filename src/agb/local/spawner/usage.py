"""What a session takes of disks and of those in memory, seen from outside."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .programs import Program

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
