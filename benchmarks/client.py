"""How much the client itself costs, beside bare httpx and aiohttp against the same tiny server.

    python benchmarks/client.py [--rounds 9] [--picture docs/client-speed.svg]

Run it in an environment with this package, aiohttp and nothing else: what is installed beside httpx
slows its import down. Everything is measured in turn within one run, so that what slows the machine
down slows all of them. The table on standard output is for `docs/benchmarks.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import aiohttp
import httpx
from footprint import distributions, megabytes
from picture import bars

from agb import AGB, AsyncAGB, AsyncSession, Config, Session

HERE = Path(__file__).parent
CHUNK = 51_200
CALLS = 300
TEXT = ("0123456789abcdef" * 4)[:-1] + "\n"
TEN_MB = TEXT * (10_000_000 // len(TEXT))
ARGUMENTS = {"code": "6*7", "language": "python", "timeout_s": 300}
BODY = {"args": json.dumps(ARGUMENTS), "sessionId": "s-1", "name": "run_code"}
HEADERS = {"Authorization": "Bearer key"}
IMPORTS = ("from agb import AGB", "import httpx")
FIRST_CALLS = (
    "from agb import AGB, Config; AGB('key', Config({url!r})).get_session('s-1').unwrap()",
    "import httpx; httpx.Client().post({url!r} + '/mcp/getSession', json={{}}).json()",
)
AGAIN = (
    "AGB('key', Config({url!r})).get_session('s-1').unwrap()",
    "httpx.Client().post({url!r} + '/mcp/getSession', json={{}}).json()",
)

Times = dict[str, list[float]]


@contextmanager
def server(*options: str) -> Iterator[str]:
    """Run the tiny server in a process of its own; give its URL."""
    command = [sys.executable, str(HERE / "tiny_server.py"), *options]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate()


def seconds(work: Callable[[], object]) -> float:
    """Do something and return how long it took."""
    began = perf_counter()
    work()
    return perf_counter() - began


def ratio(times: Times, one: str, other: str) -> float:
    """Return the median of the ratios of each round."""
    return median(a / b for a, b in zip(times[one], times[other], strict=True))


def blocking_calls(url: str, rounds: int) -> Times:
    """Time one call after the other, blocking."""
    times: Times = {"agb": [], "httpx": []}
    with AGB("key", Config(url)) as agb, httpx.Client(timeout=60) as bare:
        session = Session(agb, "s-1")
        works: dict[str, Callable[[], object]] = {
            "agb": lambda: session.code.run_code("6*7", "python").unwrap(),
            "httpx": lambda: bare.post(f"{url}/mcp", json=BODY, headers=HEADERS).json(),
        }
        for _ in range(rounds + 1):
            for name, work in works.items():
                began = perf_counter()
                for _ in range(CALLS):
                    work()
                times[name].append((perf_counter() - began) / CALLS)
    return {name: values[1:] for name, values in times.items()}


async def flood(call: Callable[[], Awaitable[object]], in_flight: int, calls: int) -> float:
    """Make calls, so many in flight at any time; return the seconds for each."""
    rest = iter(range(calls))

    async def work() -> None:
        for _ in rest:
            await call()

    began = perf_counter()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return (perf_counter() - began) / calls


async def async_calls(url: str, rounds: int) -> Times:
    """Time calls with 10 and 200 in flight, async."""
    times: Times = {}
    unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with (
        AsyncAGB("key", Config(url)) as agb,
        httpx.AsyncClient(limits=unlimited, timeout=60) as bare,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as other,
    ):
        session = AsyncSession(agb, "s-1")

        async def by_agb() -> None:
            (await session.code.run_code("6*7", "python")).unwrap()

        async def by_httpx() -> None:
            (await bare.post(f"{url}/mcp", json=BODY, headers=HEADERS)).json()

        async def by_aiohttp() -> None:
            async with other.post(f"{url}/mcp", json=BODY, headers=HEADERS) as reply:
                await reply.json()

        works = {"agb": by_agb, "httpx": by_httpx, "aiohttp": by_aiohttp}
        for _ in range(rounds):
            for in_flight in (10, 200):
                for name, work in works.items():
                    # First open the connections: httpx and aiohttp close theirs between rounds.
                    await flood(work, in_flight, in_flight * 2)
                    taken = await flood(work, in_flight, CALLS * 4)
                    times.setdefault(f"{name} {in_flight}", []).append(taken)
    return times


def fresh(programs: tuple[str, ...], rounds: int, url: str = "", before: str = "") -> Times:
    """Time programs, each in an interpreter of its own, from inside."""
    times: Times = {program: [] for program in programs}
    for _ in range(rounds):
        for program in programs:
            text = program.format(url=url)
            timed = (
                f"from time import perf_counter as now\n{before}\nt=now()\n{text}\nprint(now()-t)"
            )
            command = [sys.executable, "-c", timed]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times[program].append(float(done.stdout))
    return times


def files(url: str, rounds: int) -> Times:
    """Time 10 MB in the ways of this client and in chunks, and compare what came."""
    times: Times = {name: [] for name in ("write", "read", "chunked write", "chunked read")}
    with AGB("key", Config(url)) as agb:
        session = Session(agb, "s-1")
        for number in range(rounds + 1):
            for name, work in {
                "write": lambda: session.file_system.write_file("/a", TEN_MB).unwrap(),
                "read": lambda: session.file_system.read_file("/a").unwrap(),
                "chunked write": lambda: chunked_write(url, "/b"),
                "chunked read": lambda: chunked_read(url, "/a"),
            }.items():
                # The first round finds out what the endpoint takes.
                if number or not name.startswith("chunked"):
                    times[name].append(seconds(work))
                if name.endswith("write"):
                    session.file_system.get_file_info("/a").unwrap()
        assert session.file_system.read_file("/a").unwrap() == TEN_MB
        assert chunked_read(url, "/b") == TEN_MB
    return {name: values[-rounds:] for name, values in times.items()}


def chunked_write(url: str, path: str) -> None:
    """Write 50 KB after 50 KB, over one kept connection."""
    with httpx.Client(timeout=60) as bare:
        for start in range(0, len(TEN_MB), CHUNK):
            mode = "append" if start else "overwrite"
            _tool(
                bare, url, "write_file", path=path, content=TEN_MB[start : start + CHUNK], mode=mode
            )


def chunked_read(url: str, path: str) -> str:
    """Read 50 KB after 50 KB, over one kept connection."""
    with httpx.Client(timeout=60) as bare:
        texts = [
            _tool(bare, url, "read_file", path=path, offset=start, length=CHUNK, format="binary")
            for start in range(0, len(TEN_MB), CHUNK)
        ]
    return b"".join(base64.b64decode(text) for text in texts).decode()


def _tool(bare: httpx.Client, url: str, name: str, **given: object) -> str:
    body = json.dumps({"args": json.dumps(given), "sessionId": "s-1", "name": name})
    data = bare.post(f"{url}/mcp", content=body).json()["data"]
    return str(data["content"][0]["text"])


def count(url: str, what: str) -> int:
    """Ask the server how many connections or requests it has seen."""
    return int(httpx.get(f"{url}/{what}").text)


def counts(url: str) -> tuple[int, int]:
    """Return the connections of 1000 calls, and the requests of a walk through 1000 sessions."""
    with AGB("key", Config(url)) as agb:
        before = count(url, "connections")
        for _ in range(1000):
            agb.get_session("s-1").unwrap()
        connections = count(url, "connections") - before - 1  # one of them asks
        asked = count(url, "requests")
        assert len(list(agb.iter_sessions(limit=100))) == 1000
        return connections, count(url, "requests") - asked - 1


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--picture", type=Path, help="write a picture (SVG) to this file")
    options = parser.parse_args()
    few = max(3, options.rounds // 3)
    with server() as url:
        blocking = blocking_calls(url, options.rounds)
        in_flight = asyncio.run(async_calls(url, options.rounds))
        connections, pages = counts(url)
        imports = fresh(IMPORTS, options.rounds)
        cold = fresh(FIRST_CALLS, options.rounds, url)
        both = "from agb import AGB, Config; import httpx; " + AGAIN[0].format(url=url)
        warm = fresh(AGAIN, options.rounds, url, both)
    with server("--round-trip-ms", "20") as url:
        large = files(url, few)
    with server("--round-trip-ms", "20", "--longest-body", "1000000") as url:
        small = files(url, few)
    fall_off = 1 - 1 / ratio(in_flight, "agb 200", "agb 10")
    rows = [
        (
            "blocking `run_code` / bare `httpx.Client.post`",
            "≤ 1.15",
            "≤ 0.9",
            ratio(blocking, "agb", "httpx"),
        ),
        (
            "async, 200 in flight / bare `httpx.AsyncClient`",
            "≤ 0.65",
            "≤ 0.3",
            ratio(in_flight, "agb 200", "httpx 200"),
        ),
        (
            "async, 200 in flight / aiohttp",
            "≤ 6",
            "≤ 2",
            ratio(in_flight, "agb 200", "aiohttp 200"),
        ),
        (
            "fall-off of async throughput from 10 to 200 in flight",
            "≤ 25 %",
            "none",
            f"{fall_off:.0%}" if fall_off > 0 else "none",
        ),
        ("connections for 1,000 calls one after the other", "1", "1", str(connections)),
        ("`from agb import AGB` / `import httpx`", "≤ 1.0", "≤ 0.85", ratio(imports, *IMPORTS)),
        (
            "`AGB(...)` and its first call / `httpx.Client()` and its first call",
            "≤ 1.15",
            "≤ 1.0",
            ratio(warm, *AGAIN),
        ),
        ("the same with the imports", "", "", ratio(cold, *FIRST_CALLS)),
        (
            "read 10 MB at 20 ms / 50 KB after 50 KB",
            "≤ 1/20",
            "≤ 1/90",
            f"1/{ratio(large, 'chunked read', 'read'):.0f}",
        ),
        (
            "write 10 MB at 20 ms / the same, one request accepted",
            "≤ 1/40",
            "",
            f"1/{ratio(large, 'chunked write', 'write'):.0f}",
        ),
        (
            "write 10 MB at 20 ms / the same, bodies of 1 MB accepted",
            "≤ 1/2.5",
            "",
            f"1/{ratio(small, 'chunked write', 'write'):.1f}",
        ),
        ("requests to list 1,000 sessions, page size 100", "10", "10", str(pages)),
        ("distributions of a plain install", "≤ 13", "", str(len(distributions()))),
        ("MB of a plain install with `--no-compile`", "≤ 5", "", f"{megabytes():.1f}"),
    ]
    print("| | must | aim | measured |\n| --- | --- | --- | --- |")
    for name, must, aim, measured in rows:
        shown = measured if isinstance(measured, str) else f"{measured:.2f}"
        print(f"| {name} | {must} | {aim} | {shown} |")
    if options.picture:
        groups = {
            "One call, blocking": {f"{name}": times for name, times in blocking.items()},
            "One call of 200 in flight, async": {
                name: in_flight[f"{name} 200"] for name in ("agb", "httpx", "aiohttp")
            },
            "Read 10 MB at 20 ms round trip": {
                "agb": large["read"],
                "50 KB after 50 KB": large["chunked read"],
            },
            "Write 10 MB at 20 ms round trip": {
                "agb": large["write"],
                "50 KB after 50 KB": large["chunked write"],
            },
        }
        medians = {
            title: {name: median(times) * 1000 for name, times in group.items()}
            for title, group in groups.items()
        }
        options.picture.write_text(bars(medians, unit="ms"), encoding="utf-8")


if __name__ == "__main__":
    main()
