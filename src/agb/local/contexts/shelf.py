"""The files of contexts on this machine's disk; every method works in the calling thread."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Generator, Sequence

import attrs

from . import archive, beneath
from .beneath import Owner, directory, walk
from .copying import Copying
from .incoming import Incoming
from .mounts import Mount, WhiteLists, parts

_DAY_S = 24 * 3600
_OURS = Owner()


@attrs.frozen
class Entry:
    """A file or folder of a context.

    Attributes:
        path: Its path in the context.
        is_folder: True for a folder.
        size: Its length in bytes.
        changed_s: When its content was changed last, in seconds since 1970.
        saved_s: When it was saved.
    """

    path: str
    is_folder: bool
    size: int
    changed_s: float
    saved_s: float

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.rpartition("/")[2]


class Shelf:
    """The files of all contexts of one server, below one directory that only it can enter."""

    def __init__(self, path: str, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes

    def make(self, context_id: str) -> None:
        """Make the place of a new context."""
        os.makedirs(os.path.join(self._path, context_id), mode=0o700)

    def remove(self, context_id: str) -> None:
        """Remove a context with all its files."""
        with directory(self._path) as top:
            beneath.remove(top, context_id)

    def clear(self, context_id: str) -> None:
        """Remove all files of a context."""
        with self._top(context_id) as top:
            for name in os.listdir(top):
                beneath.remove(top, name)

    def list(self, context_id: str, folder: str) -> list[Entry]:
        """List the entries of a folder, by name; a folder that is not there has none."""
        with self._top(context_id) as top:
            try:
                with walk(top, parts(folder)) as descriptor:
                    found = beneath.entries(descriptor)
            except (FileNotFoundError, NotADirectoryError):
                return []
        prefix = folder.rstrip("/")
        return [
            Entry(
                path=f"{prefix}/{os.fsencode(name).decode(errors='replace')}",
                is_folder=stat.S_ISDIR(facts.st_mode),
                size=0 if stat.S_ISDIR(facts.st_mode) else facts.st_size,
                changed_s=facts.st_mtime,
                saved_s=facts.st_ctime,
            )
            for name, facts in found
        ]

    def open(self, context_id: str, path: str) -> int:
        """Open a file for reading.

        Raises:
            OSError: There is none.
        """
        with self._top(context_id) as top:
            return beneath.open_file(top, parts(path))

    @contextlib.contextmanager
    def writing(self, context_id: str, path: str) -> Generator[Incoming]:
        """Write a file, in pieces; it takes its place whole at the end, or not at all.

        Raises:
            OSError: It can't be there.
        """
        names = parts(path)
        with (
            self._top(context_id) as top,
            walk(top, names[:-1], make=_OURS) as parent,
            beneath.replacing(parent, names[-1], _OURS) as descriptor,
        ):
            yield Incoming(descriptor, self._max_bytes)

    def delete(self, context_id: str, path: str) -> None:
        """Delete a file, or a folder with everything in it.

        Raises:
            OSError: There is none.
        """
        names = parts(path)
        with self._top(context_id) as top, walk(top, names[:-1]) as parent:
            os.stat(names[-1], dir_fd=parent, follow_symlinks=False)
            beneath.remove(parent, names[-1])

    def download(self, mount: Mount, volume: str, path: str) -> None:
        """Copy the files of a context into a volume.

        Args:
            mount: The context in its session.
            volume: The volume's directory on this machine.
            path: Only what is below this path of the session.

        Raises:
            OSError: A file could not be read or written.
            TooMuch: They are too many.
        """
        self._recycle(mount)
        with self._top(mount.context_id) as top, directory(volume) as inside:
            below = _below(mount, path)
            owner = Owner.of(inside)
            try:
                with (
                    walk(top, [*parts(mount.kept_at), *below]) as kept,
                    walk(inside, below, make=owner) as target,
                ):
                    if mount.archived and mount.extracts:
                        self._unpack(mount, kept, target, owner)
                    else:
                        self._copying(mount, owner).copy(kept, target, _prefix(below))
            except FileNotFoundError:
                pass  # nothing was ever saved there

    def upload(self, mount: Mount, volume: str, path: str) -> None:
        """Copy the files of a volume into its context; see `download`."""
        with self._top(mount.context_id) as top, directory(volume) as inside:
            below = _below(mount, path)
            with (
                walk(inside, below) as source,
                walk(top, [*parts(mount.kept_at), *below], make=_OURS) as kept,
            ):
                if mount.archived:
                    self._pack(mount, source, kept)
                    return
                copying = self._copying(mount, _OURS)
                copying.copy(source, kept, _prefix(below))
                if mount.deletes:
                    copying.prune(source, kept, _prefix(below))

    def _pack(self, mount: Mount, source: int, kept: int) -> None:
        with archive.staging(self._path) as path, directory(path) as staged:
            if not (mount.deletes and mount.extracts):
                # The session does not have all of it, so what it lacks is not deleted.
                archive.unpack(kept, path, self._max_bytes)
            self._copying(mount, _OURS).copy(source, staged)
            beneath.remove(staged, archive.NAME)
            archive.pack(path, kept)

    def _unpack(self, mount: Mount, kept: int, target: int, owner: Owner) -> None:
        with archive.staging(self._path) as path, directory(path) as staged:
            if archive.unpack(kept, path, self._max_bytes):
                self._copying(mount, owner).copy(staged, target)
        if mount.keeps_archive:
            only = WhiteLists(((archive.NAME, ()),))
            Copying(only, owner, self._max_bytes).copy(kept, target)

    def _copying(self, mount: Mount, owner: Owner) -> Copying:
        return Copying(mount.selection, owner, self._max_bytes)

    def _recycle(self, mount: Mount) -> None:
        """Remove what was saved longer ago than the policy keeps it."""
        if mount.keep_days is None:
            return
        oldest = time.time() - mount.keep_days * _DAY_S
        recycled = WhiteLists(tuple((each, ()) for each in mount.recycled))
        folders = [mount.kept_at]
        while folders:
            for entry in self.list(mount.context_id, folders.pop()):
                path = entry.path[len(mount.kept_at) :].strip("/")
                if entry.is_folder:
                    folders.append(entry.path)
                elif entry.saved_s < oldest and recycled.takes(path):
                    with contextlib.suppress(OSError):
                        self.delete(mount.context_id, entry.path)

    @contextlib.contextmanager
    def _top(self, context_id: str) -> Generator[int]:
        with directory(self._path) as top, walk(top, [context_id]) as descriptor:
            yield descriptor


def _below(mount: Mount, path: str) -> list[str]:
    """Return the way from the top of a context to a path; an archive is only brought whole."""
    return [] if mount.archived else parts(path[len(mount.path) :])


def _prefix(below: Sequence[str]) -> str:
    return "".join(f"{part}/" for part in below)
