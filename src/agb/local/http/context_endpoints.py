"""The endpoints of contexts, and the addresses of their files."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

from ..contexts.catalog import Context
from ..contexts.failures import NameTaken
from ..contexts.file_transfer import CONTEXT_TYPE
from ..contexts.service import Contexts
from ..contexts.shelf import Entry
from ..contexts.transfers import Kind, soon
from ..machine.recipe import HOME
from ..settings import Settings
from .endpoint import Endpoint
from .envelope import ApiFailure, Reply, invalid_request
from .mounts import clean_path
from .requests import Call
from .signed_addresses import LIFE_S, Address, Addresses

FILES_PATH = "/files/"


class ContextEndpoints:
    """The handlers of all endpoints of contexts."""

    def __init__(self, contexts: Contexts, addresses: Addresses, settings: Settings) -> None:
        self._contexts = contexts
        self._addresses = addresses
        self._settings = settings

    def table(self) -> tuple[Endpoint, ...]:
        """List the endpoints."""
        return (
            Endpoint("GET", "/sdk/ListContexts", self.list),
            Endpoint("GET", "/sdk/GetContext", self.get),
            Endpoint("POST", "/sdk/ModifyContext", self.rename),
            Endpoint("POST", "/sdk/DeleteContext", self.delete),
            Endpoint("POST", "/sdk/ClearContext", self.clear),
            Endpoint("POST", "/sdk/DescribeContextFiles", self.list_files),
            Endpoint("POST", "/sdk/GetContextFileUploadUrl", self.upload_url),
            Endpoint("POST", "/sdk/GetContextFileDownloadUrl", self.download_url),
            Endpoint("POST", "/sdk/DeleteContextFile", self.delete_file),
        )

    async def list(self, call: Call) -> Reply:
        """List the contexts, oldest first."""
        limit = call.number(
            "maxResults",
            default=self._settings.default_page_size,
            at_most=self._settings.max_page_size,
        )
        page = self._contexts.catalog.page(limit, call.optional_text("nextToken") or None)
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
        context_id = call.text("contextId")
        if self._contexts.of_sessions.session_of(context_id) is None:
            context_id, path = self._file(call)
        else:
            # A path of the session, which only the session can make sense of.
            path = call.text("filePath")
        word = self._addresses.make(Address(method, context_id, path))
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


def load_internal(contexts: Contexts, session_id: str, call: Call) -> Reply:
    """Name the contexts that a session has without asking for them: the one for file transfer."""
    wanted = call.json_array("contextTypes")
    unknown = [each for each in wanted if each != CONTEXT_TYPE]
    if unknown:
        raise invalid_request(f"contextTypes may hold {CONTEXT_TYPE}, not {unknown[0]!r:.100}")
    found = {
        "contextId": contexts.of_sessions.of_session(session_id),
        "contextType": CONTEXT_TYPE,
        "contextPath": HOME,
    }
    return Reply([found] if wanted else [])


async def sync(contexts: Contexts, session_id: str, call: Call) -> Reply:
    """Bring or save the files of a session; answers when that is done, or soon."""
    word = call.optional_text("mode") or Kind.UPLOAD.value
    if word not in (kind.value for kind in Kind):
        raise invalid_request(f"mode must be upload or download, not {word[:100]!r}")
    path = call.optional_text("path")
    context_id = call.optional_text("contextId")
    if contexts.of_sessions.session_of(context_id) == session_id:
        contexts.transfers.note_done(session_id, context_id, path, Kind(word))
        return Reply()
    begun = contexts.transfers.sync(
        session_id,
        context_id,
        clean_path("path", path) if path else "",
        Kind(word),
    )
    if begun is not None:
        await soon(begun)
    return Reply()


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
