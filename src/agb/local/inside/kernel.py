"""A language's process: started once, given cells, interrupted, watched."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import time
from queue import Empty, SimpleQueue

from .cancellation import Cancellation, Cancelled
from .failures import ToolFailure, describe
from .frames import Message, encode
from .kernel_pump import KernelPump
from .processes import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .limits import Limits
    from .streaming import Live


# Seconds between two looks at whether a cell is still wanted that its process does not read.
_LOOK_S = 0.1


class KernelEnded(Exception):
    """The process of the language is gone; the text says how it ended."""


class TimedOut(Exception):
    """The cell did not end in time; the process is still there if it let itself be interrupted.

    Attributes:
        reply: What the process said when it was interrupted.
    """

    def __init__(self, reply: Message | None = None) -> None:
        super().__init__()
        self.reply: Message = reply or {}


class Kernel:
    """One running process that evaluates cells.

    It reads cells from a pipe and writes replies to another; a third tells it which cell to stop.
    Its standard output and error are pipes too; a pump reads all that it says.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        directory: str,
        environment: Mapping[str, str],
        limits: Limits,
    ) -> None:
        """Start the process.

        Args:
            name: The language, for messages.
            command: The program and its arguments; three descriptor numbers are added.
            directory: Where it starts.
            environment: All variables it sees.
            limits: The limits of this sandbox.

        Raises:
            KernelEnded: It cannot be started.
        """
        self._name = name
        self._limits = limits
        cells, self._cells = os.pipe()
        self._replies, replies = os.pipe()
        interrupts, self._interrupts = os.pipe()
        theirs = (cells, replies, interrupts)
        try:
            self._process = Process(
                [*command, *map(str, theirs)],
                directory=directory,
                environment=environment,
                limits=limits,
                inherited=theirs,
            )
        except OSError as error:
            for descriptor in (self._cells, self._replies, self._interrupts):
                os.close(descriptor)
            raise KernelEnded(f"The {name} process cannot be started: {describe(error)}") from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        for descriptor in (self._cells, self._replies, self._interrupts):
            os.set_blocking(descriptor, False)
        # A reply, the cancellation of a cell, or how the process ended.
        self._news: SimpleQueue[Message | Cancellation | KernelEnded] = SimpleQueue()
        self._count = 0
        self._ready = False
        self._prepared = False
        self.ended: KernelEnded | None = None
        self._pump = KernelPump(
            self._process, self._replies, limits, on_reply=self._news.put, on_end=self._report_end
        )
        try:
            self._pump.start()
        except RuntimeError as error:
            self.dispose()
            raise KernelEnded(limits.at_limit) from error

    def run(
        self, code: str, timeout_s: float, cancellation: Cancellation, live: Live | None = None
    ) -> Message:
        """Evaluate a cell in a process that is ready.

        Args:
            code: The source.
            timeout_s: Seconds until it is interrupted.
            cancellation: Interrupts it at once.
            live: Passes on what it writes and shows; without it that is kept for `take_output`
                and for the reply.

        Returns:
            The process's reply.

        Raises:
            KernelEnded: The process ended instead of replying.
            TimedOut: It took too long.
            Cancelled: It was cancelled.
        """
        with cancellation.calling(lambda: self._news.put(cancellation)), self._pump.telling(live):
            self._count += 1
            deadline = time.monotonic() + timeout_s
            cell: Message = {"code": code, "live": live is not None}
            try:
                self._write(cell, deadline, cancellation)
                return self._next(deadline, cancellation)
            except Cancelled:
                self._interrupt()
                # Nobody reads it any more, and the next cell has not written it.
                self.take_output()
                raise
            except TimedOut:
                raise TimedOut(self._interrupt()) from None

    def take_output(self) -> tuple[str, str]:
        """Return what was written to stdout and to stderr since the last time."""
        return self._pump.take_output()

    def kill(self) -> None:
        """End the process and everything it started."""
        self._process.kill_group()

    def dispose(self) -> None:
        """Let go of a process that has ended; nobody uses it any more."""
        os.close(self._cells)
        os.close(self._interrupts)

    def wait_until_ready(self, cancellation: Cancellation) -> None:
        """Wait for the process to have started up.

        Raises:
            ToolFailure: It says that it cannot run.
            KernelEnded: It ended, or did not get ready in time.
            Cancelled: Nobody waits for it any more; it goes on starting, and the next cell waits.
        """
        if self._ready:
            return
        deadline = time.monotonic() + self._limits.kernel_start_s
        try:
            with cancellation.calling(lambda: self._news.put(cancellation)):
                news = self._next(deadline, cancellation)
        except TimedOut:
            self.kill()
            raise KernelEnded(f"The {self._name} process did not start in time") from None
        if "error" in news:
            self.kill()
            raise ToolFailure(str(news["error"]))
        self._ready = True
        if self._prepared:
            # What an import says is for nobody.
            self.take_output()

    def prepare(self, modules: Sequence[str], cancellation: Cancellation) -> None:
        """Have a process that is ready import modules, as far as it has them.

        Raises:
            KernelEnded: It did not survive that, or took too long.
            Cancelled: Nobody waits for it any more; it goes on, and the next cell waits for it.
        """
        deadline = time.monotonic() + self._limits.kernel_start_s
        self._write({"modules": modules}, deadline, cancellation)
        self._ready = False
        self._prepared = True
        self.wait_until_ready(cancellation)

    def _next(self, deadline: float, cancellation: Cancellation | None) -> Message:
        """Wait for the next reply."""
        while True:
            try:
                news = self._news.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise TimedOut from None
            if isinstance(news, dict):
                return news
            if isinstance(news, KernelEnded):
                raise news
            # One that is not ours came too late to be heard by the cell it was meant for.
            if news is cancellation:
                raise Cancelled

    def _interrupt(self) -> Message | None:
        """Stop the cell; if it does not let itself be stopped, kill the process."""
        self._pump.release()
        # Numbered: one that comes late must not stop the next cell. And before the signal, which is
        # lost on a process that has not yet taken the cell: it looks for the number when it does.
        with contextlib.suppress(OSError):  # A program may have closed what is not its own.
            os.write(self._interrupts, struct.pack(">I", self._count))
        self._process.signal_group(signal.SIGINT)
        half_s = self._limits.interrupt_grace_s / 2
        with contextlib.suppress(KernelEnded):  # By itself: `ended` says how.
            try:
                return self._next(time.monotonic() + half_s, None)
            except TimedOut:
                # A program that was started just then has heard nothing, and whoever waits for one
                # may take no interrupt: R does not.
                self._process.signal_started(signal.SIGINT)
            try:
                return self._next(time.monotonic() + half_s, None)
            except TimedOut:
                # Said before it is done: the end of the process is told with it.
                self.ended = KernelEnded(
                    f"The {self._name} process of this session had to be killed; its variables are "
                    "gone"
                )
                self.kill()
        return None

    def _write(self, message: Message, deadline: float, cancellation: Cancellation) -> None:
        """Write to a process that may have stopped reading."""
        rest = memoryview(encode(message, self._limits.max_frame_bytes))
        poll = select.poll()
        poll.register(self._cells, select.POLLOUT)
        while rest:
            try:
                rest = rest[os.write(self._cells, rest) :]
            except BlockingIOError:
                left = deadline - time.monotonic()
                if not poll.poll(max(0.0, min(left, _LOOK_S)) * 1000):
                    # Only now: one that reads will have the whole cell soon, and can then stop it.
                    cancellation.check()
                    if left <= _LOOK_S:
                        raise TimedOut from None
            except BrokenPipeError:
                return  # It has ended; the news of it is on its way.

    def _report_end(self, status: int) -> None:
        """Tell who waits that the process is gone."""
        how = f"signal {-status}" if status < 0 else f"exit code {status}"
        ended = KernelEnded(
            f"The {self._name} process of this session ended ({how}); its variables are gone"
        )
        # If it was killed, whoever did it has said why.
        self.ended = self.ended or ended
        self._news.put(self.ended)
