"""What every session can do: the table of its tools."""

from __future__ import annotations

from ..settings import Settings
from . import arguments as take
from . import tool_replies as give
from .process_tools import process_tools
from .tool import OwnLimit, Tool

STREAMED = {"run_code": "stream_code"}
"""The tools that can be streamed, and what a sandbox calls that."""


def all_tools(settings: Settings) -> tuple[Tool, ...]:
    """List what every session can do.

    Args:
        settings: The limits of the server.

    Returns:
        The tools.
    """
    longest_s = settings.max_tool_timeout_s
    code_limit = take.optional(
        take.time_limit("timeout_s", at_most=longest_s), settings.default_code_timeout_s
    )
    command_limit = take.optional(
        take.time_limit("timeout_ms", at_most=longest_s * 1000),
        settings.default_command_timeout_ms,
    )
    path = take.line("path")
    return (
        Tool(
            "run_code",
            "Run code; variables are kept between calls of the same language.",
            (
                take.text("code"),
                take.choice("language", "python", "javascript", "java", "r", ignore_case=True),
                code_limit,
            ),
            give.code,
            OwnLimit("timeout_s", 1.0, extra_s=settings.inside.kernel_start_s),
            queue_by="language",
        ),
        Tool(
            "shell",
            "Run a shell command; each call is a fresh shell.",
            (
                take.line("command"),
                command_limit,
                take.optional(take.line("cwd")),
                take.optional(take.environment("envs")),
                take.optional(take.text("input")),
                take.optional(take.choice("input_format", "text", "binary")),
            ),
            give.command,
            OwnLimit("timeout_ms", 0.001),
        ),
        Tool(
            "read_file",
            "Read a file, or a range of its bytes, as text or as base64.",
            (
                path,
                take.optional(take.whole_number("offset"), 0),
                take.optional(take.range_length("length")),
                take.optional(take.choice("format", "text", "binary"), "text"),
            ),
            give.content,
        ),
        Tool(
            "write_file",
            "Write text to a file, or append it.",
            (
                path,
                take.text("content"),
                take.optional(take.choice("mode", "overwrite", "append"), "overwrite"),
            ),
            give.done,
        ),
        Tool(
            "edit_file",
            "Replace texts in a file; the reply is the difference.",
            (path, take.edits("edits"), take.optional(take.flag("dryRun"), False)),
            give.diff,
        ),
        Tool(
            "create_directory",
            "Create a directory and those above it.",
            (path,),
            give.done,
        ),
        Tool("list_directory", "List the entries of a directory.", (path,), give.listing),
        Tool("get_file_info", "Tell size, kind and times of a file.", (path,), give.file_info),
        Tool(
            "move_file",
            "Move or rename a file or a directory.",
            (take.line("source"), take.line("destination")),
            give.done,
        ),
        Tool("delete_file", "Delete a file.", (path,), give.done),
        Tool(
            "read_multiple_files",
            "Read several text files at once.",
            (take.lines("paths", at_least=1),),
            give.many_files,
        ),
        Tool(
            "search_files",
            "Find files below a directory by a glob pattern.",
            (path, take.line("pattern"), take.optional(take.lines("excludePatterns"))),
            give.matches,
        ),
        Tool(
            "get_file_change",
            "Tell what changed below a directory since the last call for it.",
            (path,),
            give.changes,
        ),
        Tool("get_metrics", "Tell what the session uses of its machine.", (), give.metrics),
        *process_tools(settings),
    )
