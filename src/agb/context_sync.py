"""Documented import path of the policies of contexts."""

from agb._core.context_syncs import BWList, ContextSync, SyncPolicy, WhiteList
from agb._core.policies import (
    DeletePolicy,
    DownloadPolicy,
    ExtractPolicy,
    MappingPolicy,
    RecyclePolicy,
    UploadPolicy,
)
from agb._core.policy_choices import DownloadStrategy, Lifecycle, UploadMode, UploadStrategy

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
