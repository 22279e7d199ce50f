"""A session for the length of a block."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from .._core.exceptions import SessionError
from .._core.sessions.params import CreateSessionParams

if TYPE_CHECKING:
    from .agb import AsyncAGB
    from .session import AsyncSession


class AsyncOpenedSession:
    """What `open_session` returns: creates a session on entering, deletes it on leaving.

    Args:
        agb: The client that creates the session.
        params: Image and labels of the session.
        sync_context: Sync all contexts of the session before its deletion.

    Example:
        >>> async with agb.open_session() as opened:
        ...     done = await opened.command.execute("true")
        >>> done.exit_code
        0
    """

    __module__ = "agb"

    def __init__(
        self, agb: AsyncAGB, params: CreateSessionParams | None, sync_context: bool
    ) -> None:
        self._agb = agb
        self._params = params
        self._sync_context = sync_context
        self._session: AsyncSession | None = None

    async def __aenter__(self) -> AsyncSession:
        if self._session is not None:
            raise RuntimeError("This session is open already; call open_session again for another")
        result = await self._agb.create(self._params)
        if not result.success:
            reason = result.exception
            facts = {**reason.extra, "status_code": reason.status_code} if reason else {}
            raise SessionError(
                f"Failed to create a session: {result.error_message}", **facts
            ) from reason
        self._session = result.session
        return result.session

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session._clean_up(sync_context=self._sync_context)
