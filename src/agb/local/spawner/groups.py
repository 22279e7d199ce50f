"""The control groups of sessions, as the server has described them."""

from __future__ import annotations

import contextlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    Described = tuple[str, Sequence[tuple[str, str]]]


@contextlib.contextmanager
def entered(groups: Sequence[Described]) -> Generator[Callable[[], None] | None]:
    """Make groups, and give what a process does between fork and exec to be in them.

    A program that is moved after its start may have children by then, which stay behind.

    Args:
        groups: The directory of each, and what is written to its files; a name with a question
            mark before it is that of a file which is not on every machine.

    Yields:
        What to call; None if there are no groups.
    """
    descriptors: list[int] = []
    try:
        for path, values in groups:
            os.makedirs(path, exist_ok=True)
            for name, value in values:
                _write(os.path.join(path, name.lstrip("?")), value, needed=name[0] != "?")
            # Version 1 moves a single thread, which this is, without waiting for all processors.
            name = "tasks" if os.path.exists(os.path.join(path, "tasks")) else "cgroup.procs"
            # Whether one may enter is asked of who has opened it: this process, still root.
            descriptors.append(os.open(os.path.join(path, name), os.O_WRONLY))

        def enter() -> None:
            for descriptor in descriptors:
                os.write(descriptor, b"0")

        yield enter if descriptors else None
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def remove(paths: Sequence[str]) -> None:
    """Remove groups whose processes have ended."""
    for path in paths:
        with contextlib.suppress(OSError):
            os.rmdir(path)


def of_sessions(directories: Sequence[str]) -> list[str]:
    """Return the groups of sessions that are there, in the groups of a server."""
    found: list[str] = []
    for directory in directories:
        with contextlib.suppress(OSError):
            found += [entry.path for entry in os.scandir(directory) if entry.is_dir()]
    return found


def remove_all(directories: Sequence[str]) -> None:
    """Remove the groups of a server with those of its sessions."""
    remove(of_sessions(directories))
    remove(directories)


def _write(path: str, value: str, *, needed: bool) -> None:
    try:
        with open(path, "r+", encoding="ascii") as file:
            file.write(value)
    except FileNotFoundError:
        if needed:
            raise
