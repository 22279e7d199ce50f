"""The tools that read and write files."""

from __future__ import annotations

import os
import stat

from .failures import ToolFailure, describe
from .paths import Home, kind_of, not_regular, open_regular, require_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .cancellation import Cancellation
    from .limits import Limits

_CONTINUATION = range(0x80, 0xC0)
_LONGEST_CHARACTER = 4


class Files:
    """Reads, writes, moves and removes files."""

    def __init__(self, limits: Limits, home: Home) -> None:
        self._limits = limits
        self._home = home

    def read_file(
        self,
        cancellation: Cancellation,
        *,
        path: str,
        offset: int = 0,
        length: int | None = None,
        format: str = "text",
    ) -> dict[str, object]:
        """Read a range of a file.

        A text range holds the characters whose first byte is in it, so that ranges laid side by
        side give the whole text.
        """
        descriptor = open_regular(self._home.resolve(path), os.O_RDONLY)
        with open(descriptor, "rb", buffering=0) as file:
            if format == "text":
                before, after = min(offset, _LONGEST_CHARACTER - 1), _LONGEST_CHARACTER - 1
            else:
                before, after = 0, 0
            file.seek(offset - before)
            wanted = None if length is None else before + length + after
            data = self._read(cancellation, path, file.fileno(), wanted)
        if format != "text":
            import base64

            return {"content": base64.b64encode(data).decode()}
        end = len(data) if length is None else before + length
        return {"content": _characters(data, before, end)}

    def read_multiple_files(
        self, cancellation: Cancellation, *, paths: Sequence[str]
    ) -> dict[str, object]:
        """Read several files; one that cannot be read does not spoil the others."""
        files: list[dict[str, str]] = []
        for path in paths:
            try:
                content = self.read_file(cancellation, path=path)["content"]
                files.append({"path": path, "content": str(content)})
            except ToolFailure as failure:
                files.append({"path": path, "error": str(failure)})
            except OSError as error:
                files.append({"path": path, "error": describe(error)})
        return {"files": files}

    def write_file(
        self, cancellation: Cancellation, *, path: str, content: str, mode: str = "overwrite"
    ) -> dict[str, object]:
        """Write text to a file, or add it at the end."""
        target = self._home.resolve(path)
        require_parent(target)
        data = content.encode()
        append = os.O_APPEND if mode == "append" else 0
        descriptor = open_regular(target, os.O_WRONLY | os.O_CREAT | append)
        with open(descriptor, "wb", buffering=0) as file:
            if not append:
                file.truncate(0)
            rest = memoryview(data)
            while rest:
                cancellation.check()
                rest = rest[file.write(rest[: 1 << 24]) :]
        return {"bytes": len(data)}

    def edit_file(
        self,
        cancellation: Cancellation,
        *,
        path: str,
        edits: Sequence[dict[str, str]],
        dryRun: bool = False,
    ) -> dict[str, object]:
        """Replace pieces of a text file, each where it first occurs; all of them or none."""
        target = self._home.resolve(path)
        descriptor = open_regular(target, os.O_RDONLY if dryRun else os.O_RDWR)
        with open(descriptor, "rb" if dryRun else "rb+", buffering=0) as file:
            data = self._read(cancellation, path, file.fileno(), None)
            try:
                before = data.decode()
            except UnicodeDecodeError:
                raise ToolFailure(f"Not a text file in UTF-8: {path!r}") from None
            after = before
            for edit in edits:
                after = _replace(after, edit["oldText"], edit["newText"], path)
            if not dryRun and after != before:
                _overwrite(file.fileno(), after.encode())
        return {"diff": _diff(before, after, path)}

    def move_file(
        self, cancellation: Cancellation, *, source: str, destination: str
    ) -> dict[str, object]:
        """Move a file or directory; a file in the way is replaced, a directory is not."""
        origin, target = self._home.resolve(source), self._home.resolve(destination)
        os.lstat(origin)
        require_parent(target)
        if os.path.isdir(target) and not os.path.samefile(origin, target):
            raise ToolFailure(f"The destination is a directory: {destination!r}")
        if os.path.lexists(target) and stat.S_ISDIR(os.lstat(origin).st_mode):
            raise ToolFailure(f"The destination exists: {destination!r}")
        try:
            os.rename(origin, target)
        except OSError as error:
            import errno

            # The home directory and /tmp are different file systems.
            if error.errno != errno.EXDEV:
                raise
            _move_across(origin, target)
        return {}

    def delete_file(self, cancellation: Cancellation, *, path: str) -> dict[str, object]:
        """Remove a file or a symbolic link."""
        target = self._home.resolve(path)
        if stat.S_ISDIR(os.lstat(target).st_mode):
            raise ToolFailure(f"Is a directory: {path!r} (delete_file removes files only)")
        os.unlink(target)
        return {}

    def get_file_info(self, cancellation: Cancellation, *, path: str) -> dict[str, object]:
        """Describe what a path names; of a link, what it points to."""
        target = self._home.resolve(path)
        status = os.lstat(target)
        is_link = stat.S_ISLNK(status.st_mode)
        if is_link and os.path.exists(target):
            status = os.stat(target)
        return {
            "name": os.path.basename(target.rstrip("/")) or "/",
            "path": os.path.normpath(target),
            "size": status.st_size,
            "type": kind_of(status.st_mode),
            "isDirectory": stat.S_ISDIR(status.st_mode),
            "isFile": stat.S_ISREG(status.st_mode),
            "isSymlink": is_link,
            "permissions": f"{stat.S_IMODE(status.st_mode):o}",
            "owner": _user(status.st_uid),
            "created": _iso(status.st_ctime),
            "modified": _iso(status.st_mtime),
            "modified_time": _iso(status.st_mtime),
            "accessed": _iso(status.st_atime),
        }

    def _read(
        self, cancellation: Cancellation, path: str, descriptor: int, wanted: int | None
    ) -> bytes:
        """Read up to `wanted` bytes, or to the end; refuse more than one call may carry."""
        limit = self._limits.max_read_bytes
        parts: list[bytes] = []
        size = 0
        while wanted is None or size < wanted:
            cancellation.check()
            part = os.read(descriptor, 1 << 20 if wanted is None else min(1 << 20, wanted - size))
            if not part:
                break
            parts.append(part)
            size += len(part)
            if size > limit + 2 * _LONGEST_CHARACTER:
                raise ToolFailure(
                    f"More than {limit} bytes in one read: {path!r} (read it in ranges)"
                )
        return b"".join(parts)


def _characters(data: bytes, start: int, end: int) -> str:
    """Decode the characters whose first byte is in `data[start:end]`.

    Args:
        data: UTF-8 with up to three bytes more on either side.
        start: Where the range starts in it.
        end: Where it ends; both may lie beyond the end of the file.
    """
    start = _character_end(data, min(start, len(data)))
    end = _character_end(data, min(end, len(data)))
    return data[start:end].decode("utf-8", "replace")


def _character_end(data: bytes, position: int) -> int:
    """Move a position inside a character to the character's end."""
    for lead in range(position - 1, max(-1, position - _LONGEST_CHARACTER), -1):
        if data[lead] in _CONTINUATION:
            continue
        end = lead + _character_length(data[lead])
        whole = all(byte in _CONTINUATION for byte in data[lead + 1 : end])
        return max(position, min(end, len(data))) if whole else position
    return position


def _character_length(lead: int) -> int:
    """Return how many bytes the character has that starts with this one."""
    if lead >= 0xF0:
        return 4
    if lead >= 0xE0:
        return 3
    return 2 if lead >= 0xC0 else 1


def _replace(text: str, old: str, new: str, path: str) -> str:
    """Replace the first occurrence."""
    if not old:
        raise ToolFailure("An edit's oldText is empty")
    if old not in text:
        raise ToolFailure(f"The text to replace does not occur in {path!r}: {_shortened(old)!r}")
    return text.replace(old, new, 1)


def _shortened(text: str) -> str:
    """Cut a text to what a message can hold."""
    return text if len(text) <= 200 else text[:200] + "…"


def _overwrite(descriptor: int, data: bytes) -> None:
    """Replace the content of an open file."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.ftruncate(descriptor, len(data))


def _diff(before: str, after: str, path: str) -> str:
    """Return a unified diff of two texts."""
    import difflib

    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path, path
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _move_across(origin: str, target: str) -> None:
    """Move between file systems: copy, then remove."""
    import shutil

    mode = os.lstat(origin).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
        raise not_regular(origin, mode)
    shutil.move(origin, target)


def _user(number: int) -> str:
    """Return a user's name, or the number of one that has no name here."""
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _iso(seconds: float) -> str:
    """Return a time as ISO 8601 in UTC."""
    import datetime

    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
