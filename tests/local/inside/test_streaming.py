"""Cells whose output is told while they run, in a real sandbox."""

from __future__ import annotations

import asyncio

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Stream:
    """One streamed cell; its events are passed on only when the test says so."""

    def __init__(self, sandbox, code, *, timeout_s=30, passes_on=True):
        self.told = []
        self.held = []
        self.more = asyncio.Event()
        self.passes_on = passes_on
        params = {"code": code, "language": "python", "timeout_s": timeout_s}
        self.answer = asyncio.ensure_future(
            sandbox.call("stream_code", params, timeout_s=60, on_event=self._take)
        )

    def _take(self, event):
        self.told.append(event.content)
        self.more.set()
        if self.passes_on:
            event.passed_on()
        else:
            self.held.append(event)

    def pass_on(self):
        self.passes_on = True
        for event in self.held:
            event.passed_on()

    async def until(self, count):
        while len(self.told) < count:
            self.more.clear()
            await self.more.wait()

    def text(self, kind="stdout"):
        return "".join(event.get(kind, "") for event in self.told)


async def test_whole_characters(shared):
    """A character that is written in two halves is told as a whole; nonsense becomes U+FFFD."""
    code = (
        "import os, time\n"
        "for byte in 'é🐍\\n'.encode(): os.write(1, bytes([byte])); time.sleep(0.01)\n"
        "_ = os.write(1, b'\\xff|\\xc3')"
    )
    stream = Stream(shared, code)
    answer = await stream.answer

    pieces = [event["stdout"] for event in stream.told]
    assert "".join(pieces) == "é🐍\n\N{REPLACEMENT CHARACTER}|"
    # Half of a character at the very end is known to be one only when the cell has ended.
    assert answer["stdout"] == ["\N{REPLACEMENT CHARACTER}"]
    assert all(len(piece.encode()) > 0 for piece in pieces)


async def test_output_waits_for_its_reader(shared):
    """A cell writes no further than its reader reads; nothing is lost."""
    size = 3_000_000
    stream = Stream(shared, f"print('x' * {size})", passes_on=False)
    await stream.until(8)
    other = await shared.call("shell", {"command": "echo", "timeout_ms": 9000}, timeout_s=10)
    assert other["exit_code"] == 0
    assert len(stream.told) == 8
    assert not stream.answer.done()
    stream.pass_on()
    answer = await stream.answer

    assert len(stream.text()) + len("".join(answer["stdout"])) == size + 1


async def test_results_in_their_order(shared):
    """What is displayed is told at once, after what was printed before it."""
    code = "print('a', end='')\ndisplay('shown')\nimport time\ntime.sleep(60)"
    stream = Stream(shared, code)
    await stream.until(2)
    stream.answer.cancel()

    assert stream.told[0] == {"stdout": "a"}
    assert stream.told[1]["result"]["text/plain"] == "'shown'"


async def test_a_flood_of_results(shared):
    """Results beyond their limit are left out and named; an interrupt does no other harm."""
    code = "kept = 1\nwhile True: display('y' * 100_000)"
    stream = Stream(shared, code, timeout_s=1)
    answer = await stream.answer
    after = await Stream(shared, "print(kept)").answer

    shown = sum(len(str(event["result"])) for event in stream.told) + len(str(answer["result"]))
    assert 10_000_000 < shown < 20_000_000
    assert "left out" in "".join(answer["stderr"])
    assert len("".join(answer["stderr"])) < 10_000
    assert answer["error"]["name"] == "TimeoutError"
    assert after["error"] is None


async def test_children_show_nothing(shared):
    """A child process that a cell forked can't speak for the cell."""
    code = (
        "import os\npid = os.fork()\n"
        "if not pid:\n    display('child')\n    os._exit(0)\n"
        "os.waitpid(pid, 0)\ndisplay('parent')"
    )
    stream = Stream(shared, code)
    await stream.answer

    shown = [event["result"]["text/plain"] for event in stream.told if "result" in event]
    assert shown == ["'parent'"]


async def test_output_after_the_end(shared):
    """What a background thread writes after the cell is told with the next one, streamed or not."""
    first = Stream(
        shared,
        "import threading, time\n"
        "def later():\n    time.sleep(0.1); print('late'); done.set()\n"
        "done = threading.Event()\nthreading.Thread(target=later).start()",
    )
    await first.answer
    second = Stream(shared, "done.wait()\nimport time; time.sleep(0.05)")
    answer = await second.answer

    assert "late" not in first.text()
    assert "late\n" in second.text() + "".join(answer["stdout"])


async def test_a_process_that_dies(shared):
    """A process that dies is told with what it wrote; the next cell starts afresh."""
    died = Stream(shared, "import os\nprint('last words')\nos.kill(os.getpid(), 9)")
    answer = await died.answer
    await Stream(shared, "1").answer

    assert died.text() + "".join(answer["stdout"]) == "last words\n"
    assert answer["error"]["name"] == "KernelEnded"
