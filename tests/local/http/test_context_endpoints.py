"""The endpoints of contexts, over sandboxes that only pretend."""

import os

import httpx
import pytest


async def make_context(api, name="n"):
    query = {"name": name, "allowCreate": "true"}
    return (await api.get("/sdk/GetContext", **query)).json()["data"]["id"]


async def test_a_session_that_is_released_by_its_idle_time_saves_its_files(api, fake_sandboxes):
    """Idle release is a release like any other: files are saved before the sandbox goes."""
    context_id = await make_context(api)
    session_id = await api.create(
        timeout=1, persistenceDataList=[{"contextId": context_id, "path": "/data"}]
    )
    (sandbox,) = fake_sandboxes.opened
    with open(os.path.join(sandbox.volumes["/data"], "a"), "w") as file:
        file.write("x")
    await sandbox.closed.wait()
    gone = await api.post("/mcp/getSession", sessionId=session_id)
    listed = await api.client.post(
        "/sdk/DescribeContextFiles", params={"contextId": context_id, "parentFolderPath": "/data"}
    )

    assert gone.json()["code"] == "InvalidMcpSession.NotFound"
    assert [entry["fileName"] for entry in listed.json()["data"]] == ["a"]


async def test_t18_tasks_are_there_before_the_session_is(api):
    """The first question after creation finds the tasks, with the path echoed as it was given."""
    context_id = await make_context(api)
    session_id = await api.create(persistenceDataList=[{"contextId": context_id, "path": "/data"}])
    info = await api.get("/sdk/GetContextInfo", sessionId=session_id)
    other = await api.get("/sdk/GetContextInfo", sessionId=session_id, taskType="upload")

    status = info.json()["data"]["contextStatus"]
    assert '\\"status\\": \\"Success\\"' in status
    assert '\\"path\\": \\"/data\\"' in status
    assert other.json()["data"]["contextStatus"] == "[]"


async def test_the_addresses_of_files_need_no_key_and_nothing_else_opens_them(api):
    """An address works without the API key; a word that is none is refused."""
    context_id = await make_context(api)
    asked = await api.client.post(
        "/sdk/GetContextFileUploadUrl", params={"contextId": context_id, "filePath": "a"}
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app)) as anybody:
        written = await anybody.put(asked.json()["data"]["url"], content=b"x")
        refused = await anybody.get("http://test/files/made-up")

    assert written.status_code == 200
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/sdk/GetContext", {}),
        ("GET", "/sdk/GetContext", {"id": "c-0"}),
        ("GET", "/sdk/GetContext", {"name": "never made"}),
        ("GET", "/sdk/ListContexts", {"nextToken": "made up"}),
        ("POST", "/sdk/ModifyContext", {"id": "c-0", "name": "n"}),
        ("POST", "/sdk/DeleteContext", {"id": "c-0"}),
        ("POST", "/sdk/ClearContext", {"id": "c-0"}),
        ("POST", "/sdk/DescribeContextFiles", {"contextId": "c-0"}),
        ("POST", "/sdk/GetContextFileUploadUrl", {"contextId": "c-0", "filePath": "/a"}),
        ("POST", "/sdk/GetContextFileDownloadUrl", {"contextId": "c-0", "filePath": "/a"}),
        ("POST", "/sdk/DeleteContextFile", {"contextId": "c-0", "filePath": "/a"}),
    ],
)
async def test_what_is_not_there_is_a_clear_failure(api, method, path, query):
    """Every endpoint refuses an unknown context, a missing parameter and a made-up token."""
    response = await api.client.request(method, path, params=query)

    assert response.status_code == 400
    assert response.json()["success"] is False
    assert response.json()["message"]


async def test_names_are_unique(api):
    """A name that is taken is refused for another context; create finds the one that has it."""
    first, second = await make_context(api, "a"), await make_context(api, "b")
    again = await make_context(api, "a")
    taken = await api.client.post("/sdk/ModifyContext", params={"id": second, "name": "a"})
    other = await api.get("/sdk/GetContext", id=first, name="b")

    assert again == first
    assert (taken.status_code, taken.json()["code"]) == (409, "ContextNameTaken")
    assert other.status_code == 400


async def test_a_wrong_sync_is_refused(api):
    """Another mode, and a context that the session does not have, are refused."""
    session_id = await api.create()
    for query in ({"mode": "sideways"}, {"contextId": "c-0", "path": "/d"}, {"path": "d"}):
        response = await api.client.post(
            "/sdk/SyncContext", params={"sessionId": session_id, **query}
        )
        assert response.status_code == 400


async def test_a_context_where_it_can_not_be(api, fake_sandboxes):
    """A path that sandboxes need for themselves is refused before one is opened."""
    context_id = await make_context(api)
    response = await api.post(
        "/mcp/createSession", persistenceDataList=[{"contextId": context_id, "path": "/taken"}]
    )

    assert response.json()["code"] == "NotSupported"
    assert "it is taken" in response.json()["message"]
    assert fake_sandboxes.opened == []


async def test_a_context_that_was_deleted_meanwhile_fails_the_transfer(api):
    """A session whose context is gone learns so from its task."""
    context_id = await make_context(api)
    session_id = await api.create(persistenceDataList=[{"contextId": context_id, "path": "/data"}])
    await api.client.post("/sdk/DeleteContext", params={"id": context_id})
    await api.client.post("/sdk/SyncContext", params={"sessionId": session_id})
    info = await api.get("/sdk/GetContextInfo", sessionId=session_id, taskType="upload")

    status = info.json()["data"]["contextStatus"]
    assert '\\"status\\": \\"Failed\\"' in status
    assert "Context not found" in status


@pytest.mark.parametrize(
    "body",
    [{"persistenceDataList": [{"contextId": "c", "path": "/d"}]}, {"contextId": "context-1"}],
)
async def test_a_session_is_not_created_without_its_contexts(api, fake_sandboxes, body):
    """A session that asks for contexts that it can't have is refused whole."""
    response = await api.post("/mcp/createSession", **body)

    assert response.status_code == 400
    assert "ontext" in response.json()["message"]
    assert fake_sandboxes.opened == []


async def test_a_session_without_contexts_has_nothing_to_synchronize(api):
    """SyncContext succeeds at once and GetContextInfo lists no task."""
    session_id = await api.create()

    sync = await api.post(f"/sdk/SyncContext?sessionId={session_id}")
    info = await api.get("/sdk/GetContextInfo", sessionId=session_id)

    assert sync.json()["success"] is True
    assert info.json()["data"] == {"contextStatus": "[]"}


async def test_an_unknown_context_is_not_synchronized(api):
    """SyncContext for a context that the session does not have fails and names it."""
    session_id = await api.create()

    response = await api.post(f"/sdk/SyncContext?sessionId={session_id}&contextId=c-1&path=/d")

    assert response.status_code == 400
    assert response.json()["code"] == "InvalidContext.NotFound"
    assert "c-1" in response.json()["message"]
