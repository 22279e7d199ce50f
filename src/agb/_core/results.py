"""What calls return: the base of every result, and the simplest ones.

All classes are frozen and compared by value. The positional order of each is part of the API, so a
subclass declares the fields of its base again, in its own order. Payloads are annotated with
their type on success and are None (or empty) on failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from attrs import field, frozen

from agb._core.exceptions import AGBError

if TYPE_CHECKING:
    from typing_extensions import Self, TypeVar

    # The default keeps a bare `OperationResult` in user annotations valid under mypy strict.
    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")


@frozen(unsafe_hash=False)
class ApiResponse:
    """Base of every result.

    Args:
        request_id: The server's id of the request, `""` if there was none.

    Example:
        >>> from agb import ApiResponse
        >>> ApiResponse('r-1').request_id
        'r-1'
    """

    __module__ = "agb"

    request_id: str = ""

    def get_request_id(self) -> str:
        """Return the server's id of the request.

        Returns:
            The id, `""` if no request was sent or the server gave none.

        Example:
            >>> from agb import ApiResponse
            >>> ApiResponse('r-1').get_request_id()
            'r-1'
        """
        return self.request_id


@frozen(unsafe_hash=False)
class Result(ApiResponse):
    """A result that says whether the call succeeded, and if not, why.

    Args:
        request_id: The server's id of the request, `""` if there was none.
        success: Whether the call did what was asked.
        error_message: Why not, `""` on success.
        exception: The typed error behind `error_message`, None on success.

    Example:
        >>> from agb import Result
        >>> Result('r-1', True).raise_for_error().success
        True
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    error_message: str = ""
    exception: AGBError | None = field(default=None, kw_only=True, eq=False, repr=False)

    @classmethod
    def failed(cls, error: AGBError) -> Self:
        """Make the result of a call that failed.

        Args:
            error: The reason.

        Returns:
            A result with the error's text, request id and type.

        Example:
            >>> from agb import Result
            >>> from agb import FileError
            >>> Result.failed(FileError('No such file')).error_message
            'No such file'
        """
        return cls(
            request_id=error.request_id, success=False, error_message=str(error), exception=error
        )

    def raise_for_error(self) -> Self:
        """Raise the typed error of a failed result.

        Returns:
            The result itself if it is a success.

        Raises:
            AGBError: The error behind a failed result.

        Example:
            >>> session.command.execute_command("true").raise_for_error().exit_code
            0
        """
        if self.success:
            return self
        raise self.exception or AGBError(self.error_message, request_id=self.request_id)


@frozen(unsafe_hash=False)
class DeleteResult(Result):
    """The result of deleting a session.

    Args:
        request_id: The server's id of the request.
        success: Whether the session was deleted.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import DeleteResult
        >>> DeleteResult('r-1', True, '').success
        True
    """

    __module__ = "agb"

    def unwrap(self) -> None:
        """Return None, or raise the error of a failed result.

        Example:
            >>> from agb import DeleteResult
            >>> DeleteResult('r-1', True, '').unwrap() is None
            True
        """
        self.raise_for_error()


@frozen(unsafe_hash=False)
class OperationResult(Result, Generic[T]):
    """The result of an operation on a session.

    Args:
        request_id: The server's id of the request.
        success: Whether the operation succeeded.
        data: What it gave: a dict for `info` and `get_labels`; None on failure.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import OperationResult
        >>> OperationResult(success=True, data={'project': 'demo'}).data
        {'project': 'demo'}
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    data: T = None  # type: ignore[assignment]  # None on failure only
    error_message: str = ""

    def unwrap(self) -> T:
        """Return the data, or raise the error of a failed result.

        Example:
            >>> from agb import OperationResult
            >>> OperationResult(success=True, data={'project': 'demo'}).unwrap()
            {'project': 'demo'}
        """
        return self.raise_for_error().data


@frozen(unsafe_hash=False)
class BoolResult(Result):
    """The result of an operation that either happened or did not.

    Args:
        request_id: The server's id of the request.
        success: Whether it happened.
        data: True on success, None on failure.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import BoolResult
        >>> BoolResult(success=True, data=True).data
        True
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    data: bool | None = None
    error_message: str = ""

    def unwrap(self) -> bool:
        """Return True, or raise the error of a failed result.

        Example:
            >>> from agb import BoolResult
            >>> BoolResult(success=True, data=True).unwrap()
            True
        """
        return bool(self.raise_for_error().data)
