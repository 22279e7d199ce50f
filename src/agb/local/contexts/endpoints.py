"""The endpoints of contexts, and the addresses of their files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import datetime, timezone
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from ..envelope import ApiFailure, Reply, invalid_request
from ..requests import Call
from ..settings import Settings
from ..store import InvalidPageToken
from .beneath import TooMuch
from .catalog import Context, NameTaken
from .links import LIFE_S, InvalidLink, Link
from .mounts import clean_path
from .service import Contexts
from .shelf import Entry, Incoming
from .transfers import Kind, soon

FILES_PATH = "/files/"
_CHUNK = 1 << 18

Handler = Callable[[Call], Coroutine[Any, Any, Reply]]


class ContextEndpoints:
    """The handlers of all endpoints of contexts."""

    def __init__(self, contexts: Contexts, settings: Settings) -> None:
        self._contexts = contexts
        self._settings = settings

    def table(self) -> tuple[tuple[str, str, Handler], ...]:
        """List method, path and handler of each endpoint."""
        return (
            ("GET", "/sdk/ListContexts", self.list),
            ("GET", "/sdk/GetContext", self.get),
            ("POST", "/sdk/ModifyContext", self.rename),
            ("POST", "/sdk/DeleteContext", self.delete),
            ("POST", "/sdk/ClearContext", self.clear),
            ("POST", "/sdk/DescribeContextFiles", self.list_files),
            ("POST", "/sdk/GetContextFileUploadUrl", self.upload_url),
            ("POST", "/sdk/GetContextFileDownloadUrl", self.download_url),
            ("POST", "/sdk/DeleteContextFile", self.delete_file),
        )

    async def list(self, call: Call) -> Reply:
        """List the contexts, oldest first."""
        limit = call.number(
            "maxResults",
            default=self._settings.default_page_size,
            at_most=self._settings.max_page_size,
        )
        try:
            page = self._contexts.catalog.page(limit, call.optional_text("nextToken") or None)
        except InvalidPageToken as error:
            raise invalid_request("nextToken is not one that this server gave out") from error
        return Reply(
            [_describe(context) for context in page.contexts],
            siblings={"nextToken": page.next_token, "maxResults": limit, "totalCount": page.total},
        )

    async def get(self, call: Call) -> Reply:
        """Find a context by its identifier or its name; make it if that is allowed."""
        context_id, name = call.optional_text("id"), call.optional_text("name")
        catalog = self._contexts.catalog
        if context_id:
            context = catalog.get(context_id)
        elif call.optional_text("allowCreate") == "true":
            context = self._make(call.text("name"))
        else:
            context = catalog.by_name(call.text("name"))
        if name and context.name != name:
            raise invalid_request(f"context {context.id} has another name than {name[:100]!r}")
        return Reply({**_describe(context), "state": self._contexts.state(context.id)})

    async def rename(self, call: Call) -> Reply:
        """Give a context another name."""
        try:
            self._contexts.catalog.rename(call.text("id"), call.text("name"))
        except NameTaken as error:
            raise ApiFailure(409, "ContextNameTaken", str(error)) from error
        return Reply()

    async def delete(self, call: Call) -> Reply:
        """Delete a context with all its files."""
        await asyncio.shield(self._contexts.remove(call.text("id")))
        return Reply()

    async def clear(self, call: Call) -> Reply:
        """Begin to empty a context; its state tells when that is done."""
        self._contexts.clear(call.text("id"))
        return Reply()

    async def list_files(self, call: Call) -> Reply:
        """List the entries of a folder of a context, by name."""
        context = self._contexts.catalog.get(call.text("contextId"))
        folder = clean_path("parentFolderPath", call.optional_text("parentFolderPath") or "/")
        number = call.number("pageNumber", default=1, at_most=10**9)
        size = call.number("pageSize", default=50, at_most=self._settings.max_page_size)
        entries = await asyncio.to_thread(self._contexts.shelf.list, context.id, folder)
        page = entries[(number - 1) * size : number * size]
        return Reply([_describe_file(entry) for entry in page], siblings={"count": len(entries)})

    async def upload_url(self, call: Call) -> Reply:
        """Give an address to write a file to."""
        return self._address(call, "PUT")

    async def download_url(self, call: Call) -> Reply:
        """Give an address to read a file from; the file must be there when it is used."""
        return self._address(call, "GET")

    async def delete_file(self, call: Call) -> Reply:
        """Delete a file or a folder of a context."""
        context_id, path = self._file(call)
        try:
            async with self._contexts.transfers.lock(context_id):
                await asyncio.to_thread(self._contexts.shelf.delete, context_id, path)
        except OSError as error:
            raise _no_file(path) from error
        return Reply()

    def _address(self, call: Call, method: str) -> Reply:
        context_id, path = self._file(call)
        word = self._contexts.links.make(Link(method, context_id, path))
        url = f"{call.base_url.rstrip('/')}{FILES_PATH}{word}"
        return Reply({"url": url, "expireTime": LIFE_S})

    def _file(self, call: Call) -> tuple[str, str]:
        context = self._contexts.catalog.get(call.text("contextId"))
        path = clean_path("filePath", "/" + call.text("filePath").lstrip("/"))
        if path == "/":
            raise invalid_request("filePath must name a file")
        return context.id, path

    def _make(self, name: str) -> Context:
        try:
            return self._contexts.make(name)
        except NameTaken:
            return self._contexts.catalog.by_name(name)


async def sync(contexts: Contexts, session_id: str, call: Call) -> Reply:
    """Bring or save the files of a session; answers when that is done, or soon."""
    word = call.optional_text("mode") or Kind.UPLOAD.value
    if word not in (kind.value for kind in Kind):
        raise invalid_request(f"mode must be upload or download, not {word[:100]!r}")
    path = call.optional_text("path")
    begun = contexts.transfers.sync(
        session_id,
        call.optional_text("contextId"),
        clean_path("path", path) if path else "",
        Kind(word),
    )
    if begun is not None:
        await soon(begun)
    return Reply()


def serve_files(contexts: Contexts) -> Callable[[Request], Awaitable[Response]]:
    """Make the handler of the addresses of files; the address itself is the key.

    Args:
        contexts: The contexts.

    Returns:
        The handler, for GET and PUT.
    """

    async def serve(request: Request) -> Response:
        try:
            link = contexts.links.read(request.path_params["word"], request.method)
        except InvalidLink as error:
            return PlainTextResponse(f"{error}\n", 403)
        contexts.catalog.get(link.context_id)
        try:
            if link.method == "PUT":
                return await _receive(contexts, link, request)
            descriptor = contexts.shelf.open(link.context_id, link.path)
        except TooMuch as error:
            return PlainTextResponse(f"The file was not kept: {error}.\n", 413)
        except OSError:
            return PlainTextResponse(f"There is no file {link.path} in this context.\n", 404)
        return StreamingResponse(
            _pieces(descriptor),
            media_type="application/octet-stream",
            headers={"Content-Length": str(os.fstat(descriptor).st_size)},
        )

    return serve


async def _receive(contexts: Contexts, link: Link, request: Request) -> Response:
    async with contexts.transfers.lock(link.context_id):
        with contexts.shelf.writing(link.context_id, link.path) as incoming:
            await _take(request, incoming)
        return Response(headers={"ETag": f'"{incoming.tag()}"'})


async def _take(request: Request, incoming: Incoming) -> None:
    async for piece in request.stream():
        await asyncio.to_thread(incoming.write, piece)


async def _pieces(descriptor: int) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(os.read, descriptor, _CHUNK):
            yield piece
    finally:
        os.close(descriptor)


def _no_file(path: str) -> ApiFailure:
    return ApiFailure(
        400, "InvalidContextFile.NotFound", f"File not found in the context: {path[:200]}."
    )


def _describe(context: Context) -> dict[str, object]:
    return {
        "id": context.id,
        "name": context.name,
        "createTime": context.created,
        "lastUsedTime": context.used,
    }


def _describe_file(entry: Entry) -> dict[str, object]:
    return {
        "fileId": entry.path,
        "fileName": entry.name,
        "filePath": entry.path,
        "fileType": "folder" if entry.is_folder else "file",
        "gmtCreate": _time(entry.saved_s),
        "gmtModified": _time(entry.changed_s),
        "size": entry.size,
        "status": "ready",
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
