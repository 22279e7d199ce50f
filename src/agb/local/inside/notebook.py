"""IPython's `InteractiveShell`, with everything it shows collected instead of printed."""

from __future__ import annotations

import asyncio
import base64
import ctypes
import re
import sys
import warnings

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .frames import Message

    Runner = Callable[[Coroutine[object, object, object]], object]
    Bundle = dict[str, object]

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# Enough for `_`, `__` and the last results by number; all of them would never be freed.
_REMEMBERED_RESULTS = 20


class _Results:
    """What the running cell has shown."""

    def __init__(self) -> None:
        self.bundles: list[Bundle] = []
        self.show: Callable[[Bundle], None] = self.bundles.append

    def add(self, data: dict[str, object], *, main: bool) -> None:
        bundle: Bundle = {mime: _as_json(mime, value) for mime, value in data.items()}
        bundle["isMainResult"] = main
        self.show(bundle)


def _as_json(mime: str, value: object) -> object:
    """Turn one representation into JSON: binary as base64, JSON as it is, all else as text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, str) or "json" in mime:
        return value
    return str(value)


class _Publisher(DisplayPublisher):
    """Takes what `display` shows."""

    results: _Results

    def publish(self, data: dict[str, object], *args: object, **kwargs: object) -> None:
        self.results.add(data, main=False)

    def clear_output(self, wait: bool = False) -> None:
        self.results.bundles.clear()


class _Hook(DisplayHook):
    """Takes the value of a cell's last expression."""

    results: _Results

    def write_output_prompt(self) -> None:
        """Show no `Out[1]:`."""

    def write_format_data(self, format_dict: dict[str, object], md_dict: object = None) -> None:
        self.results.add(format_dict, main=True)

    def cull_cache(self) -> None:
        """Forget old results without a word about it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            super().cull_cache()  # type: ignore[no-untyped-call]

    def finish_displayhook(self) -> None:
        """Print no newline."""


class _Shell(InteractiveShell):
    """An InteractiveShell that keeps tracebacks and runs `!commands` without a terminal."""

    traceback_text = ""

    # On the cell's own stdout, in order, and without a pseudo-terminal.
    system = InteractiveShell.system_raw

    def enable_gui(self, gui: object = None) -> None:
        """Do nothing: there is no window to show."""

    def showtraceback(self, *args: object, **kwargs: object) -> None:
        """Render the traceback of what is being handled."""
        error = sys.exc_info()[1]
        if isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
            # Nobody waits for where it was, and those who interrupted do not wait for long.
            self.traceback_text = type(error).__name__
            return
        super().showtraceback(*args, **kwargs)  # type: ignore[arg-type]

    def _showtraceback(self, etype: object, evalue: object, stb: list[str]) -> None:
        self.traceback_text = _COLOURS.sub("", "\n".join(stb))

    def init_virtualenv(self) -> None:
        """Leave the path alone: this is the interpreter of the environment already."""


def silence() -> None:
    """Keep IPython from explaining how to leave it whenever a cell calls `sys.exit`."""
    warnings.filterwarnings("ignore", message="To exit: use", category=UserWarning)


class Notebook:
    """Evaluates cells and reports what came of each."""

    def __init__(self, run_async: Runner) -> None:
        """Set IPython up.

        Args:
            run_async: Runs a cell that awaits.
        """
        self._results = _Results()
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        config.InteractiveShell.cache_size = _REMEMBERED_RESULTS
        config.InteractiveShell.display_page = True
        shell = _Shell.instance(
            config=config,
            displayhook_class=_Hook,
            display_pub_class=_Publisher,
        )
        hook, publisher = shell.displayhook, shell.display_pub
        assert isinstance(hook, _Hook)
        assert isinstance(publisher, _Publisher)
        hook.results = publisher.results = self._results
        shell.loop_runner = run_async
        self._shell = shell
        self._libc = ctypes.CDLL(None)
        # What IPython makes at its first use it makes now: a first cell is ten times as slow.
        shell.run_cell("None", store_history=False)  # type: ignore[no-untyped-call]
        assert shell.display_formatter is not None
        shell.display_formatter.format(0)  # type: ignore[no-untyped-call]

    def run(self, code: str, show: Callable[[Bundle], None] | None = None) -> Message:
        """Evaluate one cell.

        Args:
            code: The source.
            show: Takes what it shows at once; None leaves that for the reply.

        Returns:
            `result`, `error` and `execution_count`.
        """
        shell = self._shell
        self._results.bundles = []
        self._results.show = show or self._results.bundles.append
        shell.traceback_text = ""
        count = shell.execution_count
        outcome = shell.run_cell(code, store_history=True)  # type: ignore[no-untyped-call]
        error = outcome.error_before_exec or outcome.error_in_exec
        if error is None and shell.traceback_text:
            # A representation failed; the cell itself did not.
            sys.stderr.write(shell.traceback_text + "\n")
        return self._reply(count, error)

    def interrupted(self) -> Message:
        """Report a cell that was interrupted outside of its own code."""
        return self._reply(self._shell.execution_count, KeyboardInterrupt())

    def flush(self) -> None:
        """Have everything written that Python and C code still hold back."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, ValueError, OSError):
                # The program has replaced or closed it.
                continue
        self._libc.fflush(None)

    def _reply(self, count: int, error: BaseException | None) -> Message:
        """Build the reply to a cell."""
        if isinstance(error, SystemExit) and error.code in (None, 0):
            # A script that ends with sys.exit(0) has done what it wanted.
            error = None
        problem = None if error is None else self._describe(error)
        return {"result": self._results.bundles, "error": problem, "execution_count": count}

    def _describe(self, error: BaseException) -> Message:
        """Describe what a cell raised."""
        try:
            value = str(error)
        except Exception:
            # It is the program's own class.
            value = "<no text: its __str__ failed>"
        return {
            "name": _public_name(type(error)),
            "value": value,
            "traceback": self._shell.traceback_text,
        }


def _public_name(kind: type[BaseException]) -> str:
    """Return the name of an exception's class, not that of a private subclass of CPython's."""
    if issubclass(kind, SyntaxError) and kind.__name__.startswith("_"):
        return SyntaxError.__name__
    return kind.__name__
