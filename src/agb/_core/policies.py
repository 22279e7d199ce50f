"""How the files of a context travel: policies as values, each with its wire form (`to_dict`).

Their constructors raise for a value that no service understands, so a mistake shows where it is
made. They can be changed and are compared by value.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Any, TypeVar

from attrs import define, field
from attrs.validators import deep_iterable, instance_of, optional

from agb._core.exceptions import InvalidArgumentError

T = TypeVar("T")

_WILDCARDS = "*?[]"


class UploadStrategy(Enum):
    """When a context's files are saved.

    Example:
        >>> from agb import UploadStrategy
        >>> UploadStrategy.UPLOAD_BEFORE_RESOURCE_RELEASE.value
        'UploadBeforeResourceRelease'
    """

    __module__ = "agb"

    UPLOAD_BEFORE_RESOURCE_RELEASE = "UploadBeforeResourceRelease"


class DownloadStrategy(Enum):
    """When a context's files are brought into a session.

    Example:
        >>> from agb import DownloadStrategy
        >>> DownloadStrategy.DOWNLOAD_ASYNC.value
        'DownloadAsync'
    """

    __module__ = "agb"

    DOWNLOAD_ASYNC = "DownloadAsync"


class UploadMode(Enum):
    """In which form a context's files are saved.

    Example:
        >>> from agb import UploadMode
        >>> UploadMode.ARCHIVE.value
        'Archive'
    """

    __module__ = "agb"

    FILE = "File"
    ARCHIVE = "Archive"


class Lifecycle(Enum):
    """How long saved files are kept.

    Example:
        >>> from agb import Lifecycle
        >>> Lifecycle.LIFECYCLE_FOREVER.value
        'Lifecycle_Forever'
    """

    __module__ = "agb"

    LIFECYCLE_1DAY = "Lifecycle_1Day"
    LIFECYCLE_3DAYS = "Lifecycle_3Days"
    LIFECYCLE_5DAYS = "Lifecycle_5Days"
    LIFECYCLE_10DAYS = "Lifecycle_10Days"
    LIFECYCLE_15DAYS = "Lifecycle_15Days"
    LIFECYCLE_30DAYS = "Lifecycle_30Days"
    LIFECYCLE_90DAYS = "Lifecycle_90Days"
    LIFECYCLE_180DAYS = "Lifecycle_180Days"
    LIFECYCLE_360DAYS = "Lifecycle_360Days"
    LIFECYCLE_FOREVER = "Lifecycle_Forever"


def _member(instance: object, attribute: Any, value: object) -> None:  # noqa: ANN401  (attrs)
    kind: type[Enum] = type(attribute.default)
    if not isinstance(value, kind):
        names = ", ".join(f"{kind.__name__}.{member.name}" for member in kind)
        raise InvalidArgumentError(f"{attribute.name} must be one of {names} (found {value!r})")


def _plain_path(instance: object, attribute: Any, value: object) -> None:  # noqa: ANN401  (attrs)
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{attribute.name} must be str (found {value!r})")
    if set(_WILDCARDS) & set(value):
        raise InvalidArgumentError(
            f"{attribute.name} must be a plain path without the wildcards"
            f" {' '.join(_WILDCARDS)} (found {value!r})"
        )


def _plain_paths(instance: object, attribute: Any, value: object) -> None:  # noqa: ANN401  (attrs)
    if not isinstance(value, list):
        raise InvalidArgumentError(f"{attribute.name} must be a list of paths (found {value!r})")
    for path in value:
        _plain_path(instance, attribute, path)


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
        default=UploadStrategy.UPLOAD_BEFORE_RESOURCE_RELEASE, validator=_member
    )
    upload_mode: UploadMode = field(default=UploadMode.FILE, validator=_member)

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
        default=DownloadStrategy.DOWNLOAD_ASYNC, validator=_member
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
class WhiteList:
    """Name a part of a context that travels, and what in it does not.

    Args:
        path: The part, a path below the context's own.
        exclude_paths: Paths below it to leave out.

    Raises:
        InvalidArgumentError: A `ValueError`: a path holds a wildcard.

    Example:
        >>> from agb import WhiteList
        >>> WhiteList('/data') == WhiteList('/data')
        True
    """

    __module__ = "agb"

    path: str = field(default="", validator=_plain_path)
    exclude_paths: list[str] = field(factory=list[str], validator=_plain_paths)

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import WhiteList
            >>> WhiteList('/data').to_dict()
            {'path': '/data', 'excludePaths': []}
        """
        return {"path": self.path, "excludePaths": list(self.exclude_paths)}


@define
class BWList:
    """Say which parts of a context travel.

    Args:
        white_lists: The parts; none means all of it.

    Example:
        >>> from agb import BWList
        >>> BWList() == BWList()
        True
    """

    __module__ = "agb"

    white_lists: list[WhiteList] = field(
        factory=list[WhiteList],
        validator=deep_iterable(instance_of(WhiteList)),
    )

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import BWList
            >>> BWList().to_dict()
            {'whiteLists': []}
        """
        return {"whiteLists": [each.to_dict() for each in self.white_lists]}


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

    lifecycle: Lifecycle = field(default=Lifecycle.LIFECYCLE_FOREVER, validator=_member)
    paths: list[str] = field(factory=lambda: [""], validator=_plain_paths)

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

    path: str = field(default="", validator=_plain_path)

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import MappingPolicy
            >>> MappingPolicy('/data').to_dict()
            {'path': '/data'}
        """
        return {"path": self.path}


def _or_default(value: T | None, kind: type[T]) -> T:
    given = kind() if value is None else value
    if not isinstance(given, kind):
        raise InvalidArgumentError(f"Expected {kind.__name__} (found {given!r:.100})")
    return given


@define(init=False)
class SyncPolicy:
    """Say how the files of a context travel; None for a part means its default.

    Args:
        upload_policy: Saving files.
        download_policy: Bringing files into a session.
        delete_policy: Deleted files.
        extract_policy: Archives.
        bw_list: Which parts travel.
        recycle_policy: How long saved files are kept.
        mapping_policy: The path that the files were saved from, if it was another one.

    Example:
        >>> from agb import BWList, SyncPolicy, WhiteList
        >>> policy = SyncPolicy(bw_list=BWList([WhiteList("/results")]))
        >>> policy.to_dict()["bwList"]
        {'whiteLists': [{'path': '/results', 'excludePaths': []}]}
    """

    __module__ = "agb"

    upload_policy: UploadPolicy
    download_policy: DownloadPolicy
    delete_policy: DeletePolicy
    extract_policy: ExtractPolicy
    bw_list: BWList
    recycle_policy: RecyclePolicy
    mapping_policy: MappingPolicy | None

    def __init__(
        self,
        upload_policy: UploadPolicy | None = None,
        download_policy: DownloadPolicy | None = None,
        delete_policy: DeletePolicy | None = None,
        extract_policy: ExtractPolicy | None = None,
        bw_list: BWList | None = None,
        recycle_policy: RecyclePolicy | None = None,
        mapping_policy: MappingPolicy | None = None,
    ) -> None:
        self.upload_policy = _or_default(upload_policy, UploadPolicy)
        self.download_policy = _or_default(download_policy, DownloadPolicy)
        self.delete_policy = _or_default(delete_policy, DeletePolicy)
        self.extract_policy = _or_default(extract_policy, ExtractPolicy)
        self.bw_list = _or_default(bw_list, BWList)
        self.recycle_policy = _or_default(recycle_policy, RecyclePolicy)
        self.mapping_policy = mapping_policy and _or_default(mapping_policy, MappingPolicy)

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form.

        Example:
            >>> from agb import SyncPolicy
            >>> sorted(SyncPolicy().to_dict())[:2]
            ['bwList', 'deletePolicy']
        """
        mapping = self.mapping_policy
        return {
            "uploadPolicy": self.upload_policy.to_dict(),
            "downloadPolicy": self.download_policy.to_dict(),
            "deletePolicy": self.delete_policy.to_dict(),
            "extractPolicy": self.extract_policy.to_dict(),
            "recyclePolicy": self.recycle_policy.to_dict(),
            "bwList": self.bw_list.to_dict(),
            **({} if mapping is None else {"mappingPolicy": mapping.to_dict()}),
        }


@define
class ContextSync:
    r"""Put a context into a session: where, and how its files travel.

    Args:
        context_id: Id of the context.
        path: Where its files are in the session, an absolute path.
        policy: How they travel; None means the default policy.

    Example:
        >>> from agb import ContextSync, CreateSessionParams
        >>> data = agb.context.create("sync-example").context
        >>> params = CreateSessionParams(context_syncs=[ContextSync(data.id, "/home/user/data")])
        >>> with agb.open_session(params) as other:
        ...     other.command.execute_command("ls -d data").stdout
        'data\n'
    """

    __module__ = "agb"

    context_id: str
    path: str
    policy: SyncPolicy | None = field(default=None, validator=optional(instance_of(SyncPolicy)))

    @classmethod
    def new(cls, context_id: str, path: str, policy: SyncPolicy | None = None) -> ContextSync:
        """Make one; the same as the constructor.

        Args:
            context_id: Id of the context.
            path: Where its files are in the session.
            policy: How they travel.

        Returns:
            The new object.

        Example:
            >>> from agb import ContextSync
            >>> ContextSync.new('c-1', '/home/user/data').path
            '/home/user/data'
        """
        return cls(context_id, path, policy)

    def with_policy(self, policy: SyncPolicy | None) -> ContextSync:
        """Set the policy.

        Args:
            policy: How the files travel.

        Returns:
            This object.

        Example:
            >>> from agb import ContextSync
            >>> from agb import SyncPolicy
            >>> ContextSync('c-1', '/data').with_policy(SyncPolicy()).path
            '/data'
        """
        self.policy = policy
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the wire form; the policy travels as JSON text, the default one if there is none.

        Some services leave a context without a policy out of the session (trap T24).

        Example:
            >>> from agb import ContextSync
            >>> ContextSync('c-1', '/data').to_dict()['path']
            '/data'
        """
        policy = SyncPolicy() if self.policy is None else self.policy
        text = json.dumps(policy.to_dict(), ensure_ascii=False)
        return {"contextId": self.context_id, "path": self.path, "policy": text}
