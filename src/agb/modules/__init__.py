"""Documented import path of the modules of a session and their results."""

from agb._async.code import AsyncCode
from agb._async.command import AsyncCommand
from agb._async.file_system import AsyncFileSystem
from agb._core.code.results import CodeExecutionResult
from agb._core.commands.results import CommandResult
from agb._core.files.results import (
    DirectoryListResult,
    FileContentResult,
    FileInfoResult,
    FileSystemBoolResult,
    MultipleFileContentResult,
)
from agb._sync.code import Code
from agb._sync.command import Command
from agb._sync.file_system import FileSystem

__all__ = [
    "AsyncCode",
    "AsyncCommand",
    "AsyncFileSystem",
    "Code",
    "CodeExecutionResult",
    "Command",
    "CommandResult",
    "DirectoryListResult",
    "FileContentResult",
    "FileInfoResult",
    "FileSystem",
    "FileSystemBoolResult",
    "MultipleFileContentResult",
]
