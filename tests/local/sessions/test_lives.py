"""How sessions begin and end, over sandboxes that only pretend."""

import asyncio

from agb.local.failures import SandboxError, SandboxGone


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
