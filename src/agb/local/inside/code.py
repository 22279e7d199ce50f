"""The `run_code` tool: one process per language, one cell at a time in each."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from .failures import ToolFailure
from .kernel import Kernel, KernelEnded, TimedOut
from .languages import commands
from .results import RichResults
from .streaming import Live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from .cancellation import Cancellation
    from .events import Events
    from .frames import Message
    from .limits import Limits
    from .paths import Home


class Code:
    """Runs cells of code; variables live on from one to the next."""

    def __init__(
        self,
        limits: Limits,
        home: Home,
        environment: Mapping[str, str],
        packages: Sequence[str] = (),
        notice: str = "",
    ) -> None:
        """Prepare the languages; their processes start later.

        Args:
            limits: The limits of this sandbox.
            home: Where the processes start.
            environment: All variables they see.
            packages: Directories of packages that Python does not find by itself.
            notice: What the first cell is to be told, or "".
        """
        self._untold = [notice] if notice else []
        starts = commands(packages, environment.get("PATH"), limits.max_data_bytes)
        self._languages = {
            name: Language(name, start, limits, home, environment) for name, start in starts.items()
        }

    def warm_up(
        self, cancellation: Cancellation, *, modules: Sequence[str] = ()
    ) -> dict[str, object]:
        """Start the Python process before anybody asks for it.

        Args:
            cancellation: Gives up waiting for it.
            modules: What it imports as well, as far as it has them.
        """
        self._languages["python"].warm_up(cancellation, modules)
        return {}

    def run_code(
        self,
        cancellation: Cancellation,
        *,
        code: str,
        language: str,
        timeout_s: float,
        events: Events | None = None,
    ) -> dict[str, object]:
        """Evaluate a cell of a language.

        Args:
            cancellation: Ends the cell when it is cancelled.
            code: The source.
            language: `python`, `javascript`, `java` or `r`.
            timeout_s: Seconds until the cell is interrupted.
            events: Where to tell what it writes and shows while it runs; the answer then has only
                what was not told.

        Returns:
            `stdout`, `stderr`, `result`, `execution_count`, `execution_time`, `error` and
            `timed_out`.
        """
        chosen = self._languages.get(language)
        if chosen is None:
            known = ", ".join(self._languages)
            raise ToolFailure(f"Unknown language: {language!r}; the local server runs {known}")
        untold, self._untold = self._untold, []
        for notice in untold:
            chosen.tell(notice)
        return chosen.run(code, timeout_s, cancellation, events)


class Language:
    """One language: its process, replaced when it has ended."""

    def __init__(
        self,
        name: str,
        command: Callable[[], Sequence[str]],
        limits: Limits,
        home: Home,
        environment: Mapping[str, str],
    ) -> None:
        self._name = name
        self._command = command
        self._limits = limits
        self._home = home
        self._environment = environment
        self._turn = threading.Condition()
        self._busy = False
        self._kernel: Kernel | None = None
        self._lost = ""

    def tell(self, notice: str) -> None:
        """Have the next cell told something."""
        self._lost += f"{notice}\n"

    def warm_up(self, cancellation: Cancellation, modules: Sequence[str]) -> None:
        """Start the process if there is none, and wait for it."""
        with self._turn_of(cancellation):
            if self._kernel is None:
                self._ready_kernel(cancellation, modules)

    def run(
        self, code: str, timeout_s: float, cancellation: Cancellation, events: Events | None
    ) -> dict[str, object]:
        """Evaluate a cell when its turn has come."""
        results = RichResults(self._limits.max_result_bytes)
        live = None if events is None else Live(events, results)
        with self._turn_of(cancellation):
            try:
                return self._run(code, timeout_s, cancellation, results, live)
            finally:
                if live is not None:
                    live.finish()

    @contextmanager
    def _turn_of(self, cancellation: Cancellation) -> Generator[None]:
        """Wait until nothing else of the language runs, and keep the others waiting."""
        self._wait_for_turn(cancellation)
        try:
            yield
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify()

    def _wait_for_turn(self, cancellation: Cancellation) -> None:
        """Wait until no other cell of the language runs."""

        def wake() -> None:
            with self._turn:
                self._turn.notify_all()

        with cancellation.calling(wake), self._turn:
            self._turn.wait_for(lambda: cancellation.cancelled or not self._busy)
            cancellation.check()
            self._busy = True

    def _run(
        self,
        code: str,
        timeout_s: float,
        cancellation: Cancellation,
        results: RichResults,
        live: Live | None,
    ) -> dict[str, object]:
        """Evaluate a cell, alone."""
        if self._kernel is not None and self._kernel.ended is not None:
            self._lose(self._kernel)
        kernel = self._ready_kernel(cancellation)
        notice, self._lost = self._lost, ""
        started = time.monotonic()
        error: dict[str, object] | None = None
        timed_out = False
        reply: Message = {}
        try:
            reply = kernel.run(code, timeout_s, cancellation, live)
        except TimedOut as late:
            reply = late.reply
            timed_out = True
            error = self._time_out(timeout_s, kept=kernel.ended is None)
        except KernelEnded as end:
            error = {"name": "KernelEnded", "value": str(end), "traceback": ""}
            # Told here and now; the next cell starts afresh without another word.
            self._lose(kernel, notice="")
        elapsed = time.monotonic() - started
        stdout, stderr, shown = live.finish() if live else (*kernel.take_output(), [])
        shown += results.fit(reply.get("result"))
        stderr = notice + stderr + results.notes
        return {
            "stdout": [stdout] if stdout else [],
            "stderr": [stderr] if stderr else [],
            "result": shown,
            "execution_count": _count(reply.get("execution_count")),
            "execution_time": round(elapsed, 6),
            "error": error or _error(reply.get("error")),
            "timed_out": timed_out,
        }

    def _ready_kernel(self, cancellation: Cancellation, modules: Sequence[str] = ()) -> Kernel:
        """Return the process, started if there is none, with some modules imported."""
        if self._kernel is None:
            self._kernel = Kernel(
                self._name, self._command(), self._home.path, self._environment, self._limits
            )
        try:
            self._kernel.wait_until_ready(cancellation)
            if modules:
                self._kernel.prepare(modules, cancellation)
        except (ToolFailure, KernelEnded):
            # It has said why; the next cell tries again.
            self._lose(self._kernel, notice="")
            raise
        return self._kernel

    def _lose(self, kernel: Kernel, notice: str | None = None) -> None:
        """Let go of a process that has ended, and remember to say so."""
        self._lost += f"{kernel.ended}\n" if notice is None else notice
        kernel.dispose()
        self._kernel = None

    def _time_out(self, timeout_s: float, *, kept: bool) -> dict[str, object]:
        """Describe a cell that took too long."""
        outcome = (
            "was interrupted; variables are kept"
            if kept
            else f"did not stop when interrupted: the {self._name} process was killed and "
            "its variables are gone"
        )
        value = f"The cell took longer than {timeout_s:g} s and {outcome}"
        return {"name": "TimeoutError", "value": value, "traceback": ""}


def _count(value: object) -> int:
    """Take the number of a cell from a reply."""
    return value if isinstance(value, int) else 0


def _error(value: object) -> dict[str, object] | None:
    """Take an error from a reply."""
    if not isinstance(value, dict):
        return None
    return {key: str(value.get(key, "")) for key in ("name", "value", "traceback")}
