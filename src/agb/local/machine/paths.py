"""How paths of this machine lie to each other, and who gets to them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


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


def _open_to_all(path: str) -> bool:
    """Check one path without asking where links lead."""
    if not os.stat(path).st_mode & 0o004:
        return False
    while path != "/":
        if os.path.isdir(path) and not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True
