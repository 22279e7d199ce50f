"""What goes wrong on the way, for each call: always a failed result that names the cause."""

from __future__ import annotations

import httpx
import pytest

from agb import (
    AGB,
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    CommandError,
    Config,
    FileError,
    Session,
    SessionNotFoundError,
)


def reply(status, **fields):
    """A reply with an envelope."""
    return httpx.Response(status, json={"requestId": "R-bad", **fields})


NOT_FOUND = {"code": "InvalidSession.NotFound", "message": "Session not found"}
TOOL_ERROR = {"content": [{"type": "text", "text": "out of space"}], "isError": True}

# What comes back, the type of the error, and what the message has to say.
FAULTS = {
    "HTML 502": (
        httpx.Response(502, html="<h1>Bad Gateway</h1>"),
        APIError,
        ["HTTP 502", "Bad Gateway", "check that the endpoint is right"],
    ),
    "truncated JSON": (
        httpx.Response(200, text='{"requestId": "R-bad", "succ'),
        APIError,
        ["HTTP 200", '{"requestId": "R-bad", "succ'],
    ),
    "JSON array": (httpx.Response(200, content=b"[1,2]"), APIError, ["HTTP 200", "[1,2]"]),
    "JSON null": (httpx.Response(200, text="null"), APIError, ["HTTP 200", "null"]),
    "empty body": (httpx.Response(200), APIError, ["HTTP 200", "body ''"]),
    "not UTF-8": (httpx.Response(200, content=b"\xff\xfe{"), APIError, ["HTTP 200"]),
    "redirect": (httpx.Response(302, headers={"location": "/"}), APIError, ["HTTP 302"]),
    "success false": (
        reply(200, success=False, code="Quota", message="quota exceeded"),
        APIError,
        ["quota exceeded"],
    ),
    "success null": (reply(200, success=None, message="half done"), APIError, ["half done"]),
    "success true with HTTP 500": (reply(500, success=True, data={}), APIError, ["HTTP 500"]),
    "no success": (reply(200, data={"sessionId": "s-1"}), APIError, ["HTTP 200", "s-1"]),
    "HTTP 401": (
        reply(401, success=False, code="InvalidApiKey", message="bad key"),
        AuthenticationError,
        ["bad key"],
    ),
    "HTTP 403": (httpx.Response(403, text="Forbidden"), AuthenticationError, ["Forbidden"]),
    "HTTP 404": (reply(404, success=False, **NOT_FOUND), SessionNotFoundError, ["not found"]),
    "NotFound with HTTP 400": (
        reply(400, success=False, **NOT_FOUND),
        SessionNotFoundError,
        ["Session not found"],
    ),
    "HTTP 404 of a proxy": (httpx.Response(404, text="no route"), APIError, ["no route"]),
    "tool text beside a general message": (
        reply(400, success=False, message="tool failed", data=TOOL_ERROR),
        APIError,
        ["out of space"],
    ),
    "connection refused": (
        httpx.ConnectError("nobody home"),
        APIConnectionError,
        ["https://api.test", "ConnectError", "nobody home"],
    ),
    "connection lost": (
        httpx.RemoteProtocolError("peer hung up"),
        APIConnectionError,
        ["https://api.test", "RemoteProtocolError", "peer hung up"],
    ),
    "no reply in time": (httpx.ReadTimeout(""), APITimeoutError, ["in time", "ReadTimeout"]),
    "garbled encoding": (
        lambda request: httpx.Response(
            200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no")
        ),
        APIError,
        ["DecodingError"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_reply_is_a_failed_result(fault, call, agb, session, service):
    """S60: whatever comes back, every call gives a failed result that names the cause."""
    answer, kind, phrases = FAULTS[fault]
    service.on("*", answer)

    result = call(agb, session)

    assert result.success is False
    assert type(result.exception) is kind
    assert [phrase for phrase in phrases if phrase not in result.error_message] == []


@pytest.mark.parametrize("fault", ["success false", "HTTP 401", "HTTP 404"])
def test_a_failed_result_keeps_the_facts(fault, call, agb, session, service):
    """The typed error of a failed result has request id and status, and so has the result."""
    answer, _, _ = FAULTS[fault]
    service.on("*", answer)

    result = call(agb, session)

    assert result.request_id == result.exception.request_id == "R-bad"
    assert result.exception.status_code == answer.status_code
    assert result.exception.code == answer.json()["code"]


def test_a_server_that_is_down_is_a_failed_result(call, nowhere):
    """S60: where nothing listens, every call gives a failed result that names the endpoint."""
    with AGB("test-key", Config(endpoint=nowhere)) as agb:
        result = call(agb, Session(agb, "s-1"))

    assert result.success is False
    assert type(result.exception) is APIConnectionError
    assert nowhere in result.error_message
    assert "check that the endpoint is up" in result.error_message


@pytest.mark.parametrize(
    ("method", "given", "kind"),
    [
        ("code.run_code", ("1", "python"), CommandError),
        ("command.execute_command", ("x",), CommandError),
        ("file_system.read_file", ("/a",), FileError),
        ("file_system.write_file", ("/a", "x"), FileError),
    ],
)
def test_a_tool_error_is_a_failed_result(method, given, kind, session, service):
    """S60: a tool that says isError gives a failed result with the tool's own text."""
    module, name = method.split(".")
    service.on("*", service.ok(TOOL_ERROR))

    result = getattr(getattr(session, module), name)(*given)

    assert result.success is False
    assert result.error_message == "out of space"
    assert type(result.exception) is kind


def test_a_read_that_breaks_later_is_a_failed_result(session, service):
    """S60: a file of which the size was told but not the content gives a failed result."""
    service.on("get_file_info", service.tool("size: 5\nisDirectory: false"))
    service.on("read_file", service.refused("gone away"))

    result = session.file_system.read_file("/tmp/a")

    assert (result.success, result.content) == (False, "")
    assert result.error_message == "gone away"
