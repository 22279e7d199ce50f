"""Programs of an official client, run as a black box against `agb serve`.

`nox -s interop` installs the client in an environment of its own and names its version and that
environment's interpreter in AGB_INTEROP_VERSION and AGB_INTEROP_PYTHON. The client is never
imported here, nor is this package there: both have the same import name. A program prints, as JSON,
what it found out; the tests assert it.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

Facts = dict[str, Any]

VERSION = os.environ.get("AGB_INTEROP_VERSION", "")
# Release 0.9 gave most methods new names.
RELEASE = tuple(map(int, filter(None, VERSION.split("."))))
LATER = RELEASE >= (0, 9)
PROGRAMS = Path(__file__).parent / "programs"
PROGRAMS_BY_NAMES = PROGRAMS / ("since_0_9" if LATER else "since_0_4")

if not VERSION:  # no client to drive
    collect_ignore_glob = ["test_*.py"]
elif not LATER:
    collect_ignore_glob = ["test_since_0_9.py", "test_streaming.py"]
elif RELEASE < (0, 12):
    collect_ignore_glob = ["test_streaming.py"]
if RELEASE < (0, 7):
    collect_ignore_glob.append("test_file_transfer.py")


@pytest.fixture(scope="session")
def variables() -> Iterator[dict[str, str]]:
    """The environment variables by which every client finds a server that runs."""
    key = secrets.token_hex()
    with subprocess.Popen(
        [sys.executable, "-m", "agb.local", "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "AGB_API_KEY": key},
    ) as server:
        assert server.stdout
        endpoint = json.loads(server.stdout.readline())["endpoint"]
        yield {"AGB_API_KEY": key, "AGB_ENDPOINT": endpoint}
        server.terminate()


@pytest.fixture(scope="session")
def facts_of(
    variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Facts]:
    """Runs a program of the client, once for all tests, and gives what it found out."""
    directory = tmp_path_factory.mktemp("program")

    @cache
    def run(name: str) -> Facts:
        path = next(PROGRAMS_BY_NAMES.glob(f"{name}.py"), PROGRAMS / f"{name}.py")
        done = subprocess.run(
            [os.environ["AGB_INTEROP_PYTHON"], str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            # Nothing else of this environment: no PYTHONPATH, no proxy.
            env={"PATH": os.environ["PATH"], **variables},
            cwd=directory,
        )
        assert done.returncode == 0, done.stderr
        facts: Facts = json.loads(done.stdout)
        return facts

    return run
