"""What the tests of standing servers do with them."""

from __future__ import annotations

import subprocess
import sys

from agb import AGB, Config

SERVE = ["-m", "agb.local", "serve", "--json", "--port", "0", "--state"]


def client(server) -> AGB:
    return AGB(server.ready["api_key"], Config(endpoint=server.ready["endpoint"]))


def kill(server) -> None:
    server.process.kill()
    server.process.wait()


def refused(folder: str, *options: str, python: tuple[str, ...] = (sys.executable,)) -> str:
    """Start a server that must not start; return what it says, which is one line."""
    command = [*python, *SERVE, folder, *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    said = [line for line in ended.stderr.splitlines() if " INFO " not in line]
    assert len(said) == 1
    return ended.stderr
