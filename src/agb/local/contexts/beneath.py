"""Work with files below a directory that somebody hostile may be changing: no link is followed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Generator, Sequence
from typing import Protocol

import attrs

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20
_DEEPEST = 100
TEMPORARY = ".agb-part-"


class TooMuch(Exception):
    """Raised for a tree that is larger or deeper than allowed."""


class Selection(Protocol):
    """Says which files of a tree are meant, by their paths below its top."""

    def takes(self, path: str) -> bool:
        """Say whether a file is meant."""
        ...

    def enters(self, path: str) -> bool:
        """Say whether something in a directory may be meant."""
        ...


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
                _make_directory(current, part, make)
            below = os.open(part, _DIRECTORY, dir_fd=current)
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def open_file(top: int, parts: Sequence[str]) -> int:
    """Open a regular file for reading.

    Raises:
        OSError: There is none.
    """
    with walk(top, parts[:-1]) as parent:
        descriptor = _open_regular(parent, parts[-1])
    if descriptor is None:
        raise FileNotFoundError("not a file")
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


@attrs.define
class Copying:
    """Copies one tree over another.

    Attributes:
        selection: What is copied, and what `prune` may remove.
        owner: Who shall own the copies.
        bytes_left: How much may still be copied.
    """

    selection: Selection
    owner: Owner
    bytes_left: int

    def copy(self, source: int, target: int, prefix: str = "", depth: int = 0) -> None:
        """Copy what is selected; a file that is the same already is left alone.

        Raises:
            TooMuch: It is more than allowed.
            OSError: Something could not be read or written.
        """
        if depth > _DEEPEST:
            raise TooMuch(f"{prefix} is more than {_DEEPEST} directories deep")
        for name, facts in entries(source):
            path = prefix + name
            if stat.S_ISDIR(facts.st_mode) and self.selection.enters(path):
                with contextlib.ExitStack() as opened:
                    try:
                        inner = opened.enter_context(walk(source, [name]))
                    except (FileNotFoundError, NotADirectoryError):
                        continue  # it is gone, or something else, since it was listed
                    if not self.selection.takes(path) and not self._holds_some(inner, path):
                        continue
                    _make_directory(target, name, self.owner)
                    outer = opened.enter_context(walk(target, [name]))
                    self.copy(inner, outer, f"{path}/", depth + 1)
                    os.fchmod(outer, facts.st_mode & 0o777 | 0o700)
            elif self.selection.takes(path):
                if stat.S_ISLNK(facts.st_mode):
                    self._copy_link(source, target, name)
                elif stat.S_ISREG(facts.st_mode):
                    self._copy_file(source, target, name)

    def prune(self, source: int, target: int, prefix: str = "") -> None:
        """Remove what is selected in the target and no longer there in the source."""
        there = {name: stat.S_ISDIR(facts.st_mode) for name, facts in entries(source)}
        for name, facts in entries(target):
            path = prefix + name
            if not stat.S_ISDIR(facts.st_mode):
                if name not in there and self.selection.takes(path):
                    remove(target, name)
            elif there.get(name):
                with (
                    contextlib.suppress(FileNotFoundError, NotADirectoryError),
                    walk(source, [name]) as inner,
                    walk(target, [name]) as outer,
                ):
                    self.prune(inner, outer, f"{path}/")
            elif self.selection.enters(path):
                with walk(target, [name]) as outer:
                    self._empty(outer, f"{path}/")
                with contextlib.suppress(OSError):  # what was not selected stays
                    os.rmdir(name, dir_fd=target)

    def _empty(self, target: int, prefix: str) -> None:
        for name, facts in entries(target):
            path = prefix + name
            if stat.S_ISDIR(facts.st_mode):
                with walk(target, [name]) as inner:
                    self._empty(inner, f"{path}/")
                with contextlib.suppress(OSError):
                    os.rmdir(name, dir_fd=target)
            elif self.selection.takes(path):
                remove(target, name)

    def _holds_some(self, directory: int, path: str) -> bool:
        """Say whether a directory that only leads to what is selected has something of it."""
        return any(
            self.selection.takes(f"{path}/{name}")
            or (stat.S_ISDIR(facts.st_mode) and self.selection.enters(f"{path}/{name}"))
            for name, facts in entries(directory)
        )

    def _copy_link(self, source: int, target: int, name: str) -> None:
        try:
            leads_to = os.readlink(name, dir_fd=source)
        except OSError:
            return  # it is no link any more
        remove(target, name)
        os.symlink(leads_to, name, dir_fd=target)
        if self.owner.user is not None:
            os.chown(name, self.owner.user, self.owner.user, dir_fd=target, follow_symlinks=False)

    def _copy_file(self, source: int, target: int, name: str) -> None:
        descriptor = _open_regular(source, name)
        if descriptor is None:
            return
        try:
            facts = os.fstat(descriptor)
            if _is_same(facts, target, name):
                return
            with replacing(target, name, self.owner) as copy:
                self._copy_content(descriptor, copy, facts.st_size)
                os.fchmod(copy, facts.st_mode & 0o777)
                os.utime(copy, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        finally:
            os.close(descriptor)

    def _copy_content(self, source: int, target: int, size: int) -> None:
        """Copy the data and leave the holes: a file may claim to be larger than any disk."""
        offset = 0
        while offset < size:
            try:
                begin = os.lseek(source, offset, os.SEEK_DATA)
            except OSError:
                break  # only a hole is left
            end = os.lseek(source, begin, os.SEEK_HOLE)
            os.lseek(target, begin, os.SEEK_SET)
            offset = begin
            while offset < end:
                sent = os.sendfile(target, source, offset, min(_CHUNK, end - offset))
                if not sent:
                    break  # it has become shorter meanwhile
                self.bytes_left -= sent
                if self.bytes_left < 0:
                    raise TooMuch("it is larger than a context may be")
                offset += sent
            else:
                continue
            break
        os.ftruncate(target, size)


def _make_directory(parent: int, name: str, owner: Owner) -> None:
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


def _open_regular(parent: int, name: str) -> int | None:
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


def _is_same(facts: os.stat_result, target: int, name: str) -> bool:
    try:
        there = os.stat(name, dir_fd=target, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (
        stat.S_ISREG(there.st_mode)
        and there.st_size == facts.st_size
        and there.st_mtime_ns == facts.st_mtime_ns
        and there.st_mode & 0o777 == facts.st_mode & 0o777
    )
