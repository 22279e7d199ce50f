"""What later versions added to sessions, through the client."""

from __future__ import annotations

import pytest

from agb import CreateSessionParams

METRICS = '{"cpu_count": 2, "cpu_used_pct": 1.5}'


def test_status_and_keep_alive(session, service):
    """`get_status` gives the word of the service, `keep_alive` only succeeds."""
    service.on("/mcp/getSessionInfo", service.ok({"status": "RUNNING"}))
    service.on("/mcp/refreshSessionIdleTime", service.ok())

    status = session.get_status()
    kept = session.keep_alive()

    assert status.status == "RUNNING"
    assert kept.success
    assert kept.data is None


def test_link(session, service):
    """`get_link` takes protocol and port by position and by name."""
    service.on("/internet/getLink", service.ok({"url": "https://link"}))

    session.get_link("https", 30100)
    link = session.get_link(port=30101)

    assert link.data == "https://link"
    assert service.query(0) == {"sessionId": "s-1", "protocolType": "https", "port": "30100"}
    assert service.query(1) == {"sessionId": "s-1", "port": "30101"}


def test_partial_label_changes(session, service):
    """`update_labels` and `remove_labels` keep the labels that they do not name."""
    session.set_labels({"a": "1", "b": "2"})

    updated = session.update_labels({"b": "3"})
    removed = session.remove_labels("a", "z")

    assert updated.data == {"a": "1", "b": "3"}
    assert removed.data == {"b": "3"}
    assert service.labels["s-1"] == {"b": "3"}


def test_tools_of_the_image_of_the_session(agb, service):
    """`list_mcp_tools` asks for the image that the session was created with, or the one named."""
    service.on("/mcp/listTools", service.ok('[{"name": "shell"}]'))
    session = (agb.create(CreateSessionParams(image_id="mine"))).session

    listed = session.list_mcp_tools()
    session.list_mcp_tools("other")

    assert [tool.name for tool in listed.tools] == ["shell"]
    assert service.query(-2) == {"imageId": "mine"}
    assert service.query(-1) == {"imageId": "other"}


def test_a_tool_by_its_name(session, service):
    """`call_mcp_tool` sends any tool with any arguments, or with none."""
    called = session.call_mcp_tool("any_tool", {"a": 1})
    session.call_mcp_tool("any_tool")

    assert called.data == "done: any_tool"
    assert service.arguments(0) == {"a": 1}
    assert service.arguments(1) == {}


def test_time_outs_of_one_call(session, service):
    """The time-outs of a call are in milliseconds; that of the reply bounds the whole call."""
    session.call_mcp_tool("any_tool", {}, 1500)
    session.get_metrics(connect_timeout=20)

    first, second = (request.extensions["timeout"] for request in service.requests)
    assert (first["read"], first["connect"]) == (1.5, 1.5)
    assert (second["read"], second["connect"]) == (60, 0.02)


def test_metrics(session, service):
    """`get_metrics` measures the session."""
    service.on("get_metrics", service.tool(METRICS))

    measured = session.get_metrics()

    assert measured.metrics.cpu_count == 2
    assert measured.raw == {"cpu_count": 2, "cpu_used_pct": 1.5}


def test_the_direct_route(agb, service):
    """A session has the direct route if the service gives one, else empty values."""
    given = {"sessionId": "s-9", "linkUrl": "https://link", "wsUrl": "wss://ws", "token": "t"}
    plain = (agb.create()).session
    service.on("/mcp/createSession", service.ok({**given, "toolList": '[{"name": "shell"}]'}))

    session = (agb.create()).session

    assert (plain.link_url, plain.ws_url, plain.token, plain.tool_list) == ("", "", "", [])
    assert (session.get_link_url(), session.get_token()) == ("https://link", "t")
    assert session.ws_url == "wss://ws"
    assert [tool.name for tool in session.tool_list] == ["shell"]


def test_listed_sessions_can_be_iterated(agb, session):
    """Documented programs iterate the result of `list` and read `session_id` of its items."""
    listed = agb.list()

    assert [item.session_id for item in listed] == ["s-1"]


@pytest.mark.parametrize("through", ["session", "agb"])
def test_deletion_that_waits(through, agb, session, service):
    """`wait=True` asks for the status until the session is gone, through either object."""
    if through == "agb":
        deleted = agb.delete(session, wait=True)
    else:
        deleted = session.delete(wait=True)

    assert deleted.success
    assert service.seen == ["/mcp/releaseSession", "/mcp/getSessionInfo"]
