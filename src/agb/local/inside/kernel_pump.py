"""What a language's process says: its replies and its output, read all the time by a thread."""

from __future__ import annotations

import os
import select
import threading
from contextlib import contextmanager

from .frames import Decoder, FrameError, Message
from .output import Output, read_available
from .streaming import Bell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .limits import Limits
    from .processes import Process
    from .streaming import Live


class KernelPump:
    """Reads from a process until it has ended.

    So what C code and child processes write is seen, and writing never blocks between cells.
    """

    def __init__(
        self,
        process: Process,
        replies: int,
        limits: Limits,
        *,
        on_reply: Callable[[Message], None],
        on_end: Callable[[int], None],
    ) -> None:
        """Prepare to read.

        Args:
            process: The process.
            replies: Where its replies come, closed here at its end.
            limits: The limits of this sandbox.
            on_reply: Takes each reply, after all that was written before it.
            on_end: Takes the status with which the process has ended.
        """
        self._process = process
        self._replies = replies
        self._on_reply = on_reply
        self._on_end = on_end
        self._decoder = Decoder(limits.max_frame_bytes)
        self._outputs = {name: Output(limits.max_output_bytes) for name in ("stdout", "stderr")}
        # The outputs that have not ended, by where they are read, and whether they are read now.
        self._open = {process.outputs[name]: output for name, output in self._outputs.items()}
        self._reading = True
        self._poll = select.poll()
        self._bell = Bell()
        self._live: Live | None = None

    def start(self) -> None:
        """Begin to read.

        Raises:
            RuntimeError: There can be no thread for it; the process is killed.
        """
        try:
            threading.Thread(target=self._run, daemon=True).start()
        except RuntimeError:
            self._process.kill_group()
            self._close()
            self._process.reap()
            raise

    @contextmanager
    def telling(self, live: Live | None) -> Generator[None]:
        """Have a running cell pass on what is read; None keeps it."""
        if live is None:
            yield
            return
        live.begin(self._outputs, self._bell)
        self._live = live
        try:
            yield
        finally:
            self._live = None
            # What was held back may be read again.
            self._bell.ring()

    def release(self) -> None:
        """Hold nothing back any more of what the running cell writes."""
        if self._live is not None:
            self._live.release()

    def take_output(self) -> tuple[str, str]:
        """Return what was written to stdout and to stderr since the last time."""
        return self._outputs["stdout"].take(), self._outputs["stderr"].take()

    def _run(self) -> None:
        """Read all that the process writes until it has ended."""
        pidfd = self._process.pidfd
        for descriptor in (pidfd, self._replies, self._bell.descriptor, *self._open):
            self._poll.register(descriptor, select.POLLIN)
        ended = False
        while not ended:
            ready = {descriptor for descriptor, _events in self._poll.poll()}
            ended = pidfd in ready
            live = self._live
            if self._bell.descriptor in ready:
                self._bell.silence()
            # Read before the output and reported after it: what was written before a reply is in
            # its pipe by the time the reply is in here.
            replies = self._read_replies() if self._replies in ready else []
            news = [reply for reply in replies if "shown" not in reply]
            reads = live is None or live.pass_on()
            if reads or news or ended:
                self._read_outputs()
            if live is not None:
                for reply in replies:
                    if "shown" in reply:
                        live.show(reply["shown"])
                reads = live.pass_on()
            self._look_at_outputs(reads)
            for reply in news:
                self._on_reply(reply)
        self._close()
        self._on_end(self._process.reap())

    def _read_replies(self) -> list[Message]:
        """Read the replies that are there."""
        try:
            return self._decoder.feed(_read_some(self._replies))
        except (FrameError, EOFError):
            # The program has closed or misused what is not its own: no cell can end.
            self._poll.unregister(self._replies)
            self._process.kill_group()
            return []

    def _read_outputs(self) -> None:
        """Read what is there of each output."""
        for descriptor, output in list(self._open.items()):
            if not read_available(descriptor, output):
                if self._reading:
                    self._poll.unregister(descriptor)
                del self._open[descriptor]

    def _look_at_outputs(self, reads: bool) -> None:
        """Wake up for output from now on, or no more."""
        if reads is self._reading:
            return
        self._reading = reads
        for descriptor in self._open:
            if reads:
                self._poll.register(descriptor, select.POLLIN)
            else:
                self._poll.unregister(descriptor)

    def _close(self) -> None:
        """Let go of all that is read."""
        self._bell.close()
        for descriptor in (self._replies, *self._process.outputs.values()):
            os.close(descriptor)


def _read_some(descriptor: int) -> bytes:
    """Read what a non-blocking descriptor holds, or at least a part of it.

    Raises:
        EOFError: The other side has closed it.
    """
    try:
        data = os.read(descriptor, 1 << 20)
    except BlockingIOError:
        return b""
    if not data:
        raise EOFError
    return data
