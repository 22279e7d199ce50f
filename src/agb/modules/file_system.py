"""Documented import path of working with files."""

from agb._async.file_system import AsyncFileSystem
from agb._core.files.change_results import FileChangeEvent, FileChangeResult
from agb._core.files.results import (
    BinaryFileContentResult,
    DirectoryListResult,
    FileContentResult,
    FileInfoResult,
    FileSearchResult,
    MultipleFileContentResult,
)
from agb._core.results import BoolResult
from agb._core.transfers.results import DownloadResult, UploadResult
from agb._sync.file_system import FileSystem

__all__ = [
    "AsyncFileSystem",
    "BinaryFileContentResult",
    "BoolResult",
    "DirectoryListResult",
    "DownloadResult",
    "FileChangeEvent",
    "FileChangeResult",
    "FileContentResult",
    "FileInfoResult",
    "FileSearchResult",
    "FileSystem",
    "MultipleFileContentResult",
    "UploadResult",
]
