"""Cells of code in both reply forms."""

import json

import pytest

from ..support.answers import ARGUMENTS, CELL, FAILED_CELL


async def test_t17_a_structured_cell_has_the_current_format(api, fake_sandboxes):
    """T17: even a cell without output is an object; results are JSON texts by MIME type."""
    fake_sandboxes.answers["run_code"] = CELL
    session_id = await api.create()

    text, is_error = await api.tool_text(session_id, "run_code", code="1", language="python")

    assert not is_error
    assert json.loads(text) == {
        "result": ['{"text/plain": "42", "isMainResult": true}'],
        "stdout": ["hello\n"],
        "stderr": [],
        "execution_count": 1,
        "execution_time": 0.5,
        "executionError": None,
    }


async def test_a_structured_cell_tells_of_its_time_out(api, fake_sandboxes):
    """A cell that was stopped at its limit says so, and no other."""
    fake_sandboxes.answers["run_code"] = {**FAILED_CELL, "timed_out": True}
    session_id = await api.create()

    text, _ = await api.tool_text(session_id, "run_code", **ARGUMENTS["run_code"])

    assert json.loads(text)["timed_out"] is True
    fake_sandboxes.answers["run_code"] = FAILED_CELL
    text, _ = await api.tool_text(session_id, "run_code", **ARGUMENTS["run_code"])
    assert "timed_out" not in json.loads(text)


async def test_a_structured_cell_that_fails_says_why(api, fake_sandboxes):
    """The error is one line, its traceback the last entry of stderr; the tool itself worked."""
    fake_sandboxes.answers["run_code"] = FAILED_CELL
    session_id = await api.create()

    text, is_error = await api.tool_text(session_id, "run_code", code="1", language="python")

    cell = json.loads(text)
    assert not is_error
    assert cell["executionError"] == "ValueError: no"
    assert cell["stderr"] == ["warned\n", "Traceback …\nValueError: no"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ({**CELL, "result": []}, ("hello\n", False)),
        (CELL, ("hello\n42", False)),
        (
            {**CELL, "stdout": ["a"], "result": [{"text/plain": "1"}, {"image/png": "x"}]},
            ("a\n1", False),
        ),
        (FAILED_CELL, ("hello\nwarned\nTraceback …\nValueError: no", True)),
        (
            {**CELL, "result": [], "error": {"name": "E", "value": "v", "traceback": ""}},
            ("hello\nE: v", True),
        ),
        (
            {**CELL, "result": [], "error": {"name": "E", "value": "", "traceback": ""}},
            ("hello\nE", True),
        ),
        ({**CELL, "stdout": [], "result": []}, ("", False)),
    ],
)
async def test_a_plain_cell_is_its_output(api, fake_sandboxes, cell, expected):
    """Up to 0.7.1 the text is output and values, or the traceback of a cell that failed."""
    fake_sandboxes.answers["run_code"] = cell
    session_id = await api.create("0.4.1")

    assert await api.tool_text(session_id, "run_code", code="1", language="python") == expected
