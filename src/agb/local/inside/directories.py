"""The tools that list, search and watch directories."""

from __future__ import annotations

import os
import stat

from .failures import ToolFailure
from .paths import PART, Home, entries
from .patterns import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .cancellation import Cancellation
    from .limits import Limits

    State = tuple[bool, int, int, int]
    Snapshot = dict[str, State]


class Directories:
    """Lists, searches and watches directories."""

    def __init__(self, limits: Limits, home: Home) -> None:
        self._limits = limits
        self._home = home
        self._seen: dict[str, Snapshot] = {}

    def create_directory(self, cancellation: Cancellation, *, path: str) -> dict[str, object]:
        """Make a directory and those above it; one that is there already is fine."""
        os.makedirs(self._home.resolve(path), exist_ok=True)
        return {}

    def list_directory(self, cancellation: Cancellation, *, path: str) -> dict[str, object]:
        """List what is in a directory; a link to a directory counts as one."""
        found: list[dict[str, object]] = []
        for entry in entries(self._home.resolve(path)):
            cancellation.check()
            self._check_count(len(found) + 1, path)
            found.append({"name": entry.name, "isDirectory": _is_directory(entry)})
        return {"entries": found}

    def search_files(
        self,
        cancellation: Cancellation,
        *,
        path: str,
        pattern: str,
        excludePatterns: Sequence[str] = (),
    ) -> dict[str, object]:
        """Find files and directories below a path; links are not followed."""
        top = os.path.normpath(self._home.resolve(path))
        wanted = Pattern(pattern)
        unwanted = [Pattern(exclude) for exclude in excludePatterns]
        matches: list[str] = []
        for entry in self._walk(cancellation, top, unwanted):
            if wanted.matches(entry.name, _relative(entry.path, top)):
                matches.append(entry.path)
                self._check_count(len(matches), path)
        return {"matches": matches}

    def get_file_change(self, cancellation: Cancellation, *, path: str) -> dict[str, object]:
        """Tell what changed below a path since it was last asked about."""
        top = os.path.normpath(self._home.resolve(path))
        before = self._seen.get(top)
        try:
            after = self._snapshot(cancellation, top)
        except FileNotFoundError:
            # What was watched is gone. It may come back, and then all in it is new.
            if before is None:
                raise
            after = {}
        # Taken out and put back: the one asked about longest ago comes first. Only now, because a
        # call that is cancelled must leave the point to compare with where it is.
        self._seen.pop(top, None)
        self._seen[top] = after
        if len(self._seen) > self._limits.max_watched_paths:
            del self._seen[next(iter(self._seen))]
        return {"events": [] if before is None else list(_changes(before, after))}

    def _snapshot(self, cancellation: Cancellation, top: str) -> Snapshot:
        """Note what tells a changed file from an unchanged one."""
        status = os.stat(top)
        if not stat.S_ISDIR(status.st_mode):
            return {top: _state(status)}
        snapshot: Snapshot = {}
        for entry in self._walk(cancellation, top, ()):
            if entry.name.startswith(PART):
                continue  # it changes when it takes its place
            try:
                snapshot[entry.path] = _state(entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                continue
            self._check_count(len(snapshot), top)
        return snapshot

    def _walk(
        self, cancellation: Cancellation, top: str, unwanted: Sequence[Pattern]
    ) -> Iterator[os.DirEntry[str]]:
        """Give all entries below a directory, by name, depth first."""
        levels = [entries(top)]
        while levels:
            cancellation.check()
            entry = next(levels[-1], None)
            if entry is None:
                levels.pop()
                continue
            relative = _relative(entry.path, top)
            if any(pattern.matches(entry.name, relative) for pattern in unwanted):
                continue
            yield entry
            if entry.is_dir(follow_symlinks=False):
                levels.append(_readable_entries(entry.path))

    def _check_count(self, count: int, path: str) -> None:
        """Refuse a directory with more in it than one reply should carry."""
        if count > self._limits.max_matches:
            raise ToolFailure(f"More than {self._limits.max_matches} entries: {path!r}")


def _relative(path: str, top: str) -> str:
    """Return a path below a directory as seen from there."""
    return path[len(top) :].lstrip("/")


def _readable_entries(path: str) -> Iterator[os.DirEntry[str]]:
    """Give the entries of a directory, none if it may not be read or has just gone."""
    try:
        yield from entries(path)
    except OSError:
        return


def _is_directory(entry: os.DirEntry[str]) -> bool:
    """Say whether an entry is a directory; a link that cannot be followed is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _state(status: os.stat_result) -> State:
    """Reduce a status to what a change of content changes."""
    return stat.S_ISDIR(status.st_mode), status.st_ino, status.st_size, status.st_mtime_ns


def _changes(before: Snapshot, after: Snapshot) -> Iterator[dict[str, object]]:
    """Compare two snapshots."""
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield _event("delete", name, before[name])
        elif name not in before:
            yield _event("create", name, after[name])
        elif before[name] != after[name] and not after[name][0]:
            # A directory's own time and size say only that something in it came or went.
            yield _event("modify", name, after[name])


def _event(kind: str, path: str, state: State) -> dict[str, object]:
    """Describe one change."""
    return {"eventType": kind, "path": path, "pathType": "directory" if state[0] else "file"}
