"""The wire envelope: the one shape in which every reply travels, errors included."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping

import attrs
from starlette.responses import Response


class ApiFailure(Exception):
    """A call that the API refuses: the tool, if any, did not run.

    Attributes:
        status: HTTP status, repeated in the body as `httpStatusCode`.
        code: Dotted name of the failure, for programs.
        message: What is wrong and what would be right, for people.
        headers: More HTTP headers of the reply.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers: dict[str, str] = dict(headers or {})


def invalid_request(message: str) -> ApiFailure:
    """Describe a request that can't be understood, whoever sends it again.

    Args:
        message: What is wrong with it.

    Returns:
        The failure to raise, HTTP 400.
    """
    return ApiFailure(400, "InvalidRequest", message)


def not_supported(message: str) -> ApiFailure:
    """Refuse what this server can't do rather than pretend.

    Args:
        message: What it can't do.

    Returns:
        The failure to raise.
    """
    return ApiFailure(400, "NotSupported", message)


@attrs.frozen
class Reply:
    """What a handler answers on success.

    Attributes:
        data: The payload.
        siblings: Fields beside `data`, as the list endpoints have.
    """

    data: object = None
    siblings: Mapping[str, object] = attrs.field(factory=dict[str, object])


def new_request_id() -> str:
    """Make the identifier of one request.

    Returns:
        A random UUID, as text.
    """
    return str(uuid.uuid4())


def tool_content(text: str, *, is_error: bool) -> dict[str, object]:
    """Wrap a tool's text the way tool replies carry it.

    Args:
        text: The tool's output, or why it failed.
        is_error: True if the tool failed.

    Returns:
        The `data` of a tool reply.
    """
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


def render_success(request_id: str, reply: Reply) -> Response:
    """Render what a handler answered.

    Args:
        request_id: Identifier of the request.
        reply: The handler's answer.

    Returns:
        The HTTP response, status 200.
    """
    # `message` stays null even when a tool failed: clients show it instead of the tool's own text.
    body = _body(request_id, 200, success=True, code="ok", message=None, data=reply.data)
    return _respond(request_id, 200, {**body, **reply.siblings}, {})


def render_failure(request_id: str, failure: ApiFailure, *, tool_call: bool) -> Response:
    """Render a failure.

    Args:
        request_id: Identifier of the request.
        failure: What went wrong.
        tool_call: True for a call of `/mcp`.

    Returns:
        The HTTP response, with the failure's status.
    """
    # Clients up to 0.7.1 judge a tool call by `data.isError` alone, whatever the status says.
    data = tool_content(failure.message, is_error=True) if tool_call else None
    body = _body(
        request_id,
        failure.status,
        success=False,
        code=failure.code,
        message=failure.message,
        data=data,
    )
    return _respond(request_id, failure.status, body, failure.headers)


def encode(body: Mapping[str, object]) -> bytes:
    """Encode an envelope.

    Args:
        body: The envelope.

    Returns:
        JSON as ASCII, so that text from a sandbox can't break the encoding, whatever it holds.
    """
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def _body(
    request_id: str, status: int, *, success: bool, code: str, message: str | None, data: object
) -> dict[str, object]:
    return {
        "requestId": request_id,
        "success": success,
        "code": code,
        "message": message,
        "httpStatusCode": status,
        "data": data,
    }


def _respond(
    request_id: str, status: int, body: Mapping[str, object], headers: Mapping[str, str]
) -> Response:
    return Response(
        encode(body),
        status_code=status,
        headers={"x-request-id": request_id, **headers},
        media_type="application/json",
    )
