"""Cells that are cancelled or out of time at any moment, in a real sandbox.

Whenever that comes, the cell ends, the variables stay, and the next cell is as if nothing had been.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from ..support.languages import every_language, needs
from ..support.processes import GONE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASSIGN = {"python": "x = 6", "javascript": "var x = 6", "java": "int x = 6;", "r": "x <- 6"}
# Milliseconds from before a cell is taken to long after it has begun.
MOMENTS = (0, 0, 0, 0, 1, 2, 5, 10, 20, 50, 100, 200)
ENDLESS = {
    "python": "print('mine')\nwhile True: pass",
    "javascript": "console.log('mine'); while (true) {}",
    "java": 'System.out.println("mine");\nwhile (true) {}',
    "r": "cat('mine\\n')\nwhile (TRUE) {}",
}
# Takes so many milliseconds.
SHORT = {
    "python": "import time\nend = time.time() + {0} / 1000\nwhile time.time() < end: pass",
    "javascript": "var end = Date.now() + {0}; while (Date.now() < end);",
    "java": "long end = System.nanoTime() + {0} * 1000000L;\nwhile (System.nanoTime() < end);",
    "r": "end <- Sys.time() + {0} / 1000\nwhile (Sys.time() < end) {{}}",
}
# What is hard to interrupt: most of it is no place where an exception can be raised.
HARD = {
    "python, in a finaliser": (
        "class A:\n  def __del__(self):\n    for i in range(1000): pass\n{begin}\nwhile True: A()"
    ),
    "python, in an event loop": "import asyncio\n{begin}\nwhile True: await asyncio.sleep(0)",
    "python, in tasks": (
        "import asyncio\nasync def f():\n  while True: await asyncio.sleep(0)\n"
        "{begin}\nawait asyncio.gather(f(), f())"
    ),
    "python, in a loop of its own": (
        "import asyncio\nasync def f():\n  while True: await asyncio.sleep(0)\n"
        "{begin}\nasyncio.run(f())"
    ),
    "javascript, in a timer": (
        "await new Promise(() => setTimeout(() => {{ {begin}; while (true) {{}} }}))"
    ),
    "javascript, in an immediate": (
        "await new Promise(() => setImmediate(() => {{ {begin}; while (true) {{}} }}))"
    ),
    "javascript, in promises": "{begin}; while (true) await null",
    "java, in what follows": "{begin}\nwhile (true) {{}}",
    "java, asleep": "{begin}\nThread.sleep(100_000);",
    "r, in a program that others follow": "{begin}\nsystem('sleep 44.5')\nwhile (TRUE) {{}}",
    # As one that is started just when the first interrupt comes.
    "r, in a program that hears no first interrupt": (
        "{begin}\nsystem(\"trap '' INT; sleep 0.1; trap - INT; exec sleep 44.5\")\n"
        "while (TRUE) {{}}"
    ),
}
BEGIN = {
    "python": "open('begun', 'w').close()",
    "javascript": "require('fs').writeFileSync('begun', '')",
    "java": 'new File("begun").createNewFile();',
    "r": "invisible(file.create('begun'))",
}


@pytest.fixture
def run(own_tool):
    """Run a cell in a sandbox of the test's own."""

    async def call(language, code, timeout_s=30):
        return await own_tool("run_code", code=code, language=language, timeout_s=timeout_s)

    return call


async def cancel(call):
    """Cancel a call that runs or has just ended."""
    call.cancel()
    await asyncio.wait([call])


def seen(reply):
    """What somebody sees who asks for `x`, without R's `[1]`."""
    shown = [item["text/plain"].split()[-1] for item in reply["result"]]
    return shown, reply["stdout"], reply["stderr"], reply["error"]


AS_IF_NOTHING_HAD_BEEN = (["6"], [], [], None)


@every_language
async def test_cancelled_at_any_moment(run, language, beside):
    """A cell without an end is cancelled before it is taken, while it begins, while it runs."""
    await run(language, ASSIGN[language])
    for moment in MOMENTS:
        call = beside(run(language, ENDLESS[language]))
        await asyncio.sleep(moment / 1000)
        await cancel(call)

        assert seen(await run(language, "x")) == AS_IF_NOTHING_HAD_BEEN, f"{moment} ms"


@every_language
async def test_out_of_time_at_any_moment(run, language):
    """A time-out is no different, and says that the variables are kept."""
    await run(language, ASSIGN[language])
    for moment in MOMENTS:
        reply = await run(language, ENDLESS[language], timeout_s=moment / 1000)

        assert "variables are kept" in reply["error"]["value"], f"{moment} ms"
        assert seen(await run(language, "x")) == AS_IF_NOTHING_HAD_BEEN, f"{moment} ms"


@every_language
async def test_cancelled_while_it_ends(run, language, beside):
    """What comes when a cell has just ended hits neither the next one nor its process."""
    await run(language, ASSIGN[language])
    # An idle process of JavaScript is given time to end a cell by itself: 50 ms.
    for moment in (*MOMENTS[1:], *(moment + 50 for moment in MOMENTS)):
        call = beside(run(language, SHORT[language].format(moment)))
        await asyncio.sleep(moment / 1000 if moment < 50 else (moment - 50) / 1000)
        await cancel(call)

        assert seen(await run(language, "x")) == AS_IF_NOTHING_HAD_BEEN, f"{moment} ms"


@every_language
async def test_cancelled_while_its_process_starts(run, language, beside):
    """The process goes on starting, for the next cell."""
    for moment in MOMENTS[:-1]:
        call = beside(run(language, "y"))
        await asyncio.sleep(moment / 1000)
        await cancel(call)
    reply = await run(language, ASSIGN[language])

    assert (reply["stderr"], reply["error"]) == ([], None)
    assert seen(await run(language, "x")) == AS_IF_NOTHING_HAD_BEEN


@pytest.mark.parametrize(
    ("language", "code"),
    [
        pytest.param(place.split(",")[0], code, marks=needs(place.split(",")[0]), id=place)
        for place, code in HARD.items()
    ],
)
async def test_hard_to_interrupt(own_tool, run, language, code, beside):
    """A cell is interrupted promptly wherever it is; one interrupt is enough."""
    await run(language, ASSIGN[language])
    for _round in range(5):
        call = beside(run(language, code.format(begin=BEGIN[language])))
        await own_tool("shell", command="until test -e begun; do sleep 0.01; done; rm begun")
        await cancel(call)

        assert seen(await run(language, "x")) == AS_IF_NOTHING_HAD_BEEN


async def test_warming_up_that_is_cancelled(own_tool, run, beside):
    """The process goes on importing; the next cell waits for it, and nothing is told or lost."""
    # The sandbox may have warmed one up already.
    await run("python", "import os; os._exit(0)")
    module = "import time\nopen('begun', 'w').close()\nprint('imported')\ntime.sleep(0.2)"
    await own_tool("write_file", path="slow.py", content=module, mode="overwrite")
    call = beside(own_tool("warm_up", modules=["slow"]))
    await own_tool("shell", command="until test -e begun; do sleep 0.01; done")
    await cancel(call)
    reply = await run("python", "import sys; x = 6; 'slow' in sys.modules")

    assert seen(reply) == (["True"], [], [], None)
    assert reply["execution_count"] == 1


# Succeeds when a pipe of a process holds all it can.
FULL_PIPE = """
import fcntl, glob, os, stat, struct, sys, termios
def held(path):
    if not stat.S_ISFIFO(os.stat(path).st_mode): return 0
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]
sys.exit(max(map(held, glob.glob(f"/proc/{sys.argv[1]}/fd/*"))) < 1 << 16)
"""


async def test_cell_that_is_not_read(own_tool, run, beside):
    """A cell that is too long for the pipe to a process that stands still is given up, too."""
    pid = (await run("python", "import os; os.getpid()"))["result"][0]["text/plain"]
    await own_tool("shell", command=f"kill -STOP {pid}")
    call = beside(run("python", f"'{'long' * 100_000}'"))
    await own_tool("shell", command=f"until python3 -c '{FULL_PIPE}' {pid}; do sleep 0.01; done")
    await cancel(call)
    began = time.monotonic()
    told = await run("python", "1 + 5")

    assert seen(told)[0] == ["6"]
    assert "had to be killed; its variables are gone" in "".join(told["stderr"])
    assert time.monotonic() - began < GONE_S
