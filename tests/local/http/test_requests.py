"""What callers send: bodies, parameters, and what clients say of themselves."""

import json

import pytest

from ..support.answers import OK


async def test_an_empty_body_counts_as_an_empty_object(api):
    """A POST without a body is accepted, since some clients send none."""
    response = await api.client.post("/mcp/createSession")

    assert response.json()["success"] is True


async def test_t05_labels_of_create_may_be_text_or_an_object(api):
    """T5: JSON inside JSON is accepted as text and as a native value."""
    for labels in ('{"a": "b c"}', {"a": "b c"}):
        session_id = await api.create(labels=labels)
        response = await api.get("/sdk/GetLabel", sessionId=session_id)

        assert json.loads(response.json()["data"]["labels"]) == {"a": "b c"}


@pytest.mark.parametrize("session_id", [None, "", "  ", 5, ["x"]])
async def test_a_session_id_must_be_text(api, session_id):
    """A missing, blank or ill-typed session identifier is HTTP 400, never a crash."""
    body = {} if session_id is None else {"sessionId": session_id}

    response = await api.post("/mcp/getSession", **body)

    assert response.status_code == 400
    assert "sessionId" in response.json()["message"]


@pytest.mark.parametrize(
    ("version", "structured"),
    [
        (None, False),
        ("0.4.1", False),
        ("0.7.1", False),
        ("0.8.0", True),
        ("0.8.0rc1", True),
        ("0.12.0", True),
        ("1.0", True),
        ("newest", False),
        ("", False),
        (8, False),
    ],
)
async def test_t16_the_reply_form_follows_the_client_of_the_session(
    api, fake_sandboxes, version, structured
):
    """T16: `sdk_version` 0.8 or later at create chooses structured replies, nothing else does."""
    fake_sandboxes.answers["shell"] = OK
    session_id = await api.create(version)

    text, _ = await api.tool_text(session_id, "shell", command="true")

    assert text.startswith("{") is structured


@pytest.mark.parametrize("stats", ["", "{", "[]", '"0.12.0"', "{}"])
async def test_telemetry_that_makes_no_sense_does_not_matter(api, stats):
    """A malformed `sdkStats` creates a session with plain replies."""
    response = await api.client.post("/mcp/createSession", params={"sdkStats": stats})

    assert response.json()["success"] is True


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"args": "{}"}, "name is required"),
        ({"args": "{}", "name": 5}, "name must be a string"),
        ({"args": "{", "name": "shell"}, "args is not valid JSON"),
        ({"args": "[]", "name": "shell"}, "args must be a JSON object, not an array"),
        ({"args": "null", "name": "shell"}, "args must be a JSON object, not null"),
        ({"args": 5, "name": "shell"}, "args must be a JSON object, not a number"),
        ({"args": ["a"], "name": "shell"}, "args must be a JSON object, not an array"),
    ],
)
async def test_a_malformed_tool_call_is_refused(api, body, message):
    """A call that can't be understood at all is HTTP 400, with `isError` for old clients."""
    session_id = await api.create()

    response = await api.post("/mcp", sessionId=session_id, **body)

    failure = response.json()
    assert (response.status_code, failure["code"]) in {
        (400, "InvalidRequest"),
        (400, "MissingParameter"),
    }
    assert message in failure["message"]
    assert failure["data"]["isError"] is True


async def test_t05_args_may_be_an_object(api, fake_sandboxes):
    """T5: arguments are accepted as JSON text and as a native object."""
    fake_sandboxes.answers["shell"] = OK
    session_id = await api.create()

    response = await api.post("/mcp", sessionId=session_id, name="shell", args={"command": "true"})

    assert response.json()["data"]["isError"] is False
