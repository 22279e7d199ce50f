"""The endpoints: what each answers. How requests arrive and leave is not their business."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

from ..sessions.manager import SessionManager
from ..sessions.records import SessionRecord
from ..settings import Settings
from ..tools.tool_box import ToolBox
from .context_endpoints import ContextEndpoints, load_internal, sync
from .endpoint import Endpoint
from .envelope import ApiFailure, Reply, invalid_request, not_supported, tool_content
from .mounts import read_mounts
from .requests import Call
from .signed_addresses import Addresses
from .streams import stream_url

TOOL_CALL_PATH = "/mcp"

# What clients ask for, as for the cloud; there is no encryption here.
_LINK_SCHEMES = {"http": "http", "https": "http", "ws": "ws", "wss": "ws"}


class Endpoints:
    """The handlers of all endpoints."""

    def __init__(
        self, sessions: SessionManager, tools: ToolBox, addresses: Addresses, settings: Settings
    ) -> None:
        self._sessions = sessions
        self._tools = tools
        self._settings = settings
        self._contexts = ContextEndpoints(sessions.contexts, addresses, settings)

    def table(self) -> tuple[Endpoint, ...]:
        """List the endpoints.

        Returns:
            Each endpoint once.
        """
        return (
            # Nobody else would learn the identifier of a session whose creator has hung up.
            Endpoint("POST", "/mcp/createSession", self.create_session, ends_with_client=True),
            Endpoint("POST", "/mcp/releaseSession", self.release_session),
            Endpoint("POST", "/mcp/releaseSessionAsync", self.release_session_async),
            Endpoint("POST", "/mcp/getSession", self.get_session),
            Endpoint("POST", "/mcp/getSessionInfo", self.get_session_info),
            Endpoint("POST", "/mcp/refreshSessionIdleTime", self.keep_alive),
            Endpoint("POST", "/mcp/getMcpResource", self.get_resource),
            Endpoint("POST", "/mcp/listTools", self.list_tools),
            # The two paths are two generations of clients.
            Endpoint("GET", "/internet/getLink", self.get_link),
            Endpoint("GET", "/mcp/getLink", self.get_link),
            Endpoint("GET", "/sdk/ListSession", self.list_sessions),
            Endpoint("POST", "/sdk/SetLabel", self.set_labels),
            Endpoint("GET", "/sdk/GetLabel", self.get_labels),
            Endpoint("POST", "/sdk/SyncContext", self.sync_context),
            Endpoint("GET", "/sdk/GetContextInfo", self.get_context_info),
            Endpoint("POST", "/sdk/GetAndLoadInternalContext", self.load_internal_context),
            Endpoint("POST", TOOL_CALL_PATH, self.call_tool, ends_with_client=True),
            *self._contexts.table(),
        )

    async def create_session(self, call: Call) -> Reply:
        """Create a session; an image id is noted, every image is the same here."""
        if call.parameters.get("contextId"):
            raise not_supported("Contexts of a session are named in persistenceDataList here.")
        idle_timeout_s = None
        if call.parameters.get("timeout") is not None:
            idle_timeout_s = call.number("timeout", default=1, at_most=10**9)
        session = await self._sessions.create(
            labels=call.labels(at_most=self._settings.max_labels),
            image_id=call.optional_text("imageId"),
            reply_form=call.reply_form(),
            idle_timeout_s=idle_timeout_s,
            mounts=read_mounts(call.parameters.get("persistenceDataList")),
        )
        return Reply({**self._describe(session, call), "success": True, "errMsg": None})

    async def release_session(self, call: Call) -> Reply:
        """End a session and wait until nothing is left of it."""
        # Shielded: the end of a session does not depend on who waits for it.
        await asyncio.shield(self._sessions.release(call.text("sessionId")))
        return Reply()

    async def release_session_async(self, call: Call) -> Reply:
        """Begin to end a session; `getSessionInfo` tells when it is gone."""
        self._sessions.release(call.text("sessionId"))
        return Reply()

    async def get_session(self, call: Call) -> Reply:
        """Describe a session."""
        session = self._session(call)
        return Reply({**self._describe(session, call), "status": session.status.value})

    async def get_session_info(self, call: Call) -> Reply:
        """Tell where a session is in its life."""
        return Reply({"status": self._session(call).status.value})

    async def get_resource(self, call: Call) -> Reply:
        """Describe the resource of a session; there is no desktop to describe."""
        session = self._session(call)
        tier = self._sessions.isolation.tier
        return Reply({"sessionId": session.id, "resourceUrl": "", "isolation": tier})

    async def list_tools(self, call: Call) -> Reply:
        """Describe the tools, the same in every session."""
        return Reply(self._tools.describe())

    async def get_link(self, call: Call) -> Reply:
        """Give the address of a port of a session."""
        session = self._session(call)
        if not call.parameters.get("port"):
            raise invalid_request(
                "port is required here: the one, from 1 to 65535, that a program in the session "
                "listens on"
            )
        port = call.number("port", default=1, at_most=65535)
        protocol = call.optional_text("protocolType").lower() or "http"
        if protocol not in _LINK_SCHEMES:
            raise invalid_request(f"protocolType must be one of {', '.join(_LINK_SCHEMES)}")
        try:
            link = await self._sessions.link(session.id, port, call.listener)
        except OSError as error:
            message = f"The server can't listen for a link: {error.strerror or error}"
            raise ApiFailure(500, "LinkFailed", message) from error
        # The name by which the client knows this machine.
        host = urlsplit(call.base_url).hostname or call.listener
        netloc = f"[{host}]:{link.port}" if ":" in host else f"{host}:{link.port}"
        address = f"{_LINK_SCHEMES[protocol]}://{netloc}/{link.admission.secret}/"
        return Reply({"url": address})

    async def list_sessions(self, call: Call) -> Reply:
        """List the running sessions that carry all of the given labels."""
        limit = call.number(
            "maxResults",
            default=self._settings.default_page_size,
            at_most=self._settings.max_page_size,
        )
        labels = call.labels(at_most=self._settings.max_labels)
        page = self._sessions.page(labels, limit, call.optional_text("nextToken") or None)
        return Reply(
            [
                {"sessionId": session.id, "sessionStatus": session.status.value}
                for session in page.records
            ],
            siblings={"nextToken": page.next_token, "maxResults": limit, "count": page.total},
        )

    async def set_labels(self, call: Call) -> Reply:
        """Give a session these labels and no others."""
        labels = call.labels(at_most=self._settings.max_labels)
        self._sessions.replace_labels(call.text("sessionId"), labels)
        return Reply()

    async def get_labels(self, call: Call) -> Reply:
        """Read the labels of a session, as JSON text inside JSON."""
        return Reply({"labels": json.dumps(self._sessions.labels(call.text("sessionId")))})

    async def sync_context(self, call: Call) -> Reply:
        """Bring or save the files of the contexts of a session."""
        return await sync(self._sessions.contexts, self._session(call).id, call)

    async def get_context_info(self, call: Call) -> Reply:
        """Tell how far the transfers of a session are."""
        status = self._sessions.contexts.transfers.describe(
            self._session(call).id,
            call.optional_text("contextId"),
            call.optional_text("path"),
            call.optional_text("taskType"),
        )
        return Reply({"contextStatus": status})

    async def load_internal_context(self, call: Call) -> Reply:
        """Name the context that stands for the files of a session."""
        return load_internal(self._sessions.contexts, self._session(call).id, call)

    async def keep_alive(self, call: Call) -> Reply:
        """Begin to count the idle time of a session anew, as every call does."""
        self._session(call)
        return Reply()

    async def call_tool(self, call: Call) -> Reply:
        """Call a tool in a session."""
        session = self._session(call)
        name = call.text("name")
        arguments = call.json_object("args")
        reply = await self._tools.call(session, name, arguments, call.request_id)
        return Reply(tool_content(reply.text, is_error=reply.is_error))

    def _session(self, call: Call) -> SessionRecord:
        return self._sessions.get(call.text("sessionId"))

    def _describe(self, session: SessionRecord, call: Call) -> dict[str, object]:
        number = session.id.rpartition("-")[2]
        described: dict[str, object] = {
            "sessionId": session.id,
            "appInstanceId": f"instance-{number}",
            "resourceId": f"resource-{number}",
            # No page shows a local session.
            "resourceUrl": "",
        }
        token = self._sessions.stream_token(session.id)
        if token:
            # No linkUrl beside them: clients would then call tools there and not at `/mcp`.
            described["wsUrl"] = stream_url(call.base_url, session.id)
            described["token"] = token
            described["toolList"] = self._tools.servers()
        return described
