"""The `shell` tool in a real sandbox."""

from __future__ import annotations

import asyncio
import time

import pytest

from ..support.processes import GONE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_streams_and_exit_code(tool):
    """Standard output, standard error and the exit code come back apart."""
    result = await tool("shell", command="echo out; echo err >&2; exit 3")

    assert result == {
        "stdout": "out\n",
        "stderr": "err\n",
        "exit_code": 3,
        "timed_out": False,
        "truncated": False,
    }


async def test_environment(tool):
    """A command sees HOME, PATH, LANG and TERM, what the shell adds, and nothing else."""
    result = await tool("shell", command="/usr/bin/env | cut -d= -f1 | sort | tr '\\n' ' '")

    assert set(result["stdout"].split()) - {"PWD", "SHLVL", "_", "OLDPWD"} == {
        "HOME",
        "LANG",
        "PATH",
        "TERM",
    }


async def test_cwd_and_envs(tool):
    """`cwd` is relative to the home directory; `envs` are added."""
    await tool("create_directory", path="below/it")
    result = await tool("shell", command="pwd; echo $A-$HOME", cwd="below/it", envs={"A": "é"})

    assert result["stdout"] == "/home/user/below/it\né-/home/user\n"


async def test_missing_cwd(refusal):
    """A working directory that is not there is named."""
    message = await refusal("shell", command=":", cwd="nowhere")

    assert message == "No such file or directory: '/home/user/nowhere'"


async def test_signal(tool):
    """A command ended by signal N has exit code 128 + N."""
    assert (await tool("shell", command="kill -9 $$"))["exit_code"] == 137
    assert (await tool("shell", command="kill -TERM $$"))["exit_code"] == 143


async def test_signals_have_their_usual_meaning(tool):
    """SIGTERM, SIGINT, SIGHUP and SIGPIPE are not ignored by what a command starts."""
    result = await tool("shell", command="grep SigIgn /proc/self/status")

    # From 32 on the numbers are real-time signals; the C library keeps the first for itself.
    assert int(result["stdout"].split()[1], 16) & 0x7FFFFFFF == 0


async def test_time_out(tool):
    """At its limit the whole process group is killed; what was written before is kept."""
    began = time.monotonic()
    result = await tool("shell", command="echo before; (sleep 31.5 & sleep 31.5)", timeout_ms=300)

    assert (result["exit_code"], result["timed_out"]) == (124, True)
    assert result["stdout"] == "before\n"
    assert time.monotonic() - began < GONE_S
    left = await tool("shell", command="pgrep -fc '^sleep 31.5'")
    assert left["stdout"] == "0\n"


async def test_background_child_does_not_hold_the_reply(tool):
    """A command's reply does not wait for what it left in the background, which lives on."""
    began = time.monotonic()
    result = await tool("shell", command="(while :; do sleep 0.05; echo x; done) & echo $!")
    assert time.monotonic() - began < GONE_S
    pid = result["stdout"].split()[0]

    # Written to the pipe nobody asked about any more: it must not be broken.
    waited = await tool("shell", command=f"sleep 0.3; kill -0 {pid} && kill {pid} && echo alive")
    assert waited["stdout"] == "alive\n"


async def test_flood(tool):
    """Output beyond the limit is read and thrown away, and the text says so."""
    result = await tool("shell", command="head -c 20000000 /dev/zero | tr '\\0' x; echo >&2 done")

    assert result["truncated"]
    assert len(result["stdout"]) < 5_000_000
    assert result["stdout"].endswith("more bytes]\n")
    assert result["stderr"] == "done\n"


async def test_endless_flood_is_stopped(tool):
    """A command that never stops writing is stopped at its limit."""
    result = await tool("shell", command="yes", timeout_ms=500)

    assert result["timed_out"]
    assert result["truncated"]


async def test_bytes_that_are_no_text(tool):
    """Bytes that are not UTF-8 become U+FFFD."""
    assert (await tool("shell", command="printf 'a\\377b'"))[
        "stdout"
    ] == "a\N{REPLACEMENT CHARACTER}b"


async def test_no_input(tool):
    """A command that reads finds the end of its input."""
    assert (await tool("shell", command="cat; echo end"))["stdout"] == "end\n"


async def test_input(tool):
    """A command finds its input, text or bytes, on its standard input, and nothing otherwise."""
    long = "é" * 200_000
    assert (await tool("shell", command="cat", input=long))["stdout"] == long
    assert (await tool("shell", command="od -An -tx1", input="/wA=", input_format="binary"))[
        "stdout"
    ] == " ff 00\n"
    assert (await tool("shell", command="cat", input=""))["stdout"] == ""
    assert (await tool("shell", command="cat"))["stdout"] == ""


async def test_input_that_is_not_read(tool):
    """A command that reads its input in part, or not at all, ends when it ends."""
    long = "x" * 1_000_000
    assert (await tool("shell", command="head -c 3", input=long))["stdout"] == "xxx"
    assert (await tool("shell", command="exec <&-; echo deaf", input=long))["stdout"] == "deaf\n"


async def test_side_by_side(tool, beside):
    """Commands of one session run side by side."""
    first = beside(tool("shell", command="while ! test -e flag; do sleep 0.01; done"))
    second = await tool("shell", command="touch flag")

    assert second["exit_code"] == 0
    assert (await first)["exit_code"] == 0


async def test_cancelling(tool, beside):
    """Cancelling the call ends the command within a second."""
    call = beside(tool("shell", command="touch begun; exec sleep 47.25"))
    await tool("shell", command="while ! test -e begun; do sleep 0.01; done")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    gone = await tool(
        "shell",
        command="while pgrep -f '^sleep 47.25' >/dev/null; do sleep 0.01; done",
        timeout_ms=int(GONE_S * 1000),
    )
    assert not gone["timed_out"]


async def test_child_processes_see_no_descriptor_of_the_agent(tool):
    """A command starts with its three standard descriptors only."""
    result = await tool("shell", command="ls /proc/self/fd")

    assert result["stdout"].split() == ["0", "1", "2", "3"]  # 3 is the directory ls reads


async def test_programs_of_the_system_start(tool):
    """Under the limits of a session the usual programs still start."""
    result = await tool(
        "shell", command="python -c 'print(1)' && perl -e 'print 2' && git --version"
    )

    assert result["exit_code"] in (0, 127), result
    assert result["stdout"].startswith("1\n")
