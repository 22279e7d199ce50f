"""Streams in trouble of the program's own: cancelled, interrupted, slow, on asyncio and trio."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable

import anyio
import pytest

from agb import AGB, AsyncAGB, AsyncSession, StdoutEvent

BACKENDS = ["asyncio", "trio"]

ENDLESS = (
    "import time\nstate = 'running'\ntry:\n    print(state)\n    time.sleep(300)\n"
    "except KeyboardInterrupt:\n    state = 'interrupted'\n"
)


async def iterate(session: AsyncSession, begun: anyio.Event) -> None:
    async with session.code.stream(ENDLESS, "python", 300) as stream:
        async for _event in stream:
            begun.set()


async def call_back(session: AsyncSession, begun: anyio.Event) -> None:
    async def note(text: str) -> None:
        begun.set()

    await session.code.run(ENDLESS, "python", 300, on_stdout=note)


async def not_closed(session: AsyncSession, begun: anyio.Event) -> None:
    async for _event in session.code.stream(ENDLESS, "python", 300):
        begun.set()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("program", [iterate, call_back, not_closed])
def test_a_cancelled_stream_interrupts_the_code(
    program: Callable[[AsyncSession, anyio.Event], Awaitable[None]], backend: str
) -> None:
    """Cancelling whoever waits for a stream interrupts the code; its variables are kept."""

    async def main() -> str:
        async with AsyncAGB.local() as agb, agb.open_session() as session:
            begun = anyio.Event()
            async with anyio.create_task_group() as group:
                group.start_soon(program, session, begun)
                await begun.wait()
                group.cancel_scope.cancel()
            return (await session.code.run("state", "python")).result

    assert anyio.run(main, backend=backend) == "'interrupted'"


@pytest.mark.parametrize("backend", BACKENDS)
def test_many_streams_at_once(backend: str) -> None:
    """Streams of one client do not disturb each other, nor other calls."""

    async def main() -> dict[int, str]:
        heard: dict[int, str] = {}
        async with AsyncAGB.local() as agb, agb.open_session() as session:

            async def stream(number: int) -> None:
                pieces: list[str] = []
                code = f"for i in range(50): print({number}, flush=True)"
                result = await session.code.run(code, "python", on_stdout=pieces.append)
                assert result.success, result.error_message
                heard[number] = "".join(pieces)

            async with anyio.create_task_group() as group:
                for number in range(8):
                    group.start_soon(stream, number)
                assert (await session.command.execute_command("echo ok")).success
        return heard

    heard = anyio.run(main, backend=backend)

    assert heard == {number: f"{number}\n" * 50 for number in range(8)}


def test_a_program_that_takes_its_time() -> None:
    """Code that writes more than a slow program reads waits for it, and nothing is lost."""
    with AGB.local() as agb, agb.open_session() as session:
        size = 20_000_000
        with session.code.stream(f"print('x' * {size})", "python") as stream:
            first = next(stream)
            # Other calls go on meanwhile.
            for _ in range(5):
                assert session.command.execute_command("true").success
            texts = [event.text for event in stream if isinstance(event, StdoutEvent)]

    assert isinstance(first, StdoutEvent)
    assert len(first.text) + sum(map(len, texts)) == size + 1
    assert stream.result.success


def test_ctrl_c_interrupts_the_code() -> None:
    """Ctrl-C in a blocking stream ends the program at once, and the code with it."""
    program = (
        "import signal\n"
        "from agb import AGB\n"
        # Who runs the tests in the background may have had it ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"code = {ENDLESS!r}\n"
        "with AGB.local() as agb, agb.open_session() as session:\n"
        "    try:\n"
        "        session.code.run(code, 'python', 300, on_stdout=lambda t: print(t, flush=True))\n"
        "    except KeyboardInterrupt:\n"
        "        print(session.code.run('state', 'python').result)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        os.kill(process.pid, signal.SIGINT)
        rest = process.stdout.read()

    assert rest.strip() == "'interrupted'"
    assert process.returncode == 0


@pytest.mark.parametrize(
    "end", ["", "agb.close()", "del stream, event\nprint(session.get_status().success)"]
)
def test_a_stream_that_is_never_closed(end: str) -> None:
    """A blocking stream left open is closed with its client, when it is gone, or at the end."""
    program = (
        "from agb import AGB\n"
        "agb = AGB.local()\n"
        "session = agb.create().unwrap()\n"
        f"stream = session.code.stream({ENDLESS!r}, 'python')\n"
        "for event in stream:\n"
        "    print(event.text.strip())\n"
        "    break\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", program + end],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split()[0] == "running"
    assert done.stderr == ""
