"""The older forms in which services answer `run_code`: `content`, and `logs` with `results`."""

import json

import pytest

from agb._core.code import operations as code
from agb._core.code.results import ExecutionError, ExecutionLogs, ExecutionResult

from ..scripted import play, tool_failure, tool_text


def run(answer):
    return play(code.run("s-1", "1", "python", 300), answer).result


def test_structured_text_inside_content_is_unwrapped():
    """An object whose first content text is the structured form stands for that form."""
    inner = json.dumps({"result": [{"text": "7"}], "stdout": [], "stderr": []})
    text = json.dumps({"content": [{"type": "text", "text": inner}], "isError": False})

    assert run(tool_text(text)).result == "7"


@pytest.mark.parametrize(
    ("value", "success", "result", "message"),
    [
        ({"content": [{"type": "text", "text": "out"}]}, True, "out", ""),
        ({"content": [{"type": "text", "text": "out"}, {"type": "text"}]}, True, "out", ""),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
            | {"isError": True},
            False,
            "",
            "a; b",
        ),
    ],
)
def test_content_form(value, success, result, message):
    """The legacy form gives its first text; with `isError` its texts joined are the reason."""
    read = run(tool_text(json.dumps(value)))

    assert (read.success, read.result, read.error_message) == (success, result, message)


def test_content_text_of_a_failed_tool_is_the_reason():
    """The legacy form in the answer of a tool that failed is the reason."""
    result = run(tool_failure(json.dumps({"content": [{"type": "text", "text": "why"}]})))

    assert (result.success, result.error_message) == (False, "why")


RICH = {
    "logs": {"stdout": ["a"], "stderr": ["b"]},
    "results": [{"text": "1", "html": "<b>", "is_main_result": True}, "noise"],
    "execution_count": 2,
    "execution_time": 0.5,
}
RICH_ERROR = {"name": "E", "value": "x", "traceback": "t"}


def test_rich_form():
    """`logs` and `results` read as such."""
    result = run(tool_text(json.dumps(RICH)))

    assert result.success
    assert result.logs == ExecutionLogs(["a"], ["b"])
    assert result.results == [ExecutionResult(text="1", html="<b>", is_main_result=True)]
    assert (result.execution_count, result.execution_time) == (2, 0.5)


@pytest.mark.parametrize(
    "value",
    [
        {"logs": {"stdout": ["a"]}},
        {"logs": {"stderr": ["a"]}},
        {"results": [{"text": "a"}], "isError": False},
        {"results": [{"text": "a"}], "logs": {}},
        {"results": [{"text": "a"}], "execution_time": 1},
    ],
)
def test_rich_form_may_be_partial(value):
    """One of the two marker keys is enough, with its right type."""
    result = run(tool_text(json.dumps(value)))

    assert result.success
    assert [*result.logs.stdout, *result.logs.stderr, *(i.text for i in result.results)] == ["a"]


@pytest.mark.parametrize(
    ("fields", "success", "message"),
    [
        ({"error": RICH_ERROR}, True, ""),
        ({"error": RICH_ERROR, "isError": False}, True, ""),
        ({"error": RICH_ERROR, "isError": True}, False, "E: x"),
        ({"isError": True}, False, "The code failed without a message"),
    ],
)
def test_rich_form_fails_by_is_error(fields, success, message):
    """In the rich form an `error` without `isError` still reports success."""
    result = run(tool_text(json.dumps({**RICH, **fields})))

    assert (result.success, result.error_message) == (success, message)
    assert result.error == (ExecutionError("E", "x", "t") if "error" in fields else None)
    assert result.result == "1"


def test_rich_form_of_a_failed_tool_is_a_failure():
    """`isError` of the tool counts as that of the rich form."""
    assert run(tool_failure(json.dumps({**RICH, "error": RICH_ERROR}))).error_message == "E: x"
