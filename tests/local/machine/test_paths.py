"""Who gets to paths, and how they lie to each other."""

from __future__ import annotations

import os
from pathlib import Path

from agb.local.machine.paths import can_enter, outermost


def test_entering(tmp_path):
    """A path all users can enter is open to all at each step, through links as well."""
    outer = tmp_path / "outer"
    inner = outer / "inner"
    inner.mkdir(parents=True)
    link = Path("/tmp") / f"agb-link-{os.getpid()}"
    link.symlink_to(inner)
    try:
        for path in (tmp_path, *tmp_path.parents):
            if str(path) == "/tmp":
                break
            path.chmod(0o755)
        outer.chmod(0o755)
        inner.chmod(0o755)
        assert can_enter(str(inner))
        assert can_enter(str(link))
        outer.chmod(0o700)
        assert not can_enter(str(inner))
        assert not can_enter(str(link))
    finally:
        link.unlink()


def test_outermost():
    """Directories below others are left out."""
    paths = ["/opt/b", "/opt/a/x", "/opt/a", "/opt/ab", "/usr/local"]

    assert outermost(paths) == ("/opt/a", "/opt/ab", "/opt/b")
