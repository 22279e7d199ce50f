"""A request that switches protocols, after which its connection is a stream."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from weakref import finalize

from agb._pair.connections import close_if_ours

if TYPE_CHECKING:
    import httpx

_SWITCHED = 101  # HTTP: Switching Protocols


async def async_upgrade(
    client: httpx.AsyncClient, request: httpx.Request, seconds: float, *, is_ours: bool
) -> httpx.Response:
    """Send a request to switch protocols; of a response that does not switch, read the body, too.

    The connection is closed with the response: by its owner, who can't be replaced here.

    Raises:
        TimeoutError: It took longer; the connection is closed.
    """
    import anyio

    with anyio.fail_after(seconds):
        response = await client.send(request, stream=True)
        if response.status_code != _SWITCHED:
            await response.aread()
    return response


def upgrade(
    client: httpx.Client, request: httpx.Request, seconds: float, *, is_ours: bool
) -> httpx.Response:
    """Send a request to switch protocols; of a response that does not switch, read the body, too.

    A client of ours is closed, at the latest, when the response is gone or the interpreter ends.

    Raises:
        httpx.TimeoutException: It took longer; the connection is closed.
    """
    from agb._io.deadlines import Until, use_deadlines

    use_deadlines(client)
    request.extensions["timeout"] = dict.fromkeys(request.extensions["timeout"], Until(seconds))
    response = client.send(request, stream=True)
    if is_ours:
        finalize(response, close_if_ours, client, os.getpid())
    if response.status_code != _SWITCHED:
        response.read()
    return response
