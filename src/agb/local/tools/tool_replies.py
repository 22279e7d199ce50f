"""Turns what a sandbox answered into the text of a tool's reply."""

from __future__ import annotations

import json

import attrs

from ..sessions.records import ReplyForm
from .cell import Cell
from .results import Result, field, items_of, texts_of


@attrs.frozen
class ToolReply:
    """The reply of a tool.

    Attributes:
        text: Its output, or why it failed.
        is_error: True if it failed.
    """

    text: str
    is_error: bool = False


@attrs.frozen
class CallFacts:
    """What a reply depends on besides the sandbox's answer.

    Attributes:
        form: The reply form of the session.
        trace_id: Identifier of the request.
        limit_s: The time limit of the call as it was asked for, in seconds.
    """

    form: ReplyForm
    trace_id: str
    limit_s: float


def done(result: Result, facts: CallFacts) -> ToolReply:
    """Say that a tool without output did its work."""
    return ToolReply("ok")


def content(result: Result, facts: CallFacts) -> ToolReply:
    """Give the content of a file."""
    return ToolReply(field(result, "content", str))


def diff(result: Result, facts: CallFacts) -> ToolReply:
    """Give what an edit changes."""
    return ToolReply(field(result, "diff", str))


def command(result: Result, facts: CallFacts) -> ToolReply:
    """Give the outcome of a command.

    In the plain form the output is all there is, so a command that fails is an error there.
    """
    stdout = field(result, "stdout", str)
    stderr = field(result, "stderr", str)
    exit_code = field(result, "exit_code", int)
    timed_out = field(result, "timed_out", bool)
    if timed_out:
        stderr = _on_own_line(stderr, _time_out_text(facts.limit_s))
    if facts.form is ReplyForm.STRUCTURED:
        outcome = {"stdout": stdout, "stderr": stderr, "exit_code": exit_code}
        # Two facts that the protocol does not know; only where there is something to say.
        more = {"timed_out": timed_out, "truncated": field(result, "truncated", bool)}
        told = {**outcome, "traceId": facts.trace_id, **{key: True for key in more if more[key]}}
        return ToolReply(json.dumps(told), is_error=timed_out)
    output = _on_own_line(stdout, stderr) if timed_out else stdout + stderr
    if exit_code and not output.strip():
        output = f"The command ended with exit code {exit_code}."
    return ToolReply(output, is_error=exit_code != 0 or timed_out)


def code(result: Result, facts: CallFacts) -> ToolReply:
    """Give the outcome of a cell.

    In the plain form the text is the output followed by the values of expressions, or by the
    traceback of a cell that failed.
    """
    cell = Cell.read(result)
    if facts.form is ReplyForm.STRUCTURED:
        return ToolReply(cell.structured())
    printed = "".join(cell.stdout)
    if cell.failure:
        printed = _on_own_line(printed, "".join(cell.stderr))
        return ToolReply(_on_own_line(printed, cell.traceback or cell.failure), is_error=True)
    for bundle in cell.bundles:
        value = bundle.get("text/plain")
        if isinstance(value, str):
            printed = _on_own_line(printed, value)
    return ToolReply(printed)


def listing(result: Result, facts: CallFacts) -> ToolReply:
    """Give the entries of a directory, one a line."""
    entries = items_of(result, "entries")
    return ToolReply(
        "\n".join(
            ("[DIR] " if field(entry, "isDirectory", bool) else "[FILE] ")
            + _one_line(field(entry, "name", str))
            for entry in entries
        )
    )


def file_info(result: Result, facts: CallFacts) -> ToolReply:
    """Give the facts of a file, one `key: value` a line."""
    return ToolReply("\n".join(f"{key}: {_plain_value(value)}" for key, value in result.items()))


def many_files(result: Result, facts: CallFacts) -> ToolReply:
    """Give the contents of several files.

    A file that can't be read fails the whole call: the text has no place for an error that
    could not be mistaken for a content.
    """
    files = items_of(result, "files")
    errors = [field(file, "error", str) for file in files if "error" in file]
    if errors:
        return ToolReply("\n".join(errors), is_error=True)
    # The separator of the wire: an empty line, then the dashes.
    return ToolReply(
        "\n---\n".join(
            f"{field(file, 'path', str)}:\n{field(file, 'content', str)}\n" for file in files
        )
    )


def matches(result: Result, facts: CallFacts) -> ToolReply:
    """Give the paths that a search found, one a line."""
    paths = [_one_line(path) for path in texts_of(result, "matches")]
    return ToolReply("\n".join(paths) or "No matches found")


def metrics(result: Result, facts: CallFacts) -> ToolReply:
    """Give what the session uses of its machine."""
    return ToolReply(json.dumps(dict(result)))


def changes(result: Result, facts: CallFacts) -> ToolReply:
    """Give what changed below a directory."""
    keys = ("eventType", "path", "pathType")
    events = items_of(result, "events")
    picked = [{key: field(event, key, str) for key in keys} for event in events]
    return ToolReply(json.dumps(picked))


def _time_out_text(limit_s: float) -> str:
    return (
        f"Timed out: the command was stopped after {limit_s * 1000:.10g} ms, "
        "its limit (timeout_ms)."
    )


def _on_own_line(text: str, more: str) -> str:
    """Append a text that begins on a line of its own."""
    return f"{text}\n{more}" if text and more and not text.endswith("\n") else text + more


def _one_line(name: str) -> str:
    """Keep a file name with line breaks from posing as several entries, and make it printable."""
    # A name that is not UTF-8 comes with halves of surrogate pairs, which no client can print.
    printable = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return printable.replace("\r", "\\r").replace("\n", "\\n")


def _plain_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _one_line(str(value))
