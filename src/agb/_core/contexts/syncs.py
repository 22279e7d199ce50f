"""Which contexts a session has, and where: policies for parts of them, and all policies of one."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from attrs import define, field
from attrs.validators import deep_iterable, instance_of, optional

from agb._core.contexts.policies import (
    DeletePolicy,
    DownloadPolicy,
    ExtractPolicy,
    MappingPolicy,
    RecyclePolicy,
    UploadPolicy,
    plain_path,
    plain_paths,
)
from agb._core.exceptions import InvalidArgumentError

T = TypeVar("T")


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

    path: str = field(default="", validator=plain_path)
    exclude_paths: list[str] = field(factory=list[str], validator=plain_paths)

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
