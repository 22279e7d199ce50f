"""What the server does with requests before an endpoint sees them, and with errors after it."""

import asyncio
import json

import httpx
import pytest

ENVELOPE = {"requestId", "success", "code", "message", "httpStatusCode", "data"}


def check_failure(response: httpx.Response, status: int, code: str) -> dict:
    """T1, T7, T31: a failure is a whole envelope, its parts agree, and it is JSON."""
    body = response.json()
    assert set(body) == ENVELOPE
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"] == body["requestId"] != ""
    assert response.status_code == body["httpStatusCode"] == status
    assert (body["success"], body["code"]) == (False, code)
    assert body["message"]
    assert "Traceback" not in body["message"]
    return body


async def test_t07_success_and_failure_carry_the_same_request_id_twice(api):
    """T7: the request identifier is in the body and in `x-request-id`, new for each request."""
    responses = [await api.post("/mcp/listTools"), await api.post("/mcp/getSession")]

    identifiers = [response.json()["requestId"] for response in responses]
    assert identifiers == [response.headers["x-request-id"] for response in responses]
    assert len(set(identifiers)) == 2


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "ako-key",
        "Basic ako-key",
        "Bearer ako-keyX",
        "Bearer ké".encode("latin-1"),
    ],
)
@pytest.mark.parametrize("path", ["/mcp/createSession", "/mcp"])
async def test_a_wrong_key_opens_nothing(api, fake_sandboxes, path, header):
    """Without the right key every endpoint answers 401 `InvalidApiKey` and does nothing."""
    api.client.headers.pop("authorization")
    headers = {} if header is None else {"authorization": header}

    response = await api.client.post(path, json={}, headers=headers)

    check_failure(response, 401, "InvalidApiKey")
    assert fake_sandboxes.opened == []


async def test_the_scheme_of_the_key_may_be_in_any_case(api):
    """`bearer` in small letters is the same scheme."""
    response = await api.client.post("/mcp/listTools", headers={"authorization": "bearer ako-key"})

    assert response.json()["success"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/nope"),
        ("GET", "/"),
        ("POST", "/mcp/createSession/"),
        ("POST", "/internet/getCdpLink"),
        ("POST", "/MCP/CREATESESSION"),
    ],
)
async def test_t31_an_unknown_endpoint_is_404_in_an_envelope(api, method, path):
    """T31: an endpoint that this server lacks answers JSON that names it."""
    response = await api.client.request(method, path)

    assert path in check_failure(response, 404, "UnknownEndpoint")["message"]


async def test_a_wrong_method_is_405_and_names_the_right_one(api):
    """GET on a POST endpoint says which method is allowed."""
    response = await api.client.get("/mcp/createSession")

    body = check_failure(response, 405, "MethodNotAllowed")
    assert response.headers["allow"] == "POST"
    assert "POST" in body["message"]


async def test_t25_doubled_slashes_collapse(api):
    """T25: a base address with a slash at its end works."""
    response = await api.client.post("http://test//mcp//listTools")

    assert response.json()["success"] is True


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b'{"a": "\xe9"}', "not valid JSON"),
        ("{}".encode("utf-16"), "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "an array"),
        (b'"text"', "a string"),
        (b"null", "null"),
        (b"17", "a number"),
        (b"true", "a boolean"),
        (b"9" * 5000, "not valid JSON"),
        (b"<html></html>", "not valid JSON"),
    ],
)
@pytest.mark.parametrize("path", ["/mcp", "/mcp/getSession"])
async def test_a_body_that_is_no_json_object_is_refused(api, path, content, reason):
    """Broken JSON, other encodings and other JSON types are HTTP 400 with the reason."""
    response = await api.client.post(path, content=content)

    body = check_failure(response, 400, "InvalidRequest")
    assert reason in body["message"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_long_is_refused(make_api, chunked):
    """A body beyond the limit is 413, announced by its length or counted as it comes."""
    api = make_api(max_request_bytes=1000)
    content = b'{"sessionId": "%s"}' % (b"x" * 1000)

    async def pieces():
        for start in range(0, len(content), 100):
            yield content[start : start + 100]

    response = await api.client.post("/mcp", content=pieces() if chunked else content)

    assert ("content-length" in response.request.headers) is not chunked
    body = check_failure(response, 413, "RequestTooLarge")
    assert "1000 bytes" in body["message"]


async def test_t01_a_failed_tool_call_is_an_error_in_its_data_too(api):
    """T1: clients up to 0.7.1 look at `data.isError` only, so every failed `/mcp` call has it."""
    failures = [
        await api.client.post("/mcp", headers={"authorization": "Bearer wrong"}),
        await api.client.post("/mcp", content=b"{"),
        await api.client.get("/mcp"),
        await api.tool("session-unknown", "shell", command="true"),
    ]

    for response in failures:
        body = response.json()
        assert body["success"] is False
        assert body["data"] == {
            "content": [{"type": "text", "text": body["message"]}],
            "isError": True,
        }


async def test_a_mistake_of_the_server_shows_no_detail(api, fake_sandboxes):
    """An unexpected exception is a 500 envelope without its text."""
    fake_sandboxes.answers["shell"] = RuntimeError("/secret/path")
    session_id = await api.create()

    response = await api.tool(session_id, "shell", command="true")

    check_failure(response, 500, "InternalError")
    assert "secret" not in response.text


async def test_text_that_is_no_unicode_still_makes_a_reply(api, fake_sandboxes):
    """Half of a surrogate pair from a sandbox does not break the encoding of the reply."""
    fake_sandboxes.answers["read_file"] = {"content": "a\ud800b"}
    session_id = await api.create()

    response = await api.tool(session_id, "read_file", path="/x")

    assert response.json()["success"] is True


async def test_concurrent_sessions_do_not_wait_for_each_other(make_api, fake_sandboxes):
    """A session whose slots are all taken does not hold up another session."""
    fake_sandboxes.answers["list_directory"] = {"entries": []}
    api = make_api(calls_per_session=1)
    busy, free = await api.create(), await api.create()
    fake_sandboxes.opened[0].may_answer.clear()
    blocked = [asyncio.create_task(api.tool(busy, "list_directory", path="/")) for _ in range(3)]
    await fake_sandboxes.opened[0].started.wait()

    response = await api.tool(free, "list_directory", path="/")

    assert response.json()["data"]["isError"] is False
    assert len(fake_sandboxes.opened[0].calls) == 1
    fake_sandboxes.opened[0].may_answer.set()
    assert all(r.json()["success"] for r in await asyncio.gather(*blocked))


class Wire:
    """An ASGI connection whose client can hang up."""

    def __init__(self, app, path: str, body: dict[str, object]) -> None:
        self.app = app
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "server": ("test", 80),
            "client": ("test", 1),
            "headers": [(b"authorization", b"Bearer ako-key")],
        }
        self.messages = asyncio.Queue()
        self.messages.put_nowait({"type": "http.request", "body": json.dumps(body).encode()})
        self.sent = []

    async def run(self) -> None:
        await self.app(self.scope, self.messages.get, self._send)

    async def _send(self, message) -> None:
        self.sent.append(message)

    def hang_up(self) -> None:
        self.messages.put_nowait({"type": "http.disconnect"})


async def test_a_client_that_hangs_up_cancels_its_tool_call(api, fake_sandboxes):
    """When the connection closes, the work inside is cancelled and the session stays usable."""
    fake_sandboxes.answers["list_directory"] = {"entries": []}
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()
    arguments = json.dumps({"command": "sleep 60", "timeout_ms": 60000})
    wire = Wire(
        api.app,
        "/mcp",
        {"sessionId": session_id, "name": "shell", "args": arguments},
    )
    call = asyncio.create_task(wire.run())
    await sandbox.started.wait()

    wire.hang_up()
    await call

    assert sandbox.cancelled == ["shell"]
    sandbox.may_answer.set()
    assert await api.tool_text(session_id, "list_directory", path="/") == ("", False)


async def test_a_client_that_hangs_up_while_it_creates_leaves_no_session(api, fake_sandboxes):
    """A session whose identifier nobody will learn is not created."""
    fake_sandboxes.may_open.clear()
    wire = Wire(api.app, "/mcp/createSession", {})
    call = asyncio.create_task(wire.run())

    wire.hang_up()
    await call
    fake_sandboxes.may_open.set()

    assert fake_sandboxes.opened == []
    assert (await api.get("/sdk/ListSession")).json()["data"] == []


async def test_a_client_that_hangs_up_while_it_releases_does_not_stop_the_release(
    api, fake_sandboxes
):
    """The end of a session does not depend on who waits for it."""
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_close.clear()
    wire = Wire(api.app, "/mcp/releaseSession", {"sessionId": session_id})
    call = asyncio.create_task(wire.run())
    await sandbox.closing.wait()

    call.cancel()
    await asyncio.wait({call})
    sandbox.may_close.set()

    await asyncio.wait_for(sandbox.closed.wait(), 5)
