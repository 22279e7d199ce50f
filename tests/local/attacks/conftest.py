"""Servers to be attacked: one as root, if the tests run as root, and one as an ordinary user."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from ..support.users import AS_ORDINARY_USER, ORDINARY_USER

HERE = Path(__file__).parent
KEY = "planted-key-" + secrets.token_hex(8)
LIMITS = {
    "AGB_LOCAL_MAX_MEMORY": "320M",
    "AGB_LOCAL_MAX_DISK": "48M",
    "AGB_LOCAL_MAX_INODES": "3000",
    "AGB_LOCAL_MAX_PROCESSES": "96",
    "AGB_LOCAL_MAX_FILE": "32M",
    "AGB_LOCAL_MAX_OPEN_FILES": "256",
    "AGB_LOCAL_MAX_OUTPUT": "64K",
}
MODES = ["root", "ordinary user"] if os.geteuid() == 0 else ["ordinary user"]


class Target:
    """A server to attack, and how many attacks it has withstood."""

    def __init__(self, mode: str) -> None:
        command = [sys.executable, "-m", "agb.local", "serve", "--port", "0", "--json"]
        if os.geteuid() == 0 and mode != "root":
            command = [*AS_ORDINARY_USER, *command]
        self.mode = mode
        self._log = os.memfd_create("log")
        self.contexts = tempfile.mkdtemp(prefix="attacks-")
        if os.geteuid() == 0 and mode != "root":
            os.chown(self.contexts, ORDINARY_USER, ORDINARY_USER)
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd="/",
            env={**os.environ, **LIMITS, "AGB_API_KEY": KEY, "AGB_LOCAL_CONTEXTS": self.contexts},
        )
        line = self.process.stdout.readline()
        if not line:
            self.process.stdout.close()
            if self.process.wait(30) != 3:
                raise RuntimeError(f"agb serve did not start as {mode}")
            pytest.skip(f"this machine can't run sandboxes as {mode}")
        self.ready = json.loads(line)
        self.port = int(self.ready["endpoint"].rsplit(":", 1)[1])

    def call(self, path: str, **body: object) -> dict:
        """Send a request with a body."""
        return self._send("POST", path, json.dumps(body))

    def get(self, path: str, **query: str) -> dict:
        """Send a request with a query."""
        return self._send("GET", f"{path}?{urlencode(query)}", "")

    def kept_files(self) -> list[str]:
        """All files that contexts hold, as this machine sees them."""
        return [
            os.path.join(directory, name)
            for directory, _, names in os.walk(self.contexts)
            for name in names
        ]

    def log(self) -> str:
        """What the server has logged until now."""
        return os.pread(self._log, os.fstat(self._log).st_size, 0).decode("utf-8", "replace")

    def _send(self, method: str, path: str, body: str) -> dict:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        try:
            headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
            connection.request(method, path, body, headers)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def session(self, **parameters: object) -> Session:
        """Open a session."""
        stats = json.dumps({"sdk_version": "0.12.0"})
        envelope = self.call("/mcp/createSession", sdkStats=stats, **parameters)
        assert envelope["success"], envelope
        return Session(self, envelope["data"]["sessionId"])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()
        shutil.rmtree(self.contexts)
        os.close(self._log)


class Session:
    """A session to attack from."""

    def __init__(self, target: Target, number: str) -> None:
        self.target = target
        self.id = number

    def tool(self, name: str, **arguments: object) -> tuple[str, bool]:
        """Call a tool; its text, and whether it is an error."""
        envelope = self.target.call(
            "/mcp", sessionId=self.id, name=name, args=json.dumps(arguments)
        )
        assert envelope["success"], envelope
        return envelope["data"]["content"][0]["text"], envelope["data"]["isError"]

    def command(self, command: str, timeout_s: float = 30) -> dict:
        text, _ = self.tool("shell", command=command, timeout_ms=int(timeout_s * 1000))
        return json.loads(text)

    def python(self, program: str, timeout_s: float = 30) -> dict:
        """Run a program as a command."""
        text, failed = self.tool("write_file", path="attack.py", content=program)
        assert not failed, text
        return self.command("exec python attack.py", timeout_s)

    def cell(self, code: str, timeout_s: float = 30) -> dict:
        return json.loads(
            self.tool("run_code", code=code, language="python", timeout_s=timeout_s)[0]
        )

    def close(self) -> None:
        self.target.call("/mcp/releaseSession", sessionId=self.id)


@pytest.fixture(scope="session", params=MODES)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """The server, as each kind of user in turn."""
    started = Target(request.param)
    yield started
    started.stop()


@pytest.fixture
def session(target: Target) -> Iterator[Session]:
    """A session of the test's own."""
    opened = target.session()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def host_secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """What must not be found from inside: a file, a port, an abstract socket."""
    secret = "agb-secret-" + secrets.token_hex(8)
    canary = tmp_path_factory.mktemp("canary") / secret
    canary.write_text(secret)
    abstract = "agb-probe-" + secrets.token_hex(8)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind("\0" + abstract)
        local.listen()
        yield {
            "secret": secret,
            "canary": str(canary),
            "port": server.getsockname()[1],
            "abstract": abstract,
            "home": "/home/user",
        }


@pytest.fixture(scope="session")
def table() -> Iterator[Callable[[str, int, int], None]]:
    """Collects how many attacks were contained, and prints it when all are done."""
    rows: dict[str, tuple[int, int]] = {}

    def add(what: str, contained: int, tried: int) -> None:
        before = rows.get(what, (0, 0))
        rows[what] = before[0] + contained, before[1] + tried

    yield add
    rows["all"] = sum(row[0] for row in rows.values()), sum(row[1] for row in rows.values())
    lines = [f"  {what:<40}{done:>7} of {all:>7} contained" for what, (done, all) in rows.items()]
    sys.__stdout__.write("\nAttacks\n" + "\n".join(lines) + "\n")
