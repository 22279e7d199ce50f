"""Which sandboxes have their Python started, and how many do at the same time."""

from __future__ import annotations

import asyncio
import os

from agb.local.failures import ToolError
from agb.local.sandboxes.warming import Warming
from agb.local.settings import Settings


class Fake:
    """A sandbox that takes until it is told to start its Python."""

    at_once = 0
    most_at_once = 0

    def __init__(self) -> None:
        self.alive = True
        self.calls: list[str] = []

    async def call(self, method: str, params: dict[str, object], *, timeout_s: float) -> object:
        self.calls.append(method)
        Fake.at_once += 1
        Fake.most_at_once = max(Fake.most_at_once, Fake.at_once)
        for _ in range(5):
            await asyncio.sleep(0)
        Fake.at_once -= 1
        raise ToolError("it can't")


async def settle(warming: Warming) -> None:
    while warming._tasks:
        await asyncio.sleep(0)


async def test_many_sandboxes_are_not_all_warmed_up():
    """Only so many as were wanted; one that ends makes room for another."""
    warming = Warming(Settings(warm_sandboxes=2))
    sandboxes = [Fake() for _ in range(4)]
    for sandbox in sandboxes[:3]:
        warming.begin(sandbox)
    await settle(warming)
    assert [sandbox.calls for sandbox in sandboxes] == [["warm_up"], ["warm_up"], [], []]

    sandboxes[0].alive = False
    warming.begin(sandboxes[3])
    await settle(warming)

    assert sandboxes[3].calls == ["warm_up"]


async def test_few_first_cells_start_python_at_a_time():
    """One for each processor; what goes wrong is left to the cell."""
    Fake.most_at_once = 0
    warming = Warming(Settings())

    await asyncio.gather(*(warming.before_first_cell(Fake()) for _ in range(40)))

    assert Fake.most_at_once == os.cpu_count()
