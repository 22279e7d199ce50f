"""Running code in a session."""

from __future__ import annotations

from collections.abc import Callable

from .._core.code import operations, stream_events
from .._core.code.results import EnhancedCodeExecutionResult, ExecutionError, ExecutionResult
from .._core.code.stream_events import content
from .._core.exceptions import InvalidArgumentError
from .._pair.callbacks import notify
from .code_stream import CodeStream
from .service import BaseService


class Code(BaseService):
    """Run code in a session; variables stay between calls.

    Reached as `session.code`.

    Example:
        >>> result = session.code.run("6 * 7", "python")
        >>> result.result
        '42'
    """

    __module__ = "agb"

    def run_code(
        self,
        code: str,
        language: str,
        timeout_s: int = 300,
        *,
        stream_beta: bool = False,
        on_stdout: Callable[[str], object] | None = None,
        on_stderr: Callable[[str], object] | None = None,
        on_error: Callable[[ExecutionError], object] | None = None,
        on_result: Callable[[ExecutionResult], object] | None = None,
    ) -> EnhancedCodeExecutionResult:
        """Run code and return what it printed and showed.

        With a callback the output is streamed, which needs `agb[stream]`: each callback is called
        as soon as there is something for it, by an async client also a coroutine function. What it
        raises ends the stream, and with it the call.

        Args:
            code: The source text. Java takes snippets, not whole classes.
            language: `python`, `javascript`, `java` or `r`, in any case; also `py`, `python3`,
                `js`, `node` and `nodejs`.
            timeout_s: How long the code may run, in whole seconds; fractions are rounded up.
            stream_beta: Stream even without a callback.
            on_stdout: Takes pieces of standard output.
            on_stderr: Takes pieces of standard error.
            on_error: Takes what ended the code, or the stream.
            on_result: Takes what the code shows.

        Returns:
            The result. Code that fails gives `success=False` with the reason in
            `error_message`, the exception in `error`, and what was printed until then in `logs`.
            A language that is not known, or a blank `code`, fails without a request.

        Example:
            >>> result = session.code.run_code("print('Hello World')", "python")
            >>> result.success, result.result.strip()
            (True, 'Hello World')
            >>> failed = session.code.run_code("1 / 0", "python")
            >>> failed.success, failed.error_message
            (False, 'ZeroDivisionError: division by zero')
            >>> pieces = []
            >>> told = session.code.run_code("print(1)", "python", on_stdout=pieces.append)
            >>> told.success, "".join(pieces).strip()
            (True, '1')
        """
        callbacks = (on_stdout, on_stderr, on_error, on_result)
        if not stream_beta and callbacks == (None,) * len(callbacks):
            session_id = self.session.session_id
            return self._run(operations.run(session_id, code, language, timeout_s))
        try:
            listeners = stream_events.listeners(*callbacks)
        except InvalidArgumentError as error:
            return EnhancedCodeExecutionResult.failed(error)
        with CodeStream(self.session, code, language, timeout_s) as stream:
            for event in stream:
                notify(listeners.get(type(event)), content(event))
        return stream.result

    def run(
        self,
        code: str,
        language: str,
        timeout_s: int = 60,
        *,
        stream_beta: bool = False,
        on_stdout: Callable[[str], object] | None = None,
        on_stderr: Callable[[str], object] | None = None,
        on_error: Callable[[ExecutionError], object] | None = None,
        on_result: Callable[[ExecutionResult], object] | None = None,
    ) -> EnhancedCodeExecutionResult:
        """Run code and return what it printed and showed: the later name of `run_code`.

        Args:
            code: The source text.
            language: The language, as for `run_code`.
            timeout_s: How long the code may run, in seconds.
            stream_beta: Stream even without a callback.
            on_stdout: Takes pieces of standard output, as for `run_code`.
            on_stderr: Takes pieces of standard error.
            on_error: Takes what ended the code, or the stream.
            on_result: Takes what the code shows.

        Returns:
            The result, as for `run_code`.

        Example:
            >>> shown = session.code.run("6 * 7", "python")
            >>> shown.results[0].text, shown.results[0].is_main_result
            ('42', True)
        """
        return self.run_code(
            code,
            language,
            timeout_s,
            stream_beta=stream_beta,
            on_stdout=on_stdout,
            on_stderr=on_stderr,
            on_error=on_error,
            on_result=on_result,
        )

    def stream(self, code: str, language: str, timeout_s: int = 60) -> CodeStream:
        """Run code and read its output while it runs; needs `agb[stream]`.

        Nothing is sent before the first event is asked for. All waiting for the stream together is
        bounded by the time limit of the code and a margin; time that your program takes between
        two events does not count, but code that has written much waits for it.

        Args:
            code: The source text.
            language: The language, as for `run_code`.
            timeout_s: How long the code may run, in seconds.

        Returns:
            The stream, to be used as a context manager and iterated.

        Example:
            >>> with session.code.stream("print('here')", "python") as stream:
            ...     for event in stream:
            ...         first = event
            ...         break
            >>> first.text.strip()
            'here'
        """
        return CodeStream(self.session, code, language, timeout_s)
