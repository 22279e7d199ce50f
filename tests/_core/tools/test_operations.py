"""Tools by name, and the metrics of a session."""

import json

import pytest

from agb._core.exceptions import CommandError, SessionNotFoundError
from agb._core.tools import operations as tools
from agb._core.tools.results import McpToolResult, SessionMetrics
from agb._core.tools.tool import McpTool

from ..scripted import DEAD_SESSION, assert_refused, envelope, play, tool_failure, tool_text

TOOL = {
    "name": "shell",
    "description": "Runs a command.",
    "inputSchema": {"type": "object"},
    "server": "srv",
    "tool": "shell",
}


@pytest.mark.parametrize(
    "data",
    [
        [TOOL],
        json.dumps([{key[0].upper() + key[1:]: value for key, value in TOOL.items()}]),
        [{**TOOL, "server": None, "serverName": "srv", "inputSchema": '{"type": "object"}'}],
    ],
)
def test_t5_tools_are_read_from_text_and_from_values(data):
    """A JSON text or a plain array, keys in either case, give the same tools."""
    result = play(tools.list_tools("image", ""), envelope(data)).result

    assert result.unwrap() == [
        McpTool("shell", "Runs a command.", {"type": "object"}, "srv", "shell")
    ]


@pytest.mark.parametrize("data", [None, "", "no json", 5, {}])
def test_no_tools(data):
    """What is no list of tools is an empty list."""
    assert play(tools.list_tools("image", ""), envelope(data)).result.unwrap() == []


def test_tools_need_an_image():
    """Without an image anywhere the call fails before a request; the argument goes first."""
    assert_refused(play(tools.list_tools(None, "")), "image_id is required")
    assert_refused(play(tools.list_tools(" ", "session-image")), "image_id is required")
    assert_refused(play(tools.list_tools(5, "")), "image_id must be a str")
    played = play(tools.list_tools("mine", "session-image"), envelope("[]"))
    assert played.calls[0].query == {"imageId": "mine"}


def call(name="tool", given=None, read=None, connect=None):
    return tools.call_tool("s-1", name, given, read, connect)


def test_a_tool_is_called():
    """The text of the tool comes back as it is."""
    played = play(call(given={"a": [1, None]}), tool_text(" text\n"))

    assert played.arguments == [{"a": [1, None]}]
    assert played.result == McpToolResult("R", True, " text\n")
    assert played.result.unwrap() == " text\n"


def test_a_tool_that_fails():
    """The tool's own text is the message, and there is no data."""
    failed = play(call(), tool_failure("no such thing")).result
    dead = play(call(), DEAD_SESSION).result

    assert (failed.error_message, failed.data) == ("no such thing", None)
    assert type(failed.exception) is CommandError
    assert type(dead.exception) is SessionNotFoundError


@pytest.mark.parametrize(
    ("operation", "phrase"),
    [
        (lambda: call(name=" "), "tool_name is required"),
        (lambda: call(given=[1]), "args must be a dict"),
        (lambda: call(given={"a": object()}), "can't be sent as JSON"),
        (lambda: call(read=0), "read_timeout"),
        (lambda: call(connect=1.5), "connect_timeout"),
        (lambda: tools.get_metrics("s-1", "1", None), "read_timeout"),
    ],
)
def test_wrong_arguments_are_refused(operation, phrase):
    """Wrong names, arguments and time-outs are named, and nothing is sent."""
    assert_refused(play(operation()), phrase)


def test_time_outs_travel_with_the_call_in_seconds():
    """Each time-out counts by itself; one left out is left to the client."""
    both = play(call(read=1500, connect=20), tool_text("")).calls[0]
    none = play(call(), tool_text("")).calls[0]

    assert (both.read_timeout_s, both.connect_timeout_s) == (1.5, 0.02)
    assert (none.read_timeout_s, none.connect_timeout_s) == (0.0, 0.0)


@pytest.mark.parametrize(
    "units",
    [("kbyte_per_s", "kbyte"), ("kbps", "kb"), ("KBps", "KB")],
)
def test_metrics_in_each_spelling(units):
    """The three spellings of the network's units are read, and both names give the figures."""
    rate, used = units
    text = (
        '{"cpu_count":4,"cpu_used_pct":1.5,"disk_total":10,"disk_used":5,"mem_total":8,'
        f'"mem_used":2,"rx_rate_{rate}":1.5,"tx_rate_{rate}":2.5,"rx_used_{used}":3,'
        f'"tx_used_{used}":4,"timestamp":"now"}}'
    )

    result = play(tools.get_metrics("s-1", None, None), tool_text(text)).result

    assert result.unwrap() == SessionMetrics(4, 1.5, 10, 5, 8, 2, 1.5, 2.5, 3, 4, "now")
    metrics = result.metrics
    assert (metrics.rx_rate_kbps, metrics.tx_rate_kbps) == (1.5, 2.5)
    assert (metrics.rx_used_kb, metrics.tx_used_kb) == (3, 4)
    assert result.raw["cpu_count"] == 4


def test_metrics_that_are_no_numbers_are_zero():
    """Missing figures, words and infinities are 0; `raw` keeps what came."""
    text = '{"cpu_count": "four", "cpu_used_pct": Infinity, "mem_total": null}'

    result = play(tools.get_metrics("s-1", None, None), tool_text(text)).result

    assert result.metrics == SessionMetrics()
    assert result.raw["cpu_count"] == "four"


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}"])
def test_metrics_that_can_not_be_read_fail(text):
    """What is no JSON object with figures fails, with no metrics."""
    result = play(tools.get_metrics("s-1", None, None), tool_text(text)).result

    assert not result.success
    assert (result.metrics, result.raw) == (None, {})
