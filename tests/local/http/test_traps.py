"""Traps of the protocol (its section 5) that no other test of the server is named after."""

from __future__ import annotations

import json

import pytest

PATH = "/home/user/data"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/mcp/listTools", 200), ("/mcp/getSession", 400), ("/nowhere", 404), ("/mcp", 400)],
)
async def test_t02_no_reply_is_without_a_verdict(api, path, status):
    """Success or failure, `success` is there and a JSON bool."""
    response = await api.post(path)

    assert response.status_code == status
    assert response.json()["success"] is (status == 200)


@pytest.mark.parametrize("path", ["/mcp/listTools", "/mcp/getSession", "/nowhere", "/mcp"])
async def test_t06_every_reply_says_that_it_is_json(api, path):
    """Clients that read only `application/json` read every reply, also a failure."""
    response = await api.post(path)

    assert response.headers["content-type"] == "application/json"


def test_t10_sizes_are_honest(server):
    """The size told of a file is the number of bytes that reading it gives; of /proc it is 0."""
    session_id = server.create()
    text = "é" * 1000
    write = json.dumps({"path": "a", "content": text, "mode": "overwrite"})
    server.text(session_id, "write_file", write)

    told = server.text(session_id, "get_file_info", '{"path": "a"}')
    read = server.text(session_id, "read_file", '{"path": "a"}')
    of_proc = server.text(session_id, "get_file_info", '{"path": "/proc/self/status"}')

    assert f"size: {len(read.encode())}" in told.splitlines()
    assert "size: 0" in of_proc.splitlines()


async def test_t13_no_match_is_said_in_words(api, fake_sandboxes):
    """A search without a match has the one text that clients know, and no blank lines."""
    session_id = await api.create()
    fake_sandboxes.answers["search_files"] = {"matches": []}
    nothing = await api.tool_text(session_id, "search_files", path="/", pattern="x")
    fake_sandboxes.answers["search_files"] = {"matches": ["/a", "/b"]}
    found = await api.tool_text(session_id, "search_files", path="/", pattern="x")

    assert nothing == ("No matches found", False)
    assert found == ("/a\n/b", False)


def test_t15_values_keep_their_form(server):
    """Sizes are plain integers and permissions three octal digits, never with a leading zero."""
    session_id = server.create()
    server.text(session_id, "shell", '{"command": "echo a > a; chmod 640 a"}')

    lines = server.text(session_id, "get_file_info", '{"path": "a"}').splitlines()

    assert {"size: 2", "permissions: 640", "isFile: true"} <= set(lines)


async def context_session(api) -> tuple[str, str]:
    """A session with a context, and that context."""
    made = await api.get("/sdk/GetContext", name="n", allowCreate="true")
    context_id = made.json()["data"]["id"]
    mounts = [{"contextId": context_id, "path": PATH}]
    return await api.create(persistenceDataList=mounts), context_id


async def tasks(api, session_id: str, kind: str) -> list[dict[str, object]]:
    """The tasks of a session, unpacked from their two layers of JSON."""
    info = await api.get("/sdk/GetContextInfo", sessionId=session_id, taskType=kind)
    (outer,) = json.loads(info.json()["data"]["contextStatus"])
    return json.loads(outer["data"])


async def test_t19_a_sync_is_visible_at_once(api):
    """After the answer to SyncContext its task is in the very first list."""
    session_id, context_id = await context_session(api)
    query = {"sessionId": session_id, "contextId": context_id, "path": PATH, "mode": "upload"}

    await api.client.post("/sdk/SyncContext", params=query)

    (task,) = await tasks(api, session_id, "upload")
    assert task["contextId"] == context_id


async def test_t20_a_task_has_the_path_it_was_given_and_no_error(api):
    """The path comes back letter for letter; a task that went well has an empty error."""
    session_id, _context_id = await context_session(api)

    (task,) = await tasks(api, session_id, "download")

    assert (task["path"], task["errorMessage"], task["status"]) == (PATH, "", "Success")


async def test_t21_pages_are_told_beside_the_data(api):
    """`nextToken` and `totalCount` are siblings of the list of contexts."""
    for name in ("a", "b"):
        await api.get("/sdk/GetContext", name=name, allowCreate="true")

    page = (await api.get("/sdk/ListContexts", maxResults="1")).json()

    assert len(page["data"]) == 1
    assert (page["totalCount"], page["maxResults"]) == (2, 1)
    assert page["nextToken"]


async def test_t23_a_second_release_is_not_found(api):
    """Of two releases the second fails with HTTP 400 and a code that ends in NotFound."""
    session_id = await api.create()

    first = await api.post("/mcp/releaseSession", sessionId=session_id)
    second = await api.post("/mcp/releaseSession", sessionId=session_id)

    assert (first.status_code, second.status_code) == (200, 400)
    assert second.json()["code"] == "InvalidMcpSession.NotFound"
