"""Cancelling what is done with a process, on asyncio and on trio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest

from agb import AsyncAGB, AsyncSession

Program = Callable[[AsyncSession], Awaitable[None]]


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Callable[[Program], None]:
    """Run a program in a session of its own, on either backend."""

    def run(program: Program) -> None:
        async def main() -> None:
            async with AsyncAGB.local() as agb, agb.open_session() as session:
                await program(session)

        anyio.run(main, backend=request.param)

    return run


def test_a_cancelled_reader_loses_nothing(run: Callable[[Program], None]) -> None:
    """A reader that is cancelled while it waits ends nothing, and may go on."""

    async def program(session: AsyncSession) -> None:
        process = (await session.command.start("echo one; read x; echo $x")).unwrap()
        async for piece in process:
            assert piece.text == "one\n"
            break
        for waiting in (process.__anext__, process.wait):
            with anyio.move_on_after(0.1) as scope:
                await waiting()
            assert scope.cancelled_caught

        await process.send_stdin("two\n")
        assert [piece.text async for piece in process] == ["two\n"]
        assert process.exit_code == 0

    run(program)


def test_a_cancelled_block_kills(run: Callable[[Program], None]) -> None:
    """A block whose task is cancelled kills its process before it is left."""

    async def program(session: AsyncSession) -> None:
        process = (await session.command.start("sleep 74")).unwrap()
        with anyio.move_on_after(0.1):
            async with process:
                await process.wait()

        assert (await process.wait()).exit_code == 137

    run(program)


def test_many_readers_leave_room_for_others(run: Callable[[Program], None]) -> None:
    """However many wait for output, other calls of the session are answered."""

    async def program(session: AsyncSession) -> None:
        process = (await session.command.start("cat")).unwrap()
        handles = [(await session.command.connect(process.pid)).unwrap() for _ in range(80)]
        heard: list[str] = []

        async def listen(index: int) -> None:
            async for piece in handles[index]:
                heard.append(piece.text)

        async with anyio.create_task_group() as group:
            for index in range(len(handles)):
                group.start_soon(listen, index)
            assert (await session.command.execute("echo fine", 5000)).stdout == "fine\n"
            await process.send_stdin("all")
            await process.close_stdin()
        assert heard == ["all"] * 80

    run(program)
