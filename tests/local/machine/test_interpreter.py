"""The Python that runs the cells, wherever it lies."""

from __future__ import annotations

import os
import sys
import venv
from pathlib import Path

import pytest

from agb.local.failures import MachineUnfit
from agb.local.machine import interpreter
from agb.local.machine.paths import is_below


def test_our_interpreter():
    """The interpreter that runs the server brings all it needs and nothing below `/usr`."""
    found = interpreter.find(None)

    assert found.is_ours
    assert found.executable == sys.executable
    assert not any(path.startswith("/usr/") for path in found.directories)
    for needed in (sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))):
        assert any(is_below(needed, path) for path in ("/usr", *found.directories))


def test_another_interpreter(tmp_path):
    """Another interpreter is asked where it is; one that does not run is named."""
    venv.create(tmp_path / "env")
    python = str(tmp_path / "env" / "bin" / "python")
    found = interpreter.find(python)
    assert (found.executable, found.is_ours) == (python, False)
    assert str(tmp_path / "env") in found.directories

    for broken in ("/nowhere/python", "/bin/false", "/bin/echo"):
        with pytest.raises(MachineUnfit, match=r"does not run.*AGB_LOCAL_PYTHON"):
            interpreter.find(broken)


def test_links_to_an_interpreter(tmp_path):
    """A link on the way is shown as a link, and never what lies beside it."""
    program, tools = os.path.realpath(sys.executable), tmp_path / "tools"
    tools.mkdir()
    (tools / "python3").symlink_to(program)
    (tmp_path / "short").symlink_to("tools")
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    python.unlink()
    python.symlink_to("../../short/python3")

    found = interpreter.find(str(python))
    assert dict(found.links) == {f"{tmp_path}/short/python3": program}
    assert str(tmp_path / "env") in found.directories
    assert not any(is_below(str(tools), path) for path in found.directories)

    found = interpreter.find(f"{tmp_path}/short/python3")
    assert dict(found.links) == {f"{tmp_path}/short/python3": program}
    assert not any(is_below(str(tmp_path), path) for path in found.directories)


def test_an_environment_that_shows_too_much(tmp_path, monkeypatch):
    """An environment that is, or contains, the home directory is refused."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    for prefix in (tmp_path / "home", tmp_path, Path("/")):
        with pytest.raises(MachineUnfit, match="directory of its own"):
            interpreter._describe(sys.executable, str(prefix), str(prefix), [], is_ours=True)
