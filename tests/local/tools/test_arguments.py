"""The arguments of tools: checked, completed, and passed on."""

import pytest

from agb.local.failures import ToolError

from ..support.answers import ARGUMENTS


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
