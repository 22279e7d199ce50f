"""The envelope of every reply: one success rule, the request id, and which error it becomes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agb._core.exceptions import (
    AGBError,
    APIError,
    AuthenticationError,
    SessionError,
    SessionNotFoundError,
)
from agb._core.sessions import session_calls
from agb._core.wire import replies

CALL = session_calls.get_labels("s-1")
OK = {"requestId": "R", "success": True, "code": "ok", "message": None, "data": {"a": 1}}
TOOL_FAILED = {"content": [{"type": "text", "text": "why"}], "isError": True}


def read(body, status=200, header=""):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return replies.read(CALL, status, header, content)


def error_of(body, status=200, header=""):
    with pytest.raises(AGBError) as caught:
        read(body, status, header)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_t01_success_is_2xx_and_success_true(status):
    """HTTP 2xx with `success: true` is a success, whatever the code says (T1)."""
    reply = read({**OK, "code": ""}, status)

    assert (reply.request_id, reply.status_code, reply.code) == ("R", status, "")
    assert reply.data == {"a": 1}
    assert reply.body["success"] is True


@pytest.mark.parametrize("status", [199, 300, 302, 400, 401, 403, 404, 429, 500, 503])
def test_t01_other_statuses_are_failures_even_with_success_true(status):
    """HTTP other than 2xx is a failure even if the body says success (T1)."""
    assert error_of(OK, status).status_code == status


@pytest.mark.parametrize("success", [False, None, 1, "true", [], {}])
def test_t01_success_must_be_json_true(success):
    """`success` that is not JSON true is a failure even with HTTP 200 (T1)."""
    error = error_of({**OK, "success": success, "message": "no"})

    assert type(error) is APIError
    assert str(error) == "no"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "InvalidApiKey", AuthenticationError),
        (403, "", AuthenticationError),
        (401, "InvalidSession.NotFound", AuthenticationError),
        (400, "InvalidMcpSession.NotFound", SessionNotFoundError),
        (400, "InvalidSession.NotFound", SessionNotFoundError),
        (200, "InvalidSession.NotFound", SessionNotFoundError),
        (404, "", SessionNotFoundError),
        (400, "NotFound.Here", APIError),
        (400, "SomethingNotFound", APIError),
        (400, "InvalidRequest", APIError),
        (500, "", APIError),
    ],
)
def test_failure_has_the_type_of_its_cause(status, code, kind):
    """401 and 403 are authentication errors, a code that ends in `.NotFound` a lost session."""
    body = {"requestId": "R", "success": False, "code": code, "message": "text"}

    error = error_of(body, status)

    assert type(error) is kind
    assert (error.status_code, error.code, error.request_id) == (status, code, "R")
    assert str(error) == "text"


def test_lost_session_is_a_session_error():
    """`SessionNotFoundError` can be caught as `SessionError`."""
    assert issubclass(SessionNotFoundError, SessionError)


@pytest.mark.parametrize(
    ("data", "message", "code", "expected"),
    [
        (TOOL_FAILED, "general", "c", "why"),
        (TOOL_FAILED, None, "c", "why"),
        ({**TOOL_FAILED, "isError": False}, "general", "c", "general"),
        ({"content": [], "isError": True}, "general", "c", "general"),
        (None, "general", "c", "general"),
        (None, None, "Some.Code", "Some.Code"),
        (None, "", "", "GET /sdk/GetLabel failed with HTTP 500 and no message"),
        (None, 5, 5, "GET /sdk/GetLabel failed with HTTP 500 and no message"),
    ],
)
def test_t03_error_text_is_that_of_the_tool_then_message_then_code(data, message, code, expected):
    """The tool's own text beats the API's message, which beats the status line (T3, D26)."""
    body = {"success": False, "data": data, "message": message, "code": code}

    assert str(error_of(body, 500)) == expected


@pytest.mark.parametrize(
    ("body", "header", "expected"),
    [
        ({"requestId": "body"}, "head", "body"),
        ({"requestId": "body"}, "", "body"),
        ({"RequestId": "body"}, "head", "body"),
        ({"requestId": ""}, "head", "head"),
        ({"requestId": None}, "head", "head"),
        ({"requestId": 5}, "head", "head"),
        ({}, "head", "head"),
        ({}, "", ""),
    ],
)
@pytest.mark.parametrize(
    ("rest", "status"), [({"success": True}, 200), ({"success": False}, 400), ({}, 500)]
)
def test_t07_request_id_is_in_the_body_or_in_the_header(body, header, expected, rest, status):
    """The request id is `requestId` in either casing, else the header, for any outcome (T7)."""
    try:
        found = read({**body, **rest}, status, header).request_id
    except AGBError as error:
        found = error.request_id

    assert found == expected


@pytest.mark.parametrize(
    "body",
    [
        {"Success": True, "Code": "ok", "RequestId": "R", "Data": [1]},
        {"body": {"success": True, "code": "ok", "requestId": "R", "data": [1]}},
        {"Body": {"Success": True, "Code": "ok", "RequestId": "R", "Data": [1]}},
    ],
)
def test_envelope_may_be_pascal_case_or_nested(body):
    """The envelope is understood in PascalCase and below `body`, as in older replies."""
    reply = read(body)

    assert (reply.request_id, reply.code, reply.data) == ("R", "ok", [1])


def test_an_own_verdict_beats_a_nested_one():
    """A body that has its own `success` is not replaced by what is below `body`."""
    assert str(error_of({"success": False, "message": "m", "body": {"success": True}})) == "m"


@pytest.mark.parametrize(
    ("content", "excerpt"),
    [
        (b"{}", "{}"),
        (b'{"data": {"sessionId": "s-1"}}', "sessionId"),
        (b"[]", "[]"),
        (b'"text"', "text"),
        (b"null", "null"),
        (b"", "''"),
        (b"<html>Bad Gateway</html>", "Bad Gateway"),
        (b'{"success": true', "success"),
        (b"\xff\xfe\x00 binary", "binary"),
        (b"[" * 100_000, "[["),
        (b"9" * 5000, "999"),
    ],
)
@pytest.mark.parametrize("status", [200, 502])
def test_t02_body_without_verdict_names_status_and_first_bytes(content, excerpt, status):
    """A body that is no envelope fails with its status and its beginning (T2, T31)."""
    error = error_of(content, status, "head")

    assert type(error) is APIError
    assert error.status_code == status
    assert error.request_id == "head"
    assert f"HTTP {status}" in str(error)
    assert excerpt in str(error)
    assert len(str(error)) < 1000


@pytest.mark.parametrize("status", [401, 403])
def test_unreadable_401_is_still_an_authentication_error(status):
    """An HTML page with 401 or 403 means the key was refused, too."""
    assert type(error_of(b"<html>no</html>", status)) is AuthenticationError


def test_lost_half_of_a_character_becomes_the_replacement_character():
    """JSON may name half of a surrogate pair; a message is valid Unicode all the same."""
    body = rb'{"success": false, "message": "a\ud800b", "code": "\udc00.NotFound"}'

    error = error_of(body)

    assert str(error) == "a\N{REPLACEMENT CHARACTER}b"
    assert type(error) is SessionNotFoundError


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
envelopes = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("success", "requestId", "code", "message", "data", "body"), json_values
    ),
)


@given(envelopes.map(json.dumps).map(str.encode) | st.binary(), st.integers(100, 599))
def test_any_body_is_a_reply_or_a_typed_error(content, status):
    """Whatever a server sends is read as a reply with `success: true`, or as an `AGBError`."""
    reply = failure = None
    try:
        reply = read(content, status)
    except AGBError as error:
        failure = error

    assert reply is None or (200 <= status < 300 and reply.body["success"] is True)
    assert failure is None or (str(failure) and failure.status_code == status)


@pytest.mark.parametrize(
    ("data", "text", "is_error"),
    [
        ({"content": [{"type": "text", "text": "a"}], "isError": False}, "a", False),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            "a\nb",
            False,
        ),
        ({"content": [{"type": "image", "data": "x"}, {"type": "text", "text": "b"}]}, "b", False),
        ({"content": [{"type": "text"}, "noise", 5], "isError": True}, "", True),
        ({"content": "text", "isError": "true"}, "", False),
        ({"content": []}, "", False),
        ({}, "", False),
        (None, "", False),
        ([], "", False),
    ],
)
def test_tool_answer_joins_its_text_items(data, text, is_error):
    """The text of a tool is its text items joined by newlines; only `isError: true` is an error."""
    answer = replies.tool_answer(read({"success": True, "data": data}))

    assert (answer.text, answer.is_error) == (text, is_error)
