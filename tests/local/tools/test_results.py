"""What a sandbox answers is not trusted."""

import pytest

from ..support.answers import ARGUMENTS, CELL, OK, OUTPUT, PROCESS


@pytest.mark.parametrize(
    ("tool", "answer"),
    [
        ("shell", {}),
        ("shell", {**OK, "exit_code": "0"}),
        ("shell", {**OK, "exit_code": True}),
        ("shell", {**OK, "stdout": None}),
        ("shell", {**OK, "timed_out": 1}),
        ("run_code", {**CELL, "stdout": "text"}),
        ("run_code", {**CELL, "stdout": [1]}),
        ("run_code", {**CELL, "result": ["x"]}),
        ("run_code", {**CELL, "error": "x"}),
        ("run_code", {**CELL, "error": {}}),
        ("run_code", {**CELL, "execution_time": None}),
        ("read_file", {"content": 5}),
        ("list_directory", {"entries": {}}),
        ("list_directory", {"entries": [{"name": "a"}]}),
        ("search_files", {"matches": [None]}),
        ("get_file_change", {"events": [{}]}),
        ("read_multiple_files", {"files": [{}]}),
        ("start_process", {}),
        ("start_process", {**PROCESS, "pid": "7"}),
        ("wait_process", {**PROCESS, "exit_code": True}),
        ("list_processes", {"processes": [{}]}),
        ("read_process_output", {**OUTPUT, "cursor": None}),
        ("read_process_output", {**OUTPUT, "end": 1}),
        ("read_process_output", {**OUTPUT, "output": [{"stream": "stdlog", "data": ""}]}),
        ("read_process_output", {**OUTPUT, "output": [{"stream": "stdout"}]}),
        ("write_process_stdin", {"written": "3"}),
    ],
)
async def test_a_sandbox_that_talks_nonsense_is_a_failure(api, fake_sandboxes, tool, answer):
    """What a sandbox answers is checked; a wrong shape is a failed call, not a crash."""
    fake_sandboxes.answers[tool] = answer
    session_id = await api.create()

    response = await api.tool(session_id, tool, **ARGUMENTS[tool])

    assert (response.status_code, response.json()["code"]) == (500, "SandboxError")
