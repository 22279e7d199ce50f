"""Processes that go on by themselves, in a real sandbox."""

from __future__ import annotations

import asyncio
import base64

import attrs
import pytest

from agb.local.failures import ToolError
from agb.local.sandboxes.sandboxes import Sandboxes
from agb.local.settings import Settings

from ..support.real_sandboxes import tools_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLOOD = "head -c {} /dev/zero | tr '\\0' x; echo end >&2"
BOMB = """
import os, time
while True:
    try: os.fork() or time.sleep(99)
    except OSError: open("full", "w"); time.sleep(0.001)
"""
# How much memory the agent held at most, in kilobytes.
PEAK = "sed -n 's/^VmHWM:\\s*\\([0-9]*\\) kB/\\1/p' /proc/1/status"


@pytest.fixture
def start(own_tool):
    """Start a process in a sandbox of the test's own; returns its id."""

    async def start(command, **options):
        return (await own_tool("start_process", command=command, **options))["process_id"]

    return start


@pytest.fixture
def read(own_tool):
    """Read all that a process writes, from a position to its end, as text by stream."""

    async def read(process_id, cursor=0):
        written, dropped, answer = {"stdout": bytearray(), "stderr": bytearray()}, 0, {"end": False}
        while not answer["end"]:
            answer = await own_tool(
                "read_process_output", process_id=process_id, cursor=cursor, wait_s=20
            )
            cursor, dropped = answer["cursor"], dropped + answer["dropped"]
            for piece in answer["output"]:
                written[piece["stream"]] += base64.b64decode(piece["data"])
        return {name: data.decode() for name, data in written.items()}, dropped

    return read


async def ended(tool, process_id):
    return (await tool("wait_process", process_id=process_id, wait_s=20))["exit_code"]


async def test_output_stays_apart_and_in_order(own_tool, start):
    """The two streams come apart, in the order in which they were written."""
    process_id = await start("for n in 1 2; do echo out$n; echo err$n >&2; done")
    assert await ended(own_tool, process_id) == 0

    answer = await own_tool("read_process_output", process_id=process_id, cursor=0, wait_s=0)

    said = [(each["stream"], base64.b64decode(each["data"])) for each in answer["output"]]
    assert said == [
        ("stdout", b"out1\n"),
        ("stderr", b"err1\n"),
        ("stdout", b"out2\n"),
        ("stderr", b"err2\n"),
    ]
    assert (answer["cursor"], answer["dropped"], answer["end"]) == (20, 0, True)


async def test_the_order_between_the_streams(own_tool, start):
    """However fast a process writes to both streams in turn, the order is that of its writes."""
    program = "import os\nfor n in range(2000): os.write(1 + (n % 7 < 3), b'%d\\n' % n)"
    await own_tool("write_file", path="turns.py", content=program, mode="overwrite")
    process_id = await start("python turns.py")
    assert await ended(own_tool, process_id) == 0

    answer = await own_tool("read_process_output", process_id=process_id, cursor=0, wait_s=0)

    written = b"".join(base64.b64decode(each["data"]) for each in answer["output"])
    assert [int(line) for line in written.split()] == list(range(2000))
    assert len(answer["output"]) > 500


async def test_reading_again_gives_the_same(own_tool, start, read):
    """Reading takes nothing away: a second reader, or a repeated call, gets it all."""
    process_id = await start("printf abcdef; printf gh >&2")

    assert await read(process_id) == await read(process_id)
    assert await read(process_id, cursor=4) == ({"stdout": "ef", "stderr": "gh"}, 0)
    with pytest.raises(ToolError, match="has written 8 bytes, not 9"):
        await read(process_id, cursor=9)


async def test_a_reader_of_a_flood_loses_nothing(start, read):
    """A process that writes faster than it is read waits for its reader."""
    written, dropped = await read(await start(FLOOD.format(20_000_000)))

    assert (len(written["stdout"]), written["stderr"], dropped) == (20_000_000, "end\n", 0)


async def test_what_nobody_reads_is_counted(own_tool, start, read):
    """200 MB that nobody reads hold up neither the process nor the memory, and are counted."""
    process_id = await start(FLOOD.format(200_000_000))
    assert await ended(own_tool, process_id) == 0

    written, dropped = await read(process_id)

    assert len(written["stdout"]) + dropped == 200_000_000
    assert 1_000_000 < len(written["stdout"]) < 3_000_000
    assert written["stderr"] == "end\n"
    peak = int((await own_tool("shell", command=PEAK))["stdout"])
    assert peak < 100_000, f"the agent held {peak} kB"


async def test_a_process_waits_for_a_reader_for_so_long():
    """A process whose output nobody reads goes on after a while."""
    settings = Settings.from_environment()
    inside = attrs.evolve(settings.inside, reader_grace_s=0.2)
    sandboxes = await Sandboxes.start(attrs.evolve(settings, inside=inside))
    sandbox = await sandboxes.open("impatient")
    tool = tools_of(sandbox)

    await tool("start_process", command=FLOOD.format(20_000_000))
    exit_code = None
    while exit_code is None:
        (process,) = (await tool("list_processes"))["processes"]
        exit_code = process["exit_code"]

    assert exit_code == 0
    await sandbox.aclose()
    await sandboxes.aclose()


async def test_tiny_writes_take_their_room(own_tool, start, read):
    """Of single characters, the streams taking turns, few are kept: each costs more than itself."""
    program = "import os\nfor n in range(20_000): os.write(1 + n % 2, b'x')"
    process_id = await start(f'python -c "{program}"')
    assert await ended(own_tool, process_id) == 0

    written, dropped = await read(process_id)
    kept = len(written["stdout"]) + len(written["stderr"])
    assert kept + dropped == 20_000
    assert 5_000 < kept < 10_000


async def test_output_that_is_not_kept(own_tool, start, read):
    """Output that is not to be kept goes nowhere, and holds nothing up."""
    process_id = await start(FLOOD.format(50_000_000), keep_output=False)

    assert await ended(own_tool, process_id) == 0
    assert await read(process_id) == ({"stdout": "", "stderr": ""}, 0)


async def test_standard_input(own_tool, start, read):
    """A process reads what it is written, text or bytes, until the end of its input."""
    process_id = await start("cat")

    async def write(data, form):
        answer = await own_tool(
            "write_process_stdin", process_id=process_id, data=data, format=form, wait_s=5
        )
        return answer["written"]

    assert await write("é", "text") == 2
    assert await write(base64.b64encode(b"\n").decode(), "binary") == 1
    with pytest.raises(ToolError, match="not base64"):
        await write("!", "binary")
    await own_tool("close_process_stdin", process_id=process_id)
    assert await read(process_id) == ({"stdout": "é\n", "stderr": ""}, 0)
    with pytest.raises(ToolError, match="process-1 has ended"):
        await write("more", "text")


async def test_input_that_is_not_taken(own_tool, start, beside):
    """What a process does not take in time is not written; how much it took is told."""
    process_id = await start("kill -STOP $$; cat >/dev/null")
    data = "x" * 100_000

    async def write(data, wait_s):
        answer = await own_tool(
            "write_process_stdin", process_id=process_id, data=data, format="text", wait_s=wait_s
        )
        return answer["written"]

    taken = await write(data, 0.1)
    assert 0 < taken < len(data)
    rest = beside(write(data[taken:], 20))
    second = beside(write("y", 20))
    await own_tool("signal_process", process_id=process_id, signal="CONT")
    assert (await rest, await second) == (len(data) - taken, 1)


async def test_no_standard_input(own_tool, start, read):
    """A process without input finds the end of it at once."""
    process_id = await start("cat; echo done", stdin=False)

    assert await read(process_id) == ({"stdout": "done\n", "stderr": ""}, 0)


async def test_signals_reach_the_whole_group(own_tool, start):
    """Killing a process kills what it started."""
    process_id = await start("sleep 61.25 & sleep 61.25 & wait")
    begun = "until test $(pgrep -fc '^sleep 61.25') = 2; do sleep 0.01; done"
    await own_tool("shell", command=begun)

    await own_tool("signal_process", process_id=process_id, signal="TERM")

    assert await ended(own_tool, process_id) == 143
    gone = "while pgrep -f '^sleep 61.25'; do sleep 0.01; done"
    assert (await own_tool("shell", command=gone))["exit_code"] == 0


async def test_a_fork_bomb_is_ended_by_its_id(own_tool, start):
    """A process that has filled the session with others is ended with all of them."""
    await own_tool("write_file", path="bomb.py", content=BOMB, mode="overwrite")
    process_id = await start("exec python bomb.py", keep_output=False)
    while "full" not in str(await own_tool("list_directory", path=".")):
        pass

    await own_tool("signal_process", process_id=process_id, signal="KILL")

    assert await ended(own_tool, process_id) == 137
    gone = "while pgrep -f '^python bomb.py'; do sleep 0.01; done"
    assert (await own_tool("shell", command=gone))["exit_code"] == 0


async def test_what_a_process_left_behind(own_tool, start, read):
    """What a process left in the background writes on in silence, and can be killed by its id."""
    process_id = await start("(sleep 0.3; echo late; exec sleep 62.5) & echo early")

    assert await read(process_id) == ({"stdout": "early\n", "stderr": ""}, 0)
    left = "until pgrep -f '^sleep 62.5'; do sleep 0.01; done"
    assert (await own_tool("shell", command=left))["exit_code"] == 0
    await own_tool("signal_process", process_id=process_id, signal="KILL")
    gone = "while pgrep -f '^sleep 62.5'; do sleep 0.01; done"
    assert (await own_tool("shell", command=gone))["exit_code"] == 0
    await own_tool("signal_process", process_id=process_id, signal="KILL")


async def test_a_call_that_is_given_up_ends_nothing(own_tool, start, beside):
    """Cancelling a call that waits leaves the process alone, and the sandbox too."""
    process_id = await start("sleep 63")
    methods = {
        "wait_process": {"wait_s": 50},
        "read_process_output": {"cursor": 0, "wait_s": 50},
        "write_process_stdin": {"data": "x" * 200_000, "format": "text", "wait_s": 50},
    }
    waiting = [
        beside(own_tool(method, process_id=process_id, **params))
        for method, params in methods.items()
    ]
    await own_tool("list_processes")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    (process,) = (await own_tool("list_processes"))["processes"]
    assert (process["process_id"], process["exit_code"]) == (process_id, None)


async def test_the_table_is_bounded(own_tool, start):
    """So many processes at once, and so many of those that have ended, are all there can be."""
    running = [await start("exec sleep 64", keep_output=False) for _ in range(64)]
    with pytest.raises(ToolError, match="64 processes"):
        await start("true")
    for process_id in running:
        await own_tool("signal_process", process_id=process_id, signal="KILL")
        assert await ended(own_tool, process_id) == 137
    newest = await start("true")

    listed = (await own_tool("list_processes"))["processes"]
    assert [each["process_id"] for each in listed] == [*running[-31:], newest]
    with pytest.raises(ToolError, match="no process 'process-1'"):
        await ended(own_tool, running[0])
    # The agent has let go of every descriptor and thread but its own few.
    left = await own_tool("shell", command="grep Threads /proc/1/status")
    assert int(left["stdout"].split()[1]) < 12


async def test_a_long_command(own_tool, start):
    """A long command runs, and is listed by its beginning."""
    process_id = await start(f": {'x' * 100_000}")
    assert await ended(own_tool, process_id) == 0

    (process,) = (await own_tool("list_processes"))["processes"]
    assert process["command"] == ": " + 998 * "x"


async def test_a_process_that_cannot_start(own_tool, start):
    """A directory that is not there fails the start, and leaves nothing in the table."""
    with pytest.raises(ToolError, match="/nowhere"):
        await start("true", cwd="/nowhere")

    assert (await own_tool("list_processes"))["processes"] == []


@pytest.mark.parametrize(
    "envs",
    [
        {},
        {"BASH_ENV": "/dev/null"},
        {"POSIXLY_CORRECT": "1"},
        {"SHELLOPTS": "posix"},
        {"BASH_FUNC_builtin%%": "() { :; }"},
    ],
    ids=str,
)
async def test_no_headroom_for_programs(own_tool, start, read, envs):
    """A program never has the agent's own limit of processes, not even as its hard limit."""
    process_id = await start("ulimit -Su; ulimit -Hu; env", envs={"A": "b", **envs})

    written, _ = await read(process_id)
    assert written["stdout"].startswith("512\n512\n")
    assert "AGB_MAX_PROCESSES" not in written["stdout"]
    assert ("BASH_ENV" in written["stdout"]) is ("BASH_ENV" in envs)
