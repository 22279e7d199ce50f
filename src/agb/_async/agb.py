"""The client of the service.

Longer than other files, as more than half of it are docstrings of what users call.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from .._core import logs
from .._core.config import LOCAL, Config, load_api_key, load_config
from .._core.exceptions import AGBError, InvalidArgumentError
from .._core.sessions.params import CreateSessionParams, all_context_syncs
from .._core.wire.retry import DEFAULT_MAX_RETRIES
from .client import AsyncClient
from .opened import AsyncOpenedSession

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    # Loaded by the first call: results and the modules of a session are 0.3 of the import time.
    from .._core.results import DeleteResult
    from .._core.sessions.results import GetSessionResult, SessionListResult, SessionResult
    from .context_service import AsyncContextService
    from .session import AsyncBaseSession, AsyncSession


class AsyncAGB:
    """Create, find and delete sessions.

    One client serves a whole program: it is safe to share, connects at its first call, and needs
    no running event loop to be made. Closing it closes connections and deletes no session.

    Args:
        api_key: The API key; left out, `AGB_API_KEY` from the environment or `.env`. The embedded
            server (`AGB_ENDPOINT=local`) needs none.
        cfg: Endpoint and time-out; left out, the environment decides (see `load_config`).
        http_client: An httpx client to use instead of an own one; it stays open at `aclose`.
        transport: An httpx transport for the own client, for tests.
        max_retries: How often a call is sent again where that is safe: it was not delivered, was
            refused with `Retry-After`, or only reads. 0 for never.

    Attributes:
        api_key: The API key.
        endpoint: The endpoint, as configured.
        timeout_ms: How long one request may take, in milliseconds.
        config: The settings in use.
        client: The HTTP side.
        context: Contexts: files that outlive sessions.

    Raises:
        InvalidArgumentError: A `ValueError`: there is no API key, or a setting can't be used.

    Example:
        >>> from agb import AsyncAGB, CreateSessionParams
        >>> async with AsyncAGB.local() as agb:
        ...     async with agb.open_session() as session:
        ...         result = await session.code.run_code("6 * 7", "python")
        >>> result.result
        '42'
    """

    __module__ = "agb"

    def __init__(
        self,
        api_key: str = "",
        cfg: Config | None = None,
        *,
        http_client: httpx.AsyncClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
    ) -> None:
        logs.configure()
        self.config: Config = load_config(cfg)
        self.endpoint: str = self.config.endpoint
        self.timeout_ms: int = self.config.timeout_ms
        self.api_key: str = load_api_key(api_key, self.endpoint)
        self.client: AsyncClient = AsyncClient(
            self.config,
            self.api_key,
            http_client=http_client,
            transport=transport,
            max_retries=max_retries,
        )

    @classmethod
    def local(cls, *, timeout_ms: int = 60_000, max_retries: int = DEFAULT_MAX_RETRIES) -> Self:
        """Make a client of the embedded server: sandboxes on this machine, no account.

        Args:
            timeout_ms: How long one request may take, in milliseconds.
            max_retries: How often a call that is safe to repeat is sent again; 0 turns it off.

        Returns:
            The same as with `AGB_ENDPOINT=local`.

        Example:
            >>> from agb import AsyncAGB
            >>> AsyncAGB.local().endpoint
            'local'
        """
        return cls(cfg=Config(endpoint=LOCAL, timeout_ms=timeout_ms), max_retries=max_retries)

    @cached_property
    def context(self) -> AsyncContextService:
        """Contexts: files that outlive sessions.

        Example:
            >>> listed = await agb.context.list()
            >>> listed.success
            True
        """
        from .context_service import contexts_of

        return contexts_of(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"

    async def create(
        self, params: CreateSessionParams | None = None
    ) -> SessionResult[AsyncSession]:
        """Create a session, and wait until the files of its contexts are there.

        Args:
            params: Image, labels and contexts of the session; None for a session without any.

        Returns:
            The session in `session`, or the reason in `error_message`. Files of a context that
            can't be brought do not fail the creation: `session.context.info` tells.

        Example:
            >>> from agb import CreateSessionParams
            >>> params = CreateSessionParams(labels={"project": "demo"})
            >>> created = await agb.create(params)
            >>> created.success, created.error_message
            (True, '')
            >>> deleted = await agb.delete(created.session)
        """
        from .._core.sessions import operations as sessions

        params = CreateSessionParams() if params is None else params
        created = await self.client.run(sessions.create(params))
        result = self._session_result(created)
        if result.success:
            result.session.image_id = params.image_id or ""
            if all_context_syncs(params):
                await result.session._wait_for_contexts()
        return result

    async def get(self, session_id: str) -> SessionResult[AsyncSession]:
        """Find a session by its id.

        Args:
            session_id: Id of the session.

        Returns:
            The session in `session`, or the reason in `error_message`.

        Example:
            >>> found = await agb.get(session.session_id)
            >>> found.session.session_id == session.session_id
            True
        """
        return self._session_result(await self.get_session(session_id))

    async def get_session(self, session_id: str) -> GetSessionResult:
        """Ask what the service knows of a session.

        Args:
            session_id: Id of the session.

        Returns:
            The raw form of `get`.

        Example:
            >>> found = await agb.get_session(session.session_id)
            >>> found.data.session_id == session.session_id
            True
        """
        from .._core.sessions import operations as sessions

        return await self.client.run(sessions.get(session_id))

    async def list(
        self,
        labels: Mapping[str, str] | None = None,
        page: int | None = None,
        limit: int | None = None,
        *,
        next_token: str | None = None,
    ) -> SessionListResult:
        """List the ids of active sessions.

        Args:
            labels: Only sessions that carry all of these labels; None for all sessions.
            page: Number of the page, from 1; None means 1. Page N takes N requests.
            limit: Sessions on a page; None means 10.
            next_token: The `next_token` of the page before, instead of `page`: one request.

        Returns:
            The ids, and how many there are on all pages. No match is a success with no ids;
            a page past the end fails.

        Example:
            >>> _ = await session.set_labels({"project": "listed"})
            >>> listed = await agb.list({"project": "listed"})
            >>> listed.session_ids == [session.session_id], listed.total_count
            (True, 1)
        """
        from .._core.sessions import listing

        return await self.client.run(listing.list_page(labels, page, limit, next_token))

    async def iter_sessions(
        self, labels: Mapping[str, str] | None = None, limit: int | None = None
    ) -> AsyncIterator[str]:
        """Go through the ids of all active sessions, with one request a page.

        Args:
            labels: Only sessions that carry all of these labels; None for all sessions.
            limit: Sessions on a page; None means 10.

        Yields:
            One id after the other; the next page is asked for when the last one is used up.

        Raises:
            AGBError: If a page can't be read.

        Example:
            >>> _ = await session.set_labels({"project": "walked"})
            >>> async for session_id in agb.iter_sessions({"project": "walked"}, limit=100):
            ...     print(session_id == session.session_id)
            True
        """
        token: str | None = None
        while token != "":  # the last page has no token of a next one
            page = await self.list(labels, limit=limit, next_token=token)
            page.raise_for_error()
            for session_id in page.session_ids:
                yield session_id
            token = page.next_token

    async def delete(
        self, session: AsyncBaseSession, sync_context: bool = False, *, wait: bool = False
    ) -> DeleteResult:
        """Delete a session.

        Args:
            session: The session.
            sync_context: Sync all contexts of the session first, and wait for it.
            wait: Also wait until nothing is left of the session, for five minutes at most.

        Returns:
            The same as `session.delete(sync_context, wait=wait)`.

        Example:
            >>> created = await agb.create()
            >>> deleted = await agb.delete(created.session)
            >>> deleted.success
            True
        """
        from .._core.results import DeleteResult
        from .session import is_session

        if not is_session(session):
            wrong = InvalidArgumentError(f"session must be a session (found {session!r:.100})")
            return DeleteResult.failed(wrong)
        return await session.delete(sync_context, wait=wait)

    def open_session(
        self, params: CreateSessionParams | None = None, sync_context: bool = False
    ) -> AsyncOpenedSession:
        """Create a session for the length of a block, and delete it at the end.

        The deletion also happens after an exception or a cancellation; should it fail, that is
        logged and hides no other error.

        Args:
            params: Image and labels of the session.
            sync_context: Sync all contexts of the session before its deletion.

        Returns:
            A context manager that gives the session.

        Raises:
            SessionError: On entering, if the session can't be created; the typed reason, such as
                AuthenticationError, is its `__cause__`.

        Example:
            >>> async with agb.open_session() as session:
            ...     result = await session.command.execute_command("echo hi")
            >>> result.stdout.strip()
            'hi'
        """
        return AsyncOpenedSession(self, params, sync_context)

    async def aclose(self) -> None:
        """Close the connections; sessions live on. A call after that raises RuntimeError.

        Example:
            >>> from agb import AsyncAGB
            >>> other = AsyncAGB.local()
            >>> await other.aclose()
        """
        await self.client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _session_result(self, found: GetSessionResult) -> SessionResult[AsyncSession]:
        from .._core.sessions.results import SessionResult
        from .session import found_session

        if not found.success:
            return SessionResult.failed(found.exception or AGBError(found.error_message))
        session = found_session(self, found.data)
        return SessionResult(request_id=found.request_id, success=True, session=session)
