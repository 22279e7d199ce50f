"""The Python that runs the cells: where it is, and which directories it needs."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from typing import TYPE_CHECKING

from attrs import frozen

from .machine import MachineUnfit

if TYPE_CHECKING:
    from collections.abc import Iterable

_ASK = """
import json, site, sys
print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, list(sys.version_info[:2]),
    [site.getusersitepackages()] if site.ENABLE_USER_SITE else []]))
"""
_ASK_TIMEOUT_S = 30
_NEVER_SHOWN = ("/", "/etc", "/home", "/root", "/run", "/tmp", "/var")  # noqa: S108


@frozen(kw_only=True)
class Interpreter:
    """A Python installation.

    Attributes:
        executable: Its path, which is the same inside a sandbox.
        directories: All it needs outside of `/usr`, none below another.
        packages: Directories of packages that it does not find by itself inside a sandbox.
        is_ours: Whether it is the one that runs this process.
    """

    executable: str
    directories: tuple[str, ...]
    packages: tuple[str, ...]
    is_ours: bool


def find(python: str | None) -> Interpreter:
    """Look at an interpreter.

    Args:
        python: Its path, or None for the one that runs this process.

    Raises:
        MachineUnfit: It does not run, is too old, or its directories cannot be shown to a sandbox.
    """
    if python is None:
        user_site = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
        return _describe(sys.executable, sys.prefix, sys.base_prefix, user_site, is_ours=True)
    try:
        answer = subprocess.run(
            [python, "-c", _ASK],
            capture_output=True,
            check=True,
            timeout=_ASK_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
        executable, prefix, base_prefix, version, user_site = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise MachineUnfit(
            f"The Python for cells does not run: {python!r} ({error}). Set AGB_LOCAL_PYTHON to the "
            "path of a working Python, or unset it to use the one that runs the server."
        ) from error
    if tuple(version) < (3, 10):
        raise MachineUnfit(
            f"The Python for cells is too old: {python!r} is {version[0]}.{version[1]}. Set "
            "AGB_LOCAL_PYTHON to a Python 3.10 or later that has IPython, or unset it."
        )
    return _describe(executable, prefix, base_prefix, user_site, is_ours=False)


def _describe(
    executable: str, prefix: str, base_prefix: str, user_site: Iterable[str], *, is_ours: bool
) -> Interpreter:
    """Collect the directories an installation is spread over."""
    packages = tuple(path for path in user_site if os.path.isdir(path))
    wanted = {prefix, base_prefix, *_along_links(executable)}
    wanted |= {os.path.realpath(path) for path in wanted}
    for path in wanted:
        _refuse_too_much(path)
    return Interpreter(
        executable=executable,
        directories=outermost([*wanted, *packages]),
        packages=packages,
        is_ours=is_ours,
    )


def _along_links(executable: str) -> set[str]:
    """Return the installation of each program that a chain of links leads through."""
    found: set[str] = set()
    path = os.path.abspath(executable)
    while os.path.islink(path) and path not in found:
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        found.add(path)
    # A program in /bin belongs to /usr, whichever way /bin leads there.
    return {os.path.dirname(os.path.dirname(program)) for program in found} - {"/"}


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


def _refuse_too_much(path: str) -> None:
    """Refuse an installation that would show sessions a home directory, or all there is."""
    home = os.path.realpath(os.path.expanduser("~"))
    if is_below(home, os.path.realpath(path)) and home != "/":
        raise MachineUnfit(
            f"The Python environment {path!r} contains your home directory, and sessions would see "
            "all of it. Make an environment in a directory of its own (python -m venv .venv) and "
            "install agb[local] there."
        )
    if os.path.realpath(path) in _NEVER_SHOWN:
        raise MachineUnfit(
            f"The Python environment is {path!r} itself, which sessions must not see. Make an "
            "environment in a directory of its own (python -m venv .venv)."
        )
