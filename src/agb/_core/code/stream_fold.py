"""How the frames of a stream add up to events and a result."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any

from agb._core.code import operations as code
from agb._core.code.results import (
    EnhancedCodeExecutionResult,
    ExecutionError,
    ExecutionLogs,
    ExecutionResult,
)
from agb._core.code.stream_events import (
    CodeStreamEvent,
    EndEvent,
    ErrorEvent,
    ResultEvent,
    StderrEvent,
    StdoutEvent,
)
from agb._core.exceptions import (
    AGBError,
    APIError,
    CommandError,
    CommandTimeoutError,
    SessionNotFoundError,
)
from agb._core.wire.replies import as_object, parsed, text

_EXCERPT_LENGTH = 200
# Characters kept for the result: of each output, and of the frames that carried what was shown.
_KEPT = 1 << 22
_KEPT_RESULTS = 1 << 26


class StreamFold:
    """Adds the frames of one stream up to events and, at the end, to its result.

    Args:
        invocation_id: The name of the stream.
    """

    def __init__(self, invocation_id: str) -> None:
        self._id = invocation_id
        self._was_heard = False
        self._stdout = _Kept()
        self._stderr = _Kept()
        self._results: list[ExecutionResult] = []
        self._results_left = _KEPT_RESULTS
        self._error: ExecutionError | None = None
        self._reason = ""
        self._code = ""
        self.result: EnhancedCodeExecutionResult | None = None
        """The result, None before the end."""

    def feed(self, frame: str) -> list[CodeStreamEvent]:
        """Take one frame and return what it tells."""
        if self.result is not None:
            return []
        message = as_object(parsed(frame))
        if not message:
            return self.fail(_nonsense(frame))
        if message.get("invocationId", message.get("requestId")) != self._id:
            # Of another stream, or what a service says without being asked.
            return []
        self._was_heard = True
        data = as_object(parsed(message.get("data")))
        phase = data.get("phase")
        if phase == "event":
            return self._event(data, len(frame))
        if phase == "end":
            return self._end(data)
        if phase == "error":
            told, _ = _problem(data.get("error", data.get("message")))
            return self.fail(CommandError(told or f"The stream failed: {_excerpt(frame)}"))
        return self.fail(_nonsense(frame))

    def fail(self, error: AGBError) -> list[CodeStreamEvent]:
        """End the stream with an error of its own and return what that tells."""
        self.result = self._built(str(error), error)
        told = ErrorEvent(ExecutionError(type(error).__name__, str(error)))
        return [*([] if self._error else [told]), EndEvent(self.result)]

    def outcome(self) -> EnhancedCodeExecutionResult:
        """Return the result; of a stream that has not ended, one that says so."""
        if self.result is not None:
            return self.result
        left = "The stream has not ended, so that it is not known how the code did"
        return self._built(left, CommandError(left, outcome_unknown=True))

    def _event(self, data: Mapping[str, Any], size: int) -> list[CodeStreamEvent]:
        kind = data.get("eventType")
        if kind == "result":
            return [self._shown(data.get("result"), size)]
        if kind == "error":
            return [self._failed(data.get("error"))]
        chunk = text(data.get("chunk"))
        if not chunk or kind not in ("stdout", "stderr"):
            return []
        if kind == "stdout":
            self._stdout.add(chunk)
            return [StdoutEvent(chunk)]
        self._stderr.add(chunk)
        return [StderrEvent(chunk)]

    def _end(self, data: Mapping[str, Any]) -> list[CodeStreamEvent]:
        told = data.get("executionError") or data.get("error")
        events: list[CodeStreamEvent] = []
        if not self._error and (told or data.get("status") == "failed"):
            events.append(self._failed(told))
        reason = _problem(told)[0] or self._reason
        kind: type[AGBError] = CommandTimeoutError if self._code == "TimeoutError" else CommandError
        if self._code.endswith(".NotFound"):
            kind = SessionNotFoundError
        exception = kind(reason, code=self._code, request_id=self._id) if reason else None
        self.result = self._built(
            reason,
            exception,
            execution_count=code.count(data.get("executionCount")),
            execution_time=code.duration_s(data.get("executionTime")),
        )
        return [*events, EndEvent(self.result)]

    def _shown(self, value: object, size: int) -> ResultEvent:
        bundle = as_object(value)
        mime = as_object(bundle.get("mime"))
        result = code.shown({**mime, "isMainResult": bundle.get("isMainResult")} if mime else value)
        self._results_left -= size
        if self._results_left > 0:
            self._results.append(result)
        return ResultEvent(result)

    def _failed(self, told: object) -> ErrorEvent:
        reason, kind = _problem(told)
        stderr = self._stderr.text()
        reason = reason or stderr.strip() or "The code failed without a message"
        name, colon, value = reason.partition(": ")
        if not (colon and name.replace(".", "").isidentifier()):
            name, value = (reason, "") if reason.isidentifier() else (kind or "Error", reason)
        # This form has no traceback of its own; services put it in stderr.
        error = ExecutionError(name, value, stderr)
        if self._error is None:
            self._error, self._reason, self._code = error, reason, kind
        return ErrorEvent(error)

    def _built(
        self,
        reason: str,
        exception: AGBError | None,
        *,
        execution_count: int | None = None,
        execution_time: float = 0.0,
    ) -> EnhancedCodeExecutionResult:
        own_id = self._id if self._was_heard else ""
        return EnhancedCodeExecutionResult(
            request_id=(exception.request_id if exception else "") or own_id,
            execution_count=execution_count,
            execution_time=execution_time,
            logs=ExecutionLogs(self._stdout.pieces(), self._stderr.pieces()),
            results=self._results,
            error=self._error,
            error_message=reason,
            success=exception is None,
            exception=exception,
        )


class _Kept:
    """One output as far as it is kept; whoever needs more of it takes it from the events."""

    def __init__(self) -> None:
        self._kept = StringIO()
        self._dropped = 0

    def add(self, chunk: str) -> None:
        kept = chunk[: _KEPT - self._kept.tell()]
        self._kept.write(kept)
        self._dropped += len(chunk) - len(kept)

    def text(self) -> str:
        note = f"\n[output truncated: {self._dropped} more characters]\n" if self._dropped else ""
        return self._kept.getvalue() + note

    def pieces(self) -> list[str]:
        return [self.text()] if self._kept.tell() else []


def _problem(told: object) -> tuple[str, str]:
    """Read an error: text by some services, an object by the protocol (trap T28).

    Returns:
        What it says, and its code.
    """
    fields = as_object(parsed(told) if isinstance(told, str) else told)
    if not fields:
        return text(told), ""
    name = text(fields.get("code")) or text(fields.get("name"))
    value = text(fields.get("value"))
    message = text(fields.get("message")) or (f"{name}: {value}" if value else name)
    return message, name


def _nonsense(frame: str) -> APIError:
    return APIError(
        f"The stream gave what is no frame of this service: {_excerpt(frame)}", outcome_unknown=True
    )


def _excerpt(frame: str) -> str:
    return repr(text(frame)[:_EXCERPT_LENGTH])
