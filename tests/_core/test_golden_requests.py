"""Golden exchanges: what each operation sends, byte for byte, and that the printed reply succeeds.

Requests and replies are those of the protocol's appendix.
"""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agb._core.code import operations as code
from agb._core.commands import operations as commands
from agb._core.contexts import operations as contexts
from agb._core.contexts import sync_operations
from agb._core.contexts.results import Context
from agb._core.contexts.syncs import ContextSync
from agb._core.exceptions import APIError, AuthenticationError, SessionNotFoundError
from agb._core.files import content as file_content
from agb._core.files import operations as files
from agb._core.files.request_sizes import Transfer
from agb._core.sessions import deletion, labelling, listing
from agb._core.sessions import operations as sessions
from agb._core.sessions.params import CreateSessionParams
from agb._core.tools import operations as tools
from agb._core.tools import tool_calls
from agb._core.transfers import operations as transfers

from .scripted import GONE, PLACE, REFUSED_KEY, envelope, play, tool_text

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
        lambda: listing.list_page(None, None, None),
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
        lambda: labelling.set_labels("s-1", {"a": "b c"}),
        envelope(None),
        ("POST", "/sdk/SetLabel?sessionId=s-1&Labels=%7B%22a%22%3A+%22b+c%22%7D", b"{}"),
        id="set-labels",
    ),
    pytest.param(
        lambda: labelling.get_labels("s-1"),
        envelope({"labels": '{"a": "b c"}'}),
        ("GET", "/sdk/GetLabel?sessionId=s-1", None),
        id="get-labels",
    ),
    pytest.param(
        lambda: deletion.delete("s-1", sync_context=False),
        envelope(None),
        ("POST", "/mcp/releaseSession", b'{"sessionId": "s-1"}'),
        id="release",
    ),
]

POLICY = (
    r"{\"uploadPolicy\": {\"autoUpload\": true,"
    r" \"uploadStrategy\": \"UploadBeforeResourceRelease\", \"uploadMode\": \"File\"},"
    r" \"downloadPolicy\": {\"autoDownload\": true, \"downloadStrategy\": \"DownloadAsync\"},"
    r" \"deletePolicy\": {\"syncLocalFile\": true},"
    r" \"extractPolicy\": {\"extract\": true, \"deleteSrcFile\": true,"
    r" \"extractToCurrentFolder\": false},"
    r" \"recyclePolicy\": {\"lifecycle\": \"Lifecycle_Forever\", \"paths\": [\"\"]},"
    r" \"bwList\": {\"whiteLists\": []}}"
)
CONTEXT = {"id": "c-1", "name": "n 1", "createTime": "then", "lastUsedTime": "now"}
TASK = {"contextId": "c-1", "path": "/home/d", "status": "Success", "taskType": "upload"}
STATUS = {"contextStatus": json.dumps([{"type": "data", "data": json.dumps([TASK])}])}
FILES = "/sdk/DescribeContextFiles"
URL = {"url": "https://files/x", "expireTime": 3600}

LATER_REQUESTS = [
    pytest.param(
        lambda: sessions.create(
            CreateSessionParams(
                {"a": "b c"},
                "agb-code-space-1",
                [ContextSync("c-1", "/home/d")],
                policy_id="pol-1",
                idle_release_timeout=120,
            )
        ),
        envelope(CREATED),
        (
            "POST",
            f"/mcp/createSession?imageId=agb-code-space-1&{STATS}",
            (
                r'{"persistenceDataList": [{"contextId": "c-1", "path": "/home/d", "policy": "'
                + POLICY
                + r'"}], "labels": "{\"a\": \"b c\"}", "mcpPolicyId": "pol-1", "timeout": 120}'
            ).encode(),
        ),
        id="create-with-everything",
    ),
    pytest.param(
        lambda: sessions.get_status("s-1"),
        envelope({"status": "RUNNING"}),
        ("POST", "/mcp/getSessionInfo", b'{"sessionId": "s-1"}'),
        id="status",
    ),
    pytest.param(
        lambda: sessions.keep_alive("s-1"),
        envelope(None),
        ("POST", "/mcp/refreshSessionIdleTime?sessionId=s-1", b"{}"),
        id="keep-alive",
    ),
    pytest.param(
        lambda: sessions.get_link("s-1", "https", 30100),
        envelope({"url": "https://link/x"}),
        ("GET", "/internet/getLink?sessionId=s-1&protocolType=https&port=30100", None),
        id="link",
    ),
    pytest.param(
        lambda: tools.list_tools(None, "agb-code-space-1"),
        envelope('[{"name":"shell","description":"…","inputSchema":{},"server":"srv"}]'),
        ("POST", "/mcp/listTools?imageId=agb-code-space-1", b"{}"),
        id="tools",
    ),
    pytest.param(
        lambda: sync_operations.info("s-1", "c-1", "/home/d", "upload"),
        envelope(STATUS),
        (
            "GET",
            "/sdk/GetContextInfo?sessionId=s-1&contextId=c-1&path=%2Fhome%2Fd&taskType=upload",
            None,
        ),
        id="sync-info",
    ),
    pytest.param(
        lambda: contexts.create("n 1"),
        envelope(CONTEXT),
        ("GET", "/sdk/GetContext?name=n+1&allowCreate=true", None),
        id="context-create",
    ),
    pytest.param(
        lambda: contexts.get(None, False, "region", "c-1"),
        envelope(CONTEXT),
        ("GET", "/sdk/GetContext?id=c-1&allowCreate=false&loginRegionId=region", None),
        id="context-get",
    ),
    pytest.param(
        lambda: contexts.list_page(None),
        envelope([CONTEXT], nextToken=None, maxResults=10, totalCount=1),
        ("GET", "/sdk/ListContexts?maxResults=10", None),
        id="context-list",
    ),
    pytest.param(
        lambda: contexts.rename(Context("c-1", "new")),
        envelope(None),
        ("POST", "/sdk/ModifyContext?id=c-1&name=new", b"{}"),
        id="context-rename",
    ),
    pytest.param(
        lambda: contexts.delete(Context("c-1", "new")),
        envelope(None),
        ("POST", "/sdk/DeleteContext?id=c-1", b"{}"),
        id="context-delete",
    ),
    pytest.param(
        lambda: contexts.clear_async("c-1"),
        envelope(None),
        ("POST", "/sdk/ClearContext?id=c-1", b"{}"),
        id="context-clear",
    ),
    pytest.param(
        lambda: contexts.list_files("c-1", "/x", 1, 50),
        envelope([{"fileId": "f", "fileName": "a", "filePath": "/x/a", "size": 1}], count=1),
        (
            "POST",
            f"{FILES}?contextId=c-1&parentFolderPath=%2Fx&pageNumber=1&pageSize=50",
            b"{}",
        ),
        id="context-files",
    ),
    pytest.param(
        lambda: contexts.file_upload_url("c-1", "/a b"),
        envelope(URL),
        ("POST", "/sdk/GetContextFileUploadUrl?contextId=c-1&filePath=%2Fa+b", b"{}"),
        id="context-upload-url",
    ),
    pytest.param(
        lambda: contexts.file_download_url("c-1", "/a b"),
        envelope(URL),
        ("POST", "/sdk/GetContextFileDownloadUrl?contextId=c-1&filePath=%2Fa+b", b"{}"),
        id="context-download-url",
    ),
    pytest.param(
        lambda: contexts.delete_file("c-1", "/a"),
        envelope(None),
        ("POST", "/sdk/DeleteContextFile?contextId=c-1&filePath=%2Fa", b"{}"),
        id="context-delete-file",
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
        lambda: commands.execute(PLACE, "echo hi", 1000, None, None, None),
        "shell",
        '{"command": "echo hi", "timeout_ms": 1000}',
        "hi\n",
    ),
    (
        lambda: commands.execute(PLACE, "false", 1000, "/tmp", {"A": "1"}, None),
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
        lambda: files.write("s-1", "/tmp/a", "hé", "overwrite", Transfer()),
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
        lambda: tools.get_metrics("s-1", None, None),
        "get_metrics",
        "{}",
        '{"cpu_count":4,"cpu_used_pct":1.5,"timestamp":"2026-01-01T00:00:00Z"}',
    ),
    (
        lambda: tools.call_tool("s-1", "read_file", {"path": "/é"}, None, None),
        "read_file",
        '{"path": "/é"}',
        "text",
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


@pytest.mark.parametrize(("operation", "answer", "request_"), [*SESSION_REQUESTS, *LATER_REQUESTS])
def test_session_request_is_byte_for_byte_that_of_the_protocol(operation, answer, request_):
    """Each operation on a session sends exactly the request of the appendix, and succeeds."""
    played = play(operation(), answer)

    assert [sent(call) for call in played.calls] == [request_]
    assert played.result.success
    assert played.result.request_id == "R"
    assert not played.result.error_message
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


@pytest.mark.parametrize(
    ("operation", "has_session"),
    [
        # A context is not a session, whatever the code is called.
        pytest.param(case.values[0], not case.id.startswith("context-"), id=case.id)
        for case in (*SESSION_REQUESTS, *LATER_REQUESTS)
    ],
)
@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (GONE, SessionNotFoundError, ("session not found", "InvalidMcpSession.NotFound", 400)),
        (REFUSED_KEY, AuthenticationError, ("bad key", "InvalidApiKey", 401)),
    ],
    ids=["F", "A"],
)
def test_failures_of_the_protocol(operation, has_session, answer, kind, told):
    """The generic failure and a refused key are results with their type, text, code and id."""
    result = play(operation(), answer).result

    assert (result.success, result.request_id) == (False, "R")
    assert type(result.exception) is (kind if has_session or answer is REFUSED_KEY else APIError)
    assert told[0] in result.error_message
    assert (result.exception.code, result.exception.status_code) == told[1:]


def test_the_internal_context_is_asked_for_as_json_text():
    """The request for the context of file transfer is that of the appendix; its path is read."""
    internal = [{"contextId": "c-1", "contextType": "file_transfer", "contextPath": "/home/d"}]

    played = play(transfers.transfer_path("s-1"), envelope(internal))

    query = "sessionId=s-1&contextTypes=%5B%22file_transfer%22%5D"
    request = ("POST", f"/sdk/GetAndLoadInternalContext?{query}", b"{}")
    assert [sent(call) for call in played.calls] == [request]
    assert played.result == "/home/d"


def test_page_two_is_reached_by_the_token_of_page_one():
    """Page 2 takes two requests; labels and page size are repeated, the token stands between."""
    played = play(
        listing.list_page({"a": "b"}, 2, None),
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
        deletion.delete("s-1", sync_context=True),
        envelope(None),
        envelope({"contextStatus": ""}),
        envelope(None),
    )

    assert [sent(call) for call in played.calls] == [
        ("POST", "/sdk/SyncContext?sessionId=s-1", b"{}"),
        ("GET", "/sdk/GetContextInfo?sessionId=s-1", None),
        ("POST", "/mcp/releaseSession", b'{"sessionId": "s-1"}'),
    ]


def test_a_large_file_of_an_old_service_is_read_in_ranges_of_51200_bytes():
    """A service of text gives a file of 120000 bytes in the three ranges observed."""
    info = "size: 120000\nisDirectory: false"
    transfer = Transfer()
    transfer.is_binary = False
    played = play(
        file_content.read_text("s-1", "/tmp/a", transfer),
        tool_text(info),
        *(tool_text("é" * (size // 2)) for size in (51200, 51200, 17600)),
    )

    assert played.result.content == "é" * 60_000
    assert sent(played.calls[0]) == tool_request("get_file_info", '{"path": "/tmp/a"}')
    assert [sent(call) for call in played.calls[1:]] == [
        tool_request("read_file", arguments)
        for arguments in (
            '{"path": "/tmp/a", "offset": 0, "length": 51200}',
            '{"path": "/tmp/a", "offset": 51200, "length": 51200}',
            '{"path": "/tmp/a", "offset": 102400, "length": 17600}',
        )
    ]


def test_labels_travel_as_utf8_in_a_query():
    """Labels beyond ASCII are form-encoded UTF-8 of a JSON text."""
    played = play(labelling.set_labels("s-1", {"é": "語"}), envelope(None))

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


LONG = st.builds(lambda text, times: (text + "-") * times, st.text(), st.just(1 << 16))
MEMBERS = st.text() | LONG | st.none() | st.integers() | st.lists(st.text())
TRICKY = {
    '"args": "': '\\"\n\r\t/' * (1 << 16),
    "delete": "\x7f" * (1 << 16),
    "null": "\0" * (1 << 16),
}


@settings(max_examples=50)
@example(TRICKY)
@given(st.dictionaries(st.text(), MEMBERS, max_size=3))
def test_arguments_travel_as_a_json_text_within_json(arguments):
    """However long its arguments, the body of a tool call is byte for byte what `json` makes."""
    call = tool_calls.tool("s-1", "write_file", arguments)

    args = json.dumps(arguments, ensure_ascii=False)
    body = {"args": args, "sessionId": "s-1", "name": "write_file"}
    assert call.content == json.dumps(body).encode()


def test_sync_of_one_context_names_it():
    """`sync` with arguments sends them in the order of the protocol, and asks for the same."""
    played = play(
        sync_operations.sync("s-1", "c-1", "/home/d", "download"),
        envelope(None),
        envelope(STATUS),
        envelope(STATUS),
    )

    assert [sent(call) for call in played.calls[:2]] == [
        (
            "POST",
            "/sdk/SyncContext?sessionId=s-1&contextId=c-1&path=%2Fhome%2Fd&mode=download",
            b"{}",
        ),
        ("GET", "/sdk/GetContextInfo?sessionId=s-1&contextId=c-1&path=%2Fhome%2Fd", None),
    ]
