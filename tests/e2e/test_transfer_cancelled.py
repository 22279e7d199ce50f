"""Transfers that are cancelled half way leave nothing behind, here and in the session."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from agb import AsyncAGB

SIZE = 8 << 20


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelled_half_way(backend: str, tmp_path: Path) -> None:
    """A cancelled upload is not in the session, a cancelled download not here; both work after."""
    here, place = tmp_path / "here", tmp_path / "got" / "there"
    here.write_bytes(b"x" * SIZE)

    async def main() -> None:
        async with AsyncAGB.local() as agb, agb.open_session() as session:
            with anyio.CancelScope() as scope:

                async def cancel(done: int) -> None:
                    if done >= SIZE // 2:
                        scope.cancel()
                        await anyio.lowlevel.checkpoint()

                await session.file.upload(here, "/home/user/a", progress_cb=cancel)
            assert scope.cancelled_caught
            with anyio.fail_after(10):
                # The server removes the part when it hears that the client hung up.
                while (await session.command.execute("ls -A ~", 10_000)).output:
                    await anyio.sleep(0.02)

            sent = await session.file.upload(here, "/home/user/a")
            assert sent.success, sent.error_message
            with anyio.CancelScope() as scope:
                await session.file.download("/home/user/a", place, progress_cb=cancel)
            assert scope.cancelled_caught
            assert list(place.parent.iterdir()) == []
            got = await session.file.download("/home/user/a", place)
            assert got.success, got.error_message
            assert place.read_bytes() == here.read_bytes()

    anyio.run(main, backend=backend)
