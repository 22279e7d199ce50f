"""What a stream asks for, and where (wire-protocol 2.5, trap T27)."""

import json

import pytest

from agb._core.code import stream_request
from agb._core.code.stream_request import Route, StreamRequest
from agb._core.exceptions import InvalidArgumentError, SessionNotFoundError, UnsupportedError
from agb._core.tools.tool import McpTool

from ..scripted import FAILURE, envelope, play

ROUTE = Route("wss://ws.test/x", "secret", [])


def prepare(*answers, route=ROUTE, source="print(1)", language="Python", timeout_s=60):
    steps = stream_request.prepare("s-1", route, "api.test", "i", source, language, timeout_s)
    played = play(steps, *answers)
    return *played.result, played.calls


def test_the_frame_of_the_official_client():
    """The frame is that of 0.12.0, byte for byte."""
    request, learned, calls = prepare()

    assert request.frame == (
        '{"invocationId": "i", "source": "SDK", "target": "wuying_codespace", "data": {"method":'
        ' "run_code", "mode": "stream", "params": {"language": "python", "timeoutS": 60, "code":'
        ' "print(1)"}}}'
    )
    assert (request.url, request.token, learned, calls) == ("https://ws.test/x", "secret", None, [])
    assert (request.origin, request.path) == ("https://ws.test", "/x")
    assert "secret" not in repr(request) + repr(ROUTE)


def test_the_target_of_the_tool_list():
    """The tools that a service names with its address say which server runs code."""
    tools = [McpTool("shell", server="a"), McpTool("run_code", server="b")]
    request, _, _ = prepare(route=Route("ws://user:word@host:1/x?y=1", "t", tools))

    assert json.loads(request.frame)["target"] == "b"
    assert request.url == "http://user:word@host:1/x?y=1"
    assert request.origin + request.path == "http://host:1/x"


def test_a_session_without_an_address_is_asked_for_once():
    """A session that was made by hand learns its address, token and tools from the service."""
    told = {
        "sessionId": "s-1",
        "wsUrl": "wss://ws.test/y",
        "token": "t",
        "toolList": '[{"name": "run_code", "server": "b"}]',
    }
    request, learned, calls = prepare(envelope(told), route=Route("", "", []))

    assert [call.path for call in calls] == ["/mcp/getSession"]
    assert (request.url, request.token) == ("https://ws.test/y", "t")
    assert json.loads(request.frame)["target"] == "b"
    assert learned.ws_url == "wss://ws.test/y"


def test_a_service_without_streaming():
    """A service that names no address, even when asked, is named with what to do."""
    with pytest.raises(UnsupportedError, match=r"at api\.test has no address .* named none") as why:
        prepare(envelope({"sessionId": "s-1"}), route=Route("", "", []))

    assert (why.value.tool, why.value.endpoint) == ("run_code", "api.test")


@pytest.mark.parametrize(
    "url", ["ftp://x", "nonsense", "ws://", "ws://[", "/stream", "://x", "ws://x:y", "ws://x:99999"]
)
def test_an_address_that_is_none(url):
    """An address at which nothing can be opened is named."""
    with pytest.raises(UnsupportedError, match="it named '"):
        prepare(route=Route(url, "t", []))


def test_a_session_that_is_gone():
    """A service that does not know the session says so."""
    with pytest.raises(SessionNotFoundError):
        prepare(FAILURE, route=Route("", "", []))


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": " "},
        {"source": None},
        {"source": "\ud800"},
        {"language": "cobol"},
        {"language": None},
        {"timeout_s": 0},
        {"timeout_s": "x"},
        {"timeout_s": float("inf")},
    ],
)
def test_arguments_that_are_refused(wrong):
    """What can't be run is refused before anything is sent."""
    with pytest.raises(InvalidArgumentError):
        prepare(route=Route("", "", []), **wrong)


def test_fractions_of_a_second_are_rounded_up():
    """The time limit travels in whole seconds."""
    request, _, _ = prepare(timeout_s=0.2)

    assert json.loads(request.frame)["data"]["params"]["timeoutS"] == 1


def test_how_long_a_stream_may_be_waited_for():
    """The time limit of the code and a margin, or the configured time-out if that is longer."""
    request = StreamRequest("https://x", "t", "{}", 60.0)

    assert request.allowance_s(5.0) == 70.0
    assert request.allowance_s(100.0) == 100.0
