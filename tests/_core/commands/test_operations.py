"""Running shell commands: arguments, and both forms of the reply."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.commands import operations as commands
from agb._core.exceptions import (
    CommandError,
    CommandTimeoutError,
    InvalidArgumentError,
    SessionNotFoundError,
    UnsupportedError,
)
from agb._core.tools.offers import Offers, Place

from ..scripted import (
    DEAD_SESSION,
    PLACE,
    Answer,
    assert_refused,
    envelope,
    play,
    tool_failure,
    tool_text,
)

HUGE = [pytest.param(10**400, id="no-float"), pytest.param(10**5000, id="unprintable")]


def execute(text="true", timeout_ms=1000, cwd=None, envs=None, timeout_s=None):
    return commands.execute(PLACE, text, timeout_ms, cwd, envs, timeout_s)


@pytest.mark.parametrize("text", [None, "", " \t", 5, b"ls", ["ls"], "a\0b", "\ud800"])
def test_command_must_be_text(text):
    """A command that is no text, blank, or has a NUL fails without a request."""
    assert_refused(play(execute(text)), "command")


@pytest.mark.parametrize("timeout_ms", [0, -1, True, 1.5, "1000", None, *HUGE])
def test_timeout_ms_must_be_a_positive_integer(timeout_ms):
    """`timeout_ms` that is no positive integer in reach fails without a request."""
    assert_refused(play(execute(timeout_ms=timeout_ms)), "timeout_ms must be an integer")


@pytest.mark.parametrize("timeout_s", [0, -1, True, "1", float("inf"), float("nan"), 1e300, *HUGE])
def test_timeout_s_must_be_a_positive_number(timeout_s):
    """`timeout_s` that can't be waited for fails without a request."""
    assert_refused(play(execute(timeout_s=timeout_s)), "timeout_s must be a positive number")


def test_both_timeouts_are_refused():
    """`timeout_ms` and `timeout_s` together fail without a request (D7)."""
    assert_refused(play(execute(timeout_ms=2000, timeout_s=2)), "timeout_ms or timeout_s, not both")


@pytest.mark.parametrize(
    ("timeouts", "sent"),
    [
        ({}, 1000),
        ({"timeout_ms": 500}, 500),
        ({"timeout_s": 2}, 2000),
        ({"timeout_s": 0.25}, 250),
        ({"timeout_s": 1e-9}, 1),
    ],
)
def test_limit_is_sent_in_milliseconds(timeouts, sent):
    """The limit travels in milliseconds, and tells the client how long the reply may take (D8)."""
    played = play(execute(**timeouts), tool_text(""))

    assert played.arguments[0]["timeout_ms"] == sent
    assert played.calls[0].time_limit_s == sent / 1000


@pytest.mark.parametrize("cwd", ["", " ", 5, "a\0b", "\ud800", b"/tmp"])
def test_cwd_must_be_a_path(cwd):
    """A directory that is no path fails without a request."""
    assert_refused(play(execute(cwd=cwd)), "cwd")


@pytest.mark.parametrize(
    ("envs", "phrases"),
    [
        ("A=1", ["envs must be a dict"]),
        ([("A", "1")], ["envs must be a dict"]),
        (5, ["envs must be a dict"]),
        ({"A": 1}, ["'A': 1"]),
        ({"A": None, "B": "x", 3: "y"}, ["'A': None", "3: 'y'"]),
        ({"": "x"}, ["'': 'x'"]),
        ({"A=B": "x"}, ["'A=B'"]),
        ({"A\0": "x"}, [r"'A\x00'"]),
        ({"A": "x\0"}, [r"'x\x00'"]),
        ({"A": "\ud800"}, [r"'\ud800'"]),
        ({"\ud800": "x"}, [r"'\ud800'"]),
        ({("A",): []}, ["('A',): []"]),
    ],
)
def test_environment_must_map_text_to_text(envs, phrases):
    """`envs` with other entries fails without a request and names the entries."""
    played = play(execute(envs=envs))

    assert_refused(played, *phrases)
    assert isinstance(played.result.exception, InvalidArgumentError)
    assert "'B'" not in played.result.error_message


def test_empty_environment_is_sent():
    """An empty dict is an environment without additions."""
    assert play(execute(envs={}), tool_text("")).arguments[0]["envs"] == {}


@pytest.mark.parametrize("text", ["hi\n", "", " é\n", '{"a": 1}', "5", "[1]"])
def test_plain_reply_is_the_output_verbatim(text):
    """A plain text reply is the output, its exit code unknown."""
    result = play(execute(), tool_text(text)).result

    assert result.success
    assert (result.output, result.stdout, result.stderr) == (text, text, "")
    assert result.exit_code is None
    assert result.error_message == ""


@pytest.mark.parametrize("data", [None, {}])
def test_no_text_is_empty_output(data):
    """A reply without text is a success whose output is `""` (D11)."""
    result = play(execute(), envelope(data)).result

    assert result.success
    assert result.output == ""


STRUCTURED = {"stdout": "o", "stderr": "e", "exit_code": 0}


@pytest.mark.parametrize("code", [0, 1, 3, 127, -9])
def test_structured_reply_succeeds_by_its_exit_code(code):
    """Success is exit code 0; output is standard output and standard error."""
    text = json.dumps({**STRUCTURED, "exit_code": code, "traceId": "t"})

    result = play(execute(), tool_text(text)).result

    assert result.success is (code == 0)
    assert (result.output, result.stdout, result.stderr) == ("oe", "o", "e")
    assert (result.exit_code, result.trace_id, result.request_id) == (code, "t", "R")
    assert result.error_message == ("" if code == 0 else "e")
    assert (type(result.exception) is CommandError) is (code != 0)


def test_failure_without_standard_error_names_the_exit_code():
    """A command that failed silently fails with its exit code as the message."""
    text = json.dumps({"stdout": "o", "stderr": " \n", "exit_code": 3})

    result = play(execute(), tool_text(text)).result

    assert result.error_message == "The command ended with exit code 3"
    assert str(result.exception) == result.error_message


def test_structured_text_of_a_failed_tool():
    """In the text of a failed tool `errorCode` replaces `exit_code`, `stderr` is the reason."""
    text = '{"stdout":"so","stderr":"se","errorCode":9,"traceId":"tt"}'

    result = play(execute(), tool_failure(text)).result

    assert result.success is False
    assert (result.output, result.stdout, result.stderr) == ("sose", "so", "se")
    assert (result.exit_code, result.trace_id, result.error_message) == (9, "tt", "se")


def test_t01_failed_tool_with_exit_code_0_is_a_failure():
    """`isError` is a failure whatever the exit code says (T1)."""
    assert play(execute(), tool_failure(json.dumps(STRUCTURED))).result.success is False


NOT_STRUCTURED = [
    {"exit_code": 0},
    {"exit_code": 0, "stdout": "x"},
    {"exit_code": 0, "stderr": "x"},
    {"stdout": "x", "stderr": "y"},
    {**STRUCTURED, "exit_code": "0"},
    {**STRUCTURED, "exit_code": True},
    {**STRUCTURED, "exit_code": None},
    {**STRUCTURED, "exit_code": 0.5},
    {**STRUCTURED, "stdout": None},
    {**STRUCTURED, "stderr": ["e"]},
    [STRUCTURED],
]


@pytest.mark.parametrize("value", NOT_STRUCTURED, ids=json.dumps)
def test_t16_json_without_the_marker_keys_stays_verbatim(value):
    """JSON that a command printed is its output, unless all three marker keys are there (T16)."""
    text = json.dumps(value)

    result = play(execute(), tool_text(text)).result

    assert (result.output, result.exit_code) == (text, None)


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.integers().map(str))
def test_any_printed_text_stays_verbatim(text):
    """Whatever a command prints comes back as it is."""
    assert play(execute(), tool_text(text)).result.output == text


@given(st.text(), st.text(), st.integers(-255, 255))
def test_structured_reply_keeps_both_streams(stdout, stderr, code):
    """Output is exactly standard output followed by standard error."""
    text = json.dumps({"stdout": stdout, "stderr": stderr, "exit_code": code})

    result = play(execute(), tool_text(text)).result

    assert (result.stdout, result.stderr, result.output) == (stdout, stderr, stdout + stderr)
    assert result.success is (code == 0)
    assert bool(result.error_message) is (code != 0)


@pytest.mark.parametrize(
    ("answer", "message", "kind"),
    [
        (tool_failure("why"), "why", CommandError),
        (tool_failure(""), "The command failed without a message", CommandError),
        (DEAD_SESSION, "Session not found", SessionNotFoundError),
    ],
)
def test_plain_failure_has_the_text_as_its_reason(answer, message, kind):
    """A failing tool is a failed result with its text, and no made-up output."""
    result = play(execute(), answer).result

    assert (result.success, result.error_message, result.output) == (False, message, "")
    assert type(result.exception) is kind
    assert result.exit_code is None


@pytest.mark.parametrize("status", [401, 500])
def test_http_error_is_a_failure_even_with_content(status):
    """An HTTP error is a failed result even if the body looks like an output (D1)."""
    body = {"success": True, "data": {"content": [{"type": "text", "text": "out"}]}}

    assert play(execute(), Answer(body, status)).result.success is False


@pytest.mark.parametrize("reason", ["Command timed out", "TIMEOUT after 1 s", "time-out"])
@pytest.mark.parametrize(
    ("limit_ms", "phrase"), [(1000, "timeout_ms was 1000, the default"), (50, "timeout_ms was 50;")]
)
def test_time_out_names_the_limit_and_where_it_comes_from(reason, limit_ms, phrase):
    """A time-out says which limit it was, and that 1000 ms is the default (D7)."""
    plain = play(execute(timeout_ms=limit_ms), tool_failure(reason)).result
    text = json.dumps({"stdout": "", "stderr": reason, "exit_code": 124})
    structured = play(execute(timeout_ms=limit_ms), tool_failure(text)).result

    for result in (plain, structured):
        assert result.error_message.startswith(reason)
        assert phrase in result.error_message


def test_a_time_out_that_the_service_tells_of_has_its_type():
    """A command that was stopped at its limit is told apart where the service says so."""
    facts = {"stdout": "", "stderr": "Timed out", "exit_code": 124}
    told = play(execute(), tool_failure(json.dumps({**facts, "timed_out": True}))).result
    guessed = play(execute(), tool_failure(json.dumps(facts))).result

    assert type(told.exception) is CommandTimeoutError
    assert type(guessed.exception) is CommandError


@pytest.mark.parametrize(("more", "truncated"), [({}, False), ({"truncated": True}, True)])
def test_output_that_was_cut_is_told(more, truncated):
    """Where the service kept only a part of the output, the result says so."""
    result = play(execute(), tool_text(json.dumps({**STRUCTURED, **more}))).result

    assert (result.success, result.truncated) == (True, truncated)


LISTED = envelope('[{"name": "shell", "inputSchema": {"properties": {"input": {}}}}]')


@pytest.mark.parametrize(
    ("given", "sent"), [("é", "w6k="), (b"\0\xff", "AP8="), ("", ""), (memoryview(b"x"), "eA==")]
)
def test_input_travels_as_bytes(given, sent):
    """Input is sent as bytes, after the service was asked whether it takes any."""
    place = Place("s-1", "i", Offers("https://api.test"))
    played = play(
        commands.execute(place, "x", 1000, None, None, None, given), LISTED, tool_text("")
    )

    assert played.calls[0].path == "/mcp/listTools"
    given = played.calls[1].arguments
    assert (given["input"], given["input_format"]) == (sent, "binary")


@pytest.mark.parametrize("given", [5, ["x"], "\ud800", object()])
def test_input_must_be_text_or_bytes(given):
    """Input that is neither fails without a request."""
    assert_refused(play(commands.execute(PLACE, "x", 1000, None, None, None, given)), "input")


def test_input_that_the_service_does_not_take():
    """A service whose `shell` takes no input is not asked to run anything without it."""
    place = Place("s-1", "i", Offers("https://api.test"))
    listed = envelope('[{"name": "shell", "inputSchema": {"properties": {"command": {}}}}]')

    played = play(commands.execute(place, "x", 1000, None, None, None, "text"), listed)

    assert type(played.result.exception) is UnsupportedError
    assert len(played.calls) == 1


def test_word_timeout_in_an_ordinary_failure_is_left_alone():
    """A command that itself wrote about a time-out is not explained."""
    text = json.dumps({"stdout": "", "stderr": "timeout", "exit_code": 1})

    assert play(execute(), tool_text(text)).result.error_message == "timeout"
