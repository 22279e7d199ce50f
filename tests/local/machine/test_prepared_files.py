"""The files that are prepared for sandboxes."""

from __future__ import annotations

import subprocess
import sys

from agb.local.machine import prepared_files


def test_etc(tmp_path):
    """The prepared /etc knows one user and tells nothing about the machine."""
    source = tmp_path / "source"
    (source / "ssl").mkdir(parents=True)
    for name in ("passwd", "shadow", "hostname", "ld.so.cache", "ssl/openssl.cnf"):
        (source / name).write_text(f"the machine's {name}")
    target = tmp_path / "etc"
    target.mkdir()
    prepared_files.prepare_etc(str(target), str(source))

    assert (target / "passwd").read_text().startswith("user:x:1000:1000::/home/user:")
    assert (target / "hostname").read_text() == "sandbox\n"
    assert (target / "ssl/openssl.cnf").read_text() == "the machine's ssl/openssl.cnf"
    assert not (target / "shadow").exists()


def test_compiled_agent(tmp_path):
    """The agent's modules are compiled once for all sandboxes, and need nothing but the library."""
    prepared_files.prepare_agent(str(tmp_path / "inside"), compiled=True)
    sources = {path.stem for path in (tmp_path / "inside").glob("*.py")}
    compiled = {path.name.split(".")[0] for path in (tmp_path / "inside/__pycache__").iterdir()}
    assert sources == compiled

    subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; sys.path.append('.'); import inside.agent"],
        cwd=tmp_path,
        check=True,
    )
