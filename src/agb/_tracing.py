"""OpenTelemetry spans, one for each call, where the program itself uses OpenTelemetry.

A program that traces has imported `opentelemetry.trace` before it makes a call; then it is in
`sys.modules`. Nothing is imported here, so tracing costs nothing where it is not used.
The extra `agb[tracing]` brings the API in a version that fits.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from agb._core.exceptions import AGBError
from agb._core.replies import Reply
from agb._core.requests import Call
from agb._version import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Span


def span(call: Call) -> AbstractContextManager[Span | None]:
    """Open the span of a call: a client span named after the tool or endpoint.

    It never carries arguments, queries or keys.

    Args:
        call: What is asked.

    Returns:
        A context manager that gives the span, or None where nobody traces.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return nullcontext()
    tracer = trace.get_tracer("agb", __version__)
    opened: AbstractContextManager[Span] = tracer.start_as_current_span(
        f"agb {call.name}",
        kind=trace.SpanKind.CLIENT,
        attributes={"http.request.method": call.method, "url.path": call.path},
        # The text of an error may quote what a server sent back; its type says enough.
        record_exception=False,
        set_status_on_exception=False,
    )
    return opened


def end(span: Span | None, attempts: int, outcome: Reply | AGBError) -> None:
    """Write down how a call ended.

    Args:
        span: The span of the call, if there is one.
        attempts: How often the call was sent.
        outcome: The reply, or why there is none that says success.
    """
    if span is None:
        return
    span.set_attribute("agb.request_id", outcome.request_id)
    span.set_attribute("http.request.resend_count", attempts - 1)
    if outcome.status_code is not None:
        span.set_attribute("http.response.status_code", outcome.status_code)
    if isinstance(outcome, AGBError):
        from opentelemetry.trace import StatusCode

        span.set_attribute("error.type", type(outcome).__name__)
        span.set_status(StatusCode.ERROR)
