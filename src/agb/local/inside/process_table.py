"""The tools for processes that go on by themselves: start, find, read, write, signal, wait."""

from __future__ import annotations

import signal as signals
import threading

from .failures import ToolFailure
from .input import Input, decoded
from .process_pump import ProcessPump
from .started import Started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .cancellation import Cancellation
    from .limits import Limits
    from .output import Leftovers
    from .shell import Shell

# One answer carries at most so many bytes of output.
_ONE_ANSWER = 1 << 19


class ProcessTable:
    """The processes that were started in a session, and those of them that ended last."""

    def __init__(self, limits: Limits, shell: Shell, leftovers: Leftovers) -> None:
        self._limits = limits
        self._shell = shell
        self._pump = ProcessPump(leftovers)
        self._changing = threading.Lock()
        self._started: dict[str, Started] = {}
        self._count = 0

    def start_process(
        self,
        cancellation: Cancellation,
        *,
        command: str,
        cwd: str | None = None,
        envs: Mapping[str, str] | None = None,
        stdin: bool = True,
        keep_output: bool = True,
    ) -> dict[str, object]:
        """Start a command and leave it to itself.

        Args:
            cancellation: Ends what nobody will know of.
            command: What the shell is to run.
            cwd: Where it starts; relative to the home directory.
            envs: Variables added to the usual ones.
            stdin: Whether it can be written to; else its standard input is empty.
            keep_output: Whether its output is kept; else it goes nowhere.

        Returns:
            Its description.
        """
        with self._changing:
            self._make_room()
            try:
                self._pump.start()
            except RuntimeError as error:
                raise ToolFailure(self._limits.at_limit) from error
            process = self._shell.start(
                command, cwd, envs, takes_input=stdin, keeps_output=keep_output, in_order=True
            )
            self._count += 1
            started = Started(
                self._count,
                command,
                process,
                self._limits.max_process_output_bytes,
                self._limits.reader_grace_s,
                self._pump.forget,
            )
            self._started[started.id] = started
            self._pump.add(started)
        if cancellation.cancelled:
            started.signal(signals.SIGKILL)
        return started.describe()

    def list_processes(self, cancellation: Cancellation) -> dict[str, object]:
        """List the processes, in the order of their start."""
        with self._changing:
            return {"processes": [started.describe() for started in self._started.values()]}

    def read_process_output(
        self, cancellation: Cancellation, *, process_id: str, cursor: int, wait_s: float
    ) -> dict[str, object]:
        """Read output from a position on; see `Started.read`."""
        started = self._find(process_id)
        started.expect_reader(cursor)
        self._pump.resume(started)
        return started.read(cancellation, cursor, wait_s, _ONE_ANSWER)

    def wait_process(
        self, cancellation: Cancellation, *, process_id: str, wait_s: float
    ) -> dict[str, object]:
        """Wait for the end of a process, and describe it."""
        started = self._find(process_id)
        started.expect_no_reader()
        self._pump.resume(started)
        return started.wait(cancellation, wait_s)

    def write_process_stdin(
        self,
        cancellation: Cancellation,
        *,
        process_id: str,
        data: str,
        format: str,
        wait_s: float,
    ) -> dict[str, object]:
        """Write to the standard input of a process, as far as it takes it in time."""
        started = self._find(process_id)
        given = Input(decoded(data, format))
        written = started.write(cancellation, given, wait_s, lambda: self._pump.feed_later(started))
        return {"written": written}

    def close_process_stdin(
        self, cancellation: Cancellation, *, process_id: str
    ) -> dict[str, object]:
        """Let a process find the end of its standard input."""
        self._find(process_id).close_stdin()
        return {}

    def signal_process(
        self, cancellation: Cancellation, *, process_id: str, signal: str
    ) -> dict[str, object]:
        """Signal a process and all that it started."""
        started = self._find(process_id)
        started.signal(signals.Signals[f"SIG{signal}"])
        self._pump.resume(started)
        return started.describe()

    def _find(self, process_id: str) -> Started:
        started = self._started.get(process_id)
        if started is None:
            raise ToolFailure(
                f"This session has no process {process_id[:100]!r}; of those that have ended, the "
                f"last {self._limits.max_ended_processes} are remembered"
            )
        return started

    def _make_room(self) -> None:
        """Forget the oldest of the processes that have ended, if there are too many of them."""
        ended = [each for each in self._started.values() if each.is_over]
        if len(self._started) - len(ended) >= self._limits.max_started_processes:
            raise ToolFailure(
                f"This session runs {self._limits.max_started_processes} processes that were "
                "started to go on by themselves, as many as it may; end one of them"
            )
        for each in ended[: max(0, len(ended) + 1 - self._limits.max_ended_processes)]:
            del self._started[each.id]
