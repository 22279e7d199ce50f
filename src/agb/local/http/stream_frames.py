"""The frames of a client: which stream each belongs to, and what it asks for."""

from __future__ import annotations

from typing import cast

import attrs

from ..json_values import parse
from ..tools.all_tools import STREAMED
from ..tools.tool_box import SERVER
from .envelope import invalid_request
from .json_parameters import as_object, decoded

# Reasons to close a socket, as RFC 6455 numbers them.
_UNSUPPORTED_DATA = 1003
POLICY_VIOLATION = 1008
_LONGEST_ID = 200


class BadFrame(Exception):
    """Raised for a frame that belongs to no stream, so that no stream could be told of it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@attrs.frozen
class Frame:
    """A frame of the client: one request for a stream.

    Attributes:
        id: What the client calls the stream.
        source: Who it says it is.
        target: Whom it asks.
        data: What it asks.
    """

    id: str
    source: str
    target: str
    data: object

    def request(self) -> tuple[str, dict[str, object]]:
        """Read what is asked.

        Returns:
            The method and its arguments, by the names of the tool.

        Raises:
            ApiFailure: It can't be understood.
        """
        data = as_object("data", decoded("data", self.data))
        method, mode = data.get("method"), data.get("mode", "stream")
        if not isinstance(method, str) or method not in STREAMED:
            raise invalid_request(f"method must be one of: {', '.join(STREAMED)}")
        if mode != "stream":
            raise invalid_request("mode must be: stream")
        params = as_object("params", decoded("params", data.get("params")))
        # The one name that differs from that of the tool.
        limit = params.get("timeoutS", params.get("timeout_s"))
        return method, {**params, "timeout_s": limit}


def read_frame(text: object) -> Frame:
    """Read a frame.

    Args:
        text: What came, None if it is no text.

    Returns:
        The frame.

    Raises:
        BadFrame: It belongs to no stream.
    """
    if not isinstance(text, str):
        raise BadFrame(_UNSUPPORTED_DATA, "frames must be text")
    try:
        frame = parse(text)
    except ValueError:
        raise BadFrame(_UNSUPPORTED_DATA, "frames must be JSON") from None
    if not isinstance(frame, dict):
        raise BadFrame(_UNSUPPORTED_DATA, "frames must be JSON objects")
    fields = cast("dict[str, object]", frame)
    number = fields.get("invocationId", fields.get("requestId"))
    if not isinstance(number, str) or not 0 < len(number) <= _LONGEST_ID:
        raise BadFrame(POLICY_VIOLATION, f"invocationId must have 1 to {_LONGEST_ID} characters")
    source, target = fields.get("source"), fields.get("target")
    return Frame(
        number,
        source if isinstance(source, str) else "SDK",
        target if isinstance(target, str) else SERVER,
        fields.get("data"),
    )
