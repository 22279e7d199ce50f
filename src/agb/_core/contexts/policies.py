"""How the files of a context travel: policies as values, each with its wire form (`to_dict`).

Their constructors raise for a value that no service understands, so a mistake shows where it is
made. They can be changed and are compared by value.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from agb._core.contexts.policy_choices import (
    DownloadStrategy,
    Lifecycle,
    UploadMode,
    UploadStrategy,
    member,
)
from agb._core.exceptions import InvalidArgumentError

_WILDCARDS = "*?[]"


def plain_path(instance: object, attribute: Any, value: object) -> None:  # noqa: ANN401  (attrs)
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{attribute.name} must be str (found {value!r})")
    if set(_WILDCARDS) & set(value):
        raise InvalidArgumentError(
            f"{attribute.name} must be a plain path without the wildcards"
            f" {' '.join(_WILDCARDS)} (found {value!r})"
        )


def plain_paths(instance: object, attribute: Any, value: object) -> None:  # noqa: ANN401  (attrs)
    if not isinstance(value, list):
        raise InvalidArgumentError(f"{attribute.name} must be a list of paths (found {value!r})")
    for path in value:
        plain_path(instance, attribute, path)


@define
class UploadPolicy:
    """Say whether and how a context's files are saved.

    Args:
        auto_upload: Save them without being asked.
        upload_strategy: When that happens.
        upload_mode: File by file, or packed into one archive.

    Raises:
        InvalidArgumentError: A `ValueError`: a value is not a member of its enumeration.

    Example:
        >>> from agb import UploadPolicy
        >>> UploadPolicy() == UploadPolicy()
        True
    """

    __module__ = "agb"

    auto_upload: bool = True
    upload_strategy: UploadStrategy = field(
        default=UploadStrategy.UPLOAD_BEFORE_RESOURCE_RELEASE, validator=member
    )
    upload_mode: UploadMode = field(default=UploadMode.FILE, validator=member)

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import UploadPolicy
            >>> UploadPolicy().to_dict()["uploadMode"]
            'File'
        """
        return {
            "autoUpload": self.auto_upload,
            "uploadStrategy": self.upload_strategy.value,
            "uploadMode": self.upload_mode.value,
        }


@define
class DownloadPolicy:
    """Say whether and when a context's files are brought into a session.

    Args:
        auto_download: Bring them without being asked.
        download_strategy: When that happens.

    Raises:
        InvalidArgumentError: A `ValueError`: the strategy is not a member of its enumeration.

    Example:
        >>> from agb import DownloadPolicy
        >>> DownloadPolicy() == DownloadPolicy()
        True
    """

    __module__ = "agb"

    auto_download: bool = True
    download_strategy: DownloadStrategy = field(
        default=DownloadStrategy.DOWNLOAD_ASYNC, validator=member
    )

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import DownloadPolicy
            >>> DownloadPolicy().to_dict()
            {'autoDownload': True, 'downloadStrategy': 'DownloadAsync'}
        """
        return {
            "autoDownload": self.auto_download,
            "downloadStrategy": self.download_strategy.value,
        }


@define
class DeletePolicy:
    """Say whether a file that was deleted in the session is deleted in the context as well.

    Args:
        sync_local_file: True if it is.

    Example:
        >>> from agb import DeletePolicy
        >>> DeletePolicy() == DeletePolicy()
        True
    """

    __module__ = "agb"

    sync_local_file: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import DeletePolicy
            >>> DeletePolicy().to_dict()
            {'syncLocalFile': True}
        """
        return {"syncLocalFile": self.sync_local_file}


@define
class ExtractPolicy:
    """Say what happens to archives in a context when they are brought into a session.

    Args:
        extract: Unpack them.
        delete_src_file: Remove the archive itself afterwards.
        extract_current_folder: Unpack beside the archive instead of into a folder of its name.

    Example:
        >>> from agb import ExtractPolicy
        >>> ExtractPolicy() == ExtractPolicy()
        True
    """

    __module__ = "agb"

    extract: bool = True
    delete_src_file: bool = True
    extract_current_folder: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import ExtractPolicy
            >>> ExtractPolicy().to_dict()
            {'extract': True, 'deleteSrcFile': True, 'extractToCurrentFolder': False}
        """
        return {
            "extract": self.extract,
            "deleteSrcFile": self.delete_src_file,
            "extractToCurrentFolder": self.extract_current_folder,
        }


@define
class RecyclePolicy:
    """Say how long saved files are kept.

    Args:
        lifecycle: How long.
        paths: The parts of the context that this is about; `""` means all of it.

    Raises:
        InvalidArgumentError: A `ValueError`: the lifecycle is not a member of its enumeration, or
            a path holds a wildcard.

    Example:
        >>> from agb import RecyclePolicy
        >>> RecyclePolicy() == RecyclePolicy()
        True
    """

    __module__ = "agb"

    lifecycle: Lifecycle = field(default=Lifecycle.LIFECYCLE_FOREVER, validator=member)
    paths: list[str] = field(factory=lambda: [""], validator=plain_paths)

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import RecyclePolicy
            >>> RecyclePolicy().to_dict()
            {'lifecycle': 'Lifecycle_Forever', 'paths': ['']}
        """
        return {"lifecycle": self.lifecycle.value, "paths": list(self.paths)}


@define
class MappingPolicy:
    """Take the files that a context saved from another path.

    Args:
        path: The path that the context had in the sessions that saved it.

    Example:
        >>> from agb import MappingPolicy
        >>> MappingPolicy('/data') == MappingPolicy('/data')
        True
    """

    __module__ = "agb"

    path: str = field(default="", validator=plain_path)

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import MappingPolicy
            >>> MappingPolicy('/data').to_dict()
            {'path': '/data'}
        """
        return {"path": self.path}
