"""The process that evaluates Python cells, with IPython's notebook semantics and no notebook."""

from __future__ import annotations

import _thread
import asyncio
import builtins
import importlib
import os
import signal
import site
import struct
import sys
import tempfile
import threading
import time
import warnings
from contextlib import contextmanager, suppress

from .frames import Channel, FrameError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator, Sequence
    from types import FrameType
    from typing import NoReturn

    from .notebook import Bundle, Notebook

# The agent enforces the real limit; this one only keeps a length from being nonsense.
_MAX_FRAME = 1 << 30
# Between two steps in there, an exception would have the loop forget what it was about to call.
_LOOP = (asyncio.base_events.__file__, asyncio.events.__file__)
# Until an interrupt that came at such a place comes again.
_MOMENT_S = 0.002


class Interrupts:
    """Turns SIGINT into `KeyboardInterrupt`, but only while the cell runs that it is meant for.

    The number of a cell comes before the signal: a cell whose number is there when it begins has
    missed its signal.
    """

    def __init__(self, numbers: int) -> None:
        """Take over the signal.

        Args:
            numbers: Where the numbers of the cells come that are to be interrupted.
        """
        self.in_cell: bool = False
        self._numbers = numbers
        os.set_blocking(numbers, False)
        self._cell = 0
        self._is_late = False
        self._sending = threading.Lock()
        self._main = threading.get_ident()
        signal.signal(signal.SIGINT, self._handle)
        self._report = sys.unraisablehook
        sys.unraisablehook = self._take_swallowed

    def begin(self, cell: int) -> bool:
        """Let a cell be interrupted from now on.

        Returns:
            False if it has been already, and must not run.
        """
        self._cell = cell
        self.in_cell = True
        try:
            numbers = os.read(self._numbers, 1 << 16)
        except OSError:  # There is none, or a program has closed what is not its own.
            return True
        if numbers[-4:] != struct.pack(">I", cell):
            return True
        self.in_cell = False
        return False

    def end(self) -> None:
        """Let nothing be interrupted any more."""
        self.in_cell = False
        with self._sending:
            self._cell = 0

    @contextmanager
    def put_off(self) -> Generator[None]:
        """Finish what must not be left half done, then let an interrupt have its effect."""
        if not self.in_cell or threading.current_thread() is not threading.main_thread():
            # Nothing to put off: the main thread alone is interrupted, and only in a cell.
            yield
            return
        self._is_late = False
        self.in_cell = False
        try:
            yield
        finally:
            self.in_cell = True
        if self._is_late:
            raise KeyboardInterrupt

    def _handle(self, _number: int, frame: FrameType | None) -> None:
        self._is_late = True
        if not self.in_cell:
            return
        if frame is not None and frame.f_code.co_filename in _LOOP and self._try_again():
            return
        raise KeyboardInterrupt

    def _take_swallowed(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Raise an interrupt that ended no more than a `__del__` once more, in what it was part of.

        The signal alone would not do: a loop may spend nearly all of its time in there.
        """
        swallowed = issubclass(unraisable.exc_type, KeyboardInterrupt)
        if not (swallowed and self.in_cell and threading.get_ident() == self._main):
            self._report(unraisable)
        elif sys.gettrace() is None:
            sys._getframe(1).f_trace = _interrupt
            sys.settrace(_trace_nothing_else)
        else:
            self._try_again()

    def _try_again(self) -> bool:
        """Have the signal come again in a moment; False if there can be no thread for that."""
        try:
            # Not by `threading`, whose locks the interrupted code may hold.
            _thread.start_new_thread(self._send_again, (self._cell,))
        except RuntimeError:
            return False
        return True

    def _send_again(self, cell: int) -> None:
        time.sleep(_MOMENT_S)
        with self._sending:
            # Another cell must not get it.
            if cell == self._cell:
                signal.pthread_kill(self._main, signal.SIGINT)


def _interrupt(_frame: FrameType, _event: str, _argument: object) -> NoReturn:
    """Raise what was swallowed; that ends the tracing as well."""
    raise KeyboardInterrupt


def _trace_nothing_else(_frame: FrameType, _event: str, _argument: object) -> None:
    """Trace no frame but the one that is traced already."""


class Loop:
    """The event loop of all cells; tasks left in it go on while a later cell awaits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)

    def run(self, cell: Coroutine[object, object, object]) -> object:
        """Run a cell with top-level `await`; an interrupted one must not go on in a later cell."""
        asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(cell)
        try:
            return self._loop.run_until_complete(task)
        except KeyboardInterrupt:
            task.cancel()
            while not task.done():
                # Tasks that wait for the one that was interrupted are told of it as well.
                with suppress(KeyboardInterrupt):
                    self._loop.run_until_complete(asyncio.wait([task]))
            raise


def serve(channel: Channel, notebook: Notebook, interrupts: Interrupts) -> None:
    """Evaluate cells until the agent has gone."""
    process = os.getpid()

    def show(bundle: Bundle) -> None:
        # A child process that the cell forked has the same pipe, and nothing to say there.
        if os.getpid() == process:
            notebook.flush()
            with interrupts.put_off():
                channel.send({"shown": bundle})

    count = 0
    while True:
        request = channel.receive()
        if request is None:
            return
        if "modules" in request:
            _import(request["modules"])
            channel.send({"ready": True})
            continue
        count += 1
        try:
            if interrupts.begin(count):
                reply = notebook.run(str(request["code"]), show if request.get("live") else None)
            else:
                reply = notebook.interrupted()
        except KeyboardInterrupt:
            interrupts.in_cell = False
            reply = notebook.interrupted()
        finally:
            interrupts.end()
        if os.getpid() != process:
            # The cell forked and its child came out here as well.
            os._exit(0)
        notebook.flush()
        try:
            channel.send(reply)
        except FrameError as error:
            channel.send({**reply, "result": [], "error": _too_large(error)})


def _import(modules: object) -> None:
    """Import what there is of some modules, long before a cell does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in modules if isinstance(modules, list) else []:
            # Whatever is wrong with it, the cell that imports it will say.
            with suppress(Exception):
                importlib.import_module(name)


def _too_large(error: FrameError) -> dict[str, str]:
    return {"name": "ResultTooLarge", "value": str(error), "traceback": ""}


def _no_input(prompt: object = "") -> str:
    """Stand in for `input`."""
    raise EOFError("input() has nobody to ask here: a cell has no keyboard")


def _prepare_process() -> None:
    """Make this process look like a plain Python started in the home directory."""
    sys.path[0] = ""
    sys.argv = [""]
    builtins.input = _no_input
    # By line and not by block: what child processes write must come where it belongs.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    os.register_at_fork(before=_flush)
    # Figures become images; a program that chooses its own backend overrides it.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    # What it remembers of fonts belongs as little in the home directory as IPython's profile.
    os.environ.setdefault("MPLCONFIGDIR", os.path.join(tempfile.gettempdir(), ".matplotlib"))


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def main(packages: Sequence[str]) -> None:
    """Run the kernel; the descriptors of its pipes are the last three arguments.

    Args:
        packages: Directories to look for packages in, besides the usual ones.
    """
    cells, replies, interrupts = (int(argument) for argument in sys.argv[-3:])
    for descriptor in (cells, replies, interrupts):
        os.set_inheritable(descriptor, False)
    channel = Channel(cells, replies, _MAX_FRAME)
    handler = Interrupts(interrupts)
    _prepare_process()
    for directory in packages:
        site.addsitedir(directory)
    try:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as directory:
            warnings.simplefilter("ignore")
            # IPython writes a profile; it belongs neither in the home directory nor anywhere else.
            os.environ["IPYTHONDIR"] = directory
            from .notebook import Notebook, silence

            notebook = Notebook(Loop().run)
            del os.environ["IPYTHONDIR"]
    except ImportError as error:
        missing = error.name or str(error)
        channel.send(
            {
                "error": f"Python cells need IPython in the Python that runs them, and it has no "
                f"module {missing!r}; install it there with: pip install ipython matplotlib-inline"
            }
        )
        return
    silence()
    channel.send({"ready": True})
    serve(channel, notebook, handler)
