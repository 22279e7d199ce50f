"""The session endpoints of the server, over sandboxes that only pretend."""

import asyncio
import json

import httpx
import pytest

from agb.local.failures import SandboxError, SandboxGone


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


async def test_an_empty_body_counts_as_an_empty_object(api):
    """A POST without a body is accepted, since some clients send none."""
    response = await api.client.post("/mcp/createSession")

    assert response.json()["success"] is True


async def test_a_session_that_cannot_be_opened_is_a_failure_with_its_cause(api, fake_sandboxes):
    """A sandbox that does not start gives HTTP 500, `success: false` and the reason."""
    fake_sandboxes.failure = SandboxError("too many sessions")

    response = await api.post("/mcp/createSession")

    body = response.json()
    assert response.status_code == body["httpStatusCode"] == 500
    assert body["success"] is False
    assert body["message"] == "too many sessions"
    assert body["data"] is None


async def test_there_is_a_limit_of_sessions(make_api, fake_sandboxes):
    """One session too many is HTTP 429; a released one makes room, a failed one takes none."""
    api = make_api(max_sessions=2)
    first = await api.create()
    fake_sandboxes.failure = SandboxError("not this time")
    assert (await api.post("/mcp/createSession")).status_code == 500
    fake_sandboxes.failure = None
    await api.create()

    refused = await api.post("/mcp/createSession")

    body = refused.json()
    assert (refused.status_code, body["code"]) == (429, "TooManySessions")
    assert "2 sessions" in body["message"]
    await api.post("/mcp/releaseSession", sessionId=first)
    assert (await api.post("/mcp/createSession")).json()["success"] is True


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


async def test_t05_labels_of_create_may_be_text_or_an_object(api):
    """T5: JSON inside JSON is accepted as text and as a native value."""
    for labels in ('{"a": "b c"}', {"a": "b c"}):
        session_id = await api.create(labels=labels)
        response = await api.get("/sdk/GetLabel", sessionId=session_id)

        assert json.loads(response.json()["data"]["labels"]) == {"a": "b c"}


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


async def test_a_session_being_released_says_so_until_it_is_gone(api, fake_sandboxes):
    """releaseSessionAsync answers at once; the status is DELETING, then the session is gone."""
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_close.clear()

    await api.post("/mcp/releaseSessionAsync", sessionId=session_id)

    info = await api.post("/mcp/getSessionInfo", sessionId=session_id)
    assert info.json()["data"] == {"status": "DELETING"}
    tool = await api.tool(session_id, "shell", command="true")
    assert tool.json()["code"] == "InvalidSession.NotFound"
    assert (await api.get("/sdk/ListSession")).json()["data"] == []
    release = asyncio.create_task(api.post("/mcp/releaseSession", sessionId=session_id))
    assert (await release).json()["code"] == "InvalidMcpSession.NotFound"
    sandbox.may_close.set()
    await sandbox.closed.wait()
    info = await api.post("/mcp/getSessionInfo", sessionId=session_id)
    assert info.json()["code"] == "InvalidMcpSession.NotFound"


async def test_release_waits_until_the_sandbox_is_gone(api, fake_sandboxes):
    """releaseSession answers when nothing is left of the session, not before."""
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_close.clear()

    release = asyncio.create_task(api.post("/mcp/releaseSession", sessionId=session_id))
    await sandbox.closing.wait()
    assert not release.done()
    sandbox.may_close.set()

    assert (await release).json()["success"] is True
    assert sandbox.closed.is_set()


async def test_a_call_that_a_release_overtakes_says_that_the_session_is_gone(api, fake_sandboxes):
    """A tool call in flight fails with `InvalidSession.NotFound` and says why."""
    session_id = await api.create()
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()
    running = asyncio.create_task(api.tool(session_id, "shell", command="sleep 9"))
    await sandbox.started.wait()

    await api.post("/mcp/releaseSession", sessionId=session_id)

    body = (await running).json()
    assert body["code"] == "InvalidSession.NotFound"
    assert "It was deleted or has expired while this call ran" in str(body)
    assert body["data"]["isError"] is True


async def test_a_lost_sandbox_is_logged_once(api, fake_sandboxes, caplog):
    """However many calls meet a dead sandbox, the log has one line about it."""
    fake_sandboxes.answers["shell"] = SandboxGone("The sandbox was killed (signal 9).")
    session_id = await api.create()
    for _ in range(3):
        await api.tool(session_id, "shell", command="true")

    assert caplog.text.count("has lost its sandbox") == 1


async def test_a_session_that_lost_its_sandbox_says_why_and_can_be_released(api, fake_sandboxes):
    """A dead sandbox fails its calls with the cause; the session is FAILED, not listed."""
    fake_sandboxes.answers["shell"] = SandboxGone("The sandbox was killed (signal 9).")
    session_id = await api.create()

    response = await api.tool(session_id, "shell", command="true")

    body = response.json()
    assert (response.status_code, body["code"]) == (500, "SandboxGone")
    assert body["message"] == "The sandbox was killed (signal 9)."
    info = await api.post("/mcp/getSessionInfo", sessionId=session_id)
    assert info.json()["data"] == {"status": "FAILED"}
    assert (await api.get("/sdk/ListSession")).json()["data"] == []
    released = await api.post("/mcp/releaseSession", sessionId=session_id)
    assert released.json()["success"] is True


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


@pytest.fixture
async def link_api(make_api):
    """The application as a client at this machine reaches it; two links for a session."""
    api = make_api(max_links_per_session=2)
    api.client.base_url = "http://127.0.0.1:8000"
    return api


@pytest.mark.parametrize("path", ["/internet/getLink", "/mcp/getLink"])
@pytest.mark.parametrize(
    ("protocol", "scheme"),
    [({}, "http"), ({"protocolType": "https"}, "http"), ({"protocolType": "WSS"}, "ws")],
)
async def test_t04_links_on_both_paths(link_api, path, protocol, scheme):
    """T4: both generations of getLink give an address of this machine, unencrypted."""
    session_id = await link_api.create()

    response = await link_api.get(path, sessionId=session_id, port="30100", **protocol)

    url = httpx.URL(response.json()["data"]["url"])
    assert (url.scheme, url.host) == (scheme, "127.0.0.1")
    assert len(url.path) > 30


async def test_one_link_for_a_port(link_api):
    """A port keeps its link; other ports and sessions have others, with secrets of their own."""
    sessions = [await link_api.create() for _ in range(2)]

    answers = [
        await link_api.get("/internet/getLink", sessionId=session_id, port=port)
        for session_id in sessions
        for port in ("80", "80", "81")
    ]

    urls = [httpx.URL(answer.json()["data"]["url"]) for answer in answers]
    assert (urls[0], urls[3]) == (urls[1], urls[4])
    assert len(set(urls)) == len({url.port for url in urls}) == len({url.path for url in urls}) == 4


async def test_t26_links_are_bounded(link_api):
    """T26: a link beyond the limit is refused with a message; those that are there stay."""
    session_id = await link_api.create()
    for port in ("1", "2"):
        await link_api.get("/internet/getLink", sessionId=session_id, port=port)

    refused = await link_api.get("/internet/getLink", sessionId=session_id, port="3")
    again = await link_api.get("/internet/getLink", sessionId=session_id, port="2")

    assert (refused.status_code, refused.json()["code"]) == (429, "TooManyLinks")
    assert "2 links" in refused.json()["message"]
    assert again.json()["success"] is True


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "port is required"),
        ({"port": ""}, "port is required"),
        ({"port": "0"}, "from 1 to 65535"),
        ({"port": "65536"}, "from 1 to 65535"),
        ({"port": "http"}, "from 1 to 65535"),
        ({"port": "80", "protocolType": "ftp"}, "protocolType"),
    ],
)
async def test_t26_links_are_refused_clearly(link_api, query, said):
    """T26: a link that can't be is refused with a message that says what to ask for."""
    session_id = await link_api.create()

    response = await link_api.get("/internet/getLink", sessionId=session_id, **query)

    assert response.status_code == 400
    assert said in response.json()["message"]


async def test_a_link_where_nobody_can_listen(make_api):
    """An address that is not of this machine gives a failure that says so."""
    api = make_api()
    api.client.base_url = "http://192.0.2.1"
    session_id = await api.create()

    response = await api.get("/internet/getLink", sessionId=session_id, port="80")

    assert (response.status_code, response.json()["code"]) == (500, "LinkFailed")
    assert "can't listen" in response.json()["message"]


@pytest.mark.parametrize("session_id", [None, "", "  ", 5, ["x"]])
async def test_a_session_id_must_be_text(api, session_id):
    """A missing, blank or ill-typed session identifier is HTTP 400, never a crash."""
    body = {} if session_id is None else {"sessionId": session_id}

    response = await api.post("/mcp/getSession", **body)

    assert response.status_code == 400
    assert "sessionId" in response.json()["message"]


async def test_an_idle_session_is_released(api, fake_sandboxes):
    """A session created with `timeout` ends that many seconds after its last call."""
    session_id = await api.create(timeout=1)

    await asyncio.wait_for(fake_sandboxes.opened[0].closed.wait(), 5)

    info = await api.post("/mcp/getSessionInfo", sessionId=session_id)
    assert info.json()["code"] == "InvalidMcpSession.NotFound"


async def test_a_working_session_is_not_idle(api, fake_sandboxes):
    """A call in flight keeps its session alive beyond the idle time-out."""
    fake_sandboxes.answers["shell"] = {
        "stdout": "",
        "stderr": "",
        "exit_code": 0,
        "timed_out": False,
        "truncated": False,
    }
    session_id = await api.create(timeout=1)
    sandbox = fake_sandboxes.opened[0]
    sandbox.may_answer.clear()
    running = asyncio.create_task(api.tool(session_id, "shell", command="x", timeout_ms=9000))
    # The point is that nothing happens for longer than the time-out.
    await asyncio.sleep(1.3)
    sandbox.may_answer.set()

    assert (await running).json()["data"]["isError"] is False
    assert not sandbox.closed.is_set()
