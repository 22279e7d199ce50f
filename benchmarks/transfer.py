"""How long a file takes into a session and back, and how much memory that needs on either side.

    python benchmarks/transfer.py 1024        # 1 GiB; 64 MiB if nothing is said

Starts `agb serve` and moves the file with both colours of the client. Prints one line a colour:
seconds each way, beside copying the file on this machine's disk, and by how many MB the client and
the server grew at most. Exits with 1 if either grew by 100 MB, or the file came back changed.
"""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import anyio

from agb import AGB, AsyncAGB, Config

REMOTE = "/home/user/large.bin"
MOST_MB = 100


class Memory:
    """The growth of processes while a block runs, looked at fifty times a second."""

    def __init__(self, *pids: int) -> None:
        self._files = [Path(f"/proc/{pid}/statm") for pid in pids]
        self._before = self._now()
        self.growth = [0.0] * len(pids)

    def _now(self) -> list[float]:
        pages = [int(file.read_text().split()[1]) for file in self._files]
        return [each * os.sysconf("SC_PAGESIZE") / 1e6 for each in pages]

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Watch until the block ends."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.02):
                grown = [
                    now - before for now, before in zip(self._now(), self._before, strict=True)
                ]
                self.growth = list(map(max, self.growth, grown))

        thread = threading.Thread(target=watch)
        thread.start()
        yield
        over.set()
        thread.join()


async def there_and_back(agb: AsyncAGB, here: Path, back: Path) -> tuple[float, float]:
    """Move the file both ways and return the seconds of each."""
    async with agb.open_session() as session:
        began = perf_counter()
        (await session.file.upload(here, REMOTE)).raise_for_error()
        there = perf_counter()
        (await session.file.download(REMOTE, back)).raise_for_error()
        return there - began, perf_counter() - there


def blocking_there_and_back(agb: AGB, here: Path, back: Path) -> tuple[float, float]:
    """Do the same with the blocking client."""
    with agb.open_session() as session:
        began = perf_counter()
        session.file.upload(here, REMOTE).raise_for_error()
        there = perf_counter()
        session.file.download(REMOTE, back).raise_for_error()
        return there - began, perf_counter() - there


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mebibytes", type=int, nargs="?", default=64)
    size = parser.parse_args().mebibytes << 20
    failed = False
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as folder,
        subprocess.Popen(
            [sys.executable, "-m", "agb.local", "serve", "--port", "0", "--json"],
            stdout=subprocess.PIPE,
        ) as server,
    ):
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        here, back, copy = (Path(folder, name) for name in ("here", "back", "copy"))
        with here.open("wb") as file:
            for _ in range(0, size, 1 << 20):
                file.write(os.urandom(1 << 20))
        began = perf_counter()
        shutil.copyfile(here, copy)
        copied = perf_counter() - began
        copy.unlink()
        print(f"{size >> 20} MiB; copied on the disk in {copied:.1f} s")
        config = Config(endpoint=ready["endpoint"])

        async def run_async() -> tuple[float, float]:
            async with AsyncAGB(ready["api_key"], config) as agb:
                return await there_and_back(agb, here, back)

        def run_blocking() -> tuple[float, float]:
            with AGB(ready["api_key"], config) as agb:
                return blocking_there_and_back(agb, here, back)

        for name, run in (("blocking", run_blocking), ("async", lambda: anyio.run(run_async))):
            memory = Memory(os.getpid(), ready["pid"])
            with memory.watched():
                up, down = run()
            client, grown = memory.growth
            print(
                f"{name}: up {up:.1f} s, down {down:.1f} s;"
                f" client +{client:.0f} MB, server +{grown:.0f} MB"
            )
            failed |= max(memory.growth) >= MOST_MB or not filecmp.cmp(here, back, shallow=False)
        server.terminate()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
