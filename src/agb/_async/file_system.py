"""Working with the files of a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, overload

from .._core.files import content as file_content
from .._core.files import operations
from .._core.files.change_results import FileChangeResult
from .._core.files.request_sizes import CHUNK_SIZE
from .._core.files.results import (
    BinaryFileContentResult,
    DirectoryListResult,
    FileContentResult,
    FileInfoResult,
    FileSearchResult,
    MultipleFileContentResult,
)
from .._core.results import BoolResult
from .._pair.watching import AsyncWatching
from .file_transfer import AsyncFileTransfer


class AsyncFileSystem(AsyncWatching, AsyncFileTransfer):
    """Work with the files of a session.

    Reached as `session.file_system` or `session.file`. Paths are paths inside the session.

    Example:
        >>> _ = await session.file.write("hello.txt", "hello")
        >>> read = await session.file.read("hello.txt")
        >>> read.content
        'hello'
    """

    __module__ = "agb"

    DEFAULT_CHUNK_SIZE = CHUNK_SIZE
    """Bytes that one request reads or writes where the service takes no more at once."""

    @overload
    async def read_file(
        self, path: str, *, format: Literal["text"] = "text"
    ) -> FileContentResult: ...

    @overload
    async def read_file(
        self, path: str, *, format: Literal["bytes"]
    ) -> BinaryFileContentResult: ...

    async def read_file(
        self, path: str, *, format: Literal["text", "bytes"] = "text"
    ) -> FileContentResult | BinaryFileContentResult:
        """Read a file of any size to its end.

        Args:
            path: The file.
            format: `text` gives `str` (bytes that are not UTF-8 become U+FFFD), `bytes` the exact
                content.

        Returns:
            The content. A missing file, a directory, or what is no regular file fails.

        Example:
            >>> _ = await session.file_system.write_file("notes.txt", "naïve")
            >>> text = await session.file_system.read_file("notes.txt")
            >>> text.content
            'naïve'
            >>> raw = await session.file_system.read_file("notes.txt", format="bytes")
            >>> raw.size
            6
        """
        session_id = self.session.session_id
        transfer = self.session.get_client()._transfer
        if format == "bytes":
            return await self._run(file_content.read_bytes(session_id, path, transfer))
        if format != "text":
            return await self._run(file_content.unknown_format(format))
        return await self._run(file_content.read_text(session_id, path, transfer))

    async def write_file(self, path: str, content: str, mode: str = "overwrite") -> BoolResult:
        """Write a text file.

        Args:
            path: The file; its directory must be there.
            content: The text, of any length; it is written as UTF-8.
            mode: `overwrite` or `append`; both create the file.

        Returns:
            The result. Long texts are written in several requests; if one of them fails, the
            message says how many bytes are in the file.

        Example:
            >>> first = await session.file_system.write_file("log.txt", "one")
            >>> second = await session.file_system.write_file("log.txt", "two", "append")
            >>> first.success, second.success
            (True, True)
        """
        transfer = self.session.get_client()._transfer
        return await self._run(
            operations.write(self.session.session_id, path, content, mode, transfer)
        )

    async def create_directory(self, path: str) -> BoolResult:
        """Create a directory and its parents.

        Args:
            path: The directory; it may be there already.

        Returns:
            The result.

        Example:
            >>> result = await session.file_system.create_directory("data/raw")
            >>> result.success
            True
        """
        return await self._run(operations.create_directory(self.session.session_id, path))

    async def delete_file(self, path: str) -> BoolResult:
        """Delete a file.

        Args:
            path: The file.

        Returns:
            The result.

        Example:
            >>> _ = await session.file_system.write_file("old.txt", "")
            >>> result = await session.file_system.delete_file("old.txt")
            >>> result.success
            True
        """
        return await self._run(operations.delete(self.session.session_id, path))

    async def list_directory(self, path: str) -> DirectoryListResult:
        """List a directory.

        Args:
            path: The directory.

        Returns:
            One dict an entry, with `name`, `isDirectory` and (the same) `is_directory`.

        Example:
            >>> _ = await session.file_system.create_directory("box/inner")
            >>> result = await session.file_system.list_directory("box")
            >>> result.entries
            [{'name': 'inner', 'isDirectory': True, 'is_directory': True}]
        """
        return await self._run(operations.list_directory(self.session.session_id, path))

    async def get_file_info(self, path: str) -> FileInfoResult:
        """Describe a file or directory.

        Args:
            path: The file or directory.

        Returns:
            A dict of facts such as `size` (bytes), `isDirectory`, `permissions`, `modified`.

        Example:
            >>> _ = await session.file_system.write_file("four.txt", "1234")
            >>> found = await session.file_system.get_file_info("four.txt")
            >>> found.file_info["size"], found.file_info["isDirectory"]
            (4, False)
        """
        return await self._run(operations.info(self.session.session_id, path))

    async def move_file(self, source: str, destination: str) -> BoolResult:
        """Move or rename a file or directory.

        Args:
            source: What to move.
            destination: Where to.

        Returns:
            The result.

        Example:
            >>> _ = await session.file_system.write_file("a.txt", "a")
            >>> result = await session.file_system.move_file("a.txt", "b.txt")
            >>> result.success
            True
        """
        return await self._run(operations.move(self.session.session_id, source, destination))

    async def edit_file(
        self, path: str, edits: Sequence[Mapping[str, str]], dry_run: bool = False
    ) -> BoolResult:
        """Replace pieces of text in a file.

        Args:
            path: The file.
            edits: Dicts with `oldText`, which must occur in the file, and `newText`.
            dry_run: Only check that the edits fit.

        Returns:
            The result; if one edit does not fit, the file is left as it was.

        Example:
            >>> _ = await session.file_system.write_file("greeting.txt", "hello world")
            >>> edits = [{"oldText": "world", "newText": "there"}]
            >>> result = await session.file_system.edit_file("greeting.txt", edits)
            >>> result.success
            True
        """
        return await self._run(operations.edit(self.session.session_id, path, edits, dry_run))

    async def read_multiple_files(self, paths: Sequence[str]) -> MultipleFileContentResult:
        """Read several text files with one request.

        Args:
            paths: The files.

        Returns:
            Text by path, without blanks at its ends: the protocol does not keep them.
            `read_file` gives the exact content of one file.

        Example:
            >>> _ = await session.file_system.write_file("x.txt", "x")
            >>> result = await session.file_system.read_multiple_files(["x.txt"])
            >>> result.contents
            {'x.txt': 'x'}
        """
        return await self._run(operations.read_multiple(self.session.session_id, paths))

    async def search_files(
        self, path: str, pattern: str, exclude_patterns: Sequence[str] | None = None
    ) -> FileSearchResult:
        """Find files by a pattern.

        Args:
            path: The directory to search, with all below it.
            pattern: A glob pattern such as `*.py`.
            exclude_patterns: Glob patterns of what to leave out.

        Returns:
            Absolute paths; an empty list if nothing matches.

        Example:
            >>> _ = await session.file_system.write_file("find.me", "")
            >>> result = await session.file_system.search_files(".", "*.me")
            >>> result.matches
            ['/home/user/find.me']
        """
        return await self._run(
            operations.search(self.session.session_id, path, pattern, exclude_patterns)
        )

    async def get_file_change(self, path: str) -> FileChangeResult:
        """Ask what changed below a directory since it was last asked.

        Args:
            path: The directory; the first call for it sets the point to compare with.

        Returns:
            The changes since the last call.

        Example:
            >>> _ = await session.file_system.create_directory("watched")
            >>> _ = await session.file_system.get_file_change("watched")
            >>> _ = await session.file_system.write_file("watched/new.txt", "")
            >>> result = await session.file_system.get_file_change("watched")
            >>> result.get_created_files()
            ['/home/user/watched/new.txt']
        """
        return await self._run(operations.changes(self.session.session_id, path))

    # The later names of the same methods.
    read = read_file
    write = write_file
    mkdir = create_directory
    remove = delete_file
    info = get_file_info
    move = move_file
    edit = edit_file
    read_batch = read_multiple_files
    search = search_files
    list = list_directory
