"""The client of the service.

Longer than other files, as more than half of it are docstrings of what users call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from .._core import logs
from .._core.config import LOCAL, Config, load_api_key, load_config
from .._core.exceptions import AGBError, InvalidArgumentError
from .._core.sessions.params import CreateSessionParams, all_context_syncs
from .._core.wire.retry import DEFAULT_MAX_RETRIES
from .client import Client
from .opened import OpenedSession

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    # Loaded by the first call: results and the modules of a session are 0.3 of the import time.
    from .._core.results import DeleteResult
    from .._core.sessions.results import GetSessionResult, SessionListResult, SessionResult
    from .context_service import ContextService
    from .session import BaseSession, Session


class AGB:
    """Create, find and delete sessions.

    One client serves a whole program: it is safe to share, connects at its first call, and needs
    no running event loop to be made. Closing it closes connections and deletes no session.

    Args:
        api_key: The API key; left out, `AGB_API_KEY` from the environment or `.env`. The embedded
            server (`AGB_ENDPOINT=local`) needs none.
        cfg: Endpoint and time-out; left out, the environment decides (see `load_config`).
        http_client: An httpx client to use instead of an own one; it stays open at `close`.
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
        >>> from agb import AGB, CreateSessionParams
        >>> with AGB.local() as agb:
        ...     with agb.open_session() as session:
        ...         result = session.code.run_code("6 * 7", "python")
        >>> result.result
        '42'
    """

    __module__ = "agb"

    def __init__(
        self,
        api_key: str = "",
        cfg: Config | None = None,
        *,
        http_client: httpx.Client | None = None,
        transport: httpx.BaseTransport | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
    ) -> None:
        logs.configure()
        self.config: Config = load_config(cfg)
        self.endpoint: str = self.config.endpoint
        self.timeout_ms: int = self.config.timeout_ms
        self.api_key: str = load_api_key(api_key, self.endpoint)
        self.client: Client = Client(
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
            >>> from agb import AGB
            >>> AGB.local().endpoint
            'local'
        """
        return cls(cfg=Config(endpoint=LOCAL, timeout_ms=timeout_ms), max_retries=max_retries)

    @cached_property
    def context(self) -> ContextService:
        """Contexts: files that outlive sessions.

        Example:
            >>> listed = agb.context.list()
            >>> listed.success
            True
        """
        from .context_service import contexts_of

        return contexts_of(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(endpoint={self.endpoint!r})"

    def create(self, params: CreateSessionParams | None = None) -> SessionResult[Session]:
        """Create a session, and wait until the files of its contexts are there.

        Args:
            params: Image, labels and contexts of the session; None for a session without any.

        Returns:
            The session in `session`, or the reason in `error_message`. Files of a context that
            can't be brought do not fail the creation: `session.context.info` tells.

        Example:
            >>> from agb import CreateSessionParams
            >>> params = CreateSessionParams(labels={"project": "demo"})
            >>> created = agb.create(params)
            >>> created.success, created.error_message
            (True, '')
            >>> deleted = agb.delete(created.session)
        """
        from .._core.sessions import operations as sessions

        params = CreateSessionParams() if params is None else params
        created = self.client.run(sessions.create(params))
        result = self._session_result(created)
        if result.success:
            result.session.image_id = params.image_id or ""
            if all_context_syncs(params):
                result.session._wait_for_contexts()
        return result

    def get(self, session_id: str) -> SessionResult[Session]:
        """Find a session by its id.

        Args:
            session_id: Id of the session.

        Returns:
            The session in `session`, or the reason in `error_message`.

        Example:
            >>> found = agb.get(session.session_id)
            >>> found.session.session_id == session.session_id
            True
        """
        return self._session_result(self.get_session(session_id))

    def get_session(self, session_id: str) -> GetSessionResult:
        """Ask what the service knows of a session.

        Args:
            session_id: Id of the session.

        Returns:
            The raw form of `get`.

        Example:
            >>> found = agb.get_session(session.session_id)
            >>> found.data.session_id == session.session_id
            True
        """
        from .._core.sessions import operations as sessions

        return self.client.run(sessions.get(session_id))

    def list(
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
            >>> _ = session.set_labels({"project": "listed"})
            >>> listed = agb.list({"project": "listed"})
            >>> listed.session_ids == [session.session_id], listed.total_count
            (True, 1)
        """
        from .._core.sessions import listing

        return self.client.run(listing.list_page(labels, page, limit, next_token))

    def iter_sessions(
        self, labels: Mapping[str, str] | None = None, limit: int | None = None
    ) -> Iterator[str]:
        """Go through the ids of all active sessions, with one request a page.

        Args:
            labels: Only sessions that carry all of these labels; None for all sessions.
            limit: Sessions on a page; None means 10.

        Yields:
            One id after the other; the next page is asked for when the last one is used up.

        Raises:
            AGBError: If a page can't be read.

        Example:
            >>> _ = session.set_labels({"project": "walked"})
            >>> for session_id in agb.iter_sessions({"project": "walked"}, limit=100):
            ...     print(session_id == session.session_id)
            True
        """
        token: str | None = None
        while token != "":  # the last page has no token of a next one
            page = self.list(labels, limit=limit, next_token=token)
            page.raise_for_error()
            for session_id in page.session_ids:
                yield session_id
            token = page.next_token

    def delete(
        self, session: BaseSession, sync_context: bool = False, *, wait: bool = False
    ) -> DeleteResult:
        """Delete a session.

        Args:
            session: The session.
            sync_context: Sync all contexts of the session first, and wait for it.
            wait: Also wait until nothing is left of the session, for five minutes at most.

        Returns:
            The same as `session.delete(sync_context, wait=wait)`.

        Example:
            >>> created = agb.create()
            >>> deleted = agb.delete(created.session)
            >>> deleted.success
            True
        """
        from .._core.results import DeleteResult
        from .session import is_session

        if not is_session(session):
            wrong = InvalidArgumentError(f"session must be a session (found {session!r:.100})")
            return DeleteResult.failed(wrong)
        return session.delete(sync_context, wait=wait)

    def open_session(
        self, params: CreateSessionParams | None = None, sync_context: bool = False
    ) -> OpenedSession:
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
            >>> with agb.open_session() as session:
            ...     result = session.command.execute_command("echo hi")
            >>> result.stdout.strip()
            'hi'
        """
        return OpenedSession(self, params, sync_context)

    def close(self) -> None:
        """Close the connections; sessions live on. A call after that raises RuntimeError.

        Example:
            >>> from agb import AGB
            >>> other = AGB.local()
            >>> other.close()
        """
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _session_result(self, found: GetSessionResult) -> SessionResult[Session]:
        from .._core.sessions.results import SessionResult
        from .session import found_session

        if not found.success:
            return SessionResult.failed(found.exception or AGBError(found.error_message))
        session = found_session(self, found.data)
        return SessionResult(request_id=found.request_id, success=True, session=session)
