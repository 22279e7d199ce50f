"""Golden exchanges: what each operation sends, byte for byte, and that the printed reply succeeds.

Requests and replies are those of the protocol's appendix.
"""

import json

import pytest

from agb._core import code, command, file_content, files, sessions
from agb._core.params import CreateSessionParams

from .scripted import envelope, play, tool_text

STATS = (
    "sdkStats=%7B%22source%22%3A%22sdk%22%2C%22sdk_language%22%3A%22python%22"
    "%2C%22sdk_version%22%3A%220.12.0%22%2C%22is_release%22%3Atrue%7D"
)
CREATED = {
    "sessionId": "s-1",
    "success": True,
    "errMsg": None,
    "appInstanceId": "ai-1",
    "resourceId": "r-1",
    "resourceUrl": "https://res/1",
}
LISTED = [{"sessionId": "s-1", "sessionStatus": "RUNNING"}]

SESSION_REQUESTS = [
    pytest.param(
        lambda: sessions.create(CreateSessionParams()),
        envelope(CREATED),
        ("POST", f"/mcp/createSession?{STATS}", b"{}"),
        id="create-minimal",
    ),
    pytest.param(
        lambda: sessions.create(CreateSessionParams({"a": "b c"}, "agb-code-space-1")),
        envelope(CREATED),
        (
            "POST",
            f"/mcp/createSession?imageId=agb-code-space-1&{STATS}",
            rb'{"labels": "{\"a\": \"b c\"}"}',
        ),
        id="create-full",
    ),
    pytest.param(
        lambda: sessions.get("s-1"),
        envelope({**CREATED, "status": "RUNNING"}),
        ("POST", "/mcp/getSession", b'{"sessionId": "s-1"}'),
        id="get",
    ),
    pytest.param(
        lambda: sessions.list_page(None, None, None),
        envelope(LISTED, nextToken="tok-2", maxResults=10, count=2),
        ("GET", "/sdk/ListSession?maxResults=10&labels=%7B%7D", None),
        id="list",
    ),
    pytest.param(
        lambda: sessions.info("s-1"),
        envelope({"sessionId": "s-1", "resourceUrl": "https://res/1"}),
        ("POST", "/mcp/getMcpResource", b'{"sessionId": "s-1"}'),
        id="info",
    ),
    pytest.param(
        lambda: sessions.set_labels("s-1", {"a": "b c"}),
        envelope(None),
        ("POST", "/sdk/SetLabel?sessionId=s-1&Labels=%7B%22a%22%3A+%22b+c%22%7D", b"{}"),
        id="set-labels",
    ),
    pytest.param(
        lambda: sessions.get_labels("s-1"),
        envelope({"labels": '{"a": "b c"}'}),
        ("GET", "/sdk/GetLabel?sessionId=s-1", None),
        id="get-labels",
    ),
    pytest.param(
        lambda: sessions.delete("s-1", sync_context=False),
        envelope(None),
        ("POST", "/mcp/releaseSession", b'{"sessionId": "s-1"}'),
        id="release",
    ),
]

# Operation, tool, inner JSON of `args` (real UTF-8, default spacing), text of the answer.
TOOL_REQUESTS = [
    (
        lambda: code.run("s-1", 'print("é")', "python", 300),
        "run_code",
        r'{"code": "print(\"é\")", "language": "python", "timeout_s": 300}',
        "hello\n",
    ),
    (
        lambda: command.execute("s-1", "echo hi", 1000, None, None, None),
        "shell",
        '{"command": "echo hi", "timeout_ms": 1000}',
        "hi\n",
    ),
    (
        lambda: command.execute("s-1", "false", 1000, "/tmp", {"A": "1"}, None),
        "shell",
        '{"command": "false", "timeout_ms": 1000, "cwd": "/tmp", "envs": {"A": "1"}}',
        '{"stdout":"o","stderr":"","exit_code":0}',
    ),
    (
        lambda: files.info("s-1", "/tmp/a"),
        "get_file_info",
        '{"path": "/tmp/a"}',
        "size: 120000\nisDirectory: false\nisFile: true\npermissions: 644",
    ),
    (
        lambda: files.write("s-1", "/tmp/a", "hé", "overwrite"),
        "write_file",
        '{"path": "/tmp/a", "content": "hé", "mode": "overwrite"}',
        "ok",
    ),
    (
        lambda: files.edit("s-1", "/tmp/a", [{"oldText": "a", "newText": "b"}], dry_run=False),
        "edit_file",
        '{"path": "/tmp/a", "edits": [{"oldText": "a", "newText": "b"}], "dryRun": false}',
        "diff",
    ),
    (
        lambda: files.create_directory("s-1", "/tmp/d"),
        "create_directory",
        '{"path": "/tmp/d"}',
        "ok",
    ),
    (
        lambda: files.list_directory("s-1", "/tmp"),
        "list_directory",
        '{"path": "/tmp"}',
        "[DIR] sub\n[FILE] a.txt",
    ),
    (
        lambda: files.move("s-1", "/a", "/b"),
        "move_file",
        '{"source": "/a", "destination": "/b"}',
        "ok",
    ),
    (lambda: files.delete("s-1", "/tmp/a"), "delete_file", '{"path": "/tmp/a"}', "ok"),
    (
        lambda: files.read_multiple("s-1", ["/tmp/a", "/tmp/b"]),
        "read_multiple_files",
        '{"paths": ["/tmp/a", "/tmp/b"]}',
        "/tmp/a: one:two\nthree\n\n---\n/tmp/b: \nfour\n",
    ),
    (
        lambda: files.search("s-1", "/tmp", "*.py", ["x"]),
        "search_files",
        '{"path": "/tmp", "pattern": "*.py", "excludePatterns": ["x"]}',
        "/tmp/a.py\n/tmp/b/c.py",
    ),
    (
        lambda: files.search("s-1", "/tmp", "*.py", None),
        "search_files",
        '{"path": "/tmp", "pattern": "*.py"}',
        "No matches found",
    ),
    (
        lambda: files.changes("s-1", "/tmp"),
        "get_file_change",
        '{"path": "/tmp"}',
        '[{"eventType": "modify", "path": "/tmp/a", "pathType": "file"}]',
    ),
]


def sent(call):
    return call.method, call.target, call.content


def tool_request(name, arguments):
    """The outer request: `args` is JSON text, and non-ASCII is escaped on the outside only."""
    body = f'{{"args": {json.dumps(arguments)}, "sessionId": "s-1", "name": "{name}"}}'
    return "POST", "/mcp?autoGenSession=false", body.encode()


@pytest.mark.parametrize(("operation", "answer", "request_"), SESSION_REQUESTS)
def test_session_request_is_byte_for_byte_that_of_the_protocol(operation, answer, request_):
    """Each operation on a session sends exactly the request of the appendix, and succeeds."""
    played = play(operation(), answer)

    assert [sent(call) for call in played.calls] == [request_]
    assert played.result.success
    assert played.result.request_id == "R"
    assert played.result.error_message == ""
    assert played.result.exception is None


@pytest.mark.parametrize(
    ("operation", "name", "arguments", "text"),
    TOOL_REQUESTS,
    ids=[f"{name}-{index}" for index, (_, name, _, _) in enumerate(TOOL_REQUESTS)],
)
def test_tool_request_is_byte_for_byte_that_of_the_protocol(operation, name, arguments, text):
    """Each tool call sends exactly the request of the appendix, and succeeds."""
    played = play(operation(), tool_text(text))

    assert [sent(call) for call in played.calls] == [tool_request(name, arguments)]
    assert played.result.success
    assert played.result.request_id == "R"
    assert played.result.error_message == ""
    assert played.result.exception is None


def test_page_two_is_reached_by_the_token_of_page_one():
    """Page 2 takes two requests; labels and page size are repeated, the token stands between."""
    played = play(
        sessions.list_page({"a": "b"}, 2, None),
        envelope(LISTED, nextToken="tok-2", count=2),
        envelope(LISTED, nextToken=None, count=2),
    )

    assert [sent(call) for call in played.calls] == [
        ("GET", "/sdk/ListSession?maxResults=10&labels=%7B%22a%22%3A+%22b%22%7D", None),
        (
            "GET",
            "/sdk/ListSession?maxResults=10&nextToken=tok-2&labels=%7B%22a%22%3A+%22b%22%7D",
            None,
        ),
    ]


def test_delete_with_sync_sends_sync_and_info_first():
    """`delete(sync_context=True)` asks for a sync and its state by session id alone, in order."""
    played = play(
        sessions.delete("s-1", sync_context=True),
        envelope(None),
        envelope({"contextStatus": ""}),
        envelope(None),
    )

    assert [sent(call) for call in played.calls] == [
        ("POST", "/sdk/SyncContext?sessionId=s-1", b"{}"),
        ("GET", "/sdk/GetContextInfo?sessionId=s-1", None),
        ("POST", "/mcp/releaseSession", b'{"sessionId": "s-1"}'),
    ]


def test_a_large_file_is_read_in_ranges_of_51200_bytes():
    """A file of 120000 bytes is described and then read in the three ranges observed."""
    info = "size: 120000\nisDirectory: false"
    played = play(
        file_content.read_text("s-1", "/tmp/a"),
        tool_text(info),
        *(tool_text("é" * (size // 2)) for size in (51200, 51200, 17600)),
    )

    assert played.result.content == "é" * 60_000
    assert sent(played.calls[0]) == tool_request("get_file_info", '{"path": "/tmp/a"}')
    assert [sent(call) for call in played.calls[1:]] == [
        tool_request("read_file", arguments)
        for arguments in (
            '{"path": "/tmp/a", "offset": 0, "length": 51200, "format": "binary"}',
            '{"path": "/tmp/a", "offset": 51200, "length": 51200}',
            '{"path": "/tmp/a", "offset": 102400, "length": 17600}',
        )
    ]


def test_labels_travel_as_utf8_in_a_query():
    """Labels beyond ASCII are form-encoded UTF-8 of a JSON text."""
    played = play(sessions.set_labels("s-1", {"é": "語"}), envelope(None))

    assert played.calls[0].target == (
        "/sdk/SetLabel?sessionId=s-1&Labels=%7B%22%C3%A9%22%3A+%22%E8%AA%9E%22%7D"
    )


def test_only_create_may_start_the_embedded_server_anew():
    """Only a call that needs no session of before may start a new server."""
    starting = [
        play(operation(), answer).calls[0].starts_server
        for operation, answer, _ in (case.values for case in SESSION_REQUESTS)
    ]

    assert starting == [True, True, *[False] * (len(SESSION_REQUESTS) - 2)]
