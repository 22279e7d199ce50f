"""Documented import path of running commands."""

from agb._async.command import AsyncCommand
from agb._core.tool_results import CommandResult
from agb._sync.command import Command

__all__ = [
    "AsyncCommand",
    "Command",
    "CommandResult",
]
