"""Programs of a session that kill what they can: the session itself lives on."""

from __future__ import annotations

import pytest

from agb.local.failures import ToolError

pytestmark = pytest.mark.asyncio(loop_scope="module")

PKILL_PYTHON = """
import os, signal
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        if b"python" in open(f"/proc/{name}/cmdline", "rb").read():
            os.kill(int(name), signal.SIGTERM)
"""
EVERY_SIGNAL = """
import os
for number in range(1, 65):
    try: os.kill(1, number)
    except OSError: pass
"""
# Waits until all orphans have ended and are collected; says which are not.
ORPHANS = """
import glob, time
deadline = time.monotonic() + 5
while True:
    left = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try: stat = open(path).read()
        except OSError: continue
        if "(sleep)" in stat or stat.rpartition(")")[2].split()[0] == "Z": left.append(stat)
    if not left or time.monotonic() > deadline: break
print(*left)
"""


# Keeps the session full.
BOMB = """
import os, time
while True:
    try: os.fork() or time.sleep(99)
    except OSError: open("full", "w"); time.sleep(0.001)
"""
# Takes all room from the agent, then gives back that for one more thread, then the rest.
SQUEEZE = """
import glob, resource, time
soft, hard = resource.prlimit(1, resource.RLIMIT_NPROC)
resource.prlimit(1, resource.RLIMIT_NPROC, (1, hard))
time.sleep(0.5)
threads = sum(len(glob.glob(f"{path}/task/*")) for path in glob.glob("/proc/[0-9]*"))
resource.prlimit(1, resource.RLIMIT_NPROC, (threads + 1, hard))
time.sleep(0.5)
for _ in range(20):
    resource.prlimit(1, resource.RLIMIT_NPROC, (soft, hard))
    time.sleep(0.05)
"""


@pytest.mark.parametrize(
    "command",
    [
        "kill -9 -1",
        "kill -TERM -1; kill -INT -1",
        "kill -STOP 1; kill -KILL 1; kill -INT 1",
        f"python -c '{PKILL_PYTHON}'",
        f"python -c '{EVERY_SIGNAL}'",
        "command -v pkill && { pkill -9 python; pkill -f inside.agent; }",
    ],
    ids=["kill all", "end all", "agent by number", "pkill", "every signal", "real pkill"],
)
async def test_killing(fresh, own_tool, command):
    """Whatever a command kills, files stay and the next command and the next cell run."""
    await own_tool("write_file", path="kept", content="here", mode="overwrite")
    await own_tool("run_code", code="x = 1")
    await own_tool("shell", command=command)
    # May be the one that finds its interpreter gone, and says so.
    await own_tool("run_code", code="pass")

    assert (await own_tool("shell", command="cat kept; exit 3"))["exit_code"] == 3
    assert (await own_tool("run_code", code="print(2)"))["stdout"] == ["2\n"]
    assert fresh._connection.gone is None


async def test_orphans_are_collected(own_tool):
    """Processes whose parent has ended leave no zombies, and commands keep their exit statuses."""
    await own_tool("write_file", path="orphans.py", content=ORPHANS, mode="overwrite")
    command = "for n in 1 2 3 4 5 6 7 8; do (setsid sh -c 'sleep 0.0$n; exit 9' &); done; exit 7"
    statuses = [(await own_tool("shell", command=command))["exit_code"] for _ in range(10)]

    assert statuses == [7] * 10
    assert (await own_tool("shell", command="python orphans.py"))["stdout"] == "\n"


async def test_full_session(own_tool):
    """In a session full of processes a command can still start, and end them all."""
    await own_tool("write_file", path="bomb.py", content=BOMB, mode="overwrite")
    await own_tool("shell", command="python bomb.py & until test -e full; do :; done")

    assert (await own_tool("list_directory", path="."))["entries"]
    assert (await own_tool("shell", command="kill -9 -1"))["exit_code"] == 0
    assert (await own_tool("shell", command="ls"))["stdout"] == "bomb.py\nfull\n"


async def test_agent_at_its_limit(own_tool):
    """An agent that can start no thread or no program says so, and lives on."""

    async def attempt(method, **params):
        try:
            await own_tool(method, **params)
        except ToolError as error:
            return str(error)
        return "done"

    await own_tool("warm_up")
    await own_tool("write_file", path="squeeze.py", content=SQUEEZE, mode="overwrite")
    await own_tool("shell", command="python squeeze.py >log 2>&1 &")
    full = "This session is at its limit of 512 processes"
    while await attempt("list_directory", path=".") != full:
        pass
    outcomes = []
    while ("done", full) not in outcomes or outcomes[-1] != ("done", "done"):
        outcomes.append(
            (await attempt("list_directory", path="."), await attempt("shell", command=":"))
        )
        assert len(outcomes) < 5000, set(outcomes)

    assert {said for pair in outcomes for said in pair} == {"done", full}
