"""What the modules of a session return: code, commands and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from agb._core.results import BoolResult, Result

FileSystemBoolResult = BoolResult


# A payload given as None is the empty one: programs read payloads without looking first.
def _list_or_empty(value: list[Any] | None) -> list[Any]:
    return [] if value is None else value


def _dict_or_empty(value: dict[str, Any] | None) -> dict[str, Any]:
    return {} if value is None else value


def _text_or_empty(value: str | None) -> str:
    return value or ""


def _bytes_or_empty(value: bytes | None) -> bytes:
    return value or b""


@frozen(unsafe_hash=False)
class ExecutionLogs:
    """What code wrote while it ran.

    Args:
        stdout: Pieces of standard output, in order; join them with `""`.
        stderr: Pieces of standard error, in order.

    Example:
        >>> from agb import ExecutionLogs
        >>> ''.join(ExecutionLogs(stdout=['a', 'b']).stdout)
        'ab'
    """

    __module__ = "agb"

    stdout: list[str] = field(factory=list[str])
    stderr: list[str] = field(factory=list[str])


def _logs_or_empty(value: ExecutionLogs | None) -> ExecutionLogs:
    return ExecutionLogs() if value is None else value


@frozen(unsafe_hash=False)
class ExecutionError:
    """The exception that ended the code.

    Args:
        name: Its class, such as `ZeroDivisionError`.
        value: Its message.
        traceback: Where it happened, as text; `""` if the service does not tell.

    Example:
        >>> from agb import ExecutionError
        >>> ExecutionError('KeyError', "'x'").name
        'KeyError'
    """

    __module__ = "agb"

    name: str = ""
    value: str = ""
    traceback: str = ""


@frozen(unsafe_hash=False)
class ExecutionResult:
    """One thing that code showed: the value of its last line, a figure, a table.

    Args:
        text: Plain text form.
        html: HTML form.
        markdown: Markdown form.
        png: PNG image, base64 text.
        jpeg: JPEG image, base64 text.
        svg: SVG image.
        json: JSON form.
        latex: LaTeX form.
        chart: Vega-Lite chart.
        is_main_result: Whether it is the value of the last line.

    Example:
        >>> from agb import ExecutionResult
        >>> ExecutionResult(text='42', is_main_result=True).text
        '42'
    """

    __module__ = "agb"

    text: str | None = None
    html: str | None = None
    markdown: str | None = None
    png: str | None = None
    jpeg: str | None = None
    svg: str | None = None
    json: Any = None  # any JSON value
    latex: str | None = None
    chart: Any = None  # any JSON value
    is_main_result: bool = False


@frozen(unsafe_hash=False)
class CodeExecutionResult(Result):
    """The result of running code, in its first form.

    Args:
        request_id: The server's id of the request.
        success: Whether the code ran to its end without an error.
        result: Its output as text; what there was of it on failure.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import CodeExecutionResult
        >>> CodeExecutionResult(success=True, result='42').result
        '42'
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    result: str = ""
    error_message: str = ""

    def unwrap(self) -> str:
        """Return the output, or raise the error of a failed result.

        Example:
            >>> from agb import CodeExecutionResult
            >>> CodeExecutionResult(success=True, result='42').unwrap()
            '42'
        """
        return self.raise_for_error().result


@frozen(unsafe_hash=False)
class EnhancedCodeExecutionResult(CodeExecutionResult):
    """The result of running code, with everything it showed.

    Args:
        request_id: The server's id of the request.
        execution_count: Number of the execution in its session, None if unknown.
        execution_time: How long it ran, in seconds.
        logs: What it wrote.
        results: What it showed.
        error: The exception that ended it, None if there was none.
        error_message: Why it failed, `""` on success.
        success: Whether it ran to its end without an error.

    Attributes:
        result: Text of the main result, else of the first result that has text, else the joined
            standard output.

    Example:
        >>> from agb import EnhancedCodeExecutionResult
        >>> from agb import ExecutionLogs
        >>> EnhancedCodeExecutionResult(logs=ExecutionLogs(stdout=['a', 'b'])).result
        'ab'
    """

    __module__ = "agb"

    request_id: str = ""
    execution_count: int | None = None
    execution_time: float = 0.0
    logs: ExecutionLogs = field(factory=ExecutionLogs, converter=_logs_or_empty)
    results: list[ExecutionResult] = field(factory=list[ExecutionResult], converter=_list_or_empty)
    error: ExecutionError | None = None
    error_message: str = ""
    success: bool = True
    result: str = field(init=False, default="")

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "result", self._text())

    def _text(self) -> str:
        main = [item.text for item in self.results if item.is_main_result and item.text]
        shown = [item.text for item in self.results if item.text]
        return next(iter(main or shown), "") or "".join(self.logs.stdout)


@frozen(unsafe_hash=False)
class CommandResult(Result):
    """The result of a shell command.

    Args:
        request_id: The server's id of the request.
        success: Whether the command ended with exit code 0.
        output: Standard output followed by standard error; what there was of it on failure.
        error_message: Why not, `""` on success.
        exit_code: Exit code of the command, None if the service does not tell.
        stdout: Standard output alone.
        stderr: Standard error alone.
        trace_id: The service's id of a failed run, `""` if there is none.
        truncated: Whether there was more output than the service kept.

    Example:
        >>> from agb import CommandResult
        >>> CommandResult(success=True, output='hi', exit_code=0).exit_code
        0
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    output: str = ""
    error_message: str = ""
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    trace_id: str = ""
    truncated: bool = field(default=False, kw_only=True)

    def unwrap(self) -> str:
        """Return the output, or raise the error of a failed result.

        Example:
            >>> from agb import CommandResult
            >>> CommandResult(success=True, output='hi', exit_code=0).unwrap()
            'hi'
        """
        return self.raise_for_error().output


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
    content: str = field(default="", converter=_text_or_empty)
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
    content: bytes = field(default=b"", converter=_bytes_or_empty)
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
    entries: list[dict[str, Any]] = field(factory=list[dict[str, Any]], converter=_list_or_empty)
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
    file_info: dict[str, Any] = field(factory=dict[str, Any], converter=_dict_or_empty)
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
    contents: dict[str, str] = field(factory=dict[str, str], converter=_dict_or_empty)
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
    matches: list[str] = field(factory=list[str], converter=_list_or_empty)
    error_message: str = ""

    def unwrap(self) -> list[str]:
        """Return the matches, or raise the error of a failed result.

        Example:
            >>> from agb import FileSearchResult
            >>> FileSearchResult(success=True, matches=['/tmp/a.py']).unwrap()
            ['/tmp/a.py']
        """
        return self.raise_for_error().matches


@frozen(unsafe_hash=False)
class FileChangeEvent:
    """One change in a watched directory.

    Args:
        event_type: `create`, `modify` or `delete` (the service may also say `destroy`).
        path: The path that changed.
        path_type: `file` or `directory`.

    Example:
        >>> from agb import FileChangeEvent
        >>> FileChangeEvent('create', '/tmp/a', 'file').path
        '/tmp/a'
    """

    __module__ = "agb"

    event_type: str = ""
    path: str = ""
    path_type: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the event in its wire form.

        Example:
            >>> from agb import FileChangeEvent
            >>> FileChangeEvent('create', '/tmp/a', 'file').to_dict()
            {'eventType': 'create', 'path': '/tmp/a', 'pathType': 'file'}
        """
        return {"eventType": self.event_type, "path": self.path, "pathType": self.path_type}

    @classmethod
    def from_dict(cls, data: Mapping[str, str]) -> FileChangeEvent:
        """Read the event from its wire form; a key that is missing reads as `""`.

        Example:
            >>> from agb import FileChangeEvent
            >>> FileChangeEvent.from_dict({'eventType': 'modify', 'path': '/tmp/a'}).event_type
            'modify'
        """
        return cls(data.get("eventType", ""), data.get("path", ""), data.get("pathType", ""))


@frozen(unsafe_hash=False)
class FileChangeResult(Result):
    """What changed below a directory since it was last asked.

    Args:
        request_id: The server's id of the request.
        success: Whether the changes were read.
        events: The changes, in order.
        raw_data: The reply as it came.
        error_message: Why not, `""` on success.

    Example:
        >>> from agb import FileChangeResult
        >>> from agb import FileChangeEvent
        >>> FileChangeResult(events=[FileChangeEvent('create', '/tmp/a', 'file')]).has_changes()
        True
    """

    __module__ = "agb"

    request_id: str = ""
    success: bool = False
    events: list[FileChangeEvent] = field(factory=list[FileChangeEvent], converter=_list_or_empty)
    raw_data: str = ""
    error_message: str = ""

    def unwrap(self) -> list[FileChangeEvent]:
        """Return the changes, or raise the error of a failed result.

        Example:
            >>> from agb import FileChangeResult
            >>> FileChangeResult(success=True).unwrap()
            []
        """
        return self.raise_for_error().events

    def has_changes(self) -> bool:
        """Tell whether anything changed.

        Example:
            >>> from agb import FileChangeResult
            >>> FileChangeResult().has_changes()
            False
        """
        return bool(self.events)

    def get_created_files(self) -> list[str]:
        """Return the paths of files that were created.

        Example:
            >>> from agb import FileChangeResult
            >>> from agb import FileChangeEvent
            >>> result = FileChangeResult(events=[FileChangeEvent('create', '/tmp/a', 'file')])
            >>> result.get_created_files()
            ['/tmp/a']
        """
        return self._files("create")

    def get_modified_files(self) -> list[str]:
        """Return the paths of files that were modified.

        Example:
            >>> from agb import FileChangeResult
            >>> from agb import FileChangeEvent
            >>> result = FileChangeResult(events=[FileChangeEvent('modify', '/tmp/a', 'file')])
            >>> result.get_modified_files()
            ['/tmp/a']
        """
        return self._files("modify")

    def get_deleted_files(self) -> list[str]:
        """Return the paths of files that were deleted.

        Example:
            >>> from agb import FileChangeResult
            >>> from agb import FileChangeEvent
            >>> result = FileChangeResult(events=[FileChangeEvent('delete', '/tmp/a', 'file')])
            >>> result.get_deleted_files()
            ['/tmp/a']
        """
        # The live service reports `destroy`, the documents `delete`.
        return self._files("delete", "destroy")

    def _files(self, *event_types: str) -> list[str]:
        return [
            event.path
            for event in self.events
            if event.event_type in event_types and event.path_type == "file"
        ]
