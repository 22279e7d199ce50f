"""A reply as our own connections give it."""

from __future__ import annotations

from collections.abc import Mapping


class Response:
    """A whole reply, with the attributes of one of httpx.

    Args:
        status_code: HTTP status.
        headers: Value by name in lower case.
        content: The body, decompressed.
    """

    def __init__(self, status_code: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status_code = status_code
        self.headers = headers
        self.content = content
