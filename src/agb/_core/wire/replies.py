"""The envelope of every reply: one success rule, the request id, and error text → typed error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from attrs import frozen

from agb._core.arguments import is_unicode
from agb._core.exceptions import (
    AGBError,
    APIError,
    AuthenticationError,
    SessionNotFoundError,
)
from agb._core.wire import retry
from agb._core.wire.call import Call

_EXCERPT_LENGTH = 200


@frozen
class Reply:
    """A reply that says success.

    Args:
        request_id: The server's id of the request, `""` if it gave none.
        status_code: HTTP status.
        code: The server's code, such as `ok`.
        data: The payload.
        body: The whole envelope; list endpoints keep their page beside `data`.
    """

    request_id: str
    status_code: int
    code: str
    data: Any
    body: Mapping[str, Any]

    def mapping(self) -> Mapping[str, Any]:
        """Return the payload if it is an object, else an empty one."""
        return as_object(self.data)

    def refused(self, message: str, error: type[AGBError] = APIError) -> AGBError:
        """Make the error of a reply that says success but whose payload says otherwise."""
        return error(
            message, status_code=self.status_code, code=self.code, request_id=self.request_id
        )


def read(
    call: Call,
    status_code: int,
    request_id_header: str,
    content: bytes,
    retry_after: float | None = None,
) -> Reply:
    """Read a reply.

    One rule for every endpoint: HTTP 2xx *and* `success` is JSON true (trap T1).

    Args:
        call: What was asked.
        status_code: HTTP status of the reply.
        request_id_header: Value of the header `x-request-id`, `""` if there is none.
        content: The body.
        retry_after: How long the server asks to wait, in seconds, None if it does not.

    Returns:
        The reply, if it says success.

    Raises:
        AuthenticationError: For HTTP 401 and 403.
        SessionNotFoundError: For a `….NotFound` code, if it can't be a context.
        APIError: For any other failure, and for a body that is no envelope.
    """
    body = _camel_case(as_object(parsed(content)))
    ok_status = 200 <= status_code < 300
    request_id = text(body.get("requestId")) or request_id_header
    if "success" not in body:
        facts = retry.judge_reply(call, status_code, retry_after, is_envelope=False)
        raise _unreadable(call, status_code, request_id, content, facts)
    code = text(body.get("code"))
    data = body.get("data")
    if ok_status and body["success"] is True:
        return Reply(request_id, status_code, code, data, body)
    # Tool text first: a failed tool call may carry it beside a general message (trap T3).
    message = _tool_error(data) or text(body.get("message")) or code
    facts = retry.judge_reply(call, status_code, retry_after, is_envelope=True)
    raise _failure(call, status_code, code, request_id, message, facts)


@frozen
class ToolAnswer:
    """What a tool answered.

    Args:
        text: Its text items joined with newlines, `""` if there are none.
        is_error: Whether the tool says that it failed.
    """

    text: str
    is_error: bool


def tool_answer(reply: Reply) -> ToolAnswer:
    """Read the reply to a tool call."""
    return _answer(reply.data)


def tool_text(reply: Reply, error: type[AGBError]) -> str:
    """Return what a tool answered.

    Args:
        reply: The reply to a tool call.
        error: The type of error to raise when the tool failed.

    Returns:
        The text of the answer.

    Raises:
        AGBError: Of the given type, with the tool's own text.
    """
    answer = tool_answer(reply)
    if answer.is_error:
        raise reply.refused(answer.text or "The tool failed without saying why", error)
    return answer.text


def _answer(data: object) -> ToolAnswer:
    payload = as_object(data)
    texts = [
        text(item.get("text"))
        for item in objects(payload.get("content"))
        if item.get("type") == "text"
    ]
    return ToolAnswer("\n".join(texts), payload.get("isError") is True)


def text(value: object) -> str:
    """Return a JSON value if it is a string, else `""`.

    JSON can name halves of a surrogate pair, which no UTF-8 text holds: they become U+FFFD.
    """
    if not isinstance(value, str):
        return ""
    if is_unicode(value):
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def whole_number(value: object) -> int:
    """Return a JSON value if it is an integer, also as text, else 0."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) else 0


def as_object(value: object) -> Mapping[str, Any]:
    """Return a JSON value if it is an object, else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def objects(value: object) -> list[Mapping[str, Any]]:
    """Return the objects in a JSON array; nothing if the value is no array."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, dict)]


def parsed(value: object) -> object:
    """Return what a JSON text stands for, None if it can't be read; other values as they are."""
    if not isinstance(value, (str, bytes)):
        return value
    try:
        return cast("object", json.loads(value))
    except (ValueError, RecursionError):
        return None


def _tool_error(data: object) -> str:
    answer = _answer(data)
    return answer.text if answer.is_error else ""


def _camel_case(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Accept `Success` for `success` and an envelope under `body`, as official clients do."""
    inner = as_object(body.get("body", body.get("Body")))
    if "success" not in body and "Success" not in body:
        body = {**body, **inner}
    return {key[:1].lower() + key[1:]: value for key, value in body.items()}


def _failure(
    call: Call, status_code: int, code: str, request_id: str, message: str, facts: retry.Facts
) -> AGBError:
    reason = message or f"{call.method} {call.path} failed with HTTP {status_code} and no message"
    kind: type[AGBError] = APIError
    if status_code in (401, 403):
        kind = AuthenticationError
    elif (code.endswith(".NotFound") or (status_code == 404 and not code)) and not (
        _is_about_context(call, code)
    ):
        kind = SessionNotFoundError
    return kind(reason, status_code=status_code, code=code, request_id=request_id, **facts)


def _is_about_context(call: Call, code: str) -> bool:
    """Tell whether what was not found is a context, or a file in one, and no session."""
    return "context" in code.lower() or ("Context" in call.path and "sessionId" not in call.query)


def _unreadable(
    call: Call, status_code: int, request_id: str, content: bytes, facts: retry.Facts
) -> AGBError:
    """Name the status and the first bytes of a body that is no envelope (traps T2, T31)."""
    excerpt = content[:_EXCERPT_LENGTH].decode(errors="replace").strip()
    kind = AuthenticationError if status_code in (401, 403) else APIError
    return kind(
        f"{call.method} {call.path} gave no reply of this service (HTTP {status_code}, body"
        f" {excerpt!r}); check that the endpoint is right",
        status_code=status_code,
        request_id=request_id,
        **facts,
    )
