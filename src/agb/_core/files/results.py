"""What the file tools return: content, entries and facts."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from agb._core.payloads import bytes_or_empty, dict_or_empty, list_or_empty, text_or_empty
from agb._core.results import BoolResult, Result

FileSystemBoolResult = BoolResult


@frozen(unsafe_hash=False)
class FileContentResult(Result):
    """The text of a file.

    Args:
        request_id: The server's id of the request.
        success: Whether the file was read to its end.
        content: Its text, `""` on failure.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import FileContentResult
        >>> FileContentResult(success=True, content='text').content
        'text'
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    content: str = field(default="", converter=text_or_empty)
    error_message: str = ""

    def unwrap(self) -> str:
        """Return the text, or raise the error of a failed result.

        Example:
            >>> from agb import FileContentResult
            >>> FileContentResult(success=True, content='text').unwrap()
            'text'
        """
        return self.raise_for_error().content


@frozen(unsafe_hash=False)
class BinaryFileContentResult(Result):
    """The bytes of a file.

    Args:
        request_id: The server's id of the request.
        success: Whether the file was read to its end.
        content: Its bytes, `b""` on failure.
        error_message: Why not, `""` on success.
        size: Length of the content in bytes, None on failure.

    Example:
        >>> from agb import BinaryFileContentResult
        >>> BinaryFileContentResult(success=True, content=b'raw', size=3).size
        3
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    content: bytes = field(default=b"", converter=bytes_or_empty)
    error_message: str = ""
    size: int | None = None

    def unwrap(self) -> bytes:
        """Return the bytes, or raise the error of a failed result.

        Example:
            >>> from agb import BinaryFileContentResult
            >>> BinaryFileContentResult(success=True, content=b'raw', size=3).unwrap()
            b'raw'
        """
        return self.raise_for_error().content


@frozen(unsafe_hash=False)
class DirectoryListResult(Result):
    """The entries of a directory.

    Args:
        request_id: The server's id of the request.
        success: Whether the directory was read.
        entries: One dict an entry: `name` (`str`), `isDirectory` and `is_directory` (`bool`).
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import DirectoryListResult
        >>> result = DirectoryListResult(success=True, entries=[{'name': 'a.txt'}])
        >>> result.entries[0]['name']
        'a.txt'
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    # Any: a documented plain dict whose values differ in type.
    entries: list[dict[str, Any]] = field(factory=list[dict[str, Any]], converter=list_or_empty)
    error_message: str = ""

    def unwrap(self) -> list[dict[str, Any]]:
        """Return the entries, or raise the error of a failed result.

        Example:
            >>> from agb import DirectoryListResult
            >>> result = DirectoryListResult(success=True, entries=[{'name': 'a.txt'}])
            >>> result.unwrap()
            [{'name': 'a.txt'}]
        """
        return self.raise_for_error().entries


@frozen(unsafe_hash=False)
class FileInfoResult(Result):
    """What is known of a file.

    Args:
        request_id: The server's id of the request.
        success: Whether the file is there.
        file_info: Facts such as `name`, `size` (bytes), `isDirectory`, `permissions`, `modified`.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import FileInfoResult
        >>> FileInfoResult(success=True, file_info={'size': 4}).file_info['size']
        4
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    # Any: a documented plain dict whose values differ in type.
    file_info: dict[str, Any] = field(factory=dict[str, Any], converter=dict_or_empty)
    error_message: str = ""

    def unwrap(self) -> dict[str, Any]:
        """Return the facts, or raise the error of a failed result.

        Example:
            >>> from agb import FileInfoResult
            >>> FileInfoResult(success=True, file_info={'size': 4}).unwrap()
            {'size': 4}
        """
        return self.raise_for_error().file_info


@frozen(unsafe_hash=False)
class MultipleFileContentResult(Result):
    """The texts of several files.

    Args:
        request_id: The server's id of the request.
        success: Whether all of them were read.
        contents: Text by path, without blanks at its ends.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import MultipleFileContentResult
        >>> MultipleFileContentResult(success=True, contents={'a.txt': 'a'}).contents['a.txt']
        'a'
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    contents: dict[str, str] = field(factory=dict[str, str], converter=dict_or_empty)
    error_message: str = ""

    def unwrap(self) -> dict[str, str]:
        """Return the texts, or raise the error of a failed result.

        Example:
            >>> from agb import MultipleFileContentResult
            >>> MultipleFileContentResult(success=True, contents={'a.txt': 'a'}).unwrap()
            {'a.txt': 'a'}
        """
        return self.raise_for_error().contents


@frozen(unsafe_hash=False)
class FileSearchResult(Result):
    """The files that match a pattern.

    Args:
        request_id: The server's id of the request.
        success: Whether the search was made.
        matches: Absolute paths; empty if nothing matches.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import FileSearchResult
        >>> FileSearchResult(success=True, matches=['/tmp/a.py']).matches
        ['/tmp/a.py']
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    matches: list[str] = field(factory=list[str], converter=list_or_empty)
    error_message: str = ""

    def unwrap(self) -> list[str]:
        """Return the matches, or raise the error of a failed result.

        Example:
            >>> from agb import FileSearchResult
            >>> FileSearchResult(success=True, matches=['/tmp/a.py']).unwrap()
            ['/tmp/a.py']
        """
        return self.raise_for_error().matches
