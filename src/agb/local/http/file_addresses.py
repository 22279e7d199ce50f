"""The addresses of files: what is written to them and read from them, and parts of it again."""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ..contexts.failures import ContextNotFound, TooMuch
from ..contexts.files import ContextFiles
from ..contexts.incoming import Incoming, tag_of
from ..failures import ToolError
from ..sessions.failures import SessionNotFound
from ..sessions.manager import SessionManager
from ..sessions.session_files import SessionFiles
from ..settings import Settings
from .signed_addresses import Address, Addresses, InvalidAddress

_CHUNK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Files(Protocol):
    """Where the files behind an address are."""

    def reading(self, path: str) -> AbstractAsyncContextManager[int]:
        """Open a file for reading."""
        ...

    def writing(self, path: str) -> AbstractAsyncContextManager[Incoming]:
        """Write a file that takes its place whole, or not at all."""
        ...


class FileAddresses:
    """Serves the addresses of files, an ASGI application; the address itself is the key."""

    def __init__(self, sessions: SessionManager, addresses: Addresses, settings: Settings) -> None:
        self._sessions = sessions
        self._contexts = sessions.contexts
        self._addresses = addresses
        self._limit_s = settings.file_timeout_s
        self._max_bytes = min(settings.max_context_bytes, settings.inside.max_file_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        try:
            address = self._addresses.read(request.path_params["word"], request.method)
        except InvalidAddress as error:
            await _refusal(403, str(error))(scope, receive, send)
            return
        if address.method == "PUT":
            response = await self._receive(address, request)
            await response(scope, receive, send)
        else:
            await self._send(address, request, send)

    async def _receive(self, address: Address, request: Request) -> Response:
        try:
            async with self._files(address).writing(address.path) as incoming:
                await _take(request, incoming)
        except TooMuch as error:
            return _refusal(413, f"The file was not kept: {error}.")
        except (SessionNotFound, ContextNotFound) as error:
            return _refusal(404, str(error))
        except ToolError as error:
            return _refusal(409, f"The file can't be written: {error}")
        except OSError as error:
            status = 507 if error.errno in _FULL else 409
            return _refusal(status, f"{address.path} can't be written: {error.strerror}")
        return Response(headers={"ETag": f'"{incoming.tag()}"'})

    async def _send(self, address: Address, request: Request, send: Send) -> None:
        opened = self._files(address).reading(address.path)
        try:
            descriptor = await opened.__aenter__()
        except (ToolError, SessionNotFound, ContextNotFound) as error:
            await _refusal(404, str(error))(request.scope, request.receive, send)
            return
        try:
            response = await _content(descriptor, request)
            await response(request.scope, request.receive, send)
        finally:
            await opened.__aexit__(None, None, None)

    def _files(self, address: Address) -> Files:
        session_id = self._contexts.of_sessions.session_of(address.context_id)
        if session_id is None:
            return ContextFiles(self._contexts, address.context_id)
        return SessionFiles(session_id, self._sessions, self._limit_s, self._max_bytes)


async def _take(request: Request, incoming: Incoming) -> None:
    """Write a body in large pieces: each is a journey to another thread."""
    held = bytearray()
    async for piece in request.stream():
        held += piece
        if len(held) >= _CHUNK:
            await asyncio.to_thread(incoming.write, bytes(held))
            held.clear()
    if held:
        await asyncio.to_thread(incoming.write, bytes(held))


async def _content(descriptor: int, request: Request) -> Response:
    """Answer with a file, or with the part of it that was asked for."""
    size = os.fstat(descriptor).st_size
    tag = f'"{await asyncio.to_thread(tag_of, descriptor, size)}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes"}
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    begin, end, status = 0, size, 200
    # A part of something else than the client has begun with would be worse than all of it.
    if wanted is not None and request.headers.get("if-range", tag) == tag and any(wanted.groups()):
        begin, end = _part(wanted[1], wanted[2], size)
        if begin >= end:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
        status = 206
    headers["Content-Length"] = str(end - begin)
    return StreamingResponse(
        _pieces(descriptor, begin, end), status, headers, "application/octet-stream"
    )


def _part(first: str, last: str, size: int) -> tuple[int, int]:
    """Read a range: where it begins, and where it ends."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size


async def _pieces(descriptor: int, begin: int, end: int) -> AsyncIterator[bytes]:
    while begin < end:
        piece = await asyncio.to_thread(os.pread, descriptor, min(_CHUNK, end - begin), begin)
        if not piece:
            return  # it has become shorter: the client finds that out by the length
        begin += len(piece)
        yield piece


def _refusal(status: int, message: str) -> Response:
    return PlainTextResponse(f"{message}\n", status)
