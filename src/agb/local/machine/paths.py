"""How paths of this machine lie to each other, and who gets to them."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from ..failures import MachineUnfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Leave out what is below another path, or below `/usr`, which every sandbox has."""
    kept: list[str] = []
    for path in sorted({os.path.abspath(path) for path in paths}):
        if not any(is_below(path, other) for other in ("/usr", *kept)):
            kept.append(path)
    return tuple(kept)


def is_below(path: str, directory: str) -> bool:
    """Say whether a path is a directory or something in it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def can_enter(path: str) -> bool:
    """Say whether every user can get to a path and read it."""
    return all(_open_to_all(way) for way in {os.path.abspath(path), os.path.realpath(path)})


def can_pass(path: str) -> bool:
    """Say whether every user can get to what lies in a directory that is opened to them."""
    path = os.path.dirname(os.path.realpath(path))
    while os.stat(path).st_mode & 0o001:
        if path == "/":
            return True
        path = os.path.dirname(path)
    return False


def second_paths(paths: Iterable[str], state: str) -> tuple[tuple[str, str], ...]:
    """Choose a reachable path for each that lies where only root gets to.

    Args:
        paths: What all users shall get to.
        state: The directory for everything the server has on disk.

    Returns:
        Each path that only root gets to, and its second path.

    Raises:
        MachineUnfit: One is closed itself, which no other path to it changes.
    """
    closed = [path for path in paths if not can_enter(path)]
    for path in closed:
        needed = 0o005 if os.path.isdir(path) else 0o004
        if os.stat(path).st_mode & needed != needed:
            raise MachineUnfit(
                f"The server is root, sandboxes run as users without rights, and {path!r} can be "
                f"read by root only. Open it to all: chmod -R go+rX {shlex.quote(path)}"
            )
    return tuple((path, f"{state}/binds/{index}") for index, path in enumerate(closed))


def reachable(path: str, private: Sequence[tuple[str, str]]) -> str:
    """Return the path by which all users get to a file; see `second_paths`."""
    for source, target in private:
        if is_below(path, source):
            return target + path[len(source) :]
    return path


def _open_to_all(path: str) -> bool:
    """Check one path without asking where links lead."""
    if not os.stat(path).st_mode & 0o004:
        return False
    while path != "/":
        if os.path.isdir(path) and not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True
