"""The forms in which services answer `run_code`, and JSON that is none of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.code import operations as code
from agb._core.code.results import (
    CodeExecutionResult,
    EnhancedCodeExecutionResult,
    ExecutionError,
    ExecutionLogs,
    ExecutionResult,
)
from agb._core.exceptions import CommandError, CommandTimeoutError

from ..scripted import envelope, play, tool_failure, tool_text

STREAMS = {"stdout": [], "stderr": []}


def run(answer):
    return play(code.run("s-1", "1", "python", 300), answer).result


def structured(**fields):
    return run(tool_text(json.dumps({"result": [], **STREAMS, **fields})))


def is_verbatim(result, text):
    return (
        result.success
        and result.result == text
        and "".join(result.logs.stdout) == text
        and [item.text for item in result.results] == ([text] if text else [])
        and result.error is None
    )


@pytest.mark.parametrize(
    "text", ["hello\n", " spaces ", "é語😀", "0", "null", '"quoted"', "[1, 2]"]
)
def test_plain_text_is_the_output_verbatim(text):
    """Text is one main result and one piece of standard output."""
    result = run(tool_text(text))

    assert is_verbatim(result, text)
    assert result.results[0].is_main_result
    assert (result.execution_count, result.execution_time) == (None, 0.0)
    assert isinstance(result, EnhancedCodeExecutionResult)
    assert isinstance(result, CodeExecutionResult)


@pytest.mark.parametrize("answer", [tool_text(""), envelope({}), envelope(None)])
def test_t17_no_text_is_a_success_with_empty_output(answer):
    """A program that prints nothing succeeds, and its result is `""` (T17, D11)."""
    result = run(answer)

    assert result.success
    assert result.result == ""
    assert result.results == []


PRINTED = [
    {},
    {"a": 1},
    {"result": 42},
    {"result": "ok", "stdout": ["x"]},
    {"result": [1, 2]},
    {"results": [1, 2]},
    {"results": "x", "execution_count": 1},
    {"logs": "nothing"},
    {"logs": []},
    {"logs": {"stdout": "x"}},
    {"stdout": "x", "stderr": "y"},
    {"stdout": [], "stderr": []},
    {"executionError": None},
    {"executionError": 5, "stdout": []},
    {"content": "text"},
    {"content": [{"type": "image", "data": "x"}]},
    {"content": []},
    {"error": {"name": "E"}},
    {"isError": True},
    {"execution_count": 1},
]


@pytest.mark.parametrize("value", PRINTED, ids=json.dumps)
def test_t16_json_without_the_marker_keys_stays_verbatim(value):
    """JSON that a program printed is returned untouched (T16)."""
    text = json.dumps(value) + "\n"

    assert is_verbatim(run(tool_text(text)), text)


MARKERS = {"result", "executionError", "logs", "results", "content"}
json_texts = st.dictionaries(
    st.text(max_size=12).filter(lambda key: key not in MARKERS),
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
    max_size=4,
).map(json.dumps)


@given(json_texts | st.text(st.characters(exclude_categories=["Cs"])))
def test_any_printed_text_without_markers_stays_verbatim(text):
    """Whatever a program prints comes back as it is, unless the service's marker keys are there."""
    assert is_verbatim(run(tool_text(text)), text)


def test_structured_form_of_the_protocol():
    """The printed reply of 0.12 reads as its main result, its output, its count and its time."""
    text = (
        '{"result":["{\\"text/plain\\": \\"42\\", \\"isMainResult\\": true}"],'
        '"stdout":["a\\n"],"stderr":[],"execution_count":1,"execution_time":0.1}'
    )

    result = run(tool_text(text))

    assert result.success
    assert result.result == "42"
    assert result.results == [ExecutionResult(text="42", is_main_result=True)]
    assert result.logs == ExecutionLogs(["a\n"], [])
    assert (result.execution_count, result.execution_time) == (1, 0.1)


def test_structured_failure_of_the_protocol():
    """`executionError` fails the run; what was printed until then is kept (D12)."""
    text = (
        '{"result":[],"stdout":["x"],"stderr":["Tr…"],'
        '"executionError":"ZeroDivisionError: division: by zero"}'
    )

    result = run(tool_text(text))

    assert result.success is False
    assert result.error_message == "ZeroDivisionError: division: by zero"
    assert result.error == ExecutionError("ZeroDivisionError", "division: by zero", "Tr…")
    assert result.result == "x"
    assert result.logs == ExecutionLogs(["x"], ["Tr…"])
    assert type(result.exception) is CommandError
    assert result.exception.request_id == "R"


@pytest.mark.parametrize(
    ("error", "success"), [(None, True), ("", True), ("E: x", False), ("E", False)]
)
def test_structured_form_fails_by_a_filled_execution_error(error, success):
    """An empty or null `executionError` is no failure."""
    result = structured(executionError=error)

    assert result.success is success
    assert result.error_message == (error or "")


@pytest.mark.parametrize(
    ("more", "kind"), [({}, CommandError), ({"timed_out": True}, CommandTimeoutError)]
)
def test_a_cell_that_was_stopped_at_its_limit_has_its_type(more, kind):
    """A time-out is told apart from code that raises `TimeoutError`, where the service says so."""
    value = {"result": [], "executionError": "TimeoutError: too long", **more}

    assert type(run(tool_text(json.dumps(value))).exception) is kind


def test_execution_error_alone_is_structured():
    """`executionError` as a text is a marker by itself."""
    result = run(tool_text('{"executionError": "E: x"}'))

    assert result.error == ExecutionError("E", "x", "")
    assert result.success is False


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stderr": ["tra", "ce\n"]}, "trace"),
        ({"stderr": []}, "The code failed without a message"),
        ({"stderr": ["trace"], "executionError": "E: x"}, "E: x"),
    ],
)
def test_structured_text_of_a_failed_tool_is_a_failure(fields, message):
    """`isError` with a structured text fails, its output being kept."""
    text = json.dumps({"result": [], "stdout": ["out"], **fields})

    result = run(tool_failure(text))

    assert result.success is False
    assert result.error_message == message
    assert result.result == "out"


@pytest.mark.parametrize(
    ("fields", "count", "time"),
    [
        ({"execution_count": 3, "execution_time": 2}, 3, 2.0),
        ({"execution_count": "3", "execution_time": "2"}, None, 0.0),
        ({"execution_count": None, "execution_time": None}, None, 0.0),
        ({"execution_time": 10**400}, None, 0.0),
        ({"execution_time": -(10**400)}, None, 0.0),
        ({"execution_time": float("nan")}, None, 0.0),
        ({}, None, 0.0),
    ],
)
def test_numbers_that_make_no_sense_are_left_out(fields, count, time):
    """Count and time are read if they are numbers."""
    result = structured(**fields)

    assert result.success
    assert (result.execution_count, result.execution_time) == (count, time)


@pytest.mark.parametrize(
    ("stdout", "expected"),
    [
        (["a\n", "b"], ["a\n", "b"]),
        ("ab", ["ab"]),
        ([1, "a", None], ["a"]),
        (None, []),
        (5, []),
        (["a\ud800"], ["a\N{REPLACEMENT CHARACTER}"]),
        ("\udc00", ["\N{REPLACEMENT CHARACTER}"]),
    ],
)
def test_streams_are_lists_of_valid_text(stdout, expected):
    """Pieces of output are kept in order; other values in the list are dropped."""
    assert structured(stdout=stdout).logs.stdout == expected
