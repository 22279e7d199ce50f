"""The contexts of one session."""

from __future__ import annotations

from collections.abc import Callable

from .._core.contexts import sync_operations
from .._core.contexts.sync_results import ContextInfoResult, ContextSyncResult
from .._pair.callbacks import async_notify
from .service import AsyncBaseService


class AsyncContextManager(AsyncBaseService):
    """The contexts of a session: save their files, bring them, and ask how far that is.

    Reached as `session.context`. Which contexts a session has is said when it is created, by
    `context_syncs` of `CreateSessionParams`.

    Example:
        >>> found = await session.context.info()
        >>> found.success
        True
    """

    __module__ = "agb"

    async def info(
        self,
        context_id: str | None = None,
        path: str | None = None,
        task_type: str | None = None,
    ) -> ContextInfoResult:
        """Ask how far the transfers of the session are.

        Args:
            context_id: Only those of this context; None for all.
            path: Only those at this path; None for all.
            task_type: Only `upload` or only `download`; None for both.

        Returns:
            One item for each transfer.

        Example:
            >>> asked = await session.context.info()
            >>> asked.success, asked.context_status_data
            (True, [])
        """
        return await self._run(
            sync_operations.info(self.session.session_id, context_id, path, task_type)
        )

    async def sync(
        self,
        context_id: str | None = None,
        path: str | None = None,
        mode: str | None = None,
        callback: Callable[[bool], object] | None = None,
        max_retries: int = sync_operations.SYNC_POLLS,
        retry_interval: float = sync_operations.SYNC_INTERVAL_MS,
    ) -> ContextSyncResult:
        """Save the files of contexts, or bring them, and wait until that is done.

        Args:
            context_id: Only this context, with `path`; None for all contexts of the session.
            path: Where that context is in the session.
            mode: `upload` saves, `download` brings; None leaves the choice to the service, which
                saves.
            callback: Called with the success just before this returns; an async function is
                waited for.
            max_retries: How often to ask whether it is done.
            retry_interval: How long to wait between two questions, in milliseconds.

        Returns:
            The result; a session without contexts has nothing to do, which is a success.

        Example:
            >>> synced = await session.context.sync()
            >>> synced.success
            True
        """
        operation = sync_operations.sync(
            self.session.session_id, context_id, path, mode, max_retries, retry_interval
        )
        result = await self._run(operation)
        await async_notify(callback, result.success)
        return result
