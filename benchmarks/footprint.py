"""What a plain install of this package brings: distributions, and megabytes without bytecode."""

from __future__ import annotations

import re
from importlib.metadata import distribution, requires
from pathlib import Path

import agb


def distributions() -> set[str]:
    """Return the names of agb and of all that it needs, extras left out."""
    found: set[str] = set()
    rest = ["agb"]
    while rest:
        name = rest.pop()
        found.add(name)
        for requirement in requires(name) or []:
            text, _, marker = requirement.partition(";")
            needed = re.split(r"[^\w.-]", text.strip())[0].lower()
            if _holds(marker) and needed not in found:
                rest.append(needed)
    return found


def megabytes() -> float:
    """Return the size of their files. This package may be installed as a link to its source."""
    files = [
        Path(str(file.locate()))
        for name in distributions() - {"agb"}
        for file in distribution(name).files or []
        if not str(file).endswith(".pyc")
    ]
    files += [path for path in Path(agb.__file__).parent.rglob("*") if path.suffix != ".pyc"]
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


def _holds(marker: str) -> bool:
    if not marker.strip():
        return True
    from packaging.markers import Marker

    return Marker(marker).evaluate({"extra": ""})
