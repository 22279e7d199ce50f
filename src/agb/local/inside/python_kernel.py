"""The process that evaluates Python cells, with IPython's notebook semantics and no notebook."""

from __future__ import annotations

import asyncio
import builtins
import importlib
import os
import signal
import site
import sys
import tempfile
import threading
import warnings
from contextlib import contextmanager, suppress

from .frames import Channel, FrameError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator, Sequence
    from types import FrameType

    from .notebook import Bundle, Notebook

# The agent enforces the real limit; this one only keeps a length from being nonsense.
_MAX_FRAME = 1 << 30


class Interrupts:
    """Turns SIGINT into `KeyboardInterrupt`, but only while a cell runs."""

    def __init__(self) -> None:
        self.in_cell: bool = False
        self._is_late = False
        signal.signal(signal.SIGINT, self._handle)

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

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self._is_late = True
        if self.in_cell:
            raise KeyboardInterrupt


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
            if not task.done():
                task.cancel()
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

    while True:
        request = channel.receive()
        if request is None:
            return
        if "modules" in request:
            _import(request["modules"])
            channel.send({"ready": True})
            continue
        interrupts.in_cell = True
        try:
            reply = notebook.run(str(request["code"]), show if request.get("live") else None)
        except KeyboardInterrupt:
            reply = notebook.interrupted()
        finally:
            interrupts.in_cell = False
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
    handler = Interrupts()
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
