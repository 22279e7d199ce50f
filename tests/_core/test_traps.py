"""Traps of the protocol (its section 5) that no other test of the client is named after."""

import json

import pytest

from agb import AGBError, APIError, CommandError, SessionNotFoundError
from agb._core.code import operations as code
from agb._core.commands import operations as commands
from agb._core.config import base_url
from agb._core.exceptions import AuthenticationError
from agb._core.sessions import deletion, session_calls
from agb._core.sessions import operations as sessions
from agb._core.wire import replies

from .scripted import DEAD_SESSION, FAILURE, PLACE, Answer, envelope, play, tool_text


def test_t04_links_are_asked_for_on_the_path_of_both_generations():
    """A link is asked for at `/internet/getLink`, which every service has."""
    played = play(sessions.get_link("s-1", None, 80), envelope({"url": "https://link"}))

    assert [call.path for call in played.calls] == ["/internet/getLink"]


def test_t08_the_client_outwaits_the_limit_of_a_tool():
    """A call knows how long the service may work on it, also below a second."""
    cell = play(code.run("s-1", "1", "python", 300), tool_text("")).calls[0]
    line = play(commands.execute(PLACE, "x", 500, None, None, None), tool_text("")).calls[0]

    assert (cell.time_limit_s, line.time_limit_s) == (300, 0.5)


def test_t23_deleting_a_session_that_is_gone_fails_and_says_so():
    """A second deletion is a failed result of a type of its own, never an exception."""
    result = play(deletion.delete("s-1", sync_context=False), FAILURE).result

    assert result.success is False
    assert type(result.exception) is SessionNotFoundError


def test_t25_a_slash_at_the_end_of_the_endpoint_is_dropped():
    """No path begins with two slashes, whatever the endpoint ends with."""
    call = session_calls.get_session("s-1")

    assert base_url("https://host/") + call.target == "https://host/mcp/getSession"


def test_t27_a_direct_route_is_not_taken():
    """A session whose reply has a direct route is used over `/mcp` all the same."""
    data = {"sessionId": "s-1", "linkUrl": "https://direct", "token": "t", "toolList": "[]"}
    created = play(sessions.get("s-1"), envelope(data)).result
    called = play(code.run("s-1", "1", "python", 5), tool_text("1"))

    assert created.data.session_id == "s-1"
    assert [call.path for call in called.calls] == ["/mcp"]


@pytest.mark.parametrize("answer", [FAILURE, DEAD_SESSION])
def test_t30_both_names_of_a_lost_session_are_known(answer):
    """The session API and the tools have different codes for a session that is gone."""
    result = play(commands.execute(PLACE, "x", 1000, None, None, None), answer).result

    assert type(result.exception) is SessionNotFoundError
    assert not isinstance(result.exception, CommandError)


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (200, b"[]", APIError),
        (200, b"5", APIError),
        (502, b"<html>bad gateway</html>", APIError),
        (401, b"<html>log in</html>", AuthenticationError),
        (200, json.dumps({"data": {}}).encode(), APIError),
    ],
)
def test_t31_what_is_no_envelope_is_named_with_its_beginning(status, content, kind):
    """A body that is no object, or a page, is an error that shows the status and first bytes."""
    with pytest.raises(AGBError) as caught:
        replies.read(session_calls.get_session("s-1"), status, "", content)

    assert type(caught.value) is kind
    assert str(status) in str(caught.value)
    assert content.decode()[:5] in str(caught.value)


def test_t02_a_bare_object_is_no_success():
    """`{}` has no verdict: an error, with what came."""
    result = play(sessions.info("s-1"), Answer({})).result

    assert result.success is False
    assert "{}" in result.error_message
