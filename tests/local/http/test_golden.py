"""The golden exchanges: requests of official clients, byte for byte, to real sandboxes."""

import base64
import json
import re

import pytest

CREATE_012 = (
    "POST /mcp/createSession?imageId=agb-code-space-1&sdkStats=%7B%22source%22%3A%22sdk%22%2C"
    "%22sdk_language%22%3A%22python%22%2C%22sdk_version%22%3A%220.12.0%22%2C"
    "%22is_release%22%3Atrue%7D"
)


@pytest.fixture(scope="module")
def plain(server):
    """A session of the official client 0.4.1."""
    session_id = server.send("POST /mcp/createSession", "{}")["data"]["sessionId"]
    yield session_id
    server.send("POST /mcp/releaseSession", f'{{"sessionId": "{session_id}"}}')


@pytest.fixture(scope="module")
def structured(server):
    """A session of the official client 0.12.0."""
    reply = server.send(CREATE_012, '{"mcpPolicyId": "pol-1", "timeout": 120}')
    session_id = reply["data"]["sessionId"]
    yield session_id
    server.send("POST /mcp/releaseSessionAsync", f'{{"sessionId": "{session_id}"}}')


def check_success(envelope: dict) -> object:
    assert (envelope["success"], envelope["code"]) == (True, "ok")
    assert (envelope["message"], envelope["httpStatusCode"]) == (None, 200)
    return envelope["data"]


def check_failure(envelope: dict) -> None:
    assert (envelope["success"], envelope["httpStatusCode"]) == (False, 400)
    assert envelope["code"] == "InvalidMcpSession.NotFound"
    assert "not found" in envelope["message"]


SESSION_CALLS = [
    ("POST /mcp/getSession", '{{"sessionId": "{}"}}'),
    ("POST /mcp/getSessionInfo", '{{"sessionId": "{}"}}'),
    ("POST /sdk/SetLabel?sessionId={}&Labels=%7B%22a%22%3A+%22b+c%22%7D", "{{}}"),
    ("GET /sdk/GetLabel?sessionId={}", ""),
    ("POST /mcp/getMcpResource", '{{"sessionId": "{}"}}'),
    ("POST /sdk/SyncContext?sessionId={}", "{{}}"),
    ("GET /sdk/GetContextInfo?sessionId={}", ""),
    ("POST /mcp/releaseSession", '{{"sessionId": "{}"}}'),
]


def test_the_life_of_a_session(server):
    """create, get, status, labels, info, sync and release answer what the clients parse."""
    session_id = check_success(server.send("POST /mcp/createSession", "{}"))["sessionId"]

    answers = [
        check_success(server.send(line.format(session_id), body.format(session_id)))
        for line, body in SESSION_CALLS
    ]

    got, status, set_labels, get_labels, info, sync, tasks, release = answers
    assert (got["sessionId"], got["status"]) == (session_id, "RUNNING")
    assert got["appInstanceId"]
    assert got["resourceId"]
    assert status == {"status": "RUNNING"}
    assert get_labels == {"labels": '{"a": "b c"}'}
    assert info["isolation"] in ("full", "standard")
    assert info == {"sessionId": session_id, "resourceUrl": "", "isolation": info["isolation"]}
    assert tasks == {"contextStatus": "[]"}
    assert set_labels is sync is release is None


@pytest.mark.parametrize(("line", "body"), SESSION_CALLS)
def test_t22_a_session_that_is_gone(server, line, body):
    """T22, T30: each call on an unknown session is HTTP 400 `InvalidMcpSession.NotFound`."""
    check_failure(server.send(line.format("s-1"), body.format("s-1")))


def test_a_full_create_with_an_unknown_context_is_refused_whole(server):
    """The full request of 0.4.1 names a context that is not there: a clear failure, no session."""
    before = server.send("GET /sdk/ListSession?maxResults=10&labels=%7B%7D")["count"]

    envelope = server.send(
        "POST /mcp/createSession?imageId=agb-code-space-1",
        '{"persistenceDataList": [{"contextId": "c-1", "path": "/home/d", "policy": '
        '"{\\"uploadPolicy\\": {\\"autoUpload\\": true}}"}], "labels": "{\\"a\\": \\"b c\\"}"}',
    )

    assert (envelope["success"], envelope["code"]) == (False, "InvalidContext.NotFound")
    after = server.send("GET /sdk/ListSession?maxResults=10&labels=%7B%7D")["count"]
    assert after == before


def test_lists_by_page_and_label(server):
    """The first page, and the second one by its token with labels in the query."""
    labels = '{"labels": "{\\"golden\\": \\"x\\"}"}'
    made = [server.send("POST /mcp/createSession", labels)["data"]["sessionId"] for _ in range(2)]

    query = "maxResults=1&labels=%7B%22golden%22%3A+%22x%22%7D"
    first = server.send(f"GET /sdk/ListSession?{query}")
    second = server.send(f"GET /sdk/ListSession?nextToken={first['nextToken']}&{query}")

    assert check_success(first) == [{"sessionId": made[0], "sessionStatus": "RUNNING"}]
    assert check_success(second) == [{"sessionId": made[1], "sessionStatus": "RUNNING"}]
    assert (first["maxResults"], first["count"]) == (1, 2)
    assert second["nextToken"] is None
    for session_id in made:
        server.send("POST /mcp/releaseSession", f'{{"sessionId": "{session_id}"}}')


def test_t22_an_asynchronous_release_ends_in_not_found(server):
    """releaseSessionAsync, then polling getSessionInfo: DELETING until it is not found."""
    session_id = server.create()
    body = f'{{"sessionId": "{session_id}"}}'

    check_success(server.send("POST /mcp/releaseSessionAsync", body))
    info = server.send("POST /mcp/getSessionInfo", body)
    while info["success"]:
        assert info["data"] == {"status": "DELETING"}
        info = server.send("POST /mcp/getSessionInfo", body)

    check_failure(info)


def test_t04_links(server, plain):
    """T4: both paths of getLink answer with an address."""
    for line in (
        f"GET /internet/getLink?sessionId={plain}&protocolType=https&port=30100",
        f"GET /mcp/getLink?sessionId={plain}&port=9",
    ):
        data = check_success(server.send(line))

        assert data["url"].startswith("http://127.0.0.1:")


def test_tools_are_described_as_text(server):
    """listTools answers JSON text, as clients expect it."""
    data = check_success(server.send("POST /mcp/listTools?imageId=agb-code-space-1", "{}"))

    assert {"run_code", "shell"} <= {tool["name"] for tool in json.loads(data)}


def test_code_in_both_forms(server, plain, structured):
    """run_code: the output for 0.4.1, the structured object for 0.12."""
    code = '{"code": "print(\\"é\\")", "language": "python", "timeout_s": 300}'

    assert server.text(plain, "run_code", code) == "é\n"
    cell = json.loads(
        server.text(structured, "run_code", '{"code": "42", "language": "python", "timeout_s": 60}')
    )
    assert json.loads(cell["result"][0]) == {"text/plain": "42", "isMainResult": True}
    assert (cell["stdout"], cell["stderr"], cell["executionError"]) == ([], [], None)
    assert cell["execution_count"] == 1
    assert cell["execution_time"] >= 0


def test_failing_code_in_both_forms(server, plain, structured):
    """A cell that raises: `isError` for 0.4.1, `executionError` for 0.12."""
    code = '{"code": "print(\\"x\\"); 1/0", "language": "python", "timeout_s": 60}'

    envelope = server.tool(plain, "run_code", code)
    assert envelope["data"]["isError"] is True
    text = envelope["data"]["content"][0]["text"]
    assert text.startswith("x\n")
    assert "ZeroDivisionError: division by zero" in text
    cell = json.loads(server.text(structured, "run_code", code))
    assert cell["executionError"] == "ZeroDivisionError: division by zero"
    assert cell["stdout"] == ["x\n"]
    assert "Traceback" in "".join(cell["stderr"])


def test_t17_code_that_prints_nothing_is_no_failure(server, plain, structured):
    """T17: no output is an empty text for 0.4.1 and an object for 0.12, never an error."""
    code = '{"code": "x = 1", "language": "python", "timeout_s": 60}'

    assert server.text(plain, "run_code", code) == ""
    assert json.loads(server.text(structured, "run_code", code))["stdout"] == []


def test_commands_in_both_forms(server, plain, structured):
    """shell: the output for 0.4.1; streams, exit code and trace for 0.12, with cwd and envs."""
    assert server.text(plain, "shell", '{"command": "echo hi", "timeout_ms": 1000}') == "hi\n"
    outcome = json.loads(
        server.text(
            structured,
            "shell",
            '{"command": "pwd; echo $A >&2; exit 3", "timeout_ms": 1000, "cwd": "/tmp", '
            '"envs": {"A": "1"}}',
        )
    )
    assert outcome.pop("traceId")
    assert outcome == {"stdout": "/tmp\n", "stderr": "1\n", "exit_code": 3}


def test_failing_commands_of_old_clients(server, plain):
    """A non-zero exit is `isError` with the output for 0.4.1."""
    envelope = server.tool(plain, "shell", '{"command": "echo o; exit 3", "timeout_ms": 1000}')

    assert check_success(envelope) == {
        "content": [{"type": "text", "text": "o\n"}],
        "isError": True,
    }


def test_t16_output_that_looks_structured_stays_text(server, plain, structured):
    """T16: a command that prints JSON is told apart from the structured reply by its session."""
    command = """{"command": "echo '{\\"exit_code\\": 9}'", "timeout_ms": 1000}"""

    assert server.text(plain, "shell", command) == '{"exit_code": 9}\n'
    assert json.loads(server.text(structured, "shell", command))["exit_code"] == 0


def test_files(server, plain):
    """Each file tool answers with the text that the clients split apart."""
    text = server.text
    assert text(plain, "create_directory", '{"path": "/tmp/d"}') == "ok"
    assert (
        text(plain, "write_file", '{"path": "/tmp/d/a", "content": "hé", "mode": "overwrite"}')
        == "ok"
    )
    assert (
        text(plain, "write_file", '{"path": "/tmp/d/a", "content": "\\n", "mode": "append"}')
        == "ok"
    )
    assert text(plain, "read_file", '{"path": "/tmp/d/a", "length": 51200}') == "hé\n"
    assert text(plain, "read_file", '{"path": "/tmp/d/a", "offset": 0, "length": 1}') == "h"
    encoded = text(
        plain, "read_file", '{"path": "/tmp/d/a", "offset": 0, "length": 5, "format": "binary"}'
    )
    assert base64.b64decode(encoded) == "hé\n".encode()
    info = text(plain, "get_file_info", '{"path": "/tmp/d/a"}').split("\n")
    assert "size: 4" in info
    assert "isDirectory: false" in info
    assert "permissions: 644" in info
    edit = '{"path": "/tmp/d/a", "edits": [{"oldText": "h", "newText": "b"}], "dryRun": true}'
    assert "+bé" in text(plain, "edit_file", edit)
    assert text(plain, "read_file", '{"path": "/tmp/d/a", "length": 51200}') == "hé\n"
    assert text(plain, "move_file", '{"source": "/tmp/d/a", "destination": "/tmp/d/b.py"}') == "ok"
    assert text(plain, "list_directory", '{"path": "/tmp/d"}') == "[FILE] b.py"
    assert "[DIR] d" in text(plain, "list_directory", '{"path": "/tmp"}').split("\n")
    search = '{"path": "/tmp/d", "pattern": "%s", "excludePatterns": ["x"]}'
    assert text(plain, "search_files", search % "*.py") == "/tmp/d/b.py"
    assert text(plain, "search_files", search % "*.js") == "No matches found"
    assert text(plain, "get_file_change", '{"path": "/tmp/d"}') == "[]"
    assert text(plain, "delete_file", '{"path": "/tmp/d/b.py"}') == "ok"
    (event,) = json.loads(text(plain, "get_file_change", '{"path": "/tmp/d"}'))
    assert event == {"eventType": "delete", "path": "/tmp/d/b.py", "pathType": "file"}


def test_t14_several_files(server, plain):
    """T14: blocks of path and content, told apart by a line of dashes."""
    for name, content in (("one", "one:two\\nthree"), ("two", "four")):
        server.text(plain, "write_file", f'{{"path": "/tmp/{name}", "content": "{content}"}}')

    text = server.text(plain, "read_multiple_files", '{"paths": ["/tmp/one", "/tmp/two"]}')

    assert text == "/tmp/one:\none:two\nthree\n\n---\n/tmp/two:\nfour\n"


def test_t03_a_file_that_is_not_there(server, plain):
    """A tool's failure is HTTP 200, `isError` and the reason; `message` stays null (T3)."""
    for tool in ("get_file_info", "read_file", "delete_file", "list_directory"):
        envelope = server.tool(plain, tool, '{"path": "/tmp/nope"}')

        data = check_success(envelope)
        assert data["isError"] is True
        assert "No such file or directory" in data["content"][0]["text"]


def test_t30_a_tool_call_on_a_session_that_is_gone(server):
    """T30, T1: `InvalidSession.NotFound`, with `isError` for clients that look at nothing else."""
    envelope = server.tool("s-1", "shell", '{"command": "true", "timeout_ms": 1000}')

    assert (envelope["success"], envelope["code"]) == (False, "InvalidSession.NotFound")
    assert envelope["httpStatusCode"] == 400
    assert re.match("session not found", envelope["message"], re.IGNORECASE)
    assert envelope["data"]["isError"] is True


def test_t09_chunks_of_a_text_join_to_the_file(server, plain):
    """T9: text ranges of 51200 bytes never cut a character and concatenate to the exact file."""
    content = "aé✓𝄞" * 12_000
    half = len(content) // 2
    for mode, part in (("overwrite", content[:half]), ("append", content[half:])):
        arguments = {"path": "/tmp/big", "content": part, "mode": mode}
        server.text(plain, "write_file", json.dumps(arguments, ensure_ascii=False))

    parts = []
    for offset in range(0, len(content.encode()), 51200):
        arguments = {"path": "/tmp/big", "offset": offset, "length": 51200}
        parts.append(server.text(plain, "read_file", json.dumps(arguments)))

    assert len(parts) > 2
    assert "".join(parts) == content


def test_a_wrong_key(server):
    """A wrong key is HTTP 401 `InvalidApiKey`."""
    request = server.head("POST /mcp/createSession", b"{}") + b"{}"

    response, body = server.raw(request.replace(b"Bearer ako-key", b"Bearer other"))

    envelope = json.loads(body)
    assert response.status == envelope["httpStatusCode"] == 401
    assert (envelope["success"], envelope["code"]) == (False, "InvalidApiKey")
