"""What changed below a directory."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from agb._core.payloads import list_or_empty
from agb._core.results import Result


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
    events: list[FileChangeEvent] = field(factory=list[FileChangeEvent], converter=list_or_empty)
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
