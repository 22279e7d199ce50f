"""Paths as the session means them, and files that are safe to open."""

from __future__ import annotations

import errno
import os
import stat

from .failures import ToolFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PART = ".agb-part-"
"""How the name of a file begins that is to take the place of another one once it is whole."""

_KINDS = {
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
    stat.S_IFDIR: "directory",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "symlink",
}


def kind_of(mode: int) -> str:
    """Name the kind of file a mode stands for."""
    return _KINDS.get(stat.S_IFMT(mode), "unknown")


class Home:
    """The directory that relative paths start from."""

    def __init__(self, path: str) -> None:
        self.path = path

    def resolve(self, path: str) -> str:
        """Make a path absolute and free of `.` and `..`; `~` is the home directory."""
        if "\0" in path:
            raise ToolFailure("A path cannot contain a NUL character")
        if not path:
            raise ToolFailure("The path is empty")
        if path == "~" or path.startswith("~/"):
            path = self.path + path[1:]
        return os.path.join(self.path, path)


def open_regular(path: str, flags: int) -> int:
    """Open a regular file, never waiting for one that is a FIFO or a device.

    Args:
        path: An absolute path.
        flags: As for `os.open`; created files get mode 0666 less the umask.

    Raises:
        ToolFailure: It is something else.
        OSError: It cannot be opened.
    """
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, 0o666)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENODEV):  # a FIFO nobody reads, a socket
            raise not_regular(path, os.stat(path).st_mode) from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise not_regular(path, status.st_mode)
    if _tells_of_agent(descriptor, status):
        os.close(descriptor)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return descriptor


def _tells_of_agent(descriptor: int, status: os.stat_result) -> bool:
    """Say whether a file is one that the kernel has about this very process.

    Programs of the session can't open those; asked to open them for somebody, it could itself.
    """
    if status.st_dev != os.stat("/proc").st_dev:
        return False
    return os.readlink(f"/proc/self/fd/{descriptor}").startswith(f"/proc/{os.getpid()}/")


def not_regular(path: str, mode: int) -> ToolFailure:
    """Say what a path is that should have been a file."""
    if stat.S_ISDIR(mode):
        return ToolFailure(f"Is a directory: {path!r}")
    return ToolFailure(f"Not a regular file ({kind_of(mode)}): {path!r}")


def require_parent(path: str) -> None:
    """Name the missing directory rather than the file that cannot be in it."""
    parent = os.path.dirname(path.rstrip("/")) or "/"
    if not os.path.isdir(parent):
        problem = "Not a directory" if os.path.lexists(parent) else "No such directory"
        raise ToolFailure(f"{problem}: {parent!r} (create_directory makes it)")


def entries(path: str) -> Iterator[os.DirEntry[str]]:
    """Give the entries of a directory, by name."""
    with os.scandir(path) as found:
        yield from sorted(found, key=lambda entry: entry.name)
