"""The tools of the server: arguments in, text in the session's reply form out."""

import asyncio
import json

import pytest

from agb.local.failures import SandboxError, ToolError

OK = {"stdout": "out\n", "stderr": "err\n", "exit_code": 0, "timed_out": False, "truncated": False}
CELL = {
    "stdout": ["hello\n"],
    "stderr": [],
    "result": [{"text/plain": "42", "isMainResult": True}],
    "execution_count": 1,
    "execution_time": 0.5,
    "error": None,
    "timed_out": False,
}
FAILED_CELL = {
    **CELL,
    "stderr": ["warned\n"],
    "result": [],
    "error": {"name": "ValueError", "value": "no", "traceback": "Traceback …\nValueError: no"},
}
ARGUMENTS = {
    "run_code": {"code": "1", "language": "python"},
    "shell": {"command": "true"},
    "read_file": {"path": "/a"},
    "write_file": {"path": "/a", "content": ""},
    "edit_file": {"path": "/a", "edits": [{"oldText": "a", "newText": ""}]},
    "create_directory": {"path": "/a"},
    "list_directory": {"path": "/a"},
    "get_file_info": {"path": "/a"},
    "move_file": {"source": "/a", "destination": "/b"},
    "delete_file": {"path": "/a"},
    "read_multiple_files": {"paths": ["/a"]},
    "search_files": {"path": "/a", "pattern": "*"},
    "get_file_change": {"path": "/a"},
    "get_metrics": {},
    "start_process": {"command": "true"},
    "list_processes": {},
    "read_process_output": {"process_id": "process-1"},
    "wait_process": {"process_id": "process-1"},
    "write_process_stdin": {"process_id": "process-1", "data": ""},
    "close_process_stdin": {"process_id": "process-1"},
    "signal_process": {"process_id": "process-1"},
}
PROCESS = {"process_id": "process-1", "pid": 7, "command": "true", "exit_code": None}
OUTPUT = {"output": [], "cursor": 0, "dropped": 0, "exit_code": None, "end": False}


@pytest.mark.parametrize(
    ("version", "structured"),
    [
        (None, False),
        ("0.4.1", False),
        ("0.7.1", False),
        ("0.8.0", True),
        ("0.8.0rc1", True),
        ("0.12.0", True),
        ("1.0", True),
        ("newest", False),
        ("", False),
        (8, False),
    ],
)
async def test_t16_the_reply_form_follows_the_client_of_the_session(
    api, fake_sandboxes, version, structured
):
    """T16: `sdk_version` 0.8 or later at create chooses structured replies, nothing else does."""
    fake_sandboxes.answers["shell"] = OK
    session_id = await api.create(version)

    text, _ = await api.tool_text(session_id, "shell", command="true")

    assert text.startswith("{") is structured


@pytest.mark.parametrize("stats", ["", "{", "[]", '"0.12.0"', "{}"])
async def test_telemetry_that_makes_no_sense_does_not_matter(api, stats):
    """A malformed `sdkStats` creates a session with plain replies."""
    response = await api.client.post("/mcp/createSession", params={"sdkStats": stats})

    assert response.json()["success"] is True


async def test_a_structured_command_is_a_json_object(api, fake_sandboxes):
    """A command's streams, exit code and trace identifier are told apart."""
    fake_sandboxes.answers["shell"] = {**OK, "exit_code": 3}
    session_id = await api.create()

    response = await api.tool(session_id, "shell", command="false")

    body = response.json()
    assert body["data"]["isError"] is False
    assert json.loads(body["data"]["content"][0]["text"]) == {
        "stdout": "out\n",
        "stderr": "err\n",
        "exit_code": 3,
        "traceId": body["requestId"],
    }


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (OK, ("out\nerr\n", False)),
        ({**OK, "exit_code": 3}, ("out\nerr\n", True)),
        (
            {**OK, "stdout": "", "stderr": "", "exit_code": 3},
            ("The command ended with exit code 3.", True),
        ),
        ({**OK, "stdout": "", "stderr": ""}, ("", False)),
    ],
)
async def test_a_plain_command_is_its_output(api, fake_sandboxes, outcome, expected):
    """Up to 0.7.1 the text is the output, and a failing command an error that keeps it."""
    fake_sandboxes.answers["shell"] = outcome
    session_id = await api.create("0.4.1")

    assert await api.tool_text(session_id, "shell", command="x") == expected


@pytest.mark.parametrize("version", ["0.4.1", "0.12.0"])
async def test_a_command_that_times_out_names_its_limit(api, fake_sandboxes, version):
    """A time-out is an error in both forms, keeps the output and names `timeout_ms`."""
    fake_sandboxes.answers["shell"] = {**OK, "exit_code": 124, "timed_out": True}
    session_id = await api.create(version)

    text, is_error = await api.tool_text(session_id, "shell", command="x", timeout_ms=1500)

    assert is_error
    assert "out\\n" in text or "out\n" in text
    assert "1500 ms" in text
    assert "timeout_ms" in text


async def test_a_structured_command_tells_what_the_protocol_has_no_word_for(api, fake_sandboxes):
    """A time-out and output that was cut are told where they happened, and only there."""
    fake_sandboxes.answers["shell"] = {**OK, "exit_code": 124, "timed_out": True, "truncated": True}
    session_id = await api.create()

    text, _ = await api.tool_text(session_id, "shell", command="x")

    assert (json.loads(text)["timed_out"], json.loads(text)["truncated"]) == (True, True)
    fake_sandboxes.answers["shell"] = OK
    text, _ = await api.tool_text(session_id, "shell", command="x")
    assert not {"timed_out", "truncated"} & json.loads(text).keys()


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


async def test_t03_a_tool_that_says_no_is_an_error_with_a_null_message(api, fake_sandboxes):
    """T3: the tool's own words are in the content; the envelope's message does not hide them."""
    fake_sandboxes.answers["read_file"] = ToolError("No such file or directory: '/tmp/x'")
    session_id = await api.create()

    response = await api.tool(session_id, "read_file", path="/tmp/x")

    body = response.json()
    assert response.status_code == 200
    assert (body["success"], body["code"], body["message"]) == (True, "ok", None)
    assert body["data"] == {
        "content": [{"type": "text", "text": "No such file or directory: '/tmp/x'"}],
        "isError": True,
    }


@pytest.mark.parametrize(
    ("tool", "answer", "text"),
    [
        ("read_file", {"content": "é\n"}, "é\n"),
        ("write_file", {"bytes": 1}, "ok"),
        ("edit_file", {"diff": "-a\n+b\n"}, "-a\n+b\n"),
        ("create_directory", {}, "ok"),
        ("move_file", {}, "ok"),
        ("delete_file", {}, "ok"),
        ("list_directory", {"entries": []}, ""),
        (
            "list_directory",
            {
                "entries": [
                    {"name": "[DIR] x", "isDirectory": False},
                    {"name": " sub ", "isDirectory": True},
                    {"name": "a\n[DIR] b", "isDirectory": False},
                    {"name": "\udcff", "isDirectory": False},
                ]
            },
            "[FILE] [DIR] x\n[DIR]  sub \n[FILE] a\\n[DIR] b\n[FILE] \ufffd",
        ),
        (
            "get_file_info",
            {"name": "a:b", "size": 5, "isDirectory": False, "isFile": True, "permissions": "644"},
            "name: a:b\nsize: 5\nisDirectory: false\nisFile: true\npermissions: 644",
        ),
        (
            "read_multiple_files",
            {"files": [{"path": "/a", "content": "1:2\n3"}, {"path": "/b", "content": ""}]},
            "/a:\n1:2\n3\n\n---\n/b:\n\n",
        ),
        ("search_files", {"matches": ["/a.py", "/b/c.py"]}, "/a.py\n/b/c.py"),
        ("search_files", {"matches": []}, "No matches found"),
        ("get_file_change", {"events": []}, "[]"),
        (
            "get_file_change",
            {"events": [{"eventType": "modify", "path": "/a", "pathType": "file", "x": 1}]},
            '[{"eventType": "modify", "path": "/a", "pathType": "file"}]',
        ),
    ],
)
async def test_t12_a_file_tool_answers_as_the_wire_says(api, fake_sandboxes, tool, answer, text):
    """T12 to T15: each file tool's text has exactly the form that clients split apart."""
    fake_sandboxes.answers[tool] = answer
    session_id = await api.create()

    assert await api.tool_text(session_id, tool, **ARGUMENTS[tool]) == (text, False)


async def test_t14_one_unreadable_file_fails_the_reading_of_several(api, fake_sandboxes):
    """T14: the text has no place for an error, so it is not passed off as a content."""
    fake_sandboxes.answers["read_multiple_files"] = {
        "files": [{"path": "/a", "content": "x"}, {"path": "/b", "error": "No such file: '/b'"}]
    }
    session_id = await api.create()

    reply = await api.tool_text(session_id, "read_multiple_files", paths=["/a", "/b"])

    assert reply == ("No such file: '/b'", True)


@pytest.mark.parametrize(
    ("tool", "given", "passed"),
    [
        ("read_file", {"path": "/a"}, {"path": "/a", "offset": 0, "format": "text"}),
        (
            "read_file",
            {"path": "/a", "offset": 3, "length": 0, "format": None},
            {"path": "/a", "offset": 3, "format": "text"},
        ),
        (
            "read_file",
            {"path": "/a", "offset": 0, "length": 5, "format": "binary", "extra": 1},
            {"path": "/a", "offset": 0, "length": 5, "format": "binary"},
        ),
        (
            "write_file",
            {"path": "~/a", "content": "\0"},
            {"path": "~/a", "content": "\0", "mode": "overwrite"},
        ),
        (
            "edit_file",
            {"path": "/a", "edits": [{"oldText": "a", "newText": "b", "x": 1}]},
            {"path": "/a", "edits": [{"oldText": "a", "newText": "b"}], "dryRun": False},
        ),
        ("shell", {"command": "x"}, {"command": "x", "timeout_ms": 1000}),
        (
            "shell",
            {"command": "x", "timeout_ms": 5, "cwd": "/", "envs": {"A": ""}},
            {"command": "x", "timeout_ms": 5, "cwd": "/", "envs": {"A": ""}},
        ),
        (
            "shell",
            {"command": "x", "input": "", "input_format": "binary"},
            {"command": "x", "timeout_ms": 1000, "input": "", "input_format": "binary"},
        ),
        (
            "start_process",
            {"command": "x"},
            {"command": "x", "stdin": True, "keep_output": True},
        ),
        (
            "read_process_output",
            {"process_id": "p", "wait_s": 20},
            {"process_id": "p", "cursor": 0, "wait_s": 20},
        ),
        ("wait_process", {"process_id": "p"}, {"process_id": "p", "wait_s": 0}),
        (
            "write_process_stdin",
            {"process_id": "p", "data": "\0"},
            {"process_id": "p", "data": "\0", "format": "text", "wait_s": 0},
        ),
        ("signal_process", {"process_id": "p"}, {"process_id": "p", "signal": "KILL"}),
        (
            "run_code",
            {"code": "", "language": "JavaScript", "timeout_s": 7},
            {"code": "", "language": "javascript", "timeout_s": 7},
        ),
        (
            "run_code",
            {"code": "1", "language": "r"},
            {"code": "1", "language": "r", "timeout_s": 60},
        ),
    ],
)
async def test_arguments_reach_the_sandbox_with_their_defaults(
    api, fake_sandboxes, tool, given, passed
):
    """Checked arguments, defaults and nothing else are passed on."""
    fake_sandboxes.answers[tool] = ToolError("enough")
    session_id = await api.create()

    await api.tool(session_id, tool, **given)

    (method, params, _) = fake_sandboxes.opened[0].calls[0]
    assert (method, params) == (tool, passed)


@pytest.mark.parametrize(
    ("tool", "wrong", "message"),
    [
        ("shell", {"command": None}, "command is required"),
        ("shell", {"command": ""}, "command must not be empty"),
        ("shell", {"command": " \n"}, "command must not be empty"),
        ("shell", {"command": 5}, "command must be a string, not a number"),
        ("shell", {"command": ["ls"]}, "command must be a string, not an array"),
        ("shell", {"command": "a\0b"}, "command must not contain a NUL character"),
        ("shell", {"command": "\ud800"}, "command is not valid Unicode"),
        ("shell", {"timeout_ms": 0}, "timeout_ms must be above 0"),
        ("shell", {"timeout_ms": -1}, "timeout_ms must be above 0"),
        ("shell", {"timeout_ms": "5"}, "timeout_ms must be a number, not a string"),
        ("shell", {"timeout_ms": True}, "timeout_ms must be a number, not a boolean"),
        ("shell", {"timeout_ms": 10**12}, "at most 86400000"),
        ("shell", {"timeout_ms": float("nan")}, "timeout_ms must be above 0"),
        ("shell", {"timeout_ms": float("inf")}, "timeout_ms must be above 0"),
        ("shell", {"cwd": "a\0"}, "cwd must not contain a NUL"),
        ("shell", {"envs": []}, "envs must be an object, not an array"),
        ("shell", {"envs": {"A": 1}}, "envs['A'] must be a string, not a number"),
        ("shell", {"envs": {"A=B": "1"}}, "must not contain '='"),
        ("shell", {"envs": {"": "1"}}, "must not be empty"),
        ("shell", {"envs": {"A": "\0"}}, "envs['A'] must not contain a NUL"),
        ("shell", {"input": 5}, "input must be a string, not a number"),
        ("shell", {"input_format": "base64"}, "input_format must be one of text, binary"),
        ("start_process", {"command": ""}, "command must not be empty"),
        ("start_process", {"stdin": 1}, "stdin must be true or false"),
        ("read_process_output", {"process_id": None}, "process_id is required"),
        ("read_process_output", {"cursor": -1}, "cursor must be between"),
        ("read_process_output", {"wait_s": -1}, "wait_s must be from 0 to 60, not -1"),
        ("read_process_output", {"wait_s": 61}, "wait_s must be from 0 to 60, not 61"),
        ("read_process_output", {"wait_s": float("nan")}, "wait_s must be from 0 to 60"),
        ("wait_process", {"wait_s": True}, "wait_s must be a number, not a boolean"),
        ("write_process_stdin", {"data": None}, "data is required"),
        ("write_process_stdin", {"data": "\ud800"}, "data is not valid Unicode"),
        ("write_process_stdin", {"format": "hex"}, "format must be one of text, binary"),
        ("signal_process", {"signal": "SEGV"}, "signal must be one of HUP, INT"),
        ("run_code", {"code": None}, "code is required"),
        ("run_code", {"code": 1}, "code must be a string"),
        ("run_code", {"language": None}, "language is required"),
        ("run_code", {"language": ""}, "language must be one of python, javascript, java, r"),
        ("run_code", {"language": "cobol"}, "not 'cobol'"),
        ("run_code", {"language": 3}, "language must be a string"),
        ("run_code", {"timeout_s": 0}, "timeout_s must be above 0"),
        ("run_code", {"timeout_s": 86401}, "at most 86400"),
        ("read_file", {"path": ""}, "path must not be empty"),
        ("read_file", {"path": "/a\0b"}, "path must not contain a NUL character"),
        ("read_file", {"path": {}}, "path must be a string, not an object"),
        ("read_file", {"offset": -1}, "offset must be between"),
        ("read_file", {"offset": 2**63}, "offset must be between"),
        ("read_file", {"offset": 1.5}, "offset must be an integer"),
        ("read_file", {"length": "5"}, "length must be an integer, not a string"),
        ("read_file", {"format": "bytes"}, "format must be one of text, binary"),
        ("write_file", {"mode": "w"}, "mode must be one of overwrite, append, not 'w'"),
        ("write_file", {"content": None}, "content is required"),
        ("write_file", {"content": "\ud800"}, "content is not valid Unicode"),
        ("edit_file", {"edits": []}, "edits must not be empty"),
        ("edit_file", {"edits": {}}, "edits must be an array, not an object"),
        ("edit_file", {"edits": ["a"]}, "edits[0] must be an object"),
        ("edit_file", {"edits": [{"oldText": "a"}]}, "edits[0].newText must be a string, not null"),
        ("edit_file", {"edits": [{"oldText": "", "newText": ""}]}, "oldText must not be empty"),
        ("edit_file", {"dryRun": 1}, "dryRun must be true or false, not a number"),
        ("move_file", {"destination": None}, "destination is required"),
        ("read_multiple_files", {"paths": []}, "paths must not be empty"),
        ("read_multiple_files", {"paths": ["/a", 5]}, "paths[1] must be a string"),
        ("read_multiple_files", {"paths": "/a"}, "paths must be an array, not a string"),
        ("search_files", {"excludePatterns": [""]}, "excludePatterns[0] must not be empty"),
    ],
)
async def test_a_wrong_argument_is_named(api, fake_sandboxes, tool, wrong, message):
    """An argument that is missing or wrong fails the tool by name; the sandbox is not asked."""
    session_id = await api.create()

    text, is_error = await api.tool_text(session_id, tool, **{**ARGUMENTS[tool], **wrong})

    assert is_error
    assert message in text
    assert fake_sandboxes.opened[0].calls == []


@pytest.mark.parametrize("name", ["rm", "Shell", "call", "../shell", "x" * 1000])
async def test_an_unknown_tool_is_an_error_that_lists_the_known_ones(api, name):
    """A tool that this server lacks is never mistaken for one that worked."""
    session_id = await api.create()

    text, is_error = await api.tool_text(session_id, name)

    assert is_error
    assert "Unknown tool" in text
    assert "read_file" in text
    assert len(text) < 1000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"args": "{}"}, "name is required"),
        ({"args": "{}", "name": 5}, "name must be a string"),
        ({"args": "{", "name": "shell"}, "args is not valid JSON"),
        ({"args": "[]", "name": "shell"}, "args must be a JSON object, not an array"),
        ({"args": "null", "name": "shell"}, "args must be a JSON object, not null"),
        ({"args": 5, "name": "shell"}, "args must be a JSON object, not a number"),
        ({"args": ["a"], "name": "shell"}, "args must be a JSON object, not an array"),
    ],
)
async def test_a_malformed_tool_call_is_refused(api, body, message):
    """A call that can't be understood at all is HTTP 400, with `isError` for old clients."""
    session_id = await api.create()

    response = await api.post("/mcp", sessionId=session_id, **body)

    failure = response.json()
    assert (response.status_code, failure["code"]) in {
        (400, "InvalidRequest"),
        (400, "MissingParameter"),
    }
    assert message in failure["message"]
    assert failure["data"]["isError"] is True


async def test_t05_args_may_be_an_object(api, fake_sandboxes):
    """T5: arguments are accepted as JSON text and as a native object."""
    fake_sandboxes.answers["shell"] = OK
    session_id = await api.create()

    response = await api.post("/mcp", sessionId=session_id, name="shell", args={"command": "true"})

    assert response.json()["data"]["isError"] is False


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


async def test_a_fault_of_the_sandbox_is_told(api, fake_sandboxes):
    """A sandbox that could not do it at all fails the call with its own words."""
    fake_sandboxes.answers["shell"] = SandboxError("bad bytes")
    session_id = await api.create()

    response = await api.tool(session_id, "shell", command="true")

    assert response.json()["message"] == "bad bytes"


async def test_cells_of_one_language_run_one_after_the_other(api, fake_sandboxes):
    """A second python cell waits for the first, javascript and commands do not."""
    fake_sandboxes.answers.update(run_code=CELL, shell=OK)
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()
    cells = [
        asyncio.create_task(api.tool(session_id, "run_code", code=code, language="python"))
        for code in ("1", "2")
    ]
    await sandbox.started.wait()

    others = [
        asyncio.create_task(api.tool(session_id, "run_code", code="3", language="javascript")),
        asyncio.create_task(api.tool(session_id, "shell", command="true")),
    ]
    while len(sandbox.calls) < 3:
        await asyncio.sleep(0)

    assert {params.get("code") for _, params, _ in sandbox.calls} == {"1", "3", None}
    sandbox.may_answer.set()
    await asyncio.gather(*cells, *others)
    assert sandbox.calls[-1][1]["code"] == "2"


async def test_waiting_counts_against_the_limit_of_a_cell(api, fake_sandboxes):
    """A cell whose turn does not come within its own limit is answered and not run."""
    fake_sandboxes.answers["run_code"] = CELL
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()
    first = asyncio.create_task(api.tool(session_id, "run_code", code="1", language="python"))
    await sandbox.started.wait()

    text, is_error = await api.tool_text(
        session_id, "run_code", code="2", language="python", timeout_s=0.05
    )

    assert is_error
    assert text.startswith("Not run")
    sandbox.may_answer.set()
    await first
    assert len(sandbox.calls) == 1


async def test_a_file_operation_has_a_limit_of_its_own(make_api, fake_sandboxes):
    """A file operation that takes too long is cancelled inside and says so."""
    api = make_api(file_timeout_s=0.05)
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()

    text, is_error = await api.tool_text(session_id, "read_file", path="/slow")

    assert (text, is_error) == ("Timed out: read_file took longer than 0.05 s.", True)
    assert sandbox.cancelled == ["read_file"]


async def test_t08_the_sandbox_gets_time_beyond_the_limit_to_answer(make_api, fake_sandboxes):
    """T8: the sandbox enforces the limit; only silence well beyond it counts as a fault."""
    fake_sandboxes.answers["shell"] = OK
    api = make_api(reply_margin_s=7)
    session_id = await api.create()

    await api.tool(session_id, "shell", command="x", timeout_ms=2000)

    assert fake_sandboxes.opened[0].calls[0][2] == 9


async def test_the_tools_describe_themselves(api):
    """listTools gives, as JSON text, every tool with a schema of its arguments."""
    response = await api.post("/mcp/listTools?imageId=agb-code-space-1")

    tools = json.loads(response.json()["data"])
    assert {tool["name"] for tool in tools} == set(ARGUMENTS)
    for tool in tools:
        assert set(tool) == {"name", "description", "inputSchema", "server", "tool"}
        assert set(tool["inputSchema"]["required"]) == set(ARGUMENTS[tool["name"]])
    shell = next(tool for tool in tools if tool["name"] == "shell")
    assert "input" in shell["inputSchema"]["properties"]
    assert shell["inputSchema"]["properties"]["timeout_ms"]["default"] == 1000
