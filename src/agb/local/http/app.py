"""The HTTP application: requests in, envelopes out, and every error a reply in one place."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from ..contexts.failures import CannotMount, ContextNotFound
from ..failures import SandboxError
from ..sessions.failures import SessionNotFound, TooManyLinks, TooManySessions
from ..sessions.manager import SessionManager
from ..settings import Settings
from ..state.paging import InvalidPageToken
from ..tools.tool_box import ToolBox
from . import openapi
from .context_endpoints import FILES_PATH
from .endpoint import Endpoint
from .endpoints import TOOL_CALL_PATH, Endpoints
from .envelope import ApiFailure, new_request_id, render_failure, render_success
from .file_addresses import FileAddresses
from .hang_up import ClientHungUp, until_hang_up
from .refusals import refusal
from .requests import authorize, read_call
from .signed_addresses import Addresses
from .streams import STREAM_PATH, serve_streams

# Starlette logs and raises again what is only an `Exception`: a mistake of the server itself.
_ERRORS = (
    ApiFailure,
    SessionNotFound,
    TooManySessions,
    TooManyLinks,
    SandboxError,
    ContextNotFound,
    CannotMount,
    InvalidPageToken,
    ClientHungUp,
    sqlite3.OperationalError,
    HTTPException,
    Exception,
)


def create_app(sessions: SessionManager, api_key: str, settings: Settings) -> Starlette:
    """Make the application.

    Args:
        sessions: The sessions it serves.
        api_key: The key every request must carry.
        settings: The limits of the server.

    Returns:
        The ASGI application.
    """
    tools = ToolBox(sessions, settings)
    addresses = Addresses()
    endpoints = Endpoints(sessions, tools, addresses, settings)
    files = FileAddresses(sessions, addresses, settings)
    app = Starlette(
        routes=[
            Route(openapi.PATH, _describe(endpoints, tools, api_key), methods=["GET"]),
            Route(FILES_PATH + "{word}", files, methods=["GET", "PUT"]),
            WebSocketRoute(STREAM_PATH + "{session_id}", serve_streams(sessions, tools, settings)),
            *(
                Route(
                    endpoint.path, _respond(endpoint, api_key, settings), methods=[endpoint.method]
                )
                for endpoint in endpoints.table()
            ),
        ],
        middleware=[Middleware(_Prepare)],
        exception_handlers=dict.fromkeys(_ERRORS, _fail),
    )
    # A path with a slash at its end is an unknown endpoint, not a redirect.
    app.router.redirect_slashes = False
    return app


class _Prepare:
    """Gives each request its identifier and removes doubled slashes from its path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["request_id"] = new_request_id()
            # A base address that ends with a slash doubles the first one of the path.
            scope["path"] = re.sub("/+", "/", scope["path"])
        await self._app(scope, receive, send)


def _respond(
    endpoint: Endpoint, api_key: str, settings: Settings
) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        authorize(request, api_key)
        call = await read_call(
            request, request.state.request_id, max_body_bytes=settings.max_request_bytes
        )
        work = endpoint.handler(call)
        reply = await (until_hang_up(request, work) if endpoint.ends_with_client else work)
        return render_success(request.state.request_id, reply)

    return respond


def _describe(
    endpoints: Endpoints, tools: ToolBox, api_key: str
) -> Callable[[Request], Awaitable[Response]]:
    document = openapi.describe(endpoints.table(), tools.describe(), version("agb"))

    async def respond(request: Request) -> Response:
        authorize(request, api_key)
        return JSONResponse(document, headers={"x-request-id": request.state.request_id})

    return respond


async def _fail(request: Request, error: Exception) -> Response:
    """Turn any error into a reply: the one place where this happens."""
    # A coroutine, because Starlette would run a plain function in a thread.
    tool_call = request.url.path == TOOL_CALL_PATH
    failure = _failure(request, error, tool_call=tool_call)
    return render_failure(request.state.request_id, failure, tool_call=tool_call)


def _failure(request: Request, error: Exception, *, tool_call: bool) -> ApiFailure:
    match error:
        case HTTPException(status_code=405):
            message = f"{request.method} is not allowed here. Allowed: {_allowed(error)}."
            return ApiFailure(405, "MethodNotAllowed", message, error.headers)
        case HTTPException():
            message = f"Unknown endpoint: {request.method} {request.url.path[:200]}"
            return ApiFailure(error.status_code, "UnknownEndpoint", message)
        case ClientHungUp():
            # Never sent; nobody is there to read it.
            return ApiFailure(499, "ClientHungUp", "The client hung up.")
        case _:
            return refusal(error, tool_call=tool_call)


def _allowed(error: HTTPException) -> str:
    return (error.headers or {}).get("Allow", "")
