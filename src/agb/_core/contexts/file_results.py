"""The files of a context as values, and what their calls return.

`error_message` is None on success, as documented, like that of all results of `agb.context`.
"""

from __future__ import annotations

from attrs import field, frozen

from agb._core.payloads import list_or_empty
from agb._core.results import Result


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
