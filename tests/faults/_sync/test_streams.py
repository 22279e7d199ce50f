"""Streams of a service that goes wrong: an `EndEvent` with a typed error, in time."""

from __future__ import annotations

import logging
import re

import httpx
import pytest

from agb import (
    AGB,
    Config,
    EndEvent,
    ErrorEvent,
    Session,
    StdoutEvent,
)
from agb import exceptions as errors

from ...conftest import shown
from .. import streams

TOKEN = "planted-token"


def session_of(agb, server):
    session = Session(agb, "s-1")
    session.ws_url, session.token = f"ws://{server.address}/streams/s-1", TOKEN
    return session


@pytest.fixture
def agb(no_proxy):
    with AGB("test-key", Config("https://api.invalid", timeout_ms=60_000)) as client:
        yield client


def all_of(stream):
    events = []
    for event in stream:
        events.append(event)
    return events


def test_a_stream(agb, play):
    """A stream carries its token, no API key, and one frame; it is closed when it has ended."""
    server = play(streams.stream(streams.begun, streams.pings, streams.ended, streams.is_left))
    stream = session_of(agb, server).code.stream("print('begun')", "python")
    events = all_of(stream)

    assert events == [StdoutEvent("begun\n"), EndEvent(stream.result)]
    assert stream.result.success
    assert server.requests == ["stream /streams/s-1"]
    assert server.headers["x-access-token"] == TOKEN
    assert server.headers["user-agent"].startswith("agb-python/")
    assert "authorization" not in server.headers
    server.hang_ups.acquire()
    assert TOKEN not in repr(stream) + repr(stream.result)


def test_a_stream_of_an_injected_http_client(play, no_proxy):
    """An HTTP client of the program opens streams, too, and stays open after them."""
    server = play(streams.stream(streams.begun, streams.ended))
    config = Config("https://api.invalid")
    with httpx.Client() as http_client:
        with AGB("test-key", config, http_client=http_client) as agb:
            result = session_of(agb, server).code.run_code("1", "python", stream_beta=True)
        is_closed = http_client.is_closed

    assert (result.success, result.result) == (True, "begun\n")
    assert not is_closed


FAULTS = {
    "hangs up": (streams.hangs_up, errors.APIConnectionError, "closed before its end"),
    "breaks": (streams.breaks, errors.APIConnectionError, "broke"),
    "closes": (streams.closes, errors.APIConnectionError, "1011 out of memory"),
    "says nonsense": (streams.says_nonsense, errors.APIError, "'no frame'"),
    "breaks the protocol": (streams.breaks_the_protocol, errors.APIConnectionError, "(1002 "),
    "says too much": (streams.says_too_much, errors.APIError, "too many to be taken"),
    "is silent": (streams.waits, errors.APITimeoutError, "did not end in time: 1.1 s"),
    "drips": (streams.drips, errors.APITimeoutError, "did not end in time: 1.1 s"),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_stream_that_goes_wrong(fault, play, short_margin, monkeypatch, no_proxy):
    """What came before is kept, and the error says that the code may have run.

    The socket is closed. The deadline is the code's own limit and the margin.
    """
    monkeypatch.setattr("agb._io.frames._LONGEST_MESSAGE", 1000)
    step, kind, message = FAULTS[fault]
    server = play(streams.stream(streams.begun, step))
    with AGB("test-key", Config("https://api.invalid", timeout_ms=1000)) as agb:
        stream = session_of(agb, server).code.stream("1", "python", 1)
        events = all_of(stream)

        result = stream.result
        assert [type(event) for event in events] == [StdoutEvent, ErrorEvent, EndEvent]
        assert type(result.exception) is kind
        assert message in result.error_message
        assert result.result == "begun\n"
        assert result.exception.outcome_unknown
        assert not result.exception.retryable
        assert TOKEN not in f"{result!r} {events!r} {result.exception.__cause__!r}"
        assert stream._socket is None


def test_a_peer_that_is_gone(agb, play, monkeypatch):
    """A side from which nothing comes is asked for a sign of life, and given up without one."""
    monkeypatch.setattr("agb._core.code.stream_request.PING_INTERVAL_S", 0.05)
    server = play(streams.stream(streams.is_pinged, streams.begun, streams.waits))
    result = session_of(agb, server).code.run_code("1", "python", stream_beta=True)

    assert type(result.exception) is errors.APIConnectionError
    assert "nothing was heard of it for 0.1 s" in result.error_message
    assert result.result == "begun\n"


REFUSALS = {
    "a wrong token": ("401 Unauthorized", streams.WRONG_TOKEN, errors.AuthenticationError),
    "no session": ("400 Bad Request", streams.NOT_FOUND, errors.SessionNotFoundError),
    "HTML": ("502 Bad Gateway", b"<html>", errors.APIError),
    "a redirect": ("302 Found", b"", errors.APIError),
    "another reply": ("200 OK", streams.envelope({}), errors.APIError),
    "a switch to something else": ("101 Switching Protocols", b"", errors.APIError),
}


@pytest.mark.parametrize("answer", sorted(REFUSALS))
def test_a_stream_that_is_refused(answer, agb, play):
    """A request for a stream that is refused says by whom and why, and that no code was sent."""
    status, body, kind = REFUSALS[answer]
    server = play(streams.refuse(status, body))
    result = session_of(agb, server).code.run_code("1", "python", stream_beta=True)

    assert type(result.exception) is kind
    assert not result.exception.outcome_unknown
    assert TOKEN not in f"{result!r} {result.exception.__cause__!r}"


def test_a_server_that_does_not_answer(play, short_margin, no_proxy):
    """The deadline of the whole operation holds for the connection as well."""
    server = play(streams.silent)
    with AGB("test-key", Config("https://api.invalid", timeout_ms=1000)) as agb:
        result = session_of(agb, server).code.run_code("1", "python", 1, stream_beta=True)

    assert type(result.exception) is errors.APITimeoutError
    assert not result.exception.outcome_unknown
    server.hang_ups.acquire()


def test_a_server_that_is_not_there(agb, nowhere):
    """A refused connection is one error event and a failed result."""
    session = Session(agb, "s-1")
    session.ws_url, session.token = nowhere.replace("http", "ws"), TOKEN
    heard = []
    result = session.code.run("1", "python", on_error=heard.append)

    assert type(result.exception) is errors.APIConnectionError
    assert [error.name for error in heard] == ["APIConnectionError"]
    assert result.exception.retryable


@pytest.mark.parametrize("url", ["ws://host/\x01", "ws://" + "a" * 64 + "/x"])
def test_an_address_that_can_not_be_asked(agb, url):
    """An address that no connection can be made to is named."""
    session = Session(agb, "s-1")
    session.ws_url = url
    result = session.code.run("1", "python", stream_beta=True)

    assert isinstance(result.exception, errors.APIConnectionError)
    assert not result.exception.outcome_unknown


def test_frames_of_bytes(agb, play):
    """A service that sends its frames as bytes is understood, too."""
    server = play(streams.stream(streams.speaks_in_bytes))

    assert (session_of(agb, server).code.run("1", "python", stream_beta=True)).success


def test_a_callback_that_raises(agb, play):
    """What a callback raises reaches the caller, and the stream is closed before."""
    server = play(streams.stream(streams.begun, streams.waits))

    def fail(text):
        raise KeyError(text)

    with pytest.raises(KeyError, match="begun"):
        session_of(agb, server).code.run("1", "python", on_stdout=fail)
    server.hang_ups.acquire()


def test_leaving_a_stream(agb, play):
    """Leaving the block closes the connection; the result says that the end is not known."""
    server = play(streams.stream(streams.begun, streams.waits))
    with session_of(agb, server).code.stream("1", "python") as stream:
        for event in stream:
            assert event == StdoutEvent("begun\n")
            break
    server.hang_ups.acquire()

    assert all_of(stream) == []
    assert "has not ended" in stream.result.error_message
    assert stream.result.result == "begun\n"


def test_a_stream_that_was_never_begun(agb, play):
    """A stream from which nothing is asked sends nothing."""
    server = play(streams.stream())
    with session_of(agb, server).code.stream("1", "python") as stream:
        pass

    assert all_of(stream) == []
    assert server.connections == 0


def test_a_client_that_is_closed(play):
    """A stream of a client that was closed raises, as every call does."""
    agb = AGB("test-key", Config("https://api.invalid"))
    session = session_of(agb, play(streams.stream()))
    agb.close()

    with pytest.raises(RuntimeError, match="has been closed"):
        session.code.run("1", "python", stream_beta=True)


BUSY = streams.refuse("503 Service Unavailable", b"", "Retry-After: 0")
RUNS = streams.stream(streams.begun, streams.ended)


def test_a_stream_is_asked_for_again(agb, play):
    """A service that is busy and says when to come back is asked again: no code has been sent."""
    server = play(streams.in_turn(BUSY, BUSY, RUNS))
    result = session_of(agb, server).code.run_code("1", "python", stream_beta=True)

    assert (result.success, result.result) == (True, "begun\n")
    assert server.connections == 3


def test_retries_of_a_stream_can_be_turned_off(play, no_proxy):
    """`max_retries=0` holds for streams as well."""
    server = play(streams.in_turn(BUSY, RUNS))
    config = Config("https://api.invalid")
    with AGB("test-key", config, max_retries=0) as agb:
        result = session_of(agb, server).code.run_code("1", "python", stream_beta=True)

    assert result.exception.status_code == 503
    assert result.exception.retryable
    assert server.connections == 1


def test_a_stream_is_never_begun_twice(agb, play):
    """Once the code has been sent, nothing is tried again."""
    server = play(streams.in_turn(streams.stream(streams.breaks), RUNS))
    result = session_of(agb, server).code.run_code("1", "python", stream_beta=True)

    assert result.exception.outcome_unknown
    assert server.connections == 1


SEEN = {
    "runs": (RUNS, "ended", None),
    "is refused": (
        streams.refuse("401 Unauthorized", streams.WRONG_TOKEN),
        *["AuthenticationError"] * 2,
    ),
    "breaks": (streams.stream(streams.breaks), *["APIConnectionError"] * 2),
    "is left": (streams.stream(streams.begun, streams.waits), "left", None),
}


@pytest.mark.parametrize("what", sorted(SEEN))
def test_what_is_seen_of_a_stream(what, agb, play, caplog, spans):
    """A stream has debug lines for its beginning and its end, and a span, without any secret."""
    caplog.set_level(logging.DEBUG)
    fault, word, kind = SEEN[what]
    session = session_of(agb, play(fault))
    session.ws_url += f"?key={TOKEN}"
    with session.code.stream(f"'{TOKEN}'", "python") as stream:
        for _ in stream:
            if what == "is left":
                break

    lines = [record.getMessage() for record in caplog.records if record.name == "agb"]
    begin, end = (re.sub(r"\d+ ms", "… ms", line) for line in lines)
    state = "HTTP 401" if what == "is refused" else "open"
    told = rf"stream from http://[\d.:]+: {state}, request id \w*, … ms, attempt 1"
    assert re.fullmatch(told, begin)
    assert re.fullmatch(rf"stream run_code: {word}, request id \w+, … ms", end)
    (span,) = spans()
    assert span.name == "agb stream run_code"
    assert span.attributes.get("error.type") == kind
    assert span.status.is_ok is (kind is None)
    assert span.attributes["agb.request_id"] in end
    assert TOKEN not in caplog.text + shown(span)
