"""Contexts: sets of files that outlive sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .._core.contexts import operations as contexts
from .._core.contexts.file_results import ContextFileListResult, FileUrlResult
from .._core.contexts.results import (
    ClearContextResult,
    Context,
    ContextListParams,
    ContextListResult,
    ContextResult,
)
from .._core.results import OperationResult
from .._core.wire.operation import Steps

if TYPE_CHECKING:
    from .agb import AsyncAGB

T = TypeVar("T")


class AsyncContextService:
    """Find, make, change and delete contexts, and work with their files.

    Reached as `agb.context`.

    Args:
        agb: The client that the service belongs to.

    Example:
        >>> made = await agb.context.create("docs-example")
        >>> made.success
        True
        >>> deleted = await agb.context.delete(made.context)
    """

    __module__ = "agb"

    def __init__(self, agb: AsyncAGB) -> None:
        self.agb: AsyncAGB = agb

    async def list(self, params: ContextListParams | None = None) -> ContextListResult:
        """List contexts.

        Args:
            params: Which page, and how long; None means the first ten.

        Returns:
            The contexts of one page, and in `next_token` where the next one begins.

        Example:
            >>> from agb import ContextListParams
            >>> _ = await agb.context.create("list-example")
            >>> listed = await agb.context.list(ContextListParams(max_results=100))
            >>> "list-example" in [context.name for context in listed.contexts]
            True
        """
        return await self._run(contexts.list_page(params))

    async def get(
        self,
        name: str | None = None,
        create: bool = False,
        login_region_id: str | None = None,
        context_id: str | None = None,
    ) -> ContextResult:
        """Find a context by its name or its id.

        Args:
            name: Its name.
            create: Make it if there is none of that name.
            login_region_id: Region to make it in; None leaves the choice to the service.
            context_id: Its id, instead of the name.

        Returns:
            The context in `context`, or the reason in `error_message`.

        Example:
            >>> made = await agb.context.get("get-example", create=True)
            >>> found = await agb.context.get(context_id=made.context_id)
            >>> found.context.name
            'get-example'
        """
        return await self._run(contexts.get(name, create, login_region_id, context_id))

    async def create(self, name: str) -> ContextResult:
        """Make a context; if there is one of that name already, find it.

        Args:
            name: Its name.

        Returns:
            The context in `context`, or the reason in `error_message`.

        Example:
            >>> made = await agb.context.create("create-example")
            >>> made.success, made.context.name
            (True, 'create-example')
        """
        return await self._run(contexts.create(name))

    async def update(self, context: Context) -> OperationResult[dict[str, str]]:
        """Rename a context.

        Args:
            context: The context, with its new name in `name`.

        Returns:
            The result, with `context_id` in `data`.

        Example:
            >>> made = await agb.context.create("old-name")
            >>> made.context.name = "new-name"
            >>> updated = await agb.context.update(made.context)
            >>> updated.success
            True
            >>> deleted = await agb.context.delete(made.context)
        """
        return await self._run(contexts.rename(context))

    async def delete(self, context: Context) -> OperationResult[dict[str, str]]:
        """Delete a context with all its files.

        Args:
            context: The context.

        Returns:
            The result, with `context_id` in `data`.

        Example:
            >>> made = await agb.context.create("delete-example")
            >>> deleted = await agb.context.delete(made.context)
            >>> deleted.success
            True
        """
        return await self._run(contexts.delete(context))

    async def clear_async(self, context_id: str) -> ClearContextResult:
        """Begin to empty a context; `get_clear_status` tells how far that is.

        Args:
            context_id: Id of the context.

        Returns:
            The result, with `clearing` in `status`.

        Example:
            >>> made = await agb.context.create("clear-async-example")
            >>> begun = await agb.context.clear_async(made.context_id)
            >>> begun.status
            'clearing'
        """
        return await self._run(contexts.clear_async(context_id))

    async def get_clear_status(self, context_id: str) -> ClearContextResult:
        """Ask how far the emptying of a context is.

        Args:
            context_id: Id of the context.

        Returns:
            The result, with `clearing` or `available` in `status`.

        Example:
            >>> made = await agb.context.create("clear-status-example")
            >>> asked = await agb.context.get_clear_status(made.context_id)
            >>> asked.status
            'available'
        """
        return await self._run(contexts.get_clear_status(context_id))

    async def clear(
        self, context_id: str, timeout: float = 60, poll_interval: float = 2.0
    ) -> ClearContextResult:
        """Empty a context, and wait until that is done.

        Args:
            context_id: Id of the context.
            timeout: How long to wait, in seconds.
            poll_interval: How long to wait between two questions, in seconds.

        Returns:
            The result, with `available` in `status`.

        Raises:
            ClearanceTimeoutError: It was not done in time. This is the one call whose failure is
                raised, because the official one does so.

        Example:
            >>> made = await agb.context.create("clear-example")
            >>> cleared = await agb.context.clear(made.context_id, poll_interval=0.1)
            >>> cleared.status
            'available'
        """
        return await self._run(contexts.clear(context_id, timeout, poll_interval))

    async def get_file_download_url(self, context_id: str, file_path: str) -> FileUrlResult:
        """Ask for an address from which anybody can read a file of a context, for a while.

        Args:
            context_id: Id of the context.
            file_path: Path of the file, as `list_files` gives it.

        Returns:
            The address in `url`.

        Example:
            >>> made = await agb.context.create("download-example")
            >>> asked = await agb.context.get_file_download_url(made.context_id, "/report.txt")
            >>> asked.success == bool(asked.url)
            True
        """
        return await self._run(contexts.file_download_url(context_id, file_path))

    async def get_file_upload_url(self, context_id: str, file_path: str) -> FileUrlResult:
        """Ask for an address to which anybody can write a file of a context, for a while.

        Args:
            context_id: Id of the context.
            file_path: Path of the file.

        Returns:
            The address in `url`, for an HTTP PUT of the file's bytes.

        Example:
            >>> made = await agb.context.create("upload-example")
            >>> asked = await agb.context.get_file_upload_url(made.context_id, "/report.txt")
            >>> asked.url.startswith("http")
            True
        """
        return await self._run(contexts.file_upload_url(context_id, file_path))

    async def delete_file(self, context_id: str, file_path: str) -> OperationResult[bool]:
        """Delete a file of a context.

        Args:
            context_id: Id of the context.
            file_path: Path of the file.

        Returns:
            The result.

        Example:
            >>> made = await agb.context.create("delete-file-example")
            >>> missing = await agb.context.delete_file(made.context_id, "/nothing")
            >>> missing.success
            False
        """
        return await self._run(contexts.delete_file(context_id, file_path))

    async def list_files(
        self,
        context_id: str,
        parent_folder_path: str | None = None,
        page_number: int = 1,
        page_size: int = 50,
    ) -> ContextFileListResult:
        """List the files and folders in a folder of a context.

        Args:
            context_id: Id of the context.
            parent_folder_path: The folder; None means the top one.
            page_number: Number of the page, from 1.
            page_size: Entries on a page.

        Returns:
            The entries of one page, and how many there are on all pages.

        Example:
            >>> made = await agb.context.create("list-files-example")
            >>> listed = await agb.context.list_files(made.context_id)
            >>> listed.entries, listed.count
            ([], 0)
        """
        return await self._run(
            contexts.list_files(context_id, parent_folder_path, page_number, page_size)
        )

    async def _run(self, operation: Steps[T]) -> T:
        return await self.agb.client.run(operation)


def contexts_of(agb: AsyncAGB) -> AsyncContextService:
    """Make the contexts of a client; loaded at their first use, as a function of this module."""
    return AsyncContextService(agb)
