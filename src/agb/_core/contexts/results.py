"""Contexts as values, and what their calls return.

`error_message` of the results of `agb.context` is None on success, as documented; everywhere else
it is `""` then.
"""

from __future__ import annotations

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
