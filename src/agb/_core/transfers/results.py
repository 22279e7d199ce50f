"""What moving whole files returns: no `ApiResponse`, for each call makes two requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from agb._core.exceptions import AGBError

if TYPE_CHECKING:
    from typing_extensions import Self


@frozen(unsafe_hash=False)
class TransferResult:
    """Base of the results of `upload` and `download`.

    Args:
        success: Whether the whole file arrived.
        error_message: Why not, None on success.
        exception: The typed error behind `error_message`, None on success.

    Example:
        >>> from agb import UploadResult
        >>> UploadResult(True).raise_for_error().success
        True
    """

    __module__ = "agb"

    success: bool = False
    error_message: str | None = None
    exception: AGBError | None = field(default=None, kw_only=True, eq=False, repr=False)

    @property
    def error(self) -> str | None:
        """The name that release 0.7 has for `error_message`.

        Example:
            >>> from agb import UploadResult
            >>> UploadResult(error_message="No such file").error
            'No such file'
        """
        return self.error_message

    def raise_for_error(self) -> Self:
        """Raise the typed error of a failed result.

        Returns:
            The result itself if it is a success.

        Raises:
            AGBError: The error behind a failed result.

        Example:
            >>> from agb import DownloadResult
            >>> DownloadResult(True).raise_for_error().success
            True
        """
        if self.success:
            return self
        raise self.exception or AGBError(self.error_message)


@frozen(unsafe_hash=False)
class UploadResult(TransferResult):
    """The result of bringing a file into a session.

    Args:
        success: Whether the whole file is in the session; without `wait`, whether it is on its way.
        request_id_upload_url: The server's id of the request for an address to send the file to.
        request_id_sync: The same of the request to bring it into the session.
        http_status: HTTP status of the reply to the file itself; None if there was none.
        etag: How the store names the content, as it says it.
        bytes_sent: Length of what the store has taken, in bytes.
        path: The file in the session.
        error_message: Why not, None on success.

    Example:
        >>> from agb import UploadResult
        >>> UploadResult(error_message='No such file').success
        False
    """

    __module__ = "agb"

    success: bool = False
    request_id_upload_url: str | None = None
    request_id_sync: str | None = None
    http_status: int | None = None
    etag: str | None = None
    bytes_sent: int = 0
    path: str = ""
    error_message: str | None = None

    def unwrap(self) -> str:
        """Return the path of the file in the session, or raise the error of a failed result.

        Example:
            >>> from agb import UploadResult
            >>> UploadResult(True, path='/home/user/a').unwrap()
            '/home/user/a'
        """
        return self.raise_for_error().path


@frozen(unsafe_hash=False)
class DownloadResult(TransferResult):
    """The result of bringing a file out of a session.

    Args:
        success: Whether the whole file is here.
        request_id_download_url: The server's id of the request for an address to read it from.
        request_id_sync: The same of the request to bring it out of the session.
        http_status: HTTP status of the last reply with the file itself; None if there was none.
        bytes_received: Length of what has come, in bytes.
        path: The file in the session.
        local_path: The file here.
        error_message: Why not, None on success.

    Example:
        >>> from agb import DownloadResult
        >>> DownloadResult(error_message='No such file').success
        False
    """

    __module__ = "agb"

    success: bool = False
    request_id_download_url: str | None = None
    request_id_sync: str | None = None
    http_status: int | None = None
    bytes_received: int = 0
    path: str = ""
    local_path: str = ""
    error_message: str | None = None

    def unwrap(self) -> str:
        """Return the path of the file here, or raise the error of a failed result.

        Example:
            >>> from agb import DownloadResult
            >>> DownloadResult(True, local_path='report.csv').unwrap()
            'report.csv'
        """
        return self.raise_for_error().local_path
