"""What a service offers: asked once, and said when it is missing."""

import json

import pytest

from agb._core.exceptions import APIConnectionError, APIError, AuthenticationError, UnsupportedError
from agb._core.tools.offers import Offers, is_unknown_tool

from ..scripted import FAILURE, REFUSED_KEY, Answer, envelope, play

TOOLS = [
    {"name": "shell", "inputSchema": {"properties": {"command": {}, "input": {}}}},
    {"name": "bare"},
]


@pytest.fixture
def offers():
    return Offers("https://api.test")


def asked(steps, *script):
    """Play steps that return nothing; return what they sent, or what they raised."""

    def whole():
        try:
            yield from steps
        except Exception as error:
            return error
        return None

    return play(whole(), *script)


@pytest.mark.parametrize("listed", [json.dumps(TOOLS), TOOLS], ids=["text", "list"])
def test_t29_a_service_is_asked_once_for_each_image(offers, listed):
    """The tools of an image are listed once; without an image those of the default one (T29)."""
    first = asked(offers.require("", "shell"), envelope(listed))

    assert first.result is None
    assert [call.query for call in first.calls] == [{"imageId": "agb-code-space-1"}]
    for tool, argument in (("shell", ""), ("shell", "input"), ("bare", "")):
        assert asked(offers.require("agb-code-space-1", tool, argument)).result is None
    assert asked(offers.require("other", "shell"), envelope(listed)).result is None


@pytest.mark.parametrize(
    ("tool", "argument"), [("start_process", ""), ("shell", "stdin"), ("bare", "x")]
)
def test_what_is_missing_is_named_with_the_service(offers, tool, argument):
    """A tool, or an argument, that is not there is named, together with the endpoint."""
    error = asked(offers.require("i", tool, argument), envelope(json.dumps(TOOLS))).result

    assert type(error) is UnsupportedError
    assert (error.tool, error.endpoint) == (tool, "https://api.test")
    for phrase in (tool, argument, "https://api.test", "nothing was run"):
        assert phrase in str(error)


@pytest.mark.parametrize("data", [None, "", "no JSON", [], {}, 5])
def test_a_list_that_cannot_be_read_is_empty(offers, data):
    """A service that names no tools has none."""
    error = asked(offers.require("i", "shell"), envelope(data)).result

    assert type(error) is UnsupportedError


@pytest.mark.parametrize("answer", [FAILURE, Answer(b"<html>", 404), Answer(b"", 405)])
def test_a_service_that_lists_no_tools_has_none(offers, answer):
    """One that does not know the question is taken not to know the tool, and asked again."""
    error = asked(offers.require("i", "start_process"), answer).result

    assert type(error) is UnsupportedError
    assert isinstance(error.__cause__, Exception)
    assert str(error.__cause__) in str(error)
    later = asked(offers.require("i", "shell"), envelope(json.dumps(TOOLS)))
    assert later.result is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (REFUSED_KEY, AuthenticationError),
        (Answer(b"", 500), APIError),
        (Answer(b"", 429), APIError),
        (APIConnectionError("no route"), APIConnectionError),
    ],
)
def test_other_errors_stay_what_they_are(offers, answer, kind):
    """A wrong key or a lost connection says nothing about tools."""
    assert type(asked(offers.require("i", "start_process"), answer).result) is kind


@pytest.mark.parametrize(
    ("message", "unknown"),
    [
        ("Unknown tool 'start_process'. There are: shell", True),
        ("unknown tool: start_process", True),
        ("Tool start_process not found", True),
        ("no such tool start_process", True),
        ("bash: tool: command not found", False),
        ("No such file or directory: 'start_process'", False),
        ("", False),
    ],
)
def test_a_tool_that_is_not_known(message, unknown):
    """Services say in different words that they do not know a tool."""
    assert is_unknown_tool("start_process", message) is unknown
