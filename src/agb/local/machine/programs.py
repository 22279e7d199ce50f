"""The programs that sessions use: which ones this machine has, and what installs the others."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASK_TIMEOUT_S = 10.0
_VERSION = re.compile(r"\d+(\.\d+)+\S*")

# By the ID of /etc/os-release, or else by the first one known of its ID_LIKE.
_MANAGERS: Mapping[str, str] = {
    "debian": "sudo apt install",
    "ubuntu": "sudo apt install",
    "fedora": "sudo dnf install",
    "rhel": "sudo dnf install",
    "arch": "sudo pacman -S",
    "alpine": "sudo apk add",
    "suse": "sudo zypper install",
}
_PACKAGES: Mapping[str, Mapping[str, str]] = {
    "sudo apt install": {"java": "default-jdk-headless", "R": "r-base-core"},
    "sudo dnf install": {"java": "java-latest-openjdk-devel", "R": "R-core"},
    "sudo pacman -S": {"java": "jdk-openjdk", "R": "r"},
    "sudo apk add": {"java": "openjdk21-jdk", "R": "R"},
    "sudo zypper install": {"java": "java-21-openjdk-devel", "R": "R-base"},
}
_EVERYWHERE: Mapping[str, str] = {"bwrap": "bubblewrap", "node": "nodejs", "java": "jdk", "R": "R"}


@frozen(kw_only=True)
class Program:
    """A program, as this machine has it.

    Attributes:
        name: Its name.
        use: What it is for.
        path: Where it is; None if it is missing.
        version: What it says of itself; None if it does not.
        remedy: The command that installs it, if it is missing.
    """

    name: str
    use: str
    path: str | None
    version: str | None
    remedy: str | None


def look(name: str, use: str, path: str | None, *options: str) -> Program:
    """Ask a program for its version.

    Args:
        name: Its name.
        use: What it is for.
        path: Where it is, if that is known; None looks on the PATH.
        options: What makes it say its version; `--version` if none is given.
    """
    place = path or shutil.which(name)
    return Program(
        name=name,
        use=use,
        path=place,
        version=_version(place, *options) if place else None,
        remedy=None if place else install(name),
    )


def look_at_all(bubblewrap: str | None, python: str | None) -> list[Program]:
    """Look at all that sessions use.

    Args:
        bubblewrap: The one that is used; None looks on the PATH.
        python: The one that runs the cells; None is the one of this process.
    """
    return [
        look("bwrap", "sandboxes", bubblewrap),
        look("python", "cells in python", python or sys.executable),
        look("node", "cells in javascript", None),
        look("java", "cells in java", None),
        look("R", "cells in r", None),
    ]


def install(name: str) -> str:
    """Return the command that installs a program, on this distribution or on the usual ones."""
    manager = _manager()
    if manager is not None:
        return f"{manager} {_package(manager, name)}"
    return ", or ".join(f"{each} {_package(each, name)}" for each in _PACKAGES)


def _package(manager: str, name: str) -> str:
    return _PACKAGES[manager].get(name, _EVERYWHERE[name])


def _manager() -> str | None:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return None
    known = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    return next((_MANAGERS[name] for name in known if name in _MANAGERS), None)


def _version(path: str, *options: str) -> str | None:
    try:
        said = subprocess.run(
            [path, *(options or ["--version"])],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(said.stdout or said.stderr)
    return found.group() if found else None
