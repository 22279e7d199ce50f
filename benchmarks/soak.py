"""Leave the client running under trouble: 200 calls in flight against `agb serve`, with faults on.

    python benchmarks/soak.py 5        # five minutes

Every write carries a token of its own. At the end a client without faults reads what is there, and
each token is held against what its caller was told: a success is there once, a failure not at all,
an unknown outcome at most once. Memory and descriptors have to be flat, and every failure must be
one that the faults explain. Exits with 1 if anything of that does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from agb import AsyncAGB, AsyncSession, Config
from agb._core.results import Result

IN_FLIGHT = 200
SESSIONS = 8
FAULT_RATE = 0.05
TIMEOUT_MS = 20_000
WRITTEN = "/home/user/written.txt"
# What may grow and is no leak: caches, allocator slack, connections that are idle.
MEMORY_SLACK_MB = 15.0
DESCRIPTOR_SLACK = 20

# What the proxy can do to a request. `before` means that the server never sees it.
FAULTS = (
    "reset before",
    "hang up before",
    "503 with Retry-After before",
    "reset after",
    "hang up after",
    "half a reply",
    "502 after",
    "slow reply",
)


class FaultyProxy:
    """Passes requests on to the server, and does something bad to a few of them."""

    def __init__(self, host: str, port: int, seed: int) -> None:
        self.injected: Counter[str] = Counter()
        self.passed = 0
        self.is_faulty = True
        self._host, self._port = host, port
        self._random = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listen on the loopback interface; return the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """End with all connections."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        upstream: asyncio.StreamWriter | None = None
        try:
            source, upstream = await asyncio.open_connection(self._host, self._port)
            while True:
                request = await _message(reader)
                fault = ""
                if self.is_faulty and self._random.random() < FAULT_RATE:
                    fault = self._random.choice(FAULTS)
                    self.injected[fault] += 1
                if await self._exchange(fault, request, source, upstream, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one of the two hung up, or the proxy stops
        finally:
            self._tasks.discard(task)
            for end in filter(None, (writer, upstream)):
                end.close()

    async def _exchange(
        self,
        fault: str,
        request: bytes,
        source: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> bool:
        """Pass one request on, or not; return whether the connection is over."""
        if fault in ("reset before", "hang up before"):
            return _break(client, fault)
        if fault == "503 with Retry-After before":
            client.write(_page("503 Service Unavailable", "Retry-After: 0\r\n"))
            return False
        upstream.write(request)
        reply = await _message(source)
        self.passed += 1
        if fault in ("reset after", "hang up after"):
            return _break(client, fault)
        if fault == "half a reply":
            client.write(reply[: len(reply) // 2])
            await client.drain()
            return True
        if fault == "502 after":
            client.write(_page("502 Bad Gateway"))
            return False
        if fault == "slow reply":
            for start in range(0, len(reply), 64):
                client.write(reply[start : start + 64])
                await asyncio.sleep(0.02)
            return False
        client.write(reply)
        await client.drain()
        return False


def _break(client: asyncio.StreamWriter, fault: str) -> bool:
    if fault.startswith("reset"):
        client.transport.abort()
    return True


def _page(status: str, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: 5\r\n\r\nsorry".encode()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read one request or reply, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


class Ledger:
    """What the callers were told about each write, and every failure."""

    def __init__(self) -> None:
        self.done: set[str] = set()
        self.failed: set[str] = set()
        self.unknown: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.unexplained: list[str] = []

    def note(self, name: str, result: Result, token: str = "") -> None:
        """Write down what a caller was told, of a write with its token."""
        self.calls[name] += 1
        error = result.exception
        if error is not None:
            status = error.status_code
            self.failures[f"{type(error).__name__} {status or ''}".strip()] += 1
            if not (status is None or status in (502, 503)):
                self.unexplained.append(f"{name}: {result.error_message}")
        if token:
            unknown = error is not None and error.outcome_unknown
            told = self.done if error is None else self.unknown if unknown else self.failed
            told.add(token)

    def check(self, found: Counter[str]) -> list[str]:
        """Hold what is there against what was told."""
        lost = [token for token in self.done if found[token] == 0]
        doubled = [token for token, count in found.items() if count > 1]
        denied = [token for token in self.failed if found[token]]
        foreign = found.keys() - self.done - self.failed - self.unknown
        lists = {"lost": lost, "doubled": doubled, "told not to be": denied, "foreign": foreign}
        return [
            f"{len(some)} writes {what}: {sorted(some)[:3]}" for what, some in lists.items() if some
        ]


async def work(sessions: list[AsyncSession], ledger: Ledger, number: int, until: float) -> None:
    """Make mixed calls, one after the other, until the time is over."""
    chooser = random.Random(number)
    for turn in range(1_000_000_000):
        if time.monotonic() > until:
            return
        session = chooser.choice(sessions)
        token = f"{number}.{turn}"
        name, call = chooser.choice(CALLS)
        result = await call(session, token)
        ledger.note(name, result, token if name in WRITING else "")


async def _append(session: AsyncSession, token: str) -> Result:
    return await session.file_system.write_file(WRITTEN, f"{token}\n", "append")


async def _command(session: AsyncSession, token: str) -> Result:
    return await session.command.execute_command(f"echo {token} >> {WRITTEN}", 60_000)


async def _code(session: AsyncSession, token: str) -> Result:
    # One write to a file opened for appending is whole, however many write.
    code = f"with open({WRITTEN!r}, 'a') as file: _ = file.write('{token}\\n')"
    return await session.code.run_code(code, "python", 60)


Call = Callable[[AsyncSession, str], Awaitable[Result]]
WRITING = {"append", "command", "code"}
CALLS: list[tuple[str, Call]] = [
    ("append", _append),
    ("command", _command),
    ("code", _code),
    ("info", lambda session, _: session.info()),
    ("get_labels", lambda session, _: session.get_labels()),
    ("list", lambda session, _: session.agb.list(limit=100)),
    ("list_directory", lambda session, _: session.file_system.list_directory("/home/user")),
    ("set_labels", lambda session, token: session.set_labels({"last": token})),
]


def usage() -> tuple[float, int]:
    """Return the resident memory of this process in MB and how many descriptors it has open."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir("/proc/self/fd"))


async def sample(samples: list[tuple[float, int]], seconds: float) -> None:
    """Look at memory and descriptors now and then."""
    while True:
        await asyncio.sleep(seconds)
        samples.append(usage())


async def soak(endpoint: str, api_key: str, minutes: float, seed: int) -> bool:
    """Run the soak and report; return whether all of it holds."""
    host, _, port = endpoint.removeprefix("http://").rpartition(":")
    proxy = FaultyProxy(host, int(port), seed)
    proxied = Config(endpoint=f"http://127.0.0.1:{await proxy.start()}", timeout_ms=TIMEOUT_MS)
    ledger = Ledger()
    samples: list[tuple[float, int]] = []
    found: Counter[str] = Counter()
    began = time.monotonic()
    async with (
        AsyncAGB(api_key, Config(endpoint=endpoint)) as clean,
        AsyncAGB(api_key, proxied) as agb,
        contextlib.AsyncExitStack() as stack,
    ):
        made = [await stack.enter_async_context(clean.open_session()) for _ in range(SESSIONS)]
        for session in made:
            (await session.file_system.write_file(WRITTEN, "")).raise_for_error()
        sessions = [AsyncSession(agb, session.session_id) for session in made]
        sampler = asyncio.create_task(sample(samples, max(1.0, minutes * 60 / 40)))
        until = began + minutes * 60
        await asyncio.gather(*(work(sessions, ledger, n, until) for n in range(IN_FLIGHT)))
        sampler.cancel()
        for session in made:
            text = (await session.file_system.read_file(WRITTEN)).raise_for_error().content
            found.update(text.split())
    await proxy.stop()
    problems = ledger.check(found)
    problems += [f"unexplained: {text}" for text in ledger.unexplained[:5]]
    problems += growth(samples)
    report(ledger, proxy, samples, time.monotonic() - began)
    print("\n".join(["", *problems] if problems else ["", "All of it holds."]))
    return not problems


def growth(samples: list[tuple[float, int]]) -> list[str]:
    """Compare the second quarter, when all is warm, with the last."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    if len(samples) < 4:
        return ["too short to say anything about memory and descriptors"]
    megabytes = max(s[0] for s in late) - max(s[0] for s in early)
    descriptors = max(s[1] for s in late) - max(s[1] for s in early)
    problems = []
    if megabytes > MEMORY_SLACK_MB:
        problems.append(f"memory grew by {megabytes:.1f} MB")
    if descriptors > DESCRIPTOR_SLACK:
        problems.append(f"descriptors grew by {descriptors}")
    return problems


def report(
    ledger: Ledger, proxy: FaultyProxy, samples: list[tuple[float, int]], seconds: float
) -> None:
    """Print what was done, what was done to it, and what came of it."""
    calls = sum(ledger.calls.values())
    failures = sum(ledger.failures.values())
    print(f"{calls} calls in {seconds:.0f} s, {IN_FLIGHT} in flight: {dict(ledger.calls)}")
    print(f"{sum(proxy.injected.values())} faults: {dict(proxy.injected)}")
    print(f"{failures} failed calls: {dict(ledger.failures)}")
    done, failed, unknown = (len(some) for some in (ledger.done, ledger.failed, ledger.unknown))
    print(f"writes: {done} done, {failed} not done, {unknown} of unknown outcome")
    if samples:
        (first_mb, first_fds), (last_mb, last_fds) = samples[0], samples[-1]
        print(f"memory {first_mb:.0f} → {last_mb:.0f} MB, descriptors {first_fds} → {last_fds}")


def main() -> int:
    """Start a server, run the soak, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("minutes", type=float, nargs="?", default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    command = [sys.executable, "-c", "from agb.__main__ import main; main()"]
    command += ["serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ready = json.loads(server.stdout.readline())
            work = soak(ready["endpoint"], ready["api_key"], arguments.minutes, arguments.seed)
            return 0 if asyncio.run(work) else 1
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main())
