"""The life of the embedded server: one per client process, and nothing left behind.

Each test runs a program of its own and looks at it from outside.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest

# Of a second in all, but other tests load the machine; `nox -s endurance` holds it to that.
_GONE_S = 10.0
_MARKER = "AGB_TEST_MARKER"


def start(source: str, marker: str, **environment: str) -> subprocess.Popen[str]:
    """Start a program of its own; everything it starts carries the marker in its environment."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(source)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AGB_ENDPOINT": "local", _MARKER: marker, **environment},
    )


def run(source: str, marker: str = "-", **environment: str) -> str:
    """Run a program to its end; it must succeed and write nothing to standard error."""
    process = start(source, marker, **environment)
    out, error = process.communicate(timeout=100)
    assert process.returncode == 0, error
    assert error == ""
    return out


def servers(marker: str) -> set[int]:
    """Find the server processes that a marked program started, and all that these started."""
    parents: dict[int, int] = {}
    marked: set[int] = set()
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if f"{_MARKER}={marker}\0".encode() in file.read():
                    marked.add(int(name))
            with open(f"/proc/{name}/stat") as file:
                state, parent = file.read().rpartition(") ")[2].split()[:2]
            if state != "Z":
                parents[int(name)] = int(parent)
        except OSError:
            continue
    found = {pid for pid in marked if pid in parents}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def wait_until_gone(pids: set[int]) -> set[int]:
    """Wait until processes are gone, for a bounded time; return those that are not."""
    left = time.monotonic() + _GONE_S
    fds = {}
    for pid in pids:
        try:
            fds[pid] = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
    import select

    try:
        while fds and (timeout := left - time.monotonic()) > 0:
            poll = select.poll()
            for fd in fds.values():
                poll.register(fd, select.POLLIN)
            ended = {fd for fd, _ in poll.poll(timeout * 1000)}
            for pid in [pid for pid, fd in fds.items() if fd in ended]:
                os.close(fds.pop(pid))
        return set(fds)
    finally:
        for fd in fds.values():
            os.close(fd)


@pytest.fixture
def marker(request: pytest.FixtureRequest) -> Iterator[str]:
    """A name by which the processes of one test are found."""
    name = f"{os.getpid()}-{request.node.name}"
    yield name
    for pid in servers(name):
        os.kill(pid, signal.SIGKILL)


HOLD = """
    import sys
    from agb import AGB
    agb = AGB()
    session = agb.create().unwrap()
    session.command.execute_command("sleep 1000 & sleep 1000 &")
    session.code.run_code("x = 1", "python")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["exit", "SIGKILL", "SIGTERM"])
def test_nothing_is_left(end: str, marker: str) -> None:
    """Soon after its client is gone nothing of the server and its sandboxes is left."""
    process = start(HOLD, marker)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    started = servers(marker) - {process.pid}

    if end == "exit":
        process.communicate(timeout=30)
    else:
        process.send_signal(getattr(signal, end))
        process.communicate(timeout=30)

    assert len(started) >= 4  # server, spawner, bwrap, agent
    assert wait_until_gone(started) == set()


def test_one_server_for_many_threads(marker: str) -> None:
    """Threads that need the server at the same moment start one, in its own process session."""
    out = run(
        """
        import os, threading
        from agb import AGB
        from agb._io import embedded
        found = []
        go = threading.Barrier(8)
        def use():
            go.wait()
            found.append(AGB().create().unwrap().session_id)
        threads = [threading.Thread(target=use) for _ in range(8)]
        [t.start() for t in threads]; [t.join() for t in threads]
        server = embedded.running()
        print(len(set(found)), os.getsid(server.process.pid) != os.getsid(0))
        print(len(AGB().list(limit=50).unwrap()))
        """,
        marker,
    )

    assert out == "8 True\n8\n"


def test_the_thread_that_started_it_may_end(marker: str) -> None:
    """The server outlives the thread that started it."""
    out = run(
        """
        import threading
        from agb import AGB
        sessions = []
        thread = threading.Thread(target=lambda: sessions.append(AGB().create().unwrap()))
        thread.start(); thread.join()
        print(sessions[0].command.execute_command("echo alive", 5000).stdout, end="")
        """,
        marker,
    )

    assert out == "alive\n"


def test_ctrl_c_reaches_the_program_first(marker: str) -> None:
    """An interrupt of the terminal's group leaves the server to the program's `finally`."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                """
                import sys
                from agb import AGB
                session = AGB().create().unwrap()
                try:
                    print("ready", flush=True)
                    sys.stdin.read()
                except KeyboardInterrupt:
                    pass
                finally:
                    print(session.command.execute_command("echo still", 5000).stdout, end="")
                    print(session.delete().success)
                """
            ),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "AGB_ENDPOINT": "local", _MARKER: marker},
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=30)

    assert out == "still\nTrue\n"


def test_a_forked_child_uses_its_parents_server(marker: str) -> None:
    """A forked child uses the server, and its end does not end the server."""
    out = run(
        """
        import os
        import warnings
        # A child that leaves by its exit handlers drops its copies of the parent's connections.
        warnings.simplefilter("ignore", ResourceWarning)
        from agb import AGB, local
        from agb._io import embedded
        agb = AGB()
        session = agb.create().unwrap()
        session.file_system.write_file("from", "parent")
        child = os.fork()
        if child == 0:
            same = agb.get(session.session_id).unwrap()
            ok = same.file_system.read_file("from").content == "parent"
            local.stop()
            os._exit(0 if ok else 1)
        print(os.waitpid(child, 0)[1], flush=True)
        print(session.file_system.read_file("from").content, flush=True)
        child = os.fork()
        if child == 0:
            raise SystemExit(0)  # with the interpreter's exit handlers
        print(os.waitpid(child, 0)[1], flush=True)
        print(session.file_system.read_file("from").content, flush=True)
        """,
        marker,
    )

    assert out == "0\nparent\n0\nparent\n"


def test_multiprocessing(marker: str) -> None:
    """Processes started by fork and by spawn can use it, each by its own rules."""
    out = run(
        """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        from agb import AGB
        agb = AGB()
        session = agb.create().unwrap()
        for method in ("fork", "forkserver"):
            context = multiprocessing.get_context(method)
            queue = context.SimpleQueue()
            process = context.Process(target=exec, args=(
                "import agb, sys; print(agb.AGB().create().success, flush=True)",))
            process.start(); process.join()
            print(method, process.exitcode)
        """,
        marker,
    )

    assert out == "True\nfork 0\nTrue\nforkserver 0\n"


def test_a_server_that_dies(marker: str) -> None:
    """Calls after its death fail with that cause, and the next create starts a new one."""
    out = run(
        """
        import os, signal
        from agb import AGB
        from agb._io import embedded
        from agb.exceptions import LocalServerError
        agb = AGB()
        session = agb.create().unwrap()
        first = embedded.running()
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        for result in (session.command.execute_command("true"), session.info(), agb.list()):
            assert isinstance(result.exception, LocalServerError), result
            assert "ended (exit code -9)" in result.error_message, result
        second = agb.create().unwrap()
        print(second.command.execute_command("echo new", 5000).stdout, end="")
        print(agb.get(session.session_id).success)
        """,
        marker,
    )

    assert out == "new\nFalse\n"


def test_a_server_that_dies_during_a_call(marker: str) -> None:
    """A call that is under way when the server dies fails with that cause."""
    out = run(
        """
        import os, signal, threading
        from agb import AGB
        from agb._io import embedded
        from agb.exceptions import LocalServerError
        agb = AGB()
        session = agb.create().unwrap()
        started = embedded.running().process.pid
        session.file_system.create_directory("w")
        def kill():
            while not other.file_system.read_file("begun").success:
                pass
            os.kill(started, signal.SIGKILL)
        other = agb.get(session.session_id).unwrap()
        thread = threading.Thread(target=kill); thread.start()
        result = session.command.execute_command("echo > begun; sleep 30", 60_000)
        thread.join()
        print(type(result.exception) is LocalServerError)
        """,
        marker,
    )

    assert out == "True\n"


def test_stop(marker: str) -> None:
    """`agb.local.stop()` ends it early, may be called twice, and the next create starts anew."""
    out = run(
        """
        from agb import AGB, local
        from agb._io import embedded
        agb = AGB()
        local.stop()
        first = agb.create().unwrap()
        local.stop()
        local.stop()
        print(embedded.running())
        print(agb.create().success)
        """,
        marker,
    )

    assert out == "None\nTrue\n"


def test_closing_a_client_leaves_the_server(marker: str) -> None:
    """Closing closes connections only: a second client finds the session of the first."""
    out = run(
        """
        from agb import AGB
        with AGB() as agb:
            session_id = agb.create().unwrap().session_id
        print(AGB().get(session_id).success)
        """,
        marker,
    )

    assert out == "True\n"


def test_the_callers_key_stays_with_the_caller(marker: str) -> None:
    """The key of the caller is neither sent to the server nor in its environment."""
    out = run(
        """
        from agb import AGB
        from agb._io import embedded
        agb = AGB(api_key="planted-key")
        agb.create().unwrap()
        server = embedded.running()
        with open(f"/proc/{server.process.pid}/environ", "rb") as file:
            environment = file.read()
        print(b"planted-key" in environment, server.api_key == "planted-key")
        """,
        marker,
        AGB_API_KEY="planted-key",
    )

    assert out == "False False\n"


def test_a_working_directory_that_shadows_modules(marker: str, tmp_path: os.PathLike[str]) -> None:
    """Modules in the program's working directory do not reach the server."""
    for name in ("uvicorn.py", "sqlite3.py", "typer.py", "secrets.py"):
        with open(os.path.join(tmp_path, name), "w") as file:
            file.write("raise SystemExit('shadowed')")
    source = f"import os; os.chdir({os.fspath(tmp_path)!r})" + textwrap.dedent(
        """
        from agb import AGB
        print(AGB().create().success)
        """
    )

    assert run(source, marker) == "True\n"


def test_a_server_that_cannot_start(marker: str) -> None:
    """When the server does not come up, the reason from its log is in the message."""
    out = run(
        """
        from agb import AGB
        result = AGB().create()
        print(result.success, type(result.exception).__name__)
        print(result.error_message)
        """,
        marker,
        AGB_LOCAL_PYTHON="/nowhere/python",
    )

    assert out.startswith("False LocalServerError\n")
    assert "/nowhere/python" in out
    assert "Traceback" not in out


@pytest.mark.parametrize(("platform", "name"), [("darwin", "macOS"), ("win32", "Windows")])
def test_other_systems(platform: str, name: str) -> None:
    """On macOS and Windows the message says what works there and what does not."""
    out = run(
        f"""
        from types import SimpleNamespace
        from agb import AGB
        from agb._io import embedded
        embedded.sys = SimpleNamespace(platform={platform!r})
        result = AGB.local().create()
        print(result.success, type(result.exception).__name__)
        print(result.error_message)
        """
    )

    assert out.startswith("False LocalServerError\n")
    assert f"needs Linux, and this is {name}. What works here is the client" in out
    assert "`agb serve` that runs on Linux" in out


def test_serve_speaks_to_any_client(marker: str) -> None:
    """`agb serve --json` prints endpoint and key in its first line, and SIGTERM ends it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "agb.local", "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, _MARKER: marker},
    )
    assert server.stdout is not None
    ready = json.loads(server.stdout.readline())
    out = run(
        """
        from agb import AGB
        with AGB() as agb, agb.open_session() as session:
            print(session.code.run_code("print(1 + 1)", "python").result, end="")
        """,
        "client",
        AGB_ENDPOINT=ready["endpoint"],
        AGB_API_KEY=ready["api_key"],
    )
    started = servers(marker)

    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=30)

    assert out == "2\n"
    assert ready["pid"] == server.pid
    assert server.returncode == 0
    assert wait_until_gone(started) == set()
