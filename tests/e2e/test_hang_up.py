"""The embedded server takes a client that hangs up as a cancel."""

from __future__ import annotations

import anyio
import pytest

from agb import AsyncAGB

BACKENDS = ["asyncio", "trio"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cancelled_command_ends(backend: str) -> None:
    """The processes of a command whose call was cancelled are ended."""

    async def program() -> bool:
        async with AsyncAGB.local() as agb, agb.open_session() as session:
            async with anyio.create_task_group() as group:
                group.start_soon(
                    session.command.execute_command, "echo $$ > pid; exec sleep 300", 300_000
                )
                while not (await session.file_system.read_file("pid")).content:
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()
            while (await session.command.execute_command("kill -0 $(cat pid)")).success:
                await anyio.sleep(0.01)
            return True

    assert anyio.run(program, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancelled_code_is_interrupted(backend: str) -> None:
    """Code whose call was cancelled is interrupted; the session keeps its variables."""

    async def program() -> str:
        async with AsyncAGB.local() as agb, agb.open_session() as session:
            await session.code.run_code("kept = 42", "python")
            endless = "open('begun', 'w').write('yes')\nwhile True: pass"
            async with anyio.create_task_group() as group:
                group.start_soon(session.code.run_code, endless, "python")
                while not (await session.file_system.read_file("begun")).content:
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()
            return (await session.code.run_code("kept", "python")).result

    assert anyio.run(program, backend=backend) == "42"
