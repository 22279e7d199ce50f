"""OpenTelemetry spans of calls, streams and files, where the program itself uses OpenTelemetry.

A program that traces has imported `opentelemetry.trace` before it makes a call; then it is in
`sys.modules`. Nothing is imported here, so tracing costs nothing where it is not used.
The extra `agb[tracing]` brings the API in a version that fits.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from agb._core.exceptions import AGBError
from agb._core.version import __version__
from agb._core.wire.replies import Reply

if TYPE_CHECKING:
    from opentelemetry.trace import Span


def span(
    name: str, method: str, *, path: str = "", host: str = ""
) -> AbstractContextManager[Span | None]:
    """Open a client span that is the current one while the block runs.

    Args:
        name: What is done, such as the name of a tool.
        method: The HTTP method.
        path: What is asked for, without a query; `""` is not written down.
        host: Who is asked; `""` is not written down.

    Returns:
        A context manager that gives the span, or None where nobody traces.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return nullcontext()
    told = {"http.request.method": method, "url.path": path, "server.address": host}
    tracer = trace.get_tracer("agb", __version__)
    opened: AbstractContextManager[Span] = tracer.start_as_current_span(
        f"agb {name}",
        kind=trace.SpanKind.CLIENT,
        attributes={key: value for key, value in told.items() if value},
        # The text of an error may quote what a server sent back; its type says enough.
        record_exception=False,
        set_status_on_exception=False,
    )
    return opened


def begin(name: str) -> Span | None:
    """Begin a client span that is nobody's context: of a stream, which the program reads in parts.

    Args:
        name: What is done.

    Returns:
        The span, which has to be finished, or None where nobody traces.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    tracer = trace.get_tracer("agb", __version__)
    begun: Span = tracer.start_span(f"agb {name}", kind=trace.SpanKind.CLIENT)
    return begun


def end(span: Span | None, attempts: int, outcome: Reply | AGBError) -> None:
    """Write down how a call ended.

    Args:
        span: The span of the call, if there is one.
        attempts: How often the call was sent.
        outcome: The reply, or why there is none that says success.
    """
    describe(
        span,
        request_id=outcome.request_id,
        status_code=outcome.status_code,
        attempts=attempts,
        error=outcome if isinstance(outcome, AGBError) else None,
    )


def describe(
    span: Span | None,
    *,
    request_id: str = "",
    status_code: int | None = None,
    attempts: int = 1,
    error: BaseException | None = None,
) -> None:
    """Write down how it ended.

    Args:
        span: The span, if there is one.
        request_id: The service's id of the request, `""` if there is none.
        status_code: HTTP status of the reply, None if there was none.
        attempts: How often it was sent.
        error: Why it failed; only its type is told.
    """
    if span is None:
        return
    span.set_attribute("agb.request_id", request_id)
    span.set_attribute("http.request.resend_count", attempts - 1)
    if status_code is not None:
        span.set_attribute("http.response.status_code", status_code)
    if error is not None:
        from opentelemetry.trace import StatusCode

        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)


def finish(span: Span | None, request_id: str, error: BaseException | None) -> None:
    """End a span that was begun.

    Args:
        span: The span, if there is one.
        request_id: The service's id of the request, `""` if there is none.
        error: Why it failed, None if it did not.
    """
    if span is not None:
        describe(span, request_id=request_id, error=error)
        span.end()
