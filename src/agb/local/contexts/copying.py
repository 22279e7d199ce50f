"""Copies a tree of files over another one; either may be in the hands of somebody hostile."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Protocol

import attrs

from .beneath import Owner, entries, make_directory, open_regular, remove, replacing, walk
from .failures import TooMuch

_CHUNK = 1 << 20
_DEEPEST = 100


class Selection(Protocol):
    """Says which files of a tree are meant, by their paths below its top."""

    def takes(self, path: str) -> bool:
        """Say whether a file is meant."""
        ...

    def enters(self, path: str) -> bool:
        """Say whether something in a directory may be meant."""
        ...


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
                    make_directory(target, name, self.owner)
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
        descriptor = open_regular(source, name)
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
