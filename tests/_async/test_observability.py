"""What a program can see of its calls, and what must not be seen."""

from __future__ import annotations

import logging
import sys

import httpx
import pytest
from opentelemetry import trace

from agb import AsyncAGB, AsyncSession, Config, CreateSessionParams

from ..conftest import shown

PLANTED = "planted-in-an-argument"

# Every call, with the planted text in each argument that is text.
PLANTINGS = {
    "create": lambda agb, s: agb.create(CreateSessionParams({PLANTED: PLANTED}, PLANTED)),
    "get": lambda agb, s: agb.get(PLANTED),
    "list": lambda agb, s: agb.list({PLANTED: PLANTED}),
    "set_labels": lambda agb, s: s.set_labels({PLANTED: PLANTED}),
    "run_code": lambda agb, s: s.code.run_code(PLANTED, "python"),
    "run_code in none": lambda agb, s: s.code.run_code("1", PLANTED),
    "command": lambda agb, s: s.command.execute_command(
        PLANTED, cwd=PLANTED, envs={PLANTED: PLANTED}
    ),
    "read_file": lambda agb, s: s.file_system.read_file(PLANTED),
    "write_file": lambda agb, s: s.file_system.write_file(PLANTED, PLANTED),
    "edit_file": lambda agb, s: s.file_system.edit_file(
        PLANTED, [{"oldText": PLANTED, "newText": PLANTED}]
    ),
    "move_file": lambda agb, s: s.file_system.move_file(PLANTED, PLANTED),
    "search_files": lambda agb, s: s.file_system.search_files(PLANTED, PLANTED, [PLANTED]),
    "delete_file": lambda agb, s: s.file_system.delete_file(PLANTED),
    "info": lambda agb, s: s.info(),
}


@pytest.fixture(params=PLANTINGS.values(), ids=PLANTINGS)
def planting(request):
    """One call after the other."""
    return request.param


@pytest.fixture(params=["succeeds", "is refused", "is lost"])
async def planted(request, service, served, nowhere):
    """A client with the planted text in its key, of a service that does one thing."""
    if request.param == "is refused":
        service.on("*", service.refused("busy", status=503))
    endpoint = nowhere if request.param == "is lost" else served
    async with AsyncAGB(PLANTED, Config(endpoint=endpoint)) as agb:
        yield agb


async def test_no_log_line_shows_an_argument(planting, planted, caplog):
    """No library logs the key or an argument of a call, whatever comes of it."""
    caplog.set_level(logging.DEBUG)

    await planting(planted, AsyncSession(planted, "s-1"))

    assert PLANTED not in caplog.text
    assert not [record for record in caplog.records if PLANTED in str(vars(record))]


async def test_no_span_shows_an_argument(planting, planted, spans):
    """No span carries the key or an argument of a call."""
    await planting(planted, AsyncSession(planted, "s-1"))

    assert [span for span in spans() if PLANTED in shown(span)] == []


async def test_a_call_is_a_span(agb, session, service, spans):
    """A call is a client span named after the tool, with its request id and status."""
    service.on("run_code", service.tool("1"))

    await session.code.run_code("1", "python")

    (span,) = spans()
    assert span.name == "agb run_code"
    assert span.kind is trace.SpanKind.CLIENT
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "url.path": "/mcp",
        "agb.request_id": "R",
        "http.request.resend_count": 0,
        "http.response.status_code": 200,
    }
    assert span.status.is_ok


async def test_a_failed_call_is_a_failed_span(agb, session, service, spans):
    """A failed call names the class of its error, and how often it was sent again."""
    service.on("*", httpx.ConnectError("refused"))

    await session.info()

    (span,) = spans()
    assert span.name == "agb getMcpResource"
    assert span.attributes["error.type"] == "APIConnectionError"
    assert span.attributes["http.request.resend_count"] == 2
    assert "http.response.status_code" not in span.attributes
    assert not span.status.is_ok


async def test_spans_lie_within_those_of_the_program(agb, session, spans):
    """The span of a call is a child of the span that the program has open."""
    with trace.get_tracer("program").start_as_current_span("outer"):
        await session.info()

    inner, outer = spans()
    assert inner.parent.span_id == outer.context.span_id


async def test_nothing_is_traced_where_nobody_traces(agb, session, monkeypatch):
    """Where the program has not imported OpenTelemetry, a call does not import it either."""
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")

    result = await session.info()

    assert result.success is True
    assert "opentelemetry.trace" not in sys.modules


async def test_each_attempt_is_a_debug_line(agb, session, service, caplog):
    """Each attempt is a line with what was asked, how it ended, its time and its number."""
    caplog.set_level(logging.DEBUG, logger="agb")
    busy = service.refused("busy", status=503, requestId="R-1")
    busy.headers["retry-after"] = "0"
    service.on("run_code", httpx.ConnectError("refused"), busy, service.tool("1"))

    await session.code.run_code("1", "python")

    lines = [record.getMessage() for record in caplog.records if record.name == "agb"]
    assert [line.split(", ")[0] + ", " + line.split(", ")[-1] for line in lines] == [
        "POST /mcp run_code: APIConnectionError, attempt 1",
        "POST /mcp run_code: HTTP 503, attempt 2",
        "POST /mcp run_code: HTTP 200, attempt 3",
    ]
    assert "request id R-1" in lines[1]
