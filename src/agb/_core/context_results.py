"""Contexts as values, and what their calls return.

`error_message` of the results of `agb.context` is None on success, as documented; everywhere else
it is `""` then.
"""

from __future__ import annotations

from collections.abc import Generator

from attrs import define, field, frozen

from agb._core.payloads import list_or_empty
from agb._core.results import Result


@define
class Context:
    """A set of files that outlives sessions.

    Args:
        id: Its id.
        name: Its name.
        created_at: When it was made, as the service writes it; None if it does not say.
        last_used_at: When a session last used it; None if the service does not say.

    Example:
        >>> from agb import Context
        >>> Context('c-1', 'data').name
        'data'
    """

    __module__ = "agb"

    id: str
    name: str
    created_at: str | None = None
    last_used_at: str | None = None


@define
class ContextListParams:
    """Say which page of contexts to list.

    Args:
        max_results: Contexts on a page; None means 10.
        next_token: `next_token` of the page before; None means the first page.

    Example:
        >>> from agb import ContextListParams
        >>> ContextListParams(max_results=5).max_results
        5
    """

    __module__ = "agb"

    max_results: int | None = None
    next_token: str | None = None


@frozen(unsafe_hash=False)
class ContextResult(Result):
    """The result of finding or making a context.

    Args:
        request_id: The server's id of the request.
        success: Whether there is a context.
        context_id: Its id, `""` on failure.
        context: The context; None on failure.
        error_message: Why not, None on success.

    Example:
        >>> from agb import ContextResult
        >>> ContextResult(success=True, context_id='c-1').context_id
        'c-1'
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    context_id: str = ""
    context: Context = None  # type: ignore[assignment]  # None on failure only
    error_message: str = None  # type: ignore[assignment]  # see the module's docstring

    def unwrap(self) -> Context:
        """Return the context, or raise the error of a failed result.

        Example:
            >>> from agb import ContextResult
            >>> ContextResult(success=True, context_id='c-1').unwrap()
        """
        return self.raise_for_error().context


@frozen(unsafe_hash=False)
class ContextListResult(Result):
    """One page of contexts.

    Args:
        request_id: The server's id of the request.
        success: Whether the page was read.
        contexts: The contexts on it.
        next_token: Where the next page begins, `""` on the last one.
        max_results: The page size.
        total_count: How many contexts there are on all pages; 0 if the service does not say.
        error_message: Why not, None on success.

    Example:
        >>> from agb import ContextListResult
        >>> ContextListResult(success=True, contexts=[]).contexts
        []
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    contexts: list[Context] = field(factory=list[Context], converter=list_or_empty)
    next_token: str = ""
    max_results: int = 0
    total_count: int = 0
    error_message: str = None  # type: ignore[assignment]  # see the module's docstring

    def unwrap(self) -> list[Context]:
        """Return the contexts, or raise the error of a failed result.

        Example:
            >>> from agb import ContextListResult
            >>> ContextListResult(success=True, contexts=[]).unwrap()
            []
        """
        return self.raise_for_error().contexts


@frozen(unsafe_hash=False)
class ClearContextResult(Result):
    """The result of emptying a context, or of asking how far that is.

    Args:
        request_id: The server's id of the request.
        success: Whether the call did what was asked.
        error_message: Why not, None on success.
        status: `clearing`, or `available` when the context can be used; `""` on failure.
        context_id: Id of the context.

    Example:
        >>> from agb import ClearContextResult
        >>> ClearContextResult(success=True, status='available', context_id='c-1').status
        'available'
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    error_message: str = None  # type: ignore[assignment]  # see the module's docstring
    status: str = ""
    context_id: str = ""

    def unwrap(self) -> str:
        """Return the status, or raise the error of a failed result.

        Example:
            >>> from agb import ClearContextResult
            >>> ClearContextResult(success=True, status='available', context_id='c-1').unwrap()
            'available'
        """
        return self.raise_for_error().status


@frozen(unsafe_hash=False)
class FileUrlResult(Result):
    """The result of asking for the address of a context's file.

    Args:
        request_id: The server's id of the request.
        success: Whether there is an address.
        url: The address, `""` on failure. Whoever has it can use it: it is not shown in a repr.
        expire_time: When it stops working, as the service says it; None if it does not.
        error_message: Why not, None on success.

    Example:
        >>> from agb import FileUrlResult
        >>> FileUrlResult(success=True, url='https://files.example/a').url
        'https://files.example/a'
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    url: str = field(default="", repr=False)
    expire_time: int | None = None
    error_message: str = None  # type: ignore[assignment]  # see the module's docstring

    def unwrap(self) -> str:
        """Return the address, or raise the error of a failed result.

        Example:
            >>> from agb import FileUrlResult
            >>> FileUrlResult(success=True, url='https://files.example/a').unwrap()
            'https://files.example/a'
        """
        return self.raise_for_error().url


@frozen(unsafe_hash=False)
class ContextFileEntry:
    """A file or folder in a context.

    Args:
        file_id: Its id.
        file_name: Its name.
        file_path: Its path in the context.
        file_type: What kind of file it is, in the words of the service.
        gmt_create: When it was made.
        gmt_modified: When it was changed last.
        size: Its length in bytes.
        status: Whether it can be used, in the words of the service.

    Example:
        >>> from agb import ContextFileEntry
        >>> ContextFileEntry(file_name='a.txt', size=4).size
        4
    """

    __module__ = "agb"

    file_id: str = ""
    file_name: str = ""
    file_path: str = ""
    file_type: str = ""
    gmt_create: str = ""
    gmt_modified: str = ""
    size: int = 0
    status: str = ""


@frozen(unsafe_hash=False)
class ContextFileListResult(Result):
    """One page of the files of a context.

    Args:
        request_id: The server's id of the request.
        success: Whether the page was read.
        entries: The files and folders on it.
        count: How many there are on all pages; None on failure, and if the service does not say.
        error_message: Why not, None on success.

    Example:
        >>> from agb import ContextFileListResult
        >>> ContextFileListResult(success=True, entries=[], count=0).count
        0
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    entries: list[ContextFileEntry] = field(factory=list[ContextFileEntry], converter=list_or_empty)
    count: int | None = None
    error_message: str = None  # type: ignore[assignment]  # see the module's docstring

    def unwrap(self) -> list[ContextFileEntry]:
        """Return the entries, or raise the error of a failed result.

        Example:
            >>> from agb import ContextFileListResult
            >>> ContextFileListResult(success=True, entries=[], count=0).unwrap()
            []
        """
        return self.raise_for_error().entries


@frozen(unsafe_hash=False)
class ContextStatusData:
    """How far one transfer between a session and a context is.

    Args:
        context_id: Id of the context.
        path: Where the context is in the session.
        error_message: Why the transfer failed, `""` if it did not.
        status: `Success` and `Failed` are final, all other words mean that it goes on.
        start_time: When it began, as the service counts; 0 if unknown.
        finish_time: When it ended, as the service counts; 0 if unknown.
        task_type: `upload` (saving) or `download` (bringing into the session).

    Example:
        >>> from agb import ContextStatusData
        >>> ContextStatusData(context_id='c-1', status='Success').status
        'Success'
    """

    __module__ = "agb"

    context_id: str = ""
    path: str = ""
    error_message: str = ""
    status: str = ""
    start_time: int = 0
    finish_time: int = 0
    task_type: str = ""


@frozen(unsafe_hash=False)
class ContextInfoResult(Result):
    """The result of asking how far the transfers of a session are.

    Args:
        request_id: The server's id of the request.
        success: Whether the service answered.
        context_status_data: One item for each transfer.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import ContextInfoResult
        >>> ContextInfoResult(success=True, context_status_data=[]).context_status_data
        []
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    context_status_data: list[ContextStatusData] = field(
        factory=list[ContextStatusData], converter=list_or_empty
    )
    error_message: str = ""

    def unwrap(self) -> list[ContextStatusData]:
        """Return the items, or raise the error of a failed result.

        Example:
            >>> from agb import ContextInfoResult
            >>> ContextInfoResult(success=True, context_status_data=[]).unwrap()
            []
        """
        return self.raise_for_error().context_status_data


@frozen(unsafe_hash=False)
class ContextSyncResult(Result):
    """The result of a sync, in either colour also when a program waits for it a second time.

    Args:
        request_id: The server's id of the request that began it.
        success: Whether every transfer reached its end.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import ContextSyncResult
        >>> ContextSyncResult(success=True).success
        True
    """

    __module__ = "agb"

    def __await__(self) -> Generator[None, None, ContextSyncResult]:
        # The documented `sync()` of the blocking API is a coroutine: waiting for what is done
        # already gives the same result.
        return self
        yield  # makes this a generator, which is what is waited for

    def unwrap(self) -> None:
        """Return None, or raise the error of a failed result.

        Example:
            >>> from agb import ContextSyncResult
            >>> ContextSyncResult(success=True).unwrap()
        """
        self.raise_for_error()
