"""Documented import path of the policies of contexts."""

from agb._core.contexts.policies import (
    DeletePolicy,
    DownloadPolicy,
    ExtractPolicy,
    MappingPolicy,
    RecyclePolicy,
    UploadPolicy,
)
from agb._core.contexts.policy_choices import (
    DownloadStrategy,
    Lifecycle,
    UploadMode,
    UploadStrategy,
)
from agb._core.contexts.syncs import BWList, ContextSync, SyncPolicy, WhiteList

__all__ = [
    "BWList",
    "ContextSync",
    "DeletePolicy",
    "DownloadPolicy",
    "DownloadStrategy",
    "ExtractPolicy",
    "Lifecycle",
    "MappingPolicy",
    "RecyclePolicy",
    "SyncPolicy",
    "UploadMode",
    "UploadPolicy",
    "UploadStrategy",
    "WhiteList",
]
