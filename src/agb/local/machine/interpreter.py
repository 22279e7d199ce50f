"""The Python that runs the cells: where it is, and which directories it needs."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import frozen

from ..failures import MachineUnfit
from .paths import is_below, outermost

if TYPE_CHECKING:
    from collections.abc import Iterable

_ASK = """
import json, site, sys
print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, list(sys.version_info[:2]),
    [site.getusersitepackages()] if site.ENABLE_USER_SITE else []]))
"""
_ASK_TIMEOUT_S = 30
_SHOWN = ("/usr", "/etc/alternatives")
"""What every sandbox sees anyway."""
_NEVER_SHOWN = ("/", "/etc", "/home", "/root", "/run", "/tmp", "/var")  # noqa: S108


@frozen(kw_only=True)
class Interpreter:
    """A Python installation.

    Attributes:
        executable: Its path, which is the same inside a sandbox.
        directories: All it needs outside of `/usr`, none below another.
        links: Those that lead to it from outside of these, each with the absolute path it leads to.
        packages: Directories of packages that it does not find by itself inside a sandbox.
        is_ours: Whether it is the one that runs this process.
    """

    executable: str
    directories: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
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
    chain = _chain(executable)
    # A program in /bin belongs to /usr, whichever way /bin leads there.
    wanted = {prefix, base_prefix, *({os.path.dirname(os.path.dirname(chain[-1]))} - {"/"})}
    wanted |= {os.path.realpath(path) for path in wanted}
    for path in wanted:
        _refuse_too_much(path)
    directories = outermost([*wanted, *packages])
    return Interpreter(
        executable=executable,
        directories=directories,
        links=tuple(
            (link, target)
            for link, target in pairwise(chain)
            if not any(is_below(_real_place(link), shown) for shown in (*_SHOWN, *directories))
        ),
        packages=packages,
        is_ours=is_ours,
    )


def _chain(executable: str) -> list[str]:
    """Follow the links from a path to the program; only the last one is not a link.

    What lies beside a link in the middle is no part of the installation: it may be `~/bin`.
    """
    chain = [os.path.abspath(executable)]
    while os.path.islink(chain[-1]):
        target = os.path.join(os.path.dirname(_real_place(chain[-1])), os.readlink(chain[-1]))
        chain.append(os.path.normpath(target))
    return chain


def _real_place(path: str) -> str:
    """Resolve the directory of a path, and not its last part."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


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
