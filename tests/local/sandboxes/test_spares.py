"""Sandboxes in reserve: made after a pause, handed out once, ended with the server."""

from __future__ import annotations

import asyncio
import os

import pytest
from attrs import evolve

from agb.local.failures import MachineUnfit, SandboxError
from agb.local.sandboxes.sandboxes import Sandboxes
from agb.local.sandboxes.spares import Spares
from agb.local.settings import Settings

PAUSE_S = 0.01


class Maker:
    """Makes spares, and tells when there are so many."""

    def __init__(self, wanted: int) -> None:
        self.made: list[Fake] = []
        self.failure: SandboxError | None = None
        self.may_make = asyncio.Event()
        self.may_make.set()
        self.tried = asyncio.Semaphore(0)
        self.spares = Spares(self.make, wanted=wanted, pause_s=PAUSE_S)

    async def make(self) -> Fake:
        self.tried.release()
        await self.may_make.wait()
        if self.failure is not None:
            raise self.failure
        self.made.append(Fake())
        return self.made[-1]

    async def tries(self, number: int) -> None:
        for _ in range(number):
            await asyncio.wait_for(self.tried.acquire(), 30)
        await asyncio.sleep(0)


class Fake:
    alive = True

    async def aclose(self) -> None:
        self.alive = False


async def test_reserve_is_filled_after_the_first():
    """The first finds nothing in reserve; after it as many are made as are wanted, no more."""
    maker = Maker(2)
    first = maker.spares.take()

    await maker.tries(2)
    taken = [maker.spares.take() for _ in range(3)]

    assert first is None
    assert taken == [*maker.made, None]
    await maker.spares.aclose()


async def test_the_dead_are_not_handed_out():
    """One that has ended in reserve is passed over."""
    maker = Maker(2)
    maker.spares.take()
    await maker.tries(2)
    maker.made[0].alive = False

    assert maker.spares.take() is maker.made[1]
    await maker.spares.aclose()


async def test_no_reserve():
    """With none wanted none is made."""
    maker = Maker(0)

    assert maker.spares.take() is None
    await asyncio.sleep(PAUSE_S * 3)
    assert maker.made == []
    await maker.spares.aclose()


async def test_one_that_cannot_be_made(caplog):
    """A failure is logged; the next session is the occasion for another try."""
    maker = Maker(1)
    maker.failure = SandboxError("no room")
    maker.spares.take()
    await maker.tries(1)
    maker.failure = None
    assert maker.spares.take() is None
    await maker.tries(1)

    assert maker.spares.take() is maker.made[0]
    assert "no room" in caplog.text
    await maker.spares.aclose()


@pytest.mark.parametrize("tries", [0, 1], ids=["before the pause is over", "within the making"])
async def test_the_end(tries):
    """At the end those in reserve end, and none is made any more."""
    maker = Maker(2)
    maker.spares.take()
    if tries:
        await maker.tries(2)
        ready = list(maker.made)
        maker.spares.take()
        maker.may_make.clear()
        await maker.tries(1)
        ready.pop(0)
    else:
        ready = []

    await maker.spares.aclose()

    assert [each.alive for each in ready] == [False] * len(ready)
    assert len(maker.made) == (2 if tries else 0)
    assert maker.spares.take() is None


async def test_a_session_from_the_reserve():
    """A sandbox from the reserve is empty, its own, and has its Python; none is left at the end.

    What it is to have imported it has, and nobody minds a module that is not there or broken.
    """
    settings = evolve(
        Settings.from_environment(),
        spare_sandboxes=1,
        spare_pause_s=PAUSE_S,
        warm_sandboxes=2,
        preload="no_such_module, json.nothing, colorsys",
    )
    try:
        sandboxes = await Sandboxes.start(settings)
    except MachineUnfit as unfit:
        pytest.skip(str(unfit))
    first = await sandboxes.open("first")
    while not sandboxes._spares._ready:
        await asyncio.sleep(0.01)
    (spare,) = sandboxes._spares._ready

    second = await sandboxes.open("second")
    code = "import os, sys; os.listdir(), 'colorsys' in sys.modules"
    cell = {"code": code, "language": "python", "timeout_s": 30}
    result = await second.call("run_code", cell, timeout_s=60)
    state = sandboxes.directory
    await asyncio.gather(first.aclose(), second.aclose())
    await sandboxes.aclose()

    assert second is spare
    assert second is not first
    assert result["result"][0]["text/plain"] == "([], True)"
    assert (result["execution_count"], result["stdout"], result["stderr"]) == (1, [], [])
    assert not os.path.exists(state)


async def test_a_reserve_beside_many_sessions_has_no_python_yet():
    """Where as many sandboxes are warm as may be, a spare one takes no more memory than others."""
    settings = evolve(
        Settings.from_environment(), spare_sandboxes=1, spare_pause_s=PAUSE_S, warm_sandboxes=0
    )
    try:
        sandboxes = await Sandboxes.start(settings)
    except MachineUnfit as unfit:
        pytest.skip(str(unfit))
    await sandboxes.open("first")
    while not sandboxes._spares._ready:
        await asyncio.sleep(0.01)
    second = await sandboxes.open("second")
    listing = {"command": "cat /proc/[0-9]*/cmdline | tr '\\0' ' '", "timeout_ms": 20_000}

    before = await second.call("shell", listing, timeout_s=30)
    cell = {"code": "6 * 7", "language": "python", "timeout_s": 30}
    result = await second.call("run_code", cell, timeout_s=60)
    after = await second.call("shell", listing, timeout_s=30)

    await sandboxes.aclose()
    assert "kernel" not in before["stdout"]
    assert "kernel" in after["stdout"]
    assert "42" in str(result["result"])
