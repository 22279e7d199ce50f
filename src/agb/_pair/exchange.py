"""One request and its whole reply, within a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import httpx

    from agb._io.responses import Response


class AsyncWholeSender(Protocol):
    """Connections of our own: what sends a request has its whole reply."""

    async def send(self, request: Any) -> Response:  # noqa: ANN401
        """Send a request and read the whole reply."""
        ...


class WholeSender(Protocol):
    """The same, blocking."""

    def send(self, request: Any) -> Response:  # noqa: ANN401
        """Send a request and read the whole reply."""
        ...


async def async_exchange(
    client: AsyncWholeSender | httpx.AsyncClient,
    request: Any,  # noqa: ANN401  (each kind of client makes its own)
    seconds: float,
) -> tuple[Response | httpx.Response, bytes]:
    """Send a request and read the whole reply within a time, from the first to the last byte.

    Raises:
        TimeoutError: It took longer; the connection is closed.
    """
    import anyio

    if not hasattr(client, "stream"):
        # On connections of our own the scope does what a time-out for each read would do again.
        request.extensions["timeout"] = {"connect": request.extensions["timeout"]["connect"]}
    with anyio.fail_after(seconds):
        response = await client.send(request)
    return response, response.content


def exchange(
    client: WholeSender | httpx.Client,
    request: Any,  # noqa: ANN401  (each kind of client makes its own)
    seconds: float,
) -> tuple[Response | httpx.Response, bytes]:
    """Send a request and read the whole reply within a time, from the first to the last byte.

    A blocking read can't be cancelled. On connections that httpcore opens each one ends with the
    deadline (see `_io/deadlines`); on those of a foreign transport the clock is looked at between
    them.

    Raises:
        TimeoutError: It took longer; the connection is closed.
    """
    from agb._io.deadlines import Until, use_deadlines

    ends = Until(seconds)
    timeouts: dict[str, float] = request.extensions["timeout"]
    if not hasattr(client, "stream"):
        connect = Until(timeouts["connect"])
        request.extensions["timeout"] = {"connect": connect, "read": ends, "write": ends}
        whole = client.send(request)
        return whole, whole.content
    request.extensions["timeout"] = {name: Until(limit) for name, limit in timeouts.items()}
    foreign = cast("httpx.Client", client)
    use_deadlines(foreign)
    response = foreign.send(request, stream=True)
    try:
        parts: list[bytes] = []
        for part in response.iter_bytes():
            parts.append(part)
            if ends.left() < 0:
                raise TimeoutError
    finally:
        response.close()
    return response, b"".join(parts)
