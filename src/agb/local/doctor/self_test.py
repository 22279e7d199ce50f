"""The ten probes in a real sandbox: does it contain what it should, on this very machine?"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import tempfile
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..failures import SandboxError, ToolError
from ..machine.paths import is_below

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..sandboxes.sandbox import Sandbox, SandboxFactory

_TIMEOUT_S = 30
_PROGRAM = "agb-doctor.py"
# A home directory there can't be told from what every sandbox has at the same place.
_IN_EVERY_SANDBOX = ("/usr", "/etc", "/proc", "/dev", "/tmp", "/var/tmp", "/opt", "/home/user")  # noqa: S108


@frozen(kw_only=True)
class Outcome:
    """What came of a probe.

    Attributes:
        name: Its name.
        tries: What it tries, in words.
        got: What it got hold of; "" if it was contained.
    """

    name: str
    tries: str
    got: str

    @property
    def contained(self) -> bool:
        """Whether the sandbox held."""
        return not self.got


async def run(sandboxes: SandboxFactory, state: str) -> list[Outcome]:
    """Run the probes in a sandbox of their own, beside another one.

    Args:
        sandboxes: What opens sandboxes.
        state: The directory in which their files lie.

    Raises:
        SandboxError: They could not be run.
    """
    sandbox = await sandboxes.open("the self-test")
    try:
        other = await sandboxes.open("the neighbour of the self-test")
        try:
            with _secrets_of_host() as facts:
                await _write(other, str(facts["secret"]), "of another session")
                return await _attack(sandbox, {**facts, "state": state})
        finally:
            await other.aclose()
    finally:
        await sandbox.aclose()


async def _attack(sandbox: Sandbox, facts: dict[str, Any]) -> list[Outcome]:
    probes = files("agb.local.doctor").joinpath("probes.py").read_text(encoding="utf-8")
    await _write(sandbox, _PROGRAM, f"FACTS = {facts!r}\n{probes}\nprint(report())\n")
    command: dict[str, object] = {
        "command": f"exec python {_PROGRAM}",
        "timeout_ms": _TIMEOUT_S * 1000,
    }
    said = await _call(sandbox, "shell", command)
    try:
        return [Outcome(**each) for each in json.loads(said["stdout"])]
    except (ValueError, TypeError) as error:
        complaint = str(said["stderr"]).strip() or said["stdout"]
        raise SandboxError(f"The self-test did not end: {str(complaint)[-500:]!r}") from error


async def _write(sandbox: Sandbox, path: str, content: str) -> None:
    await _call(sandbox, "write_file", {"path": path, "content": content, "mode": "overwrite"})


async def _call(sandbox: Sandbox, method: str, params: dict[str, object]) -> dict[str, Any]:
    try:
        return await sandbox.call(method, params, timeout_s=_TIMEOUT_S + 10)
    except ToolError as error:
        raise SandboxError(f"The self-test could not {method}: {error}") from error


@contextlib.contextmanager
def _secrets_of_host() -> Generator[dict[str, Any]]:
    """Make what must not be found from inside: a file, a port, an abstract socket, a process."""
    secret = "agb-secret-" + secrets.token_hex(8)
    with (
        tempfile.TemporaryDirectory(prefix="agb-doctor-") as directory,
        socket.create_server(("127.0.0.1", 0)) as port,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        # All may read it: what keeps a session from it shall be the sandbox.
        os.chmod(directory, 0o755)  # noqa: S103
        canary = os.path.join(directory, "canary")
        with open(canary, "w", encoding="ascii") as file:
            file.write("not for sessions")
        abstract.bind("\0" + secret)
        abstract.listen()
        with open("/proc/self/cmdline", "rb") as file:
            command_line = file.read().decode("latin-1")
        yield {
            "secret": secret,
            "canary": canary,
            "private": _private(os.path.expanduser("~")),
            "port": port.getsockname()[1],
            "abstract": secret,
            "processes": {str(os.getpid()): command_line},
            "home": "/home/user",
            "scratch": ".",
        }


def _private(home: str) -> list[str]:
    """Return a home directory and what lies in it, as far as it tells of this machine."""
    if any(is_below(home, place) or is_below(place, home) for place in _IN_EVERY_SANDBOX):
        return []
    try:
        return [home, *(os.path.join(home, name) for name in sorted(os.listdir(home))[:200])]
    except OSError:
        return [home]
