"""How far the files of a session's contexts are, and what those calls return."""

from __future__ import annotations

from collections.abc import Generator

from attrs import field, frozen

from agb._core.payloads import list_or_empty
from agb._core.results import Result


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
