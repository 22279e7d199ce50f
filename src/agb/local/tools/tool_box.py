"""How a call of a tool runs in a session."""

from __future__ import annotations

import json
from collections.abc import Mapping

import anyio

from ..failures import ToolError
from ..sandboxes.sandbox import OnEvent
from ..sessions.live_session import Turn
from ..sessions.manager import SessionManager
from ..sessions.records import SessionRecord
from ..settings import Settings
from .all_tools import STREAMED, all_tools
from .arguments import check_arguments
from .results import Result
from .tool import Tool
from .tool_replies import CallFacts, ToolReply

SERVER = "local"
"""What stands where the cloud names the server inside a session that has a tool."""


class ToolBox:
    """Calls the tools of sessions."""

    def __init__(self, sessions: SessionManager, settings: Settings) -> None:
        self._sessions = sessions
        self._settings = settings
        self._tools = {tool.name: tool for tool in all_tools(settings)}

    def describe(self) -> str:
        """Describe the tools.

        Returns:
            A JSON array, as text.
        """
        return json.dumps(
            [
                {
                    "name": tool.name,
                    "description": tool.description,
                    "inputSchema": tool.input_schema(),
                    "server": SERVER,
                    "tool": tool.name,
                }
                for tool in self._tools.values()
            ]
        )

    def servers(self) -> str:
        """Say which server inside a session has each tool.

        Returns:
            A JSON array, as text.
        """
        return json.dumps([{"name": name, "server": SERVER} for name in self._tools])

    async def call(
        self, session: SessionRecord, name: str, given: Mapping[str, object], trace_id: str
    ) -> ToolReply:
        """Call a tool.

        Args:
            session: The session to call it in.
            name: Its name.
            given: Its arguments as they came.
            trace_id: Identifier of the request.

        Returns:
            The reply; a tool that fails is a reply too.

        Raises:
            SessionNotFound: The session was released meanwhile.
            SandboxError: The session's sandbox is gone or talks nonsense.
        """
        try:
            tool = self._tools.get(name)
            if tool is None:
                raise ToolError(f"Unknown tool {name[:100]!r}. There are: {', '.join(self._tools)}")
            arguments = check_arguments(tool.arguments, given)
            return await self._run(tool, session, arguments, trace_id)
        except ToolError as error:
            return ToolReply(str(error), is_error=True)

    async def stream(
        self, session_id: str, name: str, given: Mapping[str, object], on_event: OnEvent
    ) -> Result:
        """Call a tool that tells what happens before it answers.

        Args:
            session_id: The session to call it in.
            name: Its name, one of `STREAMED`.
            given: Its arguments as they came.
            on_event: Takes what it tells.

        Returns:
            The sandbox's answer, with what was not told.

        Raises:
            ToolError: An argument is wrong, or the tool could not run.
            SessionNotFound: There is no such session.
            SandboxError: The session's sandbox is gone or talks nonsense.
        """
        tool = self._tools[name]
        arguments = check_arguments(tool.arguments, given)
        return await self._result(tool, session_id, arguments, on_event)

    async def _run(
        self, tool: Tool, session: SessionRecord, arguments: dict[str, object], trace_id: str
    ) -> ToolReply:
        result = await self._result(tool, session.id, arguments)
        limit_s = self._limit_s(tool, arguments)
        return tool.reply(result, CallFacts(session.reply_form, trace_id, limit_s))

    async def _result(
        self,
        tool: Tool,
        session_id: str,
        arguments: dict[str, object],
        on_event: OnEvent | None = None,
    ) -> Result:
        limit_s = self._limit_s(tool, arguments)
        queue = str(arguments[tool.queue_by]) if tool.queue_by else None
        waits_as = tool.name if tool.waits_by else None
        async with self._sessions.turn(
            session_id, limit_s=limit_s, queue=queue, waits_as=waits_as
        ) as turn:
            return await self._execute(tool, turn, arguments, on_event)

    async def _execute(
        self, tool: Tool, turn: Turn, arguments: dict[str, object], on_event: OnEvent | None
    ) -> Result:
        margin_s = self._settings.reply_margin_s
        if tool.waits_by is not None:
            # Waiting for the turn was waiting too.
            wait_s = max(0.0, turn.remaining_s - self._settings.file_timeout_s)
            arguments = {**arguments, tool.waits_by: wait_s}
        if tool.limit is not None:
            # The sandbox stops the work and keeps what it printed; silence after that is a fault.
            remaining = {tool.limit.argument: turn.remaining_s / tool.limit.unit_s}
            timeout_s = turn.remaining_s + tool.limit.extra_s + margin_s
            method = tool.name if on_event is None else STREAMED[tool.name]
            params = {**arguments, **remaining}
            return await turn.call(method, params, timeout_s=timeout_s, on_event=on_event)
        try:
            with anyio.fail_after(turn.remaining_s):
                timeout_s = turn.remaining_s + margin_s
                return await turn.call(tool.name, arguments, timeout_s=timeout_s)
        except TimeoutError as error:
            limit_s = self._settings.file_timeout_s
            raise ToolError(f"Timed out: {tool.name} took longer than {limit_s:g} s.") from error

    def _limit_s(self, tool: Tool, arguments: Mapping[str, object]) -> float:
        if tool.limit is not None:
            return _seconds(arguments, tool.limit.argument) * tool.limit.unit_s
        waits_s = _seconds(arguments, tool.waits_by) if tool.waits_by else 0.0
        return waits_s + self._settings.file_timeout_s


def _seconds(arguments: Mapping[str, object], name: str) -> float:
    value = arguments[name]
    assert isinstance(value, int | float), "checked as a time"
    return value
