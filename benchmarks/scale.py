"""What many sessions cost at once: rates, latencies, memory, and how many calls succeeded."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter

import attrs
from picture import bars

from agb import AsyncAGB, AsyncSession
from agb._io.embedded import running, stop

IN_FLIGHT = 8
AT_ONCE = 200
IDLE = 500
# Published, not measured here: create to the end of a first command, p50, one neutral public
# harness, May 2026. With a network in between, which the embedded sandbox has not.
HOSTED = {"Daytona": 186.0, "E2B": 491.0, "Vercel": 671.0, "Modal": 1723.0}


@attrs.frozen
class Row:
    """What one kind of call took.

    Attributes:
        name: What was called.
        times: Milliseconds of each call that succeeded.
        tried: How many were made.
        note: What else came of it, and the goal.
    """

    name: str
    times: list[float]
    tried: int
    note: str = ""

    @property
    def cuts(self) -> tuple[float, float, float]:
        """p50, p95 and p99 in milliseconds."""
        cuts = statistics.quantiles(self.times, n=100, method="inclusive")
        return cuts[49], cuts[94], cuts[98]

    def line(self) -> str:
        """Write it as a line of a table."""
        numbers = " | ".join(f"{cut:.1f}" for cut in self.cuts)
        right = f"{len(self.times)} of {self.tried}"
        return f"| {self.name} | {numbers} | {right} | {self.note} |"


async def timed(work: Iterable[Callable[[], Awaitable[object]]], in_flight: int) -> list[float]:
    """Do all of it, so much at a time; return the milliseconds of what succeeded."""
    times: list[float] = []
    rest = iter(list(work))

    async def worker() -> None:
        for each in rest:
            began = perf_counter()
            try:
                await each()
            except Exception as error:
                print(f"failed: {error}")
            else:
                times.append((perf_counter() - began) * 1000)

    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return times


class Scale:
    """The measurements, with the sessions that they share."""

    def __init__(self, agb: AsyncAGB, server: int) -> None:
        self.agb = agb
        self.server = server
        self.rows: list[Row] = []
        self._sessions: list[AsyncSession] = []

    async def run(self) -> None:
        """Measure everything."""
        await self._one_at_a_time()
        await self._create_and_delete()
        await self._create_and_hold()
        await self._cells()

    async def _create(self) -> None:
        self._sessions.append((await self.agb.create()).unwrap())

    async def _delete_all(self) -> None:
        sessions, self._sessions = self._sessions, []
        await timed([session.delete for session in sessions], IN_FLIGHT)

    async def _one_at_a_time(self, count: int = 100) -> None:
        async def first_command() -> None:
            await self._create()
            (await self._sessions[-1].command.execute_command("true")).raise_for_error()

        for name, work in (("create", self._create), ("create + first command", first_command)):
            times: list[float] = []
            for _ in range(count):
                times += await timed([work], 1)
                await self._delete_all()
            self.rows.append(Row(f"{name}, one after the other", times, count))

    async def _create_and_delete(self, count: int = 1000) -> None:
        async def come_and_go() -> None:
            session = (await self.agb.create()).unwrap()
            (await session.delete()).raise_for_error()

        began = perf_counter()
        times = await timed([come_and_go] * count, IN_FLIGHT)
        rate = f"{len(times) / (perf_counter() - began):.0f} a second"
        self.rows.append(Row(f"create + delete, {IN_FLIGHT} in flight", times, count, rate))

    async def _create_and_hold(self) -> None:
        before = memory_mb(self.server), used_mb()
        began = perf_counter()
        times = await timed([self._create] * IDLE, IN_FLIGHT)
        rate = len(times) / (perf_counter() - began)
        note = f"{rate:.0f} a second; goal ≥ 60"
        self.rows.append(Row(f"create, {IN_FLIGHT} in flight", times, IDLE, note))
        await asyncio.sleep(30)  # whatever begins by itself when nobody asks for anything
        own, all = memory_mb(self.server) - before[0], used_mb() - before[1]
        held = len(self._sessions)
        note = f"{own / held:.1f} MB each ({all / held:.1f} with the kernel's); goal ≤ 12 MB"
        infos = await timed([session.info for session in self._sessions], IN_FLIGHT)
        self.rows.append(Row(f"`info()` of {IDLE} idle sessions", infos, held, note))
        await self._delete_all()

    async def _cells(self) -> None:
        async def cell(session: AsyncSession) -> None:
            result = await session.code.run_code("21 * 2", "python", timeout_s=120)
            assert result.unwrap() == "42"

        def cells(sessions: list[AsyncSession]) -> list[Callable[[], Awaitable[object]]]:
            return [lambda session=session: cell(session) for session in sessions]

        await timed([self._create] * AT_ONCE, IN_FLIGHT)
        first = await timed(cells(self._sessions), AT_ONCE)
        alone = await timed(cells(self._sessions), 1)
        at_once = await timed(cells(self._sessions), AT_ONCE)
        row = Row("warm cell, one after the other", alone, AT_ONCE)
        self.rows.append(row)
        many = Row(f"warm cell in each of {AT_ONCE} sessions at once", at_once, AT_ONCE)
        times = many.cuts[2] / row.cuts[0]
        note = f"p99 = {times:.0f} times the p50 of one alone; goal ≤ 10"
        self.rows.append(attrs.evolve(many, note=note))
        self.rows.append(Row(f"first cell in each of {AT_ONCE} sessions at once", first, AT_ONCE))
        await self._delete_all()


def below(pid: int) -> list[int]:
    """Return a process and all below it."""
    parents: dict[int, list[int]] = {}
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    for line in table.stdout.splitlines():
        child, parent = map(int, line.split())
        parents.setdefault(parent, []).append(child)
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def memory_mb(pid: int) -> float:
    """Return the memory of a process and all below it; what they share counts once (PSS)."""
    total = 0
    for each in below(pid):
        try:
            with open(f"/proc/{each}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            continue  # It has ended meanwhile.
    return total / 1000


def used_mb() -> float:
    """Return how much memory of the whole machine is not available any more."""
    with open("/proc/meminfo") as file:
        facts = {line.split(":")[0]: int(line.split()[1]) for line in file}
    return (facts["MemTotal"] - facts["MemAvailable"]) / 1000


def picture(rows: list[Row]) -> str:
    """Draw what was measured: how long the calls took, and beside hosted sandboxes."""
    first = next(row for row in rows if "first command" in row.name)
    title = "Create a session, run a first command (p50)"
    groups = {title: {"agb, local": first.cuts[0], **HOSTED}}
    for row in rows:
        title = f"{row.name.replace('`', '')}: {len(row.times)} of {row.tried} right"
        groups[title] = dict(zip(("p50", "p95", "p99"), row.cuts, strict=True))
    return bars(groups, unit="ms")


async def measure() -> list[Row]:
    """Measure on an embedded server of its own."""
    stop()
    os.environ["AGB_LOCAL_MAX_SESSIONS"] = str(IDLE + 100)
    async with AsyncAGB.local() as agb:
        (await (await agb.create()).unwrap().delete()).raise_for_error()
        server = running()
        assert server is not None
        scale = Scale(agb, server.process.pid)
        await scale.run()
        return scale.rows


def main() -> list[Row]:
    """Measure and print a table."""
    began = time.time()
    rows = asyncio.run(measure())
    print(f"| {time.time() - began:.0f} s in all | p50, ms | p95 | p99 | right | |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        print(row.line())
    return rows


if __name__ == "__main__":
    main()
