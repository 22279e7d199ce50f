"""Streaming without a stream: what is checked, asked for and refused before there is one."""

from __future__ import annotations

import sys

import pytest

from agb import EndEvent, ErrorEvent, Session
from agb.exceptions import AuthenticationError, InvalidArgumentError, UnsupportedError

FOUND = {"sessionId": "s-1", "wsUrl": "wss://ws.test/x?key=secret", "token": "planted-token"}


def test_a_callback_that_is_none(session, service):
    """A callback that can't be called fails without a request, and is named."""
    result = session.code.run("1", "python", on_result="print")

    assert isinstance(result.exception, InvalidArgumentError)
    assert "on_result must be callable" in result.error_message
    assert service.requests == []


@pytest.mark.parametrize(("code", "language"), [("", "python"), ("1", "cobol"), (None, "python")])
def test_what_can_not_be_streamed(code, language, session, service):
    """A stream of what can't be run tells so, without a request."""
    stream = session.code.stream(code, language)
    events = []
    for event in stream:
        events.append(event)

    assert [type(event) for event in events] == [ErrorEvent, EndEvent]
    assert isinstance(stream.result.exception, InvalidArgumentError)
    assert service.requests == []


def test_a_session_made_by_hand(agb, service):
    """A session without an address asks for it once; the token is sent there, and no key."""
    service.on("/mcp/getSession", service.ok(FOUND))
    service.on("/x", service.refused("wrong token", "InvalidToken", 401))
    session = Session(agb, "s-1")
    first = session.code.run("1", "python", stream_beta=True)
    second = session.code.run("1", "python", stream_beta=True)

    assert service.seen == ["/mcp/getSession", "/x", "/x"]
    assert service.requests[-1].headers["x-access-token"] == "planted-token"
    assert "authorization" not in service.requests[-1].headers
    assert str(service.requests[-1].url) == "https://ws.test/x?key=secret"
    for result in (first, second):
        assert isinstance(result.exception, AuthenticationError)
        assert (result.request_id, result.error_message) == ("R", "wrong token")
        assert "planted-token" not in repr(result)


def test_a_service_without_streams(session, service):
    """A service that has no address for streams is named, and nothing is run."""
    result = session.code.run("1", "python", stream_beta=True)

    assert service.seen == ["/mcp/getSession"]
    assert isinstance(result.exception, UnsupportedError)
    assert "https://api.test has no address for streaming" in result.error_message


def test_a_session_that_is_gone(agb, service):
    """A session that the service does not know fails the stream."""
    result = Session(agb, "s-9").code.run("1", "python", on_stdout=print)

    assert not result.success
    assert "session not found" in result.error_message


def test_an_answer_that_only_looks_like_a_stream(session, service):
    """An answer without the proof of a WebSocket is no stream."""
    session.ws_url = "wss://ws.test/x"
    service.on("/x", service.ok({}))
    result = session.code.run("1", "python", stream_beta=True)

    assert "opened no WebSocket (HTTP 200)" in result.error_message
    assert not result.exception.outcome_unknown


def test_without_the_extra(session, service, monkeypatch):
    """Without the extra the message is the command that installs it, and nothing is sent."""
    session.ws_url = "wss://ws.test/x"
    monkeypatch.setitem(sys.modules, "wsproto.connection", None)
    result = session.code.run("1", "python", stream_beta=True)

    assert isinstance(result.exception, UnsupportedError)
    assert "pip install 'agb[stream]'" in result.error_message
    assert service.requests == []


def test_a_stream_shows_its_session_only(agb):
    """The repr of a stream has no code and no token."""
    session = Session(agb, "s-1")
    session.token = "planted-token"
    stream = session.code.stream("secret()", "python")

    assert repr(stream) == f"{type(stream).__name__}(session_id='s-1')"
