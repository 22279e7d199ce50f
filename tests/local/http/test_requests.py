"""What callers send: bodies, parameters, and what clients say of themselves."""

import json

import pytest


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
