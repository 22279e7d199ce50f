"""The session endpoints of the server, over sandboxes that only pretend."""

import json

import pytest


async def test_create_answers_what_every_client_reads(api):
    """A created session has an identifier, resource identifiers and `success` in its data."""
    response = await api.post("/mcp/createSession")

    body = response.json()
    assert response.status_code == 200
    assert (body["success"], body["httpStatusCode"], body["message"]) == (True, 200, None)
    data = body["data"]
    assert data["success"] is True
    assert data["errMsg"] is None
    assert data["resourceUrl"] == ""
    assert all(data[key] for key in ("sessionId", "appInstanceId", "resourceId"))


async def test_t29_create_without_an_image_works(api):
    """T29: the image is optional, as it is up to 0.4.1."""
    first = await api.create(version=None)
    second = await api.create()

    assert first != second


@pytest.mark.parametrize(
    "body",
    [
        {"labels": "not json"},
        {"labels": "[]"},
        {"labels": '{"a": 1}'},
        {"labels": {"a": None}},
        {"labels": 5},
        {"labels": {"a": "\0"}},
        {"labels": '{"a": "\\ud800"}'},
        {"labels": {str(number): "x" for number in range(101)}},
        {"timeout": 0},
        {"timeout": "soon"},
        {"timeout": True},
        {"imageId": 7},
    ],
)
async def test_a_malformed_create_creates_nothing(api, fake_sandboxes, body):
    """What can't be understood is refused with HTTP 400 before a sandbox is opened."""
    response = await api.post("/mcp/createSession", **body)

    assert response.status_code == 400
    assert response.json()["success"] is False
    assert fake_sandboxes.opened == []


async def test_get_session_describes_it(api):
    """getSession and getSessionInfo tell the same status; identifiers match those of create."""
    created = (await api.post("/mcp/createSession")).json()["data"]
    session_id = created["sessionId"]

    data = (await api.post("/mcp/getSession", sessionId=session_id)).json()["data"]
    info = (await api.post("/mcp/getSessionInfo", sessionId=session_id)).json()["data"]

    assert data["status"] == info["status"] == "RUNNING"
    for key in ("sessionId", "appInstanceId", "resourceId", "resourceUrl", "wsUrl", "token"):
        assert data[key] == created[key]


async def test_the_resource_has_no_desktop(api):
    """getMcpResource answers with the tier of isolation, without desktop information."""
    session_id = await api.create()

    response = await api.post("/mcp/getMcpResource", sessionId=session_id)

    assert response.json()["data"] == {
        "sessionId": session_id,
        "resourceUrl": "",
        "isolation": "full",
    }


@pytest.mark.parametrize("path", ["/mcp/releaseSession", "/mcp/releaseSessionAsync"])
async def test_t22_a_released_session_is_not_found(api, fake_sandboxes, path):
    """T22, T23, T30: after release every call on the session is 400 `*.NotFound`."""
    session_id = await api.create()
    released = await api.post(path, sessionId=session_id)
    assert released.json() == {
        "requestId": released.headers["x-request-id"],
        "success": True,
        "code": "ok",
        "message": None,
        "httpStatusCode": 200,
        "data": None,
    }
    await fake_sandboxes.opened[0].closed.wait()

    later = [
        await api.post("/mcp/getSessionInfo", sessionId=session_id),
        await api.post("/mcp/getSession", sessionId=session_id),
        await api.post("/mcp/getMcpResource", sessionId=session_id),
        await api.post("/mcp/releaseSession", sessionId=session_id),
        await api.post("/mcp/releaseSessionAsync", sessionId=session_id),
        await api.post(f"/sdk/SetLabel?sessionId={session_id}&Labels=%7B%7D"),
        await api.get("/sdk/GetLabel", sessionId=session_id),
        await api.post(f"/sdk/SyncContext?sessionId={session_id}"),
        await api.get("/sdk/GetContextInfo", sessionId=session_id),
        await api.get("/internet/getLink", sessionId=session_id),
        await api.get("/mcp/getLink", sessionId=session_id),
        await api.tool(session_id, "shell", command="true"),
    ]
    for response in later:
        body = response.json()
        assert response.status_code == body["httpStatusCode"] == 400
        assert body["success"] is False
        assert body["message"].startswith(f"Session not found: {session_id}")
    codes = [response.json()["code"] for response in later]
    assert codes == ["InvalidMcpSession.NotFound"] * 11 + ["InvalidSession.NotFound"]


async def test_labels_are_replaced_as_a_whole(api):
    """SetLabel replaces the label set; GetLabel gives it back as JSON text."""
    session_id = await api.create(labels={"old": "1", "both": "1"})

    await api.client.post(
        "/sdk/SetLabel",
        params={"sessionId": session_id, "Labels": '{"both": "2", "näme": "wért ✓"}'},
        json={},
    )

    data = (await api.get("/sdk/GetLabel", sessionId=session_id)).json()["data"]
    assert json.loads(data["labels"]) == {"both": "2", "näme": "wért ✓"}


async def test_malformed_labels_leave_the_old_ones(api):
    """A refused SetLabel changes nothing."""
    session_id = await api.create(labels={"a": "1"})

    response = await api.client.post(
        "/sdk/SetLabel", params={"sessionId": session_id, "labels": '{"a": ["x"]}'}
    )

    assert response.status_code == 400
    data = (await api.get("/sdk/GetLabel", sessionId=session_id)).json()["data"]
    assert json.loads(data["labels"]) == {"a": "1"}


async def test_a_list_is_filtered_by_all_labels(api):
    """ListSession with several labels gives the sessions that carry all of them."""
    await api.create(labels={"a": "1"})
    both = await api.create(labels={"a": "1", "b": "2"})
    await api.create()

    body = (await api.get("/sdk/ListSession", labels='{"a": "1", "b": "2"}')).json()

    assert body["data"] == [{"sessionId": both, "sessionStatus": "RUNNING"}]
    assert (body["count"], body["nextToken"], body["maxResults"]) == (1, None, 10)


async def test_pages_stay_right_while_sessions_come_and_go(api):
    """A walk over the pages meets each session that outlives it exactly once."""
    first = [await api.create() for _ in range(5)]

    page = (await api.get("/sdk/ListSession", maxResults="2")).json()
    await api.post("/mcp/releaseSession", sessionId=first[0])
    await api.post("/mcp/releaseSession", sessionId=first[2])
    newest = await api.create()
    walked = [entry["sessionId"] for entry in page["data"]]
    while page["nextToken"]:
        page = (
            await api.get("/sdk/ListSession", maxResults="2", nextToken=page["nextToken"])
        ).json()
        walked += [entry["sessionId"] for entry in page["data"]]

    assert walked == [first[0], first[1], first[3], first[4], newest]
    assert page["count"] == 4


@pytest.mark.parametrize(
    "query",
    [
        {"maxResults": "0"},
        {"maxResults": "-1"},
        {"maxResults": "1001"},
        {"maxResults": "ten"},
        {"maxResults": "1.5"},
        {"nextToken": "tok-2"},
        {"nextToken": "é"},
        {"labels": "[]"},
        {"labels": "{"},
    ],
)
async def test_a_malformed_list_is_refused(api, query):
    """Page sizes, tokens and labels that make no sense give HTTP 400 and a reason."""
    response = await api.get("/sdk/ListSession", **query)

    body = response.json()
    assert (response.status_code, body["code"]) == (400, "InvalidRequest")
    assert next(iter(query)).lower() in body["message"].lower()


async def test_keep_alive_starts_the_idle_time_anew(api):
    """refreshSessionIdleTime answers for a session that lives, and refuses one that does not."""
    session_id = await api.create()
    kept = await api.client.post("/mcp/refreshSessionIdleTime", params={"sessionId": session_id})
    lost = await api.client.post("/mcp/refreshSessionIdleTime", params={"sessionId": "s-0"})

    assert kept.json()["success"] is True
    assert lost.json()["code"] == "InvalidMcpSession.NotFound"
