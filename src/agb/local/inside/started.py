"""One process that was started and goes on by itself."""

from __future__ import annotations

import base64
import os
import signal
import threading
import time

from .failures import ToolFailure
from .process_output import ProcessOutput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .cancellation import Cancellation
    from .input import Input
    from .output import Leftovers
    from .processes import Process

# More than any pipe holds here: what is there when a process ends is taken, and no more.
_MOST_IN_A_PIPE = 1 << 20
_ONE_READ = 1 << 16
# Characters shown of a command.
_SHOWN = 1000


class Started:
    """A process, what it wrote, and what it is given.

    Whoever reads its output regularly loses none of it: while the room for output is full, the
    process waits for such a reader, up to `grace_s` after it has last read (or after the start).
    Nobody else is waited for: the oldest output makes room.
    """

    def __init__(
        self,
        number: int,
        command: str,
        process: Process,
        room: int,
        grace_s: float,
        forget: Callable[[int], None],
    ) -> None:
        """Take over a process that has just been started.

        Args:
            number: Its number among those of the session.
            command: What it was started as.
            process: The process.
            room: How much of its output is kept, in bytes.
            grace_s: How long it waits for a reader, in seconds.
            forget: Called with a descriptor just before it is closed.
        """
        self.id: str = f"process-{number}"
        self.process = process
        lock = threading.RLock()
        self.changed: threading.Condition = threading.Condition(lock)
        """Held for whatever happens here; notified of output, input taken, and the end."""
        # Apart: a thread that waits for the end is not to be woken by each line of output.
        self._ended = threading.Condition(lock)
        self.output: ProcessOutput = ProcessOutput(room)
        self.exit_code: int | None = None
        self.input: Input | None = None
        """What is being written to its standard input."""
        self.streams: dict[int, str] = {fd: name for name, fd in process.outputs.items()}
        """The descriptors that are still read, each with the name of its stream."""
        self._command = command
        self._forget = forget
        self._grace_s = grace_s
        self._awaited_until = time.monotonic() + grace_s
        self._read_until: int | None = None
        self._left_to_take = 2 * _MOST_IN_A_PIPE

    # ---- for those who ask -----------------------------------------------------------------------

    def describe(self) -> dict[str, object]:
        """Say which process this is and how it is."""
        return {
            "process_id": self.id,
            "pid": self.process.pid,
            "command": self._command[:_SHOWN],
            "exit_code": self.exit_code,
        }

    def read(
        self, cancellation: Cancellation, cursor: int, wait_s: float, at_most: int
    ) -> dict[str, object]:
        """Read from a position on; wait for something to be there, or for the end.

        Returns:
            The `output` in pieces, their bytes as base64; the `cursor` after them; how many bytes
            were `dropped` before them; the `exit_code`; whether that was the `end` of the output.
        """
        with cancellation.calling(self._wake), self.changed:
            self._wait(cancellation, wait_s, lambda: self.output.end > cursor or self.is_over)
            pieces, after, dropped = self.output.read(cursor, at_most)
            self._awaited_until = time.monotonic() + self._grace_s
            return {
                "output": [
                    {"stream": stream, "data": base64.b64encode(data).decode()}
                    for stream, data in pieces
                ],
                "cursor": after,
                "dropped": dropped,
                "exit_code": self.exit_code,
                "end": self.is_over and after == self.output.end,
            }

    def wait(self, cancellation: Cancellation, wait_s: float) -> dict[str, object]:
        """Wait for the end and describe it."""
        with cancellation.calling(self._wake), self.changed:
            self._ended.wait_for(
                lambda: cancellation.cancelled or self.exit_code is not None, wait_s
            )
            return self.describe()

    def expect_reader(self, cursor: int) -> None:
        """Let go, where room is needed, of what a reader has before a position, and of no more.

        Only the position that is asked for next shows what has really reached a reader.
        """
        with self.changed:
            if cursor > self.output.end:
                raise ToolFailure(f"{self.id} has written {self.output.end} bytes, not {cursor}")
            self._read_until = max(cursor, self._read_until or 0)
            self._awaited_until = time.monotonic() + self._grace_s

    def expect_no_reader(self) -> None:
        """Make room for output without waiting for a reader, if there was none yet."""
        with self.changed:
            if self._read_until is None:
                self._awaited_until = 0.0

    def signal(self, number: int) -> None:
        """Signal the process and all it started; what it has left behind, once it has ended."""
        with self.changed:
            if self.exit_code is None:
                self.process.signal_group(number)
            else:
                self.process.signal_rest(number)
            if number == signal.SIGKILL:
                self._awaited_until = 0.0

    def write(
        self,
        cancellation: Cancellation,
        given: Input,
        wait_s: float,
        when_full: Callable[[], None],
    ) -> int:
        """Write to its standard input.

        Args:
            cancellation: Ends it early.
            given: What to write.
            wait_s: How long to wait until all of it has been taken.
            when_full: Has `feed` called when the pipe takes more.

        Returns:
            How much of it was taken.
        """
        with cancellation.calling(self._wake), self.changed:
            self._wait(cancellation, wait_s, lambda: self.input is None)
            if self.input is not None:
                return 0
            self._check_stdin()
            length = len(given.rest)
            self.input = given
            if self.feed():
                when_full()
                self._wait(cancellation, wait_s, lambda: self.input is not given)
            if self.input is given:
                self.input = None
                self.changed.notify_all()
            if given.rest:
                self._check_stdin()
            return length - len(given.rest)

    def close_stdin(self) -> None:
        """Let it find the end of its standard input; whoever is writing hears that it is closed."""
        with self.changed:
            descriptor, self.process.stdin = self.process.stdin, None
            if descriptor is not None:
                self._forget(descriptor)
                os.close(descriptor)
            self.input = None
            self.changed.notify_all()

    # ---- for the pump ----------------------------------------------------------------------------

    def feed(self) -> bool:
        """Write what its standard input takes now; true if there is more to write."""
        stdin = self.process.stdin
        if self.input is None or stdin is None:
            return False
        if self.input.feed(stdin):
            return True
        if self.input.rest:
            self.close_stdin()  # nobody reads there any more
        self.input = None
        self.changed.notify_all()
        return False

    @property
    def held_until(self) -> float:
        """Until when nothing is read, on the monotonic clock, so that a reader loses nothing."""
        has_room = self.output.has_room(self._read_until or 0, _ONE_READ)
        return 0.0 if has_room else self._awaited_until

    @property
    def is_over(self) -> bool:
        """Whether it has ended and all it wrote is here."""
        return self.exit_code is not None and not self.streams

    def end(self) -> None:
        """Collect the process, which has ended."""
        status = self.process.reap()
        self.exit_code = status if status >= 0 else 128 - status
        self._ended.notify_all()
        self.close_stdin()

    def take(self, descriptor: int, leftovers: Leftovers) -> None:
        """Read once from a stream; once the process has ended, only what it left there."""
        try:
            data = os.read(descriptor, _ONE_READ)
        except BlockingIOError:
            data = None
        if data:
            self.output.add(self.streams[descriptor], data)
            self.changed.notify_all()
        if data == b"":
            self._leave(descriptor, os.close)
        elif self.exit_code is not None:
            self._left_to_take -= len(data or b"")
            if data is None or self._left_to_take <= 0:
                self._leave(descriptor, leftovers.adopt)
        if self.is_over:
            self.changed.notify_all()

    # ---- inside ----------------------------------------------------------------------------------

    def _leave(self, descriptor: int, give: Callable[[int], None]) -> None:
        del self.streams[descriptor]
        self._forget(descriptor)
        give(descriptor)

    def _check_stdin(self) -> None:
        if self.process.stdin is None:
            raise ToolFailure(
                f"{self.id} has ended (exit code {self.exit_code})"
                if self.exit_code is not None
                else f"The standard input of {self.id} is closed"
            )

    def _wait(self, cancellation: Cancellation, wait_s: float, is_done: Callable[[], bool]) -> None:
        self.changed.wait_for(lambda: cancellation.cancelled or is_done(), wait_s)

    def _wake(self) -> None:
        with self.changed:
            self.changed.notify_all()
            self._ended.notify_all()
