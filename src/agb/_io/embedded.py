"""Find or start the embedded server: one per client process, alive as long as that process.

The server is a process of its own, never imported here. It watches its client, so a client that
is killed leaves nothing behind; `stop` and the end of the interpreter only end it sooner.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
from typing import IO, TYPE_CHECKING, cast

from attrs import define

from agb._core.exceptions import LocalServerError

if TYPE_CHECKING:
    import subprocess

_START_S = 30.0
_STOP_S = 10.0
_LOG_TAIL_BYTES = 2_000
_UNFIT_MACHINE = 3  # the exit code with which the server refuses a machine
_NEEDED = ("starlette", "uvicorn", "wsproto")

# `-c` instead of `-m`: the program's working directory must not shadow modules of the server.
_BOOTSTRAP = (
    "import sys; sys.path[:] = [entry for entry in sys.path if entry];"
    " {root!r} in sys.path or sys.path.insert(0, {root!r});"
    " from agb.local.commands import main; main()"
)
_SERVE = ("serve", "--host", "127.0.0.1", "--port", "0", "--json")
# What would change the server behind the program's back; the caller's key is never handed on.
_NOT_INHERITED = ("AGB_API_KEY", "AGB_ENDPOINT", "PYTHONWARNINGS", "PYTHONDEVMODE")


@define(eq=False)
class Server:
    """A server that was started.

    Args:
        endpoint: Its URL on the loopback interface.
        api_key: Its own random key.
        process: The server process.
        log: What it writes, a file without a name.
        owner: Process id of the client that started it; a forked child only uses it.
    """

    endpoint: str
    api_key: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    owner: int

    def is_ours(self) -> bool:
        """Tell whether this process started it; a forked child never polls or stops it."""
        return self.owner == os.getpid()

    def is_alive(self) -> bool:
        """Tell whether it runs, as far as this process can know."""
        return not self.is_ours() or self.process.poll() is None

    def end(self) -> None:
        """End it, however it is, and let go of all that belongs to it."""
        _end(self.process)
        self.log.close()

    def disown(self) -> None:
        """Let go of it in a forked child, which is not its parent and can't wait for it."""
        self.process.returncode = 0
        _close_pipes(self.process)
        self.log.close()

    def died(self) -> LocalServerError:
        """Make the error that says how it ended."""
        return LocalServerError(
            f"The embedded server ended (exit code {self.process.returncode}) and its sessions with"
            f" it; the next create() starts a new one. {_tail(self.log)}"
        )


_lock = threading.Lock()
_current: Server | None = None


def running() -> Server | None:
    """Return the server if it is up, without waiting for anything."""
    server = _current
    return server if server is not None and server.is_alive() else None


def server(start_again: bool) -> Server:
    """Return the server of this process; start it at the first use.

    Args:
        start_again: Whether to start a new one in place of one that died.

    Returns:
        A server that is up.

    Raises:
        LocalServerError: If it can't start, or if it died; the message names the cause.
    """
    global _current
    with _lock:
        if _current is not None and not _current.is_alive():
            if not start_again:
                raise _current.died()
            _current.end()
            _current = None
        if _current is None:
            _current = _start()
        return _current


def failure() -> LocalServerError | None:
    """Return the reason if the server has died, None if it is not known to have."""
    server = _current
    if server is None or not server.is_ours():
        return None
    import subprocess

    try:
        # A connection breaks a moment before its process can be waited for.
        server.process.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return None
    return server.died()


def stop() -> None:
    """End the server of this process with all its sessions; do nothing if there is none."""
    global _current
    with _lock:
        if _current is not None and _current.is_ours():
            _current.end()
            _current = None


def _end(process: subprocess.Popen[bytes]) -> None:
    import subprocess

    process.terminate()
    try:
        process.wait(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _close_pipes(process)


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _start() -> Server:
    _check_installed()
    import subprocess
    import tempfile

    log = tempfile.TemporaryFile(mode="a+b", buffering=0)  # noqa: SIM115  (lives with the server)
    owner_fd = _own_pidfd()
    options = ["--owner-stdin"] if owner_fd is None else ["--owner-fd", str(owner_fd)]
    # The folder that `agb` itself was imported from.
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _BOOTSTRAP.format(root=root), *_SERVE, *options],
            stdin=subprocess.PIPE if owner_fd is None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={name: text for name, text in os.environ.items() if name not in _NOT_INHERITED},
            # Ctrl-C is for the program, whose `finally` still needs the server.
            start_new_session=True,
            pass_fds=() if owner_fd is None else (owner_fd,),
        )
    except OSError as error:
        log.close()
        raise LocalServerError(f"The embedded server could not be started: {error}") from error
    finally:
        if owner_fd is not None:
            os.close(owner_fd)
    try:
        ready = _ready_line(process)
        server = Server(ready["endpoint"], ready["api_key"], process, log, os.getpid())
    except (ValueError, KeyError, TypeError) as error:
        raise _not_started(process, log) from error
    atexit.register(stop)
    return server


def _check_installed() -> None:
    from importlib.util import find_spec

    if sys.platform != "linux":
        raise LocalServerError(
            f"The embedded sandbox server needs Linux, and this is {_system()}. What works here is"
            " the client: with the AGB cloud (set AGB_API_KEY and no AGB_ENDPOINT), and with an"
            " `agb serve` that runs on Linux, be it another machine, a container or a virtual"
            " machine: set AGB_ENDPOINT to its http://…:8000, and AGB_API_KEY to the key it prints."
        )
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise LocalServerError(
            f"The embedded server is not installed ({', '.join(missing)} not found):"
            " pip install 'agb[local]'"
        )


def _system() -> str:
    return {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)


def _own_pidfd() -> int | None:
    """Open a descriptor of this very process, by which the server sees it end."""
    try:
        return os.pidfd_open(os.getpid())
    except (AttributeError, OSError):
        return None


def _ready_line(process: subprocess.Popen[bytes]) -> dict[str, str]:
    """Wait for the line that says where the server listens; `{}` if it ends or takes too long."""
    import select

    stdout = cast("IO[bytes]", process.stdout)
    ready, _, _ = select.select([stdout], [], [], _START_S)
    return cast("dict[str, str]", json.loads(stdout.readline())) if ready else {}


def _not_started(process: subprocess.Popen[bytes], log: IO[bytes]) -> LocalServerError:
    _end(process)
    tail = _tail(log)
    log.close()
    if process.returncode == _UNFIT_MACHINE:
        return LocalServerError(tail)
    return LocalServerError(f"The embedded server did not start ({process.returncode}): {tail}")


def _tail(log: IO[bytes]) -> str:
    try:
        size = log.seek(0, os.SEEK_END)
        log.seek(max(0, size - _LOG_TAIL_BYTES))
        return log.read().decode(errors="replace").strip() or "Its log is empty."
    except ValueError:  # closed: another thread stops the server at this moment
        return "It was stopped."


def _after_fork() -> None:
    """Make a child usable: another thread of the parent may have held the lock at that moment."""
    global _lock
    _lock = threading.Lock()
    if _current is not None:
        _current.disown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
