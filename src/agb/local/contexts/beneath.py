"""Work with files below a directory that somebody hostile may be changing: no link is followed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Generator, Sequence

import attrs

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
TEMPORARY = ".agb-part-"
"""How the names of files begin that are not whole yet."""


@attrs.frozen
class Owner:
    """Who shall own what is made; None leaves it to this process.

    Attributes:
        user: Number of the user and of the group.
    """

    user: int | None = None

    @classmethod
    def of(cls, directory: int) -> Owner:
        """Return the owner of a directory, if this process may give files away."""
        return cls(os.fstat(directory).st_uid if os.geteuid() == 0 else None)

    def take(self, descriptor: int) -> None:
        """Give a file to this owner."""
        if self.user is not None:
            os.fchown(descriptor, self.user, self.user)


@contextlib.contextmanager
def directory(path: str) -> Generator[int]:
    """Open a directory that this server made itself."""
    descriptor = os.open(path, _DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def walk(top: int, parts: Sequence[str], *, make: Owner | None = None) -> Generator[int]:
    """Open a directory below another one.

    Args:
        top: Descriptor of the upper one.
        parts: The names on the way.
        make: Make what is missing, for this owner; None makes nothing.

    Yields:
        Its descriptor.

    Raises:
        OSError: There is none, or a link on the way.
    """
    current = os.dup(top)
    try:
        for part in parts:
            if make is not None:
                make_directory(current, part, make)
            below = os.open(part, _DIRECTORY, dir_fd=current)
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def make_directory(parent: int, name: str, owner: Owner) -> None:
    """Make a directory if there is none; what is no directory makes place for it."""
    while True:
        try:
            os.mkdir(name, 0o755, dir_fd=parent)
        except FileExistsError:
            facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(facts.st_mode):
                return
            os.unlink(name, dir_fd=parent)
        else:
            descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
            try:
                owner.take(descriptor)
            finally:
                os.close(descriptor)
            return


def open_file(top: int, parts: Sequence[str]) -> int:
    """Open a regular file for reading.

    Raises:
        OSError: There is none.
    """
    with walk(top, parts[:-1]) as parent:
        descriptor = open_regular(parent, parts[-1])
    if descriptor is None:
        raise FileNotFoundError("not a file")
    return descriptor


def open_regular(parent: int, name: str) -> int | None:
    """Open a file for reading, never waiting; None if there is none, or a link or a device."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        descriptor = os.open(name, flags, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
            return None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor


def entries(top: int) -> list[tuple[str, os.stat_result]]:
    """List the files and directories in a directory, by name, parts of files left out."""
    found: list[tuple[str, os.stat_result]] = []
    for name in sorted(os.listdir(top)):
        if not name.startswith(TEMPORARY):
            with contextlib.suppress(FileNotFoundError):
                found.append((name, os.stat(name, dir_fd=top, follow_symlinks=False)))
    return found


def remove(top: int, name: str) -> None:
    """Remove a file, or a directory with everything in it; nothing happens if there is none."""
    try:
        os.unlink(name, dir_fd=top)
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):
        with walk(top, [name]) as inside:
            for entry in os.listdir(inside):
                remove(inside, entry)
        os.rmdir(name, dir_fd=top)


@contextlib.contextmanager
def replacing(parent: int, name: str, owner: Owner) -> Generator[int]:
    """Write a file that takes its place whole, or not at all.

    Args:
        parent: Descriptor of its directory.
        name: Its name.
        owner: Who shall own it.

    Yields:
        A descriptor to write to.
    """
    temporary = TEMPORARY + secrets.token_hex(8)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o644, dir_fd=parent)
    try:
        try:
            yield descriptor
            owner.take(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except IsADirectoryError:
            remove(parent, name)
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=parent)
        raise
