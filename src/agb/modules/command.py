"""Documented import path of running commands."""

from agb._async.command import AsyncCommand
from agb._async.process import AsyncProcess
from agb._core.commands.process_results import (
    ProcessInfo,
    ProcessListResult,
    ProcessOutput,
    ProcessResult,
)
from agb._core.commands.results import CommandResult
from agb._sync.command import Command
from agb._sync.process import Process

__all__ = [
    "AsyncCommand",
    "AsyncProcess",
    "Command",
    "CommandResult",
    "Process",
    "ProcessInfo",
    "ProcessListResult",
    "ProcessOutput",
    "ProcessResult",
]
