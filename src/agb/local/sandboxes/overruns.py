"""Says which limit a session has run into, for whoever asks why a program was killed."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, cast

from ..failures import ToolError
from ..variables import in_words, variable_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..settings import Settings

_WRITING = ("write_file", "edit_file", "create_directory", "move_file", "create_part")
_KILLED = 137
"""What a shell says of a program that was killed: 128 and SIGKILL."""
_KILLED_IN_WORDS = "Killed"
_LOST = "(signal 9); its variables are gone"
"""What the agent says of the process of a language that was killed."""


class Overruns:
    """Reads what the kernel and the warden have counted for one sandbox."""

    def __init__(self, settings: Settings, paths: Sequence[str]) -> None:
        """Prepare.

        Args:
            settings: The limits.
            paths: Files of `key value` lines; those of a control group, and the warden's.
        """
        self._paths = paths
        self._files: dict[str, int] = {}
        inside = settings.inside
        temporary, shared = settings.largest_temporary
        self._limits = {
            "oom_kill": _limit("memory", in_words(settings.max_memory_bytes), "max_memory_bytes"),
            "disk_kill": _limit("disk", in_words(settings.max_disk_bytes), "max_disk_bytes"),
            "inodes_kill": _limit("disk", f"{settings.max_inodes} files", "max_inodes"),
        }
        self._limits["disk_full"] = self._limits["disk_kill"]
        self._limits["inodes_full"] = self._limits["inodes_kill"]
        self._refusals = {
            "No space left on device": (
                f"/tmp holds {in_words(temporary)} ({variable_of('temporary_bytes')}), "  # noqa: S108
                f"/dev/shm {in_words(shared)} ({variable_of('shared_memory_bytes')}); for other "  # noqa: S108
                "paths make room on the server's disk"
            ),
            "File too large": (
                f"a file may have {in_words(inside.max_file_bytes)} "
                f"({variable_of('max_file_bytes')})"
            ),
        }

    def read(self) -> bytes:
        """Read all counters; what cannot be read is left out."""
        read = b""
        for path in self._paths:
            with contextlib.suppress(OSError):
                if path not in self._files:
                    self._files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                read += os.pread(self._files[path], 4096, 0)
        return read

    def close(self) -> None:
        """Let go of the files."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()
        self._paths = ()

    def refuse(self, method: str, counters: bytes) -> None:
        """Let nobody write to a disk that is full.

        Raises:
            ToolError: It is.
        """
        if method not in _WRITING:
            return
        counts = _counts(counters)
        for key in ("disk_full", "inodes_full"):
            if counts.get(key):
                raise ToolError(
                    f"Disk quota exceeded: the session is over its {self._limits[key]}. Delete "
                    "some files and try again a second later"
                )

    def explain(self, result: dict[str, object], before: bytes) -> dict[str, object]:
        """Add to the result of a program that was killed which limit it ran into.

        Args:
            result: What a method answered.
            before: The counters when it was called.
        """
        error, stderr = result.get("error"), result.get("stderr")
        problem = cast("dict[str, object]", error) if isinstance(error, dict) else {}
        if _LOST in str(problem.get("value")):
            note = self._note(before)
            value = f"{problem['value']}. {note}"
            return {**result, "error": {**problem, "value": value}} if note else result
        if isinstance(stderr, str) and (
            result.get("exit_code") == _KILLED or _KILLED_IN_WORDS in stderr
        ):
            note = self._note(before)
            line = "" if not stderr or stderr.endswith("\n") else "\n"
            return {**result, "stderr": f"{stderr}{line}{note}\n"} if note else result
        if isinstance(stderr, list) and stderr and _LOST in str(stderr[0]):
            # It was killed at some time before this call.
            note = self._note(b"")
            return {**result, "stderr": [f"{note}\n", *stderr]} if note else result
        return result

    def explained(self, error: ToolError, before: bytes) -> ToolError:
        """Add to what a method says no with which limit it ran into."""
        text = str(error)
        for refusal, limit in self._refusals.items():
            if text.startswith(refusal):
                return ToolError(f"{text} ({limit})", error.detail)
        note = self._note(before) if _LOST in text else ""
        return ToolError(f"{text}. {note}", error.detail) if note else error

    def _note(self, before: bytes) -> str:
        now = self.read()
        if now == before:
            return ""
        counted, earlier = _counts(now), _counts(before)
        over = [
            self._limits[key]
            for key in ("oom_kill", "disk_kill", "inodes_kill")
            if counted.get(key, 0) > earlier.get(key, 0)
        ]
        return f"Killed: the session is over its {' and its '.join(over)}" if over else ""


def _counts(counters: bytes) -> dict[str, int]:
    """Add up the lines `key value`."""
    counts: dict[str, int] = {}
    for line in counters.splitlines():
        key, _, value = line.decode("ascii").partition(" ")
        counts[key] = counts.get(key, 0) + int(value)
    return counts


def _limit(what: str, size: str, setting: str) -> str:
    return f"{what} limit of {size} ({variable_of(setting)})"
