"""What an endpoint is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import attrs

from .envelope import Reply
from .requests import Call

Handler = Callable[[Call], Coroutine[Any, Any, Reply]]


@attrs.frozen
class Endpoint:
    """One endpoint.

    Attributes:
        method: Its HTTP method.
        path: Its path.
        handler: What it answers.
        ends_with_client: True if the work is of no use, and stopped, once the client hangs up.
    """

    method: str
    path: str
    handler: Handler
    ends_with_client: bool = False
