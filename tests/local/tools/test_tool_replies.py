"""Answers of a sandbox in, text in the reply form of the session out."""

import json

import pytest

from ..support.answers import ARGUMENTS, OK


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
