"""How sandboxes begin and end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from attrs import evolve

from agb.local.failures import SandboxError, SandboxGone
from agb.local.sandboxes.sandboxes import Sandboxes
from agb.local.settings import InsideSettings, Settings

from ..support.processes import GONE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

# A server without HTTP: opens a sandbox in which a marked command runs, says so, and waits.
SERVER = """
import asyncio, sys
from agb.local.sandboxes.sandboxes import Sandboxes
from agb.local.settings import Settings

async def main():
    sandboxes = await Sandboxes.start(Settings.from_environment())
    sandbox = await sandboxes.open("x")
    command = "touch f; mkdir -m 0 locked; setsid sleep %s & disown"
    await sandbox.call("shell", {"command": command, "timeout_ms": 9000}, timeout_s=10)
    print(sandboxes._host.state, sandboxes._keeper._spawning._process.pid, flush=True)
    if sys.argv[1] == "wait":
        await asyncio.sleep(60)
    await sandboxes.aclose()

asyncio.run(main())
"""


def processes(mark):
    """Return the numbers of the processes that have a mark in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if command.startswith("sleep " + mark):
                found.append(int(entry.name))
    return found


async def until(condition, timeout_s=5.0):
    """Wait for something another process does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def agent_of(sandbox):
    """Return the host's number of a sandbox's process 1, the parent of its commands."""
    mark = f"989.{sandbox._number:03}"
    command = {"command": f"sleep {mark} & echo", "timeout_ms": 9000}
    await sandbox.call("shell", command, timeout_s=10)
    await until(lambda: processes(mark))
    stat = Path(f"/proc/{processes(mark)[0]}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


async def test_closing_leaves_nothing(sandboxes):
    """Closing ends all processes of a sandbox and removes its files, however they are locked."""
    sandbox = await sandboxes.open("x")
    command = "mkdir -p a/b; touch a/b/c; chmod 0 a/b a; setsid sleep 987.01 & disown"
    await sandbox.call("shell", {"command": command, "timeout_ms": 9000}, timeout_s=10)
    await until(lambda: processes("987.01"))
    await sandbox.aclose()

    assert not processes("987.01")
    workspaces = Path(sandboxes._host.state, "sessions")
    assert str(sandbox._number) not in os.listdir(workspaces)
    await sandbox.aclose()
    with pytest.raises(SandboxGone):
        await sandbox.call("shell", {"command": ":", "timeout_ms": 1}, timeout_s=1)


async def test_no_zombies(sandboxes):
    """The spawner collects every process of the sandboxes it has ended."""
    opened = [await sandboxes.open("x") for _ in range(3)]
    spawner = sandboxes._keeper._spawning._process.pid
    children = Path(f"/proc/{spawner}/task/{spawner}/children")
    if not children.exists():
        pytest.skip("this kernel does not tell the children of a process")
    assert len(children.read_text().split()) >= 4
    for sandbox in opened:
        await sandbox.aclose()

    # What is left is what watches the disk.
    assert len(children.read_text().split()) == 1


async def test_deep_directories_are_removed(sandboxes):
    """A tree deeper than any recursion or path is removed."""
    sandbox = await sandboxes.open("x")
    dig = "import os\nfor _ in range(1100):\n  os.mkdir('deep'); os.chdir('deep')"
    await sandbox.call(
        "shell", {"command": f'python -c "{dig}"', "timeout_ms": 20000}, timeout_s=30
    )
    await sandbox.aclose()
    workspaces = Path(sandboxes._host.state, "sessions")

    # Slow where the disk is told of every block that becomes free.
    await until(lambda: str(sandbox._number) not in os.listdir(workspaces), timeout_s=30)


async def test_calls_in_flight_hear_of_the_end(sandboxes):
    """Closing a sandbox ends the calls that wait for it."""
    sandbox = await sandboxes.open("x")
    call = asyncio.create_task(
        sandbox.call("shell", {"command": "sleep 60", "timeout_ms": 60000}, timeout_s=60)
    )
    await asyncio.sleep(0)
    await sandbox.aclose()

    with pytest.raises(SandboxGone, match="closed"):
        await call


async def test_agent_killed(sandboxes, caplog):
    """An agent that the host kills costs its own sandbox, with a clear cause, and no other."""
    other = await sandboxes.open("other")
    sandbox = await sandboxes.open("x")
    os.kill(await agent_of(sandbox), signal.SIGKILL)
    with pytest.raises(SandboxGone, match="ended"):
        await sandbox.call("shell", {"command": "sleep 9", "timeout_ms": 9000}, timeout_s=10)
    with pytest.raises(SandboxGone, match="ended"):
        await sandbox.call("list_directory", {"path": "."}, timeout_s=10)
    await until(lambda: caplog.records)
    await sandbox.aclose()

    result = await other.call("shell", {"command": "echo ok", "timeout_ms": 9000}, timeout_s=10)
    assert result["stdout"] == "ok\n"
    await other.aclose()
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("the processes of x ended by themselves (status ")


async def test_stopped_agent():
    """An agent that has stopped answering costs its sandbox, not the server's time."""
    sandboxes = await Sandboxes.start(Settings(cancel_grace_s=0.2))
    sandbox = await sandboxes.open("x")
    os.kill(await agent_of(sandbox), signal.SIGSTOP)
    with pytest.raises(SandboxError, match="did not answer"):
        await sandbox.call("list_directory", {"path": "."}, timeout_s=0.5)
    await until(lambda: sandbox._connection.gone is not None)
    with pytest.raises(SandboxGone, match="stopped answering"):
        await sandbox.call("list_directory", {"path": "."}, timeout_s=5)
    await sandboxes.aclose()


async def test_slow_operation_is_cancelled(sandboxes):
    """A call beyond its deadline is cancelled inside; the sandbox lives on."""
    sandbox = await sandboxes.open("x")
    with pytest.raises(SandboxError, match=r"did not answer shell within 0\.3 s"):
        await sandbox.call("shell", {"command": "sleep 987.02", "timeout_ms": 60000}, timeout_s=0.3)
    await until(lambda: not processes("987.02"), timeout_s=GONE_S)

    assert await sandbox.call("list_directory", {"path": "."}, timeout_s=5) == {"entries": []}
    await sandbox.aclose()


async def test_spawner_killed():
    """When the spawner is killed its sandboxes end with that cause, and a new one opens others."""
    sandboxes = await Sandboxes.start(evolve(Settings.from_environment(), spare_sandboxes=0))
    sandbox = await sandboxes.open("x")
    call = asyncio.create_task(
        sandbox.call("shell", {"command": "sleep 987.03", "timeout_ms": 60000}, timeout_s=60)
    )
    await until(lambda: bool(processes("987.03")))
    os.kill(sandboxes._keeper._spawning._process.pid, signal.SIGKILL)
    with pytest.raises(SandboxGone, match="ended"):
        await call
    await until(lambda: not processes("987.03"), timeout_s=GONE_S)

    again = await sandboxes.open("y")
    assert await again.call("list_directory", {"path": "."}, timeout_s=5) == {"entries": []}
    state = Path(sandboxes._host.state)
    assert os.listdir(state / "sessions") == [str(again._number)]
    await sandboxes.aclose()
    assert not state.exists()


@pytest.mark.parametrize("way", ["killed", "ended"])
async def test_nothing_is_left_of_a_server(way):
    """Whether the server ends or is killed, soon no process and no file of it is left."""
    mark = f"987.1{way == 'killed':d}"
    argument = "wait" if way == "killed" else "end"
    with subprocess.Popen(
        [sys.executable, "-c", SERVER % mark, argument], stdout=subprocess.PIPE, text=True
    ) as server:
        state, spawner = server.stdout.readline().split()
        if way == "killed":
            try:
                await until(lambda: processes(mark))
            finally:
                server.kill()
    await until(lambda: not processes(mark))
    await until(lambda: not Path("/proc", spawner).exists())
    await until(lambda: not Path(state).exists())


async def test_closing_at_once(sandboxes):
    """A sandbox whose opening is given up leaves nothing."""
    for delay in (0, 0.002, 0.01, 0.02):
        task = asyncio.create_task(sandboxes.open("x"))
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    workspaces = Path(sandboxes._host.state, "sessions")

    await until(lambda: not os.listdir(workspaces))


async def test_many_at_once(sandboxes):
    """Many sandboxes are opened side by side, each with a home and a user of its own."""
    opened = await asyncio.gather(*(sandboxes.open(str(n)) for n in range(40)))
    await asyncio.gather(
        *(
            sandbox.call(
                "write_file", {"path": "n", "content": str(n), "mode": "overwrite"}, timeout_s=30
            )
            for n, sandbox in enumerate(opened)
        )
    )
    contents = [(await s.call("read_file", {"path": "n"}, timeout_s=30))["content"] for s in opened]

    assert contents == [str(n) for n in range(40)]
    await asyncio.gather(*(sandbox.aclose() for sandbox in opened))


async def test_arguments_too_large():
    """A request beyond the limit of a message is refused before it is sent."""
    from agb.local.failures import ToolError

    sandboxes = await Sandboxes.start(Settings(inside=InsideSettings(max_frame_bytes=4096)))
    sandbox = await sandboxes.open("x")
    with pytest.raises(ToolError, match="too large"):
        await sandbox.call("write_file", {"path": "a", "content": "x" * 5000}, timeout_s=5)
    await sandbox.call(
        "shell", {"command": "head -c 9000 /dev/zero >b", "timeout_ms": 9000}, timeout_s=10
    )
    with pytest.raises(ToolError, match="too large"):
        await sandbox.call("read_file", {"path": "b"}, timeout_s=5)

    assert (await sandbox.call("list_directory", {"path": "."}, timeout_s=5))["entries"]
    await sandboxes.aclose()


async def test_after_the_end(sandboxes):
    """A server that is shutting down opens nothing any more."""
    other = await Sandboxes.start(Settings.from_environment())
    await other.aclose()

    with pytest.raises(SandboxError, match="shutting down"):
        await other.open("x")
